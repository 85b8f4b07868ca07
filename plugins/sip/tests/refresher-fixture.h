/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The state machine on a transport that is a variable and a clock that stands still: each test plays
 * the server. */

#pragma once

#include "muster-hub-private.h"
#include "muster-sip-message.h"
#include "muster-sip-refresher.h"
#include "muster-sip-wire.h"

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
  const char *supported;
  char *authorization;
  char *proxy_authorization;
} Wire;

static inline MusterSipTransaction *
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
  wire->supported = request->supported;
  wire->authorization = g_strdup (request->authorization);
  wire->proxy_authorization = g_strdup (request->proxy_authorization);
  return (MusterSipTransaction *) wire;
}

static inline void
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
  const char *via; /* nullable: what the server adds to our Via */
  guint n_done;
  MusterLease *lease;
  GError *error;
} Bench;

static inline void
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

static inline void
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

static inline void
on_done (MusterSipRefresher *refresher, MusterLease *lease, const GError *error, gpointer user_data)
{
  Bench *bench = user_data;

  bench->n_done++;
  bench->lease = lease;
  bench->error = error != NULL ? g_error_copy (error) : NULL;
}

static inline void
forget_result (Bench *bench)
{
  bench->n_done = 0;
  g_clear_pointer (&bench->lease, muster_lease_free);
  g_clear_error (&bench->error);
}

static inline void
begin_register (Bench *bench)
{
  forget_result (bench);
  muster_sip_refresher_register (bench->refresher, bench->config, &bench->wire.transport,
                                 "sip:192.0.2.1:5060", bench->password, on_done, bench);
}

static inline void
begin_unregister (Bench *bench)
{
  forget_result (bench);
  muster_sip_refresher_unregister (bench->refresher, bench->config, &bench->wire.transport,
                                   "sip:192.0.2.1:5060", bench->password, on_done, bench);
}

/* The server says this. */
static inline void
reply (Bench *bench, const char *status, const char *headers)
{
  g_autofree char *text = NULL;
  g_autoptr (MusterSipResponse) response = NULL;
  MusterSipAnswerFunc func = g_steal_pointer (&bench->wire.func);

  g_assert_nonnull (func);
  text = g_strdup_printf ("SIP/2.0 %s\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bK1%s\r\n"
                          "From: <sip:alice@example.test>;tag=1\r\n"
                          "To: <sip:alice@example.test>;tag=2\r\n"
                          "Call-ID: 1\r\n"
                          "CSeq: 1 REGISTER\r\n"
                          "%s"
                          "Content-Length: 0\r\n\r\n",
                          status, bench->via != NULL ? bench->via : "", headers);
  response = muster_sip_wire_parse_response (text, strlen (text));
  g_assert_nonnull (response);
  func (response, NULL, bench->wire.user_data);
}

static inline void
reply_nothing (Bench *bench)
{
  MusterSipAnswerFunc func = g_steal_pointer (&bench->wire.func);
  g_autoptr (GError)
    failure = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT, "nobody there");

  func (NULL, failure, bench->wire.user_data);
}

static inline void
challenge (Bench *bench, const char *nonce, const char *more)
{
  g_autofree char *header = NULL;

  header = g_strdup_printf ("WWW-Authenticate: Digest realm=\"cms\", nonce=\"%s\"%s\r\n", nonce,
                            more);
  reply (bench, "401 Unauthorized", header);
}

static inline void
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

static inline char *
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
static inline gboolean
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
static inline void
get_registered (Bench *bench)
{
  begin_register (bench);
  challenge (bench, "n1", ", qop=\"auth\"");
  grant (bench, 600);
  assert_granted (bench, 600);
}

/* Another way leads to the server now. */
static inline void
move_to (Bench *bench, const char *host, guint16 port)
{
  g_free (bench->wire.transport.contact_host);
  bench->wire.transport.contact_host = g_strdup (host);
  bench->wire.transport.contact_port = port;
}
