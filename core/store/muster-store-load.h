/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* On the writer's thread. Each returns an array of records that owns them. */
GPtrArray *muster_store_load_identity_rows (MusterStoreDatabase *database, GError **error);
GPtrArray *muster_store_load_account_rows (MusterStoreDatabase *database, GError **error);
GPtrArray *muster_store_load_runtime_rows (MusterStoreDatabase *database, GError **error);
GPtrArray *muster_store_load_sealed_name_rows (MusterStoreDatabase *database, GError **error);
GPtrArray *muster_store_load_quarantine_rows (MusterStoreDatabase *database, GError **error);

G_END_DECLS
