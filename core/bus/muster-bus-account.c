/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "broker/muster-explain.h"
#include "muster-bus-private.h"
#include "muster-names.h"

/* org.muster.Muster1.Account, .Registration and .Identity: what is asked of one object. */

typedef struct {
  MusterBus *bus;
  MusterAccount *account;
  char *name;
  GDBusMethodInvocation *invocation;
} Call;

static Call *
call_new (MusterBus *bus, MusterAccount *account, GDBusMethodInvocation *invocation)
{
  Call *call = g_new0 (Call, 1);

  call->bus = bus;
  call->account = muster_account_ref (account);
  call->invocation = invocation;

  return call;
}

static void
call_free (Call *call)
{
  muster_account_unref (call->account);
  g_free (call->name);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

/* Account */

static void
on_updated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_auto (GStrv) detached = NULL;
  const char *effect;
  GError *error = NULL;

  if (!muster_broker_update_account_finish (call->bus->broker, result, &effect, &detached, &error))
    g_dbus_method_invocation_take_error (call->invocation, error);
  else
    g_dbus_method_invocation_return_value (call->invocation,
                                           g_variant_new ("(s^as)", effect, detached));
}

static void
update (MusterBus *self, gpointer account, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "name", "s" }, { NULL } };
  g_autoptr (GVariant) set = NULL;
  g_autoptr (GVariant) options = NULL;
  g_autofree const char **unset = NULL;
  const char *name = NULL;
  GError *error = NULL;

  g_variant_get (parameters, "(@a{sv}^a&s@a{sv})", &set, &unset, &options);
  if (!muster_bus_check_options (options, "options", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  g_variant_lookup (options, "name", "&s", &name);
  muster_broker_update_account_async (self->broker, account, set, unset, name, on_updated,
                                      call_new (self, account, invocation));
}

static void
set_enabled (MusterBus *self,
             gpointer account,
             GVariant *parameters,
             GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  gboolean enabled;

  g_variant_get (parameters, "(b@a{sv})", &enabled, &options);
  if (muster_bus_no_options (options, invocation))
    muster_broker_set_enabled_async (self->broker, account, enabled, muster_bus_on_changed,
                                     invocation);
}

static void
on_secret_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GHashTable) secrets = NULL;
  GError *error = NULL;

  secrets = muster_bus_read_secrets_finish (result, &error);
  if (secrets == NULL) {
    g_dbus_method_invocation_take_error (call->invocation, error);
    return;
  }

  muster_broker_set_secret_async (call->bus->broker, call->account, call->name,
                                  g_hash_table_lookup (secrets, call->name), muster_bus_on_changed,
                                  call->invocation);
}

static void
set_secret (MusterBus *self,
            gpointer account,
            GVariant *parameters,
            GDBusMethodInvocation *invocation)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (invocation);
  g_autoptr (GVariant) options = NULL;
  GVariantBuilder secrets;
  const char *name;
  gint32 handle;
  Call *call;

  g_variant_get (parameters, "(&sh@a{sv})", &name, &handle, &options);
  if (!muster_bus_no_options (options, invocation))
    return;

  call = call_new (self, account, invocation);
  call->name = g_strdup (name);
  g_variant_builder_init (&secrets, G_VARIANT_TYPE ("a{sh}"));
  g_variant_builder_add (&secrets, "{sh}", name, handle);
  {
    g_autoptr (GVariant) one = g_variant_ref_sink (g_variant_builder_end (&secrets));

    muster_bus_read_secrets_async (one, g_dbus_message_get_unix_fd_list (message), on_secret_read,
                                   call);
  }
}

static void
clear_secret (MusterBus *self,
              gpointer account,
              GVariant *parameters,
              GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *name;

  g_variant_get (parameters, "(&s@a{sv})", &name, &options);
  if (muster_bus_no_options (options, invocation))
    muster_broker_set_secret_async (self->broker, account, name, NULL, muster_bus_on_changed,
                                    invocation);
}

static void
remove_account (MusterBus *self,
                gpointer account,
                GVariant *parameters,
                GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    muster_broker_remove_account_async (self->broker, account, muster_bus_on_changed, invocation);
}

