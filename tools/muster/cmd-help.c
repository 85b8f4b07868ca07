/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "commands.h"

/* muster help: a command explains itself when it is asked. */

CliExit
cmd_help (Cli *cli, char **argv)
{
  g_auto (GStrv) rest = NULL;
  const CliCommand *command;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 0, 1, &rest, &status))
    return status;
  if (rest[0] == NULL) {
    cli_command_print_overview ();
    return CLI_OK;
  }

  command = cli_command_find (rest[0]);
  if (command == NULL)
    return cli_command_unknown (rest[0]);

  return cli_command_explain (cli, command);
}
