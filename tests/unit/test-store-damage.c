/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "store-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What the store does when the file, a row, the disk or another process is in its way. */

/* damaged files */

/* The one file beside the database that begins like @path.damaged- and ends in neither -wal nor
 * -shm, or NULL. */
static char *
find_aside (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *prefix = g_strconcat (base, ".damaged-", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  char *found = NULL;
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    if (!g_str_has_prefix (name, prefix) || g_str_has_suffix (name, "-wal") ||
        g_str_has_suffix (name, "-shm"))
      continue;
    g_assert_null (found);
    found = g_build_filename (folder, name, NULL);
  }

  return found;
}

static void
damage_header (const char *path)
{
  g_assert_true (
    g_file_set_contents (path, "This is no database. It is a letter to you.", -1, NULL));
}

static void
damage_pages (const char *path)
{
  g_autofree char *contents = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &contents, &length, NULL));
  g_assert_cmpuint (length, >, 8 * 4096);
  memset (contents + 4096, 0xa5, 4 * 4096);
  g_assert_true (g_file_set_contents (path, contents, (gssize) length, NULL));
}

static void
damage_length (const char *path)
{
  g_assert_cmpint (truncate (path, 3 * 4096 + 17), ==, 0);
}

static void
damage_identity_of_file (const char *path)
{
  raw_change (path, "PRAGMA application_id = 7");
}

static void
damage_table (const char *path)
{
  raw_change (path, "DROP TABLE runtime");
}

static void
damage_column (const char *path)
{
  raw_change (path, "ALTER TABLE account RENAME COLUMN params TO parameters");
}

static void
test_damaged_file (Fixture *fixture, gconstpointer damage)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *aside = NULL;
  gsize before_length, after_length;

  add_accounts (fixture->store, "a1", NULL);
  fixture_close (fixture);
  ((void (*) (const char *)) damage) (fixture->path);
  g_assert_true (g_file_get_contents (fixture->path, &before, &before_length, NULL));

  fixture_open (fixture);
  assert_accounts (fixture->store, "");
  add_accounts (fixture->store, "a2", NULL);
  assert_accounts (fixture->store, "a2");

  aside = find_aside (fixture->path);
  g_assert_nonnull (aside);
  g_assert_nonnull (strstr (muster_store_get_notice (fixture->store), aside));
  g_assert_true (g_file_get_contents (aside, &after, &after_length, NULL));
  g_assert_cmpmem (before, before_length, after, after_length);

  fixture_reopen (fixture);
  g_assert_null (muster_store_get_notice (fixture->store));
  assert_accounts (fixture->store, "a2");
}

/* The log of a damaged file goes with it, or the new one would take it for its own. */
static void
test_damaged_file_with_log (Fixture *fixture, gconstpointer data)
{
  g_autofree char *wal = g_strconcat (fixture->path, "-wal", NULL);
  g_autofree char *aside = NULL;
  g_autofree char *aside_wal = NULL;
  g_autofree char *contents = NULL;

  add_accounts (fixture->store, "a1", NULL);
  fixture_close (fixture);
  damage_header (fixture->path);
  g_assert_true (g_file_set_contents (wal, "a log", -1, NULL));

  fixture_open (fixture);
  aside = find_aside (fixture->path);
  aside_wal = g_strconcat (aside, "-wal", NULL);
  g_assert_true (g_file_get_contents (aside_wal, &contents, NULL, NULL));
  g_assert_cmpstr (contents, ==, "a log");
  assert_accounts (fixture->store, "");
}

static void
test_too_new (Fixture *fixture, gconstpointer data)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gsize before_length, after_length;
  g_autoptr (GError) error = NULL;

  add_accounts (fixture->store, "a1", NULL);
  fixture_close (fixture);
  raw_change (fixture->path, "PRAGMA user_version = 2000000000");
  g_assert_true (g_file_get_contents (fixture->path, &before, &before_length, NULL));

  g_assert_null (muster_store_open (fixture->path, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_TOO_NEW);
  g_assert_null (find_aside (fixture->path));
  g_assert_true (g_file_get_contents (fixture->path, &after, &after_length, NULL));
  g_assert_cmpmem (before, before_length, after, after_length);
}

