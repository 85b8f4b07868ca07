/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

/* Inside a transaction. */
gboolean muster_store_plugin_put (MusterStoreDatabase *database,
                                  const MusterPluginRecord *record,
                                  GError **error);
gboolean muster_store_plugin_delete (MusterStoreDatabase *database,
                                     const char *plugin,
                                     const char *name_space,
                                     const char *key,
                                     GError **error);
gboolean
muster_store_plugin_forget_account (MusterStoreDatabase *database, const char *id, GError **error);
gboolean muster_store_plugin_sweep (MusterStoreDatabase *database, gint64 now_us, GError **error);

/* As muster_store_read_records_async(). */
GPtrArray *muster_store_plugin_read (MusterStoreDatabase *database,
                                     const char *plugin,
                                     const char *name_space,
                                     const char *key,
                                     const char *after_key,
                                     guint limit,
                                     gint64 now_us,
                                     GError **error);

G_END_DECLS
