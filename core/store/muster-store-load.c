/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-load.h"

#include "muster-store-quarantine.h"

/*
 * Reading whole tables at start.
 */

/* identity */

/* A bad row is replaced by a plain one, so that the accounts that hang on it are not lost with it;
 * only one whose id is bad goes. */
#define REPAIR_IDENTITY                                                                            \
  "UPDATE identity SET name = id, created_us = 0, modified_us = 0 WHERE rowid = ?"
#define REMOVE_IDENTITY "DELETE FROM identity WHERE rowid = ?"

static MusterIdentityRecord *
read_identity (sqlite3_stmt *row,
               MusterStoreQuarantine *to_repair,
               MusterStoreQuarantine *to_remove)
{
  g_autoptr (MusterIdentityRecord) record = g_new0 (MusterIdentityRecord, 1);
  char *reason = NULL;

  record->id = g_strdup (muster_store_column_text (row, 1, &reason));
  if (reason != NULL) {
    muster_store_quarantine_add (to_remove, row, reason);
    return NULL;
  }

  record->name = g_strdup (muster_store_column_text (row, 2, &reason));
  record->created_us = muster_store_column_int (row, 3, &reason);
  record->modified_us = muster_store_column_int (row, 4, &reason);
  if (reason != NULL) {
    muster_store_quarantine_add (to_repair, row, reason);
    g_free (record->name);
    record->name = g_strdup (record->id);
    record->created_us = record->modified_us = 0;
  }

  return g_steal_pointer (&record);
}

GPtrArray *
muster_store_load_identity_rows (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (MusterStoreQuarantine)
    to_repair = muster_store_quarantine_new ("identity", REPAIR_IDENTITY);
  g_autoptr (MusterStoreQuarantine)
    to_remove = muster_store_quarantine_new ("identity", REMOVE_IDENTITY);
  g_autoptr (GPtrArray)
    records = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_identity_record_free);
  g_autoptr (GError) local_error = NULL;
  sqlite3_stmt *row;

  row = muster_store_database_query (
    database, error,
    "SELECT rowid, id, name, created_us, modified_us FROM identity ORDER BY created_us, id", "");
  if (row == NULL)
    return NULL;

  while (muster_store_database_next (database, row, &local_error)) {
    MusterIdentityRecord *record = read_identity (row, to_repair, to_remove);

    if (record != NULL)
      g_ptr_array_add (records, record);
  }

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }
  muster_store_quarantine_apply (to_repair, database);
  muster_store_quarantine_apply (to_remove, database);

  return g_steal_pointer (&records);
}

static GPtrArray *
load_table (MusterStoreDatabase *database,
            const char *select_sql,
            MusterStoreReadRow read_row,
            gpointer user_data,
            GDestroyNotify record_free,
            MusterStoreQuarantine *quarantine,
            GError **error)
{
  sqlite3_stmt *row = muster_store_database_query (database, error, select_sql, "");

  if (row == NULL)
    return NULL;

  return muster_store_quarantine_collect (quarantine, database, row, G_MAXUINT, read_row, user_data,
                                          record_free, error);
}

/* account */

/* Accounts of one service are configured alike, and come one after the other: parameters that read as
 * those before are not parsed again, nor kept twice. */
typedef struct {
  char *text;
  GVariant *params; /* NULL: none yet */
  gboolean is_shared;
} LastParams;

/* What was parsed is a tree, ten times the size of its data: worth its place where many accounts take its
 * values, and let go of where one does. */
