/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"

/* The daemon is killed, or leaves, and is started again: what goes on, and what others hear of it. */

static void
restart (Daemon *daemon)
{
  daemon_kill (daemon);
  daemon_start (daemon);
}

/* killed */

static void
test_a_running_lease_goes_on (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");
  gint64 registered_us;

  assert_binding (account, "one.example hush -");
  registered_us = view (account)->registered_at_us;
  restart (daemon);

  account = only_account (daemon);
  g_assert_cmpuint (view (account)->state, ==, MUSTER_ACCOUNT_REFRESHING);
  g_assert_cmpint (view (account)->registered_at_us, ==, registered_us);
  g_assert_cmpuint (only_identity (daemon)->n_registered, ==, 1); /* contacts see no flap */
  assert_binding (account, "one.example hush one.example");       /* with what was kept */
  assert_told (daemon, "registration.refreshed");
  g_assert_cmpuint (muster_broker_get_counters (daemon->broker)->opened, ==, 0);
}

static void
test_a_lease_that_ended_does_not (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE runtime SET expires_at_us = 1000");
  daemon_start (daemon);
  g_assert_cmpuint (view (only_account (daemon))->state, ==, MUSTER_ACCOUNT_REGISTERING);
  wait_for_state (only_account (daemon), "registered");
  assert_told (daemon, "registration.created");
}

static void
test_a_state_of_a_later_version (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE runtime SET state = 'daydreaming'");
  daemon_start (daemon);
  wait_for_state (only_account (daemon), "registered");
}

static void
test_switched_off_stays_off (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  set_enabled (daemon, account, FALSE); /* killed while it is still leaving */
  restart (daemon);
  wait_for_state (only_account (daemon), "disabled");
  assert_told (daemon, "");
}

/* secrets */

/* It is known without being read whether it is still the same. */
static void
test_a_secret_stays_the_same (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");
  guint first = muster_account_secrets_get_version (muster_account_get_secret_list (account),
                                                    "password");
  guint second;

  g_assert_cmpuint (first, !=, 0);
  g_assert_cmpuint (muster_account_secrets_get_version (muster_account_get_secret_list (account),
                                                        "token"),
                    ==, 0);
  assert_binding (account, "one.example hush -");
  restart (daemon);
  account = only_account (daemon);
  g_assert_cmpuint (muster_account_secrets_get_version (muster_account_get_secret_list (account),
                                                        "password"),
                    ==, first);

  set_password (daemon, account, "other");
  second = muster_account_secrets_get_version (muster_account_get_secret_list (account),
                                               "password");
  g_assert_cmpuint (second, !=, first);
  restart (daemon);
  account = only_account (daemon);
  g_assert_cmpuint (muster_account_secrets_get_version (muster_account_get_secret_list (account),
                                                        "password"),
                    ==, second);

  set_password (daemon, account, NULL);
  g_assert_cmpuint (muster_account_secrets_get_version (muster_account_get_secret_list (account),
                                                        "password"),
                    ==, 0);
  g_assert_cmpstr (muster_account_get_secrets (account)[0], ==, NULL);
}

/* refused */

static void
assert_stays_refused (Daemon *daemon)
{
  MusterAccount *account = only_account (daemon);

  wait_for_state (account, "waiting-secret");
  g_assert_cmpstr (view (account)->reason, ==, "refused");
  g_assert_cmpuint (muster_broker_get_counters (daemon->broker)->failed, ==, 0); /* not tried */
}

static void
test_refused_stays_refused (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "wrong");

  wait_for_state (account, "waiting-secret");
  g_assert_cmpstr (view (account)->reason, ==, "refused");
  restart (daemon);
  assert_stays_refused (daemon);

  daemon_leave (daemon);
  restart (daemon);
  assert_stays_refused (daemon);

  set_password (daemon, only_account (daemon), "hush");
  assert_binding (only_account (daemon), "one.example hush -");
  restart (daemon);
  wait_for_state (only_account (daemon), "registered");
}

