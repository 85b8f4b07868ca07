/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-field.h"

#include "cli-json.h"
#include "cli-text.h"
#include "muster-names.h"

#include <string.h>

/* The tables of what can be shown, and how one entry becomes JSON or text. A new property is one line
 * here. */

const CliField cli_account_fields[] = {
  { "id", "id", "Account.Id", "s", CLI_SHOW_TEXT, 5 },
  { "address", "address", "Account.Address", "s", CLI_SHOW_TEXT, 1 },
  { "name", "name", "Account.Name", "s", CLI_SHOW_TEXT },
  { "protocol", "protocol", "Account.Protocol", "s", CLI_SHOW_TEXT, 6 },
  { "identity", "identity id", "Account.Identity", "o", CLI_SHOW_OBJECT },
  { "identity-name", "identity", "Identity.Name", "s", CLI_SHOW_WORD },
  { "enabled", "enabled", "Account.Enabled", "b", CLI_SHOW_BOOLEAN },
  { "state", "state", "Registration.State", "s", CLI_SHOW_STATE, 1 },
  { "reason", "reason", "Registration.Reason", "s", CLI_SHOW_WORD, 2 },
  { "verification", "reachable", "Registration.Verification", "s", CLI_SHOW_PROOF, 3 },
  { "since", "since", "Registration.Since", "t", CLI_SHOW_TIME },
  { "attempt", "failures", "Registration.Attempt", "u", CLI_SHOW_NUMBER },
  { "next-attempt-at", "next attempt", "Registration.NextAttemptAt", "t", CLI_SHOW_TIME, 4 },
  { "registered-at", "registered", "Registration.RegisteredAt", "t", CLI_SHOW_TIME },
  { "expires-at", "lease ends", "Registration.ExpiresAt", "t", CLI_SHOW_TIME, 7 },
  { "refresh-at", "refresh", "Registration.RefreshAt", "t", CLI_SHOW_TIME },
  { "refreshes", "refreshes", "Registration.Refreshes", "t", CLI_SHOW_NUMBER },
  { "bindings", "bindings", "Registration.Bindings", "as", CLI_SHOW_LIST },
  { "verified-at", "proven", "Registration.VerifiedAt", "t", CLI_SHOW_TIME },
  { "verification-evidence", "evidence", "Registration.VerificationEvidence", "s", CLI_SHOW_WORD },
  { "next-verification-at", "next proof", "Registration.NextVerificationAt", "t", CLI_SHOW_TIME },
  { "error", "error", "Registration.Error", "s", CLI_SHOW_ERROR },
  { "error-details", "details", "Registration.ErrorDetails", "a{sv}", CLI_SHOW_VALUES },
  { "mailbox-new", "new in mailbox", "Mailbox.New", "u", CLI_SHOW_NUMBER },
  { "mailbox-old", "old in mailbox", "Mailbox.Old", "u", CLI_SHOW_NUMBER },
  { "mailbox-since", "mailbox as of", "Mailbox.Since", "t", CLI_SHOW_TIME },
  { "presence", "presence", "Publication.Published", "s", CLI_SHOW_WORD },
  { "presence-text", "presence text", "Publication.PublishedText", "s", CLI_SHOW_WORD },
  { "presence-note", "presence note", "Publication.Note", "s", CLI_SHOW_WORD },
  { "parameters", "parameters", "Account.Parameters", "a{sv}", CLI_SHOW_VALUES },
  { "secrets", "secrets", "Account.Secrets", "as", CLI_SHOW_LIST },
  { "created", "created", "Account.Created", "t", CLI_SHOW_TIME },
  { "modified", "modified", "Account.Modified", "t", CLI_SHOW_TIME },
  { NULL },
};

const CliField cli_identity_fields[] = {
  { "id", "id", "Identity.Id", "s", CLI_SHOW_TEXT, 2 },
  { "name", "name", "Identity.Name", "s", CLI_SHOW_TEXT, 1 },
  { "accounts", "accounts", "Identity.Accounts", "u", CLI_SHOW_NUMBER, 4 },
  { "registered", "registered", "Identity.Registered", "u", CLI_SHOW_NUMBER, 3 },
  { "created", "created", "Identity.Created", "t", CLI_SHOW_TIME },
  { "modified", "modified", "Identity.Modified", "t", CLI_SHOW_TIME },
  { NULL },
};

