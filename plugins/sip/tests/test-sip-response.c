/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-challenge.h"
#include "muster-sip-config.h"
#include "muster-sip-grant.h"
#include "muster-sip-heartbeat.h"
#include "muster-sip-response.h"
#include "muster-sip-wire.h"

/* What answers mean: the table of statuses, the lease in a 2xx, and messages as servers write them. */

/* the table of statuses */

/* A letter for each error code, in the order of the enum. */
static char
letter (MusterError error)
{
  return "ubRFCEtnIUP"[error];
}

/* 300 to 699 without credentials, with them, and with Retry-After; what is not listed is PROTOCOL
 * (4xx), UNREACHABLE (5xx, BUSY if it says when) or BUSY (6xx). */
static const struct {
  guint status;
  const char *expected;
} statuses[] = {
  { 300, "UUU" }, { 301, "UUU" }, { 302, "UUU" }, { 305, "UUU" }, { 380, "UUU" }, { 400, "PPP" },
  { 401, "RRR" }, { 402, "FFF" }, { 403, "FRF" }, { 404, "FFF" }, { 405, "UUU" }, { 406, "UUU" },
  { 407, "RRR" }, { 408, "uuu" }, { 410, "FFF" }, { 413, "PPb" }, { 415, "UUU" }, { 416, "UUU" },
  { 420, "UUU" }, { 421, "UUU" }, { 423, "PPP" }, { 430, "uuu" }, { 439, "UUU" }, { 480, "uub" },
  { 484, "FFF" }, { 486, "bbb" }, { 488, "UUU" }, { 489, "UUU" }, { 491, "bbb" }, { 494, "UUU" },
  { 500, "uub" }, { 501, "UUU" }, { 502, "uuu" }, { 503, "bbb" }, { 504, "uuu" }, { 505, "UUU" },
  { 513, "PPP" }, { 555, "UUU" }, { 600, "bbb" }, { 603, "FFb" }, { 604, "FFF" }, { 606, "UUU" },
  { 607, "FFF" }, { 608, "FFF" },
};

static const char *
expected_for (guint status)
{
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++) {
    if (statuses[i].status == status)
      return statuses[i].expected;
  }
  switch (status / 100) {
  case 3:
    return "UUU";
  case 5:
    return "uub";
  case 6:
    return "bbb";
  default:
    return "PPP";
  }
}

static void
test_statuses (void)
{
  for (guint status = 0; status < 1100; status++) {
    char got[4] = { letter (muster_sip_status_to_error (status, FALSE, FALSE)),
                    letter (muster_sip_status_to_error (status, TRUE, FALSE)),
                    letter (muster_sip_status_to_error (status, FALSE, TRUE)), '\0' };
    const char *expected = status < 300 || status > 699 ? "PPP" : expected_for (status);

    if (!g_str_equal (got, expected))
      g_error ("%u gives %s instead of %s", status, got, expected);
  }
}

static void
test_error_details (void)
{
  g_autoptr (MusterSipResponse) busy = muster_sip_response_new (503, "Come\r\nback \xff later");
  g_autoptr (MusterSipResponse) forbidden = muster_sip_response_new (403, "No");
  g_autoptr (GError) error = NULL;

  busy->retry_after_s = 30;
  error = muster_sip_response_to_error (busy, MUSTER_STEP_REGISTER, TRUE, TRUE);
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_cmpint (muster_error_get_step (error), ==, MUSTER_STEP_REGISTER);
  g_assert_cmpuint (muster_error_get_protocol_code (error), ==, 503);
  g_assert_cmpuint (muster_error_get_retry_after_s (error), ==, 30);
  g_assert_null (strpbrk (muster_error_get_server_text (error), "\r\n"));
  g_clear_error (&error);

  error = muster_sip_response_to_error (forbidden, MUSTER_STEP_REGISTER, TRUE, TRUE);
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
  g_assert_cmpint (muster_error_get_step (error), ==, MUSTER_STEP_AUTHENTICATE);
}

/* the lease in a 2xx */

#define TOKEN    "00112233445566aa"
#define INSTANCE "urn:uuid:6b5d1c9e-0c5f-4f0e-8d5b-1a7a3f1f2b11"
#define OWN_URI  "sip:" TOKEN "@192.0.2.7:40000"

