/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-log.h"

#include <string.h>

static void
append_printable (GString *log, const char *text, const char *escaped)
{
  for (; *text != '\0'; text++) {
    if (*text == '\n')
      g_string_append (log, "\\n");
    else if (g_ascii_iscntrl (*text))
      g_string_append_c (log, '?');
    else if (strchr (escaped, *text) != NULL)
      g_string_append_printf (log, "\\%c", *text);
    else
      g_string_append_c (log, *text);
  }
}

void
muster_echo_all_log_add (GString *log, const char *fact, const char *text)
{
  append_printable (log, fact, "");
  if (text != NULL) {
    g_string_append (log, " \"");
    append_printable (log, text, "\"\\");
    g_string_append_c (log, '"');
  }
  g_string_append_c (log, '\n');

  while (log->len > MUSTER_ECHO_ALL_LOG_MAX_BYTES)
    g_string_erase (log, 0, strchr (log->str, '\n') + 1 - log->str);
}