/* damaged rows */

/* Runs @sql while the tables accept any type, and no value at all. */
static void
raw_change_unchecked (const char *path, const char *sql)
{
  raw_change (path, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql ="
                    " replace (replace (sql, 'STRICT', '/*S*/'), 'NOT NULL', '/*N*/')");
  raw_change (path, sql);
  raw_change (path, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql ="
                    " replace (replace (sql, '/*S*/', 'STRICT'), '/*N*/', 'NOT NULL')");
}

typedef struct {
  const char *name;
  const char *sql;
  const char *accounts;   /* that still load */
  const char *quarantine; /* table id */
  const char *reason;     /* part of it */
} BadRowCase;

static const BadRowCase bad_rows[] = {
  { "params-garbage", "UPDATE account SET params = '{broken' WHERE id = 'a2'", "a1 a3",
    "account a2", "params cannot be read" },
  { "params-other-type", "UPDATE account SET params = '5' WHERE id = 'a2'", "a1 a3", "account a2",
    "params cannot be read" },
  { "params-blob", "UPDATE account SET params = x'00ff' WHERE id = 'a2'", "a1 a3", "account a2",
    "params is not text" },
  { "params-null", "UPDATE account SET params = NULL WHERE id = 'a2'", "a1 a3", "account a2",
    "params is not text" },
  { "not-utf8", "UPDATE account SET name = CAST (x'61ff' AS TEXT) WHERE id = 'a2'", "a1 a3",
    "account a2", "name is not text" },
  { "nul-inside", "UPDATE account SET name = CAST (x'610062' AS TEXT) WHERE id = 'a2'", "a1 a3",
    "account a2", "name is not text" },
  { "enabled-text", "UPDATE account SET enabled = 'yes' WHERE id = 'a2'", "a1 a3", "account a2",
    "enabled is not a number" },
  { "two-rows", "UPDATE account SET created_us = 'x' WHERE id IN ('a1', 'a2')", "a3",
    "account a1 account a2", "created_us is not a number" },
  { "identity-missing",
    "PRAGMA foreign_keys = OFF; UPDATE account SET identity = 'i9' WHERE id = 'a2'", "a1 a3",
    "account a2", "its identity i9 is missing" },
  { "identity-bad", "UPDATE identity SET name = x'00'", "a1 a2 a3", "identity i1",
    "name is not text" },
  { "runtime-bad", "UPDATE runtime SET expires_at_us = 'soon' WHERE account = 'a2'", "a1 a2 a3",
    "runtime a2", "expires_at_us is not a number" },
};

static void
load_all (MusterStore *store)
{
  g_autoptr (GPtrArray) identities = muster_store_load_identities (store, NULL);
  g_autoptr (GPtrArray) runtimes = NULL;

  g_assert_nonnull (identities);
  g_assert_cmpuint (identities->len, ==, 1);
  g_free (load_account_ids (store));
  runtimes = muster_store_load_runtimes (store, NULL);
  g_assert_nonnull (runtimes);
}

