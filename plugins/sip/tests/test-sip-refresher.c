/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-hub-private.h"
#include "muster-sip-message.h"
#include "muster-sip-refresher.h"
#include "muster-sip-wire.h"

/* The state machine on a transport that is a variable and a clock that stands still: each test plays
 * the server. */

#define USER     "alice"
#define PASSWORD "se:cret"

/* a transport that keeps what it was given */

typedef struct {
  MusterSipTransport transport; /* first */
  MusterSipAnswerFunc func;     /* NULL: nothing is under way */
  gpointer user_data;
  guint n_sent;
  guint n_dropped;
  char *route;
  guint32 cseq;
  guint expires_s;
  char *from;
  char *call_id;
  char *contact;
  char *authorization;
  char *proxy_authorization;
} Wire;

static MusterSipTransaction *
wire_send (MusterSipTransport *transport,
           const char *route,
           const MusterSipRequest *request,
           MusterSipAnswerFunc func,
           gpointer user_data)
{
  Wire *wire = (Wire *) transport;

  g_assert_null (wire->func);
  g_assert_cmpstr (request->method, ==, "REGISTER");
  g_assert_cmpstr (request->request_uri, ==, "sip:example.test");
  g_assert_cmpstr (request->to, ==, "<sip:alice@example.test>");
  wire->func = func;
  wire->user_data = user_data;
  wire->n_sent++;
  g_free (wire->route);
  g_free (wire->from);
  g_free (wire->call_id);
  g_free (wire->contact);
  g_free (wire->authorization);
  g_free (wire->proxy_authorization);
  wire->route = g_strdup (route);
  wire->cseq = request->cseq;
  wire->expires_s = request->expires_s;
  wire->from = g_strdup (request->from);
  wire->call_id = g_strdup (request->call_id);
  wire->contact = g_strdup (request->contact);
  wire->authorization = g_strdup (request->authorization);
  wire->proxy_authorization = g_strdup (request->proxy_authorization);
  return (MusterSipTransaction *) wire;
}

static void
wire_drop (MusterSipTransport *transport, MusterSipTransaction *transaction)
{
  Wire *wire = (Wire *) transport;

  g_assert_true (transaction == (MusterSipTransaction *) wire);
  g_assert_nonnull (wire->func);
  wire->func = NULL;
  wire->n_dropped++;
}

static const MusterSipTransportVtable wire_vtable = { wire_send, wire_drop };

/* the bench */

typedef struct {
  MusterSipRefresher *refresher;
  MusterSipConfig *config;
  MusterSecret *password;
  Wire wire;
  guint n_done;
  MusterLease *lease;
  GError *error;
} Bench;

static void
bench_set_up (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  bench->config = muster_sip_config_new (&(MusterSipSettings){ .address = USER "@example.test",
                                                               .display_name = "Al \"ice\"",
                                                               .expires_s = 600 },
                                         &error);
  g_assert_no_error (error);
  bench->password = muster_secret_new (PASSWORD, strlen (PASSWORD));
  bench->refresher = muster_sip_refresher_new (NULL);
  bench->wire.transport.vtable = &wire_vtable;
  bench->wire.transport.contact_host = g_strdup ("192.0.2.7");
  bench->wire.transport.contact_port = 40000;
  bench->wire.transport.contact_params = "";
}

static void
bench_tear_down (Bench *bench, gconstpointer data)
{
  muster_sip_refresher_free (bench->refresher);
  muster_sip_config_unref (bench->config);
  muster_secret_unref (bench->password);
  g_clear_pointer (&bench->lease, muster_lease_free);
  g_clear_error (&bench->error);
  g_free (bench->wire.transport.contact_host);
  g_free (bench->wire.route);
  g_free (bench->wire.from);
  g_free (bench->wire.call_id);
  g_free (bench->wire.contact);
  g_free (bench->wire.authorization);
  g_free (bench->wire.proxy_authorization);
}

