/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "refresher-fixture.h"

/* What is sent, what the answers mean, and which contacts the server may have. */

/* the usual way */

static void
test_register_and_refresh (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;
  g_autofree char *from = NULL;
  g_autofree char *contact = NULL;

  begin_register (bench);
  g_assert_null (bench->wire.authorization);
  g_assert_cmpstr (bench->wire.route, ==, "sip:192.0.2.1:5060");
  g_assert_cmpuint (bench->wire.cseq, ==, 1);
  g_assert_cmpuint (bench->wire.expires_s, ==, 600);
  assert_has (bench->wire.from, "\"Al \\\"ice\\\"\" <sip:alice@example.test>;tag=");
  assert_has (bench->wire.contact, "@192.0.2.7:40000>;+sip.instance=\"<urn:uuid:");
  call_id = g_strdup (bench->wire.call_id);
  from = g_strdup (bench->wire.from);
  contact = g_strdup (bench->wire.contact);

  challenge (bench, "n1", ", qop=\"auth\"");
  g_assert_cmpuint (bench->wire.cseq, ==, 2);
  assert_has (bench->wire.authorization, "nc=00000001");
  g_assert_true (is_right_answer (bench->wire.authorization, PASSWORD));
  grant (bench, 300);
  assert_granted (bench, 300);
  g_assert_false (bench->lease->refreshed);
  g_assert_cmpuint (g_strv_length (bench->lease->bindings), ==, 1);
  assert_has (bench->lease->bindings[0], "@192.0.2.7:40000");

  /* one round trip */
  muster_clock_advance_us (200 * G_USEC_PER_SEC);
  begin_register (bench);
  g_assert_cmpuint (bench->wire.n_sent, ==, 3);
  g_assert_cmpuint (bench->wire.cseq, ==, 3);
  assert_has (bench->wire.authorization, "nc=00000002");
  g_assert_true (is_right_answer (bench->wire.authorization, PASSWORD));
  g_assert_cmpstr (bench->wire.call_id, ==, call_id);
  g_assert_cmpstr (bench->wire.from, ==, from);
  g_assert_cmpstr (bench->wire.contact, ==, contact);
  grant (bench, 300);
  assert_granted (bench, 300);
  g_assert_true (bench->lease->refreshed);

  /* after the lease has run out it is no refresh any more */
  muster_clock_advance_us (301 * G_USEC_PER_SEC);
  begin_register (bench);
  grant (bench, 300);
  assert_granted (bench, 300);
  g_assert_false (bench->lease->refreshed);
}

static void
test_unregister (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;
  g_autofree char *instance = NULL;

  get_registered (bench);
  call_id = g_strdup (bench->wire.call_id);
  instance = g_strdup (strstr (bench->wire.contact, "urn:uuid:"));
  g_assert_true (muster_sip_refresher_is_bound (bench->refresher));

  begin_unregister (bench);
  g_assert_cmpuint (bench->wire.expires_s, ==, 0);
  g_assert_cmpuint (bench->wire.cseq, ==, 3);
  assert_has (bench->wire.contact, "@192.0.2.7:40000>;expires=0");
  assert_has (bench->wire.authorization, "nc=00000002");
  challenge (bench, "n2", ", qop=\"auth\"");
  assert_has (bench->wire.authorization, "nonce=\"n2\"");
  assert_has (bench->wire.authorization, "nc=00000001");
  reply (bench, "200 OK", "");
  g_assert_cmpuint (bench->n_done, ==, 1);
  g_assert_no_error (bench->error);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));

  /* a fresh registration of the same device */
  begin_register (bench);
  g_assert_cmpstr (bench->wire.call_id, !=, call_id);
  g_assert_cmpuint (bench->wire.cseq, ==, 1);
  assert_has (bench->wire.contact, instance);
  assert_has (bench->wire.authorization, "nc=00000002");
  grant (bench, 600);
  g_assert_false (bench->lease->refreshed);
}

/* A server that knows us without a password. */
static void
test_no_challenge (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  reply (bench, "200 OK", "");
  assert_granted (bench, 600);
}

/* 423, time, and other answers */