/* The Contact headers of an answer (NULL: none) and its other headers; what we get. 600 was asked
 * for. */
static const struct {
  const char *name;
  const char *headers;
  guint lease_s;
  const char *uri;
} grants[] = {
  { "ours", "Contact: <" OWN_URI ">;expires=120\r\n", 120, OWN_URI },
  { "ours among others",
    "Contact: <sip:x@192.0.2.1>;expires=9, <" OWN_URI
    ">;expires=120, <sip:y@192.0.2.2>;expires=8\r\n",
    120, OWN_URI },
  { "parameter before header", "Contact: <" OWN_URI ">;expires=120\r\nExpires: 300\r\n", 120,
    OWN_URI },
  { "ours without parameter", "Contact: <" OWN_URI ">\r\nExpires: 300\r\n", 300, OWN_URI },
  { "ours without anything", "Contact: <" OWN_URI ">\r\n", 600, OWN_URI },
  { "host rewritten",
    "Contact: <sip:x@192.0.2.1>;expires=9, <sip:" TOKEN "@203.0.113.9:1025>;expires=77\r\n", 77,
    "sip:" TOKEN "@203.0.113.9:1025" },
  { "token escaped", "Contact: <sip:%300112233445566aa@203.0.113.9>;expires=77\r\n", 77,
    "sip:" TOKEN "@203.0.113.9" },
  { "user rewritten, instance kept",
    "Contact: <sip:x@192.0.2.1>;expires=9, <sip:gw@203.0.113.9>;+sip.instance=\"<" INSTANCE
    ">\";expires=66\r\n",
    66, "sip:gw@203.0.113.9" },
  { "another instance is not ours",
    "Contact: <sip:a@192.0.2.1>;+sip.instance=\"<urn:uuid:0>\";expires=9, "
    "<sip:b@192.0.2.2>;expires=8\r\n"
    "Expires: 300\r\n",
    300, OWN_URI },
  { "token before instance",
    "Contact: <sip:gw@203.0.113.9>;+sip.instance=\"<" INSTANCE ">\";expires=66, <sip:" TOKEN
    "@203.0.113.9>;expires=55\r\n",
    55, "sip:" TOKEN "@203.0.113.9" },
  { "old one listed with nothing left",
    "Contact: <sip:" TOKEN "@192.0.2.7:39999>;expires=0, <" OWN_URI ">;expires=50\r\n", 50,
    OWN_URI },
  { "old one listed and ours rewritten",
    "Contact: <sip:" TOKEN "@192.0.2.7:39999>;expires=0, <sip:" TOKEN
    "@203.0.113.9>;expires=50\r\n",
    50, "sip:" TOKEN "@203.0.113.9" },
  { "single foreign one", "Contact: <sip:gzj@172.16.163.3:7000>\r\n", 600,
    "sip:gzj@172.16.163.3:7000" },
  { "single foreign one with time", "Contact: <sip:gzj@172.16.163.3:7000>;expires=44\r\n", 44,
    "sip:gzj@172.16.163.3:7000" },
  { "two foreign ones",
    "Contact: <sip:a@192.0.2.1>;expires=9\r\nContact: <sip:b@192.0.2.2>;expires=8\r\n", 600,
    OWN_URI },
  { "no contact, header", "Expires: 300\r\n", 300, OWN_URI },
  { "nothing", "", 600, OWN_URI },
  { "ours with no time", "Contact: <" OWN_URI ">;expires=0\r\n", 0, OWN_URI },
  { "no time for anybody", "Expires: 0\r\n", 0, OWN_URI },
  { "nonsense in the parameter", "Contact: <" OWN_URI ">;expires=abc\r\nExpires: 300\r\n", 300,
    OWN_URI },
  { "too long", "Contact: <" OWN_URI ">;expires=99999999999999999999\r\n", MUSTER_SIP_MAX_LEASE_S,
    OWN_URI },
  { "star", "Contact: *\r\nExpires: 300\r\n", 300, OWN_URI },
};

