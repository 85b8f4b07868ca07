/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-row.h"

#include "muster-names.h"

#include <string.h>

CliRow *
cli_row_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
}

gboolean
cli_row_merge (CliRow *self, const char *interface, GVariant *values)
{
  gboolean different = FALSE;
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autofree char *field = interface != NULL ? g_strconcat (interface, ".", name, NULL)
                                               : g_strdup (name);
    GVariant *old = g_hash_table_lookup (self, field);

    different |= old == NULL || !g_variant_equal (old, value);
    g_hash_table_insert (self, g_steal_pointer (&field), value);
  }

  return different;
}

void
cli_row_take (CliRow *self, const char *field, GVariant *value)
{
  g_hash_table_insert (self, g_strdup (field), g_variant_ref_sink (value));
}

GVariant *
cli_row_get (CliRow *self, const char *field)
{
  return g_hash_table_lookup (self, field);
}

const char *
cli_row_get_string (CliRow *self, const char *field)
{
  GVariant *value = g_hash_table_lookup (self, field);

  if (value == NULL || !(g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) ||
                         g_variant_is_of_type (value, G_VARIANT_TYPE_OBJECT_PATH)))
    return "";

  return g_variant_get_string (value, NULL);
}

gboolean
cli_row_get_boolean (CliRow *self, const char *field)
{
  GVariant *value = g_hash_table_lookup (self, field);

  return value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN) &&
         g_variant_get_boolean (value);
}

guint64
cli_row_get_number (CliRow *self, const char *field)
{
  GVariant *value = g_hash_table_lookup (self, field);

  if (value == NULL)
    return 0;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    return g_variant_get_uint64 (value);

  return g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32) ? g_variant_get_uint32 (value) : 0;
}

const char *
cli_row_interface (const char *dbus_interface)
{
  if (!g_str_has_prefix (dbus_interface, MUSTER_INTERFACE_PREFIX))
    return NULL;

  return dbus_interface + strlen (MUSTER_INTERFACE_PREFIX);
}

const char *
cli_path_id (const char *path)
{
  const char *slash = strrchr (path, '/');

  return slash != NULL ? slash + 1 : path;
}
