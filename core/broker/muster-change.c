/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-change.h"

#include <muster/muster-hub.h>

#include <string.h>

/*
 * What changes on request. A change is checked, written to the store in one transaction, and only
 * when that is durable applied and answered:
 *
 *    queue of the account -> prepare (check, build rows) -> commit -> apply -> answer, next
 *
 * Changes to one account wait for each other, so that each is built on what the one before left;
 * changes to different accounts go into the store together. What they are is in muster-broker-*.c.
 */

#define NAME_MAX_BYTES   255
#define SECRET_MAX_BYTES (64 * 1024)
#define QUEUE_MAX        100 /* changes that wait for each other */

static void
muster_change_free (MusterChange *change)
{
  g_clear_pointer (&change->account, muster_account_unref);
  g_clear_pointer (&change->rows, muster_store_change_free);
  g_clear_pointer (&change->record, muster_account_record_free);
  g_clear_pointer (&change->identity_record, muster_identity_record_free);
  g_clear_pointer (&change->secret, muster_secret_unref);
  g_clear_pointer (&change->secrets, g_hash_table_unref);
  g_clear_pointer (&change->stamps, g_hash_table_unref);
  g_clear_pointer (&change->set, g_variant_unref);
  g_strfreev (change->unset);
  g_strfreev (change->detached);
  g_free (change->name);
  g_free (change->address_key);
  if (change->free_data != NULL)
    change->free_data (change->data);
  g_object_unref (change->life);
  g_object_unref (change->task);
  g_free (change);
}

/* running a change */

static void muster_change_run (MusterChange *change);

static void
muster_change_next (MusterBroker *broker, GQueue *queue)
{
  if (queue == NULL)
    return;

  g_queue_pop_head (queue);
  if (!g_queue_is_empty (queue))
    muster_change_run (g_queue_peek_head (queue));
}

/* Takes @change. */
static void
muster_change_done (MusterChange *change)
{
  /* The account, and with it the queue, must outlive what is still in it. */
  g_autoptr (MusterAccount) account = change->account != NULL ? muster_account_ref (change->account)
                                                              : NULL;
  MusterBroker *broker = change->broker;
  GQueue *queue = change->queue;

  muster_change_free (change);
  muster_change_next (broker, queue);
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterChange *change = user_data;
  g_autoptr (GError) error = NULL;
  gboolean committed = muster_store_commit_finish (MUSTER_STORE (source), result, &error);

  if (g_cancellable_is_cancelled (change->life)) { /* stored or not: the next run will see */
    g_task_return_new_error (change->task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the broker is gone");
    muster_change_free (change);
    return;
  }
  if (!committed) {
    if (change->fail != NULL)
      change->fail (change);
    g_task_return_new_error (change->task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_STORE,
                             "it could not be stored, so nothing was changed: %s", error->message);
    muster_change_done (change);
    return;
  }

  change->apply (change); /* answers the task */
  muster_change_done (change);
}

static void
muster_change_run (MusterChange *change)
{
  GError *error = NULL;

  if (change->account != NULL && muster_account_is_leaving (change->account))
    error = g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                         "the account was removed");
  else
    change->prepare (change, &error);

  if (error != NULL) {
    g_task_return_error (change->task, error);
    muster_change_done (change);
    return;
  }

  muster_store_commit_async (change->broker->store, g_steal_pointer (&change->rows), NULL,
                             on_committed, change);
}

MusterChange *
muster_change_new (MusterBroker *broker,
                   MusterAccount *account,
                   gboolean (*prepare) (MusterChange *, GError **),
                   void (*apply) (MusterChange *),
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  MusterChange *change = g_new0 (MusterChange, 1);

  change->broker = broker;
  change->life = g_object_ref (broker->life);
  change->account = account != NULL ? muster_account_ref (account) : NULL;
  change->queue = account != NULL ? muster_account_get_changes (account) : NULL;
  change->task = g_task_new (NULL, NULL, callback, user_data);
  change->prepare = prepare;
  change->apply = apply;
  change->rows = muster_store_change_new ();

  return change;
}

/* Takes @change. */
void
muster_change_submit (MusterChange *change)
{
  if ((change->account != NULL || change->is_bounded) &&
      g_queue_get_length (change->queue) >= QUEUE_MAX) {
    g_task_return_new_error (change->task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                             "%d changes of %s are under way already", QUEUE_MAX,
                             change->account != NULL ? "this account" : "identities");
    muster_change_free (change);
    return;
  }
  if (change->queue != NULL) {
    g_queue_push_tail (change->queue, change);
    if (g_queue_get_length (change->queue) > 1)
      return;
  }

  muster_change_run (change);
}

gboolean
muster_broker_change_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* rows and events */

static GVariant *
empty_payload (void)
{
  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0);
}

gboolean
muster_change_check_key (MusterChange *change, GError **error)
{
  if (change->broker->vault != NULL)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_LOCKED,
               "secrets cannot be stored now: %s; have it asked for with: muster unlock",
               change->broker->key_problem);
  return FALSE;
}

