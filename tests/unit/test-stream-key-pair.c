/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "stream-client-fixture.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* Who we are to a TLS server: what is wrong with the files, who sees the certificate, and what servers say. */

static TlsIdentity *ours;     /* for clients, signed by root */
static TlsIdentity *somebody; /* for clients, signed by itself */
static char *folder;

static char *
write_file (const char *name, const char *text, int mode)
{
  char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, mode, NULL));
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
  return path;
}

static MusterTlsKeyPair *
key_pair_of (const TlsIdentity *identity)
{
  g_autofree char *certificate_pem = tls_identity_dup_pem (identity);
  g_autofree char *key_pem = tls_identity_dup_key_pem (identity);
  g_autofree char *certificate = write_file ("certificate", certificate_pem, 0644);
  g_autofree char *key = write_file ("key", key_pem, 0600);
  g_autoptr (GError) error = NULL;
  MusterTlsKeyPair *pair = muster_tls_key_pair_new (certificate, key, &error);

  g_assert_no_error (error);
  return pair;
}

/* files */

static char *
dup_encrypted (const TlsIdentity *identity)
{
  gnutls_datum_t data = { 0 };
  char *pem;

  g_assert_cmpint (gnutls_x509_privkey_export2_pkcs8 (identity->key, GNUTLS_X509_FMT_PEM, "secret",
                                                      GNUTLS_PKCS_PBES2_AES_256, &data),
                   ==, 0);
  pem = g_strndup ((const char *) data.data, data.size);
  gnutls_free (data.data);
  return pem;
}

#define assert_refused(certificate, key, names, words)                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) why = NULL;                                                                 \
    g_assert_null (muster_tls_key_pair_new (certificate, key, &why));                              \
    g_assert_error (why, MUSTER_ERROR, MUSTER_ERROR_INVALID);                                      \
    g_assert_cmpint (muster_error_get_step (why), ==, MUSTER_STEP_CONFIGURE);                      \
    if (strstr (why->message, names) == NULL || strstr (why->message, words) == NULL)              \
      g_error ("\"%s\" does not say \"%s\" of %s", why->message, words, names);                    \
  }                                                                                                \
  G_STMT_END

static void
test_files (void)
{
  g_autofree char *certificate_pem = tls_identity_dup_pem (ours);
  g_autofree char *key_pem = tls_identity_dup_key_pem (ours);
  g_autofree char *other_pem = tls_identity_dup_key_pem (somebody);
  g_autofree char *encrypted_pem = dup_encrypted (ours);
  g_autofree char *large_text = g_strnfill (70 * 1024, 'x');
  g_autofree char *certificate = write_file ("ours.pem", certificate_pem, 0644);
  g_autofree char *key = write_file ("ours.key", key_pem, 0600);
  g_autofree char *open_key = write_file ("open.key", key_pem, 0640);
  g_autofree char *other_key = write_file ("other.key", other_pem, 0600);
  g_autofree char *encrypted = write_file ("encrypted.key", encrypted_pem, 0600);
  g_autofree char *empty = write_file ("empty", "", 0600);
  g_autofree char *large = write_file ("large", large_text, 0600);
  g_autofree char *missing = g_build_filename (folder, "missing", NULL);
  g_autoptr (MusterTlsKeyPair) pair = muster_tls_key_pair_new (certificate, key, NULL);
  g_autoptr (MusterTlsKeyPair) again = muster_tls_key_pair_new (certificate, key, NULL);
  g_autoptr (MusterTlsKeyPair) another = key_pair_of (somebody);

  g_assert_nonnull (pair);
  g_assert_true (pair == again);
  g_assert_cmpstr (muster_tls_key_pair_get_fingerprint (pair), !=,
                   muster_tls_key_pair_get_fingerprint (another));

  assert_refused (missing, key, missing, "No such file");
  assert_refused (certificate, missing, missing, "No such file");
  assert_refused (folder, key, folder, "is no file");
  assert_refused ("/dev/zero", key, "/dev/zero", "is no file");
  assert_refused (empty, key, empty, "holds no certificate");
  assert_refused (key, key, key, "holds no certificate");
  assert_refused (certificate, empty, empty, "holds no private key");
  assert_refused (certificate, large, large, "is longer than");
  assert_refused (certificate, encrypted, encrypted, "under a password");
  assert_refused (certificate, open_key, open_key, "others may read");
  assert_refused (certificate, other_key, other_key, "is not the private key of the certificate");
}

