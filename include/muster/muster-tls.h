/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-certificate.h>

G_BEGIN_DECLS

/**
 * MusterTlsTrustFlags:
 * @MUSTER_TLS_TRUST_NO_SYSTEM: the system's authorities do not count, only the policy's own
 * @MUSTER_TLS_TRUST_PIN_SUFFICES: a pinned key is trusted whoever signed it, whatever its name and
 *   dates: what a user grants who accepts one certificate. Without it a pin is asked for in
 *   addition to everything else
 *
 * How a policy departs from the usual one.
 */
typedef enum {
  MUSTER_TLS_TRUST_NONE = 0,
  MUSTER_TLS_TRUST_NO_SYSTEM = 1 << 0,
  MUSTER_TLS_TRUST_PIN_SUFFICES = 1 << 1,
} MusterTlsTrustFlags;

/**
 * MusterTlsTrust:
 *
 * Whom a TLS client believes. Immutable and shared: equal policies are one object, so that ten
 * thousand accounts hold one. Revocation is not looked up. Main thread only.
 */
typedef struct _MusterTlsTrust MusterTlsTrust;

#define MUSTER_TYPE_TLS_TRUST (muster_tls_trust_get_type ())
MUSTER_API GType muster_tls_trust_get_type (void);

MUSTER_API MusterTlsTrust *muster_tls_trust_get_default (void);
MUSTER_API MusterTlsTrust *muster_tls_trust_new (MusterTlsTrustFlags flags,
                                                 const char *ca,
                                                 const char *const *pins,
                                                 const char *verify_name,
                                                 GError **error);
MUSTER_API MusterTlsTrust *muster_tls_trust_ref (MusterTlsTrust *self);
MUSTER_API void muster_tls_trust_unref (MusterTlsTrust *self);
MUSTER_API const char *muster_tls_trust_get_verify_name (const MusterTlsTrust *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterTlsTrust, muster_tls_trust_unref)

G_END_DECLS
