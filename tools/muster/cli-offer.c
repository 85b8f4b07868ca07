/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-offer.h"

#include "cli-json.h"
#include "cli-loop.h"
#include "cli-text.h"
#include "muster-names.h"

#include <stdio.h>

/* Calls and messages that came in: all, one that somebody named, or each as it comes. */

gboolean
cli_offer_is_over (CliRow *row)
{
  const char *state = cli_row_get_string (row, "Incoming.State");

  return !g_str_equal (state, "waiting") && !g_str_equal (state, "answering");
}

void
cli_offer_load_address (Cli *cli, CliRow *row, GHashTable *known)
{
  const char *path = cli_row_get_string (row, "Incoming.Account");
  GVariant *address = known != NULL ? g_hash_table_lookup (known, path) : NULL;

  if (address != NULL) {
    cli_row_take (row, "Account.Address", g_variant_ref (address));
    return;
  }
  /* Without an answer the account is gone, and soon the offer, too. */
  if (!g_variant_is_object_path (path) ||
      !cli_bus_load (cli, path, MUSTER_INTERFACE_ACCOUNT, row, NULL))
    return;

  address = cli_row_get (row, "Account.Address");
  if (known != NULL && address != NULL)
    g_hash_table_insert (known, g_strdup (path), g_variant_ref (address));
}

static GHashTable *
addresses_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
}

static int
compare_age (gconstpointer a, gconstpointer b)
{
  guint64 since_a = cli_row_get_number (*(CliRow **) a, "Incoming.Since");
  guint64 since_b = cli_row_get_number (*(CliRow **) b, "Incoming.Since");

  return since_a < since_b ? -1 : since_a > since_b;
}

GPtrArray *
cli_offer_list (Cli *cli, gboolean all, GError **error)
{
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "incoming", NULL, cli_incoming_fields, FALSE, error);
  g_autoptr (GHashTable) known = addresses_new ();

  if (rows == NULL)
    return NULL;

  for (guint i = rows->len; i > 0; i--) {
    CliRow *row = g_ptr_array_index (rows, i - 1);

    if (!all && cli_offer_is_over (row))
      g_ptr_array_remove_index (rows, i - 1);
    else
      cli_offer_load_address (cli, row, known);
  }
  g_ptr_array_sort (rows, compare_age);

  return g_steal_pointer (&rows);
}

CliRow *
cli_offer_find (Cli *cli, const char *word, GError **error)
{
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "incoming", NULL, cli_incoming_fields, FALSE, error);
  CliRow *found = NULL;
  guint n_found = 0;

  if (rows == NULL)
    return NULL;

  for (guint i = 0; i < rows->len && word[0] != '\0'; i++) {
    CliRow *row = g_ptr_array_index (rows, i);
    const char *id = cli_row_get_string (row, "Incoming.Id");

    if (!g_str_has_prefix (id, word))
      continue;
    found = row;
    n_found++;
    if (g_str_equal (id, word)) {
      n_found = 1;
      break;
    }
  }

  if (n_found == 0)
    g_set_error (error, CLI_ERROR, CLI_NOT_FOUND,
                 "there is no call or message '%s'; 'muster incoming --all' shows those there are",
                 word);
  else if (n_found > 1)
    g_set_error (error, CLI_ERROR, CLI_AMBIGUOUS,
                 "'%s' can mean %u calls and messages; write more of the id", word, n_found);

  return n_found == 1 ? g_hash_table_ref (found) : NULL;
}

/* as they come */

typedef struct {
  Cli *cli;
  GHashTable *rows;  /* path to CliRow: those that are not over */
  GHashTable *known; /* addresses */
  CliLoop loop;
  gboolean bus_lost;
} Watch;

static void
print_json (CliRow *row)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, cli_fields_to_json (cli_incoming_fields, row));
  cli_json_print_line (node);
}

/* "2026-11-20 15:00:00  call waiting  iabc...  from sip:bob@... (Bob)  to ann@...  lunch?" */
static void
print_line (CliRow *row)
{
  g_autofree char *time = cli_text_time_local ((guint64) g_get_real_time ());
  g_autofree char *from = cli_text_escape (cli_row_get_string (row, "Incoming.From"));
  g_autofree char *name = cli_text_escape (cli_row_get_string (row, "Incoming.FromName"));
  g_autofree char *to = cli_text_escape (cli_row_get_string (row, "Account.Address"));
  g_autofree char *text = cli_text_escape (cli_row_get_string (row, "Incoming.Text"));
  g_autofree char *kind = cli_text_escape (cli_row_get_string (row, "Incoming.Kind"));
  g_autofree char *state = cli_text_escape (cli_row_get_string (row, "Incoming.State"));
  g_autofree char *id = cli_text_escape (cli_row_get_string (row, "Incoming.Id"));
  gboolean is_over = cli_offer_is_over (row);

  printf ("%s  %s %s  %s  from %s", time, kind, state, id, from);
  if (name[0] != '\0')
    printf (" (%s)", name);
  printf ("  to %s%s%s\n", to, text[0] != '\0' && !is_over ? "  " : "", is_over ? "" : text);
  fflush (stdout);
}

