/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

/*
 * GetManagedObjects for ten thousand accounts without holding up the loop:
 *
 *    call -> build 50 objects a turn, each flattened at once -> send an empty reply, and leave the
 *    objects beside it -> the connection's worker thread swaps them in and encodes them
 *
 * Building all of it in one go costs the loop a third of a second, and sending it ready-made as much
 * again, because GDBus encodes under the connection's lock. What changes while it is built is built
 * again before it is sent. One answer is under way at a time; who calls meanwhile waits for the next.
 */

#define CHUNK       50
#define OBJECTS_MAX 20000
#define CALLERS_MAX 64

typedef struct {
  GPtrArray *objects; /* GVariant {oa{sa{sv}}} */
} Reply;

typedef struct {
  MusterBus *bus;
  GPtrArray *callers; /* GDBusMethodInvocation: get the answer that is being built */
  GPtrArray *waiting; /* get the next one */
  guint source_id;

  MusterBusKind kind; /* where the building is */
  char *after_id;
  GHashTable *built; /* object -> index + 1 in objects */
  GPtrArray *objects;
  GHashTable *touched; /* object -> kind + 1 */

  GMutex mutex;      /* of what follows: shared with the worker thread */
  GHashTable *ready; /* "destination/serial" -> Reply */
  gint n_ready;
  gint ref_count;
} Managed;

static void
reply_free (gpointer data)
{
  Reply *reply = data;

  g_ptr_array_unref (reply->objects);
  g_free (reply);
}