static void
on_done (MusterSipRefresher *refresher, MusterLease *lease, const GError *error, gpointer user_data)
{
  Bench *bench = user_data;

  bench->n_done++;
  bench->lease = lease;
  bench->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
forget_result (Bench *bench)
{
  bench->n_done = 0;
  g_clear_pointer (&bench->lease, muster_lease_free);
  g_clear_error (&bench->error);
}

static void
begin_register (Bench *bench)
{
  forget_result (bench);
  muster_sip_refresher_register (bench->refresher, bench->config, &bench->wire.transport,
                                 "sip:192.0.2.1:5060", bench->password, on_done, bench);
}

static void
begin_unregister (Bench *bench)
{
  forget_result (bench);
  muster_sip_refresher_unregister (bench->refresher, bench->config, &bench->wire.transport,
                                   "sip:192.0.2.1:5060", bench->password, on_done, bench);
}

/* The server says this. */
static void
reply (Bench *bench, const char *status, const char *headers)
{
  g_autofree char *text = NULL;
  g_autoptr (MusterSipResponse) response = NULL;
  MusterSipAnswerFunc func = g_steal_pointer (&bench->wire.func);

  g_assert_nonnull (func);
  text = g_strdup_printf ("SIP/2.0 %s\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bK1\r\n"
                          "From: <sip:alice@example.test>;tag=1\r\n"
                          "To: <sip:alice@example.test>;tag=2\r\n"
                          "Call-ID: 1\r\n"
                          "CSeq: 1 REGISTER\r\n"
                          "%s"
                          "Content-Length: 0\r\n\r\n",
                          status, headers);
  response = muster_sip_wire_parse_response (text, strlen (text));
  g_assert_nonnull (response);
  func (response, NULL, bench->wire.user_data);
}

static void
reply_nothing (Bench *bench)
{
  MusterSipAnswerFunc func = g_steal_pointer (&bench->wire.func);
  g_autoptr (GError)
    failure = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT, "nobody there");

  func (NULL, failure, bench->wire.user_data);
}

static void
challenge (Bench *bench, const char *nonce, const char *more)
{
  g_autofree char *header = NULL;

  header = g_strdup_printf ("WWW-Authenticate: Digest realm=\"cms\", nonce=\"%s\"%s\r\n", nonce,
                            more);
  reply (bench, "401 Unauthorized", header);
}

static void
grant (Bench *bench, guint lease_s)
{
  g_autofree char *headers = NULL;

  headers = g_strdup_printf ("Contact: <sip:%s@192.0.2.7:%u>;expires=%u\r\n",
                             muster_sip_refresher_get_token (bench->refresher),
                             bench->wire.transport.contact_port, lease_s);
  reply (bench, "200 OK", headers);
}

#define assert_has(text, part)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (text == NULL || strstr (text, part) == NULL)                                               \
      g_error ("\"%s\" is not in \"%s\"", part, text);                                             \
  }                                                                                                \
  G_STMT_END

#define assert_has_not(text, part)                                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (text != NULL && strstr (text, part) != NULL)                                               \
      g_error ("\"%s\" is in \"%s\"", part, text);                                                 \
  }                                                                                                \
  G_STMT_END

#define assert_granted(bench, seconds)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_no_error (bench->error);                                                              \
    g_assert_cmpuint (bench->n_done, ==, 1);                                                       \
    g_assert_cmpuint (bench->lease->lease_s, ==, seconds);                                         \
    g_assert_null (bench->wire.func);                                                              \
  }                                                                                                \
  G_STMT_END

#define assert_failed(bench, code)                                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpuint (bench->n_done, ==, 1);                                                       \
    g_assert_error (bench->error, MUSTER_ERROR, code);                                             \
    g_assert_null (bench->wire.func);                                                              \
  }                                                                                                \
  G_STMT_END

static char *
param_of (const char *header, const char *name)
{
  g_autofree char *pattern = g_strdup_printf ("[ ,]%s=\"?([^\",]*)", name);
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  if (!g_regex_match (regex, header, 0, &match))
    return g_strdup ("");
  return g_match_info_fetch (match, 1);
}

