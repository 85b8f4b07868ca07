/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-param-private.h"

#include <muster/muster-error.h>

#include <string.h>

/*
 * Checks values against a protocol's description. Messages name the parameter and what it takes,
 * never the value of a secret.
 */

#define TEXT_MAX_BYTES    4096
#define ADDRESS_MAX_BYTES 255

static gboolean
fail (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  if (error != NULL)
    *error = muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE, "%s", message);

  return FALSE;
}

/* Control characters would end up in header lines and on terminals. */
static gboolean
has_control_characters (const char *text)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return TRUE;
  }

  return FALSE;
}

/* Compiled once: the patterns are those of the plugins, and every account is checked against them. */
static GRegex *
get_regex (const char *pattern)
{
  static GHashTable *compiled;
  g_autofree char *anchored = NULL;
  GRegex *regex;

  if (compiled == NULL)
    compiled = g_hash_table_new (g_str_hash, g_str_equal);
  if (g_hash_table_lookup_extended (compiled, pattern, NULL, (gpointer *) &regex))
    return regex;

  anchored = g_strdup_printf ("^(?:%s)$", pattern);
  regex = g_regex_new (anchored, G_REGEX_DOLLAR_ENDONLY | G_REGEX_OPTIMIZE, 0, NULL);
  g_hash_table_insert (compiled, g_strdup (pattern), regex);

  return regex;
}

static gboolean
matches_pattern (const char *pattern, const char *text)
{
  GRegex *regex = get_regex (pattern);

  return regex != NULL && g_regex_match (regex, text, 0, NULL);
}

/**
 * muster_protocol_find_param:
 * @protocol: a protocol's description
 * @name: a parameter's name
 *
 * Returns: (nullable) (transfer none): the parameter
 */
const MusterParam *
muster_protocol_find_param (const MusterProtocol *protocol, const char *name)
{
  g_return_val_if_fail (protocol != NULL && name != NULL, NULL);

  for (guint i = 0; i < protocol->n_params; i++) {
    if (strcmp (protocol->params[i].name, name) == 0)
      return &protocol->params[i];
  }

  return NULL;
}

/**
 * muster_protocol_check_address:
 * @protocol: a protocol's description
 * @address: an address as a user gave it
 * @error: return location for a %MUSTER_ERROR_INVALID
 *
 * Returns: whether @address can be an address of @protocol
 */
gboolean
muster_protocol_check_address (const MusterProtocol *protocol, const char *address, GError **error)
{
  g_return_val_if_fail (protocol != NULL && address != NULL, FALSE);

  if (*address == '\0')
    return fail (error, "the address is empty; it looks like %s", protocol->address_help);
  if (strlen (address) > ADDRESS_MAX_BYTES)
    return fail (error, "the address is longer than %d bytes", ADDRESS_MAX_BYTES);
  if (!g_utf8_validate (address, -1, NULL) || has_control_characters (address))
    return fail (error, "the address holds control characters");
  if (protocol->address_pattern != NULL && !matches_pattern (protocol->address_pattern, address))
    return fail (error, "\"%s\" is not an address of %s; one looks like %s", address,
                 protocol->display_name, protocol->address_help);

  return TRUE;
}

/* "The path of a file." -> "the path of a file", but "PEM file" */
char *
muster_param_dup_clause (const MusterParam *param)
{
  char *clause;

  if (param->help == NULL || *param->help == '\0')
    return NULL;

  clause = g_strdup (param->help);
  if (g_ascii_isupper (clause[0]) && (g_ascii_islower (clause[1]) || clause[1] == ' '))
    clause[0] = g_ascii_tolower (clause[0]);
  if (g_str_has_suffix (clause, "."))
    clause[strlen (clause) - 1] = '\0';

  return clause;
}

static gboolean
check_pattern (const MusterParam *param, const char *text, GError **error)
{
  g_autofree char *clause = NULL;

  if (param->pattern == NULL || matches_pattern (param->pattern, text))
    return TRUE;

  clause = muster_param_dup_clause (param);
  if (clause == NULL)
    return fail (error, "%s cannot be \"%s\"; it has another form", param->name, text);

  return fail (error, "%s cannot be \"%s\"; it is %s", param->name, text, clause);
}

