/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-bus.h"

#include "cli-text.h"
#include "muster-names.h"

#include <string.h>

/* The daemon, as the commands see it. A command asks and waits: there is nothing else to do. */

#define PAGE_ROWS 500

GDBusConnection *
cli_bus_get (Cli *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (self->connection != NULL)
    return self->connection;

  self->connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &local);
  if (self->connection == NULL) {
    g_set_error (error, CLI_ERROR, CLI_NO_DAEMON, "cannot reach the session bus: %s",
                 local->message);
    return NULL;
  }
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);

  return self->connection;
}

GVariant *
cli_bus_call_with_fds (Cli *self,
                       const char *path,
                       const char *interface,
                       const char *method,
                       GVariant *arguments,
                       GUnixFDList *fds,
                       const char *reply_type,
                       GError **error)
{
  g_autoptr (GVariant) held = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  g_autoptr (GVariantType) type = g_variant_type_new (reply_type);
  g_autoptr (GError) local = NULL;
  GDBusCallFlags flags = self->no_start ? G_DBUS_CALL_FLAGS_NO_AUTO_START : G_DBUS_CALL_FLAGS_NONE;
  GVariant *reply;

  if (cli_bus_get (self, error) == NULL)
    return NULL;

  reply = g_dbus_connection_call_with_unix_fd_list_sync (self->connection, MUSTER_BUS_NAME, path,
                                                         interface, method, held, type, flags,
                                                         self->patient ? G_MAXINT : -1, fds, NULL,
                                                         NULL, &local);
  if (reply == NULL) {
    cli_error_translate (&local);
    g_propagate_error (error, g_steal_pointer (&local));
  }

  return reply;
}

GVariant *
cli_bus_call (Cli *self,
              const char *path,
              const char *interface,
              const char *method,
              GVariant *arguments,
              const char *reply_type,
              GError **error)
{
  return cli_bus_call_with_fds (self, path, interface, method, arguments, NULL, reply_type, error);
}

gboolean
cli_bus_load (Cli *self, const char *path, const char *interface, CliRow *row, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) values = NULL;

  reply = cli_bus_call (self, path, "org.freedesktop.DBus.Properties", "GetAll",
                        g_variant_new ("(s)", interface), "(a{sv})", error);
  if (reply == NULL)
    return FALSE;

  values = g_variant_get_child_value (reply, 0);
  cli_row_merge (row, cli_row_interface (interface), values);

  return TRUE;
}

char *
cli_bus_find (Cli *self, const char *kind, const char *selector, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) local = NULL;
  char *path = NULL;

  reply = cli_bus_call (self, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "Find",
                        g_variant_new ("(ssa{sv})", kind, selector, NULL), "(o)", &local);
  if (reply != NULL) {
    g_variant_get (reply, "(o)", &path);
    return path;
  }

  if (g_error_matches (local, CLI_ERROR, CLI_NOT_FOUND))
    g_set_error (error, CLI_ERROR, CLI_NOT_FOUND, "no %s matches '%s'; 'muster %s' shows all", kind,
                 selector, g_str_equal (kind, "account") ? "list" : kind);
  else if (g_error_matches (local, CLI_ERROR, CLI_AMBIGUOUS))
    g_set_error (error, CLI_ERROR, CLI_AMBIGUOUS,
                 "'%s' matches more than one %s; write more of it, or the id", selector, kind);
  else
    g_propagate_error (error, g_steal_pointer (&local));

  return NULL;
}

/* Whether objects of @kind have it themselves; others are ours to fill in. */
static gboolean
has_field (const char *kind, const char *field)
{
  if (g_str_equal (kind, "account"))
    return !g_str_has_prefix (field, "Identity.");
  if (g_str_equal (kind, "request") || g_str_equal (kind, "incoming"))
    return !g_str_has_prefix (field, "Account.");

  return TRUE;
}

static GVariant *
fields_to_ask_for (const char *kind, const CliField *fields, gboolean columns_only)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_STRING_ARRAY);
  for (; fields->key != NULL; fields++) {
    if (has_field (kind, fields->field) && (fields->column || !columns_only))
      g_variant_builder_add (&builder, "s", fields->field);
  }

  return g_variant_builder_end (&builder);
}

GPtrArray *
cli_bus_list (Cli *self,
              const char *kind,
              GVariant *filter,
              const CliField *fields,
              gboolean columns_only,
              GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_autoptr (GVariant)
    held = g_variant_ref_sink (filter != NULL ? filter : g_variant_new ("a{sv}", NULL));
  g_autofree char *cursor = g_strdup ("");

  do {
    g_autoptr (GVariant) reply = NULL;
    g_autoptr (GVariantIter) iter = NULL;
    g_autofree char *next = NULL;
    GVariant *values;

    reply = cli_bus_call (self, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "List",
                          g_variant_new ("(s@a{sv}@assua{sv})", kind, held,
                                         fields_to_ask_for (kind, fields, columns_only), cursor,
                                         (guint32) PAGE_ROWS, NULL),
                          "(aa{sv}s)", error);
    if (reply == NULL)
      return NULL;

    g_variant_get (reply, "(aa{sv}s)", &iter, &next);
    while ((values = g_variant_iter_next_value (iter)) != NULL) {
      CliRow *row = cli_row_new ();

      cli_row_merge (row, NULL, values);
      g_ptr_array_add (rows, row);
      g_variant_unref (values);
    }

    if (next[0] != '\0' && g_str_equal (next, cursor)) {
      g_set_error (error, CLI_ERROR, CLI_FAILED, "musterd's list of every %s never ends", kind);
      return NULL;
    }
    g_free (cursor);
    cursor = g_steal_pointer (&next);
  } while (cursor[0] != '\0');

  return g_steal_pointer (&rows);
}

CliRow *
cli_bus_list_one (Cli *self,
                  const char *kind,
                  const CliField *fields,
                  const char *field,
                  const char *value,
                  GError **error)
{
  g_autoptr (GPtrArray) rows = cli_bus_list (self, kind, NULL, fields, FALSE, error);
  g_autoptr (GPtrArray) names = NULL;
  const char *nearest;

  if (rows == NULL)
    return NULL;

  names = g_ptr_array_new ();
  for (guint i = 0; i < rows->len; i++) {
    CliRow *row = g_ptr_array_index (rows, i);

    if (g_str_equal (cli_row_get_string (row, field), value))
      return g_hash_table_ref (row);
    g_ptr_array_add (names, (gpointer) cli_row_get_string (row, field));
  }
  g_ptr_array_add (names, NULL);

  nearest = cli_text_nearest (value, (const char *const *) names->pdata);
  if (nearest != NULL)
    g_set_error (error, CLI_ERROR, CLI_NOT_FOUND, "there is no %s '%s'; did you mean '%s'?", kind,
                 value, nearest);
  else
    g_set_error (error, CLI_ERROR, CLI_NOT_FOUND,
                 "there is no %s '%s'; 'muster %s' shows those there are", kind, value,
                 g_str_equal (kind, "protocol")  ? "protocols"
                 : g_str_equal (kind, "request") ? "agent list"
                                                 : kind);

  return NULL;
}