static void
test_damaged_row (Fixture *fixture, gconstpointer data)
{
  const BadRowCase *bad = data;
  MusterStoreChange *change = muster_store_change_new ();

  add_accounts (fixture->store, "a1", "a2", "a3", NULL);
  change_put_sealed (change, "a2", "password", "keep me");
  commit_ok (fixture->store, change);
  put_runtime (fixture->store, "a2", "registered");
  fixture_close (fixture);
  raw_change_unchecked (fixture->path, bad->sql);

  for (guint i = 0; i < 2; i++) { /* the second time, nothing new is found */
    g_autoptr (GPtrArray) quarantine = NULL;
    g_autoptr (GString) found = g_string_new (NULL);

    fixture_open (fixture);
    g_assert_null (muster_store_get_notice (fixture->store));
    load_all (fixture->store);
    assert_accounts (fixture->store, bad->accounts);

    quarantine = muster_store_load_quarantine (fixture->store, NULL);
    for (guint j = 0; j < quarantine->len; j++) {
      const MusterQuarantineRecord *record = quarantine->pdata[j];

      g_string_append_printf (found, "%s%s %s", j > 0 ? " " : "", record->table, record->id);
      g_assert_nonnull (strstr (record->reason, bad->reason));
      g_assert_cmpint (record->time_us, >, 0);
    }
    g_assert_cmpstr (found->str, ==, bad->quarantine);
    assert_sealed (fixture->store, "a2", "password", "keep me");
    fixture_close (fixture);
  }

  assert_raw (fixture->path, "SELECT count (*) FROM quarantine WHERE dump LIKE '%keep me%'", "0");
  assert_raw (fixture->path, "SELECT count (*) FROM quarantine WHERE length (dump) < 20", "0");
  assert_raw (fixture->path, "PRAGMA integrity_check", "ok"); /* and it is all gone */
}

static void
test_quarantined_account_can_be_deleted (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();

  add_accounts (fixture->store, "a1", NULL);
  change_put_sealed (change, "a1", "password", "x");
  commit_ok (fixture->store, change);
  fixture_close (fixture);
  raw_change (fixture->path, "UPDATE account SET params = 'x'");
  fixture_open (fixture);
  assert_accounts (fixture->store, "");

  change = muster_store_change_new ();
  muster_store_change_delete_account (change, "a1");
  commit_ok (fixture->store, change);
  assert_raw (fixture->path,
              "SELECT (SELECT count (*) FROM quarantine),"
              " (SELECT count (*) FROM sealed), (SELECT id FROM retired)",
              "0 0 a1");
}

static void
test_damaged_event (Fixture *fixture, gconstpointer data)
{
  append_event (fixture->store, "e.1", "");
  append_event (fixture->store, "e.2", "");
  append_event (fixture->store, "e.3", "");
  fixture_close (fixture);
  raw_change (fixture->path, "UPDATE event SET payload = '<' WHERE type = 'e.2'");
  fixture_open (fixture);
  assert_types (fixture->store, 0, "", "", 2, "e.3 e.1");
  assert_raw (fixture->path, "SELECT source, id FROM quarantine", "event 2");
  assert_raw (fixture->path, "SELECT count (*) FROM event", "2");
}

/* others */

static void
test_locked_twice (Fixture *fixture, gconstpointer data)
{
  g_autofree char *pid = g_strdup_printf ("process %d", (int) getpid ());
  g_autoptr (GError) error = NULL;

  g_assert_null (muster_store_open (fixture->path, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, pid));
  add_accounts (fixture->store, "a1", NULL); /* the first is not disturbed */

  fixture_reopen (fixture); /* closing lets go */
  assert_accounts (fixture->store, "a1");
}

