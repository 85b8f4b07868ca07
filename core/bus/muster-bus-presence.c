/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "broker/muster-broker-presence.h"
#include "muster-bus-private.h"
#include "muster-names.h"

/* org.muster.Muster1.Presence of identities, .Publication of accounts; and whose layers are whose: one
 * that is not kept goes with the bus name of the client that set it. */

/* Presence */

#define IDENTITY_ID(object) (((MusterIdentity *) object)->record->id)

static GVariant *
presence_presence (MusterBus *bus, gpointer object)
{
  MusterPresenceView shown;

  muster_broker_get_presence (bus->broker, IDENTITY_ID (object), &shown);
  return g_variant_new_string (muster_presence_to_string (shown.presence));
}

static GVariant *
presence_text (MusterBus *bus, gpointer object)
{
  MusterPresenceView shown;

  muster_broker_get_presence (bus->broker, IDENTITY_ID (object), &shown);
  return g_variant_new_string (shown.text);
}

static GVariant *
presence_until (MusterBus *bus, gpointer object)
{
  MusterPresenceView shown;

  muster_broker_get_presence (bus->broker, IDENTITY_ID (object), &shown);
  return g_variant_new_uint64 ((guint64) shown.until_us);
}

static GVariant *
build_layer (const MusterPresenceLayer *layer)
{
  GVariantBuilder row;

  g_variant_builder_init (&row, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&row, "{sv}", "name", g_variant_new_string (layer->name));
  g_variant_builder_add (&row, "{sv}", "presence",
                         g_variant_new_string (muster_presence_to_string (layer->presence)));
  g_variant_builder_add (&row, "{sv}", "text", g_variant_new_string (layer->text));
  g_variant_builder_add (&row, "{sv}", "priority", g_variant_new_uint32 (layer->priority));
  g_variant_builder_add (&row, "{sv}", "until", g_variant_new_uint64 ((guint64) layer->until_us));
  g_variant_builder_add (&row, "{sv}", "keep", g_variant_new_boolean (layer->kept));

  return g_variant_builder_end (&row);
}

static GVariant *
presence_layers (MusterBus *bus, gpointer object)
{
  MusterPresenceLayers *layers = muster_broker_get_layers (bus->broker, IDENTITY_ID (object));
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; layers != NULL && i < muster_presence_layers_count (layers); i++)
    g_variant_builder_add_value (&rows, build_layer (muster_presence_layers_get (layers, i)));

  return g_variant_builder_end (&rows);
}

const MusterBusProperty muster_bus_presence_properties[] = {
  { "Presence", "Presence", presence_presence },
  { "Presence", "Text", presence_text },
  { "Presence", "Until", presence_until },
  { "Presence", "Layers", presence_layers },
  { NULL },
};

/* Publication */

static MusterPublicationView
view_of (MusterBus *bus, gpointer account)
{
  MusterPublicationView view;

  muster_broker_get_publication (bus->broker, account, &view);
  return view;
}

static GVariant *
publication_override (MusterBus *bus, gpointer object)
{
  MusterPublicationView view = view_of (bus, object);

  return g_variant_new_string (view.is_overridden ? muster_presence_to_string (view.override)
                                                  : "inherit");
}

static GVariant *
publication_override_text (MusterBus *bus, gpointer object)
{
  return g_variant_new_string (view_of (bus, object).override_text);
}

static GVariant *
publication_published (MusterBus *bus, gpointer object)
{
  MusterPublicationView view = view_of (bus, object);

  return g_variant_new_string (view.is_published ? muster_presence_to_string (view.published) : "");
}

static GVariant *
publication_published_text (MusterBus *bus, gpointer object)
{
  return g_variant_new_string (view_of (bus, object).published_text);
}

static GVariant *
publication_supported (MusterBus *bus, gpointer object)
{
  MusterPublicationView view = view_of (bus, object);
  const char *words[MUSTER_PRESENCE_LAST];
  gssize n = 0;

  for (guint i = 0; i < MUSTER_PRESENCE_LAST; i++) {
    if ((view.supported & (1u << i)) != 0)
      words[n++] = muster_presence_to_string ((MusterPresence) i);
  }

  return g_variant_new_strv (words, n);
}

static GVariant *
publication_note (MusterBus *bus, gpointer object)
{
  return g_variant_new_take_string (muster_broker_dup_publication_note (bus->broker, object));
}

static GVariant *
publication_error (MusterBus *bus, gpointer object)
{
  MusterPublicationView view = view_of (bus, object);
  g_autofree char *name = view.error != NULL ? muster_broker_error_dup_name (view.error->code)
                                             : NULL;

  return muster_bus_string (name);
}

static GVariant *
publication_error_message (MusterBus *bus, gpointer object)
{
  MusterPublicationView view = view_of (bus, object);

  return muster_bus_string (view.error != NULL ? view.error->message : NULL);
}

