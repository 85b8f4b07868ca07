/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-hub-private.h"
#include "muster-sip-subscription.h"
#include "muster-sip-wire.h"

#include <string.h>

/* One subscription on a clock that stands still: each test plays the server. */

#define BOB     "sip:bob@example.test"
#define CONTACT "sip:0123456789abcdef@192.0.2.7:40000"

static const MusterSipPackage package = { "presence", "application/pidf+xml", 3600 };

typedef struct {
  MusterSipSubscription *subscription;
  MusterSipConfig *config;
  MusterSipSubscriber who;
  MusterSipRequest *request; /* the last */
  char *local_tag;           /* of that */
  MusterSipNotice notice;    /* the last */
  guint32 notify_cseq;
} Bench;

static const char *const service_route[] = { "<sip:edge.example.test;lr>", NULL };

static void
set_up (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  bench->config = muster_sip_config_new (&(MusterSipSettings){ .address = "alice@example.test",
                                                               .display_name = "Al \"ice\"",
                                                               .expires_s = 600 },
                                         &error);
  g_assert_no_error (error);
  bench->who = (MusterSipSubscriber){ bench->config, CONTACT, service_route };
  bench->subscription = muster_sip_subscription_new (&package, BOB);
}

static void
tear_down (Bench *bench, gconstpointer data)
{
  muster_sip_subscription_free (bench->subscription);
  muster_sip_config_unref (bench->config);
  muster_sip_request_free (bench->request);
  g_free (bench->local_tag);
}

static void
take_request (Bench *bench, MusterSipRequest *request)
{
  muster_sip_request_free (bench->request);
  bench->request = request;
  g_free (bench->local_tag);
  bench->local_tag = g_strdup (strstr (request->from, ";tag=") + 5);
}

static void
ask (Bench *bench)
{
  take_request (bench, muster_sip_subscription_build (bench->subscription, &bench->who));
}

/* (transfer full) */
static MusterSipResponse *
response_new (Bench *bench, const char *status, const char *tag, const char *headers)
{
  g_autofree char *text = NULL;
  MusterSipResponse *response;

  text = g_strdup_printf ("SIP/2.0 %s\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bK1\r\n"
                          "From: %s\r\nTo: <" BOB ">;tag=%s\r\n"
                          "Call-ID: %s\r\nCSeq: %u SUBSCRIBE\r\n%s"
                          "Content-Length: 0\r\n\r\n",
                          status, bench->request->from, tag, bench->request->call_id,
                          bench->request->cseq, headers);
  response = muster_sip_wire_parse_response (text, strlen (text));
  g_assert_nonnull (response);
  return response;
}

static MusterLease *
try_grant (Bench *bench, const char *tag, const char *headers, GError **error)
{
  g_autoptr (MusterSipResponse) response = response_new (bench, "200 OK", tag, headers);

  return muster_sip_subscription_take_response (bench->subscription, response, error);
}

static void
grant (Bench *bench, const char *tag, const char *headers, guint expected_s)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterLease) lease = try_grant (bench, tag, headers, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (lease->lease_s, ==, expected_s);
}

/* (transfer full): what a failure with that status is in the end */
static GError *
refuse (Bench *bench, MusterError code, guint status)
{
  GError *error = muster_error_new (code, MUSTER_STEP_REGISTER, "as the table says");

  muster_error_set_server (error, status, "No", 0);
  return muster_sip_subscription_take_failure (bench->subscription, error);
}

typedef struct {
  const char *tag; /* NULL: b */
  const char *call_id;
  const char *local_tag;
  const char *event;
  guint32 cseq;        /* 0: the next */
  const char *state;   /* NULL: active */
  const char *headers; /* nullable */
} Notify;

static guint
notify (Bench *bench, Notify what)
{
  g_autofree char *text = NULL;
  g_autofree char *branch = NULL;
  g_autoptr (MusterSipInbound) inbound = NULL;
  g_autoptr (MusterSipResponse) response = NULL;

  bench->notify_cseq++;
  text = g_strdup_printf ("NOTIFY " CONTACT " SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn\r\n"
                          "From: <" BOB ">;tag=%s\r\nTo: <sip:alice@example.test>;tag=%s\r\n"
                          "Call-ID: %s\r\nCSeq: %u NOTIFY\r\n"
                          "Event: %s\r\nSubscription-State: %s\r\n%s"
                          "Content-Length: 0\r\n\r\n",
                          what.tag != NULL ? what.tag : "b",
                          what.local_tag != NULL ? what.local_tag : bench->local_tag,
                          what.call_id != NULL ? what.call_id : bench->request->call_id,
                          what.cseq != 0 ? what.cseq : bench->notify_cseq,
                          what.event != NULL ? what.event : "presence",
                          what.state != NULL ? what.state : "active",
                          what.headers != NULL ? what.headers : "Contact: <sip:ps.test>\r\n");
  response = muster_sip_wire_parse_message (text, strlen (text), 0, &branch, &inbound);
  g_assert_nonnull (inbound);
  return muster_sip_subscription_notify (bench->subscription, inbound, &bench->notice);
}

