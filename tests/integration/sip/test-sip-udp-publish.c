/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-fixture.h"

#include <muster/muster-publisher.h>

/* Presence goes out over the account's own way, and is extended, changed and taken back there. */

typedef struct {
  World *world;
  const char *status;  /* of the answers */
  const char *headers; /* likewise */
  GPtrArray *requests; /* of char *: those that came */
  gboolean breaks;     /* what is set is nonsense once a request came */

  gboolean done;
  GError *error;
  MusterLease *lease; /* of a renewal */
} Server;

static void
on_other (SipPeer *peer, const char *text, GSocketAddress *from, gpointer user_data)
{
  Server *server = user_data;

  g_ptr_array_add (server->requests, g_strdup (text));
  if (server->breaks) {
    set_string (server->world, "server", "example.test:99999");
    g_free (muster_registration_dup_remote_host (server->world->registration));
  }
  if (server->status != NULL)
    sip_peer_answer (peer, text, from, server->status, server->headers);
}

static const char *
last (Server *server)
{
  return g_ptr_array_index (server->requests, server->requests->len - 1);
}

static void
on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Server *server = user_data;

  server->done = TRUE;
  muster_publisher_publish_finish (MUSTER_PUBLISHER (source), result, &server->error);
}

static void
wait_for (Server *server)
{
  while (!server->done)
    g_main_context_iteration (NULL, TRUE);
}

static void
publish (Server *server, MusterPresence presence, const char *text)
{
  server->done = FALSE;
  g_clear_error (&server->error);
  muster_publisher_publish_async (MUSTER_PUBLISHER (server->world->registration), presence, text,
                                  NULL, on_published, server);
  wait_for (server);
}

static void
on_renewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Server *server = user_data;

  server->done = TRUE;
  server->lease = muster_registration_renew_lease_finish (MUSTER_REGISTRATION (source), result,
                                                          &server->error);
}

static void
renew (Server *server)
{
  server->done = FALSE;
  g_clear_error (&server->error);
  g_clear_pointer (&server->lease, muster_lease_free);
  muster_registration_renew_lease_async (server->world->registration, "publication", NULL,
                                         on_renewed, server);
  wait_for (server);
}

static guint
granted_s (Server *server)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (server->world->side_leases, "publication"));
}

static void
set_up (Server *server, World *world)
{
  server->world = world;
  server->requests = g_ptr_array_new_with_free_func (g_free);
  server->status = "200 OK";
  server->headers = "SIP-ETag: e1\r\nExpires: 1200\r\n";
  sip_peer_set_other (world->peer, on_other, server);
  open_and_wait (world);
  g_assert_no_error (world->error);
}

static void
clear (Server *server)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_ptr_array_unref (server->requests);
  g_clear_error (&server->error);
  g_clear_pointer (&server->lease, muster_lease_free);
}

/* Whoever watches us must not learn the way past our server. */
static void
assert_keeps_token (Server *server)
{
  g_autofree char *bindings = sip_peer_dup_bindings (server->world->peer);
  g_autofree char *token = g_strndup (bindings + strlen ("sip:"),
                                      strcspn (bindings + strlen ("sip:"), "@"));

  g_assert_cmpuint (strlen (token), ==, 16);
  g_assert_null (strstr (last (server), token));
}

static void
test_published (World *world, gconstpointer data)
{
  Server server = { NULL };

  set_up (&server, world);
  publish (&server, MUSTER_PRESENCE_DND, "in a meeting");
  g_assert_no_error (server.error);
  assert_has (last (&server), "PUBLISH sip:alice@example.test SIP/2.0\r\n");
  assert_has (last (&server), "\r\nContent-Type: application/pidf+xml\r\n");
  assert_has (last (&server), "in a meeting");
  assert_keeps_token (&server);
  assert_has (last (&server), "\r\nAuthorization: Digest "); /* ahead: the account's own nonce */
  g_assert_cmpuint (granted_s (&server), ==, 1200);

  server.headers = "SIP-ETag: e2\r\nExpires: 900\r\n";
  renew (&server);
  g_assert_no_error (server.error);
  g_assert_cmpuint (server.lease->lease_s, ==, 900);
  assert_has (last (&server), "\r\nSIP-If-Match: e1\r\n");
  g_assert_null (strstr (last (&server), "in a meeting"));

  publish (&server, MUSTER_PRESENCE_AWAY, NULL);
  assert_has (last (&server), "\r\nSIP-If-Match: e2\r\n");
  g_assert_cmpuint (server.requests->len, ==, 3);

  close_and_wait (world);
  assert_has (last (&server), "PUBLISH sip:alice@example.test");
  assert_has (last (&server), "\r\nExpires: 0\r\n");
  clear (&server);
}

/* RFC 3608 section 6.1: through the proxies that the registrar named, and still to the one that we talk
 * to. */
static void
test_service_route (World *world, gconstpointer data)
{
  Server server = { NULL };

  sip_peer_set_scenario (world->peer, "service-route");
  set_up (&server, world);
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  g_assert_no_error (server.error);
  assert_has (last (&server), "PUBLISH sip:alice@example.test SIP/2.0\r\n");
  assert_has (last (&server), "\r\nRoute: <sip:p1.example.test;lr>");
  assert_has (last (&server), "<sip:p2.example.test;lr>\r\n");
  clear (&server);
}

