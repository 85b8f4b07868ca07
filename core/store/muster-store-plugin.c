/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-plugin.h"

/*
 * Plugins' records. A plugin's name is part of every statement: one never sees those of another.
 */

gboolean
muster_store_plugin_put (MusterStoreDatabase *database,
                         const MusterPluginRecord *record,
                         GError **error)
{
  return muster_store_database_run (
           database, error,
           "INSERT INTO record (plugin, name_space, key, blob, expires_us, sealed, account,"
           "  written)"
           " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce ("
           "  (SELECT last_written FROM record_count WHERE plugin = ?1), 0) + 1"
           " WHERE ?7 = '' OR EXISTS (SELECT 1 FROM account WHERE id = ?7)"
           " ON CONFLICT (plugin, name_space, key) DO UPDATE SET blob = excluded.blob,"
           "  expires_us = excluded.expires_us, sealed = excluded.sealed,"
           "  account = excluded.account, written = excluded.written",
           "tttbiit", record->plugin, record->name_space, record->key, record->blob,
           record->expires_us, (gint64) record->sealed,
           record->account != NULL ? record->account : "") &&
         muster_store_database_run (
           database, error,
           "DELETE FROM record WHERE plugin = ?1"
           " AND (SELECT n FROM record_count WHERE plugin = ?1) > ?2"
           " AND written = (SELECT min (written) FROM record WHERE plugin = ?1)",
           "ti", record->plugin, (gint64) MUSTER_STORE_RECORDS_MAX);
}

gboolean
muster_store_plugin_delete (MusterStoreDatabase *database,
                            const char *plugin,
                            const char *name_space,
                            const char *key,
                            GError **error)
{
  return muster_store_database_run (
    database, error, "DELETE FROM record WHERE plugin = ? AND name_space = ? AND key = ?", "ttt",
    plugin, name_space, key);
}

/* The index has only those that are somebody's. */
gboolean
muster_store_plugin_forget_account (MusterStoreDatabase *database, const char *id, GError **error)
{
  return muster_store_database_run (database, error,
                                    "DELETE FROM record WHERE account = ? AND account <> ''", "t",
                                    id);
}

gboolean
muster_store_plugin_sweep (MusterStoreDatabase *database, gint64 now_us, GError **error)
{
  return muster_store_database_run (database, error,
                                    "DELETE FROM record WHERE expires_us > 0 AND expires_us <= ?",
                                    "i", now_us);
}

GPtrArray *
muster_store_plugin_read (MusterStoreDatabase *database,
                          const char *plugin,
                          const char *name_space,
                          const char *key,
                          const char *after_key,
                          guint limit,
                          gint64 now_us,
                          GError **error)
{
  g_autoptr (GPtrArray)
    records = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_plugin_record_free);
  g_autoptr (GError) local_error = NULL;
  sqlite3_stmt *row;

  if (key != NULL)
    row = muster_store_database_query (
      database, error,
      "SELECT key, blob, expires_us, sealed FROM record WHERE plugin = ? AND name_space = ?"
      " AND key = ? AND (expires_us = 0 OR expires_us > ?)",
      "ttti", plugin, name_space, key, now_us);
  else
    row = muster_store_database_query (
      database, error,
      "SELECT key, blob, expires_us, sealed FROM record WHERE plugin = ? AND name_space = ?"
      " AND key > ? AND (expires_us = 0 OR expires_us > ?) ORDER BY key LIMIT ?",
      "tttii", plugin, name_space, after_key, now_us, (gint64) limit);
  if (row == NULL)
    return NULL;

  /* STRICT tables hold what their columns say. */
  while (muster_store_database_next (database, row, &local_error)) {
    MusterPluginRecord *record = g_new0 (MusterPluginRecord, 1);

    record->plugin = g_strdup (plugin);
    record->name_space = g_strdup (name_space);
    record->key = g_strdup ((const char *) sqlite3_column_text (row, 0));
    record->blob = g_bytes_new (sqlite3_column_blob (row, 1),
                                (gsize) sqlite3_column_bytes (row, 1));
    record->expires_us = sqlite3_column_int64 (row, 2);
    record->sealed = sqlite3_column_int64 (row, 3) != 0;
    g_ptr_array_add (records, record);
  }

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }

  return g_steal_pointer (&records);
}
