/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-plugin-context-private.h"

#include <string.h>

/*
 * A plugin's records: checked here, kept by the daemon.
 */

#define NAME_SPACE_MAX_BYTES 64
#define KEY_MAX_BYTES        512
#define LIST_MAX             1000

G_DEFINE_BOXED_TYPE (MusterRecord, muster_record, muster_record_copy, muster_record_free)

/**
 * muster_record_new:
 * @key: its key
 * @blob: its content
 * @expires_at_us: when it goes, in microseconds UTC; 0: never
 * @flags: how it is stored
 *
 * Returns: (transfer full): a record
 */
MusterRecord *
muster_record_new (const char *key, GBytes *blob, gint64 expires_at_us, MusterRecordFlags flags)
{
  MusterRecord *self;

  g_return_val_if_fail (key != NULL && blob != NULL, NULL);

  self = g_new0 (MusterRecord, 1);
  self->key = g_strdup (key);
  self->blob = g_bytes_ref (blob);
  self->expires_at_us = expires_at_us;
  self->flags = flags;

  return self;
}

/**
 * muster_record_copy:
 * @self: a record
 *
 * Returns: (transfer full): a copy
 */
MusterRecord *
muster_record_copy (const MusterRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return muster_record_new (self->key, self->blob, self->expires_at_us, self->flags);
}

/**
 * muster_record_free:
 * @self: (transfer full) (nullable): a record
 */
void
muster_record_free (MusterRecord *self)
{
  if (self == NULL)
    return;

  g_free (self->key);
  g_bytes_unref (self->blob);
  g_free (self);
}

static gboolean
is_text (const char *text, gsize max_bytes)
{
  return text != NULL && *text != '\0' && strnlen (text, max_bytes + 1) <= max_bytes &&
         g_utf8_validate (text, -1, NULL);
}

static void
put (MusterPluginContext *self,
     const char *account,
     const char *name_space,
     const char *key,
     GBytes *blob,
     gint64 expires_at_us,
     MusterRecordFlags flags)
{
  const MusterContextRecords *records;

  g_return_if_fail (MUSTER_IS_PLUGIN_CONTEXT (self));
  g_return_if_fail (is_text (name_space, NAME_SPACE_MAX_BYTES) && is_text (key, KEY_MAX_BYTES));
  g_return_if_fail (blob != NULL && g_bytes_get_size (blob) <= MUSTER_RECORD_MAX_BYTES);
  g_return_if_fail (expires_at_us >= 0);

  records = muster_plugin_context_get_records (self);
  if (records->host != NULL) {
    MusterRecord record = { (char *) key, blob, expires_at_us, flags };

    records->host->put (records->host_data, records->plugin, account, name_space, &record);
  }
}

/**
 * muster_plugin_context_records_put:
 * @self: a plugin's context
 * @name_space: what kind of record it is, 1 to 64 bytes of UTF-8
 * @key: its key in @name_space, 1 to 512 bytes of UTF-8
 * @blob: its content, at most %MUSTER_RECORD_MAX_BYTES
 * @expires_at_us: when it is to go by itself, in microseconds UTC; 0: never
 * @flags: how to store it
 *
 * Stores a record, or replaces it. It is written behind, within a fraction of a second: what is put
 * just before the daemon is killed may be lost. A plugin has at most 100,000 records; one more drives
 * out the one that was written longest ago.
 *
 * What is kept of one account goes into muster_plugin_context_records_put_for() instead.
 */
void
muster_plugin_context_records_put (MusterPluginContext *self,
                                   const char *name_space,
                                   const char *key,
                                   GBytes *blob,
                                   gint64 expires_at_us,
                                   MusterRecordFlags flags)
{
  put (self, NULL, name_space, key, blob, expires_at_us, flags);
}

/**
 * muster_plugin_context_records_put_for:
 * @self: a plugin's context
 * @account: the id of an account: see muster_registration_get_id()
 * @name_space: what kind of record it is
 * @key: its key; no two accounts may share it
 * @blob: what to store, at most %MUSTER_RECORD_MAX_BYTES
 * @expires_at_us: when it goes by itself, in microseconds UTC; 0: never
 * @flags: how to store it
 *
 * Stores a record that goes with an account, as muster_plugin_context_records_put() does. When the
 * account is removed for good, so is the record, in the same transaction; what is put for one that is
 * removed, or that is only being tried out, is not kept.
 */