const CliField cli_presence_fields[] = {
  { "id", "id", "Identity.Id", "s", CLI_SHOW_TEXT },
  { "name", "name", "Identity.Name", "s", CLI_SHOW_TEXT, 1 },
  { "presence", "presence", "Presence.Presence", "s", CLI_SHOW_WORD, 1 },
  { "text", "text", "Presence.Text", "s", CLI_SHOW_WORD, 2 },
  { "until", "until", "Presence.Until", "t", CLI_SHOW_TIME, 3 },
  { "layers", "layers", "Presence.Layers", "aa{sv}", CLI_SHOW_VALUE },
  { NULL },
};

/* These stand in Presence.Layers, not on an interface. */
const CliField cli_layer_fields[] = {
  { "name", "layer", "name", "s", CLI_SHOW_TEXT, 1 },
  { "presence", "presence", "presence", "s", CLI_SHOW_WORD, 1 },
  { "priority", "priority", "priority", "u", CLI_SHOW_NUMBER, 4 },
  { "keep", "kept", "keep", "b", CLI_SHOW_BOOLEAN, 5 },
  { "until", "until", "until", "t", CLI_SHOW_TIME, 3 },
  { "text", "text", "text", "s", CLI_SHOW_WORD, 2 },
  { NULL },
};

const CliField cli_publication_fields[] = {
  { "id", "id", "Account.Id", "s", CLI_SHOW_TEXT },
  { "address", "account", "Account.Address", "s", CLI_SHOW_TEXT, 1 },
  { "protocol", "protocol", "Account.Protocol", "s", CLI_SHOW_TEXT },
  { "identity", "identity id", "Account.Identity", "o", CLI_SHOW_OBJECT },
  { "override", "own presence", "Publication.Override", "s", CLI_SHOW_WORD },
  { "override-text", "own text", "Publication.OverrideText", "s", CLI_SHOW_WORD },
  { "published", "published", "Publication.Published", "s", CLI_SHOW_WORD, 1 },
  { "published-text", "text", "Publication.PublishedText", "s", CLI_SHOW_WORD, 5 },
  { "supported", "can be said", "Publication.Supported", "as", CLI_SHOW_LIST },
  { "note", "note", "Publication.Note", "s", CLI_SHOW_WORD, 1, TRUE },
  { "error", "error", "Publication.Error", "s", CLI_SHOW_ERROR, 4 },
  { "error-message", "message", "Publication.ErrorMessage", "s", CLI_SHOW_WORD, 1, TRUE },
  { "retry-at", "next attempt", "Publication.RetryAt", "t", CLI_SHOW_TIME, 6 },
  { NULL },
};

const CliField cli_protocol_fields[] = {
  { "id", "id", "Protocol.Id", "s", CLI_SHOW_TEXT, 1 },
  { "display-name", "name", "Protocol.DisplayName", "s", CLI_SHOW_TEXT, 3 },
  { "plugin", "plugin", "Protocol.Plugin", "o", CLI_SHOW_OBJECT, 4 },
  { "uri-schemes", "schemes", "Protocol.UriSchemes", "as", CLI_SHOW_LIST, 5 },
  { "address-help", "address", "Protocol.AddressHelp", "s", CLI_SHOW_TEXT, 2 },
  { "parameters", "parameters", "Protocol.Parameters", "aa{sv}", CLI_SHOW_VALUE },
  { NULL },
};

/* These stand in Protocol.Parameters, not on an interface. */
const CliField cli_parameter_fields[] = {
  { "name", "name", "name", "s", CLI_SHOW_TEXT, 1 },
  { "type", "type", "type", "s", CLI_SHOW_TYPE, 4 },
  { "required", "required", "required", "b", CLI_SHOW_BOOLEAN, 5 },
  { "secret", "secret", "secret", "b", CLI_SHOW_BOOLEAN, 6 },
  { "default", "default", "default", "v", CLI_SHOW_VALUE, 3 },
  { "values", "values", "values", "s", CLI_SHOW_WORD, 2 }, /* choices, or min and max */
  { "label", "label", "label", "s", CLI_SHOW_WORD },
  { "help", "help", "help", "s", CLI_SHOW_WORD, 1, TRUE },
  { "group", "group", "group", "s", CLI_SHOW_WORD },
  { "choices", "choices", "choices", "as", CLI_SHOW_LIST },
  { "min", "min", "min", "u", CLI_SHOW_VALUE },
  { "max", "max", "max", "u", CLI_SHOW_VALUE },
  { "pattern", "pattern", "pattern", "s", CLI_SHOW_WORD },
  { "applies", "applies", "applies", "s", CLI_SHOW_WORD },
  { "sensitive", "sensitive", "sensitive", "b", CLI_SHOW_BOOLEAN },
  { "binds-secret", "binds secret", "binds-secret", "b", CLI_SHOW_BOOLEAN },
  { "advanced", "advanced", "advanced", "b", CLI_SHOW_BOOLEAN },
  { NULL },
};

