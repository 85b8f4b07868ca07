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

/* muster verify: it succeeds where what was sent arrived, and only there. */

static JsonObject *
to_json (CliRow *row, const char *verdict, const char *evidence)
{
  static const char *const keys[] = { "id", "address", "state", NULL };
  JsonObject *object = json_object_new ();

  for (const CliField *field = cli_account_fields; field->key != NULL; field++)
    if (g_strv_contains (keys, field->key))
      json_object_set_member (object, field->key, cli_field_to_json (field, row));
  json_object_set_string_member (object, "verdict", verdict);
  json_object_set_string_member (object, "evidence", evidence);

  return object;
}

static gboolean
check (const char *address, const char *verdict, const char *evidence, GError **error)
{
  g_autofree char *words = evidence[0] != '\0' ? g_strconcat (": ", evidence, NULL) : g_strdup ("");

  if (g_str_equal (verdict, "proven"))
    return TRUE;

  if (g_str_equal (verdict, "unsupported"))
    g_set_error (error, CLI_ERROR, CLI_REFUSED,
                 "whether others reach %s cannot be proven at its service%s", address, words);
  else
    g_set_error (error, CLI_ERROR, CLI_FAILED,
                 "others may not reach %s%s; 'muster explain' says what follows", address, words);
  return FALSE;
}

static gboolean
verify (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  JsonArray *array = user_data;
  const char *address = cli_row_get_string (row, "Account.Address");
  const char *verdict, *evidence;
  g_autoptr (GVariant) reply = NULL;

  cli->patient = TRUE; /* the daemon ends it in time */
  reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, "Verify",
                        g_variant_new ("(a{sv})", NULL), "(ss)", error);
  cli->patient = FALSE;
  if (reply == NULL) {
    cli_error_prefix (error, "cannot verify %s", address);
    return FALSE;
  }

  g_variant_get (reply, "(&s&s)", &verdict, &evidence);
  if (array != NULL)
    json_array_add_object_element (array, to_json (row, verdict, evidence));
  if (!check (address, verdict, evidence, error))
    return FALSE;

  if (array == NULL) {
    g_autofree char *safe_address = cli_text_escape (address);
    g_autofree char *safe_evidence = cli_text_escape (evidence);

    printf ("others reach %s%s%s\n", safe_address, evidence[0] != '\0' ? ": " : "", safe_evidence);
    fflush (stdout);
  }

  return TRUE;
}

CliExit
cmd_verify (Cli *cli, char **argv)
{
  g_auto (GStrv) rest = NULL;
  JsonArray *array = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 1, CLI_ANY_NUMBER, &rest, &status))
    return status;

  if (cli->json)
    array = json_array_new ();
  status = cli_account_each (cli, rest, verify, array, NULL);
  if (array != NULL) {
    JsonNode *node = json_node_new (JSON_NODE_ARRAY);

    json_node_take_array (node, array);
    cli_json_print (node);
  }

  return status;
}