void
muster_plugin_context_records_put_for (MusterPluginContext *self,
                                       const char *account,
                                       const char *name_space,
                                       const char *key,
                                       GBytes *blob,
                                       gint64 expires_at_us,
                                       MusterRecordFlags flags)
{
  g_return_if_fail (is_text (account, KEY_MAX_BYTES));

  put (self, account, name_space, key, blob, expires_at_us, flags);
}

/**
 * muster_plugin_context_records_delete:
 * @self: a plugin's context
 * @name_space: what kind of record it is
 * @key: its key
 *
 * Deletes a record, written behind as when it is put. One that is not there is ignored.
 */
void
muster_plugin_context_records_delete (MusterPluginContext *self,
                                      const char *name_space,
                                      const char *key)
{
  const MusterContextRecords *records;

  g_return_if_fail (MUSTER_IS_PLUGIN_CONTEXT (self));
  g_return_if_fail (is_text (name_space, NAME_SPACE_MAX_BYTES) && is_text (key, KEY_MAX_BYTES));

  records = muster_plugin_context_get_records (self);
  if (records->host != NULL)
    records->host->remove (records->host_data, records->plugin, name_space, key);
}

/* Returns (transfer full): a task; %NULL if it is answered already. */
static GTask *
read_task (MusterPluginContext *self,
           gpointer tag,
           GCancellable *cancellable,
           GAsyncReadyCallback callback,
           gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  if (muster_plugin_context_get_records (self)->host != NULL)
    return task;

  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the daemon is leaving");
  g_object_unref (task);
  return NULL;
}

/**
 * muster_plugin_context_records_get_async:
 * @self: a plugin's context
 * @name_space: what kind of record it is
 * @key: its key
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the record
 * @user_data: for @callback
 *
 * Reads a record as it is after all that was put and deleted before.
 */
void
muster_plugin_context_records_get_async (MusterPluginContext *self,
                                         const char *name_space,
                                         const char *key,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  const MusterContextRecords *records;
  GTask *task;

  g_return_if_fail (MUSTER_IS_PLUGIN_CONTEXT (self));
  g_return_if_fail (is_text (name_space, NAME_SPACE_MAX_BYTES) && is_text (key, KEY_MAX_BYTES));

  records = muster_plugin_context_get_records (self);
  task = read_task (self, muster_plugin_context_records_get_async, cancellable, callback,
                    user_data);
  if (task != NULL)
    records->host->get (records->host_data, records->plugin, name_space, key, task);
}

/**
 * muster_plugin_context_records_get_finish:
 * @self: a plugin's context
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR_UNREACHABLE if it cannot be read now,
 *   %MUSTER_ERROR_INVALID if a sealed one cannot be opened, %G_IO_ERROR_CANCELLED
 *
 * Returns: (nullable) (transfer full): the record; %NULL without an error if there is none, or if it
 *   has expired
 */
MusterRecord *
muster_plugin_context_records_get_finish (MusterPluginContext *self,
                                          GAsyncResult *result,
                                          GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * muster_plugin_context_records_list_async:
 * @self: a plugin's context
 * @name_space: what kind of records
 * @after_key: (nullable): only those whose keys come after this one; %NULL: from the first on
 * @limit: at most so many, 1 to 1000
 * @cancellable: (nullable): a cancellable
 * @callback: called with the records
 * @user_data: for @callback
 *
 * Reads records in the order of the bytes of their keys, as they are after all that was put and
 * deleted before. Those that have expired, and sealed ones that cannot be opened, are left out.
 */
void
muster_plugin_context_records_list_async (MusterPluginContext *self,
                                          const char *name_space,
                                          const char *after_key,
                                          guint limit,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  const MusterContextRecords *records;
  GTask *task;

  g_return_if_fail (MUSTER_IS_PLUGIN_CONTEXT (self));
  g_return_if_fail (is_text (name_space, NAME_SPACE_MAX_BYTES));
  g_return_if_fail (limit > 0 && limit <= LIST_MAX);

  records = muster_plugin_context_get_records (self);
  task = read_task (self, muster_plugin_context_records_list_async, cancellable, callback,
                    user_data);
  if (task != NULL)
    records->host->list (records->host_data, records->plugin, name_space,
                         after_key != NULL ? after_key : "", limit, task);
}

/**
 * muster_plugin_context_records_list_finish:
 * @self: a plugin's context
 * @result: what the callback got
 * @error: return location: as of muster_plugin_context_records_get_finish()
 *
 * Returns: (transfer full) (element-type MusterRecord): the records; as many as were asked for if there
 *   may be more, which come after the last one's key
 */
GPtrArray *
muster_plugin_context_records_list_finish (MusterPluginContext *self,
                                           GAsyncResult *result,
                                           GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
