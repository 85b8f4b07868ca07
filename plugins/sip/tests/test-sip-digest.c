/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-challenge.h"
#include "muster-sip-credentials.h"

/* Examples from the RFCs, and a grid of all that a server can ask for, computed with Python's hashlib
 * for alice : cms.realm : a password with colons, quotes and UTF-8. */

typedef struct {
  const char *rfc;
  const char *algorithm;
  const char *realm;
  const char *password;
  const char *nonce;
  const char *cnonce;
  const char *response;
} Example;

#define RFC_7616_NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define RFC_7616_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static const Example examples[] = {
  { "RFC 2617 section 3.5", NULL, "testrealm@host.com", "Circle Of Life",
    "dcd98b7102dd2f0e8b11d0f600bfb0c093", "0a4f113b", "6629fae49393a05397450978507c4ef1" },
  { "RFC 7616 section 3.9.1", "MD5", "http-auth@example.org", "Circle of Life", RFC_7616_NONCE,
    RFC_7616_CNONCE, "8ca523f5e9506fed4657c9700eebdbec" },
  { "RFC 7616 section 3.9.1", "SHA-256", "http-auth@example.org", "Circle of Life", RFC_7616_NONCE,
    RFC_7616_CNONCE, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
};

static void
test_examples (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (examples); i++) {
    const Example *e = &examples[i];
    g_autoptr (MusterSecret) password = muster_secret_new (e->password, strlen (e->password));
    MusterSipDigest digest = { .qop = MUSTER_SIP_QOP_AUTH,
                               .nonce = e->nonce,
                               .cnonce = e->cnonce,
                               .nonce_count = 1,
                               .method = "GET",
                               .uri = "/dir/index.html" };
    char ha1[MUSTER_SIP_DIGEST_HEX_SIZE];
    char response[MUSTER_SIP_DIGEST_HEX_SIZE];

    g_assert_true (muster_sip_algorithm_parse (e->algorithm, &digest.algorithm));
    muster_sip_digest_ha1 (digest.algorithm.hash, "Mufasa", e->realm, password, ha1);
    digest.ha1 = ha1;
    muster_sip_digest_response (&digest, response);
    g_assert_cmpstr (response, ==, e->response);
  }
}

static const struct {
  const char *algorithm;
  MusterSipQop qop;
  const char *response;
} grid[] = {
  { "MD5", MUSTER_SIP_QOP_NONE, "17f742d6050e4bb61a28cdf456381480" },
  { "MD5", MUSTER_SIP_QOP_AUTH, "c48a083a6a2b84f8696d58588c3bee56" },
  { "MD5", MUSTER_SIP_QOP_AUTH_INT, "05d291fc8f968799de4d00358e40fc17" },
  { "MD5-sess", MUSTER_SIP_QOP_NONE, "ee71a39c13f0e076c3bdcd17956bd016" },
  { "MD5-sess", MUSTER_SIP_QOP_AUTH, "abd0c9c5b988bacb11dc6d0fcf167771" },
  { "MD5-sess", MUSTER_SIP_QOP_AUTH_INT, "cb3bdc3f2d0571c6d494226cc6816750" },
  { "SHA-256", MUSTER_SIP_QOP_NONE,
    "ba013136750f6943abdc2c2a8f11e6577cdcc0d288d484135e3383ccac9b92c0" },
  { "SHA-256", MUSTER_SIP_QOP_AUTH,
    "40a2b5edfc8529c72cb39e64034d52e97008e423a5cc741c582058aa3dc00af6" },
  { "SHA-256", MUSTER_SIP_QOP_AUTH_INT,
    "0437b4ed717535a6e37f3ee00c56e8a68998cfb55c80b85e7850aa774eb9610e" },
  { "SHA-256-sess", MUSTER_SIP_QOP_NONE,
    "6576b4b4706c04094a118143d42ffb944aeb00cebfa82ee05f000d1f26a134e4" },
  { "SHA-256-sess", MUSTER_SIP_QOP_AUTH,
    "a2145bc5738c251ccdff254c0ae425d12e9ee7b6a308db5da260716ad6e1a6a8" },
  { "SHA-256-sess", MUSTER_SIP_QOP_AUTH_INT,
    "cd32d59d57146157ac6577b3d6ae1ce8a9db72d0e225ef73f082b3eabc73c070" },
  { "SHA-512-256", MUSTER_SIP_QOP_NONE,
    "f6f24a424ded1d27329c44c3dba360bb17ec76fd6910490177bba5d773f6732d" },
  { "SHA-512-256", MUSTER_SIP_QOP_AUTH,
    "5a6a99633a76f0972a5a6696e0b005e925cc9bc230ed5e5b6743091d7b0f8141" },
  { "SHA-512-256", MUSTER_SIP_QOP_AUTH_INT,
    "d6e5257b64ea9a2b71f2819836f266d7ca494fe04324805a224574cf090fa194" },
  { "SHA-512-256-sess", MUSTER_SIP_QOP_NONE,
    "e07577f453916cf7f17c024f460693bd6c26a6a3ebd3534dbff1e4dd4e3a119b" },
  { "SHA-512-256-sess", MUSTER_SIP_QOP_AUTH,
    "eee6e05cdd6d6fd4381b2d70042eac7ce3cd1567aac94b5e5ed9527789e21530" },
  { "SHA-512-256-sess", MUSTER_SIP_QOP_AUTH_INT,
    "991dd336814dbceebe802984d57c904caea6b5477bd7d4e52193b8edc14df71f" },
};

