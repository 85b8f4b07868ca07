/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MusterStore:
 *
 * The daemon's SQLite database: one file, one writer thread, one connection. Account changes are
 * durable (synchronous=FULL) before their callback comes; run-time rows are written behind in
 * batches and a later row of an account replaces an earlier one that still waits.
 */
#define MUSTER_TYPE_STORE (muster_store_get_type ())
G_DECLARE_FINAL_TYPE (MusterStore, muster_store, MUSTER, STORE, GObject)

/**
 * MusterStoreError:
 * @MUSTER_STORE_ERROR_FAILED: anything else
 * @MUSTER_STORE_ERROR_FULL: no room on the disk; nothing was changed
 * @MUSTER_STORE_ERROR_BUSY: another process has the database
 * @MUSTER_STORE_ERROR_DAMAGED: the file is not a database that we can read
 * @MUSTER_STORE_ERROR_TOO_NEW: a newer version of Muster wrote it
 */
typedef enum {
  MUSTER_STORE_ERROR_FAILED,
  MUSTER_STORE_ERROR_FULL,
  MUSTER_STORE_ERROR_BUSY,
  MUSTER_STORE_ERROR_DAMAGED,
  MUSTER_STORE_ERROR_TOO_NEW,
} MusterStoreError;

#define MUSTER_STORE_ERROR (muster_store_error_quark ())
GQuark muster_store_error_quark (void);

typedef struct {
  char *id;
  char *name;
  gint64 created_us; /* UTC, as all times here */
  gint64 modified_us;
} MusterIdentityRecord;

typedef struct {
  char *id;
  char *identity;
  char *protocol;
  char *address;
  char *name;
  gboolean enabled;
  GVariant *params; /* a{sv}, no secrets */
  gint64 created_us;
  gint64 modified_us;
} MusterAccountRecord;

/* What a restarted daemon needs to go on with an account. Written behind. */
typedef struct {
  char *account;
  char *state;             /* as muster_account_state_to_string() */
  gint64 registered_at_us; /* 0: not registered */
  gint64 expires_at_us;    /* 0: none */
  gint64 refresh_at_us;    /* 0: none */
  guint attempt;
  guint proof; /* what is known of its reachability: the broker's; 0: nothing */
} MusterRuntimeRecord;

/* A row of the journal, newest last. @payload is an a{sv}. */
typedef struct {
  gint64 seq; /* given by the store, increasing, never reused */
  gint64 time_us;
  char *type;    /* registration.created, ... */
  char *account; /* may be "" */
  GVariant *payload;
  GStrv sinks; /* when it is put: who is to have it, from the outbox; NULL: nobody */
} MusterEventRecord;

/* A row that could not be read and was moved aside; the rest runs. */
typedef struct {
  char *table;
  char *id;
  char *reason;
  gint64 time_us;
} MusterQuarantineRecord;

/* That a sealed value is there, without its content. */
#define MUSTER_SEALED_HEAD_BYTES 16
typedef struct {
  char *account;
  char *name;
  GBytes *head; /* MUSTER_SEALED_HEAD_BYTES of it, or all there are */
} MusterSealedName;

/* How many events a sink does not have yet. */
typedef struct {
  char *sink;
  gint64 n_events;
} MusterOutboxCount;

/* What a plugin keeps. */
typedef struct {
  char *plugin;
  char *name_space;
  char *key;
  GBytes *blob;      /* as it is stored: sealed, if it is */
  gint64 expires_us; /* 0: never */
  gboolean sealed;
  char *account; /* that it goes with; NULL: none. Not read back */
} MusterPluginRecord;

/* What is said of an identity, and is kept. The words are the broker's. */
typedef struct {
  char *identity;
  char *name;
  char *presence;
  char *text;
  guint priority;
  gint64 until_us; /* 0: for good */
  gint64 number;   /* the later set, the greater */
} MusterLayerRecord;

