/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-fixture.h"

/* Servers that answer as they once did: the transcripts. */

#define TIMER_E_MS 500 /* RFC 3261 section 17.1.2.1: then twice, and twice again */
#define EARLY_MS   50

#define DEVICE    "34020000001320000001"
#define PLATFORM  DEVICE "@3402000000"
#define SERVER_ID "34020000002000000001"

static void
play (World *world, const char *transcript, const char *address)
{
  g_autofree char *file = g_strconcat (TRANSCRIPTS "/", transcript, ".txt", NULL);
  g_autofree char *user = g_strndup (address, strcspn (address, "@"));
  g_autoptr (GError) error = NULL;

  sip_peer_play (world->peer, file, user, &error);
  g_assert_no_error (error);
  stop (world);
  world->address = address;
  start (world);
}

static const SipPeerRequest *
request (World *world, guint index)
{
  return sip_peer_get_request (world->peer, index);
}

/* The digest is right, and its uri is the Request-URI to the letter. */
static void
assert_authorized (const SipPeerRequest *request)
{
  g_autofree char *uri = g_strndup (request->line + strlen ("REGISTER "),
                                    strcspn (request->line + strlen ("REGISTER "), " "));
  g_autofree char *param = g_strdup_printf ("uri=\"%s\"", uri);

  g_assert_true (request->authorized);
  assert_has (request->authorization, param);
}

/* Who looks for Call-ID, tag and contact to tell a refresh from a registration finds what was there. */
static void
assert_same_registration (const SipPeerRequest *before, const SipPeerRequest *after)
{
  g_assert_cmpstr (after->call_id, ==, before->call_id);
  g_assert_cmpstr (after->from, ==, before->from);
  g_assert_cmpint (atoi (after->cseq), ==, atoi (before->cseq) + 1);
}

/* a registrar that asks another system */

static void
register_at_cms (World *world)
{
  play (world, "registrar-with-cms", "gzj@telecom.com");
  set_uint (world, "expires", 3600);
  open_and_wait (world);
  g_assert_no_error (world->error);
}

static void
test_cms_realm (World *world, gconstpointer data)
{
  register_at_cms (world);
  g_assert_null (request (world, 0)->authorization);
  g_assert_cmpstr (request (world, 1)->line, ==, "REGISTER sip:telecom.com SIP/2.0");
  assert_authorized (request (world, 1));
  assert_has (request (world, 1)->authorization, "username=\"gzj\"");
  assert_has (request (world, 1)->authorization, "realm=\"kedacom.com\"");
  assert_has (request (world, 1)->authorization, "opaque=\"00000000000000000000000000006334\"");
  assert_has (request (world, 1)->authorization, "qop=auth, nc=00000001");
}

/* The 200 has no Expires, and a contact that nobody registered. */
static void
test_cms_lease (World *world, gconstpointer data)
{
  register_at_cms (world);
  g_assert_cmpuint (world->lease->lease_s, ==, 3600);
  g_assert_cmpstr (world->lease->bindings[0], ==, "sip:gzj@172.16.163.3:7000");
}

/* It sees us at another address than ours: our contact becomes that, and the one before is taken away. */
static void
test_cms_sees_us_elsewhere (World *world, gconstpointer data)
{
  register_at_cms (world);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 3);
  assert_has (request (world, 2)->contact, "@172.16.163.3:7000>");
  assert_has (request (world, 2)->contact, ">;expires=0");
  assert_authorized (request (world, 2));
}

/* Patient: the same request again by Timer E, and nothing else. */
static void
test_cms_slow (World *world, gconstpointer data)
{
  const SipPeerRequest *slow;

  register_at_cms (world);
  slow = request (world, 1);
  g_assert_cmpuint (slow->n_copies, ==, 3);
  for (guint i = 1; i < slow->n_copies; i++)
    g_assert_cmpint ((slow->copies_us[i] - slow->copies_us[i - 1]) / 1000, >=,
                     (TIMER_E_MS << (i - 1)) - EARLY_MS);
  assert_same_registration (request (world, 0), slow);
  for (guint i = 2; i < sip_peer_count_requests (world->peer); i++)
    assert_same_registration (request (world, i - 1), request (world, i));
}

/* The other system is asked once, for a refresh is seen to be one; and the count goes on. */
static void
test_cms_refresh (World *world, gconstpointer data)
{
  const SipPeerRequest *last;

  register_at_cms (world);
  last = last_request (world);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_true (world->lease->refreshed);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 4);
  assert_same_registration (last, request (world, 3));
  assert_authorized (request (world, 3));
  assert_has (request (world, 3)->authorization, "nc=00000003");

  close_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 5);
  g_assert_cmpstr (last_request (world)->expires, ==, "0");
  assert_same_registration (request (world, 3), last_request (world));
  assert_authorized (last_request (world));
  assert_has (last_request (world)->authorization, "nc=00000004");
}