const MusterBusMethod muster_bus_account_methods[] = {
  { MUSTER_INTERFACE_ACCOUNT, "Update", update },
  { MUSTER_INTERFACE_ACCOUNT, "SetEnabled", set_enabled },
  { MUSTER_INTERFACE_ACCOUNT, "SetSecret", set_secret },
  { MUSTER_INTERFACE_ACCOUNT, "ClearSecret", clear_secret },
  { MUSTER_INTERFACE_ACCOUNT, "Remove", remove_account },
  { NULL },
};

/* Registration */

typedef gboolean (*Act) (MusterBroker *broker, MusterAccount *account, GError **error);

/* What takes nothing but options, is done or refused at once, and answers nothing. */
static void
act_on (MusterBus *self,
        MusterAccount *account,
        GVariant *parameters,
        GDBusMethodInvocation *invocation,
        Act act)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  GError *error = NULL;

  if (!muster_bus_no_options (options, invocation))
    return;

  if (act (self->broker, account, &error))
    g_dbus_method_invocation_return_value (invocation, NULL);
  else
    g_dbus_method_invocation_take_error (invocation, error);
}

static void
refresh (MusterBus *self, gpointer account, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  act_on (self, account, parameters, invocation, muster_broker_refresh);
}

static void
retry_now (MusterBus *self,
           gpointer account,
           GVariant *parameters,
           GDBusMethodInvocation *invocation)
{
  act_on (self, account, parameters, invocation, muster_broker_retry);
}

static void
connect_account (MusterBus *self,
                 gpointer account,
                 GVariant *parameters,
                 GDBusMethodInvocation *invocation)
{
  act_on (self, account, parameters, invocation, muster_broker_connect);
}

static void
disconnect_account (MusterBus *self,
                    gpointer account,
                    GVariant *parameters,
                    GDBusMethodInvocation *invocation)
{
  act_on (self, account, parameters, invocation, muster_broker_disconnect);
}

/* What a plugin said goes under the name that it has in Registration.Error. */
static void
on_verified (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  MusterProofOutcome outcome;
  g_autofree char *evidence = NULL;
  GError *error = NULL;

  if (muster_broker_verify_finish (call->bus->broker, result, &outcome, &evidence, &error))
    g_dbus_method_invocation_return_value (
      call->invocation, g_variant_new ("(ss)", muster_proof_outcome_to_string (outcome), evidence));
  else
    muster_bus_return_error (call->invocation, error);
}

static void
verify (MusterBus *self, gpointer account, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    muster_broker_verify_async (self->broker, account, on_verified,
                                call_new (self, account, invocation));
}

static void
explain (MusterBus *self, gpointer account, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    g_dbus_method_invocation_return_value (
      invocation, g_variant_new ("(@a(sbs))", muster_explain_account (self->broker, account)));
}

const MusterBusMethod muster_bus_registration_methods[] = {
  { MUSTER_INTERFACE_REGISTRATION, "Connect", connect_account },
  { MUSTER_INTERFACE_REGISTRATION, "Disconnect", disconnect_account },
  { MUSTER_INTERFACE_REGISTRATION, "Refresh", refresh },
  { MUSTER_INTERFACE_REGISTRATION, "RetryNow", retry_now },
  { MUSTER_INTERFACE_REGISTRATION, "Verify", verify },
  { MUSTER_INTERFACE_REGISTRATION, "Explain", explain },
  { MUSTER_INTERFACE_REGISTRATION, "ListBindings", muster_bus_list_bindings },
  { MUSTER_INTERFACE_REGISTRATION, "RemoveBinding", muster_bus_remove_binding },
  { MUSTER_INTERFACE_REGISTRATION, "RemoveAllBindings", muster_bus_remove_all_bindings },
  { NULL },
};

/* Identity */

static void
rename_identity (MusterBus *self,
                 gpointer identity,
                 GVariant *parameters,
                 GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *name;

  g_variant_get (parameters, "(&s@a{sv})", &name, &options);
  if (muster_bus_no_options (options, invocation))
    muster_broker_rename_identity_async (self->broker, identity, name, muster_bus_on_changed,
                                         invocation);
}

static void
remove_identity (MusterBus *self,
                 gpointer identity,
                 GVariant *parameters,
                 GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    muster_broker_remove_identity_async (self->broker, identity, muster_bus_on_changed, invocation);
}

const MusterBusMethod muster_bus_identity_methods[] = {
  { MUSTER_INTERFACE_IDENTITY, "Rename", rename_identity },
  { MUSTER_INTERFACE_IDENTITY, "Remove", remove_identity },
  { NULL },
};
