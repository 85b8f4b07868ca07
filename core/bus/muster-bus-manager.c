/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

#include <string.h>

/* org.muster.Muster1.Manager */

static void
return_path (MusterBus *self,
             MusterBusKind kind,
             gpointer object,
             GDBusMethodInvocation *invocation)
{
  g_autofree char *path = muster_bus_object_path (kind, object);

  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(o)", path));
}

/* AddIdentity */

typedef struct {
  MusterBus *bus;
  GDBusMethodInvocation *invocation;
  GVariant *parameters;
} Call;

static Call *
call_new (MusterBus *bus, GDBusMethodInvocation *invocation, GVariant *parameters)
{
  Call *call = g_new0 (Call, 1);

  call->bus = bus;
  call->invocation = invocation;
  call->parameters = g_variant_ref (parameters);

  return call;
}

static void
call_free (Call *call)
{
  g_variant_unref (call->parameters);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
on_identity_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  MusterIdentity *identity;
  GError *error = NULL;

  identity = muster_broker_add_identity_finish (call->bus->broker, result, &error);
  if (identity == NULL)
    g_dbus_method_invocation_take_error (call->invocation, error);
  else
    return_path (call->bus, MUSTER_BUS_IDENTITY, identity, call->invocation);
}

static void
add_identity (MusterBus *self,
              gpointer unused,
              GVariant *parameters,
              GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *name;

  g_variant_get (parameters, "(&s@a{sv})", &name, &options);
  if (muster_bus_no_options (options, invocation))
    muster_broker_add_identity_async (self->broker, name, on_identity_added,
                                      call_new (self, invocation, parameters));
}

/* AddAccount: the secrets are read first */

static void
on_account_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  MusterAccount *account;
  GError *error = NULL;

  account = muster_broker_add_account_finish (call->bus->broker, result, &error);
  if (account == NULL)
    g_dbus_method_invocation_take_error (call->invocation, error);
  else
    return_path (call->bus, MUSTER_BUS_ACCOUNT, account, call->invocation);
}

static void
on_account_secrets_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GHashTable) secrets = NULL;
  g_autoptr (GVariant) params = NULL;
  g_autoptr (GVariant) options = NULL;
  const char *protocol, *address;
  const char *identity_path = NULL;
  const char *identity = NULL;
  const char *name = NULL;
  gboolean enabled = TRUE;
  GError *error = NULL;

  secrets = muster_bus_read_secrets_finish (result, &error);
  if (secrets == NULL) {
    g_dbus_method_invocation_take_error (call->invocation, error);
    return;
  }

  g_variant_get (call->parameters, "(&s&s@a{sv}@a{sh}@a{sv})", &protocol, &address, &params, NULL,
                 &options);
  g_variant_lookup (options, "name", "&s", &name);
  g_variant_lookup (options, "enabled", "b", &enabled);
  if (g_variant_lookup (options, "identity", "&o", &identity_path))
    identity = g_str_has_prefix (identity_path, MUSTER_PATH_IDENTITIES "/")
                 ? identity_path + strlen (MUSTER_PATH_IDENTITIES "/")
                 : identity_path;

  muster_broker_add_account_async (call->bus->broker, protocol, address, params, secrets, identity,
                                   name, enabled, on_account_added, call);
  g_steal_pointer (&call);
}

static void
add_account (MusterBus *self,
             gpointer unused,
             GVariant *parameters,
             GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = {
    { "identity", "o" }, { "name", "s" }, { "enabled", "b" }, { NULL }
  };
  GDBusMessage *message = g_dbus_method_invocation_get_message (invocation);
  g_autoptr (GVariant) secrets = g_variant_get_child_value (parameters, 3);
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 4);
  GError *error = NULL;

  if (!muster_bus_check_options (options, "options", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  muster_bus_read_secrets_async (secrets, g_dbus_message_get_unix_fd_list (message),
                                 on_account_secrets_read, call_new (self, invocation, parameters));
}

/* Find */

static void
find (MusterBus *self, gpointer unused, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *kind, *selector;
  gpointer object = NULL;
  GError *error = NULL;

  g_variant_get (parameters, "(&s&s@a{sv})", &kind, &selector, &options);
  if (!muster_bus_no_options (options, invocation))
    return;

  if (g_str_equal (kind, "account")) {
    object = muster_broker_find_account (self->broker, selector, &error);
    if (object != NULL)
      return_path (self, MUSTER_BUS_ACCOUNT, object, invocation);
  } else if (g_str_equal (kind, "identity")) {
    object = muster_broker_find_identity (self->broker, selector, &error);
    if (object != NULL)
      return_path (self, MUSTER_BUS_IDENTITY, object, invocation);
  } else {
    g_autofree char *quoted = muster_broker_quote (kind);

    g_set_error (&error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "kind: %s is neither account nor identity", quoted);
  }

  if (object == NULL)
    g_dbus_method_invocation_take_error (invocation, error);
}

/* Discover */

static void
discover (MusterBus *self, gpointer unused, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  g_auto (GStrv) protocols = NULL;
  const char *address;
  GError *error = NULL;

  g_variant_get (parameters, "(&s@a{sv})", &address, &options);
  if (!muster_bus_no_options (options, invocation))
    return;

  protocols = muster_broker_discover (self->broker, address, &error);
  if (protocols == NULL)
    g_dbus_method_invocation_take_error (invocation, error);
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(^as)", protocols));
}

/* Unlock */

static void
on_unlocked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GError) error = NULL;

  if (muster_key_source_unlock_finish (call->bus->key, result, &error))
    g_dbus_method_invocation_return_value (call->invocation, NULL);
  else
    g_dbus_method_invocation_return_error (call->invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_LOCKED, "%s", error->message);
}

static void
unlock (MusterBus *self, gpointer unused, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    muster_key_source_unlock_async (self->key, on_unlocked,
                                    call_new (self, invocation, parameters));
}

const MusterBusMethod muster_bus_manager_methods[] = {
  { MUSTER_INTERFACE_MANAGER, "AddIdentity", add_identity },
  { MUSTER_INTERFACE_MANAGER, "AddAccount", add_account },
  { MUSTER_INTERFACE_MANAGER, "Test", muster_bus_test },
  { MUSTER_INTERFACE_MANAGER, "Find", find },
  { MUSTER_INTERFACE_MANAGER, "Discover", discover },
  { MUSTER_INTERFACE_MANAGER, "Export", muster_bus_export },
  { MUSTER_INTERFACE_MANAGER, "Import", muster_bus_import },
  { MUSTER_INTERFACE_MANAGER, "Unlock", unlock },
  { MUSTER_INTERFACE_MANAGER, "List", muster_bus_list },
  { MUSTER_INTERFACE_MANAGER, "ListEvents", muster_bus_list_events },
  { MUSTER_INTERFACE_AGENT_MANAGER, "Register", muster_bus_agents_register },
  { MUSTER_INTERFACE_AGENT_MANAGER, "Unregister", muster_bus_agents_unregister },
  { MUSTER_INTERFACE_HANDLER_MANAGER, "RegisterHandler", muster_bus_handlers_register },
  { MUSTER_INTERFACE_HANDLER_MANAGER, "UnregisterHandler", muster_bus_handlers_unregister },
  { MUSTER_INTERFACE_DEBUG, "SetLogging", muster_bus_set_logging },
  { MUSTER_INTERFACE_DEBUG, "GetMessages", muster_bus_get_messages },
  { MUSTER_INTERFACE_METRICS, "Get", muster_bus_get_metrics },
  { NULL },
};
