/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "events-fixture.h"

/* Messages that wait: what a server notifies of them, asked for or not. */

static void
test_messages (Bench *bench, gconstpointer data)
{
  sign_in (bench);
  subscribe (bench, "message-summary");
  notify (bench, "message-summary", "active;expires=3600", "application/simple-message-summary",
          "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n");
  assert_answered (bench, "200 ");
  g_assert_cmpuint (bench->world.n_waiting, ==, 208);
  notify (bench, "message-summary", "active", "application/simple-message-summary", "Nonsense");
  notify (bench, "message-summary", "active", "text/plain", "Messages-Waiting: yes\r\n");
  assert_answered (bench, "200 ");
  g_assert_cmpuint (bench->world.n_waiting, ==, 208);
}

static void
test_stray_notify (Bench *bench, gconstpointer data)
{
  sign_in (bench);
  subscribe (bench, "message-summary");
  close_and_wait (&bench->world);
  sign_in (bench);
  notify (bench, "message-summary", "active", "application/simple-message-summary",
          "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n");
  assert_answered (bench, "481 ");
  g_assert_cmpuint (bench->world.n_waiting, ==, 0);
}

#define WAITING(counts) "Messages-Waiting: yes\r\nVoice-Message: " counts "\r\n"

/* As an exchange does that was not asked: to the contact that is registered, in no dialog. */
static void
notify_unasked_at (Bench *bench,
                   const char *uri,
                   const char *event,
                   const char *headers,
                   const char *body)
{
  static guint n;
  g_autofree char *text = NULL;
  guint n_before = sip_peer_count_answers (bench->world.peer);

  n++;
  text = g_strdup_printf ("NOTIFY %s SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKunasked%u;rport\r\n"
                          "Max-Forwards: 70\r\n"
                          "From: \"asterisk\" <sip:asterisk@127.0.0.1>;tag=as%u\r\nTo: <%s>\r\n"
                          "Call-ID: unasked%u\r\nCSeq: 102 NOTIFY\r\n"
                          "Contact: <sip:asterisk@127.0.0.1:%u>\r\nEvent: %s\r\n%s"
                          "Content-Length: %zu\r\n\r\n%s",
                          uri, sip_peer_get_port (bench->world.peer), n, n, uri, n,
                          sip_peer_get_port (bench->world.peer), event, headers, strlen (body),
                          body);
  sip_peer_send_text (bench->world.peer, text);
  while (sip_peer_count_answers (bench->world.peer) == n_before)
    g_main_context_iteration (NULL, TRUE);
}

static void
notify_unasked (Bench *bench, const char *event, const char *headers, const char *body)
{
  g_autofree char *uri = sip_peer_dup_bindings (bench->world.peer);

  notify_unasked_at (bench, uri, event, headers, body);
}

#define SUMMARY_HEADER "Content-Type: application/simple-message-summary\r\n"

/* A server that knows no subscription to it tells it all the same. */
static void
test_messages_unasked (Bench *bench, gconstpointer data)
{
  sign_in (bench);
  sip_peer_events_answer (bench->events, "message-summary", "489 Bad Event", NULL);
  renew (bench, "message-summary");
  notify_unasked (bench, "message-summary", SUMMARY_HEADER, WAITING ("2/8"));
  assert_answered (bench, "200 ");
  g_assert_cmpuint (bench->world.n_waiting, ==, 208);
  notify_unasked (bench, "message-summary", "Subscription-State: active\r\n" SUMMARY_HEADER,
                  WAITING ("3/8"));
  assert_answered (bench, "200 ");
  g_assert_cmpuint (bench->world.n_waiting, ==, 208); /* so soon */
  muster_clock_advance_us (G_USEC_PER_SEC);
  g_assert_cmpuint (bench->world.n_waiting, ==, 308);

  notify_unasked (bench, "message-summary", SUMMARY_HEADER, "Nonsense\r\n");
  assert_answered (bench, "400 ");
  notify_unasked (bench, "message-summary", "Content-Type: text/plain\r\n", WAITING ("1/1"));
  assert_answered (bench, "415 ");
  notify_unasked (bench, "message-summary", "Require: eventlist\r\n" SUMMARY_HEADER,
                  WAITING ("1/1"));
  assert_answered (bench, "420 ");
  notify_unasked (bench, "message-summary;id=7", SUMMARY_HEADER, WAITING ("1/1"));
  assert_answered (bench, "481 ");
  notify_unasked (bench, "check-sync", "", "");
  assert_answered (bench, "481 ");
  notify_unasked (bench, "presence", "Subscription-State: active\r\n", "");
  assert_answered (bench, "481 ");
  muster_clock_advance_us (G_USEC_PER_SEC);
  g_assert_cmpuint (bench->world.n_waiting, ==, 308);
}

static void
test_messages_asked_and_unasked (Bench *bench, gconstpointer data)
{
  sign_in (bench);
  subscribe (bench, "message-summary");
  notify (bench, "message-summary", "active", "application/simple-message-summary",
          WAITING ("1/0"));
  notify_unasked (bench, "message-summary", SUMMARY_HEADER, WAITING ("2/8"));
  assert_answered (bench, "200 ");
  muster_clock_advance_us (G_USEC_PER_SEC);
  g_assert_cmpuint (bench->world.n_waiting, ==, 100);

  notify (bench, "message-summary", "terminated;reason=noresource", NULL, NULL);
  notify_unasked (bench, "message-summary", SUMMARY_HEADER, WAITING ("2/8"));
  g_assert_cmpuint (bench->world.n_waiting, ==, 208);
}

/* An exchange has the contact, and may tell, before we have its 200. */
static void
test_messages_unasked_early (Bench *bench, gconstpointer data)
{
  World *world = &bench->world;
  g_auto (GStrv) contact = NULL;

  sip_peer_set_scenario (world->peer, "slow");
  forget_result (world);
  muster_registration_open_async (world->registration, NULL, on_opened, world);
  while (sip_peer_count_requests (world->peer) < 2)
    g_main_context_iteration (NULL, TRUE);
  contact = g_strsplit_set (last_request (world)->contact, "<>", 3);
  notify_unasked_at (bench, contact[1], "message-summary", SUMMARY_HEADER, WAITING ("2/8"));
  assert_answered (bench, "200 ");
  g_assert_cmpuint (world->n_waiting, ==, 0); /* it may come to nothing */

  g_assert_cmpuint (world->n_done, ==, 0);
  wait_until_done (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (world->n_waiting, ==, 208);
}

static void
test_messages_not_wanted (Bench *bench, gconstpointer data)
{
  set_boolean (bench, "message-waiting", FALSE);
  sign_in (bench);
  notify_unasked (bench, "message-summary", SUMMARY_HEADER, WAITING ("2/8"));
  assert_answered (bench, "481 ");
  g_assert_cmpuint (bench->world.n_waiting, ==, 0);
}

#define ADD(path, func) g_test_add ("/sip/mailbox/" path, Bench, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

  ADD ("asked", test_messages);
  ADD ("stray", test_stray_notify);
  ADD ("unasked", test_messages_unasked);
  ADD ("asked-and-unasked", test_messages_asked_and_unasked);
  ADD ("unasked-early", test_messages_unasked_early);
  ADD ("not-wanted", test_messages_not_wanted);

  return g_test_run ();
}