#define NOTIFY(bench, ...) notify (bench, (Notify){ __VA_ARGS__ })

#define assert_notified(bench, status, ...)                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint answered = NOTIFY (bench, ##__VA_ARGS__);                                                \
                                                                                                   \
    g_assert_cmpuint (answered, ==, status);                                                       \
  }                                                                                                \
  G_STMT_END

static void
pass_s (gint64 seconds)
{
  muster_clock_advance_us (seconds * G_USEC_PER_SEC);
}

/* requests */

static void
test_first (Bench *bench, gconstpointer data)
{
  ask (bench);
  g_assert_cmpstr (bench->request->method, ==, "SUBSCRIBE");
  g_assert_cmpstr (bench->request->request_uri, ==, BOB);
  g_assert_cmpstr (bench->request->to, ==, "<" BOB ">");
  g_assert_true (
    g_str_has_prefix (bench->request->from, "\"Al \\\"ice\\\"\" <sip:alice@example.test>;tag="));
  g_assert_cmpstr (bench->request->contact, ==, "<" CONTACT ">");
  g_assert_cmpstr (bench->request->event, ==, "presence");
  g_assert_cmpstr (bench->request->accept, ==, "application/pidf+xml");
  g_assert_cmpint (bench->request->expires_s, ==, 3600);
  g_assert_cmpuint (g_strv_length (bench->request->route), ==, 1);
  g_assert_cmpstr (bench->request->route[0], ==, "<sip:edge.example.test;lr>");
  g_assert_false (muster_sip_subscription_is_there (bench->subscription));
}

/* Asked again after a challenge it is the same request, with the next number. */
static void
test_asked_again (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;
  g_autofree char *from = NULL;

  ask (bench);
  call_id = g_strdup (bench->request->call_id);
  from = g_strdup (bench->request->from);
  ask (bench);
  g_assert_cmpstr (bench->request->call_id, ==, call_id);
  g_assert_cmpstr (bench->request->from, ==, from);
  g_assert_cmpuint (bench->request->cseq, ==, 2);
}

#define ROUTED                                                                                     \
  "Record-Route: <sip:p2.test;lr>, <sip:p1.test;lr>\r\n"                                           \
  "Contact: <sip:bob@ps.test:5070>\r\nExpires: 1800\r\n"

static void
test_extend (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;

  ask (bench);
  call_id = g_strdup (bench->request->call_id);
  grant (bench, "b", ROUTED, 1800);
  assert_notified (bench, 200, .headers = "");
  pass_s (1000);
  g_assert_true (muster_sip_subscription_is_there (bench->subscription));
  g_assert_cmpuint (muster_sip_subscription_get_left_s (bench->subscription), ==, 800);

  ask (bench);
  g_assert_cmpstr (bench->request->call_id, ==, call_id);
  g_assert_cmpuint (bench->request->cseq, ==, 2);
  g_assert_cmpstr (bench->request->request_uri, ==, "sip:bob@ps.test:5070");
  g_assert_cmpstr (bench->request->to, ==, "<" BOB ">;tag=b");
  g_assert_cmpuint (g_strv_length (bench->request->route), ==, 2);
  g_assert_cmpstr (bench->request->route[0], ==, "<sip:p1.test;lr>");
  g_assert_cmpstr (bench->request->route[1], ==, "<sip:p2.test;lr>");
  grant (bench, "b", "Expires: 600\r\nContact: <sip:bob@ps.test:5071>\r\n", 600);

  ask (bench); /* the target follows, the route stays */
  g_assert_cmpstr (bench->request->request_uri, ==, "sip:bob@ps.test:5071");
  g_assert_cmpuint (g_strv_length (bench->request->route), ==, 2);
}

