/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

/* org.muster.Muster1.HandlerManager: the broker keeps the handlers, by whose bus name they go. */

struct _MusterBusHandlers {
  MusterBus *bus;
  GHashTable *watches; /* unique name -> id of its watch */
};

static void
unwatch (gpointer data)
{
  g_bus_unwatch_name (GPOINTER_TO_UINT (data));
}

static void
on_client_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  MusterBusHandlers *self = user_data;
  g_autofree char *owner = g_strdup (name); /* the watch goes, and its name with it */

  g_hash_table_remove (self->watches, owner);
  muster_broker_remove_handlers (self->bus->broker, owner, NULL);
}

static void
muster_bus_handlers_watch (MusterBusHandlers *self, const char *owner)
{
  guint id;

  if (g_hash_table_contains (self->watches, owner))
    return;

  id = g_bus_watch_name_on_connection (self->bus->connection, owner, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                       NULL, on_client_vanished, self, NULL);
  g_hash_table_insert (self->watches, g_strdup (owner), GUINT_TO_POINTER (id));
}

/* what is asked */

static gboolean
take_accounts (MusterBus *bus, GVariant *paths, MusterIncomingHandler *handler, GError **error)
{
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();
  GVariantIter iter;
  const char *path;

  if (g_variant_n_children (paths) > MUSTER_HANDLER_ACCOUNTS_MAX) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "accounts: more than %d", MUSTER_HANDLER_ACCOUNTS_MAX);
    return FALSE;
  }

  g_variant_iter_init (&iter, paths);
  while (g_variant_iter_next (&iter, "&o", &path)) {
    MusterAccount *account = muster_bus_lookup_path (bus, MUSTER_BUS_ACCOUNT, path);
    g_autofree char *quoted = NULL;

    if (account != NULL) {
      g_strv_builder_add (ids, muster_account_get_id (account));
      continue;
    }
    quoted = muster_broker_quote (path);
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                 "accounts: there is no account %s", quoted);
    return FALSE;
  }
  handler->accounts = g_strv_builder_end (ids);

  return TRUE;
}

static gboolean
take_options (MusterBus *bus, GVariant *options, MusterIncomingHandler *handler, GError **error)
{
  static const MusterBusOption known[] = {
    { "accounts", "ao" }, { "identity", "o" }, { "protocol", "s" }, { NULL }
  };
  g_autoptr (GVariant) accounts = NULL;
  g_autofree char *quoted = NULL;
  const char *text;

  if (!muster_bus_check_options (options, "options", known, error))
    return FALSE;

  if (g_variant_lookup (options, "accounts", "@ao", &accounts) &&
      !take_accounts (bus, accounts, handler, error))
    return FALSE;

  if (g_variant_lookup (options, "identity", "&o", &text)) {
    MusterIdentity *identity = muster_bus_lookup_path (bus, MUSTER_BUS_IDENTITY, text);

    if (identity == NULL) {
      quoted = muster_broker_quote (text);
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                   "identity: there is no identity %s", quoted);
      return FALSE;
    }
    handler->identity = g_strdup (identity->record->id);
  }

  if (g_variant_lookup (options, "protocol", "&s", &text)) {
    if (muster_plugin_registry_find_protocol (muster_broker_get_registry (bus->broker), text,
                                              NULL) == NULL) {
      quoted = muster_broker_quote (text);
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                   "protocol: no plugin speaks %s", quoted);
      return FALSE;
    }
    handler->protocol = g_strdup (text);
  }

  return TRUE;
}

void
muster_bus_handlers_register (MusterBus *bus,
                              gpointer unused,
                              GVariant *parameters,
                              GDBusMethodInvocation *invocation)
{
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  MusterIncomingHandler *handler = g_new0 (MusterIncomingHandler, 1);
  g_autoptr (GVariant) options = NULL;
  GError *error = NULL;

  handler->owner = g_strdup (sender);
  g_variant_get (parameters, "(s^as@a{sv})", &handler->address, &handler->kinds, &options);
  if (!take_options (bus, options, handler, &error) ||
      !muster_broker_add_handler (bus->broker, handler, &error)) {
    muster_incoming_handler_free (handler);
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  muster_bus_handlers_watch (bus->handlers, sender);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

void
muster_bus_handlers_unregister (MusterBus *bus,
                                gpointer unused,
                                GVariant *parameters,
                                GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  g_autofree char *quoted = NULL;
  const char *address;

  g_variant_get (parameters, "(&s@a{sv})", &address, &options);
  if (!muster_bus_no_options (options, invocation))
    return;

  if (muster_broker_remove_handlers (bus->broker, g_dbus_method_invocation_get_sender (invocation),
                                     address)) {
    g_dbus_method_invocation_return_value (invocation, NULL);
    return;
  }
  quoted = muster_broker_quote (address);
  g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                         MUSTER_BROKER_ERROR_NOT_FOUND,
                                         "address: you have not registered %s", quoted);
}

/* what there is */

static GVariant *
build_accounts (char **ids)
{
  GVariantBuilder paths;

  g_variant_builder_init (&paths, G_VARIANT_TYPE_OBJECT_PATH_ARRAY);
  for (guint i = 0; ids[i] != NULL; i++)
    g_variant_builder_add_value (&paths, muster_bus_path (MUSTER_PATH_ACCOUNTS, ids[i]));

  return g_variant_builder_end (&paths);
}

GVariant *
muster_bus_handlers_build (MusterBus *bus)
{
  GPtrArray *handlers = muster_broker_get_handlers (bus->broker);
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < handlers->len; i++) {
    const MusterIncomingHandler *handler = handlers->pdata[i];

    g_variant_builder_open (&rows, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add (&rows, "{sv}", "address", g_variant_new_string (handler->address));
    g_variant_builder_add (&rows, "{sv}", "kinds",
                           g_variant_new_strv ((const char *const *) handler->kinds, -1));
    g_variant_builder_add (&rows, "{sv}", "client", g_variant_new_string (handler->owner));
    if (handler->accounts != NULL)
      g_variant_builder_add (&rows, "{sv}", "accounts", build_accounts (handler->accounts));
    if (handler->identity != NULL)
      g_variant_builder_add (&rows, "{sv}", "identity",
                             muster_bus_path (MUSTER_PATH_IDENTITIES, handler->identity));
    if (handler->protocol != NULL)
      g_variant_builder_add (&rows, "{sv}", "protocol", g_variant_new_string (handler->protocol));
    g_variant_builder_close (&rows);
  }

  return g_variant_builder_end (&rows);
}

MusterBusHandlers *
muster_bus_handlers_new (MusterBus *bus)
{
  MusterBusHandlers *self = g_new0 (MusterBusHandlers, 1);

  self->bus = bus;
  self->watches = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, unwatch);

  return self;
}

void
muster_bus_handlers_free (MusterBusHandlers *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->watches);
  g_free (self);
}
