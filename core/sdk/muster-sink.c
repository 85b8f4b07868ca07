/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-lane.h"
#include "muster-sink-host.h"

/**
 * MusterSink:
 *
 * The base class of what consumes events; see #MusterSinkClass for the contract. It stands between
 * the plugin's answers and the daemon: an error of no meaning is given one, and the daemon's callback
 * never runs before the call returned.
 */

#define GATE_TIMEOUT_MS     5000
#define GATE_TIMEOUT_MAX_MS 30000

typedef struct {
  char *name;
  MusterPluginContext *context; /* borrowed: it outlives its sinks */
  guint gate_timeout_ms;
  MusterGatePolicy gate_policy;
} MusterSinkPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (MusterSink, muster_sink, G_TYPE_OBJECT)

#define PRIV(self) ((MusterSinkPrivate *) muster_sink_get_instance_private (self))

static gboolean
muster_sink_real_start (MusterSink *self, GError **error)
{
  return TRUE;
}

static void
muster_sink_real_stop (MusterSink *self)
{
}

static gboolean
muster_sink_real_wants (MusterSink *self, const char *type)
{
  return TRUE;
}

static gboolean
muster_sink_real_gates (MusterSink *self, const char *type)
{
  return FALSE;
}

static void
muster_sink_finalize (GObject *object)
{
  g_free (PRIV (MUSTER_SINK (object))->name);

  G_OBJECT_CLASS (muster_sink_parent_class)->finalize (object);
}

static void
muster_sink_class_init (MusterSinkClass *klass)
{
  klass->start = muster_sink_real_start;
  klass->stop = muster_sink_real_stop;
  klass->wants = muster_sink_real_wants;
  klass->gates = muster_sink_real_gates;
  G_OBJECT_CLASS (klass)->finalize = muster_sink_finalize;
}

static void
muster_sink_init (MusterSink *self)
{
  PRIV (self)->gate_timeout_ms = GATE_TIMEOUT_MS;
  PRIV (self)->gate_policy = MUSTER_GATE_DENY;
}

/* what plugins ask */

/**
 * muster_sink_get_name:
 * @self: a sink
 *
 * Returns: (transfer none): its name, as its #MusterKind says
 */
const char *
muster_sink_get_name (MusterSink *self)
{
  g_return_val_if_fail (MUSTER_IS_SINK (self), NULL);

  return PRIV (self)->name;
}

/**
 * muster_sink_get_context:
 * @self: a sink
 *
 * Returns: (nullable) (transfer none): the plugin's context, if its plugin has one
 */
MusterPluginContext *
muster_sink_get_context (MusterSink *self)
{
  g_return_val_if_fail (MUSTER_IS_SINK (self), NULL);

  return PRIV (self)->context;
}

/**
 * muster_sink_set_gate_policy:
 * @self: a sink
 * @timeout_ms: how long it may take over an answer, in milliseconds, at most 30 s
 * @unanswered: what its silence, and %MUSTER_ERROR_UNREACHABLE, mean
 *
 * Says what becomes of questions that the sink does not answer. Unless it says so, 5 s and
 * %MUSTER_GATE_DENY.
 */
void
muster_sink_set_gate_policy (MusterSink *self, guint timeout_ms, MusterGatePolicy unanswered)
{
  g_return_if_fail (MUSTER_IS_SINK (self));
  g_return_if_fail (timeout_ms > 0 && timeout_ms <= GATE_TIMEOUT_MAX_MS);

  PRIV (self)->gate_timeout_ms = timeout_ms;
  PRIV (self)->gate_policy = unanswered;
}

/**
 * muster_sink_get_gate_timeout_ms:
 * @self: a sink
 *
 * Returns: how long it may take over an answer, in milliseconds
 */
guint
muster_sink_get_gate_timeout_ms (MusterSink *self)
{
  g_return_val_if_fail (MUSTER_IS_SINK (self), 0);

  return PRIV (self)->gate_timeout_ms;
}

/**
 * muster_sink_get_gate_policy:
 * @self: a sink
 *
 * Returns: what its silence means
 */
MusterGatePolicy
muster_sink_get_gate_policy (MusterSink *self)
{
  g_return_val_if_fail (MUSTER_IS_SINK (self), MUSTER_GATE_DENY);

  return PRIV (self)->gate_policy;
}

/* what the daemon asks: each call is marked as the plugin's */

/* Any function of the plugin's will do. */
static guint64
muster_sink_mark (MusterSink *self)
{
  return muster_execution_mark ((gconstpointer) MUSTER_SINK_GET_CLASS (self)->consume_async);
}

