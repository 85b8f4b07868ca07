/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-resolver-private.h"
#include "sharing-fixture.h"

/* A service with two targets, and which of them an account is registered at over a connection: who is sent on
 * by the first, what becomes of those that are not, and who is asked first the next time. */

#define HOST "pbx.example.test"

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

  g_assert_cmpstr (node, ==, HOST);
  *result = NULL;
  if (oracle_addresses == NULL)
    return EAI_NONAME;
  for (guint i = 0; texts[i] != NULL; i++) {
    g_assert_cmpint (getaddrinfo (texts[i], NULL, &numeric, result), ==, 0);
    result = &(*result)->ai_next;
  }

  return 0;
}

/* two servers */

typedef struct {
  World world; /* first: its server is at the first address */
  Server *second;
} Pair;

static void
pair_set_up (Pair *pair, gconstpointer data)
{
  world_set_up (&pair->world, data);
  pair->second = server_new_at ("127.0.0.2", pair->world.server->port);
  oracle_says ("127.0.0.1 127.0.0.2");
}

static void
pair_tear_down (Pair *pair, gconstpointer data)
{
  world_tear_down (&pair->world, data);
  g_clear_pointer (&pair->second, server_free);
}

static Client *
named_client_new (Pair *pair)
{
  Client *client = client_new (&pair->world, "tcp");

  g_free (client->server);
  client->server = g_strdup_printf ("%s:%u", HOST, pair->world.server->port);
  return client;
}

static void
line_answer (Line *line, const char *status, const char *headers)
{
  g_autofree char *request = wait_for_request (line);
  g_autofree char *answer = answer_to (request, status, headers);

  line_say (line, answer);
}

static void
line_grant (Line *line)
{
  g_autofree char *request = wait_for_request (line);
  g_autofree char *answer = grant_of (request, 600);

  line_say (line, answer);
}

static void
wait_for_grant (Client *client)
{
  wait_until (client->n_done > 0);
  g_assert_no_error (client->error);
  settle (); /* what was left is closed */
}

/* The first server says @status to @client, and the second takes its registration, on its line @index. */
static Line *
get_sent_on (Pair *pair, Client *client, Line *first, const char *status, guint index)
{
  Line *line;

  client_open (client);
  line_answer (first, status, "");
  line = wait_for_line (pair->second, index);
  line_grant (line);
  wait_for_grant (client);
  return line;
}

/* who is sent on */

/* Whoever is told that the server has no time goes to the other, and stays there; who shared the connection
 * stays, too, and the next one that is sent on joins the first. */
static void
test_busy (Pair *pair, gconstpointer data)
{
  Client *one = named_client_new (pair);
  Client *two = named_client_new (pair);
  Client *three = named_client_new (pair);
  Line *first, *second;

  client_open (one);
  first = wait_for_line (pair->world.server, 0);
  line_grant (first);
  wait_for_grant (one);
  client_open (two);
  line_grant (first);
  wait_for_grant (two);

  second = get_sent_on (pair, one, first, data, 0);
  g_assert_false (one->lease->refreshed); /* another contact */
  settle ();
  g_assert_nonnull (first->watch);

  client_open (one);
  line_grant (second);
  wait_for_grant (one);
  g_assert_true (one->lease->refreshed);
  client_open (two);
  line_grant (first);
  wait_for_grant (two);
  g_assert_true (two->lease->refreshed);

  g_assert_true (get_sent_on (pair, three, first, data, 0) == second);
  client_close (one);
  line_answer (second, "200 OK", "");
  wait_for_grant (one);
  settle ();
  g_assert_nonnull (second->watch);
  g_assert_cmpuint (pair->world.server->lines->len, ==, 1);
  g_assert_cmpuint (pair->second->lines->len, ==, 1);
  g_assert_cmpuint (one->n_lost + two->n_lost + three->n_lost, ==, 0);
}

