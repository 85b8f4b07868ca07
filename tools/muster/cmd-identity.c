/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-table.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster identity */

static CliExit
list_all (Cli *cli)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray)
    rows = cli_bus_list (cli, "identity", NULL, cli_identity_fields, !cli->json, &error);

  if (rows == NULL)
    return cli_error_report (error);
  cli_table_print_or (cli, cli_identity_fields, rows,
                      "there is no identity yet; one comes with the first account");

  return CLI_OK;
}

static CliExit
print_one (Cli *cli, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) row = cli_row_new ();

  if (!cli_bus_load (cli, path, MUSTER_INTERFACE_IDENTITY, row, &error))
    return cli_error_report (error);
  cli_table_print_one (cli, cli_identity_fields, row);

  return CLI_OK;
}

static CliExit
add (Cli *cli, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  const char *path;

  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "AddIdentity",
                        g_variant_new ("(sa{sv})", name, NULL), "(o)", &error);
  if (reply == NULL) {
    cli_error_prefix (&error, "cannot add the identity '%s'", name);
    return cli_error_report (error);
  }
  g_variant_get (reply, "(&o)", &path);

  return print_one (cli, path);
}

static CliExit
rename_identity (Cli *cli, const char *selector, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autofree char *path = cli_bus_find (cli, "identity", selector, &error);

  if (path == NULL)
    return cli_error_report (error);

  reply = cli_bus_call (cli, path, MUSTER_INTERFACE_IDENTITY, "Rename",
                        g_variant_new ("(sa{sv})", name, NULL), "()", &error);
  if (reply == NULL) {
    cli_error_prefix (&error, "cannot rename the identity '%s'", selector);
    return cli_error_report (error);
  }

  return print_one (cli, path);
}

static CliExit
remove_identity (Cli *cli, const char *selector)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GHashTable) row = cli_row_new ();
  g_autofree char *path = cli_bus_find (cli, "identity", selector, &error);

  if (path == NULL || !cli_bus_load (cli, path, MUSTER_INTERFACE_IDENTITY, row, &error))
    return cli_error_report (error);

  reply = cli_bus_call (cli, path, MUSTER_INTERFACE_IDENTITY, "Remove",
                        g_variant_new ("(a{sv})", NULL), "()", &error);
  if (reply == NULL) {
    cli_error_prefix (&error, "cannot remove the identity '%s'", selector);
    return cli_error_report (error);
  }
  if (cli->json) {
    cli_table_print_one (cli, cli_identity_fields, row);
  } else {
    g_autofree char *name = cli_text_escape (cli_row_get_string (row, "Identity.Name"));

    printf ("removed the identity '%s'\n", name);
  }

  return CLI_OK;
}

CliExit
cmd_identity (Cli *cli, char **argv)
{
  static const char *const words[] = { "list", "add", "rename", "remove", NULL };
  g_auto (GStrv) rest = NULL;
  guint n_words;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 0, 3, &rest, &status))
    return status;

  n_words = g_strv_length (rest);
  if (n_words == 0 || (n_words == 1 && g_str_equal (rest[0], "list")))
    return list_all (cli);
  if (n_words == 2 && g_str_equal (rest[0], "add"))
    return add (cli, rest[1]);
  if (n_words == 3 && g_str_equal (rest[0], "rename"))
    return rename_identity (cli, rest[1], rest[2]);
  if (n_words == 2 && g_str_equal (rest[0], "remove"))
    return remove_identity (cli, rest[1]);

  return cli_command_misused ("identity", rest[0], words);
}