/* The server's own sum, by other code than ours; MD5 with qop=auth. */
static gboolean
is_right_answer (const char *header, const char *password)
{
  g_autofree char *realm = param_of (header, "realm");
  g_autofree char *nonce = param_of (header, "nonce");
  g_autofree char *nc = param_of (header, "nc");
  g_autofree char *cnonce = param_of (header, "cnonce");
  g_autofree char *uri = param_of (header, "uri");
  g_autofree char *response = param_of (header, "response");
  g_autofree char *a1 = g_strjoin (":", USER, realm, password, NULL);
  g_autofree char *a2 = g_strjoin (":", "REGISTER", uri, NULL);
  g_autofree char *ha1 = g_compute_checksum_for_string (G_CHECKSUM_MD5, a1, -1);
  g_autofree char *ha2 = g_compute_checksum_for_string (G_CHECKSUM_MD5, a2, -1);
  g_autofree char *all = g_strjoin (":", ha1, nonce, nc, cnonce, "auth", ha2, NULL);
  g_autofree char *expected = g_compute_checksum_for_string (G_CHECKSUM_MD5, all, -1);

  return g_str_equal (expected, response);
}

/* Registered by a challenge with nonce "n1" that may be used again. */
static void
get_registered (Bench *bench)
{
  begin_register (bench);
  challenge (bench, "n1", ", qop=\"auth\"");
  grant (bench, 600);
  assert_granted (bench, 600);
}

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

/* passwords and challenges */

static void
test_wrong_password_is_not_retried (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  challenge (bench, "n1", ", qop=\"auth\"");
  challenge (bench, "n2", ", qop=\"auth\"");
  assert_failed (bench, MUSTER_ERROR_REFUSED);
  g_assert_cmpint (muster_error_get_step (bench->error), ==, MUSTER_STEP_AUTHENTICATE);
  g_assert_cmpuint (muster_error_get_protocol_code (bench->error), ==, 401);
  g_assert_cmpuint (bench->wire.n_sent, ==, 2);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));

  /* the next attempt, with whatever password, begins with a question */
  begin_register (bench);
  g_assert_null (bench->wire.authorization);
  grant (bench, 600);
}

static void
test_forbidden_with_and_without_credentials (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  reply (bench, "403 Forbidden", "");
  assert_failed (bench, MUSTER_ERROR_FORBIDDEN);

  begin_register (bench);
  challenge (bench, "n1", "");
  reply (bench, "403 Forbidden", "");
  assert_failed (bench, MUSTER_ERROR_REFUSED);
}

/* A server whose nonces are good for one request, with and without saying stale. */
static void
test_one_time_nonces (Bench *bench, gconstpointer stale)
{
  get_registered (bench);
  begin_register (bench);
  assert_has (bench->wire.authorization, "nonce=\"n1\"");
  challenge (bench, "n2", stale);
  assert_has (bench->wire.authorization, "nonce=\"n2\"");
  assert_has (bench->wire.authorization, "nc=00000001");
  g_assert_true (is_right_answer (bench->wire.authorization, PASSWORD));
  grant (bench, 600);
  assert_granted (bench, 600);
  g_assert_true (bench->lease->refreshed);
}

/* A server that says stale to everything gets tired answers only so often. */
static void
test_stale_each_time (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  for (int i = 0; bench->n_done == 0; i++) {
    g_autofree char *nonce = g_strdup_printf ("n%d", i);

    g_assert_cmpint (i, <, 20);
    challenge (bench, nonce, ", qop=\"auth\", stale=true");
  }
  assert_failed (bench, MUSTER_ERROR_PROTOCOL);
  g_assert_cmpuint (bench->wire.n_sent, ==, 7);
}

static void
test_nextnonce (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  challenge (bench, "n1", ", qop=\"auth\"");
  reply (bench, "200 OK", "Expires: 600\r\nAuthentication-Info: nextnonce=\"n2\"\r\n");
  assert_granted (bench, 600);

  begin_register (bench);
  assert_has (bench->wire.authorization, "nonce=\"n2\"");
  assert_has (bench->wire.authorization, "nc=00000001");
  g_assert_true (is_right_answer (bench->wire.authorization, PASSWORD));
  grant (bench, 600);
}

