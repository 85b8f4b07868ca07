/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store.h"

#include "muster-store-change.h"
#include "muster-store-journal.h"
#include "muster-store-kept.h"
#include "muster-store-load.h"
#include "muster-store-lock.h"
#include "muster-store-outbox.h"
#include "muster-store-presence.h"
#include "muster-store-records.h"
#include "muster-store-writer.h"

#include <errno.h>
#include <unistd.h>

/*
 * The store as the daemon sees it. This file keeps the two sides apart: what is asked goes as jobs
 * to the writer's thread, what is done comes back through one GSource, which alone finishes tasks,
 * so that no object of the main thread is ever released on the other.
 */

/* A sealed value is a secret or a resume blob; more is a mistake. */
#define SEALED_MAX_BYTES (16 * 1024 * 1024)

#define READ_EVENTS_MAX 1000

/* Finished jobs handed back in one dispatch. */
#define RETURN_MAX_JOBS 50

struct _MusterStore {
  GObject parent_instance;

  int lock_fd;
  MusterStoreDatabase *database;
  MusterStoreWriter *writer; /* NULL once closed */
  char *notice;              /* or NULL */
  MusterStoreKept *kept;

  GSource *source;   /* ready while something is in done */
  GAsyncQueue *done; /* of MusterStoreJob, from the thread */
};

G_DEFINE_FINAL_TYPE (MusterStore, muster_store, G_TYPE_OBJECT)

/* clang-format off */
G_DEFINE_QUARK (muster-store-error-quark, muster_store_error)
/* clang-format on */

/* what comes back */

/* On the writer's thread. */
static void
on_job_done (MusterStoreJob *job, gpointer user_data)
{
  MusterStore *self = user_data;

  g_async_queue_push (self->done, job);
  g_source_set_ready_time (self->source, 0);
}

static void
return_job (MusterStoreJob *job)
{
  g_autoptr (MusterStoreJob) owned = job;
  g_autoptr (GTask) task = g_steal_pointer (&job->task);

  if (job->error != NULL)
    g_task_return_error (task, g_steal_pointer (&job->error));
  else if (job->run == muster_store_writer_commit)
    g_task_return_boolean (task, TRUE);
  else if (job->run == muster_store_writer_read_sealed)
    g_task_return_pointer (task, job->result, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_pointer (task, job->result, (GDestroyNotify) g_ptr_array_unref);
}

static gboolean
on_source_ready (gpointer user_data)
{
  g_autoptr (MusterStore) self = g_object_ref (MUSTER_STORE (user_data));
  MusterStoreJob *job;

  g_source_set_ready_time (self->source, -1);

  for (guint i = 0; i < RETURN_MAX_JOBS; i++) {
    job = g_async_queue_try_pop (self->done);
    if (job == NULL)
      return G_SOURCE_CONTINUE;
    return_job (job);
  }
  g_source_set_ready_time (self->source, 0); /* others may want a turn */

  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_source (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch_source };

/* opening and closing */

static gboolean
make_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int saved_errno;

  if (g_mkdir_with_parents (folder, 0700) == 0)
    return TRUE;

  saved_errno = errno;
  g_set_error (error, MUSTER_STORE_ERROR,
               saved_errno == ENOSPC ? MUSTER_STORE_ERROR_FULL : MUSTER_STORE_ERROR_FAILED,
               "cannot make the folder %s: %s", folder, g_strerror (saved_errno));

  return FALSE;
}

/**
 * muster_store_open:
 * @path: the file
 * @error: return location for a #GError in the %MUSTER_STORE_ERROR domain
 *
 * Opens, checks and migrates the database, creating it if it is missing. Blocks. Results of what is
 * asked later come in the thread-default main context of this call.
 *
 * Returns: (transfer full): the store, which the caller ends with muster_store_close()
 */
MusterStore *
muster_store_open (const char *path, GError **error)
{
  g_autoptr (MusterStore) self = NULL;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (MUSTER_TYPE_STORE, NULL);

  if (!make_folder (path, error))
    return NULL;

  self->lock_fd = muster_store_lock_take (path, error);
  if (self->lock_fd < 0)
    return NULL;

  self->database = muster_store_database_open (path, &self->notice, error);
  if (self->database == NULL)
    return NULL;

  g_source_attach (self->source, g_main_context_get_thread_default ());
  self->writer = muster_store_writer_new (self->database, on_job_done, self);

  return g_steal_pointer (&self);
}

/**
 * muster_store_get_notice:
 * @self: a #MusterStore
 *
 * What the user must know about the opening: that a damaged file was set aside.
 *
 * Returns: (nullable): a sentence without its capital and full stop, or %NULL
 */
const char *
muster_store_get_notice (MusterStore *self)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return self->notice;
}

