/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-contact.h"

#include "cli-table.h"
#include "cli-text.h"
#include "muster-names.h"

#include <string.h>

/* Contacts as the commands handle them: rows of Contacts.List, which are no objects. */

#define PAGE_ROWS 500

/* Ours, beside what the daemon says. */
#define ACCOUNTS "contact.accounts"
#define NOTE     "contact.note"

const char *const cli_contact_presences[] = { "chat",      "available", "away",    "xa", "dnd",
                                              "invisible", "offline",   "unknown", NULL };

static const CliField people_fields[] = {
  { "address", "address", "Address", "s", CLI_SHOW_TEXT, 1 },
  { "name", "name", "Name", "s", CLI_SHOW_TEXT, 2 },
  { "presence", "presence", "Presence", "s", CLI_SHOW_TEXT, 1 },
  { "since", "since", "Since", "t", CLI_SHOW_TIME, 5 },
  { "accounts", "account", ACCOUNTS, "s", CLI_SHOW_TEXT, 6 },
  { "note", "note", NOTE, "s", CLI_SHOW_TEXT, 3 },
  { "text", "text", "Text", "s", CLI_SHOW_TEXT, 4 }, /* last: it may be long */
  { NULL },
};

/* for people */

static char *
describe_note (CliRow *row)
{
  const char *state = cli_row_get_string (row, "State");
  const char *said = g_str_equal (state, "pending")  ? "has not answered yet"
                     : g_str_equal (state, "denied") ? "does not let you see it"
                     : g_str_equal (state, "none")   ? "is not watched"
                                                     : "";
  const char *asks = cli_row_get_boolean (row, "Asks") ? "asks to see you" : "";

  return g_strdup_printf ("%s%s%s", asks, *asks != '\0' && *said != '\0' ? ", " : "", said);
}

/* One of the daemon's dictionaries, with the names and values that JSON has elsewhere. */
static GVariant *
rename_keys (GVariant *entry)
{
  GVariantDict dict;
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_dict_init (&dict, NULL);
  g_variant_iter_init (&iter, entry);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autofree char *key = cli_text_kebab (name);

    if (g_variant_is_of_type (value, G_VARIANT_TYPE_OBJECT_PATH))
      g_variant_dict_insert (&dict, key, "s", cli_path_id (g_variant_get_string (value, NULL)));
    else if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) &&
             *g_variant_get_string (value, NULL) == '\0')
      g_variant_dict_insert (&dict, key, "ms", NULL);
    else
      g_variant_dict_insert_value (&dict, key, value);
    g_variant_unref (value);
  }

  return g_variant_dict_end (&dict);
}

static void
append_account (GString *names, GVariant *entry)
{
  const char *address = "";
  gboolean current = TRUE;

  g_variant_lookup (entry, "AccountAddress", "&s", &address);
  g_variant_lookup (entry, "Current", "b", &current);
  g_string_append_printf (names, "%s%s%s", names->len > 0 ? ", " : "", address,
                          current ? "" : " (off)");
}

void
cli_contact_prepare (CliRow *row)
{
  GVariant *accounts = cli_row_get (row, "Accounts");
  g_autoptr (GString) names = g_string_new (NULL);
  GVariantBuilder renamed;

  g_variant_builder_init (&renamed, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0;
       accounts != NULL && g_variant_is_of_type (accounts, G_VARIANT_TYPE ("aa{sv}")) &&
       i < g_variant_n_children (accounts);
       i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (accounts, i);

    append_account (names, entry);
    g_variant_builder_add_value (&renamed, rename_keys (entry));
  }

  cli_row_take (row, NOTE, g_variant_new_take_string (describe_note (row)));
  cli_row_take (row, ACCOUNTS, g_variant_new_string (names->str));
  cli_row_take (row, "Accounts", g_variant_builder_end (&renamed));
}

void
cli_contact_print (Cli *cli, GPtrArray *rows)
{
  cli_table_print (cli, cli->json ? cli_contact_fields : people_fields, rows);
}

void
cli_contact_print_one (Cli *cli, CliRow *row)
{
  cli_table_print_one (cli, cli->json ? cli_contact_fields : people_fields, row);
}

/* the daemon */

GPtrArray *
cli_contact_list (Cli *cli, GVariant *filter, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_autoptr (GVariant)
    held = g_variant_ref_sink (filter != NULL ? filter : g_variant_new ("a{sv}", NULL));
  g_autofree char *cursor = g_strdup ("");

  do {
    g_autoptr (GVariant) reply = NULL;
    g_autoptr (GVariantIter) iter = NULL;
    g_autofree char *next = NULL;
    GVariant *values;

    reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_CONTACTS, "List",
                          g_variant_new ("(@a{sv}sua{sv})", held, cursor, (guint32) PAGE_ROWS,
                                         NULL),
                          "(aa{sv}s)", error);
    if (reply == NULL)
      return NULL;

    g_variant_get (reply, "(aa{sv}s)", &iter, &next);
    while ((values = g_variant_iter_next_value (iter)) != NULL) {
      CliRow *row = cli_row_new ();

      cli_row_merge (row, NULL, values);
      cli_contact_prepare (row);
      g_ptr_array_add (rows, row);
      g_variant_unref (values);
    }

    if (*next != '\0' && g_str_equal (next, cursor)) {
      g_set_error (error, CLI_ERROR, CLI_FAILED, "musterd's list of contacts never ends");
      return NULL;
    }
    g_free (cursor);
    cursor = g_steal_pointer (&next);
  } while (*cursor != '\0');

  return g_steal_pointer (&rows);
}

CliRow *
cli_contact_load (Cli *cli, const char *address, GError **error)
{
  g_autoptr (GVariantDict) filter = g_variant_dict_new (NULL);
  g_autoptr (GPtrArray) rows = NULL;

  g_variant_dict_insert (filter, "address", "s", address);
  rows = cli_contact_list (cli, g_variant_dict_end (filter), error);

  return rows != NULL && rows->len > 0 ? g_hash_table_ref (rows->pdata[0]) : NULL;
}

char *
cli_contact_find_account (Cli *cli, const char *selector, GError **error)
{
  return selector != NULL ? cli_bus_find (cli, "account", selector, error) : g_strdup ("/");
}
