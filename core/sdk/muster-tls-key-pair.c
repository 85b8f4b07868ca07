/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTls"

#include "config.h"

#include "muster-tls-key-pair-private.h"

#include <muster/muster-error.h>

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Who we are to a TLS server: two files of the user's, read when an account is configured, so that what
 * is wrong with them is said before anything is sent. The text of the key is wiped when it was taken
 * apart; GnuTLS keeps the key. That is configured at each attempt, of many accounts perhaps: as long as a
 * key pair is in use, files that are still the same are not read again.
 */

#define MAX_FILE_BYTES (64 * 1024)
#define MAX_CHAIN      16
#define ID_BYTES       32
#define KNOWN_MAX      10000 /* a file may have any number of names */

struct _MusterTlsKeyPair {
  guint ref_count;
  char *fingerprint; /* in pairs */
  gnutls_certificate_credentials_t credentials;
};

/* A file as it was when it was read: whatever becomes of it changes one of these. */
typedef struct {
  dev_t device;
  ino_t inode;
  off_t n_bytes;
  struct timespec modified, changed;
} FileState;

typedef struct {
  FileState certificate;
  FileState key;
  MusterTlsKeyPair *pair; /* not owned */
} Known;

static GHashTable *pairs; /* fingerprint -> MusterTlsKeyPair, not owned */
static GHashTable *known; /* both paths, with a line break between them -> Known */

G_DEFINE_BOXED_TYPE (MusterTlsKeyPair,
                     muster_tls_key_pair,
                     muster_tls_key_pair_ref,
                     muster_tls_key_pair_unref)

static gboolean
set_invalid (GError **error, const char *path, const char *what)
{
  g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE, "%s %s",
                                              path, what));
  return FALSE;
}

/* files */

static FileState
file_state_of (const struct stat *info)
{
  return (FileState){
    .device = info->st_dev,
    .inode = info->st_ino,
    .n_bytes = info->st_size,
    .modified = info->st_mtim,
    .changed = info->st_ctim,
  };
}

static gboolean
is_same_time (const struct timespec *a, const struct timespec *b)
{
  return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static gboolean
file_is_still (const char *path, const FileState *was)
{
  struct stat info;
  FileState now;

  if (stat (path, &info) != 0)
    return FALSE;

  now = file_state_of (&info);
  return now.device == was->device && now.inode == was->inode && now.n_bytes == was->n_bytes &&
         is_same_time (&now.modified, &was->modified) && is_same_time (&now.changed, &was->changed);
}

/* Small, and no device or pipe; a key is nobody's but its owner's. */
static gboolean
check_file (int fd, const char *path, gboolean is_key, FileState *state, GError **error)
{
  struct stat info;

  if (fd < 0)
    return set_invalid (error, path, g_strerror (errno));
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode))
    return set_invalid (error, path, "is no file");
  if (info.st_size > MAX_FILE_BYTES)
    return set_invalid (error, path, "is longer than any certificate or key");
  if (is_key && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return set_invalid (error, path,
                        "is a private key that others may read; 'chmod 600' ends that");
  if (is_key && info.st_uid != geteuid ())
    return set_invalid (error, path, "is a private key that belongs to somebody else");

  *state = file_state_of (&info);
  return TRUE;
}

static void
clear_text (gnutls_datum_t *text)
{
  if (text->data != NULL)
    gnutls_memset (text->data, 0, text->size);
  g_clear_pointer (&text->data, g_free);
}

static gboolean
read_file (const char *path,
           gboolean is_key,
           gnutls_datum_t *text,
           FileState *state,
           GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  gboolean is_read = check_file (fd, path, is_key, state, error);

  if (is_read) {
    gsize n_bytes = (gsize) state->n_bytes;

    text->data = g_malloc0 (n_bytes + 1);
    text->size = 0;
    while (text->size < n_bytes) {
      gssize n = read (fd, text->data + text->size, n_bytes - text->size);

      if (n <= 0)
        break;
      text->size += (unsigned) n;
    }
  }
  if (fd >= 0)
    close (fd);

  return is_read;
}