static void
test_grid (void)
{
  static const char text[] = "se:cret \"x\" \\ \xc3\xa9";
  g_autoptr (MusterSecret) password = muster_secret_new (text, strlen (text));

  for (gsize i = 0; i < G_N_ELEMENTS (grid); i++) {
    MusterSipDigest digest = { .qop = grid[i].qop,
                               .nonce = "84e0a095cfd25153b2e4014ea87a0980",
                               .cnonce = "0123456789abcdef",
                               .nonce_count = 0x2a,
                               .method = "REGISTER",
                               .uri = "sip:example.test" };
    char ha1[MUSTER_SIP_DIGEST_HEX_SIZE];
    char response[MUSTER_SIP_DIGEST_HEX_SIZE];

    g_assert_true (muster_sip_algorithm_parse (grid[i].algorithm, &digest.algorithm));
    muster_sip_digest_ha1 (digest.algorithm.hash, "alice", "cms.realm", password, ha1);
    digest.ha1 = ha1;
    muster_sip_digest_response (&digest, response);
    g_assert_cmpstr (response, ==, grid[i].response);
  }
}

/* What a server may send, and what we make of it: `realm|nonce|algorithm|qop|stale`, or the word for
 * what we do not know in brackets, or nothing. */
static const struct {
  const char *values[4];
  const char *expected;
} challenges[] = {
  { { "Digest realm=\"r\", nonce=\"n\"" }, "r|n|MD5|none|no" },
  { { "digest REALM=\"r\",NONCE=n,qop=\"auth\",algorithm=md5" }, "r|n|MD5|auth|no" },
  { { "Digest  realm=\"kedacom.com\", \r\n nonce=\"00000000000000000000000000018467\", "
      "opaque=\"00000000000000000000000000006334\", qop=\"auth,auth-int\"" },
    "kedacom.com|00000000000000000000000000018467|MD5|auth|no" },
  { { "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"" }, "r|n|MD5|auth-int|no" },
  { { "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int , AUTH\"" }, "r|n|MD5|auth|no" },
  { { "Digest realm=\"r\", nonce=\"n\", qop=\"\"" }, "r|n|MD5|none|no" },
  { { "Digest realm=\"r\", nonce=\"n\", qop=\"other\"" }, "[Digest with qop other]" },
  { { "Digest realm=\"r\", nonce=\"n\", stale=TRUE" }, "r|n|MD5|none|yes" },
  { { "Digest realm=\"r\", nonce=\"n\", stale=\"true\"" }, "r|n|MD5|none|yes" },
  { { "Digest realm=\"r\", nonce=\"n\", stale=false" }, "r|n|MD5|none|no" },
  { { "Digest realm=\"a \\\"b\\\" \\\\c\", nonce=\"n\"" }, "a \"b\" \\c|n|MD5|none|no" },
  { { "Digest realm=\"\", nonce=\"n\"" }, "|n|MD5|none|no" },
  { { "Digest realm=\"r\", nonce=ab/c+==" }, "r|ab/c+==|MD5|none|no" },
  { { "Digest realm=\"first\", realm=\"second\", nonce=\"n\"" }, "first|n|MD5|none|no" },
  { { "Digest realm=\"a\", nonce=\"1\", algorithm=MD5, Digest realm=\"b\", nonce=\"2\", "
      "algorithm=SHA-256" },
    "b|2|SHA-256|none|no" },
  { { "Digest realm=\"b\", nonce=\"2\", algorithm=SHA-256",
      "Digest realm=\"a\", nonce=\"1\", algorithm=MD5" },
    "b|2|SHA-256|none|no" },
  { { "Digest realm=\"a\", nonce=\"1\"", "Digest realm=\"b\", nonce=\"2\", algorithm=SHA-512-256",
      "Digest realm=\"c\", nonce=\"3\", algorithm=SHA-256" },
    "b|2|SHA-512-256|none|no" },
  { { "Digest realm=\"a\", nonce=\"1\", algorithm=MD5-sess, qop=\"auth\", Digest realm=\"b\", "
      "nonce=\"2\", qop=\"auth\"" },
    "b|2|MD5|auth|no" },
  { { "Digest realm=\"a\", nonce=\"1\"", "Digest realm=\"b\", nonce=\"2\"" }, "a|1|MD5|none|no" },
  { { "NTLM", "Digest realm=\"a\", nonce=\"1\"" }, "a|1|MD5|none|no" },
  { { "NTLM, Digest realm=\"a\", nonce=\"1\"" }, "a|1|MD5|none|no" },
  { { "Basic realm=\"r\"" }, "[Basic]" },
  { { "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1" }, "[Digest with SHA-1]" },
  { { "Digest" }, "[Digest without realm or nonce]" },
  { { "Digest realm=\"r\"" }, "[Digest without realm or nonce]" },
  { { "Digest realm=\"r\", nonce=\"n" }, "[Digest without realm or nonce]" },
  { { "Digest realm=\"r\x01\", nonce=\"n\"" }, "[Digest without realm or nonce]" },
  { { "realm=\"r\", nonce=\"n\"" }, "" },
  { { "" }, "" },
  { { NULL }, "" },
};

static char *
describe (const MusterSipChallenge *challenge, const char *unknown)
{
  static const char *const hashes[] = { "MD5", "SHA-256", "SHA-512-256" };
  static const char *const qops[] = { "none", "auth", "auth-int" };

  if (challenge == NULL)
    return unknown != NULL ? g_strdup_printf ("[%s]", unknown) : g_strdup ("");
  return g_strdup_printf ("%s|%s|%s%s|%s|%s", challenge->realm, challenge->nonce,
                          hashes[challenge->algorithm.hash],
                          challenge->algorithm.sess ? "-sess" : "", qops[challenge->qop],
                          challenge->stale ? "yes" : "no");
}

static void
test_challenges (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (challenges); i++) {
    g_autofree char *unknown = NULL;
    g_autoptr (MusterSipChallenge)
      challenge = muster_sip_challenge_choose (challenges[i].values, &unknown);
    g_autofree char *got = describe (challenge, unknown);

    g_assert_cmpstr (got, ==, challenges[i].expected);
  }
}

/* Neither a thousand challenges nor a long one cost more than a glance. */
static void
test_bounds (void)
{
  g_autoptr (GString) many = g_string_new (NULL);
  g_autofree char *huge = g_strnfill (9000, 'x');
  g_autofree char *long_value = g_strdup_printf ("Digest realm=\"%s\", nonce=\"n\"", huge);
  g_autoptr (MusterSipChallenge) challenge = NULL;

  for (int i = 0; i < 8; i++)
    g_string_append (many, "Basic realm=\"r\", ");
  g_string_append (many, "Digest realm=\"r\", nonce=\"n\"");

  challenge = muster_sip_challenge_choose ((const char *const[]){ many->str, NULL }, NULL);
  g_assert_null (challenge);
  challenge = muster_sip_challenge_choose ((const char *const[]){ long_value, NULL }, NULL);
  g_assert_null (challenge);
}

static void
test_nextnonce (void)
{
  g_autofree char *plain = muster_sip_challenge_dup_nextnonce ("nextnonce=\"abc\", qop=auth");
  g_autofree char *later = muster_sip_challenge_dup_nextnonce (
    "qop=auth, rspauth=\"00\", cnonce=\"1\", nc=00000001, nextnonce=\"d\\\"ef\"");
  g_autofree char *none = muster_sip_challenge_dup_nextnonce ("qop=auth");

  g_assert_cmpstr (plain, ==, "abc");
  g_assert_cmpstr (later, ==, "d\"ef");
  g_assert_null (none);
  g_assert_null (muster_sip_challenge_dup_nextnonce (NULL));
}

static void
adopt (MusterSipCredentials *credentials, const char *value, const char *user, const char *password)
{
  g_autoptr (MusterSecret) secret = muster_secret_new (password, strlen (password));
  g_autoptr (MusterSipChallenge)
    challenge = muster_sip_challenge_choose ((const char *const[]){ value, NULL }, NULL);

  g_assert_nonnull (challenge);
  muster_sip_credentials_adopt (credentials, challenge, user, secret);
}

#define assert_has(text, part)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (strstr (text, part) == NULL)                                                               \
      g_error ("\"%s\" is not in \"%s\"", part, text);                                             \
  }                                                                                                \
  G_STMT_END

