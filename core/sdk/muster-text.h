/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: what peers and plugins say, made fit for others to read. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full): one printable line of UTF-8 of at most @max_bytes, cut between characters; what cannot
 * be printed is a blank. */
char *muster_text_tame (const char *text, gsize max_bytes);

/* As above, but lines stay lines: what ends one is "\n". */
char *muster_text_tame_lines (const char *text, gsize max_bytes);

/* Makes its message fit. */
void muster_text_tame_error (GError *error);

/* (transfer full): @bindings (nullable, then none), each fit, and not more than are of use. */
GStrv muster_text_tame_bindings (const char *const *bindings);

G_END_DECLS
