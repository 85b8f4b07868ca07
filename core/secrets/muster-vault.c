/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterVault"

#include "config.h"

#include "muster-vault.h"

#include "muster-key-file.h"

#include <muster/muster-error.h>

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Seals and opens. A sealed value is
 *
 *   version (1 byte, 1) | nonce (12, random, fresh for each) | ciphertext | tag (16)
 *
 * and authenticates the version and the place where it stands: a fixed label, the account and the
 * name, each ended by a NUL, which none of them can contain.
 *
 * Random nonces of 96 bits are safe for some 2^32 values under one key (NIST SP 800-38D, 8.3): ten
 * thousand accounts that seal something every ten minutes take eight years.
 */

#define LAYOUT_VERSION 1
#define NONCE_BYTES    12
#define TAG_BYTES      16
#define HEAD_BYTES     (1 + NONCE_BYTES)

#define LABEL "org.muster.Muster1 sealed.value"

struct _MusterVault {
  guint8 *key; /* a page of its own: locked, in no core dump, gone in a forked child */
};

static gsize
page_bytes (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

/**
 * muster_vault_new:
 * @key: %MUSTER_VAULT_KEY_BYTES, copied; the caller wipes its own
 *
 * Returns: (transfer full): a vault, to be freed with muster_vault_free()
 */
MusterVault *
muster_vault_new (const guint8 *key)
{
  MusterVault *self;
  void *page;

  g_return_val_if_fail (key != NULL, NULL);

  page = mmap (NULL, page_bytes (), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    g_error ("cannot map a page for the key: %s", g_strerror (errno));

  /* The limit on locked memory may be 0; then swap is the user's to encrypt. */
  if (mlock (page, page_bytes ()) < 0)
    g_message ("cannot lock the key in memory: %s, ignoring", g_strerror (errno));
  if (madvise (page, page_bytes (), MADV_DONTDUMP) < 0 ||
      madvise (page, page_bytes (), MADV_WIPEONFORK) < 0)
    g_debug ("cannot keep the key out of dumps and children: %s, ignoring", g_strerror (errno));

  self = g_new0 (MusterVault, 1);
  self->key = page;
  memcpy (self->key, key, MUSTER_VAULT_KEY_BYTES);

  return self;
}

void
muster_vault_free (MusterVault *self)
{
  muster_wipe (self->key, MUSTER_VAULT_KEY_BYTES);
  munlock (self->key, page_bytes ());
  munmap (self->key, page_bytes ());
  g_free (self);
}

#define FINGERPRINT_BYTES 8

char *
muster_vault_dup_fingerprint (MusterVault *self)
{
  static const char label[] = "org.muster.Muster1 key.fingerprint";
  guint8 mac[32];
  GString *text = g_string_new (NULL);
  int result;

  g_return_val_if_fail (self != NULL, NULL);

  result = gnutls_hmac_fast (GNUTLS_MAC_SHA256, self->key, MUSTER_VAULT_KEY_BYTES, label,
                             sizeof label, mac);
  if (result < 0)
    g_error ("GnuTLS has no HMAC-SHA-256: %s", gnutls_strerror (result));
  for (guint i = 0; i < FINGERPRINT_BYTES; i++)
    g_string_append_printf (text, "%02x", mac[i]);

  return g_string_free (text, FALSE);
}

/* One for each operation: it holds the expanded key in ordinary memory, and wipes it at the end. */
static gnutls_aead_cipher_hd_t
muster_vault_begin (MusterVault *self)
{
  gnutls_datum_t key = { self->key, MUSTER_VAULT_KEY_BYTES };
  gnutls_aead_cipher_hd_t cipher;
  int result;

  result = gnutls_aead_cipher_init (&cipher, GNUTLS_CIPHER_AES_256_GCM, &key);
  if (result < 0)
    g_error ("GnuTLS has no AES-256-GCM: %s", gnutls_strerror (result));

  return cipher;
}

static GByteArray *
describe_place (guint8 version, const char *account, const char *name)
{
  GByteArray *place = g_byte_array_new ();

  g_byte_array_append (place, &version, 1);
  g_byte_array_append (place, (const guint8 *) LABEL, sizeof LABEL);
  g_byte_array_append (place, (const guint8 *) account, (guint) strlen (account) + 1);
  g_byte_array_append (place, (const guint8 *) name, (guint) strlen (name) + 1);

  return place;
}

/**
 * muster_vault_seal:
 * @self: a #MusterVault
 * @account: the account the value belongs to, "" for the daemon
 * @name: its name there
 * @data: (array length=length): the secret, which the caller wipes
 * @length: its length
 *
 * Returns: (transfer full): the value to keep
 */
GBytes *
muster_vault_seal (MusterVault *self,
                   const char *account,
                   const char *name,
                   const void *data,
                   gsize length)
{
  g_autoptr (GByteArray) place = NULL;
  gnutls_aead_cipher_hd_t cipher;
  gsize sealed_bytes = length + TAG_BYTES;
  guint8 *sealed;
  int result;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (account != NULL && name != NULL, NULL);
  g_return_val_if_fail (data != NULL || length == 0, NULL);

  place = describe_place (LAYOUT_VERSION, account, name);
  sealed = g_malloc (HEAD_BYTES + sealed_bytes);
  sealed[0] = LAYOUT_VERSION;

  result = gnutls_rnd (GNUTLS_RND_RANDOM, sealed + 1, NONCE_BYTES);
  if (result < 0)
    g_error ("cannot make a nonce: %s", gnutls_strerror (result));

  cipher = muster_vault_begin (self);
  result = gnutls_aead_cipher_encrypt (cipher, sealed + 1, NONCE_BYTES, place->data, place->len,
                                       TAG_BYTES, length > 0 ? data : "", length,
                                       sealed + HEAD_BYTES, &sealed_bytes);
  gnutls_aead_cipher_deinit (cipher);
  if (result < 0)
    g_error ("cannot seal: %s", gnutls_strerror (result));
  g_assert (sealed_bytes == length + TAG_BYTES);

  return g_bytes_new_take (sealed, HEAD_BYTES + sealed_bytes);
}

guint
muster_vault_get_stamp (GBytes *sealed)
{
  gsize n_bytes;
  const guint8 *bytes = g_bytes_get_data (sealed, &n_bytes);
  guint32 stamp;

  if (n_bytes < HEAD_BYTES || bytes[0] != LAYOUT_VERSION)
    return 0;
  memcpy (&stamp, bytes + 1, sizeof stamp); /* of the nonce, which is random */
  return MAX (stamp, 1);
}

/**
 * muster_vault_open:
 * @self: a #MusterVault
 * @account: the account the value belongs to
 * @name: its name there
 * @sealed: what muster_vault_seal() gave
 * @error: return location for a #GError
 *
 * Returns: (transfer full): the secret; or %NULL with %MUSTER_ERROR_INVALID if @sealed was not
 *   sealed by this key for this place, or was changed
 */
MusterSecret *
muster_vault_open (MusterVault *self,
                   const char *account,
                   const char *name,
                   GBytes *sealed,
                   GError **error)
{
  g_autoptr (GByteArray) place = NULL;
  MusterSecret *secret = NULL;
  gnutls_aead_cipher_hd_t cipher;
  const guint8 *data;
  guint8 *plain;
  gsize length, plain_bytes;
  int result;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (account != NULL && name != NULL, NULL);
  g_return_val_if_fail (sealed != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  data = g_bytes_get_data (sealed, &length);
  if (length < HEAD_BYTES + TAG_BYTES || data[0] != LAYOUT_VERSION) {
    g_propagate_error (error,
                       muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_SECRET,
                                         "the stored secret \"%s\" is not in a form that this"
                                         " version knows",
                                         name));
    return NULL;
  }

  place = describe_place (data[0], account, name);
  plain_bytes = length - HEAD_BYTES;
  plain = g_malloc (plain_bytes);

  cipher = muster_vault_begin (self);
  result = gnutls_aead_cipher_decrypt (cipher, data + 1, NONCE_BYTES, place->data, place->len,
                                       TAG_BYTES, data + HEAD_BYTES, length - HEAD_BYTES, plain,
                                       &plain_bytes);
  gnutls_aead_cipher_deinit (cipher);

  if (result >= 0)
    secret = muster_secret_new (plain, plain_bytes);
  else
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_SECRET,
                                                "the stored secret \"%s\" was sealed with another"
                                                " key or for another account, or is damaged",
                                                name));
  muster_wipe (plain, length - HEAD_BYTES);
  g_free (plain);

  return secret;
}

/**
 * muster_vault_open_key_file:
 * @path: the key file
 * @create: whether to make it, with a new key, if it is missing
 * @error: return location for a #GError
 *
 * Opens a vault with the key in a file. Blocks. Values sealed under a key that was lost never open
 * again: with such values in the store, @create must be %FALSE.
 *
 * Returns: (transfer full): the vault; or %NULL, with %MUSTER_ERROR_INVALID for a file that is
 *   damaged or that others may read or write, with the %G_FILE_ERROR domain if it cannot be read or
 *   made (%G_FILE_ERROR_NOENT: it is missing)
 */
MusterVault *
muster_vault_open_key_file (const char *path, gboolean create, GError **error)
{
  MusterVault *self = NULL;
  guint8 key[MUSTER_VAULT_KEY_BYTES];

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (muster_key_file_load (path, create, key, error))
    self = muster_vault_new (key);
  muster_wipe (key, sizeof key);

  return self;
}