static MusterSipResponse *
parse (const char *status_line, const char *headers)
{
  g_autofree char *text = NULL;

  text = g_strdup_printf ("%s\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.7:40000;branch=z9hG4bK1;rport=40000\r\n"
                          "From: <sip:alice@example.test>;tag=1\r\n"
                          "To: <sip:alice@example.test>;tag=2\r\n"
                          "Call-ID: 1\r\n"
                          "CSeq: 1 REGISTER\r\n"
                          "%s"
                          "Content-Length: 0\r\n\r\n",
                          status_line, headers);
  return muster_sip_wire_parse_response (text, strlen (text));
}

static void
test_grants (void)
{
  static const MusterSipOwnBinding own = { OWN_URI, TOKEN, INSTANCE, 600 };

  for (gsize i = 0; i < G_N_ELEMENTS (grants); i++) {
    g_autoptr (MusterSipResponse) response = parse ("SIP/2.0 200 OK", grants[i].headers);
    MusterSipGrant grant;

    if (response == NULL)
      g_error ("%s: cannot be read", grants[i].name);
    grant = muster_sip_grant_read (response, &own);
    if (grant.lease_s != grants[i].lease_s || !g_str_equal (grant.uri, grants[i].uri))
      g_error ("%s: %u s for %s", grants[i].name, grant.lease_s, grant.uri);
  }
}

/* messages as servers write them */

/* The 401 of a registrar of 2015, with its folded Via and its blanks. */
static void
test_folded_via (void)
{
  static const char text[] =
    "SIP/2.0 401 Unauthorized \r\n"
    "Via:SIP/2.0/UDP \r\n"
    " 127.0.0.1:7000;rport=7000;branch=z9hG4bK17245;received=172.16.163.3 \r\n"
    "From: gzj <sip:gzj@telecom.example:7000>;tag=12103 \r\n"
    "To: gzj <sip:gzj@telecom.example:7000>;tag=41 \r\n"
    "Call-ID: 6565@172.16.163.3 \r\n"
    "CSeq: 1 REGISTER \r\n"
    "Contact: <sip:gzj@172.16.163.3:7000> \r\n"
    "WWW-Authenticate:  Digest  realm=\"kedacom.example\", \r\n"
    " nonce=\"00000000000000000000000000018467\", \r\n"
    " opaque=\"00000000000000000000000000006334\", qop=\"auth,auth-int\" \r\n"
    "User-Agent: TELECOM ncsip/1.0 \r\n"
    "Date: 2026-03-01T12:00:00.000\r\n"
    "Content-Length: 0\r\n\r\n";
  g_autoptr (MusterSipResponse) response = muster_sip_wire_parse_response (text, strlen (text));
  g_autoptr (MusterSipChallenge) challenge = NULL;

  g_assert_nonnull (response);
  g_assert_cmpuint (response->status, ==, 401);
  challenge = muster_sip_challenge_choose ((const char *const *) response->www_challenges->pdata,
                                           NULL);
  g_assert_nonnull (challenge);
  g_assert_cmpstr (challenge->realm, ==, "kedacom.example");
  g_assert_cmpstr (challenge->opaque, ==, "00000000000000000000000000006334");
  g_assert_cmpint (challenge->qop, ==, MUSTER_SIP_QOP_AUTH);
}

static void
test_headers (void)
{
  g_autoptr (MusterSipResponse) response = NULL;
  g_autofree char *nextnonce = NULL;

  response = parse ("SIP/2.0 401 Who",
                    "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", algorithm=MD5, Digest "
                    "realm=\"b\", nonce=\"2\", algorithm=SHA-256\r\n"
                    "WWW-Authenticate: Digest realm=\"c\", nonce=\"3\"\r\n"
                    "Proxy-Authenticate: Digest realm=\"d\", nonce=\"4\"\r\n"
                    "Min-Expires: 1800\r\n"
                    "Retry-After: 17 (busy);duration=3\r\n"
                    "Authentication-Info: nextnonce=\"n2\"\r\n");
  g_assert_nonnull (response);
  g_assert_cmpuint (response->www_challenges->len, ==, 2 + 1); /* and the NULL */
  g_assert_cmpuint (response->proxy_challenges->len, ==, 1 + 1);
  g_assert_cmpint (response->min_expires_s, ==, 1800);
  g_assert_cmpint (response->retry_after_s, ==, 17);
  g_assert_cmpint (response->expires_s, ==, -1);
  nextnonce = muster_sip_challenge_dup_nextnonce (response->authentication_info);
  g_assert_cmpstr (nextnonce, ==, "n2");

  {
    g_autoptr (MusterSipChallenge) strongest =
      muster_sip_challenge_choose ((const char *const *) response->www_challenges->pdata, NULL);

    g_assert_cmpstr (strongest->realm, ==, "b");
  }
}

