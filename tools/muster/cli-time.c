/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-time.h"

#include "cli-error.h"

#include <string.h>

#define YEAR_S        (366 * 86400)
#define MAX_TEXT      64
#define MAX_DIGITS    8
#define DATE_LENGTH   10
#define MOMENT_HINT   "write 17:30, 2026-11-20 or 2026-11-20T17:30"
#define DURATION_HINT "write 90s, 30m, 1h30m or 2d"

/* durations */

static gint64
seconds_of (char unit)
{
  switch (unit) {
  case 's':
    return 1;
  case 'm':
    return 60;
  case 'h':
    return 3600;
  case 'd':
    return 86400;
  default:
    return 0;
  }
}

/* Numbers with units, each smaller than the one before. */
static gboolean
read_duration (const char *text, gint64 *duration_s)
{
  gint64 last_s = G_MAXINT64;

  *duration_s = 0;
  while (*text != '\0') {
    gsize n_digits = strspn (text, "0123456789");
    gint64 unit_s = seconds_of (text[n_digits]);

    if (n_digits == 0 || n_digits > MAX_DIGITS || unit_s == 0 || unit_s >= last_s)
      return FALSE;
    *duration_s += (gint64) g_ascii_strtoull (text, NULL, 10) * unit_s;
    last_s = unit_s;
    text += n_digits + 1;
  }

  return *duration_s > 0;
}

gboolean
cli_time_parse_duration (const char *text, gint64 *duration_us, GError **error)
{
  gint64 duration_s;

  if (!read_duration (text, &duration_s)) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%.*s' is not a time from now; " DURATION_HINT,
                 MAX_TEXT, text);
    return FALSE;
  }
  if (duration_s > YEAR_S) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is more than a year", text);
    return FALSE;
  }

  *duration_us = duration_s * G_USEC_PER_SEC;
  return TRUE;
}

/* moments */

static gboolean
is_time_of_day (const char *text)
{
  static const char pattern[] = "00:00:00";
  gsize i;

  for (i = 0; text[i] != '\0'; i++) {
    if (i >= strlen (pattern) ||
        (pattern[i] == '0' ? !g_ascii_isdigit (text[i]) : text[i] != pattern[i]))
      return FALSE;
  }

  return i == 5 || i == 8;
}

/* What GLib wants: a "T", and seconds. */
static char *
complete_moment (const char *text)
{
  g_auto (GStrv) parts = NULL;
  gsize n_time, n_zone;

  if (strlen (text) < 10 || strlen (text) > MAX_TEXT)
    return NULL;
  if (strlen (text) == DATE_LENGTH)
    return g_strconcat (text, "T00:00:00", NULL);
  if (text[10] != 'T' && text[10] != ' ')
    return NULL;

  n_time = strspn (text + 11, "0123456789:");
  n_zone = strlen (text + 11 + n_time);
  if (n_zone > 6)
    return NULL;

  return g_strdup_printf ("%.10sT%.*s%s%s", text, (int) n_time, text + 11, n_time == 5 ? ":00" : "",
                          text + 11 + n_time);
}

static GDateTime *
next_time_of_day (const char *text, gint64 now_us)
{
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_local (now_us / G_USEC_PER_SEC);
  int hour = (int) g_ascii_strtoull (text, NULL, 10);
  int minute = (int) g_ascii_strtoull (text + 3, NULL, 10);
  int second = strlen (text) == 8 ? (int) g_ascii_strtoull (text + 6, NULL, 10) : 0;

  for (int days = 0; days < 2; days++) { /* by the calendar: a day may have 23 hours */
    g_autoptr (GDateTime) day = g_date_time_add_days (now, days);
    GDateTime *then = g_date_time_new_local (g_date_time_get_year (day),
                                             g_date_time_get_month (day),
                                             g_date_time_get_day_of_month (day), hour, minute,
                                             second);

    if (then == NULL)
      return NULL;
    if (g_date_time_to_unix (then) > now_us / G_USEC_PER_SEC)
      return then;
    g_date_time_unref (then);
  }

  return NULL;
}

gboolean
cli_time_parse_moment (const char *text, gint64 now_us, gint64 *moment_us, GError **error)
{
  g_autoptr (GTimeZone) local = g_time_zone_new_local ();
  g_autoptr (GDateTime) moment = NULL;
  g_autofree char *complete = NULL;

  if (is_time_of_day (text)) {
    moment = next_time_of_day (text, now_us);
  } else {
    complete = complete_moment (text);
    moment = complete != NULL ? g_date_time_new_from_iso8601 (complete, local) : NULL;
  }

  if (moment == NULL) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%.*s' is not a time; " MOMENT_HINT, MAX_TEXT, text);
    return FALSE;
  }
  *moment_us = g_date_time_to_unix (moment) * G_USEC_PER_SEC;
  if (*moment_us <= now_us) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is over already%s", text,
                 strlen (text) == DATE_LENGTH
                   ? ": a date alone is the beginning of that day; " MOMENT_HINT
                   : "");
    return FALSE;
  }

  return TRUE;
}
