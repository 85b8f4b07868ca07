/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "inbound-fixture.h"

/* Server transactions on a network that loses, repeats and makes up what it likes. */

typedef struct {
  Wire wire;
  MusterSipReceiver receiver;
  guint n_requests;
  MusterSipServerTransaction *transaction; /* the last that came, while it waits */
  guint status;                            /* what requests are answered with at once; 0: not */
  guint n_over;
  MusterSipOver why;
} World;

static void
on_over (MusterSipOver why, gpointer user_data)
{
  World *world = user_data;

  world->n_over++;
  world->why = why;
  world->transaction = NULL;
}

static void
on_request (gpointer user_data,
            const MusterSipInbound *inbound,
            MusterSipServerTransaction *transaction)
{
  World *world = user_data;

  world->n_requests++;
  if (world->status != 0) {
    muster_sip_server_transaction_reply (transaction, world->status, NULL);
    return;
  }
  world->transaction = transaction;
  muster_sip_server_transaction_watch (transaction, on_over, world);
}

static const MusterSipReceiverFuncs receiver_funcs = { .request = on_request };

static void
world_set_up (World *world, gconstpointer reliable)
{
  world->receiver.funcs = &receiver_funcs;
  world->receiver.user_data = world;
  wire_set_up (&world->wire, reliable != NULL, &world->receiver);
}

static void
world_tear_down (World *world, gconstpointer reliable)
{
  wire_tear_down (&world->wire);
}

static void
reply (World *world, guint status)
{
  MusterSipServerTransaction *transaction = world->transaction;

  if (status >= 200)
    world->transaction = NULL;
  muster_sip_server_transaction_reply (transaction, status, NULL);
}

/* A final reply is repeated, less and less often, until the ACK; that one is no request to anybody. */
static void
test_lost_ack (World *world, gconstpointer reliable)
{
  static const guint waits_ms[] = { 500, 1000, 2000, 4000, 4000 };

  take (&world->wire, "INVITE");
  reply (world, 486);
  assert_reply (&world->wire, "486", "INVITE");
  for (gsize i = 0; i < G_N_ELEMENTS (waits_ms); i++) {
    gint64 wait_us = muster_clock_next_due_us () - muster_clock_now_us ();

    g_assert_cmpint (wait_us, >=, waits_ms[i] * 1000);
    g_assert_cmpint (wait_us, <=, waits_ms[i] * 1000 + 50000);
    assert_silence (&world->wire);
    muster_clock_advance_us (wait_us);
    assert_reply (&world->wire, "486", "INVITE");
  }
  take (&world->wire, "ACK");
  pass_ms (4500);
  assert_silence (&world->wire);
  take (&world->wire, "INVITE"); /* late on its way */
  take (&world->wire, "ACK");
  assert_silence (&world->wire);
  pass_ms (1000);
  g_assert_true (muster_clock_is_idle ());
  g_assert_cmpuint (world->n_requests, ==, 1);
  g_assert_cmpuint (world->n_over, ==, 0);
}

/* Nobody says ACK: half a minute is enough. */
static void
test_no_ack (World *world, gconstpointer reliable)
{
  guint n;

  take (&world->wire, "INVITE");
  reply (world, 603);
  pass_ms (31800);
  n = world->wire.replies->len;
  g_assert_cmpuint (n, ==, reliable != NULL ? 1 : 11);
  g_assert_false (muster_clock_is_idle ());
  pass_ms (300);
  g_assert_cmpuint (world->wire.replies->len, ==, n);
  g_assert_true (muster_clock_is_idle ());
}

static void
test_repeated_invite (World *world, gconstpointer reliable)
{
  take (&world->wire, "INVITE");
  take (&world->wire, "INVITE"); /* there is nothing to say yet */
  assert_silence (&world->wire);
  reply (world, 180);
  assert_reply (&world->wire, "180", "INVITE");
  take (&world->wire, "INVITE");
  assert_reply (&world->wire, "180", "INVITE");
  take (&world->wire, "ACK"); /* of nothing */
  reply (world, 302);
  assert_reply (&world->wire, "302", "INVITE");
  take (&world->wire, "INVITE");
  assert_reply (&world->wire, "302", "INVITE");
  take (&world->wire, "ACK");
  g_assert_cmpuint (world->n_requests, ==, 1);
  g_assert_true (reliable == NULL || muster_clock_is_idle ());
}

