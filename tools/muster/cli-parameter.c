/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-parameter.h"

#include "cli-error.h"
#include "cli-text.h"

#include <string.h>

/* From "k=v" to values with types. What a value may be beyond its type is for the daemon to say: it
 * knows ranges, patterns and choices, and two judges could disagree. */

GPtrArray *
cli_parameters_new (GVariant *parameters)
{
  GPtrArray *self = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  GVariantIter iter;
  GVariant *values;

  if (parameters == NULL || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("aa{sv}")))
    return self;

  g_variant_iter_init (&iter, parameters);
  while ((values = g_variant_iter_next_value (&iter)) != NULL) {
    CliRow *row = cli_row_new ();

    cli_row_merge (row, NULL, values);
    g_ptr_array_add (self, row);
    g_variant_unref (values);
  }

  return self;
}

CliRow *
cli_parameters_find (GPtrArray *self, const char *name)
{
  for (guint i = 0; i < self->len; i++)
    if (g_str_equal (cli_row_get_string (g_ptr_array_index (self, i), "name"), name))
      return g_ptr_array_index (self, i);

  return NULL;
}

gboolean
cli_parameter_split (const char *text, char **name, char **value, GError **error)
{
  const char *equals = strchr (text, '=');

  if (equals == NULL || equals == text) {
    g_set_error (error, CLI_ERROR, CLI_USAGE,
                 "a parameter is written NAME=VALUE, which '%s' is not",
                 equals == NULL ? text : "=...");
    return FALSE;
  }
  *name = g_strndup (text, (gsize) (equals - text));
  *value = g_strdup (equals + 1);

  return TRUE;
}

static gboolean
parse_boolean (const char *text, gboolean *value)
{
  static const char *const yes[] = { "true", "yes", "on", "1", NULL };
  static const char *const no[] = { "false", "no", "off", "0", NULL };
  g_autofree char *lower = g_ascii_strdown (text, -1);

  *value = g_strv_contains (yes, lower);

  return *value || g_strv_contains (no, lower);
}

char *
cli_parameter_dup_values (CliRow *parameter)
{
  GVariant *choices = cli_row_get (parameter, "choices");

  if (choices != NULL && g_variant_is_of_type (choices, G_VARIANT_TYPE_STRING_ARRAY)) {
    g_autofree const char **words = g_variant_get_strv (choices, NULL);

    return g_strjoinv (", ", (char **) words);
  }
  if (cli_row_get (parameter, "max") != NULL)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                            cli_row_get_number (parameter, "min"),
                            cli_row_get_number (parameter, "max"));

  return NULL;
}

static void
refuse_number (CliRow *parameter, const char *text, GError **error)
{
  g_autofree char *range = cli_parameter_dup_values (parameter);

  g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is a whole number from %s, which '%s' is not",
               cli_row_get_string (parameter, "name"), range != NULL ? range : "0 to 4294967295",
               text);
}

GVariant *
cli_parameter_parse (CliRow *parameter, const char *text, GError **error)
{
  const char *name = cli_row_get_string (parameter, "name");
  const char *type = cli_row_get_string (parameter, "type");
  guint64 number;
  gboolean truth;

  if (g_str_equal (type, "s"))
    return g_variant_new_string (text);

  if (g_str_equal (type, "u")) {
    if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &number, NULL))
      return g_variant_new_uint32 ((guint32) number);
    refuse_number (parameter, text, error);
    return NULL;
  }

  if (g_str_equal (type, "b")) {
    if (parse_boolean (text, &truth))
      return g_variant_new_boolean (truth);
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is true or false, not '%s'", name, text);
    return NULL;
  }

  g_set_error (error, CLI_ERROR, CLI_FAILED,
               "'%s' is of the type '%s', which this version of muster does not know", name, type);

  return NULL;
}

static const char *
nearest_name (GPtrArray *self, const char *name, gboolean secret)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < self->len; i++) {
    CliRow *row = g_ptr_array_index (self, i);

    if (cli_row_get_boolean (row, "secret") == secret)
      g_ptr_array_add (names, (gpointer) cli_row_get_string (row, "name"));
  }
  g_ptr_array_add (names, NULL);

  return cli_text_nearest (name, (const char *const *) names->pdata);
}

gboolean
cli_parameters_check_name (GPtrArray *self,
                           const char *protocol,
                           const char *name,
                           gboolean secret,
                           GError **error)
{
  CliRow *row = cli_parameters_find (self, name);
  const char *what = secret ? "secret" : "parameter";
  const char *nearest;

  if (row != NULL && cli_row_get_boolean (row, "secret") == secret)
    return TRUE;

  if (row != NULL && secret) {
    g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is no secret; give it as a parameter: %s=VALUE",
                 name, name);
    return FALSE;
  }
  if (row != NULL) {
    g_set_error (error, CLI_ERROR, CLI_USAGE,
                 "'%s' is a secret, which everybody could read on the command line; see 'muster "
                 "help secret'",
                 name);
    return FALSE;
  }

  nearest = nearest_name (self, name, secret);
  if (nearest != NULL)
    g_set_error (error, CLI_ERROR, CLI_USAGE, "%s has no %s '%s'; did you mean '%s'?", protocol,
                 what, name, nearest);
  else
    g_set_error (error, CLI_ERROR, CLI_USAGE,
                 "%s has no %s '%s'; 'muster protocols %s' shows what it has", protocol, what, name,
                 protocol);

  return FALSE;
}

GVariant *
cli_parameters_parse (GPtrArray *self,
                      const char *protocol,
                      const char *const *words,
                      GError **error)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (NULL);

  for (; words != NULL && *words != NULL; words++) {
    g_autofree char *name = NULL;
    g_autofree char *text = NULL;
    GVariant *value;

    if (!cli_parameter_split (*words, &name, &text, error) ||
        !cli_parameters_check_name (self, protocol, name, FALSE, error))
      return NULL;
    if (g_variant_dict_contains (dict, name)) {
      g_set_error (error, CLI_ERROR, CLI_USAGE, "'%s' is given twice", name);
      return NULL;
    }
    value = cli_parameter_parse (cli_parameters_find (self, name), text, error);
    if (value == NULL)
      return NULL;
    g_variant_dict_insert_value (dict, name, value);
  }

  return g_variant_dict_end (dict);
}