/* Whoever comes back finds the connection that the others have stayed on. */
static void
test_comes_back (Pair *pair, gconstpointer data)
{
  Client *one = named_client_new (pair);
  Client *two = named_client_new (pair);
  Line *first, *second;

  client_open (one);
  first = wait_for_line (pair->world.server, 0);
  line_grant (first);
  wait_for_grant (one);
  client_open (two);
  line_grant (first);
  wait_for_grant (two);
  second = get_sent_on (pair, one, first, "503 Full", 0);

  client_open (one);
  line_answer (second, "503 Full", "");
  line_grant (first);
  wait_for_grant (one);
  g_assert_null (second->watch);
  g_assert_cmpuint (pair->world.server->lines->len, ==, 1);
}

/* The connection stands, and others are answered on it. */
static void
test_no_answer (Pair *pair, gconstpointer data)
{
  Client *one = named_client_new (pair);
  Client *two = named_client_new (pair);
  Line *first;

  client_open (one);
  first = wait_for_line (pair->world.server, 0);
  g_free (wait_for_request (first));
  muster_clock_advance_us (20 * G_USEC_PER_SEC);
  client_open (two);
  line_grant (first);
  wait_for_grant (two);
  muster_clock_advance_us (13 * G_USEC_PER_SEC);
  line_grant (wait_for_line (pair->second, 0));
  wait_for_grant (one);
  settle ();
  g_assert_nonnull (first->watch);
  g_assert_cmpuint (two->n_lost, ==, 0);
}

static void
test_connection_breaks (Pair *pair, gconstpointer data)
{
  Client *client = named_client_new (pair);
  Line *first;

  client_open (client);
  first = wait_for_line (pair->world.server, 0);
  g_free (wait_for_request (first));
  line_hang_up (first);
  line_grant (wait_for_line (pair->second, 0));
  wait_for_grant (client);
  g_assert_cmpuint (client->n_lost, ==, 0);
}

