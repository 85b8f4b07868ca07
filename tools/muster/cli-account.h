/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* All that cli_account_fields shows of the account at @path. */
CliRow *cli_account_load (Cli *cli, const char *path, GError **error);

/* Only the field that stands elsewhere: the name of its identity. */
void cli_account_load_identity_name (Cli *cli, CliRow *row);

/* All accounts for which @filter (a floating a{sv}, or NULL) holds, by address. */
GPtrArray *cli_account_list (Cli *cli, GVariant *filter, gboolean columns_only, GError **error);
void cli_account_sort (GPtrArray *rows);

/* The parameters that the account's protocol has. */
GPtrArray *cli_account_load_parameters (Cli *cli, const char *protocol, GError **error);

/* Does something to the account at @path. @row holds its configuration and registration. */
typedef gboolean (
  *CliAccountFunc) (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error);

/* For each of @selectors: find, load, @func. Goes on after an error, having reported it. Returns: how
 * the first that failed did; @done, if any, gets the paths of the others. */
CliExit cli_account_each (Cli *cli,
                          char **selectors,
                          CliAccountFunc func,
                          gpointer user_data,
                          GPtrArray *done);

/* Prints what became of the accounts at @paths: their state now. */
CliExit cli_account_print (Cli *cli, GPtrArray *paths);

G_END_DECLS
