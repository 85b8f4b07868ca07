/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-table.h"
#include "commands.h"
#include "muster-names.h"

/* muster plugin */

static CliExit
list_all (Cli *cli)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "plugin", NULL, cli_plugin_fields, !cli->json, &error);

  if (rows == NULL)
    return cli_error_report (error);
  cli_table_print (cli, cli_plugin_fields, rows);

  return CLI_OK;
}

static CliExit
show_one (Cli *cli, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable)
    row = cli_bus_list_one (cli, "plugin", cli_plugin_fields, "Plugin.Name", name, &error);

  if (row == NULL)
    return cli_error_report (error);
  cli_table_print_one (cli, cli_plugin_fields, row);

  return CLI_OK;
}

static CliExit
resume (Cli *cli, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GHashTable)
    row = cli_bus_list_one (cli, "plugin", cli_plugin_fields, "Plugin.Name", name, &error);

  if (row == NULL)
    return cli_error_report (error);

  reply = cli_bus_call (cli, cli_row_get_string (row, "Path"), MUSTER_INTERFACE_PLUGIN, "Resume",
                        g_variant_new ("(a{sv})", NULL), "()", &error);
  if (reply == NULL) {
    cli_error_prefix (&error, "cannot resume %s", name);
    return cli_error_report (error);
  }

  return show_one (cli, name);
}

CliExit
cmd_plugin (Cli *cli, char **argv)
{
  g_auto (GStrv) rest = NULL;
  guint n_words;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 0, 2, &rest, &status))
    return status;

  n_words = g_strv_length (rest);
  if (n_words == 0 || (n_words == 1 && g_str_equal (rest[0], "list")))
    return list_all (cli);
  if (n_words == 2 && g_str_equal (rest[0], "show"))
    return show_one (cli, rest[1]);
  if (n_words == 2 && g_str_equal (rest[0], "resume"))
    return resume (cli, rest[1]);

  return cli_usage ("usage: muster plugin [list | show NAME | resume NAME]");
}
