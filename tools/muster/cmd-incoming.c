/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-offer.h"
#include "cli-table.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

/* muster incoming: what came in, and answers to it. */

static CliExit
list_offers (Cli *cli, gboolean all)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = cli_offer_list (cli, all, &error);

  if (rows == NULL)
    return cli_error_report (error);
  cli_table_print (cli, cli_incoming_fields, rows);

  return CLI_OK;
}

static CliExit
show_offer (Cli *cli, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) row = cli_offer_find (cli, word, &error);

  if (row == NULL)
    return cli_error_report (error);
  cli_offer_load_address (cli, row, NULL);
  cli_table_print_one (cli, cli_incoming_fields, row);

  return CLI_OK;
}

/* handlers */

/* Paths of accounts, of which people see the ids. */
static GVariant *
ids_of (GVariant *paths)
{
  GVariantBuilder ids;
  GVariantIter iter;
  const char *path;

  g_variant_builder_init (&ids, G_VARIANT_TYPE_STRING_ARRAY);
  g_variant_iter_init (&iter, paths);
  while (g_variant_iter_next (&iter, "&o", &path))
    g_variant_builder_add (&ids, "s", cli_path_id (path));

  return g_variant_ref_sink (g_variant_builder_end (&ids));
}

static CliExit
list_handlers (Cli *cli)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_autoptr (GHashTable) manager = cli_row_new ();
  g_autoptr (GError) error = NULL;
  GVariant *handlers;

  if (!cli_bus_load (cli, MUSTER_PATH, MUSTER_INTERFACE_HANDLER_MANAGER, manager, &error))
    return cli_error_report (error);

  handlers = cli_row_get (manager, "HandlerManager.Handlers");
  if (handlers == NULL || !g_variant_is_of_type (handlers, G_VARIANT_TYPE ("aa{sv}")))
    handlers = NULL;
  for (gsize i = 0; handlers != NULL && i < g_variant_n_children (handlers); i++) {
    g_autoptr (GVariant) values = g_variant_get_child_value (handlers, i);
    CliRow *row = cli_row_new ();
    GVariant *accounts;

    cli_row_merge (row, NULL, values);
    accounts = cli_row_get (row, "accounts");
    if (accounts != NULL && g_variant_is_of_type (accounts, G_VARIANT_TYPE_OBJECT_PATH_ARRAY))
      cli_row_take (row, "accounts", ids_of (accounts));
    g_ptr_array_add (rows, row);
  }
  cli_table_print (cli, cli_handler_fields, rows);

  return CLI_OK;
}

/* answers */

static gboolean
call (Cli *cli, CliRow *row, const char *answer, const char *target, GError **error)
{
  g_autofree char *path = g_strconcat (MUSTER_PATH_INCOMING, "/",
                                       cli_row_get_string (row, "Incoming.Id"), NULL);
  g_autofree char *method = g_strdup_printf ("%c%s", g_ascii_toupper (answer[0]), answer + 1);
  g_autoptr (GVariantDict) options = g_variant_dict_new (NULL);
  g_autoptr (GVariant) reply = NULL;
  GVariant *arguments;

  if (g_str_equal (answer, "redirect")) {
    arguments = g_variant_new ("(s@a{sv})", target, g_variant_dict_end (options));
  } else {
    if (target != NULL)
      g_variant_dict_insert (options, "target", "s", target);
    arguments = g_variant_new ("(@a{sv})", g_variant_dict_end (options));
  }
  cli->patient = TRUE; /* a service may take its time; the daemon knows when it is enough */
  reply = cli_bus_call (cli, path, MUSTER_INTERFACE_INCOMING, method, arguments, "()", error);
  cli->patient = FALSE;

  return reply != NULL && cli_bus_load (cli, path, MUSTER_INTERFACE_INCOMING, row, error);
}

static CliExit
answer_offer (Cli *cli, const char *answer, const char *word, const char *target)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) row = cli_offer_find (cli, word, &error);

  if (row == NULL)
    return cli_error_report (error);
  if (!call (cli, row, answer, target, &error)) {
    cli_error_prefix (&error, "cannot %s %s", g_str_equal (answer, "busy") ? "refuse" : answer,
                      cli_row_get_string (row, "Incoming.Id"));
    return cli_error_report (error);
  }

  cli_offer_load_address (cli, row, NULL);
  cli_table_print_one (cli, cli_incoming_fields, row);

  return CLI_OK;
}

CliExit
cmd_incoming (Cli *cli, char **argv)
{
  g_autofree char *target = NULL;
  g_autofree char *max_text = NULL;
  gboolean all = FALSE, watch = FALSE;
  const GOptionEntry entries[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &all, "With those that are over", NULL },
    { "watch", 0, 0, G_OPTION_ARG_NONE, &watch, "Follow what comes in until interrupted", NULL },
    { "for", 0, 0, G_OPTION_ARG_FILENAME, &max_text, "With --watch: end after this time",
      "SECONDS" },
    { "to", 't', 0, G_OPTION_ARG_FILENAME, &target, "With accept: the address to hand over to",
      "ADDRESS" },
    { NULL },
  };
  static const char *const answers[] = { "accept", "decline", "busy", "redirect", NULL };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = NULL;
  guint n_words, max_s = 0;
  gboolean is_list;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 0, 3, &rest, &status))
    return status;
  if (max_text != NULL && !cli_text_parse_seconds (max_text, &max_s, &error))
    return cli_error_report (error);

  n_words = g_strv_length (rest);
  is_list = n_words == 0 || (n_words == 1 && g_str_equal (rest[0], "list"));
  if ((all || watch) && !is_list)
    return cli_usage ("--all and --watch are for the list");
  if (max_text != NULL && !watch)
    return cli_usage ("--for needs --watch");
  if (target != NULL && (n_words == 0 || !g_str_equal (rest[0], "accept")))
    return cli_usage ("--to is for accept");

  if (is_list)
    return watch ? cli_offer_watch (cli, all, max_s) : list_offers (cli, all);
  if (n_words == 1 && g_str_equal (rest[0], "handlers"))
    return list_handlers (cli);
  if (n_words == 2 && g_str_equal (rest[0], "show"))
    return show_offer (cli, rest[1]);
  if (n_words == 3 && g_str_equal (rest[0], "redirect"))
    return answer_offer (cli, rest[0], rest[1], rest[2]);
  if (n_words == 2 && g_strv_contains (answers, rest[0]) && !g_str_equal (rest[0], "redirect"))
    return answer_offer (cli, rest[0], rest[1], target);

  return cli_usage (
    "usage: muster incoming [list | show ID | accept ID [--to ADDRESS] | decline ID | "
    "busy ID | redirect ID ADDRESS | handlers]");
}
