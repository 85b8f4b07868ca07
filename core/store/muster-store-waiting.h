/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-behind.h"
#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

/*
 * Rows that wait to be written behind. Of each account's run-time row and of each sealed value only
 * the latest is kept. Every row carries the stamp of the moment when it was put: stamps grow over
 * all that is asked of the store, so they say what came before what.
 *
 * Not locked: its owner does that.
 */
typedef struct _MusterStoreWaiting MusterStoreWaiting;

MusterStoreWaiting *muster_store_waiting_new (void);
void muster_store_waiting_free (MusterStoreWaiting *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterStoreWaiting, muster_store_waiting_free)

gboolean muster_store_waiting_is_empty (MusterStoreWaiting *self);
guint muster_store_waiting_get_n_rows (MusterStoreWaiting *self); /* an account counts once */

void muster_store_waiting_put_runtime (MusterStoreWaiting *self,
                                       guint64 stamp,
                                       const MusterRuntimeRecord *record);
void muster_store_waiting_put_sealed (MusterStoreWaiting *self,
                                      guint64 stamp,
                                      const char *account,
                                      const char *name,
                                      GBytes *sealed);
void
muster_store_waiting_put_event (MusterStoreWaiting *self, guint64 stamp, MusterEventRecord *record);
/* In the same line as the events: what follows speaks of both. */
void muster_store_waiting_put_behind (MusterStoreWaiting *self,
                                      guint64 stamp,
                                      MusterStoreBehind *behind);

/* (transfer none) (nullable) */
GBytes *
muster_store_waiting_find_sealed (MusterStoreWaiting *self, const char *account, const char *name);

/* Forgets what was put before @stamp: of the whole account, its run-time row, or its sealed value @name
 * (%NULL: all). */
void
muster_store_waiting_drop_account (MusterStoreWaiting *self, const char *account, guint64 stamp);
void
muster_store_waiting_drop_runtime (MusterStoreWaiting *self, const char *account, guint64 stamp);
void muster_store_waiting_drop_sealed (MusterStoreWaiting *self,
                                       const char *account,
                                       const char *name,
                                       guint64 stamp);

/* Takes about @max_rows out, or all events that were put before @stamp. */
MusterStoreWaiting *muster_store_waiting_split (MusterStoreWaiting *self, guint max_rows);
MusterStoreWaiting *muster_store_waiting_split_events (MusterStoreWaiting *self, guint64 stamp);

/* Adds events (taken) that were put after all that are here. */
void muster_store_waiting_append_events (MusterStoreWaiting *self, MusterStoreWaiting *later);

/* Puts back rows that were taken out earlier (taken), unless a later one came meanwhile. */
void muster_store_waiting_merge_older (MusterStoreWaiting *self, MusterStoreWaiting *older);

/* Writes all rows, inside a transaction; keeps them. */
gboolean muster_store_waiting_write (MusterStoreWaiting *self,
                                     MusterStoreDatabase *database,
                                     GError **error);

G_END_DECLS
