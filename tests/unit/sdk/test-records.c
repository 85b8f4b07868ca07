/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "full-fixture.h"
#include "plugins/muster-plugin-records.h"
#include "store-fixture.h"

/* A plugin's records, from the SDK's calls down to the rows. */

typedef struct {
  Fixture store;
  MusterVault *vault;
  MusterPluginRecords *records;
} World;

static void
open_plugin (World *world)
{
  fixture_open (&world->store);
  world->records = muster_plugin_records_new (world->store.store, world->vault);
  full_module = muster_module_open (g_getenv ("MUSTER_FULL_PLUGIN"));
  muster_module_set_record_host (full_module, muster_plugin_records_get_host (), world->records);
  g_assert_true (muster_module_start (full_module, NULL));
}

static void
close_plugin (World *world)
{
  g_clear_pointer (&full_module, muster_module_free);
  g_clear_pointer (&world->records, muster_plugin_records_free);
  fixture_close (&world->store);
}

static void
set_up (World *world, gconstpointer data)
{
  guint8 key[MUSTER_VAULT_KEY_BYTES] = { 1 };

  full_reset ();
  world->vault = muster_vault_new (key);
  fixture_set_up_closed (&world->store, data);
  open_plugin (world);
}

static void
tear_down (World *world, gconstpointer data)
{
  close_plugin (world);
  muster_vault_free (world->vault);
  fixture_tear_down (&world->store, data);
}

static void
put_at (const char *name_space,
        const char *key,
        const char *text,
        gint64 expires_at_us,
        guint flags)
{
  g_autoptr (GBytes) blob = g_bytes_new (text, strlen (text));

  muster_plugin_context_records_put (full->context, name_space, key, blob, expires_at_us,
                                     (MusterRecordFlags) flags);
}

static char *
get (MusterPluginContext *context, const char *name_space, const char *key, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (MusterRecord) record = NULL;
  gsize length;
  const char *data;

  muster_plugin_context_records_get_async (context, name_space, key, NULL, on_test_result, &result);
  record = muster_plugin_context_records_get_finish (context, wait_for_result (&result), error);
  if (record == NULL)
    return NULL;

  g_assert_cmpstr (record->key, ==, key);
  data = g_bytes_get_data (record->blob, &length);
  return g_strndup (data, length);
}

#define assert_record(name_space, key, expected)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) get_error = NULL;                                                           \
    g_autofree char *got = get (full->context, name_space, key, &get_error);                       \
    g_assert_no_error (get_error);                                                                 \
    g_assert_cmpstr (got, ==, expected);                                                           \
  }                                                                                                \
  G_STMT_END

static char *
list (const char *name_space, const char *after_key, guint limit)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) records = NULL;
  g_autoptr (GError) error = NULL;
  GString *keys = g_string_new (NULL);

  muster_plugin_context_records_list_async (full->context, name_space, after_key, limit, NULL,
                                            on_test_result, &result);
  records = muster_plugin_context_records_list_finish (full->context, wait_for_result (&result),
                                                       &error);
  g_assert_no_error (error);
  for (guint i = 0; i < records->len; i++)
    g_string_append_printf (keys, "%s%s", i > 0 ? " " : "",
                            ((MusterRecord *) records->pdata[i])->key);

  return g_string_free (keys, FALSE);
}

#define assert_list(name_space, after_key, limit, expected)                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *keys = list (name_space, after_key, limit);                                   \
    g_assert_cmpstr (keys, ==, expected);                                                          \
  }                                                                                                \
  G_STMT_END

static void
test_put_get (World *world, gconstpointer data)
{
  assert_record ("nonce", "a", NULL);
  put_at ("nonce", "a", "one", 0, MUSTER_RECORD_PLAIN);
  assert_record ("nonce", "a", "one");
  put_at ("nonce", "a", "two", 0, MUSTER_RECORD_PLAIN);
  put_at ("other", "a", "three", 0, MUSTER_RECORD_PLAIN);
  assert_record ("nonce", "a", "two");

  close_plugin (world); /* and after a restart */
  open_plugin (world);
  assert_record ("nonce", "a", "two");
  assert_record ("other", "a", "three");
  muster_plugin_context_records_delete (full->context, "nonce", "a");
  assert_record ("nonce", "a", NULL);
  assert_record ("other", "a", "three");
}

static void
test_list (World *world, gconstpointer data)
{
  put_at ("n", "c", "", 0, MUSTER_RECORD_PLAIN);
  put_at ("n", "a", "", 0, MUSTER_RECORD_SEALED);
  put_at ("n", "b", "", 0, MUSTER_RECORD_PLAIN);
  put_at ("m", "d", "", 0, MUSTER_RECORD_PLAIN);
  assert_list ("n", NULL, 10, "a b c");
  assert_list ("n", NULL, 2, "a b");
  assert_list ("n", "b", 2, "c");
}

