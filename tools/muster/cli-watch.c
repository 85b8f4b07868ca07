/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-watch.h"

#include "cli-account.h"
#include "cli-offer.h"
#include "muster-names.h"

/* Objects as they change. Signals carry values, so nothing is asked again while the daemon
 * lives; when another one takes the name, everything is. */

struct _CliWatch {
  Cli *cli;
  CliWatchFunc func;
  gpointer user_data;
  const CliWatchKind *kind;
  GPtrArray *paths; /* (nullable): not ours */
  GHashTable *rows; /* path to CliRow */
  CliDaemon *daemon;
  guint properties_changed, interfaces_added, interfaces_removed, events;
};

const char *
cli_watch_change_to_string (CliWatchChange change)
{
  switch (change) {
  case CLI_WATCH_INITIAL:
    return "initial";
  case CLI_WATCH_ADDED:
    return "added";
  case CLI_WATCH_CHANGED:
    return "changed";
  case CLI_WATCH_REMOVED:
    return "removed";
  case CLI_WATCH_DAEMON_STOPPED:
    return cli_daemon_change_to_string (CLI_DAEMON_STOPPED);
  case CLI_WATCH_DAEMON_STARTED:
    return cli_daemon_change_to_string (CLI_DAEMON_STARTED);
  case CLI_WATCH_BUS_LOST:
    return cli_daemon_change_to_string (CLI_DAEMON_BUS_LOST);
  }

  g_return_val_if_reached (NULL);
}

/* what can be watched */

/* One by one where some were named, a list where all are wanted. */
static GPtrArray *
list_accounts (Cli *cli, GPtrArray *paths, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;

  if (paths == NULL)
    return cli_account_list (cli, NULL, FALSE, error);

  rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  for (guint i = 0; i < paths->len; i++) {
    g_autoptr (GError) local = NULL;
    CliRow *row = cli_account_load (cli, g_ptr_array_index (paths, i), &local);

    if (row != NULL) {
      g_ptr_array_add (rows, row);
    } else if (!g_error_matches (local, CLI_ERROR, CLI_NOT_FOUND)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  }
  cli_account_sort (rows);

  return g_steal_pointer (&rows);
}

static GPtrArray *
list_offers (Cli *cli, GPtrArray *paths, GError **error)
{
  return cli_offer_list (cli, FALSE, error);
}

static GPtrArray *
list_all_offers (Cli *cli, GPtrArray *paths, GError **error)
{
  return cli_offer_list (cli, TRUE, error);
}

static void
complete_offer (Cli *cli, CliRow *row)
{
  cli_offer_load_address (cli, row, NULL);
}

const CliWatchKind cli_watch_accounts = {
  MUSTER_PATH_ACCOUNTS "/",
  MUSTER_INTERFACE_ACCOUNT,
  list_accounts,
  cli_account_load_identity_name,
};

const CliWatchKind cli_watch_offers = {
  MUSTER_PATH_INCOMING "/",
  MUSTER_INTERFACE_INCOMING,
  list_offers,
  complete_offer,
};

const CliWatchKind cli_watch_all_offers = {
  MUSTER_PATH_INCOMING "/",
  MUSTER_INTERFACE_INCOMING,
  list_all_offers,
  complete_offer,
};

/* watching */

static gboolean
wants (CliWatch *self, const char *path)
{
  if (self->paths == NULL)
    return g_str_has_prefix (path, self->kind->root);

  return g_ptr_array_find_with_equal_func (self->paths, path, g_str_equal, NULL);
}

/* Takes @row as what the object at @path is now. */
static void
take_row (CliWatch *self, const char *path, CliRow *row, gboolean initial)
{
  CliRow *old = g_hash_table_lookup (self->rows, path);
  gboolean different = FALSE;
  GHashTableIter iter;
  gpointer field, value;

  if (old == NULL) {
    g_hash_table_insert (self->rows, g_strdup (path), row);
    self->func (initial ? CLI_WATCH_INITIAL : CLI_WATCH_ADDED, row, self->user_data);
    return;
  }

  g_hash_table_iter_init (&iter, row);
  while (g_hash_table_iter_next (&iter, &field, &value)) {
    GVariant *before = cli_row_get (old, field);

    different |= before == NULL || !g_variant_equal (before, value);
    cli_row_take (old, field, g_variant_ref (value));
  }
  g_hash_table_unref (row);
  if (different)
    self->func (CLI_WATCH_CHANGED, old, self->user_data);
}

static void
drop_row (CliWatch *self, const char *path)
{
  g_autoptr (GHashTable) row = NULL;
  g_autofree char *key = NULL;

  if (g_hash_table_steal_extended (self->rows, path, (gpointer *) &key, (gpointer *) &row))
    self->func (CLI_WATCH_REMOVED, row, self->user_data);
}

static gboolean
load (CliWatch *self, gboolean initial, GError **error)
{
  g_autoptr (GPtrArray) rows = self->kind->list (self->cli, self->paths, error);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GList) paths = NULL;

  if (rows == NULL)
    return FALSE;

  for (guint i = 0; i < rows->len; i++) {
    CliRow *row = g_ptr_array_index (rows, i);
    char *path = g_strdup (cli_row_get_string (row, "Path"));

    g_hash_table_add (seen, path);
    take_row (self, path, g_hash_table_ref (row), initial);
  }

  paths = g_hash_table_get_keys (self->rows);
  for (GList *link = paths; link != NULL; link = link->next)
    if (!g_hash_table_contains (seen, link->data))
      drop_row (self, link->data);

  return TRUE;
}