/* What an account says whatever its identity does. */
typedef struct {
  char *account;
  char *presence;
  char *text;
} MusterOverrideRecord;

void muster_identity_record_free (MusterIdentityRecord *self);
void muster_account_record_free (MusterAccountRecord *self);
void muster_runtime_record_free (MusterRuntimeRecord *self);
void muster_event_record_free (MusterEventRecord *self);
void muster_quarantine_record_free (MusterQuarantineRecord *self);
void muster_sealed_name_free (MusterSealedName *self);
void muster_outbox_count_free (MusterOutboxCount *self);
void muster_plugin_record_free (MusterPluginRecord *self);
void muster_layer_record_free (MusterLayerRecord *self);
void muster_override_record_free (MusterOverrideRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterIdentityRecord, muster_identity_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterAccountRecord, muster_account_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterRuntimeRecord, muster_runtime_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterEventRecord, muster_event_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterQuarantineRecord, muster_quarantine_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterPluginRecord, muster_plugin_record_free)

/* Opens, checks and migrates the database, creating it (0600, its folder 0700) if it is missing, and
 * locks it against a second daemon. Blocks: called once, before the loop runs. A file that is not a
 * database, or that fails the integrity check, is renamed aside (FILE.damaged-TIME) and a new one is
 * begun; muster_store_get_notice() then says so. */
MusterStore *muster_store_open (const char *path, GError **error);
const char *muster_store_get_notice (MusterStore *self);

/* Ends the writer after everything queued is written. Blocks. */
void muster_store_close (MusterStore *self);

/* Read once at start, before the loop runs; each returns an array that owns its records. Rows that
 * cannot be read are moved to the quarantine. */
GPtrArray *muster_store_load_identities (MusterStore *self, GError **error);
GPtrArray *muster_store_load_accounts (MusterStore *self, GError **error);
GPtrArray *muster_store_load_runtimes (MusterStore *self, GError **error);
GPtrArray *muster_store_load_sealed_names (MusterStore *self, GError **error);
gboolean muster_store_keep_sealed (MusterStore *self, GError **error);
GBytes *muster_store_peek_sealed (MusterStore *self, const char *account, const char *name);
GPtrArray *muster_store_load_quarantine (MusterStore *self, GError **error);
GPtrArray *muster_store_load_outbox_counts (MusterStore *self, GError **error);
GPtrArray *muster_store_load_layers (MusterStore *self, GError **error);
GPtrArray *muster_store_load_overrides (MusterStore *self, GError **error);

/* A change: what goes into one transaction, all or nothing. */
typedef struct _MusterStoreChange MusterStoreChange;

MusterStoreChange *muster_store_change_new (void);
void muster_store_change_free (MusterStoreChange *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterStoreChange, muster_store_change_free)

void muster_store_change_put_identity (MusterStoreChange *self, const MusterIdentityRecord *record);
void muster_store_change_delete_identity (MusterStoreChange *self, const char *id);
void muster_store_change_put_account (MusterStoreChange *self, const MusterAccountRecord *record);
/* Takes the account's run-time row and sealed values with it; its id is never given again. */
void muster_store_change_delete_account (MusterStoreChange *self, const char *id);
/* What a restarted daemon would go on with: it begins anew. */
void muster_store_change_delete_runtime (MusterStoreChange *self, const char *account);
void muster_store_change_put_sealed (MusterStoreChange *self,
                                     const char *account,
                                     const char *name,
                                     GBytes *sealed);
/* @name NULL: all of the account's */
void
muster_store_change_delete_sealed (MusterStoreChange *self, const char *account, const char *name);
void muster_store_change_put_event (MusterStoreChange *self, const MusterEventRecord *record);
void muster_store_change_put_layer (MusterStoreChange *self, const MusterLayerRecord *record);
/* One of that name, if its number is not greater. */
void muster_store_change_delete_layer (MusterStoreChange *self,
                                       const char *identity,
                                       const char *name,
                                       gint64 number);
