/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Secrets come from a descriptor or the terminal, and leave through a pipe whose reading end is
 * returned; -1 on error. They are at most 64 kB, lose one newline at their end, must not be empty,
 * and stand nowhere else in memory. */
int cli_secret_from_fd (int fd, const char *name, GError **error);
/* An @optional secret may be left empty: -1 without an error. */
int
cli_secret_from_terminal (const char *prompt, const char *name, gboolean optional, GError **error);

/* Whether somebody can be asked. */
gboolean cli_secret_can_ask (void);

/* The bytes that count of what was read. */
gsize cli_secret_trim (const char *bytes, gsize n_bytes);

/* A descriptor of our caller's, not one of the first three but stdin. */
gboolean cli_secret_parse_fd (const char *text, int *fd, GError **error);

G_END_DECLS