/* Headers; the service route and the associated URIs that we read, joined by blanks. */
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_512                                                                                   \
  "sip:" LONG LONG LONG LONG LONG LONG LONG                                                        \
  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"                                          \
  "@b.test"
static const struct {
  const char *headers;
  const char *service_route;
  const char *associated_uris;
} addresses[] = {
  { "", "", "" },
  { "Service-Route: <sip:a.test;lr>\r\n", "<sip:a.test;lr>", "" },
  { "Service-Route: <sip:a.test;lr>, <sip:b.test:5070;lr>;x=\"1,2\"\r\n"
    "Service-Route: \"c, d\" <sips:c.test;lr>\r\n",
    "<sip:a.test;lr> <sip:b.test:5070;lr>;x=\"1,2\" <sips:c.test;lr>", "" },
  { "Service-Route: <sip:1>,<sip:2>,<sip:3>,<sip:4>,<sip:5>,<sip:6>,<sip:7>,<sip:8>\r\n",
    "<sip:1> <sip:2> <sip:3> <sip:4> <sip:5> <sip:6> <sip:7> <sip:8>", "" },
  /* one hop too many: none */
  { "Service-Route: <sip:1>,<sip:2>,<sip:3>,<sip:4>,<sip:5>,<sip:6>,<sip:7>,<sip:8>,<sip:9>\r\n",
    "", "" },
  { "Service-Route: <sip:a.test;lr>,\r\n <sip:b.test;lr>\r\n", "<sip:a.test;lr> <sip:b.test;lr>",
    "" },
  { "Service-Route: <sip:a.test>, <" LONG_512 "x>\r\n", "", "" },
  { "Service-Route: <sip:a.test>, <sip:caf\351@b.test>\r\n", "", "" },
  { "Service-Route: <sip:a.test>, <sip:b.test>;x=\"a\001b\"\r\n", "", "" },
  { "Service-Route: <sip:a.test>\r\nService-Route: <sip:b.test\r\n", "", "" },
  { "Retry-After: 17 (later)\r\nRetry-After: 17 (later);duration=3\r\nService-Route: "
    "<sip:a.test>\r\n",
    "<sip:a.test>", "" },
  { "Expires: 1\r\nExpires: 2\r\nMin-Expires: 1\r\nMin-Expires: 2\r\nService-Route: "
    "<sip:b.test\r\n",
    "", "" },
  { "P-Associated-URI: <sip:a@b.test>\r\n", "", "sip:a@b.test" },
  { "p-associated-uri: \"A, B\" <sip:a@b.test>;x=1, <tel:+15550100>\r\n"
    "P-Associated-URI: sip:c@d.test\r\n",
    "", "sip:a@b.test tel:+15550100 sip:c@d.test" },
  { "P-Associated-URI: <sip:a@b.test>,\r\n <sip:c@d.test>\r\n", "", "sip:a@b.test sip:c@d.test" },
  { "P-Associated-URI: <sip:1>,<sip:2>,<sip:3>,<sip:4>,<sip:5>,<sip:6>,<sip:7>,<sip:8>,<sip:9>\r\n",
    "", "sip:1 sip:2 sip:3 sip:4 sip:5 sip:6 sip:7 sip:8" },
  { "P-Associated-URI: <" LONG_512 ">\r\n", "", LONG_512 },
  { "P-Associated-URI: <" LONG_512 "x>, <sip:caf\351@b.test>, <sip:a@b.test>\r\n", "",
    "sip:a@b.test" },
  { "P-Associated-URI: <\r\nP-Associated-URI: \r\n", "", "" },
};