static void
test_sealed (World *world, gconstpointer data)
{
  g_autofree char *contents = NULL;
  g_autofree char *wal = g_strconcat (world->store.path, "-wal", NULL);
  g_autoptr (GError) error = NULL;
  gsize length;

  put_at ("token", "a", "s3cr3t-t0ken", 0, MUSTER_RECORD_SEALED);
  assert_record ("token", "a", "s3cr3t-t0ken");
  g_assert_true (g_file_get_contents (wal, &contents, &length, NULL));
  g_assert_null (memmem (contents, length, "s3cr3t-t0ken", strlen ("s3cr3t-t0ken")));

  /* moved to another place it does not open */
  close_plugin (world);
  raw_change (world->store.path, "UPDATE record SET key = 'b' WHERE key = 'a'");
  open_plugin (world);
  g_assert_null (get (full->context, "token", "b", &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  g_test_expect_message ("MusterPlugins", G_LOG_LEVEL_WARNING, "*cannot be opened, ignoring*");
  assert_list ("token", NULL, 10, "");
  g_test_assert_expected_messages ();
}

/* Without the key a sealed record waits for it; what replaces it in between wins. */
static void
test_late_key (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put_at ("token", "a", "old", 0, MUSTER_RECORD_SEALED);
  assert_record ("token", "a", "old");
  muster_plugin_records_set_vault (world->records, NULL);
  put_at ("token", "a", "new", 0, MUSTER_RECORD_SEALED);
  put_at ("token", "b", "gone", 0, MUSTER_RECORD_SEALED);
  muster_plugin_context_records_delete (full->context, "token", "b");
  g_assert_null (get (full->context, "token", "a", &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);

  muster_plugin_records_set_vault (world->records, world->vault);
  assert_record ("token", "a", "new");
  assert_record ("token", "b", NULL);
}

static void
test_expiry (World *world, gconstpointer data)
{
  put_at ("n", "a", "x", WALL_US + 60 * G_USEC_PER_SEC, MUSTER_RECORD_PLAIN);
  put_at ("n", "b", "x", 0, MUSTER_RECORD_PLAIN);
  pass_ms (59000);
  assert_list ("n", NULL, 10, "a b");
  pass_ms (2000);
  assert_list ("n", NULL, 10, "b");
  assert_record ("n", "a", NULL);

  pass_ms (11 * 60 * 1000); /* the sweep */
  close_plugin (world);
  assert_raw (world->store.path, "SELECT key FROM record", "b");
  open_plugin (world);
}

/* A plugin sees its own only. */
static void
test_own (World *world, gconstpointer data)
{
  MusterPluginRecord other = { "other", "n", "a", NULL, 0, FALSE };
  g_autoptr (GBytes) blob = g_bytes_new_static ("theirs", 6);

  other.blob = blob;
  muster_store_put_record (world->store.store, &other);
  put_at ("n", "b", "ours", 0, MUSTER_RECORD_PLAIN);
  assert_record ("n", "a", NULL);
  assert_list ("n", NULL, 10, "b");
  muster_plugin_context_records_delete (full->context, "n", "a");
  close_plugin (world);
  assert_raw (world->store.path, "SELECT group_concat (plugin || key) FROM record", "fullb,othera");
  open_plugin (world);
}

/* One more than allowed drives out the one that was written longest ago. */
static void
test_bounded (World *world, gconstpointer data)
{
  put_at ("n", "old", "x", 0, MUSTER_RECORD_PLAIN);
  put_at ("n", "older", "x", 0, MUSTER_RECORD_PLAIN);
  put_at ("n", "old", "y", 0, MUSTER_RECORD_PLAIN); /* now it is younger */
  close_plugin (world);
  raw_change (world->store.path, "UPDATE record_count SET n = 100000");
  open_plugin (world);
  put_at ("n", "old", "z", 0, MUSTER_RECORD_PLAIN); /* no more than before */
  assert_list ("n", NULL, 10, "old older");
  put_at ("n", "new", "x", 0, MUSTER_RECORD_PLAIN);
  assert_list ("n", NULL, 10, "new old");
  close_plugin (world);
  assert_raw (world->store.path, "SELECT n FROM record_count", "100000");
  open_plugin (world);
}

static void
test_limits (World *world, gconstpointer data)
{
  g_autofree char *big = g_strnfill (MUSTER_RECORD_MAX_BYTES + 1, 'x');

  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*MUSTER_RECORD_MAX_BYTES*");
  put_at ("n", "a", big, 0, MUSTER_RECORD_PLAIN);
  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*is_text*");
  put_at ("n", "", "x", 0, MUSTER_RECORD_PLAIN);
  g_test_assert_expected_messages ();
  big[MUSTER_RECORD_MAX_BYTES] = '\0';
  put_at ("n", "a", big, 0, MUSTER_RECORD_PLAIN);
  assert_record ("n", "a", big);
}

static void
put_for (const char *account, const char *name_space, const char *key, guint flags)
{
  g_autoptr (GBytes) blob = g_bytes_new ("x", 1);

  muster_plugin_context_records_put_for (full->context, account, name_space, key, blob, 0,
                                         (MusterRecordFlags) flags);
}

/* What is an account's goes with it, and none comes after it. */
static void
test_of_an_account (World *world, gconstpointer data)
{
  add_accounts (world->store.store, "a1", "a2", NULL);
  put_for ("a1", "n", "one", MUSTER_RECORD_PLAIN);
  put_for ("a1", "m", "a1", MUSTER_RECORD_SEALED);
  put_for ("a2", "n", "two", MUSTER_RECORD_PLAIN);
  put_for ("a3", "n", "three", MUSTER_RECORD_PLAIN); /* nobody knows it */
  put_at ("n", "a1", "x", 0, MUSTER_RECORD_PLAIN);   /* is nobody's */
  assert_list ("n", NULL, 10, "a1 one two");
  assert_record ("m", "a1", "x");

  put_for ("a1", "n", "early", MUSTER_RECORD_PLAIN);
  delete_account (world->store.store, "a1");
  put_for ("a1", "n", "late", MUSTER_RECORD_PLAIN);
  put_for ("a1", "n", "two", MUSTER_RECORD_PLAIN); /* takes nothing from others, either */
  assert_list ("n", NULL, 10, "a1 two");
  assert_record ("m", "a1", NULL);
  close_plugin (world);
  assert_raw (world->store.path, "SELECT key, account FROM record ORDER BY key", "a1  two a2");
  assert_raw (world->store.path, "SELECT n FROM record_count", "2");
  open_plugin (world);
}

/* What waits for the key, too. */
static void
test_of_an_account_without_key (World *world, gconstpointer data)
{
  add_accounts (world->store.store, "a1", "a2", NULL);
  muster_plugin_records_set_vault (world->records, NULL);
  put_for ("a1", "n", "one", MUSTER_RECORD_SEALED);
  put_for ("a2", "n", "two", MUSTER_RECORD_SEALED);
  delete_account (world->store.store, "a1");
  muster_plugin_records_set_vault (world->records, world->vault);
  assert_list ("n", NULL, 10, "two");
}

/* Before records had an account, some had one's id as their key. */
static void
test_of_before (World *world, gconstpointer data)
{
  add_accounts (world->store.store, "a1", "a2", NULL);
  put_at ("n", "a1", "x", 0, MUSTER_RECORD_PLAIN);
  put_at ("n", "a2", "x", 0, MUSTER_RECORD_PLAIN);
  put_at ("n", "other", "x", 0, MUSTER_RECORD_PLAIN);
  delete_account (world->store.store, "a2");
  close_plugin (world);
  raw_change (world->store.path,
              "DROP INDEX record_account; ALTER TABLE record DROP COLUMN account;"
              "ALTER TABLE runtime DROP COLUMN proof;"
              "PRAGMA user_version = 3");
  open_plugin (world);
  assert_list ("n", NULL, 10, "a1 other");
  put_at ("n", "new", "x", 0, MUSTER_RECORD_PLAIN);
  close_plugin (world);
  assert_raw (world->store.path, "SELECT key, account, written FROM record ORDER BY written",
              "a1 a1 1 other  3 new  4");
  open_plugin (world);
  delete_account (world->store.store, "a1");
  assert_list ("n", NULL, 10, "new other");
}

/* A context that outlives its plugin's stop asks in vain. */
static void
test_after_stop (World *world, gconstpointer data)
{
  g_autoptr (MusterPluginContext) context = g_object_ref (full->context);
  g_autoptr (GError) error = NULL;

  muster_module_stop (full_module);
  g_assert_null (get (context, "n", "a", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  full_find (g_getenv ("MUSTER_FULL_PLUGIN"));

#define ADD(path, test) g_test_add (path, World, NULL, set_up, test, tear_down)
  ADD ("/records/put-get", test_put_get);
  ADD ("/records/list", test_list);
  ADD ("/records/sealed", test_sealed);
  ADD ("/records/late-key", test_late_key);
  ADD ("/records/expiry", test_expiry);
  ADD ("/records/own", test_own);
  ADD ("/records/bounded", test_bounded);
  ADD ("/records/limits", test_limits);
  ADD ("/records/of-an-account", test_of_an_account);
  ADD ("/records/of-an-account-without-key", test_of_an_account_without_key);
  ADD ("/records/of-before", test_of_before);
  ADD ("/records/after-stop", test_after_stop);

  status = g_test_run ();
  full_clear ();
  return status;
}