/* The NOTIFY may overtake the 2xx, and has the route the other way round. */
static void
test_notify_first (Bench *bench, gconstpointer data)
{
  ask (bench);
  assert_notified (bench, 200, .tag = "early",
                   .headers = "Record-Route: <sip:p1.test;lr>, <sip:p2.test;lr>\r\n"
                              "Contact: <sip:early.test>\r\n");
  g_assert_true (bench->notice.is_news);
  grant (bench, "late", ROUTED, 1800); /* of another one that it forked to */
  ask (bench);
  g_assert_cmpstr (bench->request->to, ==, "<" BOB ">;tag=early");
  g_assert_cmpstr (bench->request->request_uri, ==, "sip:early.test");
  g_assert_cmpstr (bench->request->route[0], ==, "<sip:p1.test;lr>");
  assert_notified (bench, 481, .tag = "late");
}

static void
test_run_out (Bench *bench, gconstpointer data)
{
  g_autofree char *call_id = NULL;

  ask (bench);
  call_id = g_strdup (bench->request->call_id);
  grant (bench, "b", ROUTED, 1800);
  NOTIFY (bench);
  pass_s (1801);
  g_assert_false (muster_sip_subscription_is_there (bench->subscription));
  ask (bench);
  g_assert_cmpstr (bench->request->call_id, !=, call_id);
  g_assert_cmpstr (bench->request->to, ==, "<" BOB ">");
  g_assert_cmpuint (bench->request->cseq, ==, 1);
}

static void
test_end (Bench *bench, gconstpointer data)
{
  ask (bench);
  grant (bench, "b", ROUTED, 1800);
  NOTIFY (bench);
  take_request (bench, muster_sip_subscription_build_end (bench->subscription, &bench->who));
  g_assert_cmpint (bench->request->expires_s, ==, 0);
  g_assert_cmpstr (bench->request->to, ==, "<" BOB ">;tag=b");
  assert_notified (bench, 200, .state = "terminated;reason=timeout");
  g_assert_false (bench->notice.is_news);
}

static void
test_moved (Bench *bench, gconstpointer data)
{
  g_assert_false (muster_sip_subscription_has_moved (bench->subscription, CONTACT));
  ask (bench);
  g_assert_false (muster_sip_subscription_has_moved (bench->subscription, CONTACT));
  g_assert_true (muster_sip_subscription_has_moved (bench->subscription, "sip:x@192.0.2.8"));
}

/* A route that cannot be kept whole is none to go along. */
static void
test_route_too_long (Bench *bench, gconstpointer data)
{
  g_autoptr (GString) headers = g_string_new ("Contact: <sip:ps.test>\r\n");
  g_autofree char *call_id = NULL;

  for (guint i = 0; i <= MUSTER_SIP_MAX_ADDRESSES; i++)
    g_string_append_printf (headers, "Record-Route: <sip:p%u.test;lr>\r\n", i);
  ask (bench);
  call_id = g_strdup (bench->request->call_id);
  assert_notified (bench, 200, .headers = headers->str);
  grant (bench, "b", "Expires: 600\r\n", 600);
  ask (bench);
  g_assert_cmpstr (bench->request->call_id, !=, call_id);
  g_assert_cmpstr (bench->request->to, ==, "<" BOB ">");
}

static void
test_route_too_long_in_answer (Bench *bench, gconstpointer data)
{
  g_autoptr (GString) headers = g_string_new ("Contact: <sip:ps.test>\r\nExpires: 600\r\n");
  g_autofree char *call_id = NULL;

  for (guint i = 0; i <= MUSTER_SIP_MAX_ADDRESSES; i++)
    g_string_append_printf (headers, "Record-Route: <sip:p%u.test;lr>\r\n", i);
  ask (bench);
  call_id = g_strdup (bench->request->call_id);
  grant (bench, "b", headers->str, 600);
  ask (bench);
  g_assert_cmpstr (bench->request->call_id, !=, call_id);
  g_assert_cmpstr (bench->request->to, ==, "<" BOB ">");
}

/* answers */

