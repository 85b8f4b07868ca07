/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-hub-private.h"
#include "muster-tls-private.h"
#include "tls-fixture.h"

#include <muster/muster-error.h>

#include <glib/gstdio.h>

/* Whom a policy believes, and what it says where it does not. */

#define HOST "sip.example.org"

typedef struct {
  TlsIdentity *root;  /* the system's only authority */
  TlsIdentity *other; /* one that nobody knows */
  TlsIdentity *middle;
  TlsIdentity *stale_middle;
} Authorities;

static Authorities authorities;

static void
authorities_make (void)
{
  g_autofree char *pem = NULL;

  authorities.root = tls_identity_new (&(TlsWish){ .cn = "Known Root", .is_ca = TRUE }, NULL);
  authorities.other = tls_identity_new (&(TlsWish){ .cn = "Stranger", .is_ca = TRUE }, NULL);
  authorities.middle = tls_identity_new (&(TlsWish){ .cn = "Middle", .is_ca = TRUE },
                                         authorities.root);
  authorities.stale_middle = tls_identity_new (
    &(TlsWish){ .cn = "Stale", .is_ca = TRUE, .from_s = -2 * TLS_DAY_S, .until_s = -TLS_DAY_S },
    authorities.root);

  pem = tls_identity_dup_pem (authorities.root);
  muster_tls_use_system (pem);
}

static void
authorities_free (void)
{
  tls_identity_free (authorities.root);
  tls_identity_free (authorities.other);
  tls_identity_free (authorities.middle);
  tls_identity_free (authorities.stale_middle);
  muster_tls_use_system (NULL);
}

static gboolean
verify (MusterTlsTrust *trust,
        const TlsIdentity *leaf,
        const TlsIdentity *middle,
        const char *identity,
        GError **error)
{
  gnutls_datum_t chain[2] = { 0 };
  guint status = 0;
  gboolean is_good;

  gnutls_x509_crt_export2 (leaf->crt, GNUTLS_X509_FMT_DER, &chain[0]);
  if (middle != NULL)
    gnutls_x509_crt_export2 (middle->crt, GNUTLS_X509_FMT_DER, &chain[1]);

  is_good = muster_tls_trust_verify (trust, chain, middle != NULL ? 2 : 1, identity,
                                     GNUTLS_KP_TLS_WWW_SERVER, &status, error);
  g_assert_true (is_good == (status == 0));
  gnutls_free (chain[0].data);
  gnutls_free (chain[1].data);

  return is_good;
}

/* the usual policy, on a table */

typedef enum {
  BY_ROOT,
  BY_OTHER,
  BY_MIDDLE,
  BY_UNSENT_MIDDLE,
  BY_STALE_MIDDLE,
  BY_ITSELF,
} Signer;

typedef struct {
  const char *name;
  TlsWish wish;
  Signer signer;
  const char *identity; /* NULL: HOST */
  const char *words;    /* NULL: it is believed */
} ChainCase;

