/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

typedef enum {
  CLI_DAEMON_STOPPED,
  CLI_DAEMON_STARTED, /* another one */
  CLI_DAEMON_BUS_LOST /* the last that is said */
} CliDaemonChange;

typedef void (*CliDaemonFunc) (CliDaemonChange change, gpointer user_data);

/* Says that the daemon goes and comes, from the next turn of the loop on; the one that is there first is
 * not said. The connection must be there already. */
typedef struct _CliDaemon CliDaemon;

CliDaemon *cli_daemon_new (Cli *cli, CliDaemonFunc func, gpointer user_data);
void cli_daemon_free (CliDaemon *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliDaemon, cli_daemon_free)

/* In JSON, and for people. */
const char *cli_daemon_change_to_string (CliDaemonChange change);
const char *cli_daemon_change_to_words (CliDaemonChange change);

/* A line of its own among others that follow something: with its time, or as JSON. */
void cli_daemon_print (Cli *cli, CliDaemonChange change);

G_END_DECLS
