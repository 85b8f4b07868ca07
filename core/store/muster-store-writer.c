/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-writer.h"

#include "muster-store-change.h"
#include "muster-store-journal.h"
#include "muster-store-outbox.h"
#include "muster-store-plugin.h"
#include "muster-store-rows.h"
#include "muster-store-waiting.h"

#include <stdbool.h>

/*
 * The thread that owns the database while the daemon runs.
 *
 * It serves jobs (changes and reads) in the order they were asked for, and writes what waits to be
 * written behind when that is due. What is written behind has a deadline of its own: written "when
 * no job waits" it would never be written under steady changes. After a quiet time that is soon, so
 * that a daemon that is killed loses next to nothing; under load it gathers.
 *
 * Order. A row written behind must not come after a change that was asked for later, nor before one
 * asked for earlier (a value put for an account whose creation still stands in the queue). So a
 * batch is first taken out whole, then every job that was asked for before that moment is served,
 * and only then the batch is written, in parts, with newer jobs served in between. A job that
 * replaces or deletes what still waits drops it, by stamp: see muster-store-waiting.h.
 *
 * After a second in which nothing was asked for, it gives back the memory that it does not need.
 */

#define BATCH_EVERY_US (200 * G_TIME_SPAN_MILLISECOND)
#define BATCH_AFTER_US (10 * G_TIME_SPAN_MILLISECOND)
#define RETRY_AFTER_US G_TIME_SPAN_SECOND
#define QUIET_AFTER_US G_TIME_SPAN_SECOND
#define PART_ROWS      500

/* mimalloc's, in a program that has it: see doc/decisions/mimalloc.md. */
void mi_collect (bool force) __attribute__ ((weak));

struct _MusterStoreWriter {
  GThread *thread;
  GMutex lock;
  GCond wake; /* the thread: something to do */
  GCond done; /* who blocks for a job: it is done */

  /* under the lock */
  GQueue jobs; /* of MusterStoreJob */
  MusterStoreWaiting *waiting;
  gint64 due_us;        /* monotonic: when to write it, 0: nothing waits */
  gint64 last_batch_us; /* when the last one was taken out */
  guint64 next_stamp;
  guint64 n_batches;
  guint64 n_rests;
  gboolean stopping;

  /* the thread's */
  MusterStoreDatabase *database;
  MusterStoreWaiting *batch; /* taken out of waiting, being written; or NULL */
  gboolean failing;          /* said so in the log */
  gint64 quiet_us;           /* monotonic: when to rest, 0: has done so */

  MusterStoreDoneFunc done_func;
  gpointer done_data;
};

/* jobs */

MusterStoreJob *
muster_store_job_new (MusterStoreJobFunc run, GTask *task)
{
  MusterStoreJob *self = g_new0 (MusterStoreJob, 1);

  self->run = run;
  self->task = task;

  return self;
}

void
muster_store_job_free (MusterStoreJob *self)
{
  g_clear_object (&self->task);
  g_clear_pointer (&self->change, muster_store_change_free);
  g_clear_pointer (&self->account, g_free);
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->key, g_free);
  g_clear_pointer (&self->after_key, g_free);
  g_clear_error (&self->error);
  g_free (self);
}

static void
muster_store_writer_serve (MusterStoreWriter *self, MusterStoreJob *job)
{
  GCancellable *cancellable = job->task != NULL ? g_task_get_cancellable (job->task) : NULL;

  if (!g_cancellable_set_error_if_cancelled (cancellable, &job->error))
    job->result = job->run (self, job, &job->error);

  if (job->task != NULL) {
    self->done_func (job, self->done_data);
    return;
  }

  g_mutex_lock (&self->lock);
  job->done = TRUE;
  g_cond_broadcast (&self->done);
  g_mutex_unlock (&self->lock);
}

/* All that were asked for before @stamp; 0: before now. */
static void
muster_store_writer_serve_until (MusterStoreWriter *self, guint64 stamp)
{
  MusterStoreJob *job;

  while (TRUE) {
    g_mutex_lock (&self->lock);
    if (stamp == 0)
      stamp = self->next_stamp;
    job = g_queue_peek_head (&self->jobs);
    if (job != NULL && job->stamp < stamp)
      g_queue_pop_head (&self->jobs);
    else
      job = NULL;
    g_mutex_unlock (&self->lock);

    if (job == NULL)
      return;
    muster_store_writer_serve (self, job);
  }
}

/* changes */

