/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-command.h"

#include "cli-text.h"
#include "cli-wait.h"
#include "commands.h"

#include <stdio.h>

/* The table of commands, and what they have in common before they act. */

#define SELECTORS "An ACCOUNT is an address, an id, or a beginning that only one address or id has."

const CliCommand cli_commands[] = {
  { "list", "", "list the accounts", NULL, cmd_list },
  { "show", "ACCOUNT", "show all about an account", SELECTORS, cmd_show },
  { "explain", "ACCOUNT", "say why an account is registered or not",
    "Prints the chain of conditions. The first that does not hold is what is in the way.",
    cmd_explain },
  { "add", "[PROTOCOL] ADDRESS", "add an account",
    "Without a protocol it is the one whose addresses look like that, if there is only one. Asks\n"
    "for the password on a terminal. Secrets never stand on the command line: they are read from\n"
    "a descriptor (--password-fd 3 3<FILE) or from standard input (--secret password=-).",
    cmd_add },
  { "test", "[PROTOCOL] ADDRESS", "try whether an account would work, without adding it",
    "Registers once, takes the registration back, and says how far it came. Parameters and "
    "secrets\n"
    "are given as for 'add'.",
    cmd_test },
  { "set", "ACCOUNT [NAME=VALUE...]", "change an account's parameters", SELECTORS, cmd_set },
  { "secret", "ACCOUNT NAME [-]", "store or forget a secret of an account",
    "Asks on a terminal; '-' reads standard input.", cmd_secret },
  { "agent", "[list | answer REQUEST [-]]", "answer what accounts wait for",
    "Asks on the terminal whatever comes up until it is interrupted; or shows and answers single "
    "requests.",
    cmd_agent },
  { "incoming",
    "[list | show ID | accept ID | decline ID | busy ID | redirect ID ADDRESS | handlers]",
    "show and answer calls and messages",
    "An ID may be shortened to a beginning that only one has, or only one of those that wait. A "
    "call\n"
    "that is accepted is handed over: to an address of its protocol, or to the application that\n"
    "registered last to take such; handlers lists those. A message is accepted when somebody has "
    "seen\n"
    "it. busy refuses a call here only, decline on the other devices, too.",
    cmd_incoming },
  { "enable", "ACCOUNT...", "have accounts registered", SELECTORS, cmd_enable },
  { "disable", "ACCOUNT...", "unregister accounts, but keep them", SELECTORS, cmd_disable },
  { "connect", "ACCOUNT...", "end what 'disconnect' began", SELECTORS, cmd_connect },
  { "disconnect", "ACCOUNT...", "unregister accounts for this session, but leave them enabled",
    SELECTORS, cmd_disconnect },
  { "refresh", "ACCOUNT...", "extend registrations now", SELECTORS, cmd_refresh },
  { "verify", "ACCOUNT...", "find out whether others reach accounts",
    "Has something sent to each account from outside, and says whether it arrived.", cmd_verify },
  { "retry", "ACCOUNT...", "end the wait for a retry", SELECTORS, cmd_retry },
  { "bindings", "ACCOUNT", "list where a service reaches an account's devices, or remove them",
    "What is removed is a device's to make anew; the account's own comes back by itself.",
    cmd_bindings },
  { "remove", "ACCOUNT...", "unregister and forget accounts", SELECTORS, cmd_remove },
  { "export", "[ACCOUNT...]", "write accounts, without their secrets, as a JSON document", NULL,
    cmd_export },
  { "import", "FILE", "add the accounts of such a document that are not there yet",
    "'-' is standard input. Accounts that are there already stay as they are; secrets are given "
    "with\n"
    "'muster secret' afterwards.",
    cmd_import },
  { "monitor", "[ACCOUNT...]", "watch accounts until interrupted",
    "On a terminal a table that is kept up to date, elsewhere a line for each change.",
    cmd_monitor },
  { "contacts", "", "list whom the accounts watch, and who asks to watch you",
    "The presence is the best that the accounts see: who is likely to answer first. Accounts that "
    "are\n"
    "not registered are marked (off); what only they knew is unknown now.",
    cmd_contacts },
  { "watch", "ADDRESS", "watch somebody's presence",
    "Without --account it is the only one that can: registered, and if there are several, at the "
    "same\n"
    "host as the address.",
    cmd_watch },
  { "allow", "ADDRESS", "let somebody see your presence",
    "Without --account it is the account that was asked.", cmd_allow },
  { "deny", "ADDRESS", "let somebody not see your presence",
    "Without --account it is the account that was asked, or else that has it as a contact.",
    cmd_deny },
  { "log", "[ACCOUNT]", "print the journal, newest last", NULL, cmd_log },
  { "events", "", "follow what happens until interrupted", NULL, cmd_events },
  { "identity", "[list | add NAME | rename IDENTITY NAME | remove IDENTITY]",
    "list, add, rename or remove identities", NULL, cmd_identity },
  { "presence", "[PRESENCE]", "show what you show to others, or change it",
    "A PRESENCE is available, chat (would like to be called), away, xa (away for longer), dnd (not "
    "to\n"
    "be disturbed), invisible or offline. Without one, prints what each identity shows, the layers "
    "it\n"
    "comes from, and what the services of its accounts were told.",
    cmd_presence },
  { "protocols", "[PROTOCOL]", "list the protocols, or one's parameters", NULL, cmd_protocols },
  { "plugin", "[list | show NAME | resume NAME | new NAME | try FILE]",
    "list, show or resume plugins, begin or try one",
    "A plugin that crashed the daemon twice within ten minutes is suspended until it is resumed.\n"
    "new writes the folder of a new plugin from the sample, which works at once.\n"
    "try does with a plugin's file what the daemon does, without the daemon and without waiting,\n"
    "and says whether it keeps its contract.",
    cmd_plugin },
  { "status", "", "show how the daemon is, and what waits for you", NULL, cmd_status },
  { "debug", "", "follow what the daemon logs until interrupted",
    "The daemon logs more for as long as somebody follows.", cmd_debug },
  { "unlock", "", "look for the key of the secrets, and unlock the keyring",
    "The keyring asks for its password itself. Nothing else that muster does makes it ask.",
    cmd_unlock },
  { "help", "[COMMAND]", "explain a command", NULL, cmd_help },
  { "complete", "KIND [NAME]", NULL, NULL, cmd_complete },
  { NULL },
};

