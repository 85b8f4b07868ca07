/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterPlugins"

#include "config.h"

#include "muster-plugin-records.h"

#include <muster/muster-hub.h>

#define SWEEP_MS    (10 * 60 * 1000)
#define WAITING_MAX 1000

typedef struct {
  char *plugin;
  char *account; /* or NULL */
  char *name_space;
  MusterRecord *record;
} WaitingRecord;

struct _MusterPluginRecords {
  MusterStore *store;
  MusterVault *vault; /* NULL: there is no key now */
  GQueue waiting;     /* of WaitingRecord: to be sealed when there is */
  MusterTimer sweep;
};

/* Where a sealed record stands, for the vault: no two plugins and name spaces may share a place. */
static char *
dup_place (const char *name_space, const char *key)
{
  return g_strdup_printf ("record/%" G_GSIZE_FORMAT "/%s/%s", strlen (name_space), name_space, key);
}

static char *
dup_owner (const char *plugin)
{
  return g_strconcat ("plugin:", plugin, NULL);
}

static void
waiting_record_free (WaitingRecord *waiting)
{
  g_free (waiting->plugin);
  g_free (waiting->account);
  g_free (waiting->name_space);
  muster_record_free (waiting->record);
  g_free (waiting);
}

static void
muster_plugin_records_wait (MusterPluginRecords *self,
                            const char *plugin,
                            const char *account,
                            const char *name_space,
                            const MusterRecord *record)
{
  WaitingRecord *waiting = g_new (WaitingRecord, 1);

  waiting->plugin = g_strdup (plugin);
  waiting->account = g_strdup (account);
  waiting->name_space = g_strdup (name_space);
  waiting->record = muster_record_copy (record);
  g_queue_push_tail (&self->waiting, waiting);
  if (g_queue_get_length (&self->waiting) > WAITING_MAX)
    waiting_record_free (g_queue_pop_head (&self->waiting));
}

/* What waits must not come back after it was replaced or deleted. */
static void
muster_plugin_records_forget (MusterPluginRecords *self,
                              const char *plugin,
                              const char *name_space,
                              const char *key)
{
  for (GList *l = self->waiting.head, *next; l != NULL; l = next) {
    WaitingRecord *waiting = l->data;

    next = l->next;
    if (!g_str_equal (waiting->plugin, plugin) || !g_str_equal (waiting->name_space, name_space) ||
        !g_str_equal (waiting->record->key, key))
      continue;
    waiting_record_free (waiting);
    g_queue_delete_link (&self->waiting, l);
  }
}

static void
on_put (gpointer host,
        const char *plugin,
        const char *account,
        const char *name_space,
        const MusterRecord *record)
{
  MusterPluginRecords *self = host;
  MusterPluginRecord row = {
    .plugin = (char *) plugin,
    .account = (char *) account,
    .name_space = (char *) name_space,
    .key = record->key,
    .blob = record->blob,
    .expires_us = record->expires_at_us,
    .sealed = (record->flags & MUSTER_RECORD_SEALED) != 0,
  };
  g_autoptr (GBytes) sealed = NULL;

  muster_plugin_records_forget (self, plugin, name_space, record->key);
  if (row.sealed && self->vault == NULL) {
    muster_plugin_records_wait (self, plugin, account, name_space, record);
    return;
  }
  if (row.sealed) {
    g_autofree char *owner = dup_owner (plugin);
    g_autofree char *place = dup_place (name_space, record->key);
    gsize length;
    gconstpointer data = g_bytes_get_data (record->blob, &length);

    sealed = muster_vault_seal (self->vault, owner, place, data != NULL ? data : "", length);
    if (sealed == NULL) {
      g_warning ("a record of plugin %s cannot be sealed, ignoring it", plugin);
      return;
    }
    row.blob = sealed;
  }

  muster_store_put_record (self->store, &row);
}

static void
on_remove (gpointer host, const char *plugin, const char *name_space, const char *key)
{
  MusterPluginRecords *self = host;

  muster_plugin_records_forget (self, plugin, name_space, key);
  muster_store_delete_record (self->store, plugin, name_space, key);
}

/* Returns (transfer full): what the plugin gets; %NULL with %MUSTER_ERROR_INVALID, or
 * %MUSTER_ERROR_UNREACHABLE without a key. */