/**
 * muster_store_close:
 * @self: a #MusterStore
 *
 * Ends the writer after everything queued is written, and releases the file. Blocks. The callbacks
 * of what was asked before still come, from the main loop; what is asked later fails.
 */
void
muster_store_close (MusterStore *self)
{
  g_return_if_fail (MUSTER_IS_STORE (self));

  g_clear_pointer (&self->writer, muster_store_writer_stop);
  g_clear_pointer (&self->database, muster_store_database_close);
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  self->lock_fd = -1;
}

/* loading */

static GPtrArray *
muster_store_load (MusterStore *self, MusterStoreLoadFunc load, GError **error)
{
  g_autoptr (MusterStoreJob) job = muster_store_job_new (muster_store_writer_load, NULL);

  g_return_val_if_fail (self->writer != NULL, NULL);

  job->load = load;

  return muster_store_writer_run (self->writer, job, error);
}

GPtrArray *
muster_store_load_identities (MusterStore *self, GError **error)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return muster_store_load (self, muster_store_load_identity_rows, error);
}

GPtrArray *
muster_store_load_accounts (MusterStore *self, GError **error)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return muster_store_load (self, muster_store_load_account_rows, error);
}

GPtrArray *
muster_store_load_runtimes (MusterStore *self, GError **error)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return muster_store_load (self, muster_store_load_runtime_rows, error);
}

/**
 * muster_store_load_sealed_names:
 * @self: a #MusterStore
 * @error: return location for a #GError of %MUSTER_STORE_ERROR
 *
 * Returns: (transfer container) (element-type MusterSealedName): which sealed values there are, by
 *   account and name
 */
GPtrArray *
muster_store_load_sealed_names (MusterStore *self, GError **error)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return muster_store_load (self, muster_store_load_sealed_name_rows, error);
}

/**
 * muster_store_keep_sealed:
 * @self: a #MusterStore
 * @error: return location for a #GError of %MUSTER_STORE_ERROR
 *
 * Reads the small sealed values for muster_store_peek_sealed(). Blocks. Before anything is changed.
 *
 * Returns: whether it worked
 */
gboolean
muster_store_keep_sealed (MusterStore *self, GError **error)
{
  GPtrArray *values;

  g_return_val_if_fail (MUSTER_IS_STORE (self), FALSE);

  values = muster_store_load (self, muster_store_kept_load_rows, error);
  if (values == NULL)
    return FALSE;
  muster_store_kept_fill (self->kept, values);

  return TRUE;
}

/**
 * muster_store_peek_sealed:
 * @self: a #MusterStore
 * @account: whose
 * @name: which
 *
 * A sealed value without asking the file: one that has not changed since the start, unless it is large.
 *
 * Returns: (transfer none) (nullable): the value; %NULL says nothing: muster_store_read_sealed_async()
 */
GBytes *
muster_store_peek_sealed (MusterStore *self, const char *account, const char *name)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);
  g_return_val_if_fail (account != NULL && name != NULL, NULL);

  return muster_store_kept_peek (self->kept, account, name);
}

GPtrArray *
muster_store_load_quarantine (MusterStore *self, GError **error)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return muster_store_load (self, muster_store_load_quarantine_rows, error);
}

/**
 * muster_store_load_outbox_counts:
 * @self: a #MusterStore
 * @error: return location for a #GError of %MUSTER_STORE_ERROR
 *
 * Returns: (transfer container) (element-type MusterOutboxCount): how many events wait for each sink
 *   for which some do
 */
GPtrArray *
muster_store_load_outbox_counts (MusterStore *self, GError **error)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return muster_store_load (self, muster_store_outbox_count, error);
}

GPtrArray *
muster_store_load_layers (MusterStore *self, GError **error)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return muster_store_load (self, muster_store_presence_load_layers, error);
}

GPtrArray *
muster_store_load_overrides (MusterStore *self, GError **error)
{
  g_return_val_if_fail (MUSTER_IS_STORE (self), NULL);

  return muster_store_load (self, muster_store_presence_load_overrides, error);
}

/* jobs */

static MusterStoreJob *
muster_store_job (MusterStore *self,
                  MusterStoreJobFunc run,
                  gpointer source_tag,
                  GCancellable *cancellable,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, source_tag);
  /* What was committed is committed: the writer looks before it begins, never after. */
  g_task_set_check_cancellable (task, FALSE);

  return muster_store_job_new (run, task);
}

