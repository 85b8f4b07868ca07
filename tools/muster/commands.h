/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-command.h"

G_BEGIN_DECLS

/* What `muster plugin` was told; each option belongs to one of its words. */
typedef struct {
  char *dir;
  char *protocol;
  char *address;
  char *checks;
  GStrv set;
  GStrv secret_fd;
  int real_io_ms;
  gboolean tap;
} CliPluginOptions;

/* One file each: cmd-NAME.c. argv[0] is the command's name. */
CliExit cmd_add (Cli *cli, char **argv);
CliExit cmd_agent (Cli *cli, char **argv);
CliExit cmd_allow (Cli *cli, char **argv); /* in cmd-watch.c */
CliExit cmd_bindings (Cli *cli, char **argv);
CliExit cmd_complete (Cli *cli, char **argv);
CliExit cmd_connect (Cli *cli, char **argv); /* in cmd-enable.c */
CliExit cmd_contacts (Cli *cli, char **argv);
CliExit cmd_debug (Cli *cli, char **argv);
CliExit cmd_deny (Cli *cli, char **argv);       /* in cmd-watch.c */
CliExit cmd_disconnect (Cli *cli, char **argv); /* in cmd-enable.c */
CliExit cmd_disable (Cli *cli, char **argv);    /* in cmd-enable.c */
CliExit cmd_enable (Cli *cli, char **argv);
CliExit cmd_events (Cli *cli, char **argv);
CliExit cmd_explain (Cli *cli, char **argv);
CliExit cmd_export (Cli *cli, char **argv);
CliExit cmd_help (Cli *cli, char **argv);
CliExit cmd_identity (Cli *cli, char **argv);
CliExit cmd_import (Cli *cli, char **argv);
CliExit cmd_incoming (Cli *cli, char **argv);
CliExit cmd_list (Cli *cli, char **argv);
CliExit cmd_log (Cli *cli, char **argv);
CliExit cmd_monitor (Cli *cli, char **argv);
CliExit cmd_plugin (Cli *cli, char **argv);
CliExit cmd_plugin_new (const CliPluginOptions *options, const char *name);
CliExit cmd_plugin_try (Cli *cli, const CliPluginOptions *options, const char *file);
CliExit cmd_presence (Cli *cli, char **argv);
CliExit cmd_protocols (Cli *cli, char **argv);
CliExit cmd_refresh (Cli *cli, char **argv);
CliExit cmd_remove (Cli *cli, char **argv);
CliExit cmd_retry (Cli *cli, char **argv);
CliExit cmd_secret (Cli *cli, char **argv);
CliExit cmd_set (Cli *cli, char **argv);
CliExit cmd_show (Cli *cli, char **argv);
CliExit cmd_status (Cli *cli, char **argv);
CliExit cmd_test (Cli *cli, char **argv);
CliExit cmd_unlock (Cli *cli, char **argv);
CliExit cmd_verify (Cli *cli, char **argv);
CliExit cmd_watch (Cli *cli, char **argv);

G_END_DECLS
