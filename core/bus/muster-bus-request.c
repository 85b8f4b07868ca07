/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

/* org.muster.Muster1.Request */

typedef struct {
  MusterBus *bus;
  char *id; /* the request may be answered otherwise while the secrets are read */
  gboolean accept;
  GDBusMethodInvocation *invocation;
} Call;

static void
call_free (Call *call)
{
  g_free (call->id);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  GError *error = NULL;

  if (!muster_broker_change_finish (call->bus->broker, result, &error))
    g_dbus_method_invocation_take_error (call->invocation, error);
  else
    g_dbus_method_invocation_return_value (call->invocation, NULL);
}

static void
on_secrets_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GHashTable) secrets = NULL;
  MusterRequest *request;
  GError *error = NULL;

  secrets = muster_bus_read_secrets_finish (result, &error);
  if (secrets == NULL) {
    g_dbus_method_invocation_take_error (call->invocation, error);
    return;
  }

  request = muster_broker_get_request (call->bus->broker, call->id);
  if (request == NULL) {
    g_dbus_method_invocation_return_error (call->invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_NOT_FOUND,
                                           "the request has been answered already");
    return;
  }

  muster_broker_answer_request_async (call->bus->broker, request, call->accept, secrets,
                                      on_answered, call);
  g_steal_pointer (&call);
}

static void
answer (MusterBus *self, gpointer request, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "accept", "b" }, { NULL } };
  GDBusMessage *message = g_dbus_method_invocation_get_message (invocation);
  g_autoptr (GVariant) given = NULL;
  g_autoptr (GVariant) secrets = NULL;
  g_autoptr (GVariant) options = NULL;
  GError *error = NULL;
  Call *call;

  g_variant_get (parameters, "(@a{sv}@a{sh}@a{sv})", &given, &secrets, &options);
  if (!muster_bus_no_options (options, invocation))
    return;
  if (!muster_bus_check_options (given, "answer", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  call = g_new0 (Call, 1);
  call->bus = self;
  call->id = g_strdup (((MusterRequest *) request)->id);
  call->invocation = invocation;
  g_variant_lookup (given, "accept", "b", &call->accept);
  muster_bus_read_secrets_async (secrets, g_dbus_message_get_unix_fd_list (message),
                                 on_secrets_read, call);
}

const MusterBusMethod muster_bus_request_methods[] = {
  { MUSTER_INTERFACE_REQUEST, "Answer", answer },
  { NULL },
};
