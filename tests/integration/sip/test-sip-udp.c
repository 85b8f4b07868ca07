/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-fixture.h"

/* A registrar that misbehaves on a table, and requests that come in. */

/* the table */

typedef struct {
  const char *scenario;
  int error;          /* -1: none */
  guint lease_s;      /* 600 is asked for */
  guint n_requests;   /* of the open */
  guint n_refreshing; /* of another one after it, if that one worked */
} Story;

static const Story stories[] = {
  { "ok", -1, 600, 2, 1 },
  { "open", -1, 600, 1, 1 },
  { "realm", -1, 600, 2, 1 },
  { "no-qop", -1, 600, 2, 1 },
  { "auth-int", -1, 600, 2, 1 },
  { "md5-sess", -1, 600, 2, 1 },
  { "sha256", -1, 600, 2, 1 },
  { "multi", -1, 600, 2, 1 },
  { "joined", -1, 600, 2, 1 },
  { "one-time", -1, 600, 2, 2 },
  { "stale", -1, 600, 2, 2 },
  { "stale-each-time", MUSTER_ERROR_PROTOCOL, 0, 7, 0 },
  { "next-nonce", -1, 600, 2, 1 },
  { "interval", -1, 1800, 3, 1 },
  { "busy", MUSTER_ERROR_BUSY, 0, 2, 0 },
  { "overloaded", MUSTER_ERROR_BUSY, 0, 2, 0 },
  { "forbidden", MUSTER_ERROR_REFUSED, 0, 2, 0 },
  { "forbidden-open", MUSTER_ERROR_FORBIDDEN, 0, 1, 0 },
  { "unknown", MUSTER_ERROR_FORBIDDEN, 0, 2, 0 },
  { "failing", MUSTER_ERROR_UNREACHABLE, 0, 2, 0 },
  { "shrink", -1, 30, 2, 1 },
  { "service-route", -1, 600, 2, 1 },
  { "rewritten", -1, 77, 2, 1 },
  { "nat", -1, 600, 3, 1 },
  { "no-contact", -1, 240, 2, 1 },
  { "nothing", -1, 600, 2, 1 },
  { "slow", -1, 600, 2, 1 },
  { "garbage", -1, 600, 2, 1 },
};

static void
test_story (World *world, gconstpointer data)
{
  const Story *story = data;
  guint n_before;

  sip_peer_set_scenario (world->peer, story->scenario);
  open_and_wait (world);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, story->n_requests);
  if (story->error >= 0) {
    g_assert_error (world->error, MUSTER_ERROR, story->error);
    g_assert_null (world->lease);
    return;
  }

  g_assert_no_error (world->error);
  g_assert_cmpuint (world->lease->lease_s, ==, story->lease_s);
  g_assert_false (world->lease->refreshed);

  n_before = sip_peer_count_requests (world->peer);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer) - n_before, ==, story->n_refreshing);
  g_assert_cmpuint (world->lease->lease_s, ==, story->lease_s);
  g_assert_true (world->lease->refreshed);

  close_and_wait (world);
  g_assert_no_error (world->error);
  {
    g_autofree char *bindings = sip_peer_dup_bindings (world->peer);

    g_assert_cmpstr (bindings, ==, "");
  }
}

/* Every scenario of the peer has a row above, or a test of its own below. */
static void
test_no_scenario_is_forgotten (void)
{
  for (const char *const *name = sip_peer_list_scenarios (); *name != NULL; name++) {
    gboolean found = g_str_equal (*name, "silent") || g_str_equal (*name, "keeps");

    for (gsize i = 0; i < G_N_ELEMENTS (stories); i++)
      found = found || g_str_equal (*name, stories[i].scenario);
    if (!found)
      g_error ("%s is not tested", *name);
  }
}

/* What a registered account's refresh comes to. */
static const Story refreshes[] = {
  { "failing", MUSTER_ERROR_UNREACHABLE, 0, 1, 0 },
  { "overloaded", MUSTER_ERROR_BUSY, 0, 1, 0 },
  { "busy", MUSTER_ERROR_BUSY, 0, 1, 0 },
  { "forbidden", MUSTER_ERROR_REFUSED, 0, 1, 0 },
  { "unknown", MUSTER_ERROR_FORBIDDEN, 0, 1, 0 },
  { "shrink", -1, 30, 1, 0 },
  { "interval", -1, 1800, 2, 0 },
  { "one-time", -1, 600, 1, 0 },
  { "rewritten", -1, 77, 1, 0 },
  { "no-contact", -1, 240, 1, 0 },
  { "nothing", -1, 600, 1, 0 },
};

