/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-hub-private.h"
#include "muster-sip-flow.h"
#include "muster-sip-server.h"
#include "stream-server.h"

/* One connection and its transactions, against a server that says what no server should. */

typedef struct {
  Server *server;
  Line *line; /* once it is open */
  MusterSipFlow *flow;
  guint n_opened;
  guint n_ended;
  GError *error; /* of the end */
  MusterSipReceiver receiver;
  guint n_calls_lost;
} World;

/* one request, and what came of it */
typedef struct {
  MusterSipTransaction *transaction; /* NULL: over */
  guint n_answers;
  guint status;
  int failure; /* -1: none */
} Ask;

static void
on_opened (MusterSipFlow *flow, gpointer user_data)
{
  ((World *) user_data)->n_opened++;
}

static void
on_ended (MusterSipFlow *flow, const GError *error, gpointer user_data)
{
  World *world = user_data;

  world->n_ended++;
  world->error = g_error_copy (error);
}

static void
on_over (MusterSipOver why, gpointer user_data)
{
  guint *n_lost = user_data;

  g_assert_cmpint (why, ==, MUSTER_SIP_OVER_LOST);
  (*n_lost)++;
}

/* Calls ring; all else is done with. */
static void
on_request (gpointer user_data,
            const MusterSipInbound *inbound,
            MusterSipServerTransaction *transaction)
{
  gboolean is_call = g_str_equal (inbound->method, "INVITE");

  if (is_call)
    muster_sip_server_transaction_watch (transaction, on_over, user_data);
  muster_sip_server_transaction_reply (transaction, is_call ? 180 : 200, NULL);
}

static const MusterSipReceiver *
find (const char *token, gpointer user_data)
{
  static const MusterSipReceiverFuncs funcs = { .request = on_request };
  World *world = user_data;

  world->receiver = (MusterSipReceiver){ &funcs, &world->n_calls_lost };
  return g_str_equal (token, "ours") ? &world->receiver : NULL;
}

static const MusterSipFlowFuncs flow_funcs = { on_opened, on_ended, find };

static void
world_set_up (World *world, gconstpointer data)
{
  world->server = server_new ();
  world->flow = muster_sip_flow_new (&(MusterSipFlowKey){ .transport = MUSTER_TRANSPORT_TCP,
                                                          .host = "127.0.0.1",
                                                          .port = world->server->port },
                                     &flow_funcs, world);
  wait_until (world->n_opened > 0);
  world->line = wait_for_line (world->server, 0);
  muster_clock_advance_us (1000);
}

static void
world_tear_down (World *world, gconstpointer data)
{
  muster_sip_flow_free (world->flow);
  server_free (world->server);
  g_clear_error (&world->error);
  g_assert_true (muster_clock_is_idle ()); /* nothing is kept alive any more */
  g_assert_cmpuint (world->n_opened, ==, 1);
  g_assert_cmpuint (world->n_ended, <=, 1);
}

static void
on_answer (const MusterSipResponse *response, const GError *failure, gpointer user_data)
{
  Ask *ask = user_data;

  g_assert_true ((response != NULL) != (failure != NULL));
  ask->transaction = NULL;
  ask->n_answers++;
  ask->status = response != NULL ? response->status : 0;
  ask->failure = failure != NULL ? failure->code : -1;
}

static void
ask (World *world, Ask *ask)
{
  MusterSipTransport *transport = muster_sip_flow_get_transport (world->flow);
  MusterSipRequest request = {
    .method = "REGISTER",
    .request_uri = "sip:example.test",
    .from = "<sip:alice@example.test>;tag=1",
    .to = "<sip:alice@example.test>",
    .call_id = "call",
    .cseq = 1,
    .contact = "<sip:ours@127.0.0.1>",
    .expires_s = 600,
  };

  *ask = (Ask){ .failure = -1 };
  ask->transaction = transport->vtable->send (transport, "", &request, on_answer, ask);
  g_assert_cmpuint (ask->n_answers, ==, 0);
}

static char *
ask_and_take (World *world, Ask *to)
{
  ask (world, to);
  return wait_for_request (world->line);
}

static void
drop (World *world, Ask *ask)
{
  MusterSipTransport *transport = muster_sip_flow_get_transport (world->flow);

  transport->vtable->drop (transport, g_steal_pointer (&ask->transaction));
}

