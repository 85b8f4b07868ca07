/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-text.h"

#include "cli-error.h"

#include <string.h>
#include <unistd.h>

/* Text for people: what may be shown, how long is left, what was probably meant. Pure, but for
 * cli_text_colours(). */

#define MAX_SECONDS     86400
#define MAX_UNIX_TIME_S G_GINT64_CONSTANT (253402300799) /* the end of the year 9999 */
#define MAX_WORD        64

gboolean
cli_text_colours (void)
{
  const char *no_color = g_getenv ("NO_COLOR");

  return isatty (STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') &&
         g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
}

gboolean
cli_text_is_unsafe (gunichar c)
{
  /* Joiners are format characters, too, but names need them. */
  if (c == 0x200c || c == 0x200d)
    return FALSE;

  switch ((int) g_unichar_type (c)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT:
  case G_UNICODE_SURROGATE:
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
    return TRUE;
  default:
    return FALSE;
  }
}

char *
cli_text_escape (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_sized_new (strlen (valid));

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (!cli_text_is_unsafe (c))
      g_string_append_unichar (out, c);
    else if (c == '\n')
      g_string_append (out, "\\n");
    else if (c == '\t')
      g_string_append (out, "\\t");
    else if (c < 0x80)
      g_string_append_printf (out, "\\x%02x", c);
    else
      g_string_append_printf (out, "\\u{%x}", c);
  }

  return g_string_free (out, FALSE);
}

static guint
unichar_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;

  return g_unichar_iswide (c) ? 2 : 1;
}

guint
cli_text_width (const char *text)
{
  guint width = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    width += unichar_width (g_utf8_get_char (p));

  return width;
}

char *
cli_text_shorten (const char *text, guint max_width)
{
  guint width = 0;
  const char *p;

  if (cli_text_width (text) <= max_width)
    return g_strdup (text);

  for (p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    width += unichar_width (g_utf8_get_char (p));
    if (width >= max_width)
      break;
  }

  return g_strdup_printf ("%.*s%s", (int) (p - text), text, max_width > 0 ? "…" : "");
}

GPtrArray *
cli_text_wrap (const char *text, guint max_width)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);

  do {
    const char *end, *space = NULL;
    char *line;
    guint width = 0;

    for (end = text; *end != '\0'; end = g_utf8_next_char (end)) {
      width += unichar_width (g_utf8_get_char (end));
      if (width > max_width && end > text)
        break;
      if (*end == ' ')
        space = end;
    }
    if (*end != '\0' && *end != ' ' && space != NULL)
      end = space;

    line = g_strndup (text, (gsize) (end - text));
    g_ptr_array_add (lines, g_strchomp (line));
    text = end + strspn (end, " ");
  } while (*text != '\0');

  return lines;
}

char *
cli_text_duration (gint64 duration_us)
{
  gint64 s = MAX (duration_us, 0) / G_USEC_PER_SEC;

  if (s < 60)
    return g_strdup_printf ("%d s", (int) s);
  if (s < 3600)
    return g_strdup_printf ("%d min %02d s", (int) (s / 60), (int) (s % 60));
  if (s < 86400)
    return g_strdup_printf ("%d h %02d min", (int) (s / 3600), (int) (s % 3600 / 60));

  return g_strdup_printf ("%" G_GINT64_FORMAT " d %02d h", s / 86400, (int) (s % 86400 / 3600));
}

char *
cli_text_relative (gint64 time_us, gint64 now_us)
{
  g_autofree char *duration = cli_text_duration (ABS (time_us - now_us));

  if (ABS (time_us - now_us) < G_USEC_PER_SEC)
    return g_strdup ("now");

  return time_us > now_us ? g_strdup_printf ("in %s", duration)
                          : g_strdup_printf ("%s ago", duration);
}

static GDateTime *
date_time (guint64 time_us)
{
  if (time_us == 0 || time_us / G_USEC_PER_SEC > (guint64) MAX_UNIX_TIME_S)
    return NULL;

  return g_date_time_new_from_unix_utc ((gint64) (time_us / G_USEC_PER_SEC));
}

char *
cli_text_time_utc (guint64 time_us)
{
  g_autoptr (GDateTime) utc = date_time (time_us);
  g_autofree char *text = NULL;

  if (utc == NULL)
    return NULL;

  text = g_date_time_format (utc, "%Y-%m-%dT%H:%M:%S");

  return g_strdup_printf ("%s.%06uZ", text, (guint) (time_us % G_USEC_PER_SEC));
}

char *
cli_text_time_local (guint64 time_us)
{
  g_autoptr (GDateTime) utc = date_time (time_us);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;

  return local != NULL ? g_date_time_format (local, "%Y-%m-%d %H:%M:%S") : NULL;
}

char *
cli_text_kebab (const char *camel)
{
  GString *out = g_string_new (NULL);

  for (const char *p = camel; *p != '\0'; p++) {
    if (g_ascii_isupper (*p) && p != camel)
      g_string_append_c (out, '-');
    g_string_append_c (out, g_ascii_tolower (*p));
  }

  return g_string_free (out, FALSE);
}

gboolean
cli_text_parse_seconds (const char *text, guint *seconds, GError **error)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 1, MAX_SECONDS, &value, NULL)) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is not a number of seconds from 1 to %d", text,
                 MAX_SECONDS);
    return FALSE;
  }
  *seconds = (guint) value;

  return TRUE;
}

/* The number of letters to insert, drop, change or swap with a neighbour. */
static guint
edit_distance (const char *a, const char *b)
{
  gsize n_a = strlen (a), n_b = strlen (b);
  guint rows[3][MAX_WORD + 1];

  for (gsize j = 0; j <= n_b; j++)
    rows[0][j] = (guint) j;

  for (gsize i = 1; i <= n_a; i++) {
    guint *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

    row[0] = (guint) i;
    for (gsize j = 1; j <= n_b; j++) {
      row[j] = MIN (above[j] + 1, row[j - 1] + 1);
      row[j] = MIN (row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = MIN (row[j], two_above[j - 2] + 1);
    }
  }

  return rows[n_a % 3][n_b];
}

const char *
cli_text_nearest (const char *word, const char *const *names)
{
  gsize length = strlen (word);
  guint best = (guint) MAX (1, length / 3) + 1; /* worse than this is a guess */
  const char *nearest = NULL;

  if (length == 0 || length > MAX_WORD)
    return NULL;

  for (; *names != NULL; names++) {
    guint distance;

    if (strlen (*names) > MAX_WORD)
      continue;
    distance = edit_distance (word, *names);
    if (distance < best) {
      best = distance;
      nearest = *names;
    }
  }

  return nearest;
}
