/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-trial.h"
#include "commands.h"

/* muster test: what would become of an account, before there is one. */

CliExit
cmd_test (Cli *cli, char **argv)
{
  g_auto (CliLoginOptions) options = { NULL };
  const GOptionEntry entries[] = {
    CLI_LOGIN_ENTRIES (options),
    { NULL },
  };
  g_autoptr (CliLogin) login = NULL;
  g_autoptr (GVariant) report = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 1, 2, &rest, &status))
    return status;

  login = cli_login_new (cli, rest, &options, &error);
  if (login != NULL)
    report = cli_trial_run (cli, login, login->fds, &error);
  if (report == NULL)
    return cli_error_report (error);

  cli_trial_print (cli, login, report);
  if (!cli_trial_check (login, report, &error))
    return cli_error_report (error);

  return CLI_OK;
}