/* Another hop's, another account's or another method's is another. */
static void
test_matching (World *world, gconstpointer reliable)
{
  world->status = 480;
  take (&world->wire, "INVITE");
  take (&world->wire, "INVITE", .branch = (char *) "z9hG4bK2", .cseq = 2);
  take (&world->wire, "INVITE", .sent_by = (char *) "other.test:5060", .cseq = 3);
  take (&world->wire, "MESSAGE");
  g_assert_cmpuint (world->n_requests, ==, 4);
  take (&world->wire, "INVITE");
  take (&world->wire, "MESSAGE");
  g_assert_cmpuint (world->n_requests, ==, reliable != NULL ? 5 : 4);

  /* RFC 2543 */
  take (&world->wire, "INVITE", .branch = (char *) "1", .call_id = (char *) "old");
  take (&world->wire, "INVITE", .branch = (char *) "1", .call_id = (char *) "older");
  take (&world->wire, "INVITE", .branch = (char *) "1", .call_id = (char *) "old");
  g_assert_cmpuint (world->n_requests, ==, reliable != NULL ? 7 : 6);
}

static void
test_repeated_message (World *world, gconstpointer reliable)
{
  world->status = 200;
  for (guint i = 0; i < 3; i++) {
    take (&world->wire, "MESSAGE");
    assert_reply (&world->wire, "200", "MESSAGE");
    pass_ms (10000);
  }
  g_assert_cmpuint (world->n_requests, ==, 1);
  pass_ms (3000);
  g_assert_true (muster_clock_is_idle ());
  take (&world->wire, "MESSAGE");
  g_assert_cmpuint (world->n_requests, ==, 2);
}

static void
test_message_on_stream (World *world, gconstpointer reliable)
{
  world->status = 200;
  take (&world->wire, "MESSAGE");
  assert_reply (&world->wire, "200", "MESSAGE");
  g_assert_true (muster_clock_is_idle ());
}

/* Whoever asked has given up long ago. */
static void
test_never_answered (World *world, gconstpointer reliable)
{
  take (&world->wire, "NOTIFY");
  pass_ms (33000);
  assert_silence (&world->wire);
  g_assert_cmpuint (world->n_over, ==, 1);
  g_assert_cmpint (world->why, ==, MUSTER_SIP_OVER_LOST);
}

