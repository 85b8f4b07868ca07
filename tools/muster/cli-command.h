/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* A command: its words for `muster help`, and what runs it. argv[0] is its name. */
typedef struct {
  const char *name;
  const char *arguments;
  const char *summary;     /* a line; NULL hides the command */
  const char *description; /* (nullable) */
  CliExit (*run) (Cli *cli, char **argv);
} CliCommand;

extern const CliCommand cli_commands[];

const CliCommand *cli_command_find (const char *name);
CliExit cli_command_unknown (const char *name);
void cli_command_print_overview (void);

/* What was said of a command with words of its own (such as "list") is not understood: either @word,
 * (nullable), is none of @words, or something else is wrong. */
CliExit cli_command_misused (const char *name, const char *word, const char *const *words);

/* A command explains itself when it is asked: only it knows its options. */
CliExit cli_command_explain (Cli *cli, const CliCommand *command);

#define CLI_ANY_NUMBER G_MAXUINT

/* Reads a command's own options and those that all have. Returns: %FALSE if there is nothing left to
 * do; @status says how it ended. On success @rest is what is not an option. */
gboolean cli_command_parse (Cli *cli,
                            char **argv,
                            const GOptionEntry *entries,
                            guint min_rest,
                            guint max_rest,
                            GStrv *rest,
                            CliExit *status);

/* "--wait" alone and "--wait=5"; GOption would take the next word for a number of seconds. Returns:
 * %FALSE if somebody did, too, and was told; @status says how it ended. */
gboolean cli_command_complete_wait (char **argv, CliExit *status);

G_END_DECLS
