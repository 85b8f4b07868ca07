/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-fixture.h"

/* Calls and messages that reach a registered account over UDP, a minute of ringing in no time. */

/* @method is INVITE for the requests that belong to one, but for their first line and CSeq. */
static void
send (World *world, const char *method, guint number, const char *more, const char *body)
{
  g_autofree char *text = g_strdup_printf (
    "%s %s SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bKcall%u;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: \"Bob\" <sip:bob@example.test>;tag=b\r\n"
    "To: <sip:alice@example.test>\r\n"
    "Call-ID: call%u\r\nCSeq: 1 %s\r\n%s"
    "Content-Length: %u\r\n\r\n%s",
    method, world->lease->bindings[0], number, number, method, more, (guint) strlen (body), body);

  sip_peer_send_text (world->peer, text);
}

static void
wait_for_answer (World *world, const char *answer)
{
  while (*sip_peer_get_answer (world->peer) == '\0')
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, answer);
}

static void
wait_for_answers (World *world, guint n)
{
  while (sip_peer_count_answers (world->peer) < n)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (sip_peer_count_answers (world->peer), ==, n);
}

static const MusterOffer *
get_offer (World *world, guint index)
{
  g_assert_cmpuint (world->offers->len, >, index);
  return world->offers->pdata[index];
}

static void
register_alice (World *world)
{
  open_and_wait (world);
  g_assert_no_error (world->error);
}

static void
ring (World *world)
{
  register_alice (world);
  send (world, "INVITE", 1, "Subject: the roof\r\n", "");
  wait_for_answer (world, "180 Ringing");
  g_assert_cmpuint (world->offers->len, ==, 1);
  g_assert_cmpint (get_offer (world, 0)->state, ==, MUSTER_OFFER_WAITING);
}

/* answers */

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  World *world = user_data;

  world->n_done++;
  muster_incoming_answer_finish (MUSTER_INCOMING (source), result, &world->error);
}

static void
answer (World *world, const char *id, MusterAnswer how, const char *target)
{
  world->n_done = 0;
  g_clear_error (&world->error);
  muster_incoming_answer_async (MUSTER_INCOMING (world->registration), id, how, target, NULL,
                                on_answered, world);
  wait_until_done (world);
}

static void
test_call (World *world, gconstpointer data)
{
  const MusterOffer *offer;

  ring (world);
  offer = get_offer (world, 0);
  g_assert_cmpint (offer->kind, ==, MUSTER_OFFER_CALL);
  g_assert_cmpstr (offer->from, ==, "sip:bob@example.test");
  g_assert_cmpstr (offer->from_name, ==, "Bob");
  g_assert_cmpstr (offer->text, ==, "the roof");

  send (world, "INVITE", 1, "", ""); /* it did not hear us */
  wait_for_answer (world, "180 Ringing");
  g_assert_cmpuint (world->offers->len, ==, 1);

  answer (world, offer->id, MUSTER_ANSWER_ACCEPT, "nowhere");
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  answer (world, offer->id, MUSTER_ANSWER_ACCEPT, "sip:dialer@192.0.2.7");
  g_assert_no_error (world->error);
  wait_for_answers (world, 3);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "302 Moved Temporarily");
  g_assert_cmpint (get_offer (world, 1)->state, ==, MUSTER_OFFER_TAKEN);

  muster_clock_advance_us (600000); /* nor that */
  wait_for_answers (world, 4);
  send (world, "ACK", 1, "", "");
  send (world, "OPTIONS", 2, "", ""); /* after the ACK */
  wait_for_answer (world, "200 OK");
  muster_clock_advance_us (40 * G_USEC_PER_SEC);
  g_assert_cmpuint (sip_peer_count_answers (world->peer), ==, 5);

  answer (world, get_offer (world, 0)->id, MUSTER_ANSWER_DECLINE, NULL);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_EXPIRED);
}

static void
test_undecided (World *world, gconstpointer data)
{
  ring (world);
  muster_clock_advance_us (61 * G_USEC_PER_SEC);
  wait_for_answers (world, 2);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "480 Temporarily Unavailable");
  g_assert_cmpint (get_offer (world, 1)->state, ==, MUSTER_OFFER_STALE);
}

static void
test_elsewhere (World *world, gconstpointer data)
{
  ring (world);
  send (world, "CANCEL", 1, "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", "");
  wait_for_answers (world, 3);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "487 Request Terminated");
  g_assert_cmpint (get_offer (world, 1)->state, ==, MUSTER_OFFER_ELSEWHERE);
}

/* Who calls is not left waiting for somebody who signs out. */
static void
test_signing_out (World *world, gconstpointer data)
{
  ring (world);
  close_and_wait (world);
  wait_for_answers (world, 2);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "480 Temporarily Unavailable");
  g_assert_cmpint (get_offer (world, 1)->state, ==, MUSTER_OFFER_STALE);
}

/* The daemon goes without a word to its server, and does not stumble over the call. */
static void
test_killed (World *world, gconstpointer data)
{
  ring (world);
}

static void
test_message (World *world, gconstpointer data)
{
  register_alice (world);
  send (world, "MESSAGE", 1, "Content-Type: text/plain;charset=iso-8859-1\r\n", "caf\xe9");
  wait_for_answer (world, "200 OK");
  send (world, "MESSAGE", 1, "Content-Type: text/plain;charset=iso-8859-1\r\n", "caf\xe9");
  wait_for_answer (world, "200 OK");
  g_assert_cmpuint (world->offers->len, ==, 1);
  g_assert_cmpint (get_offer (world, 0)->kind, ==, MUSTER_OFFER_MESSAGE);
  g_assert_cmpstr (get_offer (world, 0)->text, ==, "caf\xc3\xa9");

  send (world, "MESSAGE", 2, "Content-Type: text/html\r\n", "<b>hi</b>");
  wait_for_answer (world, "415 Unsupported Media Type");
  send (world, "NOTIFY", 3, "Event: message-summary\r\nSubscription-State: active\r\n", "");
  wait_for_answer (world, "481 Call/Transaction Does Not Exist");
  send (world, "INVITE", 4, "Require: 100rel\r\n", "");
  wait_for_answer (world, "420 Bad Extension");
  g_assert_cmpuint (world->offers->len, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test)                                                                            \
  g_test_add ("/sip/incoming/" path, World, NULL, world_set_up, test, world_tear_down)
  ADD ("call", test_call);
  ADD ("undecided", test_undecided);
  ADD ("elsewhere", test_elsewhere);
  ADD ("signing-out", test_signing_out);
  ADD ("killed", test_killed);
  ADD ("message", test_message);
#undef ADD

  return g_test_run ();
}
