/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Keys and certificates made on the spot, for tests of TLS. */

#pragma once

#include <gio/gio.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#define TLS_DAY_S (24 * 60 * 60)

/* What a certificate says. NULL and 0: nothing of the kind, a lifetime of a day around now. */
typedef struct {
  const char *cn;
  const char *dns;
  const char *ip;
  const char *purpose; /* NULL: for servers */
  gboolean is_ca;
  gint64 from_s; /* from now */
  gint64 until_s;
} TlsWish;

typedef struct {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
} TlsIdentity;

static inline void
tls_identity_free (TlsIdentity *self)
{
  gnutls_x509_crt_deinit (self->crt);
  gnutls_x509_privkey_deinit (self->key);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlsIdentity, tls_identity_free)

static inline void
tls_set_names (gnutls_x509_crt_t crt, const TlsWish *wish)
{
  if (wish->cn != NULL)
    gnutls_x509_crt_set_dn_by_oid (crt, GNUTLS_OID_X520_COMMON_NAME, 0, wish->cn,
                                   (unsigned) strlen (wish->cn));
  if (wish->dns != NULL)
    gnutls_x509_crt_set_subject_alt_name (crt, GNUTLS_SAN_DNSNAME, wish->dns,
                                          (unsigned) strlen (wish->dns), GNUTLS_FSAN_APPEND);
  if (wish->ip != NULL) {
    g_autoptr (GInetAddress) ip = g_inet_address_new_from_string (wish->ip);

    gnutls_x509_crt_set_subject_alt_name (crt, GNUTLS_SAN_IPADDRESS, g_inet_address_to_bytes (ip),
                                          (unsigned) g_inet_address_get_native_size (ip),
                                          GNUTLS_FSAN_APPEND);
  }
}

/* @issuer NULL: it signs itself. */
static inline TlsIdentity *
tls_identity_new (const TlsWish *wish, const TlsIdentity *issuer)
{
  TlsIdentity *self = g_new0 (TlsIdentity, 1);
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  guint64 serial = GUINT64_TO_BE (g_random_int ());

  gnutls_x509_privkey_init (&self->key);
  gnutls_x509_privkey_generate (self->key, GNUTLS_PK_ECDSA,
                                GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0);

  gnutls_x509_crt_init (&self->crt);
  gnutls_x509_crt_set_version (self->crt, 3);
  gnutls_x509_crt_set_serial (self->crt, &serial, sizeof serial);
  gnutls_x509_crt_set_activation_time (self->crt,
                                       now_s + (wish->from_s != 0 ? wish->from_s : -TLS_DAY_S));
  gnutls_x509_crt_set_expiration_time (self->crt,
                                       now_s + (wish->until_s != 0 ? wish->until_s : TLS_DAY_S));
  gnutls_x509_crt_set_key (self->crt, self->key);
  tls_set_names (self->crt, wish);
  if (wish->is_ca) {
    gnutls_x509_crt_set_basic_constraints (self->crt, 1, -1);
    gnutls_x509_crt_set_key_usage (self->crt, GNUTLS_KEY_KEY_CERT_SIGN);
  } else {
    gnutls_x509_crt_set_basic_constraints (self->crt, 0, -1);
    gnutls_x509_crt_set_key_usage (self->crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_key_purpose_oid (self->crt,
                                         wish->purpose != NULL ? wish->purpose
                                                               : GNUTLS_KP_TLS_WWW_SERVER,
                                         0);
  }

  g_assert_cmpint (gnutls_x509_crt_sign2 (self->crt, issuer != NULL ? issuer->crt : self->crt,
                                          issuer != NULL ? issuer->key : self->key,
                                          GNUTLS_DIG_SHA256, 0),
                   ==, 0);
  return self;
}

static inline char *
tls_identity_dup_pem (const TlsIdentity *self)
{
  gnutls_datum_t data = { 0 };
  char *pem;

  g_assert_cmpint (gnutls_x509_crt_export2 (self->crt, GNUTLS_X509_FMT_PEM, &data), ==, 0);
  pem = g_strndup ((const char *) data.data, data.size);
  gnutls_free (data.data);

  return pem;
}

static inline char *
tls_identity_dup_key_pem (const TlsIdentity *self)
{
  gnutls_datum_t data = { 0 };
  char *pem;

  g_assert_cmpint (gnutls_x509_privkey_export2 (self->key, GNUTLS_X509_FMT_PEM, &data), ==, 0);
  pem = g_strndup ((const char *) data.data, data.size);
  gnutls_free (data.data);

  return pem;
}

/* The SHA-256 of its public key, as a pin. */
static inline char *
tls_identity_dup_pin (const TlsIdentity *self)
{
  GString *hex = g_string_new (NULL);
  guint8 id[32];
  gsize size = sizeof id;

  g_assert_cmpint (gnutls_x509_crt_get_key_id (self->crt, GNUTLS_KEYID_USE_SHA256, id, &size), ==,
                   0);
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (hex, "%02X%s", id[i], i + 1 < size ? ":" : "");

  return g_string_free (hex, FALSE);
}