static void
last_params_clear (LastParams *self)
{
  if (self->params != NULL && !self->is_shared)
    g_variant_get_data (self->params);
  self->is_shared = FALSE;
  g_free (self->text);
  g_clear_pointer (&self->params, g_variant_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LastParams, last_params_clear)

static GVariant *
read_params (sqlite3_stmt *row, int i, LastParams *last, char **reason)
{
  const char *text = muster_store_column_text (row, i, reason);
  GVariant *params;

  if (text != NULL && last->params != NULL && g_str_equal (text, last->text)) {
    last->is_shared = TRUE;
    return g_variant_ref (last->params);
  }

  params = muster_store_column_vardict (row, i, reason);
  if (params != NULL) {
    last_params_clear (last);
    last->text = g_strdup (text);
    last->params = g_variant_ref (params);
  }
  return params;
}

static gpointer
read_account (sqlite3_stmt *row, char **reason, gpointer user_data)
{
  g_autoptr (MusterAccountRecord) record = g_new0 (MusterAccountRecord, 1);

  record->id = g_strdup (muster_store_column_text (row, 1, reason));
  record->identity = g_strdup (muster_store_column_text (row, 2, reason));
  record->protocol = g_strdup (muster_store_column_text (row, 3, reason));
  record->address = g_strdup (muster_store_column_text (row, 4, reason));
  record->name = g_strdup (muster_store_column_text (row, 5, reason));
  record->enabled = muster_store_column_int (row, 6, reason) != 0;
  record->params = read_params (row, 7, user_data, reason);
  record->created_us = muster_store_column_int (row, 8, reason);
  record->modified_us = muster_store_column_int (row, 9, reason);

  if (*reason == NULL && sqlite3_column_int (row, 10) == 0)
    *reason = g_strdup_printf ("its identity %s is missing", record->identity);

  return *reason == NULL ? g_steal_pointer (&record) : NULL;
}

GPtrArray *
muster_store_load_account_rows (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (MusterStoreQuarantine)
    quarantine = muster_store_quarantine_new ("account", "DELETE FROM account WHERE rowid = ?");
  g_auto (LastParams) last = { 0 };

  return load_table (
    database,
    "SELECT rowid, id, identity, protocol, address, name, enabled, params, created_us, modified_us,"
    " EXISTS (SELECT 1 FROM identity WHERE identity.id = account.identity) AS has_identity"
    " FROM account ORDER BY created_us, id",
    read_account, &last, (GDestroyNotify) muster_account_record_free, quarantine, error);
}

/* runtime */

static gpointer
read_runtime (sqlite3_stmt *row, char **reason, gpointer user_data)
{
  g_autoptr (MusterRuntimeRecord) record = g_new0 (MusterRuntimeRecord, 1);
  gint64 attempt, proof;

  record->account = g_strdup (muster_store_column_text (row, 1, reason));
  record->state = g_strdup (muster_store_column_text (row, 2, reason));
  record->registered_at_us = muster_store_column_int (row, 3, reason);
  record->expires_at_us = muster_store_column_int (row, 4, reason);
  record->refresh_at_us = muster_store_column_int (row, 5, reason);
  attempt = muster_store_column_int (row, 6, reason);
  record->attempt = (guint) CLAMP (attempt, 0, G_MAXUINT);
  proof = muster_store_column_int (row, 7, reason);
  record->proof = (guint) CLAMP (proof, 0, G_MAXUINT);

  return *reason == NULL ? g_steal_pointer (&record) : NULL;
}

/* Rows of accounts that are in the quarantine stay where they are. */
GPtrArray *
muster_store_load_runtime_rows (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (MusterStoreQuarantine)
    quarantine = muster_store_quarantine_new ("runtime", "DELETE FROM runtime WHERE rowid = ?");

  return load_table (
    database,
    "SELECT rowid, account, state, registered_at_us, expires_at_us, refresh_at_us, attempt, proof"
    " FROM runtime WHERE typeof (account) <> 'text'"
    " OR EXISTS (SELECT 1 FROM account WHERE account.id = runtime.account)",
    read_runtime, NULL, (GDestroyNotify) muster_runtime_record_free, quarantine, error);
}

/* sealed: only that they are there */

GPtrArray *
muster_store_load_sealed_name_rows (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (GPtrArray)
    names = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_sealed_name_free);
  g_autoptr (GError) local_error = NULL;
  sqlite3_stmt *row;

  row = muster_store_database_query (database, error,
                                     "SELECT account, name, substr (value, 1, ?)"
                                     " FROM sealed ORDER BY account, name",
                                     "i", (gint64) MUSTER_SEALED_HEAD_BYTES);
  if (row == NULL)
    return NULL;

  while (muster_store_database_next (database, row, &local_error)) {
    MusterSealedName *sealed = g_new0 (MusterSealedName, 1);

    sealed->account = g_strdup ((const char *) sqlite3_column_text (row, 0));
    sealed->name = g_strdup ((const char *) sqlite3_column_text (row, 1));
    sealed->head = g_bytes_new (sqlite3_column_blob (row, 2),
                                (gsize) sqlite3_column_bytes (row, 2));
    g_ptr_array_add (names, sealed);
  }

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }

  return g_steal_pointer (&names);
}

/* quarantine */

static gpointer
read_quarantine (sqlite3_stmt *row, char **reason, gpointer user_data)
{
  g_autoptr (MusterQuarantineRecord) record = g_new0 (MusterQuarantineRecord, 1);

  record->id = g_strdup (muster_store_column_text (row, 1, reason));
  record->table = g_strdup (muster_store_column_text (row, 2, reason));
  record->reason = g_strdup (muster_store_column_text (row, 3, reason));
  record->time_us = muster_store_column_int (row, 4, reason);

  return *reason == NULL ? g_steal_pointer (&record) : NULL;
}

GPtrArray *
muster_store_load_quarantine_rows (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (MusterStoreQuarantine)
    quarantine = muster_store_quarantine_new ("quarantine",
                                              "DELETE FROM quarantine WHERE rowid = ?");

  return load_table (database,
                     "SELECT rowid, id, source, reason, time_us FROM quarantine ORDER BY rowid",
                     read_quarantine, NULL, (GDestroyNotify) muster_quarantine_record_free,
                     quarantine, error);
}
