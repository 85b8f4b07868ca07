/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"

/* What services answered, as dictionaries, and as the answer to whoever asked; the answer to changes. */

void
muster_bus_return_error (GDBusMethodInvocation *invocation, GError *error)
{
  g_autofree char *name = NULL;

  if (error->domain != MUSTER_ERROR) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  name = muster_broker_error_dup_name (error->code);
  g_dbus_method_invocation_return_dbus_error (invocation, name, error->message);
  g_error_free (error);
}

void
muster_bus_on_changed (GObject *source, GAsyncResult *result, gpointer invocation)
{
  GError *error = NULL;

  if (!muster_broker_change_finish (NULL, result, &error))
    g_dbus_method_invocation_take_error (invocation, error);
  else
    g_dbus_method_invocation_return_value (invocation, NULL);
}

void
muster_bus_describe_error (GVariantBuilder *details, const GError *error)
{
  const char *text = muster_error_get_server_text (error);

  g_variant_builder_add (details, "{sv}", "message", g_variant_new_string (error->message));
  if (muster_error_get_step (error) != MUSTER_STEP_NONE)
    g_variant_builder_add (details, "{sv}", "step",
                           g_variant_new_string (
                             muster_step_to_string (muster_error_get_step (error))));
  if (muster_error_get_protocol_code (error) != 0)
    g_variant_builder_add (details, "{sv}", "protocol-code",
                           g_variant_new_uint32 (muster_error_get_protocol_code (error)));
  if (text != NULL)
    g_variant_builder_add (details, "{sv}", "server-text", g_variant_new_string (text));
  if (muster_error_get_retry_after_s (error) != 0)
    g_variant_builder_add (details, "{sv}", "retry-after",
                           g_variant_new_uint32 (muster_error_get_retry_after_s (error)));
}

static GVariant *
utc (gint64 time_s)
{
  return g_variant_new_uint64 ((guint64) MAX (time_s, 0) * G_USEC_PER_SEC);
}

GVariant *
muster_bus_build_certificate (MusterCertificate *certificate)
{
  GVariantBuilder details;

  g_variant_builder_init (&details, G_VARIANT_TYPE_VARDICT);
  if (certificate != NULL) {
    g_variant_builder_add (&details, "{sv}", "pin", muster_bus_string (certificate->spki_sha256));
    g_variant_builder_add (&details, "{sv}", "sha256", muster_bus_string (certificate->sha256));
    g_variant_builder_add (&details, "{sv}", "subject", muster_bus_string (certificate->subject));
    g_variant_builder_add (&details, "{sv}", "issuer", muster_bus_string (certificate->issuer));
    g_variant_builder_add (&details, "{sv}", "names",
                           g_variant_new_strv ((const char *const *) certificate->names, -1));
    g_variant_builder_add (&details, "{sv}", "not-before-at", utc (certificate->not_before_s));
    g_variant_builder_add (&details, "{sv}", "not-after-at", utc (certificate->not_after_s));
  }

  return g_variant_builder_end (&details);
}
