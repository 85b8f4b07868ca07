/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* Rows for people: the columns of @fields that are not empty everywhere, aligned, coloured by state.
 * Returns: (element-type utf8): the heading and a line for each row, cut to @max_width columns
 * (0: not cut) */
GPtrArray *cli_table_lines (const CliField *fields,
                            GPtrArray *rows,
                            gint64 now_us,
                            guint max_width,
                            gboolean colours);

/* Prints @rows as a table (nothing if there are none), or with --json as an array. */
void cli_table_print (Cli *cli, const CliField *fields, GPtrArray *rows);

/* Prints one thing: a line for each field that has something to say, or with --json an object. */
void cli_table_print_one (Cli *cli, const CliField *fields, CliRow *row);

G_END_DECLS
