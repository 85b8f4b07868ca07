/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-fixture.h"

/* Heartbeats of GB/T 28181: the server is told that we are there, and whoever answers none is gone. */

#define DEVICE   "34020000001320000001"
#define INTERVAL 60

typedef struct {
  World world;         /* first: set up and torn down as one */
  const char *status;  /* of the answers; NULL: none */
  GPtrArray *beats;    /* of char * */
  gboolean challenges; /* what has no nonce of its own */
} Bench;

static void
on_other (SipPeer *peer, const char *text, GSocketAddress *from, gpointer user_data)
{
  Bench *bench = user_data;

  if (!g_str_has_prefix (text, "MESSAGE "))
    return;
  g_ptr_array_add (bench->beats, g_strdup (text));
  if (bench->challenges && strstr (text, "nonce=\"another\"") == NULL)
    sip_peer_answer (peer, text, from, "401 Unauthorized",
                     "WWW-Authenticate: Digest realm=\"r\", nonce=\"another\"\r\n");
  else if (bench->status != NULL)
    sip_peer_answer (peer, text, from, bench->status, NULL);
}

static void
set_up (Bench *bench, gconstpointer data)
{
  World *world = &bench->world;

  world_set_up (world, NULL);
  bench->beats = g_ptr_array_new_with_free_func (g_free);
  bench->status = "200 OK";
  sip_peer_set_scenario (world->peer, "open");
  sip_peer_set_other (world->peer, on_other, bench);
  stop (world);
  world->address = DEVICE "@3402000000";
  set_string (world, "profile", "gb28181");
  set_string (world, "auth-user", "alice"); /* as the peer has it */
  start (world);
  open_and_wait (world);
  g_assert_no_error (world->error);
}

static void
tear_down (Bench *bench, gconstpointer data)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  world_tear_down (&bench->world, NULL);
  g_ptr_array_unref (bench->beats);
}

static void
advance_s (guint seconds)
{
  muster_clock_advance_us (seconds * (gint64) G_USEC_PER_SEC);
}

/* All that goes through loopback goes through: a datagram is there once it was sent. */
static void
settle (Bench *bench)
{
  for (guint i = 0; i < 100; i++)
    g_main_context_iteration (NULL, FALSE);
}

static void
wait_for_beats (Bench *bench, guint n_beats)
{
  while (bench->beats->len < n_beats)
    g_main_context_iteration (NULL, TRUE);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, n_beats);
}

static const char *
beat (Bench *bench, guint index)
{
  return g_ptr_array_index (bench->beats, index);
}

static void
test_beats (Bench *bench, gconstpointer data)
{
  for (guint i = 0; i < 5; i++) {
    g_autofree char *number = g_strdup_printf ("<SN>%u</SN>", i + 1);

    advance_s (INTERVAL);
    wait_for_beats (bench, i + 1);
    assert_has (beat (bench, i), number);
  }

  assert_has (beat (bench, 0), "MESSAGE sip:3402000000 SIP/2.0\r\n");
  assert_has (beat (bench, 0), "\r\nFrom: <sip:" DEVICE "@3402000000>;tag=");
  assert_has (beat (bench, 0), "\r\nTo: <sip:3402000000>\r\n");
  assert_has (beat (bench, 0), "\r\nContent-Type: Application/MANSCDP+xml\r\n");
  assert_has (beat (bench, 0), "<CmdType>Keepalive</CmdType>");
  assert_has (beat (bench, 0), "<DeviceID>" DEVICE "</DeviceID>");
  assert_has (beat (bench, 0), "<Status>OK</Status>");
}

static void
test_beats_by_name (Bench *bench, gconstpointer data)
{
  set_string (&bench->world, "server-id", "34020000002000000001");
  open_and_wait (&bench->world);
  g_assert_no_error (bench->world.error);
  advance_s (INTERVAL);
  wait_for_beats (bench, 1);
  assert_has (beat (bench, 0), "MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n");
  assert_has (beat (bench, 0), "\r\nFrom: <sip:" DEVICE "@3402000000>;tag=");
  assert_has (beat (bench, 0), "\r\nTo: <sip:34020000002000000001@3402000000>\r\n");
}

