/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store-waiting.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* Inside a transaction. */
gboolean
muster_store_change_apply (MusterStoreChange *self, MusterStoreDatabase *database, GError **error);

gboolean muster_store_change_has_events (MusterStoreChange *self);

/* Forgets the waiting rows that this change, asked for at @stamp, has made out of date. */
void muster_store_change_drop_superseded (MusterStoreChange *self,
                                          MusterStoreWaiting *waiting,
                                          guint64 stamp);

G_END_DECLS
