/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-daemon.h"

G_BEGIN_DECLS

/* What can be watched. */
typedef struct {
  const char *root;      /* their paths are below this one */
  const char *interface; /* what all of them have */
  /* @paths: (nullable): only these. Returns: (transfer container): in the order in which they are said */
  GPtrArray *(*list) (Cli *cli, GPtrArray *paths, GError **error);
  void (*complete) (Cli *cli, CliRow *row); /* with what other objects know of it */
} CliWatchKind;

extern const CliWatchKind cli_watch_accounts;
extern const CliWatchKind cli_watch_offers; /* those that are not over, and all that come */
extern const CliWatchKind cli_watch_all_offers;

typedef enum {
  CLI_WATCH_INITIAL,
  CLI_WATCH_ADDED,
  CLI_WATCH_CHANGED,
  CLI_WATCH_REMOVED,
  CLI_WATCH_DAEMON_STOPPED,
  CLI_WATCH_DAEMON_STARTED,
  CLI_WATCH_BUS_LOST, /* the last that is said */
} CliWatchChange;

/* @row: (nullable): the object as it is now, or was before it was removed; %NULL if the change is
 * not about one */
typedef void (*CliWatchFunc) (CliWatchChange change, CliRow *row, gpointer user_data);

/* Keeps some or all objects of a kind up to date, also when the daemon restarts. */
typedef struct _CliWatch CliWatch;

/* @paths: (nullable) (element-type utf8): those to watch; %NULL: all, and those to come. @func is
 * called for each that is there before this returns. */
CliWatch *cli_watch_new (Cli *cli,
                         const CliWatchKind *kind,
                         GPtrArray *paths,
                         CliWatchFunc func,
                         gpointer user_data,
                         GError **error);
void cli_watch_free (CliWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliWatch, cli_watch_free)

/* (transfer container): what there is now, in no order */
GPtrArray *cli_watch_get_rows (CliWatch *self);

const char *cli_watch_change_to_string (CliWatchChange change);

G_END_DECLS