static void
test_addresses (void)
{
  g_assert_cmpuint (strlen (LONG_512), ==, MUSTER_SIP_MAX_ADDRESS_BYTES);

  for (gsize i = 0; i < G_N_ELEMENTS (addresses); i++) {
    g_autoptr (MusterSipResponse) response = parse ("SIP/2.0 200 OK", addresses[i].headers);
    g_autofree char *service_route = NULL;
    g_autofree char *associated_uris = NULL;

    if (response == NULL)
      g_error ("%s: cannot be read", addresses[i].headers);
    if (response->service_route != NULL)
      service_route = g_strjoinv (" ", response->service_route);
    if (response->associated_uris != NULL)
      associated_uris = g_strjoinv (" ", response->associated_uris);
    if (!g_str_equal (service_route != NULL ? service_route : "", addresses[i].service_route) ||
        !g_str_equal (associated_uris != NULL ? associated_uris : "", addresses[i].associated_uris))
      g_error ("%s: '%s', '%s'", addresses[i].headers, service_route, associated_uris);
  }
}

/* The Via of an answer, and what is read of it. */
static const struct {
  const char *via;
  const char *received; /* NULL: none */
  guint rport;
} vias[] = {
  { "SIP/2.0/UDP a.test:5060;branch=z9hG4bK1", NULL, 0 },
  { "SIP/2.0/UDP a.test:5060;branch=z9hG4bK1;rport", NULL, 0 },
  { "SIP/2.0/UDP a.test;branch=z9hG4bK1;rport=1025;received=203.0.113.9", "203.0.113.9", 1025 },
  { "SIP/2.0/UDP a.test;received=2001:db8::9;branch=z9hG4bK1;rport=65535", "2001:db8::9", 65535 },
  { "SIP/2.0/UDP a.test;received=[2001:db8::9];branch=z9hG4bK1", "[2001:db8::9]", 0 },
  { "SIP/2.0/UDP a.test;branch=z9hG4bK1;rport=1, SIP/2.0/UDP b.test;branch=z9hG4bK2;rport=2", NULL,
    1 },
  { "SIP/2.0/UDP a.test;branch=z9hG4bK1;rport=0", NULL, 0 },
  { "SIP/2.0/UDP a.test;branch=z9hG4bK1;rport=65536", NULL, 0 },
  { "SIP/2.0/UDP a.test;branch=z9hG4bK1;rport=1x", NULL, 0 },
  { "SIP/2.0/UDP a.test;branch=z9hG4bK1;received=" LONG, LONG, 0 },
  { "SIP/2.0/UDP a.test;branch=z9hG4bK1;received=" LONG "x", NULL, 0 },
};

static void
test_vias (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (vias); i++) {
    g_autoptr (MusterSipResponse) response = NULL;
    g_autofree char *text = NULL;

    text = g_strdup_printf ("SIP/2.0 200 OK\r\nVia: %s\r\n"
                            "From: <sip:alice@example.test>;tag=1\r\n"
                            "To: <sip:alice@example.test>;tag=2\r\n"
                            "Call-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
                            vias[i].via);
    response = muster_sip_wire_parse_response (text, strlen (text));
    if (response == NULL)
      g_error ("%s: cannot be read", vias[i].via);
    if (g_strcmp0 (response->received, vias[i].received) != 0 || response->rport != vias[i].rport)
      g_error ("%s: %s %u", vias[i].via, response->received, response->rport);
  }
}

/* Headers; options offered, options refused, and the Flow-Timer. */
static const struct {
  const char *headers;
  MusterSipOptions offered;
  MusterSipOptions unsupported;
  gint64 flow_timer_s;
} extensions[] = {
  { "", 0, 0, -1 },
  { "Supported: timer\r\n", 0, 0, -1 },
  { "Supported: timer, Outbound\r\n", MUSTER_SIP_OPTION_OUTBOUND, 0, -1 },
  { "k: path\r\nSupported: outbound\r\n", MUSTER_SIP_ALL_OPTIONS, 0, -1 },
  { "Require: outbound\r\n", MUSTER_SIP_OPTION_OUTBOUND, 0, -1 },
  { "Require: gruu,\r\n outbound\r\nSupported: path\r\n", MUSTER_SIP_ALL_OPTIONS, 0, -1 },
  { "Unsupported: outbound\r\n", 0, MUSTER_SIP_OPTION_OUTBOUND, -1 },
  { "Unsupported: path\r\nUnsupported: gruu, outbound\r\n", 0, MUSTER_SIP_ALL_OPTIONS, -1 },
  { "Unsupported: outbounds, xpath\r\n", 0, 0, -1 },
  { "Flow-Timer: 120\r\n", 0, 0, 120 },
  { "flow-timer:  25 \r\nFlow-Timer: 99\r\n", 0, 0, 25 },
  { "Flow-Timer: -1\r\n", 0, 0, -1 },
  { "Flow-Timer: 12x\r\n", 0, 0, -1 },
  { "Flow-Timer: \r\n", 0, 0, -1 },
  { "Flow-Timer: 99999999999999999999\r\n", 0, 0, G_MAXINT32 },
};

