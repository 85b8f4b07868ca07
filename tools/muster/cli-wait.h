/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-account.h"

G_BEGIN_DECLS

typedef enum {
  CLI_WAIT_REGISTERED,
  CLI_WAIT_REFRESHED,
  CLI_WAIT_DISABLED,
} CliWaitFor;

#define CLI_WAIT_DEFAULT_S 30

typedef enum {
  CLI_WAIT_GO_ON,
  CLI_WAIT_REACHED,
  CLI_WAIT_FAILED,
} CliWaitVerdict;

/* @before: the account before it was asked to do something, where that matters (a refresh) */
CliWaitVerdict cli_wait_judge (CliWaitFor what, CliRow *row, CliRow *before);

/* Waits until the account at @path is there, at most until @deadline_us (monotonic). Fails with
 * CLI_TIMED_OUT, CLI_BECAME_FAILURE, CLI_NOT_FOUND (removed meanwhile) or CLI_NO_DAEMON. */
gboolean cli_wait (Cli *cli,
                   const char *path,
                   CliWaitFor what,
                   CliRow *before,
                   gint64 deadline_us,
                   GError **error);

/* The sum of "--wait": does cli_wait() for all of @paths, reports errors, returns the first's code. */
CliExit cli_wait_all (Cli *cli, GPtrArray *paths, CliWaitFor what, guint max_s);

G_END_DECLS
