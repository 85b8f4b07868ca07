/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "broker/muster-document.h"
#include "muster-bus-private.h"

#include <string.h>

/* Manager.Export and Import */

typedef struct {
  MusterBus *bus;
  GDBusMethodInvocation *invocation;
} Call;

static Call *
call_new (MusterBus *bus, GDBusMethodInvocation *invocation)
{
  Call *call = g_new0 (Call, 1);

  call->bus = bus;
  call->invocation = invocation;

  return call;
}

static void
on_exported (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  GError *error = NULL;
  char *document = muster_broker_export_finish (call->bus->broker, result, &error);

  if (document == NULL)
    g_dbus_method_invocation_take_error (call->invocation, error);
  else
    g_dbus_method_invocation_return_value (call->invocation,
                                           g_variant_new ("(@s)",
                                                          g_variant_new_take_string (document)));
}

/* Returns: the accounts at @paths; NULL with an error */
static GPtrArray *
look_up_accounts (MusterBus *self, GVariant *paths, GError **error)
{
  g_autoptr (GPtrArray) accounts = g_ptr_array_new ();
  GVariantIter iter;
  const char *path;

  g_variant_iter_init (&iter, paths);
  while (g_variant_iter_next (&iter, "&o", &path)) {
    gpointer account = muster_bus_lookup_path (self, MUSTER_BUS_ACCOUNT, path);

    if (account == NULL) {
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                   "accounts: there is no %s", path);
      return NULL;
    }
    g_ptr_array_add (accounts, account);
  }

  return g_steal_pointer (&accounts);
}

void
muster_bus_export (MusterBus *self,
                   gpointer unused,
                   GVariant *parameters,
                   GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "accounts", "ao" }, { NULL } };
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  g_autoptr (GVariant) paths = NULL;
  g_autoptr (GPtrArray) accounts = NULL;
  GError *error = NULL;

  if (!muster_bus_check_options (options, "options", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  paths = g_variant_lookup_value (options, "accounts", NULL);
  if (paths != NULL)
    accounts = look_up_accounts (self, paths, &error);
  if (error != NULL)
    g_dbus_method_invocation_take_error (invocation, error);
  else
    muster_broker_export_async (self->broker, accounts, on_exported, call_new (self, invocation));
}

static void
on_imported (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) report = muster_broker_import_finish (call->bus->broker, result, &error);

  if (report == NULL)
    g_dbus_method_invocation_take_error (call->invocation, error);
  else
    g_dbus_method_invocation_return_value (call->invocation, g_variant_new ("(@a(sbs))", report));
}

void
muster_bus_import (MusterBus *self,
                   gpointer unused,
                   GVariant *parameters,
                   GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "dry-run", "b" }, { NULL } };
  g_autoptr (GVariant) options = NULL;
  const char *document;
  gboolean dry_run = FALSE;
  GError *error = NULL;

  g_variant_get (parameters, "(&s@a{sv})", &document, &options);
  if (!muster_bus_check_options (options, "options", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }
  if (strlen (document) > MUSTER_DOCUMENT_MAX_BYTES) {
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                                           "document: it is longer than %d bytes",
                                           MUSTER_DOCUMENT_MAX_BYTES);
    return;
  }

  g_variant_lookup (options, "dry-run", "b", &dry_run);
  muster_broker_import_async (self->broker, document, dry_run, on_imported,
                              call_new (self, invocation));
}