const CliCommand *
cli_command_find (const char *name)
{
  for (const CliCommand *command = cli_commands; command->name != NULL; command++)
    if (g_str_equal (command->name, name))
      return command;

  return NULL;
}

CliExit
cli_command_unknown (const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *nearest;

  for (const CliCommand *command = cli_commands; command->name != NULL; command++)
    if (command->summary != NULL)
      g_ptr_array_add (names, (gpointer) command->name);
  g_ptr_array_add (names, NULL);

  nearest = cli_text_nearest (name, (const char *const *) names->pdata);
  if (nearest != NULL)
    return cli_usage ("there is no command '%s'; did you mean '%s'?", name, nearest);

  return cli_usage ("there is no command '%s'; 'muster help' lists them", name);
}

CliExit
cli_command_misused (const char *name, const char *word, const char *const *words)
{
  const CliCommand *command = cli_command_find (name);
  const char *nearest = NULL;

  if (word != NULL && !g_strv_contains (words, word))
    nearest = cli_text_nearest (word, words);
  if (nearest != NULL)
    return cli_usage ("there is no 'muster %s %s'; did you mean '%s'?", name, word, nearest);

  return cli_usage ("usage: muster %s %s; see 'muster help %s'", name, command->arguments, name);
}

void
cli_command_print_overview (void)
{
  puts ("Usage: muster [--json] COMMAND [ARGUMENT...]\n");
  for (const CliCommand *command = cli_commands; command->name != NULL; command++)
    if (command->summary != NULL)
      printf ("  %-10s %s\n", command->name, command->summary);
  puts ("\n'muster help COMMAND' explains one; muster(1) explains all.");
}