static void
test_interval_too_brief (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  challenge (bench, "n1", ", qop=\"auth\"");
  reply (bench, "423 Interval Too Brief", "Min-Expires: 1800\r\n");
  g_assert_cmpuint (bench->wire.expires_s, ==, 1800);
  assert_has (bench->wire.authorization, "nc=00000002");
  challenge (bench, "n2", ", qop=\"auth\""); /* one-time nonces: not a refusal */
  grant (bench, 1800);
  assert_granted (bench, 1800);

  /* remembered */
  begin_register (bench);
  g_assert_cmpuint (bench->wire.expires_s, ==, 1800);
  reply (bench, "423 Interval Too Brief", "Min-Expires: 3600\r\n");
  g_assert_cmpuint (bench->wire.expires_s, ==, 3600);
  reply (bench, "423 Interval Too Brief", "Min-Expires: 7200\r\n");
  assert_failed (bench, MUSTER_ERROR_PROTOCOL);
}

static void
test_interval_nonsense (Bench *bench, gconstpointer headers)
{
  begin_register (bench);
  reply (bench, "423 Interval Too Brief", headers);
  assert_failed (bench, MUSTER_ERROR_PROTOCOL);
}

static void
test_granted_nothing (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  reply (bench, "200 OK", "Expires: 0\r\n");
  assert_failed (bench, MUSTER_ERROR_PROTOCOL);
}

/* Timer F, and then it goes on: the same registration, with an answer ahead. */
static void
test_unanswered_refresh (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;
  g_autofree char *from = NULL;
  g_autofree char *contact = NULL;
  guint32 cseq;

  get_registered (bench);
  call_id = g_strdup (bench->wire.call_id);
  from = g_strdup (bench->wire.from);
  contact = g_strdup (bench->wire.contact);
  cseq = bench->wire.cseq;
  for (guint i = 0; i < 3; i++) {
    begin_register (bench);
    reply_nothing (bench);
    assert_failed (bench, MUSTER_ERROR_UNREACHABLE);
    g_assert_true (muster_sip_refresher_is_bound (bench->refresher));
  }

  begin_register (bench);
  g_assert_cmpstr (bench->wire.call_id, ==, call_id);
  g_assert_cmpstr (bench->wire.from, ==, from);
  g_assert_cmpstr (bench->wire.contact, ==, contact);
  g_assert_cmpuint (bench->wire.cseq, ==, cseq + 4);
  assert_has (bench->wire.authorization, "nc=00000005");
  grant (bench, 600);
  assert_granted (bench, 600);
  g_assert_true (bench->lease->refreshed);
}

static void
test_busy (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  reply (bench, "503 Service Unavailable", "Retry-After: 42\r\n");
  assert_failed (bench, MUSTER_ERROR_BUSY);
  g_assert_cmpuint (muster_error_get_retry_after_s (bench->error), ==, 42);
}

/* The registrar of 2015: its realm is not the domain, its 200 says neither Expires nor our Contact. */
static void
test_registrar_with_cms (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  reply (bench, "401 Unauthorized",
         "Contact: <sip:gzj@172.16.163.3:7000> \r\n"
         "WWW-Authenticate:  Digest  realm=\"kedacom.example\", \r\n"
         " nonce=\"00000000000000000000000000018467\", \r\n"
         " opaque=\"00000000000000000000000000006334\", qop=\"auth,auth-int\" \r\n");
  assert_has (bench->wire.authorization, "realm=\"kedacom.example\"");
  assert_has (bench->wire.authorization, "uri=\"sip:example.test\"");
  assert_has (bench->wire.authorization, "opaque=\"00000000000000000000000000006334\"");
  assert_has (bench->wire.authorization, "qop=auth,");
  g_assert_true (is_right_answer (bench->wire.authorization, PASSWORD));
  reply (bench, "200 OK",
         "Contact: <sip:gzj@172.16.163.3:7000> \r\nUser-Agent: TELECOM ncsip/1.0\r\n");
  assert_granted (bench, 600);
  g_assert_cmpstr (bench->lease->bindings[0], ==, "sip:gzj@172.16.163.3:7000");
}

/* what a 2xx says beside the lease */

