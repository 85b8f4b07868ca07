/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-exchange.h"
#include "muster-sip-wire.h"

#include <string.h>

/* One request of an account on a transport that is a variable: each test plays the server. What REGISTER
 * makes of it is in test-sip-refresher.c. */

#define PASSWORD "se:cret"
#define BODY     "<presence/>"

typedef struct {
  MusterSipTransport transport; /* first */
  MusterSipExchange exchange;
  MusterSipCredentials registrar;
  MusterSipCredentials proxy;
  MusterSecret *password;

  MusterSipAnswerFunc func; /* NULL: nothing is under way */
  gpointer user_data;
  guint n_sent;
  char *authorization;
  char *text; /* the last request */

  guint n_needed; /* how often the password was asked for */
  guint n_heard;
  guint n_overcome; /* how many answers are overcome */
  guint n_done;
  guint status; /* of the last done; 0: no answer */
  GError *error;
} Bench;

static MusterSipTransaction *
bench_send (MusterSipTransport *transport,
            const char *route,
            const MusterSipRequest *request,
            MusterSipAnswerFunc func,
            gpointer user_data)
{
  Bench *bench = (Bench *) transport;
  g_autoptr (GBytes) bytes = NULL;

  g_assert_null (bench->func);
  g_assert_cmpstr (route, ==, "sip:192.0.2.1:5060");
  bench->func = func;
  bench->user_data = user_data;
  bench->n_sent++;
  g_free (bench->authorization);
  bench->authorization = g_strdup (request->authorization);
  bytes = muster_sip_wire_build_request (request,
                                         "SIP/2.0/TCP 192.0.2.7:40000;branch=z9hG4bK1;rport");
  g_assert_nonnull (bytes);
  g_free (bench->text);
  bench->text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return (MusterSipTransaction *) bench;
}

static void
bench_drop (MusterSipTransport *transport, MusterSipTransaction *transaction)
{
  ((Bench *) transport)->func = NULL;
}

static const MusterSipTransportVtable bench_vtable = { bench_send, bench_drop };

static MusterSipRequest *
on_build (gpointer owner)
{
  Bench *bench = owner;
  MusterSipRequest *request = muster_sip_request_new ("PUBLISH", "sip:alice@example.test");

  request->route = g_strsplit ("<sip:p1.example.test;lr> <sip:p2.example.test;lr>", " ", 0);
  request->from = g_strdup ("<sip:alice@example.test>;tag=1");
  request->to = g_strdup ("<sip:alice@example.test>");
  request->call_id = g_strdup ("call-1");
  request->cseq = bench->n_sent + 1;
  request->event = "presence";
  request->if_match = g_strdup ("etag-1");
  request->expires_s = 600;
  request->content_type = "application/pidf+xml";
  request->body = g_strdup (BODY);
  return request;
}

static void
on_heard (gpointer owner, const MusterSipResponse *response)
{
  ((Bench *) owner)->n_heard++;
}

static gboolean
on_overcome (gpointer owner, const MusterSipResponse *response)
{
  Bench *bench = owner;

  return bench->n_overcome > 0 && bench->n_overcome-- > 0;
}

