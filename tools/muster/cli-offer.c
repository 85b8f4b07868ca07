/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-offer.h"

#include "muster-names.h"

/* Calls and messages that came in: all, or one that somebody named. */

gboolean
cli_offer_is_over (CliRow *row)
{
  const char *state = cli_row_get_string (row, "Incoming.State");

  return !g_str_equal (state, "waiting") && !g_str_equal (state, "answering");
}

void
cli_offer_load_address (Cli *cli, CliRow *row, GHashTable *known)
{
  const char *path = cli_row_get_string (row, "Incoming.Account");
  GVariant *address = known != NULL ? g_hash_table_lookup (known, path) : NULL;

  if (address != NULL) {
    cli_row_take (row, "Account.Address", g_variant_ref (address));
    return;
  }
  /* Without an answer the account is gone, and soon the offer, too. */
  if (!g_variant_is_object_path (path) ||
      !cli_bus_load (cli, path, MUSTER_INTERFACE_ACCOUNT, row, NULL))
    return;

  address = cli_row_get (row, "Account.Address");
  if (known != NULL && address != NULL)
    g_hash_table_insert (known, g_strdup (path), g_variant_ref (address));
}

static GHashTable *
addresses_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
}

static int
compare_age (gconstpointer a, gconstpointer b)
{
  guint64 since_a = cli_row_get_number (*(CliRow **) a, "Incoming.Since");
  guint64 since_b = cli_row_get_number (*(CliRow **) b, "Incoming.Since");

  return since_a < since_b ? -1 : since_a > since_b;
}

GPtrArray *
cli_offer_list (Cli *cli, gboolean all, GError **error)
{
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "incoming", NULL, cli_incoming_fields, FALSE, error);
  g_autoptr (GHashTable) known = addresses_new ();

  if (rows == NULL)
    return NULL;

  for (guint i = rows->len; i > 0; i--) {
    CliRow *row = g_ptr_array_index (rows, i - 1);

    if (!all && cli_offer_is_over (row))
      g_ptr_array_remove_index (rows, i - 1);
    else
      cli_offer_load_address (cli, row, known);
  }
  g_ptr_array_sort (rows, compare_age);

  return g_steal_pointer (&rows);
}

CliRow *
cli_offer_find (Cli *cli, const char *word, GError **error)
{
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "incoming", NULL, cli_incoming_fields, FALSE, error);
  CliRow *found = NULL, *open = NULL;
  guint n_found = 0, n_open = 0;

  if (rows == NULL)
    return NULL;

  for (guint i = 0; i < rows->len && word[0] != '\0'; i++) {
    CliRow *row = g_ptr_array_index (rows, i);
    const char *id = cli_row_get_string (row, "Incoming.Id");

    if (!g_str_has_prefix (id, word))
      continue;
    if (g_str_equal (id, word))
      return g_hash_table_ref (row);
    found = row;
    n_found++;
    if (!cli_offer_is_over (row)) {
      open = row;
      n_open++;
    }
  }
  if (n_open == 1)
    return g_hash_table_ref (open);

  if (n_found == 0)
    g_set_error (error, CLI_ERROR, CLI_NOT_FOUND,
                 "there is no call or message '%s'; 'muster incoming --all' shows those there are",
                 word);
  else if (n_found > 1)
    g_set_error (error, CLI_ERROR, CLI_AMBIGUOUS,
                 "'%s' can mean %u calls and messages; write more of the id", word,
                 n_open > 0 ? n_open : n_found);

  return n_found == 1 ? g_hash_table_ref (found) : NULL;
}
