/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"

G_BEGIN_DECLS

/* Rows found bad while a table was read, to be moved when the reading is over. */
typedef struct _MusterStoreQuarantine MusterStoreQuarantine;

/* @remove_sql: what moves a bad row out of the way; a literal that gets its rowid, or its seq */
MusterStoreQuarantine *muster_store_quarantine_new (const char *source, const char *remove_sql);
void muster_store_quarantine_free (MusterStoreQuarantine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterStoreQuarantine, muster_store_quarantine_free)

/* @row: the current row: first the rowid, then the columns of the table, the id first among them.
 * @reason is taken. */
void muster_store_quarantine_add (MusterStoreQuarantine *self, sqlite3_stmt *row, char *reason);

/* Moves them all. If it cannot, it says so in the log, and the next start will find them again. */
void muster_store_quarantine_apply (MusterStoreQuarantine *self, MusterStoreDatabase *database);

/* One row as a record, or NULL with a @reason why it is bad. */
typedef gpointer (*MusterStoreReadRow) (sqlite3_stmt *row, char **reason, gpointer user_data);

/* (element-type record): what @read_row makes of the first @limit good rows of the query @row; the bad
 * ones go into the quarantine. */
GPtrArray *muster_store_quarantine_collect (MusterStoreQuarantine *self,
                                            MusterStoreDatabase *database,
                                            sqlite3_stmt *row,
                                            guint limit,
                                            MusterStoreReadRow read_row,
                                            gpointer user_data,
                                            GDestroyNotify record_free,
                                            GError **error);

/* Reading one column: a wrong type sets @reason, unless an earlier column did already. */
const char *muster_store_column_text (sqlite3_stmt *row, int i, char **reason);
gint64 muster_store_column_int (sqlite3_stmt *row, int i, char **reason);
GVariant *muster_store_column_vardict (sqlite3_stmt *row, int i, char **reason);

G_END_DECLS
