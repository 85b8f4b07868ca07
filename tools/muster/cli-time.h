/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Times as people write them. The errors are CLI_USAGE. */

/* "90s", "30m", "1h30m", "2d" */
gboolean cli_time_parse_duration (const char *text, gint64 *duration_us, GError **error);

/* "17:30": the next one; "2026-11-20", "2026-11-20 17:30", and the same as ISO 8601 with a zone. Local
 * time, unless it says otherwise. In the future. */
gboolean cli_time_parse_moment (const char *text, gint64 now_us, gint64 *moment_us, GError **error);

G_END_DECLS