static void
test_extensions (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (extensions); i++) {
    g_autoptr (MusterSipResponse) response = parse ("SIP/2.0 200 OK", extensions[i].headers);

    if (response == NULL)
      g_error ("%s: cannot be read", extensions[i].headers);
    if (response->offered != extensions[i].offered ||
        response->unsupported != extensions[i].unsupported ||
        response->flow_timer_s != extensions[i].flow_timer_s)
      g_error ("%s: %u %u %" G_GINT64_FORMAT, extensions[i].headers, response->offered,
               response->unsupported, response->flow_timer_s);
  }
}

static void
test_garbage (void)
{
  static const char *const texts[] = {
    "x",
    "\r\n\r\n",
    "SIP/2.0 200 OK\r\n\r\n",
    "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
    "SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    "From: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n"
    "Content-Length: 0\r\n\r\n",
  };
  static const char with_nul[] = "SIP/2.0 200 O\0K\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\r\n";

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_null (muster_sip_wire_parse_response (texts[i], strlen (texts[i])));
  g_assert_null (muster_sip_wire_parse_response (with_nul, sizeof (with_nul) - 1));
  g_assert_null (muster_sip_wire_parse_response ("", 0));
}

/* what the user typed */

static const struct {
  MusterSipSettings settings;
  const char *expected; /* user domain auth-user hop port; NULL: refused */
} configs[] = {
  { { "alice@example.test", NULL, NULL, NULL, NULL, 0 },
    "alice example.test alice example.test 0" },
  { { "sip:alice@Example.TEST", "", "", "", "", 0 }, "alice example.test alice example.test 0" },
  { { "34020000001320000001@3402000000", NULL, NULL, "192.0.2.1:5061", NULL, 0 },
    "34020000001320000001 3402000000 34020000001320000001 192.0.2.1 5061" },
  { { "alice@example.test", NULL, "a l\"i", "pbx.example.test", NULL, 0 },
    "alice example.test a l\"i pbx.example.test 0" },
  { { "alice@example.test", NULL, NULL, "pbx.example.test", "sip:proxy.example.test:5070;lr", 0 },
    "alice example.test alice proxy.example.test 5070" },
  { { "alice@example.test", NULL, NULL, NULL, "<sip:[2001:db8::1]:5070;lr>", 0 },
    "alice example.test alice 2001:db8::1 5070" },
  { { "alice@[2001:db8::2]", NULL, NULL, NULL, NULL, 0 },
    "alice [2001:db8::2] alice 2001:db8::2 0" },
  { { "alice@example.test", NULL, NULL, "2001:db8::1", NULL, 0 },
    "alice example.test alice 2001:db8::1 0" },
  { { "alice", NULL, NULL, NULL, NULL, 0 }, NULL },
  { { "alice@", NULL, NULL, NULL, NULL, 0 }, NULL },
  { { "alice@example.test\r\nX: y", NULL, NULL, NULL, NULL, 0 }, NULL },
  { { "alice@example.test\n", NULL, NULL, NULL, NULL, 0 }, NULL },
  { { "al ice@example.test", NULL, NULL, NULL, NULL, 0 }, NULL },
  { { "<alice@example.test>", NULL, NULL, NULL, NULL, 0 }, NULL },
  { { "alice@exa<mple.test", NULL, NULL, NULL, NULL, 0 }, NULL },
  { { "alice@example.test", "Al\r\nice", NULL, NULL, NULL, 0 }, NULL },
  { { "alice@example.test", NULL, "al\nice", NULL, NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, "host:0", NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, "host:65536", NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, "host:50 60", NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, "ho st", NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, "host\r\nX: y", NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, "[2001:db8::1", NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, NULL, "sips:proxy.example.test", 0 }, NULL },
  { { "alice@example.test", NULL, NULL, NULL, "sip:proxy.example.test;transport=tcp", 0 }, NULL },
  /* a number is an IPv4 address to a resolver: somebody else's */
  { { "34020000001320000001@3402000000", NULL, NULL, NULL, NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, "3402000000", NULL, 0 }, NULL },
  { { "alice@example.test", NULL, NULL, NULL, "3402000000:5060", 0 }, NULL },
  { { "alice@example.test", NULL, NULL, "127.1", NULL, 0 }, NULL },
};

