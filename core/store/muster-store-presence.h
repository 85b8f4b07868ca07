/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* What a change does to presence: one row put, or deleted. */
typedef struct {
  MusterLayerRecord *layer;       /* with `deletes`, only what names it counts */
  MusterOverrideRecord *override; /* the other of the two is NULL */
  gboolean deletes;
} MusterStorePresence;

MusterStorePresence *
muster_store_presence_new_layer (const MusterLayerRecord *record, gboolean deletes);
MusterStorePresence *
muster_store_presence_new_override (const MusterOverrideRecord *record, gboolean deletes);
void muster_store_presence_free (MusterStorePresence *self);

/* Inside a transaction. */
gboolean muster_store_presence_apply (const MusterStorePresence *self,
                                      MusterStoreDatabase *database,
                                      GError **error);
gboolean muster_store_presence_forget_identity (MusterStoreDatabase *database,
                                                const char *id,
                                                GError **error);
gboolean muster_store_presence_forget_account (MusterStoreDatabase *database,
                                               const char *id,
                                               GError **error);

/* Whole tables, at start. */
GPtrArray *muster_store_presence_load_layers (MusterStoreDatabase *database, GError **error);
GPtrArray *muster_store_presence_load_overrides (MusterStoreDatabase *database, GError **error);

G_END_DECLS
