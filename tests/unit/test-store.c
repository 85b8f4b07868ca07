/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "store-fixture.h"

#include <string.h>
#include <sys/stat.h>

/* The file, and changes: on the disk before they are told, all or nothing. */

/* opening */

static int
mode_of (const char *path)
{
  struct stat status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);

  return status.st_mode & 07777;
}

static void
test_open_creates (Fixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (fixture->path);
  g_autofree char *wal = g_strconcat (fixture->path, "-wal", NULL);

  g_assert_null (muster_store_get_notice (fixture->store));
  g_assert_cmpint (mode_of (folder), ==, 0700);
  g_assert_cmpint (mode_of (fixture->path), ==, 0600);
  g_assert_cmpint (mode_of (wal), ==, 0600);

  assert_raw (fixture->path, "PRAGMA user_version", "5");
  assert_raw (fixture->path, "PRAGMA journal_mode", "wal");
  assert_raw (fixture->path,
              "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
              " AND name NOT LIKE 'sqlite_%' AND strict ORDER BY name",
              "account event identity outbox presence_layer presence_override quarantine record "
              "record_count retired runtime sealed");
  assert_raw (fixture->path,
              "SELECT count (*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
              " AND name NOT LIKE 'sqlite_%' AND NOT strict",
              "0");
}

static void
test_open_tightens_mode (Fixture *fixture, gconstpointer data)
{
  fixture_close (fixture);
  g_chmod (fixture->path, 0644);
  fixture_open (fixture);
  g_assert_cmpint (mode_of (fixture->path), ==, 0600);
}

static void
test_open_impossible (Fixture *fixture, gconstpointer data)
{
  g_autofree char *below_a_file = g_build_filename (fixture->path, "sub", "muster.db", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (muster_store_open (below_a_file, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FAILED);
}

/* changes */

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GVariant) params = NULL;
  g_autoptr (GPtrArray) identities = NULL;
  g_autoptr (GPtrArray) accounts = NULL;
  g_autoptr (GPtrArray) runtimes = NULL;
  const MusterIdentityRecord *identity;
  const MusterAccountRecord *account;
  const MusterRuntimeRecord *runtime;

  params = g_variant_ref_sink (g_variant_new_parsed (
    "{'s': <\"it's 'quoted' \\\\ ünï\\n\">, 'y': <byte 0xff>, 'q': <uint16 5060>, 'i': <-5>,"
    " 't': <uint64 18446744073709551615>, 'd': <0.1>, 'b': <true>, 'as': <['a', '']>,"
    " 'empty': <@as []>, 'v': <<1>>, 'm': <@ms nothing>, 'nested': <{'k': <(1, 'x')>}>}"));
  change_put_identity (change, "i1");
  muster_store_change_put_account (change, &(MusterAccountRecord){
                                             .id = (char *) "a1",
                                             .identity = (char *) "i1",
                                             .protocol = (char *) "xmpp",
                                             .address = (char *) "al'ice@exämple.org",
                                             .name = (char *) "",
                                             .enabled = FALSE,
                                             .params = params,
                                             .created_us = G_MAXINT64,
                                             .modified_us = -1,
                                           });
  commit_ok (fixture->store, change);
  put_runtime (fixture->store, "a1", "registered");
  fixture_reopen (fixture);

  identities = muster_store_load_identities (fixture->store, NULL);
  g_assert_cmpuint (identities->len, ==, 1);
  identity = identities->pdata[0];
  g_assert_cmpstr (identity->id, ==, "i1");
  g_assert_cmpstr (identity->name, ==, "Alice");
  g_assert_cmpint (identity->created_us, ==, 1);
  g_assert_cmpint (identity->modified_us, ==, 2);

  accounts = muster_store_load_accounts (fixture->store, NULL);
  g_assert_cmpuint (accounts->len, ==, 1);
  account = accounts->pdata[0];
  g_assert_cmpstr (account->id, ==, "a1");
  g_assert_cmpstr (account->identity, ==, "i1");
  g_assert_cmpstr (account->protocol, ==, "xmpp");
  g_assert_cmpstr (account->address, ==, "al'ice@exämple.org");
  g_assert_cmpstr (account->name, ==, "");
  g_assert_false (account->enabled);
  g_assert_cmpvariant (account->params, params);
  g_assert_cmpint (account->created_us, ==, G_MAXINT64);
  g_assert_cmpint (account->modified_us, ==, -1);

  runtimes = muster_store_load_runtimes (fixture->store, NULL);
  g_assert_cmpuint (runtimes->len, ==, 1);
  runtime = runtimes->pdata[0];
  g_assert_cmpstr (runtime->account, ==, "a1");
  g_assert_cmpstr (runtime->state, ==, "registered");
  g_assert_cmpint (runtime->registered_at_us, ==, 10);
  g_assert_cmpint (runtime->expires_at_us, ==, 20);
  g_assert_cmpint (runtime->refresh_at_us, ==, 30);
  g_assert_cmpuint (runtime->attempt, ==, 4);
}