/* what is in them */

static gboolean
read_chain (const char *path,
            gnutls_x509_crt_t *chain,
            unsigned *n_chain,
            char **fingerprint,
            FileState *state,
            GError **error)
{
  gnutls_datum_t text = { NULL, 0 };
  int result;

  if (!read_file (path, FALSE, &text, state, error))
    return FALSE;

  *n_chain = MAX_CHAIN;
  result = gnutls_x509_crt_list_import (chain, n_chain, &text, GNUTLS_X509_FMT_PEM,
                                        GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED |
                                          GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
  *fingerprint = g_compute_checksum_for_data (G_CHECKSUM_SHA256, text.data, text.size);
  clear_text (&text);
  if (result > 0)
    return TRUE;

  *n_chain = 0;
  g_clear_pointer (fingerprint, g_free);
  if (result == GNUTLS_E_CERTIFICATE_LIST_UNSORTED)
    return set_invalid (error, path, "has certificates that do not follow one from another");
  if (result == GNUTLS_E_SHORT_MEMORY_BUFFER)
    return set_invalid (error, path, "has more certificates than any chain");
  return set_invalid (error, path, "holds no certificate in PEM form");
}

static gboolean
read_key (const char *path, gnutls_x509_privkey_t key, FileState *state, GError **error)
{
  gnutls_datum_t text = { NULL, 0 };
  int result;

  if (!read_file (path, TRUE, &text, state, error))
    return FALSE;

  result = gnutls_x509_privkey_import2 (key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
  clear_text (&text);
  if (result == 0)
    return TRUE;

  if (result == GNUTLS_E_DECRYPTION_FAILED)
    return set_invalid (error, path, "is a private key under a password, which is not supported");
  return set_invalid (error, path, "holds no private key in PEM form");
}

static gboolean
are_of_one_kind (gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
  guint8 ids[2][ID_BYTES];
  gsize n_bytes[2] = { ID_BYTES, ID_BYTES };

  return gnutls_x509_crt_get_key_id (certificate, GNUTLS_KEYID_USE_SHA256, ids[0], &n_bytes[0]) ==
           0 &&
         gnutls_x509_privkey_get_key_id (key, GNUTLS_KEYID_USE_SHA256, ids[1], &n_bytes[1]) == 0 &&
         n_bytes[0] == n_bytes[1] && memcmp (ids[0], ids[1], n_bytes[0]) == 0;
}

/* Takes @fingerprint. */
static MusterTlsKeyPair *
share (char *fingerprint, gnutls_x509_crt_t *chain, unsigned n_chain, gnutls_x509_privkey_t key)
{
  g_autofree char *owned = fingerprint;
  MusterTlsKeyPair *self;

  if (pairs == NULL)
    pairs = g_hash_table_new (g_str_hash, g_str_equal);
  if ((self = g_hash_table_lookup (pairs, fingerprint)) != NULL)
    return muster_tls_key_pair_ref (self);

  self = g_new0 (MusterTlsKeyPair, 1);
  self->ref_count = 1;
  self->fingerprint = g_steal_pointer (&owned);
  gnutls_certificate_allocate_credentials (&self->credentials);
  if (gnutls_certificate_set_x509_key (self->credentials, chain, (int) n_chain, key) < 0)
    g_error ("cannot keep a key that fits its certificate");
  g_hash_table_insert (pairs, self->fingerprint, self);

  return self;
}

/* what was read before */

static char *
dup_paths (const char *certificate, const char *key)
{
  return g_strconcat (certificate, "\n", key, NULL);
}

/* Returns: (transfer full) (nullable) */
static MusterTlsKeyPair *
find_known (const char *certificate, const char *key)
{
  g_autofree char *paths = dup_paths (certificate, key);
  const Known *found = known != NULL ? g_hash_table_lookup (known, paths) : NULL;

  if (found == NULL || !file_is_still (certificate, &found->certificate) ||
      !file_is_still (key, &found->key))
    return NULL;

  return muster_tls_key_pair_ref (found->pair);
}

static void
remember (const char *certificate, const char *key, const Known *read)
{
  if (known == NULL)
    known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (g_hash_table_size (known) < KNOWN_MAX)
    g_hash_table_replace (known, dup_paths (certificate, key), g_memdup2 (read, sizeof *read));
}

static gboolean
is_known_as (gpointer paths, gpointer value, gpointer pair)
{
  return ((const Known *) value)->pair == pair;
}

/**
 * muster_tls_key_pair_new:
 * @certificate: the path of a PEM file of at most 64 kB with the certificate, and behind it those that
 *   lead to an authority of the server's, if any
 * @key: the path of a PEM file of at most 64 kB with its private key, not under a password; only its
 *   owner, who we are, may have any right to it
 * @error: where to put the error: %MUSTER_ERROR_INVALID, step %MUSTER_STEP_CONFIGURE; it names the
 *   file
 *
 * Both are read here and now, unless they are those of a key pair that somebody has still.
 *
 * Returns: (transfer full): the key pair, which others with the same certificates share; %NULL on error
 */
MusterTlsKeyPair *
muster_tls_key_pair_new (const char *certificate, const char *key, GError **error)
{
  gnutls_x509_crt_t chain[MAX_CHAIN];
  unsigned n_chain = 0;
  gnutls_x509_privkey_t private_key;
  g_autofree char *fingerprint = NULL;
  Known read = { 0 };
  MusterTlsKeyPair *self;

  g_return_val_if_fail (certificate != NULL && key != NULL, NULL);

  self = find_known (certificate, key);
  if (self != NULL)
    return self;

  gnutls_x509_privkey_init (&private_key);
  if (read_chain (certificate, chain, &n_chain, &fingerprint, &read.certificate, error) &&
      read_key (key, private_key, &read.key, error)) {
    if (are_of_one_kind (chain[0], private_key))
      self = share (g_steal_pointer (&fingerprint), chain, n_chain, private_key);
    else
      g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                                  "%s is not the private key of the certificate %s",
                                                  key, certificate));
  }
  for (unsigned i = 0; i < n_chain; i++)
    gnutls_x509_crt_deinit (chain[i]);
  gnutls_x509_privkey_deinit (private_key);
  if (self != NULL) {
    read.pair = self;
    remember (certificate, key, &read);
  }

  return self;
}

