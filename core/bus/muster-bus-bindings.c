/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"

#include <muster/muster-binder.h>

/* org.muster.Muster1.Registration: where the service reaches the account's devices. */

typedef struct {
  MusterBroker *broker;
  GDBusMethodInvocation *invocation;
} Call;

static Call *
call_new (MusterBus *bus, GDBusMethodInvocation *invocation)
{
  Call *call = g_new0 (Call, 1);

  call->broker = bus->broker;
  call->invocation = invocation;

  return call;
}

static GVariant *
build_binding (const MusterBinding *binding)
{
  gint64 expires_at_us = binding->expires_s == 0
                           ? 0
                           : muster_clock_wall_us () + (gint64) binding->expires_s * G_USEC_PER_SEC;
  GVariantDict row;

  g_variant_dict_init (&row, NULL);
  g_variant_dict_insert (&row, "Uri", "s", binding->uri);
  g_variant_dict_insert (&row, "ExpiresAt", "t", (guint64) expires_at_us);
  g_variant_dict_insert_value (&row, "Device", muster_bus_string (binding->device));
  g_variant_dict_insert (&row, "Ours", "b", binding->ours);

  return g_variant_dict_end (&row);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  g_autoptr (GPtrArray) bindings = NULL;
  GVariantBuilder rows;
  GError *error = NULL;

  bindings = muster_broker_list_bindings_finish (call->broker, result, &error);
  if (bindings == NULL) {
    muster_bus_return_error (call->invocation, error);
    return;
  }

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < bindings->len; i++)
    g_variant_builder_add_value (&rows, build_binding (bindings->pdata[i]));
  g_dbus_method_invocation_return_value (call->invocation, g_variant_new ("(aa{sv})", &rows));
}

void
muster_bus_list_bindings (MusterBus *self,
                          gpointer account,
                          GVariant *parameters,
                          GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    muster_broker_list_bindings_async (self->broker, account, on_listed,
                                       call_new (self, invocation));
}

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  gboolean ours;
  GError *error = NULL;

  if (muster_broker_remove_binding_finish (call->broker, result, &ours, &error))
    g_dbus_method_invocation_return_value (call->invocation, g_variant_new ("(b)", ours));
  else
    muster_bus_return_error (call->invocation, error);
}

void
muster_bus_remove_binding (MusterBus *self,
                           gpointer account,
                           GVariant *parameters,
                           GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *uri;

  g_variant_get (parameters, "(&s@a{sv})", &uri, &options);
  if (muster_bus_no_options (options, invocation))
    muster_broker_remove_binding_async (self->broker, account, uri, on_removed,
                                        call_new (self, invocation));
}

static void
on_all_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  GError *error = NULL;

  if (muster_broker_remove_binding_finish (call->broker, result, NULL, &error))
    g_dbus_method_invocation_return_value (call->invocation, NULL);
  else
    muster_bus_return_error (call->invocation, error);
}

void
muster_bus_remove_all_bindings (MusterBus *self,
                                gpointer account,
                                GVariant *parameters,
                                GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    muster_broker_remove_binding_async (self->broker, account, NULL, on_all_removed,
                                        call_new (self, invocation));
}