MusterSink *
muster_sink_new (GType type, const char *name, MusterPluginContext *context)
{
  MusterSink *self;

  g_return_val_if_fail (g_type_is_a (type, MUSTER_TYPE_SINK), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  self = g_object_new (type, NULL);
  PRIV (self)->name = g_strdup (name);
  PRIV (self)->context = context;

  return self;
}

gboolean
muster_sink_start (MusterSink *self, GError **error)
{
  MusterSinkClass *klass;
  gboolean started;
  guint64 outer;

  g_return_val_if_fail (MUSTER_IS_SINK (self), FALSE);

  klass = MUSTER_SINK_GET_CLASS (self);
  if (klass->consume_async == NULL || klass->consume_finish == NULL) {
    g_set_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID, "sink %s cannot consume events",
                 PRIV (self)->name);
    return FALSE;
  }

  outer = muster_sink_mark (self);
  started = klass->start (self, error);
  muster_execution_unmark (outer);

  return started;
}

void
muster_sink_stop (MusterSink *self)
{
  guint64 outer;

  g_return_if_fail (MUSTER_IS_SINK (self));

  outer = muster_sink_mark (self);
  MUSTER_SINK_GET_CLASS (self)->stop (self);
  muster_execution_unmark (outer);
}

gboolean
muster_sink_wants (MusterSink *self, const char *type)
{
  gboolean wants;
  guint64 outer;

  g_return_val_if_fail (MUSTER_IS_SINK (self), FALSE);

  outer = muster_sink_mark (self);
  wants = MUSTER_SINK_GET_CLASS (self)->wants (self, type);
  muster_execution_unmark (outer);

  return wants;
}

gboolean
muster_sink_gates (MusterSink *self, const char *type)
{
  MusterSinkClass *klass;
  gboolean gates;
  guint64 outer;

  g_return_val_if_fail (MUSTER_IS_SINK (self), FALSE);

  klass = MUSTER_SINK_GET_CLASS (self);
  outer = muster_sink_mark (self);
  gates = klass->gate_async != NULL && klass->gate_finish != NULL && klass->gates (self, type);
  muster_execution_unmark (outer);

  return gates;
}

typedef gboolean (*SinkFinish) (MusterSink *self, GAsyncResult *result, GError **error);

/* Takes @task. */
static void
sink_answered (MusterSink *self, GAsyncResult *result, SinkFinish finish, GTask *task)
{
  GError *error = NULL;
  guint64 outer = muster_sink_mark (self);
  gboolean ok = finish (self, result, &error);

  muster_execution_mark (NULL); /* the daemon's callback may run from here */
  if (ok)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, muster_sane_error (self, error));
  g_object_unref (task);
  muster_execution_unmark (outer);
}

static GTask *
sink_task (MusterSink *self,
           gpointer tag,
           GCancellable *cancellable,
           GAsyncReadyCallback callback,
           gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  g_task_set_check_cancellable (task, FALSE);

  return task;
}

static void
on_consumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  sink_answered (MUSTER_SINK (source), result, MUSTER_SINK_GET_CLASS (source)->consume_finish,
                 user_data);
}

void
muster_sink_consume_async (MusterSink *self,
                           MusterEvent *event,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  guint64 outer;

  g_return_if_fail (MUSTER_IS_SINK (self));
  g_return_if_fail (event != NULL);

  outer = muster_sink_mark (self);
  MUSTER_SINK_GET_CLASS (self)->consume_async (self, event, cancellable, on_consumed,
                                               sink_task (self, muster_sink_consume_async,
                                                          cancellable, callback, user_data));
  muster_execution_unmark (outer);
}

gboolean
muster_sink_consume_finish (MusterSink *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
on_gated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  sink_answered (MUSTER_SINK (source), result, MUSTER_SINK_GET_CLASS (source)->gate_finish,
                 user_data);
}

void
muster_sink_gate_async (MusterSink *self,
                        MusterEvent *event,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  guint64 outer;

  g_return_if_fail (MUSTER_IS_SINK (self));
  g_return_if_fail (event != NULL);

  outer = muster_sink_mark (self);
  MUSTER_SINK_GET_CLASS (self)->gate_async (self, event, cancellable, on_gated,
                                            sink_task (self, muster_sink_gate_async, cancellable,
                                                       callback, user_data));
  muster_execution_unmark (outer);
}

gboolean
muster_sink_gate_finish (MusterSink *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
