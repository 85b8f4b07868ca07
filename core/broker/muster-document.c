/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterDocument"

#include "config.h"

#include "muster-document.h"

#include "muster-broker-error.h"

#include <json-glib/json-glib.h>
#include <string.h>

/*
 * Reading is strict: what is not known is refused by its name, since it may be meant. JSON-GLib
 * descends into what is nested without a bound and reads more than JSON (comments, other quotes), so
 * the text is looked through first.
 */

#define FORMAT     "muster-accounts"
#define VERSION    1
#define MAX_DEPTH  8
#define MAX_PARAMS 64

void
muster_document_free (MusterDocument *self)
{
  g_clear_pointer (&self->identities, g_ptr_array_unref);
  g_clear_pointer (&self->accounts, g_ptr_array_unref);
  g_free (self);
}

static gboolean
fail (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "document: %s",
               message);

  return FALSE;
}

/* looking through */

/* Returns: what stands behind the string that begins at @p; NULL: it does not end, or holds a zero */
static const char *
skip_string (const char *p)
{
  for (p++; *p != '"'; p++) {
    if (*p == '\0' || strncmp (p, "\\u0000", 6) == 0)
      return NULL;
    if (*p == '\\' && *++p == '\0')
      return NULL;
  }

  return p + 1;
}

static gboolean
look_through (const char *text, GError **error)
{
  guint depth = 0;
  const char *p = text;

  while (*p != '\0') {
    if (*p == '"') {
      p = skip_string (p);
      if (p == NULL)
        return fail (error, "a text in it has no end, or holds a zero byte");
      continue;
    }
    if (*p == '{' || *p == '[')
      depth++;
    else if (*p == '}' || *p == ']')
      depth -= MIN (depth, 1);
    else if (!g_ascii_isalnum (*p) && strchr (" \t\r\n:,+-.", *p) == NULL)
      return fail (error, "it is not JSON");
    if (depth > MAX_DEPTH)
      return fail (error, "it is nested too deeply");
    p++;
  }

  return TRUE;
}

/* reading */

/* One object of the document, and where it stands, for messages. */
typedef struct {
  JsonObject *object;
  const char *where;
} Place;

static gboolean
check_members (const Place *place, const char *const *known, GError **error)
{
  JsonObjectIter iter;
  const char *name;

  json_object_iter_init (&iter, place->object);
  while (json_object_iter_next (&iter, &name, NULL)) {
    if (!g_strv_contains (known, name))
      return fail (error, "%s: \"%s\" is not known here", place->where, name);
  }

  return TRUE;
}

/* @value: lent, or left alone where there is none */
static gboolean
read_string (const Place *place,
             const char *name,
             gboolean needed,
             const char **value,
             GError **error)
{
  JsonNode *node = json_object_get_member (place->object, name);

  if (node == NULL)
    return !needed || fail (error, "%s: \"%s\" is missing", place->where, name);
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
    return fail (error, "%s: \"%s\" is not a text", place->where, name);

  *value = json_node_get_string (node);
  if (!g_utf8_validate (*value, -1, NULL))
    return fail (error, "%s: \"%s\" is not UTF-8", place->where, name);

  return TRUE;
}

static gboolean
read_boolean (const Place *place, const char *name, gboolean *value, GError **error)
{
  JsonNode *node = json_object_get_member (place->object, name);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return fail (error, "%s: \"%s\" is neither true nor false", place->where, name);

  *value = json_node_get_boolean (node);
  return TRUE;
}

/* Returns (transfer none): the elements; NULL with an error */
static JsonArray *
read_array (const Place *place, const char *name, guint max, GError **error)
{
  JsonNode *node = json_object_get_member (place->object, name);
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)) {
    fail (error, "\"%s\" is %s", name, node == NULL ? "missing" : "not a list");
    return NULL;
  }

  array = json_node_get_array (node);
  if (json_array_get_length (array) > max) {
    fail (error, "\"%s\" has more than %u elements", name, max);
    return NULL;
  }

  return array;
}

/* Returns (transfer floating): what a parameter of JSON's type is on D-Bus */
static GVariant *
read_value (JsonNode *node)
{
  GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type == G_TYPE_BOOLEAN)
    return g_variant_new_boolean (json_node_get_boolean (node));
  if (type == G_TYPE_INT64 && json_node_get_int (node) >= 0 &&
      json_node_get_int (node) <= G_MAXUINT32)
    return g_variant_new_uint32 ((guint32) json_node_get_int (node));
  if (type == G_TYPE_STRING && g_utf8_validate (json_node_get_string (node), -1, NULL))
    return g_variant_new_string (json_node_get_string (node));

  return NULL;
}

