/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-change.h"

#include <muster/muster-hub.h>

/* Identities change rarely, one after the other. */

static gboolean
check_identity_name (MusterBroker *self,
                     const char *name,
                     const MusterIdentity *except,
                     GError **error)
{
  if (!muster_change_check_name (name, error))
    return FALSE;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->identities);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterIdentity *identity = g_sequence_get (iter);

    if (identity != except && g_str_equal (identity->record->name, name)) {
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS,
                   "there is already an identity called \"%s\"", name);
      return FALSE;
    }
  }

  return TRUE;
}

static gboolean
prepare_add_identity (MusterChange *change, GError **error)
{
  MusterIdentityRecord *record = change->identity_record;

  if (!check_identity_name (change->broker, record->name, NULL, error))
    return FALSE;

  record->id = muster_broker_new_id (change->broker, 'i');
  record->created_us = muster_clock_wall_us ();
  record->modified_us = record->created_us;
  muster_store_change_put_identity (change->rows, record);

  return TRUE;
}

static void
apply_add_identity (MusterChange *change)
{
  MusterIdentity *identity;

  identity = muster_broker_insert_identity (change->broker,
                                            g_steal_pointer (&change->identity_record));
  g_task_return_pointer (change->task, identity, NULL);
}

void
muster_broker_add_identity_async (MusterBroker *self,
                                  const char *name,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  MusterChange *change = muster_change_new (self, NULL, prepare_add_identity, apply_add_identity,
                                            callback, user_data);

  change->queue = &self->identity_changes;
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->name = g_strdup (name);
  muster_change_submit (change);
}

MusterIdentity *
muster_broker_add_identity_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* It may have been removed while the change waited. */
static gboolean
find_identity_again (MusterChange *change, GError **error)
{
  change->identity = muster_broker_get_identity (change->broker, change->identity_record->id);
  if (change->identity != NULL)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
               "the identity was removed");
  return FALSE;
}

static gboolean
prepare_rename_identity (MusterChange *change, GError **error)
{
  MusterIdentityRecord *record = change->identity_record;

  if (!find_identity_again (change, error) ||
      !check_identity_name (change->broker, record->name, change->identity, error))
    return FALSE;

  record->created_us = change->identity->record->created_us;
  record->modified_us = muster_clock_wall_us ();
  muster_store_change_put_identity (change->rows, record);

  return TRUE;
}

static void
apply_rename_identity (MusterChange *change)
{
  MusterIdentityRecord *record = change->identity->record;

  g_free (record->name);
  record->name = g_steal_pointer (&change->identity_record->name);
  record->modified_us = change->identity_record->modified_us;
  if (change->broker->observer != NULL)
    change->broker->observer->identity_changed (change->broker->observer_data, change->identity);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_rename_identity_async (MusterBroker *self,
                                     MusterIdentity *identity,
                                     const char *name,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  MusterChange *change = muster_change_new (self, NULL, prepare_rename_identity,
                                            apply_rename_identity, callback, user_data);

  change->queue = &self->identity_changes;
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->id = g_strdup (identity->record->id);
  change->identity_record->name = g_strdup (name);
  muster_change_submit (change);
}

static gboolean
prepare_remove_identity (MusterChange *change, GError **error)
{
  if (!find_identity_again (change, error))
    return FALSE;

  if (change->identity->n_accounts > 0) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_IN_USE,
                 "\"%s\" still has %u accounts: remove them first", change->identity->record->name,
                 change->identity->n_accounts);
    return FALSE;
  }

  muster_store_change_delete_identity (change->rows, change->identity->record->id);
  return TRUE;
}

static void
apply_remove_identity (MusterChange *change)
{
  muster_broker_drop_identity (change->broker, change->identity);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_remove_identity_async (MusterBroker *self,
                                     MusterIdentity *identity,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  MusterChange *change = muster_change_new (self, NULL, prepare_remove_identity,
                                            apply_remove_identity, callback, user_data);

  change->queue = &self->identity_changes;
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->id = g_strdup (identity->record->id);
  muster_change_submit (change);
}