/* Whatever it is, nothing is taken back for it, and it ends when the fault does. */
static void
test_refresh (World *world, gconstpointer data)
{
  const Story *story = data;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  const SipPeerRequest *first;

  open_and_wait (world);
  g_assert_no_error (world->error);
  before = sip_peer_dup_bindings (world->peer);
  sip_peer_set_scenario (world->peer, story->scenario);
  open_and_wait (world);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 2 + story->n_requests);
  if (story->error >= 0)
    g_assert_error (world->error, MUSTER_ERROR, story->error);
  else
    g_assert_cmpuint (world->lease->lease_s, ==, story->lease_s);

  sip_peer_set_scenario (world->peer, "ok");
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_true (world->lease->refreshed);
  after = sip_peer_dup_bindings (world->peer);
  g_assert_cmpstr (after, ==, before);
  first = sip_peer_get_request (world->peer, 0);
  for (guint i = 0; i < sip_peer_count_requests (world->peer); i++) {
    const SipPeerRequest *request = sip_peer_get_request (world->peer, i);

    g_assert_cmpstr (request->expires, !=, "0");
    g_assert_null (strstr (request->contact, "expires=0"));
    g_assert_cmpstr (request->call_id, ==, first->call_id);
  }
}

/* stories of their own */

static void
test_wrong_password (World *world, gconstpointer data)
{
  g_free (world->password);
  world->password = g_strdup ("se");
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 2);
  close_and_wait (world); /* nothing is there to be taken back */
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 2);
}

static void
test_no_password (World *world, gconstpointer data)
{
  g_clear_pointer (&world->password, g_free);
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpint (muster_error_get_step (world->error), ==, MUSTER_STEP_SECRET);
  g_assert_cmpstr (world->error->message, ==, "no password is kept");

  sip_peer_set_scenario (world->peer, "open");
  open_and_wait (world);
  g_assert_no_error (world->error);
}

static void
test_retry_after (World *world, gconstpointer data)
{
  sip_peer_set_scenario (world->peer, "busy");
  open_and_wait (world);
  g_assert_cmpuint (muster_error_get_retry_after_s (world->error), ==, 17);
  g_assert_cmpuint (muster_error_get_protocol_code (world->error), ==, 503);
}

static void
test_invalid_parameters (World *world, gconstpointer data)
{
  set_string (world, "display-name", "Al\r\nX-Evil: 1");
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 0);
}

static void
test_quoted_names (World *world, gconstpointer data)
{
  set_string (world, "display-name", "Al \"the\" \\ ice, <b>");
  sip_peer_set_scenario (world->peer, "open");
  open_and_wait (world);
  g_assert_no_error (world->error);
  assert_has (last_request (world)->from,
              "\"Al \\\"the\\\" \\\\ ice, <b>\" <sip:alice@example.test>;tag=");
}

/* What was made of the parameters serves until one of them changes, and not longer. */
static void
test_edited (World *world, gconstpointer data)
{
  set_string (world, "display-name", "Alice");
  open_and_wait (world);
  assert_has (last_request (world)->from, "\"Alice\" <sip:");

  set_string (world, "display-name", "Alice at work");
  world->params_version--;
  open_and_wait (world);
  assert_has (last_request (world)->from, "\"Alice\" <sip:");

  world->params_version++;
  open_and_wait (world);
  assert_has (last_request (world)->from, "\"Alice at work\" <sip:");
}

/* Nobody listens: told by ICMP, long before Timer F. */
static void
test_refused (World *world, gconstpointer data)
{
  gint64 began_us = g_get_monotonic_time ();

  g_clear_pointer (&world->peer, sip_peer_free);
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  g_assert_cmpint (muster_error_get_step (world->error), ==, MUSTER_STEP_CONNECT);
  g_assert_cmpint (g_get_monotonic_time () - began_us, <, 5 * G_USEC_PER_SEC);
}

