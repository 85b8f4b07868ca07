/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

/*
 * Offers requests to agents, the newest agent first. Each request is with one agent at a time; an agent
 * that declines, fails or is too slow passes it on to the next. A request that nobody takes stays, and
 * is offered again to every agent that comes.
 */

#define AGENTS_MAX 64
#define KINDS_MAX  16 /* of one agent: it is kept */
#define HANDLE_MS  (120 * 1000)

typedef struct {
  char *sender; /* unique name */
  char *path;
  GStrv kinds; /* NULL: all */
  guint watch_id;
  guint64 number; /* the later, the greater */
} Agent;

/* A request on its way. */
typedef struct {
  MusterBusAgents *agents;
  MusterRequest *request; /* lent; the offer goes with it */
  guint64 below;          /* only agents with a smaller number are asked next */
  char *sender;           /* who is being asked; NULL: nobody */
  char *path;
  GCancellable *cancellable;
} Offer;

struct _MusterBusAgents {
  MusterBus *bus;
  GPtrArray *agents;  /* Agent */
  GHashTable *offers; /* MusterRequest -> Offer */
  guint64 last_number;
};

static void
agent_free (gpointer data)
{
  Agent *agent = data;

  g_bus_unwatch_name (agent->watch_id);
  g_free (agent->sender);
  g_free (agent->path);
  g_strfreev (agent->kinds);
  g_free (agent);
}

/* offers */

static void offer_next (Offer *offer);

static void
offer_free (gpointer data)
{
  Offer *offer = data;

  if (offer->cancellable != NULL)
    g_cancellable_cancel (offer->cancellable);
  g_clear_object (&offer->cancellable);
  g_free (offer->sender);
  g_free (offer->path);
  g_free (offer);
}

static void
on_handled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Offer *offer = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the offer is gone */

  g_clear_object (&offer->cancellable);
  g_clear_pointer (&offer->sender, g_free);
  g_clear_pointer (&offer->path, g_free);
  if (error != NULL) {
    g_debug ("an agent did not take a request: %s", error->message);
    offer_next (offer);
  }
}

static Agent *
find_next_agent (Offer *offer)
{
  GPtrArray *agents = offer->agents->agents;
  const char *kind = muster_request_get_kind (offer->request);
  Agent *best = NULL;

  for (guint i = 0; i < agents->len; i++) {
    Agent *agent = agents->pdata[i];

    if (agent->number < offer->below && (best == NULL || agent->number > best->number) &&
        (agent->kinds == NULL || g_strv_contains ((const char *const *) agent->kinds, kind)))
      best = agent;
  }

  return best;
}

static void
offer_next (Offer *offer)
{
  MusterBus *bus = offer->agents->bus;
  Agent *agent = find_next_agent (offer);
  g_autofree char *path = NULL;

  if (agent == NULL)
    return; /* it waits for an agent, or for somebody who looks */

  path = muster_bus_object_path (MUSTER_BUS_REQUEST, offer->request);
  offer->below = agent->number;
  offer->sender = g_strdup (agent->sender);
  offer->path = g_strdup (agent->path);
  offer->cancellable = g_cancellable_new ();
  g_dbus_connection_call (bus->connection, agent->sender, agent->path, MUSTER_INTERFACE_AGENT,
                          "Handle",
                          g_variant_new ("(o@a{sv})", path,
                                         muster_bus_build_interface (bus, MUSTER_BUS_REQUEST,
                                                                     offer->request, "Request")),
                          NULL, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, HANDLE_MS,
                          offer->cancellable, on_handled, offer);
}

void
muster_bus_agents_request_added (MusterBusAgents *self, MusterRequest *request)
{
  Offer *offer = g_new0 (Offer, 1);

  offer->agents = self;
  offer->request = request;
  offer->below = G_MAXUINT64;
  g_hash_table_insert (self->offers, request, offer);
  offer_next (offer);
}

