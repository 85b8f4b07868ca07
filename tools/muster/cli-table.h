/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-bus.h"

G_BEGIN_DECLS

/* Makes the columns as narrow as @max_width asks for: one after the other gives way, as their fields say.
 * @columns: (element-type CliField)
 * @widths: (element-type guint): what they would like to have; 0: not shown */
void cli_table_fit (GPtrArray *columns, GArray *widths, guint max_width);

/* Rows for people: the columns of @fields that are not empty everywhere, aligned, coloured by state.
 * Returns: (element-type utf8): the heading and a line for each row, or more where one has sentences;
 * none wider than @max_width (0: as wide as they are) */
GPtrArray *cli_table_lines (const CliField *fields,
                            GPtrArray *rows,
                            gint64 now_us,
                            guint max_width,
                            gboolean colours);

/* Prints @rows as a table as wide as the terminal (nothing if there are none), or with --json as an array. */
void cli_table_print (Cli *cli, const CliField *fields, GPtrArray *rows);

/* The same; if there are none, people at a terminal get the sentence @none. */
void cli_table_print_or (Cli *cli, const CliField *fields, GPtrArray *rows, const char *none);
void cli_table_print_none (Cli *cli, const char *none);

/* Prints one thing: a line for each field that has something to say, or with --json an object. */
void cli_table_print_one (Cli *cli, const CliField *fields, CliRow *row);

G_END_DECLS
