/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "cli-error.h"
#include "cli-field.h"

#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* One run of the program: what its options said, and the bus once it is needed. */
typedef struct {
  GDBusConnection *connection;
  gboolean json;
  gboolean no_start; /* do not have the bus start the daemon */
  gboolean patient;  /* a person has to answer first: wait as long as it takes */
} Cli;

/* All calls wait for the answer, and fail with a CLI_ERROR. */
GDBusConnection *cli_bus_get (Cli *self, GError **error);
GVariant *cli_bus_call (Cli *self,
                        const char *path,
                        const char *interface,
                        const char *method,
                        GVariant *arguments,
                        const char *reply_type,
                        GError **error);
GVariant *cli_bus_call_with_fds (Cli *self,
                                 const char *path,
                                 const char *interface,
                                 const char *method,
                                 GVariant *arguments,
                                 GUnixFDList *fds,
                                 const char *reply_type,
                                 GError **error);

/* All properties of @interface (its whole name) of @path, put into @row. */
gboolean
cli_bus_load (Cli *self, const char *path, const char *interface, CliRow *row, GError **error);

/* What @selector means among the accounts or identities. Returns: an object path */
char *cli_bus_find (Cli *self, const char *kind, const char *selector, GError **error);

/* All objects of @kind for which @filter (an a{sv}, floating, or NULL) holds, page by page; of each
 * the @fields, or only those that are columns. Returns: an array of CliRow, with "Path" */
GPtrArray *cli_bus_list (Cli *self,
                         const char *kind,
                         GVariant *filter,
                         const CliField *fields,
                         gboolean columns_only,
                         GError **error);

/* The one whose @field is @value; fails with "no KIND ...". */
CliRow *cli_bus_list_one (Cli *self,
                          const char *kind,
                          const CliField *fields,
                          const char *field,
                          const char *value,
                          GError **error);

G_END_DECLS
