/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-json.h"
#include "cli-presence.h"
#include "cli-table.h"
#include "cli-text.h"
#include "cli-time.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster presence: what people show, and what they say of themselves. */

#define NO_PRIORITY (-1)

typedef struct {
  char *presence; /* NULL: only look */
  char *text;
  char *duration;
  char *until;
  char *identity;
  char *layer;
  char *account;
  int priority;
  gboolean clear;
  gint64 until_us; /* 0: for good */
} Wish;

static void
wish_clear (Wish *wish)
{
  g_free (wish->presence);
  g_free (wish->text);
  g_free (wish->duration);
  g_free (wish->until);
  g_free (wish->identity);
  g_free (wish->layer);
  g_free (wish->account);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wish, wish_clear)

/* what was said */

static gboolean
check_word (const Wish *wish)
{
  const char *nearest;

  if (wish->presence == NULL || g_strv_contains (cli_presences, wish->presence))
    return TRUE;
  if (g_str_equal (wish->presence, "inherit")) {
    if (wish->account != NULL)
      return TRUE;
    cli_usage ("'inherit' is for an account: say which with --account");
    return FALSE;
  }

  nearest = cli_presence_nearest (wish->presence, cli_presences);
  if (nearest != NULL)
    cli_usage ("there is no presence '%s'; did you mean '%s'?", wish->presence, nearest);
  else
    cli_usage ("there is no presence '%s', only available, chat, away, xa, dnd, invisible and "
               "offline",
               wish->presence);
  return FALSE;
}

static gboolean
check_options (const Wish *wish)
{
  const char *option = wish->text != NULL              ? "--text"
                       : wish->duration != NULL        ? "--for"
                       : wish->until != NULL           ? "--until"
                       : wish->priority != NO_PRIORITY ? "--priority"
                                                       : NULL;
  const char *of_layers = wish->duration != NULL          ? "--for"
                          : wish->until != NULL           ? "--until"
                          : wish->priority != NO_PRIORITY ? "--priority"
                          : wish->layer != NULL           ? "--layer"
                          : wish->identity != NULL        ? "--identity"
                                                          : NULL;

  if (wish->clear && (wish->presence != NULL || option != NULL))
    cli_usage ("--clear takes away what was said, so nothing can be said with it");
  else if (wish->presence == NULL && option != NULL)
    cli_usage ("%s goes with a presence, as in: muster presence away %s ...", option, option);
  else if (wish->presence == NULL && !wish->clear && wish->layer != NULL)
    cli_usage ("--layer goes with a presence or with --clear");
  else if (wish->duration != NULL && wish->until != NULL)
    cli_usage ("--for and --until say the same: give one of them");
  else if (wish->priority < 0 && wish->priority != NO_PRIORITY)
    cli_usage ("a priority is a number from 0 to 100");
  else if (wish->account != NULL && of_layers != NULL)
    cli_usage ("%s is for what an identity shows; what an account says instead stays until it is "
               "'inherit' again",
               of_layers);
  else
    return TRUE;

  return FALSE;
}

static gboolean
read_end (Wish *wish, GError **error)
{
  gint64 now_us = g_get_real_time ();

  if (wish->until != NULL)
    return cli_time_parse_moment (wish->until, now_us, &wish->until_us, error);
  if (wish->duration != NULL) {
    if (!cli_time_parse_duration (wish->duration, &wish->until_us, error))
      return FALSE;
    wish->until_us += now_us;
  }

  return TRUE;
}

/* looking */

