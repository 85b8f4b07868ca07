/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-screen.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

guint
cli_screen_get_width (void)
{
  struct winsize size;

  return ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ? 0 : size.ws_col;
}

void
cli_screen_get_size (guint *width, guint *height)
{
  struct winsize size;

  *width = 80;
  *height = 24;
  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
    return;
  if (size.ws_col > 0)
    *width = size.ws_col;
  if (size.ws_row > 0)
    *height = size.ws_row;
}

void
cli_screen_draw (CliScreen *self, GPtrArray *lines)
{
  g_autoptr (GString) out = g_string_new (self->hidden ? NULL : "\033[?25l");

  self->hidden = TRUE;
  if (self->n_drawn > 0)
    g_string_append_printf (out, "\033[%uA", self->n_drawn);
  g_string_append_c (out, '\r');
  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (out, "%s\033[K\n", (const char *) g_ptr_array_index (lines, i));
  g_string_append (out, "\033[J");
  self->n_drawn = lines->len;

  fputs (out->str, stdout);
  fflush (stdout);
}

void
cli_screen_end (CliScreen *self)
{
  if (self->hidden)
    fputs ("\033[?25h", stdout);
  self->hidden = FALSE;
  self->n_drawn = 0;
  fflush (stdout);
}
