/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MusterCertificate:
 * @der: the certificate itself
 * @subject: whom it is for, as a distinguished name; printable, at most 256 bytes
 * @issuer: who signed it, likewise
 * @names: (array zero-terminated=1): the host names and addresses it holds, at most 32; printable
 * @sha256: its fingerprint, 64 lower-case hexadecimal digits
 * @spki_sha256: that of its public key, which is what a pin names
 * @not_before_s: from when it is valid, seconds since 1970, UTC
 * @not_after_s: until when
 *
 * What a user is shown to decide about a certificate. Immutable. All texts are the peer's words.
 */
struct _MusterCertificate {
  GBytes *der;
  char *subject;
  char *issuer;
  GStrv names;
  char *sha256;
  char *spki_sha256;
  gint64 not_before_s;
  gint64 not_after_s;
  /*< private >*/
  gatomicrefcount ref_count;
};

#define MUSTER_TYPE_CERTIFICATE (muster_certificate_get_type ())
MUSTER_API GType muster_certificate_get_type (void);

MUSTER_API MusterCertificate *muster_certificate_new (const void *der, gsize n_bytes);
MUSTER_API MusterCertificate *muster_certificate_ref (MusterCertificate *self);
MUSTER_API void muster_certificate_unref (MusterCertificate *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterCertificate, muster_certificate_unref)

G_END_DECLS
