/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-wait.h"

#include "cli-text.h"
#include "muster-names.h"

#include <string.h>

/* Waiting for an account to become what was asked for. Signals say that something changed; what it is
 * now is read again, so nothing depends on the order in which they come. */

typedef struct {
  Cli *cli;
  const char *path;
  CliWaitFor what;
  CliRow *before; /* (nullable) */
  CliRow *row;    /* as last read */
  GMainLoop *loop;
  gboolean timed_out;
  GError *error;
} Wait;

static gboolean
is_one_of (const char *state, const char *const *states)
{
  return g_strv_contains (states, state);
}

CliWaitVerdict
cli_wait_judge (CliWaitFor what, CliRow *row, CliRow *before)
{
  static const char *const failures[] = { "waiting-secret", "waiting-user", "failed", NULL };
  const char *state = cli_row_get_string (row, "Registration.State");
  gboolean registered = g_str_equal (state, "registered");

  switch (what) {
  case CLI_WAIT_DISABLED:
    return g_str_equal (state, "disabled") ? CLI_WAIT_REACHED : CLI_WAIT_GO_ON;
  case CLI_WAIT_REFRESHED:
    /* Refreshed, or lost and registered anew. */
    if (registered && before != NULL &&
        cli_row_get_number (row, "Registration.Refreshes") ==
          cli_row_get_number (before, "Registration.Refreshes") &&
        cli_row_get_number (row, "Registration.RegisteredAt") ==
          cli_row_get_number (before, "Registration.RegisteredAt"))
      return CLI_WAIT_GO_ON;
    break;
  case CLI_WAIT_REGISTERED:
    break;
  }

  if (registered || (what == CLI_WAIT_REGISTERED && g_str_equal (state, "refreshing")))
    return CLI_WAIT_REACHED;

  return is_one_of (state, failures) ? CLI_WAIT_FAILED : CLI_WAIT_GO_ON;
}

/* "registering", "waiting-retry (unreachable: connection refused)" */
static char *
describe_state (CliRow *row)
{
  const char *state = cli_row_get_string (row, "Registration.State");
  const char *reason = cli_row_get_string (row, "Registration.Reason");
  GVariant *details = cli_row_get (row, "Registration.ErrorDetails");
  const char *message = NULL;

  if (details != NULL && g_variant_is_of_type (details, G_VARIANT_TYPE_VARDICT))
    g_variant_lookup (details, "message", "&s", &message);
  if (reason[0] == '\0' && message == NULL)
    return g_strdup (state);

  return g_strconcat (state, " (", reason, reason[0] != '\0' && message != NULL ? ": " : "",
                      message != NULL ? message : "", ")", NULL);
}

/* Reads the account and ends the loop if that decides it. */
static void
look (Wait *self)
{
  g_autoptr (GHashTable) row = cli_row_new ();
  g_autofree char *state = NULL;

  if (!cli_bus_load (self->cli, self->path, MUSTER_INTERFACE_REGISTRATION, row, &self->error)) {
    g_main_loop_quit (self->loop);
    return;
  }
  g_clear_pointer (&self->row, g_hash_table_unref);
  self->row = g_hash_table_ref (row);

  switch (cli_wait_judge (self->what, row, self->before)) {
  case CLI_WAIT_GO_ON:
    return;
  case CLI_WAIT_REACHED:
    break;
  case CLI_WAIT_FAILED:
    state = describe_state (row);
    g_set_error (&self->error, CLI_ERROR, CLI_BECAME_FAILURE, "is %s", state);
    break;
  }
  g_main_loop_quit (self->loop);
}

static void
on_properties_changed (GDBusConnection *connection,
                       const char *sender,
                       const char *path,
                       const char *interface,
                       const char *signal,
                       GVariant *arguments,
                       gpointer user_data)
{
  Wait *self = user_data;

  if (g_main_loop_is_running (self->loop) && self->error == NULL)
    look (self);
}

