/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"

/* The properties of plugins and of the protocols that they bring: what they say of themselves. */

/* org.muster.Muster1.Protocol */

#define PROTOCOL(object) (((const MusterKind *) object)->protocol)

static GVariant *
protocol_id (MusterBus *bus, gpointer object)
{
  return muster_bus_string (PROTOCOL (object)->id);
}

static GVariant *
protocol_display_name (MusterBus *bus, gpointer object)
{
  return muster_bus_string (PROTOCOL (object)->display_name);
}

static GVariant *
protocol_plugin (MusterBus *bus, gpointer object)
{
  MusterModule *module = NULL;
  g_autofree char *path = NULL;

  muster_plugin_registry_find_protocol (muster_broker_get_registry (bus->broker),
                                        PROTOCOL (object)->id, &module);
  path = muster_bus_object_path (MUSTER_BUS_PLUGIN, module);

  return g_variant_new_object_path (path);
}

static GVariant *
protocol_uri_schemes (MusterBus *bus, gpointer object)
{
  return g_variant_new_strv (PROTOCOL (object)->uri_schemes, -1);
}

static GVariant *
protocol_address_help (MusterBus *bus, gpointer object)
{
  return muster_bus_string (PROTOCOL (object)->address_help);
}

static const char *
param_applies (const MusterParam *param)
{
  if ((param->flags & MUSTER_PARAM_BINDS_SECRET) != 0)
    return "recreate";

  switch (param->applies) {
  case MUSTER_APPLIES_REREGISTER:
    return "reregister";
  case MUSTER_APPLIES_LIVE:
    return "live";
  case MUSTER_APPLIES_RECREATE:
    return "recreate";
  }

  g_return_val_if_reached ("");
}

static const char *
param_type (const MusterParam *param)
{
  switch (param->type) {
  case MUSTER_PARAM_STRING:
    return "s";
  case MUSTER_PARAM_UINT:
    return "u";
  case MUSTER_PARAM_BOOLEAN:
    return "b";
  }

  g_return_val_if_reached ("");
}

static GVariant *
build_param (const MusterParam *param)
{
  g_autoptr (GVariant) value = muster_param_dup_default (param);
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "name", "s", param->name);
  g_variant_dict_insert (&dict, "type", "s", param_type (param));
  g_variant_dict_insert (&dict, "label", "s", param->label);
  g_variant_dict_insert (&dict, "help", "s", param->help);
  if (param->group != NULL)
    g_variant_dict_insert (&dict, "group", "s", param->group);
  g_variant_dict_insert (&dict, "required", "b", (param->flags & MUSTER_PARAM_REQUIRED) != 0);
  g_variant_dict_insert (&dict, "secret", "b", (param->flags & MUSTER_PARAM_SECRET) != 0);
  g_variant_dict_insert (&dict, "sensitive", "b", (param->flags & MUSTER_PARAM_SENSITIVE) != 0);
  g_variant_dict_insert (&dict, "binds-secret", "b",
                         (param->flags & MUSTER_PARAM_BINDS_SECRET) != 0);
  g_variant_dict_insert (&dict, "advanced", "b", (param->flags & MUSTER_PARAM_ADVANCED) != 0);
  if (value != NULL)
    g_variant_dict_insert_value (&dict, "default", g_variant_new_variant (value));
  if (param->choices != NULL)
    g_variant_dict_insert (&dict, "choices", "^as", param->choices);
  if (param->min != 0 || param->max != 0) {
    g_variant_dict_insert (&dict, "min", "u", param->min);
    g_variant_dict_insert (&dict, "max", "u", param->max);
  }
  if (param->pattern != NULL)
    g_variant_dict_insert (&dict, "pattern", "s", param->pattern);
  g_variant_dict_insert (&dict, "applies", "s", param_applies (param));

  return g_variant_dict_end (&dict);
}

static GVariant *
protocol_parameters (MusterBus *bus, gpointer object)
{
  GVariantBuilder params;

  g_variant_builder_init (&params, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < PROTOCOL (object)->n_params; i++)
    g_variant_builder_add_value (&params, build_param (&PROTOCOL (object)->params[i]));

  return g_variant_builder_end (&params);
}

const MusterBusProperty muster_bus_protocol_properties[] = {
  { "Protocol", "Id", protocol_id },
  { "Protocol", "DisplayName", protocol_display_name },
  { "Protocol", "Plugin", protocol_plugin },
  { "Protocol", "UriSchemes", protocol_uri_schemes },
  { "Protocol", "AddressHelp", protocol_address_help },
  { "Protocol", "Parameters", protocol_parameters },
  { NULL },
};

/* org.muster.Muster1.Plugin */

static GVariant *
plugin_name (MusterBus *bus, gpointer object)
{
  return muster_bus_string (muster_module_get_name (object));
}

static GVariant *
plugin_file (MusterBus *bus, gpointer object)
{
  g_autofree char *file = g_utf8_make_valid (muster_module_get_path (object), -1);

  return muster_bus_string (file);
}

static GVariant *
plugin_version (MusterBus *bus, gpointer object)
{
  const MusterPluginInfo *info = muster_module_get_info (object);

  return muster_bus_string (info != NULL ? info->version : "");
}

static GVariant *
plugin_licence (MusterBus *bus, gpointer object)
{
  const MusterPluginInfo *info = muster_module_get_info (object);

  return muster_bus_string (info != NULL ? info->licence : "");
}

static GVariant *
plugin_description (MusterBus *bus, gpointer object)
{
  const MusterPluginInfo *info = muster_module_get_info (object);

  return muster_bus_string (info != NULL ? info->description : "");
}

static GVariant *
plugin_protocols (MusterBus *bus, gpointer object)
{
  const MusterPluginInfo *info = muster_module_get_info (object);
  GVariantBuilder ids;

  g_variant_builder_init (&ids, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; info != NULL && info->kinds[i] != NULL; i++) {
    if (info->kinds[i]->type == MUSTER_KIND_PROTOCOL)
      g_variant_builder_add (&ids, "s", info->kinds[i]->protocol->id);
  }

  return g_variant_builder_end (&ids);
}

static GVariant *
plugin_state (MusterBus *bus, gpointer object)
{
  if (muster_module_is_suspended (object))
    return muster_bus_string ("suspended");

  return muster_bus_string (muster_module_get_info (object) != NULL ? "ready" : "failed");
}

static GVariant *
plugin_reason (MusterBus *bus, gpointer object)
{
  return muster_bus_string (muster_module_get_reason (object));
}

const MusterBusProperty muster_bus_plugin_properties[] = {
  { "Plugin", "Name", plugin_name },
  { "Plugin", "File", plugin_file },
  { "Plugin", "Version", plugin_version },
  { "Plugin", "Licence", plugin_licence },
  { "Plugin", "Description", plugin_description },
  { "Plugin", "Protocols", plugin_protocols },
  { "Plugin", "State", plugin_state },
  { "Plugin", "Reason", plugin_reason },
  { NULL },
};
