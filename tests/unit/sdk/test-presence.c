/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "presence-fixture.h"

/* Layers: what identities show, and what a restart leaves of it. */

/* layers */

static void
test_layers_end_by_themselves (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);
  guint64 number;

  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "here");
  set_layer (daemon, "lunch", MUSTER_PRESENCE_DND, "Lunch",
             muster_clock_wall_us () + 30 * MINUTE_US, TRUE);
  assert_shows (daemon, "dnd", "Lunch");
  assert_raw (daemon->base.path, "SELECT count (*) FROM presence_layer", "2");
  pass_ms (30 * 60 * 1000 - 500);
  assert_published (daemon, account, "dnd: Lunch");
  pass_ms (1000);
  assert_shows (daemon, "available", "here");
  assert_published (daemon, account, "available: here");
  number = set_layer (daemon, "call", MUSTER_PRESENCE_DND, "", 0, FALSE); /* behind the deletion */
  assert_raw (daemon->base.path, "SELECT name FROM presence_layer", "user");

  muster_broker_drop_layer (daemon->broker, only_identity (daemon)->record->id, "call", number - 1);
  assert_shows (daemon, "dnd", ""); /* somebody else set it since */
  muster_broker_drop_layer (daemon->broker, only_identity (daemon)->record->id, "call", number);
  assert_shows (daemon, "available", "here");
}

/* Until is wall time: a clock that is set, and a night in suspend, are seen within a minute. */
static void
test_the_clock_is_set (Daemon *daemon, gconstpointer data)
{
  add_ann (daemon);
  set_layer (daemon, "user", MUSTER_PRESENCE_DND, "", muster_clock_wall_us () + 600 * MINUTE_US,
             FALSE);
  pass_ms (1000);
  muster_clock_step_wall_us (601 * MINUTE_US);
  assert_shows (daemon, "dnd", "");
  pass_ms (61 * 1000);
  assert_shows (daemon, "available", "");

  set_layer (daemon, "user", MUSTER_PRESENCE_DND, "", muster_clock_wall_us () + 600 * MINUTE_US,
             FALSE);
  muster_clock_suspend_us (601 * MINUTE_US);
  pass_ms (1000);
  assert_shows (daemon, "available", "");

  set_layer (daemon, "user", MUSTER_PRESENCE_DND, "", muster_clock_wall_us () + MINUTE_US, FALSE);
  muster_clock_step_wall_us (-10 * MINUTE_US);
  pass_ms (5 * 60 * 1000);
  assert_shows (daemon, "dnd", "");
  pass_ms (7 * 60 * 1000);
  assert_shows (daemon, "available", "");
}

static void
assert_refused (Daemon *daemon,
                const char *name,
                const char *text,
                gint64 until_us,
                MusterBrokerError code,
                const char *word)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;

  begin_layer (daemon, name, MUSTER_PRESENCE_DND, text, until_us, TRUE, &result);
  g_assert_cmpuint (end_layer (daemon, &result, &error), ==, 0);
  g_assert_error (error, MUSTER_BROKER_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_bad_layers (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) held = NULL;
  GAsyncResult *result = NULL;

  add_ann (daemon);
  assert_refused (daemon, "Big", "", 0, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "name");
  assert_refused (daemon, "user", "a\tb", 0, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "text");
  assert_refused (daemon, "user", "", muster_clock_wall_us (), MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                  "until");
  assert_refused (daemon, "user", "", -1, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "until");
  for (guint i = 0; i < MUSTER_PRESENCE_LAYERS_MAX; i++) {
    g_autofree char *name = g_strdup_printf ("l%u", i);

    set_layer (daemon, name, MUSTER_PRESENCE_AWAY, "", 0, i % 2 == 0);
  }
  assert_refused (daemon, "user", "", 0, MUSTER_BROKER_ERROR_TOO_MANY, "16");
  set_layer (daemon, "l3", MUSTER_PRESENCE_DND, "", 0, TRUE);
  assert_shows (daemon, "dnd", ""); /* the last of equals */

  muster_broker_remove_layer_async (daemon->broker, only_identity (daemon), "nobody", on_result,
                                    &result);
  held = wait_for_result (&result);
  g_assert_false (muster_broker_change_finish (daemon->broker, held, &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND);
}

/* Whatever was awaited when they were set, or when one was taken away. */
static void
test_ends_in_any_order (Daemon *daemon, gconstpointer data)
{
  gint64 now_us = muster_clock_wall_us ();
  GAsyncResult *result = NULL;

  add_ann (daemon);
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "Here");
  set_layer (daemon, "long", MUSTER_PRESENCE_XA, "", now_us + MINUTE_US, FALSE);
  set_layer (daemon, "middle", MUSTER_PRESENCE_AWAY, "", now_us + MINUTE_US / 2, FALSE);
  set_layer (daemon, "short", MUSTER_PRESENCE_DND, "", now_us + MINUTE_US / 6, FALSE);
  assert_shows (daemon, "dnd", "");
  pass_ms (11 * 1000);
  assert_shows (daemon, "away", "");
  muster_broker_remove_layer_async (daemon->broker, only_identity (daemon), "middle", on_result,
                                    &result);
  finish_change (daemon, &result);
  assert_shows (daemon, "xa", "");
  pass_ms (48 * 1000);
  assert_shows (daemon, "xa", "");
  pass_ms (2 * 1000);
  assert_shows (daemon, "available", "Here");
}

