/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-daemon.h"

#include "cli-json.h"
#include "cli-text.h"
#include "muster-names.h"

#include <stdio.h>

/* Whether the daemon is there, for commands that go on without it. */

struct _CliDaemon {
  Cli *cli;
  CliDaemonFunc func;
  gpointer user_data;
  char *owner; /* the daemon that we know; "" while it is away; NULL: not heard yet */
  guint name;
  gulong closed;
};

const char *
cli_daemon_change_to_string (CliDaemonChange change)
{
  switch (change) {
  case CLI_DAEMON_STOPPED:
    return "daemon-stopped";
  case CLI_DAEMON_STARTED:
    return "daemon-started";
  case CLI_DAEMON_BUS_LOST:
    return "bus-lost";
  }

  g_return_val_if_reached (NULL);
}

const char *
cli_daemon_change_to_words (CliDaemonChange change)
{
  switch (change) {
  case CLI_DAEMON_STOPPED:
    return "musterd is not running";
  case CLI_DAEMON_STARTED:
    return "musterd is running again";
  case CLI_DAEMON_BUS_LOST:
    return "the session bus is gone";
  }

  g_return_val_if_reached (NULL);
}

void
cli_daemon_print (Cli *cli, CliDaemonChange change)
{
  guint64 now_us = (guint64) g_get_real_time ();
  g_autofree char *time = cli_text_time_local (now_us);
  JsonObject *object;
  JsonNode *node;

  if (!cli->json) {
    printf ("%s  %s\n", time, cli_daemon_change_to_words (change));
    fflush (stdout);
    return;
  }

  object = json_object_new ();
  json_object_set_member (object, "time", cli_json_time (now_us));
  json_object_set_string_member (object, "change", cli_daemon_change_to_string (change));
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, object);
  cli_json_print_line (node);
}

static void
on_name_appeared (GDBusConnection *connection,
                  const char *name,
                  const char *owner,
                  gpointer user_data)
{
  CliDaemon *self = user_data;
  gboolean first = self->owner == NULL;

  if (g_strcmp0 (self->owner, owner) == 0)
    return;
  g_free (self->owner);
  self->owner = g_strdup (owner);
  if (!first) /* the one that was just asked */
    self->func (CLI_DAEMON_STARTED, self->user_data);
}

static void
on_name_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  CliDaemon *self = user_data;

  /* With the bus itself gone, on_bus_closed() says so. */
  if (g_dbus_connection_is_closed (self->cli->connection) || g_strcmp0 (self->owner, "") == 0)
    return;
  g_free (self->owner);
  self->owner = g_strdup ("");
  self->func (CLI_DAEMON_STOPPED, self->user_data);
}

static void
on_bus_closed (GDBusConnection *connection,
               gboolean remote_peer_vanished,
               GError *error,
               gpointer user_data)
{
  CliDaemon *self = user_data;

  self->func (CLI_DAEMON_BUS_LOST, self->user_data);
}

CliDaemon *
cli_daemon_new (Cli *cli, CliDaemonFunc func, gpointer user_data)
{
  CliDaemon *self = g_new0 (CliDaemon, 1);

  self->cli = cli;
  self->func = func;
  self->user_data = user_data;
  self->closed = g_signal_connect (cli->connection, "closed", G_CALLBACK (on_bus_closed), self);
  self->name = g_bus_watch_name_on_connection (cli->connection, MUSTER_BUS_NAME,
                                               G_BUS_NAME_WATCHER_FLAGS_NONE, on_name_appeared,
                                               on_name_vanished, self, NULL);

  return self;
}

void
cli_daemon_free (CliDaemon *self)
{
  g_clear_handle_id (&self->name, g_bus_unwatch_name);
  g_clear_signal_handler (&self->closed, self->cli->connection);
  g_free (self->owner);
  g_free (self);
}
