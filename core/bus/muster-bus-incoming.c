/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

/* org.muster.Muster1.Incoming: what came in, and answers to it; and .Mailbox of an account. */

#define OFFER(object) ((MusterIncomingOffer *) object)

/* properties */

static GVariant *
incoming_id (MusterBus *bus, gpointer object)
{
  return muster_bus_string (OFFER (object)->id);
}

static GVariant *
incoming_account (MusterBus *bus, gpointer object)
{
  g_autofree char *path = muster_bus_object_path (MUSTER_BUS_ACCOUNT, OFFER (object)->account);

  return g_variant_new_object_path (path);
}

static GVariant *
incoming_kind (MusterBus *bus, gpointer object)
{
  return muster_bus_string (muster_incoming_kind_to_string (OFFER (object)->offer->kind));
}

static GVariant *
incoming_state (MusterBus *bus, gpointer object)
{
  return muster_bus_string (muster_incoming_state_to_string (OFFER (object)->state));
}

static GVariant *
incoming_answer (MusterBus *bus, gpointer object)
{
  return muster_bus_string (
    OFFER (object)->is_answered ? muster_incoming_answer_to_string (OFFER (object)->answer) : "");
}

static GVariant *
incoming_target (MusterBus *bus, gpointer object)
{
  return muster_bus_string (OFFER (object)->target);
}

static GVariant *
incoming_from (MusterBus *bus, gpointer object)
{
  return muster_bus_string (OFFER (object)->offer->from);
}

static GVariant *
incoming_from_name (MusterBus *bus, gpointer object)
{
  return muster_bus_string (OFFER (object)->offer->from_name);
}

static GVariant *
incoming_text (MusterBus *bus, gpointer object)
{
  return muster_bus_string (OFFER (object)->offer->text);
}

static GVariant *
incoming_since (MusterBus *bus, gpointer object)
{
  return muster_bus_utc (OFFER (object)->since_us);
}

static GVariant *
incoming_error (MusterBus *bus, gpointer object)
{
  const GError *error = OFFER (object)->error;
  g_autofree char *name = error != NULL ? muster_broker_error_dup_name (error->code) : NULL;

  return muster_bus_string (name);
}

static GVariant *
incoming_error_details (MusterBus *bus, gpointer object)
{
  GVariantBuilder details;

  g_variant_builder_init (&details, G_VARIANT_TYPE_VARDICT);
  if (OFFER (object)->error != NULL)
    muster_bus_describe_error (&details, OFFER (object)->error);

  return g_variant_builder_end (&details);
}

const MusterBusProperty muster_bus_incoming_properties[] = {
  { "Incoming", "Id", incoming_id },
  { "Incoming", "Account", incoming_account },
  { "Incoming", "Kind", incoming_kind },
  { "Incoming", "State", incoming_state },
  { "Incoming", "Answer", incoming_answer },
  { "Incoming", "Target", incoming_target },
  { "Incoming", "From", incoming_from },
  { "Incoming", "FromName", incoming_from_name },
  { "Incoming", "Text", incoming_text },
  { "Incoming", "Since", incoming_since },
  { "Incoming", "Error", incoming_error },
  { "Incoming", "ErrorDetails", incoming_error_details },
  { NULL },
};

static GVariant *
mailbox_new (MusterBus *bus, gpointer account)
{
  return g_variant_new_uint32 (muster_broker_get_mailbox (bus->broker, account)->n_new);
}

static GVariant *
mailbox_old (MusterBus *bus, gpointer account)
{
  return g_variant_new_uint32 (muster_broker_get_mailbox (bus->broker, account)->n_old);
}

static GVariant *
mailbox_since (MusterBus *bus, gpointer account)
{
  return muster_bus_utc (muster_broker_get_mailbox (bus->broker, account)->since_us);
}

const MusterBusProperty muster_bus_mailbox_properties[] = {
  { "Mailbox", "New", mailbox_new },
  { "Mailbox", "Old", mailbox_old },
  { "Mailbox", "Since", mailbox_since },
  { NULL },
};

/* methods */

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  GError *error = NULL;

  if (muster_broker_answer_offer_finish (NULL, result, &error))
    g_dbus_method_invocation_return_value (invocation, NULL);
  else
    muster_bus_return_error (invocation, error);
}

static void
accept_offer (MusterBus *self,
              gpointer offer,
              GVariant *parameters,
              GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "target", "s" }, { NULL } };
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  const char *target = NULL;
  GError *error = NULL;

  if (!muster_bus_check_options (options, "options", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  g_variant_lookup (options, "target", "&s", &target);
  muster_broker_answer_offer_async (self->broker, offer, MUSTER_ANSWER_ACCEPT, target, on_answered,
                                    invocation);
}

static void
refuse (MusterBus *self,
        gpointer offer,
        MusterAnswer answer,
        GVariant *parameters,
        GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);

  if (muster_bus_no_options (options, invocation))
    muster_broker_answer_offer_async (self->broker, offer, answer, NULL, on_answered, invocation);
}

static void
decline (MusterBus *self, gpointer offer, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  refuse (self, offer, MUSTER_ANSWER_DECLINE, parameters, invocation);
}

static void
busy (MusterBus *self, gpointer offer, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  refuse (self, offer, MUSTER_ANSWER_BUSY, parameters, invocation);
}

static void
redirect (MusterBus *self, gpointer offer, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *target;

  g_variant_get (parameters, "(&s@a{sv})", &target, &options);
  if (muster_bus_no_options (options, invocation))
    muster_broker_answer_offer_async (self->broker, offer, MUSTER_ANSWER_REDIRECT, target,
                                      on_answered, invocation);
}

const MusterBusMethod muster_bus_incoming_methods[] = {
  { MUSTER_INTERFACE_INCOMING, "Accept", accept_offer },
  { MUSTER_INTERFACE_INCOMING, "Decline", decline },
  { MUSTER_INTERFACE_INCOMING, "Busy", busy },
  { MUSTER_INTERFACE_INCOMING, "Redirect", redirect },
  { NULL },
};
