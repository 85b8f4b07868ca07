/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "presence-fixture.h"

/* What services are told of presence, and what they make of it; overrides. */

/* publishing */

static void
test_told_when_registered_and_when_it_changes (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  assert_asked ("open publish:available");
  assert_published (daemon, account, "available");
  g_assert_nonnull (strstr (daemon->told->str, "presence.published"));
  g_string_truncate (daemon->told, 0);
  n_told = 0;

  user_is (daemon, MUSTER_PRESENCE_DND, "Do not");
  assert_asked ("publish:dnd");
  g_assert_cmpstr (full->said, ==, "Do not");
  assert_published (daemon, account, "dnd: Do not");
  assert_told (daemon, "presence.changed presence.published");
  g_assert_cmpuint (n_told, >=, 1);

  user_is (daemon, MUSTER_PRESENCE_DND, "Do not");
  assert_asked (""); /* nothing new */
  assert_told (daemon, "");
  user_is (daemon, MUSTER_PRESENCE_DND, "Really");
  assert_asked ("publish:dnd");
  pass_ms (3600 * 1000); /* refreshes are no reason to say it again */
  g_assert_null (strstr (full->log->str, "publish"));
}

static void
test_what_cannot_be_said (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  assert_asked ("open publish:available");
  n_told = 0;
  user_is (daemon, MUSTER_PRESENCE_AWAY, "");
  assert_asked (""); /* it was told that already */
  assert_published (daemon, account,
                    "available (its service cannot say \"away\" and is told \"available\" "
                    "instead: others see you as available)");
  g_assert_cmpuint (n_told, ==, 1); /* of the note */
  user_is (daemon, MUSTER_PRESENCE_INVISIBLE, "");
  assert_asked ("");
  assert_published (daemon, account,
                    "available (its service cannot say \"invisible\" or anything near it, and is "
                    "told nothing: it still shows \"available\")");
  user_is (daemon, MUSTER_PRESENCE_CHAT, "Come");
  assert_asked ("publish:available");
}

static void
test_a_service_without_presence (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  full->supported = 0;
  account = add_ann (daemon);
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  assert_asked ("open");
  assert_published (daemon, account,
                    "- (its service takes no presence, or a parameter of it switches that off)");
  g_assert_null (strstr (daemon->told->str, "presence.failed"));
}

/* While one is under way others are not sent, and of those only the last. */
static void
test_the_last_wish_wins (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  assert_asked ("open publish:available");
  full->hold = TRUE;
  user_is (daemon, MUSTER_PRESENCE_DND, "one");
  user_is (daemon, MUSTER_PRESENCE_DND, "two");
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "three");
  assert_asked ("publish:dnd");
  assert_published (daemon, account, "available");
  release ();
  pass_ms (1);
  assert_asked ("publish:available");
  g_assert_cmpstr (full->said, ==, "three");
  user_is (daemon, MUSTER_PRESENCE_DND, "four");
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "three"); /* and back */
  release ();
  pass_ms (1000);
  assert_asked ("");
  assert_published (daemon, account, "available: three");
  g_assert_true (g_queue_is_empty (&full->held));
}

/* failing */

static void
test_passing_errors (Daemon *daemon, gconstpointer data)
{
  static const MusterError passing[] = { MUSTER_ERROR_UNREACHABLE, MUSTER_ERROR_BUSY,
                                         MUSTER_ERROR_PROTOCOL, MUSTER_ERROR_EXPIRED };
  MusterAccount *account = add_ann (daemon);
  g_autofree char *types = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (passing); i++) {
    MusterPublicationView publication;

    full->publish_error = (int) passing[i];
    full->retry_after_s = passing[i] == MUSTER_ERROR_BUSY ? 20 : 0;
    user_is (daemon, MUSTER_PRESENCE_DND, "");
    muster_broker_get_publication (daemon->broker, account, &publication);
    g_assert_error (publication.error, MUSTER_ERROR, (int) passing[i]);
    g_assert_cmpint (publication.retry_at_us, >, muster_clock_wall_us ());
    g_assert_true (publication.is_published && publication.published == MUSTER_PRESENCE_AVAILABLE);
    g_string_truncate (full->log, 0);
    pass_ms (passing[i] == MUSTER_ERROR_BUSY ? 18000 : 1); /* not before it said */
    assert_asked ("");

    user_is (daemon, MUSTER_PRESENCE_DND, "in haste"); /* changing one's mind is no way round */
    assert_asked ("");
    pass_ms (60 * 1000); /* it goes on failing: told each time, kept once */
    g_assert_nonnull (strstr (full->log->str, "publish:dnd"));

    full->publish_error = -1;
    pass_ms (10 * 60 * 1000);
    assert_published (daemon, account, "dnd: in haste");
    user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "");
    assert_published (daemon, account, "available");
    g_string_truncate (full->log, 0);
  }

  types = read_types (daemon->base.store, 0, "", "presence.", 100);
  g_assert_cmpstr (types, ==, "presence.failed presence.failed presence.failed presence.failed");
}

