/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "full-fixture.h"

/* The roster of a broker whose accounts speak `full`: what it asks of the plugin, and what it makes of
 * the answers. */

static void
set_up (Daemon *daemon, gconstpointer data)
{
  static const char *const aside[] = { "publish", "verify", NULL };

  full_reset ();
  full->aside = aside;
  full->supported = 0; /* so nothing of it is told, either */
  full->contacts = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_contact_free);
  daemon_set_up (daemon, data);
}

static void
tear_down (Daemon *daemon, gconstpointer data)
{
  if (daemon->broker != NULL)
    daemon_leave (daemon);
  daemon_tear_down (daemon, data);
  settle ();
}

/* The service has it. */
static void
hold (const char *address, MusterContactState state, MusterPresence presence)
{
  MusterContact *contact = muster_contact_new (address);

  contact->state = state;
  contact->presence = presence;
  g_ptr_array_add (full->contacts, contact);
}

/* It is registered, but nothing has come of that yet. */
static MusterAccount *
begin_full (Daemon *daemon, const char *address)
{
  g_autoptr (GHashTable) none = secrets_new (NULL);
  g_autoptr (GVariant) params = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  GAsyncResult *result = NULL;
  MusterAccount *account;

  muster_broker_add_account_async (daemon->broker, "full", address, params, none, NULL, NULL, TRUE,
                                   on_result, &result);
  account = end_add (daemon, &result);
  wait_for_state (account, "registered");

  return account;
}

static MusterAccount *
add_full (Daemon *daemon, const char *address)
{
  MusterAccount *account = begin_full (daemon, address);

  settle ();
  return account;
}

static void
report (MusterAccount *account,
        const char *address,
        MusterContactState state,
        MusterPresence presence,
        gboolean asks)
{
  g_autoptr (MusterContact) contact = muster_contact_new (address);

  contact->state = state;
  contact->presence = presence;
  contact->asks = asks;
  muster_watcher_report (MUSTER_WATCHER (muster_account_get_serving (account)), contact);
}

/* "ADDRESS:PRESENCE:STATE[:asks]" of all, in order */
static char *
look (Daemon *daemon)
{
  MusterRoster *roster = muster_broker_get_roster (daemon->broker);
  GString *seen = g_string_new (NULL);
  const char *after = "";
  MusterRosterPerson *person;

  while ((person = muster_roster_next (roster, after)) != NULL) {
    static const char *const states[] = { "none", "pending", "watched", "denied" };
    MusterRosterView view;

    after = muster_roster_person_get_key (person);
    if (!muster_roster_person_view (person, &view))
      continue;
    g_string_append_printf (seen, "%s%s:%s:%s%s", seen->len > 0 ? " " : "", view.address,
                            view.is_known ? muster_presence_to_string (view.presence) : "unknown",
                            states[view.state], view.asks ? ":asks" : "");
  }

  return g_string_free (seen, FALSE);
}

#define assert_roster(daemon, expected)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *seen = look (daemon);                                                         \
    g_assert_cmpstr (seen, ==, expected);                                                          \
  }                                                                                                \
  G_STMT_END

/* Returns what it came to: "ok", or the words of the error, whose domain and code are checked. */
static char *
outcome (GAsyncResult **result, GQuark domain, int code)
{
  g_autoptr (GAsyncResult) held = wait_for_result (result);
  g_autoptr (GError) error = NULL;

  *result = NULL;
  if (muster_broker_contact_finish (held, &error))
    return g_strdup ("ok");

  g_assert_error (error, domain, code);
  return g_strdup (error->message);
}

#define assert_ok(result)                                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *came_to = outcome (result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED);  \
    g_assert_cmpstr (came_to, ==, "ok");                                                           \
  }                                                                                                \
  G_STMT_END

#define assert_fails(result, code, words)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *came_to = outcome (result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_##code);  \
    if (!g_pattern_match_simple (words, came_to))                                                  \
      g_error ("\"%s\" is not like \"%s\"", came_to, words);                                       \
  }                                                                                                \
  G_STMT_END

/* what services say */

