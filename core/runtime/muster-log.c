/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterLog"

#include "config.h"

#include "muster-log.h"

#include <muster/muster-hub.h>

#include <stdio.h>
#include <string.h>

/*
 * The writer of GLib's log: what is logged is written where GLib writes it, and kept in a ring. Nothing
 * else gets into the ring, so it holds no more than the log does. Any thread may log.
 */

static struct {
  GMutex lock;
  MusterLogLine lines[MUSTER_LOG_MAX_LINES]; /* line n is at n % MUSTER_LOG_MAX_LINES */
  gint64 last;
  GStrv domains; /* NULL: none */
  int is_asked;  /* atomic: whether there are some */
} ring;

static gboolean
is_asked_for (const char *domain)
{
  gboolean is = FALSE;

  if (g_atomic_int_get (&ring.is_asked) == 0 || domain == NULL ||
      !g_str_has_prefix (domain, MUSTER_LOG_DOMAIN_PREFIX))
    return FALSE;

  g_mutex_lock (&ring.lock);
  if (ring.domains != NULL)
    is = g_strv_contains ((const char *const *) ring.domains, MUSTER_LOG_ALL) ||
         g_strv_contains ((const char *const *) ring.domains, domain);
  g_mutex_unlock (&ring.lock);

  return is;
}

static const GLogField *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++) {
    if (strcmp (fields[i].key, key) == 0 && fields[i].value != NULL)
      return &fields[i];
  }

  return NULL;
}

/* Lent, NULL if there is none: asked for each line that is dropped, too. */
static const char *
get_domain (const GLogField *fields, gsize n_fields)
{
  const GLogField *field = find_field (fields, n_fields, "GLIB_DOMAIN");

  return field != NULL && field->length < 0 ? field->value : NULL;
}

/* Returns (transfer full): NULL if there is none */
static char *
dup_message (const GLogField *fields, gsize n_fields)
{
  const GLogField *field = find_field (fields, n_fields, "MESSAGE");
  gsize length;

  if (field == NULL)
    return NULL;

  length = field->length < 0 ? strlen (field->value) : (gsize) field->length;
  return g_utf8_make_valid (field->value, (gssize) MIN (length, MUSTER_LOG_MAX_BYTES));
}

static void
keep (GLogLevelFlags level, const char *domain, char *text)
{
  MusterLogLine *line;

  g_mutex_lock (&ring.lock);
  ring.last++;
  line = &ring.lines[ring.last % MUSTER_LOG_MAX_LINES];
  g_free (line->text);
  line->number = ring.last;
  line->time_us = muster_clock_wall_us ();
  line->level = level & G_LOG_LEVEL_MASK;
  line->domain = domain != NULL ? g_intern_string (domain) : "";
  line->text = text != NULL ? text : g_strdup ("");
  g_mutex_unlock (&ring.lock);
}

static GLogWriterOutput
write_line (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  const char *domain = get_domain (fields, n_fields);

  if (!g_log_writer_default_would_drop (level, domain)) {
    keep (level, domain, dup_message (fields, n_fields));
    return g_log_writer_default (level, fields, n_fields, user_data);
  }
  if (!is_asked_for (domain))
    return G_LOG_WRITER_HANDLED;

  keep (level, domain, dup_message (fields, n_fields));
  if (g_log_writer_is_journald (fileno (stderr)) &&
      g_log_writer_journald (level, fields, n_fields, user_data) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;

  return g_log_writer_standard_streams (level, fields, n_fields, user_data);
}

void
muster_log_init (void)
{
  g_log_set_writer_func (write_line, NULL, NULL);
}

void
muster_log_set_domains (const char *const *domains)
{
  g_mutex_lock (&ring.lock);
  g_strfreev (ring.domains);
  ring.domains = domains != NULL && domains[0] != NULL ? g_strdupv ((GStrv) domains) : NULL;
  g_atomic_int_set (&ring.is_asked, ring.domains != NULL);
  g_mutex_unlock (&ring.lock);
}

const char *
muster_log_level_to_string (GLogLevelFlags level)
{
  if ((level & G_LOG_LEVEL_ERROR) != 0)
    return "error";
  if ((level & G_LOG_LEVEL_CRITICAL) != 0)
    return "critical";
  if ((level & G_LOG_LEVEL_WARNING) != 0)
    return "warning";
  if ((level & G_LOG_LEVEL_MESSAGE) != 0)
    return "message";

  return (level & G_LOG_LEVEL_INFO) != 0 ? "info" : "debug";
}

void
muster_log_foreach_after (gint64 number, MusterLogFunc func, gpointer user_data)
{
  g_mutex_lock (&ring.lock);
  for (gint64 n = MAX (number, ring.last - MUSTER_LOG_MAX_LINES) + 1; n <= ring.last; n++) {
    if (!func (&ring.lines[n % MUSTER_LOG_MAX_LINES], user_data))
      break;
  }
  g_mutex_unlock (&ring.lock);
}

gint64
muster_log_get_last (void)
{
  gint64 last;

  g_mutex_lock (&ring.lock);
  last = ring.last;
  g_mutex_unlock (&ring.lock);

  return last;
}
