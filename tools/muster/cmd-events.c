/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-daemon.h"
#include "cli-event.h"
#include "cli-json.h"
#include "cli-loop.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster events: what happens, as it happens. */

typedef struct {
  Cli *cli;
  CliEventPrinter *printer;
  const char *type; /* (nullable): only types that begin so */
  CliLoop loop;
  gboolean bus_lost;
} Follower;

static void
print_event (Follower *self, GVariant *event)
{
  g_autoptr (GVariant) payload = NULL;
  g_autofree char *line = NULL;
  const char *type, *account;
  guint64 time_us;

  g_variant_get (event, "(t&s&o@a{sv})", &time_us, &type, &account, &payload);
  if (self->type != NULL && !g_str_has_prefix (type, self->type))
    return;

  if (self->cli->json) {
    cli_json_print_line (cli_event_to_json (self->printer, 0, time_us, type, account, payload));
    return;
  }
  line = cli_event_to_line (self->printer, time_us, type, account, payload);
  puts (line);
  fflush (stdout);
}

static void
on_events (GDBusConnection *connection,
           const char *sender,
           const char *path,
           const char *interface,
           const char *signal,
           GVariant *arguments,
           gpointer user_data)
{
  g_autoptr (GVariant) events = NULL;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(a(tsoa{sv}))")))
    return;

  events = g_variant_get_child_value (arguments, 0);
  for (gsize i = 0; i < g_variant_n_children (events); i++) {
    g_autoptr (GVariant) event = g_variant_get_child_value (events, i);

    print_event (user_data, event);
  }
}

static void
on_daemon_changed (CliDaemonChange change, gpointer user_data)
{
  Follower *self = user_data;

  if (change != CLI_DAEMON_BUS_LOST) {
    cli_daemon_print (self->cli, change);
    return;
  }
  self->bus_lost = TRUE;
  cli_loop_quit (&self->loop);
}

/* The daemon may know a type that we do not; where it never had one of it, it is a slip. */
static gboolean
check_type (Cli *cli, const char *type, GError **error)
{
  g_autoptr (GVariantDict) filter = g_variant_dict_new (NULL);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) events = NULL;

  if (cli_event_check_type (type, NULL))
    return TRUE;

  g_variant_dict_insert (filter, "type", "s", type);
  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "ListEvents",
                        g_variant_new ("(@a{sv}sua{sv})", g_variant_dict_end (filter), "", 1, NULL),
                        "(a(xtsoa{sv})s)", error);
  if (reply == NULL)
    return FALSE;

  events = g_variant_get_child_value (reply, 0);
  return g_variant_n_children (events) > 0 || cli_event_check_type (type, error);
}

CliExit
cmd_events (Cli *cli, char **argv)
{
  g_autofree char *type = NULL;
  g_autofree char *max_text = NULL;
  const GOptionEntry entries[] = {
    { "type", 't', 0, G_OPTION_ARG_FILENAME, &type, "Only events whose type begins so", "TYPE" },
    { "for", 0, 0, G_OPTION_ARG_FILENAME, &max_text, "End after this time", "SECONDS" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (CliEventPrinter) printer = cli_event_printer_new (cli);
  g_autoptr (GHashTable) manager = cli_row_new ();
  g_auto (GStrv) rest = NULL;
  Follower self = { .cli = cli, .printer = printer };
  CliExit status;
  guint max_s = 0, subscription;

  if (!cli_command_parse (cli, argv, entries, 0, 0, &rest, &status))
    return status;
  if (max_text != NULL && !cli_text_parse_seconds (max_text, &max_s, &error))
    return cli_error_report (error);
  if (cli_bus_get (cli, &error) == NULL || (type != NULL && !check_type (cli, type, &error)))
    return cli_error_report (error);

  self.type = type;
  cli_loop_init (&self.loop);
  subscription = g_dbus_connection_signal_subscribe (cli->connection, MUSTER_BUS_NAME,
                                                     MUSTER_INTERFACE_MANAGER, "Events",
                                                     MUSTER_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                     on_events, &self, NULL);

  /* Starts the daemon if it is not there, and says so if it cannot be. */
  if (cli_bus_load (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, manager, &error)) {
    g_autoptr (CliDaemon) daemon = cli_daemon_new (cli, on_daemon_changed, &self);

    cli_loop_run (&self.loop, max_s);
  }
  if (error == NULL && self.bus_lost)
    g_set_error (&error, CLI_ERROR, CLI_NO_DAEMON, "the session bus is gone");

  g_dbus_connection_signal_unsubscribe (cli->connection, subscription);
  cli_loop_clear (&self.loop);

  return error != NULL ? cli_error_report (error) : CLI_OK;
}
