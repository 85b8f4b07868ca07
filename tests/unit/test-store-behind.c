/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "store-fixture.h"

/* What is written behind: in time, in order, and as one batch. */

/* By another connection, until it says so. */
static void
wait_for_raw (const char *path, const char *sql, const char *expected)
{
  g_autoptr (GTimer) timer = g_timer_new ();

  while (TRUE) {
    g_autofree char *value = raw_sql (path, sql);

    if (g_str_equal (value, expected))
      return;
    if (g_timer_elapsed (timer, NULL) > 60)
      g_error ("%s is still %s instead of %s", sql, value, expected);
    while (g_main_context_iteration (NULL, FALSE))
      continue;
  }
}

static void
test_written_behind_in_time (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GTimer) timer = NULL;

  add_accounts (fixture->store, "a1", NULL);
  timer = g_timer_new ();
  put_runtime (fixture->store, "a1", "registering");
  wait_for_raw (fixture->path, "SELECT state FROM runtime", "registering");
  g_test_message ("written after %.0f ms", g_timer_elapsed (timer, NULL) * 1000);

  /* what comes right behind it is gathered */
  g_timer_start (timer);
  put_runtime (fixture->store, "a1", "registered");
  put_runtime (fixture->store, "a1", "refreshing");
  wait_for_raw (fixture->path, "SELECT state FROM runtime", "refreshing");
  g_test_message ("written after %.0f ms", g_timer_elapsed (timer, NULL) * 1000);
  g_assert_cmpfloat (g_timer_elapsed (timer, NULL), >, 0.1);
}

typedef struct {
  MusterStore *store;
  guint n_committed;
  gboolean stop;
} Steady;

static void
on_steady_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Steady *steady = user_data;
  MusterStoreChange *change;

  if (result != NULL)
    g_assert_true (muster_store_commit_finish (steady->store, result, NULL));
  steady->n_committed++;
  if (steady->stop)
    return;

  change = muster_store_change_new ();
  change_put_identity (change, "i1");
  muster_store_commit_async (steady->store, change, NULL, on_steady_committed, steady);
}

/* The batch has its own deadline: changes that never stop must not hold it up. */
static void
test_written_behind_under_steady_changes (Fixture *fixture, gconstpointer data)
{
  Steady steady = { fixture->store };

  add_accounts (fixture->store, "a1", NULL);
  for (guint i = 0; i < 8; i++) /* so that one always waits */
    on_steady_committed (NULL, NULL, &steady);
  put_runtime (fixture->store, "a1", "registered");
  wait_for_raw (fixture->path, "SELECT state FROM runtime", "registered");

  steady.stop = TRUE;
  g_test_message ("%u changes meanwhile", steady.n_committed - 8);
  fixture_close (fixture);
}

/* A row for an account whose creation still stands in the queue when the batch is due. */
static void
test_row_waits_for_its_account (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change;

  add_accounts (fixture->store, "a1", NULL);
  put_runtime (fixture->store, "a1", "registered"); /* the batch is due in 10 ms */
  for (guint i = 0; i < 300; i++) {
    change = muster_store_change_new ();
    for (guint j = 0; j < 200; j++)
      change_put_sealed (change, "a1", "token", "xxxxxxxxxxxxxxxxxxxxxxxx");
    muster_store_commit_async (fixture->store, change, NULL, NULL, NULL);
  }
  change = muster_store_change_new ();
  change_put_account (change, "a2", "i1");
  change_put_sealed (change, "a2", "token", "first");
  muster_store_commit_async (fixture->store, change, NULL, NULL, NULL);
  put_runtime (fixture->store, "a2", "registering");
  put_sealed_later (fixture->store, "a2", "token", "second");

  wait_for_raw (fixture->path, "SELECT state FROM runtime WHERE account = 'a2'", "registering");
  assert_sealed (fixture->store, "a2", "token", "second");
  fixture_reopen (fixture);
  assert_sealed (fixture->store, "a2", "token", "second");
}

static void
test_many_rows (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();

  change_put_identity (change, "i1");
  for (guint i = 0; i < 3000; i++) {
    g_autofree char *id = g_strdup_printf ("a%u", i);

    change_put_account (change, id, "i1");
  }
  commit_ok (fixture->store, change);

  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < 3000; i++) {
      g_autofree char *id = g_strdup_printf ("a%u", i);

      put_runtime (fixture->store, id, round == 2 ? "registered" : "registering");
      put_sealed_later (fixture->store, id, "resume", "x");
    }
  }
  wait_for_raw (fixture->path, "SELECT count (*) FROM runtime WHERE state = 'registered'", "3000");
  wait_for_raw (fixture->path, "SELECT count (*) FROM sealed", "3000");
}

/* Neither what was written nor what waits to be outlives the change; what comes after it does. */
static void
test_a_row_is_deleted (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();

  add_accounts (fixture->store, "a1", "a2", NULL);
  put_runtime (fixture->store, "a1", "registering");
  put_runtime (fixture->store, "a2", "registering");
  fixture_reopen (fixture);
  put_runtime (fixture->store, "a1", "registered");
  put_runtime (fixture->store, "a2", "registered");
  muster_store_change_delete_runtime (change, "a1");
  muster_store_change_delete_runtime (change, "a2");
  commit_ok (fixture->store, change);
  put_runtime (fixture->store, "a2", "waiting");
  fixture_close (fixture);
  assert_raw (fixture->path, "SELECT account, state FROM runtime", "a2 waiting");
  fixture_open (fixture);
}

static guint64
count_rests (MusterStore *store)
{
  MusterStoreStats stats;

  muster_store_get_stats (store, &stats);
  return stats.n_rests;
}

static void
wait_for_rest (MusterStore *store, guint64 n_rests)
{
  g_autoptr (GTimer) timer = g_timer_new ();

  while (count_rests (store) < n_rests) {
    if (g_timer_elapsed (timer, NULL) > 60)
      g_error ("the store does not come to rest");
    g_main_context_iteration (NULL, FALSE);
    g_thread_yield ();
  }
}

/* Nothing is lost, and what comes after it is written in time. */
static void
test_rests_once_when_quiet (Fixture *fixture, gconstpointer data)
{
  add_accounts (fixture->store, "a1", NULL);
  put_runtime (fixture->store, "a1", "registering");
  wait_for_raw (fixture->path, "SELECT state FROM runtime", "registering");
  wait_for_rest (fixture->store, 1);

  put_runtime (fixture->store, "a1", "registered");
  wait_for_raw (fixture->path, "SELECT state FROM runtime", "registered");
  wait_for_rest (fixture->store, 2);
  fixture_reopen (fixture);
  g_assert_cmpuint (count_rests (fixture->store), ==, 0); /* with nothing asked, nothing to give */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test)                                                                            \
  g_test_add ("/store/" path, Fixture, NULL, fixture_set_up, test, fixture_tear_down)

  ADD ("behind/in-time", test_written_behind_in_time);
  ADD ("behind/under-steady-changes", test_written_behind_under_steady_changes);
  ADD ("behind/row-waits-for-its-account", test_row_waits_for_its_account);
  ADD ("behind/a-row-is-deleted", test_a_row_is_deleted);
  ADD ("behind/many-rows", test_many_rows);
  ADD ("behind/rests-once-when-quiet", test_rests_once_when_quiet);

  return g_test_run ();
}
