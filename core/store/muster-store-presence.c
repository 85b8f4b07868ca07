/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-presence.h"

#include "muster-store-quarantine.h"

/*
 * What people say of themselves: the layers of identities, and what accounts say instead. What a
 * presence is called is for others to know: here it is text.
 */

void
muster_layer_record_free (MusterLayerRecord *self)
{
  g_free (self->identity);
  g_free (self->name);
  g_free (self->presence);
  g_free (self->text);
  g_free (self);
}

void
muster_override_record_free (MusterOverrideRecord *self)
{
  g_free (self->account);
  g_free (self->presence);
  g_free (self->text);
  g_free (self);
}

/* changes */

MusterStorePresence *
muster_store_presence_new_layer (const MusterLayerRecord *record, gboolean deletes)
{
  MusterStorePresence *self = g_new0 (MusterStorePresence, 1);

  self->deletes = deletes;
  self->layer = g_new0 (MusterLayerRecord, 1);
  *self->layer = *record;
  self->layer->identity = g_strdup (record->identity);
  self->layer->name = g_strdup (record->name);
  self->layer->presence = g_strdup (record->presence);
  self->layer->text = g_strdup (record->text);

  return self;
}

MusterStorePresence *
muster_store_presence_new_override (const MusterOverrideRecord *record, gboolean deletes)
{
  MusterStorePresence *self = g_new0 (MusterStorePresence, 1);

  self->deletes = deletes;
  self->override = g_new0 (MusterOverrideRecord, 1);
  self->override->account = g_strdup (record->account);
  self->override->presence = g_strdup (record->presence);
  self->override->text = g_strdup (record->text);

  return self;
}

void
muster_store_presence_free (MusterStorePresence *self)
{
  g_clear_pointer (&self->layer, muster_layer_record_free);
  g_clear_pointer (&self->override, muster_override_record_free);
  g_free (self);
}

static gboolean
put_layer (MusterStoreDatabase *database, const MusterLayerRecord *record, GError **error)
{
  return muster_store_database_run (
    database, error,
    "INSERT INTO presence_layer (identity, name, presence, text, priority, until_us, number)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    " ON CONFLICT (identity, name) DO UPDATE SET presence = ?3, text = ?4, priority = ?5,"
    "  until_us = ?6, number = ?7",
    "ttttiii", record->identity, record->name, record->presence, record->text,
    (gint64) record->priority, record->until_us, record->number);
}

/* What was set since stays. */
static gboolean
delete_layer (MusterStoreDatabase *database, const MusterLayerRecord *record, GError **error)
{
  return muster_store_database_run (
    database, error, "DELETE FROM presence_layer WHERE identity = ? AND name = ? AND number <= ?",
    "tti", record->identity, record->name, record->number);
}

static gboolean
put_override (MusterStoreDatabase *database, const MusterOverrideRecord *record, GError **error)
{
  return muster_store_database_run (database, error,
                                    "INSERT INTO presence_override (account, presence, text)"
                                    " VALUES (?1, ?2, ?3)"
                                    " ON CONFLICT (account) DO UPDATE SET presence = ?2, text = ?3",
                                    "ttt", record->account, record->presence, record->text);
}

gboolean
muster_store_presence_apply (const MusterStorePresence *self,
                             MusterStoreDatabase *database,
                             GError **error)
{
  if (self->layer != NULL)
    return self->deletes ? delete_layer (database, self->layer, error)
                         : put_layer (database, self->layer, error);

  return self->deletes
           ? muster_store_presence_forget_account (database, self->override->account, error)
           : put_override (database, self->override, error);
}

gboolean
muster_store_presence_forget_identity (MusterStoreDatabase *database,
                                       const char *id,
                                       GError **error)
{
  return muster_store_database_run (database, error,
                                    "DELETE FROM presence_layer WHERE identity = ?", "t", id);
}

gboolean
muster_store_presence_forget_account (MusterStoreDatabase *database, const char *id, GError **error)
{
  return muster_store_database_run (database, error,
                                    "DELETE FROM presence_override WHERE account = ?", "t", id);
}

/* loading */

static gpointer
read_layer (sqlite3_stmt *row, char **reason, gpointer user_data)
{
  MusterLayerRecord *record = g_new0 (MusterLayerRecord, 1);
  gint64 priority;

  record->identity = g_strdup (muster_store_column_text (row, 1, reason));
  record->name = g_strdup (muster_store_column_text (row, 2, reason));
  record->presence = g_strdup (muster_store_column_text (row, 3, reason));
  record->text = g_strdup (muster_store_column_text (row, 4, reason));
  priority = muster_store_column_int (row, 5, reason);
  record->until_us = muster_store_column_int (row, 6, reason);
  record->number = muster_store_column_int (row, 7, reason);
  if (*reason == NULL && (priority < 0 || priority > G_MAXINT))
    *reason = g_strdup ("priority is out of range");
  else if (*reason == NULL && (record->until_us < 0 || record->number <= 0))
    *reason = g_strdup ("a number is out of range");
  record->priority = (guint) priority;

  if (*reason != NULL)
    g_clear_pointer (&record, muster_layer_record_free);

  return record;
}

static gpointer
read_override (sqlite3_stmt *row, char **reason, gpointer user_data)
{
  MusterOverrideRecord *record = g_new0 (MusterOverrideRecord, 1);

  record->account = g_strdup (muster_store_column_text (row, 1, reason));
  record->presence = g_strdup (muster_store_column_text (row, 2, reason));
  record->text = g_strdup (muster_store_column_text (row, 3, reason));
  if (*reason != NULL)
    g_clear_pointer (&record, muster_override_record_free);

  return record;
}

static GPtrArray *
load_table (MusterStoreDatabase *database,
            const char *select_sql,
            MusterStoreReadRow read_row,
            GDestroyNotify record_free,
            MusterStoreQuarantine *quarantine,
            GError **error)
{
  sqlite3_stmt *row = muster_store_database_query (database, error, select_sql, "");

  if (row == NULL)
    return NULL;

  return muster_store_quarantine_collect (quarantine, database, row, G_MAXUINT, read_row, NULL,
                                          record_free, error);
}

GPtrArray *
muster_store_presence_load_layers (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (MusterStoreQuarantine)
    quarantine = muster_store_quarantine_new ("presence_layer",
                                              "DELETE FROM presence_layer WHERE rowid = ?");

  return load_table (database,
                     "SELECT rowid, identity, name, presence, text, priority, until_us, number"
                     " FROM presence_layer ORDER BY identity, name",
                     read_layer, (GDestroyNotify) muster_layer_record_free, quarantine, error);
}

/* Rows of accounts that are in the quarantine stay where they are. */
GPtrArray *
muster_store_presence_load_overrides (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (MusterStoreQuarantine)
    quarantine = muster_store_quarantine_new ("presence_override",
                                              "DELETE FROM presence_override WHERE rowid = ?");

  return load_table (database,
                     "SELECT rowid, account, presence, text FROM presence_override"
                     " ORDER BY account",
                     read_override, (GDestroyNotify) muster_override_record_free, quarantine,
                     error);
}