CliExit
cli_command_explain (Cli *cli, const CliCommand *command)
{
  g_auto (GStrv) words = g_new0 (char *, 3); /* a command may change its words */

  words[0] = g_strdup (command->name);
  words[1] = g_strdup ("--help");

  return command->run (cli, words);
}

static void
print_help (const CliCommand *command, GOptionContext *context)
{
  g_autofree char *help = NULL;
  g_autoptr (GString) text = NULL;

  g_option_context_set_summary (context, command->description);
  help = g_option_context_get_help (context, TRUE, NULL);
  text = g_string_new (help);
  /* GOption cannot say that a value may be left out; the columns stay where they are. */
  g_string_replace (text, "--wait=SECONDS  ", "--wait[=SECONDS]", 0);
  fputs (text->str, stdout);
}

static GOptionContext *
make_context (const CliCommand *command, const GOptionEntry *entries, const GOptionEntry *common)
{
  g_autofree char *name = g_strdup_printf ("muster %s", command->name);
  GOptionContext *context = g_option_context_new (command->arguments);

  g_set_prgname (name);
  g_option_context_set_help_enabled (context, FALSE);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_main_entries (context, common, NULL);

  return context;
}

/* Drops the "--" that GOption leaves before a word with a dash. */
static GStrv
take_rest (GStrv argv)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean seen = FALSE;

  for (char **word = argv + 1; *word != NULL; word++) {
    if (!seen && g_str_equal (*word, "--"))
      seen = TRUE;
    else
      g_strv_builder_add (builder, *word);
  }

  return g_strv_builder_end (builder);
}

gboolean
cli_command_parse (Cli *cli,
                   char **argv,
                   const GOptionEntry *entries,
                   guint min_rest,
                   guint max_rest,
                   GStrv *rest,
                   CliExit *status)
{
  const CliCommand *command = cli_command_find (argv[0]);
  gboolean help = FALSE;
  const GOptionEntry common[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &cli->json, "Print JSON with true types", NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &help, "Explain this command", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = make_context (command, entries, common);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = g_strdupv (argv);
  g_auto (GStrv) left = NULL;

  *status = CLI_OK;
  if (!g_option_context_parse_strv (context, &words, &error)) {
    *status = cli_usage ("%s; see 'muster help %s'", error->message, command->name);
    return FALSE;
  }
  if (help) {
    print_help (command, context);
    return FALSE;
  }

  left = take_rest (words);
  if (g_strv_length (left) < min_rest || g_strv_length (left) > max_rest) {
    *status = cli_usage ("usage: muster %s%s%s; see 'muster help %s'", command->name,
                         command->arguments[0] != '\0' ? " " : "", command->arguments,
                         command->name);
    return FALSE;
  }
  *rest = g_steal_pointer (&left);

  return TRUE;
}

static gboolean
is_seconds (const char *word)
{
  guint seconds;

  return word != NULL && cli_text_parse_seconds (word, &seconds, NULL);
}

gboolean
cli_command_complete_wait (char **argv, CliExit *status)
{
  for (char **word = argv; *word != NULL && !g_str_equal (*word, "--"); word++) {
    gboolean in_full = g_str_equal (*word, "--wait");

    if (!in_full && !g_str_equal (*word, "-w"))
      continue;
    if (!in_full && is_seconds (word[1])) /* as short options have it */
      continue;
    if (is_seconds (word[1])) {
      *status = cli_usage ("to wait for %s seconds, write --wait=%s; if '%s' is an account, "
                           "write it before --wait",
                           word[1], word[1], word[1]);
      return FALSE;
    }
    g_free (*word);
    *word = g_strdup_printf ("--wait=%d", CLI_WAIT_DEFAULT_S);
  }

  return TRUE;
}
