/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

#include <muster/muster-hub.h>

/*
 * Sends signals no faster than the bus takes them. The bus gives no back-pressure, so what has
 * changed waits here, each object once, and goes out in batches (muster-bus-batch.c). Each batch goes
 * out behind an asynchronous Ping of the bus, the fence: when that comes back, the bus has taken all
 * that was sent before it, so there are never more than two batches under way.
 *
 *    note -> [gather, if much was sent lately] -> on_turn: a fence, a batch -> on_fence -+-> next batch
 *                                                                                        +-> wait
 *
 * A few changes go out at once. Where many come, those of 100 ms are gathered, so that an account that
 * goes through its states among thousands is told of once, and events share a signal: what a message
 * costs is mostly its header. Nothing is told before our name is asked for: who sees the name reads
 * everything.
 *
 * Of a registration, what differs from what was last told goes out. A state that an account mostly only
 * passes through is put off for a moment; if all is as before by then, and nobody has read it meanwhile,
 * there is nothing to tell (doc/decisions/a-refresh-is-an-event.md).
 */

#define BATCH        100 /* changes and events of one turn */
#define SHARED       50  /* events in one signal; the changes have the rest of the batch */
#define GATHER_US    (100 * G_TIME_SPAN_MILLISECOND)
#define CALM         5 /* changes and events in that time that are not many */
#define PUT_OFF_US   (250 * G_TIME_SPAN_MILLISECOND)
#define LAST_BATCHES 10
#define LAST_MS      500
#define EVENTS_MAX   20000
#define EVENT_TYPE   "(tsoa{sv})"
#define ROWS         40 /* contacts in one signal; a row costs more than most changes */

typedef enum {
  CHANGE_ADDED = 1 << 0,
  CHANGE_REMOVED = 1 << 1,
  CHANGE_CAPABLE = 1 << 2,
  CHANGE_INTERFACE = 1 << 3, /* the first of its kind's; the next ones have the next bits */
} Changes;

typedef struct {
  MusterBusKind kind;
  gpointer object; /* NULL once removed */
  char *path;
  guint changes;    /* Changes */
  GStrv names;      /* once removed: the interfaces that it had */
  gint64 due_us;    /* 0: it is not put off */
  gboolean is_read; /* the account's state, by somebody, since it was noted */
  GList link;
} Entry;

struct _MusterBusEmitter {
  MusterBus *bus;
  MusterBusBatch *batch;
  GHashTable *entries; /* object -> Entry; those removed are only in the queue */
  GHashTable *told;    /* account -> MusterBusView as last told; its pointers are stale */
  GQueue queue;        /* Entry, oldest first */
  guint look_id;       /* of looking at all accounts for told, once */
  char *looked_at;     /* the id of the last one */
  GQueue put_off;      /* Entry, those due first */
  MusterTimer due;     /* of the first of them */
  GQueue events;       /* GVariant */
  GHashTable *rows;    /* key -> address of contacts that changed (GRefString) */
  GQueue row_keys;     /* the keys, oldest first */
  guint n_dropped;
  GHashTable *root; /* interface (static) -> GVariantDict: changed properties of the root */
  guint source_id;
  GCancellable *fence; /* non-NULL while one is out */
  gboolean telling;    /* somebody may listen */

  guint n_due; /* what is left of what waited when this sending began */
  MusterTimer gather;
  gint64 window_us; /* when counting began */
  guint n_sent;     /* changes and events since then */

  GVariant *held[4]; /* see hold_types() */
};

static void muster_bus_emitter_send (MusterBusEmitter *self);
static void muster_bus_emitter_wake (MusterBusEmitter *self);

static void
entry_free (Entry *entry)
{
  g_strfreev (entry->names);
  g_free (entry->path);
  g_free (entry);
}

/* sending */

static void
emit (MusterBusEmitter *self,
      const char *path,
      const char *interface,
      const char *name,
      GVariant *parameters)
{
  muster_bus_batch_add (self->batch, path, interface, name, parameters);
}

