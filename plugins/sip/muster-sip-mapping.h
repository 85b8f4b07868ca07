/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* What a NAT makes of the address that we send from, as the server's answers tell (RFC 3581). Hosts are
 * written as in a contact: IPv6 in brackets. */
typedef struct {
  char *local_host; /* where the rest was learnt; nullable: then nothing is */
  guint16 local_port;
  char *host; /* nullable: what our contact is to have instead */
  guint16 port;
  guint n_rewrites; /* operations in a row that changed these; one beyond the maximum: given up */

  char *seen_host;    /* by the last answer; nullable: it did not tell, or what cannot be */
  guint16 seen_port;  /* 0: likewise */
  gboolean is_behind; /* the last answer that told saw us elsewhere */
} MusterSipMapping;

#define MUSTER_SIP_MAX_REWRITES 3

void muster_sip_mapping_clear (MusterSipMapping *self);

/* Where we send from now. Another port drops the mapping, another host all that is known. */
void muster_sip_mapping_set_local (MusterSipMapping *self, const char *host, guint16 port);

/* What the Via of a final answer says: @received (nullable) and @rport (0: none). */
void muster_sip_mapping_note (MusterSipMapping *self, const char *received, guint rport);

/* Once in an operation, after the answer that grants: whether our contact is another one from now on, because
 * that answer saw us elsewhere. */
gboolean muster_sip_mapping_rewrite (MusterSipMapping *self);

/* Back to the local contact, for the server does not take the other one. */
void muster_sip_mapping_drop (MusterSipMapping *self);

/* What comes out of a store: %FALSE if note() would never have come to it. */
gboolean muster_sip_mapping_is_sane (const MusterSipMapping *self);