/* Off and on again, with a restart between, is no way round it either. */
static void
test_refused_stays_refused_when_switched_off (Daemon *daemon, gconstpointer data)
{
  wait_for_state (add (daemon, "alice@bound", "wrong"), "waiting-secret");
  set_enabled (daemon, only_account (daemon), FALSE);
  restart (daemon);
  set_enabled (daemon, only_account (daemon), TRUE);
  assert_stays_refused (daemon);
}

/* Killed in the next moment, it must not come back as somebody else beside its own lease. */
static void
test_a_lease_is_written_with_what_goes_on (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  wait_for_state (account, "registered");
  for (;;) {
    g_autofree char *n = raw_sql (daemon->base.path,
                                  "SELECT count(*) FROM runtime WHERE state = 'registered'");

    if (strcmp (n, "1") == 0)
      break;
    g_main_context_iteration (NULL, FALSE);
  }
  assert_raw (daemon->base.path, "SELECT count(*) FROM sealed WHERE name = 'resume'", "1");
}

/* What a registration saves with its last breath is sealed before the daemon is gone. */
static void
test_last_words_are_kept (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  wait_for_state (account, "registered");
  daemon_leave (daemon); /* closing, it saves "closed" */
  daemon_kill (daemon);
  daemon_start (daemon);

  account = only_account (daemon);
  wait_for_state (account, "registered");
  assert_binding (account, "one.example hush closed");
}

/* An edit that makes it another registration, but leaves it the secret, is none either. */
static void
test_refused_stays_refused_when_edited (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GAsyncResult) edited = NULL;
  g_auto (GStrv) detached = NULL;
  const char *effect;

  wait_for_state (add (daemon, "alice@bound", "wrong"), "waiting-secret");
  begin_update (daemon, only_account (daemon), "{'realm': <'r'>}", &edited);
  g_assert_true (muster_broker_update_account_finish (daemon->broker, wait_for_result (&edited),
                                                      &effect, &detached, NULL));
  g_assert_cmpstr (effect, ==, "recreate");
  g_assert_cmpuint (muster_broker_get_counters (daemon->broker)->failed, ==, 1);
  g_assert_cmpstr (view (only_account (daemon))->reason, ==, "refused");
  restart (daemon);
  assert_stays_refused (daemon);
}

/* The secret is durable, and with it that it is new, however soon the daemon is killed. */
static void
test_a_new_secret_is_tried (Daemon *daemon, gconstpointer data)
{
  wait_for_state (add (daemon, "alice@bound", "wrong"), "waiting-secret");
  set_password (daemon, only_account (daemon), "hush");
  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE runtime SET state = 'waiting-secret'");
  daemon_start (daemon);
  wait_for_state (only_account (daemon), "registered");
}

/* leaving */

static void
test_left_and_started (Daemon *daemon, gconstpointer data)
{
  assert_binding (add (daemon, "alice@bound", "hush"), "one.example hush -");
  assert_told (daemon, "account.added registration.created");
  daemon_leave (daemon);
  assert_told (daemon, "registration.ended");
  restart (daemon);
  wait_for_state (only_account (daemon), "registered");
  assert_told (daemon, "registration.created");
}

static void
test_leaving_with_nobody (Daemon *daemon, gconstpointer data)
{
  daemon_leave (daemon);
  add (daemon, "alice@bound", NULL);
  daemon_leave (daemon);
}

static void
test_leaving_while_a_service_is_silent (Daemon *daemon, gconstpointer data)
{
  gint64 begun_us = g_get_monotonic_time ();

  assert_binding (add (daemon, "alice@bound", "hush"), "one.example hush -");
  add (daemon, "silent@bound", "hush");
  while (muster_standing_is_idle (muster_account_get_standing (
    muster_broker_find_account (daemon->broker, "silent@bound", NULL))))
    g_main_context_iteration (NULL, TRUE);
  daemon_leave (daemon);
  g_assert_cmpint (g_get_monotonic_time () - begun_us, <, 5 * G_USEC_PER_SEC);
}