const CliField cli_plugin_fields[] = {
  { "name", "name", "Plugin.Name", "s", CLI_SHOW_TEXT, 1 },
  { "version", "version", "Plugin.Version", "s", CLI_SHOW_TEXT, 4 },
  { "state", "state", "Plugin.State", "s", CLI_SHOW_STATE, 1 },
  { "reason", "reason", "Plugin.Reason", "s", CLI_SHOW_WORD, 1, TRUE },
  { "protocols", "protocols", "Plugin.Protocols", "as", CLI_SHOW_LIST, 3 },
  { "description", "description", "Plugin.Description", "s", CLI_SHOW_TEXT },
  { "licence", "licence", "Plugin.Licence", "s", CLI_SHOW_TEXT },
  { "file", "file", "Plugin.File", "s", CLI_SHOW_TEXT },
  { NULL },
};

const CliField cli_request_fields[] = {
  { "id", "id", "Request.Id", "s", CLI_SHOW_TEXT, 1 },
  { "account", "account", "Request.Account", "o", CLI_SHOW_OBJECT },
  { "address", "address", "Account.Address", "s", CLI_SHOW_TEXT }, /* the message has it, too */
  { "kind", "kind", "Request.Kind", "s", CLI_SHOW_TEXT, 3 },
  { "reason", "reason", "Request.Reason", "s", CLI_SHOW_WORD },
  { "secrets", "secrets", "Request.Secrets", "as", CLI_SHOW_LIST, 4 },
  { "message", "message", "Request.Message", "s", CLI_SHOW_TEXT, 1, TRUE },
  { "details", "details", "Request.Details", "a{sv}", CLI_SHOW_VALUES },
  { "since", "since", "Request.Since", "t", CLI_SHOW_TIME },
  { NULL },
};

const CliField cli_incoming_fields[] = {
  { "id", "id", "Incoming.Id", "s", CLI_SHOW_TEXT, 1 },
  { "kind", "kind", "Incoming.Kind", "s", CLI_SHOW_TEXT, 1 },
  { "state", "state", "Incoming.State", "s", CLI_SHOW_WORD, 5 },
  { "answer", "answer", "Incoming.Answer", "s", CLI_SHOW_WORD, 6 },
  { "target", "handed to", "Incoming.Target", "s", CLI_SHOW_WORD },
  { "from", "from", "Incoming.From", "s", CLI_SHOW_TEXT, 1 },
  { "from-name", "name", "Incoming.FromName", "s", CLI_SHOW_WORD, 2 },
  { "account", "account", "Incoming.Account", "o", CLI_SHOW_OBJECT },
  { "address", "to", "Account.Address", "s", CLI_SHOW_WORD, 4 },
  { "since", "since", "Incoming.Since", "t", CLI_SHOW_TIME, 7 },
  { "text", "text", "Incoming.Text", "s", CLI_SHOW_WORD, 3 },
  { "error", "error", "Incoming.Error", "s", CLI_SHOW_ERROR },
  { "error-details", "details", "Incoming.ErrorDetails", "a{sv}", CLI_SHOW_VALUES },
  { NULL },
};

/* These stand in HandlerManager.Handlers, not on an interface. */
const CliField cli_handler_fields[] = {
  { "address", "address", "address", "s", CLI_SHOW_TEXT, 1 },
  { "kinds", "kinds", "kinds", "as", CLI_SHOW_LIST, 2 },
  { "protocol", "protocol", "protocol", "s", CLI_SHOW_WORD, 4 },
  { "identity", "identity", "identity", "o", CLI_SHOW_OBJECT, 5 },
  { "accounts", "accounts", "accounts", "as", CLI_SHOW_LIST, 3 },
  { "client", "client", "client", "s", CLI_SHOW_TEXT, 6 },
  { NULL },
};

const CliField cli_manager_fields[] = {
  { "version", "version", "Manager.Version", "s", CLI_SHOW_TEXT },
  { "protection", "protection", "Manager.Protection", "s", CLI_SHOW_TEXT },
  { "key", "key", "Manager.KeyState", "s", CLI_SHOW_WORD },
  { "offline", "offline", "Manager.Offline", "as", CLI_SHOW_LIST },
  { "notice", "notice", "Manager.Notice", "s", CLI_SHOW_WORD },
  { "counters", "counters", "Manager.Counters", "a{st}", CLI_SHOW_VALUES },
  { NULL },
};

