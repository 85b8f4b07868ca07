/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-loop.h"

#include <glib-unix.h>

static gboolean
on_end (gpointer user_data)
{
  g_main_loop_quit (user_data);

  return G_SOURCE_CONTINUE;
}

void
cli_loop_init (CliLoop *self)
{
  static const int numbers[G_N_ELEMENTS (self->signals)] = { SIGINT, SIGTERM, SIGHUP };

  self->loop = g_main_loop_new (NULL, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    self->signals[i] = g_unix_signal_add (numbers[i], on_end, self->loop);
}

void
cli_loop_clear (CliLoop *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->signals); i++)
    g_clear_handle_id (&self->signals[i], g_source_remove);
  g_clear_pointer (&self->loop, g_main_loop_unref);
}

void
cli_loop_run (CliLoop *self, guint max_s)
{
  guint timeout = max_s > 0 ? g_timeout_add_seconds (max_s, on_end, self->loop) : 0;

  g_main_loop_run (self->loop);
  g_clear_handle_id (&timeout, g_source_remove);
}

void
cli_loop_quit (CliLoop *self)
{
  g_main_loop_quit (self->loop);
}
