/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* Each is one statement, to be run inside a transaction. */

gboolean muster_store_rows_put_identity (MusterStoreDatabase *database,
                                         const MusterIdentityRecord *record,
                                         GError **error);
gboolean muster_store_rows_put_account (MusterStoreDatabase *database,
                                        const MusterAccountRecord *record,
                                        GError **error);
gboolean muster_store_rows_delete_runtime (MusterStoreDatabase *database,
                                           const char *account,
                                           GError **error);
gboolean muster_store_rows_put_sealed (MusterStoreDatabase *database,
                                       const char *account,
                                       const char *name,
                                       GBytes *sealed,
                                       GError **error);

gboolean
muster_store_rows_delete_identity (MusterStoreDatabase *database, const char *id, GError **error);
gboolean
muster_store_rows_delete_account (MusterStoreDatabase *database, const char *id, GError **error);
/* @name NULL: all of the account's */
gboolean muster_store_rows_delete_sealed (MusterStoreDatabase *database,
                                          const char *account,
                                          const char *name,
                                          GError **error);

/* Written behind: do nothing if there is no such account (any more). */
gboolean muster_store_rows_put_runtime (MusterStoreDatabase *database,
                                        const MusterRuntimeRecord *record,
                                        GError **error);
gboolean muster_store_rows_put_sealed_later (MusterStoreDatabase *database,
                                             const char *account,
                                             const char *name,
                                             GBytes *sealed,
                                             GError **error);

/* FALSE without an error: there is none. The daemon itself, "", is always there. */
gboolean
muster_store_rows_has_account (MusterStoreDatabase *database, const char *id, GError **error);
GBytes *muster_store_rows_get_sealed (MusterStoreDatabase *database,
                                      const char *account,
                                      const char *name,
                                      GError **error);

G_END_DECLS