/* Consumes @properties if they are floating. */
static void
emit_properties (MusterBusEmitter *self,
                 const char *path,
                 const char *interface,
                 GVariant *properties)
{
  GVariant *body[] = { g_variant_new_string (interface), properties, g_variant_new_strv (NULL, 0) };

  emit (self, path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
        g_variant_new_tuple (body, G_N_ELEMENTS (body)));
}

static void
emit_changed (MusterBusEmitter *self, Entry *entry, const char *interface)
{
  g_autofree char *full = g_strconcat (MUSTER_INTERFACE_PREFIX, interface, NULL);

  emit_properties (self, entry->path, full,
                   muster_bus_build_interface (self->bus, entry->kind, entry->object, interface));
}

static void
set_told (MusterBusEmitter *self, MusterAccount *account)
{
  MusterBusView *view = g_new (MusterBusView, 1);

  muster_bus_view_account (self->bus, account, view);
  g_hash_table_insert (self->told, account, view);
}

static void
emit_registration (MusterBusEmitter *self, Entry *entry)
{
  MusterBusView *told = g_hash_table_lookup (self->told, entry->object);
  MusterBusView view;
  guint32 changed;

  if (told == NULL) { /* not looked at yet, and it has changed: there is no telling from what */
    set_told (self, entry->object);
    told = g_hash_table_lookup (self->told, entry->object);
    entry->is_read = TRUE;
  }
  muster_bus_view_account (self->bus, entry->object, &view);
  changed = muster_bus_compare_views (&view, told, entry->is_read);
  if (changed == 0)
    return;

  *told = view;
  emit_properties (self, entry->path, MUSTER_INTERFACE_REGISTRATION,
                   muster_bus_build_registration (self->bus, entry->object, changed));
}

static void
emit_interfaces (MusterBusEmitter *self, Entry *entry, GVariant *interfaces)
{
  emit (self, MUSTER_PATH, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
        g_variant_new ("(o@a{sa{sv}})", entry->path, interfaces));
}

static void
emit_changes (MusterBusEmitter *self, Entry *entry)
{
  const char *const *interfaces = muster_bus_get_interfaces (entry->kind);

  if ((entry->changes & CHANGE_CAPABLE) != 0)
    emit_interfaces (self, entry,
                     muster_bus_build_optional (self->bus, entry->kind, entry->object));

  for (guint i = 0; interfaces[i] != NULL; i++) {
    if ((entry->changes & (CHANGE_INTERFACE << i)) == 0 ||
        !muster_bus_has_interface (entry->kind, entry->object, interfaces[i]))
      continue;
    if (g_str_equal (interfaces[i], "Registration"))
      emit_registration (self, entry);
    else
      emit_changed (self, entry, interfaces[i]);
  }
}

/* Whoever was told of the object by the answer to a call may have looked at it already, and waits for
 * what changes. */
static void
emit_added (MusterBusEmitter *self, Entry *entry)
{
  gboolean was_read = entry->is_read; /* building reads, too */

  emit_interfaces (self, entry,
                   muster_bus_build_interfaces (self->bus, entry->kind, entry->object));
  if (entry->kind == MUSTER_BUS_ACCOUNT)
    set_told (self, entry->object);
  if (was_read)
    emit_registration (self, entry);
}

/* Takes @entry. */
static void
send_entry (MusterBusEmitter *self, Entry *entry)
{
  if ((entry->changes & CHANGE_REMOVED) != 0) {
    if ((entry->changes & CHANGE_ADDED) == 0) /* else nobody has heard of it */
      emit (self, MUSTER_PATH, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved",
            g_variant_new ("(o^as)", entry->path, entry->names));
  } else if ((entry->changes & CHANGE_ADDED) != 0) {
    emit_added (self, entry);
  } else {
    emit_changes (self, entry);
  }

  if (entry->object != NULL)
    g_hash_table_remove (self->entries, entry->object);
  entry_free (entry);
}

