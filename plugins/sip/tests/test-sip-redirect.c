/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-config.h"

/* Where a redirection leads an account: the request, the way, and whom a certificate must be for. */

static const struct {
  const char *transport;
  const char *server;
  const char *proxy;
  const char *contact;
  gboolean to_proxy;
  const char *request_uri; /* NULL: nobody goes there */
  const char *hop_host;
  guint16 hop_port;
  const char *tls_name;
} rows[] = {
  { "udp", "", "", "sip:b.test", FALSE, "sip:b.test", "b.test", 0, NULL },
  { "udp", "a.test", "", "sip:1234@B.test:5070;lr", FALSE, "sip:b.test:5070", "b.test", 5070,
    NULL },
  { "udp", "", "", "sip:[2001:db8::1]:5070", FALSE, "sip:[2001:db8::1]:5070", "2001:db8::1", 5070,
    NULL },
  { "udp", "", "", "sip:[2001:db8::1]", FALSE, "sip:[2001:db8::1]", "2001:db8::1", 0, NULL },
  { "udp", "", "", "sip:b.test:5070", TRUE, "sip:example.test", "b.test", 5070, NULL },
  /* the proxy that the account names takes it further */
  { "udp", "", "p.test:5090", "sip:b.test:5070", FALSE, "sip:b.test:5070", "p.test", 5090, NULL },
  { "udp", "", "p.test:5090", "sip:b.test:5070", TRUE, "sip:example.test", "b.test", 5070, NULL },
  { "tls", "a.test", "", "sip:b.test", FALSE, "sip:b.test", "b.test", 0, "b.test" },
  { "tls", "a.test", "", "sips:b.test", FALSE, "sip:b.test", "b.test", 0, "b.test" },
  { "tls", "a.test", "", "sip:192.0.2.1", FALSE, "sip:192.0.2.1", "192.0.2.1", 0, "a.test" },
  { "tls", "", "p.test", "sip:b.test", FALSE, "sip:b.test", "p.test", 0, "p.test" },
  { "udp", "", "", "sips:b.test", FALSE, NULL, NULL, 0, NULL },
  { "udp", "", "", "sip:b.test;transport=tls", FALSE, NULL, NULL, 0, NULL },
  { "tls", "", "", "sip:b.test;transport=udp", FALSE, NULL, NULL, 0, NULL },
  { "udp", "", "", "sip:b.test:0", FALSE, NULL, NULL, 0, NULL },
  { "udp", "", "", "sip:b test", FALSE, NULL, NULL, 0, NULL },
  { "udp", "", "", "sip:b.test\r\nX: y", FALSE, NULL, NULL, 0, NULL },
  { "udp", "", "", "sip:alice@", FALSE, NULL, NULL, 0, NULL },
  { "udp", "", "", "", FALSE, NULL, NULL, 0, NULL },
};

static void
test_redirect (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const MusterSipSettings settings = {
      .address = "alice@example.test",
      .server = rows[i].server,
      .outbound_proxy = rows[i].proxy,
      .transport = rows[i].transport,
      .expires_s = 600,
    };
    g_autoptr (GError) error = NULL;
    g_autoptr (MusterSipConfig) config = muster_sip_config_new (&settings, &error);
    g_autoptr (MusterSipConfig) other = NULL;

    g_test_message ("%s by %s", rows[i].contact, rows[i].transport);
    g_assert_no_error (error);
    other = muster_sip_config_redirect (config, rows[i].contact, rows[i].to_proxy, &error);
    if (rows[i].request_uri == NULL) {
      g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
      g_assert_null (other);
      continue;
    }
    g_assert_no_error (error);
    g_assert_cmpstr (other->request_uri, ==, rows[i].request_uri);
    g_assert_cmpstr (other->hop_host, ==, rows[i].hop_host);
    g_assert_cmpuint (other->hop_port, ==, rows[i].hop_port);
    g_assert_cmpstr (other->tls_name, ==, rows[i].tls_name);
    g_assert_cmpstr (other->aor, ==, "sip:alice@example.test");
    g_assert_cmpstr (other->auth_user, ==, "alice");
    g_assert_cmpuint (other->expires_s, ==, 600);
  }
}

#define PLATFORM "34020000002000000001"
#define ANOTHER  "34020000002000000002"

/* From a platform that has a name to another, by its name or without. */
static void
test_platform (void)
{
  static const struct {
    const char *server_id;
    const char *contact;
    gboolean to_proxy;
    const char *request_uri;
  } platforms[] = {
    { PLATFORM, "sip:" ANOTHER "@192.0.2.9:5070", FALSE, "sip:" ANOTHER "@192.0.2.9:5070" },
    { PLATFORM, "sip:192.0.2.9", FALSE, "sip:" PLATFORM "@192.0.2.9" },
    { PLATFORM, "sip:1234@[2001:db8::1]:5070", FALSE, "sip:" PLATFORM "@[2001:db8::1]:5070" },
    { PLATFORM, "sip:192.0.2.9;x=" ANOTHER "@", FALSE, "sip:" PLATFORM "@192.0.2.9" },
    { PLATFORM, "sip:" ANOTHER "@192.0.2.9", TRUE, "sip:" PLATFORM "@3402000000" },
    { NULL, "sip:" ANOTHER "@192.0.2.9", FALSE, "sip:192.0.2.9" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (platforms); i++) {
    const MusterSipSettings settings = { .address = "34020000001320000001@3402000000",
                                         .server = "192.0.2.1",
                                         .profile = "gb28181",
                                         .server_id = platforms[i].server_id };
    g_autoptr (GError) error = NULL;
    g_autoptr (MusterSipConfig) config = muster_sip_config_new (&settings, &error);
    g_autoptr (MusterSipConfig) other = NULL;
    g_autoptr (MusterSipConfig) third = NULL;

    g_assert_no_error (error);
    other = muster_sip_config_redirect (config, platforms[i].contact, platforms[i].to_proxy,
                                        &error);
    g_assert_no_error (error);
    g_assert_cmpstr (other->request_uri, ==, platforms[i].request_uri);
    g_assert_true (other->takes_documents);

    third = muster_sip_config_redirect (other, "sip:192.0.2.10", TRUE, &error);
    g_assert_cmpstr (third->request_uri, ==, platforms[i].request_uri);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sip/redirect", test_redirect);
  g_test_add_func ("/sip/redirect/platform", test_platform);

  return g_test_run ();
}
