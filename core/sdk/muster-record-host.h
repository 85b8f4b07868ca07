/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: the daemon's side of a plugin's records. */

#pragma once

#include <muster/muster-plugin.h>

G_BEGIN_DECLS

/**
 * MusterRecordHost:
 *
 * Where a plugin's records are kept. @plugin is the plugin's name: one never sees those of another.
 * @account is the id of the account that the record goes with, %NULL if it goes with none.
 * `get` and `list` take and complete @task, with a #MusterRecord or %NULL, and with a #GPtrArray of
 * them.
 */
typedef struct {
  void (*put) (gpointer host,
               const char *plugin,
               const char *account,
               const char *name_space,
               const MusterRecord *record);
  void (*remove) (gpointer host, const char *plugin, const char *name_space, const char *key);
  void (
    *get) (gpointer host, const char *plugin, const char *name_space, const char *key, GTask *task);
  void (*list) (gpointer host,
                const char *plugin,
                const char *name_space,
                const char *after_key,
                guint limit,
                GTask *task);
} MusterRecordHost;

/* @plugin is lent for the context's life; @host %NULL: it has no records (any more). */
MUSTER_API void muster_plugin_context_set_record_host (MusterPluginContext *self,
                                                       const char *plugin,
                                                       const MusterRecordHost *host,
                                                       gpointer host_data);

G_END_DECLS
