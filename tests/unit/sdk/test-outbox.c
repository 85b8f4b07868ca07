/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "events/muster-outbox.h"
#include "full-fixture.h"
#include "store-fixture.h"
#include "store/muster-store-records.h"
#include "store/muster-store-waiting.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Events on their way to the fixture's sink: each at least once, those of an account in order, through
 * failures, restarts and SIGKILL.
 */

#define MAX_EVENTS 100000

typedef struct {
  Fixture store;
  GPtrArray *sinks;
  MusterEventBus *bus;
  MusterOutbox *outbox;
} World;

static void
open_outbox (World *world, guint max_events)
{
  const MusterKind *kind = muster_module_get_info (full_module)->kinds[1];
  g_autoptr (GError) error = NULL;

  fixture_open (&world->store);
  world->sinks = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (world->sinks, muster_sink_new (kind->get_type (), kind->name, NULL));
  world->bus = muster_event_bus_new (world->store.store);
  world->outbox = muster_outbox_new (world->store.store, world->bus, world->sinks, max_events,
                                     &error);
  g_assert_no_error (error);
}

static void
close_outbox (World *world)
{
  g_clear_pointer (&world->outbox, muster_outbox_free);
  settle ();
  g_clear_pointer (&world->bus, muster_event_bus_free);
  g_clear_pointer (&world->sinks, g_ptr_array_unref);
  fixture_close (&world->store);
}

static void
set_up (World *world, gconstpointer data)
{
  full_reset ();
  fixture_set_up_closed (&world->store, data);
  open_outbox (world, MAX_EVENTS);
}

static void
tear_down (World *world, gconstpointer data)
{
  close_outbox (world);
  fixture_tear_down (&world->store, data);
}

static void
emit (World *world, const char *account, guint n, gboolean keep)
{
  muster_event_bus_emit (world->bus, "registration.created", account,
                         g_variant_new_parsed ("{'n': <%u>}", n), keep);
}

/* Goes on by @ms, and as often as it takes waits for the store's thread: until nothing moves. */
static void
pump (World *world, gint64 ms)
{
  guint n_consumed;

  pass_ms (ms);
  do {
    n_consumed = full->consumed->len;
    for (guint i = 0; i < 3; i++) {
      g_autoptr (GPtrArray) counts = muster_store_load_outbox_counts (world->store.store, NULL);

      g_assert_nonnull (counts); /* everything asked before is done */
      settle ();
    }
  } while (full->consumed->len != n_consumed);
}

static char *
take_consumed (void)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < full->consumed->len; i++) {
    MusterEvent *event = full->consumed->pdata[i];
    guint n = 0;

    g_variant_lookup (muster_event_get_payload (event), "n", "u", &n);
    g_string_append_printf (text, "%s%s%u", i > 0 ? " " : "", muster_event_get_account (event), n);
  }
  g_ptr_array_set_size (full->consumed, 0);

  return g_string_free (text, FALSE);
}

#define assert_consumed(expected)                                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *consumed = take_consumed ();                                                  \
    g_assert_cmpstr (consumed, ==, expected);                                                      \
  }                                                                                                \
  G_STMT_END

static void
test_delivered (World *world, gconstpointer data)
{
  emit (world, "a", 1, TRUE);
  emit (world, "a", 2, FALSE); /* what is not kept is not delivered */
  emit (world, "a", 3, TRUE);
  g_assert_cmpuint (full->consumed->len, ==, 0);
  pump (world, 200);
  g_assert_cmpuint (muster_event_get_id (full->consumed->pdata[0]), ==, 1);
  assert_consumed ("a1 a3");
  g_assert_cmpuint (muster_outbox_count (world->outbox, "full-sink"), ==, 0);
  pump (world, 1000000);
  assert_consumed ("");

  close_outbox (world);
  assert_raw (world->store.path, "SELECT count (*) FROM outbox", "0");
  open_outbox (world, MAX_EVENTS);
}