static void
test_not_supported (World *world, gconstpointer data)
{
  Server server = { NULL };

  set_up (&server, world);
  server.status = "405 Method Not Allowed";
  server.headers = NULL;
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  g_assert_error (server.error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
  g_assert_cmpstr (server.error->message, ==, "the server takes no such requests");
  g_assert_cmpuint (granted_s (&server), ==, 0);

  publish (&server, MUSTER_PRESENCE_OFFLINE, NULL); /* there is nothing to take back */
  g_assert_no_error (server.error);
  g_assert_cmpuint (server.requests->len, ==, 1);
  clear (&server);
}

/* A daemon that is killed goes on with what it published. */
static void
test_restart (World *world, gconstpointer data)
{
  Server server = { NULL };

  set_up (&server, world);
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  stop (world);
  start (world);
  open_and_wait (world);
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  g_assert_no_error (server.error);
  assert_has (last (&server), "\r\nSIP-If-Match: e1\r\n");
  clear (&server);
}

/* The account leaves while its request waits for an answer. */
static void
test_closed_meanwhile (World *world, gconstpointer data)
{
  Server server = { NULL };

  set_up (&server, world);
  server.status = NULL;
  muster_publisher_publish_async (MUSTER_PUBLISHER (world->registration), MUSTER_PRESENCE_AVAILABLE,
                                  NULL, NULL, on_published, &server);
  while (server.requests->len == 0)
    g_main_context_iteration (NULL, TRUE);
  close_and_wait (world);
  wait_for (&server);
  g_assert_error (server.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  clear (&server);
}

/* leaving */

static void
begin_leaving (World *world)
{
  forget_result (world);
  muster_registration_close_async (world->registration, NULL, on_closed, world);
}

/* What is taken back is challenged as all else, and answered before the account is a stranger. */
static void
test_challenged_at_the_end (World *world, gconstpointer data)
{
  Server server = { NULL };
  guint n_registers;

  set_up (&server, world);
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  n_registers = sip_peer_count_requests (world->peer);
  server.status = "401 Unauthorized";
  server.headers = "WWW-Authenticate: Digest realm=\"cms.realm\", nonce=\"new\", qop=\"auth\", "
                   "stale=true\r\n";
  begin_leaving (world);
  while (server.requests->len < 2)
    g_main_context_iteration (NULL, TRUE);
  server.status = "200 OK";
  server.headers = "SIP-ETag: e2\r\nExpires: 0\r\n";
  while (server.requests->len < 3)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, n_registers);
  assert_has (last (&server), "nonce=\"new\"");
  assert_has (last (&server), "\r\nExpires: 0\r\n");
  assert_has (last (&server), "\r\nSIP-If-Match: e1\r\n");
  wait_until_done (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (server.requests->len, ==, 3);
  assert_has (last_request (world)->contact, "expires=0");
  clear (&server);
}

/* A server that never answers it holds up the account for a while, and no longer. */
static void
test_unanswered_at_the_end (World *world, gconstpointer data)
{
  Server server = { NULL };
  g_autofree char *bindings = NULL;
  guint n_registers;

  set_up (&server, world);
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  n_registers = sip_peer_count_requests (world->peer);
  server.status = NULL;
  begin_leaving (world);
  muster_clock_advance_us (1900 * 1000);
  while (server.requests->len < 2)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, n_registers);
  g_assert_cmpuint (world->n_done, ==, 0);

  muster_clock_advance_us (100 * 1000);
  wait_until_done (world);
  g_assert_no_error (world->error);
  bindings = sip_peer_dup_bindings (world->peer);
  g_assert_cmpstr (bindings, ==, "");
  clear (&server);
}

/* Who cannot wait is not held up. */
static void
test_cancelled_at_the_end (World *world, gconstpointer data)
{
  Server server = { NULL };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  set_up (&server, world);
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  server.status = NULL;
  forget_result (world);
  muster_registration_close_async (world->registration, cancellable, on_closed, world);
  while (server.requests->len < 2)
    g_main_context_iteration (NULL, TRUE);
  g_cancellable_cancel (cancellable);
  wait_until_done (world);
  g_assert_error (world->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* the account is of use again */
  server.status = "200 OK";
  open_and_wait (world);
  g_assert_no_error (world->error);
  close_and_wait (world);
  g_assert_no_error (world->error);
  clear (&server);
}

/* The registration has run out, and what is published has not. */
static void
test_not_registered_at_the_end (World *world, gconstpointer data)
{
  Server server = { NULL };
  guint n_registers;

  set_up (&server, world);
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  n_registers = sip_peer_count_requests (world->peer);
  muster_clock_advance_us (601 * G_USEC_PER_SEC);
  close_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, n_registers);
  g_assert_cmpuint (server.requests->len, ==, 2);
  assert_has (last (&server), "\r\nExpires: 0\r\n");
  clear (&server);
}

/* Somebody sets nonsense while a request waits for its challenge. */
static void
test_broken_meanwhile (World *world, gconstpointer data)
{
  Server server = { NULL };

  set_up (&server, world);
  server.breaks = TRUE;
  server.status = "401 Unauthorized";
  server.headers = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"another\"\r\n";
  publish (&server, MUSTER_PRESENCE_AVAILABLE, NULL);
  g_assert_error (server.error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpuint (server.requests->len, ==, 2);
  assert_has (last (&server), "PUBLISH sip:alice@example.test SIP/2.0\r\n");
  clear (&server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test)                                                                            \
  g_test_add ("/sip/publish/" path, World, NULL, world_set_up, test, world_tear_down)
  ADD ("published", test_published);
  ADD ("service-route", test_service_route);
  ADD ("not-supported", test_not_supported);
  ADD ("restart", test_restart);
  ADD ("closed-meanwhile", test_closed_meanwhile);
  ADD ("challenged-at-the-end", test_challenged_at_the_end);
  ADD ("unanswered-at-the-end", test_unanswered_at_the_end);
  ADD ("cancelled-at-the-end", test_cancelled_at_the_end);
  ADD ("not-registered-at-the-end", test_not_registered_at_the_end);
  ADD ("broken-meanwhile", test_broken_meanwhile);

  return g_test_run ();
}