static void
test_configs (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (MusterSipConfig) config = muster_sip_config_new (&configs[i].settings, &error);
    g_autofree char *got = NULL;

    if (configs[i].expected == NULL) {
      g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
      g_assert_cmpint (muster_error_get_step (error), ==, MUSTER_STEP_CONFIGURE);
      continue;
    }
    g_assert_no_error (error);
    got = g_strdup_printf ("%s %s %s %s %u", config->user, config->domain, config->auth_user,
                           config->hop_host, config->hop_port);
    g_assert_cmpstr (got, ==, configs[i].expected);
  }
}

#define PLATFORM "34020000002000000001"

/* What the profile says, and what the account says first. */
static const struct {
  const char *address;
  const char *profile;
  guint expires_s;
  int heartbeat_s;
  const char *expected; /* expires, heartbeat, retry floor; NULL: refused */
} profiles[] = {
  { "alice@pbx.test", NULL, 0, -1, "600 0 0" },
  { "alice@pbx.test", "", 0, -1, "600 0 0" },
  { "alice@pbx.test", "standard", 0, -1, "600 0 0" },
  { "alice@pbx.test", "standard", 30, 20, "30 20 0" },
  { "34020000001320000001@pbx.test", "gb28181", 0, -1, "86400 60 60" },
  { "sip:34020000001320000001@pbx.test", "gb28181", 3600, 0, "3600 0 60" },
  { "34020000001320000001@pbx.test", "gb28181", 120, 15, "120 15 60" },
  { "34020000001320000001@pbx.test", "GB28181", 0, -1, NULL },
  { "3402000000132000001@pbx.test", "gb28181", 0, -1, NULL },
  { "340200000013200000011@pbx.test", "gb28181", 0, -1, NULL },
  { "3402000000132000000a@pbx.test", "gb28181", 0, -1, NULL },
  { "alice@pbx.test", "gb28181", 0, -1, NULL },
};

static void
test_profiles (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (profiles); i++) {
    const MusterSipSettings settings = { .address = profiles[i].address,
                                         .profile = profiles[i].profile,
                                         .expires_s = profiles[i].expires_s,
                                         .heartbeat_s = profiles[i].heartbeat_s };
    g_autoptr (GError) error = NULL;
    g_autoptr (MusterSipConfig) config = muster_sip_config_new (&settings, &error);
    g_autoptr (MusterSipConfig) elsewhere = NULL;
    const MusterSipConfig *either[2];

    if (profiles[i].expected == NULL) {
      g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
      continue;
    }
    g_assert_no_error (error);
    elsewhere = muster_sip_config_redirect (config, "sip:192.0.2.9", FALSE, &error);
    g_assert_no_error (error);
    either[0] = config;
    either[1] = elsewhere;
    for (guint j = 0; j < 2; j++) {
      g_autofree char *got = g_strdup_printf ("%u %u %u", either[j]->expires_s,
                                              either[j]->heartbeat_s, either[j]->retry_floor_s);

      g_assert_cmpstr (got, ==, profiles[i].expected);
    }
  }
}

/* The platform by its own name. */
static const struct {
  const char *domain;
  const char *profile;
  const char *server_id;
  const char *request_uri; /* NULL: refused */
  const char *complaint;
} platforms[] = {
  { "3402000000", "gb28181", NULL, "sip:3402000000", NULL },
  { "3402000000", "gb28181", "", "sip:3402000000", NULL },
  { "3402000000", "gb28181", PLATFORM, "sip:" PLATFORM "@3402000000", NULL },
  { "pbx.test", "gb28181", PLATFORM, "sip:" PLATFORM "@pbx.test", NULL },
  { "pbx.test", "gb28181", "3402000000200000000", NULL, "server-id is not of 20 digits" },
  { "pbx.test", "gb28181", PLATFORM "1", NULL, "server-id is not of 20 digits" },
  { "pbx.test", "gb28181", "3402000000200000000a", NULL, "server-id is not of 20 digits" },
  { "pbx.test", "standard", PLATFORM, NULL, "server-id is for profile gb28181 only" },
  { "pbx.test", NULL, PLATFORM, NULL, "server-id is for profile gb28181 only" },
};

