/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-account.h"

G_BEGIN_DECLS

typedef enum {
  CLI_WATCH_INITIAL,
  CLI_WATCH_ADDED,
  CLI_WATCH_CHANGED,
  CLI_WATCH_REMOVED,
  CLI_WATCH_DAEMON_STOPPED,
  CLI_WATCH_DAEMON_STARTED,
  CLI_WATCH_BUS_LOST, /* the last that is said */
} CliWatchChange;

/* @row: (nullable): the account as it is now, or was before it was removed; %NULL if the change is
 * not about one */
typedef void (*CliWatchFunc) (CliWatchChange change, CliRow *row, gpointer user_data);

/* Keeps some or all accounts up to date, also when the daemon restarts. */
typedef struct _CliWatch CliWatch;

/* @paths: (nullable) (element-type utf8): those to watch; %NULL: all, and those to come. @func is
 * called for each account before this returns. */
CliWatch *
cli_watch_new (Cli *cli, GPtrArray *paths, CliWatchFunc func, gpointer user_data, GError **error);
void cli_watch_free (CliWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliWatch, cli_watch_free)

/* (transfer container): the accounts now, by address */
GPtrArray *cli_watch_get_rows (CliWatch *self);

const char *cli_watch_change_to_string (CliWatchChange change);

G_END_DECLS