static void
print_offer (Watch *self, CliRow *row)
{
  if (self->cli->json)
    print_json (row);
  else
    print_line (row);
}

/* Takes @row. */
static void
take_row (Watch *self, const char *path, CliRow *row)
{
  if (g_hash_table_contains (self->rows, path)) { /* it was in the list */
    g_hash_table_unref (row);
    return;
  }

  cli_offer_load_address (self->cli, row, self->known);
  print_offer (self, row);
  g_hash_table_insert (self->rows, g_strdup (path), row);
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
  g_autoptr (GVariant) interfaces = NULL;
  g_autoptr (GVariant) values = NULL;
  const char *path;
  CliRow *row;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(oa{sa{sv}})")))
    return;
  g_variant_get (arguments, "(&o@a{sa{sv}})", &path, &interfaces);
  if (!g_variant_lookup (interfaces, MUSTER_INTERFACE_INCOMING, "@a{sv}", &values))
    return;

  row = cli_row_new ();
  cli_row_merge (row, "Incoming", values);
  take_row (user_data, path, row);
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
  Watch *self = user_data;
  CliRow *row = g_hash_table_lookup (self->rows, path);
  g_autoptr (GVariant) values = NULL;
  g_autofree char *before = NULL;
  const char *interface;

  if (row == NULL || !g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(sa{sv}as)")))
    return;

  g_variant_get (arguments, "(&s@a{sv}as)", &interface, &values, NULL);
  before = g_strdup (cli_row_get_string (row, "Incoming.State"));
  if (!g_str_equal (interface, MUSTER_INTERFACE_INCOMING) ||
      !cli_row_merge (row, "Incoming", values) ||
      g_str_equal (before, cli_row_get_string (row, "Incoming.State")))
    return;

  print_offer (self, row);
  if (cli_offer_is_over (row))
    g_hash_table_remove (self->rows, path);
}

static void
on_bus_closed (GDBusConnection *connection,
               gboolean remote_peer_vanished,
               GError *error,
               gpointer user_data)
{
  Watch *self = user_data;

  self->bus_lost = TRUE;
  cli_loop_quit (&self->loop);
}

static guint
subscribe (Watch *self, const char *interface, const char *signal, GDBusSignalCallback callback)
{
  return g_dbus_connection_signal_subscribe (self->cli->connection, MUSTER_BUS_NAME, interface,
                                             signal, NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE, callback,
                                             self, NULL);
}

static gboolean
print_all (Watch *self, gboolean all, GError **error)
{
  g_autoptr (GPtrArray) rows = cli_offer_list (self->cli, all, error);

  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    CliRow *row = g_ptr_array_index (rows, i);

    take_row (self, cli_row_get_string (row, "Path"), g_hash_table_ref (row));
  }

  return rows != NULL;
}

CliExit
cli_offer_watch (Cli *cli, gboolean all, guint max_s)
{
  g_autoptr (GHashTable) rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                                       (GDestroyNotify) g_hash_table_unref);
  g_autoptr (GHashTable) known = addresses_new ();
  Watch self = { .cli = cli, .rows = rows, .known = known };
  g_autoptr (GError) error = NULL;
  guint added, changed;
  gulong closed;

  if (cli_bus_get (cli, &error) == NULL)
    return cli_error_report (error);

  /* Signals of the time while the list is made are handled after it. */
  cli_loop_init (&self.loop);
  added = subscribe (&self, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
                     on_interfaces_added);
  changed = subscribe (&self, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                       on_properties_changed);
  closed = g_signal_connect (cli->connection, "closed", G_CALLBACK (on_bus_closed), &self);
  if (print_all (&self, all, &error))
    cli_loop_run (&self.loop, max_s);
  if (error == NULL && self.bus_lost)
    g_set_error (&error, CLI_ERROR, CLI_NO_DAEMON, "the session bus is gone");

  g_signal_handler_disconnect (cli->connection, closed);
  g_dbus_connection_signal_unsubscribe (cli->connection, added);
  g_dbus_connection_signal_unsubscribe (cli->connection, changed);
  cli_loop_clear (&self.loop);

  return error != NULL ? cli_error_report (error) : CLI_OK;
}