/**
 * muster_tls_key_pair_ref:
 * @self: a key pair
 *
 * Returns: (transfer full): @self
 */
MusterTlsKeyPair *
muster_tls_key_pair_ref (MusterTlsKeyPair *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  self->ref_count++;
  return self;
}

/**
 * muster_tls_key_pair_unref:
 * @self: (transfer full): a key pair
 *
 * Drops a reference.
 */
void
muster_tls_key_pair_unref (MusterTlsKeyPair *self)
{
  g_return_if_fail (self != NULL);

  if (--self->ref_count > 0)
    return;

  g_hash_table_foreach_remove (known, is_known_as, self);
  g_hash_table_remove (pairs, self->fingerprint);
  gnutls_certificate_free_credentials (self->credentials);
  g_free (self->fingerprint);
  g_free (self);
}

/**
 * muster_tls_key_pair_get_fingerprint:
 * @self: a key pair
 *
 * Returns: the SHA-256 of the certificates' file, in hexadecimal: what tells one key pair from another
 */
const char *
muster_tls_key_pair_get_fingerprint (const MusterTlsKeyPair *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->fingerprint;
}

gnutls_certificate_credentials_t
muster_tls_key_pair_get_credentials (MusterTlsKeyPair *self)
{
  return self->credentials;
}