static void
send_root (MusterBusEmitter *self)
{
  GHashTableIter iter;
  gpointer interface, values;

  g_hash_table_iter_init (&iter, self->root);
  while (g_hash_table_iter_next (&iter, &interface, &values)) {
    emit_properties (self, MUSTER_PATH, interface, g_variant_dict_end (values));
    g_hash_table_iter_remove (&iter);
  }
}

/* Returns how many. */
static guint
send_events (MusterBusEmitter *self)
{
  GVariant *events[SHARED];
  GVariant *body;
  guint n = 0;

  while (n < SHARED && !g_queue_is_empty (&self->events))
    events[n++] = g_queue_pop_head (&self->events);
  if (n == 0)
    return 0;

  body = g_variant_new_array (G_VARIANT_TYPE (EVENT_TYPE), events, n);
  emit (self, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "Events", g_variant_new_tuple (&body, 1));
  for (guint i = 0; i < n; i++)
    g_variant_unref (events[i]);

  return n;
}

/* Returns how many. */
static guint
send_rows (MusterBusEmitter *self)
{
  GVariant *rows[ROWS];
  GVariant *body;
  guint n = 0;

  while (n < ROWS && !g_queue_is_empty (&self->row_keys)) {
    char *key = g_queue_pop_head (&self->row_keys);

    rows[n++] = muster_bus_build_contact (self->bus, g_hash_table_lookup (self->rows, key));
    g_hash_table_remove (self->rows, key);
  }
  if (n == 0)
    return 0;

  body = g_variant_new_array (G_VARIANT_TYPE_VARDICT, rows, n);
  emit (self, MUSTER_PATH, MUSTER_INTERFACE_CONTACTS, "Changed", g_variant_new_tuple (&body, 1));

  return n;
}

static void
on_fence (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterBusEmitter *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  g_clear_object (&self->fence);
  if (reply == NULL && g_dbus_connection_is_closed (G_DBUS_CONNECTION (source))) {
    muster_bus_batch_drop (self->batch);
    return;
  }
  if (self->n_due > 0)
    muster_bus_emitter_send (self);
  else
    muster_bus_emitter_wake (self);
}

static gboolean
is_empty (MusterBusEmitter *self)
{
  return self->queue.head == NULL && g_queue_is_empty (&self->events) &&
         g_queue_is_empty (&self->row_keys) && g_hash_table_size (self->root) == 0;
}

/* Whoever calls sends a message behind it. Returns how many changes and events are in the batch. */
static guint
release_batch (MusterBusEmitter *self)
{
  guint n;

  send_root (self);
  n = send_events (self);
  n += send_rows (self);
  for (; n < BATCH && self->queue.head != NULL; n++) {
    Entry *entry = self->queue.head->data;

    g_queue_unlink (&self->queue, &entry->link);
    send_entry (self, entry);
  }
  muster_bus_batch_release (self->batch);

  return n;
}

static gboolean
on_turn (gpointer user_data)
{
  MusterBusEmitter *self = user_data;
  guint n;

  self->source_id = 0;
  if (self->n_due == 0)
    self->n_due = g_queue_get_length (&self->events) + g_queue_get_length (&self->row_keys) +
                  g_queue_get_length (&self->queue);
  n = release_batch (self);
  self->n_due -= MIN (n, self->n_due);
  self->n_sent += n;

  self->fence = g_cancellable_new ();
  g_dbus_connection_call (self->bus->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, G_DBUS_CALL_FLAGS_NONE,
                          -1, self->fence, on_fence, self);
  return G_SOURCE_REMOVE;
}

static void
muster_bus_emitter_send (MusterBusEmitter *self)
{
  /* DEFAULT, not idle: it must happen under load, too. One turn later, so that changes gather. */
  if (self->source_id == 0)
    self->source_id = g_idle_add_full (G_PRIORITY_DEFAULT, on_turn, self, NULL);
}

