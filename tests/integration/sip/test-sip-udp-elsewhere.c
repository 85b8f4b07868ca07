/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-resolver-private.h"
#include "plugin-fixture.h"

/* Which of several servers is asked: names with more than one address, and redirections. */

/* a resolver that says what the test wants: literals, joined by blanks; NULL: there is no such name */

static const char *oracle_addresses; /* read by the resolver's threads: set before they are asked */

static void
oracle_says (const char *addresses)
{
  oracle_addresses = addresses;
  muster_resolver_flush ();
}

static int
oracle_ask (const char *node,
            const char *service,
            const struct addrinfo *hints,
            struct addrinfo **result)
{
  const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST, .ai_socktype = hints->ai_socktype };
  g_auto (GStrv) texts = g_strsplit (oracle_addresses != NULL ? oracle_addresses : "", " ", 0);

  g_assert_cmpstr (node, ==, "pbx.example.test");
  *result = NULL;
  if (oracle_addresses == NULL)
    return EAI_NONAME;
  for (guint i = 0; texts[i] != NULL; i++) {
    g_assert_cmpint (getaddrinfo (texts[i], NULL, &numeric, result), ==, 0);
    result = &(*result)->ai_next;
  }

  return 0;
}

/* The name has two addresses, and nobody is at the first. */
static void
test_next_address (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) late = NULL;
  g_autoptr (GError) error = NULL;

  oracle_says ("::1 127.0.0.1");
  set_server (world, "pbx.example.test");
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (world->lease->lease_s, ==, 600);

  /* somebody comes there, too: we stay where we are known */
  late = sip_peer_new ("ok", "::1", sip_peer_get_port (world->peer), &error);
  g_assert_no_error (error);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_true (world->lease->refreshed);
  g_assert_cmpuint (sip_peer_count_requests (late), ==, 0);
}

static void
test_no_address_answers (World *world, gconstpointer data)
{
  oracle_says ("::1 127.0.0.1");
  set_server (world, "pbx.example.test");
  g_clear_pointer (&world->peer, sip_peer_free);
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
}

/* Names cannot be resolved any more: a refresh needs none, a first registration does. */
static void
test_names_fail (World *world, gconstpointer data)
{
  oracle_says (NULL);
  set_server (world, "pbx.example.test");
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  g_assert_cmpint (muster_error_get_step (world->error), ==, MUSTER_STEP_RESOLVE);

  oracle_says ("127.0.0.1");
  open_and_wait (world);
  g_assert_no_error (world->error);
  oracle_says (NULL);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_true (world->lease->refreshed);
}

/* 503 speaks of the server: the next one is asked, and kept. */
static void
test_next_address_of_a_busy_one (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) second = NULL;
  g_autoptr (GError) error = NULL;

  second = sip_peer_new ("ok", "127.0.0.2", sip_peer_get_port (world->peer), &error);
  g_assert_no_error (error);
  sip_peer_set_scenario (world->peer, data);
  oracle_says ("127.0.0.1 127.0.0.2");
  set_server (world, "pbx.example.test");
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 2);
  g_assert_cmpuint (sip_peer_count_requests (second), ==, 2);

  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_true (world->lease->refreshed);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 2);
  g_assert_cmpuint (sip_peer_count_requests (second), ==, 3);
}

/* 403 speaks of us. */
static void
test_no_next_address_for_who_is_forbidden (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) second = NULL;
  g_autoptr (GError) error = NULL;

  second = sip_peer_new ("ok", "127.0.0.2", sip_peer_get_port (world->peer), &error);
  g_assert_no_error (error);
  sip_peer_set_scenario (world->peer, "forbidden");
  oracle_says ("127.0.0.1 127.0.0.2");
  set_server (world, "pbx.example.test");
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpuint (sip_peer_count_requests (second), ==, 0);
}

/* redirections */

static SipPeer *
second_peer (World *world, guint status, const char *user)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *contact = NULL;
  SipPeer *second = sip_peer_new ("ok", "127.0.0.2", 0, &error);

  g_assert_no_error (error);
  contact = g_strdup_printf ("sip:%s127.0.0.2:%u", user, sip_peer_get_port (second));
  sip_peer_redirect (world->peer, status, contact);
  return second;
}