/* Takes out the events that were put before @stamp, so that they come first in the journal. */
static MusterStoreWaiting *
muster_store_writer_take_events (MusterStoreWriter *self, guint64 stamp)
{
  MusterStoreWaiting *events;

  events = self->batch != NULL ? muster_store_waiting_split_events (self->batch, stamp)
                               : muster_store_waiting_new ();

  g_mutex_lock (&self->lock);
  /* those of the batch are older */
  muster_store_waiting_append_events (events,
                                      muster_store_waiting_split_events (self->waiting, stamp));
  g_mutex_unlock (&self->lock);

  return events;
}

static void
muster_store_writer_give_back (MusterStoreWriter *self, MusterStoreWaiting *rows)
{
  if (self->batch != NULL) {
    muster_store_waiting_merge_older (self->batch, rows);
    return;
  }

  g_mutex_lock (&self->lock);
  muster_store_waiting_merge_older (self->waiting, rows);
  if (self->due_us == 0 && !muster_store_waiting_is_empty (self->waiting))
    self->due_us = g_get_monotonic_time () + RETRY_AFTER_US;
  g_mutex_unlock (&self->lock);
}

gpointer
muster_store_writer_commit (MusterStoreWriter *self, MusterStoreJob *job, GError **error)
{
  MusterStoreWaiting *events = NULL;

  if (muster_store_change_has_events (job->change))
    events = muster_store_writer_take_events (self, job->stamp);

  if (!muster_store_database_begin (self->database, TRUE, error) ||
      (events != NULL && !muster_store_waiting_write (events, self->database, error)) ||
      !muster_store_change_apply (job->change, self->database, error) ||
      !muster_store_database_commit (self->database, error)) {
    muster_store_database_rollback (self->database);
    if (events != NULL)
      muster_store_writer_give_back (self, events);
    return NULL;
  }
  g_clear_pointer (&events, muster_store_waiting_free);

  g_mutex_lock (&self->lock);
  muster_store_change_drop_superseded (job->change, self->waiting, job->stamp);
  g_mutex_unlock (&self->lock);
  if (self->batch != NULL)
    muster_store_change_drop_superseded (job->change, self->batch, job->stamp);

  return GINT_TO_POINTER (TRUE);
}

/* reads */

gpointer
muster_store_writer_load (MusterStoreWriter *self, MusterStoreJob *job, GError **error)
{
  return job->load (self->database, error);
}

static GBytes *
muster_store_writer_find_waiting (MusterStoreWriter *self, const char *account, const char *name)
{
  GBytes *sealed;

  g_mutex_lock (&self->lock);
  sealed = muster_store_waiting_find_sealed (self->waiting, account, name);
  if (sealed != NULL)
    g_bytes_ref (sealed);
  g_mutex_unlock (&self->lock);

  if (sealed == NULL && self->batch != NULL) {
    sealed = muster_store_waiting_find_sealed (self->batch, account, name);
    if (sealed != NULL)
      g_bytes_ref (sealed);
  }

  return sealed;
}

gpointer
muster_store_writer_read_sealed (MusterStoreWriter *self, MusterStoreJob *job, GError **error)
{
  g_autoptr (GBytes) waiting = NULL;

  waiting = muster_store_writer_find_waiting (self, job->account, job->name);
  if (waiting == NULL)
    return muster_store_rows_get_sealed (self->database, job->account, job->name, error);

  /* one put for an account that is gone will never be written */
  if (!muster_store_rows_has_account (self->database, job->account, error))
    return NULL;

  return g_steal_pointer (&waiting);
}

/* Writes the events, and what stands in line with them, that were put before the job. */
static gboolean
muster_store_writer_catch_up (MusterStoreWriter *self, MusterStoreJob *job, GError **error)
{
  MusterStoreWaiting *events = muster_store_writer_take_events (self, job->stamp);

  if (!muster_store_waiting_is_empty (events) &&
      (!muster_store_database_begin (self->database, FALSE, error) ||
       !muster_store_waiting_write (events, self->database, error) ||
       !muster_store_database_commit (self->database, error))) {
    muster_store_database_rollback (self->database);
    muster_store_writer_give_back (self, events);
    return FALSE;
  }
  muster_store_waiting_free (events);

  return TRUE;
}

gpointer
muster_store_writer_read_events (MusterStoreWriter *self, MusterStoreJob *job, GError **error)
{
  if (!muster_store_writer_catch_up (self, job, error))
    return NULL;

  return muster_store_journal_read (self->database, job->before_seq, job->account, job->name,
                                    job->limit, error);
}

