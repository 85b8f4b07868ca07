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

/* muster enable, disable, connect, disconnect: one switch is kept, the other is of this session. */

typedef struct {
  const char *word;
  const char *interface;
  const char *method;
  const char *arguments; /* a tuple in GVariant's text format */
  gboolean on;
} Switch;

static const Switch enabling = { "enable", MUSTER_INTERFACE_ACCOUNT, "SetEnabled",
                                 "(true, @a{sv} {})", TRUE };
static const Switch disabling = { "disable", MUSTER_INTERFACE_ACCOUNT, "SetEnabled",
                                  "(false, @a{sv} {})", FALSE };
static const Switch connecting = { "connect", MUSTER_INTERFACE_REGISTRATION, "Connect",
                                   "(@a{sv} {},)", TRUE };
static const Switch disconnecting = { "disconnect", MUSTER_INTERFACE_REGISTRATION, "Disconnect",
                                      "(@a{sv} {},)", FALSE };

static gboolean
turn (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  const Switch *self = user_data;
  g_autoptr (GVariant) reply = cli_bus_call (cli, path, self->interface, self->method,
                                             g_variant_new_parsed (self->arguments), "()", error);

  if (reply == NULL)
    cli_error_prefix (error, "cannot %s %s", self->word,
                      cli_row_get_string (row, "Account.Address"));

  return reply != NULL;
}

static CliExit
run (Cli *cli, char **argv, const Switch *self)
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

  if (!cli_command_complete_wait (argv, &status) ||
      !cli_command_parse (cli, argv, entries, 1, CLI_ANY_NUMBER, &rest, &status))
    return status;
  if (wait != NULL && !cli_text_parse_seconds (wait, &wait_s, &error))
    return cli_error_report (error);

  status = cli_account_each (cli, rest, turn, (gpointer) self, done);
  if (wait_s > 0)
    waited = cli_wait_all (cli, done, self->on ? CLI_WAIT_REGISTERED : CLI_WAIT_DISABLED, wait_s);
  shown = cli_account_print (cli, done);

  if (status == CLI_OK)
    status = waited;

  return status != CLI_OK ? status : shown;
}

CliExit
cmd_enable (Cli *cli, char **argv)
{
  return run (cli, argv, &enabling);
}

CliExit
cmd_disable (Cli *cli, char **argv)
{
  return run (cli, argv, &disabling);
}

CliExit
cmd_connect (Cli *cli, char **argv)
{
  return run (cli, argv, &connecting);
}

CliExit
cmd_disconnect (Cli *cli, char **argv)
{
  return run (cli, argv, &disconnecting);
}
