/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-table.h"
#include "commands.h"
#include "muster-names.h"

/* muster unlock: as long as the person takes whom the keyring asks. */

CliExit
cmd_unlock (Cli *cli, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GHashTable) row = cli_row_new ();
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 0, 0, &rest, &status))
    return status;

  cli->patient = TRUE;
  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "Unlock",
                        g_variant_new ("(a{sv})", NULL), "()", &error);
  cli->patient = FALSE;
  if (reply == NULL) {
    cli_error_prefix (&error, "cannot unlock");
    return cli_error_report (error);
  }

  if (!cli_bus_load (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, row, &error))
    return cli_error_report (error);
  cli_table_print_one (cli, cli_manager_fields, row);

  return CLI_OK;
}
