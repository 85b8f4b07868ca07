/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-inbox.h"
#include "cli-json.h"
#include "cli-table.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster status: the daemon, what waits for the person, and with --all the numbers of Metrics.Get. These
 * are the daemon's to name: whatever it has is shown. */

static GVariant *
load_metrics (Cli *cli, GError **error)
{
  g_autoptr (GVariant) reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_METRICS, "Get",
                                             g_variant_new ("(a{sv})", NULL), "(a{sv})", error);

  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

static void
print_json (CliRow *row, const CliInbox *inbox, GVariant *metrics)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  for (const CliField *field = cli_manager_fields; field->key != NULL; field++)
    json_object_set_member (object, field->key, cli_field_to_json (field, row));
  cli_inbox_add_to_json (inbox, object);
  if (metrics != NULL)
    json_object_set_member (object, "metrics", cli_json_from_variant (metrics, NULL));
  json_node_take_object (node, object);
  cli_json_print (node);
}

/* A number, a dictionary of numbers, or the rows of hosts. */
static void
print_metric (const char *name, GVariant *value)
{
  g_autofree char *safe_name = cli_text_escape (name);

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64)) {
    printf ("  %-23s %" G_GUINT64_FORMAT "\n", safe_name, g_variant_get_uint64 (value));
    return;
  }

  for (gsize i = 0; i < g_variant_n_children (value); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
    g_autofree char *text = g_variant_print (child, FALSE);
    g_autofree char *safe_text = cli_text_escape (text);

    if (g_variant_is_of_type (child, G_VARIANT_TYPE ("{su}")) ||
        g_variant_is_of_type (child, G_VARIANT_TYPE ("{st}"))) {
      g_autoptr (GVariant) key = g_variant_get_child_value (child, 0);
      g_autoptr (GVariant) number = g_variant_get_child_value (child, 1);
      g_autofree char *digits = g_variant_print (number, FALSE);
      g_autofree char *safe_key = cli_text_escape (g_variant_get_string (key, NULL));

      g_free (safe_text);
      safe_text = g_strdup_printf ("%s %s", safe_key, digits);
    }
    printf ("  %-23s %s\n", i == 0 ? safe_name : "", safe_text);
  }
}

static void
print_metrics (GVariant *metrics)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  puts ("metrics");
  g_variant_iter_init (&iter, metrics);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    print_metric (name, value);
}

static void
print_page (Cli *cli, CliRow *row, const CliInbox *inbox, GVariant *metrics)
{
  g_autoptr (GPtrArray) lines = cli_inbox_lines (inbox);

  cli_table_print_one (cli, cli_manager_fields, row);
  for (guint i = 0; i < lines->len; i++)
    puts (g_ptr_array_index (lines, i));
  if (metrics != NULL)
    print_metrics (metrics);
}

CliExit
cmd_status (Cli *cli, char **argv)
{
  gboolean all = FALSE;
  const GOptionEntry entries[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &all, "Print all its numbers, too", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) row = cli_row_new ();
  g_autoptr (GVariant) metrics = NULL;
  g_auto (CliInbox) inbox = { NULL };
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 0, 0, &rest, &status))
    return status;
  if (!cli_bus_load (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, row, &error) ||
      !cli_inbox_load (&inbox, cli, &error))
    return cli_error_report (error);
  if (all)
    metrics = load_metrics (cli, &error);
  if (error != NULL)
    return cli_error_report (error);

  if (cli->json)
    print_json (row, &inbox, metrics);
  else
    print_page (cli, row, &inbox, metrics);

  return CLI_OK;
}
