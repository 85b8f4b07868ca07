/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "runtime/muster-log.h"

#include <string.h>

/* What is logged is kept, the newest of it, and nothing else is. */

typedef struct {
  gint64 first;
  gint64 last;
  guint n;
  char *text;
} Seen;

static gboolean
on_line (const MusterLogLine *line, gpointer user_data)
{
  Seen *seen = user_data;

  if (seen->n++ == 0)
    seen->first = line->number;
  seen->last = line->number;
  g_assert_cmpuint (strlen (line->text), <=, MUSTER_LOG_MAX_BYTES + 2); /* and U+FFFD at its end */
  g_assert_true (g_utf8_validate (line->text, -1, NULL));
  g_free (seen->text);
  seen->text = g_strdup (line->text);

  return seen->n < 3000;
}

static void
look (gint64 after, Seen *seen)
{
  g_free (seen->text);
  *seen = (Seen){ 0 };
  muster_log_foreach_after (after, on_line, seen);
}

static void
test_levels (void)
{
  const char *const one[] = { "MusterOne", NULL };
  const char *const all[] = { "GLib", MUSTER_LOG_ALL, NULL };
  gint64 before = muster_log_get_last ();
  Seen seen = { 0 };

  g_log ("MusterOne", G_LOG_LEVEL_INFO, "dropped");
  g_log ("MusterOne", G_LOG_LEVEL_DEBUG, "dropped");
  g_assert_cmpint (muster_log_get_last (), ==, before);
  g_log ("MusterOne", G_LOG_LEVEL_MESSAGE, "kept");
  g_assert_cmpint (muster_log_get_last (), ==, before + 1);

  muster_log_set_domains (one);
  g_log ("MusterOne", G_LOG_LEVEL_DEBUG, "kept");
  g_log ("MusterTwo", G_LOG_LEVEL_INFO, "dropped");
  g_assert_cmpint (muster_log_get_last (), ==, before + 2);
  muster_log_set_domains (all);
  g_log ("MusterTwo", G_LOG_LEVEL_INFO, "kept %d", 2);
  g_log ("GLib", G_LOG_LEVEL_DEBUG, "dropped, since it is not ours");
  g_assert_cmpint (muster_log_get_last (), ==, before + 3);
  look (before + 2, &seen);
  g_assert_cmpstr (seen.text, ==, "kept 2");
  g_free (seen.text);

  muster_log_set_domains (NULL);
  g_log ("MusterTwo", G_LOG_LEVEL_INFO, "dropped");
  g_assert_cmpint (muster_log_get_last (), ==, before + 3);
}

static void
test_bounds (void)
{
  const char *const all[] = { MUSTER_LOG_ALL, NULL };
  g_autofree char *endless = g_strnfill (5000, 'x');
  Seen seen = { 0 };
  gint64 last;

  muster_log_set_domains (all);
  for (guint i = 0; i < MUSTER_LOG_MAX_LINES + 500; i++)
    g_log ("MusterOne", G_LOG_LEVEL_INFO, "line %u", i);
  g_log ("MusterOne", G_LOG_LEVEL_INFO, "%s\xc3\xa9", endless);
  last = muster_log_get_last ();

  look (0, &seen);
  g_assert_cmpuint (seen.n, ==, MUSTER_LOG_MAX_LINES);
  g_assert_cmpint (seen.first, ==, last - MUSTER_LOG_MAX_LINES + 1);
  g_assert_cmpint (seen.last, ==, last);
  look (last - 1, &seen);
  g_assert_cmpuint (seen.n, ==, 1);
  look (last, &seen);
  g_assert_cmpuint (seen.n, ==, 0);
  look (last + 100, &seen);
  g_assert_cmpuint (seen.n, ==, 0);
  muster_log_set_domains (NULL);
}

int
main (int argc, char **argv)
{
  g_unsetenv ("G_MESSAGES_DEBUG");
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_log_set_default_handler (g_log_default_handler, NULL); /* g_test_init took it */
  g_log_writer_default_set_use_stderr (TRUE);              /* TAP has the other one */
  muster_log_init ();

  g_test_add_func ("/log/levels", test_levels);
  g_test_add_func ("/log/bounds", test_bounds);

  return g_test_run ();
}
