/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "store-fixture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A daemon that is killed (SIGKILL) at any moment has lost nothing that it said was kept.
 *
 * This program starts itself as a child that makes changes and writes behind as fast as it can, and
 * says on its standard output what was acknowledged: "c N" for change N, "e N" for event N once it
 * was read back. After each kill the database must open without damage and hold all of it.
 */

#define ROUNDS      50
#define N_CHANGES   400 /* a round; then the child only writes behind */
#define N_IN_FLIGHT 4

/* Change N adds an account; every fifth deletes the one three before. */
#define DELETES(n) ((n) % 5 == 0 && (n) >= 5)
#define DELETED(n) ((n) -3)

/* the child */

typedef struct {
  MusterStore *store;
  guint round;
  guint n_started;
  guint n_markers;
} Child;

static void child_start_change (Child *child);
static void child_start_read (Child *child);

static void
say (char what, guint n)
{
  g_autofree char *line = g_strdup_printf ("%c %u\n", what, n);

  /* short enough to be written whole or not at all */
  if (write (STDOUT_FILENO, line, strlen (line)) < 0)
    _exit (2);
}

static char *
account_id (guint round, guint n)
{
  return g_strdup_printf ("a%u-%u", round, n);
}

typedef struct {
  Child *child;
  guint n;
} Pending;

static void
on_child_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Pending *pending = user_data;
  g_autoptr (GError) error = NULL;

  if (!muster_store_commit_finish (MUSTER_STORE (source), result, &error))
    g_error ("change %u: %s", pending->n, error->message);
  say ('c', pending->n);
  child_start_change (pending->child);
}

static void
child_start_change (Child *child)
{
  MusterStoreChange *change;
  Pending *pending;
  guint n = child->n_started;
  g_autofree char *id = account_id (child->round, n);

  if (n == N_CHANGES)
    return;
  child->n_started++;

  change = muster_store_change_new ();
  change_put_identity (change, "i1");
  change_put_account (change, id, "i1");
  change_put_sealed (change, id, "password", id);
  change_put_event (change, "account.added", id);
  if (DELETES (n)) {
    g_autofree char *deleted = account_id (child->round, DELETED (n));

    muster_store_change_delete_account (change, deleted);
    put_runtime (child->store, deleted, "unregistering");
    put_sealed_later (child->store, deleted, "resume", "x");
  }

  pending = g_new (Pending, 1);
  pending->child = child;
  pending->n = n;
  muster_store_commit_async (child->store, change, NULL, on_child_committed, pending);
  put_runtime (child->store, id, "registered");
}

static void
on_child_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Pending *pending = user_data;
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GError) error = NULL;

  events = muster_store_read_events_finish (MUSTER_STORE (source), result, &error);
  if (events == NULL)
    g_error ("event %u: %s", pending->n, error->message);
  if (events->len > 0)
    say ('e', pending->n);
  child_start_read (pending->child);
}

static void
child_start_read (Child *child)
{
  Pending *pending = g_new (Pending, 1);
  g_autofree char *type = NULL;

  pending->child = child;
  pending->n = child->n_markers++;
  type = g_strdup_printf ("marker.%u.%u", child->round, pending->n);
  append_event (child->store, type, "");
  muster_store_read_events_async (child->store, 0, "", type, 1, NULL, on_child_read, pending);
}

static int
run_child (const char *path, guint round)
{
  Child child = { NULL, round, 0, 0 };
  g_autoptr (GError) error = NULL;

  child.store = muster_store_open (path, &error);
  if (child.store == NULL)
    g_error ("%s", error->message);

  for (guint i = 0; i < N_IN_FLIGHT; i++)
    child_start_change (&child);
  child_start_read (&child);
  while (child.n_markers < 3000) /* the parent is expected to end this earlier */
    g_main_context_iteration (NULL, TRUE);
  pause ();

  return 0;
}

/* the parent */

typedef struct {
  gboolean changes[N_CHANGES];
  gint64 newest_marker; /* -1: none */
  guint n_changes;
} Acknowledged;

static GPid
start_child (const char *path, guint round, int *output)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *number = g_strdup_printf ("%u", round);
  const char *argv[] = { program, "--child", path, number, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                            NULL, output, NULL, &error);
  g_assert_no_error (error);

  return pid;
}

/* Reads what the child says for @limit_ms, -1: until it says something, or to its end. */
static gboolean
listen_to_child (int fd, GString *said, int limit_ms)
{
  struct pollfd poll_fd = { fd, POLLIN, 0 };
  char buffer[4096];
  gssize n_read;
  int n_ready;

  do {
    n_ready = poll (&poll_fd, 1, limit_ms);
  } while (n_ready < 0 && errno == EINTR);
  if (n_ready == 0)
    return FALSE;

  n_read = read (fd, buffer, sizeof buffer);
  g_assert_cmpint (n_read, >=, 0);
  g_string_append_len (said, buffer, n_read);

  return n_read > 0;
}

static void
parse_said (const char *said, Acknowledged *acknowledged)
{
  g_auto (GStrv) lines = g_strsplit (said, "\n", -1);

  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++) {
    guint64 n = g_ascii_strtoull (lines[i] + 1, NULL, 10);

    if (lines[i][0] == 'e') {
      acknowledged->newest_marker = MAX (acknowledged->newest_marker, (gint64) n);
      continue;
    }
    g_assert_cmpint (lines[i][0], ==, 'c');
    g_assert_cmpuint (n, <, N_CHANGES);
    acknowledged->changes[n] = TRUE;
    acknowledged->n_changes++;
  }
}

