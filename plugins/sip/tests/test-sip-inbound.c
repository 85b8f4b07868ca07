/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-server.h"
#include "muster-sip-wire.h"

#include <string.h>

/* Requests from their bytes to our data, and the replies that need nobody. */

/* (transfer full) (nullable) */
static MusterSipInbound *
read_request (const char *text, gsize body_bytes)
{
  MusterSipInbound *inbound = NULL;
  g_autofree char *branch = NULL;

  g_assert_null (
    muster_sip_wire_parse_message (text, strlen (text), body_bytes, &branch, &inbound));
  g_assert_null (branch);
  return inbound;
}

/* (transfer full) */
static MusterSipInbound *
request_new (const char *method, const char *token, const char *headers)
{
  g_autofree char *text = g_strdup_printf ("%s sip:%s@192.0.2.9 SIP/2.0\r\n"
                                           "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa\r\n"
                                           "Max-Forwards: 0\r\n"
                                           "From: <sip:bob@example.test>;tag=b\r\n"
                                           "To: <sip:alice@example.test>\r\n"
                                           "Call-ID: call\r\nCSeq: 7 %s\r\n%s"
                                           "Content-Length: 0\r\n\r\n",
                                           method, token, method, headers);
  MusterSipInbound *inbound = read_request (text, 0);

  g_assert_nonnull (inbound);
  return inbound;
}

static void
test_read_invite (void)
{
  static const char text[] =
    "INVITE sip:0123456789abcdef@192.0.2.9:5060;transport=tcp SIP/2.0\r\n"
    "Via: SIP/2.0/TCP Proxy.Example.test:5080;branch=z9hG4bKtop;rport\r\n"
    "Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKlow\r\n"
    "Record-Route: <sip:a.test;lr>;x=1, <sip:b.test;lr>\r\n"
    "Max-Forwards: 70\r\n"
    "From: \"Bob \\\"the\r\n builder\\\"\" <sip:bob@example.test>;tag=bt\r\n"
    "To: <sip:alice@example.test>\r\n"
    "Call-ID: c1@example.test\r\n"
    "CSeq: 4294967295 INVITE\r\n"
    "Contact: <sip:bob@192.0.2.2:5061;transport=tls>\r\n"
    "Subject: the roof\r\n"
    "Reason: Q.850;cause=16;text=\"Bye\", SIP;cause=200;text=\"Elsewhere\"\r\n"
    "Require: 100rel\r\nRequire: foo\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 5\r\n\r\nv=0\r\n";
  g_autoptr (MusterSipInbound) inbound = read_request (text, 5);

  g_assert_nonnull (inbound);
  g_assert_cmpstr (inbound->method, ==, "INVITE");
  g_assert_cmpstr (inbound->token, ==, "0123456789abcdef");
  g_assert_cmpstr (inbound->from, ==, "sip:bob@example.test");
  g_assert_true (g_str_has_prefix (inbound->from_name, "Bob \"the"));
  g_assert_true (g_str_has_suffix (inbound->from_name, "builder\""));
  g_assert_cmpstr (inbound->from_tag, ==, "bt");
  g_assert_null (inbound->to_tag);
  g_assert_cmpstr (inbound->call_id, ==, "c1@example.test");
  g_assert_cmpuint (inbound->cseq, ==, G_MAXUINT32);
  g_assert_cmpstr (inbound->branch, ==, "z9hG4bKtop");
  g_assert_cmpstr (inbound->sent_by, ==, "proxy.example.test:5080");
  g_assert_cmpstr (inbound->contact, ==, "sip:bob@192.0.2.2:5061;transport=tls");
  g_assert_cmpstr (inbound->subject, ==, "the roof");
  g_assert_cmpuint (inbound->sip_cause, ==, 200);
  g_assert_cmpuint (inbound->q850_cause, ==, 16);
  g_assert_cmpstr (inbound->unsupported, ==, "100rel, foo");
  g_assert_cmpstr (inbound->content_type, ==, "application/sdp");
  g_assert_cmpuint (g_bytes_get_size (inbound->body), ==, 5);
  g_assert_cmpuint (g_strv_length (inbound->record_routes), ==, 2);
  g_assert_cmpstr (inbound->record_routes[0], ==, "<sip:a.test;lr>;x=1");
  g_assert_cmpint (inbound->expires_s, ==, -1);
  g_assert_null (inbound->event);
}

