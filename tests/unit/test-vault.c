/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "secrets/muster-vault.h"

#include <muster/muster-error.h>

#include <glib/gstdio.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  MusterVault *vault;
  char *folder;
  char *path; /* of a key file that is not there yet */
} Fixture;

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  guint8 key[MUSTER_VAULT_KEY_BYTES];

  memset (key, 0x5a, sizeof key);
  fixture->vault = muster_vault_new (key);
  fixture->folder = g_dir_make_tmp ("muster-test-vault-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
  fixture->path = g_build_filename (fixture->folder, "sub", "key", NULL);
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
      remove_folder (path);
    else
      g_unlink (path);
  }
  g_rmdir (folder);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  muster_vault_free (fixture->vault);
  remove_folder (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->path);
}

static GBytes *
seal (MusterVault *vault, const char *text)
{
  return muster_vault_seal (vault, "a1", "password", text, strlen (text));
}

static void
assert_opens (MusterVault *vault, GBytes *sealed, const char *expected)
{
  g_autoptr (MusterSecret) secret = NULL;
  g_autoptr (GError) error = NULL;
  const char *data;
  gsize length;

  secret = muster_vault_open (vault, "a1", "password", sealed, &error);
  g_assert_no_error (error);
  data = muster_secret_peek (secret, &length);
  g_assert_cmpmem (data, length, expected, strlen (expected));
}

static void
assert_refused (MusterVault *vault, const char *account, const char *name, GBytes *sealed)
{
  g_autoptr (MusterSecret) secret = NULL;
  g_autoptr (GError) error = NULL;

  secret = muster_vault_open (vault, account, name, sealed, &error);
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  g_assert_cmpint (muster_error_get_step (error), ==, MUSTER_STEP_SECRET);
  g_assert_null (secret);
}

/* sealing */

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) sealed = seal (fixture->vault, "open sesame");
  g_autoptr (GBytes) empty = seal (fixture->vault, "");

  assert_opens (fixture->vault, sealed, "open sesame");
  assert_opens (fixture->vault, empty, "");
  g_assert_null (memmem (g_bytes_get_data (sealed, NULL), g_bytes_get_size (sealed), "sesame", 6));
}

/* Sealing the same twice must not show that it is the same. */
static void
test_nonce_is_fresh (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
                                                       (GDestroyNotify) g_bytes_unref, NULL);

  for (guint i = 0; i < 1000; i++) {
    g_autoptr (GBytes) sealed = seal (fixture->vault, "same");

    g_assert_true (g_hash_table_add (seen, g_bytes_new_from_bytes (sealed, 1, 12)));
  }
}

/* What is sealed anew, and be it the same, can be told by its beginning. */
static void
test_stamp (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) first = seal (fixture->vault, "same");
  g_autoptr (GBytes) second = seal (fixture->vault, "same");
  g_autoptr (GBytes) head = g_bytes_new_from_bytes (first, 0, 16);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (first, 0, 12);
  g_autoptr (GBytes) other = g_bytes_new_static ("no sealed value at all", 22);

  g_assert_cmpuint (muster_vault_get_stamp (first), !=, 0);
  g_assert_cmpuint (muster_vault_get_stamp (first), ==, muster_vault_get_stamp (head));
  g_assert_cmpuint (muster_vault_get_stamp (first), !=, muster_vault_get_stamp (second));
  g_assert_cmpuint (muster_vault_get_stamp (cut), ==, 0);
  g_assert_cmpuint (muster_vault_get_stamp (other), ==, 0);
}

static void
test_moved_is_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) sealed = seal (fixture->vault, "x");
  g_autoptr (GBytes) other = muster_vault_seal (fixture->vault, "a", "1password", "x", 1);

  assert_refused (fixture->vault, "a2", "password", sealed);
  assert_refused (fixture->vault, "a1", "token", sealed);
  assert_refused (fixture->vault, "", "a1password", sealed);
  /* the end of the account is not the start of the name */
  assert_refused (fixture->vault, "a1", "password", other);
  assert_refused (fixture->vault, "a1p", "assword", sealed);
}

static void
test_every_flipped_bit_is_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) sealed = seal (fixture->vault, "secret");
  gsize length;
  const guint8 *bytes = g_bytes_get_data (sealed, &length);

  for (gsize bit = 0; bit < length * 8; bit++) {
    guint8 *copy = g_memdup2 (bytes, length);
    g_autoptr (GBytes) flipped = NULL;

    copy[bit / 8] ^= (guint8) (1 << bit % 8);
    flipped = g_bytes_new_take (copy, length);
    assert_refused (fixture->vault, "a1", "password", flipped);
  }
}

