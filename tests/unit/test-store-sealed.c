/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "store-fixture.h"

#include <string.h>

/* Sealed values, which go both ways: in changes and behind. */

static void
assert_kept (MusterStore *store, const char *account, const char *name, const char *text)
{
  GBytes *kept = muster_store_peek_sealed (store, account, name);

  if (text == NULL) {
    g_assert_null (kept);
    return;
  }
  g_assert_nonnull (kept);
  g_assert_cmpmem (g_bytes_get_data (kept, NULL), g_bytes_get_size (kept), text, strlen (text));
}

static void
keep_sealed (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture_reopen (fixture);
  muster_store_keep_sealed (fixture->store, &error);
  g_assert_no_error (error);
}

/* What is kept is what stood in the file at the start; what is about to change is not kept, not even
 * while the change is under way, nor if it fails. */
static void
test_sealed_kept (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (257, 'x');
  MusterStoreChange *change;

  add_accounts (fixture->store, "a1", "a2", "a3", "a4", NULL);
  change = muster_store_change_new ();
  for (guint i = 1; i <= 4; i++) {
    g_autofree char *id = g_strdup_printf ("a%u", i);

    change_put_sealed (change, id, "one", id);
    change_put_sealed (change, id, "two", "2");
    change_put_sealed (change, id, "large", large);
  }
  commit_ok (fixture->store, change);
  assert_kept (fixture->store, "a1", "one", NULL); /* nobody asked to keep */

  keep_sealed (fixture);
  for (guint i = 1; i <= 4; i++) {
    g_autofree char *id = g_strdup_printf ("a%u", i);

    assert_kept (fixture->store, id, "one", id);
    assert_kept (fixture->store, id, "two", "2");
    assert_kept (fixture->store, id, "large", NULL);
    assert_kept (fixture->store, id, "three", NULL);
  }
  assert_kept (fixture->store, "a5", "one", NULL);

  put_sealed_later (fixture->store, "a1", "three", "3"); /* another one */
  assert_kept (fixture->store, "a1", "one", "a1");
  put_sealed_later (fixture->store, "a1", "one", "new");
  assert_kept (fixture->store, "a1", "one", NULL);
  assert_sealed (fixture->store, "a1", "one", "new");

  change = muster_store_change_new ();
  muster_store_change_delete_sealed (change, "a2", "one");
  muster_store_commit_async (fixture->store, change, NULL, NULL, NULL);
  assert_kept (fixture->store, "a2", "one", NULL);
  assert_sealed (fixture->store, "a2", "one", NULL);
  assert_kept (fixture->store, "a2", "one", NULL); /* what was read does not come back */

  change = muster_store_change_new ();
  change_put_sealed (change, "a3", "one", "new");
  commit_ok (fixture->store, change);
  assert_kept (fixture->store, "a3", "one", NULL);
  assert_sealed (fixture->store, "a3", "one", "new");

  delete_account (fixture->store, "a4");
  assert_kept (fixture->store, "a4", "two", NULL);

  keep_sealed (fixture);
  assert_kept (fixture->store, "a1", "one", "new");
  assert_kept (fixture->store, "a2", "one", NULL);
  assert_kept (fixture->store, "a2", "two", "2");
  assert_kept (fixture->store, "a3", "one", "new");
  assert_kept (fixture->store, "a4", "one", NULL);
}

static void
test_sealed_later_is_seen (Fixture *fixture, gconstpointer data)
{
  add_accounts (fixture->store, "a1", NULL);
  assert_sealed (fixture->store, "a1", "resume", NULL);
  put_sealed_later (fixture->store, "a1", "resume", "one");
  assert_sealed (fixture->store, "a1", "resume", "one");
  put_sealed_later (fixture->store, "a1", "resume", "two");
  put_sealed_later (fixture->store, "a1", "empty", "");
  put_sealed_later (fixture->store, "", "webhook", "daemon's own");
  put_sealed_later (fixture->store, "unknown", "resume", "x");
  assert_sealed (fixture->store, "a1", "resume", "two");
  fixture_reopen (fixture);

  assert_sealed (fixture->store, "a1", "resume", "two");
  assert_sealed (fixture->store, "a1", "empty", "");
  assert_sealed (fixture->store, "", "webhook", "daemon's own");
  assert_sealed (fixture->store, "unknown", "resume", NULL);
  assert_sealed (fixture->store, "a1", "webhook", NULL);
}

static void
on_sealed_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  guint *n_read = user_data;
  g_autoptr (GBytes) sealed = NULL;
  g_autoptr (GError) error = NULL;

  sealed = muster_store_read_sealed_finish (MUSTER_STORE (source), result, &error);
  g_assert_no_error (error);
  g_assert_nonnull (sealed);
  (*n_read)++;
}

/* Reads that are served between two parts of a batch: another connection holds up the first part
 * until they stand in the queue. */
static void
test_sealed_is_seen_inside_a_batch (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GTimer) timer = NULL;
  guint n_read = 0;
  sqlite3 *db;

  change_put_identity (change, "i1");
  for (guint i = 0; i < 1200; i++) {
    g_autofree char *id = g_strdup_printf ("a%u", i);

    change_put_account (change, id, "i1");
  }
  commit_ok (fixture->store, change);
  g_assert_cmpint (sqlite3_open (fixture->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);

  timer = g_timer_new ();
  for (guint i = 0; i < 1200; i++) {
    g_autofree char *id = g_strdup_printf ("a%u", i);

    put_sealed_later (fixture->store, id, "resume", "x");
  }
  while (g_timer_elapsed (timer, NULL) < 0.3) /* the writer has taken the batch */
    g_main_context_iteration (NULL, FALSE);
  for (guint i = 0; i < 1200; i++) {
    g_autofree char *id = g_strdup_printf ("a%u", i);

    muster_store_read_sealed_async (fixture->store, id, "resume", NULL, on_sealed_read, &n_read);
  }
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  while (n_read < 1200)
    g_main_context_iteration (NULL, TRUE);
}

/* What was asked last wins, whichever way it goes. */
static void
test_sealed_order (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change;
  g_autoptr (GError) error = NULL;

  add_accounts (fixture->store, "a1", NULL);

  put_sealed_later (fixture->store, "a1", "behind-then-change", "old");
  change = muster_store_change_new ();
  change_put_sealed (change, "a1", "behind-then-change", "new");
  change_put_sealed (change, "a1", "change-then-behind", "old");
  muster_store_commit_async (fixture->store, change, NULL, NULL, NULL);
  put_sealed_later (fixture->store, "a1", "change-then-behind", "new");

  put_sealed_later (fixture->store, "a1", "behind-then-failed-change", "kept");
  change = muster_store_change_new ();
  change_put_sealed (change, "a1", "behind-then-failed-change", "lost");
  change_put_account (change, "a9", "nobody");
  g_assert_false (commit (fixture->store, change, &error));

  for (guint i = 0; i < 2; i++) {
    assert_sealed (fixture->store, "a1", "behind-then-change", "new");
    assert_sealed (fixture->store, "a1", "change-then-behind", "new");
    assert_sealed (fixture->store, "a1", "behind-then-failed-change", "kept");
    fixture_reopen (fixture);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test)                                                                            \
  g_test_add ("/store/" path, Fixture, NULL, fixture_set_up, test, fixture_tear_down)

  ADD ("sealed/later-is-seen", test_sealed_later_is_seen);
  ADD ("sealed/is-seen-inside-a-batch", test_sealed_is_seen_inside_a_batch);
  ADD ("sealed/order", test_sealed_order);
  ADD ("sealed/kept", test_sealed_kept);

  return g_test_run ();
}
