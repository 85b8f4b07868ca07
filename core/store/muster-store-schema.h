/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"

G_BEGIN_DECLS

/* What data/schema/001-initial.sql sets. */
#define MUSTER_STORE_APPLICATION_ID 0x4d737472

/* The newest version that this build knows. */
guint muster_store_schema_get_latest (void);

/* Brings the database from @version to the latest, each step in a transaction of its own. */
gboolean muster_store_schema_migrate (MusterStoreDatabase *database, guint version, GError **error);

/* Whether all tables and columns that we use are there. */
gboolean muster_store_schema_check (MusterStoreDatabase *database, GError **error);

G_END_DECLS
