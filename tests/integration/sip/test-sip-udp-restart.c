/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-fixture.h"

/* What is kept when the daemon ends or the clock or the way to the server changes: the port, the contact, and
 * never two bindings. */

static void
test_restart (World *world, gconstpointer data)
{
  const SipPeerRequest *before;
  const SipPeerRequest *after;

  open_and_wait (world);
  g_assert_no_error (world->error);
  stop (world);
  start (world);
  open_and_wait (world);
  g_assert_no_error (world->error);

  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 3);
  before = sip_peer_get_request (world->peer, 1);
  after = sip_peer_get_request (world->peer, 2);
  g_assert_cmpuint (after->port, ==, before->port);
  g_assert_cmpstr (after->contact, ==, before->contact);
  g_assert_cmpstr (after->call_id, ==, before->call_id);
  g_assert_cmpstr (after->from, ==, before->from);
  g_assert_cmpstr (after->cseq, ==, "103 REGISTER");
  assert_has (after->authorization, "nc=00000066");
  g_assert_true (world->lease->refreshed);
}

/* The second refresh is news to nobody but the lease, which the broker keeps: it is there that a later life reads how
 * long it is still bound. */
static void
test_restart_after_refreshes (World *world, gconstpointer data)
{
  g_autoptr (GBytes) kept = NULL;
  gint64 part_us;

  for (guint i = 0; i < 3; i++) {
    open_and_wait (world);
    g_assert_no_error (world->error);
    part_us = (gint64) world->lease->lease_s * G_USEC_PER_SEC * 6 / 10;
    world->lease_end_us = muster_clock_now_us () + part_us * 10 / 6;
    if (i == 0)
      kept = g_bytes_ref (world->resume);
    g_assert_true (world->resume == kept);
    muster_clock_advance_us (part_us);
  }
  stop (world);
  start (world);

  close_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 5);
  assert_has (last_request (world)->contact, ";expires=0");
}

/* Somebody else has our port now: the new contact comes, the old one goes, in one request. */
static void
test_restart_with_port_taken (World *world, gconstpointer data)
{
  g_autoptr (SipPeer) squatter = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *bindings = NULL;
  guint16 port;

  open_and_wait (world);
  g_assert_no_error (world->error);
  port = last_request (world)->port;
  stop (world);
  squatter = sip_peer_new ("ok", "127.0.0.1", port, &error);
  g_assert_no_error (error);

  start (world);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 3);
  g_assert_cmpuint (last_request (world)->port, !=, port);
  g_assert_false (world->lease->refreshed);
  bindings = sip_peer_dup_bindings (world->peer);
  g_assert_null (strchr (bindings, ' '));
  g_assert_cmpstr (bindings, ==, world->lease->bindings[0]);
}

/* A second daemon with a copy of our store, while we run: it must not share our port. */
static void
test_port_is_not_shared (World *world, gconstpointer data)
{
  World twin = {
    .info = world->info, .address = ADDRESS, .params = world->params, .password = world->password
  };
  guint16 port;

  sip_peer_set_scenario (world->peer, "open");
  open_and_wait (world);
  g_assert_no_error (world->error);
  port = last_request (world)->port;

  twin.resume = g_bytes_ref (world->resume);
  start (&twin);
  open_and_wait (&twin);
  g_assert_no_error (twin.error);
  g_assert_cmpuint (last_request (world)->port, !=, port);
  stop (&twin);
  g_clear_pointer (&twin.resume, g_bytes_unref);
  g_clear_pointer (&twin.lease, muster_lease_free);
}

/* What jumps, by itself or to whom it has slept, is the clock on which Sofia's timers hang. */
static void
set_clock_back (void)
{
  muster_clock_step_wall_us (-3600 * (gint64) G_USEC_PER_SEC);
}

static void
sleep_for_an_hour (void)
{
  muster_clock_suspend_us (3600 * (gint64) G_USEC_PER_SEC);
}

/* What is under way fails at once instead of hanging, and the socket is made anew where it was. */
static void
test_clock_jumps (World *world, gconstpointer data)
{
  void (*jump) (void) = data;
  const MusterKind *kind = world->info->kinds[0];
  World other = { .info = world->info, .params = world->params, .password = world->password };
  guint16 port;

  sip_peer_set_scenario (world->peer, "silent");
  muster_registration_open_async (world->registration, NULL, on_opened, world);
  while (sip_peer_count_requests (world->peer) == 0)
    g_main_context_iteration (NULL, TRUE);
  port = last_request (world)->port;

  jump ();
  sip_peer_set_scenario (world->peer, "open");
  other.registration = muster_registration_new (kind->get_type (), kind->protocol, world->context,
                                                "bbbbbbbbbbbb", ADDRESS, &host, &other);
  open_and_wait (&other);
  g_assert_no_error (other.error);
  g_assert_cmpuint (last_request (world)->port, ==, port);
  wait_until_done (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);

  g_assert_finalize_object (g_steal_pointer (&other.registration));
  g_clear_pointer (&other.resume, g_bytes_unref);
  g_clear_pointer (&other.lease, muster_lease_free);
}

/* Killed before the first answer came: whatever the server has is replaced, not doubled. */
static void
test_killed_while_registering (World *world, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GBytes) kept = NULL;
  g_autofree char *call_id = NULL;

  sip_peer_set_scenario (world->peer, "silent");
  muster_registration_open_async (world->registration, cancellable, on_opened, world);
  while (sip_peer_count_requests (world->peer) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (world->resume);
  kept = g_bytes_ref (world->resume);
  call_id = g_strdup (last_request (world)->call_id);
  g_cancellable_cancel (cancellable);
  wait_until_done (world);
  stop (world);

  host_set_resume (world, kept);
  sip_peer_set_scenario (world->peer, "ok");
  start (world);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpstr (last_request (world)->call_id, ==, call_id);
}

/* The way to the server changes: from IPv4 to IPv6. */
static void
test_address_change (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *bindings = NULL;

  sip_peer_set_scenario (world->peer, "open");
  open_and_wait (world);
  g_assert_no_error (world->error);

  sip_peer_free (world->peer);
  world->peer = sip_peer_new ("open", "::1", 0, &error);
  g_assert_no_error (error);
  set_server (world, "[::1]");
  open_and_wait (world);
  g_assert_no_error (world->error);
  assert_has (last_request (world)->contact, "@127.0.0.1:");
  assert_has (last_request (world)->contact, ";expires=0");
  bindings = sip_peer_dup_bindings (world->peer);
  assert_has (bindings, "@[::1]:");
  g_assert_null (strchr (bindings, ' '));
  g_assert_false (world->lease->refreshed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test) g_test_add (path, World, NULL, world_set_up, test, world_tear_down)

  ADD ("/sip/udp/restart", test_restart);
  ADD ("/sip/udp/restart-after-refreshes", test_restart_after_refreshes);
  ADD ("/sip/udp/restart-with-port-taken", test_restart_with_port_taken);
  ADD ("/sip/udp/port-is-not-shared", test_port_is_not_shared);
  g_test_add ("/sip/udp/clock-step", World, set_clock_back, world_set_up, test_clock_jumps,
              world_tear_down);
  g_test_add ("/sip/udp/suspend", World, sleep_for_an_hour, world_set_up, test_clock_jumps,
              world_tear_down);
  ADD ("/sip/udp/killed-while-registering", test_killed_while_registering);
  ADD ("/sip/udp/address-change", test_address_change);

  return g_test_run ();
}
