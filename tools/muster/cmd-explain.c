/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-json.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster explain: the chain of conditions. */

static void
print_conditions (GVariant *conditions)
{
  GVariantIter iter;
  const char *name, *sentence;
  gboolean holds;

  g_variant_iter_init (&iter, conditions);
  while (g_variant_iter_next (&iter, "(&sb&s)", &name, &holds, &sentence)) {
    g_autofree char *safe_name = cli_text_escape (name);
    g_autofree char *safe_sentence = cli_text_escape (sentence);
    const char *colour = holds ? "\033[32m" : "\033[31m";

    if (!cli_text_colours ())
      colour = NULL;
    printf ("%s%-3s%s  %-12s %s\n", colour != NULL ? colour : "", holds ? "yes" : "no",
            colour != NULL ? "\033[0m" : "", safe_name, safe_sentence);
  }
}

static void
print_json (CliRow *row, GVariant *conditions)
{
  static const char *const keys[] = { "id", "address", "state", "reason", NULL };
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  GVariantIter iter;
  const char *name, *sentence;
  gboolean holds;

  for (const CliField *field = cli_account_fields; field->key != NULL; field++)
    if (g_strv_contains (keys, field->key))
      json_object_set_member (object, field->key, cli_field_to_json (field, row));

  g_variant_iter_init (&iter, conditions);
  while (g_variant_iter_next (&iter, "(&sb&s)", &name, &holds, &sentence)) {
    JsonObject *condition = json_object_new ();

    json_object_set_string_member (condition, "name", name);
    json_object_set_boolean_member (condition, "holds", holds);
    json_object_set_string_member (condition, "sentence", sentence);
    json_array_add_object_element (array, condition);
  }
  json_object_set_array_member (object, "conditions", array);
  json_node_take_object (node, object);
  cli_json_print (node);
}

static gboolean
explain (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  g_autoptr (GVariant) conditions = NULL;
  g_autoptr (GVariant) reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, "Explain",
                                             g_variant_new ("(a{sv})", NULL), "(a(sbs))", error);

  if (reply == NULL) {
    cli_error_prefix (error, "cannot explain %s", cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }

  conditions = g_variant_get_child_value (reply, 0);
  if (cli->json)
    print_json (row, conditions);
  else
    print_conditions (conditions);

  return TRUE;
}

CliExit
cmd_explain (Cli *cli, char **argv)
{
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 1, 1, &rest, &status))
    return status;

  return cli_account_each (cli, rest, explain, NULL, NULL);
}