static const ChainCase chain_cases[] = {
  { "good", { .dns = HOST }, BY_ROOT, NULL, NULL },
  { "good-upper-case", { .dns = HOST }, BY_ROOT, "SIP.Example.ORG", NULL },
  { "good-wildcard", { .dns = "*.example.org" }, BY_ROOT, NULL, NULL },
  { "good-intermediate", { .dns = HOST }, BY_MIDDLE, NULL, NULL },
  { "good-address", { .ip = "192.0.2.7" }, BY_ROOT, "192.0.2.7", NULL },
  { "good-address-6", { .ip = "2001:db8::7" }, BY_ROOT, "2001:db8::7", NULL },
  { "expired",
    { .dns = HOST, .from_s = -2 * TLS_DAY_S, .until_s = -TLS_DAY_S },
    BY_ROOT,
    NULL,
    "*: it expired on 20*:* UTC" },
  { "future",
    { .dns = HOST, .from_s = TLS_DAY_S, .until_s = 2 * TLS_DAY_S },
    BY_ROOT,
    NULL,
    "*: it is not valid before 20*:* UTC" },
  { "expired-intermediate", { .dns = HOST }, BY_STALE_MIDDLE, NULL, "*: CN=Stale expired on 20*" },
  { "wrong-name",
    { .dns = "www.example.net" },
    BY_ROOT,
    NULL,
    "*: it is for www.example.net, not for " HOST },
  { "wildcard-is-one-label",
    { .dns = "*.org" },
    BY_ROOT,
    NULL,
    "*: it is for [*].org, not for " HOST },
  { "wrong-address",
    { .ip = "192.0.2.8" },
    BY_ROOT,
    "192.0.2.7",
    "*: it is for 192.0.2.8, not for 192.0.2.7" },
  { "address-as-name",
    { .dns = "192.0.2.7" },
    BY_ROOT,
    "192.0.2.7",
    "*: it is for 192.0.2.7, not for 192.0.2.7" },
  { "unknown-issuer", { .dns = HOST }, BY_OTHER, NULL, "*: its issuer CN=Stranger is not trusted" },
  { "intermediate-not-sent",
    { .dns = HOST },
    BY_UNSENT_MIDDLE,
    NULL,
    "*: its issuer CN=Middle is not trusted" },
  { "self-signed", { .dns = HOST }, BY_ITSELF, NULL, "*: it is signed by nobody but itself" },
  { "for-clients-only",
    { .dns = HOST, .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
    BY_ROOT,
    NULL,
    "*: it is not meant for servers" },
  { "two-faults",
    { .dns = "www.example.net", .from_s = -2 * TLS_DAY_S, .until_s = -TLS_DAY_S },
    BY_ROOT,
    NULL,
    "*: it expired on *; it is for www.example.net, not for *" },
  { "hostile-name",
    { .cn = "evil\nname" },
    BY_ROOT,
    NULL,
    "*: it is for evil?name, not for " HOST },
};

static const TlsIdentity *
signer_identity (Signer signer)
{
  switch (signer) {
  case BY_ROOT:
    return authorities.root;
  case BY_OTHER:
    return authorities.other;
  case BY_MIDDLE:
  case BY_UNSENT_MIDDLE:
    return authorities.middle;
  case BY_STALE_MIDDLE:
    return authorities.stale_middle;
  case BY_ITSELF:
    return NULL;
  }

  g_assert_not_reached ();
}

static void
test_chain (gconstpointer data)
{
  const ChainCase *c = data;
  g_autoptr (TlsIdentity) leaf = tls_identity_new (&c->wish, signer_identity (c->signer));
  const TlsIdentity *middle = c->signer == BY_MIDDLE || c->signer == BY_STALE_MIDDLE
                                ? signer_identity (c->signer)
                                : NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_good = verify (muster_tls_trust_get_default (), leaf, middle,
                             c->identity != NULL ? c->identity : HOST, &error);

  if (c->words == NULL) {
    g_assert_no_error (error);
    g_assert_true (is_good);
    return;
  }

  g_assert_false (is_good);
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED);
  g_assert_cmpint (muster_error_get_step (error), ==, MUSTER_STEP_TLS);
  if (strstr (c->words, "[*]") != NULL)
    g_assert_nonnull (strstr (error->message, "it is for *.org, not for " HOST));
  else if (!g_pattern_match_simple (c->words, error->message))
    g_error ("said \"%s\", not \"%s\"", error->message, c->words);
}

static void
test_error_carries_certificate (void)
{
  g_autoptr (TlsIdentity)
    leaf = tls_identity_new (&(TlsWish){ .cn = "Lone \x1b Box", .dns = "box.example" }, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) copy = NULL;
  g_autofree char *pin = tls_identity_dup_pin (leaf);
  g_autofree char *sha256 = NULL;
  gnutls_datum_t der = { 0 };
  const MusterCertificate *certificate;

  g_assert_false (verify (muster_tls_trust_get_default (), leaf, NULL, HOST, &error));
  copy = g_error_copy (error);
  g_clear_error (&error);

  certificate = muster_error_get_certificate (copy);
  g_assert_nonnull (certificate);
  gnutls_x509_crt_export2 (leaf->crt, GNUTLS_X509_FMT_DER, &der);
  sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, der.data, der.size);
  gnutls_free (der.data);
  g_assert_cmpstr (certificate->sha256, ==, sha256);
  g_assert_nonnull (strstr (certificate->subject, "Lone"));
  g_assert_null (strchr (certificate->subject, 0x1b));
  g_assert_cmpstr (certificate->names[0], ==, "box.example");
  g_assert_cmpuint (strlen (certificate->spki_sha256), ==, 64);
  g_assert_cmpint (g_ascii_xdigit_value (certificate->spki_sha256[0]), ==,
                   g_ascii_xdigit_value (pin[0]));
}

/* policies of an account's own */