/* Returns (transfer full) */
static GVariant *
read_params (const Place *place, GError **error)
{
  JsonNode *node = json_object_get_member (place->object, "parameters");
  g_autoptr (GVariantDict) params = g_variant_dict_new (NULL);
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node)) {
    fail (error, "%s: \"parameters\" is not an object", place->where);
    return NULL;
  }
  if (node != NULL && json_object_get_size (json_node_get_object (node)) > MAX_PARAMS) {
    fail (error, "%s: more than %d parameters", place->where, MAX_PARAMS);
    return NULL;
  }

  if (node != NULL) {
    json_object_iter_init (&iter, json_node_get_object (node));
    while (json_object_iter_next (&iter, &name, &member)) {
      GVariant *value = read_value (member);

      if (value == NULL || !g_utf8_validate (name, -1, NULL)) {
        g_clear_pointer (&value, g_variant_unref);
        fail (error,
              "%s: the parameter \"%s\" is neither a text, nor true or false, nor a whole number"
              " from 0 to %u",
              place->where, name, G_MAXUINT32);
        return NULL;
      }
      g_variant_dict_insert_value (params, name, value);
    }
  }

  return g_variant_ref_sink (g_variant_dict_end (params));
}

static gboolean
read_identity (MusterDocument *self, const Place *place, GHashTable *names, GError **error)
{
  static const char *const known[] = { "name", NULL };
  const char *name;
  char *taken;

  if (!check_members (place, known, error) || !read_string (place, "name", TRUE, &name, error))
    return FALSE;
  if (g_hash_table_contains (names, name))
    return fail (error, "%s: \"%s\" comes twice", place->where, name);

  taken = g_strdup (name);
  g_ptr_array_add (self->identities, taken);
  g_hash_table_add (names, taken);

  return TRUE;
}

static gboolean
read_account (MusterDocument *self, const Place *place, GHashTable *names, GError **error)
{
  static const char *const known[] = { "identity", "protocol",   "address", "name",
                                       "enabled",  "parameters", NULL };
  const char *identity, *protocol, *address;
  const char *name = NULL;
  gboolean enabled = TRUE;
  g_autoptr (GVariant) params = NULL;
  MusterAccountRecord *record;

  if (!check_members (place, known, error) ||
      !read_string (place, "identity", TRUE, &identity, error) ||
      !read_string (place, "protocol", TRUE, &protocol, error) ||
      !read_string (place, "address", TRUE, &address, error) ||
      !read_string (place, "name", FALSE, &name, error) ||
      !read_boolean (place, "enabled", &enabled, error))
    return FALSE;
  if (!g_hash_table_contains (names, identity))
    return fail (error, "%s: \"%s\" is none of the identities", place->where, identity);
  params = read_params (place, error);
  if (params == NULL)
    return FALSE;

  record = g_new0 (MusterAccountRecord, 1);
  record->identity = g_strdup (identity);
  record->protocol = g_strdup (protocol);
  record->address = g_strdup (address);
  record->name = g_strdup (name);
  record->enabled = enabled;
  record->params = g_steal_pointer (&params);
  g_ptr_array_add (self->accounts, record);

  return TRUE;
}

typedef gboolean (*ReadFunc) (MusterDocument *self,
                              const Place *place,
                              GHashTable *names,
                              GError **error);

static gboolean
read_each (MusterDocument *self,
           JsonArray *array,
           const char *name,
           ReadFunc func,
           GHashTable *names,
           GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    g_autofree char *where = g_strdup_printf ("%s[%u]", name, i);
    Place place = { NULL, where };

    if (!JSON_NODE_HOLDS_OBJECT (node))
      return fail (error, "%s is not an object", where);
    place.object = json_node_get_object (node);
    if (!func (self, &place, names, error))
      return FALSE;
  }

  return TRUE;
}

static gboolean
check_version (const Place *place, GError **error)
{
  JsonNode *node = json_object_get_member (place->object, "version");
  const char *format;

  if (!read_string (place, "format", TRUE, &format, error))
    return FALSE;
  if (!g_str_equal (format, FORMAT))
    return fail (error, "\"format\" is \"%s\", not \"%s\"", format, FORMAT);
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_INT64)
    return fail (error, "\"version\" is missing, or not a whole number");
  if (json_node_get_int (node) != VERSION)
    return fail (error, "\"version\" is %" G_GINT64_FORMAT "; only %d is known",
                 json_node_get_int (node), VERSION);

  return TRUE;
}