static void
on_gathered (MusterTimer *timer, gpointer user_data)
{
  muster_bus_emitter_send (user_data);
}

static void
muster_bus_emitter_wake (MusterBusEmitter *self)
{
  gint64 now_us;

  if (self->source_id != 0 || self->fence != NULL || muster_timer_is_armed (&self->gather))
    return;
  if (is_empty (self))
    return;

  now_us = muster_clock_now_us ();
  if (now_us - self->window_us >= GATHER_US) {
    self->window_us = now_us;
    self->n_sent = 0;
  }
  if (self->n_sent < CALM)
    muster_bus_emitter_send (self);
  else
    muster_timer_arm_at (&self->gather, self->window_us + GATHER_US);
}

/* noting */

/* What an account mostly only passes through. A refresh that somebody asked for is waited for. */
static gboolean
is_passing (MusterAccount *account)
{
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));

  if (view->state == MUSTER_ACCOUNT_REFRESHING)
    return g_str_equal (view->reason, muster_account_fact_to_string (MUSTER_FACT_REFRESH_DUE));

  return view->state == MUSTER_ACCOUNT_REGISTERING || view->state == MUSTER_ACCOUNT_UNREGISTERING;
}

static void
put_off (MusterBusEmitter *self, Entry *entry)
{
  entry->due_us = muster_clock_now_us () + PUT_OFF_US;
  g_queue_push_tail_link (&self->put_off, &entry->link);
  if (!muster_timer_is_armed (&self->due))
    muster_timer_arm_at (&self->due, entry->due_us);
}

static void
put_off_no_longer (MusterBusEmitter *self, Entry *entry)
{
  entry->due_us = 0;
  g_queue_unlink (&self->put_off, &entry->link);
  g_queue_push_tail_link (&self->queue, &entry->link);
  if (self->put_off.head == NULL)
    muster_timer_cancel (&self->due);
}

static void
on_due (MusterTimer *timer, gpointer user_data)
{
  MusterBusEmitter *self = user_data;
  gint64 now_us = muster_clock_now_us ();

  while (self->put_off.head != NULL && ((Entry *) self->put_off.head->data)->due_us <= now_us)
    put_off_no_longer (self, self->put_off.head->data);
  if (self->put_off.head != NULL)
    muster_timer_arm_at (timer, ((Entry *) self->put_off.head->data)->due_us);
  muster_bus_emitter_wake (self);
}

/* NULL: nobody is told. */
static Entry *
note_unless_passing (MusterBusEmitter *self,
                     MusterBusKind kind,
                     gpointer object,
                     guint changes,
                     gboolean passing)
{
  Entry *entry;

  muster_bus_managed_touch (self->bus->managed, kind, object);
  if (!self->telling)
    return NULL;

  entry = g_hash_table_lookup (self->entries, object);
  if (entry == NULL) {
    entry = g_new0 (Entry, 1);
    entry->kind = kind;
    entry->object = object;
    entry->path = muster_bus_object_path (kind, object);
    entry->link.data = entry;
    g_hash_table_insert (self->entries, object, entry);
    if (passing)
      put_off (self, entry);
    else
      g_queue_push_tail_link (&self->queue, &entry->link);
  } else if (entry->due_us != 0 && !passing) {
    put_off_no_longer (self, entry);
  }
  entry->changes |= changes;
  if (entry->due_us == 0)
    muster_bus_emitter_wake (self);

  return entry;
}

static Entry *
note (MusterBusEmitter *self, MusterBusKind kind, gpointer object, guint changes)
{
  return note_unless_passing (self, kind, object, changes, FALSE);
}

void
muster_bus_emitter_added (MusterBusEmitter *self, MusterBusKind kind, gpointer object)
{
  note (self, kind, object, CHANGE_ADDED);
}

