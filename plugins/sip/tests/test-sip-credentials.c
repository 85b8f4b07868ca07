/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "refresher-fixture.h"

/* Passwords, challenges and their nonces, as the refresher uses them. */

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, data, test) g_test_add (path, Bench, data, bench_set_up, test, bench_tear_down)

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

  return g_test_run ();
}
