/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* The presences, for words that are to be completed or mended; NULL-terminated. */
extern const char *const cli_presences[];

/* (nullable): the one of @names that somebody who says @word means. */
const char *cli_presence_nearest (const char *word, const char *const *names);

/* (element-type CliRow): the identities, or the one at @path, as cli_presence_fields */
GPtrArray *cli_presence_load (Cli *cli, const char *path, GError **error);

/* (element-type CliRow): the accounts that can tell their service a presence, by address; @identity
 * (nullable): only those of the one at that path */
GPtrArray *cli_publication_load (Cli *cli, const char *identity, GError **error);

/* For people: what the identity shows and its layers; and its accounts among @publications (nullable). */
void cli_presence_print (CliRow *identity, GPtrArray *publications);

/* As JSON: the same; without @publications nothing of accounts. */
JsonObject *cli_presence_to_json (CliRow *identity, GPtrArray *publications);

G_END_DECLS
