/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-text.h"

char *
sip_text_dup_header (const char *text, const char *name, const char *separator)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", 0);
  GString *values = NULL;

  for (char **line = lines; *line != NULL && **line != '\0'; line++) {
    gsize length = strlen (name);

    if (g_ascii_strncasecmp (*line, name, length) != 0 || (*line)[length] != ':')
      continue;
    if (values == NULL)
      values = g_string_new (NULL);
    else
      g_string_append (values, separator);
    g_string_append (values, g_strstrip (*line + length + 1));
  }
  return values != NULL ? g_string_free (values, FALSE) : NULL;
}