void muster_store_change_put_override (MusterStoreChange *self, const MusterOverrideRecord *record);
void muster_store_change_delete_override (MusterStoreChange *self, const char *account);

/* Commits @change (taken), durably. */
void muster_store_commit_async (MusterStore *self,
                                MusterStoreChange *change,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean muster_store_commit_finish (MusterStore *self, GAsyncResult *result, GError **error);

typedef struct {
  guint64 n_batches; /* transactions that wrote something behind */
  guint64 n_rests;   /* times that it gave back memory, for a quiet second */
  guint n_waiting;   /* accounts, events and other rows that wait for one */
} MusterStoreStats;

void muster_store_get_stats (MusterStore *self, MusterStoreStats *stats);

/* Written behind, within 200 ms. Never block, never fail visibly; a failure is logged once and the
 * rows are tried again with the next batch. */
void muster_store_put_runtime (MusterStore *self, const MusterRuntimeRecord *record);
void muster_store_put_sealed_later (MusterStore *self,
                                    const char *account,
                                    const char *name,
                                    GBytes *sealed);
void muster_store_append_event (MusterStore *self, const MusterEventRecord *record);

/* Reads see everything put before them. The result is %NULL without an error if there is no such
 * value. */
void muster_store_read_sealed_async (MusterStore *self,
                                     const char *account,
                                     const char *name,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
GBytes *muster_store_read_sealed_finish (MusterStore *self, GAsyncResult *result, GError **error);

/* The journal, backwards from (not including) @before_seq, 0 for the newest; @account "" for all,
 * @type_prefix "" for all. Returns the records, newest first, at most @limit (1 .. 1000). */
void muster_store_read_events_async (MusterStore *self,
                                     gint64 before_seq,
                                     const char *account,
                                     const char *type_prefix,
                                     guint limit,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
GPtrArray *
muster_store_read_events_finish (MusterStore *self, GAsyncResult *result, GError **error);

/* The outbox: events that were put with @sinks, until a sink has them. Reads events of @sink with numbers
 * above @after_seq and up to @until_seq, the oldest first, at most @limit (1 .. 1000); @account NULL:
 * of all. */
void muster_store_read_outbox_async (MusterStore *self,
                                     const char *sink,
                                     const char *account,
                                     gint64 after_seq,
                                     gint64 until_seq,
                                     guint limit,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
GPtrArray *
muster_store_read_outbox_finish (MusterStore *self, GAsyncResult *result, GError **error);

/* Written behind, as above: @sink has the event; @sink shall not have its @n_events oldest. */
void muster_store_ack_outbox (MusterStore *self, const char *sink, gint64 seq);
void muster_store_drop_outbox (MusterStore *self, const char *sink, guint n_events);

/* Plugins' records, written behind, as above. A plugin that has MUSTER_STORE_RECORDS_MAX of them loses
 * the one written longest ago. One of an account that is unknown or deleted is not kept. */
#define MUSTER_STORE_RECORDS_MAX 100000
void muster_store_put_record (MusterStore *self, const MusterPluginRecord *record);
void muster_store_delete_record (MusterStore *self,
                                 const char *plugin,
                                 const char *name_space,
                                 const char *key);
/* Those that expired before @now_us (UTC). */
void muster_store_sweep_records (MusterStore *self, gint64 now_us);

/* @key not NULL: that record, an array of one or none; else those with keys after @after_key, in the
 * order of their keys, at most @limit (1 .. 1000). Those that expired before @now_us are left out. */
void muster_store_read_records_async (MusterStore *self,
                                      const char *plugin,
                                      const char *name_space,
                                      const char *key,
                                      const char *after_key,
                                      guint limit,
                                      gint64 now_us,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
GPtrArray *
muster_store_read_records_finish (MusterStore *self, GAsyncResult *result, GError **error);

G_END_DECLS
