/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"

#include "cli-parameter.h"
#include "cli-table.h"
#include "muster-names.h"

/* Accounts as the commands handle them: one, all, or some named by the user. */

void
cli_account_load_identity_name (Cli *cli, CliRow *row)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) name = NULL;
  const char *identity = cli_row_get_string (row, "Account.Identity");

  if (!g_variant_is_object_path (identity))
    return;

  /* An identity that goes away meanwhile only leaves the line empty. */
  reply = cli_bus_call (cli, identity, "org.freedesktop.DBus.Properties", "Get",
                        g_variant_new ("(ss)", MUSTER_INTERFACE_IDENTITY, "Name"), "(v)", NULL);
  if (reply == NULL)
    return;
  g_variant_get (reply, "(v)", &name);
  cli_row_take (row, "Identity.Name", g_steal_pointer (&name));
}

CliRow *
cli_account_load (Cli *cli, const char *path, GError **error)
{
  g_autoptr (GHashTable) row = cli_row_new ();

  if (!cli_bus_load (cli, path, MUSTER_INTERFACE_ACCOUNT, row, error) ||
      !cli_bus_load (cli, path, MUSTER_INTERFACE_REGISTRATION, row, error))
    return NULL;

  cli_row_take (row, "Path", g_variant_new_object_path (path));
  cli_account_load_identity_name (cli, row);

  return g_steal_pointer (&row);
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  static const char *const keys[] = { "Account.Address", "Account.Protocol", "Account.Id" };
  CliRow *row_a = *(CliRow **) a, *row_b = *(CliRow **) b;
  int order = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (keys) && order == 0; i++)
    order = g_strcmp0 (cli_row_get_string (row_a, keys[i]), cli_row_get_string (row_b, keys[i]));

  return order;
}

void
cli_account_sort (GPtrArray *rows)
{
  g_ptr_array_sort (rows, compare_rows);
}

/* One list instead of a call for each account. */
static gboolean
add_identity_names (Cli *cli, GPtrArray *rows, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) identities = NULL;

  identities = cli_bus_list (cli, "identity", NULL, cli_identity_fields, TRUE, error);
  if (identities == NULL)
    return FALSE;

  for (guint i = 0; i < identities->len; i++) {
    CliRow *identity = g_ptr_array_index (identities, i);
    GVariant *name = cli_row_get (identity, "Identity.Name");

    if (name != NULL)
      g_hash_table_insert (names, (gpointer) cli_row_get_string (identity, "Path"), name);
  }
  for (guint i = 0; i < rows->len; i++) {
    CliRow *row = g_ptr_array_index (rows, i);
    GVariant *name = g_hash_table_lookup (names, cli_row_get_string (row, "Account.Identity"));

    if (name != NULL)
      cli_row_take (row, "Identity.Name", g_variant_ref (name));
  }

  return TRUE;
}

GPtrArray *
cli_account_list (Cli *cli, GVariant *filter, gboolean columns_only, GError **error)
{
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "account", filter, cli_account_fields, columns_only, error);

  if (rows == NULL)
    return NULL;
  if (!columns_only && !add_identity_names (cli, rows, error))
    return NULL;
  cli_account_sort (rows);

  return g_steal_pointer (&rows);
}

GPtrArray *
cli_account_load_parameters (Cli *cli, const char *protocol, GError **error)
{
  g_autoptr (GHashTable)
    row = cli_bus_list_one (cli, "protocol", cli_protocol_fields, "Protocol.Id", protocol, error);

  return row != NULL ? cli_parameters_new (cli_row_get (row, "Protocol.Parameters")) : NULL;
}

CliExit
cli_account_each (Cli *cli,
                  char **selectors,
                  CliAccountFunc func,
                  gpointer user_data,
                  GPtrArray *done)
{
  CliExit status = CLI_OK;

  for (; *selectors != NULL; selectors++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GHashTable) row = NULL;
    g_autofree char *path = cli_bus_find (cli, "account", *selectors, &error);

    if (path != NULL)
      row = cli_account_load (cli, path, &error);
    if (row != NULL && func (cli, path, row, user_data, &error)) {
      if (done != NULL)
        g_ptr_array_add (done, g_steal_pointer (&path));
      continue;
    }

    if (status == CLI_OK)
      status = (CliExit) error->code;
    cli_error_report (error);
    if (g_error_matches (error, CLI_ERROR, CLI_NO_DAEMON))
      break;
  }

  return status;
}

CliExit
cli_account_print (Cli *cli, GPtrArray *paths)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  CliExit status = CLI_OK;

  for (guint i = 0; i < paths->len; i++) {
    g_autoptr (GError) error = NULL;
    CliRow *row = cli_account_load (cli, g_ptr_array_index (paths, i), &error);

    if (row != NULL)
      g_ptr_array_add (rows, row);
    else if (status == CLI_OK)
      status = cli_error_report (error);
  }
  if (rows->len > 0 || cli->json)
    cli_table_print (cli, cli_account_fields, rows);

  return status;
}
