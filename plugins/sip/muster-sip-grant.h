/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-message.h"

/* Our binding as we asked for it, to be found in what the server says. */
typedef struct {
  const char *uri;
  const char *token;    /* the user part of the URI */
  const char *instance; /* `urn:uuid:...`, without brackets */
  guint requested_s;
} MusterSipOwnBinding;

typedef struct {
  guint lease_s;   /* 0: the server granted no time */
  const char *uri; /* lent by the response or by the question: what the server calls the binding */
} MusterSipGrant;

#define MUSTER_SIP_MAX_LEASE_S 604800 /* a week */

/* How long a 2xx lets us live. */
MusterSipGrant
muster_sip_grant_read (const MusterSipResponse *response, const MusterSipOwnBinding *own);
