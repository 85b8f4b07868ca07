/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "full-fixture.h"

#include <muster/muster-incoming.h>

/* Calls and messages, from the plugin's report to the broker's end of them. */

#define SECOND_MS 1000
#define HOUR_MS   (3600 * SECOND_MS)

typedef struct {
  Daemon daemon;
  MusterAccount *account;
  GString *shown; /* what the observer was told */
  GString *said;  /* the events that are ours, with their payloads */
} World;

static void
on_offer_added (gpointer observer, MusterIncomingOffer *offer)
{
  g_string_append_printf (((World *) observer)->shown, "+%s ", offer->offer->id);
}

static void
on_offer_changed (gpointer observer, MusterIncomingOffer *offer)
{
  g_string_append_printf (((World *) observer)->shown, "%s=%s ", offer->offer->id,
                          muster_incoming_state_to_string (offer->state));
}

static void
on_offer_removed (gpointer observer, MusterIncomingOffer *offer)
{
  g_string_append_printf (((World *) observer)->shown, "-%s ", offer->offer->id);
}

static void
on_mailbox_changed (gpointer observer, MusterAccount *account)
{
  World *world = observer;
  const MusterMailbox *mailbox = muster_broker_get_mailbox (world->daemon.broker, account);

  g_string_append_printf (world->shown, "mailbox:%u:%u ", mailbox->n_new, mailbox->n_old);
}

static void
on_handlers_changed (gpointer observer)
{
  g_string_append (((World *) observer)->shown, "handlers ");
}

static void
ignore_account (gpointer observer, MusterAccount *account)
{
}

static void
ignore_identity (gpointer observer, MusterIdentity *identity)
{
}

static void
ignore_request (gpointer observer, MusterRequest *request)
{
}

static const MusterBrokerObserver observer = {
  .account_added = ignore_account,
  .account_removed = ignore_account,
  .account_changed = ignore_account,
  .standing_changed = ignore_account,
  .identity_added = ignore_identity,
  .identity_removed = ignore_identity,
  .identity_changed = ignore_identity,
  .request_added = ignore_request,
  .request_removed = ignore_request,
  .presence_changed = ignore_identity,
  .publication_changed = ignore_account,
  .capabilities_changed = ignore_account,
  .offer_added = on_offer_added,
  .offer_changed = on_offer_changed,
  .offer_removed = on_offer_removed,
  .mailbox_changed = on_mailbox_changed,
  .handlers_changed = on_handlers_changed,
};

static void
on_said (gint64 time_us,
         const char *type,
         const char *account,
         GVariant *payload,
         gpointer user_data)
{
  World *world = user_data;
  g_autofree char *text = g_variant_print (payload, FALSE);

  if (g_str_has_prefix (type, "incoming.") || g_str_has_prefix (type, "mailbox."))
    g_string_append_printf (world->said, "%s %s\n", type, text);
}

static MusterAccount *
add_full (World *world, const char *address)
{
  g_autoptr (GHashTable) secrets = secrets_new (NULL);
  g_autoptr (GVariant) params = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  GAsyncResult *result = NULL;
  MusterAccount *account;

  muster_broker_add_account_async (world->daemon.broker, "full", address, params, secrets, NULL,
                                   NULL, TRUE, on_result, &result);
  account = end_add (&world->daemon, &result);
  wait_for_state (account, "registered");

  return account;
}

static void
set_up (World *world, gconstpointer data)
{
  static const char *const aside[] = { "load", "publish", "verify", NULL };
  g_autofree char *folder = g_path_get_dirname (g_getenv ("MUSTER_FULL_PLUGIN"));

  g_setenv ("MUSTER_PLUGIN_PATH", folder, TRUE);
  full_reset ();
  full->aside = aside;
  full->lease_s = 0;
  daemon_set_up (&world->daemon, NULL);
  world->shown = g_string_new (NULL);
  world->said = g_string_new (NULL);
  muster_broker_set_observer (world->daemon.broker, &observer, world);
  muster_event_bus_subscribe (world->daemon.events, on_said, world);
  world->account = add_full (world, "alice@full");
  g_string_truncate (full->log, 0);
}

