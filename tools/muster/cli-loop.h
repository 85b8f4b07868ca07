/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The loop of a command that goes on until somebody ends it. SIGINT, SIGTERM and SIGHUP do, from
 * cli_loop_init() on; so does the end of its time. That is success. */
typedef struct {
  GMainLoop *loop;
  guint signals[3];
} CliLoop;

void cli_loop_init (CliLoop *self);
void cli_loop_clear (CliLoop *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliLoop, cli_loop_clear)

/* @max_s: 0 for ever */
void cli_loop_run (CliLoop *self, guint max_s);
void cli_loop_quit (CliLoop *self);

G_END_DECLS
