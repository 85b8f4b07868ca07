/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* Inside the transaction that has just added @record to the journal, where @payload is its text: a row
 * for each of its sinks. */
gboolean muster_store_outbox_add (MusterStoreDatabase *database,
                                  const MusterEventRecord *record,
                                  const char *payload,
                                  GError **error);

/* As muster_store_read_outbox_async(). */
GPtrArray *muster_store_outbox_read (MusterStoreDatabase *database,
                                     const char *sink,
                                     const char *account,
                                     gint64 after_seq,
                                     gint64 until_seq,
                                     guint limit,
                                     GError **error);
GPtrArray *muster_store_outbox_count (MusterStoreDatabase *database, GError **error);

gboolean muster_store_outbox_remove (MusterStoreDatabase *database,
                                     const char *sink,
                                     gint64 seq,
                                     GError **error);
gboolean muster_store_outbox_remove_oldest (MusterStoreDatabase *database,
                                            const char *sink,
                                            gint64 n_events,
                                            GError **error);

G_END_DECLS