static void
on_done (gpointer owner, const MusterSipResponse *response, const GError *error)
{
  Bench *bench = owner;

  bench->n_done++;
  bench->status = response != NULL ? response->status : 0;
  g_clear_error (&bench->error);
  bench->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
on_need_password (gpointer owner)
{
  ((Bench *) owner)->n_needed++;
}

static const MusterSipExchangeFuncs funcs = {
  on_build, on_heard, on_overcome, on_done, on_need_password,
};

static void
set_up (Bench *bench, gconstpointer data)
{
  bench->transport.vtable = &bench_vtable;
  bench->password = muster_secret_new (PASSWORD, strlen (PASSWORD));
  muster_sip_exchange_init (&bench->exchange, &funcs, bench);
}

static void
tear_down (Bench *bench, gconstpointer data)
{
  muster_sip_exchange_cancel (&bench->exchange);
  g_assert_null (bench->func);
  muster_sip_credentials_clear (&bench->registrar);
  muster_sip_credentials_clear (&bench->proxy);
  g_clear_pointer (&bench->password, muster_secret_unref);
  g_free (bench->authorization);
  g_free (bench->text);
  g_clear_error (&bench->error);
}

static void
begin (Bench *bench)
{
  MusterSipAsker asker = { .transport = &bench->transport, .route = "sip:192.0.2.1:5060" };
  char auth_user[] = "alice";

  asker.registrar = &bench->registrar;
  asker.proxy = &bench->proxy;
  asker.auth_user = auth_user;
  asker.password = bench->password;
  asker.may_ask = bench->password == NULL;
  muster_sip_exchange_begin (&bench->exchange, &asker);
  memset (auth_user, 'x', strlen (auth_user)); /* the configuration may change under way */
  g_assert_true (muster_sip_exchange_is_under_way (&bench->exchange));
}

static void
reply (Bench *bench, const char *status, const char *headers)
{
  MusterSipAnswerFunc func = g_steal_pointer (&bench->func);
  g_autoptr (MusterSipResponse) response = NULL;
  g_autofree char *text = NULL;

  g_assert_nonnull (func);
  text = g_strdup_printf ("SIP/2.0 %s\r\n"
                          "Via: SIP/2.0/TCP 192.0.2.7:40000;branch=z9hG4bK1\r\n"
                          "From: <sip:alice@example.test>;tag=1\r\n"
                          "To: <sip:alice@example.test>;tag=their-tag\r\n"
                          "Call-ID: call-1\r\nCSeq: 1 PUBLISH\r\n%sContent-Length: 0\r\n\r\n",
                          status, headers);
  response = muster_sip_wire_parse_response (text, strlen (text));
  g_assert_nonnull (response);
  func (response, NULL, bench->user_data);
}

/* What Sofia reads, and what it writes. */
static void
test_headers (Bench *bench, gconstpointer data)
{
  static const char *const lines[] = {
    "PUBLISH sip:alice@example.test SIP/2.0\r\n",
    "\r\nEvent: presence\r\n",
    "\r\nSIP-If-Match: etag-1\r\n",
    "\r\nExpires: 600\r\n",
    "\r\nContent-Type: application/pidf+xml\r\n",
    "\r\nContent-Length: 11\r\n",
    "\r\n\r\n" BODY,
  };
  const char *first;
  const char *second;

  begin (bench);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    if (strstr (bench->text, lines[i]) == NULL)
      g_error ("\"%s\" is not in \"%s\"", lines[i], bench->text);
  }
  g_assert_null (strstr (bench->text, "\r\nContact:"));
  first = strstr (bench->text, "<sip:p1.example.test;lr>");
  second = strstr (bench->text, "<sip:p2.example.test;lr>");
  g_assert_true (first != NULL && second != NULL && first < second);
  reply (bench, "200 OK", "");
  g_assert_cmpuint (bench->n_done, ==, 1);
  g_assert_no_error (bench->error);
}

static void
test_response_headers (Bench *bench, gconstpointer data)
{
  static const char text[] = "SIP/2.0 200 OK\r\n"
                             "Via: SIP/2.0/TCP 192.0.2.7:40000;branch=z9hG4bK1\r\n"
                             "Record-Route: <sip:p2.example.test;lr>, <sip:p1.example.test;lr>\r\n"
                             "From: <sip:alice@example.test>;tag=1\r\n"
                             "To: <sip:alice@example.test>;tag=their-tag\r\n"
                             "Call-ID: call-1\r\nCSeq: 1 PUBLISH\r\n"
                             "SIP-ETag: etag-2\r\nContent-Length: 0\r\n\r\n";
  g_autoptr (MusterSipResponse) response = muster_sip_wire_parse_response (text, sizeof text - 1);

  g_assert_nonnull (response);
  g_assert_cmpstr (response->etag, ==, "etag-2");
  g_assert_cmpstr (response->to_tag, ==, "their-tag");
  g_assert_cmpuint (g_strv_length (response->record_route), ==, 2);
  g_assert_cmpstr (response->record_route[0], ==, "<sip:p2.example.test;lr>");
  g_assert_cmpstr (response->record_route[1], ==, "<sip:p1.example.test;lr>");
}

/* With auth-int the body is part of the sum (RFC 7616 section 3.4.3). */
static void
test_body_is_hashed (Bench *bench, gconstpointer data)
{
  g_autofree char *a1 = g_compute_checksum_for_string (G_CHECKSUM_MD5, "alice:pres:" PASSWORD, -1);
  g_autofree char *body = g_compute_checksum_for_string (G_CHECKSUM_MD5, BODY, -1);
  g_autofree char *a2_text = g_strconcat ("PUBLISH:sip:alice@example.test:", body, NULL);
  g_autofree char *a2 = g_compute_checksum_for_string (G_CHECKSUM_MD5, a2_text, -1);
  g_autofree char *sum_text = NULL;
  g_autofree char *sum = NULL;
  g_autofree char *expected = NULL;

  begin (bench);
  g_assert_null (bench->authorization);
  reply (bench, "401 Unauthorized",
         "WWW-Authenticate: Digest realm=\"pres\", nonce=\"n\", qop=\"auth-int\"\r\n");
  g_assert_cmpuint (bench->n_sent, ==, 2);
  sum_text = g_strconcat (a1, ":n:00000001:", bench->registrar.cnonce, ":auth-int:", a2, NULL);
  sum = g_compute_checksum_for_string (G_CHECKSUM_MD5, sum_text, -1);
  expected = g_strdup_printf ("response=\"%s\"", sum);
  g_assert_nonnull (strstr (bench->authorization, expected));
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);
  g_assert_cmpuint (bench->n_heard, ==, 2);
}

