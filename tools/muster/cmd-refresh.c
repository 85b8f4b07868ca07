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

/* muster refresh. Whether it was done shows only in comparison with before, so the wait for each
 * account follows its own call. */

static gboolean
refresh (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  guint wait_s = GPOINTER_TO_UINT (user_data);
  g_autoptr (GVariant) reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, "Refresh",
                                             g_variant_new ("(a{sv})", NULL), "()", error);

  if (reply == NULL) {
    cli_error_prefix (error, "cannot refresh %s", cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }
  if (wait_s == 0)
    return TRUE;

  if (cli_wait (cli, path, CLI_WAIT_REFRESHED, row,
                g_get_monotonic_time () + (gint64) wait_s * G_USEC_PER_SEC, error))
    return TRUE;
  if (!g_error_matches (*error, CLI_ERROR, CLI_NO_DAEMON))
    g_prefix_error (error, "%s ", cli_row_get_string (row, "Account.Address"));

  return FALSE;
}

CliExit
cmd_refresh (Cli *cli, char **argv)
{
  g_autofree char *wait = NULL;
  const GOptionEntry entries[] = {
    { "wait", 'w', 0, G_OPTION_ARG_FILENAME, &wait, "Wait until it is refreshed (default: 30 s)",
      "SECONDS" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) done = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) rest = NULL;
  CliExit status, shown;
  guint wait_s = 0;

  if (!cli_command_complete_wait (argv, &status) ||
      !cli_command_parse (cli, argv, entries, 1, CLI_ANY_NUMBER, &rest, &status))
    return status;
  if (wait != NULL && !cli_text_parse_seconds (wait, &wait_s, &error))
    return cli_error_report (error);

  status = cli_account_each (cli, rest, refresh, GUINT_TO_POINTER (wait_s), done);
  shown = cli_account_print (cli, done);

  return status != CLI_OK ? status : shown;
}
