/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store-behind.h"
#include "muster-store-database.h"
#include "muster-store.h"

G_BEGIN_DECLS

typedef struct _MusterStoreWriter MusterStoreWriter;
typedef struct _MusterStoreJob MusterStoreJob;

/* Runs on the writer's thread: the result, or NULL and perhaps an error. */
typedef gpointer (*MusterStoreJobFunc) (MusterStoreWriter *writer,
                                        MusterStoreJob *job,
                                        GError **error);
typedef GPtrArray *(*MusterStoreLoadFunc) (MusterStoreDatabase *database, GError **error);

/* Something to do in its turn. The thread touches nothing of @task but its cancellable. */
struct _MusterStoreJob {
  MusterStoreJobFunc run;
  GTask *task; /* NULL if somebody blocks for it */

  /* what it needs, as @run goes */
  MusterStoreChange *change;
  MusterStoreLoadFunc load;
  char *account;
  char *name;
  char *key;
  char *after_key;
  gint64 before_seq;
  gint64 after_seq;
  gint64 now_us;
  guint limit;

  /* set by the writer */
  guint64 stamp;
  gpointer result;
  GError *error;
  gboolean done;
};

MusterStoreJob *muster_store_job_new (MusterStoreJobFunc run, GTask *task);
void muster_store_job_free (MusterStoreJob *self); /* not the result */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterStoreJob, muster_store_job_free)

/* Called on the thread with a job that is done (transferred). */
typedef void (*MusterStoreDoneFunc) (MusterStoreJob *job, gpointer user_data);

/* @database belongs to the thread from now on, until stop returns. */
MusterStoreWriter *muster_store_writer_new (MusterStoreDatabase *database,
                                            MusterStoreDoneFunc done,
                                            gpointer user_data);
/* Writes everything that was put and asked before, and frees. */
void muster_store_writer_stop (MusterStoreWriter *self);

/* Main thread. */
void muster_store_writer_push (MusterStoreWriter *self, MusterStoreJob *job);
gpointer muster_store_writer_run (MusterStoreWriter *self, MusterStoreJob *job, GError **error);
void muster_store_writer_put_runtime (MusterStoreWriter *self, const MusterRuntimeRecord *record);
void muster_store_writer_put_sealed (MusterStoreWriter *self,
                                     const char *account,
                                     const char *name,
                                     GBytes *sealed);
void muster_store_writer_put_event (MusterStoreWriter *self, MusterEventRecord *record);
void muster_store_writer_put_behind (MusterStoreWriter *self, MusterStoreBehind *behind);

void muster_store_writer_get_stats (MusterStoreWriter *self, MusterStoreStats *stats);

/* The jobs. */
gpointer muster_store_writer_commit (MusterStoreWriter *self, MusterStoreJob *job, GError **error);
gpointer muster_store_writer_load (MusterStoreWriter *self, MusterStoreJob *job, GError **error);
gpointer
muster_store_writer_read_sealed (MusterStoreWriter *self, MusterStoreJob *job, GError **error);
gpointer
muster_store_writer_read_events (MusterStoreWriter *self, MusterStoreJob *job, GError **error);
gpointer
muster_store_writer_read_outbox (MusterStoreWriter *self, MusterStoreJob *job, GError **error);
gpointer
muster_store_writer_read_records (MusterStoreWriter *self, MusterStoreJob *job, GError **error);

G_END_DECLS
