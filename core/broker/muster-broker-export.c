/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"
#include "muster-document.h"

/* Manager.Export: a document of what there is, written some accounts a turn, so that ten thousand hold
 * nobody up. What comes or goes meanwhile is in it or not. */

#define PART 200 /* accounts a turn */

typedef struct {
  MusterBroker *broker;
  GCancellable *life; /* of the broker */
  GHashTable *wanted; /* ids; NULL: all */
  GString *text;
  char *after; /* the id of the last one */
  guint n_identities;
  guint n_accounts;
} Export;

static void
export_free (gpointer data)
{
  Export *self = data;

  g_object_unref (self->life);
  g_clear_pointer (&self->wanted, g_hash_table_unref);
  g_string_free (self->text, TRUE);
  g_free (self->after);
  g_free (self);
}

/* Those of other accounts are left out. */
static void
export_identities (Export *self)
{
  MusterBroker *broker = self->broker;
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer id;

  if (self->wanted != NULL) {
    g_hash_table_iter_init (&iter, self->wanted);
    while (g_hash_table_iter_next (&iter, &id, NULL)) {
      MusterAccount *account = muster_broker_get_account (broker, id);

      if (account != NULL)
        g_hash_table_add (used, muster_account_get_record (account)->identity);
    }
  }

  muster_document_begin (self->text);
  for (GSequenceIter *i = g_sequence_get_begin_iter (broker->identities);
       !g_sequence_iter_is_end (i); i = g_sequence_iter_next (i)) {
    const MusterIdentity *identity = g_sequence_get (i);

    if (self->wanted != NULL && !g_hash_table_contains (used, identity->record->id))
      continue;
    muster_document_add_identity (self->text, identity->record->name);
    self->n_identities++;
  }
  muster_document_begin_accounts (self->text);
}

/* Returns whether there are more. */
static gboolean
export_part (Export *self)
{
  GSequenceIter *iter = muster_broker_seek_account (self->broker, self->after);

  for (guint n = 0; n < PART && !g_sequence_iter_is_end (iter);
       n++, iter = g_sequence_iter_next (iter)) {
    const MusterAccountRecord *record = muster_account_get_record (g_sequence_get (iter));
    MusterIdentity *identity = muster_broker_get_identity (self->broker, record->identity);

    g_free (self->after);
    self->after = g_strdup (record->id);
    if (identity == NULL ||
        (self->wanted != NULL && !g_hash_table_contains (self->wanted, record->id)))
      continue;
    muster_document_add_account (self->text, record, identity->record->name);
    self->n_accounts++;
  }

  return !g_sequence_iter_is_end (iter);
}

static gboolean
on_turn (gpointer user_data)
{
  GTask *task = user_data;
  Export *self = g_task_get_task_data (task);
  gboolean more;

  if (g_cancellable_is_cancelled (self->life)) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the broker is gone");
    return G_SOURCE_REMOVE;
  }

  if (self->text->len == 0)
    export_identities (self);
  more = export_part (self);
  if (self->n_accounts > MUSTER_DOCUMENT_MAX_ACCOUNTS ||
      self->n_identities > MUSTER_DOCUMENT_MAX_IDENTITIES ||
      self->text->len > MUSTER_DOCUMENT_MAX_BYTES) {
    g_task_return_new_error (task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                             "there is more than a document may hold: %d accounts, %d bytes;"
                             " say which accounts",
                             MUSTER_DOCUMENT_MAX_ACCOUNTS, MUSTER_DOCUMENT_MAX_BYTES);
    return G_SOURCE_REMOVE;
  }
  if (more)
    return G_SOURCE_CONTINUE;

  muster_document_end (self->text);
  g_task_return_pointer (task, g_strdup (self->text->str), g_free);
  return G_SOURCE_REMOVE;
}

void
muster_broker_export_async (MusterBroker *self,
                            GPtrArray *accounts,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Export *export = g_new0 (Export, 1);

  export->broker = self;
  export->life = g_object_ref (self->life);
  export->text = g_string_new (NULL);
  export->after = g_strdup ("");
  if (accounts != NULL) {
    export->wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < accounts->len; i++)
      g_hash_table_add (export->wanted, g_strdup (muster_account_get_id (accounts->pdata[i])));
  }
  g_task_set_task_data (task, export, export_free);

  g_idle_add_full (G_PRIORITY_DEFAULT, on_turn, task, g_object_unref);
}

char *
muster_broker_export_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