/* what comes in */

static void
test_any_cut (World *world, gconstpointer data)
{
  Ask one;
  g_autofree char *request = ask_and_take (world, &one);
  g_autofree char *answer = answer_to (request, "200 OK", "");

  for (const char *c = answer; *c != '\0'; c++) {
    const char byte[2] = { *c, '\0' };

    g_assert_cmpuint (one.n_answers, ==, 0);
    line_say (world->line, byte);
    settle ();
  }
  wait_until (one.n_answers > 0);
  g_assert_cmpuint (one.status, ==, 200);
}

static void
test_two_at_once (World *world, gconstpointer data)
{
  Ask one, two;
  g_autofree char *first = ask_and_take (world, &one);
  g_autofree char *second = ask_and_take (world, &two);
  g_autofree char *first_answer = answer_to (first, "200 OK", "");
  g_autofree char *second_answer = answer_to (second, "403 Forbidden", "");
  g_autofree char *both = g_strconcat (second_answer, first_answer, NULL);

  line_say (world->line, both);
  wait_until (one.n_answers > 0 && two.n_answers > 0);
  g_assert_cmpuint (one.status, ==, 200);
  g_assert_cmpuint (two.status, ==, 403);
}

/* Each of these is nobody's answer; the right one still is. */
static void
test_foreign_answers (World *world, gconstpointer data)
{
  Ask one;
  g_autofree char *request = ask_and_take (world, &one);
  g_autofree char *right = answer_to (request, "200 OK", "");
  g_autofree char *trying = answer_to (request, "100 Trying", "");
  g_autofree char *two_vias = answer_to (request, "403 Forbidden",
                                         "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n");
  g_auto (GStrv) parts = g_strsplit (right, "branch=", 2);
  g_autofree char *foreign = g_strconcat (parts[0], "branch=x", parts[1], NULL);
  g_autofree char *bare = g_strconcat (parts[0], "b=", parts[1], NULL);
  g_autofree char *all = g_strconcat (trying, two_vias, foreign, bare, NULL);

  line_say (world->line, all);
  line_say (world->line, "\r\n\r\n");
  wait_until (g_str_equal (world->line->in->str, "\r\n")); /* all of it was read */
  g_assert_cmpuint (one.n_answers, ==, 0);

  line_say (world->line, right);
  wait_until (one.n_answers > 0);
  g_assert_cmpuint (one.status, ==, 200);

  line_say (world->line, right); /* once more: there is nobody to get it */
  g_string_truncate (world->line->in, 0);
  muster_clock_advance_us (G_USEC_PER_SEC);
  line_say (world->line, "\r\n\r\n");
  wait_until (g_str_equal (world->line->in->str, "\r\n"));
  g_assert_cmpuint (one.n_answers, ==, 1);
}

static void
test_nonsense (World *world, gconstpointer nonsense)
{
  Ask one;
  g_autofree char *request = ask_and_take (world, &one);
  g_autofree char *endless = g_strnfill (70 * 1024, 'x');

  line_say (world->line, nonsense != NULL ? nonsense : endless);
  wait_until (one.n_answers > 0);
  g_assert_cmpint (one.failure, ==, MUSTER_ERROR_PROTOCOL);
  g_assert_cmpuint (world->n_ended, ==, 1);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  g_assert_false (muster_sip_flow_is_open (world->flow));
  wait_until (world->line->watch == NULL); /* and it is gone for the server, too */

  ask (world, &one);
  wait_until (one.n_answers > 0);
  g_assert_cmpint (one.failure, ==, MUSTER_ERROR_UNREACHABLE);
}

static void
say_request (World *world, const char *method, const char *user)
{
  g_autofree char *text = g_strdup_printf ("%s sip:%s@127.0.0.1 SIP/2.0\r\n"
                                           "Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK%s\r\n"
                                           "Max-Forwards: 70\r\n"
                                           "From: <sip:bob@example.test>;tag=1\r\n"
                                           "To: <sip:alice@example.test>\r\n"
                                           "Call-ID: %s\r\n"
                                           "CSeq: 1 %s\r\n"
                                           "Content-Length: 0\r\n\r\n",
                                           method, user, method, user, method);

  line_say (world->line, text);
}

