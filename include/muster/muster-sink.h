/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-error.h>
#include <muster/muster-event.h>

G_BEGIN_DECLS

#define MUSTER_TYPE_SINK (muster_sink_get_type ())
MUSTER_API GType muster_sink_get_type (void);
G_DECLARE_DERIVABLE_TYPE (MusterSink, muster_sink, MUSTER, SINK, GObject)

/**
 * MusterGatePolicy:
 * @MUSTER_GATE_ALLOW: what was asked about may happen
 * @MUSTER_GATE_DENY: it may not
 *
 * What becomes of a question that a gating sink does not answer.
 */
typedef enum {
  MUSTER_GATE_ALLOW,
  MUSTER_GATE_DENY,
} MusterGatePolicy;

/**
 * MusterSinkClass:
 * @start: called once, after the plugin's context was started; %FALSE with an error of the
 *   %MUSTER_ERROR domain leaves the plugin listed as failed, with that reason. May be left out
 * @stop: called once, before the plugin's context is stopped. May be left out
 * @wants: whether events of a type are for this sink; by default all are. The answer to a type does
 *   not change while the sink runs
 * @consume_async: takes an event to where it is to go. Called again, later, with the same event (by
 *   its id) until it succeeds; events of one account come one after the other, in order, those of
 *   different accounts side by side
 * @consume_finish: %TRUE: the event is where it was to go and is forgotten; %FALSE with an error of
 *   the %MUSTER_ERROR domain: tried again with backoff, or when the error's retry-after says so
 * @gates: whether this sink is to be asked before a fact of a type is made; by default it is not
 * @gate_async: asked before a fact is made. Required if @gates ever says yes
 * @gate_finish: %TRUE: it may be made; %FALSE with an error of the %MUSTER_ERROR domain: it may not,
 *   for now, and the error's retry-after says when to ask again. %MUSTER_ERROR_UNREACHABLE means that
 *   there is no answer: the sink's own policy decides
 *
 * Consumes events: a webhook, a log, a display. There is one object of each sink.
 *
 * Delivery is at least once: an event is written down together with the change that it tells of,
 * and is forgotten only when the sink has it. A sink that must not do a thing twice remembers ids.
 * At most 100,000 events wait for a sink; then the oldest are dropped and `outbox.dropped` says so.
 *
 * All calls come on the main context. The sink promises: never to block, never to run a main loop, to
 * complete every call exactly once and never before the call returned, and to complete promptly
 * with %G_IO_ERROR_CANCELLED once the cancellable fires.
 */
struct _MusterSinkClass {
  GObjectClass parent_class;

  gboolean (*start) (MusterSink *self, GError **error);
  void (*stop) (MusterSink *self);

  gboolean (*wants) (MusterSink *self, const char *type);
  void (*consume_async) (MusterSink *self,
                         MusterEvent *event,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data);
  gboolean (*consume_finish) (MusterSink *self, GAsyncResult *result, GError **error);

  gboolean (*gates) (MusterSink *self, const char *type);
  void (*gate_async) (MusterSink *self,
                      MusterEvent *event,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data);
  gboolean (*gate_finish) (MusterSink *self, GAsyncResult *result, GError **error);

  /*< private >*/
  gpointer padding[16];
};

MUSTER_API const char *muster_sink_get_name (MusterSink *self);
MUSTER_API MusterPluginContext *muster_sink_get_context (MusterSink *self);

MUSTER_API void
muster_sink_set_gate_policy (MusterSink *self, guint timeout_ms, MusterGatePolicy unanswered);
MUSTER_API guint muster_sink_get_gate_timeout_ms (MusterSink *self);
MUSTER_API MusterGatePolicy muster_sink_get_gate_policy (MusterSink *self);

G_END_DECLS