static void
test_unwanted (World *world, gconstpointer data)
{
  muster_event_bus_emit (world->bus, "registration.refreshed", "a",
                         g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), TRUE);
  pump (world, 200);
  assert_log ("");
  g_assert_cmpuint (muster_outbox_count (world->outbox, "full-sink"), ==, 0);
}

/* In the transaction of a change. */
static void
test_change (World *world, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  MusterEventRecord record = { .time_us = WALL_US, .type = "account.added", .account = "a" };
  g_auto (GStrv) sinks = muster_event_bus_dup_sinks (world->bus, "account.added");
  g_autoptr (GVariant)
    payload = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));

  record.payload = payload;
  record.sinks = sinks;
  muster_store_change_put_event (change, &record);
  commit_ok (world->store.store, change);
  pump (world, 200);
  g_assert_cmpuint (full->consumed->len, ==, 1);
  g_assert_cmpstr (muster_event_get_type_name (full->consumed->pdata[0]), ==, "account.added");
}

/* One account's events wait for each other; other accounts' do not. */
static void
test_order (World *world, gconstpointer data)
{
  full->hold = TRUE;
  emit (world, "a", 1, TRUE);
  emit (world, "a", 2, TRUE);
  emit (world, "b", 3, TRUE);
  pump (world, 200);
  assert_log ("consume:a consume:b");
  release ();
  settle ();
  assert_log ("consume:a");
  release ();
  release ();
  settle ();
  assert_consumed ("a1 b3 a2");
}

static void
test_retry (World *world, gconstpointer data)
{
  full->consume_error = MUSTER_ERROR_UNREACHABLE;
  full->refuse_account = "a";
  emit (world, "a", 1, TRUE);
  emit (world, "b", 2, TRUE);
  emit (world, "a", 3, TRUE);
  pump (world, 200);
  assert_log ("consume:a consume:b");
  assert_consumed ("b2");
  for (guint i = 0; i < 100; i++)
    emit (world, "a", 4 + i, TRUE);
  pump (world, 60000);
  g_assert_cmpuint (full->log->len, >, 0);
  assert_consumed ("");
  g_assert_cmpuint (muster_outbox_count (world->outbox, "full-sink"), ==, 102);

  full->consume_error = -1;
  for (guint i = 0; i < 5; i++)
    pump (world, 100000);
  g_assert_cmpuint (full->consumed->len, ==, 102);
  for (guint i = 1; i < full->consumed->len; i++)
    g_assert_cmpuint (muster_event_get_id (full->consumed->pdata[i - 1]), <,
                      muster_event_get_id (full->consumed->pdata[i]));
  g_assert_cmpuint (muster_outbox_count (world->outbox, "full-sink"), ==, 0);
}

static void
test_retry_after (World *world, gconstpointer data)
{
  full->consume_error = MUSTER_ERROR_BUSY;
  full->retry_after_s = 30;
  emit (world, "a", 1, TRUE);
  pump (world, 200);
  assert_log ("consume:a");
  pump (world, 29000);
  assert_log ("");
  pump (world, 1200);
  assert_log ("consume:a");
}

static void
test_silent (World *world, gconstpointer data)
{
  full->hold = TRUE;
  emit (world, "a", 1, TRUE);
  pump (world, 200);
  pump (world, 59000);
  g_assert_cmpuint (g_queue_get_length (&full->held), ==, 1);
  full->hold = FALSE;
  pump (world, 3000);
  assert_log ("consume:a consume:a");
}

/* More than are held in memory at once. */
static void
test_many (World *world, gconstpointer data)
{
  for (guint i = 0; i < 6000; i++) {
    g_autofree char *account = g_strdup_printf ("a%u", i % 7);

    emit (world, account, i, TRUE);
    if (i % 1000 == 999)
      pump (world, 10);
  }
  for (guint i = 0; i < 50 && full->consumed->len < 6000; i++)
    pump (world, 1000);
  g_assert_cmpuint (full->consumed->len, ==, 6000);
}