static void
tear_down (World *world, gconstpointer data)
{
  daemon_tear_down (&world->daemon, NULL);
  settle ();
  g_string_free (world->shown, TRUE);
  g_string_free (world->said, TRUE);
}

#define assert_taken(string, expected)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_strchomp ((string)->str);                                                                    \
    g_assert_cmpstr ((string)->str, ==, expected);                                                 \
    g_string_truncate (string, 0);                                                                 \
  }                                                                                                \
  G_STMT_END

static void
report_on (MusterAccount *account, MusterOfferKind kind, const char *id, MusterOfferState state)
{
  MusterRegistration *registration = muster_account_get_serving (account);
  g_autoptr (MusterOffer) offer = muster_offer_new (id, kind, "bob@full", 0);

  g_assert_nonnull (registration);
  offer->state = state;
  offer->text = g_strdup ("hush");
  muster_incoming_report (MUSTER_INCOMING (registration), offer);
}

static void
report (World *world, MusterOfferKind kind, const char *id, MusterOfferState state)
{
  report_on (world->account, kind, id, state);
}

static void
ring (World *world, const char *id)
{
  report (world, MUSTER_OFFER_CALL, id, MUSTER_OFFER_WAITING);
}

static MusterIncomingOffer *
find (World *world, const char *id)
{
  GSequence *offers = muster_broker_get_offers (world->daemon.broker);

  for (GSequenceIter *iter = g_sequence_get_begin_iter (offers); !g_sequence_iter_is_end (iter);
       iter = g_sequence_iter_next (iter)) {
    MusterIncomingOffer *offer = g_sequence_get (iter);

    if (g_str_equal (offer->offer->id, id))
      return offer;
  }

  return NULL;
}

static void
begin_answer (World *world,
              const char *id,
              MusterAnswer answer,
              const char *target,
              GAsyncResult **result)
{
  muster_broker_answer_offer_async (world->daemon.broker, find (world, id), answer, target,
                                    on_result, result);
}

/* Returns: "" or what was wrong */
static char *
end_answer (World *world, GAsyncResult **result)
{
  g_autoptr (GAsyncResult) held = wait_for_result (result);
  g_autoptr (GError) error = NULL;

  *result = NULL;
  if (muster_broker_answer_offer_finish (world->daemon.broker, held, &error)) {
    g_assert_no_error (error);
    return g_strdup ("");
  }

  return g_strdup_printf ("%d: %s", error->code, error->message);
}

static void
assert_ended (World *world, GAsyncResult **result, const char *pattern)
{
  g_autofree char *outcome = end_answer (world, result);

  if (!g_pattern_match_simple (pattern, outcome))
    g_error ("\"%s\" is not \"%s\"", outcome, pattern);
}

static void
assert_answer (World *world,
               const char *id,
               MusterAnswer answer,
               const char *target,
               const char *pattern)
{
  GAsyncResult *result = NULL;

  begin_answer (world, id, answer, target, &result);
  assert_ended (world, &result, pattern);
}

static void
handle (World *world, const char *owner, const char *address, const char *kind)
{
  MusterIncomingHandler *handler = g_new0 (MusterIncomingHandler, 1);
  g_autoptr (GError) error = NULL;

  handler->owner = g_strdup (owner);
  handler->address = g_strdup (address);
  handler->kinds = g_strsplit (kind, ",", -1);
  g_assert_true (muster_broker_add_handler (world->daemon.broker, handler, &error));
  g_assert_no_error (error);
}

/* in life */