static void
test_forbidden_until_something_changes (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  full->publish_error = MUSTER_ERROR_FORBIDDEN;
  account = add_ann (daemon);
  assert_asked ("open publish:available");
  assert_published (daemon, account, "- !forbidden");
  g_assert_nonnull (strstr (daemon->told->str, "presence.failed"));
  full->lease_s = 0;
  pass_ms (24 * 3600 * 1000);
  g_assert_null (strstr (full->log->str, "publish"));

  g_string_truncate (full->log, 0);
  full->publish_error = -1;
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  assert_asked ("publish:dnd");
  assert_published (daemon, account, "dnd");
}

static void
test_unsupported_is_no_error (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  full->publish_error = MUSTER_ERROR_UNSUPPORTED;
  account = add_ann (daemon);
  assert_asked ("open publish:available");
  assert_published (daemon, account, "- (its service takes no presence: told to fail)");
  g_assert_null (strstr (daemon->told->str, "presence.failed"));
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  assert_asked (""); /* ten thousand accounts would ask in vain each time */

  full->publish_error = -1;
  set_enabled (daemon, account, FALSE);
  pass_ms (100);
  assert_published (daemon, account, "- (it is not registered, so nothing is published)");
  set_enabled (daemon, account, TRUE);
  pass_ms (5000);
  assert_asked ("close open publish:dnd");
  assert_published (daemon, account, "dnd");
}

static void
test_no_answer (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  full->hold = full->deaf = TRUE;
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  pass_ms (39 * 1000);
  assert_published (daemon, account, "available");
  pass_ms (2 * 1000);
  assert_published (daemon, account, "available !unreachable");

  full->hold = full->deaf = FALSE;
  while (!g_queue_is_empty (&full->held))
    release ();
  pass_ms (10 * 60 * 1000);
  assert_published (daemon, account, "dnd");
}

static void
test_it_ends_with_the_registration (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);
  g_autoptr (GError) error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM, "cut");

  full->hold = TRUE;
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  full->hold = FALSE;
  g_string_truncate (full->log, 0);
  muster_registration_lost (muster_account_get_serving (account), error);
  settle ();
  assert_published (daemon, account, "- (it is not registered, so nothing is published)");
  while (!g_queue_is_empty (&full->held))
    release ();
  pass_ms (5 * 60 * 1000);
  assert_published (daemon, account, "dnd");
}

static MusterAccount *
add_ann_whose_lease_lapses (Daemon *daemon, const char *name)
{
  MusterAccount *account;

  full->side_lease_s = 60;
  full->side_lease_name = name;
  account = add_ann (daemon);
  g_string_truncate (full->log, 0);
  full->renew_error = MUSTER_ERROR_REFUSED;
  while (strstr (full->log->str, "lapsed") == NULL)
    pass_ms (50); /* no more than it waits at least */
  return account;
}

/* Another thing that hangs on the registration, such as the subscription to a contact. */
static void
test_another_lease_that_lapses (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann_whose_lease_lapses (daemon, "somebody");

  assert_published (daemon, account, "available");
  pass_ms (5000);
  g_assert_null (strstr (full->log->str, "publish:"));
}

/* The registration stands, but what was published is gone: it is said again. */
static void
test_a_publication_that_lapses (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann_whose_lease_lapses (daemon, MUSTER_PUBLISHER_LEASE);

  assert_published (daemon, account, "- !expired");
  pass_ms (5000);
  g_assert_nonnull (strstr (full->log->str, "publish:available"));
  assert_published (daemon, account, "available");
}

