/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-contact.h"
#include "commands.h"
#include "muster-names.h"

/* muster watch, allow, deny: what one asks of a contact. The daemon knows which account is meant. */

/* Asks, and shows what has become of the contact, if it is still one. */
static CliExit
ask (Cli *cli, const char *method, const char *doing, GVariant *arguments, const char *address)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GHashTable) row = NULL;

  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_CONTACTS, method, arguments, "()",
                        &error);
  if (reply == NULL) {
    cli_error_prefix (&error, "cannot %s %s", doing, address);
    return cli_error_report (error);
  }

  row = cli_contact_load (cli, address, &error);
  if (error != NULL)
    return cli_error_report (error);
  if (row != NULL)
    cli_contact_print_one (cli, row);

  return CLI_OK;
}

CliExit
cmd_watch (Cli *cli, char **argv)
{
  g_autofree char *account = NULL;
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  gboolean remove = FALSE;
  const GOptionEntry entries[] = {
    { "account", 0, 0, G_OPTION_ARG_FILENAME, &account, "With this account", "ACCOUNT" },
    { "name", 'n', 0, G_OPTION_ARG_FILENAME, &name, "What to call it", "NAME" },
    { "remove", 0, 0, G_OPTION_ARG_NONE, &remove, "Watch it no longer", NULL },
    { NULL },
  };
  g_autoptr (GVariantDict) options = g_variant_dict_new (NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 1, 1, &rest, &status))
    return status;
  if (remove && name != NULL)
    return cli_usage ("--name is for a contact that is watched, not with --remove");
  if (!g_utf8_validate (rest[0], -1, NULL) || (name != NULL && !g_utf8_validate (name, -1, NULL)))
    return cli_usage ("addresses and names are UTF-8");

  path = cli_contact_find_account (cli, account, &error);
  if (path == NULL)
    return cli_error_report (error);
  if (remove)
    return ask (cli, "Unwatch", "stop watching", g_variant_new ("(osa{sv})", path, rest[0], NULL),
                rest[0]);

  if (name != NULL)
    g_variant_dict_insert (options, "name", "s", name);
  return ask (cli, "Watch", "watch",
              g_variant_new ("(os@a{sv})", path, rest[0], g_variant_dict_end (options)), rest[0]);
}

static CliExit
authorise (Cli *cli, char **argv, gboolean allow)
{
  g_autofree char *account = NULL;
  g_autofree char *path = NULL;
  const GOptionEntry entries[] = {
    { "account", 0, 0, G_OPTION_ARG_FILENAME, &account, "That of this account", "ACCOUNT" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, entries, 1, 1, &rest, &status))
    return status;
  if (!g_utf8_validate (rest[0], -1, NULL))
    return cli_usage ("addresses are UTF-8");

  path = cli_contact_find_account (cli, account, &error);
  if (path == NULL)
    return cli_error_report (error);

  return ask (cli, "Authorise", allow ? "allow" : "deny",
              g_variant_new ("(osba{sv})", path, rest[0], allow, NULL), rest[0]);
}

CliExit
cmd_allow (Cli *cli, char **argv)
{
  return authorise (cli, argv, TRUE);
}

CliExit
cmd_deny (Cli *cli, char **argv)
{
  return authorise (cli, argv, FALSE);
}