static void
test_grants (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  ask (bench);
  NOTIFY (bench);
  grant (bench, "b", "", 3600); /* as asked for, if it does not say */
  ask (bench);
  grant (bench, "b", "Expires: 99999999\r\n", 604800);
  ask (bench);
  g_assert_null (try_grant (bench, "b", "Expires: 0\r\n", &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
}

static void
test_too_brief (Bench *bench, gconstpointer data)
{
  g_autoptr (MusterSipResponse) brief = NULL;
  g_autoptr (MusterSipResponse) briefer = NULL;

  ask (bench);
  brief = response_new (bench, "423 Interval Too Brief", "b", "Min-Expires: 7200\r\n");
  briefer = response_new (bench, "423 Interval Too Brief", "b", "Min-Expires: 9000\r\n");
  g_assert_true (muster_sip_subscription_overcome (bench->subscription, brief));
  ask (bench);
  g_assert_cmpint (bench->request->expires_s, ==, 7200);
  g_assert_false (muster_sip_subscription_overcome (bench->subscription, briefer)); /* once */
  grant (bench, "b", "Expires: 7200\r\n", 7200);
  ask (bench);
  g_assert_cmpint (bench->request->expires_s, ==, 7200);
  g_assert_false (muster_sip_subscription_overcome (bench->subscription, brief)); /* granted that */
}

static void
test_too_brief_nonsense (Bench *bench, gconstpointer data)
{
  static const char *const headers[] = { "", "Min-Expires: 3600\r\n", "Min-Expires: 9999999\r\n" };

  ask (bench);
  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++) {
    g_autoptr (MusterSipResponse)
      response = response_new (bench, "423 Interval Too Brief", "b", headers[i]);

    g_assert_false (muster_sip_subscription_overcome (bench->subscription, response));
  }
}

static void
test_forgotten (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *call_id = NULL;

  ask (bench);
  call_id = g_strdup (bench->request->call_id);
  grant (bench, "b", ROUTED, 1800);
  NOTIFY (bench);
  ask (bench);
  error = refuse (bench, MUSTER_ERROR_PROTOCOL, 481);
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_EXPIRED);
  g_assert_cmpuint (muster_error_get_protocol_code (error), ==, 481);
  ask (bench);
  g_assert_cmpstr (bench->request->call_id, !=, call_id);
  g_assert_cmpstr (bench->request->to, ==, "<" BOB ">");
}

typedef struct {
  gboolean extends;
  guint status; /* 0: no answer */
  MusterError code;
  MusterError meaning;
  gboolean stays; /* the dialog */
} Failure;