static void
test_several_challenges (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  reply (bench, "401 Unauthorized",
         "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", algorithm=MD5, qop=\"auth\"\r\n"
         "WWW-Authenticate: Digest realm=\"b\", nonce=\"2\", algorithm=SHA-256, qop=\"auth\"\r\n");
  assert_has (bench->wire.authorization, "realm=\"b\"");
  assert_has (bench->wire.authorization, "algorithm=SHA-256");
  grant (bench, 600);
}

static void
test_proxy_and_registrar (Bench *bench, gconstpointer data)
{
  static const char by_proxy[] =
    "Proxy-Authenticate: Digest realm=\"edge\", nonce=\"p1\", qop=\"auth\"\r\n";

  begin_register (bench);
  reply (bench, "407 Proxy Authentication Required", by_proxy);
  assert_has (bench->wire.proxy_authorization, "realm=\"edge\"");
  g_assert_null (bench->wire.authorization);
  challenge (bench, "n1", ", qop=\"auth\"");
  assert_has (bench->wire.proxy_authorization, "nc=00000002");
  assert_has (bench->wire.authorization, "nc=00000001");
  /* the proxy's nonces are good for one request each */
  reply (bench, "407 Proxy Authentication Required",
         "Proxy-Authenticate: Digest realm=\"edge\", nonce=\"p2\", qop=\"auth\"\r\n");
  assert_has (bench->wire.proxy_authorization, "nonce=\"p2\"");
  grant (bench, 600);
  assert_granted (bench, 600);

  begin_register (bench);
  reply (bench, "407 Proxy Authentication Required", by_proxy);
  reply (bench, "407 Proxy Authentication Required", by_proxy);
  assert_failed (bench, MUSTER_ERROR_REFUSED);
}

static void
test_unknown_challenges (Bench *bench, gconstpointer data)
{
  begin_register (bench);
  reply (bench, "401 Unauthorized", "WWW-Authenticate: NTLM realm=\"x\"\r\n");
  assert_failed (bench, MUSTER_ERROR_UNSUPPORTED);
  assert_has (bench->error->message, "NTLM");

  begin_register (bench);
  reply (bench, "401 Unauthorized", "");
  assert_failed (bench, MUSTER_ERROR_PROTOCOL);
}

/* What a server calls its algorithm is shown, but goes to D-Bus, where half a character is fatal. */
static void
test_unknown_challenge_of_many_bytes (Bench *bench, gconstpointer data)
{
  for (guint shift = 0; shift < 2; shift++) {
    g_autoptr (GString)
      header = g_string_new ("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=\"");

    for (guint i = 0; i < shift; i++)
      g_string_append_c (header, 'x');
    for (guint i = 0; i < 100; i++)
      g_string_append (header, "\303\251");
    g_string_append (header, "\"\r\n");

    begin_register (bench);
    reply (bench, "401 Unauthorized", header->str);
    assert_failed (bench, MUSTER_ERROR_UNSUPPORTED);
    g_assert_true (g_utf8_validate (bench->error->message, -1, NULL));
    assert_has (bench->error->message, "\303\251");
  }
}

static void
test_no_password (Bench *bench, gconstpointer data)
{
  forget_result (bench);
  muster_sip_refresher_register (bench->refresher, bench->config, &bench->wire.transport,
                                 "sip:192.0.2.1:5060", NULL, on_done, bench);
  challenge (bench, "n1", "");
  assert_failed (bench, MUSTER_ERROR_REFUSED);
  g_assert_cmpint (muster_error_get_step (bench->error), ==, MUSTER_STEP_SECRET);
}

