/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-waiting.h"

#include "muster-store-journal.h"
#include "muster-store-records.h"
#include "muster-store-rows.h"

/*
 * The table of what is written behind. It only remembers; muster-store-writer.c decides when what
 * is written.
 */

typedef struct {
  guint64 stamp;
  GBytes *bytes;
} SealedRow;

typedef struct {
  MusterRuntimeRecord *runtime; /* or NULL */
  guint64 runtime_stamp;
  GHashTable *sealed; /* name -> SealedRow; or NULL */
} AccountRows;

typedef struct {
  guint64 stamp;
  MusterEventRecord *record; /* or NULL, and */
  MusterStoreBehind *behind;
} EventRow;

/* While nothing can be written: what else waits in the line. */
#define BEHIND_MAX       20000
#define BEHIND_MAX_BYTES (64 * 1024 * 1024)

struct _MusterStoreWaiting {
  GHashTable *accounts; /* id -> AccountRows */
  GQueue events;        /* of EventRow, oldest first */
  guint n_behind;       /* of them, those that are no events */
  gsize n_behind_bytes;
};

static void
sealed_row_free (SealedRow *row)
{
  g_bytes_unref (row->bytes);
  g_free (row);
}

static void
account_rows_free (AccountRows *rows)
{
  g_clear_pointer (&rows->runtime, muster_runtime_record_free);
  g_clear_pointer (&rows->sealed, g_hash_table_unref);
  g_free (rows);
}

static void
event_row_free (EventRow *row)
{
  g_clear_pointer (&row->record, muster_event_record_free);
  g_clear_pointer (&row->behind, muster_store_behind_free);
  g_free (row);
}

MusterStoreWaiting *
muster_store_waiting_new (void)
{
  MusterStoreWaiting *self = g_new0 (MusterStoreWaiting, 1);

  self->accounts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) account_rows_free);
  g_queue_init (&self->events);

  return self;
}

void
muster_store_waiting_free (MusterStoreWaiting *self)
{
  g_hash_table_unref (self->accounts);
  g_queue_clear_full (&self->events, (GDestroyNotify) event_row_free);
  g_free (self);
}

gboolean
muster_store_waiting_is_empty (MusterStoreWaiting *self)
{
  return g_hash_table_size (self->accounts) == 0 && g_queue_is_empty (&self->events);
}

guint
muster_store_waiting_get_n_rows (MusterStoreWaiting *self)
{
  return g_hash_table_size (self->accounts) + g_queue_get_length (&self->events);
}

/* put */

static AccountRows *
muster_store_waiting_ensure (MusterStoreWaiting *self, const char *account)
{
  AccountRows *rows = g_hash_table_lookup (self->accounts, account);

  if (rows == NULL) {
    rows = g_new0 (AccountRows, 1);
    g_hash_table_insert (self->accounts, g_strdup (account), rows);
  }

  return rows;
}

static void
account_rows_put_sealed (AccountRows *rows, guint64 stamp, const char *name, GBytes *sealed)
{
  SealedRow *row = g_new (SealedRow, 1);

  row->stamp = stamp;
  row->bytes = g_bytes_ref (sealed);

  if (rows->sealed == NULL)
    rows->sealed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) sealed_row_free);
  g_hash_table_replace (rows->sealed, g_strdup (name), row);
}

void
muster_store_waiting_put_runtime (MusterStoreWaiting *self,
                                  guint64 stamp,
                                  const MusterRuntimeRecord *record)
{
  AccountRows *rows = muster_store_waiting_ensure (self, record->account);

  if (rows->runtime != NULL)
    muster_runtime_record_update (rows->runtime, record);
  else
    rows->runtime = muster_runtime_record_copy (record);
  rows->runtime_stamp = stamp;
}

void
muster_store_waiting_put_sealed (MusterStoreWaiting *self,
                                 guint64 stamp,
                                 const char *account,
                                 const char *name,
                                 GBytes *sealed)
{
  account_rows_put_sealed (muster_store_waiting_ensure (self, account), stamp, name, sealed);
}

/* the line of events */

static void
muster_store_waiting_count (MusterStoreWaiting *self, const EventRow *row, gboolean added)
{
  gsize n_bytes;

  if (row->behind == NULL)
    return;

  n_bytes = muster_store_behind_get_size (row->behind);
  self->n_behind += added ? 1 : -1;
  self->n_behind_bytes += added ? n_bytes : -n_bytes;
}

static void
muster_store_waiting_push (MusterStoreWaiting *self, EventRow *row)
{
  g_queue_push_tail (&self->events, row);
  muster_store_waiting_count (self, row, TRUE);
}

static void
muster_store_waiting_push_first (MusterStoreWaiting *self, EventRow *row)
{
  g_queue_push_head (&self->events, row);
  muster_store_waiting_count (self, row, TRUE);
}

