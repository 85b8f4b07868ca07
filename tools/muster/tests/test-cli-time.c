/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "cli-error.h"
#include "cli-time.h"

#include <string.h>

#define NOW_US (G_GINT64_CONSTANT (1751700000000000)) /* 2025-07-05T07:20:00Z */

/* Times as people write them, in UTC here. */

static void
test_durations (void)
{
  static const struct {
    const char *text;
    gint64 s; /* 0: refused */
  } cases[] = {
    { "1s", 1 },         { "90s", 90 },         { "30m", 1800 },      { "2h", 7200 },
    { "1h30m", 5400 },   { "1d2h3m4s", 93784 }, { "366d", 31622400 }, { "367d", 0 },
    { "", 0 },           { "30", 0 },           { "m", 0 },           { "30 m", 0 },
    { "-5m", 0 },        { "0m", 0 },           { "5m1h", 0 },        { "1m1m", 0 },
    { "999999999h", 0 }, { "1.5h", 0 },         { "5min", 0 },        { "\303\2645m", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gint64 us = -1;

    if (cli_time_parse_duration (cases[i].text, &us, &error)) {
      g_assert_cmpint (us, ==, cases[i].s * G_USEC_PER_SEC);
    } else {
      g_assert_cmpint (cases[i].s, ==, 0);
      g_assert_error (error, CLI_ERROR, CLI_USAGE);
    }
  }
}

static void
test_moments (void)
{
  static const struct {
    const char *text;
    gint64 s; /* from now; 0: refused */
  } cases[] = {
    { "07:21", 60 },
    { "07:20", 86400 }, /* it is that now: tomorrow */
    { "07:19:59", 86399 },
    { "00:00", 60000 },
    { "23:59:59", 59999 },
    { "2025-07-06", 60000 },
    { "2025-07-05T07:30", 600 },
    { "2025-07-05 07:30", 600 },
    { "2025-07-05T07:30:05", 605 },
    { "2025-07-05T07:30Z", 600 },
    { "2025-07-05T09:30+02:00", 600 },
    { "2025-07-05T07:20", 0 }, /* over */
    { "2025-07-05", 0 },
    { "1970-01-01", 0 },
    { "", 0 },
    { "24:00", 0 },
    { "7:21", 0 },
    { "07:61", 0 },
    { "07:21:00:00", 0 },
    { "tomorrow", 0 },
    { "2025-13-01", 0 },
    { "2025-07-06X07:30", 0 },
    { "2025-07-06T07:30 and more", 0 },
    { "2025-07-06T", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gint64 us = -1;

    g_test_message ("%s", cases[i].text);
    if (cli_time_parse_moment (cases[i].text, NOW_US, &us, &error)) {
      g_assert_cmpint (us - NOW_US, ==, cases[i].s * G_USEC_PER_SEC);
    } else {
      g_assert_cmpint (cases[i].s, ==, 0);
      g_assert_error (error, CLI_ERROR, CLI_USAGE);
    }
  }
}

/* What was given is repeated, but not all of it. */
static void
test_long_words (void)
{
  g_autofree char *long_word = g_strnfill (100000, 'x');
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) other = NULL;
  gint64 us;

  g_assert_false (cli_time_parse_duration (long_word, &us, &error));
  g_assert_cmpuint (strlen (error->message), <, 200);
  g_assert_false (cli_time_parse_moment (long_word, NOW_US, &us, &other));
  g_assert_cmpuint (strlen (other->message), <, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/time/durations", test_durations);
  g_test_add_func ("/time/moments", test_moments);
  g_test_add_func ("/time/long-words", test_long_words);

  return g_test_run ();
}