gpointer
muster_store_writer_read_outbox (MusterStoreWriter *self, MusterStoreJob *job, GError **error)
{
  if (!muster_store_writer_catch_up (self, job, error))
    return NULL;

  return muster_store_outbox_read (self->database, job->name, job->account, job->after_seq,
                                   job->before_seq, job->limit, error);
}

gpointer
muster_store_writer_read_records (MusterStoreWriter *self, MusterStoreJob *job, GError **error)
{
  if (!muster_store_writer_catch_up (self, job, error))
    return NULL;

  return muster_store_plugin_read (self->database, job->account, job->name, job->key,
                                   job->after_key, job->limit, job->now_us, error);
}

/* writing behind */

static gboolean
muster_store_writer_write_part (MusterStoreWriter *self, GError **error)
{
  MusterStoreWaiting *part = muster_store_waiting_split (self->batch, PART_ROWS);

  if (!muster_store_database_begin (self->database, FALSE, error) ||
      !muster_store_waiting_write (part, self->database, error) ||
      !muster_store_database_commit (self->database, error)) {
    muster_store_database_rollback (self->database);
    muster_store_writer_give_back (self, part);
    return FALSE;
  }
  muster_store_waiting_free (part);
  g_mutex_lock (&self->lock);
  self->n_batches++;
  g_mutex_unlock (&self->lock);

  return TRUE;
}

void
muster_store_writer_get_stats (MusterStoreWriter *self, MusterStoreStats *stats)
{
  g_mutex_lock (&self->lock);
  stats->n_batches = self->n_batches;
  stats->n_rests = self->n_rests;
  stats->n_waiting = muster_store_waiting_get_n_rows (self->waiting);
  g_mutex_unlock (&self->lock);
}

/* Once per failure, not once per batch: a disk stays full for hours. */
static void
muster_store_writer_report (MusterStoreWriter *self, const GError *error)
{
  if (error != NULL && !self->failing)
    g_message ("cannot write what happened, trying again: %s", error->message);
  else if (error == NULL && self->failing)
    g_message ("writing what happened works again");

  self->failing = error != NULL;
}

/* FALSE: something could not be written, and waits again. */
static gboolean
muster_store_writer_write_batch (MusterStoreWriter *self)
{
  MusterStoreWaiting *failed;
  g_autoptr (GError) error = NULL;
  guint64 barrier;

  g_mutex_lock (&self->lock);
  self->batch = self->waiting;
  self->waiting = muster_store_waiting_new ();
  self->due_us = 0;
  self->last_batch_us = g_get_monotonic_time ();
  barrier = self->next_stamp;
  g_mutex_unlock (&self->lock);

  muster_store_writer_serve_until (self, barrier);

  while (error == NULL && !muster_store_waiting_is_empty (self->batch)) {
    if (muster_store_writer_write_part (self, &error))
      muster_store_writer_serve_until (self, 0);
  }

  failed = g_steal_pointer (&self->batch);
  muster_store_writer_give_back (self, failed); /* frees it if it is empty */
  muster_store_writer_report (self, error);

  return error == NULL;
}

/* Called with the lock. When something is to be done at the latest; 0: nothing will be. */
static gint64
muster_store_writer_get_next_us (const MusterStoreWriter *self)
{
  if (self->due_us == 0 || self->quiet_us == 0)
    return MAX (self->due_us, self->quiet_us);

  return MIN (self->due_us, self->quiet_us);
}

/* Called with the lock, which it gives up while it waits. */
static void
muster_store_writer_wait (MusterStoreWriter *self)
{
  while (g_queue_is_empty (&self->jobs) && !self->stopping) {
    gint64 next_us = muster_store_writer_get_next_us (self);

    if (next_us == 0)
      g_cond_wait (&self->wake, &self->lock);
    else if (!g_cond_wait_until (&self->wake, &self->lock, next_us))
      return;
  }
}

/* What a start or a storm has read and written is seldom asked for again, and the kernel has it, too. */
static void
muster_store_writer_rest (MusterStoreWriter *self)
{
  muster_store_database_forget_pages (self->database);
  if (mi_collect != NULL)
    mi_collect (true); /* what this thread has freed: no other can give it back */
  self->quiet_us = 0;

  g_mutex_lock (&self->lock);
  self->n_rests++;
  g_mutex_unlock (&self->lock);
}

