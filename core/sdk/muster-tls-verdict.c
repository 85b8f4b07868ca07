/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTls"

#include "config.h"

#include "muster-tls-verdict.h"

#include <muster/muster-error.h>
#include <muster/muster-hub.h>

/*
 * What is said about a chain: the remembered verdicts in its favour, so that ten thousand accounts
 * on one server cost one verification, and the words against it.
 */

#define MAX_VERDICTS      1024
#define VERDICT_LIFE_US   (5 * 60 * (gint64) G_USEC_PER_SEC)
#define MAX_NAMES_IN_TEXT 5

typedef struct {
  gint64 until_us;
  gint64 not_after_s; /* the earliest of the chain */
} Verdict;

static GHashTable *verdicts; /* digest -> Verdict */

/* remembered verdicts */

char *
muster_tls_verdict_dup_key (guint64 policy,
                            const gnutls_datum_t *chain,
                            guint n_chain,
                            const char *identity,
                            const char *purpose)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (sum, (const guchar *) &policy, sizeof policy);
  g_checksum_update (sum, (const guchar *) identity, (gssize) strlen (identity) + 1);
  g_checksum_update (sum, (const guchar *) purpose, (gssize) strlen (purpose) + 1);
  for (guint i = 0; i < n_chain; i++) {
    g_checksum_update (sum, (const guchar *) &chain[i].size, sizeof chain[i].size);
    g_checksum_update (sum, chain[i].data, (gssize) chain[i].size);
  }

  return g_strdup (g_checksum_get_string (sum));
}

gboolean
muster_tls_verdict_is_known (const char *key)
{
  const Verdict *verdict = verdicts != NULL ? g_hash_table_lookup (verdicts, key) : NULL;

  if (verdict == NULL)
    return FALSE;
  if (verdict->until_us > muster_clock_now_us () &&
      verdict->not_after_s > muster_clock_wall_us () / G_USEC_PER_SEC)
    return TRUE;

  g_hash_table_remove (verdicts, key);
  return FALSE;
}

void
muster_tls_verdict_remember (char *take_key, gint64 not_after_s)
{
  Verdict *verdict = g_new (Verdict, 1);

  verdict->until_us = muster_clock_now_us () + VERDICT_LIFE_US;
  verdict->not_after_s = not_after_s;

  if (verdicts == NULL)
    verdicts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (g_hash_table_size (verdicts) >= MAX_VERDICTS)
    g_hash_table_remove_all (verdicts); /* cheaper to prove again than to keep in order */
  g_hash_table_replace (verdicts, take_key, verdict);
}

void
muster_tls_verdict_flush (void)
{
  g_clear_pointer (&verdicts, g_hash_table_unref);
}

/* words */

static char *
dup_date (gint64 time_s)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time_s);

  return date != NULL ? g_date_time_format (date, "%Y-%m-%d %H:%M UTC") : g_strdup ("never");
}

static void say (GString *words, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
say (GString *words, const char *format, ...)
{
  va_list args;

  if (words->len > 0)
    g_string_append (words, "; ");
  va_start (args, format);
  g_string_append_vprintf (words, format, args);
  va_end (args);
}

/* Which of the chain is out of date: often it is not the server's own. */
static void
say_dates (GString *words, MusterCertificate *const *chain, guint n_chain, guint status)
{
  gint64 now_s = muster_clock_wall_us () / G_USEC_PER_SEC;
  gboolean is_said = FALSE;

  for (guint i = 0; i < n_chain; i++) {
    const char *whose = i == 0 ? "it" : chain[i]->subject;
    g_autofree char *from = dup_date (chain[i]->not_before_s);
    g_autofree char *until = dup_date (chain[i]->not_after_s);

    if ((status & GNUTLS_CERT_EXPIRED) != 0 && chain[i]->not_after_s <= now_s)
      say (words, "%s expired on %s", whose, until);
    else if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0 && chain[i]->not_before_s > now_s)
      say (words, "%s is not valid before %s", whose, from);
    else
      continue;
    is_said = TRUE;
  }

  if (!is_said)
    say (words, "an authority behind it is out of date");
}

static void
say_names (GString *words, const MusterCertificate *certificate, const char *identity)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < MAX_NAMES_IN_TEXT && certificate->names[i] != NULL; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", certificate->names[i]);
  if (g_strv_length (certificate->names) > MAX_NAMES_IN_TEXT)
    g_string_append (names, ", ...");

  say (words, "it is for %s, not for %s", names->len > 0 ? names->str : "no host", identity);
}

static void
say_issuer (GString *words, MusterCertificate *const *chain, guint n_chain)
{
  const MusterCertificate *top = chain[n_chain - 1];

  if (n_chain == 1 && g_strcmp0 (top->subject, top->issuer) == 0)
    say (words, "it is signed by nobody but itself");
  else
    say (words, "its issuer %s is not trusted", top->issuer);
}

GError *
muster_tls_verdict_new_error (MusterCertificate *const *chain,
                              guint n_chain,
                              const char *identity,
                              guint status,
                              gboolean is_pin_missed)
{
  g_autoptr (GString) words = g_string_new (NULL);
  g_autofree char *name = muster_tls_printable (identity, strlen (identity));
  GError *error;

  if (is_pin_missed)
    say (words, "its key is not the pinned one");
  if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0)
    say_dates (words, chain, n_chain, status);
  if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0)
    say_names (words, chain[0], name);
  if ((status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)) != 0)
    say_issuer (words, chain, n_chain);
  if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0)
    say (words, "it is not meant for servers");
  if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0)
    say (words, "it uses an algorithm or a key that is too weak");
  if ((status & GNUTLS_CERT_REVOKED) != 0)
    say (words, "it was revoked");
  if (words->len == 0)
    say (words, "its signatures do not hold");

  error = muster_error_new (MUSTER_ERROR_UNTRUSTED, MUSTER_STEP_TLS,
                            "the certificate of %s is not trusted: %s", name, words->str);
  muster_error_set_certificate (error, chain[0]);

  return error;
}