static gboolean
check_string (const MusterParam *param, const char *text, GError **error)
{
  if (strlen (text) > TEXT_MAX_BYTES)
    return fail (error, "%s is longer than %d bytes", param->name, TEXT_MAX_BYTES);
  if (has_control_characters (text))
    return fail (error, "%s holds control characters", param->name);
  if (param->choices != NULL && !g_strv_contains (param->choices, text)) {
    g_autofree char *choices = g_strjoinv (", ", (GStrv) param->choices);

    return fail (error, "%s cannot be \"%s\"; it is one of %s", param->name, text, choices);
  }

  return check_pattern (param, text, error);
}

static gboolean
check_uint (const MusterParam *param, guint32 number, GError **error)
{
  if ((param->min != 0 || param->max != 0) && (number < param->min || number > param->max))
    return fail (error, "%s cannot be %u; it is from %u to %u", param->name, number, param->min,
                 param->max);

  return TRUE;
}

/**
 * muster_param_check:
 * @param: a parameter's description
 * @value: a value for it
 * @error: return location for a %MUSTER_ERROR_INVALID
 *
 * Returns: whether @value has the right type and is allowed
 */
gboolean
muster_param_check (const MusterParam *param, GVariant *value, GError **error)
{
  g_return_val_if_fail (param != NULL && value != NULL, FALSE);

  switch (param->type) {
  case MUSTER_PARAM_STRING:
    if (!g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
      return fail (error, "%s is text (s), not %s", param->name, g_variant_get_type_string (value));
    return check_string (param, g_variant_get_string (value, NULL), error);
  case MUSTER_PARAM_UINT:
    if (!g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
      return fail (error, "%s is a number (u), not %s", param->name,
                   g_variant_get_type_string (value));
    return check_uint (param, g_variant_get_uint32 (value), error);
  case MUSTER_PARAM_BOOLEAN:
    if (!g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
      return fail (error, "%s is yes or no (b), not %s", param->name,
                   g_variant_get_type_string (value));
    return TRUE;
  }

  g_return_val_if_reached (FALSE);
}

/**
 * muster_param_parse:
 * @param: a parameter's description
 * @text: a value as a user or a description writes it
 * @error: return location for a %MUSTER_ERROR_INVALID
 *
 * Booleans are `yes`, `no`, `true`, `false`, `on`, `off`, `1` and `0`.
 *
 * Returns: (transfer full): the checked value, not floating
 */
GVariant *
muster_param_parse (const MusterParam *param, const char *text, GError **error)
{
  static const char *const yes[] = { "yes", "true", "on", "1", NULL };
  static const char *const no[] = { "no", "false", "off", "0", NULL };
  g_autoptr (GVariant) value = NULL;
  guint64 number;

  g_return_val_if_fail (param != NULL && text != NULL, NULL);

  switch (param->type) {
  case MUSTER_PARAM_STRING:
    if (!g_utf8_validate (text, -1, NULL)) {
      fail (error, "%s is not UTF-8 text", param->name);
      return NULL;
    }
    value = g_variant_ref_sink (g_variant_new_string (text));
    break;
  case MUSTER_PARAM_UINT:
    if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &number, NULL)) {
      fail (error, "%s is a whole number, not \"%s\"", param->name, text);
      return NULL;
    }
    value = g_variant_ref_sink (g_variant_new_uint32 ((guint32) number));
    break;
  case MUSTER_PARAM_BOOLEAN:
    if (!g_strv_contains (yes, text) && !g_strv_contains (no, text)) {
      fail (error, "%s is yes or no, not \"%s\"", param->name, text);
      return NULL;
    }
    value = g_variant_ref_sink (g_variant_new_boolean (g_strv_contains (yes, text)));
    break;
  }

  if (!muster_param_check (param, value, error))
    return NULL;

  return g_steal_pointer (&value);
}

/**
 * muster_param_dup_default:
 * @param: a parameter's description
 *
 * Returns: (nullable) (transfer full): its default, not floating; %NULL if it has none
 */
GVariant *
muster_param_dup_default (const MusterParam *param)
{
  g_autoptr (GError) error = NULL;
  GVariant *value;

  g_return_val_if_fail (param != NULL, NULL);

  if (param->default_value == NULL)
    return NULL;

  value = muster_param_parse (param, param->default_value, &error);
  if (value == NULL)
    g_critical ("the default of a parameter is not valid: %s", error->message);

  return value;
}