void
muster_bus_agents_request_removed (MusterBusAgents *self, MusterRequest *request)
{
  Offer *offer = g_hash_table_lookup (self->offers, request);
  g_autofree char *path = NULL;

  if (offer == NULL)
    return;

  if (offer->sender != NULL) {
    path = muster_bus_object_path (MUSTER_BUS_REQUEST, request);
    g_dbus_connection_call (self->bus->connection, offer->sender, offer->path,
                            MUSTER_INTERFACE_AGENT, "Cancel", g_variant_new ("(o)", path), NULL,
                            G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
  }
  g_hash_table_remove (self->offers, request);
}

/* agents */

static Agent *
find_agent (MusterBusAgents *self, const char *sender, const char *path)
{
  for (guint i = 0; i < self->agents->len; i++) {
    Agent *agent = self->agents->pdata[i];

    if (g_str_equal (agent->sender, sender) && g_str_equal (agent->path, path))
      return agent;
  }

  return NULL;
}

static void
muster_bus_agents_drop (MusterBusAgents *self, Agent *agent)
{
  g_ptr_array_remove (self->agents, agent); /* what it was asked fails: the bus says it is gone */
  muster_bus_emitter_root_changed (self->bus->emitter, MUSTER_INTERFACE_AGENT_MANAGER, "Agents",
                                   g_variant_new_uint32 (self->agents->len));
}

static void
on_agent_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  MusterBusAgents *self = user_data;

  for (guint i = self->agents->len; i > 0; i--) {
    Agent *agent = self->agents->pdata[i - 1];

    if (g_str_equal (agent->sender, name))
      muster_bus_agents_drop (self, agent);
  }
}

void
muster_bus_agents_register (MusterBus *bus,
                            gpointer unused,
                            GVariant *parameters,
                            GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "kinds", "as" }, { NULL } };
  MusterBusAgents *self = bus->agents;
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GVariant) kinds = NULL;
  GHashTableIter iter;
  gpointer value;
  const char *path;
  GError *error = NULL;
  Agent *agent;

  g_variant_get (parameters, "(&o@a{sv})", &path, &options);
  if (!muster_bus_check_options (options, "options", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }
  if (find_agent (self, sender, path) != NULL) {
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_EXISTS,
                                           "agent: %s is registered already", path);
    return;
  }
  if (self->agents->len >= AGENTS_MAX) {
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_TOO_MANY,
                                           "there are %d agents already", AGENTS_MAX);
    return;
  }

  if (g_variant_lookup (options, "kinds", "@as", &kinds) &&
      g_variant_n_children (kinds) > KINDS_MAX) {
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                                           "kinds: more than %d", KINDS_MAX);
    return;
  }

  agent = g_new0 (Agent, 1);
  agent->sender = g_strdup (sender);
  agent->path = g_strdup (path);
  g_variant_lookup (options, "kinds", "^as", &agent->kinds);
  agent->number = ++self->last_number;
  agent->watch_id = g_bus_watch_name_on_connection (bus->connection, sender,
                                                    G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                                    on_agent_vanished, self, NULL);
  g_ptr_array_add (self->agents, agent);
  muster_bus_emitter_root_changed (bus->emitter, MUSTER_INTERFACE_AGENT_MANAGER, "Agents",
                                   g_variant_new_uint32 (self->agents->len));
  g_dbus_method_invocation_return_value (invocation, NULL);

  /* What is with nobody is offered again, to the new one first. */
  g_hash_table_iter_init (&iter, self->offers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Offer *offer = value;

    if (offer->sender != NULL)
      continue;
    offer->below = G_MAXUINT64;
    offer_next (offer);
  }
}

void
muster_bus_agents_unregister (MusterBus *bus,
                              gpointer unused,
                              GVariant *parameters,
                              GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *path;
  Agent *agent;

  g_variant_get (parameters, "(&o@a{sv})", &path, &options);
  if (!muster_bus_no_options (options, invocation))
    return;

  agent = find_agent (bus->agents, g_dbus_method_invocation_get_sender (invocation), path);
  if (agent == NULL) {
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_NOT_FOUND,
                                           "agent: you have none at %s", path);
    return;
  }

  muster_bus_agents_drop (bus->agents, agent);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

guint
muster_bus_agents_count (MusterBusAgents *self)
{
  return self->agents->len;
}

MusterBusAgents *
muster_bus_agents_new (MusterBus *bus)
{
  MusterBusAgents *self = g_new0 (MusterBusAgents, 1);

  self->bus = bus;
  self->agents = g_ptr_array_new_with_free_func (agent_free);
  self->offers = g_hash_table_new_full (NULL, NULL, NULL, offer_free);

  return self;
}

void
muster_bus_agents_free (MusterBusAgents *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->offers);
  g_ptr_array_unref (self->agents);
  g_free (self);
}