static void
test_restart (World *world, gconstpointer data)
{
  full->consume_error = MUSTER_ERROR_UNREACHABLE;
  emit (world, "a", 1, TRUE);
  emit (world, "a", 2, TRUE);
  pump (world, 200);
  full->hold = TRUE; /* and one is under way at the end */
  pump (world, 2000);
  close_outbox (world);
  g_assert_true (g_queue_is_empty (&full->held));

  full->hold = FALSE;
  full->consume_error = -1;
  open_outbox (world, MAX_EVENTS);
  g_assert_cmpuint (muster_outbox_count (world->outbox, "full-sink"), ==, 2);
  pump (world, 200);
  assert_consumed ("a1 a2");
}

static void
test_bounded (World *world, gconstpointer data)
{
  close_outbox (world);
  open_outbox (world, 100);
  full->consume_error = MUSTER_ERROR_UNREACHABLE;
  for (guint i = 0; i < 150; i++)
    emit (world, "a", i, TRUE);
  g_test_expect_message ("MusterEvents", G_LOG_LEVEL_WARNING, "*51 oldest were dropped*");
  pump (world, 200);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (muster_outbox_count (world->outbox, "full-sink"), ==, 100); /* with the next: */
  assert_types (world->store.store, 0, "", "outbox.", 10, "outbox.dropped");
  close_outbox (world);
  assert_raw (world->store.path, "SELECT count (*) FROM outbox", "100");
  assert_raw (world->store.path, "SELECT min (seq) FROM outbox", "52");
  open_outbox (world, 100);
}

/* A state goes into the file no sooner than the events that were put before it. */
static void
test_told_first (void)
{
  g_autoptr (MusterStoreWaiting) rows = muster_store_waiting_new ();
  g_autoptr (MusterStoreWaiting) part = NULL;
  g_autoptr (MusterStoreWaiting) rest = NULL;
  g_autoptr (GVariant)
    none = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
  MusterEventRecord event = { .type = "registration.created", .account = "a", .payload = none };
  MusterRuntimeRecord runtime = { .account = "a", .state = "registered" };

  for (guint i = 0; i < 11; i++)
    muster_store_waiting_put_event (rows, i, muster_event_record_copy (&event));
  muster_store_waiting_put_runtime (rows, 11, &runtime);

  part = muster_store_waiting_split (rows, 10);
  rest = muster_store_waiting_split_events (rows, 100);
  g_assert_false (muster_store_waiting_is_empty (rest)); /* the eleventh */
  g_assert_false (muster_store_waiting_is_empty (rows)); /* the state */
}

/* killed */

#define ROUNDS 12
#define BURST  700 /* more than is written in one transaction */

static int
run_child (const char *path, const char *round)
{
  World world = { .store = { .path = (char *) path } };

  full_reset ();
  full->consume_error = MUSTER_ERROR_UNREACHABLE;
  open_outbox (&world, MAX_EVENTS);
  for (guint burst = 0;; burst++) {
    for (guint i = 0; i < BURST; i++) {
      g_autofree char *account = g_strdup_printf ("a%s-%u-%u", round, burst, i);
      MusterStoreChange *change;

      if (i % 100 == 0) {
        g_autofree char *line = g_strdup_printf ("%s\n", account);
        MusterEventRecord record = { .type = "account.added", .account = account };
        g_auto (GStrv) sinks = muster_event_bus_dup_sinks (world.bus, "account.added");
        g_autoptr (GVariant)
          none = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));

        record.payload = none;
        record.sinks = sinks;
        change = muster_store_change_new ();
        change_put_identity (change, "i1");
        change_put_account (change, account, "i1");
        muster_store_change_put_event (change, &record);
        commit_ok (world.store.store, change);
        if (write (STDOUT_FILENO, line, strlen (line)) < 0)
          _exit (2);
        emit (&world, account, i, TRUE);
        put_runtime (world.store.store, account, "registered");
      } else {
        emit (&world, account, i, TRUE);
      }
    }
    pump (&world, 200);
  }
}

