/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-json.h"
#include "cli-parameter.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster set: one call of Account.Update, so that all of it takes effect or nothing does. */

typedef struct {
  const char *const *set;
  const char *const *unset; /* (nullable) */
  const char *name;         /* (nullable) */
} Change;

/* What the daemon calls the effect, for people; what a newer daemon says, as it says it. */
static char *
effect_to_text (const char *effect)
{
  g_autofree char *safe = NULL;

  if (g_str_equal (effect, "none"))
    return g_strdup ("");
  if (g_str_equal (effect, "live"))
    return g_strdup (" (in effect now)");
  if (g_str_equal (effect, "reregister"))
    return g_strdup (" (it is registered again if it is enabled)");
  if (g_str_equal (effect, "recreate"))
    return g_strdup (" (it is unregistered, and registered afresh if it is enabled)");

  safe = cli_text_escape (effect);
  return g_strdup_printf (" (takes effect: %s)", safe);
}

static void
print_effect (Cli *cli, CliRow *row, const char *effect, const char *const *detached)
{
  g_autofree char *address = cli_text_escape (cli_row_get_string (row, "Account.Address"));
  g_autofree char *names = g_strjoinv (", ", (char **) detached);
  g_autofree char *safe_names = cli_text_escape (names);
  g_autofree char *effect_text = effect_to_text (effect);
  JsonObject *object;
  JsonNode *node;

  if (!cli->json) {
    printf ("changed %s%s\n", address, effect_text);
    if (detached[0] != NULL)
      printf ("no longer stored, since it was given for another server: %s\n", safe_names);
    return;
  }

  object = json_object_new ();
  node = json_node_new (JSON_NODE_OBJECT);
  json_object_set_string_member (object, "id", cli_row_get_string (row, "Account.Id"));
  json_object_set_string_member (object, "address", cli_row_get_string (row, "Account.Address"));
  json_object_set_string_member (object, "effect", effect);
  json_object_set_member (object, "detached",
                          cli_json_from_variant (g_variant_new_strv (detached, -1), NULL));
  json_node_take_object (node, object);
  cli_json_print (node);
}

static gboolean
update (Cli *cli, const char *path, CliRow *row, gpointer user_data, GError **error)
{
  static const char *const nothing[] = { NULL };
  const Change *change = user_data;
  const char *protocol = cli_row_get_string (row, "Account.Protocol");
  g_autoptr (GPtrArray) known = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autofree const char **detached = NULL;
  g_autoptr (GVariant) set = NULL;
  const char *effect;
  GVariantDict options;

  /* A change of the name alone must work without the plugin. */
  known = change->set[0] != NULL || change->unset != NULL
            ? cli_account_load_parameters (cli, protocol, error)
            : g_ptr_array_new ();
  if (known == NULL)
    return FALSE;

  set = cli_parameters_parse (known, protocol, change->set, error);
  if (set == NULL)
    return FALSE;
  g_variant_ref_sink (set);
  for (const char *const *name = change->unset; name != NULL && *name != NULL; name++)
    if (!cli_parameters_check_name (known, protocol, *name, FALSE, error))
      return FALSE;

  g_variant_dict_init (&options, NULL);
  if (change->name != NULL)
    g_variant_dict_insert (&options, "name", "s", change->name);
  reply = cli_bus_call (cli, path, MUSTER_INTERFACE_ACCOUNT, "Update",
                        g_variant_new ("(@a{sv}^as@a{sv})", set,
                                       change->unset != NULL ? change->unset : nothing,
                                       g_variant_dict_end (&options)),
                        "(sas)", error);
  if (reply == NULL) {
    cli_error_prefix (error, "cannot change %s", cli_row_get_string (row, "Account.Address"));
    return FALSE;
  }

  g_variant_get (reply, "(&s^a&s)", &effect, &detached);
  print_effect (cli, row, effect, detached);

  return TRUE;
}

CliExit
cmd_set (Cli *cli, char **argv)
{
  g_autofree char *name = NULL;
  g_auto (GStrv) unset = NULL;
  const GOptionEntry entries[] = {
    { "unset", 'u', 0, G_OPTION_ARG_FILENAME_ARRAY, &unset, "Go back to a parameter's default",
      "NAME" },
    { "name", 'n', 0, G_OPTION_ARG_FILENAME, &name, "A new name for people", "NAME" },
    { NULL },
  };
  char *selector[] = { NULL, NULL };
  g_auto (GStrv) rest = NULL;
  Change change;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 1, CLI_ANY_NUMBER, &rest, &status))
    return status;
  if (rest[1] == NULL && unset == NULL && name == NULL)
    return cli_usage ("nothing to change: give NAME=VALUE, --unset or --name");

  selector[0] = rest[0];
  change.set = (const char *const *) rest + 1;
  change.unset = (const char *const *) unset;
  change.name = name;

  return cli_account_each (cli, selector, update, &change, NULL);
}