static void
test_put_again_replaces (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GPtrArray) accounts = NULL;

  add_accounts (fixture->store, "a1", "a2", NULL);
  put_runtime (fixture->store, "a1", "registered");
  change_put_identity (change, "i2");
  change_put_account (change, "a1", "i2");
  commit_ok (fixture->store, change);

  accounts = muster_store_load_accounts (fixture->store, NULL);
  g_assert_cmpuint (accounts->len, ==, 2);
  g_assert_cmpstr (((MusterAccountRecord *) accounts->pdata[0])->identity, ==, "i2");
  g_assert_cmpstr (((MusterAccountRecord *) accounts->pdata[1])->identity, ==, "i1");
}

static void
test_all_or_nothing (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GError) error = NULL;

  add_accounts (fixture->store, "a1", NULL);
  change_put_account (change, "a2", "i1");
  change_put_sealed (change, "a1", "password", "x");
  change_put_event (change, "account.added", "a2");
  change_put_account (change, "a3", "nobody");
  g_assert_false (commit (fixture->store, change, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FAILED);

  assert_accounts (fixture->store, "a1");
  assert_sealed (fixture->store, "a1", "password", NULL);
  assert_types (fixture->store, 0, "", "", 10, "");

  add_accounts (fixture->store, "a4", NULL); /* and the connection is still good */
  assert_accounts (fixture->store, "a1 a4");
}

static void
test_order_inside_a_change (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();

  change_put_sealed (change, "a1", "password", "x");
  change_put_account (change, "a1", "i1");
  change_put_identity (change, "i1");
  commit_ok (fixture->store, change);
  assert_accounts (fixture->store, "a1");

  change = muster_store_change_new ();
  muster_store_change_delete_identity (change, "i1");
  muster_store_change_delete_account (change, "a1");
  commit_ok (fixture->store, change);
  assert_accounts (fixture->store, "");
}

static void
test_identity_in_use_stays (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GError) error = NULL;

  add_accounts (fixture->store, "a1", NULL);
  muster_store_change_delete_identity (change, "i1");
  g_assert_false (commit (fixture->store, change, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FAILED);
  assert_accounts (fixture->store, "a1");
}