void
muster_bus_emitter_removed (MusterBusEmitter *self, MusterBusKind kind, gpointer object)
{
  Entry *entry = note (self, kind, object, CHANGE_REMOVED);

  muster_bus_managed_forget (self->bus->managed, object);
  if (entry == NULL)
    return;
  g_hash_table_remove (self->entries, object);
  g_hash_table_remove (self->told, object);
  entry->names = muster_bus_dup_interface_names (kind, object);
  entry->object = NULL;
}

void
muster_bus_emitter_capable (MusterBusEmitter *self, MusterBusKind kind, gpointer object)
{
  note (self, kind, object, CHANGE_CAPABLE);
}

static guint
change_of (MusterBusKind kind, const char *interface)
{
  const char *const *interfaces = muster_bus_get_interfaces (kind);

  for (guint i = 0; interfaces[i] != NULL; i++) {
    if (g_str_equal (interfaces[i], interface))
      return CHANGE_INTERFACE << i;
  }

  g_return_val_if_reached (0);
}

void
muster_bus_emitter_changed (MusterBusEmitter *self,
                            MusterBusKind kind,
                            gpointer object,
                            const char *interface)
{
  gboolean is_standing = kind == MUSTER_BUS_ACCOUNT && g_str_equal (interface, "Registration");

  note_unless_passing (self, kind, object, change_of (kind, interface),
                       is_standing && is_passing (object));
}

/* What was read must not be left to stand as it was. */
void
muster_bus_emitter_was_read (MusterBusEmitter *self, MusterAccount *account)
{
  Entry *entry = g_hash_table_lookup (self->entries, account);

  if (entry != NULL)
    entry->is_read = TRUE;
}

void
muster_bus_emitter_root_changed (MusterBusEmitter *self,
                                 const char *interface,
                                 const char *property,
                                 GVariant *value)
{
  g_autoptr (GVariant) held = g_variant_ref_sink (value);
  GVariantDict *values;

  if (!self->telling)
    return;

  values = g_hash_table_lookup (self->root, interface);
  if (values == NULL) {
    values = g_variant_dict_new (NULL);
    g_hash_table_insert (self->root, (gpointer) interface, values);
  }
  g_variant_dict_insert_value (values, property, held);
  muster_bus_emitter_wake (self);
}

/* Consumes @event if it is floating. */
void
muster_bus_emitter_event (MusterBusEmitter *self, GVariant *event)
{
  g_autoptr (GVariant) held = g_variant_ref_sink (event);

  g_return_if_fail (g_variant_is_of_type (held, G_VARIANT_TYPE (EVENT_TYPE)));

  if (!self->telling)
    return;
  if (g_queue_get_length (&self->events) >= EVENTS_MAX) {
    if (self->n_dropped++ == 0)
      g_warning ("the bus does not take events as fast as they come, ignoring some");
    return;
  }

  g_queue_push_tail (&self->events, g_steal_pointer (&held));
  muster_bus_emitter_wake (self);
}

void
muster_bus_emitter_contact (MusterBusEmitter *self, MusterRosterPerson *person)
{
  char *key = (char *) muster_roster_person_get_key (person);
  char *address = (char *) muster_roster_person_get_address (person);

  if (!self->telling || g_hash_table_contains (self->rows, key))
    return;

  g_ref_string_acquire (key);
  g_hash_table_insert (self->rows, key, g_ref_string_acquire (address));
  g_queue_push_tail (&self->row_keys, key);
  muster_bus_emitter_wake (self);
}

/* life */

/* GLib forgets a type when the last value of it goes, and takes it apart anew for the next: for each
 * message, that is for its header (D-Bus specification, "Message Format") and for its body. */
static void
hold_types (MusterBusEmitter *self)
{
  static const char *const types[] = { "{yv}", "(sa{sv}as)", "(a" EVENT_TYPE ")", "(aa{sv})" };

  G_STATIC_ASSERT (G_N_ELEMENTS (types) == G_N_ELEMENTS (self->held));
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    self->held[i] = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE (types[i]), NULL, 0));
}