/* As GB/T 28181 has it: the answer names a server by its number and its address. */
static void
test_moved (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) second = second_peer (world, 302, "34020000002000000001@");
  g_autofree char *line = g_strdup_printf ("REGISTER sip:127.0.0.2:%u SIP/2.0",
                                           sip_peer_get_port (second));
  g_autofree char *bindings = NULL;

  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 1);
  g_assert_cmpuint (sip_peer_count_requests (second), ==, 2);
  g_assert_cmpstr (sip_peer_get_request (second, 0)->line, ==, line);
  g_assert_cmpstr (sip_peer_get_request (second, 0)->call_id, ==,
                   sip_peer_get_request (world->peer, 0)->call_id);

  /* Where it was made, a binding is refreshed in one round trip, and removed. */
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_true (world->lease->refreshed);
  close_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 1);
  g_assert_cmpuint (sip_peer_count_requests (second), ==, 4);
  bindings = sip_peer_dup_bindings (second);
  g_assert_cmpstr (bindings, ==, "");
}

/* The request stays the same and takes another way. */
static void
test_use_proxy (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) second = second_peer (world, 305, "");

  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (second), ==, 2);
  g_assert_cmpstr (sip_peer_get_request (second, 0)->line, ==, "REGISTER sip:example.test SIP/2.0");
}

/* An answer to one server's challenge is nothing for another. */
static void
test_moved_while_registered (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) second = NULL;

  open_and_wait (world);
  g_assert_no_error (world->error);
  second = second_peer (world, 301, "");
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_nonnull (last_request (world)->authorization);
  g_assert_null (sip_peer_get_request (second, 0)->authorization);
}

/* What fails where we were sent begins again where the account says. */
static void
test_moved_to_one_that_fails (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) second = second_peer (world, 302, "");

  open_and_wait (world);
  g_assert_no_error (world->error);
  sip_peer_set_scenario (second, "failing");
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 1);

  sip_peer_redirect (world->peer, 0, NULL);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), >, 1);
}

static void
test_sent_round_and_round (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) second = second_peer (world, 302, "");
  g_autofree char *back = g_strdup_printf ("sip:127.0.0.1:%u", sip_peer_get_port (world->peer));

  sip_peer_redirect (second, 302, back);
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
  assert_has (world->error->message, "one server sends us to the next");
  g_assert_cmpuint (sip_peer_count_requests (world->peer) + sip_peer_count_requests (second), ==,
                    6);
}

static void
test_sent_where_nobody_goes (World *world, gconstpointer data)
{
  static const struct {
    guint status;
    const char *contact;
    const char *message;
  } places[] = {
    { 302, "sip:127.0.0.1:5061;transport=tcp", "asks for another transport" },
    { 302, "sips:127.0.0.1", "needs TLS" },
    { 302, "sip:127.0.0.1:70000", "port" },
    { 302, "sip:alice@-x", "not a host name" },
    { 302, "sip:34020000002000000001@3402000000", "is a number" },
    { 302, "tel:+4930123456", "sends us elsewhere" },
    { 380, "sip:127.0.0.1",
      "sends us elsewhere" }, /* another service: nothing that a REGISTER wants */
  };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    sip_peer_redirect (world->peer, places[i].status, places[i].contact);
    g_test_message ("%s", places[i].contact);
    open_and_wait (world);
    g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
    assert_has (world->error->message, places[i].message);
    g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, i + 1);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_dns_use_addresses (oracle_ask, freeaddrinfo);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test, data) g_test_add (path, World, data, world_set_up, test, world_tear_down)

  ADD ("/sip/elsewhere/next-address", test_next_address, NULL);
  ADD ("/sip/elsewhere/no-address-answers", test_no_address_answers, NULL);
  ADD ("/sip/elsewhere/names-fail", test_names_fail, NULL);
  ADD ("/sip/elsewhere/busy", test_next_address_of_a_busy_one, "busy");
  ADD ("/sip/elsewhere/failing", test_next_address_of_a_busy_one, "failing");
  ADD ("/sip/elsewhere/forbidden", test_no_next_address_for_who_is_forbidden, NULL);
  ADD ("/sip/elsewhere/moved", test_moved, NULL);
  ADD ("/sip/elsewhere/use-proxy", test_use_proxy, NULL);
  ADD ("/sip/elsewhere/moved-while-registered", test_moved_while_registered, NULL);
  ADD ("/sip/elsewhere/moved-to-one-that-fails", test_moved_to_one_that_fails, NULL);
  ADD ("/sip/elsewhere/round-and-round", test_sent_round_and_round, NULL);
  ADD ("/sip/elsewhere/where-nobody-goes", test_sent_where_nobody_goes, NULL);

  return g_test_run ();
}
