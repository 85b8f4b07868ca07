/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-fixture.h"

#include <muster/muster-publisher.h>

/* When the password is loaded: what is kept of it does as long as it is the same and the server asks for the same. */

static void
set_password (World *world, const char *password)
{
  g_free (world->password);
  world->password = g_strdup (password);
  world->password_version++;
}

/* Every answer to a challenge was right. */
static void
assert_never_wrong (World *world)
{
  for (guint i = 0; i < sip_peer_count_requests (world->peer); i++) {
    const SipPeerRequest *request = sip_peer_get_request (world->peer, i);

    g_assert_true (request->authorization == NULL || request->authorized);
  }
}

static void
open_well (World *world)
{
  open_and_wait (world);
  g_assert_no_error (world->error);
}

static void
test_loaded_once (World *world, gconstpointer data)
{
  open_well (world);
  g_assert_cmpuint (world->n_loads, ==, 1);
  open_well (world);
  open_well (world);
  g_assert_cmpuint (world->n_loads, ==, 1);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 4); /* one round trip each */

  stop (world);
  start (world);
  open_well (world);
  g_assert_true (world->lease->refreshed);
  close_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (world->n_loads, ==, 1);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 6);
  assert_never_wrong (world);
}

/* A nonce that is over is not the password's fault, if the server says so. */
static void
test_stale (World *world, gconstpointer data)
{
  sip_peer_set_scenario (world->peer, "stale");
  open_well (world);
  open_well (world);
  open_well (world);
  g_assert_cmpuint (world->n_loads, ==, 1);
}

static void
test_new_realm (World *world, gconstpointer data)
{
  guint16 port = sip_peer_get_port (world->peer);
  g_autoptr (GError) error = NULL;

  open_well (world);
  sip_peer_free (world->peer);
  world->peer = sip_peer_new (data, "127.0.0.1", port, &error);
  g_assert_no_error (error);
  open_well (world);
  g_assert_cmpuint (world->n_loads, ==, 2);
  open_well (world);
  g_assert_cmpuint (world->n_loads, ==, 2);
}

/* The next request is made with it, or with none, also after a restart. */
static void
test_changed (World *world, gconstpointer data)
{
  guint n_requests;

  open_well (world);
  set_password (world, "wrong");
  if (data != NULL) {
    stop (world);
    start (world);
  }
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 4);
  g_assert_null (sip_peer_get_request (world->peer, 2)->authorization);
  g_assert_false (sip_peer_get_request (world->peer, 3)->authorized);

  set_password (world, "se:cret");
  n_requests = sip_peer_count_requests (world->peer);
  open_well (world);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, n_requests + 2);
  g_assert_true (last_request (world)->authorized);
  g_assert_cmpuint (world->n_loads, ==, 3);
}

/* Set anew, and the same: what is kept stays. */
static void
test_set_again (World *world, gconstpointer data)
{
  open_well (world);
  set_password (world, "se:cret");
  open_well (world);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 3);
  g_assert_cmpuint (world->n_loads, ==, 2);
  open_well (world);
  g_assert_cmpuint (world->n_loads, ==, 2);
}

/* Nobody can say whether it has changed: it is looked at each time. */
static void
test_version_not_known (World *world, gconstpointer data)
{
  world->password_version = 0;
  open_well (world);
  open_well (world);
  g_assert_cmpuint (world->n_loads, ==, 2);
  g_free (world->password);
  world->password = g_strdup ("wrong");
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_null (sip_peer_get_request (world->peer, 3)->authorization);
}

static void
test_taken_away (World *world, gconstpointer data)
{
  open_well (world);
  g_clear_pointer (&world->password, g_free);
  world->password_version = 0;
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpstr (world->error->message, ==, "no password is kept");
  g_assert_null (last_request (world)->authorization);
}

/* Whoever leaves may have none any more. */
static void
test_taken_away_before_leaving (World *world, gconstpointer data)
{
  g_autofree char *bindings = NULL;

  open_well (world);
  g_clear_pointer (&world->password, g_free);
  world->password_version = 0;
  sip_peer_set_scenario (world->peer, data);
  close_and_wait (world);
  g_assert_no_error (world->error);
  bindings = sip_peer_dup_bindings (world->peer);
  g_assert_cmpstr (bindings, ==, "");
}

/* other requests */

typedef struct {
  World *world;
  guint n_published; /* requests */
  guint n_without;   /* those that carried no answer */
  gboolean done;
  GError *error;
} Presence;

static void
on_other (SipPeer *peer, const char *text, GSocketAddress *from, gpointer user_data)
{
  Presence *presence = user_data;

  presence->n_published++;
  if (strstr (text, "\r\nAuthorization: ") == NULL) {
    presence->n_without++;
    sip_peer_answer (peer, text, from, "401 Unauthorized",
                     "WWW-Authenticate: Digest realm=\"cms.realm\", nonce=\"x\", algorithm=MD5, "
                     "qop=\"auth\"\r\n");
    return;
  }
  sip_peer_answer (peer, text, from, "200 OK", "SIP-ETag: 1\r\nExpires: 600\r\n");
}

static void
on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Presence *presence = user_data;

  presence->done = TRUE;
  muster_publisher_publish_finish (MUSTER_PUBLISHER (source), result, &presence->error);
}

static void
publish (Presence *presence)
{
  presence->done = FALSE;
  muster_publisher_publish_async (MUSTER_PUBLISHER (presence->world->registration),
                                  MUSTER_PRESENCE_AVAILABLE, NULL, NULL, on_published, presence);
  g_assert_false (presence->done);
  while (!presence->done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_no_error (presence->error);
}

static void
test_publish (World *world, gconstpointer data)
{
  Presence presence = { .world = world };

  sip_peer_set_other (world->peer, on_other, &presence);
  open_well (world);
  publish (&presence);
  publish (&presence);
  g_assert_cmpuint (presence.n_published, ==, 2);
  g_assert_cmpuint (world->n_loads, ==, 1);

  set_password (world, "new");
  publish (&presence);
  g_assert_cmpuint (world->n_loads, ==, 2);
  g_assert_cmpuint (presence.n_without, ==, 1); /* what was kept is not tried any more */
  publish (&presence);
  g_assert_cmpuint (world->n_loads, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test, data)                                                                      \
  g_test_add ("/sip/password/" path, World, data, world_set_up, test, world_tear_down)

  ADD ("loaded-once", test_loaded_once, NULL);
  ADD ("stale", test_stale, NULL);
  ADD ("new-realm", test_new_realm, "realm");
  ADD ("new-algorithm", test_new_realm, "sha256");
  ADD ("changed", test_changed, NULL);
  ADD ("changed-and-restarted", test_changed, "restart");
  ADD ("set-again", test_set_again, NULL);
  ADD ("version-not-known", test_version_not_known, NULL);
  ADD ("taken-away", test_taken_away, NULL);
  ADD ("taken-away-before-leaving", test_taken_away_before_leaving, "ok");
  ADD ("taken-away-before-leaving/one-time", test_taken_away_before_leaving, "one-time");
  ADD ("publish", test_publish, NULL);

  return g_test_run ();
}
