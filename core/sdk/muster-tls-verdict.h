/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: what muster-tls.c remembers and says about a chain. */

#pragma once

#include "muster-tls-private.h"

G_BEGIN_DECLS

/* @policy is a number that no other policy ever has. */
char *muster_tls_verdict_dup_key (guint64 policy,
                                  const gnutls_datum_t *chain,
                                  guint n_chain,
                                  const char *identity,
                                  const char *purpose);
gboolean muster_tls_verdict_is_known (const char *key);
void muster_tls_verdict_remember (char *take_key, gint64 not_after_s);
void muster_tls_verdict_flush (void);

GError *muster_tls_verdict_new_error (MusterCertificate *const *chain,
                                      guint n_chain,
                                      const char *identity,
                                      guint status,
                                      gboolean is_pin_missed);

G_END_DECLS