static gpointer
muster_store_writer_thread (gpointer user_data)
{
  MusterStoreWriter *self = user_data;
  gboolean stopping = FALSE;

  while (!stopping) {
    gboolean is_due, is_quiet;
    gint64 now_us;

    g_mutex_lock (&self->lock);
    muster_store_writer_wait (self);
    now_us = g_get_monotonic_time ();
    stopping = self->stopping;
    is_due = self->due_us != 0 && (stopping || now_us >= self->due_us);
    is_quiet = g_queue_is_empty (&self->jobs) && self->quiet_us != 0 && now_us >= self->quiet_us;
    g_mutex_unlock (&self->lock);

    if (is_due) {
      muster_store_writer_write_batch (self);
    } else if (is_quiet) {
      muster_store_writer_rest (self);
      continue;
    } else {
      muster_store_writer_serve_until (self, 0);
    }
    self->quiet_us = g_get_monotonic_time () + QUIET_AFTER_US;
  }

  /* Nothing more can be asked now. Rows that fail once more are lost, which the log said. */
  muster_store_writer_serve_until (self, 0);

  return NULL;
}

MusterStoreWriter *
muster_store_writer_new (MusterStoreDatabase *database,
                         MusterStoreDoneFunc done,
                         gpointer user_data)
{
  MusterStoreWriter *self = g_new0 (MusterStoreWriter, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_cond_init (&self->done);
  g_queue_init (&self->jobs);
  self->waiting = muster_store_waiting_new ();
  self->next_stamp = 1;
  self->database = database;
  self->done_func = done;
  self->done_data = user_data;
  muster_store_database_forget_pages (database); /* here, where opening it has read them */
  self->thread = g_thread_new ("muster-store", muster_store_writer_thread, self);

  return self;
}

void
muster_store_writer_stop (MusterStoreWriter *self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);

  g_assert (g_queue_is_empty (&self->jobs));
  muster_store_waiting_free (self->waiting);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->done);
  g_free (self);
}

/* main thread */

void
muster_store_writer_push (MusterStoreWriter *self, MusterStoreJob *job)
{
  g_mutex_lock (&self->lock);
  job->stamp = self->next_stamp++;
  g_queue_push_tail (&self->jobs, job);
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
}

gpointer
muster_store_writer_run (MusterStoreWriter *self, MusterStoreJob *job, GError **error)
{
  muster_store_writer_push (self, job);

  g_mutex_lock (&self->lock);
  while (!job->done)
    g_cond_wait (&self->done, &self->lock);
  g_mutex_unlock (&self->lock);

  if (job->error != NULL)
    g_propagate_error (error, g_steal_pointer (&job->error));

  return g_steal_pointer (&job->result);
}

/* The thread sleeps without a deadline only while nothing waits. */
static void
muster_store_writer_set_due (MusterStoreWriter *self)
{
  if (self->due_us != 0)
    return;

  self->due_us = MAX (g_get_monotonic_time () + BATCH_AFTER_US,
                      self->last_batch_us + BATCH_EVERY_US);
  g_cond_signal (&self->wake);
}

void
muster_store_writer_put_runtime (MusterStoreWriter *self, const MusterRuntimeRecord *record)
{
  g_mutex_lock (&self->lock);
  muster_store_waiting_put_runtime (self->waiting, self->next_stamp++, record);
  muster_store_writer_set_due (self);
  g_mutex_unlock (&self->lock);
}

void
muster_store_writer_put_sealed (MusterStoreWriter *self,
                                const char *account,
                                const char *name,
                                GBytes *sealed)
{
  g_mutex_lock (&self->lock);
  muster_store_waiting_put_sealed (self->waiting, self->next_stamp++, account, name, sealed);
  muster_store_writer_set_due (self);
  g_mutex_unlock (&self->lock);
}

void
muster_store_writer_put_event (MusterStoreWriter *self, MusterEventRecord *record)
{
  g_mutex_lock (&self->lock);
  muster_store_waiting_put_event (self->waiting, self->next_stamp++, record);
  muster_store_writer_set_due (self);
  g_mutex_unlock (&self->lock);
}

void
muster_store_writer_put_behind (MusterStoreWriter *self, MusterStoreBehind *behind)
{
  g_mutex_lock (&self->lock);
  muster_store_waiting_put_behind (self->waiting, self->next_stamp++, behind);
  muster_store_writer_set_due (self);
  g_mutex_unlock (&self->lock);
}