static void
managed_unref (gpointer data)
{
  Managed *self = data;

  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_hash_table_unref (self->ready);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* in the worker thread */

static GVariant *
body_from (GPtrArray *objects)
{
  GVariantBuilder all;

  g_variant_builder_init (&all, G_VARIANT_TYPE ("a{oa{sa{sv}}}"));
  for (guint i = 0; i < objects->len; i++) {
    if (objects->pdata[i] != NULL)
      g_variant_builder_add_value (&all, objects->pdata[i]);
  }

  return g_variant_new ("(@a{oa{sa{sv}}})", g_variant_builder_end (&all));
}

static char *
reply_key (const char *destination, guint32 serial)
{
  return g_strdup_printf ("%s/%u", destination != NULL ? destination : "", serial);
}

static GDBusMessage *
on_outgoing (GDBusConnection *connection,
             GDBusMessage *message,
             gboolean incoming,
             gpointer user_data)
{
  Managed *self = user_data;
  g_autofree char *key = NULL;
  g_autofree char *old_key = NULL;
  g_autoptr (GError) error = NULL;
  Reply *reply = NULL;
  GDBusMessage *full;

  if (incoming || g_atomic_int_get (&self->n_ready) == 0 ||
      g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_RETURN)
    return message;

  key = reply_key (g_dbus_message_get_destination (message),
                   g_dbus_message_get_reply_serial (message));
  g_mutex_lock (&self->mutex);
  if (g_hash_table_steal_extended (self->ready, key, (gpointer *) &old_key, (gpointer *) &reply))
    g_atomic_int_add (&self->n_ready, -1);
  g_mutex_unlock (&self->mutex);
  if (reply == NULL)
    return message;

  full = g_dbus_message_copy (message, &error); /* the one that is sent is locked */
  if (full == NULL) {
    g_warning ("an answer could not be completed: %s", error->message);
    reply_free (reply);
    return message;
  }
  g_dbus_message_set_body (full, body_from (reply->objects));
  reply_free (reply);
  g_object_unref (message);

  return full;
}

/* in the main thread */

static void
managed_add (Managed *self, MusterBusKind kind, gpointer object)
{
  g_autofree char *path = muster_bus_object_path (kind, object);
  GVariant *entry;
  gpointer index;

  entry = g_variant_ref_sink (
    g_variant_new ("{o@a{sa{sv}}}", path, muster_bus_build_interfaces (self->bus, kind, object)));
  g_variant_get_data (entry); /* flattens it, and frees the tree that it was built from */

  index = g_hash_table_lookup (self->built, object);
  if (index != NULL) {
    guint i = GPOINTER_TO_UINT (index) - 1;

    g_clear_pointer ((GVariant **) &self->objects->pdata[i], g_variant_unref);
    self->objects->pdata[i] = entry;
    return;
  }

  g_ptr_array_add (self->objects, entry);
  g_hash_table_insert (self->built, object, GUINT_TO_POINTER (self->objects->len));
}

/* What changed behind us while we went on. */
static void
managed_mend (Managed *self)
{
  GHashTableIter iter;
  gpointer object, kind;

  g_hash_table_iter_init (&iter, self->touched);
  while (g_hash_table_iter_next (&iter, &object, &kind))
    managed_add (self, (MusterBusKind) (GPOINTER_TO_INT (kind) - 1), object);
  g_hash_table_remove_all (self->touched);
}

static void
managed_send (Managed *self)
{
  for (guint i = 0; i < self->callers->len; i++) {
    GDBusMessage *call = g_dbus_method_invocation_get_message (self->callers->pdata[i]);
    g_autoptr (GDBusMessage) answer = g_dbus_message_new_method_reply (call);
    g_autoptr (GError) error = NULL;
    Reply *reply = g_new0 (Reply, 1);

    reply->objects = g_ptr_array_ref (self->objects);
    g_mutex_lock (&self->mutex);
    g_hash_table_insert (self->ready,
                         reply_key (g_dbus_message_get_sender (call),
                                    g_dbus_message_get_serial (call)),
                         reply);
    g_atomic_int_inc (&self->n_ready);
    g_mutex_unlock (&self->mutex);
    if (!g_dbus_connection_send_message (self->bus->connection, answer,
                                         G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, &error))
      g_debug ("an answer was not sent: %s", error->message);
  }
}

static gboolean on_chunk (gpointer user_data);

static void
clear_entry (gpointer entry)
{
  if (entry != NULL) /* its object went while the answer was built */
    g_variant_unref (entry);
}

static void
managed_begin (Managed *self)
{
  GPtrArray *empty = self->callers;

  self->callers = self->waiting;
  self->waiting = empty;

  self->kind = 0;
  self->after_id = g_strdup ("");
  self->built = g_hash_table_new (NULL, NULL);
  self->touched = g_hash_table_new (NULL, NULL);
  self->objects = g_ptr_array_new_with_free_func (clear_entry);
  self->source_id = g_idle_add_full (G_PRIORITY_DEFAULT, on_chunk, self, NULL);
}

static void
managed_end (Managed *self)
{
  g_clear_pointer (&self->after_id, g_free);
  g_clear_pointer (&self->built, g_hash_table_unref);
  g_clear_pointer (&self->touched, g_hash_table_unref);
  g_clear_pointer (&self->objects, g_ptr_array_unref);
  g_ptr_array_set_size (self->callers, 0);
}

static gboolean
on_chunk (gpointer user_data)
{
  Managed *self = user_data;

  for (guint n = 0; n < CHUNK && self->kind < MUSTER_BUS_N_KINDS; n++) {
    gpointer object = muster_bus_next (self->bus, self->kind, self->after_id);

    if (object == NULL) {
      self->kind++;
      g_free (self->after_id);
      self->after_id = g_strdup ("");
      continue;
    }
    managed_add (self, self->kind, object);
    g_free (self->after_id);
    self->after_id = g_strdup (muster_bus_object_id (self->kind, object));
  }
  if (self->kind < MUSTER_BUS_N_KINDS)
    return G_SOURCE_CONTINUE;

  self->source_id = 0;
  managed_mend (self);
  managed_send (self);
  managed_end (self);
  if (self->waiting->len > 0)
    managed_begin (self);

  return G_SOURCE_REMOVE;
}

/* @object changed. */
void
muster_bus_managed_touch (gpointer managed, MusterBusKind kind, gpointer object)
{
  Managed *self = managed;

  if (self->built != NULL && g_hash_table_contains (self->built, object))
    g_hash_table_insert (self->touched, object, GINT_TO_POINTER (kind + 1));
}

/* @object goes: it is not there any more when the answer is sent, nor to be looked at. */
void
muster_bus_managed_forget (gpointer managed, gpointer object)
{
  Managed *self = managed;
  gpointer index;

  if (self->built == NULL)
    return;

  g_hash_table_remove (self->touched, object);
  if (g_hash_table_steal_extended (self->built, object, NULL, &index))
    g_clear_pointer ((GVariant **) &self->objects->pdata[GPOINTER_TO_UINT (index) - 1],
                     g_variant_unref);
}

void
muster_bus_managed_answer (MusterBus *bus, GDBusMethodInvocation *invocation)
{
  Managed *self = bus->managed;
  guint n_objects = 0;

  for (guint kind = 0; kind < MUSTER_BUS_N_KINDS; kind++)
    n_objects += muster_bus_count (bus, (MusterBusKind) kind);
  if (n_objects > OBJECTS_MAX) {
    g_dbus_method_invocation_return_error (
      invocation, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
      "there are %u objects, more than the %d that one answer holds: use %s.List", n_objects,
      OBJECTS_MAX, MUSTER_INTERFACE_MANAGER);
    return;
  }
  if (self->waiting->len >= CALLERS_MAX) {
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_TOO_MANY,
                                           "%d callers wait for this already", CALLERS_MAX);
    return;
  }

  g_ptr_array_add (self->waiting, invocation); /* taken */
  if (self->source_id == 0)
    managed_begin (self);
}

gpointer
muster_bus_managed_new (MusterBus *bus)
{
  Managed *self = g_new0 (Managed, 1);

  self->bus = bus;
  self->callers = g_ptr_array_new_with_free_func (g_object_unref);
  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
  self->ready = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reply_free);
  g_mutex_init (&self->mutex);
  self->ref_count = 2; /* ours and the filter's */
  bus->filter_id = g_dbus_connection_add_filter (bus->connection, on_outgoing, self, managed_unref);

  return self;
}

void
muster_bus_managed_free (gpointer managed)
{
  Managed *self = managed;

  if (self == NULL)
    return;

  g_clear_handle_id (&self->source_id, g_source_remove);
  managed_end (self);
  g_clear_pointer (&self->callers, g_ptr_array_unref);
  g_clear_pointer (&self->waiting, g_ptr_array_unref);
  g_dbus_connection_remove_filter (self->bus->connection, self->bus->filter_id);
  self->bus = NULL;
  managed_unref (self);
}
