/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MUSTER_RECORD_MAX_BYTES:
 *
 * The largest blob of a record.
 */
#define MUSTER_RECORD_MAX_BYTES (64 * 1024)

/**
 * MusterRecordFlags:
 * @MUSTER_RECORD_PLAIN: stored as it is
 * @MUSTER_RECORD_SEALED: stored sealed, as secrets are: for everything that would let somebody in
 *
 * How a record is stored.
 */
typedef enum {
  MUSTER_RECORD_PLAIN = 0,
  MUSTER_RECORD_SEALED = 1 << 0,
} MusterRecordFlags;

/**
 * MusterRecord:
 * @key: its key
 * @blob: its content
 * @expires_at_us: when it goes by itself, in microseconds UTC; 0: never
 * @flags: how it is stored
 *
 * A record of a plugin, as it is read.
 */
struct _MusterRecord {
  char *key;
  GBytes *blob;
  gint64 expires_at_us;
  MusterRecordFlags flags;
};

#define MUSTER_TYPE_RECORD (muster_record_get_type ())
MUSTER_API GType muster_record_get_type (void);
MUSTER_API MusterRecord *
muster_record_new (const char *key, GBytes *blob, gint64 expires_at_us, MusterRecordFlags flags);
MUSTER_API MusterRecord *muster_record_copy (const MusterRecord *self);
MUSTER_API void muster_record_free (MusterRecord *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterRecord, muster_record_free)

/* A plugin's records: the only storage that it has. */
MUSTER_API void muster_plugin_context_records_put (MusterPluginContext *self,
                                                   const char *name_space,
                                                   const char *key,
                                                   GBytes *blob,
                                                   gint64 expires_at_us,
                                                   MusterRecordFlags flags);
MUSTER_API void muster_plugin_context_records_put_for (MusterPluginContext *self,
                                                       const char *account,
                                                       const char *name_space,
                                                       const char *key,
                                                       GBytes *blob,
                                                       gint64 expires_at_us,
                                                       MusterRecordFlags flags);
MUSTER_API void muster_plugin_context_records_delete (MusterPluginContext *self,
                                                      const char *name_space,
                                                      const char *key);
MUSTER_API void muster_plugin_context_records_get_async (MusterPluginContext *self,
                                                         const char *name_space,
                                                         const char *key,
                                                         GCancellable *cancellable,
                                                         GAsyncReadyCallback callback,
                                                         gpointer user_data);
MUSTER_API MusterRecord *muster_plugin_context_records_get_finish (MusterPluginContext *self,
                                                                   GAsyncResult *result,
                                                                   GError **error);
MUSTER_API void muster_plugin_context_records_list_async (MusterPluginContext *self,
                                                          const char *name_space,
                                                          const char *after_key,
                                                          guint limit,
                                                          GCancellable *cancellable,
                                                          GAsyncReadyCallback callback,
                                                          gpointer user_data);
MUSTER_API GPtrArray *muster_plugin_context_records_list_finish (MusterPluginContext *self,
                                                                 GAsyncResult *result,
                                                                 GError **error);

G_END_DECLS