static void
test_told_once (World *world, gconstpointer data)
{
  MusterIncomingOffer *offer;

  ring (world, "c1");
  ring (world, "c1");
  assert_taken (world->shown, "+c1");
  offer = find (world, "c1");
  g_assert_cmpuint (strlen (offer->id), ==, 13);
  g_assert_true (offer == muster_broker_get_offer (world->daemon.broker, offer->id));
  g_assert_cmpint (offer->since_us, ==, WALL_US);

  report (world, MUSTER_OFFER_CALL, "c1", MUSTER_OFFER_ELSEWHERE);
  report (world, MUSTER_OFFER_CALL, "c1", MUSTER_OFFER_CANCELLED);
  ring (world, "c1");
  report (world, MUSTER_OFFER_CALL, "never-heard-of", MUSTER_OFFER_CANCELLED);
  assert_taken (world->shown, "c1=elsewhere");
  {
    g_auto (GStrv) lines = g_strsplit (world->said->str, "\n", -1);

    g_assert_cmpuint (g_strv_length (lines), ==, 3);
    g_assert_true (g_str_has_prefix (lines[0], "incoming.call "));
    g_assert_nonnull (strstr (lines[0], offer->id));
    g_assert_nonnull (strstr (lines[0], "'bob@full'"));
    g_assert_true (g_str_has_prefix (lines[1], "incoming.ended "));
    g_assert_nonnull (strstr (lines[1], "'elsewhere'"));
    g_assert_null (strstr (world->said->str, "hush"));
  }

  pass_ms (59 * SECOND_MS);
  assert_taken (world->shown, "");
  pass_ms (2 * SECOND_MS);
  assert_taken (world->shown, "-c1");
  ring (world, "c1");
  assert_taken (world->shown, "+c1");
}

static void
test_late_words (World *world, gconstpointer data)
{
  MusterRegistration *registration = muster_account_get_serving (world->account);
  g_autoptr (MusterOffer)
    offer = muster_offer_new ("c1", MUSTER_OFFER_CALL, "bob@full", WALL_US + 5 * G_USEC_PER_SEC);

  muster_incoming_report (MUSTER_INCOMING (registration), offer);
  offer->from_name = g_strdup ("Bob");
  muster_incoming_report (MUSTER_INCOMING (registration), offer);
  muster_incoming_report (MUSTER_INCOMING (registration), offer);
  assert_taken (world->shown, "+c1 c1=waiting");
  g_assert_cmpstr (find (world, "c1")->offer->from_name, ==, "Bob");
  g_assert_cmpint (find (world, "c1")->since_us, ==, WALL_US);
}

static void
test_nonsense (World *world, gconstpointer data)
{
  g_autofree char *id = g_strnfill (5000, 'x');

  g_test_expect_message ("MusterBroker", G_LOG_LEVEL_WARNING, "*no call and no message*");
  report (world, (MusterOfferKind) 7, "c1", MUSTER_OFFER_WAITING);
  g_test_expect_message ("MusterBroker", G_LOG_LEVEL_WARNING, "*no call and no message*");
  ring (world, id);
  g_test_assert_expected_messages ();
  assert_taken (world->shown, "");
}

static void
test_times (World *world, gconstpointer data)
{
  ring (world, "c1");
  report (world, MUSTER_OFFER_MESSAGE, "m1", MUSTER_OFFER_WAITING);
  assert_taken (world->shown, "+c1 +m1");
  pass_ms (179 * SECOND_MS);
  assert_taken (world->shown, "");
  pass_ms (2 * SECOND_MS);
  assert_taken (world->shown, "c1=stale");
  pass_ms (60 * SECOND_MS);
  assert_taken (world->shown, "-c1");
  pass_ms (23 * HOUR_MS);
  assert_taken (world->shown, "");
  pass_ms (HOUR_MS);
  assert_taken (world->shown, "m1=stale -m1");
}

static void
test_answers (World *world, gconstpointer data)
{
  ring (world, "c1");
  assert_answer (world, "c1", MUSTER_ANSWER_DECLINE, NULL, "");
  assert_log ("answer:c1:decline");
  assert_taken (world->shown, "+c1 c1=answering c1=taken");
  g_assert_nonnull (strstr (world->said->str, "'answer': <'decline'>"));
  assert_answer (world, "c1", MUSTER_ANSWER_BUSY, NULL,
                 "7: the call is over: it was answered already");

  ring (world, "c2");
  assert_answer (world, "c2", MUSTER_ANSWER_BUSY, "ignored", "");
  ring (world, "c3");
  assert_answer (world, "c3", MUSTER_ANSWER_REDIRECT, NULL, "1: target: \"\" is empty*");
  assert_answer (world, "c3", MUSTER_ANSWER_REDIRECT, "a b", "1: target: *not an address");
  assert_answer (world, "c3", MUSTER_ANSWER_REDIRECT, "full:carol", "");
  g_assert_cmpstr (find (world, "c3")->target, ==, "full:carol");
  ring (world, "c4");
  assert_answer (world, "c4", MUSTER_ANSWER_ACCEPT, "full:me@here", "");
  assert_log ("answer:c2:busy answer:c3:redirect:full:carol answer:c4:accept:full:me@here");
}