static guint
count_opened (int notify)
{
  char events[4096] __attribute__ ((aligned (__alignof__(struct inotify_event))));
  gssize n = read (notify, events, sizeof events);

  return n > 0 ? (guint) n / sizeof (struct inotify_event) : 0; /* of files: they have no name */
}

/* Accounts are configured at each attempt: files that are as they were are not read again. */
static void
test_same_files (void)
{
  g_autofree char *certificate_pem = tls_identity_dup_pem (ours);
  g_autofree char *key_pem = tls_identity_dup_key_pem (ours);
  g_autofree char *spoiled = g_strdup (certificate_pem);
  g_autofree char *certificate = write_file ("same.pem", certificate_pem, 0644);
  g_autofree char *key = write_file ("same.key", key_pem, 0600);
  MusterTlsKeyPair *pair = muster_tls_key_pair_new (certificate, key, NULL);
  MusterTlsKeyPair *again;
  struct stat before;
  int notify = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  int fd;

  g_assert_cmpint (inotify_add_watch (notify, certificate, IN_OPEN), >=, 0);
  g_assert_cmpint (inotify_add_watch (notify, key, IN_OPEN), >=, 0);
  again = muster_tls_key_pair_new (certificate, key, NULL);
  g_assert_true (again == pair);
  g_assert_cmpuint (count_opened (notify), ==, 0);

  /* Nobody has it any more. */
  muster_tls_key_pair_unref (again);
  muster_tls_key_pair_unref (pair);
  pair = muster_tls_key_pair_new (certificate, key, NULL);
  g_assert_cmpuint (count_opened (notify), ==, 2);

  /* Another right to it is seen, and other content, whatever its size and time. */
  g_assert_cmpint (g_chmod (key, 0644), ==, 0);
  assert_refused (certificate, key, key, "others may read");
  g_assert_cmpint (g_chmod (key, 0600), ==, 0);
  g_assert_cmpint (stat (certificate, &before), ==, 0);
  spoiled[strlen (spoiled) / 2] = '!';
  fd = g_open (certificate, O_WRONLY, 0);
  g_assert_cmpint (write (fd, spoiled, strlen (spoiled)), ==, strlen (spoiled));
  g_assert_cmpint (futimens (fd, (struct timespec[]){ before.st_atim, before.st_mtim }), ==, 0);
  close (fd);
  assert_refused (certificate, key, certificate, "holds no certificate");
  g_assert_cmpint (g_unlink (key), ==, 0);
  assert_refused (certificate, key, certificate, "");

  close (notify);
  muster_tls_key_pair_unref (pair);
}

/* A pipe that nobody writes to holds nobody up. */
static void
test_a_pipe (void)
{
  g_autofree char *key_pem = tls_identity_dup_key_pem (ours);
  g_autofree char *key = write_file ("piped.key", key_pem, 0600);
  g_autofree char *pipe_path = g_build_filename (folder, "pipe", NULL);

  g_assert_cmpint (mkfifo (pipe_path, 0600), ==, 0);
  assert_refused (pipe_path, key, pipe_path, "is no file");
}

/* servers */

static void
test_shown (gconstpointer data)
{
  Server server = { .part = PART_ECHO, .identity = good, .asks_for = root, .priority = data };
  Client client = { .greeting = "x" };
  g_autoptr (MusterTlsKeyPair) pair = key_pair_of (ours);

  server_start (&server);
  client_init (&client);
  muster_stream_set_key_pair (client.stream, pair);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.in->len == 1);
  client_clear (&client);
  server_join (&server);
  g_assert_cmpuint (server.n_client_certificates, ==, 1);
  server_clear (&server);
}

