/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-outbox.h"

#include "muster-store-journal.h"
#include "muster-store-quarantine.h"

/*
 * The outbox: for each sink, the events that it does not have yet.
 */

gboolean
muster_store_outbox_add (MusterStoreDatabase *database,
                         const MusterEventRecord *record,
                         const char *payload,
                         GError **error)
{
  for (guint i = 0; record->sinks != NULL && record->sinks[i] != NULL; i++) {
    if (!muster_store_database_run (
          database, error,
          "INSERT INTO outbox (sink, seq, time_us, type, account, payload)"
          " SELECT ?1, max (seq), ?2, ?3, ?4, ?5 FROM event",
          "tittt", record->sinks[i], record->time_us, record->type, record->account, payload))
      return FALSE;
  }

  return TRUE;
}

GPtrArray *
muster_store_outbox_read (MusterStoreDatabase *database,
                          const char *sink,
                          const char *account,
                          gint64 after_seq,
                          gint64 until_seq,
                          guint limit,
                          GError **error)
{
  g_autoptr (MusterStoreQuarantine)
    quarantine = muster_store_quarantine_new ("outbox", "DELETE FROM outbox WHERE seq = ?");
  sqlite3_stmt *row;

  if (account == NULL)
    row =
      muster_store_database_query (database, error,
                                   "SELECT seq, seq, time_us, type, account, payload FROM outbox"
                                   " WHERE sink = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                                   "tiii", sink, after_seq, until_seq, (gint64) limit);
  else
    row = muster_store_database_query (
      database, error,
      "SELECT seq, seq, time_us, type, account, payload FROM outbox"
      " WHERE sink = ? AND account = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
      "ttiii", sink, account, after_seq, until_seq, (gint64) limit);
  if (row == NULL)
    return NULL;

  return muster_store_quarantine_collect (quarantine, database, row, limit,
                                          muster_store_journal_read_row, NULL,
                                          (GDestroyNotify) muster_event_record_free, error);
}

GPtrArray *
muster_store_outbox_count (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (GPtrArray)
    counts = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_outbox_count_free);
  g_autoptr (GError) local_error = NULL;
  sqlite3_stmt *row;

  row = muster_store_database_query (database, error,
                                     "SELECT sink, count (*) FROM outbox GROUP BY sink", "");
  if (row == NULL)
    return NULL;

  while (muster_store_database_next (database, row, &local_error)) {
    MusterOutboxCount *count = g_new0 (MusterOutboxCount, 1);

    count->sink = g_strdup ((const char *) sqlite3_column_text (row, 0));
    count->n_events = sqlite3_column_int64 (row, 1);
    g_ptr_array_add (counts, count);
  }

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }

  return g_steal_pointer (&counts);
}

gboolean
muster_store_outbox_remove (MusterStoreDatabase *database,
                            const char *sink,
                            gint64 seq,
                            GError **error)
{
  return muster_store_database_run (database, error,
                                    "DELETE FROM outbox WHERE sink = ? AND seq = ?", "ti", sink,
                                    seq);
}

gboolean
muster_store_outbox_remove_oldest (MusterStoreDatabase *database,
                                   const char *sink,
                                   gint64 n_events,
                                   GError **error)
{
  return muster_store_database_run (
    database, error,
    "DELETE FROM outbox WHERE sink = ?1"
    " AND seq IN (SELECT seq FROM outbox WHERE sink = ?1 ORDER BY seq LIMIT ?2)",
    "ti", sink, n_events);
}
