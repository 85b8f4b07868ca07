/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* Calls and messages as the commands handle them; the oldest first. @all: with those that are over. */
GPtrArray *cli_offer_list (Cli *cli, gboolean all, GError **error);

/* The one with the id @word, or whose id alone begins so; if several do, the only one of them that is
 * not over. */
CliRow *cli_offer_find (Cli *cli, const char *word, GError **error);

/* The address of the account that it reached; @known: (nullable): addresses by path, kept there. */
void cli_offer_load_address (Cli *cli, CliRow *row, GHashTable *known);

/* Whether nobody can answer it any more. */
gboolean cli_offer_is_over (CliRow *row);

G_END_DECLS
