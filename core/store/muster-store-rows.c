/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-rows.h"

#include "muster-store-plugin.h"
#include "muster-store-presence.h"

/*
 * The SQL that writes and reads single rows. Whole tables are read in muster-store-load.c, the
 * journal in muster-store-journal.c.
 */

gboolean
muster_store_rows_put_identity (MusterStoreDatabase *database,
                                const MusterIdentityRecord *record,
                                GError **error)
{
  return muster_store_database_run (
    database, error,
    "INSERT INTO identity (id, name, created_us, modified_us) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, created_us = excluded.created_us,"
    "  modified_us = excluded.modified_us",
    "ttii", record->id, record->name, record->created_us, record->modified_us);
}

gboolean
muster_store_rows_put_account (MusterStoreDatabase *database,
                               const MusterAccountRecord *record,
                               GError **error)
{
  g_autofree char *params = g_variant_print (record->params, TRUE);

  return muster_store_database_run (
    database, error,
    "INSERT INTO account (id, identity, protocol, address, name, enabled, params, created_us,"
    "  modified_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET identity = excluded.identity, protocol = excluded.protocol,"
    "  address = excluded.address, name = excluded.name, enabled = excluded.enabled,"
    "  params = excluded.params, created_us = excluded.created_us,"
    "  modified_us = excluded.modified_us",
    "tttttitii", record->id, record->identity, record->protocol, record->address, record->name,
    (gint64) record->enabled, params, record->created_us, record->modified_us);
}

gboolean
muster_store_rows_put_sealed (MusterStoreDatabase *database,
                              const char *account,
                              const char *name,
                              GBytes *sealed,
                              GError **error)
{
  return muster_store_database_run (
    database, error,
    "INSERT INTO sealed (account, name, value) VALUES (?, ?, ?)"
    " ON CONFLICT (account, name) DO UPDATE SET value = excluded.value",
    "ttb", account, name, sealed);
}

static gboolean
retire (MusterStoreDatabase *database, const char *id, GError **error)
{
  return muster_store_database_run (database, error,
                                    "INSERT OR IGNORE INTO retired (id) VALUES (?)", "t", id);
}

gboolean
muster_store_rows_delete_identity (MusterStoreDatabase *database, const char *id, GError **error)
{
  return muster_store_database_run (database, error, "DELETE FROM identity WHERE id = ?", "t",
                                    id) &&
         muster_store_presence_forget_identity (database, id, error) &&
         retire (database, id, error);
}

gboolean
muster_store_rows_delete_runtime (MusterStoreDatabase *database,
                                  const char *account,
                                  GError **error)
{
  return muster_store_database_run (database, error, "DELETE FROM runtime WHERE account = ?", "t",
                                    account);
}

/* The account may be in the quarantine: its dump goes, too. */
gboolean
muster_store_rows_delete_account (MusterStoreDatabase *database, const char *id, GError **error)
{
  return muster_store_database_run (database, error, "DELETE FROM account WHERE id = ?", "t", id) &&
         muster_store_rows_delete_runtime (database, id, error) &&
         muster_store_rows_delete_sealed (database, id, NULL, error) &&
         muster_store_presence_forget_account (database, id, error) &&
         muster_store_plugin_forget_account (database, id, error) &&
         muster_store_database_run (
           database, error,
           "DELETE FROM quarantine WHERE id = ?"
           " AND source IN ('account', 'runtime', 'sealed', 'presence_override')",
           "t", id) &&
         retire (database, id, error);
}

gboolean
muster_store_rows_delete_sealed (MusterStoreDatabase *database,
                                 const char *account,
                                 const char *name,
                                 GError **error)
{
  if (name == NULL)
    return muster_store_database_run (database, error, "DELETE FROM sealed WHERE account = ?", "t",
                                      account);

  return muster_store_database_run (database, error,
                                    "DELETE FROM sealed WHERE account = ? AND name = ?", "tt",
                                    account, name);
}

/* Written behind. The account is there: whoever calls has looked, so that these are the plain
 * statements for which SQLite needs no journal of their own. */

gboolean
muster_store_rows_put_runtime (MusterStoreDatabase *database,
                               const MusterRuntimeRecord *record,
                               GError **error)
{
  return muster_store_database_run (
    database, error,
    "INSERT INTO runtime (account, state, registered_at_us, expires_at_us, refresh_at_us, attempt,"
    "  proof)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    " ON CONFLICT (account) DO UPDATE SET state = ?2, registered_at_us = ?3, expires_at_us = ?4,"
    "  refresh_at_us = ?5, attempt = ?6, proof = ?7",
    "ttiiiii", record->account, record->state, record->registered_at_us, record->expires_at_us,
    record->refresh_at_us, (gint64) record->attempt, (gint64) record->proof);
}

gboolean
muster_store_rows_put_sealed_later (MusterStoreDatabase *database,
                                    const char *account,
                                    const char *name,
                                    GBytes *sealed,
                                    GError **error)
{
  if (!muster_store_database_run (database, error,
                                  "UPDATE sealed SET value = ?3 WHERE account = ?1 AND name = ?2",
                                  "ttb", account, name, sealed))
    return FALSE;
  if (sqlite3_changes (database->db) > 0)
    return TRUE;

  return muster_store_database_run (
    database, error, "INSERT OR FAIL INTO sealed (account, name, value) VALUES (?, ?, ?)", "ttb",
    account, name, sealed);
}

gboolean
muster_store_rows_has_account (MusterStoreDatabase *database, const char *id, GError **error)
{
  sqlite3_stmt *statement;

  if (*id == '\0')
    return TRUE;

  statement = muster_store_database_query (database, error, "SELECT 1 FROM account WHERE id = ?",
                                           "t", id);
  if (statement == NULL || !muster_store_database_next (database, statement, error))
    return FALSE;
  muster_store_database_end (statement);

  return TRUE;
}

GBytes *
muster_store_rows_get_sealed (MusterStoreDatabase *database,
                              const char *account,
                              const char *name,
                              GError **error)
{
  GBytes *sealed;
  sqlite3_stmt *statement;

  statement = muster_store_database_query (
    database, error, "SELECT value FROM sealed WHERE account = ? AND name = ?", "tt", account,
    name);
  if (statement == NULL || !muster_store_database_next (database, statement, error))
    return NULL;

  /* A value of another type than BLOB did not come from the vault, and will not open there. */
  sealed = g_bytes_new (sqlite3_column_blob (statement, 0),
                        (gsize) sqlite3_column_bytes (statement, 0));
  muster_store_database_end (statement);

  return sealed;
}
