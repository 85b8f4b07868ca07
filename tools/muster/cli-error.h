/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the shell gets. These are the codes of CLI_ERROR, too: a function that fails knows how the
 * program ends. */
typedef enum {
  CLI_OK = 0,
  CLI_FAILED = 1,
  CLI_USAGE = 2,
  CLI_TIMED_OUT = 3,
  CLI_BECAME_FAILURE = 4, /* the account that we waited for needs somebody first */
  CLI_NOT_FOUND = 5,
  CLI_AMBIGUOUS = 6,
  CLI_NO_DAEMON = 7,
  CLI_REFUSED = 8,
} CliExit;

#define CLI_ERROR (cli_error_quark ())
GQuark cli_error_quark (void);

/* Replaces what GDBus said by a CLI_ERROR with a sentence for people. */
void cli_error_translate (GError **error);
CliExit cli_error_exit_for_bus_name (const char *name);

/* Prefixes the sentence, unless it is about the daemon as a whole. */
void cli_error_prefix (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Writes "muster: SENTENCE" to stderr. Returns: how the program should end. */
CliExit cli_error_report (const GError *error);
CliExit cli_usage (const char *format, ...) G_GNUC_PRINTF (1, 2);

G_END_DECLS