/* It was on its way into the store when the session ended: it is there, and registers in the next one. */
static void
test_added_while_leaving (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GAsyncResult) added = NULL;
  g_autoptr (GAsyncResult) left = NULL;

  begin_add (daemon, "alice@bound", "hush", &added);
  muster_broker_leave_async (daemon->broker, on_result, &left);
  g_assert_nonnull (
    muster_broker_add_account_finish (daemon->broker, wait_for_result (&added), NULL));
  g_assert_true (muster_broker_leave_finish (daemon->broker, wait_for_result (&left), NULL));
  wait_for_state (only_account (daemon), "disabled");
  assert_told (daemon, "account.added");
  restart (daemon);
  wait_for_state (only_account (daemon), "registered");
}

/* damaged */

static gboolean
is_fatal (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  return (level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)) != 0;
}

static void
keep_message (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  g_string_append_printf (user_data, "%s\n", message);
}

static void
test_a_damaged_row_is_said (Daemon *daemon, gconstpointer data)
{
  g_autofree char *id = g_strdup (muster_account_get_id (add (daemon, "alice@bound", "hush")));
  g_autoptr (GString) said = g_string_new (NULL);
  guint handler;
  g_autofree char *sql = g_strdup_printf ("UPDATE account SET params = 'nonsense' WHERE id = '%s'",
                                          id);

  add (daemon, "bob@bound", "hush");
  daemon_kill (daemon);
  raw_change (daemon->base.path, sql);
  g_test_log_set_fatal_handler (is_fatal, NULL);
  handler = g_log_set_handler ("MusterBroker", G_LOG_LEVEL_WARNING | G_LOG_FLAG_FATAL, keep_message,
                               said);
  daemon_start (daemon);
  g_log_remove_handler ("MusterBroker", handler);
  g_test_log_set_fatal_handler (NULL, NULL);

  g_assert_nonnull (strstr (said->str, id));
  g_assert_nonnull (strstr (said->str, "was moved aside"));
  g_assert_cmpstr (muster_account_get_record (only_account (daemon))->address, ==, "bob@bound");
  wait_for_state (only_account (daemon), "registered");
}

static void
test_a_secret_that_does_not_open (Daemon *daemon, gconstpointer data)
{
  assert_binding (add (daemon, "alice@bound", "hush"), "one.example hush -");
  daemon_leave (daemon);
  daemon_kill (daemon);
  raw_change (daemon->base.path, "DELETE FROM sealed WHERE name = 'resume'");
  raw_change (daemon->base.path, "UPDATE sealed SET value = x'010203' WHERE name LIKE 'secret/%'");
  daemon_start (daemon);
  wait_for_state (only_account (daemon), "waiting-secret");
  g_assert_nonnull (strstr (view (only_account (daemon))->error->message, "cannot be opened"));
}

#define ADD(name, func)                                                                            \
  g_test_add ("/broker-restart/" name, Daemon, NULL, daemon_set_up, func, daemon_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  ADD ("a-running-lease-goes-on", test_a_running_lease_goes_on);
  ADD ("a-lease-that-ended-does-not", test_a_lease_that_ended_does_not);
  ADD ("a-state-of-a-later-version", test_a_state_of_a_later_version);
  ADD ("switched-off-stays-off", test_switched_off_stays_off);
  ADD ("secret-stays-the-same", test_a_secret_stays_the_same);
  ADD ("refused-stays-refused", test_refused_stays_refused);
  ADD ("refused-stays-refused-when-switched-off", test_refused_stays_refused_when_switched_off);
  ADD ("refused-stays-refused-when-edited", test_refused_stays_refused_when_edited);
  ADD ("a-new-secret-is-tried", test_a_new_secret_is_tried);
  ADD ("left-and-started", test_left_and_started);
  ADD ("leaving-with-nobody", test_leaving_with_nobody);
  ADD ("a-lease-is-written-with-what-goes-on", test_a_lease_is_written_with_what_goes_on);
  ADD ("last-words-are-kept", test_last_words_are_kept);
  ADD ("added-while-leaving", test_added_while_leaving);
  ADD ("leaving-while-a-service-is-silent", test_leaving_while_a_service_is_silent);
  ADD ("a-damaged-row-is-said", test_a_damaged_row_is_said);
  ADD ("a-secret-that-does-not-open", test_a_secret_that_does_not_open);

  return g_test_run ();
}
