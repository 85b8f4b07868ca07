/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-journal.h"

#include "muster-store-outbox.h"
#include "muster-store-quarantine.h"

/*
 * The journal: the events of the past, bounded.
 */

/* Removing one for each that comes would double the work. */
#define PRUNE_EVERY_EVENTS 500

gboolean
muster_store_journal_accepts (const MusterEventRecord *record)
{
  return record->type != NULL && record->account != NULL && record->payload != NULL &&
         g_variant_is_of_type (record->payload, G_VARIANT_TYPE_VARDICT);
}

static gboolean
prune (MusterStoreDatabase *database, GError **error)
{
  database->n_events_added = 0;

  return muster_store_database_run (
    database, error,
    "DELETE FROM event WHERE seq <= (SELECT seq FROM event ORDER BY seq DESC LIMIT 1 OFFSET ?)",
    "i", (gint64) MUSTER_STORE_JOURNAL_MAX);
}

gboolean
muster_store_journal_add (MusterStoreDatabase *database,
                          const MusterEventRecord *record,
                          GError **error)
{
  g_autofree char *payload = g_variant_print (record->payload, TRUE);

  if (!muster_store_database_run (
        database, error, "INSERT INTO event (time_us, type, account, payload) VALUES (?, ?, ?, ?)",
        "ittt", record->time_us, record->type, record->account, payload) ||
      !muster_store_outbox_add (database, record, payload, error))
    return FALSE;

  if (++database->n_events_added < PRUNE_EVERY_EVENTS)
    return TRUE;

  return prune (database, error);
}

gpointer
muster_store_journal_read_row (sqlite3_stmt *row, char **reason, gpointer user_data)
{
  g_autoptr (MusterEventRecord) record = g_new0 (MusterEventRecord, 1);

  record->seq = sqlite3_column_int64 (row, 0);
  record->time_us = muster_store_column_int (row, 2, reason);
  record->type = g_strdup (muster_store_column_text (row, 3, reason));
  record->account = g_strdup (muster_store_column_text (row, 4, reason));
  record->payload = muster_store_column_vardict (row, 5, reason);

  return *reason == NULL ? g_steal_pointer (&record) : NULL;
}

GPtrArray *
muster_store_journal_read (MusterStoreDatabase *database,
                           gint64 before_seq,
                           const char *account,
                           const char *type_prefix,
                           guint limit,
                           GError **error)
{
  g_autoptr (MusterStoreQuarantine)
    quarantine = muster_store_quarantine_new ("event", "DELETE FROM event WHERE seq = ?");
  sqlite3_stmt *row;

  row = muster_store_database_query (
    database, error,
    "SELECT seq, seq, time_us, type, account, payload FROM event WHERE seq < ?1"
    " AND (?2 = '' OR account = ?2) AND substr (type, 1, length (?3)) = ?3 ORDER BY seq DESC",
    "itt", before_seq > 0 ? before_seq : G_MAXINT64, account, type_prefix);
  if (row == NULL)
    return NULL;

  return muster_store_quarantine_collect (quarantine, database, row, limit,
                                          muster_store_journal_read_row, NULL,
                                          (GDestroyNotify) muster_event_record_free, error);
}
