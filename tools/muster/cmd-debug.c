/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-json.h"
#include "cli-loop.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster debug: what the daemon logged, and what it logs from now on. */

#define PAGE_ROWS 500

typedef struct {
  Cli *cli;
  CliLoop loop;
  gboolean gone; /* the daemon or the bus */
} Follower;

static void
print_line (Cli *cli, GVariant *line)
{
  g_autofree char *time = NULL;
  g_autofree char *safe_domain = NULL;
  g_autofree char *safe_level = NULL;
  g_autofree char *safe_text = NULL;
  const char *domain, *level, *text;
  guint64 time_us;
  gint64 number;

  g_variant_get (line, "(tx&s&s&s)", &time_us, &number, &domain, &level, &text);
  if (cli->json) {
    JsonObject *object = json_object_new ();
    JsonNode *node = json_node_new (JSON_NODE_OBJECT);

    json_object_set_int_member (object, "number", number);
    json_object_set_member (object, "time", cli_json_time (time_us));
    json_object_set_string_member (object, "domain", domain);
    json_object_set_string_member (object, "level", level);
    json_object_set_string_member (object, "text", text);
    json_node_take_object (node, object);
    cli_json_print_line (node);
    return;
  }

  time = cli_text_time_local (time_us);
  safe_domain = cli_text_escape (domain);
  safe_level = cli_text_escape (level);
  safe_text = cli_text_escape (text);
  printf ("%s  %-8s  %s: %s\n", time != NULL ? time : "-", safe_level, safe_domain, safe_text);
  fflush (stdout);
}

/* What is in memory already. */
static gboolean
print_past (Cli *cli, GError **error)
{
  g_autofree char *cursor = g_strdup ("");

  do {
    g_autoptr (GVariant) reply = NULL;
    g_autoptr (GVariantIter) iter = NULL;
    GVariant *line;
    char *next;

    reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_DEBUG, "GetMessages",
                          g_variant_new ("(sua{sv})", cursor, (guint32) PAGE_ROWS, NULL),
                          "(a(txsss)s)", error);
    if (reply == NULL)
      return FALSE;

    g_variant_get (reply, "(a(txsss)s)", &iter, &next);
    while ((line = g_variant_iter_next_value (iter)) != NULL) {
      print_line (cli, line);
      g_variant_unref (line);
    }
    if (g_str_equal (next, cursor))
      *next = '\0';
    g_free (cursor);
    cursor = next;
  } while (cursor[0] != '\0');

  return TRUE;
}

static void
on_message (GDBusConnection *connection,
            const char *sender,
            const char *path,
            const char *interface,
            const char *signal,
            GVariant *arguments,
            gpointer user_data)
{
  Follower *self = user_data;

  if (g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(txsss)")))
    print_line (self->cli, arguments);
}

static void
on_owner_changed (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Follower *self = user_data;

  self->gone = TRUE;
  cli_loop_quit (&self->loop);
}

static gboolean
set_logging (Cli *cli, const char *domains, GError **error)
{
  g_autoptr (GVariant)
    reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_DEBUG, "SetLogging",
                          g_variant_new ("(sa{sv})", domains, NULL), "()", error);

  return reply != NULL;
}

/* Until somebody ends it; the daemon takes our going for the end of what we asked for. */
static void
follow (Follower *self, const char *domains, guint max_s, GError **error)
{
  guint subscription, watch;

  cli_loop_init (&self->loop);
  subscription = g_dbus_connection_signal_subscribe (self->cli->connection, MUSTER_BUS_NAME,
                                                     MUSTER_INTERFACE_DEBUG, "Message", MUSTER_PATH,
                                                     NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_message,
                                                     self, NULL);
  if (set_logging (self->cli, domains, error)) {
    watch = g_bus_watch_name_on_connection (self->cli->connection, MUSTER_BUS_NAME,
                                            G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, on_owner_changed,
                                            self, NULL);
    cli_loop_run (&self->loop, max_s);
    g_bus_unwatch_name (watch);
    if (self->gone)
      g_set_error (error, CLI_ERROR, CLI_NO_DAEMON, "the daemon or the bus is gone");
  }
  g_dbus_connection_signal_unsubscribe (self->cli->connection, subscription);
  cli_loop_clear (&self->loop);
}

CliExit
cmd_debug (Cli *cli, char **argv)
{
  g_autofree char *domains = NULL;
  g_autofree char *max_text = NULL;
  gboolean past = FALSE;
  const GOptionEntry entries[] = {
    { "domains", 'd', 0, G_OPTION_ARG_FILENAME, &domains,
      "Whose lines, such as 'MusterSip MusterStanding' (default: all)", "NAMES" },
    { "past", 0, 0, G_OPTION_ARG_NONE, &past, "Print what was logged before, and end", NULL },
    { "for", 0, 0, G_OPTION_ARG_FILENAME, &max_text, "End after this time", "SECONDS" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = NULL;
  Follower self = { .cli = cli };
  CliExit status;
  guint max_s = 0;

  if (!cli_command_parse (cli, argv, entries, 0, 0, &rest, &status))
    return status;
  if (max_text != NULL && !cli_text_parse_seconds (max_text, &max_s, &error))
    return cli_error_report (error);
  if (past && (domains != NULL || max_text != NULL))
    return cli_usage ("--past excludes --domains and --for");
  if (cli_bus_get (cli, &error) == NULL)
    return cli_error_report (error);

  if (past)
    print_past (cli, &error);
  else
    follow (&self, domains != NULL ? domains : MUSTER_DEBUG_ALL, max_s, &error);

  return error != NULL ? cli_error_report (error) : CLI_OK;
}