void
muster_change_put_secret (MusterChange *change,
                          const char *account,
                          const char *name,
                          MusterSecret *secret)
{
  g_autofree char *sealed_name = g_strconcat (MUSTER_SEALED_SECRET, name, NULL);
  g_autoptr (GBytes) sealed = NULL;
  gsize length;
  const char *data = muster_secret_peek (secret, &length);

  sealed = muster_vault_seal (change->broker->vault, account, sealed_name, data, length);
  muster_store_change_put_sealed (change->rows, account, sealed_name, sealed);
  if (change->stamps == NULL)
    change->stamps = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (change->stamps, g_strdup (name),
                       GUINT_TO_POINTER (muster_vault_get_stamp (sealed)));
}

void
muster_change_apply_secrets (MusterChange *change, MusterAccount *account)
{
  GHashTableIter iter;
  gpointer name, stamp;

  if (change->stamps == NULL)
    return;
  g_hash_table_iter_init (&iter, change->stamps);
  while (g_hash_table_iter_next (&iter, &name, &stamp))
    muster_account_secrets_set (muster_account_get_secret_list (account), name,
                                GPOINTER_TO_UINT (stamp));
}

void
muster_change_put_event (MusterChange *change,
                         const char *account,
                         const char *type,
                         GVariant *payload)
{
  MusterEventRecord record = {
    .time_us = muster_clock_wall_us (),
    .type = (char *) type,
    .account = (char *) account,
  };
  g_auto (GStrv) sinks = muster_event_bus_dup_sinks (change->broker->events, type);
  g_autoptr (GVariant) held = g_variant_ref_sink (payload != NULL ? payload : empty_payload ());

  record.payload = held;
  record.sinks = sinks;
  muster_store_change_put_event (change->rows, &record);
}

/* The row of the journal is in the transaction; others are told when it is durable. */
void
muster_change_tell (MusterChange *change, const char *account, const char *type, GVariant *payload)
{
  muster_event_bus_emit (change->broker->events, type, account,
                         payload != NULL ? payload : empty_payload (), FALSE);
}

MusterAccountRecord *
muster_change_copy_record (const MusterAccountRecord *record)
{
  MusterAccountRecord *copy = g_new0 (MusterAccountRecord, 1);

  copy->id = g_strdup (record->id);
  copy->identity = g_strdup (record->identity);
  copy->protocol = g_strdup (record->protocol);
  copy->address = g_strdup (record->address);
  copy->name = g_strdup (record->name);
  copy->enabled = record->enabled;
  copy->params = g_variant_ref (record->params);
  copy->created_us = record->created_us;
  copy->modified_us = muster_clock_wall_us ();

  return copy;
}

/* checks */

gboolean
muster_change_invalid (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, format,
                                 args);
  va_end (args);

  return FALSE;
}

gboolean
muster_change_check_name (const char *name, GError **error)
{
  if (*name == '\0')
    return muster_change_invalid (error, "name is empty");
  if (strlen (name) > NAME_MAX_BYTES)
    return muster_change_invalid (error, "name is longer than %d bytes", NAME_MAX_BYTES);

  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return muster_change_invalid (error, "name holds control characters");
  }

  return TRUE;
}

gboolean
muster_change_check_text (const char *what, const char *text, gsize max_bytes, GError **error)
{
  if (*text == '\0')
    return muster_change_invalid (error, "%s is empty", what);
  if (strlen (text) > max_bytes)
    return muster_change_invalid (error, "%s is longer than %" G_GSIZE_FORMAT " bytes", what,
                                  max_bytes);

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    if (!g_unichar_isprint (g_utf8_get_char (p)))
      return muster_change_invalid (error, "%s holds characters that cannot be shown", what);
  }

  return TRUE;
}

gboolean
muster_change_check_param (const MusterProtocol *protocol,
                           const char *name,
                           GVariant *value,
                           GError **error)
{
  const MusterParam *param = muster_protocol_find_param (protocol, name);
  g_autofree char *quoted = muster_broker_quote (name);
  g_autoptr (GError) local = NULL;

  if (param == NULL)
    return muster_change_invalid (error, "%s has no parameter %s", protocol->display_name, quoted);
  if ((param->flags & MUSTER_PARAM_SECRET) != 0)
    return muster_change_invalid (error,
                                  "%s is a secret: it is given as a descriptor, not as a parameter",
                                  name);
  if (value != NULL && !muster_param_check (param, value, &local))
    return muster_change_invalid (error, "%s", local->message);

  return TRUE;
}

gboolean
muster_change_check_secret (const MusterProtocol *protocol,
                            const char *name,
                            const MusterSecret *secret,
                            GError **error)
{
  const MusterParam *param = muster_protocol_find_param (protocol, name);
  g_autofree char *quoted = muster_broker_quote (name);
  gsize length = 0;
  const char *data;

  if (param == NULL || (param->flags & MUSTER_PARAM_SECRET) == 0)
    return muster_change_invalid (error, "%s has no secret called %s", protocol->display_name,
                                  quoted);
  if (secret == NULL)
    return TRUE;

  data = muster_secret_peek (secret, &length);
  if (length == 0)
    return muster_change_invalid (error, "%s is empty", name);
  if (length > SECRET_MAX_BYTES)
    return muster_change_invalid (error, "%s is longer than %d bytes", name, SECRET_MAX_BYTES);
  if (memchr (data, '\0', length) != NULL)
    return muster_change_invalid (error, "%s holds a zero byte", name);

  return TRUE;
}