static EventRow *
muster_store_waiting_pop (MusterStoreWaiting *self)
{
  EventRow *row = g_queue_pop_head (&self->events);

  muster_store_waiting_count (self, row, FALSE);
  return row;
}

static EventRow *
muster_store_waiting_pop_last (MusterStoreWaiting *self)
{
  EventRow *row = g_queue_pop_tail (&self->events);

  muster_store_waiting_count (self, row, FALSE);
  return row;
}

static void
muster_store_waiting_drop_oldest (MusterStoreWaiting *self, gboolean behind)
{
  GList *link = self->events.head;

  while ((((EventRow *) link->data)->behind != NULL) != behind)
    link = link->next;

  muster_store_waiting_count (self, link->data, FALSE);
  event_row_free (link->data);
  g_queue_delete_link (&self->events, link);
}

/* While nothing can be written, no more events wait than the journal would keep. */
static void
muster_store_waiting_trim_events (MusterStoreWaiting *self)
{
  while (g_queue_get_length (&self->events) - self->n_behind > MUSTER_STORE_JOURNAL_MAX)
    muster_store_waiting_drop_oldest (self, FALSE);
  while (self->n_behind > BEHIND_MAX || self->n_behind_bytes > BEHIND_MAX_BYTES)
    muster_store_waiting_drop_oldest (self, TRUE);
}

static void
muster_store_waiting_put_row (MusterStoreWaiting *self,
                              guint64 stamp,
                              MusterEventRecord *record,
                              MusterStoreBehind *behind)
{
  EventRow *row = g_new (EventRow, 1);

  row->stamp = stamp;
  row->record = record;
  row->behind = behind;
  muster_store_waiting_push (self, row);
  muster_store_waiting_trim_events (self);
}

void
muster_store_waiting_put_event (MusterStoreWaiting *self, guint64 stamp, MusterEventRecord *record)
{
  muster_store_waiting_put_row (self, stamp, record, NULL);
}

void
muster_store_waiting_put_behind (MusterStoreWaiting *self, guint64 stamp, MusterStoreBehind *behind)
{
  muster_store_waiting_put_row (self, stamp, NULL, behind);
}

/* look, forget */

GBytes *
muster_store_waiting_find_sealed (MusterStoreWaiting *self, const char *account, const char *name)
{
  AccountRows *rows = g_hash_table_lookup (self->accounts, account);
  SealedRow *row = NULL;

  if (rows != NULL && rows->sealed != NULL)
    row = g_hash_table_lookup (rows->sealed, name);

  return row != NULL ? row->bytes : NULL;
}

static gboolean
is_before (gpointer name, gpointer row, gpointer stamp)
{
  return ((SealedRow *) row)->stamp < *(guint64 *) stamp;
}

static void
account_rows_drop_sealed (AccountRows *rows, const char *name, guint64 stamp)
{
  SealedRow *row;

  if (rows->sealed == NULL)
    return;

  if (name == NULL) {
    g_hash_table_foreach_remove (rows->sealed, is_before, &stamp);
  } else {
    row = g_hash_table_lookup (rows->sealed, name);
    if (row != NULL && row->stamp < stamp)
      g_hash_table_remove (rows->sealed, name);
  }

  if (g_hash_table_size (rows->sealed) == 0)
    g_clear_pointer (&rows->sealed, g_hash_table_unref);
}

static void
muster_store_waiting_remove_if_empty (MusterStoreWaiting *self,
                                      const char *account,
                                      AccountRows *rows)
{
  if (rows->runtime == NULL && rows->sealed == NULL)
    g_hash_table_remove (self->accounts, account);
}

void
muster_store_waiting_drop_account (MusterStoreWaiting *self, const char *account, guint64 stamp)
{
  AccountRows *rows = g_hash_table_lookup (self->accounts, account);

  if (rows == NULL)
    return;

  if (rows->runtime_stamp < stamp)
    g_clear_pointer (&rows->runtime, muster_runtime_record_free);
  account_rows_drop_sealed (rows, NULL, stamp);
  muster_store_waiting_remove_if_empty (self, account, rows);
}

void
muster_store_waiting_drop_runtime (MusterStoreWaiting *self, const char *account, guint64 stamp)
{
  AccountRows *rows = g_hash_table_lookup (self->accounts, account);

  if (rows == NULL)
    return;

  if (rows->runtime_stamp < stamp)
    g_clear_pointer (&rows->runtime, muster_runtime_record_free);
  muster_store_waiting_remove_if_empty (self, account, rows);
}

void
muster_store_waiting_drop_sealed (MusterStoreWaiting *self,
                                  const char *account,
                                  const char *name,
                                  guint64 stamp)
{
  AccountRows *rows = g_hash_table_lookup (self->accounts, account);

  if (rows == NULL)
    return;

  account_rows_drop_sealed (rows, name, stamp);
  muster_store_waiting_remove_if_empty (self, account, rows);
}

