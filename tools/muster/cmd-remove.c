/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-json.h"
#include "cli-secret.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster remove: asks where somebody can answer. */

typedef struct {
  gboolean ask;
  JsonArray *removed; /* (nullable) */
} Removal;

static gboolean
may_remove (CliRow *row)
{
  g_autofree char *address = cli_text_escape (cli_row_get_string (row, "Account.Address"));
  g_autofree char *protocol = cli_text_escape (cli_row_get_string (row, "Account.Protocol"));
  char answer[16] = "";

  fprintf (stderr, "Remove the %s account %s and its secrets? [y/N] ", protocol, address);
  fflush (stderr);

  return fgets (answer, sizeof answer, stdin) != NULL && g_ascii_tolower (answer[0]) == 'y';
}

static gboolean
remove_account (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  Removal *removal = user_data;
  const char *address = cli_row_get_string (row, "Account.Address");
  g_autofree char *safe = cli_text_escape (address);
  g_autoptr (GVariant) reply = NULL;

  if (removal->ask && !may_remove (row)) {
    g_set_error (error, CLI_ERROR, CLI_FAILED, "%s was not removed", address);
    return FALSE;
  }

  reply = cli_bus_call (cli, path, MUSTER_INTERFACE_ACCOUNT, "Remove",
                        g_variant_new ("(a{sv})", NULL), "()", error);
  if (reply == NULL) {
    cli_error_prefix (error, "cannot remove %s", address);
    return FALSE;
  }

  if (removal->removed != NULL) {
    JsonObject *object = json_object_new ();

    json_object_set_string_member (object, "id", cli_row_get_string (row, "Account.Id"));
    json_object_set_string_member (object, "address", address);
    json_object_set_boolean_member (object, "removed", TRUE);
    json_array_add_object_element (removal->removed, object);
  } else {
    printf ("removed %s\n", safe);
  }

  return TRUE;
}

CliExit
cmd_remove (Cli *cli, char **argv)
{
  gboolean yes = FALSE;
  const GOptionEntry entries[] = {
    { "yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL },
    { NULL },
  };
  g_auto (GStrv) rest = NULL;
  Removal removal = { FALSE };
  JsonNode *node;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 1, CLI_ANY_NUMBER, &rest, &status))
    return status;

  removal.ask = !yes && cli_secret_can_ask ();
  removal.removed = cli->json ? json_array_new () : NULL;
  status = cli_account_each (cli, rest, remove_account, &removal, NULL);

  if (removal.removed != NULL) {
    node = json_node_new (JSON_NODE_ARRAY);
    json_node_take_array (node, removal.removed);
    cli_json_print (node);
  }

  return status;
}
