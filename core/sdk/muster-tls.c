/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTls"

#include "config.h"

#include "muster-tls-verdict.h"

#include <muster/muster-error.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Whom we believe. The system's authorities are read once and shared by all policies; a policy's own
 * stand in a second, short list, because a list cannot share what another holds and the system's
 * costs milliseconds and megabytes. The chain is good if either list proves it; the policy's own is
 * asked first, so that the system's is not even read where nobody needs it.
 *
 * Verification is ours alone: no session and no credentials object ever verifies by itself, so that
 * there is one place to look at, one cache, and one way to say what was wrong.
 */

#define MAX_CHAIN    16
#define MAX_CA_BYTES (1024 * 1024)
#define PIN_BYTES    32

/* RSA from 1,024 bits on: old devices behind an own CA are still about. */
#define VERIFY_FLAGS GNUTLS_PROFILE_TO_VFLAGS (GNUTLS_PROFILE_LOW)

struct _MusterTlsTrust {
  guint ref_count;
  char *key;      /* in policies */
  guint64 serial; /* never used again: the verdict cache's name for us */
  MusterTlsTrustFlags flags;
  gnutls_x509_trust_list_t own; /* NULL: none */
  GPtrArray *pins;              /* lower-case hexadecimal digits */
  char *verify_name;
  gnutls_certificate_credentials_t credentials;
};

static GHashTable *policies; /* key -> MusterTlsTrust, not owned */
static guint64 last_serial;
static guint n_verified;

static struct {
  gnutls_x509_trust_list_t list; /* NULL: not read yet */
  char *pem;                     /* tests only */
} authorities;

G_DEFINE_BOXED_TYPE (MusterTlsTrust, muster_tls_trust, muster_tls_trust_ref, muster_tls_trust_unref)

/* authorities */

static gnutls_x509_trust_list_t
list_new_from_pem (const char *pem)
{
  const gnutls_datum_t datum = { (void *) pem, (unsigned) strlen (pem) };
  gnutls_x509_trust_list_t list;

  gnutls_x509_trust_list_init (&list, 0);
  if (gnutls_x509_trust_list_add_trust_mem (list, &datum, NULL, GNUTLS_X509_FMT_PEM, 0, 0) > 0)
    return list;

  gnutls_x509_trust_list_deinit (list, 1);
  return NULL;
}

static gnutls_x509_trust_list_t
get_system_list (void)
{
  if (authorities.list != NULL)
    return authorities.list;

  if (authorities.pem != NULL) {
    authorities.list = list_new_from_pem (authorities.pem);
  } else {
    gnutls_x509_trust_list_init (&authorities.list, 0);
    if (gnutls_x509_trust_list_add_system_trust (authorities.list, 0, 0) <= 0)
      g_warning ("cannot read the system's certificate authorities; none is trusted");
  }

  return authorities.list;
}

void
muster_tls_flush (void)
{
  muster_tls_verdict_flush ();
  if (authorities.list != NULL)
    gnutls_x509_trust_list_deinit (g_steal_pointer (&authorities.list), 1);
}

void
muster_tls_use_system (const char *pem)
{
  g_free (authorities.pem);
  authorities.pem = g_strdup (pem);
  muster_tls_flush ();
}

gboolean
muster_tls_has_read_system (void)
{
  return authorities.list != NULL;
}

guint
muster_tls_count_verified (void)
{
  return n_verified;
}

/* A file that a user names is read on the spot: once per policy, small, and no device or pipe. */
static char *
read_file (const char *path, GError **error)
{
  struct stat info;
  g_autofree char *text = NULL;
  gsize length = 0;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  gboolean is_fit = fd >= 0 && fstat (fd, &info) == 0 && S_ISREG (info.st_mode) &&
                    info.st_size <= MAX_CA_BYTES;

  if (is_fit) {
    text = g_malloc ((gsize) info.st_size + 1);
    while (length < (gsize) info.st_size) {
      gssize n = read (fd, text + length, (gsize) info.st_size - length);

      if (n <= 0)
        break;
      length += (gsize) n;
    }
    text[length] = '\0';
  }
  if (fd >= 0)
    close (fd);

  if (length == 0)
    g_propagate_error (error,
                       muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                         "the file of certificate authorities %s cannot be read",
                                         path));

  return length > 0 ? g_steal_pointer (&text) : NULL;
}

