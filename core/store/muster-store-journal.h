/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* The newest that are kept. */
#define MUSTER_STORE_JOURNAL_MAX 10000

/* Whether @record has what an event needs. Its number is given by the journal. */
gboolean muster_store_journal_accepts (const MusterEventRecord *record);

/* Inside a transaction; now and then also removes the oldest. */
gboolean muster_store_journal_add (MusterStoreDatabase *database,
                                   const MusterEventRecord *record,
                                   GError **error);

/* A #MusterStoreReadRow: a #MusterEventRecord of seq, seq, time_us, type, account and payload. */
gpointer muster_store_journal_read_row (sqlite3_stmt *row, char **reason, gpointer user_data);

/* As muster_store_read_events_async(). */
GPtrArray *muster_store_journal_read (MusterStoreDatabase *database,
                                      gint64 before_seq,
                                      const char *account,
                                      const char *type_prefix,
                                      guint limit,
                                      GError **error);

G_END_DECLS