static void
test_every_truncation_is_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) sealed = seal (fixture->vault, "secret");

  for (gsize length = 0; length < g_bytes_get_size (sealed); length++) {
    g_autoptr (GBytes) cut = g_bytes_new_from_bytes (sealed, 0, length);

    assert_refused (fixture->vault, "a1", "password", cut);
  }
}

static void
test_other_key_is_refused (Fixture *fixture, gconstpointer data)
{
  guint8 key[MUSTER_VAULT_KEY_BYTES] = { 0 };
  g_autoptr (MusterVault) other = muster_vault_new (key);
  g_autoptr (GBytes) sealed = seal (other, "x");

  assert_refused (fixture->vault, "a1", "password", sealed);
  assert_opens (other, sealed, "x");
}

/* What was sealed by earlier versions must open for ever. This value was made by another
 * implementation of AES-GCM. */
static void
test_layout_is_kept (Fixture *fixture, gconstpointer data)
{
  static const guint8 kept[] = { 0x01, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
                                 0x0a, 0x0b, 0x26, 0xc4, 0x5d, 0x11, 0x6b, 0x10, 0x78, 0x68, 0x61,
                                 0x42, 0xa9, 0x20, 0x8e, 0xde, 0xbc, 0x86, 0x27, 0x1c, 0x88, 0xed };
  g_autoptr (GBytes) sealed = g_bytes_new_static (kept, sizeof kept);

  assert_opens (fixture->vault, sealed, "kept");
}

static char *
smaps_flags_of (gconstpointer address)
{
  g_autofree char *smaps = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean inside = FALSE;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &smaps, NULL, NULL));
  lines = g_strsplit (smaps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    unsigned long from, to;

    if (sscanf (lines[i], "%lx-%lx ", &from, &to) == 2)
      inside = from <= (gulong) address && (gulong) address < to;
    else if (inside && g_str_has_prefix (lines[i], "VmFlags:"))
      return g_strdup (lines[i]);
  }

  return NULL;
}

static void
test_key_stays_out_of_dumps (Fixture *fixture, gconstpointer data)
{
  gconstpointer key = *(gpointer *) fixture->vault; /* its first field */
  g_autofree char *flags = smaps_flags_of (key);

  g_assert_nonnull (flags);
  g_assert_nonnull (strstr (flags, " dd")); /* do not dump */
  g_assert_nonnull (strstr (flags, " wf")); /* wipe on fork */
#ifndef __SANITIZE_ADDRESS__                /* which makes mlock() do nothing */
  if (geteuid () == 0)
    g_assert_nonnull (strstr (flags, " lo")); /* locked; others may have a limit of 0 */
#endif
}

/* the key file */

static void
test_key_file_is_made_and_read (Fixture *fixture, gconstpointer data)
{
  g_autoptr (MusterVault) first = NULL;
  g_autoptr (MusterVault) second = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) sealed = NULL;
  g_autofree char *folder = g_path_get_dirname (fixture->path);
  g_autofree char *text = NULL;
  g_autoptr (GDir) dir = NULL;
  struct stat status;
  gsize length;

  first = muster_vault_open_key_file (fixture->path, TRUE, &error);
  g_assert_no_error (error);
  sealed = seal (first, "x");

  second = muster_vault_open_key_file (fixture->path, FALSE, &error);
  g_assert_no_error (error);
  assert_opens (second, sealed, "x");

  g_assert_cmpint (g_stat (fixture->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);
  g_assert_true (g_file_get_contents (fixture->path, &text, &length, NULL));
  g_assert_cmpuint (length, ==, 45);
  g_assert_cmpint (g_stat (folder, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0700);

  /* and nothing else was left there */
  dir = g_dir_open (folder, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "key");
  g_assert_null (g_dir_read_name (dir));
}

static void
test_key_files_differ (Fixture *fixture, gconstpointer data)
{
  g_autofree char *other_path = g_strconcat (fixture->path, "2", NULL);
  g_autoptr (MusterVault) first = muster_vault_open_key_file (fixture->path, TRUE, NULL);
  g_autoptr (MusterVault) second = muster_vault_open_key_file (other_path, TRUE, NULL);
  g_autoptr (GBytes) sealed = seal (first, "x");

  assert_refused (second, "a1", "password", sealed);
}

static void
test_missing_key_file (Fixture *fixture, gconstpointer data)
{
  g_autoptr (MusterVault) vault = NULL;
  g_autoptr (GError) error = NULL;

  vault = muster_vault_open_key_file (fixture->path, FALSE, &error);
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_null (vault);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
}

static void
write_key_file (Fixture *fixture, const char *text, gssize length, int mode)
{
  g_autofree char *folder = g_path_get_dirname (fixture->path);

  g_mkdir_with_parents (folder, 0700);
  g_assert_true (g_file_set_contents (fixture->path, text, length, NULL));
  g_assert_cmpint (g_chmod (fixture->path, mode), ==, 0);
}

/* Also with @create: a file that is there is never written over. */
static void
assert_key_file_refused (Fixture *fixture, const char *saying)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gsize before_length = 0, after_length = 0;

  g_file_get_contents (fixture->path, &before, &before_length, NULL);

  for (gboolean create = FALSE; create <= TRUE; create++) {
    g_autoptr (MusterVault) vault = NULL;
    g_autoptr (GError) error = NULL;

    vault = muster_vault_open_key_file (fixture->path, create, &error);
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, saying));
    g_assert_null (vault);
  }

  g_file_get_contents (fixture->path, &after, &after_length, NULL);
  g_assert_cmpmem (before, before_length, after, after_length);
}

