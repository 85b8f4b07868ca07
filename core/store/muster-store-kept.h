/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"

G_BEGIN_DECLS

/* Small sealed values that were read at the start, so that a fleet's secrets need not be asked of the
 * writer's thread one by one. One that is about to change is forgotten before the change is asked for,
 * and never comes back: who then asks the thread is served in order. Main thread. */
typedef struct _MusterStoreKept MusterStoreKept;

MusterStoreKept *muster_store_kept_new (void);
void muster_store_kept_free (MusterStoreKept *self);

/* Returns (transfer container): opaque values for fill. On the writer's thread. */
GPtrArray *muster_store_kept_load_rows (MusterStoreDatabase *database, GError **error);

/* Takes @values. */
void muster_store_kept_fill (MusterStoreKept *self, GPtrArray *values);

/* Returns (transfer none) (nullable) */
GBytes *muster_store_kept_peek (MusterStoreKept *self, const char *account, const char *name);

/* @name NULL: all of the account */
void muster_store_kept_forget (MusterStoreKept *self, const char *account, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterStoreKept, muster_store_kept_free)

G_END_DECLS
