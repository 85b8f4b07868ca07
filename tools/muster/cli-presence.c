/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-presence.h"

#include "cli-account.h"
#include "cli-screen.h"
#include "cli-table.h"
#include "cli-text.h"
#include "muster-names.h"

#include <stdio.h>

/* What identities show, and what the services of their accounts were told of it. */

#define INDENT 2

const char *const cli_presences[] = {
  "available", "chat", "away", "xa", "dnd", "invisible", "offline", NULL,
};

const char *
cli_presence_nearest (const char *word, const char *const *names)
{
  static const struct {
    const char *word, *presence;
  } others_words[] = {
    { "busy", "dnd" },     { "do-not-disturb", "dnd" }, { "online", "available" },
    { "on", "available" }, { "free", "available" },     { "off", "offline" },
    { "idle", "away" },    { "brb", "away" },           { "hidden", "invisible" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (others_words); i++)
    if (g_ascii_strcasecmp (word, others_words[i].word) == 0)
      return others_words[i].presence;

  return cli_text_nearest (word, names);
}

GPtrArray *
cli_presence_load (Cli *cli, const char *path, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GHashTable) row = cli_row_new ();

  if (path == NULL)
    return cli_bus_list (cli, "identity", NULL, cli_presence_fields, FALSE, error);

  if (!cli_bus_load (cli, path, MUSTER_INTERFACE_IDENTITY, row, error) ||
      !cli_bus_load (cli, path, MUSTER_INTERFACE_PRESENCE, row, error))
    return NULL;

  rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  cli_row_take (row, "Path", g_variant_new_object_path (path));
  g_ptr_array_add (rows, g_steal_pointer (&row));

  return g_steal_pointer (&rows);
}

GPtrArray *
cli_publication_load (Cli *cli, const char *identity, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  GVariant *filter = NULL;

  if (identity != NULL)
    filter = g_variant_new_parsed ("{'identity': <%o>}", identity);
  rows = cli_bus_list (cli, "account", filter, cli_publication_fields, FALSE, error);
  if (rows == NULL)
    return NULL;

  for (guint i = rows->len; i > 0; i--) {
    if (cli_row_get (rows->pdata[i - 1], "Publication.Override") == NULL)
      g_ptr_array_remove_index (rows, i - 1);
  }
  cli_account_sort (rows);

  return g_steal_pointer (&rows);
}

static GPtrArray *
accounts_of (CliRow *identity, GPtrArray *publications)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  const char *path = cli_row_get_string (identity, "Path");

  for (guint i = 0; publications != NULL && i < publications->len; i++) {
    CliRow *row = publications->pdata[i];

    if (g_str_equal (cli_row_get_string (row, "Account.Identity"), path))
      g_ptr_array_add (rows, g_hash_table_ref (row));
  }

  return rows;
}

static GPtrArray *
layers_of (CliRow *identity)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  GVariant *layers = cli_row_get (identity, "Presence.Layers");

  for (gsize i = 0; layers != NULL && i < g_variant_n_children (layers); i++) {
    g_autoptr (GVariant) layer = g_variant_get_child_value (layers, i);
    CliRow *row = cli_row_new ();

    cli_row_merge (row, NULL, layer);
    g_ptr_array_add (rows, row);
  }

  return rows;
}

static void
print_table (const CliField *fields, GPtrArray *rows)
{
  guint width = cli_screen_get_width ();
  g_autoptr (GPtrArray) lines = NULL;

  if (rows->len == 0)
    return;

  lines = cli_table_lines (fields, rows, g_get_real_time (),
                           width > INDENT ? width - INDENT : width, cli_text_colours ());
  for (guint i = 0; i < lines->len; i++)
    printf ("%*s%s\n", INDENT, "", (char *) g_ptr_array_index (lines, i));
}

void
cli_presence_print (CliRow *identity, GPtrArray *publications)
{
  g_autofree char *name = cli_text_escape (cli_row_get_string (identity, "Identity.Name"));
  g_autofree char *text = cli_text_escape (cli_row_get_string (identity, "Presence.Text"));
  guint64 until_us = cli_row_get_number (identity, "Presence.Until");
  g_autofree char *local = cli_text_time_local (until_us);
  g_autoptr (GPtrArray) layers = layers_of (identity);
  g_autoptr (GPtrArray) accounts = accounts_of (identity, publications);

  printf ("%s: %s", name, cli_row_get_string (identity, "Presence.Presence"));
  if (text[0] != '\0')
    printf (", \"%s\"", text);
  if (local != NULL)
    printf (", until %s", local);
  putchar ('\n');
  print_table (cli_layer_fields, layers);
  print_table (cli_publication_fields, accounts);
}

JsonObject *
cli_presence_to_json (CliRow *identity, GPtrArray *publications)
{
  JsonObject *object = cli_fields_to_json (cli_presence_fields, identity);
  g_autoptr (GPtrArray) layers = layers_of (identity);
  g_autoptr (GPtrArray) accounts = accounts_of (identity, publications);

  json_object_set_array_member (object, "layers",
                                cli_fields_to_json_array (cli_layer_fields, layers));
  if (publications != NULL)
    json_object_set_array_member (object, "accounts",
                                  cli_fields_to_json_array (cli_publication_fields, accounts));

  return object;
}