#define GOOD_KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void
test_key_file_modes (Fixture *fixture, gconstpointer data)
{
  static const int wrong[] = { 0640, 0620, 0610, 0604, 0602, 0601, 0666 };
  g_autoptr (MusterVault) vault = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    write_key_file (fixture, GOOD_KEY, -1, wrong[i]);
    assert_key_file_refused (fixture, "may be read or written by others");
  }

  write_key_file (fixture, GOOD_KEY, -1, 0400);
  vault = muster_vault_open_key_file (fixture->path, FALSE, &error);
  g_assert_no_error (error);
}

static void
test_key_file_garbage (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text;
    gssize length;
  } garbage[] = {
    { "", -1 },
    { "\n", -1 },
    { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", -1 },      /* cut */
    { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", -1 },     /* 31 bytes */
    { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", -1 },     /* 33 bytes */
    { " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", -1 },    /* space */
    { "AAECAwQFBgcICQoLDA0O xAREhMUFRYXGBkaGxwdHh8=", -1 },     /* space inside */
    { "AAECAwQFBgcICQoLDA0O\0xAREhMUFRYXGBkaGxwdHh8=", 44 },    /* NUL inside */
    { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n", -1 }, /* a line more */
    { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nmore text", -1 },
    { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (garbage); i++) {
    write_key_file (fixture, garbage[i].text, garbage[i].length, 0600);
    assert_key_file_refused (fixture, "is damaged");
  }
}

static void
test_key_file_odd_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *target = g_strconcat (fixture->folder, "/elsewhere", NULL);

  write_key_file (fixture, GOOD_KEY, -1, 0600);
  g_assert_cmpint (g_rename (fixture->path, target), ==, 0);
  g_assert_cmpint (symlink (target, fixture->path), ==, 0);
  assert_key_file_refused (fixture, "symbolic link");

  g_unlink (fixture->path);
  g_assert_cmpint (mkfifo (fixture->path, 0600), ==, 0);
  {
    g_autoptr (MusterVault) vault = NULL;
    g_autoptr (GError) error = NULL;

    vault = muster_vault_open_key_file (fixture->path, TRUE, &error); /* must not wait on it */
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test)                                                                            \
  g_test_add ("/vault/" path, Fixture, NULL, fixture_set_up, test, fixture_tear_down)

  ADD ("round-trip", test_round_trip);
  ADD ("nonce-is-fresh", test_nonce_is_fresh);
  ADD ("stamp", test_stamp);
  ADD ("moved-is-refused", test_moved_is_refused);
  ADD ("every-flipped-bit-is-refused", test_every_flipped_bit_is_refused);
  ADD ("every-truncation-is-refused", test_every_truncation_is_refused);
  ADD ("other-key-is-refused", test_other_key_is_refused);
  ADD ("layout-is-kept", test_layout_is_kept);
  ADD ("key-stays-out-of-dumps", test_key_stays_out_of_dumps);
  ADD ("key-file/is-made-and-read", test_key_file_is_made_and_read);
  ADD ("key-file/differ", test_key_files_differ);
  ADD ("key-file/missing", test_missing_key_file);
  ADD ("key-file/modes", test_key_file_modes);
  ADD ("key-file/garbage", test_key_file_garbage);
  ADD ("key-file/odd-files", test_key_file_odd_files);

  return g_test_run ();
}