/* The first one takes a connection, and ends it in the handshake. */
static void
test_no_tls (Pair *pair, gconstpointer data)
{
  Client *client = named_client_new (pair);
  Line *line;

  client->transport = "tls";
  client_open (client);
  line = wait_for_line (pair->world.server, 0);
  wait_until (line->in->len > 0);
  line_hang_up (line);
  line = wait_for_line (pair->second, 0);
  wait_until (line->in->len > 0);
  line_hang_up (line);
  wait_until (client->n_done > 0);
  g_assert_error (client->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  settle ();
  g_assert_cmpuint (pair->world.server->lines->len, ==, 1);
  g_assert_cmpuint (pair->second->lines->len, ==, 1);
}

/* It speaks of us: the others would say the same. */
static void
test_forbidden (Pair *pair, gconstpointer data)
{
  Client *client = named_client_new (pair);

  client_open (client);
  line_answer (wait_for_line (pair->world.server, 0), "403 Forbidden", "");
  wait_until (client->n_done > 0);
  g_assert_error (client->error, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN);
  settle ();
  g_assert_cmpuint (pair->second->lines->len, ==, 0);
}

/* the end of it */

/* Each is asked once; the last answer counts, and the connection that there was stays. */
static void
test_both_busy (Pair *pair, gconstpointer data)
{
  Client *client = named_client_new (pair);
  Line *first, *second;

  client_open (client);
  first = wait_for_line (pair->world.server, 0);
  line_grant (first);
  wait_for_grant (client);

  client_open (client);
  line_answer (first, "503 Full", "");
  second = wait_for_line (pair->second, 0);
  line_answer (second, "503 Full", "Retry-After: 7\r\n");
  wait_until (client->n_done > 0);
  g_assert_error (client->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_cmpuint (muster_error_get_retry_after_s (client->error), ==, 7);
  wait_until (second->watch == NULL);
  settle ();
  g_assert_nonnull (first->watch);
  g_assert_cmpstr (first->in->str, ==, "");

  client_open (client);
  line_grant (first);
  wait_for_grant (client);
  g_assert_true (client->lease->refreshed);
  line_hang_up (first);
  wait_until (client->n_lost > 0);
}

/* What the server said tells more than that another is not there. */
static void
test_second_is_not_there (Pair *pair, gconstpointer data)
{
  Client *client = named_client_new (pair);
  Line *first;

  g_clear_pointer (&pair->second, server_free);
  client_open (client);
  first = wait_for_line (pair->world.server, 0);
  line_answer (first, "503 Full", "Retry-After: 7\r\n");
  wait_until (client->n_done > 0);
  g_assert_error (client->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_cmpuint (muster_error_get_retry_after_s (client->error), ==, 7);
  settle ();
  g_assert_nonnull (first->watch);
}

static void
test_only_one (Pair *pair, gconstpointer data)
{
  Client *client = named_client_new (pair);
  Line *first;

  oracle_says ("127.0.0.1");
  client_open (client);
  first = wait_for_line (pair->world.server, 0);
  line_answer (first, "503 Full", "");
  wait_until (client->n_done > 0);
  g_assert_error (client->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_nonnull (first->watch);
}

/* the next time */

static void
test_stays_with_a_new_connection (Pair *pair, gconstpointer data)
{
  Client *client = named_client_new (pair);
  Line *second;

  client_open (client);
  wait_for_line (pair->world.server, 0);
  line_answer (pair->world.server->lines->pdata[0], "503 Full", "");
  second = wait_for_line (pair->second, 0);
  line_grant (second);
  wait_for_grant (client);

  line_hang_up (second);
  wait_until (client->n_lost == 1);
  client_open (client);
  second = wait_for_line (pair->second, 1);
  line_grant (second);
  wait_for_grant (client);

  /* nobody to ask for the name */
  oracle_says (NULL);
  line_hang_up (second);
  wait_until (client->n_lost == 2);
  client_open (client);
  line_grant (wait_for_line (pair->second, 2));
  wait_for_grant (client);
  g_assert_cmpuint (pair->world.server->lines->len, ==, 1);
}

/* It is forgotten when it fails, by not being there or by what it says. */
static void
test_fails_in_turn (Pair *pair, gconstpointer data)
{
  Client *client = named_client_new (pair);
  guint16 port = pair->world.server->port;
  Line *line;

  client_open (client);
  line_answer (wait_for_line (pair->world.server, 0), "503 Full", "");
  line = wait_for_line (pair->second, 0);
  line_grant (line);
  wait_for_grant (client);

  client_open (client);
  line_answer (line, "503 Full", "");
  line = wait_for_line (pair->world.server, 1);
  line_grant (line);
  wait_for_grant (client);

  get_sent_on (pair, client, line, "503 Full", 1);
  g_clear_pointer (&pair->second, server_free);
  wait_until (client->n_lost == 1);
  client_open (client);
  line = wait_for_line (pair->world.server, 2);
  line_grant (line);
  wait_for_grant (client);

  pair->second = server_new_at ("127.0.0.2", port);
  client_open (client);
  line_grant (line);
  wait_for_grant (client);
  line_hang_up (line);
  wait_until (client->n_lost == 2);
  client_open (client);
  line_grant (wait_for_line (pair->world.server, 3));
  wait_for_grant (client);
  g_assert_cmpuint (pair->second->lines->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_dns_use_addresses (oracle_ask, freeaddrinfo);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test, data)                                                                      \
  g_test_add ("/sip/elsewhere/" path, Pair, data, pair_set_up, test, pair_tear_down)
  ADD ("busy", test_busy, "503 Full");
  ADD ("failing", test_busy, "500 Server Internal Error");
  ADD ("comes-back", test_comes_back, NULL);
  ADD ("no-answer", test_no_answer, NULL);
  ADD ("connection-breaks", test_connection_breaks, NULL);
  ADD ("no-tls", test_no_tls, NULL);
  ADD ("forbidden", test_forbidden, NULL);
  ADD ("both-busy", test_both_busy, NULL);
  ADD ("second-is-not-there", test_second_is_not_there, NULL);
  ADD ("only-one", test_only_one, NULL);
  ADD ("stays-with-a-new-connection", test_stays_with_a_new_connection, NULL);
  ADD ("fails-in-turn", test_fails_in_turn, NULL);
#undef ADD

  return g_test_run ();
}
