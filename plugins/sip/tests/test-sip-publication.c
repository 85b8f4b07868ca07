/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-hub-private.h"
#include "muster-sip-publication.h"

#include <string.h>

/* Which PUBLISH follows on what, on a clock that stands still. */

#define START_US (1000 * G_USEC_PER_SEC)
#define WALL_US  (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC)

typedef struct {
  MusterSipConfig *config;
  MusterSipEntity entity;
  MusterSipPublication *publication;
  MusterSipRequest *request;
} Bench;

static void
set_up (Bench *bench, gconstpointer data)
{
  muster_clock_use_virtual (START_US, WALL_US);
  bench->config = muster_sip_config_new (&(MusterSipSettings){ .address = "alice@example.test",
                                                               .expires_s = 600 },
                                         NULL);
  bench->publication = muster_sip_publication_new (&bench->entity, "0123456789abcdef");
}

static void
tear_down (Bench *bench, gconstpointer data)
{
  muster_sip_request_free (bench->request);
  muster_sip_publication_free (bench->publication);
  muster_sip_entity_clear (&bench->entity);
  muster_sip_config_unref (bench->config);
}

static const MusterSipRequest *
build (Bench *bench)
{
  static const char *const service_route[] = { "<sip:edge.example.test;lr>", NULL };

  muster_sip_request_free (bench->request);
  bench->request = muster_sip_publication_build (bench->publication, bench->config, service_route);
  return bench->request;
}

/* The server takes it. */
static MusterLease *
take (Bench *bench, const char *etag, gint64 expires_s, GError **error)
{
  g_autoptr (MusterSipResponse) response = muster_sip_response_new (200, "OK");

  response->etag = g_strdup (etag);
  response->expires_s = expires_s;
  return muster_sip_publication_take (bench->publication, response, error);
}

static gboolean
overcome (Bench *bench, guint status, gint64 min_expires_s)
{
  g_autoptr (MusterSipResponse) response = muster_sip_response_new (status, "No");

  response->min_expires_s = min_expires_s;
  return muster_sip_publication_overcome (bench->publication, response);
}

static void
publish (Bench *bench, MusterPresence presence, const char *text, const char *etag)
{
  g_autoptr (MusterLease) lease = NULL;

  muster_sip_publication_set (bench->publication, presence, text);
  build (bench);
  lease = take (bench, etag, 3600, NULL);
  g_assert_nonnull (lease);
}

static void
test_first (Bench *bench, gconstpointer data)
{
  const MusterSipRequest *request;
  g_autoptr (MusterLease) lease = NULL;

  muster_sip_publication_set (bench->publication, MUSTER_PRESENCE_DND, "in <talks>");
  request = build (bench);
  g_assert_cmpstr (request->method, ==, "PUBLISH");
  g_assert_cmpstr (request->request_uri, ==, "sip:alice@example.test");
  g_assert_cmpstr (request->event, ==, "presence");
  g_assert_cmpstr (request->route[0], ==, "<sip:edge.example.test;lr>");
  g_assert_null (request->if_match);
  g_assert_cmpint (request->expires_s, ==, 3600);
  g_assert_cmpstr (request->content_type, ==, "application/pidf+xml");
  g_assert_nonnull (strstr (request->body, "sip:alice@example.test"));
  g_assert_nonnull (strstr (request->body, "in &lt;talks&gt;"));

  lease = take (bench, "e1", 1800, NULL);
  g_assert_cmpuint (lease->lease_s, ==, 1800);
  g_assert_cmpstr (bench->entity.etag, ==, "e1");
  g_assert_cmpint (bench->entity.until_us, ==, START_US + (gint64) 1800 * G_USEC_PER_SEC);
}

/* Extending says nothing again (RFC 3903 section 4.1); a change does, and in the place of the old. */
static void
test_extended_and_changed (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;
  const MusterSipRequest *request;

  publish (bench, MUSTER_PRESENCE_AVAILABLE, NULL, "e1");
  call_id = g_strdup (bench->request->call_id);
  muster_sip_publication_set (bench->publication, MUSTER_PRESENCE_AVAILABLE, NULL);
  request = build (bench);
  g_assert_cmpstr (request->if_match, ==, "e1");
  g_assert_null (request->body);
  g_assert_null (request->content_type);
  g_assert_cmpstr (request->call_id, ==, call_id);
  g_assert_cmpuint (request->cseq, ==, 2);
  muster_lease_free (take (bench, "e2", 3600, NULL));

  muster_sip_publication_set (bench->publication, MUSTER_PRESENCE_AWAY, NULL);
  request = build (bench);
  g_assert_cmpstr (request->if_match, ==, "e2");
  g_assert_nonnull (request->body);
}

