/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

/* org.muster.Muster1.Request */

static GVariant *
request_id (MusterBus *bus, gpointer object)
{
  return muster_bus_string (((MusterRequest *) object)->id);
}

static GVariant *
request_account (MusterBus *bus, gpointer object)
{
  return muster_bus_path (MUSTER_PATH_ACCOUNTS,
                          muster_account_get_id (((MusterRequest *) object)->account));
}

static GVariant *
request_kind (MusterBus *bus, gpointer object)
{
  return muster_bus_string (muster_request_get_kind (object));
}

static GVariant *
request_reason (MusterBus *bus, gpointer object)
{
  return muster_bus_string (((MusterRequest *) object)->reason);
}

static GVariant *
request_message (MusterBus *bus, gpointer object)
{
  g_autofree char *message = muster_request_dup_message (object);

  return muster_bus_string (message);
}

static GVariant *
request_secrets (MusterBus *bus, gpointer object)
{
  g_auto (GStrv) names = muster_request_dup_secrets (object);

  return g_variant_new_strv ((const char *const *) names, -1);
}

static GVariant *
request_details (MusterBus *bus, gpointer object)
{
  return muster_bus_build_certificate (muster_request_get_certificate (object));
}

static GVariant *
request_since (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (((MusterRequest *) object)->since_us);
}

const MusterBusProperty muster_bus_request_properties[] = {
  { "Request", "Id", request_id },
  { "Request", "Account", request_account },
  { "Request", "Kind", request_kind },
  { "Request", "Reason", request_reason },
  { "Request", "Message", request_message },
  { "Request", "Secrets", request_secrets },
  { "Request", "Details", request_details },
  { "Request", "Since", request_since },
  { NULL },
};

/* its method */

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
                                      muster_bus_on_changed, call->invocation);
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