/* one nonce for all time */

static void
test_exosip (World *world, gconstpointer data)
{
  const SipPeerRequest *first;

  play (world, "exosip", "1000@sipserver.example");
  set_uint (world, "expires", 300);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 2);
  g_assert_cmpuint (world->lease->lease_s, ==, 300);
  first = request (world, 1);
  assert_authorized (first);
  g_assert_null (strstr (first->authorization, "qop="));
  g_assert_null (strstr (first->authorization, "nc="));

  for (guint i = 2; i < 5; i++) {
    open_and_wait (world);
    g_assert_no_error (world->error);
    g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, i + 1);
    assert_same_registration (request (world, i - 1), request (world, i));
    g_assert_cmpstr (request (world, i)->contact, ==, first->contact);
    g_assert_cmpstr (request (world, i)->authorization, ==, first->authorization);
  }

  close_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 6);
  assert_same_registration (request (world, 4), request (world, 5));
  g_assert_cmpstr (request (world, 5)->authorization, ==, first->authorization);
  g_assert_cmpstr (request (world, 5)->expires, ==, "0");
}

/* a platform by GB/T 28181 */

static void
test_platform (World *world, gconstpointer data)
{
  play (world, "gb28181", PLATFORM);
  set_string (world, "profile", "gb28181");
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (world->lease->lease_s, ==, 3600);
  g_assert_cmpstr (request (world, 0)->line, ==, "REGISTER sip:3402000000 SIP/2.0");
  g_assert_true (g_str_has_prefix (request (world, 0)->from, "<sip:" PLATFORM ">;tag="));
  g_assert_cmpstr (request (world, 0)->expires, ==, "86400");
  assert_authorized (request (world, 1));
  assert_has (request (world, 1)->authorization, "realm=\"3402000000\"");

  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_true (world->lease->refreshed);
  assert_same_registration (request (world, 1), request (world, 2));

  close_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 5);
  assert_authorized (last_request (world));
  g_assert_cmpstr (last_request (world)->expires, ==, "0");
}

/* The profile is what holds when the account says nothing, and no more. */
static void
test_platform_with_settings (World *world, gconstpointer data)
{
  play (world, "gb28181", PLATFORM);
  set_string (world, "profile", "gb28181");
  set_uint (world, "expires", 120);
  set_string (world, "auth-user", "camera");
  sip_peer_set_scenario (world->peer, "ok");
  open_and_wait (world);
  g_assert_cmpstr (request (world, 0)->expires, ==, "120");
  assert_has (request (world, 1)->authorization, "username=\"camera\"");
}

/* By its own name: a platform that has one does not listen to requests without. */
static void
test_platform_by_name (World *world, gconstpointer data)
{
  play (world, "gb28181", PLATFORM);
  set_string (world, "profile", "gb28181");
  set_string (world, "server-id", SERVER_ID);
  open_and_wait (world);
  g_assert_no_error (world->error);
  g_assert_cmpstr (request (world, 0)->line, ==, "REGISTER sip:" SERVER_ID "@3402000000 SIP/2.0");
  g_assert_true (g_str_has_prefix (request (world, 0)->from, "<sip:" PLATFORM ">;tag="));
  assert_authorized (request (world, 1));
  assert_has (request (world, 1)->authorization, "uri=\"sip:" SERVER_ID "@3402000000\"");
}

/* A number is no host, though resolvers take one for an address: refused before anything is sent. */
static void
test_number_for_a_host (World *world, gconstpointer data)
{
  stop (world);
  world->address = PLATFORM;
  start (world);
  g_hash_table_remove (world->params, "server");
  world->params_version++;
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  assert_has (world->error->message, "server must be named");
}

static void
test_profile_wants_digits (World *world, gconstpointer data)
{
  set_string (world, "profile", "gb28181");
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  assert_has (world->error->message, "20 digits");
  g_assert_cmpuint (sip_peer_count_requests (world->peer), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test)                                                                            \
  g_test_add ("/sip/seeds/" path, World, NULL, world_set_up, test, world_tear_down)

  ADD ("cms/realm", test_cms_realm);
  ADD ("cms/lease", test_cms_lease);
  ADD ("cms/sees-us-elsewhere", test_cms_sees_us_elsewhere);
  ADD ("cms/slow", test_cms_slow);
  ADD ("cms/refresh", test_cms_refresh);
  ADD ("exosip", test_exosip);
  ADD ("platform", test_platform);
  ADD ("platform/by-name", test_platform_by_name);
  ADD ("platform/settings", test_platform_with_settings);
  ADD ("number-for-a-host", test_number_for_a_host);
  ADD ("profile-wants-digits", test_profile_wants_digits);

  return g_test_run ();
}