static void
test_taken_back (Bench *bench, gconstpointer data)
{
  const MusterSipRequest *request;
  g_autoptr (GError) error = NULL;

  publish (bench, MUSTER_PRESENCE_AVAILABLE, NULL, "e1");
  g_assert_true (muster_sip_publication_is_there (bench->publication));
  muster_sip_publication_set (bench->publication, MUSTER_PRESENCE_OFFLINE, NULL);
  request = build (bench);
  g_assert_cmpstr (request->if_match, ==, "e1");
  g_assert_cmpint (request->expires_s, ==, 0);
  g_assert_null (request->body);
  g_assert_null (take (bench, "e2", 0, &error));
  g_assert_no_error (error);
  g_assert_false (muster_sip_publication_is_there (bench->publication));
}

/* 412: the server was restarted. Then it gets all of it, as if it was the first. */
static void
test_forgotten (Bench *bench, gconstpointer data)
{
  const MusterSipRequest *request;

  publish (bench, MUSTER_PRESENCE_AVAILABLE, NULL, "e1");
  build (bench);
  g_assert_true (overcome (bench, 412, -1));
  request = build (bench);
  g_assert_null (request->if_match);
  g_assert_nonnull (request->body);
  g_assert_false (overcome (bench, 412, -1)); /* to one that names none it makes no sense */

  publish (bench, MUSTER_PRESENCE_AVAILABLE, NULL, "e2");
  muster_sip_publication_set (bench->publication, MUSTER_PRESENCE_OFFLINE, NULL);
  build (bench);
  g_assert_false (overcome (bench, 412, -1)); /* what was to be taken back is not there */
  g_assert_false (muster_sip_publication_is_there (bench->publication));
}

static void
test_too_brief (Bench *bench, gconstpointer data)
{
  muster_sip_publication_set (bench->publication, MUSTER_PRESENCE_AVAILABLE, NULL);
  build (bench);
  g_assert_true (overcome (bench, 423, 7200));
  build (bench);
  g_assert_cmpint (bench->request->expires_s, ==, 7200);
  g_assert_false (overcome (bench, 423, 7200));
  g_assert_false (overcome (bench, 423, 1 << 30));
  g_assert_false (overcome (bench, 403, -1));
}

/* What an earlier run published is replaced, and not left beside ours; nobody knows what it said. */
static void
test_of_an_earlier_run (Bench *bench, gconstpointer data)
{
  const MusterSipRequest *request;

  bench->entity.etag = g_strdup ("old");
  bench->entity.until_us = START_US + 60 * G_USEC_PER_SEC;
  muster_sip_publication_set (bench->publication, MUSTER_PRESENCE_AVAILABLE, NULL);
  request = build (bench);
  g_assert_cmpstr (request->if_match, ==, "old");
  g_assert_nonnull (request->body);

  muster_clock_advance_us (61 * G_USEC_PER_SEC);
  request = build (bench);
  g_assert_null (request->if_match);
}

static void
test_kept_for_no_time (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  muster_sip_publication_set (bench->publication, MUSTER_PRESENCE_AVAILABLE, NULL);
  build (bench);
  g_assert_null (take (bench, "e1", 0, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  g_clear_error (&error);
  g_assert_null (take (bench, NULL, 3600, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test) g_test_add ("/sip-publication/" path, Bench, NULL, set_up, test, tear_down)
  ADD ("first", test_first);
  ADD ("extended-and-changed", test_extended_and_changed);
  ADD ("taken-back", test_taken_back);
  ADD ("forgotten", test_forgotten);
  ADD ("too-brief", test_too_brief);
  ADD ("of-an-earlier-run", test_of_an_earlier_run);
  ADD ("kept-for-no-time", test_kept_for_no_time);

  return g_test_run ();
}