static void
test_not_asked_for (void)
{
  Server server = { .part = PART_ECHO, .identity = good };
  Client client = { .greeting = "x" };
  g_autoptr (MusterTlsKeyPair) pair = key_pair_of (ours);

  server_start (&server);
  client_init (&client);
  muster_stream_set_key_pair (client.stream, pair);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.in->len == 1);
  client_clear (&client);
  server_join (&server);
  g_assert_cmpuint (server.n_client_certificates, ==, 0);
  server_clear (&server);
}

/* A server that we do not trust does not learn who we are. */
static void
test_not_shown (gconstpointer data)
{
  Server server = { .part = PART_ECHO, .identity = stranger, .asks_for = root, .priority = data };
  Client client = { .greeting = "x" };
  g_autoptr (MusterTlsKeyPair) pair = key_pair_of (ours);

  server_start (&server);
  client_init (&client);
  muster_stream_set_key_pair (client.stream, pair);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.n_closed == 1);
  assert_failed (&client, MUSTER_ERROR_UNTRUSTED, MUSTER_STEP_TLS);
  g_assert_nonnull (muster_error_get_certificate (client.error));
  client_clear (&client);
  server_join (&server);
  g_assert_false (server.is_shaken);
  g_assert_cmpuint (server.n_client_certificates, ==, 0);
  server_clear (&server);
}

static void
test_not_accepted (void)
{
  Server server = { .part = PART_ECHO, .identity = good, .asks_for = root };
  Client client = { .greeting = NULL }; /* what the server did not read would cut its word off */
  g_autoptr (MusterTlsKeyPair) pair = key_pair_of (somebody);

  server_start (&server);
  client_init (&client);
  muster_stream_set_key_pair (client.stream, pair);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.n_closed == 1);
  g_assert_error (client.error, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN);
  g_assert_nonnull (strstr (client.error->message, "does not accept our certificate"));
  client_clear (&client);
  server_clear (&server);
}

static void
test_none_to_show (void)
{
  Server server = { .part = PART_ECHO, .identity = good, .asks_for = root };
  Client client = { .greeting = NULL }; /* as above */

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.n_closed == 1);
  g_assert_error (client.error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
  client_clear (&client);
  server_clear (&server);
}

static void
remove_folder (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (SECOND_US, g_get_real_time ());
  make_identities ();
  ours = tls_identity_new (&(TlsWish){ .cn = "alice", .purpose = GNUTLS_KP_TLS_WWW_CLIENT }, root);
  somebody = tls_identity_new (&(TlsWish){ .cn = "mallory", .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
                               NULL);
  folder = g_dir_make_tmp ("muster-test-key-pair-XXXXXX", NULL);

  g_test_add_func ("/key-pair/files", test_files);
  g_test_add_func ("/key-pair/same-files", test_same_files);
  g_test_add_func ("/key-pair/a-pipe", test_a_pipe);
  g_test_add_data_func ("/key-pair/shown/1.3", NULL, test_shown);
  g_test_add_data_func ("/key-pair/shown/1.2", "NORMAL:-VERS-TLS1.3", test_shown);
  g_test_add_func ("/key-pair/not-asked-for", test_not_asked_for);
  g_test_add_data_func ("/key-pair/not-shown/1.3", NULL, test_not_shown);
  g_test_add_data_func ("/key-pair/not-shown/1.2", "NORMAL:-VERS-TLS1.3", test_not_shown);
  g_test_add_func ("/key-pair/not-accepted", test_not_accepted);
  g_test_add_func ("/key-pair/none-to-show", test_none_to_show);

  result = g_test_run ();
  remove_folder ();
  tls_identity_free (ours);
  tls_identity_free (somebody);
  free_identities ();
  return result;
}