static void
test_messages (World *world, gconstpointer data)
{
  static const MusterError harmless[] = { MUSTER_ERROR_EXPIRED, MUSTER_ERROR_UNSUPPORTED };

  report (world, MUSTER_OFFER_MESSAGE, "m1", MUSTER_OFFER_WAITING);
  assert_answer (world, "m1", MUSTER_ANSWER_BUSY, NULL, "7: it is a message*");
  assert_answer (world, "m1", MUSTER_ANSWER_REDIRECT, "full:carol", "7: it is a message*");
  assert_answer (world, "m1", MUSTER_ANSWER_ACCEPT, NULL, "");
  assert_log ("answer:m1:accept");

  handle (world, ":1.1", "full:box", "message");
  report (world, MUSTER_OFFER_MESSAGE, "m2", MUSTER_OFFER_WAITING);
  assert_answer (world, "m2", MUSTER_ANSWER_ACCEPT, NULL, "");
  assert_log ("answer:m2:accept:full:box");

  for (guint i = 0; i < G_N_ELEMENTS (harmless); i++) {
    g_autofree char *id = g_strdup_printf ("n%u", i);

    full->answer_error = (int) harmless[i];
    report (world, MUSTER_OFFER_MESSAGE, id, MUSTER_OFFER_WAITING);
    assert_answer (world, id, MUSTER_ANSWER_ACCEPT, NULL, "");
    g_assert_cmpint (find (world, id)->state, ==, MUSTER_INCOMING_TAKEN);
  }
  g_assert_null (strstr (world->said->str, "hush"));
}

static void
test_first_answer_wins (World *world, gconstpointer data)
{
  GAsyncResult *first = NULL, *second = NULL;

  full->hold = TRUE;
  ring (world, "c1");
  begin_answer (world, "c1", MUSTER_ANSWER_DECLINE, NULL, &first);
  begin_answer (world, "c1", MUSTER_ANSWER_BUSY, NULL, &second);
  assert_ended (world, &second, "7: the call is being answered already (decline)");
  g_assert_null (first);
  settle ();
  release ();
  assert_ended (world, &first, "");
  assert_log ("answer:c1:decline");
}