static void
test_requests (World *world, gconstpointer data)
{
  static const char *const expected[] = { "SIP/2.0 200 OK", "SIP/2.0 404 Not Found",
                                          "SIP/2.0 405 Method Not Allowed", "SIP/2.0 180 Ringing",
                                          "SIP/2.0 200 OK" };

  say_request (world, "OPTIONS", "ours");
  say_request (world, "OPTIONS", "others");
  say_request (world, "REFER", "ours");
  say_request (world, "INVITE", "ours");
  say_request (world, "ACK", "ours");
  say_request (world, "MESSAGE", "ours");
  line_say (world->line, "\r\n\r\n");

  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_autofree char *reply = wait_for_request (world->line);

    g_assert_true (g_str_has_prefix (reply, expected[i]));
    g_assert_nonnull (strstr (reply, ";tag="));
  }
  wait_until (g_str_equal (world->line->in->str, "\r\n")); /* the pong: nothing for the ACK */
}

/* Nobody can be told any more, but whoever has it ring is. */
static void
test_call_is_lost (World *world, gconstpointer data)
{
  g_autofree char *reply = NULL;

  say_request (world, "INVITE", "ours");
  reply = wait_for_request (world->line);
  g_assert_true (g_str_has_prefix (reply, "SIP/2.0 180 "));
  line_hang_up (world->line);
  wait_until (world->n_ended > 0);
  g_assert_cmpuint (world->n_calls_lost, ==, 1);
}

/* the end of a transaction */

static void
test_server_hangs_up (World *world, gconstpointer data)
{
  Ask one, two;
  g_autofree char *first = ask_and_take (world, &one);
  g_autofree char *second = ask_and_take (world, &two);

  line_hang_up (world->line);
  wait_until (one.n_answers > 0 && two.n_answers > 0);
  g_assert_cmpint (one.failure, ==, MUSTER_ERROR_UNREACHABLE);
  g_assert_cmpint (two.failure, ==, MUSTER_ERROR_UNREACHABLE);
  g_assert_cmpuint (world->n_ended, ==, 1);
  g_assert_true (muster_clock_is_idle ());
}

/* What was failed but not told yet can still be dropped. */
static void
test_drop_what_has_failed (World *world, gconstpointer data)
{
  Ask one;
  g_autofree char *request = ask_and_take (world, &one);

  line_hang_up (world->line);
  wait_until (world->n_ended > 0);
  g_assert_cmpuint (one.n_answers, ==, 0);
  drop (world, &one);
  ask (world, &one);
  drop (world, &one);
  settle ();
  g_assert_cmpuint (one.n_answers, ==, 0);
}

static void
test_timer_f (World *world, gconstpointer data)
{
  Ask silent, late;
  g_autofree char *request = ask_and_take (world, &silent);
  g_autofree char *second = NULL;
  g_autofree char *answer = NULL;

  muster_clock_advance_us (20 * G_USEC_PER_SEC);
  second = ask_and_take (world, &late);
  muster_clock_advance_us (11900 * 1000);
  settle ();
  g_assert_cmpuint (silent.n_answers, ==, 0);

  answer = answer_to (second, "200 OK", "");
  line_say (world->line, answer);
  wait_until (late.n_answers > 0);
  muster_clock_advance_us (200 * 1000);
  wait_until (silent.n_answers > 0);
  g_assert_cmpint (silent.failure, ==, MUSTER_ERROR_UNREACHABLE);
  settle ();
  g_assert_true (muster_sip_flow_is_open (world->flow)); /* it answers others */
}

/* A server that takes everything and says nothing is given up, not only the request. */
static void
test_silence_ends_it (World *world, gconstpointer dropped)
{
  Ask one;
  g_autofree char *request = ask_and_take (world, &one);

  if (dropped) {
    muster_clock_advance_us (9 * G_USEC_PER_SEC);
    drop (world, &one);
    settle ();
    g_assert_cmpuint (world->n_ended, ==, 0); /* not yet */
    g_free (g_steal_pointer (&request));
    request = ask_and_take (world, &one);
    muster_clock_advance_us (10 * G_USEC_PER_SEC);
    drop (world, &one);
    g_assert_cmpuint (world->n_ended, ==, 0); /* not from within */
  } else {
    muster_clock_advance_us (33 * G_USEC_PER_SEC);
  }

  wait_until (world->n_ended > 0);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  g_assert_false (muster_sip_flow_is_open (world->flow));
  settle ();
  g_assert_cmpuint (one.n_answers, ==, dropped ? 0 : 1);
}