static void
assert_addresses (Bench *bench, const char *service_route, const char *associated_uris)
{
  const char *const *route = muster_sip_refresher_get_service_route (bench->refresher);
  const char *const *uris = muster_sip_refresher_get_associated_uris (bench->refresher);
  g_autofree char *got_route = route != NULL ? g_strjoinv (" ", (GStrv) route) : NULL;
  g_autofree char *got_uris = uris != NULL ? g_strjoinv (" ", (GStrv) uris) : NULL;

  g_assert_cmpstr (got_route, ==, service_route);
  g_assert_cmpstr (got_uris, ==, associated_uris);
}

/* The answers to one register after the other, and what we have then. */
static const struct {
  const char *status;
  const char *headers;
  const char *service_route;
  const char *associated_uris;
} route_steps[] = {
  { "200 OK",
    "Service-Route: <sip:a.test;lr>, <sip:b.test;lr>\r\nP-Associated-URI: <sip:c@d.test>\r\n",
    "<sip:a.test;lr> <sip:b.test;lr>", "sip:c@d.test" },
  { "200 OK", "Service-Route: <sip:e.test;lr>\r\n", "<sip:e.test;lr>", NULL },
  /* no 2xx, no change */
  { "500 Server Error", "Service-Route: <sip:f.test;lr>\r\n", "<sip:e.test;lr>", NULL },
  { "200 OK", "Service-Route: <sip:g.test;lr>\r\nExpires: 0\r\n", "<sip:e.test;lr>", NULL },
  { "200 OK", "P-Associated-URI: <tel:+15550100>\r\n", NULL, "tel:+15550100" },
  { "200 OK", "", NULL, NULL },
  { "200 OK", "Service-Route: <sip:a.test;lr>\r\nP-Associated-URI: <sip:c@d.test>\r\n",
    "<sip:a.test;lr>", "sip:c@d.test" },
};

static void
test_service_route (Bench *bench, gconstpointer data)
{
  assert_addresses (bench, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (route_steps); i++) {
    begin_register (bench);
    reply (bench, route_steps[i].status, route_steps[i].headers);
    g_assert_cmpuint (bench->n_done, ==, 1);
    assert_addresses (bench, route_steps[i].service_route, route_steps[i].associated_uris);
  }

  /* who is not registered has no route */
  begin_unregister (bench);
  reply (bench, "200 OK", "Service-Route: <sip:a.test;lr>\r\n");
  assert_addresses (bench, NULL, NULL);
}

/* contacts: never two bindings */

static void
test_address_change_swaps (Bench *bench, gconstpointer data)
{
  get_registered (bench);
  move_to (bench, "198.51.100.9", 40001);
  begin_register (bench);
  assert_has (bench->wire.contact, "@198.51.100.9:40001>;+sip.instance");
  assert_has (bench->wire.contact, "@192.0.2.7:40000>;expires=0");
  reply (bench, "200 OK", "Expires: 600\r\n");
  assert_granted (bench, 600);
  g_assert_false (bench->lease->refreshed);

  begin_register (bench);
  assert_has_not (bench->wire.contact, "192.0.2.7");
  reply (bench, "200 OK", "Expires: 600\r\n");
  g_assert_true (bench->lease->refreshed);
}

/* An old contact whose time is over need not be named. */
static void
test_expired_contact_is_forgotten (Bench *bench, gconstpointer data)
{
  get_registered (bench);
  muster_clock_advance_us (601 * G_USEC_PER_SEC);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
  move_to (bench, "198.51.100.9", 40001);
  begin_register (bench);
  assert_has_not (bench->wire.contact, "192.0.2.7");
  grant (bench, 600);
}

/* A day in microseconds does not fit into 32 bits. */
static void
test_long_lease (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  grant (bench, 86400);
  assert_granted (bench, 86400);
  muster_clock_advance_us (86399 * (gint64) G_USEC_PER_SEC);
  g_assert_true (muster_sip_refresher_is_bound (bench->refresher));
  muster_clock_advance_us (1 * G_USEC_PER_SEC);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
}

