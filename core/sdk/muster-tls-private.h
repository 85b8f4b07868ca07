/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: TLS trust for those who speak GnuTLS themselves. */

#pragma once

#include <muster/muster-tls.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

/* Whether @chain (DER, the peer's own first) proves @identity, a host name or an address, unless the
 * policy names another. @purpose is an OID, usually GNUTLS_KP_TLS_WWW_SERVER. On FALSE the error is
 * MUSTER_ERROR_UNTRUSTED and carries the certificate; @status (optional) then holds GnuTLS's bits,
 * never 0. Verdicts in favour are remembered for minutes, never beyond the chain's dates. */
MUSTER_API gboolean muster_tls_trust_verify (MusterTlsTrust *self,
                                             const gnutls_datum_t *chain,
                                             guint n_chain,
                                             const char *identity,
                                             const char *purpose,
                                             guint *status,
                                             GError **error);

/* Lent for as long as the policy lives; shared by all its sessions. */
MUSTER_API gnutls_certificate_credentials_t muster_tls_trust_get_credentials (MusterTlsTrust *self);

/* The ciphers and versions of every client session: the system's choice, from TLS 1.2 on. */
MUSTER_API gnutls_priority_t muster_tls_get_priority (void);

/* Forgets all verdicts and reads the system's authorities anew: for when trust has changed. */
MUSTER_API void muster_tls_flush (void);

/* For tests: authorities (PEM) in place of the system's; NULL: the system's. Flushes. */
MUSTER_API void muster_tls_use_system (const char *pem);

/* For tests: whether the system's authorities are in memory. */
MUSTER_API gboolean muster_tls_has_read_system (void);

/* For tests: how many chains were verified without the help of a remembered verdict. */
MUSTER_API guint muster_tls_count_verified (void);

/* Cuts and cleans what a peer said for terminals and logs. Returns (transfer full). */
char *muster_tls_printable (const char *text, gsize n_bytes);

G_END_DECLS
