/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MusterTlsKeyPair:
 *
 * A certificate and its private key, by which a client proves to a TLS server who it is. Immutable and
 * shared: equal ones are one object. Main thread only.
 */
typedef struct _MusterTlsKeyPair MusterTlsKeyPair;

#define MUSTER_TYPE_TLS_KEY_PAIR (muster_tls_key_pair_get_type ())
MUSTER_API GType muster_tls_key_pair_get_type (void);

MUSTER_API MusterTlsKeyPair *
muster_tls_key_pair_new (const char *certificate, const char *key, GError **error);
MUSTER_API MusterTlsKeyPair *muster_tls_key_pair_ref (MusterTlsKeyPair *self);
MUSTER_API void muster_tls_key_pair_unref (MusterTlsKeyPair *self);
MUSTER_API const char *muster_tls_key_pair_get_fingerprint (const MusterTlsKeyPair *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterTlsKeyPair, muster_tls_key_pair_unref)

G_END_DECLS
