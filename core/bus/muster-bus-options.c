/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"

gboolean
muster_bus_check_options (GVariant *options,
                          const char *what,
                          const MusterBusOption *known,
                          GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, options);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    const MusterBusOption *option = known;
    g_autofree char *quoted = NULL;

    while (option->name != NULL && !g_str_equal (option->name, name))
      option++;

    if (option->name != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE (option->type)))
      continue;

    quoted = muster_broker_quote (name);
    if (option->name == NULL)
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                   "%s: %s is not known here", what, quoted);
    else
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                   "%s: %s is of type %s, not %s", what, quoted, option->type,
                   g_variant_get_type_string (value));

    g_variant_unref (value);
    return FALSE;
  }

  return TRUE;
}

gboolean
muster_bus_no_options (GVariant *options, GDBusMethodInvocation *invocation)
{
  static const MusterBusOption none[] = { { NULL } };
  GError *error = NULL;

  if (muster_bus_check_options (options, "options", none, &error))
    return TRUE;

  g_dbus_method_invocation_take_error (invocation, error);
  return FALSE;
}
