/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Some lines at the bottom of a terminal that are drawn over and over in place. */
typedef struct {
  guint n_drawn;
  gboolean hidden; /* the cursor */
} CliScreen;

/* Columns of the terminal that stdout is; 0: it is none, or does not know. */
guint cli_screen_get_width (void);

void cli_screen_get_size (guint *width, guint *height);
void cli_screen_draw (CliScreen *self, GPtrArray *lines);
void cli_screen_end (CliScreen *self);

G_END_DECLS