/* A new password is asked for by a new challenge: one failure, not two, if it is wrong. */
static void
test_changed_password (Bench *bench, gconstpointer data)
{
  get_registered (bench);
  muster_secret_unref (bench->password);
  bench->password = muster_secret_new ("other", 5);

  begin_register (bench);
  g_assert_null (bench->wire.authorization);
  challenge (bench, "n2", ", qop=\"auth\"");
  g_assert_true (is_right_answer (bench->wire.authorization, "other"));
  grant (bench, 600);
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

/* contacts: never two bindings */

static void
move_to (Bench *bench, const char *host, guint16 port)
{
  g_free (bench->wire.transport.contact_host);
  bench->wire.transport.contact_host = g_strdup (host);
  bench->wire.transport.contact_port = port;
}

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

/* restarts */

static void
restart (Bench *bench)
{
  g_autoptr (GBytes) blob = muster_sip_refresher_dup_resume (bench->refresher);

  muster_sip_refresher_free (bench->refresher);
  bench->refresher = muster_sip_refresher_new (blob);
}

static void
test_restart_goes_on (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;
  g_autofree char *from = NULL;
  g_autofree char *contact = NULL;

  get_registered (bench);
  muster_sip_refresher_set_local (bench->refresher, "192.0.2.7", 40000);
  call_id = g_strdup (bench->wire.call_id);
  from = g_strdup (bench->wire.from);
  contact = g_strdup (bench->wire.contact);

  restart (bench);
  g_assert_cmpstr (muster_sip_refresher_get_local_address (bench->refresher), ==, "192.0.2.7");
  g_assert_cmpuint (muster_sip_refresher_get_local_port (bench->refresher), ==, 40000);

  begin_register (bench);
  g_assert_cmpuint (bench->wire.n_sent, ==, 3);
  g_assert_cmpstr (bench->wire.call_id, ==, call_id);
  g_assert_cmpstr (bench->wire.from, ==, from);
  g_assert_cmpstr (bench->wire.contact, ==, contact);
  g_assert_cmpuint (bench->wire.cseq, ==, 2 + 100 + 1);
  assert_has (bench->wire.authorization, "nonce=\"n1\"");
  assert_has (bench->wire.authorization, "nc=00000066"); /* 1 + 100 + 1 */
  g_assert_true (is_right_answer (bench->wire.authorization, PASSWORD));
  grant (bench, 600);
  assert_granted (bench, 600);
  g_assert_true (bench->lease->refreshed);
}

/* A realm in Latin-1 is answered as it is, and forgotten with the daemon: it is no reason to come back as
 * somebody else. */
static void
test_restart_with_a_foreign_realm (Bench *bench, gconstpointer data)
{
  g_autoptr (GBytes) blob = NULL;
  g_autofree char *token = g_strdup (muster_sip_refresher_get_token (bench->refresher));

  begin_register (bench);
  reply (bench, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"caf\351\", nonce=\"n\"\r\n");
  assert_has (bench->wire.authorization, "realm=\"caf\351\"");
  grant (bench, 600);

  blob = muster_sip_refresher_dup_resume (bench->refresher);
  muster_sip_refresher_free (bench->refresher);
  bench->refresher = muster_sip_refresher_new (blob);
  g_assert_cmpstr (muster_sip_refresher_get_token (bench->refresher), ==, token);
  g_assert_true (muster_sip_refresher_is_bound (bench->refresher));
  begin_register (bench);
  g_assert_null (bench->wire.authorization);
  muster_sip_refresher_cancel (bench->refresher);
}

static void
test_restart_on_another_port (Bench *bench, gconstpointer data)
{
  get_registered (bench);
  restart (bench);
  move_to (bench, "192.0.2.7", 40009);
  begin_register (bench);
  assert_has (bench->wire.contact, "@192.0.2.7:40009>;+sip.instance");
  assert_has (bench->wire.contact, "@192.0.2.7:40000>;expires=0");
  grant (bench, 600);
  g_assert_false (bench->lease->refreshed);
}

/* Time passes while nobody runs, and the boot clock begins anew. */
static void
test_restart_after_the_lease (Bench *bench, gconstpointer data)
{
  g_autoptr (GBytes) blob = NULL;

  get_registered (bench);
  blob = muster_sip_refresher_dup_resume (bench->refresher);
  muster_sip_refresher_free (bench->refresher);
  muster_clock_step_wall_us (601 * G_USEC_PER_SEC);
  bench->refresher = muster_sip_refresher_new (blob);
  g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
}

/* Damaged blobs count as none, whatever is damaged; none makes a message that could not be sent. */
static void
test_damaged_resume (Bench *bench, gconstpointer data)
{
  g_autoptr (GBytes) blob = NULL;
  gsize size;
  const guint8 *bytes;

  get_registered (bench);
  blob = muster_sip_refresher_dup_resume (bench->refresher);
  bytes = g_bytes_get_data (blob, &size);

  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *copy = g_memdup2 (bytes, size);
    g_autoptr (GBytes) damaged = NULL;

    copy[i] ^= '\r';
    damaged = g_bytes_new (copy, size);
    muster_sip_refresher_free (bench->refresher);
    bench->refresher = muster_sip_refresher_new (damaged);
    begin_register (bench);
    g_assert_null (strpbrk (bench->wire.call_id, "\r\n"));
    g_assert_null (strpbrk (bench->wire.from, "\r\n"));
    g_assert_null (strpbrk (bench->wire.contact, "\r\n"));
    g_assert_true (bench->wire.authorization == NULL ||
                   strpbrk (bench->wire.authorization, "\r\n") == NULL);
    muster_sip_refresher_cancel (bench->refresher);
  }
  for (gsize length = 0; length < size; length += 7) {
    g_autoptr (GBytes) cut = g_bytes_new (bytes, length);

    muster_sip_refresher_free (bench->refresher);
    bench->refresher = muster_sip_refresher_new (cut);
    g_assert_false (muster_sip_refresher_is_bound (bench->refresher));
  }
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
  ADD ("/sip/refresher/wrong-password", NULL, test_wrong_password_is_not_retried);
  ADD ("/sip/refresher/forbidden", NULL, test_forbidden_with_and_without_credentials);
  ADD ("/sip/refresher/one-time-nonces", ", qop=\"auth\"", test_one_time_nonces);
  ADD ("/sip/refresher/stale-nonces", ", qop=\"auth\", stale=true", test_one_time_nonces);
  ADD ("/sip/refresher/stale-each-time", NULL, test_stale_each_time);
  ADD ("/sip/refresher/nextnonce", NULL, test_nextnonce);
  ADD ("/sip/refresher/several-challenges", NULL, test_several_challenges);
  ADD ("/sip/refresher/proxy-and-registrar", NULL, test_proxy_and_registrar);
  ADD ("/sip/refresher/unknown-challenges", NULL, test_unknown_challenges);
  ADD ("/sip/refresher/unknown-challenge-of-many-bytes", NULL,
       test_unknown_challenge_of_many_bytes);
  ADD ("/sip/refresher/no-password", NULL, test_no_password);
  ADD ("/sip/refresher/changed-password", NULL, test_changed_password);
  ADD ("/sip/refresher/interval-too-brief", NULL, test_interval_too_brief);
  ADD ("/sip/refresher/interval-missing", "", test_interval_nonsense);
  ADD ("/sip/refresher/interval-shorter", "Min-Expires: 60\r\n", test_interval_nonsense);
  ADD ("/sip/refresher/interval-endless", "Min-Expires: 99999999\r\n", test_interval_nonsense);
  ADD ("/sip/refresher/granted-nothing", NULL, test_granted_nothing);
  ADD ("/sip/refresher/busy", NULL, test_busy);
  ADD ("/sip/refresher/registrar-with-cms", NULL, test_registrar_with_cms);
  ADD ("/sip/refresher/address-change", NULL, test_address_change_swaps);
  ADD ("/sip/refresher/expired-contact", NULL, test_expired_contact_is_forgotten);
  ADD ("/sip/refresher/long-lease", NULL, test_long_lease);
  ADD ("/sip/refresher/unanswered-contacts", NULL, test_unanswered_contacts_are_taken_away);
  ADD ("/sip/refresher/refused-contact", NULL, test_refused_contact_is_not_bound);
  ADD ("/sip/refresher/cancel", NULL, test_cancel);
  ADD ("/sip/refresher/restart", NULL, test_restart_goes_on);
  ADD ("/sip/refresher/restart-with-a-foreign-realm", NULL, test_restart_with_a_foreign_realm);
  ADD ("/sip/refresher/restart-on-another-port", NULL, test_restart_on_another_port);
  ADD ("/sip/refresher/restart-after-the-lease", NULL, test_restart_after_the_lease);
  ADD ("/sip/refresher/damaged-resume", NULL, test_damaged_resume);

  return g_test_run ();
}