/* Never later than the server waits for, and not all accounts at one moment. */
static void
test_times_differ (Bench *bench, gconstpointer data)
{
  guint shortest_s = G_MAXUINT;
  guint longest_s = 0;

  for (guint i = 0; i < 30; i++) {
    guint waited_s = 0;

    while (bench->beats->len == i) {
      advance_s (1);
      waited_s++;
      settle (bench);
    }
    shortest_s = MIN (shortest_s, waited_s);
    longest_s = MAX (longest_s, waited_s);
  }
  g_assert_cmpuint (shortest_s, >=, INTERVAL * 9 / 10);
  g_assert_cmpuint (longest_s, <=, INTERVAL + 1);
  g_assert_cmpuint (longest_s, >, shortest_s);
}

static void
miss (Bench *bench, guint n_missed)
{
  bench->status = "503 Service Unavailable";
  for (guint i = 0; i < n_missed; i++) {
    advance_s (INTERVAL);
    wait_for_beats (bench, bench->beats->len + 1);
  }
}

/* Three in a row, and not before. */
static void
test_missed (Bench *bench, gconstpointer data)
{
  World *world = &bench->world;

  miss (bench, 2);
  bench->status = "202 Accepted";
  advance_s (INTERVAL);
  wait_for_beats (bench, 3);
  miss (bench, 2);
  world->may_be_lost = TRUE;
  miss (bench, 1);
  g_assert_error (world->lost, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  assert_has (world->lost->message, "3 heartbeats in a row unanswered");

  /* none until it is registered again, and then all over again */
  advance_s (10 * INTERVAL);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, 6);
  g_clear_error (&world->lost);
  world->may_be_lost = FALSE;
  open_and_wait (world);
  g_assert_no_error (world->error);
  miss (bench, 2);
  g_assert_cmpuint (bench->beats->len, ==, 8);
}

/* Nobody is there any more. */
static void
test_nobody_there (Bench *bench, gconstpointer data)
{
  World *world = &bench->world;

  g_clear_pointer (&world->peer, sip_peer_free);
  world->may_be_lost = TRUE;
  for (guint i = 0; i < 3; i++) {
    g_assert_null (world->lost);
    advance_s (INTERVAL);
    settle (bench);
  }
  while (world->lost == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
on_said (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  guint *n_said = user_data;

  g_assert_nonnull (strstr (message, "answers 403 to heartbeats, ignoring"));
  (*n_said)++;
}

/* Whoever says no has heard us, and that is said once. */
static void
test_complaints (Bench *bench, gconstpointer data)
{
  guint n_said = 0;
  guint handler = g_log_set_handler ("MusterSip", G_LOG_LEVEL_MESSAGE, on_said, &n_said);

  miss (bench, 2);
  bench->status = "403 Forbidden";
  for (guint i = 0; i < 4; i++) {
    advance_s (INTERVAL);
    wait_for_beats (bench, 3 + i);
  }
  g_assert_cmpuint (n_said, ==, 1);
  miss (bench, 2);
  g_log_remove_handler ("MusterSip", handler);
}

static void
test_challenged (Bench *bench, gconstpointer data)
{
  bench->challenges = TRUE;
  advance_s (INTERVAL);
  wait_for_beats (bench, 2);
  assert_has (beat (bench, 1), "<SN>1</SN>");
  assert_has (beat (bench, 1), "\r\nCSeq: 2 MESSAGE\r\n");
}

/* A refresh is no beat, and no reason to wait anew. */
static void
test_refreshes_between (Bench *bench, gconstpointer data)
{
  for (guint i = 0; i < 4; i++) {
    advance_s (INTERVAL / 4);
    open_and_wait (&bench->world);
    g_assert_no_error (bench->world.error);
  }
  wait_for_beats (bench, 1);
}

/* A refresh that fails for now leaves the account registered; one that is refused does not. */
static void
test_failing_refresh (Bench *bench, gconstpointer data)
{
  sip_peer_set_scenario (bench->world.peer, "failing");
  open_and_wait (&bench->world);
  g_assert_error (bench->world.error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  advance_s (INTERVAL);
  wait_for_beats (bench, 1);

  sip_peer_set_scenario (bench->world.peer, "forbidden");
  open_and_wait (&bench->world);
  g_assert_nonnull (bench->world.error);
  advance_s (3 * INTERVAL);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, 1);
}

static void
test_only_while_registered (Bench *bench, gconstpointer data)
{
  advance_s (INTERVAL);
  wait_for_beats (bench, 1);
  close_and_wait (&bench->world);
  g_assert_no_error (bench->world.error);
  advance_s (3 * INTERVAL);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, 1);
}

/* Gone is gone, also where the server did not take it in. */
static void
test_failed_leaving (Bench *bench, gconstpointer data)
{
  sip_peer_set_scenario (bench->world.peer, "failing");
  close_and_wait (&bench->world);
  g_assert_error (bench->world.error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  advance_s (3 * INTERVAL);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, 0);
}

/* The lease ran out and nobody said so. */
static void
test_not_beyond_the_lease (Bench *bench, gconstpointer data)
{
  set_uint (&bench->world, "expires", INTERVAL + 30);
  open_and_wait (&bench->world);
  g_assert_cmpuint (bench->world.lease->lease_s, ==, INTERVAL + 30);
  advance_s (INTERVAL);
  wait_for_beats (bench, 1);
  advance_s (3 * INTERVAL);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, 1);
}

