/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: key pairs for those who speak GnuTLS. */

#pragma once

#include <muster/muster-tls-key-pair.h>

#include <gnutls/gnutls.h>

G_BEGIN_DECLS

/* Lent for as long as the key pair lives; shared by all its sessions. They verify nobody. */
gnutls_certificate_credentials_t muster_tls_key_pair_get_credentials (MusterTlsKeyPair *self);

G_END_DECLS
