/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: the daemon's side of MusterSink, MusterListener and MusterEvent. */

#pragma once

#include <muster/muster-plugin.h>

G_BEGIN_DECLS

/* @context (nullable) outlives what is made here. */
MUSTER_API MusterSink *muster_sink_new (GType type, const char *name, MusterPluginContext *context);
MUSTER_API gboolean muster_sink_start (MusterSink *self, GError **error);
MUSTER_API void muster_sink_stop (MusterSink *self);
MUSTER_API gboolean muster_sink_wants (MusterSink *self, const char *type);
MUSTER_API gboolean muster_sink_gates (MusterSink *self, const char *type);

/* Answers are %MUSTER_ERROR or %G_IO_ERROR_CANCELLED, whatever the plugin said. */
MUSTER_API void muster_sink_consume_async (MusterSink *self,
                                           MusterEvent *event,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);
MUSTER_API gboolean muster_sink_consume_finish (MusterSink *self,
                                                GAsyncResult *result,
                                                GError **error);
MUSTER_API void muster_sink_gate_async (MusterSink *self,
                                        MusterEvent *event,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
MUSTER_API gboolean muster_sink_gate_finish (MusterSink *self,
                                             GAsyncResult *result,
                                             GError **error);

MUSTER_API MusterListener *
muster_listener_new (GType type, const char *name, MusterPluginContext *context);
MUSTER_API gboolean muster_listener_start (MusterListener *self, GError **error);
MUSTER_API void muster_listener_stop (MusterListener *self);

/* Who answers muster_event_gate_async(); it takes and completes @task with %TRUE or an error. One a
 * process; %NULL: everything may happen. */
typedef void (*MusterGateFunc) (gpointer host, MusterEvent *event, GTask *task);
MUSTER_API void muster_event_set_gate (MusterGateFunc func, gpointer host);

G_END_DECLS
