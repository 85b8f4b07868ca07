/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* All contacts for which @filter (an a{sv}, floating, or NULL) holds, page by page, by address. */
GPtrArray *cli_contact_list (Cli *cli, GVariant *filter, GError **error);

/* (nullable): what is known of one address; an address that is none is no error. */
CliRow *cli_contact_load (Cli *cli, const char *address, GError **error);

/* A row of Contacts.List becomes one that can be shown: the words for people beside the others. */
void cli_contact_prepare (CliRow *row);

/* A table of contacts (nothing if there are none), or with --json an array of all about them. */
void cli_contact_print (Cli *cli, GPtrArray *rows);
void cli_contact_print_one (Cli *cli, CliRow *row);

/* The path that a method takes for @selector: "/" for none. */
char *cli_contact_find_account (Cli *cli, const char *selector, GError **error);

extern const char *const cli_contact_presences[];

G_END_DECLS