static gboolean
read_document (MusterDocument *self, JsonObject *object, GError **error)
{
  static const char *const known[] = { "format", "version", "identities", "accounts", NULL };
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  const Place place = { object, "the whole" };
  JsonArray *identities, *accounts;

  /* The version first: another one may well have other members. */
  if (!check_version (&place, error) || !check_members (&place, known, error))
    return FALSE;

  identities = read_array (&place, "identities", MUSTER_DOCUMENT_MAX_IDENTITIES, error);
  if (identities == NULL)
    return FALSE;
  accounts = read_array (&place, "accounts", MUSTER_DOCUMENT_MAX_ACCOUNTS, error);
  if (accounts == NULL)
    return FALSE;

  return read_each (self, identities, "identities", read_identity, names, error) &&
         read_each (self, accounts, "accounts", read_account, names, error);
}

MusterDocument *
muster_document_parse (const char *text, GError **error)
{
  g_autoptr (MusterDocument) self = g_new0 (MusterDocument, 1);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) local = NULL;
  JsonNode *root;

  self->identities = g_ptr_array_new_with_free_func (g_free);
  self->accounts = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_account_record_free);
  if (strlen (text) > MUSTER_DOCUMENT_MAX_BYTES) {
    fail (error, "it is longer than %d bytes", MUSTER_DOCUMENT_MAX_BYTES);
    return NULL;
  }
  if (!look_through (text, error))
    return NULL;
  if (!json_parser_load_from_data (parser, text, -1, &local)) {
    g_autofree char *printable = g_utf8_make_valid (local->message, -1);

    fail (error, "it is not JSON: %s", printable);
    return NULL;
  }

  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    fail (error, "it is not a JSON object");
    return NULL;
  }
  if (!read_document (self, json_node_get_object (root), error))
    return NULL;

  return g_steal_pointer (&self);
}

/* writing */

static void
append_text (GString *text, const char *value)
{
  g_string_append_c (text, '"');
  for (; *value != '\0'; value++) {
    guchar c = (guchar) *value;

    if (c == '"' || c == '\\')
      g_string_append_printf (text, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
      g_string_append_printf (text, "\\u%04x", c);
    else
      g_string_append_c (text, (char) c);
  }
  g_string_append_c (text, '"');
}

static void
append_member (GString *text, const char *name, const char *value)
{
  g_string_append_printf (text, "\"%s\": ", name);
  append_text (text, value);
  g_string_append (text, ", ");
}

static void
append_value (GString *text, GVariant *value)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    append_text (text, g_variant_get_string (value, NULL));
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    g_string_append (text, g_variant_get_boolean (value) ? "true" : "false");
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    g_string_append_printf (text, "%u", g_variant_get_uint32 (value));
  else
    g_string_append (text, "null"); /* of a damaged row; it is refused when it is read */
}

static void
append_params (GString *text, GVariant *params)
{
  const char *between = "";
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_string_append (text, "\"parameters\": { ");
  g_variant_iter_init (&iter, params);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    g_string_append (text, between);
    append_text (text, name);
    g_string_append (text, ": ");
    append_value (text, value);
    between = ", ";
  }
  g_string_append (text, " }");
}

/* Behind the bracket that opened the list there is no comma. */
static void
append_comma (GString *text)
{
  g_string_append (text, text->str[text->len - 1] == '[' ? "\n    " : ",\n    ");
}

void
muster_document_begin (GString *text)
{
  g_string_append_printf (text, "{\n  \"format\": \"%s\",\n  \"version\": %d,\n  \"identities\": [",
                          FORMAT, VERSION);
}

void
muster_document_add_identity (GString *text, const char *name)
{
  append_comma (text);
  g_string_append (text, "{ \"name\": ");
  append_text (text, name);
  g_string_append (text, " }");
}

void
muster_document_begin_accounts (GString *text)
{
  g_string_append (text, "\n  ],\n  \"accounts\": [");
}

void
muster_document_add_account (GString *text,
                             const MusterAccountRecord *record,
                             const char *identity_name)
{
  append_comma (text);
  g_string_append (text, "{ ");
  append_member (text, "identity", identity_name);
  append_member (text, "protocol", record->protocol);
  append_member (text, "address", record->address);
  append_member (text, "name", record->name);
  g_string_append_printf (text, "\"enabled\": %s, ", record->enabled ? "true" : "false");
  append_params (text, record->params);
  g_string_append (text, " }");
}

void
muster_document_end (GString *text)
{
  g_string_append (text, "\n  ]\n}\n");
}