static void
test_server_id (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (platforms); i++) {
    g_autofree char *address = g_strdup_printf ("34020000001320000001@%s", platforms[i].domain);
    const MusterSipSettings settings = { .address = address,
                                         .server = "192.0.2.1",
                                         .profile = platforms[i].profile,
                                         .server_id = platforms[i].server_id };
    g_autoptr (GError) error = NULL;
    g_autoptr (MusterSipConfig) config = muster_sip_config_new (&settings, &error);

    if (platforms[i].request_uri == NULL) {
      g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, platforms[i].complaint));
      continue;
    }
    g_assert_no_error (error);
    g_assert_cmpstr (config->request_uri, ==, platforms[i].request_uri);
    g_assert_cmpstr (config->hop_host, ==, "192.0.2.1");
  }
}

/* what an answer to a heartbeat says */

static void
test_beats (void)
{
  static const struct {
    guint status; /* 0: none came */
    MusterSipBeat beat;
  } answers[] = {
    { 0, MUSTER_SIP_BEAT_MISSED },      { 300, MUSTER_SIP_BEAT_COMPLAINT },
    { 400, MUSTER_SIP_BEAT_COMPLAINT }, { 401, MUSTER_SIP_BEAT_COMPLAINT },
    { 403, MUSTER_SIP_BEAT_COMPLAINT }, { 408, MUSTER_SIP_BEAT_MISSED },
    { 480, MUSTER_SIP_BEAT_COMPLAINT }, { 500, MUSTER_SIP_BEAT_COMPLAINT },
    { 503, MUSTER_SIP_BEAT_MISSED },    { 504, MUSTER_SIP_BEAT_COMPLAINT },
    { 603, MUSTER_SIP_BEAT_COMPLAINT },
  };
  g_autoptr (GError) no_keyring = muster_error_new (MUSTER_ERROR_NEEDS_USER, MUSTER_STEP_SECRET,
                                                    "the keyring is locked");

  g_assert_cmpint (muster_sip_heartbeat_judge (NULL), ==, MUSTER_SIP_BEAT_HEARD);
  g_assert_cmpint (muster_sip_heartbeat_judge (no_keyring), ==, MUSTER_SIP_BEAT_NOT_SENT);
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++) {
    g_autoptr (MusterSipResponse) response = muster_sip_response_new (answers[i].status, "No");
    g_autoptr (GError)
      error = answers[i].status == 0
                ? muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT, "nobody there")
                : muster_sip_response_to_error (response, MUSTER_STEP_NONE, FALSE, TRUE);

    g_assert_cmpint (muster_sip_heartbeat_judge (error), ==, answers[i].beat);
  }
}

static void
test_beat_body (void)
{
  g_autofree char *body = muster_sip_heartbeat_dup_body ("a&b<c", 7);

  g_assert_nonnull (strstr (body, "<SN>7</SN>"));
  g_assert_nonnull (strstr (body, "<DeviceID>a&amp;b&lt;c</DeviceID>"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sip/response/statuses", test_statuses);
  g_test_add_func ("/sip/response/error-details", test_error_details);
  g_test_add_func ("/sip/response/grants", test_grants);
  g_test_add_func ("/sip/response/folded-via", test_folded_via);
  g_test_add_func ("/sip/response/headers", test_headers);
  g_test_add_func ("/sip/response/addresses", test_addresses);
  g_test_add_func ("/sip/response/extensions", test_extensions);
  g_test_add_func ("/sip/response/vias", test_vias);
  g_test_add_func ("/sip/response/garbage", test_garbage);
  g_test_add_func ("/sip/config", test_configs);
  g_test_add_func ("/sip/config/profiles", test_profiles);
  g_test_add_func ("/sip/config/server-id", test_server_id);
  g_test_add_func ("/sip/heartbeat/beats", test_beats);
  g_test_add_func ("/sip/heartbeat/body", test_beat_body);
  return g_test_run ();
}