/* Two moves, and the first one's answer never came: the server may have either. */
static void
test_unanswered_contacts_are_taken_away (Bench *bench, gconstpointer data)
{
  get_registered (bench);
  move_to (bench, "198.51.100.9", 40001);
  begin_register (bench);
  reply_nothing (bench);
  assert_failed (bench, MUSTER_ERROR_UNREACHABLE);

  move_to (bench, "203.0.113.5", 40002);
  begin_register (bench);
  assert_has (bench->wire.contact, "@203.0.113.5:40002>;+sip.instance");
  assert_has (bench->wire.contact, "@198.51.100.9:40001>;expires=0");
  assert_has (bench->wire.contact, "@192.0.2.7:40000>;expires=0");
  reply (bench, "200 OK", "Expires: 600\r\n");
  assert_granted (bench, 600);
}

/* A refusal means that this contact is not there; the one before still is. */
static void
test_refused_contact_is_not_bound (Bench *bench, gconstpointer data)
{
  get_registered (bench);
  move_to (bench, "198.51.100.9", 40001);
  begin_register (bench);
  reply (bench, "500 Server Error", "");
  assert_failed (bench, MUSTER_ERROR_UNREACHABLE);

  begin_unregister (bench);
  assert_has (bench->wire.contact, "@192.0.2.7:40000>;expires=0");
  assert_has_not (bench->wire.contact, "198.51.100.9");
  reply (bench, "200 OK", "");
}

static void
test_cancel (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  muster_sip_refresher_cancel (bench->refresher);
  g_assert_cmpuint (bench->wire.n_dropped, ==, 1);
  g_assert_cmpuint (bench->n_done, ==, 0);
  /* it may have arrived */
  g_assert_true (muster_sip_refresher_is_bound (bench->refresher));

  begin_unregister (bench);
  g_assert_cmpuint (bench->wire.cseq, ==, 2);
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);
}

/* Somebody else has told that the server dropped it. */
static void
test_doubted_binding (Bench *bench, gconstpointer data)
{
  MusterSipOwnBinding binding;

  g_assert_false (muster_sip_refresher_get_binding (bench->refresher, &binding));
  get_registered (bench);
  g_assert_true (muster_sip_refresher_get_binding (bench->refresher, &binding));
  assert_has (bench->wire.contact, binding.uri);
  g_assert_cmpstr (binding.token, ==, muster_sip_refresher_get_token (bench->refresher));

  muster_sip_refresher_doubt_bindings (bench->refresher);
  g_assert_false (muster_sip_refresher_get_binding (bench->refresher, &binding));
  g_assert_true (muster_sip_refresher_is_bound (bench->refresher)); /* it may still be there */
  begin_register (bench);
  grant (bench, 600);
  g_assert_false (bench->lease->refreshed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, data, test) g_test_add (path, Bench, data, bench_set_up, test, bench_tear_down)

  ADD ("/sip/refresher/register-and-refresh", NULL, test_register_and_refresh);
  ADD ("/sip/refresher/unregister", NULL, test_unregister);
  ADD ("/sip/refresher/no-challenge", NULL, test_no_challenge);
  ADD ("/sip/refresher/interval-too-brief", NULL, test_interval_too_brief);
  ADD ("/sip/refresher/interval-missing", "", test_interval_nonsense);
  ADD ("/sip/refresher/interval-shorter", "Min-Expires: 60\r\n", test_interval_nonsense);
  ADD ("/sip/refresher/interval-endless", "Min-Expires: 99999999\r\n", test_interval_nonsense);
  ADD ("/sip/refresher/granted-nothing", NULL, test_granted_nothing);
  ADD ("/sip/refresher/doubted-binding", NULL, test_doubted_binding);
  ADD ("/sip/refresher/unanswered-refresh", NULL, test_unanswered_refresh);
  ADD ("/sip/refresher/busy", NULL, test_busy);
  ADD ("/sip/refresher/registrar-with-cms", NULL, test_registrar_with_cms);
  ADD ("/sip/refresher/service-route", NULL, test_service_route);
  ADD ("/sip/refresher/address-change", NULL, test_address_change_swaps);
  ADD ("/sip/refresher/expired-contact", NULL, test_expired_contact_is_forgotten);
  ADD ("/sip/refresher/long-lease", NULL, test_long_lease);
  ADD ("/sip/refresher/unanswered-contacts", NULL, test_unanswered_contacts_are_taken_away);
  ADD ("/sip/refresher/refused-contact", NULL, test_refused_contact_is_not_bound);
  ADD ("/sip/refresher/cancel", NULL, test_cancel);

  return g_test_run ();
}