static CliExit
show_all (Cli *cli, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) identities = cli_presence_load (cli, path, &error);
  g_autoptr (GPtrArray) publications = NULL;
  JsonArray *array;
  JsonNode *node;

  if (identities != NULL)
    publications = cli_publication_load (cli, path, &error);
  if (publications == NULL)
    return cli_error_report (error);

  if (identities->len == 0)
    cli_table_print_none (cli, "there is no identity yet; one comes with the first account");
  if (!cli->json) {
    for (guint i = 0; i < identities->len; i++)
      cli_presence_print (identities->pdata[i], publications);
    return CLI_OK;
  }

  array = json_array_new ();
  for (guint i = 0; i < identities->len; i++)
    json_array_add_object_element (array,
                                   cli_presence_to_json (identities->pdata[i], publications));
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (node, array);
  cli_json_print (node);

  return CLI_OK;
}

/* identities */

/* The one that was named, or the only one. */
static char *
find_identity (Cli *cli, const char *selector, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GString) names = NULL;

  if (selector != NULL)
    return cli_bus_find (cli, "identity", selector, error);

  rows = cli_bus_list (cli, "identity", NULL, cli_identity_fields, TRUE, error);
  if (rows == NULL)
    return NULL;
  if (rows->len == 1)
    return g_strdup (cli_row_get_string (rows->pdata[0], "Path"));
  if (rows->len == 0) {
    g_set_error (error, CLI_ERROR, CLI_NOT_FOUND,
                 "there is no identity yet; one comes with the first account");
    return NULL;
  }

  names = g_string_new (NULL);
  for (guint i = 0; i < rows->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                            cli_row_get_string (rows->pdata[i], "Identity.Name"));
  g_set_error (error, CLI_ERROR, CLI_AMBIGUOUS,
               "there is more than one identity: say which with --identity (%s)", names->str);

  return NULL;
}

static GVariant *
build_layer (const Wish *wish)
{
  GVariantDict layer;

  g_variant_dict_init (&layer, NULL);
  g_variant_dict_insert (&layer, "presence", "s", wish->presence);
  if (wish->text != NULL)
    g_variant_dict_insert (&layer, "text", "s", wish->text);
  if (wish->priority != NO_PRIORITY)
    g_variant_dict_insert (&layer, "priority", "u", (guint32) wish->priority);
  if (wish->until_us > 0)
    g_variant_dict_insert (&layer, "until", "t", (guint64) wish->until_us);

  return g_variant_dict_end (&layer);
}

/* It is kept: a layer that goes with its client would go with us, at once. */
static CliExit
change_identity (Cli *cli, const Wish *wish)
{
  const char *layer = wish->layer != NULL ? wish->layer : "user";
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  g_autofree char *path = find_identity (cli, wish->identity, &error);
  JsonNode *node;

  if (path == NULL)
    return cli_error_report (error);

  if (wish->clear)
    reply = cli_bus_call (cli, path, MUSTER_INTERFACE_PRESENCE, "RemoveLayer",
                          g_variant_new ("(sa{sv})", layer, NULL), "()", &error);
  else
    reply = cli_bus_call (cli, path, MUSTER_INTERFACE_PRESENCE, "SetLayer",
                          g_variant_new ("(s@a{sv}@a{sv})", layer, build_layer (wish),
                                         g_variant_new_parsed ("{'keep': <true>}")),
                          "()", &error);
  if (reply == NULL) {
    if (wish->clear && error->code == CLI_NOT_FOUND) {
      g_clear_error (&error);
      g_set_error (&error, CLI_ERROR, CLI_NOT_FOUND, "nothing was said in the layer '%s'", layer);
    }
    cli_error_prefix (&error, wish->clear ? "cannot clear it" : "cannot say that");
    return cli_error_report (error);
  }

  rows = cli_presence_load (cli, path, &error);
  if (rows == NULL)
    return cli_error_report (error);
  if (!cli->json) {
    cli_presence_print (rows->pdata[0], NULL);
    return CLI_OK;
  }

  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, cli_presence_to_json (rows->pdata[0], NULL));
  cli_json_print (node);
  return CLI_OK;
}

/* accounts */

