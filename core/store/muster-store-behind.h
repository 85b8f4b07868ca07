/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* Something else to be written behind, in the order of the events: rows of the outbox that are done
 * with, and plugins' records. */
typedef struct _MusterStoreBehind MusterStoreBehind;

MusterStoreBehind *muster_store_behind_new_ack (const char *sink, gint64 seq);
MusterStoreBehind *muster_store_behind_new_drop (const char *sink, guint n_events);
MusterStoreBehind *muster_store_behind_new_put (MusterPluginRecord *record); /* taken */
MusterStoreBehind *
muster_store_behind_new_delete (const char *plugin, const char *name_space, const char *key);
MusterStoreBehind *muster_store_behind_new_sweep (gint64 now_us);
void muster_store_behind_free (MusterStoreBehind *self);

gsize muster_store_behind_get_size (const MusterStoreBehind *self); /* in bytes, about */

/* Inside a transaction. */
gboolean muster_store_behind_apply (const MusterStoreBehind *self,
                                    MusterStoreDatabase *database,
                                    GError **error);

G_END_DECLS