static gboolean
on_look (gpointer user_data)
{
  MusterBusEmitter *self = user_data;
  MusterAccount *account = NULL;

  for (guint i = 0; i < BATCH; i++) {
    const char *after = account != NULL ? muster_account_get_id (account) : self->looked_at;

    account = muster_bus_next (self->bus, MUSTER_BUS_ACCOUNT, after);
    if (account == NULL) {
      self->look_id = 0;
      return G_SOURCE_REMOVE;
    }
    if (!g_hash_table_contains (self->told, account) &&
        !g_hash_table_contains (self->entries, account)) /* as it changes, it is told whole */
      set_told (self, account);
  }
  g_free (self->looked_at);
  self->looked_at = g_strdup (muster_account_get_id (account));

  return G_SOURCE_CONTINUE;
}

void
muster_bus_emitter_begin (MusterBusEmitter *self)
{
  self->telling = TRUE;
  self->look_id = g_idle_add_full (G_PRIORITY_DEFAULT, on_look, self, NULL);
}

/* When the answer to a Ping is here, the worker has sent the batch, which stands before whatever we send
 * then: that our name is free, after which nobody would listen. */
void
muster_bus_emitter_finish (MusterBusEmitter *self)
{
  for (guint i = 0; i < LAST_BATCHES; i++) {
    g_autoptr (GVariant) reply = NULL;

    release_batch (self);
    reply = g_dbus_connection_call_sync (self->bus->connection, "org.freedesktop.DBus",
                                         "/org/freedesktop/DBus", "org.freedesktop.DBus.Peer",
                                         "Ping", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, LAST_MS, NULL,
                                         NULL);
    if (reply == NULL || is_empty (self))
      break;
  }
}

MusterBusEmitter *
muster_bus_emitter_new (MusterBus *bus)
{
  MusterBusEmitter *self = g_new0 (MusterBusEmitter, 1);

  self->bus = bus;
  self->batch = muster_bus_batch_new (bus->connection);
  self->entries = g_hash_table_new (NULL, NULL);
  self->looked_at = g_strdup ("");
  self->told = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->root = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                      (GDestroyNotify) g_variant_dict_unref);
  g_queue_init (&self->queue);
  g_queue_init (&self->put_off);
  muster_timer_init (&self->due, on_due, self);
  g_queue_init (&self->events);
  self->rows = g_hash_table_new_full (g_str_hash, g_str_equal,
                                      (GDestroyNotify) g_ref_string_release,
                                      (GDestroyNotify) g_ref_string_release);
  g_queue_init (&self->row_keys);
  muster_timer_init (&self->gather, on_gathered, self);
  hold_types (self);

  return self;
}

void
muster_bus_emitter_free (MusterBusEmitter *self)
{
  if (self == NULL)
    return;

  muster_timer_cancel (&self->gather);
  muster_timer_cancel (&self->due);
  g_clear_handle_id (&self->source_id, g_source_remove);
  g_clear_handle_id (&self->look_id, g_source_remove);
  g_free (self->looked_at);
  if (self->fence != NULL)
    g_cancellable_cancel (self->fence);
  g_clear_object (&self->fence);
  g_hash_table_unref (self->entries);
  g_hash_table_unref (self->told);
  while (self->put_off.head != NULL)
    put_off_no_longer (self, self->put_off.head->data);
  while (self->queue.head != NULL) {
    Entry *entry = self->queue.head->data;

    g_queue_unlink (&self->queue, &entry->link);
    entry_free (entry);
  }
  g_queue_clear_full (&self->events, (GDestroyNotify) g_variant_unref);
  g_queue_clear (&self->row_keys);
  g_hash_table_unref (self->rows);
  g_hash_table_unref (self->root);
  muster_bus_batch_free (self->batch);
  for (guint i = 0; i < G_N_ELEMENTS (self->held); i++)
    g_variant_unref (self->held[i]);
  g_free (self);
}