/* The server goes, and comes back without memory. */
static void
test_refused_refresh (World *world, gconstpointer data)
{
  guint16 port = sip_peer_get_port (world->peer);
  g_autoptr (GError) error = NULL;
  g_autofree char *call_id = NULL;

  open_and_wait (world);
  g_assert_no_error (world->error);
  call_id = g_strdup (last_request (world)->call_id);
  g_clear_pointer (&world->peer, sip_peer_free);
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);

  world->peer = sip_peer_new ("ok", "127.0.0.1", port, &error);
  g_assert_no_error (error);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_true (world->lease->refreshed);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 2);
  g_assert_cmpstr (last_request (world)->call_id, ==, call_id);
}

static void
test_ipv6 (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  sip_peer_free (world->peer);
  world->peer = sip_peer_new ("ok", "::1", 0, &error);
  g_assert_no_error (error);
  set_server (world, "[::1]");
  open_and_wait (world);
  g_assert_no_error (world->error);
  assert_has (last_request (world)->contact, "@[::1]:");
  close_and_wait (world);
  g_assert_no_error (world->error);
}

static void
test_cancel (World *world, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  sip_peer_set_scenario (world->peer, "silent");
  muster_registration_open_async (world->registration, cancellable, on_opened, world);
  while (sip_peer_count_requests (world->peer) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_cancellable_cancel (cancellable);
  g_assert_cmpuint (world->n_done, ==, 0);
  g_main_context_iteration (NULL, TRUE);
  wait_until_done (world);
  g_assert_error (world->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* it may have arrived, so it is taken back */
  sip_peer_set_scenario (world->peer, "ok");
  close_and_wait (world);
  g_assert_no_error (world->error);
  assert_has (last_request (world)->contact, ";expires=0");
}

static void
test_cancelled_before (World *world, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  muster_registration_open_async (world->registration, cancellable, on_opened, world);
  wait_until_done (world);
  g_assert_error (world->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 0);
}

/* requests that come in */

static void
wait_for_answer (World *world)
{
  while (*sip_peer_get_answer (world->peer) == '\0')
    g_main_context_iteration (NULL, TRUE);
}

static void
test_incoming (World *world, gconstpointer data)
{
  g_autofree char *contact = NULL;

  open_and_wait (world);
  g_assert_no_error (world->error);
  contact = g_strdup (world->lease->bindings[0]);

  sip_peer_send (world->peer, "OPTIONS", contact);
  wait_for_answer (world);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "200 OK");

  sip_peer_send (world->peer, "OPTIONS", "sip:stranger@127.0.0.1");
  wait_for_answer (world);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "404 Not Found");

  sip_peer_send (world->peer, "ACK", contact); /* no answer to this one */
  sip_peer_send (world->peer, "REFER", contact);
  wait_for_answer (world);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "405 Method Not Allowed");
}

/* What the registrar sees is what is registered, and nothing else; and who calls there finds us. */
static void
test_behind_nat (World *world, gconstpointer data)
{
  g_autofree char *bindings = NULL;

  sip_peer_set_scenario (world->peer, "nat");
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 3);
  g_assert_true (g_str_has_suffix (world->lease->bindings[0], "@203.0.113.9:1025"));
  bindings = sip_peer_dup_bindings (world->peer);
  g_assert_cmpstr (bindings, ==, world->lease->bindings[0]);

  sip_peer_send (world->peer, "OPTIONS", world->lease->bindings[0]);
  wait_for_answer (world);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "200 OK");
}

static void
wait_for_pings (World *world, guint n_pings)
{
  muster_clock_advance_us (26 * G_USEC_PER_SEC);
  while (sip_peer_count_pings (world->peer) < n_pings)
    g_main_context_iteration (NULL, TRUE);
}

/* Only where there is a NAT, and until we leave; a refresh changes nothing. */
static void
test_nat_is_kept_open (World *world, gconstpointer data)
{
  open_and_wait (world);
  g_assert_no_error (world->error);
  muster_clock_advance_us (26 * G_USEC_PER_SEC);
  close_and_wait (world);
  g_assert_cmpuint (sip_peer_count_pings (world->peer), ==, 0);

  sip_peer_set_scenario (world->peer, "nat");
  open_and_wait (world);
  g_assert_no_error (world->error);
  wait_for_pings (world, 1);
  open_and_wait (world);
  g_assert_no_error (world->error);
  wait_for_pings (world, 2);

  close_and_wait (world);
  g_assert_no_error (world->error);
  muster_clock_advance_us (60 * G_USEC_PER_SEC);
  open_and_wait (world); /* a round trip on the same socket: a ping would have come before */
  g_assert_cmpuint (sip_peer_count_pings (world->peer), ==, 2);
}

