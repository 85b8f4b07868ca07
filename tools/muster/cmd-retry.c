/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "commands.h"
#include "muster-names.h"

/* muster retry */

static gboolean
retry (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  g_autoptr (GVariant) reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, "RetryNow",
                                             g_variant_new ("(a{sv})", NULL), "()", error);

  if (reply == NULL)
    cli_error_prefix (error, "cannot retry %s", cli_row_get_string (row, "Account.Address"));

  return reply != NULL;
}

CliExit
cmd_retry (Cli *cli, char **argv)
{
  g_autoptr (GPtrArray) done = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) rest = NULL;
  CliExit status, shown;

  if (!cli_command_parse (cli, argv, NULL, 1, CLI_ANY_NUMBER, &rest, &status))
    return status;

  status = cli_account_each (cli, rest, retry, NULL, done);
  shown = cli_account_print (cli, done);

  return status != CLI_OK ? status : shown;
}
