/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-table.h"
#include "commands.h"
#include "muster-names.h"

/* muster show */

CliExit
cmd_show (Cli *cli, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) row = NULL;
  g_autofree char *path = NULL;
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 1, 1, &rest, &status))
    return status;

  path = cli_bus_find (cli, "account", rest[0], &error);
  if (path != NULL)
    row = cli_account_load (cli, path, &error);
  if (row == NULL)
    return cli_error_report (error);
  /* Not every account has these. */
  cli_bus_load (cli, path, MUSTER_INTERFACE_MAILBOX, row, NULL);
  cli_bus_load (cli, path, MUSTER_INTERFACE_PUBLICATION, row, NULL);

  cli_table_print_one (cli, cli_account_fields, row);

  return CLI_OK;
}
