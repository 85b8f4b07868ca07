/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "broker/muster-trial.h"
#include "muster-bus-private.h"

/* Manager.Test: the secrets are read, then it is tried, for as long as the caller is there. */

typedef struct {
  MusterBus *bus;
  GDBusMethodInvocation *invocation;
  GVariant *parameters;
  GCancellable *cancellable;
  guint watch_id; /* the caller */
} Call;

static void
call_free (Call *call)
{
  g_bus_unwatch_name (call->watch_id);
  g_object_unref (call->cancellable);
  g_variant_unref (call->parameters);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static GVariant *
build_details (const MusterTrialReport *report)
{
  const GError *error = report->error;
  GVariantBuilder details;
  g_autofree char *name = NULL;

  g_variant_builder_init (&details, G_VARIANT_TYPE_VARDICT);
  if (error == NULL) {
    g_variant_builder_add (&details, "{sv}", "lease", g_variant_new_uint32 (report->lease_s));
    g_variant_builder_add (&details, "{sv}", "bindings",
                           g_variant_new_strv ((const char *const *) report->bindings, -1));
    return g_variant_builder_end (&details);
  }

  name = muster_broker_error_dup_name (error->code);
  g_variant_builder_add (&details, "{sv}", "error", g_variant_new_string (name));
  muster_bus_describe_error (&details, error);
  if (muster_error_get_certificate (error) != NULL)
    g_variant_builder_add (&details, "{sv}", "certificate",
                           muster_bus_build_certificate (muster_error_get_certificate (error)));

  return g_variant_builder_end (&details);
}

static void
on_tested (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (MusterTrialReport) report = NULL;
  g_autoptr (GError) error = NULL;

  report = muster_broker_test_finish (call->bus->broker, result, &error);
  if (report != NULL)
    g_dbus_method_invocation_return_value (call->invocation,
                                           g_variant_new ("(@a(sbs)b@a{sv})", report->steps,
                                                          report->error == NULL,
                                                          build_details (report)));
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_dbus_method_invocation_return_error (call->invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_FAILED, "%s", error->message);
  else
    g_dbus_method_invocation_return_gerror (call->invocation, error);
}

static void
on_secrets_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GHashTable) secrets = NULL;
  g_autoptr (GVariant) params = NULL;
  const char *protocol, *address;
  GError *error = NULL;

  secrets = muster_bus_read_secrets_finish (result, &error);
  if (secrets == NULL) {
    g_dbus_method_invocation_take_error (call->invocation, error);
    return;
  }

  g_variant_get (call->parameters, "(&s&s@a{sv}@a{sh}@a{sv})", &protocol, &address, &params, NULL,
                 NULL);
  muster_broker_test_async (call->bus->broker, protocol, address, params, secrets,
                            call->cancellable, on_tested, call);
  g_steal_pointer (&call);
}

static void
on_caller_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Call *call = user_data;

  g_cancellable_cancel (call->cancellable);
}

void
muster_bus_test (MusterBus *self,
                 gpointer unused,
                 GVariant *parameters,
                 GDBusMethodInvocation *invocation)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (invocation);
  g_autoptr (GVariant) secrets = g_variant_get_child_value (parameters, 3);
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 4);
  Call *call;

  if (!muster_bus_no_options (options, invocation))
    return;

  call = g_new0 (Call, 1);
  call->bus = self;
  call->invocation = invocation;
  call->parameters = g_variant_ref (parameters);
  call->cancellable = g_cancellable_new ();
  call->watch_id = g_bus_watch_name_on_connection (self->connection,
                                                   g_dbus_method_invocation_get_sender (invocation),
                                                   G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                                   on_caller_vanished, call, NULL);
  muster_bus_read_secrets_async (secrets, g_dbus_message_get_unix_fd_list (message),
                                 on_secrets_read, call);
}