static void
test_header_is_quoted (void)
{
  MusterSipCredentials credentials = { 0 };
  g_autofree char *header = NULL;

  adopt (&credentials,
         "Digest realm=\"a \\\"b\\\"\", nonce=\"n\\\\n\", opaque=\"o\", algorithm=md5", "al\"ice\\",
         "pw");
  header = muster_sip_credentials_answer (&credentials, "REGISTER", "sip:example.test", NULL);
  assert_has (header, "Digest username=\"al\\\"ice\\\\\", realm=\"a \\\"b\\\"\", "
                      "nonce=\"n\\\\n\", uri=\"sip:example.test\", response=\"");
  assert_has (header, ", algorithm=md5");
  assert_has (header, ", opaque=\"o\"");
  g_assert_null (strstr (header, "qop"));
  g_assert_null (strstr (header, "nc="));
  g_assert_null (strstr (header, "cnonce"));
  muster_sip_credentials_clear (&credentials);
}

static void
test_nonce_count (void)
{
  MusterSipCredentials credentials = { 0 };
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *third = NULL;
  g_autofree char *fourth = NULL;

  adopt (&credentials, "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"", "alice", "pw");
  first = muster_sip_credentials_answer (&credentials, "REGISTER", "sip:example.test", NULL);
  assert_has (first, "qop=auth, nc=00000001");
  g_assert_null (strstr (first, "algorithm"));

  /* the same nonce once more: the count goes on */
  adopt (&credentials, "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"", "alice", "pw");
  second = muster_sip_credentials_answer (&credentials, "REGISTER", "sip:example.test", NULL);
  assert_has (second, "nc=00000002");

  adopt (&credentials, "Digest realm=\"r\", nonce=\"2\", qop=\"auth\"", "alice", "pw");
  third = muster_sip_credentials_answer (&credentials, "REGISTER", "sip:example.test", NULL);
  assert_has (third, "nc=00000001");

  muster_sip_credentials_set_nextnonce (&credentials, "3");
  fourth = muster_sip_credentials_answer (&credentials, "REGISTER", "sip:example.test", NULL);
  assert_has (fourth, "nonce=\"3\"");
  assert_has (fourth, "nc=00000001");
  muster_sip_credentials_clear (&credentials);
}

static void
test_new_password_forgets_nonce (void)
{
  g_autoptr (MusterSecret) old = muster_secret_new ("pw", 2);
  g_autoptr (MusterSecret) new = muster_secret_new ("px", 2);
  MusterSipCredentials credentials = { 0 };

  adopt (&credentials, "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"", "alice", "pw");
  muster_sip_credentials_check (&credentials, "alice", old);
  g_assert_true (muster_sip_credentials_is_set (&credentials));
  muster_sip_credentials_check (&credentials, "bob", old);
  g_assert_false (muster_sip_credentials_is_set (&credentials));

  adopt (&credentials, "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"", "alice", "pw");
  muster_sip_credentials_check (&credentials, "alice", new);
  g_assert_false (muster_sip_credentials_is_set (&credentials));

  adopt (&credentials, "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"", "alice", "pw");
  muster_sip_credentials_check (&credentials, "alice", NULL);
  g_assert_false (muster_sip_credentials_is_set (&credentials));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sip/digest/examples", test_examples);
  g_test_add_func ("/sip/digest/grid", test_grid);
  g_test_add_func ("/sip/challenge/choose", test_challenges);
  g_test_add_func ("/sip/challenge/bounds", test_bounds);
  g_test_add_func ("/sip/challenge/nextnonce", test_nextnonce);
  g_test_add_func ("/sip/credentials/quoted", test_header_is_quoted);
  g_test_add_func ("/sip/credentials/nonce-count", test_nonce_count);
  g_test_add_func ("/sip/credentials/new-password", test_new_password_forgets_nonce);
  return g_test_run ();
}