static void
test_read_notify (void)
{
  g_autoptr (MusterSipInbound) inbound = NULL;

  inbound = request_new ("NOTIFY", "ours",
                         "Event: Message-Summary;id=7\r\nExpires: 99\r\n"
                         "Subscription-State: Terminated;reason=Probation;retry-after=30\r\n"
                         "Content-Type: Text/Plain;charset=\"ISO-8859-1\"\r\n"
                         "Content-Encoding: gzip\r\n");
  g_assert_cmpstr (inbound->event, ==, "message-summary");
  g_assert_cmpstr (inbound->event_id, ==, "7");
  g_assert_cmpstr (inbound->subscription, ==, "terminated");
  g_assert_cmpstr (inbound->subscription_reason, ==, "probation");
  g_assert_cmpint (inbound->subscription_retry_after_s, ==, 30);
  g_assert_cmpint (inbound->subscription_expires_s, ==, -1);
  g_assert_cmpint (inbound->expires_s, ==, 99);
  g_assert_cmpstr (inbound->content_type, ==, "text/plain");
  g_assert_cmpstr (inbound->charset, ==, "ISO-8859-1");
  g_assert_cmpstr (inbound->content_encoding, ==, "gzip");
  g_assert_null (inbound->body);
}

/* What stands in the request is repeated, and nothing of it is a line of its own. */
static void
test_reply (void)
{
  static const char text[] = "OPTIONS sip:ours@192.0.2.9 SIP/2.0\r\n"
                             "v: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n"
                             "Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK2\r\n"
                             "Record-Route: <sip:a.test;lr>\r\n"
                             "From: \"Bob\r\n Content-Length: 7\" <sip:bob@example.test>;tag=1\r\n"
                             "To: <sip:alice@example.test>\r\n"
                             "Call-ID: c\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
                             "Content-Length: 0\r\n\r\n";
  g_autoptr (MusterSipInbound) inbound = read_request (text, 0);
  g_autofree char *tag = muster_sip_inbound_make_tag ("c", "1", 1);
  g_autofree char *to = g_strdup_printf ("To: <sip:alice@example.test>;tag=%s\r\n", tag);
  g_autoptr (GBytes) bytes = muster_sip_reply_build (inbound->reply_head, 486, "X: y\r\n");
  const char *reply = g_bytes_get_data (bytes, NULL);

  g_assert_cmpuint (strlen (reply), ==, g_bytes_get_size (bytes));
  g_assert_true (g_str_has_prefix (reply, "SIP/2.0 486 Busy Here\r\n"
                                          "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n"
                                          "Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bK2\r\n"
                                          "Record-Route: <sip:a.test;lr>\r\n"
                                          "From: \"Bob"));
  g_assert_nonnull (strstr (reply, to));
  g_assert_nonnull (strstr (reply, "Call-ID: c\r\nCSeq: 1 OPTIONS\r\nX: y\r\n"));
  g_assert_true (g_str_has_suffix (reply, "\r\nContent-Length: 0\r\n\r\n"));
  g_assert_nonnull (strstr (reply, "\r\nFrom: \"Bob Content-Length: 7\" <"));
}

static void
test_tags (void)
{
  g_autofree char *one = muster_sip_inbound_make_tag ("a", "b", 1);
  g_autofree char *same = muster_sip_inbound_make_tag ("a", "b", 1);
  g_autofree char *later = muster_sip_inbound_make_tag ("a", "b", 2);
  g_autofree char *other = muster_sip_inbound_make_tag ("c", "b", 1);
  g_autofree char *untagged = muster_sip_inbound_make_tag ("a", NULL, 1);

  g_assert_cmpstr (one, ==, same);
  g_assert_cmpstr (one, !=, later);
  g_assert_cmpstr (one, !=, other);
  g_assert_cmpstr (one, !=, untagged);
  g_assert_cmpuint (strlen (one), ==, 16);
}

/* replies that need nobody */

typedef struct {
  GPtrArray *replies; /* char * */
  guint n_seen;
  MusterSipReceiver receiver;
} World;

static void
on_send (gpointer user_data, GBytes *reply)
{
  World *world = user_data;

  g_ptr_array_add (world->replies,
                   g_strndup (g_bytes_get_data (reply, NULL), g_bytes_get_size (reply)));
}

static const MusterSipReceiver *
on_find (const char *token, gpointer user_data)
{
  return g_str_equal (token, "ours") ? &((World *) user_data)->receiver : NULL;
}

/* It hears of it before the other side gets its answer. */
static void
on_options_seen (gpointer user_data, const MusterSipInbound *inbound)
{
  World *world = user_data;

  g_assert_cmpstr (inbound->call_id, ==, "call");
  g_assert_cmpuint (world->replies->len, ==, 0);
  world->n_seen++;
}

