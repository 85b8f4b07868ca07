/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

/* org.muster.Muster1.Plugin */

static void
resume (MusterBus *self, gpointer module, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  GError *error = NULL;

  if (!muster_bus_no_options (options, invocation))
    return;

  if (muster_broker_resume_plugin (self->broker, module, &error))
    g_dbus_method_invocation_return_value (invocation, NULL);
  else
    g_dbus_method_invocation_take_error (invocation, error);
}

const MusterBusMethod muster_bus_plugin_methods[] = {
  { MUSTER_INTERFACE_PLUGIN, "Resume", resume },
  { NULL },
};