/* Another service than the registrar may forbid what the credentials are not to blame for. */
static void
test_forbidden_is_not_refused (Bench *bench, gconstpointer data)
{
  begin (bench);
  reply (bench, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"pres\", nonce=\"n\"\r\n");
  reply (bench, "403 Forbidden", "");
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN);
  g_assert_true (muster_sip_credentials_is_set (&bench->registrar));
  g_assert_cmpuint (bench->status, ==, 403);
}

static void
test_refused_once (Bench *bench, gconstpointer data)
{
  begin (bench);
  reply (bench, "407 Proxy Authentication Required",
         "Proxy-Authenticate: Digest realm=\"pres\", nonce=\"n\"\r\n");
  reply (bench, "407 Proxy Authentication Required",
         "Proxy-Authenticate: Digest realm=\"pres\", nonce=\"m\"\r\n");
  g_assert_cmpuint (bench->n_sent, ==, 2);
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
}

/* without the password at hand */

#define CHALLENGE "WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\"%s\r\n"

static void
challenge (Bench *bench, const char *realm, const char *nonce, const char *more)
{
  g_autofree char *header = g_strdup_printf (CHALLENGE, realm, nonce, more);

  reply (bench, "401 Unauthorized", header);
}

static void
give (Bench *bench, const char *password)
{
  g_autoptr (MusterSecret) secret = muster_secret_new (password, strlen (password));

  muster_sip_exchange_take_password (&bench->exchange, secret, NULL);
}

static void
assert_answered (Bench *bench, const char *realm, const char *nonce, const char *password)
{
  g_autofree char *a1_text = g_strjoin (":", "alice", realm, password, NULL);
  g_autofree char *a1 = g_compute_checksum_for_string (G_CHECKSUM_MD5, a1_text, -1);
  g_autofree char *a2 = g_compute_checksum_for_string (G_CHECKSUM_MD5,
                                                       "PUBLISH:sip:alice@example.test", -1);
  g_autofree char *sum_text = g_strjoin (":", a1, nonce, a2, NULL);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_MD5, sum_text, -1);
  g_autofree char *expected = g_strdup_printf ("response=\"%s\"", sum);

  g_assert_nonnull (bench->authorization);
  g_assert_nonnull (strstr (bench->authorization, expected));
}

/* The realm "pres" is known, by the password. */
static void
begin_knowing (Bench *bench, const char *password)
{
  g_clear_pointer (&bench->password, muster_secret_unref);
  begin (bench);
  g_assert_null (bench->authorization);
  challenge (bench, "pres", "n", "");
  g_assert_cmpuint (bench->n_needed, ==, 1);
  g_assert_cmpuint (bench->n_sent, ==, 1);
  g_assert_true (muster_sip_exchange_is_under_way (&bench->exchange));
  give (bench, password);
  assert_answered (bench, "pres", "n", password);
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);
  begin (bench);
  assert_answered (bench, "pres", "n", password);
}

static void
test_known_realm (Bench *bench, gconstpointer data)
{
  begin_knowing (bench, PASSWORD);
  challenge (bench, "pres", "m", ", stale=true");
  assert_answered (bench, "pres", "m", PASSWORD);
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);
  g_assert_cmpuint (bench->n_needed, ==, 1);
}

static void
test_another_realm (Bench *bench, gconstpointer data)
{
  begin_knowing (bench, PASSWORD);
  challenge (bench, "other", "m", ", stale=true");
  g_assert_cmpuint (bench->n_needed, ==, 2);
  give (bench, PASSWORD);
  assert_answered (bench, "other", "m", PASSWORD);
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);
}

static void
test_another_algorithm (Bench *bench, gconstpointer data)
{
  begin_knowing (bench, PASSWORD);
  challenge (bench, "pres", "m", ", algorithm=SHA-256, stale=true");
  g_assert_cmpuint (bench->n_needed, ==, 2);
  give (bench, PASSWORD);
  g_assert_nonnull (strstr (bench->authorization, "algorithm=SHA-256"));
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);
}