/* keeping it alive */

#define PING        "\r\n\r\n"
#define PONG        "\r\n"
#define N_INTERVALS 20

/* For how many seconds nothing was sent; then a ping was, and nothing else. */
static guint
wait_for_ping (World *world)
{
  gint64 began_us = muster_clock_now_us ();

  while (world->line->in->len == 0) {
    g_assert_false (muster_clock_is_idle ());
    muster_clock_advance_us (muster_clock_next_due_us () - muster_clock_now_us ());
    settle ();
    g_assert_cmpuint (world->n_ended, ==, 0);
  }
  g_assert_cmpstr (world->line->in->str, ==, PING);
  g_string_truncate (world->line->in, 0);
  return (guint) ((muster_clock_now_us () - began_us) / G_USEC_PER_SEC);
}

static void
say (World *world, const char *text)
{
  line_say (world->line, text);
  settle ();
}

static void
pass_ms (gint64 by_ms)
{
  muster_clock_advance_us (by_ms * 1000);
  settle ();
}

static void
assert_silent (World *world)
{
  g_assert_cmpstr (world->line->in->str, ==, "");
  g_assert_cmpuint (world->n_ended, ==, 0);
}

static void
assert_dead (World *world)
{
  g_assert_cmpuint (world->n_ended, ==, 1);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  g_assert_nonnull (strstr (world->error->message, "keep-alives"));
  g_assert_false (muster_sip_flow_is_open (world->flow));
  wait_until (world->line->watch == NULL); /* and it is gone for the server, too */
}

/* It must answer at the next one. */
static void
learn_that_server_pongs (World *world)
{
  wait_for_ping (world);
  say (world, PONG);
}

/* A server that never answers a ping gets them all the same, each after another interval. */
static void
test_pings_when_idle (World *world, gconstpointer data)
{
  guint first_s = 0;
  gboolean differ = FALSE;

  for (guint i = 0; i < N_INTERVALS; i++) {
    guint interval_s = wait_for_ping (world);

    if (i == 0)
      first_s = interval_s;
    differ = differ || interval_s != first_s;
    g_assert_cmpuint (interval_s, >=, 96);
    g_assert_cmpuint (interval_s, <=, 120);
  }
  g_assert_true (differ);
}

static void
test_no_ping_when_busy (World *world, gconstpointer data)
{
  for (guint i = 0; i < 5; i++) {
    Ask one;
    g_autofree char *request = ask_and_take (world, &one);
    g_autofree char *answer = answer_to (request, "200 OK", "");

    say (world, answer);
    pass_ms (90 * 1000);
    assert_silent (world);
    say_request (world, "OPTIONS", "ours"); /* what is answered keeps it alive as well */
    g_free (wait_for_request (world->line));
    pass_ms (90 * 1000);
    assert_silent (world);
  }
  wait_for_ping (world);
}

/* Pongs, however they arrive, are no pings of the server's, and keep the connection. */
static void
test_pong_keeps_it (World *world, gconstpointer data)
{
  for (guint i = 0; i < 4; i++) {
    wait_for_ping (world);
    pass_ms (i > 0 ? 9900 : 0);
    if (i == 2) {
      say (world, "\r");
      say (world, "\n");
    } else {
      say (world, PONG);
    }
    if (i == 3) {
      say_request (world, "ACK", "ours");
      settle ();
    }
    pass_ms (60 * 1000);
    assert_silent (world);
  }
}

/* The same, with something behind it in the same packet. */
static void
test_pong_before_message (World *world, gconstpointer data)
{
  wait_for_ping (world);
  say (world, PONG "ACK sip:ours@127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n");
  wait_for_ping (world);
  pass_ms (10100);
  assert_dead (world);
}