static CliRow *
load_publication (Cli *cli, const char *path, GError **error)
{
  g_autoptr (GHashTable) row = cli_row_new ();

  if (!cli_bus_load (cli, path, MUSTER_INTERFACE_ACCOUNT, row, error))
    return NULL;
  if (!cli_bus_load (cli, path, MUSTER_INTERFACE_PUBLICATION, row, NULL)) {
    g_set_error (error, CLI_ERROR, CLI_REFUSED,
                 "%s cannot say a presence: protocol %s has none, or its plugin is not there",
                 cli_row_get_string (row, "Account.Address"),
                 cli_row_get_string (row, "Account.Protocol"));
    return NULL;
  }

  return g_steal_pointer (&row);
}

static gboolean
set_override (Cli *cli, const char *path, const Wish *wish, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  const char *override = wish->clear ? "inherit" : wish->presence;
  GVariant *options = wish->text != NULL ? g_variant_new_parsed ("{'text': <%s>}", wish->text)
                                         : g_variant_new_parsed ("@a{sv} {}");

  reply = cli_bus_call (cli, path, MUSTER_INTERFACE_PUBLICATION, "SetOverride",
                        g_variant_new ("(s@a{sv})", override, options), "()", error);
  return reply != NULL;
}

static CliExit
change_account (Cli *cli, const Wish *wish)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = cli_bus_find (cli, "account", wish->account, &error);
  g_autoptr (GHashTable) row = NULL;

  if (path != NULL)
    row = load_publication (cli, path, &error);
  if (row == NULL)
    return cli_error_report (error);

  if (wish->clear || wish->presence != NULL) {
    if (!set_override (cli, path, wish, &error)) {
      cli_error_prefix (&error, "cannot say that on %s",
                        cli_row_get_string (row, "Account.Address"));
      return cli_error_report (error);
    }
    g_clear_pointer (&row, g_hash_table_unref);
    row = load_publication (cli, path, &error);
    if (row == NULL)
      return cli_error_report (error);
  }
  cli_table_print_one (cli, cli_publication_fields, row);

  return CLI_OK;
}

CliExit
cmd_presence (Cli *cli, char **argv)
{
  g_auto (Wish) wish = { .priority = NO_PRIORITY };
  const GOptionEntry entries[] = {
    { "text", 0, 0, G_OPTION_ARG_STRING, &wish.text, "Say this with it", "TEXT" },
    { "for", 0, 0, G_OPTION_ARG_STRING, &wish.duration, "For so long: 30m, 1h30m, 2d", "TIME" },
    { "until", 0, 0, G_OPTION_ARG_STRING, &wish.until, "Until then: 17:30, 2026-11-20T17:30",
      "TIME" },
    { "clear", 0, 0, G_OPTION_ARG_NONE, &wish.clear, "Take away what was said", NULL },
    { "identity", 0, 0, G_OPTION_ARG_STRING, &wish.identity, "Of this identity", "IDENTITY" },
    { "account", 0, 0, G_OPTION_ARG_STRING, &wish.account,
      "On this account, whatever its identity shows; 'inherit' ends it", "ACCOUNT" },
    { "layer", 0, 0, G_OPTION_ARG_STRING, &wish.layer, "In this layer instead of 'user'", "NAME" },
    { "priority", 0, 0, G_OPTION_ARG_INT, &wish.priority,
      "0 to 100: the layer with the highest shows (50)", "N" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 0, 1, &rest, &status))
    return status;
  wish.presence = g_strdup (rest[0]);
  if (!check_word (&wish) || !check_options (&wish))
    return CLI_USAGE;
  if (!read_end (&wish, &error))
    return cli_error_report (error);

  if (wish.account != NULL)
    return change_account (cli, &wish);
  if (wish.presence != NULL || wish.clear)
    return change_identity (cli, &wish);

  if (wish.identity != NULL) {
    path = cli_bus_find (cli, "identity", wish.identity, &error);
    if (path == NULL)
      return cli_error_report (error);
  }
  return show_all (cli, path);
}
