/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-login.h"

G_BEGIN_DECLS

/* A test of what an account would be made of: Manager.Test. */

/* @fds: the secrets, which are used up. Returns: what Manager.Test returns */
GVariant *cli_trial_run (Cli *cli, CliLogin *login, GUnixFDList *fds, GError **error);
void cli_trial_print (Cli *cli, CliLogin *login, GVariant *report);

/* Whether it worked; CLI_FAILED says where it did not. */
gboolean cli_trial_check (CliLogin *login, GVariant *report, GError **error);

G_END_DECLS