/* These stand in the rows of Contacts.List, not on an interface. */
const CliField cli_contact_fields[] = {
  { "address", "address", "Address", "s", CLI_SHOW_TEXT },
  { "name", "name", "Name", "s", CLI_SHOW_WORD },
  { "presence", "presence", "Presence", "s", CLI_SHOW_TEXT },
  { "text", "text", "Text", "s", CLI_SHOW_WORD },
  { "since", "since", "Since", "t", CLI_SHOW_TIME },
  { "state", "state", "State", "s", CLI_SHOW_TEXT },
  { "asks", "asks", "Asks", "b", CLI_SHOW_BOOLEAN },
  { "account", "account", "Account", "o", CLI_SHOW_OBJECT },
  { "accounts", "accounts", "Accounts", "aa{sv}", CLI_SHOW_VALUE },
  { NULL },
};

const char *const cli_states[] = {
  "disabled",     "waiting-network", "waiting-retry", "waiting-secret",
  "waiting-user", "waiting-plugin",  "registering",   "registered",
  "refreshing",   "unregistering",   "failed",        NULL,
};

#define GREEN   "\033[32m"
#define YELLOW  "\033[33m"
#define MAGENTA "\033[35m"
#define RED     "\033[31m"
#define DIM     "\033[2m"

const char *
cli_state_colour (const char *state)
{
  static const struct {
    const char *state, *colour;
  } colours[] = {
    { "registered", GREEN },     { "refreshing", GREEN },
    { "ready", GREEN },          { "registering", YELLOW },
    { "unregistering", YELLOW }, { "waiting-network", YELLOW },
    { "waiting-retry", YELLOW }, { "waiting-secret", MAGENTA },
    { "waiting-user", MAGENTA }, { "waiting-plugin", MAGENTA },
    { "failed", RED },           { "suspended", RED },
    { "disabled", DIM },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (colours); i++)
    if (g_str_equal (state, colours[i].state))
      return colours[i].colour;

  return NULL;
}

const char *
cli_field_colour (const CliField *field, CliRow *row)
{
  const char *proof = cli_row_get_string (row, "Registration.Verification");

  if (field->show == CLI_SHOW_STATE) {
    const char *colour = cli_state_colour (cli_row_get_string (row, field->field));

    return g_strcmp0 (colour, GREEN) == 0 && g_str_equal (proof, "failed") ? RED : colour;
  }
  if (field->show != CLI_SHOW_PROOF)
    return NULL;
  if (g_str_equal (proof, "proven"))
    return GREEN;

  return g_str_equal (proof, "failed") ? RED : DIM;
}

gboolean
cli_field_may_be_cut (const CliField *field)
{
  switch (field->show) {
  case CLI_SHOW_TEXT:
  case CLI_SHOW_WORD:
  case CLI_SHOW_STATE:
  case CLI_SHOW_ERROR:
  case CLI_SHOW_OBJECT:
  case CLI_SHOW_LIST:
  case CLI_SHOW_VALUES:
  case CLI_SHOW_VALUE:
    return TRUE;
  case CLI_SHOW_PROOF:
  case CLI_SHOW_NUMBER:
  case CLI_SHOW_BOOLEAN:
  case CLI_SHOW_TIME:
  case CLI_SHOW_TYPE:
    return FALSE;
  }

  g_return_val_if_reached (FALSE);
}

static char *
error_word (const char *name)
{
  if (g_str_has_prefix (name, MUSTER_BUS_ERROR_PREFIX))
    return cli_text_kebab (name + strlen (MUSTER_BUS_ERROR_PREFIX));

  return g_strdup (name);
}

static const char *
type_word (const char *signature)
{
  if (g_str_equal (signature, "s"))
    return "string";
  if (g_str_equal (signature, "u"))
    return "number";
  if (g_str_equal (signature, "b"))
    return "boolean";

  return signature;
}

static gboolean
has_string (GVariant *value)
{
  return g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) ||
         g_variant_is_of_type (value, G_VARIANT_TYPE_OBJECT_PATH);
}

