/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterAccount"

#include "config.h"

#include "muster-account-problem.h"

/* A record may be older than the plugin that reads it. */
char *
muster_account_find_problem (const MusterProtocol *protocol, const MusterAccountRecord *record)
{
  g_autoptr (GError) error = NULL;
  GVariantIter iter;
  const char *name;
  GVariant *value;

  if (!muster_protocol_check_address (protocol, record->address, &error))
    return g_strdup (error->message);

  g_variant_iter_init (&iter, record->params);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) held = value;
    const MusterParam *param = muster_protocol_find_param (protocol, name);

    if (param != NULL && !muster_param_check (param, value, &error))
      return g_strdup (error->message);
  }

  for (guint i = 0; i < protocol->n_params; i++) {
    const MusterParam *param = &protocol->params[i];
    g_autoptr (GVariant) set = NULL;

    if ((param->flags & MUSTER_PARAM_REQUIRED) == 0 || (param->flags & MUSTER_PARAM_SECRET) != 0 ||
        param->default_value != NULL)
      continue;
    set = g_variant_lookup_value (record->params, param->name, NULL);
    if (set == NULL)
      return g_strdup_printf ("%s is not set", param->name);
  }

  return NULL;
}