static void
test_ids_are_never_used_again (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change;
  g_autoptr (GError) error = NULL;

  add_accounts (fixture->store, "a1", NULL);
  delete_account (fixture->store, "a1");
  fixture_reopen (fixture);

  change = muster_store_change_new ();
  change_put_account (change, "a1", "i1");
  g_assert_false (commit (fixture->store, change, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "never used again"));
  g_clear_error (&error);

  change = muster_store_change_new ();
  change_put_sealed (change, "a1", "password", "x");
  g_assert_false (commit (fixture->store, change, &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FAILED);
}

/* Whatever was put before or after: nothing of a deleted account is left or comes back. */
static void
test_delete_takes_all (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();

  add_accounts (fixture->store, "a1", "a2", NULL);
  change_put_sealed (change, "a1", "password", "x");
  change_put_sealed (change, "a2", "password", "y");
  commit_ok (fixture->store, change);
  put_runtime (fixture->store, "a1", "registered");
  put_runtime (fixture->store, "a2", "registered");
  put_sealed_later (fixture->store, "a1", "resume", "z");

  change = muster_store_change_new ();
  muster_store_change_delete_account (change, "a1");
  muster_store_commit_async (fixture->store, change, NULL, NULL, NULL);
  put_runtime (fixture->store, "a1", "unregistering");
  put_sealed_later (fixture->store, "a1", "resume", "late");
  assert_sealed (fixture->store, "a1", "resume", NULL);
  assert_sealed (fixture->store, "a1", "password", NULL);
  fixture_reopen (fixture);

  assert_accounts (fixture->store, "a2");
  assert_raw (fixture->path, "SELECT account FROM runtime", "a2");
  assert_raw (fixture->path, "SELECT account, name FROM sealed", "a2 password");
}

static void
test_delete_sealed (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();

  add_accounts (fixture->store, "a1", "a2", NULL);
  change_put_sealed (change, "a1", "password", "p");
  change_put_sealed (change, "a1", "token", "t");
  change_put_sealed (change, "a2", "token", "t");
  commit_ok (fixture->store, change);
  put_sealed_later (fixture->store, "a1", "resume", "r");

  change = muster_store_change_new ();
  muster_store_change_delete_sealed (change, "a1", "token");
  commit_ok (fixture->store, change);
  assert_sealed (fixture->store, "a1", "token", NULL);
  assert_sealed (fixture->store, "a1", "password", "p");
  assert_sealed (fixture->store, "a1", "resume", "r");

  change = muster_store_change_new ();
  muster_store_change_delete_sealed (change, "a1", NULL);
  commit_ok (fixture->store, change);
  fixture_reopen (fixture);
  assert_raw (fixture->path, "SELECT account, name FROM sealed", "a2 token");
}

static void
test_cancelled_changes_nothing (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  change_put_identity (change, "i1");
  g_cancellable_cancel (cancellable);
  muster_store_commit_async (fixture->store, change, cancellable, on_result, &result);
  g_assert_false (muster_store_commit_finish (fixture->store, wait_for_result (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_raw (fixture->path, "SELECT count (*) FROM identity", "0");
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  guint *n_committed = user_data;
  g_autoptr (GError) error = NULL;

  muster_store_commit_finish (MUSTER_STORE (source), result, &error);
  g_assert_no_error (error);
  g_assert_true (g_main_context_is_owner (NULL)); /* never on the writer's thread */
  (*n_committed)++;
}

static void
test_close_writes_all (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  guint n_committed = 0;

  add_accounts (fixture->store, "a1", NULL);
  for (guint i = 0; i < 200; i++) {
    g_autofree char *name = g_strdup_printf ("n%u", i);
    MusterStoreChange *change = muster_store_change_new ();

    change_put_sealed (change, "a1", name, "x");
    muster_store_commit_async (fixture->store, change, NULL, on_committed, &n_committed);
  }
  put_runtime (fixture->store, "a1", "registered");
  append_event (fixture->store, "registration.created", "a1");

  muster_store_close (fixture->store);
  assert_raw (fixture->path,
              "SELECT (SELECT count (*) FROM sealed), (SELECT count (*) FROM runtime),"
              " (SELECT count (*) FROM event)",
              "200 1 1");
  g_assert_cmpuint (n_committed, ==, 0);
  while (n_committed < 200)
    g_main_context_iteration (NULL, TRUE);

  /* after that, nothing is possible, and nothing crashes */
  put_runtime (fixture->store, "a1", "registered");
  append_event (fixture->store, "registration.created", "a1");
  muster_store_commit_async (fixture->store, muster_store_change_new (), NULL, on_result, &result);
  g_assert_false (muster_store_commit_finish (fixture->store, wait_for_result (&result), &error));
  g_assert_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FAILED);
}

/* cost */

static void
test_ten_thousand (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GPtrArray) accounts = NULL;
  g_autoptr (GPtrArray) runtimes = NULL;
  g_autoptr (GTimer) timer = NULL;
  double put_s, load_s;

  change_put_identity (change, "i1");
  for (guint i = 0; i < 10000; i++) {
    g_autofree char *id = g_strdup_printf ("a%012u", i);

    change_put_account (change, id, "i1");
    change_put_sealed (change, id, "password", "0123456789012345678901234567890123456789");
  }
  commit_ok (fixture->store, change);

  timer = g_timer_new ();
  for (guint i = 0; i < 10000; i++) {
    g_autofree char *id = g_strdup_printf ("a%012u", i);

    put_runtime (fixture->store, id, "registered");
  }
  put_s = g_timer_elapsed (timer, NULL);
  fixture_close (fixture);

  g_timer_start (timer);
  fixture_open (fixture);
  accounts = muster_store_load_accounts (fixture->store, NULL);
  runtimes = muster_store_load_runtimes (fixture->store, NULL);
  load_s = g_timer_elapsed (timer, NULL);

  g_assert_cmpuint (accounts->len, ==, 10000);
  g_assert_cmpuint (runtimes->len, ==, 10000);
  g_test_message ("10,000 rows put: %.2f us each; opened and loaded: %.1f ms", put_s * 100,
                  load_s * 1000);
  g_assert_cmpfloat (load_s, <, 5); /* it is some 50 ms; only a change of order is caught here */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test)                                                                            \
  g_test_add ("/store/" path, Fixture, NULL, fixture_set_up, test, fixture_tear_down)

  ADD ("open/creates", test_open_creates);
  ADD ("open/tightens-mode", test_open_tightens_mode);
  ADD ("open/impossible", test_open_impossible);
  ADD ("change/round-trip", test_round_trip);
  ADD ("change/put-again-replaces", test_put_again_replaces);
  ADD ("change/all-or-nothing", test_all_or_nothing);
  ADD ("change/order-inside", test_order_inside_a_change);
  ADD ("change/identity-in-use-stays", test_identity_in_use_stays);
  ADD ("change/ids-are-never-used-again", test_ids_are_never_used_again);
  ADD ("change/delete-takes-all", test_delete_takes_all);
  ADD ("change/delete-sealed", test_delete_sealed);
  ADD ("change/cancelled-changes-nothing", test_cancelled_changes_nothing);
  ADD ("change/close-writes-all", test_close_writes_all);
  ADD ("cost/ten-thousand", test_ten_thousand);

  return g_test_run ();
}
