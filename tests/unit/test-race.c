/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "stream-client-fixture.h"

/* A stream to many addresses, some of which are closed or say nothing. */

static guint16
closed_port (void)
{
  guint16 port;

  close (listen_on_loopback (1, &port));
  return port;
}

static void
test_race_refused_first (void)
{
  Server server = { .part = PART_ECHO };
  Client client = { .greeting = "x" };
  g_autoptr (GPtrArray) targets = targets_new ();

  server_start (&server);
  client_init (&client);
  targets_add (targets, 5060, MUSTER_TRANSPORT_UDP);
  for (guint i = 0; i < 10; i++)
    targets_add (targets, closed_port (), MUSTER_TRANSPORT_TCP);
  targets_add (targets, server.port, MUSTER_TRANSPORT_TCP);
  muster_stream_connect_targets (client.stream, targets, HOST);
  spin_until (client.in->len == 1); /* at once: the clock stands */
  g_assert_true (muster_stream_get_target (client.stream) == targets->pdata[11]);
  client_clear (&client);
  server_clear (&server);
}

static void
test_race_silent_first (void)
{
  BlackHole hole;
  Server server = { .part = PART_ECHO };
  Client client = { .greeting = "x" };
  g_autoptr (GPtrArray) targets = targets_new ();

  black_hole_open (&hole);
  server_start (&server);
  client_init (&client);
  targets_add (targets, hole.port, MUSTER_TRANSPORT_TCP);
  targets_add (targets, server.port, MUSTER_TRANSPORT_TCP);
  muster_stream_connect_targets (client.stream, targets, HOST);
  spin_idle ();
  muster_clock_advance_us (150 * 1000);
  spin_idle ();
  g_assert_false (g_atomic_int_get (&server.is_met));
  g_assert_cmpuint (client.n_opened, ==, 0);
  muster_clock_advance_us (150 * 1000);
  spin_until (client.in->len == 1);
  g_assert_true (muster_stream_get_target (client.stream) == targets->pdata[1]);
  client_clear (&client);
  server_clear (&server);
  black_hole_close (&hole);
}

/* The seventh waits until one of six has failed, so here for ever. */
static void
test_race_has_six_lanes (void)
{
  BlackHole hole;
  Server server = { .part = PART_ECHO };
  Client client = { 0 };
  g_autoptr (GPtrArray) targets = targets_new ();

  black_hole_open (&hole);
  server_start (&server);
  client_init (&client);
  for (guint i = 0; i < 6; i++)
    targets_add (targets, hole.port, MUSTER_TRANSPORT_TCP);
  targets_add (targets, server.port, MUSTER_TRANSPORT_TCP);
  muster_stream_connect_targets (client.stream, targets, HOST);
  for (guint i = 0; i < 30; i++) {
    spin_idle ();
    muster_clock_advance_us (300 * 1000);
  }
  g_assert_cmpuint (client.n_opened, ==, 0);
  muster_clock_advance_us (2 * SECOND_US);
  assert_failed (&client, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT);
  client_clear (&client);
  server_clear (&server);
  black_hole_close (&hole);
}

static void
test_race_nobody (void)
{
  Client client = { 0 };
  g_autoptr (GPtrArray) targets = targets_new ();

  client_init (&client);
  targets_add (targets, closed_port (), MUSTER_TRANSPORT_TLS);
  targets_add (targets, closed_port (), MUSTER_TRANSPORT_TLS);
  muster_stream_connect_targets (client.stream, targets, HOST);
  g_assert_cmpuint (client.n_closed, ==, 0);
  spin_until (client.n_closed > 0);
  assert_failed (&client, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT);
  g_assert_nonnull (strstr (client.error->message, "any of 2 addresses"));
  g_assert_nonnull (strstr (client.error->message, "refused"));
  client_clear (&client);
}

static void
test_race_only_datagrams (void)
{
  Server address = { .port = 5060 };
  Client client = { 0 };

  client_init (&client);
  client_connect (&client, &address, MUSTER_TRANSPORT_UDP);
  spin_until (client.n_closed > 0);
  assert_failed (&client, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT);
  client_clear (&client);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  muster_clock_use_virtual (SECOND_US, g_get_real_time ());

  g_test_add_func ("/stream/race/refused-first", test_race_refused_first);
  g_test_add_func ("/stream/race/silent-first", test_race_silent_first);
  g_test_add_func ("/stream/race/six-lanes", test_race_has_six_lanes);
  g_test_add_func ("/stream/race/nobody", test_race_nobody);
  g_test_add_func ("/stream/race/only-datagrams", test_race_only_datagrams);

  return g_test_run ();
}