static void
test_failed_answer (World *world, gconstpointer data)
{
  MusterIncomingOffer *offer;

  ring (world, "c1");
  offer = find (world, "c1");
  full->answer_error = MUSTER_ERROR_BUSY;
  pass_ms (100 * SECOND_MS);
  assert_answer (world, "c1", MUSTER_ANSWER_DECLINE, NULL, "*told to fail");
  g_assert_cmpint (offer->state, ==, MUSTER_INCOMING_WAITING);
  g_assert_error (offer->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_null (strstr (world->said->str, "incoming.ended"));

  full->answer_error = -1;
  assert_answer (world, "c1", MUSTER_ANSWER_REDIRECT, "full:carol", "");
  g_assert_no_error (offer->error);

  full->answer_error = MUSTER_ERROR_EXPIRED;
  ring (world, "c2");
  assert_answer (world, "c2", MUSTER_ANSWER_DECLINE, NULL, "7: the call is over: nobody*");

  /* Its time goes on where it was. */
  full->answer_error = MUSTER_ERROR_BUSY;
  ring (world, "c3");
  pass_ms (170 * SECOND_MS);
  assert_answer (world, "c3", MUSTER_ANSWER_DECLINE, NULL, "*told to fail");
  pass_ms (11 * SECOND_MS);
  g_assert_cmpint (find (world, "c3")->state, ==, MUSTER_INCOMING_STALE);
}

/* A service that takes no answer: the person can try again, as long as it rings. */
static void
test_deaf_service (World *world, gconstpointer data)
{
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  ring (world, "c1");
  begin_answer (world, "c1", MUSTER_ANSWER_DECLINE, NULL, &result);
  pass_ms (39 * SECOND_MS);
  g_assert_null (result);
  pass_ms (2 * SECOND_MS);
  assert_ended (world, &result, "0: the service did not answer within 40 s");
  g_assert_cmpint (find (world, "c1")->state, ==, MUSTER_INCOMING_WAITING);
  g_assert_error (find (world, "c1")->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
}

/* A message stays when its account goes off; who answered it hears why that was not taken. */
static void
test_goes_off_while_answered (World *world, gconstpointer data)
{
  GAsyncResult *result = NULL;

  report (world, MUSTER_OFFER_MESSAGE, "m1", MUSTER_OFFER_WAITING);
  full->hold = TRUE;
  begin_answer (world, "m1", MUSTER_ANSWER_ACCEPT, NULL, &result);
  settle ();
  full->hold = FALSE;
  set_enabled (&world->daemon, world->account, FALSE);
  assert_ended (world, &result, "7: the account went off before its service answered");
  g_assert_cmpint (find (world, "m1")->state, ==, MUSTER_INCOMING_WAITING);
}

static void
test_ends_while_answered (World *world, gconstpointer data)
{
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  ring (world, "c1");
  begin_answer (world, "c1", MUSTER_ANSWER_DECLINE, NULL, &result);
  settle ();
  report (world, MUSTER_OFFER_CALL, "c1", MUSTER_OFFER_CANCELLED);
  release ();
  assert_ended (world, &result, "7: the call is over: who made it gave up");
  g_assert_cmpint (find (world, "c1")->state, ==, MUSTER_INCOMING_CANCELLED);

  ring (world, "c2");
  begin_answer (world, "c2", MUSTER_ANSWER_DECLINE, NULL, &result);
  settle ();
  report (world, MUSTER_OFFER_CALL, "c2", MUSTER_OFFER_TAKEN);
  release ();
  assert_ended (world, &result, "");
}

/* handlers */

static void
test_latest_handler (World *world, gconstpointer data)
{
  MusterBroker *broker = world->daemon.broker;

  ring (world, "c1");
  assert_answer (world, "c1", MUSTER_ANSWER_ACCEPT, NULL,
                 "7: no application*muster incoming accept i* --to ADDRESS)");
  handle (world, ":1.1", "full:first", "call");
  handle (world, ":1.2", "full:second", "call,message");
  handle (world, ":1.3", "other:third", "call");
  handle (world, ":1.3", "full:fourth", "message");
  assert_answer (world, "c1", MUSTER_ANSWER_ACCEPT, NULL, "");

  g_assert_false (muster_broker_remove_handlers (broker, ":1.2", "full:first"));
  g_assert_true (muster_broker_remove_handlers (broker, ":1.2", NULL));
  ring (world, "c2");
  assert_answer (world, "c2", MUSTER_ANSWER_ACCEPT, NULL, "");
  assert_log ("answer:c1:accept:full:second answer:c2:accept:full:first");
  g_assert_cmpuint (muster_broker_get_handlers (broker)->len, ==, 3);
}

static void
test_handler_limits (World *world, gconstpointer data)
{
  MusterIncomingHandler *handler = g_new0 (MusterIncomingHandler, 1);
  g_autoptr (GError) error = NULL;

  handler->owner = g_strdup (":1.1");
  handler->address = g_strdup ("full:a0");
  handler->kinds = g_strsplit ("call", ",", -1);
  for (guint i = 0; i < MUSTER_HANDLERS_MAX; i++) {
    g_autofree char *address = g_strdup_printf ("full:a%u", i);

    handle (world, ":1.1", address, "call");
    if (i == 0) {
      g_assert_false (muster_broker_add_handler (world->daemon.broker, handler, &error));
      g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS);
      g_clear_error (&error);
    }
  }
  g_free (handler->owner);
  handler->owner = g_strdup (":1.2");
  g_assert_false (muster_broker_add_handler (world->daemon.broker, handler, &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY);
  muster_incoming_handler_free (handler);
}

/* the account's life */

static void
test_unserved (World *world, gconstpointer data)
{
  GAsyncResult *result = NULL;

  ring (world, "c1");
  report (world, MUSTER_OFFER_MESSAGE, "m1", MUSTER_OFFER_WAITING);
  full->hold = TRUE;
  begin_answer (world, "c1", MUSTER_ANSWER_DECLINE, NULL, &result);
  settle ();
  full->hold = FALSE;
  g_string_truncate (world->shown, 0);
  set_enabled (&world->daemon, world->account, FALSE);
  assert_ended (world, &result, "7: the call is over: nobody*");
  assert_taken (world->shown, "c1=stale");

  g_string_truncate (full->log, 0);
  assert_answer (world, "m1", MUSTER_ANSWER_ACCEPT, NULL, "");
  assert_log ("");
  g_assert_cmpint (find (world, "m1")->state, ==, MUSTER_INCOMING_TAKEN);
}

static void
test_removed_account (World *world, gconstpointer data)
{
  GAsyncResult *result = NULL;

  ring (world, "c1");
  report (world, MUSTER_OFFER_MESSAGE, "m1", MUSTER_OFFER_WAITING);
  muster_broker_remove_account_async (world->daemon.broker, world->account, on_result, &result);
  finish_change (&world->daemon, &result);
  g_assert_null (find (world, "c1"));
  g_assert_null (find (world, "m1"));
  settle ();
}

/* Nobody waits for an answer that cannot come any more. */
static void
test_end_of_the_daemon (World *world, gconstpointer data)
{
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  ring (world, "c1");
  begin_answer (world, "c1", MUSTER_ANSWER_DECLINE, NULL, &result);
  settle ();
  daemon_kill (&world->daemon);
  assert_ended (world, &result, "*: the daemon ends");
}

/* room */

static guint
count (World *world)
{
  return (guint) g_sequence_get_length (muster_broker_get_offers (world->daemon.broker));
}

static void
report_many (MusterAccount *account, MusterOfferKind kind, const char *prefix, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *id = g_strdup_printf ("%s%u", prefix, i);

    report_on (account, kind, id, MUSTER_OFFER_WAITING);
  }
}

static void
test_messages_make_room (World *world, gconstpointer data)
{
  ring (world, "c1");
  report_many (world->account, MUSTER_OFFER_MESSAGE, "m", 150);
  g_assert_cmpuint (count (world), ==, 100);
  g_assert_nonnull (find (world, "c1"));
  g_assert_null (find (world, "m50"));
  g_assert_nonnull (find (world, "m51"));
  g_assert_nonnull (strstr (world->said->str, "'stale'"));

  /* What is over goes first. */
  report (world, MUSTER_OFFER_CALL, "c1", MUSTER_OFFER_CANCELLED);
  report (world, MUSTER_OFFER_MESSAGE, "m150", MUSTER_OFFER_WAITING);
  g_assert_null (find (world, "c1"));
  g_assert_nonnull (find (world, "m51"));
}

static void
test_calls_do_not (World *world, gconstpointer data)
{
  g_test_expect_message ("MusterBroker", G_LOG_LEVEL_MESSAGE, "*too many calls*");
  report_many (world->account, MUSTER_OFFER_CALL, "c", 100);
  ring (world, "one-more");
  settle ();
  g_test_assert_expected_messages ();
  assert_log ("answer:one-more:busy");
  g_assert_cmpuint (count (world), ==, 100);
  g_assert_nonnull (find (world, "c0"));

  report (world, MUSTER_OFFER_CALL, "c7", MUSTER_OFFER_ELSEWHERE);
  ring (world, "one-more");
  g_assert_nonnull (find (world, "one-more"));
  g_assert_null (find (world, "c7"));
}

/* A service that is deaf to refusals, too. */
static void
test_refusals_are_bounded (World *world, gconstpointer data)
{
  g_test_expect_message ("MusterBroker", G_LOG_LEVEL_MESSAGE, "*too many calls*");
  report_many (world->account, MUSTER_OFFER_CALL, "c", 100);
  full->hold = TRUE;
  report_many (world->account, MUSTER_OFFER_CALL, "more", 300);
  settle ();
  g_test_assert_expected_messages ();
  full->hold = FALSE;
  assert_log ("answer:more0:busy");
  release ();
  settle ();
  {
    g_autofree char *log = take_log ();
    g_auto (GStrv) words = g_strsplit (log, " ", -1);

    g_assert_cmpuint (g_strv_length (words), ==, 99);
  }
}

static void
test_all_are_bounded (World *world, gconstpointer data)
{
  MusterAccount *accounts[11];

  for (guint i = 0; i < G_N_ELEMENTS (accounts); i++) {
    g_autofree char *address = g_strdup_printf ("user%u@full", i);
    g_autofree char *prefix = g_strdup_printf ("m%u-", i);

    accounts[i] = add_full (world, address);
    report_many (accounts[i], MUSTER_OFFER_MESSAGE, prefix, 100);
  }
  g_assert_cmpuint (count (world), ==, 1000);
  g_assert_null (find (world, "m0-99"));
  g_assert_nonnull (find (world, "m1-0"));
  ring (world, "c1");
  g_assert_cmpuint (count (world), ==, 1000);
  g_assert_nonnull (find (world, "c1"));
  g_assert_null (find (world, "m1-0"));
}

/* the mailbox */

static void
test_mailbox (World *world, gconstpointer data)
{
  MusterIncoming *incoming = MUSTER_INCOMING (muster_account_get_serving (world->account));

  g_assert_cmpint (muster_broker_get_mailbox (world->daemon.broker, world->account)->since_us, ==,
                   0);
  muster_incoming_report_waiting (incoming, 0, 0);
  assert_taken (world->shown, "mailbox:0:0");
  assert_taken (world->said, "");
  muster_incoming_report_waiting (incoming, 2, 5);
  muster_incoming_report_waiting (incoming, 2, 5);
  assert_taken (world->shown, "mailbox:2:5");
  g_assert_true (g_str_has_prefix (world->said->str, "mailbox.changed "));
  g_assert_nonnull (strstr (world->said->str, "'new': <uint32 2>"));
  g_assert_nonnull (strstr (world->said->str, "'old': <uint32 5>"));
  muster_incoming_report_waiting (incoming, 0, 7);
  assert_taken (world->shown, "mailbox:0:7");
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  full_open ();

#define ADD(path, test) g_test_add (path, World, NULL, set_up, test, tear_down)
  ADD ("/incoming/told-once", test_told_once);
  ADD ("/incoming/late-words", test_late_words);
  ADD ("/incoming/nonsense", test_nonsense);
  ADD ("/incoming/times", test_times);
  ADD ("/incoming/answers", test_answers);
  ADD ("/incoming/messages", test_messages);
  ADD ("/incoming/first-answer-wins", test_first_answer_wins);
  ADD ("/incoming/failed-answer", test_failed_answer);
  ADD ("/incoming/deaf-service", test_deaf_service);
  ADD ("/incoming/goes-off-while-answered", test_goes_off_while_answered);
  ADD ("/incoming/ends-while-answered", test_ends_while_answered);
  ADD ("/incoming/latest-handler", test_latest_handler);
  ADD ("/incoming/handler-limits", test_handler_limits);
  ADD ("/incoming/unserved", test_unserved);
  ADD ("/incoming/removed-account", test_removed_account);
  ADD ("/incoming/end-of-the-daemon", test_end_of_the_daemon);
  ADD ("/incoming/messages-make-room", test_messages_make_room);
  ADD ("/incoming/calls-do-not", test_calls_do_not);
  ADD ("/incoming/refusals-are-bounded", test_refusals_are_bounded);
  ADD ("/incoming/all-are-bounded", test_all_are_bounded);
  ADD ("/incoming/mailbox", test_mailbox);

  status = g_test_run ();
  full_clear ();
  muster_module_free (full_module);
  return status;
}
