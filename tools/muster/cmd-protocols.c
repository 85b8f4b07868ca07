/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-parameter.h"
#include "cli-table.h"
#include "commands.h"

#include <stdio.h>

/* muster protocols */

static CliExit
list_all (Cli *cli)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "protocol", NULL, cli_protocol_fields, !cli->json, &error);

  if (rows == NULL)
    return cli_error_report (error);
  cli_table_print_or (cli, cli_protocol_fields, rows,
                      "no plugin speaks a protocol; 'muster plugin' shows what was found");

  return CLI_OK;
}

static void
add_values (GPtrArray *parameters)
{
  for (guint i = 0; i < parameters->len; i++) {
    CliRow *parameter = g_ptr_array_index (parameters, i);
    char *values = cli_parameter_dup_values (parameter);

    if (values != NULL)
      cli_row_take (parameter, "values", g_variant_new_take_string (values));
  }
}

/* In JSON parameters keep only the keys that they have; for people they are a table. */
static CliExit
show_one (Cli *cli, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) parameters = NULL;
  g_autoptr (GHashTable)
    row = cli_bus_list_one (cli, "protocol", cli_protocol_fields, "Protocol.Id", id, &error);

  if (row == NULL)
    return cli_error_report (error);
  if (cli->json) {
    cli_table_print_one (cli, cli_protocol_fields, row);
    return CLI_OK;
  }

  parameters = cli_parameters_new (cli_row_get (row, "Protocol.Parameters"));
  add_values (parameters);
  g_hash_table_remove (row, "Protocol.Parameters");
  cli_table_print_one (cli, cli_protocol_fields, row);
  if (parameters->len > 0) {
    putchar ('\n');
    cli_table_print (cli, cli_parameter_fields, parameters);
  }

  return CLI_OK;
}

CliExit
cmd_protocols (Cli *cli, char **argv)
{
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 0, 1, &rest, &status))
    return status;

  return rest[0] != NULL ? show_one (cli, rest[0]) : list_all (cli);
}
