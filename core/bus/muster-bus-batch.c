/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"

/*
 * Signals that go out together, encoded in the connection's worker thread:
 *
 *    add, add, ... -> release -> the next message that leaves -> the worker sends all of them behind it
 *
 * GDBus encodes a message in the thread that sends it and then wakes its worker, which writes that one
 * message and sleeps again. Sent from the worker itself, a batch costs one wake-up, and the main loop
 * waits for one message at most. A filter is the way in: it is called in the worker, without any lock
 * (doc/decisions/signals-leave-from-the-worker.md).
 *
 * While the worker encodes something large, a reply that the loop sends may overtake a batch: a signal
 * can then be older than what was just read, but the one that says the newer follows it.
 */

typedef struct {
  char *path;
  const char *interface; /* static */
  const char *name;      /* static */
  GVariant *parameters;
} Signal;

struct _MusterBusBatch {
  GDBusConnection *connection;
  guint filter_id;
  GArray *signals; /* Signal: not yet released */

  GMutex mutex;     /* of what follows: shared with the worker thread */
  GArray *released; /* NULL: nothing */
  gint is_released;
  gint ref_count;
};

static void
signal_clear (gpointer data)
{
  Signal *signal = data;

  g_free (signal->path);
  g_variant_unref (signal->parameters);
}

static GArray *
signals_new (void)
{
  GArray *signals = g_array_new (FALSE, FALSE, sizeof (Signal));

  g_array_set_clear_func (signals, signal_clear);
  return signals;
}

static void
batch_unref (gpointer data)
{
  MusterBusBatch *self = data;

  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_clear_pointer (&self->released, g_array_unref);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* in the worker thread */

static void
send (GDBusConnection *connection, const Signal *signal)
{
  g_autoptr (GDBusMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  message = g_dbus_message_new_signal (signal->path, signal->interface, signal->name);
  g_dbus_message_set_body (message, signal->parameters);
  if (!g_dbus_connection_send_message (connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                       &error))
    g_debug ("%s was not sent: %s", signal->name, error->message);
}

static GDBusMessage *
on_outgoing (GDBusConnection *connection,
             GDBusMessage *message,
             gboolean incoming,
             gpointer user_data)
{
  MusterBusBatch *self = user_data;
  g_autoptr (GArray) signals = NULL;

  if (incoming || !g_atomic_int_get (&self->is_released))
    return message;

  g_mutex_lock (&self->mutex);
  signals = g_steal_pointer (&self->released);
  g_atomic_int_set (&self->is_released, FALSE);
  g_mutex_unlock (&self->mutex);

  for (guint i = 0; signals != NULL && i < signals->len; i++)
    send (connection, &g_array_index (signals, Signal, i));

  return message;
}

/* in the main thread */

/* Consumes @parameters if they are floating. */
void
muster_bus_batch_add (MusterBusBatch *self,
                      const char *path,
                      const char *interface,
                      const char *name,
                      GVariant *parameters)
{
  Signal signal = { g_strdup (path), interface, name, g_variant_ref_sink (parameters) };

  g_array_append_val (self->signals, signal);
}

/* Somebody must send a message now. */
void
muster_bus_batch_release (MusterBusBatch *self)
{
  g_mutex_lock (&self->mutex);
  if (self->released == NULL) {
    self->released = g_steal_pointer (&self->signals);
    self->signals = signals_new ();
  } else { /* the worker is behind */
    g_array_append_vals (self->released, self->signals->data, self->signals->len);
    g_array_set_clear_func (self->signals, NULL);
    g_array_set_size (self->signals, 0);
    g_array_set_clear_func (self->signals, signal_clear);
  }
  g_atomic_int_set (&self->is_released, TRUE);
  g_mutex_unlock (&self->mutex);
}

void
muster_bus_batch_drop (MusterBusBatch *self)
{
  g_mutex_lock (&self->mutex);
  g_clear_pointer (&self->released, g_array_unref);
  g_atomic_int_set (&self->is_released, FALSE);
  g_mutex_unlock (&self->mutex);
  g_array_set_size (self->signals, 0);
}

MusterBusBatch *
muster_bus_batch_new (GDBusConnection *connection)
{
  MusterBusBatch *self = g_new0 (MusterBusBatch, 1);

  self->connection = g_object_ref (connection);
  self->signals = signals_new ();
  g_mutex_init (&self->mutex);
  self->ref_count = 2; /* ours and the filter's */
  self->filter_id = g_dbus_connection_add_filter (connection, on_outgoing, self, batch_unref);

  return self;
}

void
muster_bus_batch_free (MusterBusBatch *self)
{
  g_dbus_connection_remove_filter (self->connection, self->filter_id);
  g_clear_object (&self->connection);
  g_array_unref (self->signals);
  batch_unref (self);
}
