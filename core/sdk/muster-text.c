/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-text.h"

#include <string.h>

/*
 * What comes from a server, through a plugin or not, ends in logs, in terminals and on D-Bus. The first
 * two obey control characters; the third takes nothing but UTF-8, and GVariant aborts on anything
 * else. So it is made fit at the border, whatever the plugin did about it.
 */

#define MESSAGE_MAX_BYTES 1024
#define BINDING_MAX_BYTES 1024
#define BINDINGS_MAX      16

static gboolean
is_tame (const char *text, gsize max_bytes)
{
  const char *end = NULL;

  if (!g_utf8_validate (text, -1, &end) || (gsize) (end - text) > max_bytes)
    return FALSE;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    if (!g_unichar_isprint (g_utf8_get_char (p)))
      return FALSE;
  }

  return TRUE;
}

char *
muster_text_tame (const char *text, gsize max_bytes)
{
  g_autofree char *valid = NULL;
  GString *tame;

  if (is_tame (text, max_bytes))
    return g_strdup (text);

  valid = g_utf8_make_valid (text, (gssize) strnlen (text, max_bytes));
  tame = g_string_new (NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (tame->len + 6 > max_bytes)
      break;
    g_string_append_unichar (tame, g_unichar_isprint (c) ? c : ' ');
  }

  return g_string_free (tame, FALSE);
}

char *
muster_text_tame_lines (const char *text, gsize max_bytes)
{
  g_autofree char *cut = g_strndup (text, max_bytes);
  g_autoptr (GString) tame = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;

  lines = g_strsplit (cut, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_autofree char *line = NULL;

    if (g_str_has_suffix (lines[i], "\r"))
      lines[i][strlen (lines[i]) - 1] = '\0';
    line = muster_text_tame (lines[i], max_bytes);
    if (tame->len + (i > 0) + strlen (line) > max_bytes)
      break;
    g_string_append_printf (tame, "%s%s", i > 0 ? "\n" : "", line);
  }

  return g_string_free (g_steal_pointer (&tame), FALSE);
}

void
muster_text_tame_error (GError *error)
{
  char *message;

  if (is_tame (error->message, MESSAGE_MAX_BYTES))
    return;

  message = muster_text_tame (error->message, MESSAGE_MAX_BYTES);
  g_free (error->message);
  error->message = message;
}

GStrv
muster_text_tame_bindings (const char *const *bindings)
{
  g_autoptr (GStrvBuilder) tame = g_strv_builder_new ();

  for (guint i = 0; bindings != NULL && bindings[i] != NULL && i < BINDINGS_MAX; i++) {
    g_autofree char *binding = muster_text_tame (bindings[i], BINDING_MAX_BYTES);

    g_strv_builder_add (tame, binding);
  }

  return g_strv_builder_end (tame);
}