/* Asleep for an hour: no beat on waking, since the broker looks after the registration; then as before. What
 * was missed meanwhile is nobody's fault. */
static void
test_sleep (Bench *bench, gconstpointer data)
{
  miss (bench, 2);
  muster_clock_suspend_us (3600 * (gint64) G_USEC_PER_SEC);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, 2);
  bench->status = "200 OK";
  open_and_wait (&bench->world);
  g_assert_no_error (bench->world.error);
  advance_s (INTERVAL);
  wait_for_beats (bench, 3);
}

/* Asleep while an answer was due. */
static void
test_sleep_over_an_answer (Bench *bench, gconstpointer data)
{
  miss (bench, 2);
  bench->status = NULL;
  advance_s (INTERVAL);
  wait_for_beats (bench, 3);
  muster_clock_suspend_us (3600 * (gint64) G_USEC_PER_SEC);
  settle (bench); /* a lost registration ends the test */
  open_and_wait (&bench->world);
}

/* Such servers know no SUBSCRIBE, and some answer nothing to what they do not know. Whoever sets it may ask. */
static void
test_asks_for_nothing (Bench *bench, gconstpointer data)
{
  World *world = &bench->world;

  settle (bench);
  g_assert_cmpuint (g_hash_table_size (world->side_leases), ==, 0);
  g_hash_table_insert (world->params, g_strdup ("reg-event"),
                       g_variant_ref_sink (g_variant_new_boolean (TRUE)));
  world->params_version++;
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (g_hash_table_size (world->side_leases), ==, 1);
}

static void
test_another_interval (Bench *bench, gconstpointer data)
{
  set_uint (&bench->world, "heartbeat", 20);
  open_and_wait (&bench->world);
  advance_s (INTERVAL);
  wait_for_beats (bench, 1);
  advance_s (20);
  wait_for_beats (bench, 2);

  set_uint (&bench->world, "heartbeat", 0);
  open_and_wait (&bench->world);
  advance_s (3 * INTERVAL);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, 2);
}

static void
test_not_by_the_standard (Bench *bench, gconstpointer data)
{
  set_string (&bench->world, "profile", "standard");
  open_and_wait (&bench->world);
  advance_s (3 * INTERVAL);
  settle (bench);
  g_assert_cmpuint (bench->beats->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test) g_test_add ("/sip/heartbeat/" path, Bench, NULL, set_up, test, tear_down)

  ADD ("beats", test_beats);
  ADD ("beats-by-name", test_beats_by_name);
  ADD ("times-differ", test_times_differ);
  ADD ("missed", test_missed);
  ADD ("nobody-there", test_nobody_there);
  ADD ("complaints", test_complaints);
  ADD ("challenged", test_challenged);
  ADD ("refreshes-between", test_refreshes_between);
  ADD ("failing-refresh", test_failing_refresh);
  ADD ("only-while-registered", test_only_while_registered);
  ADD ("failed-leaving", test_failed_leaving);
  ADD ("not-beyond-the-lease", test_not_beyond_the_lease);
  ADD ("sleep", test_sleep);
  ADD ("sleep-over-an-answer", test_sleep_over_an_answer);
  ADD ("asks-for-nothing", test_asks_for_nothing);
  ADD ("another-interval", test_another_interval);
  ADD ("not-by-the-standard", test_not_by_the_standard);

  return g_test_run ();
}
