/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include <sqlite3.h>

G_BEGIN_DECLS

/* The one connection to the file. Used by one thread at a time: by whoever opens it, then by the
 * writer's thread, then by whoever closes it. */
typedef struct {
  sqlite3 *db;
  char *path;
  GHashTable *statements; /* SQL literal, by address -> sqlite3_stmt */
  gboolean sync_full;     /* how the connection is set at the moment */
  guint n_events_added;   /* since the journal was last pruned */
} MusterStoreDatabase;

/* Opens, checks and migrates. A damaged file is set aside and @notice says so. */
MusterStoreDatabase *muster_store_database_open (const char *path, char **notice, GError **error);
void muster_store_database_close (MusterStoreDatabase *self);

/* @durable: on the disk when commit returns. Rollback does nothing outside a transaction. */
gboolean muster_store_database_begin (MusterStoreDatabase *self, gboolean durable, GError **error);
gboolean muster_store_database_commit (MusterStoreDatabase *self, GError **error);
void muster_store_database_rollback (MusterStoreDatabase *self);

/* Gives back the memory of pages that were read or written: they are in the kernel's cache, too. */
void muster_store_database_forget_pages (MusterStoreDatabase *self);

/* Runs a script of fixed text. */
gboolean muster_store_database_script (MusterStoreDatabase *self, const char *sql, GError **error);

/* @sql must be a literal: its address is the key under which the statement is kept. @format has a
 * letter for each value: 't' a string, 'i' a #gint64, 'b' a #GBytes. All must live until the next
 * call with the same @sql. */
gboolean muster_store_database_run (MusterStoreDatabase *self,
                                    GError **error,
                                    const char *sql,
                                    const char *format,
                                    ...);
sqlite3_stmt *muster_store_database_query (MusterStoreDatabase *self,
                                           GError **error,
                                           const char *sql,
                                           const char *format,
                                           ...);

/* The next row: TRUE, or FALSE at the end and on @error; then the statement is reset. */
gboolean
muster_store_database_next (MusterStoreDatabase *self, sqlite3_stmt *statement, GError **error);

/* Gives up a query before its end. */
void muster_store_database_end (sqlite3_stmt *statement);

G_END_DECLS
