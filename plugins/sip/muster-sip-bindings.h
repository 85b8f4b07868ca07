/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* A contact that the server has, or may have. */
typedef struct {
  char *uri;
  gint64 until_us;    /* on the clock that muster_clock_now_us() reads */
  gboolean confirmed; /* granted; else asked for, and the answer never came */
} MusterSipBinding;

MusterSipBinding *muster_sip_binding_new (const char *uri, gint64 until_us, gboolean confirmed);
void muster_sip_binding_free (MusterSipBinding *self);

/* Those of one registration, oldest first: an array of MusterSipBinding that owns them. */
GPtrArray *muster_sip_bindings_new (void);

/* (nullable) (transfer none) */
MusterSipBinding *muster_sip_bindings_find (GPtrArray *self, const char *uri);
MusterSipBinding *muster_sip_bindings_get_confirmed (GPtrArray *self); /* the newest one */

/* What has run out by now goes. */
void muster_sip_bindings_expire (GPtrArray *self);

/* From here on the server may have @uri, whatever we hear. Returns whether that is news. */
gboolean muster_sip_bindings_doubt (GPtrArray *self, const char *uri, guint expires_s);
void muster_sip_bindings_forget (GPtrArray *self, const char *uri);

/* The server has @uri, and none of the others any more. */
void muster_sip_bindings_confirm (GPtrArray *self, const char *uri, guint lease_s);

/* The value of Contact in a REGISTER that makes @uri the only one, or takes all away (%NULL). @has_reg_id: the
 * server knows our last one on a stream by that (RFC 5626). */
char *muster_sip_bindings_build_contacts (GPtrArray *self,
                                          const char *uri,
                                          const char *instance,
                                          gboolean has_reg_id);
