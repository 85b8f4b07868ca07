/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "sharing-fixture.h"

#include <time.h>

/* What accounts do to each other that share a connection. */

/* cancelling */

static void
test_cancel_while_connecting (World *world, gconstpointer data)
{
  Client *client = client_new (world, "tls"); /* the server never answers the handshake */
  Line *line;

  client_open (client);
  line = wait_for_line (world->server, 0);
  wait_until (line->in->len > 0);
  g_cancellable_cancel (client->cancellable);
  g_assert_cmpuint (client->n_done, ==, 0);
  wait_until (client->n_done > 0);
  g_assert_error (client->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  wait_until (line->watch == NULL); /* nobody wants the connection any more */
  g_assert_cmpuint (client->n_lost, ==, 0);
}

static void
test_cancel_while_waiting (World *world, gconstpointer data)
{
  Client *client = client_new (world, "tcp");
  g_autofree char *request = NULL;
  g_autofree char *answer = NULL;
  Line *line;

  client_open (client);
  line = wait_for_line (world->server, 0);
  request = wait_for_request (line);
  g_cancellable_cancel (client->cancellable);
  wait_until (client->n_done > 0);
  g_assert_error (client->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  answer = grant_of (request, 600); /* too late */
  line_say (line, answer);
  settle ();
  g_assert_true (get_registered (world, client, 0, 600) == line);
  g_assert_cmpuint (world->server->lines->len, ==, 1);
}

/* sharing */

static void
test_one_leaves_while_the_other_waits (World *world, gconstpointer data)
{
  Client *one = client_new (world, "tcp");
  Client *two = client_new (world, "tcp");
  Line *line = get_registered (world, one, 0, 600);
  g_autofree char *waiting = NULL;
  g_autofree char *leaving = NULL;
  g_autofree char *goodbye = NULL;
  g_autofree char *granted = NULL;

  client_open (two);
  waiting = wait_for_request (line);
  client_close (one);
  leaving = wait_for_request (line);
  g_assert_nonnull (strstr (leaving, "expires=0"));
  goodbye = answer_to (leaving, "200 OK", "");
  line_say (line, goodbye);
  wait_until (one->n_done > 0);
  g_assert_no_error (one->error);
  settle ();
  g_assert_nonnull (line->watch);
  g_assert_cmpuint (two->n_done, ==, 0);

  granted = grant_of (waiting, 600);
  line_say (line, granted);
  wait_until (two->n_done > 0);
  g_assert_no_error (two->error);

  /* The last one takes it along. */
  client_close (two);
  g_clear_pointer (&leaving, g_free);
  g_clear_pointer (&goodbye, g_free);
  leaving = wait_for_request (line);
  goodbye = answer_to (leaving, "200 OK", "");
  line_say (line, goodbye);
  wait_until (line->watch == NULL);
  g_assert_cmpuint (one->n_lost + two->n_lost, ==, 0);
}

/* RFC 5626, as it goes over the wire */
static void
test_outbound (World *world, gconstpointer data)
{
  static const char *const steps[][3] = {
    /* Supported, what the Contact ends with, what the answer says */
    { "path, outbound", ">\"", "Supported: outbound\r\n" },
    { "path, outbound", ">\";reg-id=1", "Require: outbound\r\nFlow-Timer: 120\r\n" },
    { "path, outbound", ">\";reg-id=1", "Require: outbound\r\n" },
  };
  Client *client = client_new (world, "tcp");

  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autofree char *request = NULL;
    g_autofree char *supported = NULL;
    g_autofree char *contact = NULL;
    g_autofree char *answer = NULL;
    Line *line;

    client_open (client);
    line = wait_for_line (world->server, 0);
    request = wait_for_request (line);
    supported = header_of (request, "Supported");
    contact = header_of (request, "Contact");
    g_assert_cmpstr (supported, ==, steps[i][0]);
    g_assert_nonnull (strstr (contact, ";+sip.instance=\"<urn:uuid:"));
    g_assert_true (g_str_has_suffix (contact, steps[i][1]));
    answer = answer_to (request, "200 OK", steps[i][2]);
    line_say (line, answer);
    wait_until (client->n_done > 0);
    g_assert_no_error (client->error);
  }
}

/* losing */

static void
test_loss_between_operations_is_told (World *world, gconstpointer data)
{
  Client *client = client_new (world, "tcp");
  Line *line = get_registered (world, client, 0, 600);

  line_hang_up (line);
  wait_until (client->n_lost > 0);
  settle ();
  g_assert_cmpuint (client->n_lost, ==, 1);
  get_registered (world, client, 1, 600);
}

/* The answer of the refresh tells, and nothing else: the lease still runs, and to tell the broker that it
 * is lost would end it. The next try has another connection. */
static void
test_loss_in_a_refresh_is_told_once (World *world, gconstpointer data)
{
  Client *client = client_new (world, "tcp");
  Line *line = get_registered (world, client, 0, 600);

  client_open (client);
  g_free (wait_for_request (line));
  line_hang_up (line);
  wait_until (client->n_done > 0);
  g_assert_error (client->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  settle ();
  g_assert_cmpuint (client->n_lost, ==, 0);

  get_registered (world, client, 1, 600);
  g_assert_false (client->lease->refreshed); /* another contact */
}

/* As the broker does it when an attempt has had its time. */
static void
test_silent_server_is_left (World *world, gconstpointer data)
{
  Client *client = client_new (world, "tcp");
  Line *line = get_registered (world, client, 0, 600);

  muster_clock_advance_us (G_USEC_PER_SEC);
  client_open (client);
  g_free (wait_for_request (line));
  muster_clock_advance_us (30 * G_USEC_PER_SEC);
  g_cancellable_cancel (client->cancellable);
  wait_until (client->n_done > 0);
  settle ();
  g_assert_cmpuint (client->n_lost, ==, 0);

  get_registered (world, client, 1, 600);
  wait_until (line->watch == NULL);
}

/* The connection takes its time, and the lease runs out meanwhile: there is nothing to take back. */
static void
test_lease_ends_while_leaving (World *world, gconstpointer data)
{
  Client *client = client_new (world, "tcp");
  Line *line = get_registered (world, client, 0, 5);

  line_hang_up (line);
  wait_until (client->n_lost > 0);
  client_close (client);
  muster_clock_advance_us (6 * G_USEC_PER_SEC);
  wait_until (client->n_done > 0);
  g_assert_no_error (client->error);
  line = wait_for_line (world->server, 1);
  wait_until (line->watch == NULL);
  g_assert_cmpstr (line->in->str, ==, "");
}

/* many */

#define N_MANY 1000

#if defined(__SANITIZE_ADDRESS__)
#define TURN_CPU_US 100000
#else
#define TURN_CPU_US 10000
#endif

static gint64
cpu_us (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (gint64) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

static guint
count (World *world, gsize offset)
{
  guint n = 0;

  for (guint i = 0; i < world->clients->len; i++)
    n += G_STRUCT_MEMBER (guint, world->clients->pdata[i], offset);
  return n;
}

#define wait_for_all(world, member)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    while (count (world, G_STRUCT_OFFSET (Client, member)) < N_MANY) {                             \
      gint64 before_us = cpu_us ();                                                                \
                                                                                                   \
      g_main_context_iteration (NULL, TRUE);                                                       \
      worst_us = MAX (worst_us, cpu_us () - before_us);                                            \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

/* A thousand are told that the connection stands, get their answers, lose the connection in between and
 * lose the next one while they wait for answers; the loop goes on. A turn holds our server's work, too. */
static void
test_many (World *world, gconstpointer data)
{
  gint64 worst_us = 0;

  for (guint i = 0; i < N_MANY; i++)
    client_open (client_new (world, "tcp"));
  world->server->is_granting = TRUE;
  wait_for_all (world, n_done);
  g_assert_cmpuint (world->server->n_granted, ==, N_MANY);
  g_assert_cmpuint (world->server->lines->len, ==, 1);
  g_test_message ("granting: at most %d us of CPU in a turn", (int) worst_us);

  worst_us = 0;
  line_hang_up (world->server->lines->pdata[0]);
  wait_for_all (world, n_lost);
  g_test_message ("losing what is idle: at most %d us", (int) worst_us);
  g_assert_cmpint (worst_us, <, TURN_CPU_US);

  worst_us = 0;
  world->server->is_granting = FALSE;
  for (guint i = 0; i < N_MANY; i++)
    client_open (world->clients->pdata[i]);
  wait_until (world->server->lines->len == 2);
  settle ();
  line_hang_up (world->server->lines->pdata[1]);
  wait_for_all (world, n_done);
  settle ();
  g_test_message ("losing what waits: at most %d us", (int) worst_us);
  g_assert_cmpint (worst_us, <, TURN_CPU_US);
  g_assert_cmpuint (count (world, G_STRUCT_OFFSET (Client, n_lost)), ==, N_MANY); /* only before */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test)                                                                            \
  g_test_add ("/sip/sharing/" path, World, NULL, world_set_up, test, world_tear_down)
  ADD ("cancel-while-connecting", test_cancel_while_connecting);
  ADD ("cancel-while-waiting", test_cancel_while_waiting);
  ADD ("one-leaves-while-the-other-waits", test_one_leaves_while_the_other_waits);
  ADD ("outbound", test_outbound);
  ADD ("loss-between-operations-is-told", test_loss_between_operations_is_told);
  ADD ("loss-in-a-refresh-is-told-once", test_loss_in_a_refresh_is_told_once);
  ADD ("silent-server-is-left", test_silent_server_is_left);
  ADD ("lease-ends-while-leaving", test_lease_ends_while_leaving);
  ADD ("many", test_many);
#undef ADD

  return g_test_run ();
}
