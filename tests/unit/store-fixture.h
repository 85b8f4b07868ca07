/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "store/muster-store.h"

#include <glib/gstdio.h>

#include <sqlite3.h>
#include <string.h>

/* What the tests of the store share: a store in a folder of its own, and blocking calls on it. */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

typedef struct {
  char *folder;
  char *path;
  MusterStore *store; /* NULL while closed */
} Fixture;

static void
fixture_open (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->store = muster_store_open (fixture->path, &error);
  g_assert_no_error (error);
}

static void
fixture_close (Fixture *fixture)
{
  muster_store_close (fixture->store);
  while (g_main_context_iteration (NULL, FALSE)) /* each task holds a reference */
    continue;
  g_assert_finalize_object (g_steal_pointer (&fixture->store));
}

static void
fixture_reopen (Fixture *fixture)
{
  fixture_close (fixture);
  fixture_open (fixture);
}

static void
fixture_set_up_closed (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("muster-test-store-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
  fixture->path = g_build_filename (fixture->folder, "muster", "muster.db", NULL);
}

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  fixture_set_up_closed (fixture, data);
  fixture_open (fixture);
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      remove_folder (path);
    else
      g_unlink (path);
  }
  g_rmdir (folder);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->store != NULL)
    fixture_close (fixture);
  remove_folder (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->path);
}

/* calls that wait */

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GAsyncResult *
wait_for_result (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE); /* the test runner's limit is the watchdog */

  return *result;
}

/* Takes @change. */
static gboolean
commit (MusterStore *store, MusterStoreChange *change, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  muster_store_commit_async (store, change, NULL, on_result, &result);

  return muster_store_commit_finish (store, wait_for_result (&result), error);
}

static void
commit_ok (MusterStore *store, MusterStoreChange *change)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = commit (store, change, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
}

/* The value as text, or NULL. */
static char *
read_sealed (MusterStore *store, const char *account, const char *name)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GBytes) sealed = NULL;
  g_autoptr (GError) error = NULL;

  muster_store_read_sealed_async (store, account, name, NULL, on_result, &result);
  sealed = muster_store_read_sealed_finish (store, wait_for_result (&result), &error);
  g_assert_no_error (error);

  if (sealed == NULL)
    return NULL;

  return g_bytes_get_size (sealed) > 0
           ? g_strndup (g_bytes_get_data (sealed, NULL), g_bytes_get_size (sealed))
           : g_strdup ("");
}

#define assert_sealed(store, account, name, expected)                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *value = read_sealed (store, account, name);                                   \
    g_assert_cmpstr (value, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static GPtrArray *
read_events (MusterStore *store,
             gint64 before,
             const char *account,
             const char *prefix,
             guint limit)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GError) error = NULL;

  muster_store_read_events_async (store, before, account, prefix, limit, NULL, on_result, &result);
  events = muster_store_read_events_finish (store, wait_for_result (&result), &error);
  g_assert_no_error (error);

  return g_steal_pointer (&events);
}

/* The types of the events, joined. */
static char *
read_types (MusterStore *store, gint64 before, const char *account, const char *prefix, guint limit)
{
  g_autoptr (GPtrArray) events = read_events (store, before, account, prefix, limit);
  g_autoptr (GString) types = g_string_new (NULL);

  for (guint i = 0; i < events->len; i++) {
    const MusterEventRecord *event = events->pdata[i];

    g_string_append_printf (types, "%s%s", i > 0 ? " " : "", event->type);
  }

  return g_string_free (g_steal_pointer (&types), FALSE);
}

