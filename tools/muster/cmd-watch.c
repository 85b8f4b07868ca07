/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-contact.h"
#include "cli-json.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster watch, allow, deny: what one asks of a contact. The daemon knows which account is meant. */

typedef struct {
  const char *method;
  const char *doing;       /* of errors: "cannot DOING ADDRESS" */
  const char *done;        /* after the address; NULL: what it is now says more */
  gboolean may_be_unknown; /* an account that is named takes any address */
} Wish;

static const Wish watch = { "Watch", "watch", NULL };
static const Wish unwatch = { "Unwatch", "stop watching", "is not watched any more" };
static const Wish allow = { "Authorise", "allow", "may see your presence", TRUE };
static const Wish deny = { "Authorise", "deny", "may not see your presence", TRUE };

/* JSON has the contact, or null where it is none any more. */
static void
print_done (Cli *cli, const Wish *wish, CliRow *row, const char *address)
{
  g_autofree char *safe_address = cli_text_escape (address);

  if (row != NULL && (cli->json || wish->done == NULL)) {
    cli_contact_print_one (cli, row);
  } else if (cli->json) {
    cli_json_print (cli_json_string (NULL));
  } else if (wish->done != NULL) {
    printf ("%s %s\n", safe_address, wish->done);
  }
}

/* Whether the daemon's sentence ends in "say which". */
static gboolean
asks_for_account (const Wish *wish, const GError *error)
{
  return error->code == CLI_AMBIGUOUS || (error->code == CLI_NOT_FOUND && wish->may_be_unknown);
}

static void
add_hint (GError *error)
{
  g_autofree char *message = error->message;

  error->message = g_strconcat (message, " (with --account)", NULL);
}

static CliExit
ask (Cli *cli, const Wish *wish, GVariant *arguments, const char *address, const char *account)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GHashTable) row = NULL;

  reply = cli_bus_call (cli, MUSTER_PATH, MUSTER_INTERFACE_CONTACTS, wish->method, arguments, "()",
                        &error);
  if (reply == NULL) {
    if (account == NULL && asks_for_account (wish, error))
      add_hint (error);
    cli_error_prefix (&error, "cannot %s %s%s%s", wish->doing, address,
                      account != NULL ? " with account " : "", account != NULL ? account : "");
    return cli_error_report (error);
  }

  row = cli_contact_load (cli, address, &error);
  if (error != NULL)
    return cli_error_report (error);
  print_done (cli, wish, row, address);

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
  if (rest[0][0] == '\0')
    return cli_usage ("whom? the address is empty");
  if (remove && name != NULL)
    return cli_usage ("--name is for a contact that is watched, not with --remove");
  if (!g_utf8_validate (rest[0], -1, NULL) || (name != NULL && !g_utf8_validate (name, -1, NULL)))
    return cli_usage ("addresses and names are UTF-8");

  path = cli_contact_find_account (cli, account, &error);
  if (path == NULL)
    return cli_error_report (error);
  if (remove)
    return ask (cli, &unwatch, g_variant_new ("(osa{sv})", path, rest[0], NULL), rest[0], account);

  if (name != NULL)
    g_variant_dict_insert (options, "name", "s", name);
  return ask (cli, &watch,
              g_variant_new ("(os@a{sv})", path, rest[0], g_variant_dict_end (options)), rest[0],
              account);
}

static CliExit
authorise (Cli *cli, char **argv, const Wish *wish)
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
  if (rest[0][0] == '\0')
    return cli_usage ("whom? the address is empty");
  if (!g_utf8_validate (rest[0], -1, NULL))
    return cli_usage ("addresses are UTF-8");

  path = cli_contact_find_account (cli, account, &error);
  if (path == NULL)
    return cli_error_report (error);

  return ask (cli, wish, g_variant_new ("(osba{sv})", path, rest[0], wish == &allow, NULL), rest[0],
              account);
}

CliExit
cmd_allow (Cli *cli, char **argv)
{
  return authorise (cli, argv, &allow);
}

CliExit
cmd_deny (Cli *cli, char **argv)
{
  return authorise (cli, argv, &deny);
}
