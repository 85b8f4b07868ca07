/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-wait.h"
#include "commands.h"
#include "muster-names.h"

/* muster retry */

#define VERDICT_US G_USEC_PER_SEC

static gboolean
is_invalid (CliRow *row)
{
  return g_str_equal (cli_row_get_string (row, "Registration.State"), "failed") &&
         g_str_equal (cli_row_get_string (row, "Registration.Reason"), "invalid");
}

/* What the plugin could not use may lie outside, such as a file, and be mended by now. If it is not,
 * that shows before any service is asked. */
static gboolean
check_mended (Cli *cli, const char *path, CliRow *row, GError **error)
{
  g_autoptr (GHashTable) after = NULL;
  g_autoptr (GError) local = NULL;

  if (cli_wait (cli, path, CLI_WAIT_REGISTERED, NULL, g_get_monotonic_time () + VERDICT_US,
                &local) ||
      g_error_matches (local, CLI_ERROR, CLI_TIMED_OUT))
    return TRUE;
  if (!g_error_matches (local, CLI_ERROR, CLI_BECAME_FAILURE)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  /* Mended, and now the service says no: that is another story, which the table tells. */
  after = cli_account_load (cli, path, NULL);
  if (after != NULL && !is_invalid (after))
    return TRUE;

  g_set_error (error, CLI_ERROR, CLI_BECAME_FAILURE,
               "%s was tried again and %s; nothing more will happen until that is mended, or its "
               "configuration is changed with 'muster set'",
               cli_row_get_string (row, "Account.Address"), local->message);

  return FALSE;
}

static gboolean
retry (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  g_autoptr (GVariant) reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, "RetryNow",
                                             g_variant_new ("(a{sv})", NULL), "()", error);

  if (reply == NULL) {
    cli_error_prefix (error, "cannot retry %s", cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }

  return !is_invalid (row) || check_mended (cli, path, row, error);
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