static void
test_loaded_when_serving (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  hold ("bob@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY);
  hold ("full:carol@full", MUSTER_CONTACT_PENDING, MUSTER_PRESENCE_OFFLINE);
  account = add_full (daemon, "alice@full");
  assert_log ("open load");
  assert_roster (daemon, "bob@full:away:watched carol@full:unknown:pending");

  set_enabled (daemon, account, FALSE);
  wait_for_state (account, "disabled");
  assert_roster (daemon, "bob@full:unknown:watched carol@full:unknown:pending");
  g_ptr_array_set_size (full->contacts, 0);
  hold ("bob@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY);
  hold ("dave@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_CHAT);
  set_enabled (daemon, account, TRUE);
  wait_for_state (account, "registered");
  settle ();
  assert_log ("close open load");
  assert_roster (daemon, "bob@full:away:watched dave@full:chat:watched");
}

static void
test_extending_loads_nothing (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon, "alice@full");
  g_autoptr (GError) error = NULL;

  g_assert_true (muster_broker_refresh (daemon->broker, account, &error));
  wait_for_state (account, "registered");
  settle ();
  assert_log ("open load open");
}

static void
test_load_retried (Daemon *daemon, gconstpointer data)
{
  hold ("bob@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY);
  full->watch_error = MUSTER_ERROR_UNREACHABLE;
  add_full (daemon, "alice@full");
  assert_log ("open load");
  assert_told (daemon, "account.added registration.created contacts.failed");
  pass_ms (2000); /* the first retry comes within 2 s */
  g_assert_true (g_str_has_prefix (daemon->told->str, "contacts.failed"));
  g_string_truncate (daemon->told, 0);
  g_string_truncate (full->log, 0);
  full->watch_error = -1;
  pass_ms (60 * 1000);
  assert_log ("load");
  assert_roster (daemon, "bob@full:away:watched");
  g_assert_null (strstr (daemon->told->str, "contacts."));
}

/* No retry where the service has no such thing, and no storm where a session is said to be gone. */
static void
test_load_not_retried_blindly (Daemon *daemon, gconstpointer data)
{
  full->lease_s = 0;
  full->watch_error = MUSTER_ERROR_UNSUPPORTED;
  add_full (daemon, "alice@full");
  assert_log ("open load");
  pass_ms (24 * 3600 * 1000);
  assert_log ("");

  full->watch_error = MUSTER_ERROR_EXPIRED;
  add_full (daemon, "bob@full");
  assert_log ("open load");
  settle ();
  assert_log ("");
  pass_ms (2000);
  g_assert_true (g_str_has_prefix (full->log->str, "load "));
}

static void
test_load_without_an_answer (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GError) cut = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM, "cut");
  MusterAccount *account;

  full->lease_s = 0;
  account = add_full (daemon, "alice@full");
  assert_log ("open load");
  full->hold = TRUE;
  muster_registration_lost (muster_account_get_serving (account), cut);
  pass_ms (3000);
  assert_log ("open");
  release ();
  pass_ms (10);
  assert_log ("load");
  pass_ms (59 * 1000);
  assert_log ("");
  full->hold = FALSE;
  pass_ms (4 * 1000); /* given up after 60 s, and tried again within 2 s */
  assert_log ("load");
  g_assert_true (g_queue_is_empty (&full->held));
}

static void
test_reports (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon, "alice@full");

  assert_told (daemon, "account.added registration.created");
  report (account, "bob@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
  assert_told (daemon, "contact.asks");
  report (account, "bob@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
  report (account, "carol@full", MUSTER_CONTACT_PENDING, MUSTER_PRESENCE_OFFLINE, FALSE);
  assert_told (daemon, "");
  report (account, "carol@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND, FALSE);
  assert_told (daemon, "contact.accepted");
  report (account, "carol@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY, FALSE);
  assert_told (daemon, ""); /* presences are no events */
  assert_roster (daemon, "bob@full:unknown:none:asks carol@full:away:watched");
  muster_watcher_report_gone (MUSTER_WATCHER (muster_account_get_serving (account)), "BOB@full");
  assert_roster (daemon, "carol@full:away:watched");
  report (account, "dave@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
  report (account, "dave@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, FALSE);
  assert_roster (daemon, "carol@full:away:watched"); /* it took that back */
}

/* Returns how many events of the type are in the journal. */
static guint
count_kept (Daemon *daemon, const char *type)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) events = NULL;

  muster_store_read_events_async (daemon->base.store, 0, "", type, 1000, NULL, on_result, &result);
  events = muster_store_read_events_finish (daemon->base.store, wait_for_result (&result), NULL);

  return events->len;
}

/* Somebody who asks and takes it back, again and again, fills no journal. */
static void
test_nagging (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  full->lease_s = 0;
  account = add_full (daemon, "alice@full");
  for (guint i = 0; i < 300; i++) {
    report (account, "bob@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
    report (account, "bob@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, FALSE);
  }
  g_assert_cmpuint (count_kept (daemon, "contact.asks"), ==, 100);
  pass_ms (3600 * 1000);
  report (account, "bob@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
  g_assert_cmpuint (count_kept (daemon, "contact.asks"), ==, 101);
}

/* Thousands come in pieces; what is reported meanwhile is newer than what was loaded. */
static void
test_many (Daemon *daemon, gconstpointer data)
{
  MusterRoster *roster = muster_broker_get_roster (daemon->broker);
  MusterAccount *account;
  guint n_before = 0;

  for (guint i = 0; i < MUSTER_ROSTER_ACCOUNT_MAX + 5; i++) {
    g_autofree char *address = g_strdup_printf ("%05u@full", i);

    hold (address, MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY);
  }
  account = begin_full (daemon, "alice@full");
  g_test_expect_message ("MusterBroker", G_LOG_LEVEL_WARNING, "*more than 10000 contacts*");
  while (muster_roster_count (roster) == 0)
    g_main_context_iteration (NULL, TRUE);
  report (account, "09999@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_CHAT, FALSE);
  while (muster_roster_count (roster) < MUSTER_ROSTER_ACCOUNT_MAX) {
    g_assert_cmpuint (muster_roster_count (roster) - n_before, <=, 300);
    n_before = muster_roster_count (roster);
    g_main_context_iteration (NULL, TRUE);
  }
  settle ();
  g_test_assert_expected_messages ();
  g_assert_cmpint (
    muster_roster_find_entry (roster, muster_account_get_id (account), "09999@full")->presence, ==,
    MUSTER_PRESENCE_CHAT);
  full->hold = FALSE;
}

static void
test_account_goes (Daemon *daemon, gconstpointer data)
{
  MusterAccount *alice, *anna;
  GAsyncResult *result = NULL;

  hold ("bob@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY);
  hold ("carol@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY);
  alice = add_full (daemon, "alice@full");
  g_ptr_array_set_size (full->contacts, 1);
  anna = add_full (daemon, "anna@full");
  muster_broker_remove_account_async (daemon->broker, alice, on_result, &result);
  finish_change (daemon, &result);
  settle ();
  assert_roster (daemon, "bob@full:away:watched");
  g_assert_nonnull (muster_roster_find_entry (muster_broker_get_roster (daemon->broker),
                                              muster_account_get_id (anna), "bob@full"));
  g_assert_cmpuint (muster_roster_count (muster_broker_get_roster (daemon->broker)), ==, 1);
}

/* what people ask */

static void
test_watch (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon, "alice@full");
  MusterRoster *roster = muster_broker_get_roster (daemon->broker);
  GAsyncResult *result = NULL;

  assert_told (daemon, "account.added registration.created");
  muster_broker_watch_async (daemon->broker, account, "full:Bob@full", "Bob", on_result, &result);
  assert_ok (&result);
  assert_log ("open load add:Bob@full");
  assert_told (daemon, "contact.added");
  assert_roster (daemon, "Bob@full:unknown:pending");
  g_assert_cmpstr (
    muster_roster_find_entry (roster, muster_account_get_id (account), "bob@full")->name, ==,
    "Bob");

  report (account, "Bob@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND, FALSE);
  muster_broker_watch_async (daemon->broker, account, "bob@full", "Robert", on_result, &result);
  assert_ok (&result);
  assert_log ("add:Bob@full"); /* as the service writes it */
  assert_roster (daemon, "Bob@full:dnd:watched");

  g_string_truncate (daemon->told, 0);
  muster_broker_unwatch_async (daemon->broker, NULL, "BOB@full", on_result, &result);
  assert_ok (&result);
  assert_log ("remove:Bob@full");
  assert_told (daemon, "contact.removed");
  assert_roster (daemon, "");
}

static void
test_unwatch_who_asks (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon, "alice@full");
  GAsyncResult *result = NULL;

  report (account, "bob@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND, TRUE);
  muster_broker_unwatch_async (daemon->broker, account, "bob@full", on_result, &result);
  assert_ok (&result);
  assert_roster (daemon, "bob@full:unknown:none:asks");
}

static void
test_authorise (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon, "alice@full");
  GAsyncResult *result = NULL;

  report (account, "bob@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
  report (account, "carol@full", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
  report (account, "dave@full", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_CHAT, TRUE);
  g_string_truncate (daemon->told, 0);
  muster_broker_authorise_async (daemon->broker, NULL, "bob@full", TRUE, on_result, &result);
  assert_ok (&result);
  muster_broker_authorise_async (daemon->broker, NULL, "carol@full", FALSE, on_result, &result);
  assert_ok (&result);
  muster_broker_authorise_async (daemon->broker, account, "dave@full", FALSE, on_result, &result);
  assert_ok (&result);
  assert_log ("open load allow:bob@full deny:carol@full deny:dave@full");
  assert_told (daemon, "contact.allowed contact.denied contact.denied");
  assert_roster (daemon, "dave@full:chat:watched"); /* the others are nobody's contacts */

  /* Before anybody asks, if it is said in which account */
  muster_broker_authorise_async (daemon->broker, account, "erin@full", TRUE, on_result, &result);
  assert_ok (&result);
  assert_log ("allow:erin@full");
}

static void
test_arguments (Daemon *daemon, gconstpointer data)
{
  g_autofree char *longest = g_strnfill (512, 'a');
  g_autofree char *too_long = g_strnfill (513, 'a');
  const struct {
    const char *address, *name, *words;
  } wrong[] = {
    { "", NULL, "address is empty" },
    { too_long, NULL, "address is longer than 512 bytes" },
    { "a\r\nVia: x@full", NULL, "address holds characters that cannot be shown" },
    { "bob\342\200\256@full", NULL, "address holds characters that cannot be shown" },
    { "bob@full", "", "name is empty" },
    { "bob@full", "a\nb", "name holds control characters" },
  };
  MusterAccount *account = add_full (daemon, "alice@full");
  GAsyncResult *result = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    muster_broker_watch_async (daemon->broker, account, wrong[i].address, wrong[i].name, on_result,
                               &result);
    assert_fails (&result, INVALID_ARGUMENT, wrong[i].words);
  }
  muster_broker_watch_async (daemon->broker, account, longest, NULL, on_result, &result);
  assert_ok (&result);
  muster_broker_unwatch_async (daemon->broker, account, "nobody@full", on_result, &result);
  assert_fails (&result, NOT_FOUND, "*among its contacts");
  muster_broker_unwatch_async (daemon->broker, NULL, "nobody@full", on_result, &result);
  assert_fails (&result, NOT_FOUND, "no account*");
  muster_broker_authorise_async (daemon->broker, NULL, "nobody@full", TRUE, on_result, &result);
  assert_fails (&result, NOT_FOUND, "no account*or was asked by it; say which account");
}

static void
test_wrong_state (Daemon *daemon, gconstpointer data)
{
  MusterAccount *bound = add (daemon, "alice@bound", "hush");
  GAsyncResult *result = NULL;
  MusterAccount *account;

  muster_broker_watch_async (daemon->broker, bound, "bob@full", NULL, on_result, &result);
  assert_fails (&result, WRONG_STATE, "*knows no contacts*");
  muster_broker_watch_async (daemon->broker, NULL, "bob@full", NULL, on_result, &result);
  assert_fails (&result, WRONG_STATE, "no account that is registered*");

  account = add_full (daemon, "alice@full");
  set_enabled (daemon, account, FALSE);
  wait_for_state (account, "disabled");
  muster_broker_watch_async (daemon->broker, account, "bob@full", NULL, on_result, &result);
  assert_fails (&result, WRONG_STATE, "it is not registered (disabled), so it can watch nobody");
}

static void
test_which_account (Daemon *daemon, gconstpointer data)
{
  MusterAccount *first = add_full (daemon, "alice@one");
  MusterAccount *second = add_full (daemon, "alice@two");
  GAsyncResult *result = NULL;

  muster_broker_watch_async (daemon->broker, NULL, "bob@three", NULL, on_result, &result);
  assert_fails (&result, AMBIGUOUS, "*watch it; say which: alice@one, alice@two");
  muster_broker_watch_async (daemon->broker, NULL, "bob@Two", NULL, on_result, &result);
  assert_ok (&result);
  g_assert_nonnull (muster_roster_find_entry (muster_broker_get_roster (daemon->broker),
                                              muster_account_get_id (second), "bob@two"));

  report (first, "bob@two", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
  muster_broker_unwatch_async (daemon->broker, NULL, "bob@two", on_result, &result);
  assert_fails (&result, AMBIGUOUS, "*among its contacts; say which: *");
  report (second, "bob@two", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE, TRUE);
  muster_broker_authorise_async (daemon->broker, NULL, "bob@two", TRUE, on_result, &result);
  assert_fails (&result, AMBIGUOUS, "*was asked; say which: alice@one, alice@two");
  muster_broker_authorise_async (daemon->broker, first, "bob@two", TRUE, on_result, &result);
  assert_ok (&result);
  g_string_truncate (full->log, 0);
  muster_broker_authorise_async (daemon->broker, NULL, "bob@two", FALSE, on_result, &result);
  assert_ok (&result); /* only one is left that was asked */
}

static void
test_service_fails (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon, "alice@full");
  GAsyncResult *result = NULL;

  full->watch_error = MUSTER_ERROR_FORBIDDEN;
  muster_broker_watch_async (daemon->broker, account, "bob@full", NULL, on_result, &result);
  {
    g_autofree char *words = outcome (&result, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN);

    g_assert_cmpstr (words, ==, "told to fail");
  }
  assert_roster (daemon, "");
}

/* A service that does not answer, and an account that goes off before: nobody waits for ever. */
static void
test_no_answer (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon, "alice@full");
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  muster_broker_watch_async (daemon->broker, account, "bob@full", NULL, on_result, &result);
  pass_ms (19 * 1000);
  g_assert_null (result);
  pass_ms (1000);
  {
    g_autofree char *words = outcome (&result, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);

    g_assert_cmpstr (words, ==, "the service did not answer within 20 s");
  }
  g_assert_true (g_queue_is_empty (&full->held));
  assert_roster (daemon, "");

  full->deaf = TRUE; /* its answer comes too late */
  muster_broker_watch_async (daemon->broker, account, "bob@full", NULL, on_result, &result);
  pass_ms (20 * 1000);
  g_assert_nonnull (result);
  g_clear_object (&result);
  release ();
  settle ();
  assert_roster (daemon, "");

  full->deaf = FALSE;
  muster_broker_watch_async (daemon->broker, account, "bob@full", NULL, on_result, &result);
  settle ();
  set_enabled (daemon, account, FALSE);
  assert_fails (&result, WRONG_STATE, "the account went off before its service answered");
  full->hold = FALSE;
  while (!g_queue_is_empty (&full->held))
    release ();
}

static void
test_daemon_ends (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon, "alice@full");
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  muster_broker_watch_async (daemon->broker, account, "bob@full", NULL, on_result, &result);
  settle ();
  daemon_kill (daemon);
  assert_fails (&result, FAILED, "the daemon ends");
  full->hold = FALSE;
  while (!g_queue_is_empty (&full->held))
    release ();
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  full_find (g_getenv ("MUSTER_FULL_PLUGIN"));

#define ADD(path, test) g_test_add (path, Daemon, NULL, set_up, test, tear_down)
  ADD ("/contacts/loaded-when-serving", test_loaded_when_serving);
  ADD ("/contacts/extending-loads-nothing", test_extending_loads_nothing);
  ADD ("/contacts/load-retried", test_load_retried);
  ADD ("/contacts/load-not-retried-blindly", test_load_not_retried_blindly);
  ADD ("/contacts/load-without-an-answer", test_load_without_an_answer);
  ADD ("/contacts/reports", test_reports);
  ADD ("/contacts/nagging", test_nagging);
  ADD ("/contacts/many", test_many);
  ADD ("/contacts/account-goes", test_account_goes);
  ADD ("/contacts/watch", test_watch);
  ADD ("/contacts/unwatch-who-asks", test_unwatch_who_asks);
  ADD ("/contacts/authorise", test_authorise);
  ADD ("/contacts/arguments", test_arguments);
  ADD ("/contacts/wrong-state", test_wrong_state);
  ADD ("/contacts/which-account", test_which_account);
  ADD ("/contacts/service-fails", test_service_fails);
  ADD ("/contacts/no-answer", test_no_answer);
  ADD ("/contacts/daemon-ends", test_daemon_ends);

  status = g_test_run ();
  full_clear ();
  return status;
}
