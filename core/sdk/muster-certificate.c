/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTls"

#include "config.h"

#include "muster-tls-private.h"

#include <gio/gio.h>

/* A certificate in words. It judges nothing: that is muster-tls.c. */

#define MAX_TEXT_BYTES 256
#define MAX_NAMES      32

G_DEFINE_BOXED_TYPE (MusterCertificate,
                     muster_certificate,
                     muster_certificate_ref,
                     muster_certificate_unref)

char *
muster_tls_printable (const char *text, gsize n_bytes)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) MIN (n_bytes, MAX_TEXT_BYTES));
  GString *printable = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (printable->len + 6 > MAX_TEXT_BYTES)
      break;
    g_string_append_unichar (printable, g_unichar_isprint (c) ? c : '?');
  }

  return g_string_free (printable, FALSE);
}

static char *
dup_dn (gnutls_x509_crt_t crt, int (*get) (gnutls_x509_crt_t, gnutls_datum_t *, unsigned))
{
  gnutls_datum_t text = { 0 };
  char *dn;

  if (get (crt, &text, 0) < 0)
    return g_strdup ("");

  dn = muster_tls_printable ((const char *) text.data, text.size);
  gnutls_free (text.data);

  return dn;
}

static char *
dup_hex (const guint8 *bytes, gsize n_bytes)
{
  GString *hex = g_string_sized_new (2 * n_bytes);

  for (gsize i = 0; i < n_bytes; i++)
    g_string_append_printf (hex, "%02x", bytes[i]);

  return g_string_free (hex, FALSE);
}

static void
add_name (GPtrArray *names, int type, const char *data, gsize n_bytes)
{
  if (type == GNUTLS_SAN_DNSNAME) {
    g_ptr_array_add (names, muster_tls_printable (data, n_bytes));
  } else if (type == GNUTLS_SAN_IPADDRESS && (n_bytes == 4 || n_bytes == 16)) {
    g_autoptr (GInetAddress)
      address = g_inet_address_new_from_bytes ((const guint8 *) data, n_bytes == 4
                                                                        ? G_SOCKET_FAMILY_IPV4
                                                                        : G_SOCKET_FAMILY_IPV6);

    g_ptr_array_add (names, g_inet_address_to_string (address));
  }
}

static GStrv
dup_names (gnutls_x509_crt_t crt)
{
  GPtrArray *names = g_ptr_array_new ();
  char data[MAX_TEXT_BYTES];
  gsize n_bytes;

  for (guint i = 0; i < MAX_NAMES; i++) {
    int type;

    n_bytes = sizeof data;
    type = gnutls_x509_crt_get_subject_alt_name (crt, i, data, &n_bytes, NULL);
    if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
      break;
    if (type >= 0) /* else one too long for a name */
      add_name (names, type, data, n_bytes);
  }

  n_bytes = sizeof data;
  if (names->len == 0 &&
      gnutls_x509_crt_get_dn_by_oid (crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, data, &n_bytes) == 0)
    add_name (names, GNUTLS_SAN_DNSNAME, data, n_bytes);

  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_free (names, FALSE);
}

/**
 * muster_certificate_new:
 * @der: a certificate in its binary form
 * @n_bytes: its length
 *
 * Returns: (transfer full) (nullable): its description, or %NULL if it is no X.509 certificate
 */
MusterCertificate *
muster_certificate_new (const void *der, gsize n_bytes)
{
  const gnutls_datum_t datum = { (void *) der, (unsigned) n_bytes };
  MusterCertificate *self;
  gnutls_x509_crt_t crt;
  guint8 digest[32];
  gsize digest_size = sizeof digest;

  g_return_val_if_fail (der != NULL && n_bytes <= G_MAXUINT, NULL);

  gnutls_x509_crt_init (&crt);
  if (gnutls_x509_crt_import (crt, &datum, GNUTLS_X509_FMT_DER) < 0) {
    gnutls_x509_crt_deinit (crt);
    return NULL;
  }

  self = g_new0 (MusterCertificate, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->der = g_bytes_new (der, n_bytes);
  self->subject = dup_dn (crt, gnutls_x509_crt_get_dn3);
  self->issuer = dup_dn (crt, gnutls_x509_crt_get_issuer_dn3);
  self->names = dup_names (crt);
  self->sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, der, n_bytes);
  self->not_before_s = gnutls_x509_crt_get_activation_time (crt);
  self->not_after_s = gnutls_x509_crt_get_expiration_time (crt);
  if (gnutls_x509_crt_get_key_id (crt, GNUTLS_KEYID_USE_SHA256, digest, &digest_size) < 0)
    digest_size = 0;
  self->spki_sha256 = dup_hex (digest, digest_size);
  gnutls_x509_crt_deinit (crt);

  return self;
}

/**
 * muster_certificate_ref:
 * @self: a certificate
 *
 * Returns: (transfer full): @self
 */
MusterCertificate *
muster_certificate_ref (MusterCertificate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * muster_certificate_unref:
 * @self: (transfer full): a certificate
 *
 * Drops a reference.
 */
void
muster_certificate_unref (MusterCertificate *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_bytes_unref (self->der);
  g_free (self->subject);
  g_free (self->issuer);
  g_strfreev (self->names);
  g_free (self->sha256);
  g_free (self->spki_sha256);
  g_free (self);
}