static GVariant *
publication_retry_at (MusterBus *bus, gpointer object)
{
  return g_variant_new_uint64 ((guint64) view_of (bus, object).retry_at_us);
}

const MusterBusProperty muster_bus_publication_properties[] = {
  { "Publication", "Override", publication_override },
  { "Publication", "OverrideText", publication_override_text },
  { "Publication", "Published", publication_published },
  { "Publication", "PublishedText", publication_published_text },
  { "Publication", "Supported", publication_supported },
  { "Publication", "Note", publication_note },
  { "Publication", "Error", publication_error },
  { "Publication", "ErrorMessage", publication_error_message },
  { "Publication", "RetryAt", publication_retry_at },
  { NULL },
};

/* whose layers are whose */

#define CLIENT_MAX 256 /* layers that go with one client */

typedef struct {
  char *identity;
  char *name;
  guint64 number; /* of the layer: another may be set in its place */
} Lease;

typedef struct {
  MusterBusLayers *layers;
  char *name; /* on the bus */
  guint watch_id;
  GPtrArray *leases; /* Lease; some may be of layers that went */
  guint n_under_way; /* being set */
} Client;

struct _MusterBusLayers {
  MusterBus *bus;
  GHashTable *clients; /* name on the bus -> Client */
};

static void
lease_free (gpointer data)
{
  Lease *lease = data;

  g_free (lease->identity);
  g_free (lease->name);
  g_free (lease);
}

static void
client_free (gpointer data)
{
  Client *client = data;

  g_bus_unwatch_name (client->watch_id);
  g_ptr_array_unref (client->leases);
  g_free (client->name);
  g_free (client);
}

static void
on_client_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Client *client = user_data;
  MusterBusLayers *self = client->layers;

  for (guint i = 0; i < client->leases->len; i++) {
    const Lease *lease = client->leases->pdata[i];

    muster_broker_drop_layer (self->bus->broker, lease->identity, lease->name, lease->number);
  }
  g_hash_table_remove (self->clients, client->name);
}

static Client *
muster_bus_layers_ensure_client (MusterBusLayers *self, const char *name)
{
  Client *client = g_hash_table_lookup (self->clients, name);

  if (client != NULL)
    return client;

  client = g_new0 (Client, 1);
  client->layers = self;
  client->name = g_strdup (name);
  client->leases = g_ptr_array_new_with_free_func (lease_free);
  g_hash_table_insert (self->clients, client->name, client);
  client->watch_id = g_bus_watch_name_on_connection (self->bus->connection, name,
                                                     G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                                     on_client_vanished, client, NULL);

  return client;
}

static gboolean
lease_is_of (const Lease *lease, const char *identity, const char *name)
{
  return g_str_equal (lease->name, name) && g_str_equal (lease->identity, identity);
}

/* The layer is still there, and is not the one of @identity and @name. */
static gboolean
client_counts_lease (const Client *client,
                     const Lease *lease,
                     const char *identity,
                     const char *name)
{
  MusterPresenceLayers *layers = muster_broker_get_layers (client->layers->bus->broker,
                                                           lease->identity);
  const MusterPresenceLayer *layer = NULL;

  if (layers != NULL && !lease_is_of (lease, identity, name))
    layer = muster_presence_layers_find (layers, lease->name);

  return layer != NULL && layer->number == lease->number;
}

/* One more is about to be set, which replaces one of the same name. */
static gboolean
muster_bus_layers_begin (MusterBusLayers *self,
                         const char *sender,
                         const char *identity,
                         const char *name,
                         GError **error)
{
  Client *client = muster_bus_layers_ensure_client (self, sender);
  guint n = client->n_under_way;

  for (guint i = 0; i < client->leases->len; i++)
    n += client_counts_lease (client, client->leases->pdata[i], identity, name);
  if (n >= CLIENT_MAX) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                 "you have set %d layers that go with you already; remove one, or have layers kept",
                 CLIENT_MAX);
    return FALSE;
  }

  client->n_under_way++;
  return TRUE;
}

/* Who is gone already is said to be, too. */
static Client *
muster_bus_layers_end (MusterBusLayers *self, const char *sender)
{
  Client *client = muster_bus_layers_ensure_client (self, sender);

  if (client->n_under_way > 0)
    client->n_under_way--;

  return client;
}

static void
client_add_lease (Client *client, const char *identity, const char *name, guint64 number)
{
  Lease *lease = g_new0 (Lease, 1);

  for (guint i = client->leases->len; i > 0; i--) {
    if (!client_counts_lease (client, client->leases->pdata[i - 1], identity, name))
      g_ptr_array_remove_index_fast (client->leases, i - 1);
  }

  lease->identity = g_strdup (identity);
  lease->name = g_strdup (name);
  lease->number = number;
  g_ptr_array_add (client->leases, lease);
}