/* Sent ahead, it may be the nonce that is refused: the password is tried once more, and not again. */
static void
test_refused_ahead (Bench *bench, gconstpointer data)
{
  begin_knowing (bench, data);
  challenge (bench, "pres", "m", "");
  g_assert_cmpuint (bench->n_needed, ==, 2);
  give (bench, PASSWORD);
  assert_answered (bench, "pres", "m", PASSWORD);
  challenge (bench, "pres", "o", "");
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpuint (bench->n_needed, ==, 2);
  g_assert_cmpuint (bench->n_sent, ==, 4);
}

/* What was kept has answered a fresh nonce: only another password may be tried then. */
static void
test_refused_though_fresh (Bench *bench, gconstpointer data)
{
  begin_knowing (bench, data);
  challenge (bench, "pres", "m", ", stale=true");
  assert_answered (bench, "pres", "m", data);
  challenge (bench, "pres", "o", "");
  g_assert_cmpuint (bench->n_needed, ==, 2);
  g_assert_cmpuint (bench->n_sent, ==, 4);
  give (bench, PASSWORD);
  if (g_str_equal (data, PASSWORD)) {
    g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
    g_assert_cmpuint (bench->n_sent, ==, 4);
    return;
  }
  assert_answered (bench, "pres", "o", PASSWORD);
  challenge (bench, "pres", "p", "");
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpuint (bench->n_sent, ==, 5);
}

static void
test_no_password (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) gone = muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET, "gone");

  /* what is kept must do */
  begin_knowing (bench, PASSWORD);
  challenge (bench, "pres", "m", "");
  muster_sip_exchange_take_password (&bench->exchange, NULL, gone);
  assert_answered (bench, "pres", "m", PASSWORD);
  reply (bench, "200 OK", "");
  g_assert_no_error (bench->error);

  /* it does not */
  begin (bench);
  challenge (bench, "other", "n", "");
  muster_sip_exchange_take_password (&bench->exchange, NULL, gone);
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpstr (bench->error->message, ==, "gone");
  g_assert_cmpuint (bench->n_done, ==, 3);
}

static void
test_password_cannot_be_loaded (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) locked = muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_SECRET, "locked");

  begin_knowing (bench, PASSWORD);
  challenge (bench, "pres", "m", "");
  muster_sip_exchange_take_password (&bench->exchange, NULL, locked);
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_cmpuint (bench->n_sent, ==, 3);
  g_assert_false (muster_sip_exchange_is_under_way (&bench->exchange));
}

static void
test_cancelled_while_waiting (Bench *bench, gconstpointer data)
{
  begin_knowing (bench, PASSWORD);
  challenge (bench, "other", "m", "");
  muster_sip_exchange_cancel (&bench->exchange);
  g_assert_false (muster_sip_exchange_is_under_way (&bench->exchange));
  g_assert_cmpuint (bench->n_done, ==, 1);
}

static void
test_overcome (Bench *bench, gconstpointer data)
{
  bench->n_overcome = 1;
  begin (bench);
  reply (bench, "412 Conditional Request Failed", "");
  g_assert_cmpuint (bench->n_done, ==, 0);
  g_assert_cmpuint (bench->n_sent, ==, 2);
  reply (bench, "412 Conditional Request Failed", "");
  g_assert_cmpuint (bench->n_done, ==, 1);
  g_assert_cmpuint (bench->status, ==, 412);
  g_assert_false (muster_sip_exchange_is_under_way (&bench->exchange));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD_WITH(path, test, data)                                                                 \
  g_test_add ("/sip-exchange/" path, Bench, data, set_up, test, tear_down)
#define ADD(path, test) ADD_WITH (path, test, NULL)
  ADD ("headers", test_headers);
  ADD ("response-headers", test_response_headers);
  ADD ("body-is-hashed", test_body_is_hashed);
  ADD ("forbidden-is-not-refused", test_forbidden_is_not_refused);
  ADD ("refused-once", test_refused_once);
  ADD ("known-realm", test_known_realm);
  ADD ("another-realm", test_another_realm);
  ADD ("another-algorithm", test_another_algorithm);
  ADD_WITH ("refused-ahead/same", test_refused_ahead, PASSWORD);
  ADD_WITH ("refused-ahead/changed", test_refused_ahead, "old");
  ADD_WITH ("refused-though-fresh/same", test_refused_though_fresh, PASSWORD);
  ADD_WITH ("refused-though-fresh/changed", test_refused_though_fresh, "old");
  ADD ("no-password", test_no_password);
  ADD ("password-cannot-be-loaded", test_password_cannot_be_loaded);
  ADD ("cancelled-while-waiting", test_cancelled_while_waiting);
  ADD ("overcome", test_overcome);

  return g_test_run ();
}