static void
test_missing_pong (World *world, gconstpointer data)
{
  Ask one;

  learn_that_server_pongs (world);
  wait_for_ping (world);
  pass_ms (9900);
  assert_silent (world);

  g_free (ask_and_take (world, &one)); /* what we send is no sign of the server's life */
  pass_ms (200);
  assert_dead (world);
  wait_until (one.n_answers > 0);
  g_assert_cmpint (one.failure, ==, MUSTER_ERROR_UNREACHABLE);
}

/* Whatever it says, it lives; and the next time it is asked again. */
static void
test_anything_is_a_sign_of_life (World *world, gconstpointer data)
{
  learn_that_server_pongs (world);
  wait_for_ping (world);
  pass_ms (9900);
  say (world, "SIP/2.0 200 OK\r\nX: half of");
  pass_ms (60 * 1000);
  assert_silent (world);
  wait_for_ping (world);
  pass_ms (10100);
  assert_dead (world);
}

/* A CRLF at any other time tells nothing, and is not half of a ping later. */
static void
test_late_pong (World *world, gconstpointer data)
{
  wait_for_ping (world);
  pass_ms (11 * 1000);
  say (world, PONG);
  wait_for_ping (world);
  pass_ms (60 * 1000);
  assert_silent (world); /* it was not expected to answer that */

  learn_that_server_pongs (world);
  assert_silent (world); /* no answer to a ping that was none */
  wait_for_ping (world);
  pass_ms (10100);
  assert_dead (world);
}

/* The machine slept with the pong in the socket, or on the way: it is asked for once more, once. */
static void
test_sleep_is_no_missing_pong (World *world, gconstpointer data)
{
  learn_that_server_pongs (world);
  wait_for_ping (world);
  muster_clock_suspend_us (60 * G_USEC_PER_SEC);
  settle ();
  g_assert_cmpstr (world->line->in->str, ==, PING);
  g_string_truncate (world->line->in, 0);
  pass_ms (9900);
  assert_silent (world);
  pass_ms (200);
  assert_dead (world);
}