static void
on_properties_changed (GDBusConnection *connection,
                       const char *sender,
                       const char *path,
                       const char *interface_name,
                       const char *signal,
                       GVariant *arguments,
                       gpointer user_data)
{
  CliWatch *self = user_data;
  CliRow *row = g_hash_table_lookup (self->rows, path);
  g_autoptr (GVariant) values = NULL;
  const char *interface;

  if (row == NULL || !g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(sa{sv}as)")))
    return;

  g_variant_get (arguments, "(&s@a{sv}as)", &interface, &values, NULL);
  interface = cli_row_interface (interface);
  if (interface != NULL && cli_row_merge (row, interface, values))
    self->func (CLI_WATCH_CHANGED, row, self->user_data);
}

/* When a lease ends is told by events alone: nothing to report, but to show. */
static void
on_events (GDBusConnection *connection,
           const char *sender,
           const char *root,
           const char *interface_name,
           const char *signal,
           GVariant *arguments,
           gpointer user_data)
{
  CliWatch *self = user_data;
  g_autoptr (GVariantIter) iter = NULL;
  GVariant *details;
  const char *type, *path;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(a(tsoa{sv}))")))
    return;
  g_variant_get (arguments, "(a(tsoa{sv}))", &iter);
  while (g_variant_iter_next (iter, "(t&s&o@a{sv})", NULL, &type, &path, &details)) {
    CliRow *row = g_hash_table_lookup (self->rows, path);
    guint64 end_us = 0; /* it has none, or none any more */

    g_variant_lookup (details, "expires-at", "t", &end_us);
    if (row != NULL && g_str_has_prefix (type, "registration.") &&
        g_variant_lookup (details, "state", "s", NULL))
      cli_row_take (row, "Registration.ExpiresAt",
                    g_variant_ref_sink (g_variant_new_uint64 (end_us)));
    g_variant_unref (details);
  }
}

static void
on_interfaces_added (GDBusConnection *connection,
                     const char *sender,
                     const char *root,
                     const char *interface_name,
                     const char *signal,
                     GVariant *arguments,
                     gpointer user_data)
{
  CliWatch *self = user_data;
  g_autoptr (GVariantIter) iter = NULL;
  CliRow *row;
  const char *path, *interface;
  GVariant *values;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(oa{sa{sv}})")))
    return;
  g_variant_get (arguments, "(&oa{sa{sv}})", &path, &iter);
  if (!wants (self, path))
    return;

  row = cli_row_new ();
  while (g_variant_iter_next (iter, "{&s@a{sv}}", &interface, &values)) {
    if (cli_row_interface (interface) != NULL)
      cli_row_merge (row, cli_row_interface (interface), values);
    g_variant_unref (values);
  }
  cli_row_take (row, "Path", g_variant_new_object_path (path));
  self->kind->complete (self->cli, row);
  take_row (self, path, row, FALSE);
}

static void
on_interfaces_removed (GDBusConnection *connection,
                       const char *sender,
                       const char *root,
                       const char *interface_name,
                       const char *signal,
                       GVariant *arguments,
                       gpointer user_data)
{
  CliWatch *self = user_data;
  g_autofree const char **interfaces = NULL;
  const char *path;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(oas)")))
    return;
  g_variant_get (arguments, "(&o^a&s)", &path, &interfaces);

  /* A capability may come and go; without this one it is nothing. */
  if (g_strv_contains (interfaces, self->kind->interface))
    drop_row (self, path);
}

static void
on_daemon_changed (CliDaemonChange change, gpointer user_data)
{
  CliWatch *self = user_data;
  g_autoptr (GError) error = NULL;

  switch (change) {
  case CLI_DAEMON_STOPPED:
    self->func (CLI_WATCH_DAEMON_STOPPED, NULL, self->user_data);
    return;
  case CLI_DAEMON_STARTED:
    self->func (CLI_WATCH_DAEMON_STARTED, NULL, self->user_data);
    if (!load (self, FALSE, &error))
      g_debug ("cannot list what there is: %s, waiting for the next daemon", error->message);
    return;
  case CLI_DAEMON_BUS_LOST:
    self->func (CLI_WATCH_BUS_LOST, NULL, self->user_data);
    return;
  }
}

static guint
subscribe (CliWatch *self, const char *interface, const char *signal, GDBusSignalCallback callback)
{
  return g_dbus_connection_signal_subscribe (self->cli->connection, MUSTER_BUS_NAME, interface,
                                             signal, NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE, callback,
                                             self, NULL);
}

CliWatch *
cli_watch_new (Cli *cli,
               const CliWatchKind *kind,
               GPtrArray *paths,
               CliWatchFunc func,
               gpointer user_data,
               GError **error)
{
  g_autoptr (CliWatch) self = g_new0 (CliWatch, 1);
  static const char manager[] = "org.freedesktop.DBus.ObjectManager";

  self->cli = cli;
  self->kind = kind;
  self->paths = paths;
  self->func = func;
  self->user_data = user_data;
  self->rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                      (GDestroyNotify) g_hash_table_unref);
  if (cli_bus_get (cli, error) == NULL)
    return NULL;

  /* Signals of the time while the list is made are handled after it, and can only repeat it. */
  self->properties_changed = subscribe (self, "org.freedesktop.DBus.Properties",
                                        "PropertiesChanged", on_properties_changed);
  self->interfaces_added = subscribe (self, manager, "InterfacesAdded", on_interfaces_added);
  self->interfaces_removed = subscribe (self, manager, "InterfacesRemoved", on_interfaces_removed);
  if (kind == &cli_watch_accounts)
    self->events = subscribe (self, MUSTER_INTERFACE_MANAGER, "Events", on_events);
  if (!load (self, TRUE, error))
    return NULL;
  self->daemon = cli_daemon_new (cli, on_daemon_changed, self);

  return g_steal_pointer (&self);
}

void
cli_watch_free (CliWatch *self)
{
  GDBusConnection *bus = self->cli->connection;

  g_clear_pointer (&self->daemon, cli_daemon_free);
  if (self->properties_changed != 0) {
    g_dbus_connection_signal_unsubscribe (bus, self->properties_changed);
    g_dbus_connection_signal_unsubscribe (bus, self->interfaces_added);
    g_dbus_connection_signal_unsubscribe (bus, self->interfaces_removed);
    if (self->events != 0)
      g_dbus_connection_signal_unsubscribe (bus, self->events);
  }
  g_hash_table_unref (self->rows);
  g_free (self);
}

GPtrArray *
cli_watch_get_rows (CliWatch *self)
{
  GPtrArray *rows = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer row;

  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, NULL, &row))
    g_ptr_array_add (rows, row);

  return rows;
}
