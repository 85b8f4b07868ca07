/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterVault"

#include "config.h"

#include "muster-key-file.h"

#include "muster-vault.h"

#include <muster/muster-error.h>
#include <muster/muster-secret.h>

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The file that holds the vault's key where there is no keyring: base64 and a newline, for its owner
 * only. A key that is lost takes every secret with it, so nothing here ever writes over one.
 */

G_STATIC_ASSERT ((MUSTER_VAULT_KEY_BYTES + 2) / 3 * 4 == MUSTER_KEY_TEXT_BYTES);

static gboolean
refuse (const char *path, const char *why, GError **error)
{
  g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_SECRET,
                                              "the key file %s %s", path, why));

  return FALSE;
}

static gboolean
fail (const char *what, const char *path, int saved_errno, GError **error)
{
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved_errno), "cannot %s %s: %s", what,
               path, g_strerror (saved_errno));

  return FALSE;
}

/* reading */

static gboolean
check_status (const char *path, const struct stat *status, GError **error)
{
  if (!S_ISREG (status->st_mode))
    return refuse (path, "is not a regular file", error);
  if (status->st_uid != geteuid ())
    return refuse (path, "belongs to another user", error);
  if ((status->st_mode & 077) != 0)
    return refuse (path, "may be read or written by others; its mode must be 0600", error);

  return TRUE;
}

/* Only what muster_key_encode() writes: g_base64_decode_step() alone skips over anything it does not
 * know. */
gboolean
muster_key_decode (const char *text, gsize length, guint8 *key)
{
  guint8 decoded[MUSTER_KEY_TEXT_BYTES];
  int state = 0;
  guint save = 0;
  gboolean ok;

  if (length == MUSTER_KEY_TEXT_BYTES + 1 && text[MUSTER_KEY_TEXT_BYTES] == '\n')
    length--;

  ok = length == MUSTER_KEY_TEXT_BYTES && text[MUSTER_KEY_TEXT_BYTES - 1] == '=';
  for (gsize i = 0; ok && i < MUSTER_KEY_TEXT_BYTES - 1; i++)
    ok = g_ascii_isalnum (text[i]) || text[i] == '+' || text[i] == '/';
  ok = ok && g_base64_decode_step (text, length, decoded, &state, &save) == MUSTER_VAULT_KEY_BYTES;

  if (ok)
    memcpy (key, decoded, MUSTER_VAULT_KEY_BYTES);
  muster_wipe (decoded, sizeof decoded);
  muster_wipe (&save, sizeof save);

  return ok;
}

static gboolean
read_key (const char *path, int fd, guint8 *key, GError **error)
{
  char text[MUSTER_KEY_TEXT_BYTES + 2]; /* one more than the longest good one */
  gsize length = 0;
  gssize n_read;
  int saved_errno;
  gboolean ok;

  do {
    n_read = read (fd, text + length, sizeof text - length);
    saved_errno = errno;
    if (n_read > 0)
      length += (gsize) n_read;
  } while ((n_read > 0 && length < sizeof text) || (n_read < 0 && saved_errno == EINTR));

  if (n_read < 0)
    ok = fail ("read", path, saved_errno, error);
  else if (!muster_key_decode (text, length, key))
    ok = refuse (path, "is damaged: it does not hold a key", error);
  else
    ok = TRUE;
  muster_wipe (text, sizeof text);

  return ok;
}

/* writing */

void
muster_key_encode (const guint8 *key, char *text)
{
  int state = 0, save = 0;
  gsize length;

  length = g_base64_encode_step (key, MUSTER_VAULT_KEY_BYTES, FALSE, text, &state, &save);
  length += g_base64_encode_close (FALSE, text + length, &state, &save);
  g_assert (length == MUSTER_KEY_TEXT_BYTES);
}

static gboolean
write_all (int fd, const char *data, gsize length)
{
  gssize n_written;

  while (length > 0) {
    n_written = write (fd, data, length);
    if (n_written < 0 && errno == EINTR)
      continue;
    if (n_written < 0)
      return FALSE;
    data += n_written;
    length -= (gsize) n_written;
  }

  return TRUE;
}