/* pins */

/* Hexadecimal, with or without colons, or "sha256/" and base64, as others write them. */
static char *
parse_pin (const char *pin)
{
  g_autoptr (GString) hex = g_string_new (NULL);

  if (g_str_has_prefix (pin, "sha256/")) {
    gsize n_bytes = 0;
    g_autofree guchar *bytes = g_base64_decode (pin + (pin[7] == '/' ? 8 : 7), &n_bytes);

    for (gsize i = 0; i < n_bytes; i++)
      g_string_append_printf (hex, "%02x", bytes[i]);
  } else {
    for (const char *p = pin; *p != '\0'; p++) {
      if (g_ascii_isxdigit (*p))
        g_string_append_c (hex, g_ascii_tolower (*p));
      else if (*p != ':')
        return NULL;
    }
  }

  return hex->len == 2 * PIN_BYTES ? g_strdup (hex->str) : NULL;
}

static gint
compare_pins (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static GPtrArray *
parse_pins (const char *const *pins, GError **error)
{
  g_autoptr (GPtrArray) parsed = g_ptr_array_new_with_free_func (g_free);

  for (; pins != NULL && *pins != NULL; pins++) {
    char *pin = parse_pin (*pins);

    if (pin == NULL) {
      g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                                  "a pin is not the SHA-256 of a public key"));
      return NULL;
    }
    g_ptr_array_add (parsed, pin);
  }
  g_ptr_array_sort (parsed, compare_pins);

  return g_steal_pointer (&parsed);
}

/* policies */

static char *
dup_policy_key (MusterTlsTrustFlags flags,
                const char *pem,
                const GPtrArray *pins,
                const char *verify_name)
{
  g_autofree char *sum = pem != NULL ? g_compute_checksum_for_string (G_CHECKSUM_SHA256, pem, -1)
                                     : g_strdup ("");
  GString *key = g_string_new (NULL);

  g_string_append_printf (key, "%x %s", flags, sum);
  for (guint i = 0; i < pins->len; i++)
    g_string_append_printf (key, " %s", (const char *) pins->pdata[i]);
  g_string_append_printf (key, " =%s", verify_name != NULL ? verify_name : "");

  return g_string_free (key, FALSE);
}

/**
 * muster_tls_trust_new:
 * @flags: see #MusterTlsTrustFlags
 * @ca: (nullable): authorities of the policy's own, beside the system's: PEM text, or the absolute
 *   path of a file of at most 1 MB that holds it, which is read here and now
 * @pins: (nullable) (array zero-terminated=1): SHA-256 of public keys (SubjectPublicKeyInfo), one
 *   of which the server must have: 64 hexadecimal digits, or `sha256/` and base64
 * @verify_name: (nullable): the name or address that certificates must be for, whatever service
 *   domain is asked for; %NULL: that domain
 * @error: where to put the error: %MUSTER_ERROR_INVALID, step %MUSTER_STEP_CONFIGURE
 *
 * Returns: (transfer full): the policy, which others with the same arguments share; %NULL on error
 */
MusterTlsTrust *
muster_tls_trust_new (MusterTlsTrustFlags flags,
                      const char *ca,
                      const char *const *pins,
                      const char *verify_name,
                      GError **error)
{
  g_autoptr (GPtrArray) parsed_pins = parse_pins (pins, error);
  g_autofree char *pem = NULL;
  g_autofree char *key = NULL;
  gnutls_x509_trust_list_t own = NULL;
  MusterTlsTrust *self;

  if (parsed_pins == NULL)
    return NULL;
  if (ca != NULL && (pem = *ca == '/' ? read_file (ca, error) : g_strdup (ca)) == NULL)
    return NULL;

  key = dup_policy_key (flags, pem, parsed_pins, verify_name);
  if (policies == NULL)
    policies = g_hash_table_new (g_str_hash, g_str_equal);
  if ((self = g_hash_table_lookup (policies, key)) != NULL)
    return muster_tls_trust_ref (self);

  if (pem != NULL && (own = list_new_from_pem (pem)) == NULL) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                                "the certificate authorities hold no certificate"));
    return NULL;
  }

  self = g_new0 (MusterTlsTrust, 1);
  self->ref_count = 1;
  self->key = g_steal_pointer (&key);
  self->serial = ++last_serial;
  self->flags = flags;
  self->own = own;
  self->pins = g_steal_pointer (&parsed_pins);
  self->verify_name = g_strdup (verify_name);
  gnutls_certificate_allocate_credentials (&self->credentials);
  g_hash_table_insert (policies, self->key, self);

  return self;
}