static void
on_interfaces_removed (GDBusConnection *connection,
                       const char *sender,
                       const char *root,
                       const char *interface,
                       const char *signal,
                       GVariant *arguments,
                       gpointer user_data)
{
  Wait *self = user_data;
  const char *path = NULL;

  if (self->error != NULL || !g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(oas)")))
    return;
  g_variant_get_child (arguments, 0, "&o", &path);
  if (!g_str_equal (path, self->path))
    return;

  g_set_error (&self->error, CLI_ERROR, CLI_NOT_FOUND, "was removed meanwhile");
  g_main_loop_quit (self->loop);
}

static void
on_name_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Wait *self = user_data;

  if (self->error == NULL)
    g_set_error (&self->error, CLI_ERROR, CLI_NO_DAEMON, "musterd ended meanwhile");
  g_main_loop_quit (self->loop);
}

static gboolean
on_timeout (gpointer user_data)
{
  Wait *self = user_data;

  self->timed_out = TRUE;
  g_main_loop_quit (self->loop);

  return G_SOURCE_CONTINUE;
}

static void
run_until_decided (Wait *self, gint64 deadline_us)
{
  GDBusConnection *bus = self->cli->connection;
  gint64 left_ms = MAX (deadline_us - g_get_monotonic_time (), 0) / 1000;
  guint changed, removed, name, timeout;

  /* Whatever happens after the match is in place comes as a signal; what came before is read. */
  changed = g_dbus_connection_signal_subscribe (
    bus, MUSTER_BUS_NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", self->path,
    MUSTER_INTERFACE_REGISTRATION, G_DBUS_SIGNAL_FLAGS_NONE, on_properties_changed, self, NULL);
  removed = g_dbus_connection_signal_subscribe (bus, MUSTER_BUS_NAME,
                                                "org.freedesktop.DBus.ObjectManager",
                                                "InterfacesRemoved", MUSTER_PATH, NULL,
                                                G_DBUS_SIGNAL_FLAGS_NONE, on_interfaces_removed,
                                                self, NULL);
  name = g_bus_watch_name_on_connection (bus, MUSTER_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                         on_name_vanished, self, NULL);
  timeout = g_timeout_add ((guint) left_ms, on_timeout, self);

  look (self);
  if (self->error == NULL && cli_wait_judge (self->what, self->row, self->before) == CLI_WAIT_GO_ON)
    g_main_loop_run (self->loop);

  g_source_remove (timeout);
  g_bus_unwatch_name (name);
  g_dbus_connection_signal_unsubscribe (bus, removed);
  g_dbus_connection_signal_unsubscribe (bus, changed);
}

gboolean
cli_wait (Cli *cli,
          const char *path,
          CliWaitFor what,
          CliRow *before,
          gint64 deadline_us,
          GError **error)
{
  Wait self = { .cli = cli, .path = path, .what = what, .before = before };

  self.loop = g_main_loop_new (NULL, FALSE);
  run_until_decided (&self, deadline_us);
  g_main_loop_unref (self.loop);

  if (self.error == NULL && self.timed_out) {
    g_autofree char *state = describe_state (self.row);

    g_set_error (&self.error, CLI_ERROR, CLI_TIMED_OUT,
                 "is still %s; 'muster explain' says what is in the way", state);
  }
  g_clear_pointer (&self.row, g_hash_table_unref);
  if (self.error == NULL)
    return TRUE;

  g_propagate_error (error, self.error);

  return FALSE;
}

CliExit
cli_wait_all (Cli *cli, GPtrArray *paths, CliWaitFor what, guint max_s)
{
  gint64 deadline_us = g_get_monotonic_time () + (gint64) max_s * G_USEC_PER_SEC;
  CliExit status = CLI_OK;

  for (guint i = 0; i < paths->len; i++) {
    const char *path = g_ptr_array_index (paths, i);
    g_autoptr (GError) error = NULL;
    g_autoptr (GHashTable) row = NULL;

    if (cli_wait (cli, path, what, NULL, deadline_us, &error))
      continue;

    if (status == CLI_OK)
      status = (CliExit) error->code;
    row = cli_row_new ();
    if (error->code != CLI_NO_DAEMON &&
        cli_bus_load (cli, path, MUSTER_INTERFACE_ACCOUNT, row, NULL))
      g_prefix_error (&error, "%s ", cli_row_get_string (row, "Account.Address"));
    else if (error->code != CLI_NO_DAEMON)
      g_prefix_error (&error, "the account %s ", cli_path_id (path));
    cli_error_report (error);
  }

  return status;
}
