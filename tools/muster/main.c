/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-command.h"
#include "cli-text.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>

/* muster: the command line tool. Finds the command; all else is in cmd-*.c. */

/* Options before the command. Returns: the command's place, 0 if there is nothing left to do */
static int
parse_leading_options (Cli *cli, char **argv, gboolean *help, CliExit *status)
{
  int i;

  *status = CLI_OK;
  for (i = 1; argv[i] != NULL && argv[i][0] == '-'; i++) {
    if (g_str_equal (argv[i], "--json")) {
      cli->json = TRUE;
    } else if (g_str_equal (argv[i], "--version")) {
      puts ("muster " PACKAGE_VERSION);
      return 0;
    } else if (g_str_equal (argv[i], "--help") || g_str_equal (argv[i], "-h")) {
      *help = TRUE;
    } else {
      *status = cli_usage ("there is no option '%s'; 'muster help' shows what there is", argv[i]);
      return 0;
    }
  }

  if (argv[i] == NULL) {
    if (*help)
      cli_command_print_overview ();
    else
      *status = cli_usage ("which command? 'muster help' lists them");
    return 0;
  }

  return i;
}

static CliExit
run (Cli *cli, char **argv)
{
  const CliCommand *command;
  g_auto (GStrv) words = NULL;
  gboolean help = FALSE;
  CliExit status;
  int first;

  /* D-Bus carries nothing else. */
  for (char **word = argv; *word != NULL; word++)
    if (!g_utf8_validate (*word, -1, NULL))
      return cli_usage ("the arguments are not UTF-8");

  first = parse_leading_options (cli, argv, &help, &status);
  if (first == 0)
    return status;

  command = cli_command_find (argv[first]);
  if (command == NULL)
    return cli_command_unknown (argv[first]);
  if (help)
    return cli_command_explain (cli, command);
  words = g_strdupv (argv + first);

  return command->run (cli, words);
}

int
main (int argc, char *argv[])
{
  Cli cli = { NULL };
  CliExit status;

  setlocale (LC_ALL, "");
  g_set_prgname ("muster");

  status = run (&cli, argv);
  g_clear_object (&cli.connection);

  /* A full disk must not look like success. */
  errno = 0;
  if ((fflush (stdout) != 0 || ferror (stdout)) && status == CLI_OK) {
    cli_usage ("cannot write the output: %s", g_strerror (errno));
    status = CLI_FAILED;
  }

  return (int) status;
}
