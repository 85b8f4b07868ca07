/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An object's properties by INTERFACE.NAME, as Manager.List names them: "Registration.State". Names
 * and values belong to the table. */
typedef GHashTable CliRow;

CliRow *cli_row_new (void);
/* @values: an a{sv}. @interface: what to put before its names, NULL if it is there already. Returns:
 * whether anything became different. */
gboolean cli_row_merge (CliRow *self, const char *interface, GVariant *values);
void cli_row_take (CliRow *self, const char *field, GVariant *value);

/* (nullable), or "", FALSE, 0 where the field is not there or of another type. */
GVariant *cli_row_get (CliRow *self, const char *field);
const char *cli_row_get_string (CliRow *self, const char *field);
gboolean cli_row_get_boolean (CliRow *self, const char *field);
guint64 cli_row_get_number (CliRow *self, const char *field);

/* What the interface is called in field names: its last word; NULL for those of others. */
const char *cli_row_interface (const char *dbus_interface);

/* The last part of an object path; "" for none. */
const char *cli_path_id (const char *path);

G_END_DECLS
