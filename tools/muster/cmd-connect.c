/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-text.h"
#include "cli-wait.h"
#include "commands.h"
#include "muster-names.h"

/* muster connect, muster disconnect: a wish for this session. */

static gboolean
wish (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  gboolean on = GPOINTER_TO_INT (user_data);
  g_autoptr (GVariant)
    reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, on ? "Connect" : "Disconnect",
                          g_variant_new ("(a{sv})", NULL), "()", error);

  if (reply == NULL)
    cli_error_prefix (error, "cannot %s %s", on ? "connect" : "disconnect",
                      cli_row_get_string (row, "Account.Address"));

  return reply != NULL;
}

static CliExit
run (Cli *cli, char **argv, gboolean on)
{
  g_autofree char *wait = NULL;
  const GOptionEntry entries[] = {
    { "wait", 'w', 0, G_OPTION_ARG_FILENAME, &wait, "Wait until it is so (default: 30 s)",
      "SECONDS" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) done = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) rest = NULL;
  CliExit status, waited = CLI_OK, shown;
  guint wait_s = 0;

  cli_command_complete_wait (argv);
  if (!cli_command_parse (cli, argv, entries, 1, CLI_ANY_NUMBER, &rest, &status))
    return status;
  if (wait != NULL && !cli_text_parse_seconds (wait, &wait_s, &error))
    return cli_error_report (error);

  status = cli_account_each (cli, rest, wish, GINT_TO_POINTER (on), done);
  if (wait_s > 0)
    waited = cli_wait_all (cli, done, on ? CLI_WAIT_REGISTERED : CLI_WAIT_DISABLED, wait_s);
  shown = cli_account_print (cli, done);

  if (status == CLI_OK)
    status = waited;

  return status != CLI_OK ? status : shown;
}

CliExit
cmd_connect (Cli *cli, char **argv)
{
  return run (cli, argv, TRUE);
}

CliExit
cmd_disconnect (Cli *cli, char **argv)
{
  return run (cli, argv, FALSE);
}