/* What CliShow makes of a string: (nullable) */
static char *
string_to_show (CliShow show, const char *text)
{
  if (show == CLI_SHOW_OBJECT)
    text = cli_path_id (text);
  if (text[0] == '\0' && show != CLI_SHOW_TEXT)
    return NULL;
  if (show == CLI_SHOW_ERROR)
    return error_word (text);

  return g_strdup (show == CLI_SHOW_TYPE ? type_word (text) : text);
}

JsonNode *
cli_field_to_json (const CliField *field, CliRow *row)
{
  GVariant *value = cli_row_get (row, field->field);

  if (value == NULL)
    return cli_json_string (NULL);

  if (has_string (value)) {
    g_autofree char *text = string_to_show (field->show, g_variant_get_string (value, NULL));

    return cli_json_string (text);
  }

  if (field->show == CLI_SHOW_TIME && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    return cli_json_time (g_variant_get_uint64 (value));

  return cli_json_from_variant (value, NULL);
}

JsonObject *
cli_fields_to_json (const CliField *fields, CliRow *row)
{
  JsonObject *object = json_object_new ();

  for (; fields->key != NULL; fields++)
    json_object_set_member (object, fields->key, cli_field_to_json (fields, row));

  return object;
}

JsonArray *
cli_fields_to_json_array (const CliField *fields, GPtrArray *rows)
{
  JsonArray *array = json_array_sized_new (rows->len);

  for (guint i = 0; i < rows->len; i++)
    json_array_add_object_element (array, cli_fields_to_json (fields, rows->pdata[i]));

  return array;
}

static char *
time_to_text (guint64 time_us, gint64 now_us, gboolean brief)
{
  g_autofree char *local = cli_text_time_local (time_us);
  g_autofree char *relative = NULL;

  if (local == NULL)
    return g_strdup ("");
  relative = cli_text_relative ((gint64) time_us, now_us);

  return brief ? g_steal_pointer (&relative) : g_strdup_printf ("%s (%s)", local, relative);
}

static char *value_to_text (GVariant *value, const char *key, gint64 now_us);

static char *
dictionary_to_text (GVariant *value, gint64 now_us)
{
  GString *out = g_string_new (NULL);
  GVariantIter iter;
  GVariant *entry;

  g_variant_iter_init (&iter, value);
  while ((entry = g_variant_iter_next_value (&iter)) != NULL) {
    g_autoptr (GVariant) name = g_variant_get_child_value (entry, 0);
    g_autoptr (GVariant) child = g_variant_get_child_value (entry, 1);
    const char *key = g_variant_get_string (name, NULL);
    g_autofree char *text = value_to_text (child, key, now_us);

    g_string_append_printf (out, "%s%s=%s", out->len > 0 ? ", " : "", key, text);
    g_variant_unref (entry);
  }

  return g_string_free (out, FALSE);
}

static char *
value_to_text (GVariant *value, const char *key, gint64 now_us)
{
  g_autoptr (JsonNode) node = NULL;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT)) {
    g_autoptr (GVariant) child = g_variant_get_variant (value);

    return value_to_text (child, key, now_us);
  }
  if (has_string (value))
    return g_variant_dup_string (value, NULL);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    return g_strdup (g_variant_get_boolean (value) ? "yes" : "no");
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING_ARRAY)) {
    g_autofree const char **words = g_variant_get_strv (value, NULL);

    return g_strjoinv (", ", (char **) words);
  }
  if (g_variant_is_of_type (value, G_VARIANT_TYPE ("a{s*}")))
    return dictionary_to_text (value, now_us);

  /* JSON knows which numbers are times. */
  node = cli_json_from_variant (value, key);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64) && !JSON_NODE_HOLDS_NULL (node) &&
      json_node_get_value_type (node) == G_TYPE_STRING)
    return time_to_text (g_variant_get_uint64 (value), now_us, TRUE);

  return JSON_NODE_HOLDS_NULL (node) ? g_strdup ("-") : json_to_string (node, FALSE);
}

char *
cli_field_to_text (const CliField *field, CliRow *row, gint64 now_us, gboolean brief)
{
  GVariant *value = cli_row_get (row, field->field);
  g_autofree char *text = NULL;

  if (value == NULL)
    return g_strdup ("");

  if (has_string (value))
    text = string_to_show (field->show, g_variant_get_string (value, NULL));
  else if (field->show == CLI_SHOW_TIME && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    text = time_to_text (g_variant_get_uint64 (value), now_us, brief);
  else
    text = value_to_text (value, NULL, now_us);

  return cli_text_escape (text != NULL ? text : "");
}
