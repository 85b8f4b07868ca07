/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-account.h"
#include "cli-contact.h"
#include "cli-offer.h"
#include "cli-parameter.h"
#include "cli-presence.h"
#include "cli-text.h"
#include "commands.h"
#include "muster-names.h"

#include <stdio.h>

/* muster complete KIND [NAME]: words for the shell's completion, one a line. Says nothing when it
 * fails, and starts no daemon: somebody only pressed a key. */

static void
print_word (const char *word)
{
  /* A word with a space or worse would be several, or an attack on the terminal. */
  for (const char *p = word; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_isspace (g_utf8_get_char (p)) || cli_text_is_unsafe (g_utf8_get_char (p)))
      return;

  if (word[0] != '\0')
    puts (word);
}

static void
print_rows (GPtrArray *rows, const char *field)
{
  for (guint i = 0; rows != NULL && i < rows->len; i++)
    print_word (cli_row_get_string (g_ptr_array_index (rows, i), field));
}

/* Of the protocol @name, or of that of the account @name. */
static void
print_parameters (Cli *cli, const char *name, gboolean of_account, gboolean secret)
{
  g_autoptr (GPtrArray) parameters = NULL;
  g_autoptr (GHashTable) row = cli_row_new ();
  g_autofree char *path = of_account ? cli_bus_find (cli, "account", name, NULL) : NULL;

  if (of_account &&
      (path == NULL || !cli_bus_load (cli, path, MUSTER_INTERFACE_ACCOUNT, row, NULL)))
    return;

  parameters = cli_account_load_parameters (
    cli, of_account ? cli_row_get_string (row, "Account.Protocol") : name, NULL);
  for (guint i = 0; parameters != NULL && i < parameters->len; i++) {
    CliRow *parameter = g_ptr_array_index (parameters, i);

    if (cli_row_get_boolean (parameter, "secret") == secret)
      print_word (cli_row_get_string (parameter, "name"));
  }
}

CliExit
cmd_complete (Cli *cli, char **argv)
{
  g_autoptr (GPtrArray) rows = NULL;
  g_auto (GStrv) rest = NULL;
  CliExit status;

  if (!cli_command_parse (cli, argv, NULL, 1, 2, &rest, &status))
    return status;

  cli->no_start = TRUE;
  if (g_str_equal (rest[0], "commands")) {
    for (const CliCommand *command = cli_commands; command->name != NULL; command++)
      if (command->summary != NULL)
        puts (command->name);
  } else if (g_str_equal (rest[0], "states")) {
    for (const char *const *state = cli_states; *state != NULL; state++)
      puts (*state);
  } else if (g_str_equal (rest[0], "accounts")) {
    rows = cli_bus_list (cli, "account", NULL, cli_account_fields, TRUE, NULL);
    print_rows (rows, "Account.Address");
    print_rows (rows, "Account.Id");
  } else if (g_str_equal (rest[0], "presences")) {
    for (const char *const *presence = cli_contact_presences; *presence != NULL; presence++)
      puts (*presence);
  } else if (g_str_equal (rest[0], "contacts")) {
    rows = cli_contact_list (cli, NULL, NULL);
    print_rows (rows, "Address");
  } else if (g_str_equal (rest[0], "asking")) {
    rows = cli_contact_list (cli, g_variant_new_parsed ("{'asks': <true>}"), NULL);
    print_rows (rows, "Address");
  } else if (g_str_equal (rest[0], "identities")) {
    rows = cli_bus_list (cli, "identity", NULL, cli_identity_fields, TRUE, NULL);
    print_rows (rows, "Identity.Name");
    print_rows (rows, "Identity.Id");
  } else if (g_str_equal (rest[0], "protocols")) {
    rows = cli_bus_list (cli, "protocol", NULL, cli_protocol_fields, TRUE, NULL);
    print_rows (rows, "Protocol.Id");
  } else if (g_str_has_prefix (rest[0], "incoming")) {
    rows = cli_offer_list (cli, g_str_equal (rest[0], "incoming-all"), NULL);
    print_rows (rows, "Incoming.Id");
  } else if (g_str_equal (rest[0], "plugins")) {
    rows = cli_bus_list (cli, "plugin", NULL, cli_plugin_fields, TRUE, NULL);
    print_rows (rows, "Plugin.Name");
  } else if (rest[1] != NULL && g_str_has_prefix (rest[0], "protocol-")) {
    print_parameters (cli, rest[1], FALSE, g_str_has_suffix (rest[0], "secrets"));
  } else if (rest[1] != NULL && g_str_has_prefix (rest[0], "account-")) {
    print_parameters (cli, rest[1], TRUE, g_str_has_suffix (rest[0], "secrets"));
  }

  return CLI_OK;
}