#define assert_types(store, before, account, prefix, limit, expected)                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *types = read_types (store, before, account, prefix, limit);                   \
    g_assert_cmpstr (types, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

/* rows */

static void
change_put_identity (MusterStoreChange *change, const char *id)
{
  MusterIdentityRecord identity = { (char *) id, (char *) "Alice", 1, 2 };

  muster_store_change_put_identity (change, &identity);
}

static void
change_put_account (MusterStoreChange *change, const char *id, const char *identity)
{
  g_autoptr (GVariant) params = g_variant_ref_sink (
    g_variant_new_parsed ("{'server': <'example.org'>, 'port': <uint16 5060>}"));
  MusterAccountRecord account = {
    .id = (char *) id,
    .identity = (char *) identity,
    .protocol = (char *) "sip",
    .address = (char *) "sip:alice@example.org",
    .name = (char *) "Work",
    .enabled = TRUE,
    .params = params,
    .created_us = 3,
    .modified_us = 4,
  };

  muster_store_change_put_account (change, &account);
}

static void
change_put_sealed (MusterStoreChange *change,
                   const char *account,
                   const char *name,
                   const char *text)
{
  g_autoptr (GBytes) sealed = g_bytes_new (text, strlen (text));

  muster_store_change_put_sealed (change, account, name, sealed);
}

static void
change_put_event (MusterStoreChange *change, const char *type, const char *account)
{
  g_autoptr (GVariant) payload = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  MusterEventRecord event = { 0, 5, (char *) type, (char *) account, payload };

  muster_store_change_put_event (change, &event);
}

/* Identity i1 with the given accounts. */
static void
add_accounts (MusterStore *store, const char *first, ...)
{
  MusterStoreChange *change = muster_store_change_new ();
  va_list accounts;

  change_put_identity (change, "i1");
  va_start (accounts, first);
  for (const char *id = first; id != NULL; id = va_arg (accounts, const char *))
    change_put_account (change, id, "i1");
  va_end (accounts);
  commit_ok (store, change);
}

static void
delete_account (MusterStore *store, const char *id)
{
  MusterStoreChange *change = muster_store_change_new ();

  muster_store_change_delete_account (change, id);
  commit_ok (store, change);
}

static void
put_runtime (MusterStore *store, const char *account, const char *state)
{
  MusterRuntimeRecord runtime = { (char *) account, (char *) state, 10, 20, 30, 4 };

  muster_store_put_runtime (store, &runtime);
}

static void
put_sealed_later (MusterStore *store, const char *account, const char *name, const char *text)
{
  g_autoptr (GBytes) sealed = g_bytes_new (text, strlen (text));

  muster_store_put_sealed_later (store, account, name, sealed);
}

static void
append_event (MusterStore *store, const char *type, const char *account)
{
  g_autoptr (GVariant)
    payload = g_variant_ref_sink (g_variant_new_parsed ("{'code': <uint32 200>}"));
  MusterEventRecord event = { 0, 5, (char *) type, (char *) account, payload };

  muster_store_append_event (store, &event);
}

/* The ids of all accounts, joined. */
static char *
load_account_ids (MusterStore *store)
{
  g_autoptr (GPtrArray) accounts = NULL;
  g_autoptr (GString) ids = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  accounts = muster_store_load_accounts (store, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < accounts->len; i++)
    g_string_append_printf (ids, "%s%s", i > 0 ? " " : "",
                            ((MusterAccountRecord *) accounts->pdata[i])->id);

  return g_string_free (g_steal_pointer (&ids), FALSE);
}

#define assert_accounts(store, expected)                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *ids = load_account_ids (store);                                               \
    g_assert_cmpstr (ids, ==, expected);                                                           \
  }                                                                                                \
  G_STMT_END

/* behind the store's back */

static int
keep_text (void *user_data, int n_columns, char **values, char **names)
{
  GString *text = user_data;

  for (int i = 0; i < n_columns; i++)
    g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", values[i] ? values[i] : "NULL");

  return 0;
}

/* Runs SQL on a connection of its own; returns all values, joined. */
static char *
raw_sql (const char *path, const char *sql)
{
  GString *text = g_string_new (NULL);
  char *message = NULL;
  sqlite3 *db;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  sqlite3_busy_timeout (db, 5000);
  sqlite3_exec (db, sql, keep_text, text, &message);
  g_assert_cmpstr (message, ==, NULL);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);

  return g_string_free (text, FALSE);
}

#define assert_raw(path, sql, expected)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *values = raw_sql (path, sql);                                                 \
    g_assert_cmpstr (values, ==, expected);                                                        \
  }                                                                                                \
  G_STMT_END

static void
raw_change (const char *path, const char *sql)
{
  g_free (raw_sql (path, sql));
}

#pragma GCC diagnostic pop