/* take out, put back */

/* An account's rows stay together, so the last one may go over the limit. Events come first: an
 * account's row must not be written ahead of the event that tells of it, or a sink would never hear of
 * it if we were killed in between. */
MusterStoreWaiting *
muster_store_waiting_split (MusterStoreWaiting *self, guint max_rows)
{
  MusterStoreWaiting *part = muster_store_waiting_new ();
  GHashTableIter iter;
  gpointer account, rows;
  guint n_rows = 0;

  for (; n_rows < max_rows && !g_queue_is_empty (&self->events); n_rows++)
    muster_store_waiting_push (part, muster_store_waiting_pop (self));

  g_hash_table_iter_init (&iter, self->accounts);
  while (n_rows < max_rows && g_hash_table_iter_next (&iter, &account, &rows)) {
    AccountRows *moved = rows;

    n_rows += moved->runtime != NULL;
    n_rows += moved->sealed != NULL ? g_hash_table_size (moved->sealed) : 0;
    g_hash_table_iter_steal (&iter);
    g_hash_table_insert (part->accounts, account, moved);
  }

  return part;
}

MusterStoreWaiting *
muster_store_waiting_split_events (MusterStoreWaiting *self, guint64 stamp)
{
  MusterStoreWaiting *part = muster_store_waiting_new ();
  EventRow *row;

  while ((row = g_queue_peek_head (&self->events)) != NULL && row->stamp < stamp)
    muster_store_waiting_push (part, muster_store_waiting_pop (self));

  return part;
}

void
muster_store_waiting_append_events (MusterStoreWaiting *self, MusterStoreWaiting *later)
{
  while (!g_queue_is_empty (&later->events))
    muster_store_waiting_push (self, muster_store_waiting_pop (later));
  muster_store_waiting_free (later);
}

static void
account_rows_merge_older (AccountRows *rows, AccountRows *older)
{
  GHashTableIter iter;
  gpointer name, value;

  if (rows->runtime == NULL) {
    rows->runtime = g_steal_pointer (&older->runtime);
    rows->runtime_stamp = older->runtime_stamp;
  }

  if (older->sealed == NULL)
    return;

  g_hash_table_iter_init (&iter, older->sealed);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    SealedRow *row = value;

    if (rows->sealed == NULL || !g_hash_table_contains (rows->sealed, name))
      account_rows_put_sealed (rows, row->stamp, name, row->bytes);
  }
}

void
muster_store_waiting_merge_older (MusterStoreWaiting *self, MusterStoreWaiting *older)
{
  GHashTableIter iter;
  gpointer account, rows;

  g_hash_table_iter_init (&iter, older->accounts);
  while (g_hash_table_iter_next (&iter, &account, &rows))
    account_rows_merge_older (muster_store_waiting_ensure (self, account), rows);

  while (!g_queue_is_empty (&older->events))
    muster_store_waiting_push_first (self, muster_store_waiting_pop_last (older));
  muster_store_waiting_trim_events (self);

  muster_store_waiting_free (older);
}

/* write */

static gboolean
account_rows_write (AccountRows *rows,
                    const char *account,
                    MusterStoreDatabase *database,
                    GError **error)
{
  g_autoptr (GError) local_error = NULL;
  GHashTableIter iter;
  gpointer name, row;

  /* what is put for one that is gone, or never was, is ignored */
  if (!muster_store_rows_has_account (database, account, &local_error)) {
    if (local_error == NULL)
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }

  if (rows->runtime != NULL && !muster_store_rows_put_runtime (database, rows->runtime, error))
    return FALSE;

  if (rows->sealed == NULL)
    return TRUE;

  g_hash_table_iter_init (&iter, rows->sealed);
  while (g_hash_table_iter_next (&iter, &name, &row)) {
    if (!muster_store_rows_put_sealed_later (database, account, name, ((SealedRow *) row)->bytes,
                                             error))
      return FALSE;
  }

  return TRUE;
}

gboolean
muster_store_waiting_write (MusterStoreWaiting *self, MusterStoreDatabase *database, GError **error)
{
  GHashTableIter iter;
  gpointer account, rows;

  g_hash_table_iter_init (&iter, self->accounts);
  while (g_hash_table_iter_next (&iter, &account, &rows)) {
    if (!account_rows_write (rows, account, database, error))
      return FALSE;
  }

  for (GList *l = self->events.head; l != NULL; l = l->next) {
    EventRow *row = l->data;

    if (row->record != NULL ? !muster_store_journal_add (database, row->record, error)
                            : !muster_store_behind_apply (row->behind, database, error))
      return FALSE;
  }

  return TRUE;
}
