/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-json.h"
#include "cli-loop.h"
#include "cli-offer.h"
#include "cli-table.h"
#include "cli-text.h"
#include "cli-watch.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster incoming: what came in, and answers to it. */

static CliExit
list_offers (Cli *cli, gboolean all)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = cli_offer_list (cli, all, &error);

  if (rows == NULL)
    return cli_error_report (error);
  cli_table_print_or (cli, cli_incoming_fields, rows,
                      all ? "no call or message has come in of late"
                          : "no call or message waits for an answer");

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

/* as they come */

typedef struct {
  Cli *cli;
  CliLoop loop;
  GHashTable *states; /* id to the state that was printed last */
  gboolean bus_lost;
} Watch;

static void
print_json (CliWatchChange change, CliRow *row)
{
  JsonObject *object = cli_fields_to_json (cli_incoming_fields, row);
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_object_set_member (object, "time", cli_json_time ((guint64) g_get_real_time ()));
  json_object_set_string_member (object, "change", cli_watch_change_to_string (change));
  json_node_take_object (node, object);
  cli_json_print_line (node);
}

/* "2026-11-20 15:00:00  call taken (accept)  iabc...  from sip:bob@... (Bob)  to ann@...  lunch?" */
static void
print_line (CliRow *row, const char *state)
{
  g_autofree char *time = cli_text_time_local ((guint64) g_get_real_time ());
  g_autofree char *from = cli_text_escape (cli_row_get_string (row, "Incoming.From"));
  g_autofree char *name = cli_text_escape (cli_row_get_string (row, "Incoming.FromName"));
  g_autofree char *to = cli_text_escape (cli_row_get_string (row, "Account.Address"));
  g_autofree char *text = cli_text_escape (cli_row_get_string (row, "Incoming.Text"));
  g_autofree char *kind = cli_text_escape (cli_row_get_string (row, "Incoming.Kind"));
  g_autofree char *safe_state = cli_text_escape (state);
  g_autofree char *answer = cli_text_escape (cli_row_get_string (row, "Incoming.Answer"));
  g_autofree char *id = cli_text_escape (cli_row_get_string (row, "Incoming.Id"));
  gboolean is_over = cli_offer_is_over (row);

  printf ("%s  %s %s", time, kind, safe_state);
  if (answer[0] != '\0')
    printf (" (%s)", answer);
  printf ("  %s  from %s", id, from);
  if (name[0] != '\0')
    printf (" (%s)", name);
  printf ("  to %s%s%s\n", to, text[0] != '\0' && !is_over ? "  " : "", is_over ? "" : text);
  fflush (stdout);
}

/* Each state once; the going of what is over says nothing new, that of what waited says that its daemon
 * is gone. */
static void
print_offer (Watch *self, CliWatchChange change, CliRow *row)
{
  const char *id = cli_row_get_string (row, "Incoming.Id");
  const char *state = change == CLI_WATCH_REMOVED ? "gone"
                                                  : cli_row_get_string (row, "Incoming.State");
  gboolean is_new = g_strcmp0 (g_hash_table_lookup (self->states, id), state) != 0;

  if (change == CLI_WATCH_REMOVED)
    g_hash_table_remove (self->states, id);
  else
    g_hash_table_insert (self->states, g_strdup (id), g_strdup (state));

  if (!is_new || (change == CLI_WATCH_REMOVED && cli_offer_is_over (row)))
    return;
  if (self->cli->json)
    print_json (change, row);
  else
    print_line (row, state);
}

static void
on_change (CliWatchChange change, CliRow *row, gpointer user_data)
{
  Watch *self = user_data;

  switch (change) {
  case CLI_WATCH_INITIAL:
  case CLI_WATCH_ADDED:
  case CLI_WATCH_CHANGED:
  case CLI_WATCH_REMOVED:
    print_offer (self, change, row);
    return;
  case CLI_WATCH_DAEMON_STOPPED:
    cli_daemon_print (self->cli, CLI_DAEMON_STOPPED);
    return;
  case CLI_WATCH_DAEMON_STARTED:
    cli_daemon_print (self->cli, CLI_DAEMON_STARTED);
    return;
  case CLI_WATCH_BUS_LOST:
    self->bus_lost = TRUE;
    cli_loop_quit (&self->loop);
    return;
  }
}

static CliExit
watch_offers (Cli *cli, gboolean all, guint max_s)
{
  g_autoptr (GHashTable) states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Watch self = { .cli = cli, .states = states };
  g_autoptr (GError) error = NULL;
  g_autoptr (CliWatch) watch = NULL;

  cli_loop_init (&self.loop);
  watch = cli_watch_new (cli, all ? &cli_watch_all_offers : &cli_watch_offers, NULL, on_change,
                         &self, &error);
  if (watch != NULL)
    cli_loop_run (&self.loop, max_s);
  cli_loop_clear (&self.loop);
  if (error == NULL && self.bus_lost)
    g_set_error (&error, CLI_ERROR, CLI_NO_DAEMON, "the session bus is gone");

  return error != NULL ? cli_error_report (error) : CLI_OK;
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
  cli_table_print_or (cli, cli_handler_fields, rows,
                      "no application has registered to take calls or messages");

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
  static const char *const words[] = { "list", "show",     "accept",   "decline",
                                       "busy", "redirect", "handlers", NULL };
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
    return watch ? watch_offers (cli, all, max_s) : list_offers (cli, all);
  if (n_words == 1 && g_str_equal (rest[0], "handlers"))
    return list_handlers (cli);
  if (n_words == 2 && g_str_equal (rest[0], "show"))
    return show_offer (cli, rest[1]);
  if (n_words == 3 && g_str_equal (rest[0], "redirect"))
    return answer_offer (cli, rest[0], rest[1], rest[2]);
  if (n_words == 2 && g_strv_contains (answers, rest[0]) && !g_str_equal (rest[0], "redirect"))
    return answer_offer (cli, rest[0], rest[1], target);

  return cli_command_misused ("incoming", rest[0], words);
}