/* Somebody's database tool in the middle of a transaction. */
static void
test_held_by_a_tool (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GError) error = NULL;
  sqlite3 *db;

  add_accounts (fixture->store, "a1", NULL);
  g_assert_cmpint (sqlite3_open (fixture->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);

  change_put_account (change, "a2", "i1");
  g_assert_false (commit (fixture->store, change, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_BUSY);
  put_runtime (fixture->store, "a1", "registered");

  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  add_accounts (fixture->store, "a3", NULL);
  assert_accounts (fixture->store, "a1 a3");
  fixture_reopen (fixture);
  assert_raw (fixture->path, "SELECT account FROM runtime", "a1");
}

/* the full disk */

static guint n_complaints; /* in the log */

static void
on_log (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  if (strstr (message, "cannot write what happened") != NULL)
    g_atomic_int_inc (&n_complaints);
}

/* Files may grow up to @bytes: writing beyond fails as on a disk that is full. */
static void
limit_files (rlim_t bytes)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (bytes, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static gsize
size_of (const char *path, const char *suffix)
{
  g_autofree char *name = g_strconcat (path, suffix, NULL);
  GStatBuf status;

  g_assert_cmpint (g_stat (name, &status), ==, 0);

  return (gsize) status.st_size;
}

static void
disk_full (Fixture *fixture)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autofree char *big = g_strnfill (300000, 'x');
  g_autoptr (GTimer) timer = NULL;
  g_autoptr (GError) error = NULL;
  gsize log_bytes;
  guint log_id;

  log_id = g_log_set_handler ("MusterStore", G_LOG_LEVEL_MESSAGE, on_log, NULL);
  add_accounts (fixture->store, "a1", NULL);
  append_event (fixture->store, "e.1", "");
  assert_types (fixture->store, 0, "", "", 10, "e.1");

  /* the change begins to be written, and does not fit */
  log_bytes = size_of (fixture->path, "-wal");
  limit_files (log_bytes + 50000);
  append_event (fixture->store, "e.2", "");
  change_put_account (change, "a2", "i1");
  change_put_sealed (change, "a1", "password", big);
  change_put_event (change, "lost", "");
  g_assert_false (commit (fixture->store, change, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FULL);
  assert_accounts (fixture->store, "a1");
  assert_sealed (fixture->store, "a1", "password", NULL);

  /* what is written behind waits; the log says so once */
  limit_files (log_bytes);
  put_runtime (fixture->store, "a1", "registered");
  put_sealed_later (fixture->store, "a1", "resume", "r");
  timer = g_timer_new ();
  while (g_timer_elapsed (timer, NULL) < 1.5) /* two attempts, by the real clock of the thread */
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (g_atomic_int_get (&n_complaints), ==, 1);
  assert_sealed (fixture->store, "a1", "resume", "r");

  /* there is room again */
  limit_files (RLIM_INFINITY);
  change = muster_store_change_new ();
  change_put_account (change, "a3", "i1");
  change_put_event (change, "e.3", "");
  commit_ok (fixture->store, change);
  fixture_reopen (fixture);
  g_assert_null (muster_store_get_notice (fixture->store));
  assert_accounts (fixture->store, "a1 a3");
  assert_sealed (fixture->store, "a1", "password", NULL);
  assert_sealed (fixture->store, "a1", "resume", "r");
  assert_types (fixture->store, 0, "", "", 10, "e.3 e.2 e.1");
  assert_raw (fixture->path, "SELECT account, state FROM runtime", "a1 registered");
  assert_raw (fixture->path, "PRAGMA integrity_check", "ok");
  g_log_remove_handler ("MusterStore", log_id);
}

/* In a process of its own: the limit is the process's. */
static void
test_disk_full (Fixture *fixture, gconstpointer data)
{
  if (g_test_subprocess ()) {
    signal (SIGXFSZ, SIG_IGN);
    disk_full (fixture);
    return;
  }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*damage) (const char *path);
  } files[] = {
    { "header", damage_header },  { "pages", damage_pages },
    { "length", damage_length },  { "not-ours", damage_identity_of_file },
    { "no-table", damage_table }, { "no-column", damage_column },
  };

  g_test_init (&argc, &argv, NULL);

#define ADD(path, data, test)                                                                      \
  g_test_add (path, Fixture, data, fixture_set_up, test, fixture_tear_down)

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_strconcat ("/store/damaged-file/", files[i].name, NULL);

    ADD (path, files[i].damage, test_damaged_file);
  }
  ADD ("/store/damaged-file/with-log", NULL, test_damaged_file_with_log);
  ADD ("/store/too-new", NULL, test_too_new);
  for (guint i = 0; i < G_N_ELEMENTS (bad_rows); i++) {
    g_autofree char *path = g_strconcat ("/store/damaged-row/", bad_rows[i].name, NULL);

    ADD (path, &bad_rows[i], test_damaged_row);
  }
  ADD ("/store/damaged-row/deleted", NULL, test_quarantined_account_can_be_deleted);
  ADD ("/store/damaged-row/event", NULL, test_damaged_event);
  ADD ("/store/locked-twice", NULL, test_locked_twice);
  ADD ("/store/held-by-a-tool", NULL, test_held_by_a_tool);
  ADD ("/store/disk-full", NULL, test_disk_full);

  return g_test_run ();
}