static void
test_flow_timer (World *world, gconstpointer data)
{
  static const struct {
    guint said_s, least_s, most_s;
  } rows[] = {
    { 0, 8, 10 },     { 9, 8, 10 },         { 10, 8, 10 },
    { 100, 80, 100 }, { 3600, 2880, 3600 }, { G_MAXUINT, 2880, 3600 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    muster_sip_flow_set_flow_timer (world->flow, rows[i].said_s);
    for (guint j = 0; j < 3; j++) {
      guint interval_s = wait_for_ping (world);

      g_assert_cmpuint (interval_s, >=, rows[i].least_s);
      g_assert_cmpuint (interval_s, <=, rows[i].most_s);
      say (world, PONG);
    }
  }
}

/* It stands in the answer to a REGISTER. */
static void
test_flow_timer_of_an_answer (World *world, gconstpointer data)
{
  Ask one;
  g_autofree char *request = ask_and_take (world, &one);
  g_autofree char *answer = answer_to (request, "200 OK", "Flow-Timer: 20\r\n");

  line_say (world->line, answer);
  wait_until (one.n_answers > 0);
  g_assert_cmpuint (wait_for_ping (world), <=, 20);
}

/* Who gives a Flow-Timer answers pings. Said once more, it changes nothing. */
static void
test_flow_timer_asks_for_pongs (World *world, gconstpointer data)
{
  muster_sip_flow_set_flow_timer (world->flow, 120);
  wait_for_ping (world);
  muster_sip_flow_set_flow_timer (world->flow, 120);
  muster_sip_flow_set_flow_timer (world->flow, 60);
  pass_ms (9900);
  assert_silent (world);
  pass_ms (200);
  assert_dead (world);
}

/* Of a server's pings, one in a second is answered, and what comes behind them is not forgotten. */
static void
test_flood_of_pings (World *world, gconstpointer data)
{
  g_autoptr (GString) flood = g_string_new (NULL);
  g_autofree char *reply = NULL;

  for (guint i = 0; i < 20000; i++)
    g_string_append (flood, PING);
  for (guint i = 0; i < 3; i++) {
    line_say (world->line, flood->str);
    say_request (world, "OPTIONS", "ours");
    reply = wait_for_request (world->line);
    g_assert_true (g_str_has_prefix (reply, PONG "SIP/2.0 200 OK"));
    g_clear_pointer (&reply, g_free);
    assert_silent (world);
    pass_ms (1000);
  }
}

/* many */

#define N_MANY   1000
#define TURN_MAX 64 /* callbacks in one turn of the loop */

static guint
count_answers (const Ask *asks)
{
  guint n = 0;

  for (guint i = 0; i < N_MANY; i++)
    n += asks[i].n_answers;
  return n;
}

static void
wait_in_turns (const Ask *asks)
{
  guint n = 0;

  while (n < N_MANY) {
    guint before = n;

    g_main_context_iteration (NULL, TRUE);
    n = count_answers (asks);
    g_assert_cmpuint (n - before, <=, TURN_MAX);
  }
}

static void
test_many_answers_at_once (World *world, gconstpointer data)
{
  g_autofree Ask *asks = g_new0 (Ask, N_MANY);
  g_autoptr (GString) answers = g_string_new (NULL);

  for (guint i = 0; i < N_MANY; i++) {
    g_autofree char *request = ask_and_take (world, &asks[i]);
    g_autofree char *answer = answer_to (request, "200 OK", "");

    g_string_append (answers, answer);
  }
  line_say (world->line, answers->str);
  wait_in_turns (asks);
  for (guint i = 0; i < N_MANY; i++)
    g_assert_cmpuint (asks[i].status, ==, 200);

  /* It reads on. */
  line_say (world->line, "\r\n\r\n");
  wait_until (g_str_has_suffix (world->line->in->str, "\r\n"));
}

static void
test_many_lost_at_once (World *world, gconstpointer data)
{
  g_autofree Ask *asks = g_new0 (Ask, N_MANY);

  for (guint i = 0; i < N_MANY; i++)
    g_free (ask_and_take (world, &asks[i]));
  line_hang_up (world->line);
  wait_in_turns (asks);
  for (guint i = 0; i < N_MANY; i++)
    g_assert_cmpint (asks[i].failure, ==, MUSTER_ERROR_UNREACHABLE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, data, test)                                                                      \
  g_test_add ("/sip/flow/" path, World, data, world_set_up, test, world_tear_down)
  ADD ("any-cut", NULL, test_any_cut);
  ADD ("two-at-once", NULL, test_two_at_once);
  ADD ("foreign-answers", NULL, test_foreign_answers);
  ADD ("garbage", "\001\002\003 nonsense\r\n\r\n", test_nonsense);
  ADD ("no-length", "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1\r\n\r\n", test_nonsense);
  ADD ("endless-head", NULL, test_nonsense);
  ADD ("requests", NULL, test_requests);
  ADD ("call-is-lost", NULL, test_call_is_lost);
  ADD ("server-hangs-up", NULL, test_server_hangs_up);
  ADD ("drop-what-has-failed", NULL, test_drop_what_has_failed);
  ADD ("timer-f", NULL, test_timer_f);
  ADD ("silence-ends-it", NULL, test_silence_ends_it);
  ADD ("silence-ends-it/dropped", "dropped", test_silence_ends_it);
  ADD ("pings-when-idle", NULL, test_pings_when_idle);
  ADD ("no-ping-when-busy", NULL, test_no_ping_when_busy);
  ADD ("pong-keeps-it", NULL, test_pong_keeps_it);
  ADD ("pong-before-message", NULL, test_pong_before_message);
  ADD ("missing-pong", NULL, test_missing_pong);
  ADD ("anything-is-a-sign-of-life", NULL, test_anything_is_a_sign_of_life);
  ADD ("late-pong", NULL, test_late_pong);
  ADD ("sleep-is-no-missing-pong", NULL, test_sleep_is_no_missing_pong);
  ADD ("flow-timer", NULL, test_flow_timer);
  ADD ("flow-timer-of-an-answer", NULL, test_flow_timer_of_an_answer);
  ADD ("flow-timer-asks-for-pongs", NULL, test_flow_timer_asks_for_pongs);
  ADD ("flood-of-pings", NULL, test_flood_of_pings);
  ADD ("many-answers-at-once", NULL, test_many_answers_at_once);
  ADD ("many-lost-at-once", NULL, test_many_lost_at_once);
#undef ADD

  return g_test_run ();
}
