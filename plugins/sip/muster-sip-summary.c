/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-summary.h"

#include "muster-sip-xml.h"

#include <string.h>

/*
 * Reads message summaries (RFC 3842 section 5.2): lines like headers, up to the first empty one; behind it
 * stand headers of single messages, which nobody asked for. Lines may end in LF alone, and have blanks
 * anywhere. Where counts are said they hold; else `Messages-Waiting: yes` means one at least.
 */

#define MAX_BYTES (64 * 1024)
#define MAX_LINES 64
#define MAX_COUNT G_MAXINT32

/* Message contexts (RFC 3458) with counts. */
static const char *const classes[] = {
  "voice-message", "fax-message", "pager-message", "multimedia-message", "text-message", "none",
};

typedef struct {
  MusterSipSummary summary;
  gboolean has_waiting; /* the line that says yes or no */
  gboolean is_waiting;
  gboolean has_counts;
} Reader;

void
muster_sip_summary_clear (MusterSipSummary *self)
{
  g_free (self->account);
  memset (self, 0, sizeof (*self));
}

/* The digits at @text, behind blanks; @text moves behind them. FALSE: there are none. */
static gboolean
take_count (const char **text, guint *count)
{
  guint64 value = 0;
  const char *c = *text;
  gboolean found;

  while (g_ascii_isspace (*c))
    c++;
  found = g_ascii_isdigit (*c);
  for (; g_ascii_isdigit (*c); c++)
    value = MIN (value * 10 + (guint64) (*c - '0'), MAX_COUNT);
  while (g_ascii_isspace (*c))
    c++;
  *count = (guint) value;
  *text = c;
  return found;
}

static guint
add (guint one, guint other)
{
  return (guint) MIN ((guint64) one + other, MAX_COUNT);
}

/* `new/old (urgent new/urgent old)`; the urgent ones are among the others. */
static void
read_counts (Reader *self, const char *value)
{
  guint n_new = 0, n_old = 0;

  if (!take_count (&value, &n_new))
    return;
  if (*value == '/') {
    value++;
    take_count (&value, &n_old);
  }
  self->has_counts = TRUE;
  self->summary.n_new = add (self->summary.n_new, n_new);
  self->summary.n_old = add (self->summary.n_old, n_old);
}

static gboolean
is_class (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++) {
    if (g_ascii_strcasecmp (name, classes[i]) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
read_line (Reader *self, const char *name, const char *value)
{
  if (g_ascii_strcasecmp (name, "messages-waiting") == 0) {
    self->is_waiting = g_ascii_strcasecmp (value, "yes") == 0;
    self->has_waiting = self->is_waiting || g_ascii_strcasecmp (value, "no") == 0;
  } else if (g_ascii_strcasecmp (name, "message-account") == 0) {
    if (self->summary.account == NULL)
      self->summary.account = muster_sip_xml_dup_address (value);
  } else if (is_class (name)) {
    read_counts (self, value);
  }
}

static void
read_lines (Reader *self, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", MAX_LINES + 1);
  gboolean has_begun = FALSE;

  for (guint i = 0; i < MAX_LINES && lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]);
    char *colon = strchr (line, ':');

    if (*line == '\0' && has_begun)
      return;
    has_begun |= *line != '\0';
    if (colon == NULL)
      continue;
    *colon = '\0';
    read_line (self, g_strstrip (line), g_strstrip (colon + 1));
  }
}

gboolean
muster_sip_summary_read (const char *bytes,
                         gsize n_bytes,
                         MusterSipSummary *summary,
                         GError **error)
{
  g_autofree char *text = NULL;
  Reader reader = { { 0 } };

  if (n_bytes > MAX_BYTES || (n_bytes > 0 && memchr (bytes, '\0', n_bytes) != NULL)) {
    g_set_error_literal (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL,
                         n_bytes > MAX_BYTES ? "the message summary is larger than 64 kB"
                                             : "the message summary holds a zero byte");
    return FALSE;
  }
  text = g_strndup (n_bytes > 0 ? bytes : "", n_bytes);
  read_lines (&reader, text);
  if (!reader.has_waiting && !reader.has_counts) {
    g_set_error_literal (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL,
                         "the message summary does not say whether messages wait");
    muster_sip_summary_clear (&reader.summary);
    return FALSE;
  }

  if (reader.is_waiting && !reader.has_counts)
    reader.summary.n_new = 1;
  *summary = reader.summary;
  return TRUE;
}
