/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-json.h"
#include "cli-secret.h"
#include "cli-table.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster bindings: where a service reaches an account's devices. Asks before all are removed, where
 * somebody can answer. */

static const CliField fields[] = {
  { "uri", "uri", "Uri", "s", CLI_SHOW_TEXT, 1 },
  { "expires-at", "expires", "ExpiresAt", "t", CLI_SHOW_TIME, 4 },
  { "ours", "ours", "Ours", "b", CLI_SHOW_BOOLEAN, 2 },
  { "device", "device", "Device", "s", CLI_SHOW_WORD, 3 },
  { NULL },
};

typedef struct {
  char *uri;    /* to remove; or NULL */
  gboolean all; /* to remove */
  gboolean ask;
} Options;

static gboolean
list_bindings (Cli *cli, const char *path, CliRow *row, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_autoptr (GVariant)
    reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, "ListBindings",
                          g_variant_new ("(a{sv})", NULL), "(aa{sv})", error);
  g_autoptr (GVariantIter) iter = NULL;
  GVariant *binding;

  if (reply == NULL) {
    cli_error_prefix (error, "cannot list the bindings of %s",
                      cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }

  g_variant_get (reply, "(aa{sv})", &iter);
  while ((binding = g_variant_iter_next_value (iter)) != NULL) {
    CliRow *line = cli_row_new ();

    cli_row_merge (line, NULL, binding);
    g_ptr_array_add (rows, line);
    g_variant_unref (binding);
  }
  cli_table_print_or (cli, fields, rows, "its service reaches it nowhere");

  return TRUE;
}

static gboolean
may_remove_all (CliRow *row)
{
  g_autofree char *address = cli_text_escape (cli_row_get_string (row, "Account.Address"));
  char answer[16] = "";

  fprintf (stderr, "Remove all bindings of %s, those of other devices, too? [y/N] ", address);
  fflush (stderr);

  return fgets (answer, sizeof answer, stdin) != NULL && g_ascii_tolower (answer[0]) == 'y';
}

/* @uri NULL: all. */
static void
print_removed (Cli *cli, CliRow *row, const char *uri, gboolean ours)
{
  const char *address = cli_row_get_string (row, "Account.Address");
  g_autofree char *safe_address = cli_text_escape (address);
  g_autofree char *safe_uri = cli_text_escape (uri != NULL ? uri : "all bindings");

  if (cli->json) {
    JsonObject *object = json_object_new ();
    JsonNode *node = json_node_new (JSON_NODE_OBJECT);

    json_object_set_string_member (object, "id", cli_row_get_string (row, "Account.Id"));
    json_object_set_string_member (object, "address", address);
    json_object_set_member (object, "uri", cli_json_string (uri));
    json_object_set_boolean_member (object, "removed", TRUE);
    json_object_set_boolean_member (object, "ours", ours);
    json_node_take_object (node, object);
    cli_json_print (node);
  } else {
    printf ("removed %s of %s%s\n", safe_uri, safe_address, ours ? ", which registers again" : "");
  }
}

static gboolean
remove_one (Cli *cli, const char *path, CliRow *row, const char *uri, GError **error)
{
  g_autoptr (GVariant)
    reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, "RemoveBinding",
                          g_variant_new ("(sa{sv})", uri, NULL), "(b)", error);
  gboolean ours;

  if (reply == NULL) {
    cli_error_prefix (error, "cannot remove a binding of %s",
                      cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }

  g_variant_get (reply, "(b)", &ours);
  print_removed (cli, row, uri, ours);

  return TRUE;
}

static gboolean
remove_all (Cli *cli, const char *path, CliRow *row, gboolean ask, GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  if (ask && !may_remove_all (row)) {
    g_set_error (error, CLI_ERROR, CLI_FAILED, "the bindings of %s were not removed",
                 cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }

  reply = cli_bus_call (cli, path, MUSTER_INTERFACE_REGISTRATION, "RemoveAllBindings",
                        g_variant_new ("(a{sv})", NULL), "()", error);
  if (reply == NULL) {
    cli_error_prefix (error, "cannot remove the bindings of %s",
                      cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }

  print_removed (cli, row, NULL, TRUE);

  return TRUE;
}

static gboolean
act (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  const Options *options = user_data;

  if (options->all)
    return remove_all (cli, path, row, options->ask, error);
  if (options->uri != NULL)
    return remove_one (cli, path, row, options->uri, error);

  return list_bindings (cli, path, row, error);
}

CliExit
cmd_bindings (Cli *cli, char **argv)
{
  Options options = { NULL };
  gboolean yes = FALSE;
  const GOptionEntry entries[] = {
    { "remove", 0, 0, G_OPTION_ARG_FILENAME, &options.uri, "Remove this one", "URI" },
    { "remove-all", 0, 0, G_OPTION_ARG_NONE, &options.all,
      "Remove all, those of other devices, too", NULL },
    { "yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL },
    { NULL },
  };
  g_autofree char *uri = NULL;
  g_auto (GStrv) rest = NULL;
  gboolean parsed;
  CliExit status;

  parsed = cli_command_parse (cli, argv, entries, 1, 1, &rest, &status);
  uri = options.uri;
  if (!parsed)
    return status;
  if (options.uri != NULL && options.all)
    return cli_usage ("--remove removes one binding, --remove-all all of them");
  if (options.uri != NULL && !g_utf8_validate (options.uri, -1, NULL))
    return cli_usage ("the URI is not UTF-8");

  options.ask = !yes && cli_secret_can_ask ();

  return cli_account_each (cli, rest, act, &options, NULL);
}
