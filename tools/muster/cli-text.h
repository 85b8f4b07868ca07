/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether stdout wants colours: a terminal, and nobody said NO_COLOR. */
gboolean cli_text_colours (void);

/* Whether @c could move the cursor, change the order of what stands beside it, or break a line. */
gboolean cli_text_is_unsafe (gunichar c);
char *cli_text_escape (const char *text);

/* Columns on a terminal; @text has been escaped. */
guint cli_text_width (const char *text);
char *cli_text_shorten (const char *text, guint max_width);

/* At spaces, where there are any. Returns: (element-type utf8): at least one line */
GPtrArray *cli_text_wrap (const char *text, guint max_width);

char *cli_text_duration (gint64 duration_us);
char *cli_text_relative (gint64 time_us, gint64 now_us);
/* @time_us 0 means "not" and yields NULL, as does a time that no calendar holds. */
char *cli_text_time_utc (guint64 time_us);
char *cli_text_time_local (guint64 time_us);

char *cli_text_kebab (const char *camel);
gboolean cli_text_parse_seconds (const char *text, guint *seconds, GError **error);

/* The entry of @names that @word was probably meant to be, %NULL if none comes close. */
const char *cli_text_nearest (const char *word, const char *const *names);

G_END_DECLS