/**
 * muster_tls_trust_get_default:
 *
 * Returns: (transfer none): the policy that believes the system's authorities and nobody else
 */
MusterTlsTrust *
muster_tls_trust_get_default (void)
{
  static MusterTlsTrust *trust;

  if (trust == NULL)
    trust = muster_tls_trust_new (MUSTER_TLS_TRUST_NONE, NULL, NULL, NULL, NULL);

  return trust;
}

/**
 * muster_tls_trust_ref:
 * @self: a policy
 *
 * Returns: (transfer full): @self
 */
MusterTlsTrust *
muster_tls_trust_ref (MusterTlsTrust *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  self->ref_count++;
  return self;
}

/**
 * muster_tls_trust_unref:
 * @self: (transfer full): a policy
 *
 * Drops a reference.
 */
void
muster_tls_trust_unref (MusterTlsTrust *self)
{
  g_return_if_fail (self != NULL);

  if (--self->ref_count > 0)
    return;

  g_hash_table_remove (policies, self->key);
  if (self->own != NULL)
    gnutls_x509_trust_list_deinit (self->own, 1);
  gnutls_certificate_free_credentials (self->credentials);
  g_ptr_array_unref (self->pins);
  g_free (self->verify_name);
  g_free (self->key);
  g_free (self);
}

/**
 * muster_tls_trust_get_verify_name:
 * @self: a policy
 *
 * Returns: (transfer none) (nullable): the name that certificates must be for, if not that of the
 *   service
 */
const char *
muster_tls_trust_get_verify_name (const MusterTlsTrust *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->verify_name;
}

gnutls_certificate_credentials_t
muster_tls_trust_get_credentials (MusterTlsTrust *self)
{
  return self->credentials;
}

gnutls_priority_t
muster_tls_get_priority (void)
{
  static gnutls_priority_t priority;

  if (priority == NULL) {
    int why = gnutls_priority_init2 (&priority, "-VERS-TLS1.1:-VERS-TLS1.0", NULL,
                                     GNUTLS_PRIORITY_INIT_DEF_APPEND);

    if (why < 0)
      g_error ("the system's TLS priorities cannot be used: %s", gnutls_strerror (why));
  }

  return priority;
}

/* verification */

static guint
verify_by (gnutls_x509_trust_list_t list,
           gnutls_x509_crt_t *crts,
           guint n_crts,
           const char *identity,
           const char *purpose)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (identity);
  gnutls_typed_vdata_st data[2] = {
    { GNUTLS_DT_DNS_HOSTNAME, (unsigned char *) identity, 0 },
    { GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *) purpose, 0 },
  };
  guint status = 0;

  if (address != NULL) {
    data[0].type = GNUTLS_DT_IP_ADDRESS;
    data[0].data = (unsigned char *) g_inet_address_to_bytes (address);
    data[0].size = (unsigned) g_inet_address_get_native_size (address);
  }

  if (gnutls_x509_trust_list_verify_crt2 (list, crts, n_crts, data, G_N_ELEMENTS (data),
                                          VERIFY_FLAGS, &status, NULL) < 0)
    return status | GNUTLS_CERT_INVALID;

  return status;
}