static void
run_and_kill (const char *path, guint round, Acknowledged *acknowledged)
{
  g_autoptr (GString) said = g_string_new (NULL);
  g_autoptr (GTimer) timer = NULL;
  int output, status;
  double life_s;
  GPid pid;

  memset (acknowledged, 0, sizeof *acknowledged);
  acknowledged->newest_marker = -1;
  pid = start_child (path, round, &output);

  /* every fifth perhaps while it still opens the database */
  if (round % 5 != 4)
    listen_to_child (output, said, -1);

  timer = g_timer_new ();
  life_s = g_test_rand_double_range (0, 0.06);
  while (g_timer_elapsed (timer, NULL) < life_s)
    listen_to_child (output, said, 1);

  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  while (listen_to_child (output, said, -1)) /* what it had said before */
    continue;
  close (output);
  parse_said (said->str, acknowledged);
}

static GHashTable *
load_ids (MusterStore *store)
{
  g_autoptr (GPtrArray) accounts = muster_store_load_accounts (store, NULL);
  GHashTable *ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_assert_nonnull (accounts);
  for (guint i = 0; i < accounts->len; i++)
    g_hash_table_add (ids, g_strdup (((MusterAccountRecord *) accounts->pdata[i])->id));

  return ids;
}

/* All of the journal since the round began must be there: it is less than what is kept. */
static GHashTable *
load_event_accounts (MusterStore *store, guint round)
{
  GHashTable *seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *prefix = g_strdup_printf ("a%u-", round);
  gint64 before = 0;

  while (TRUE) {
    g_autoptr (GPtrArray) events = read_events (store, before, "", "account.added", 1000);
    const MusterEventRecord *event = NULL;

    for (guint i = 0; i < events->len; i++) {
      event = events->pdata[i];
      g_assert_true (before == 0 || event->seq < before);
      before = event->seq;
      g_assert_true (g_hash_table_add (seen, g_strdup (event->account)));
    }
    if (event == NULL || !g_str_has_prefix (event->account, prefix))
      return seen;
  }
}

static void
check_changes (Fixture *fixture, guint round, const Acknowledged *acknowledged)
{
  g_autoptr (GHashTable) ids = load_ids (fixture->store);
  g_autoptr (GHashTable) events = load_event_accounts (fixture->store, round);

  for (guint n = 0; n < N_CHANGES; n++) {
    g_autofree char *id = account_id (round, n);
    guint deleter = n + 3;
    gboolean may_be_gone = DELETES (deleter); /* that change may be made without being said */

    if (acknowledged->changes[n]) {
      g_assert_true (g_hash_table_contains (events, id));
      if (!may_be_gone) {
        g_assert_true (g_hash_table_contains (ids, id));
        if (n % 20 == 0)
          assert_sealed (fixture->store, id, "password", id);
      }
    }
    if (may_be_gone && deleter < N_CHANGES && acknowledged->changes[deleter])
      g_assert_false (g_hash_table_contains (ids, id));

    /* all or nothing: the account, or its deletion, comes with the event of its change */
    if (!g_hash_table_contains (events, id))
      g_assert_false (g_hash_table_contains (ids, id));
  }
}

static void
check_consistency (Fixture *fixture)
{
  assert_raw (fixture->path, "PRAGMA integrity_check", "ok");
  assert_raw (fixture->path, "SELECT count (*) FROM pragma_foreign_key_check", "0");
  assert_raw (fixture->path, "SELECT count (*) FROM quarantine", "0");
  /* nothing written behind outlives its account */
  assert_raw (
    fixture->path,
    "SELECT (SELECT count (*) FROM runtime WHERE account NOT IN (SELECT id FROM account)),"
    " (SELECT count (*) FROM sealed WHERE account NOT IN (SELECT id FROM account)),"
    " (SELECT count (*) FROM retired WHERE id IN (SELECT id FROM account))",
    "0 0 0");
  assert_raw (fixture->path,
              "SELECT count (*) FROM account WHERE id NOT IN"
              " (SELECT account FROM sealed WHERE name = 'password')",
              "0");
}

static void
test_killed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) before = g_hash_table_new (g_str_hash, g_str_equal);
  guint n_changes = 0, n_markers = 0;

  for (guint round = 0; round < ROUNDS; round++) {
    Acknowledged acknowledged;
    GHashTableIter iter;
    gpointer id;
    g_autoptr (GHashTable) now = NULL;

    run_and_kill (fixture->path, round, &acknowledged);
    n_changes += acknowledged.n_changes;
    n_markers += (guint) (acknowledged.newest_marker + 1);

    fixture_open (fixture);
    g_assert_null (muster_store_get_notice (fixture->store));
    check_changes (fixture, round, &acknowledged);
    check_consistency (fixture);
    if (acknowledged.newest_marker >= 0) {
      g_autofree char *type = g_strdup_printf ("marker.%u.%" G_GINT64_FORMAT, round,
                                               acknowledged.newest_marker);

      assert_types (fixture->store, 0, "", type, 1, type);
    }

    /* and what earlier rounds left is still there */
    now = load_ids (fixture->store);
    g_hash_table_iter_init (&iter, before);
    while (g_hash_table_iter_next (&iter, &id, NULL))
      g_assert_true (g_hash_table_contains (now, id));
    g_hash_table_unref (before);
    before = g_steal_pointer (&now);
    fixture_close (fixture);
  }

  g_test_message ("%d kills; %u changes and %u events acknowledged, none lost", ROUNDS, n_changes,
                  n_markers);
  g_assert_cmpuint (n_changes, >, ROUNDS); /* it was not all silence */
  g_assert_cmpuint (n_markers, >, 0);
}

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], "--child"))
    return run_child (argv[2], (guint) g_ascii_strtoull (argv[3], NULL, 10));

  g_test_init (&argc, &argv, NULL);

  g_test_add ("/store/killed", Fixture, NULL, fixture_set_up_closed, test_killed,
              fixture_tear_down);

  return g_test_run ();
}
