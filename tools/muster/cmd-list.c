/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-table.h"
#include "cli-text.h"
#include "commands.h"

/* muster list */

static GVariant *
make_filter (Cli *cli,
             const char *state,
             const char *protocol,
             const char *identity,
             GError **error)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (NULL);

  if (state != NULL && !g_strv_contains (cli_states, state)) {
    const char *nearest = cli_text_nearest (state, cli_states);
    g_autofree char *all = g_strjoinv (", ", (char **) cli_states);

    if (nearest != NULL)
      g_set_error (error, CLI_ERROR, CLI_USAGE, "there is no state '%s'; did you mean '%s'?", state,
                   nearest);
    else
      g_set_error (error, CLI_ERROR, CLI_USAGE, "there is no state '%s', only %s", state, all);
    return NULL;
  }
  if (state != NULL)
    g_variant_dict_insert (dict, "state", "s", state);
  if (protocol != NULL)
    g_variant_dict_insert (dict, "protocol", "s", protocol);
  if (identity != NULL) {
    g_autofree char *path = cli_bus_find (cli, "identity", identity, error);

    if (path == NULL)
      return NULL;
    g_variant_dict_insert (dict, "identity", "o", path);
  }

  return g_variant_dict_end (dict);
}

CliExit
cmd_list (Cli *cli, char **argv)
{
  g_autofree char *state = NULL;
  g_autofree char *protocol = NULL;
  g_autofree char *identity = NULL;
  const GOptionEntry entries[] = {
    { "state", 's', 0, G_OPTION_ARG_FILENAME, &state, "Only accounts in this state", "STATE" },
    { "protocol", 'p', 0, G_OPTION_ARG_FILENAME, &protocol, "Only accounts of this protocol",
      "PROTOCOL" },
    { "identity", 'i', 0, G_OPTION_ARG_FILENAME, &identity, "Only accounts of this identity",
      "IDENTITY" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  g_auto (GStrv) rest = NULL;
  GVariant *filter;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 0, 0, &rest, &status))
    return status;

  filter = make_filter (cli, state, protocol, identity, &error);
  if (filter != NULL)
    rows = cli_account_list (cli, filter, !cli->json, &error);
  if (rows == NULL)
    return cli_error_report (error);
  /* A protocol that nobody speaks now may still have accounts; with none, it is a slip. */
  if (protocol != NULL && rows->len == 0) {
    g_autoptr (GHashTable) row = cli_bus_list_one (cli, "protocol", cli_protocol_fields,
                                                   "Protocol.Id", protocol, &error);

    if (row == NULL)
      return cli_error_report (error);
  }

  cli_table_print_or (cli, cli_account_fields, rows,
                      state != NULL || protocol != NULL || identity != NULL
                        ? "no account is like that"
                        : "there is no account yet; 'muster add ADDRESS' adds one");

  return CLI_OK;
}