/* Somebody who sets one after the other without waiting is held up, nobody else. */
static void
test_a_flood (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *results[200] = { NULL };
  guint n_refused = 0;

  add_ann (daemon);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    begin_layer (daemon, "user", MUSTER_PRESENCE_DND, "", 0, TRUE, &results[i]);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (GError) error = NULL;

    end_layer (daemon, &results[i], &error);
    if (g_error_matches (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY))
      n_refused++;
    else
      g_assert_no_error (error);
  }
  g_assert_cmpuint (n_refused, ==, 100);
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "");
}

static void
test_removed (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *result = NULL;

  add_ann (daemon);
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  muster_broker_remove_layer_async (daemon->broker, only_identity (daemon), "user", on_result,
                                    &result);
  finish_change (daemon, &result);
  assert_shows (daemon, "available", "");
  assert_raw (daemon->base.path, "SELECT count (*) FROM presence_layer", "0");
}

/* restarts */

static void
test_what_is_kept (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  user_is (daemon, MUSTER_PRESENCE_DND, "Thesis");
  set_layer (daemon, "gone", MUSTER_PRESENCE_AWAY, "", muster_clock_wall_us () + MINUTE_US, TRUE);
  set_layer (daemon, "call", MUSTER_PRESENCE_AWAY, "on the phone", 0, FALSE);
  assert_shows (daemon, "away", "on the phone");
  muster_clock_step_wall_us (2 * MINUTE_US);
  restart (daemon);

  account = only_account (daemon);
  assert_shows (daemon, "dnd", "Thesis"); /* who was on the phone is not here any more */
  pass_ms (5000);
  assert_published (daemon, account, "dnd: Thesis");
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "");
  assert_raw (daemon->base.path, "SELECT name FROM presence_layer", "user"); /* nor who expired */

  /* One that is kept no more is not there after the next start. */
  set_layer (daemon, "user", MUSTER_PRESENCE_DND, "", 0, FALSE);
  override (daemon, account, "available", "Always");
  restart (daemon);
  assert_shows (daemon, "available", "");
  pass_ms (5000);
  assert_published (daemon, only_account (daemon), "available: Always");
}

static void
test_the_order_is_kept (Daemon *daemon, gconstpointer data)
{
  add_ann (daemon);
  set_layer (daemon, "b", MUSTER_PRESENCE_DND, "", 0, TRUE);
  set_layer (daemon, "a", MUSTER_PRESENCE_AWAY, "", 0, TRUE);
  assert_shows (daemon, "away", "");
  restart (daemon);
  assert_shows (daemon, "away", "");
  set_layer (daemon, "b", MUSTER_PRESENCE_DND, "", 0, TRUE); /* numbers go on */
  assert_shows (daemon, "dnd", "");
}

/* What was said of presence in a warning while the daemon began again. */

static gboolean
is_fatal (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  return (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0;
}

static void
keep_message (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  g_string_append_printf (user_data, "%s\n", message);
}

static char *
start_and_hear (Daemon *daemon)
{
  GString *said = g_string_new (NULL);
  guint handler;

  g_test_log_set_fatal_handler (is_fatal, NULL);
  handler = g_log_set_handler ("MusterBroker", G_LOG_LEVEL_WARNING | G_LOG_FLAG_FATAL, keep_message,
                               said);
  daemon_start (daemon);
  g_log_remove_handler ("MusterBroker", handler);
  g_test_log_set_fatal_handler (NULL, NULL);

  return g_string_free (said, FALSE);
}

static void
test_rows_of_a_later_version (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);
  g_autofree char *said = NULL;

  user_is (daemon, MUSTER_PRESENCE_DND, "");
  override (daemon, account, "dnd", "");
  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE presence_layer SET presence = 'daydreaming';"
                                 "UPDATE presence_override SET presence = 'asleep'");
  said = start_and_hear (daemon);
  g_assert_nonnull (strstr (said, "a layer of identity"));
  g_assert_nonnull (strstr (said, "instead of its identity cannot be understood"));
  assert_shows (daemon, "available", "");
}

static void
test_a_damaged_row (Daemon *daemon, gconstpointer data)
{
  g_autofree char *said = NULL;

  add_ann (daemon);
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE presence_layer SET priority = -5");
  said = start_and_hear (daemon);
  g_assert_nonnull (strstr (said, "presence_layer"));
  g_assert_nonnull (strstr (muster_broker_get_notice (daemon->broker), "presence_layer"));
  assert_shows (daemon, "available", "");
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  folder = g_path_get_dirname (g_getenv ("MUSTER_FULL_PLUGIN"));
  g_setenv ("MUSTER_PLUGIN_PATH", folder, TRUE);

#define ADD(name, func) g_test_add ("/presence/" name, Daemon, NULL, set_up, func, tear_down)
  ADD ("layers-end-by-themselves", test_layers_end_by_themselves);
  ADD ("the-clock-is-set", test_the_clock_is_set);
  ADD ("bad-layers", test_bad_layers);
  ADD ("ends-in-any-order", test_ends_in_any_order);
  ADD ("a-flood", test_a_flood);
  ADD ("removed", test_removed);
  ADD ("what-is-kept", test_what_is_kept);
  ADD ("the-order-is-kept", test_the_order_is_kept);
  ADD ("rows-of-a-later-version", test_rows_of_a_later_version);
  ADD ("a-damaged-row", test_a_damaged_row);
#undef ADD

  return g_test_run ();
}