/* Two accounts, one socket, and it stays when the first one leaves. */
static void
test_two_accounts (World *world, gconstpointer data)
{
  const MusterKind *kind = world->info->kinds[0];
  World other = { .info = world->info, .params = world->params, .password = world->password };
  g_autofree char *contact = NULL;
  guint16 port;

  open_and_wait (world);
  g_assert_no_error (world->error);
  port = last_request (world)->port;
  contact = g_strdup (world->lease->bindings[0]);

  other.registration = muster_registration_new (kind->get_type (), kind->protocol, world->context,
                                                "bbbbbbbbbbbb", ADDRESS, &host, &other);
  open_and_wait (&other);
  g_assert_no_error (other.error);
  g_assert_cmpuint (last_request (world)->port, ==, port);
  g_assert_cmpstr (other.lease->bindings[0], !=, contact);

  close_and_wait (&other);
  g_assert_no_error (other.error);
  g_assert_finalize_object (g_steal_pointer (&other.registration));
  g_clear_pointer (&other.resume, g_bytes_unref);

  sip_peer_send (world->peer, "OPTIONS", contact);
  wait_for_answer (world);
  g_assert_cmpstr (sip_peer_get_answer (world->peer), ==, "200 OK");
}

/* Gone and come back within one run of the daemon: another registration, the same port. */
static void
test_reopen_after_close (World *world, gconstpointer data)
{
  const SipPeerRequest *before;
  const SipPeerRequest *after;

  open_and_wait (world);
  close_and_wait (world);
  g_assert_no_error (world->error);
  while (g_main_context_iteration (NULL, FALSE))
    continue; /* the socket goes */
  open_and_wait (world);
  g_assert_no_error (world->error);
  before = sip_peer_get_request (world->peer, 0);
  after = last_request (world);
  g_assert_cmpstr (after->call_id, !=, before->call_id);
  g_assert_cmpuint (after->port, ==, before->port);
  g_assert_false (world->lease->refreshed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test) g_test_add (path, World, NULL, world_set_up, test, world_tear_down)

  g_test_add_func ("/sip/udp/no-scenario-is-forgotten", test_no_scenario_is_forgotten);
  for (gsize i = 0; i < G_N_ELEMENTS (stories); i++) {
    g_autofree char *path = g_strconcat ("/sip/udp/story/", stories[i].scenario, NULL);

    g_test_add (path, World, &stories[i], world_set_up, test_story, world_tear_down);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (refreshes); i++) {
    g_autofree char *path = g_strconcat ("/sip/udp/refresh/", refreshes[i].scenario, NULL);

    g_test_add (path, World, &refreshes[i], world_set_up, test_refresh, world_tear_down);
  }
  ADD ("/sip/udp/wrong-password", test_wrong_password);
  ADD ("/sip/udp/no-password", test_no_password);
  ADD ("/sip/udp/retry-after", test_retry_after);
  ADD ("/sip/udp/invalid-parameters", test_invalid_parameters);
  ADD ("/sip/udp/quoted-names", test_quoted_names);
  ADD ("/sip/udp/edited", test_edited);
  ADD ("/sip/udp/refused", test_refused);
  ADD ("/sip/udp/refused-refresh", test_refused_refresh);
  ADD ("/sip/udp/ipv6", test_ipv6);
  ADD ("/sip/udp/cancel", test_cancel);
  ADD ("/sip/udp/cancelled-before", test_cancelled_before);
  ADD ("/sip/udp/incoming", test_incoming);
  ADD ("/sip/udp/behind-nat", test_behind_nat);
  ADD ("/sip/udp/nat-is-kept-open", test_nat_is_kept_open);
  ADD ("/sip/udp/two-accounts", test_two_accounts);
  ADD ("/sip/udp/reopen-after-close", test_reopen_after_close);

  return g_test_run ();
}