static MusterRecord *
muster_plugin_records_open (MusterPluginRecords *self,
                            const MusterPluginRecord *row,
                            GError **error)
{
  g_autofree char *owner = NULL;
  g_autofree char *place = NULL;
  g_autoptr (MusterSecret) plain = NULL;
  g_autoptr (GBytes) blob = NULL;
  const char *data;
  gsize length;

  if (!row->sealed)
    return muster_record_new (row->key, row->blob, row->expires_us, MUSTER_RECORD_PLAIN);

  if (self->vault == NULL) {
    g_set_error (error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE, "there is no key for it now");
    return NULL;
  }

  owner = dup_owner (row->plugin);
  place = dup_place (row->name_space, row->key);
  plain = muster_vault_open (self->vault, owner, place, row->blob, error);
  if (plain == NULL)
    return NULL;

  data = muster_secret_peek (plain, &length);
  blob = g_bytes_new (data, length);
  return muster_record_new (row->key, blob, row->expires_us, MUSTER_RECORD_SEALED);
}

typedef struct {
  MusterPluginRecords *records;
  gboolean one;
} Read;

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const Read *read = g_task_get_task_data (task);
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GPtrArray) opened = NULL;
  g_autoptr (GError) error = NULL;

  rows = muster_store_read_records_finish (MUSTER_STORE (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  if (rows == NULL) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_NONE,
                                                 "the records cannot be read: %s", error->message));
    return;
  }

  opened = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_record_free);
  for (guint i = 0; i < rows->len; i++) {
    MusterRecord *record = muster_plugin_records_open (read->records, rows->pdata[i], &error);

    if (record != NULL) {
      g_ptr_array_add (opened, record);
      continue;
    }
    if (read->one) {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
    g_warning ("a sealed record of plugin %s cannot be opened, ignoring it: %s",
               ((MusterPluginRecord *) rows->pdata[i])->plugin, error->message);
    g_clear_error (&error);
  }

  if (!read->one)
    g_task_return_pointer (task, g_steal_pointer (&opened), (GDestroyNotify) g_ptr_array_unref);
  else if (opened->len == 0)
    g_task_return_pointer (task, NULL, NULL);
  else
    g_task_return_pointer (task, muster_record_copy (opened->pdata[0]),
                           (GDestroyNotify) muster_record_free);
}

/* Takes @task. */
static void
muster_plugin_records_read (MusterPluginRecords *self,
                            const char *plugin,
                            const char *name_space,
                            const char *key,
                            const char *after_key,
                            guint limit,
                            GTask *task)
{
  Read *read = g_new (Read, 1);

  read->records = self;
  read->one = key != NULL;
  g_task_set_task_data (task, read, g_free);
  muster_store_read_records_async (self->store, plugin, name_space, key, after_key, limit,
                                   muster_clock_wall_us (), g_task_get_cancellable (task), on_read,
                                   task);
}

static void
on_get (gpointer host, const char *plugin, const char *name_space, const char *key, GTask *task)
{
  muster_plugin_records_read (host, plugin, name_space, key, NULL, 1, task);
}

static void
on_list (gpointer host,
         const char *plugin,
         const char *name_space,
         const char *after_key,
         guint limit,
         GTask *task)
{
  muster_plugin_records_read (host, plugin, name_space, NULL, after_key, limit, task);
}

static const MusterRecordHost record_host = {
  .put = on_put,
  .remove = on_remove,
  .get = on_get,
  .list = on_list,
};

const MusterRecordHost *
muster_plugin_records_get_host (void)
{
  return &record_host;
}

static void
on_sweep (MusterTimer *timer, gpointer user_data)
{
  MusterPluginRecords *self = user_data;

  muster_store_sweep_records (self->store, muster_clock_wall_us ());
  muster_timer_arm_in_ms (&self->sweep, SWEEP_MS);
}

MusterPluginRecords *
muster_plugin_records_new (MusterStore *store, MusterVault *vault)
{
  MusterPluginRecords *self = g_new0 (MusterPluginRecords, 1);

  self->store = g_object_ref (store);
  self->vault = vault;
  g_queue_init (&self->waiting);
  muster_timer_init (&self->sweep, on_sweep, self);
  muster_timer_arm_in_ms (&self->sweep, SWEEP_MS);

  return self;
}

void
muster_plugin_records_set_vault (MusterPluginRecords *self, MusterVault *vault)
{
  WaitingRecord *waiting;

  self->vault = vault;
  while (vault != NULL && (waiting = g_queue_pop_head (&self->waiting)) != NULL) {
    on_put (self, waiting->plugin, waiting->account, waiting->name_space, waiting->record);
    waiting_record_free (waiting);
  }
}

void
muster_plugin_records_free (MusterPluginRecords *self)
{
  if (self == NULL)
    return;

  muster_timer_cancel (&self->sweep);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) waiting_record_free);
  g_object_unref (self->store);
  g_free (self);
}