static void
test_cancel (World *world, gconstpointer reliable)
{
  static const struct {
    guint sip_cause;
    guint q850_cause;
    MusterSipOver why;
  } cases[] = {
    { 0, 0, MUSTER_SIP_OVER_CANCELLED },   { 487, 0, MUSTER_SIP_OVER_CANCELLED },
    { 200, 0, MUSTER_SIP_OVER_ELSEWHERE }, { 600, 0, MUSTER_SIP_OVER_ELSEWHERE },
    { 603, 0, MUSTER_SIP_OVER_ELSEWHERE }, { 0, 26, MUSTER_SIP_OVER_ELSEWHERE },
    { 0, 16, MUSTER_SIP_OVER_CANCELLED },  { 480, 26, MUSTER_SIP_OVER_ELSEWHERE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *branch = g_strdup_printf ("z9hG4bK%u", i);

    take (&world->wire, "INVITE", .branch = branch, .cseq = i + 1);
    reply (world, 180);
    assert_reply (&world->wire, "180", "INVITE");
    for (guint twice = 0; twice < 2; twice++) {
      take (&world->wire, "CANCEL", .branch = branch, .cseq = i + 1,
            .sip_cause = cases[i].sip_cause, .q850_cause = cases[i].q850_cause);
      assert_reply (&world->wire, "200", "CANCEL");
      if (twice == 0)
        assert_reply (&world->wire, "487", "INVITE");
    }
    assert_silence (&world->wire);
    g_assert_cmpuint (world->n_over, ==, i + 1);
    g_assert_cmpint (world->why, ==, cases[i].why);
    take (&world->wire, "ACK", .branch = branch, .cseq = i + 1);
  }
}

static void
test_cancel_of_nothing (World *world, gconstpointer reliable)
{
  take (&world->wire, "CANCEL");
  assert_reply (&world->wire, "481", "CANCEL");

  take (&world->wire, "INVITE");
  reply (world, 302);
  take (&world->wire, "CANCEL"); /* it crossed the answer, which stays */
  assert_reply (&world->wire, "302", "INVITE");
  assert_reply (&world->wire, "200", "CANCEL");
  assert_silence (&world->wire);
  g_assert_cmpuint (world->n_over, ==, 0);

  world->status = 200;
  take (&world->wire, "MESSAGE", .branch = (char *) "z9hG4bK2", .cseq = 2);
  take (&world->wire, "CANCEL", .branch = (char *) "z9hG4bK2", .cseq = 2);
  assert_reply (&world->wire, "200", "MESSAGE");
  assert_reply (&world->wire, "481", "CANCEL");
}

/* Two ways lead here, and one call takes both. */
static void
test_merged (World *world, gconstpointer reliable)
{
  take (&world->wire, "INVITE");
  take (&world->wire, "INVITE", .branch = (char *) "z9hG4bK2");
  assert_reply (&world->wire, "482", "INVITE");
  take (&world->wire, "INVITE", .branch = (char *) "z9hG4bK3", .from_tag = (char *) "other");
  take (&world->wire, "INVITE", .branch = (char *) "z9hG4bK4", .cseq = 2);
  assert_silence (&world->wire);
  g_assert_cmpuint (world->n_requests, ==, 3);

  take (&world->wire, "NOTIFY", .branch = (char *) "z9hG4bK5", .to_tag = (char *) "t");
  take (&world->wire, "NOTIFY", .branch = (char *) "z9hG4bK6", .to_tag = (char *) "t");
  g_assert_cmpuint (world->n_requests, ==, 5);
  assert_silence (&world->wire);
}

static void
test_judge (World *world, gconstpointer reliable)
{
  static const struct {
    const char *method;
    guint plain, foreign, in_dialog, required;
  } cases[] = {
    { "INVITE", 0, 404, 481, 420 },      { "MESSAGE", 0, 404, 481, 420 },
    { "OPTIONS", 0, 404, 481, 420 },     { "NOTIFY", 0, 404, 0, 0 },
    { "BYE", 405, 405, 405, 405 },       { "REFER", 405, 405, 405, 405 },
    { "SUBSCRIBE", 405, 405, 405, 405 }, { "invite", 405, 405, 405, 405 },
    { "REGISTER", 405, 405, 405, 405 },  { "PRACK", 405, 405, 405, 405 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    MusterSipInbound inbound = { .method = (char *) cases[i].method };

    g_assert_cmpuint (muster_sip_server_judge (&inbound, TRUE), ==, cases[i].plain);
    g_assert_cmpuint (muster_sip_server_judge (&inbound, FALSE), ==, cases[i].foreign);
    inbound.unsupported = (char *) "x";
    g_assert_cmpuint (muster_sip_server_judge (&inbound, TRUE), ==, cases[i].required);
    inbound.to_tag = (char *) "t";
    inbound.unsupported = NULL;
    g_assert_cmpuint (muster_sip_server_judge (&inbound, TRUE), ==, cases[i].in_dialog);
  }

  /* and nobody is asked */
  take (&world->wire, "INVITE", .unsupported = (char *) "100rel, foo");
  assert_reply_with (&world->wire, "420", "INVITE", "\r\nUnsupported: 100rel, foo\r\n");
  take (&world->wire, "BYE", .to_tag = (char *) "t");
  assert_reply_with (&world->wire, "405", "BYE", "\r\nAllow: INVITE, ACK, CANCEL, ");
  take (&world->wire, "MESSAGE", .token = (char *) "theirs");
  assert_reply (&world->wire, "404", "MESSAGE");
  g_assert_cmpuint (world->n_requests, ==, 0);
  g_assert_true (muster_clock_is_idle ());
}

#define MAX_AT_ONCE 1024

/* What rings is not dropped for what comes after it. */
static void
test_many_calls (World *world, gconstpointer reliable)
{
  for (guint i = 0; i <= MAX_AT_ONCE; i++) {
    g_autofree char *branch = g_strdup_printf ("z9hG4bK%u", i);

    assert_silence (&world->wire);
    take (&world->wire, "INVITE", .branch = branch, .cseq = i + 1);
  }
  assert_reply_with (&world->wire, "503", "INVITE", "\r\nRetry-After: ");
  g_assert_cmpuint (world->n_requests, ==, MAX_AT_ONCE);
  muster_sip_server_lose_all (world->wire.server);
  g_assert_cmpuint (world->n_over, ==, MAX_AT_ONCE);
  take (&world->wire, "INVITE"); /* there is room again */
  assert_silence (&world->wire);
}

/* The oldest that are answered are forgotten; the others are not. */
static void
test_many_messages (World *world, gconstpointer reliable)
{
  world->status = 200;
  for (guint i = 0; i <= MAX_AT_ONCE; i++) {
    g_autofree char *branch = g_strdup_printf ("z9hG4bK%u", i);

    take (&world->wire, "MESSAGE", .branch = branch, .cseq = i + 1);
    assert_reply (&world->wire, "200", "MESSAGE");
  }
  g_assert_cmpuint (world->n_requests, ==, MAX_AT_ONCE + 1);
  take (&world->wire, "MESSAGE", .branch = (char *) "z9hG4bK1", .cseq = 2);
  g_assert_cmpuint (world->n_requests, ==, MAX_AT_ONCE + 1);
  take (&world->wire, "MESSAGE", .branch = (char *) "z9hG4bK0", .cseq = 1);
  g_assert_cmpuint (world->n_requests, ==, MAX_AT_ONCE + 2);
}

static void
test_many_unanswered (World *world, gconstpointer reliable)
{
  for (guint i = 0; i <= MAX_AT_ONCE; i++) {
    g_autofree char *branch = g_strdup_printf ("z9hG4bK%u", i);

    assert_silence (&world->wire);
    take (&world->wire, "NOTIFY", .branch = branch, .cseq = i + 1);
  }
  assert_reply_with (&world->wire, "503", "NOTIFY", "\r\nRetry-After: ");
  g_assert_cmpuint (world->n_over, ==, 0);
}

static void
test_lost (World *world, gconstpointer reliable)
{
  take (&world->wire, "INVITE");
  reply (world, 180);
  g_clear_pointer (&world->wire.server, muster_sip_server_free);
  g_assert_cmpuint (world->n_over, ==, 1);
  g_assert_cmpint (world->why, ==, MUSTER_SIP_OVER_LOST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, data, test)                                                                      \
  g_test_add ("/sip/server/" path, World, data, world_set_up, test, world_tear_down)
  ADD ("lost-ack", NULL, test_lost_ack);
  ADD ("no-ack", NULL, test_no_ack);
  ADD ("no-ack/stream", "stream", test_no_ack);
  ADD ("repeated-invite", NULL, test_repeated_invite);
  ADD ("repeated-invite/stream", "stream", test_repeated_invite);
  ADD ("matching", NULL, test_matching);
  ADD ("matching/stream", "stream", test_matching);
  ADD ("repeated-message", NULL, test_repeated_message);
  ADD ("message/stream", "stream", test_message_on_stream);
  ADD ("never-answered", NULL, test_never_answered);
  ADD ("cancel", NULL, test_cancel);
  ADD ("cancel/stream", "stream", test_cancel);
  ADD ("cancel-of-nothing", NULL, test_cancel_of_nothing);
  ADD ("merged", NULL, test_merged);
  ADD ("judge", NULL, test_judge);
  ADD ("many-calls", NULL, test_many_calls);
  ADD ("many-messages", NULL, test_many_messages);
  ADD ("many-unanswered", NULL, test_many_unanswered);
  ADD ("lost", NULL, test_lost);
#undef ADD

  return g_test_run ();
}
