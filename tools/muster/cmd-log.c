/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-event.h"
#include "cli-json.h"
#include "cli-table.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster log: the journal. The daemon gives pages, newest first; people read downwards. */

#define DEFAULT_LIMIT 100
#define PAGE_ROWS     500

/* Adds a page to @events. Returns: the next cursor, "" at the end, %NULL on error */
static char *
load_page (Cli *cli,
           GVariant *filter,
           const char *cursor,
           guint limit,
           GPtrArray *events,
           GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariantIter) iter = NULL;
  GVariant *event;
  char *next;

  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "ListEvents",
                        g_variant_new ("(@a{sv}sua{sv})", filter, cursor, limit, NULL),
                        "(a(xtsoa{sv})s)", error);
  if (reply == NULL)
    return NULL;

  g_variant_get (reply, "(a(xtsoa{sv})s)", &iter, &next);
  while ((event = g_variant_iter_next_value (iter)) != NULL)
    g_ptr_array_add (events, event);

  return next;
}

/* Returns: the newest @limit (0: all), newest first */
static GPtrArray *
load (Cli *cli, GVariant *filter, guint limit, GError **error)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  g_autofree char *cursor = g_strdup ("");

  do {
    guint n_wanted = limit > 0 ? MIN (limit - events->len, PAGE_ROWS) : PAGE_ROWS;
    char *next = load_page (cli, filter, cursor, n_wanted, events, error);

    if (next == NULL)
      return NULL;
    if (g_str_equal (next, cursor)) /* "" or a journal that goes in circles */
      *next = '\0';
    g_free (cursor);
    cursor = next;
  } while (cursor[0] != '\0' && (limit == 0 || events->len < limit));

  if (limit > 0 && events->len > limit)
    g_ptr_array_set_size (events, (gint) limit);

  return g_steal_pointer (&events);
}

static void
print (Cli *cli, GPtrArray *events)
{
  g_autoptr (CliEventPrinter) printer = cli_event_printer_new (cli);
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  /* What comes last may name an account that is gone. */
  for (guint i = 0; i < events->len; i++) {
    g_autoptr (GVariant) payload = NULL;
    const char *account;

    g_variant_get (g_ptr_array_index (events, i), "(xt&s&o@a{sv})", NULL, NULL, NULL, &account,
                   &payload);
    cli_event_printer_learn (printer, account, payload);
  }

  for (guint i = events->len; i > 0; i--) {
    g_autoptr (GVariant) payload = NULL;
    g_autofree char *line = NULL;
    const char *type, *account;
    gint64 number;
    guint64 time_us;

    g_variant_get (g_ptr_array_index (events, i - 1), "(xt&s&o@a{sv})", &number, &time_us, &type,
                   &account, &payload);
    if (cli->json) {
      json_array_add_element (array,
                              cli_event_to_json (printer, number, time_us, type, account, payload));
      continue;
    }
    line = cli_event_to_line (printer, time_us, type, account, payload);
    puts (line);
  }

  json_node_take_array (node, array);
  if (cli->json)
    cli_json_print (node);
  else
    json_node_unref (node);
}

static GVariant *
make_filter (Cli *cli, const char *selector, const char *type, GError **error)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (NULL);

  if (type != NULL)
    g_variant_dict_insert (dict, "type", "s", type);
  if (selector != NULL) {
    g_autofree char *path = cli_bus_find (cli, "account", selector, error);

    if (path == NULL)
      return NULL;
    g_variant_dict_insert (dict, "account", "o", path);
  }

  return g_variant_ref_sink (g_variant_dict_end (dict));
}

CliExit
cmd_log (Cli *cli, char **argv)
{
  g_autofree char *type = NULL;
  g_autofree char *limit_text = NULL;
  const GOptionEntry entries[] = {
    { "type", 't', 0, G_OPTION_ARG_FILENAME, &type, "Only events whose type begins so", "TYPE" },
    { "limit", 'n', 0, G_OPTION_ARG_FILENAME, &limit_text,
      "How many of the newest, 0: all (default: 100)", "N" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GVariant) filter = NULL;
  g_auto (GStrv) rest = NULL;
  guint64 limit = DEFAULT_LIMIT;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 0, 1, &rest, &status))
    return status;
  if (limit_text != NULL && !g_ascii_string_to_unsigned (limit_text, 10, 0, G_MAXINT, &limit, NULL))
    return cli_usage ("'%s' is not a number of events", limit_text);

  filter = make_filter (cli, rest[0], type, &error);
  if (filter != NULL)
    events = load (cli, filter, (guint) limit, &error);
  if (events == NULL)
    return cli_error_report (error);
  /* The daemon may know a type that we do not; where it has none of it, it is a slip. */
  if (type != NULL && events->len == 0 && !cli_event_check_type (type, &error))
    return cli_error_report (error);
  if (events->len == 0)
    cli_table_print_none (cli, "the journal has no such event");
  print (cli, events);

  return CLI_OK;
}