/* No bits: the chain is good. Else those of the list that knows the issuer: the system's, if both do. */
static guint
trust_verify_chain (MusterTlsTrust *self,
                    gnutls_x509_crt_t *crts,
                    guint n_crts,
                    const char *identity,
                    const char *purpose)
{
  gboolean is_system_asked = (self->flags & MUSTER_TLS_TRUST_NO_SYSTEM) == 0;
  guint own = GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNER_NOT_FOUND;
  guint verdict;

  if (self->own != NULL)
    own = verify_by (self->own, crts, n_crts, identity, purpose);
  if (own == 0 || !is_system_asked)
    return own;

  verdict = verify_by (get_system_list (), crts, n_crts, identity, purpose);
  if (self->own != NULL && (verdict & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0)
    return own;

  return verdict;
}

static gboolean
trust_has_pin (const MusterTlsTrust *self, const MusterCertificate *certificate)
{
  for (guint i = 0; i < self->pins->len; i++)
    if (strcmp (self->pins->pdata[i], certificate->spki_sha256) == 0)
      return TRUE;

  return FALSE;
}

static guint
trust_verify_pkix (MusterTlsTrust *self,
                   const gnutls_datum_t *chain,
                   guint n_chain,
                   const char *identity,
                   const char *purpose)
{
  gnutls_x509_crt_t crts[MAX_CHAIN];
  guint status = 0;
  guint n_crts = 0;

  n_verified++;
  while (status == 0 && n_crts < n_chain) {
    gnutls_x509_crt_init (&crts[n_crts]);
    if (gnutls_x509_crt_import (crts[n_crts], &chain[n_crts], GNUTLS_X509_FMT_DER) < 0)
      status = GNUTLS_CERT_INVALID;
    n_crts++;
  }
  if (status == 0)
    status = trust_verify_chain (self, crts, n_crts, identity, purpose);

  while (n_crts > 0)
    gnutls_x509_crt_deinit (crts[--n_crts]);

  return status;
}

static GPtrArray *
describe_chain (const gnutls_datum_t *chain, guint n_chain)
{
  g_autoptr (GPtrArray)
    certificates = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_certificate_unref);

  for (guint i = 0; i < n_chain; i++) {
    MusterCertificate *certificate = muster_certificate_new (chain[i].data, chain[i].size);

    if (certificate == NULL)
      return NULL;
    g_ptr_array_add (certificates, certificate);
  }

  return g_steal_pointer (&certificates);
}

static gint64
earliest_end_s (const GPtrArray *certificates)
{
  gint64 end_s = G_MAXINT64;

  for (guint i = 0; i < certificates->len; i++)
    end_s = MIN (end_s, ((MusterCertificate *) certificates->pdata[i])->not_after_s);

  return end_s;
}

static gboolean
refuse_chain (guint *status, GError **error)
{
  if (status != NULL)
    *status = GNUTLS_CERT_INVALID;
  g_propagate_error (error, muster_error_new (MUSTER_ERROR_UNTRUSTED, MUSTER_STEP_TLS,
                                              "the server shows no usable certificate"));
  return FALSE;
}

gboolean
muster_tls_trust_verify (MusterTlsTrust *self,
                         const gnutls_datum_t *chain,
                         guint n_chain,
                         const char *identity,
                         const char *purpose,
                         guint *status,
                         GError **error)
{
  g_autoptr (GPtrArray) certificates = NULL;
  g_autofree char *key = NULL;
  gboolean has_pin;
  guint bits = 0;

  g_return_val_if_fail (self != NULL && identity != NULL && purpose != NULL, FALSE);

  if (status != NULL)
    *status = 0;
  if (self->verify_name != NULL)
    identity = self->verify_name;
  if (n_chain == 0 || n_chain > MAX_CHAIN)
    return refuse_chain (status, error);

  key = muster_tls_verdict_dup_key (self->serial, chain, n_chain, identity, purpose);
  if (muster_tls_verdict_is_known (key))
    return TRUE;
  if ((certificates = describe_chain (chain, n_chain)) == NULL)
    return refuse_chain (status, error);

  has_pin = trust_has_pin (self, certificates->pdata[0]);
  if (!has_pin || (self->flags & MUSTER_TLS_TRUST_PIN_SUFFICES) == 0)
    bits = trust_verify_pkix (self, chain, n_chain, identity, purpose);

  if (bits == 0 && (has_pin || self->pins->len == 0)) {
    muster_tls_verdict_remember (g_steal_pointer (&key), earliest_end_s (certificates));
    return TRUE;
  }

  if (status != NULL)
    *status = bits != 0 ? bits : GNUTLS_CERT_INVALID;
  g_propagate_error (error,
                     muster_tls_verdict_new_error ((MusterCertificate *const *) certificates->pdata,
                                                   certificates->len, identity, bits,
                                                   !has_pin && self->pins->len > 0));
  return FALSE;
}
