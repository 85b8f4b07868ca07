/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-quarantine.h"

#include <muster/muster-hub.h>

#include <string.h>

/*
 * What becomes of a row that cannot be read: a dump of it with the reason goes into the quarantine,
 * and the rest runs. Types are checked column by column: a STRICT table promises them, a damaged
 * file or somebody's tool may break the promise.
 */

typedef struct {
  gint64 rowid;
  char *id;
  char *reason;
  char *dump;
} BadRow;

struct _MusterStoreQuarantine {
  const char *source;
  const char *remove_sql;
  GArray *rows;
};

static void
bad_row_clear (gpointer data)
{
  BadRow *row = data;

  g_free (row->id);
  g_free (row->reason);
  g_free (row->dump);
}

MusterStoreQuarantine *
muster_store_quarantine_new (const char *source, const char *remove_sql)
{
  MusterStoreQuarantine *self = g_new0 (MusterStoreQuarantine, 1);

  self->source = source;
  self->remove_sql = remove_sql;
  self->rows = g_array_new (FALSE, FALSE, sizeof (BadRow));
  g_array_set_clear_func (self->rows, bad_row_clear);

  return self;
}

void
muster_store_quarantine_free (MusterStoreQuarantine *self)
{
  g_array_unref (self->rows);
  g_free (self);
}

/* columns */

const char *
muster_store_column_text (sqlite3_stmt *row, int i, char **reason)
{
  const char *text = NULL;
  gsize size;

  if (sqlite3_column_type (row, i) == SQLITE_TEXT) {
    text = (const char *) sqlite3_column_text (row, i);
    size = (gsize) sqlite3_column_bytes (row, i);
    if (text != NULL && g_utf8_validate (text, (gssize) size, NULL)) /* a NUL is not valid here */
      return text;
  }

  if (*reason == NULL)
    *reason = g_strdup_printf ("%s is not text", sqlite3_column_name (row, i));

  return "";
}

gint64
muster_store_column_int (sqlite3_stmt *row, int i, char **reason)
{
  if (sqlite3_column_type (row, i) == SQLITE_INTEGER)
    return sqlite3_column_int64 (row, i);

  if (*reason == NULL)
    *reason = g_strdup_printf ("%s is not a number", sqlite3_column_name (row, i));

  return 0;
}

GVariant *
muster_store_column_vardict (sqlite3_stmt *row, int i, char **reason)
{
  const char *text = muster_store_column_text (row, i, reason);
  g_autoptr (GError) error = NULL;
  GVariant *value;

  if (*reason != NULL)
    return NULL;

  value = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);
  if (value == NULL)
    *reason = g_strdup_printf ("%s cannot be read: %s", sqlite3_column_name (row, i),
                               error->message);

  return value;
}

/* moving */

static char *
dup_valid (sqlite3_stmt *row, int i)
{
  const char *text = (const char *) sqlite3_column_text (row, i);

  return g_utf8_make_valid (text != NULL ? text : "", -1);
}

static char *
dump_row (sqlite3_stmt *row)
{
  g_autoptr (GString) dump = g_string_new (NULL);

  for (int i = 1; i < sqlite3_column_count (row); i++) {
    g_autofree char *text = NULL;

    if (sqlite3_column_type (row, i) == SQLITE_BLOB)
      text = g_strdup_printf ("(%d bytes)", sqlite3_column_bytes (row, i));
    else
      text = dup_valid (row, i);
    g_string_append_printf (dump, "%s=%s\n", sqlite3_column_name (row, i), text);
  }

  return g_string_free (g_steal_pointer (&dump), FALSE);
}

void
muster_store_quarantine_add (MusterStoreQuarantine *self, sqlite3_stmt *row, char *reason)
{
  BadRow bad = { 0 };

  bad.rowid = sqlite3_column_int64 (row, 0);
  bad.dump = dump_row (row);
  bad.id = dup_valid (row, 1);
  bad.reason = g_utf8_make_valid (reason, -1);
  g_array_append_val (self->rows, bad);
  g_free (reason);
}

static gboolean
muster_store_quarantine_move (MusterStoreQuarantine *self,
                              MusterStoreDatabase *database,
                              GError **error)
{
  gint64 now_us = muster_clock_wall_us ();

  for (guint i = 0; i < self->rows->len; i++) {
    const BadRow *row = &g_array_index (self->rows, BadRow, i);

    if (!muster_store_database_run (
          database, error,
          "INSERT INTO quarantine (source, id, reason, time_us, dump) VALUES (?, ?, ?, ?, ?)",
          "tttit", self->source, row->id, row->reason, now_us, row->dump) ||
        !muster_store_database_run (database, error, self->remove_sql, "i", row->rowid))
      return FALSE;
  }

  return TRUE;
}

void
muster_store_quarantine_apply (MusterStoreQuarantine *self, MusterStoreDatabase *database)
{
  g_autoptr (GError) error = NULL;

  if (self->rows->len == 0)
    return;

  if (muster_store_database_begin (database, TRUE, &error) &&
      muster_store_quarantine_move (self, database, &error) &&
      muster_store_database_commit (database, &error)) {
    g_message ("%u damaged rows of table %s were moved to the quarantine", self->rows->len,
               self->source);
    return;
  }

  muster_store_database_rollback (database);
  g_message ("cannot move %u damaged rows of table %s to the quarantine: %s, ignoring",
             self->rows->len, self->source, error->message);
}

GPtrArray *
muster_store_quarantine_collect (MusterStoreQuarantine *self,
                                 MusterStoreDatabase *database,
                                 sqlite3_stmt *row,
                                 guint limit,
                                 MusterStoreReadRow read_row,
                                 gpointer user_data,
                                 GDestroyNotify record_free,
                                 GError **error)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func (record_free);
  g_autoptr (GError) local_error = NULL;

  while (records->len < limit && muster_store_database_next (database, row, &local_error)) {
    char *reason = NULL;
    gpointer record = read_row (row, &reason, user_data);

    if (record != NULL)
      g_ptr_array_add (records, record);
    else
      muster_store_quarantine_add (self, row, reason);
  }
  muster_store_database_end (row);

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }
  muster_store_quarantine_apply (self, database);

  return g_steal_pointer (&records);
}