/* What the sink has, or is still to get: all that the child said was done must be among it. */
static void
check_after_kill (World *world, const char *said)
{
  g_auto (GStrv) lines = g_strsplit (said, "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) runtimes = NULL;

  full_reset ();
  open_outbox (world, MAX_EVENTS);
  for (guint i = 0; i < 200 && muster_outbox_count (world->outbox, "full-sink") > 0; i++)
    pump (world, 200);
  g_assert_cmpuint (muster_outbox_count (world->outbox, "full-sink"), ==, 0);

  for (guint i = 0; i < full->consumed->len; i++) {
    MusterEvent *event = full->consumed->pdata[i];

    g_hash_table_add (seen, g_strdup_printf ("%s %s", muster_event_get_type_name (event),
                                             muster_event_get_account (event)));
  }
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    g_autofree char *key = g_strconcat ("account.added ", lines[i], NULL);

    g_assert_true (g_hash_table_contains (seen, key));
  }

  /* A state that was stored was told. */
  runtimes = muster_store_load_runtimes (world->store.store, NULL);
  for (guint i = 0; i < runtimes->len; i++) {
    const MusterRuntimeRecord *runtime = runtimes->pdata[i];
    g_autofree char *key = g_strconcat ("registration.created ", runtime->account, NULL);

    g_assert_true (g_hash_table_contains (seen, key));
  }
}

static void
kill_round (World *world, guint round)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *number = g_strdup_printf ("%u", round);
  const char *argv[] = { program, "--child", world->store.path, number, NULL };
  g_autoptr (GString) said = g_string_new (NULL);
  g_autoptr (GTimer) timer = g_timer_new ();
  double life_s = g_test_rand_double_range (0.02, 0.4);
  struct pollfd poll_fd = { .events = POLLIN };
  char buffer[4096];
  gssize n_read;
  int status;
  GPid pid;

  g_assert_true (g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                           NULL, NULL, &pid, NULL, &poll_fd.fd, NULL, NULL));
  poll (&poll_fd, 1, -1); /* it has begun */
  g_timer_start (timer);
  while (g_timer_elapsed (timer, NULL) < life_s) {
    if (poll (&poll_fd, 1, 1) > 0 && (n_read = read (poll_fd.fd, buffer, sizeof buffer)) > 0)
      g_string_append_len (said, buffer, n_read);
  }
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  while ((n_read = read (poll_fd.fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (said, buffer, n_read);
  close (poll_fd.fd);

  g_assert_cmpuint (said->len, >, 0);
  check_after_kill (world, said->str);
}

/* The child's sink never takes an event, so all of them are still to come. */
static void
test_killed (World *world, gconstpointer data)
{
  for (guint round = 0; round < ROUNDS; round++) {
    close_outbox (world);
    remove_folder (world->store.folder);
    kill_round (world, round);
  }
}

int
main (int argc, char **argv)
{
  int status;

  if (argc == 4 && g_str_equal (argv[1], "--child")) {
    full_open ();
    return run_child (argv[2], argv[3]);
  }

  g_test_init (&argc, &argv, NULL);
  full_open ();

#define ADD(path, test) g_test_add (path, World, NULL, set_up, test, tear_down)
  ADD ("/outbox/delivered", test_delivered);
  ADD ("/outbox/unwanted", test_unwanted);
  ADD ("/outbox/change", test_change);
  ADD ("/outbox/order", test_order);
  ADD ("/outbox/retry", test_retry);
  ADD ("/outbox/retry-after", test_retry_after);
  ADD ("/outbox/silent", test_silent);
  ADD ("/outbox/many", test_many);
  ADD ("/outbox/restart", test_restart);
  ADD ("/outbox/bounded", test_bounded);
  g_test_add_func ("/outbox/told-first", test_told_first);
  ADD ("/outbox/killed", test_killed);

  status = g_test_run ();
  full_clear ();
  muster_module_free (full_module);
  return status;
}
