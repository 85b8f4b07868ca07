/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store-kept.h"
#include "muster-store-waiting.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* Inside a transaction. */
gboolean
muster_store_change_apply (MusterStoreChange *self, MusterStoreDatabase *database, GError **error);

gboolean muster_store_change_has_events (MusterStoreChange *self);

/* Forgets what is kept of the values that this change will replace or delete. Main thread. */
void muster_store_change_forget_kept (MusterStoreChange *self, MusterStoreKept *kept);

/* Forgets the waiting rows that this change, asked for at @stamp, has made out of date. */
void muster_store_change_drop_superseded (MusterStoreChange *self,
                                          MusterStoreWaiting *waiting,
                                          guint64 stamp);

G_END_DECLS
