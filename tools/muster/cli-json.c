/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-json.h"

#include "cli-text.h"

#include <stdio.h>

/* JSON with true types: numbers are numbers, times are RFC 3339 in UTC, what is not there is null. */

static gboolean
names_a_time (const char *key)
{
  static const char *const names[] = { "time", "since", "until", "created", "modified", NULL };

  return key != NULL && (g_strv_contains (names, key) || g_str_has_suffix (key, "-at"));
}

JsonNode *
cli_json_string (const char *text)
{
  JsonNode *node = json_node_new (text != NULL ? JSON_NODE_VALUE : JSON_NODE_NULL);

  if (text != NULL)
    json_node_set_string (node, text);

  return node;
}

JsonNode *
cli_json_time (guint64 time_us)
{
  g_autofree char *text = cli_text_time_utc (time_us);

  return cli_json_string (text);
}

static JsonNode *
number (guint64 value)
{
  JsonNode *node = json_node_new (JSON_NODE_VALUE);

  /* JSON-GLib's integers end here; a count that large may lose its last digits. */
  if (value <= G_MAXINT64)
    json_node_set_int (node, (gint64) value);
  else
    json_node_set_double (node, (double) value);

  return node;
}

static JsonNode *
from_dictionary (GVariant *value)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  GVariantIter iter;
  GVariant *entry;

  g_variant_iter_init (&iter, value);
  while ((entry = g_variant_iter_next_value (&iter)) != NULL) {
    g_autoptr (GVariant) name = g_variant_get_child_value (entry, 0);
    g_autoptr (GVariant) child = g_variant_get_child_value (entry, 1);
    const char *key = g_variant_get_string (name, NULL);

    json_object_set_member (object, key, cli_json_from_variant (child, key));
    g_variant_unref (entry);
  }
  json_node_take_object (node, object);

  return node;
}

static JsonNode *
from_sequence (GVariant *value)
{
  JsonArray *array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);
  GVariantIter iter;
  GVariant *child;

  g_variant_iter_init (&iter, value);
  while ((child = g_variant_iter_next_value (&iter)) != NULL) {
    json_array_add_element (array, cli_json_from_variant (child, NULL));
    g_variant_unref (child);
  }
  json_node_take_array (node, array);

  return node;
}

JsonNode *
cli_json_from_variant (GVariant *value, const char *key)
{
  JsonNode *node;

  switch (g_variant_classify (value)) {
  case G_VARIANT_CLASS_BOOLEAN:
    node = json_node_new (JSON_NODE_VALUE);
    json_node_set_boolean (node, g_variant_get_boolean (value));
    return node;
  case G_VARIANT_CLASS_BYTE:
    return number (g_variant_get_byte (value));
  case G_VARIANT_CLASS_UINT16:
    return number (g_variant_get_uint16 (value));
  case G_VARIANT_CLASS_UINT32:
    return number (g_variant_get_uint32 (value));
  case G_VARIANT_CLASS_UINT64:
    return names_a_time (key) ? cli_json_time (g_variant_get_uint64 (value))
                              : number (g_variant_get_uint64 (value));
  case G_VARIANT_CLASS_INT16:
    node = json_node_new (JSON_NODE_VALUE);
    json_node_set_int (node, g_variant_get_int16 (value));
    return node;
  case G_VARIANT_CLASS_INT32:
  case G_VARIANT_CLASS_HANDLE:
    node = json_node_new (JSON_NODE_VALUE);
    json_node_set_int (node, g_variant_is_of_type (value, G_VARIANT_TYPE_HANDLE)
                               ? g_variant_get_handle (value)
                               : g_variant_get_int32 (value));
    return node;
  case G_VARIANT_CLASS_INT64:
    node = json_node_new (JSON_NODE_VALUE);
    json_node_set_int (node, g_variant_get_int64 (value));
    return node;
  case G_VARIANT_CLASS_DOUBLE:
    node = json_node_new (JSON_NODE_VALUE);
    json_node_set_double (node, g_variant_get_double (value));
    return node;
  case G_VARIANT_CLASS_STRING:
  case G_VARIANT_CLASS_OBJECT_PATH:
  case G_VARIANT_CLASS_SIGNATURE:
    return cli_json_string (g_variant_get_string (value, NULL));
  case G_VARIANT_CLASS_VARIANT: {
    g_autoptr (GVariant) child = g_variant_get_variant (value);

    return cli_json_from_variant (child, key);
  }
  case G_VARIANT_CLASS_ARRAY:
    if (g_variant_type_is_subtype_of (g_variant_get_type (value), G_VARIANT_TYPE ("a{s*}")))
      return from_dictionary (value);
    return from_sequence (value);
  case G_VARIANT_CLASS_TUPLE:
  case G_VARIANT_CLASS_DICT_ENTRY:
    return from_sequence (value);
  case G_VARIANT_CLASS_MAYBE:
    break;
  }

  return cli_json_string (NULL);
}

/* JSON-GLib leaves the upper control characters, the bidirectional ones, and by mistake U+001F as they
 * are. They can stand nowhere but inside strings, where an escape means the same. */
static char *
escape_unsafe (const char *json)
{
  GString *out = g_string_new (NULL);

  for (const char *p = json; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c != 0x1f && (c < 0x7f || !cli_text_is_unsafe (c)))
      g_string_append_unichar (out, c);
    else if (c <= 0xffff)
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_printf (out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                              0xdc00 + ((c - 0x10000) & 0x3ff));
  }

  return g_string_free (out, FALSE);
}

char *
cli_json_to_text (JsonNode *node, gboolean pretty)
{
  g_autofree char *json = json_to_string (node, pretty);

  return escape_unsafe (json);
}

void
cli_json_print (JsonNode *node)
{
  g_autofree char *text = cli_json_to_text (node, TRUE);

  puts (text);
  json_node_unref (node);
}

void
cli_json_print_line (JsonNode *node)
{
  g_autofree char *text = cli_json_to_text (node, FALSE);

  puts (text);
  fflush (stdout);
  json_node_unref (node);
}