/* Never over a file that came meanwhile: that fails with EEXIST. */
static gboolean
rename_new (const char *from, const char *to)
{
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return TRUE;

  /* a file system without the flag */
  if (errno != EINVAL && errno != ENOSYS)
    return FALSE;

  return link (from, to) == 0 && unlink (from) == 0;
}

static gboolean
sync_folder (const char *folder)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = fd >= 0 && fsync (fd) == 0;
  int saved_errno = errno;

  if (fd >= 0)
    close (fd);
  errno = saved_errno;

  return ok;
}

static gboolean
write_key (const char *path, const guint8 *key, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *new_path = g_strconcat (path, ".XXXXXX", NULL);
  char text[MUSTER_KEY_TEXT_BYTES + 1];
  gboolean ok;
  int fd, saved_errno = 0;

  if (g_mkdir_with_parents (folder, 0700) < 0)
    return fail ("make the folder", folder, errno, error);

  fd = g_mkstemp_full (new_path, O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail ("write", new_path, errno, error);

  muster_key_encode (key, text);
  text[MUSTER_KEY_TEXT_BYTES] = '\n';
  ok = write_all (fd, text, sizeof text) && fsync (fd) == 0 && rename_new (new_path, path) &&
       sync_folder (folder);
  saved_errno = errno;
  muster_wipe (text, sizeof text);
  close (fd);

  if (!ok) {
    g_unlink (new_path);
    return fail ("write the key file", path, saved_errno, error);
  }

  return TRUE;
}

gboolean
muster_key_make (guint8 *key, GError **error)
{
  int result = gnutls_rnd (GNUTLS_RND_KEY, key, MUSTER_VAULT_KEY_BYTES);

  if (result < 0) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot make a key: %s",
                 gnutls_strerror (result));
    return FALSE;
  }

  return TRUE;
}

gboolean
muster_key_file_load (const char *path, gboolean create, guint8 *key, GError **error)
{
  struct stat status;
  gboolean ok;
  int fd, saved_errno;

  /* not through a link, and not waiting on a pipe */
  fd = open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  saved_errno = errno;
  if (fd < 0) {
    if (saved_errno == ENOENT && create)
      return muster_key_make (key, error) && write_key (path, key, error);
    if (saved_errno == ELOOP)
      return refuse (path, "is a symbolic link", error);
    return fail ("open the key file", path, saved_errno, error);
  }

  if (fstat (fd, &status) < 0)
    ok = fail ("examine", path, errno, error);
  else
    ok = check_status (path, &status, error) && read_key (path, fd, key, error);
  close (fd);

  return ok;
}

gboolean
muster_key_file_load_credential (const char *path, guint8 *key, GError **error)
{
  char text[MUSTER_KEY_TEXT_BYTES + 2];
  struct stat status;
  gssize length = -1;
  gboolean ok;
  int fd, saved_errno;

  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return fail ("open the credential", path, errno, error);

  ok = fstat (fd, &status) == 0 && S_ISREG (status.st_mode) &&
       (status.st_uid == geteuid () || status.st_uid == 0) &&
       (status.st_mode & (S_IWGRP | S_IROTH | S_IWOTH)) == 0;
  if (ok)
    length = read (fd, text, sizeof text); /* of a regular file: all of it */
  saved_errno = errno;
  close (fd);

  if (!ok)
    return refuse (path, "is not a file of this user's or root's that others cannot read", error);
  if (length < 0)
    return fail ("read", path, saved_errno, error);

  if (length == MUSTER_VAULT_KEY_BYTES)
    memcpy (key, text, MUSTER_VAULT_KEY_BYTES);
  else if (!muster_key_decode (text, (gsize) length, key))
    ok = refuse (path, "does not hold a key: 32 bytes, or their base64", error);
  muster_wipe (text, sizeof text);

  return ok;
}