static void
test_failures (void)
{
  static const Failure rows[] = {
    { FALSE, 0, MUSTER_ERROR_UNREACHABLE, MUSTER_ERROR_UNREACHABLE, FALSE },
    { FALSE, 403, MUSTER_ERROR_FORBIDDEN, MUSTER_ERROR_FORBIDDEN, FALSE },
    { FALSE, 481, MUSTER_ERROR_PROTOCOL, MUSTER_ERROR_PROTOCOL, FALSE },
    { FALSE, 489, MUSTER_ERROR_UNSUPPORTED, MUSTER_ERROR_UNSUPPORTED, FALSE },
    { TRUE, 0, MUSTER_ERROR_UNREACHABLE, MUSTER_ERROR_UNREACHABLE, TRUE },
    { TRUE, 403, MUSTER_ERROR_FORBIDDEN, MUSTER_ERROR_FORBIDDEN, TRUE },
    { TRUE, 404, MUSTER_ERROR_FORBIDDEN, MUSTER_ERROR_EXPIRED, FALSE },
    { TRUE, 430, MUSTER_ERROR_UNREACHABLE, MUSTER_ERROR_EXPIRED, FALSE },
    { TRUE, 481, MUSTER_ERROR_PROTOCOL, MUSTER_ERROR_EXPIRED, FALSE },
    { TRUE, 489, MUSTER_ERROR_UNSUPPORTED, MUSTER_ERROR_EXPIRED, FALSE },
    { TRUE, 503, MUSTER_ERROR_BUSY, MUSTER_ERROR_BUSY, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    Bench bench = { NULL };
    g_autoptr (GError) error = NULL;
    g_autofree char *call_id = NULL;

    set_up (&bench, NULL);
    ask (&bench);
    if (rows[i].extends) {
      grant (&bench, "b", ROUTED, 1800);
      NOTIFY (&bench);
      ask (&bench);
    }
    call_id = g_strdup (bench.request->call_id);
    error = refuse (&bench, rows[i].code, rows[i].status);
    g_assert_error (error, MUSTER_ERROR, rows[i].meaning);
    ask (&bench);
    g_assert_cmpint (g_str_equal (bench.request->call_id, call_id), ==, rows[i].stays);
    tear_down (&bench, NULL);
  }
}

/* A server that says yes to everything and means nothing by it. */
static void
test_mute (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  ask (bench);
  grant (bench, "b", "", 3600);
  pass_s (2);
  ask (bench); /* it may be on its way */
  grant (bench, "b", "", 3600);
  pass_s (3000);
  ask (bench);
  g_assert_null (try_grant (bench, "b", "", &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
}

/* A machine that slept, or was cut off for longer than the lease, could not be notified. */
static void
test_mute_but_asleep (Bench *bench, gconstpointer data)
{
  ask (bench);
  grant (bench, "b", "", 3600);
  muster_clock_suspend_us (3000 * (gint64) G_USEC_PER_SEC);
  ask (bench);
  grant (bench, "b", "", 3600);
  pass_s (20);
  assert_notified (bench, 200, .tag = "b");
}

static void
test_mute_but_cut_off (Bench *bench, gconstpointer data)
{
  ask (bench);
  grant (bench, "b", "", 3600);
  pass_s (4000);
  ask (bench);
  ask (bench); /* its first one was challenged */
  grant (bench, "b", "", 3600);
}

/* notifications */

static void
test_whose (Bench *bench, gconstpointer data)
{
  MusterSipInbound stray = { .call_id = (char *) "x" };

  guint answer = muster_sip_subscription_notify (bench->subscription, &stray, &bench->notice);

  g_assert_cmpuint (answer, ==, 481);
  ask (bench);
  assert_notified (bench, 481, .call_id = "other");
  assert_notified (bench, 481, .local_tag = "other");
  assert_notified (bench, 481, .event = "dialog");
  assert_notified (bench, 481, .event = "presence;id=7");
  assert_notified (bench, 200, .tag = "b");
  assert_notified (bench, 481, .tag = "c");
  assert_notified (bench, 200, .tag = "b", .cseq = 90);
  assert_notified (bench, 500, .tag = "b", .cseq = 90);
  assert_notified (bench, 500, .tag = "b", .cseq = 89);
  assert_notified (bench, 200, .tag = "b", .cseq = 91);
}

static void
test_pending (Bench *bench, gconstpointer data)
{
  ask (bench);
  grant (bench, "b", ROUTED, 1800);
  assert_notified (bench, 200, .state = "pending;expires=1800");
  g_assert_cmpint (bench->notice.state, ==, MUSTER_SIP_SUBSCRIPTION_PENDING);
  g_assert_cmpuint (bench->notice.left_s, ==, 0);
  assert_notified (bench, 200, .state = "active;expires=1799");
  g_assert_cmpint (bench->notice.state, ==, MUSTER_SIP_SUBSCRIPTION_ACTIVE);
  g_assert_cmpuint (bench->notice.left_s, ==, 0);
}

static void
test_shortened (Bench *bench, gconstpointer data)
{
  ask (bench);
  NOTIFY (bench, .state = "active;expires=60"); /* before it is granted, it shortens nothing */
  g_assert_cmpuint (bench->notice.left_s, ==, 0);
  grant (bench, "b", ROUTED, 1800);
  NOTIFY (bench, .state = "active;expires=60");
  g_assert_cmpuint (bench->notice.left_s, ==, 60);
  NOTIFY (bench, .state = "active;expires=9999"); /* only an answer makes it longer */
  g_assert_cmpuint (bench->notice.left_s, ==, 0);
  NOTIFY (bench, .state = "active;expires=0");
  g_assert_cmpuint (bench->notice.left_s, ==, 0);
  pass_s (61);
  g_assert_false (muster_sip_subscription_is_there (bench->subscription));
}

typedef struct {
  const char *state;
  MusterSipAgain again;
  guint after_s;
  gboolean rejected;
} Ending;

static void
test_endings (void)
{
  static const Ending rows[] = {
    { "terminated;reason=deactivated", MUSTER_SIP_AGAIN_NOW },
    { "terminated;reason=timeout", MUSTER_SIP_AGAIN_NOW },
    { "terminated;reason=probation;retry-after=300", MUSTER_SIP_AGAIN_LATER, 300 },
    { "terminated;reason=probation", MUSTER_SIP_AGAIN_LATER, 60 },
    { "terminated;reason=giveup;retry-after=1", MUSTER_SIP_AGAIN_LATER, 60 },
    { "terminated;reason=giveup;retry-after=999999", MUSTER_SIP_AGAIN_LATER, 3600 },
    { "terminated;reason=rejected", MUSTER_SIP_AGAIN_NEVER, 0, TRUE },
    { "terminated;reason=noresource", MUSTER_SIP_AGAIN_NEVER },
    { "terminated;reason=invariant", MUSTER_SIP_AGAIN_NEVER },
    { "terminated;reason=because", MUSTER_SIP_AGAIN_LATER, 60 },
    { "Terminated", MUSTER_SIP_AGAIN_LATER, 60 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    Bench bench = { NULL };
    g_autofree char *call_id = NULL;

    set_up (&bench, NULL);
    ask (&bench);
    call_id = g_strdup (bench.request->call_id);
    grant (&bench, "b", ROUTED, 1800);
    assert_notified (&bench, 200, .state = rows[i].state);
    g_assert_true (bench.notice.is_news);
    g_assert_cmpint (bench.notice.state, ==, MUSTER_SIP_SUBSCRIPTION_TERMINATED);
    g_assert_cmpint (bench.notice.again, ==, rows[i].again);
    g_assert_cmpuint (bench.notice.after_s, ==, rows[i].after_s);
    g_assert_cmpint (bench.notice.rejected, ==, rows[i].rejected);
    g_assert_false (muster_sip_subscription_is_there (bench.subscription));
    assert_notified (&bench, 481, .cseq = 99);
    ask (&bench);
    g_assert_cmpstr (bench.request->call_id, !=, call_id);
    tear_down (&bench, NULL);
  }
}

/* A server that ends each one at once does not keep us busy. */
static void
test_endless_endings (Bench *bench, gconstpointer data)
{
  static const guint pauses_s[] = { 0, 120, 240, 480, 960, 1920, 3600, 3600 };

  for (gsize i = 0; i < G_N_ELEMENTS (pauses_s); i++) {
    ask (bench);
    grant (bench, "b", ROUTED, 1800);
    assert_notified (bench, 200, .state = "terminated;reason=deactivated");
    g_assert_cmpint (bench->notice.again, ==,
                     i == 0 ? MUSTER_SIP_AGAIN_NOW : MUSTER_SIP_AGAIN_LATER);
    g_assert_cmpuint (bench->notice.after_s, ==, pauses_s[i]);
    pass_s (pauses_s[i]);
  }

  pass_s (3 * 3600);
  ask (bench);
  grant (bench, "b", ROUTED, 1800);
  NOTIFY (bench, .state = "terminated;reason=deactivated");
  g_assert_cmpint (bench->notice.again, ==, MUSTER_SIP_AGAIN_NOW);
}

/* What a NOTIFY names must be fit to be sent to. */
static void
test_hostile_contact (Bench *bench, gconstpointer data)
{
  g_autofree char *name = g_strnfill (600, 'x');
  g_autofree char *long_contact = g_strdup_printf ("Contact: <sip:%s@ps.test>\r\n", name);
  const char *const headers[] = { "", "Contact: <http://ps.test>\r\n", long_contact };

  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++) {
    const char *contact = headers[i];

    ask (bench);
    assert_notified (bench, 200, .headers = contact);
    grant (bench, "b", "", 3600);
    ask (bench);
    g_assert_cmpstr (bench->request->request_uri, ==, BOB);
    g_assert_cmpuint (bench->request->cseq, ==, 1);
  }
}

#define ADD(path, func) g_test_add ("/sip/subscription/" path, Bench, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

  ADD ("first", test_first);
  ADD ("asked-again", test_asked_again);
  ADD ("extend", test_extend);
  ADD ("notify-first", test_notify_first);
  ADD ("run-out", test_run_out);
  ADD ("end", test_end);
  ADD ("moved", test_moved);
  ADD ("route-too-long", test_route_too_long);
  ADD ("route-too-long-in-answer", test_route_too_long_in_answer);
  ADD ("grants", test_grants);
  ADD ("too-brief/once", test_too_brief);
  ADD ("too-brief/nonsense", test_too_brief_nonsense);
  ADD ("forgotten", test_forgotten);
  g_test_add_func ("/sip/subscription/failures", test_failures);
  ADD ("mute", test_mute);
  ADD ("mute-but-asleep", test_mute_but_asleep);
  ADD ("mute-but-cut-off", test_mute_but_cut_off);
  ADD ("whose", test_whose);
  ADD ("pending", test_pending);
  ADD ("shortened", test_shortened);
  g_test_add_func ("/sip/subscription/endings", test_endings);
  ADD ("endless-endings", test_endless_endings);
  ADD ("hostile-contact", test_hostile_contact);

  return g_test_run ();
}