MusterBusLayers *
muster_bus_layers_new (MusterBus *bus)
{
  MusterBusLayers *self = g_new0 (MusterBusLayers, 1);

  self->bus = bus;
  self->clients = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, client_free);

  return self;
}

void
muster_bus_layers_free (MusterBusLayers *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->clients);
  g_free (self);
}

/* methods */

typedef struct {
  MusterBus *bus;
  GDBusMethodInvocation *invocation;
  char *identity;
  char *name;
  gboolean keep;
} Call;

static void
call_free (Call *call)
{
  g_free (call->identity);
  g_free (call->name);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
on_layer_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  const char *sender = g_dbus_method_invocation_get_sender (call->invocation);
  GError *error = NULL;
  Client *client = NULL;
  guint64 number;

  if (!call->keep)
    client = muster_bus_layers_end (call->bus->layers, sender);
  if (!muster_broker_set_layer_finish (call->bus->broker, result, &number, &error)) {
    g_dbus_method_invocation_take_error (call->invocation, error);
    return;
  }

  if (client != NULL)
    client_add_lease (client, call->identity, call->name, number);
  g_dbus_method_invocation_return_value (call->invocation, NULL);
}

/* What @layer lends is lent by @values. */
static gboolean
read_layer (GVariant *values, MusterPresenceLayer *layer, GError **error)
{
  static const MusterBusOption known[] = {
    { "presence", "s" }, { "text", "s" }, { "priority", "u" }, { "until", "t" }, { NULL },
  };
  const char *presence = NULL;
  const char *text = "";
  guint64 until_us = 0;

  if (!muster_bus_check_options (values, "layer", known, error))
    return FALSE;

  layer->priority = MUSTER_PRESENCE_PRIORITY_DEFAULT;
  g_variant_lookup (values, "presence", "&s", &presence);
  g_variant_lookup (values, "text", "&s", &text);
  g_variant_lookup (values, "priority", "u", &layer->priority);
  g_variant_lookup (values, "until", "t", &until_us);
  layer->text = (char *) text;
  layer->until_us = (gint64) MIN (until_us, G_MAXINT64);

  if (presence == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "layer: it has no \"presence\"");
    return FALSE;
  }
  if (!muster_presence_from_string (presence, &layer->presence)) {
    g_autofree char *quoted = muster_broker_quote (presence);

    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "presence: %s is not one of offline, invisible, available, chat, away, xa, dnd",
                 quoted);
    return FALSE;
  }

  return TRUE;
}

static void
set_layer (MusterBus *self,
           gpointer identity,
           GVariant *parameters,
           GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "keep", "b" }, { NULL } };
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariant) options = NULL;
  MusterPresenceLayer layer = { 0 };
  const char *name;
  GError *error = NULL;
  Call *call;

  g_variant_get (parameters, "(&s@a{sv}@a{sv})", &name, &values, &options);
  if (!muster_bus_check_options (options, "options", known, &error) ||
      !read_layer (values, &layer, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  layer.name = (char *) name;
  g_variant_lookup (options, "keep", "b", &layer.kept);
  if (!layer.kept &&
      !muster_bus_layers_begin (self->layers, g_dbus_method_invocation_get_sender (invocation),
                                IDENTITY_ID (identity), name, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  call = g_new0 (Call, 1);
  call->bus = self;
  call->invocation = invocation;
  call->identity = g_strdup (IDENTITY_ID (identity));
  call->name = g_strdup (name);
  call->keep = layer.kept;
  muster_broker_set_layer_async (self->broker, identity, &layer, on_layer_set, call);
}

static void
remove_layer (MusterBus *self,
              gpointer identity,
              GVariant *parameters,
              GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *name;

  g_variant_get (parameters, "(&s@a{sv})", &name, &options);
  if (muster_bus_no_options (options, invocation))
    muster_broker_remove_layer_async (self->broker, identity, name, muster_bus_on_changed,
                                      invocation);
}

const MusterBusMethod muster_bus_presence_methods[] = {
  { MUSTER_INTERFACE_PRESENCE, "SetLayer", set_layer },
  { MUSTER_INTERFACE_PRESENCE, "RemoveLayer", remove_layer },
  { NULL },
};

static void
set_override (MusterBus *self,
              gpointer account,
              GVariant *parameters,
              GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "text", "s" }, { NULL } };
  g_autoptr (GVariant) options = NULL;
  const char *override;
  const char *text = "";
  GError *error = NULL;

  g_variant_get (parameters, "(&s@a{sv})", &override, &options);
  if (!muster_bus_check_options (options, "options", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  g_variant_lookup (options, "text", "&s", &text);
  muster_broker_set_override_async (self->broker, account, override, text, muster_bus_on_changed,
                                    invocation);
}

const MusterBusMethod muster_bus_publication_methods[] = {
  { MUSTER_INTERFACE_PUBLICATION, "SetOverride", set_override },
  { NULL },
};