static MusterTlsTrust *
trust_new (MusterTlsTrustFlags flags, const char *ca, const char *pin, const char *name)
{
  const char *const pins[] = { pin, NULL };
  g_autoptr (GError) error = NULL;
  MusterTlsTrust *trust = muster_tls_trust_new (flags, ca, pin != NULL ? pins : NULL, name, &error);

  g_assert_no_error (error);
  return trust;
}

static void
test_pin (void)
{
  g_autoptr (TlsIdentity) leaf = tls_identity_new (&(TlsWish){ .dns = HOST }, authorities.root);
  g_autoptr (TlsIdentity) twin = tls_identity_new (&(TlsWish){ .dns = HOST }, authorities.root);
  g_autoptr (TlsIdentity) lone = tls_identity_new (&(TlsWish){ .dns = "other.example" }, NULL);
  g_autofree char *pin = tls_identity_dup_pin (leaf);
  g_autofree char *lone_pin = tls_identity_dup_pin (lone);
  g_autoptr (MusterTlsTrust) trust = trust_new (MUSTER_TLS_TRUST_NONE, NULL, pin, NULL);
  g_autoptr (MusterTlsTrust) strict = trust_new (MUSTER_TLS_TRUST_NONE, NULL, lone_pin, NULL);
  g_autoptr (MusterTlsTrust) lax = trust_new (MUSTER_TLS_TRUST_PIN_SUFFICES, NULL, lone_pin, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (verify (trust, leaf, NULL, HOST, &error));
  g_assert_no_error (error);

  /* a good chain, but another key */
  g_assert_false (verify (trust, twin, NULL, HOST, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED);
  g_assert_nonnull (strstr (error->message, "its key is not the pinned one"));
  g_clear_error (&error);

  /* the pinned key, but no good chain: only where the user said that the key is enough */
  g_assert_false (verify (strict, lone, NULL, HOST, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED);
  g_assert_null (strstr (error->message, "pinned"));
  g_clear_error (&error);
  g_assert_true (verify (lax, lone, NULL, HOST, &error));
  g_assert_no_error (error);
  g_assert_false (verify (lax, twin, NULL, HOST, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED);
}

static void
test_own_authority (void)
{
  g_autoptr (TlsIdentity) theirs = tls_identity_new (&(TlsWish){ .dns = HOST }, authorities.other);
  g_autoptr (TlsIdentity) public = tls_identity_new (&(TlsWish){ .dns = HOST }, authorities.root);
  g_autoptr (TlsIdentity)
    wrong = tls_identity_new (&(TlsWish){ .dns = "x.example" }, authorities.other);
  g_autofree char *pem = tls_identity_dup_pem (authorities.other);
  g_autoptr (MusterTlsTrust) both = trust_new (MUSTER_TLS_TRUST_NONE, pem, NULL, NULL);
  g_autoptr (MusterTlsTrust) own = trust_new (MUSTER_TLS_TRUST_NO_SYSTEM, pem, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (verify (both, theirs, NULL, HOST, NULL));
  g_assert_true (verify (both, public, NULL, HOST, NULL));
  g_assert_true (verify (own, theirs, NULL, HOST, NULL));
  g_assert_false (verify (own, public, NULL, HOST, NULL));
  g_assert_false (verify (muster_tls_trust_get_default (), theirs, NULL, HOST, NULL));

  /* the issuer is known to the second list: the name is what is wrong, and nothing else */
  g_assert_false (verify (both, wrong, NULL, HOST, &error));
  g_assert_nonnull (strstr (error->message, "it is for x.example"));
  g_assert_null (strstr (error->message, "issuer"));
}

/* The system's authorities take megabytes: they are read when a chain needs them, not before. */
static void
test_system_is_read_when_needed (void)
{
  g_autoptr (TlsIdentity) theirs = tls_identity_new (&(TlsWish){ .dns = HOST }, authorities.other);
  g_autoptr (TlsIdentity) public = tls_identity_new (&(TlsWish){ .dns = HOST }, authorities.root);
  g_autofree char *pem = tls_identity_dup_pem (authorities.other);
  g_autoptr (MusterTlsTrust) both = trust_new (MUSTER_TLS_TRUST_NONE, pem, NULL, NULL);
  g_autoptr (MusterTlsTrust) own = trust_new (MUSTER_TLS_TRUST_NO_SYSTEM, pem, NULL, NULL);

  muster_tls_flush ();
  g_assert_true (verify (both, theirs, NULL, HOST, NULL));
  g_assert_false (verify (own, public, NULL, HOST, NULL));
  g_assert_false (muster_tls_has_read_system ());

  g_assert_true (verify (both, public, NULL, HOST, NULL));
  g_assert_true (muster_tls_has_read_system ());
}

/* Which list's words are told: that of the list which knows the issuer. */
static void
test_words_of_two_lists (void)
{
  const TlsWish stale = { .dns = HOST, .from_s = -2 * TLS_DAY_S, .until_s = -TLS_DAY_S };
  g_autoptr (TlsIdentity) theirs = tls_identity_new (&stale, authorities.other);
  g_autoptr (TlsIdentity) public = tls_identity_new (&stale, authorities.root);
  g_autoptr (TlsIdentity) lone = tls_identity_new (&(TlsWish){ .dns = HOST }, NULL);
  g_autofree char *pem = tls_identity_dup_pem (authorities.other);
  g_autoptr (MusterTlsTrust) both = trust_new (MUSTER_TLS_TRUST_NONE, pem, NULL, NULL);
  TlsIdentity *const leaves[] = { theirs, public, lone };
  const char *const words[] = { "*: it expired on 20*:* UTC", "*: it expired on 20*:* UTC",
                                "*: it is signed by nobody but itself" };

  for (guint i = 0; i < G_N_ELEMENTS (leaves); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (verify (both, leaves[i], NULL, HOST, &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED);
    g_assert_true (g_pattern_match_simple (words[i], error->message));
  }
}

static void
test_own_authority_from_file (void)
{
  g_autoptr (TlsIdentity) leaf = tls_identity_new (&(TlsWish){ .dns = HOST }, authorities.other);
  g_autofree char *pem = tls_identity_dup_pem (authorities.other);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "authority.pem", NULL);
  g_autoptr (MusterTlsTrust) trust = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (muster_tls_trust_new (MUSTER_TLS_TRUST_NONE, "/dev/null", NULL, NULL, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (muster_tls_trust_new (MUSTER_TLS_TRUST_NONE, "no PEM", NULL, NULL, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  g_clear_error (&error);

  g_assert_true (g_file_set_contents (path, pem, -1, &error));
  trust = trust_new (MUSTER_TLS_TRUST_NO_SYSTEM, path, NULL, NULL);
  g_assert_true (verify (trust, leaf, NULL, HOST, &error));
  g_assert_no_error (error);
  g_remove (path);
}

static void
test_verify_name (void)
{
  g_autoptr (TlsIdentity)
    leaf = tls_identity_new (&(TlsWish){ .dns = "real.example" }, authorities.root);
  g_autoptr (MusterTlsTrust) trust = trust_new (MUSTER_TLS_TRUST_NONE, NULL, NULL, "real.example");

  g_assert_true (verify (trust, leaf, NULL, HOST, NULL));
  g_assert_false (verify (muster_tls_trust_get_default (), leaf, NULL, HOST, NULL));
}

static void
test_policies_are_shared (void)
{
  const char *hex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  const char *base64 = "sha256//ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=";
  g_autoptr (MusterTlsTrust) a = trust_new (MUSTER_TLS_TRUST_NONE, NULL, hex, "x");
  g_autoptr (MusterTlsTrust) b = trust_new (MUSTER_TLS_TRUST_NONE, NULL, base64, "x");
  g_autoptr (MusterTlsTrust) c = trust_new (MUSTER_TLS_TRUST_NONE, NULL, hex, "y");
  g_autoptr (GError) error = NULL;
  const char *const bad[] = { "0011", NULL };

  g_assert_true (a == b);
  g_assert_true (muster_tls_trust_get_credentials (a) == muster_tls_trust_get_credentials (b));
  g_assert_true (a != c);

  g_assert_null (muster_tls_trust_new (MUSTER_TLS_TRUST_NONE, NULL, bad, NULL, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
}

/* remembered verdicts */

static void
test_verdict_is_remembered (void)
{
  MusterTlsTrust *trust = muster_tls_trust_get_default ();
  g_autoptr (TlsIdentity) leaf = tls_identity_new (&(TlsWish){ .dns = HOST }, authorities.root);
  g_autofree char *root = tls_identity_dup_pem (authorities.root);
  g_autofree char *other = tls_identity_dup_pem (authorities.other);
  g_autoptr (MusterTlsTrust) stranger = trust_new (MUSTER_TLS_TRUST_NO_SYSTEM, other, NULL, NULL);
  guint before = muster_tls_count_verified ();

  g_assert_true (verify (trust, leaf, NULL, HOST, NULL));
  g_assert_true (verify (trust, leaf, NULL, HOST, NULL));
  g_assert_cmpuint (muster_tls_count_verified () - before, ==, 1);

  /* for this name, and by this policy, only */
  g_assert_false (verify (trust, leaf, NULL, "else.example.org", NULL));
  g_assert_false (verify (stranger, leaf, NULL, HOST, NULL));
  g_assert_cmpuint (muster_tls_count_verified () - before, ==, 3);

  /* minutes */
  muster_clock_advance_us (4 * 60 * G_USEC_PER_SEC);
  g_assert_true (verify (trust, leaf, NULL, HOST, NULL));
  g_assert_cmpuint (muster_tls_count_verified () - before, ==, 3);
  muster_clock_advance_us (2 * 60 * G_USEC_PER_SEC);
  g_assert_true (verify (trust, leaf, NULL, HOST, NULL));
  g_assert_cmpuint (muster_tls_count_verified () - before, ==, 4);

  /* not beyond a change of trust */
  muster_tls_use_system (other);
  g_assert_false (verify (trust, leaf, NULL, HOST, NULL));
  muster_tls_use_system (root);
  g_assert_true (verify (trust, leaf, NULL, HOST, NULL));
}

static void
test_verdict_ends_with_certificate (void)
{
  MusterTlsTrust *trust = muster_tls_trust_get_default ();
  g_autoptr (TlsIdentity)
    leaf = tls_identity_new (&(TlsWish){ .dns = HOST, .until_s = 60 }, authorities.root);
  guint before = muster_tls_count_verified ();

  muster_clock_use_virtual (G_USEC_PER_SEC, g_get_real_time ()); /* other tests have moved it */
  g_assert_true (verify (trust, leaf, NULL, HOST, NULL));
  muster_clock_advance_us (30 * G_USEC_PER_SEC);
  g_assert_true (verify (trust, leaf, NULL, HOST, NULL));
  g_assert_cmpuint (muster_tls_count_verified () - before, ==, 1);
  muster_clock_advance_us (31 * G_USEC_PER_SEC);
  verify (trust, leaf, NULL, HOST,
          NULL); /* GnuTLS has a clock of its own: only that it was asked */
  g_assert_cmpuint (muster_tls_count_verified () - before, ==, 2);
}

static void
test_nonsense_is_refused (void)
{
  gnutls_datum_t junk = { (unsigned char *) "junk", 4 };
  gnutls_datum_t many[17];
  g_autoptr (GError) error = NULL;
  guint status = 0;

  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    many[i] = junk;

  for (guint n = 0; n <= G_N_ELEMENTS (many); n++) {
    g_assert_false (muster_tls_trust_verify (muster_tls_trust_get_default (), many, n, HOST,
                                             GNUTLS_KP_TLS_WWW_SERVER, &status, &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED);
    g_assert_cmpuint (status, !=, 0);
    g_clear_error (&error);
  }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  muster_clock_use_virtual (G_USEC_PER_SEC, g_get_real_time ());
  authorities_make ();

  for (guint i = 0; i < G_N_ELEMENTS (chain_cases); i++) {
    g_autofree char *path = g_strdup_printf ("/tls/chain/%s", chain_cases[i].name);

    g_test_add_data_func (path, &chain_cases[i], test_chain);
  }
  g_test_add_func ("/tls/error-carries-certificate", test_error_carries_certificate);
  g_test_add_func ("/tls/pin", test_pin);
  g_test_add_func ("/tls/own-authority", test_own_authority);
  g_test_add_func ("/tls/system-is-read-when-needed", test_system_is_read_when_needed);
  g_test_add_func ("/tls/words-of-two-lists", test_words_of_two_lists);
  g_test_add_func ("/tls/own-authority-from-file", test_own_authority_from_file);
  g_test_add_func ("/tls/verify-name", test_verify_name);
  g_test_add_func ("/tls/policies-are-shared", test_policies_are_shared);
  g_test_add_func ("/tls/verdict-is-remembered", test_verdict_is_remembered);
  g_test_add_func ("/tls/verdict-ends-with-certificate", test_verdict_ends_with_certificate);
  g_test_add_func ("/tls/nonsense-is-refused", test_nonsense_is_refused);

  result = g_test_run ();
  authorities_free ();
  return result;
}