static void
test_stateless (void)
{
  static const struct {
    const char *method;
    const char *token;
    const char *status; /* NULL: none */
    const char *header; /* NULL: none */
    guint n_seen;
  } cases[] = {
    { "OPTIONS", "ours", "SIP/2.0 200 OK\r\n", "\r\nAllow: ", 1 },
    { "OPTIONS", "theirs", "SIP/2.0 404 Not Found\r\n", NULL, 0 },
    { "REFER", "ours", "SIP/2.0 405 Method Not Allowed\r\n", "\r\nAllow: ", 0 },
    { "MADE-UP", "theirs", "SIP/2.0 405 Method Not Allowed\r\n", "\r\nAllow: ", 0 },
    { "ACK", "ours", NULL, NULL, 0 },
  };
  static const MusterSipServerFuncs funcs = { on_send, on_find };
  static const MusterSipReceiverFuncs receiver_funcs = { .options_seen = on_options_seen };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    World world = { .replies = g_ptr_array_new_with_free_func (g_free) };
    g_autoptr (MusterSipServer) server = muster_sip_server_new (&funcs, &world);
    g_autoptr (MusterSipInbound) inbound = request_new (cases[i].method, cases[i].token, "");

    world.receiver.funcs = &receiver_funcs;
    world.receiver.user_data = &world;
    muster_sip_server_take (server, inbound);
    g_assert_cmpuint (world.n_seen, ==, cases[i].n_seen);
    g_assert_cmpuint (world.replies->len, ==, cases[i].status != NULL ? 1 : 0);
    if (cases[i].status != NULL) {
      const char *reply = world.replies->pdata[0];

      g_assert_true (g_str_has_prefix (reply, cases[i].status));
      g_assert_true (cases[i].header == NULL || strstr (reply, cases[i].header) != NULL);
    }
    g_ptr_array_unref (world.replies);
  }
}

/* (transfer full) */
static char *
repeat (const char *text, guint n)
{
  GString *all = g_string_new (NULL);

  while (n-- > 0)
    g_string_append (all, text);
  return g_string_free (all, FALSE);
}

/* More headers than anybody needs are not read at all. */
static void
test_read_too_many (void)
{
  static const struct {
    const char *header;
    guint n;
    gboolean is_read;
  } rows[] = {
    { "X: y\r\n", 1000, TRUE },
    { "X: y\r\n", 1100, FALSE },
    { "Record-Route: <sip:a>,<sip:b>,<sip:c>\r\n", 300, TRUE },
    { "Record-Route: <sip:a>,<sip:b>,<sip:c>\r\n", 400, FALSE },
    { "Subject: \",,,,,,,,,,\"\r\n", 1, TRUE },
    { "X: \",,,,,,,,,,\"\r\n", 50, TRUE },
    { "X: \",,,,,,,,,,\"\r\n", 300, FALSE },
    { "Record-Route: \"\\\"\" <sip:a>,<sip:b>,<sip:c>\r\n", 400, FALSE }, /* no quote hides any */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *headers = repeat (rows[i].header, rows[i].n);
    g_autofree char *text = g_strdup_printf ("OPTIONS sip:ours@192.0.2.9 SIP/2.0\r\n"
                                             "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKa\r\n"
                                             "From: <sip:b@c>;tag=b\r\nTo: <sip:a@c>\r\n"
                                             "Call-ID: call\r\nCSeq: 7 OPTIONS\r\n%s"
                                             "Content-Length: 0\r\n\r\n",
                                             headers);
    g_autoptr (MusterSipInbound) inbound = read_request (text, 0);

    g_test_message ("%zu", i);
    g_assert_true ((inbound != NULL) == rows[i].is_read);
    if (inbound != NULL)
      g_assert_cmpuint (strlen (inbound->reply_head), <, 1000);
  }
}

static void
test_read_other_version (void)
{
  static const char text[] = "OPTIONS sip:ours@192.0.2.9 SIP/7.0\r\n"
                             "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKa\r\n"
                             "From: <sip:b@c>;tag=b\r\nTo: <sip:a@c>\r\n"
                             "Call-ID: call\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n";

  g_assert_null (read_request (text, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sip/inbound/read/invite", test_read_invite);
  g_test_add_func ("/sip/inbound/read/notify", test_read_notify);
  g_test_add_func ("/sip/inbound/read/too-many", test_read_too_many);
  g_test_add_func ("/sip/inbound/read/other-version", test_read_other_version);
  g_test_add_func ("/sip/inbound/reply", test_reply);
  g_test_add_func ("/sip/inbound/tags", test_tags);
  g_test_add_func ("/sip/inbound/stateless", test_stateless);

  return g_test_run ();
}
