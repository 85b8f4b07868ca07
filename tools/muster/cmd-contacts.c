/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-contact.h"
#include "cli-presence.h"
#include "cli-table.h"
#include "cli-text.h"
#include "commands.h"

/* muster contacts: whom the accounts watch, and who asks to watch them. */

typedef struct {
  char *account;
  char *identity;
  char *presence;
  gboolean asks;
} Options;

static gboolean
add_path (Cli *cli, GVariantDict *dict, const char *kind, const char *selector, GError **error)
{
  g_autofree char *path = NULL;

  if (selector == NULL)
    return TRUE;
  path = cli_bus_find (cli, kind, selector, error);
  if (path == NULL)
    return FALSE;

  g_variant_dict_insert (dict, kind, "o", path);
  return TRUE;
}

static gboolean
check_presence (const char *presence, GError **error)
{
  const char *nearest;
  g_autofree char *all = NULL;

  if (presence == NULL || g_strv_contains (cli_contact_presences, presence))
    return TRUE;

  nearest = cli_presence_nearest (presence, cli_contact_presences);
  all = g_strjoinv (", ", (char **) cli_contact_presences);
  if (nearest != NULL)
    g_set_error (error, CLI_ERROR, CLI_USAGE, "there is no presence '%s'; did you mean '%s'?",
                 presence, nearest);
  else
    g_set_error (error, CLI_ERROR, CLI_USAGE, "there is no presence '%s', only %s", presence, all);
  return FALSE;
}

static GVariant *
make_filter (Cli *cli, const Options *options, GError **error)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (NULL);

  if (!check_presence (options->presence, error) ||
      !add_path (cli, dict, "account", options->account, error) ||
      !add_path (cli, dict, "identity", options->identity, error))
    return NULL;
  if (options->presence != NULL)
    g_variant_dict_insert (dict, "presence", "s", options->presence);
  if (options->asks)
    g_variant_dict_insert (dict, "asks", "b", TRUE);

  return g_variant_dict_end (dict);
}

static const char *
none_sentence (const Options *options)
{
  gboolean is_picky = options->account != NULL || options->identity != NULL ||
                      options->presence != NULL;

  if (is_picky)
    return "no contact is like that";

  return options->asks ? "nobody asks to see your presence"
                       : "there is no contact yet; 'muster watch ADDRESS' adds one";
}

CliExit
cmd_contacts (Cli *cli, char **argv)
{
  Options options = { 0 };
  const GOptionEntry entries[] = {
    { "account", 0, 0, G_OPTION_ARG_FILENAME, &options.account, "Only contacts of this account",
      "ACCOUNT" },
    { "identity", 'i', 0, G_OPTION_ARG_FILENAME, &options.identity,
      "Only contacts of this identity's accounts", "IDENTITY" },
    { "presence", 0, 0, G_OPTION_ARG_FILENAME, &options.presence,
      "Only contacts with this presence", "PRESENCE" },
    { "asks", 0, 0, G_OPTION_ARG_NONE, &options.asks, "Only those who ask to see your presence",
      NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  g_auto (GStrv) rest = NULL;
  CliExit status = CLI_OK;

  if (cli_command_parse (cli, argv, entries, 0, 0, &rest, &status)) {
    GVariant *filter = make_filter (cli, &options, &error);

    if (filter != NULL)
      rows = cli_contact_list (cli, filter, &error);
    if (rows == NULL) {
      status = cli_error_report (error);
    } else {
      if (rows->len == 0)
        cli_table_print_none (cli, none_sentence (&options));
      cli_contact_print (cli, rows);
    }
  }

  g_free (options.account);
  g_free (options.identity);
  g_free (options.presence);
  return status;
}
