/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-sink-host.h"

struct _MusterEvent {
  gatomicrefcount refs;
  guint64 id;
  gint64 time_us;
  char *type;
  char *account;
  GVariant *payload;
};

G_DEFINE_BOXED_TYPE (MusterEvent, muster_event, muster_event_ref, muster_event_unref)

/* The daemon's; see muster_event_set_gate(). */
static MusterGateFunc gate_func;
static gpointer gate_host;

/**
 * muster_event_new:
 * @id: its number, never used again; 0 for a fact that is not made yet
 * @time_us: when it became one, in microseconds UTC
 * @type: what happened, in two words and a dot (`registration.created`)
 * @account: the id of the account that it is about; "" if it is about none
 * @payload: (nullable): an `a{sv}`, consumed if it is floating; %NULL: nothing
 *
 * Returns: (transfer full): an event
 */
MusterEvent *
muster_event_new (guint64 id,
                  gint64 time_us,
                  const char *type,
                  const char *account,
                  GVariant *payload)
{
  MusterEvent *self;

  g_return_val_if_fail (type != NULL && account != NULL, NULL);
  g_return_val_if_fail (payload == NULL || g_variant_is_of_type (payload, G_VARIANT_TYPE_VARDICT),
                        NULL);

  self = g_new0 (MusterEvent, 1);
  g_atomic_ref_count_init (&self->refs);
  self->id = id;
  self->time_us = time_us;
  self->type = g_strdup (type);
  self->account = g_strdup (account);
  if (payload == NULL)
    payload = g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0);
  self->payload = g_variant_ref_sink (payload);

  return self;
}

/**
 * muster_event_ref:
 * @self: an event
 *
 * Returns: (transfer full): the same
 */
MusterEvent *
muster_event_ref (MusterEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * muster_event_unref:
 * @self: (transfer full): an event
 */
void
muster_event_unref (MusterEvent *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_free (self->type);
  g_free (self->account);
  g_variant_unref (self->payload);
  g_free (self);
}

/**
 * muster_event_get_id:
 * @self: an event
 *
 * Returns: its number: the same each time the event is delivered, and larger than those of all events
 *   before it; 0: it is not a fact yet
 */
guint64
muster_event_get_id (const MusterEvent *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->id;
}

/**
 * muster_event_get_time_us:
 * @self: an event
 *
 * Returns: when it happened, in microseconds UTC
 */
gint64
muster_event_get_time_us (const MusterEvent *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->time_us;
}

/**
 * muster_event_get_type_name:
 * @self: an event
 *
 * Returns: (transfer none): what happened, as in `doc/events.md`
 */
const char *
muster_event_get_type_name (const MusterEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->type;
}

/**
 * muster_event_get_account:
 * @self: an event
 *
 * Returns: (transfer none): the id of the account that it is about; "" if it is about none
 */
const char *
muster_event_get_account (const MusterEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->account;
}

/**
 * muster_event_get_payload:
 * @self: an event
 *
 * Returns: (transfer none): what it carries, an `a{sv}`; `doc/events.md` has the keys of each type
 */
GVariant *
muster_event_get_payload (const MusterEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->payload;
}

/* gates */

void
muster_event_set_gate (MusterGateFunc func, gpointer host)
{
  gate_func = func;
  gate_host = host;
}

/**
 * muster_event_gate_async:
 * @self: the fact that is to be made; its id is 0
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Asks all gating sinks whether something may happen, before it is done. Each has as long as it said
 * itself. The answer never comes before the call returned.
 */
void
muster_event_gate_async (MusterEvent *self,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  GTask *task;

  g_return_if_fail (self != NULL);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, muster_event_gate_async);
  g_task_set_check_cancellable (task, FALSE);

  if (gate_func != NULL) {
    gate_func (gate_host, self, task);
    return;
  }

  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/**
 * muster_event_gate_finish:
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR_BUSY with a retry-after if a sink denies it, else
 *   %G_IO_ERROR_CANCELLED
 *
 * Returns: %TRUE: nobody minds; %FALSE with an error set: it must not be done now
 */
gboolean
muster_event_gate_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_event_gate_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