/* Takes @job. */
static void
muster_store_push (MusterStore *self, MusterStoreJob *job)
{
  if (self->writer != NULL) {
    muster_store_writer_push (self->writer, job);
    return;
  }

  job->error = g_error_new (MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FAILED, "the store is closed");
  return_job (job);
}

/**
 * muster_store_commit_async:
 * @self: a #MusterStore
 * @change: (transfer full): what to change
 * @cancellable: (nullable): prevents the change if it has not begun
 * @callback: called when the change is on the disk, or was not made at all
 * @user_data: for @callback
 *
 * Commits a change durably. Changes are made in the order of these calls. Run-time rows and sealed
 * values that wait to be written behind and that @change replaces or deletes are forgotten.
 */
void
muster_store_commit_async (MusterStore *self,
                           MusterStoreChange *change,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  MusterStoreJob *job;

  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (change != NULL);

  job = muster_store_job (self, muster_store_writer_commit, muster_store_commit_async, cancellable,
                          callback, user_data);
  job->change = change;
  muster_store_change_forget_kept (change, self->kept);
  muster_store_push (self, job);
}

gboolean
muster_store_commit_finish (MusterStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_store_commit_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * muster_store_read_sealed_async:
 * @self: a #MusterStore
 * @account: whose
 * @name: which
 * @cancellable: (nullable): a #GCancellable
 * @callback: called with the result
 * @user_data: for @callback
 *
 * Reads a sealed value as it is after everything put or committed before.
 */
void
muster_store_read_sealed_async (MusterStore *self,
                                const char *account,
                                const char *name,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  MusterStoreJob *job;

  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (account != NULL && name != NULL);

  job = muster_store_job (self, muster_store_writer_read_sealed, muster_store_read_sealed_async,
                          cancellable, callback, user_data);
  job->account = g_strdup (account);
  job->name = g_strdup (name);
  muster_store_push (self, job);
}

GBytes *
muster_store_read_sealed_finish (MusterStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_store_read_sealed_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * muster_store_read_events_async:
 * @self: a #MusterStore
 * @before_seq: only events before this number, 0 for the newest
 * @account: only this account's, "" for all
 * @type_prefix: only types that begin so, "" for all
 * @limit: at most so many, 1 to 1000
 * @cancellable: (nullable): a #GCancellable
 * @callback: called with the result
 * @user_data: for @callback
 *
 * Reads the journal backwards; writes what waits for it first.
 */
void
muster_store_read_events_async (MusterStore *self,
                                gint64 before_seq,
                                const char *account,
                                const char *type_prefix,
                                guint limit,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  MusterStoreJob *job;

  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (account != NULL && type_prefix != NULL);

  job = muster_store_job (self, muster_store_writer_read_events, muster_store_read_events_async,
                          cancellable, callback, user_data);
  job->before_seq = before_seq;
  job->account = g_strdup (account);
  job->name = g_strdup (type_prefix);
  job->limit = CLAMP (limit, 1, READ_EVENTS_MAX);
  muster_store_push (self, job);
}

GPtrArray *
muster_store_read_events_finish (MusterStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_store_read_events_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
muster_store_read_outbox_async (MusterStore *self,
                                const char *sink,
                                const char *account,
                                gint64 after_seq,
                                gint64 until_seq,
                                guint limit,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  MusterStoreJob *job;

  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (sink != NULL);

  job = muster_store_job (self, muster_store_writer_read_outbox, muster_store_read_outbox_async,
                          cancellable, callback, user_data);
  job->name = g_strdup (sink);
  job->account = g_strdup (account);
  job->after_seq = after_seq;
  job->before_seq = until_seq;
  job->limit = CLAMP (limit, 1, READ_EVENTS_MAX);
  muster_store_push (self, job);
}

GPtrArray *
muster_store_read_outbox_finish (MusterStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_store_read_outbox_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
muster_store_read_records_async (MusterStore *self,
                                 const char *plugin,
                                 const char *name_space,
                                 const char *key,
                                 const char *after_key,
                                 guint limit,
                                 gint64 now_us,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  MusterStoreJob *job;

  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (plugin != NULL && name_space != NULL && (key != NULL || after_key != NULL));

  job = muster_store_job (self, muster_store_writer_read_records, muster_store_read_records_async,
                          cancellable, callback, user_data);
  job->account = g_strdup (plugin);
  job->name = g_strdup (name_space);
  job->key = g_strdup (key);
  job->after_key = g_strdup (after_key);
  job->now_us = now_us;
  job->limit = CLAMP (limit, 1, READ_EVENTS_MAX);
  muster_store_push (self, job);
}

GPtrArray *
muster_store_read_records_finish (MusterStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_store_read_records_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* written behind */

void
muster_store_get_stats (MusterStore *self, MusterStoreStats *stats)
{
  g_return_if_fail (MUSTER_IS_STORE (self));

  *stats = (MusterStoreStats){ 0 };
  if (self->writer != NULL)
    muster_store_writer_get_stats (self->writer, stats);
}

/* Takes @behind. */
static void
muster_store_put_behind (MusterStore *self, MusterStoreBehind *behind)
{
  if (self->writer != NULL)
    muster_store_writer_put_behind (self->writer, behind);
  else
    muster_store_behind_free (behind);
}

void
muster_store_ack_outbox (MusterStore *self, const char *sink, gint64 seq)
{
  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (sink != NULL);

  muster_store_put_behind (self, muster_store_behind_new_ack (sink, seq));
}

void
muster_store_drop_outbox (MusterStore *self, const char *sink, guint n_events)
{
  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (sink != NULL);

  muster_store_put_behind (self, muster_store_behind_new_drop (sink, n_events));
}

void
muster_store_put_record (MusterStore *self, const MusterPluginRecord *record)
{
  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (record->plugin != NULL && record->name_space != NULL);
  g_return_if_fail (record->key != NULL && record->blob != NULL);

  muster_store_put_behind (self, muster_store_behind_new_put (muster_plugin_record_copy (record)));
}

void
muster_store_delete_record (MusterStore *self,
                            const char *plugin,
                            const char *name_space,
                            const char *key)
{
  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (plugin != NULL && name_space != NULL && key != NULL);

  muster_store_put_behind (self, muster_store_behind_new_delete (plugin, name_space, key));
}

void
muster_store_sweep_records (MusterStore *self, gint64 now_us)
{
  g_return_if_fail (MUSTER_IS_STORE (self));

  muster_store_put_behind (self, muster_store_behind_new_sweep (now_us));
}

/**
 * muster_store_put_runtime:
 * @self: a #MusterStore
 * @record: an account's row; what is put for one that is unknown or deleted is ignored
 *
 * Has the row written within 200 ms, unless a later one of the account replaces it before.
 */
void
muster_store_put_runtime (MusterStore *self, const MusterRuntimeRecord *record)
{
  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (record->account != NULL && record->state != NULL);

  if (self->writer != NULL)
    muster_store_writer_put_runtime (self->writer, record);
}

/**
 * muster_store_put_sealed_later:
 * @self: a #MusterStore
 * @account: whose; what is put for one that is unknown or deleted is ignored. "" is the daemon
 * @name: which
 * @sealed: the value, from the vault
 *
 * Has a sealed value written within 200 ms, such as a resume blob. A secret that the user gave goes
 * into a change instead.
 */
void
muster_store_put_sealed_later (MusterStore *self,
                               const char *account,
                               const char *name,
                               GBytes *sealed)
{
  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (account != NULL && name != NULL);
  g_return_if_fail (sealed != NULL && g_bytes_get_size (sealed) <= SEALED_MAX_BYTES);

  muster_store_kept_forget (self->kept, account, name);
  if (self->writer != NULL)
    muster_store_writer_put_sealed (self->writer, account, name, sealed);
}

/**
 * muster_store_append_event:
 * @self: a #MusterStore
 * @record: the event; its number is given when it is written
 *
 * Has an event written to the journal within 200 ms. The journal's order is the order in which
 * events are put, those of changes among them.
 */
void
muster_store_append_event (MusterStore *self, const MusterEventRecord *record)
{
  g_return_if_fail (MUSTER_IS_STORE (self));
  g_return_if_fail (muster_store_journal_accepts (record));

  if (self->writer != NULL)
    muster_store_writer_put_event (self->writer, muster_event_record_copy (record));
}

/* GObject */

static void
muster_store_finalize (GObject *object)
{
  MusterStore *self = MUSTER_STORE (object);

  muster_store_close (self); /* no task is left: each holds a reference */
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_async_queue_unref (self->done);
  muster_store_kept_free (self->kept);
  g_free (self->notice);

  G_OBJECT_CLASS (muster_store_parent_class)->finalize (object);
}

static void
muster_store_class_init (MusterStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = muster_store_finalize;
}

static void
muster_store_init (MusterStore *self)
{
  self->lock_fd = -1;
  self->done = g_async_queue_new ();
  self->kept = muster_store_kept_new ();
  self->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_name (self->source, "muster-store results");
  g_source_set_callback (self->source, on_source_ready, self, NULL);
}
