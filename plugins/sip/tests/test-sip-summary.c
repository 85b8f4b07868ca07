/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-summary.h"

#include <string.h>

/* Message summaries, as voice mail systems write them. */

static const struct {
  const char *name;
  const char *body;
  guint n_new;
  guint n_old;
  const char *account;
} taken[] = {
  { "rfc",
    "Messages-Waiting: yes\r\n"
    "Message-Account: sip:alice@vmail.example.com\r\n"
    "Voice-Message: 2/8 (0/2)\r\n",
    2, 8, "sip:alice@vmail.example.com" },
  { "asterisk",
    "Messages-Waiting: yes\r\nMessage-Account: sip:asterisk@192.0.2.1;transport=UDP\r\n"
    "Voice-Message: 1/0 (0/0)\r\n",
    1, 0, "sip:asterisk@192.0.2.1;transport=UDP" },
  { "freeswitch",
    "Messages-Waiting: no\r\nMessage-Account: sip:1000@example.com\r\n"
    "Voice-Message: 0/3 (0/0)\r\n\r\n",
    0, 3, "sip:1000@example.com" },
  { "kamailio-script", "Messages-Waiting: yes\nVoice-Message: 12/0\n", 12, 0, NULL },
  { "no-counts", "Messages-Waiting: yes\r\n", 1, 0, NULL },
  { "none", "Messages-Waiting: no\r\n", 0, 0, NULL },
  { "counts-hold", "Messages-Waiting: yes\r\nVoice-Message: 0/4\r\n", 0, 4, NULL },
  { "counts-alone", "Voice-Message: 3/4\r\n", 3, 4, NULL },
  { "any-case", "MESSAGES-WAITING:YES\r\nvoice-message:1/2\r\n", 1, 2, NULL },
  { "blanks", "\r\n\r\n  Messages-Waiting :\t yes  \r\nVoice-Message :  1 / 2 ( 0 / 1 ) \r\n", 1, 2,
    NULL },
  { "no-old", "Messages-Waiting: yes\r\nVoice-Message: 5\r\n", 5, 0, NULL },
  { "no-number", "Messages-Waiting: yes\r\nVoice-Message: many\r\n", 1, 0, NULL },
  { "classes",
    "Messages-Waiting: yes\r\nVoice-Message: 1/2\r\nFax-Message: 3/4\r\n"
    "Text-Message: 5/6\r\nNews-Message: 100/100\r\n",
    9, 12, NULL },
  { "single-messages-follow",
    "Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n\r\nTo: <sip:a@b>\r\nVoice-Message: 7/7\r\n", 1,
    0, NULL },
  { "huge", "Voice-Message: 18446744073709551617/1\r\n", G_MAXINT32, 1, NULL },
  { "huge-together", "Voice-Message: 2147483647/1\r\nFax-Message: 2147483647/4294967295\r\n",
    G_MAXINT32, G_MAXINT32, NULL },
  { "account-unfit", "Messages-Waiting: no\r\nMessage-Account: <sip:a@b>\r\n", 0, 0, NULL },
  { "account-twice",
    "Messages-Waiting: no\r\nMessage-Account: sip:a@b\r\nMessage-Account: sip:c@d\r\n", 0, 0,
    "sip:a@b" },
  { "not-utf-8", "Messages-Waiting: no\r\nMessage-Account: sip:\xe9@b\r\n", 0, 0, NULL },
};

static void
test_taken (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (GError) error = NULL;
  MusterSipSummary summary = { 0 };

  g_assert_true (muster_sip_summary_read (taken[i].body, strlen (taken[i].body), &summary, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (summary.n_new, ==, taken[i].n_new);
  g_assert_cmpuint (summary.n_old, ==, taken[i].n_old);
  g_assert_cmpstr (summary.account, ==, taken[i].account);
  muster_sip_summary_clear (&summary);
}

static void
assert_refused (const char *bytes, gsize n_bytes, const char *problem)
{
  g_autoptr (GError) error = NULL;
  MusterSipSummary summary = { 7, 8, NULL };

  g_assert_false (muster_sip_summary_read (bytes, n_bytes, &summary, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  g_assert_nonnull (strstr (error->message, problem));
  g_assert_cmpuint (summary.n_new, ==, 7);
}

static void
test_refused (void)
{
  static const char *const bodies[] = {
    "",
    "\r\n",
    "hello",
    "Messages-Waiting: perhaps\r\n",
    "Message-Account: sip:a@b\r\n",
    "<xml/>",
    "Voice-Message: /1\r\n",
  };
  g_autofree char *large = g_strnfill (64 * 1024 + 1, '\n');
  g_autoptr (GString) late = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
    assert_refused (bodies[i], strlen (bodies[i]), "does not say whether");
  assert_refused ("Voice-Message: 1/1\0", 20, "a zero byte");
  assert_refused (large, 64 * 1024 + 1, "larger than 64 kB");

  for (guint i = 0; i < 64; i++)
    g_string_append (late, "X: y\n");
  g_string_append (late, "Messages-Waiting: yes\n");
  assert_refused (late->str, late->len, "does not say whether");
}

/* What is cut off is no more than what stands there. */
static void
test_truncated (void)
{
  const char *body = taken[0].body;

  for (gsize n = 0; n < strlen (body); n++) {
    g_autofree char *bytes = g_memdup2 (body, n);
    g_autoptr (GError) error = NULL;
    MusterSipSummary summary = { 0 };

    if (muster_sip_summary_read (bytes, n, &summary, &error))
      g_assert_cmpuint (summary.n_old, <=, 8);
    else
      g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
    muster_sip_summary_clear (&summary);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (taken); i++) {
    g_autofree char *path = g_strconcat ("/sip/summary/taken/", taken[i].name, NULL);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_taken);
  }
  g_test_add_func ("/sip/summary/refused", test_refused);
  g_test_add_func ("/sip/summary/truncated", test_truncated);

  return g_test_run ();
}