static void
test_an_account_that_goes (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  full->hold = FALSE;
  muster_broker_remove_account_async (daemon->broker, account, on_result, &result);
  finish_change (daemon, &result);
  pass_ms (60 * 1000);
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, ""); /* the identity is still there */
}

/* The end of the daemon, whatever is under way. */
static void
test_killed_on_the_way (Daemon *daemon, gconstpointer data)
{
  for (guint i = 0; i < 60; i++) {
    g_autofree char *address = g_strdup_printf ("a%u@full", i);

    add_full (daemon, address);
  }
  full->hold = TRUE;
  pass_ms (1);
  set_layer (daemon, "call", MUSTER_PRESENCE_DND, "", 0, FALSE);
  daemon_kill (daemon);
  full->hold = FALSE;
}

/* Many at once: each is told the last wish. */
static void
test_many (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *results[3] = { NULL };

  for (guint i = 0; i < 120; i++) {
    g_autofree char *address = g_strdup_printf ("a%u@full", i);

    add_full (daemon, address);
  }
  pass_ms (5000);
  g_string_truncate (full->log, 0);

  begin_layer (daemon, "user", MUSTER_PRESENCE_DND, "one", 0, TRUE, &results[0]);
  begin_layer (daemon, "user", MUSTER_PRESENCE_DND, "two", 0, TRUE, &results[1]);
  begin_layer (daemon, "user", MUSTER_PRESENCE_DND, "three", 0, TRUE, &results[2]);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (end_layer (daemon, &results[i], NULL), >, 0);
  pass_ms (1000);
  for (GSequenceIter *iter =
         g_sequence_get_begin_iter (muster_broker_get_accounts (daemon->broker));
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    assert_published (daemon, g_sequence_get (iter), "dnd: three");
}

/* overrides */

static void
test_override (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  full->supported |= BIT (OFFLINE);
  override (daemon, account, "offline", "");
  assert_published (daemon, account, "offline");
  user_is (daemon, MUSTER_PRESENCE_DND, "Busy");
  assert_published (daemon, account, "offline"); /* whatever the identity does */
  override (daemon, account, "available", "For you");
  assert_published (daemon, account, "available: For you");
  override (daemon, account, "inherit", "");
  assert_published (daemon, account, "dnd: Busy");
}

static void
test_bad_overrides (Daemon *daemon, gconstpointer data)
{
  static const char *const bad[][2] = {
    { "happy", "" },
    { "", "" },
    { "dnd", "two\nlines" },
    { "inherit", "text" },
  };
  MusterAccount *account = add_ann (daemon);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    GAsyncResult *result = NULL;
    g_autoptr (GAsyncResult) held = NULL;

    muster_broker_set_override_async (daemon->broker, account, bad[i][0], bad[i][1], on_result,
                                      &result);
    held = wait_for_result (&result);
    g_assert_false (muster_broker_change_finish (daemon->broker, held, &error));
    g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT);
  }
  assert_published (daemon, account, "available");
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  folder = g_path_get_dirname (g_getenv ("MUSTER_FULL_PLUGIN"));
  g_setenv ("MUSTER_PLUGIN_PATH", folder, TRUE);

#define ADD(name, func) g_test_add ("/publication/" name, Daemon, NULL, set_up, func, tear_down)
  ADD ("told-when-registered-and-when-it-changes", test_told_when_registered_and_when_it_changes);
  ADD ("what-cannot-be-said", test_what_cannot_be_said);
  ADD ("a-service-without-presence", test_a_service_without_presence);
  ADD ("the-last-wish-wins", test_the_last_wish_wins);
  ADD ("passing-errors", test_passing_errors);
  ADD ("forbidden-until-something-changes", test_forbidden_until_something_changes);
  ADD ("unsupported-is-no-error", test_unsupported_is_no_error);
  ADD ("no-answer", test_no_answer);
  ADD ("it-ends-with-the-registration", test_it_ends_with_the_registration);
  ADD ("another-lease-that-lapses", test_another_lease_that_lapses);
  ADD ("a-publication-that-lapses", test_a_publication_that_lapses);
  ADD ("an-account-that-goes", test_an_account_that_goes);
  ADD ("killed-on-the-way", test_killed_on_the_way);
  ADD ("many", test_many);
  ADD ("override", test_override);
  ADD ("bad-overrides", test_bad_overrides);
#undef ADD

  return g_test_run ();
}
