/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-context.h"

#include "muster-sip-lookup.h"
#include "muster-sip-target.h"

#include <string.h>

#define TOLD_PER_DISPATCH 64

/*
 * What the accounts of the plugin share: one agent per local address, and the table that leads from
 * the user part of a contact to who gets the requests to it. An agent goes when the last account has left it,
 * from an idle callback, because the account may be leaving from within one of its answers; its port
 * is remembered for the next one on that address, so that a contact stays what it was. Connections are
 * shared and go in the same way; one that ends is out of the table at once, so that whoever comes next
 * gets a new one.
 */

/* Shorter than what the daemon lets pass before it tells of another network. */
#define SOURCE_HOLDS_US (G_USEC_PER_SEC / 2)

struct _MusterSipContext {
  MusterPluginContext parent_instance;

  GHashTable *agents;    /* local address -> AgentUse */
  GHashTable *ports;     /* local address -> the port last used there */
  GHashTable *flows;     /* key as text -> Shared: those that can be joined */
  GPtrArray *shared;     /* Shared: all of them */
  GHashTable *receivers; /* token -> const MusterSipReceiver */

  GSocketAddress *asked_target; /* whose way out was asked for last; nullable */
  char *asked_source;
  gint64 asked_until_us;

  guint sweep_source;
};

typedef struct {
  MusterSipAgent *agent;
  guint n_users;
} AgentUse;

typedef struct {
  MusterSipContext *context;
  MusterSipFlow *flow;
  char *key;
  GQueue uses;       /* MusterSipFlowUse */
  GError *error;     /* what they are told: that it ended; NULL: that it opened */
  guint tell_source; /* while they are */
} Shared;

struct _MusterSipFlowUse {
  GList link; /* in the uses of shared */
  Shared *shared;
  const MusterSipFlowUseFuncs *funcs;
  gpointer user_data;
  gboolean told; /* what is being told */
};

G_DEFINE_FINAL_TYPE (MusterSipContext, muster_sip_context, MUSTER_TYPE_PLUGIN_CONTEXT)

static void
agent_use_free (AgentUse *use)
{
  muster_sip_agent_free (use->agent);
  g_free (use);
}

static const MusterSipReceiver *
find_receiver (const char *token, gpointer user_data)
{
  MusterSipContext *self = user_data;

  return g_hash_table_lookup (self->receivers, token);
}

/* connections */

static void
shared_free (gpointer data)
{
  Shared *shared = data;

  while (shared->uses.head != NULL)
    g_free (g_queue_pop_head_link (&shared->uses)->data);
  g_clear_handle_id (&shared->tell_source, g_source_remove);
  g_clear_error (&shared->error);
  muster_sip_flow_free (shared->flow);
  g_free (shared->key);
  g_free (shared);
}

/* Tells some of the uses, each once: what they do then, thousands of them, must not hold up the loop.
 * Who was told stands behind who was not. Whoever is told may leave, or join another. */
static gboolean
on_tell (gpointer user_data)
{
  Shared *shared = user_data;

  for (guint n = 0; n < TOLD_PER_DISPATCH && shared->uses.head != NULL; n++) {
    MusterSipFlowUse *use = shared->uses.head->data;

    if (use->told)
      break;
    use->told = TRUE;
    g_queue_unlink (&shared->uses, &use->link);
    g_queue_push_tail_link (&shared->uses, &use->link);
    if (shared->error == NULL)
      use->funcs->opened (use->user_data);
    else
      use->funcs->ended (shared->error, use->user_data);
  }

  if (shared->uses.head != NULL && !((MusterSipFlowUse *) shared->uses.head->data)->told)
    return G_SOURCE_CONTINUE;
  shared->tell_source = 0;
  return G_SOURCE_REMOVE;
}

static void
shared_tell (Shared *shared, const GError *error)
{
  g_clear_error (&shared->error);
  shared->error = error != NULL ? g_error_copy (error) : NULL;
  for (GList *link = shared->uses.head; link != NULL; link = link->next)
    ((MusterSipFlowUse *) link->data)->told = FALSE;

  g_clear_handle_id (&shared->tell_source, g_source_remove);
  shared->tell_source = g_idle_add_full (G_PRIORITY_DEFAULT, on_tell, shared, NULL);
}

static void
on_flow_opened (MusterSipFlow *flow, gpointer user_data)
{
  shared_tell (user_data, NULL);
}

static void
on_flow_ended (MusterSipFlow *flow, const GError *error, gpointer user_data)
{
  Shared *shared = user_data;

  if (g_hash_table_lookup (shared->context->flows, shared->key) == shared)
    g_hash_table_remove (shared->context->flows, shared->key);
  shared_tell (shared, error);
}

static const MusterSipReceiver *
on_flow_find (const char *token, gpointer user_data)
{
  Shared *shared = user_data;

  return find_receiver (token, shared->context);
}

static const MusterSipFlowFuncs flow_funcs = {
  .opened = on_flow_opened,
  .ended = on_flow_ended,
  .find = on_flow_find,
};

static void
sweep_flows (MusterSipContext *self)
{
  for (guint i = self->shared->len; i > 0; i--) {
    Shared *shared = self->shared->pdata[i - 1];

    if (shared->uses.head != NULL)
      continue;
    if (g_hash_table_lookup (self->flows, shared->key) == shared)
      g_hash_table_remove (self->flows, shared->key);
    g_ptr_array_remove_index_fast (self->shared, i - 1);
  }
}

static gboolean
on_sweep (gpointer user_data)
{
  MusterSipContext *self = user_data;
  GHashTableIter iter;
  const char *address;
  AgentUse *use;

  self->sweep_source = 0;
  sweep_flows (self);
  g_hash_table_iter_init (&iter, self->agents);
  while (g_hash_table_iter_next (&iter, (gpointer *) &address, (gpointer *) &use)) {
    if (use->n_users > 0)
      continue;
    g_hash_table_insert (self->ports, g_strdup (address),
                         GUINT_TO_POINTER (
                           muster_sip_agent_get_transport (use->agent)->contact_port));
    g_hash_table_iter_remove (&iter);
  }
  return G_SOURCE_REMOVE;
}

static void
muster_sip_context_stop (MusterPluginContext *context)
{
  MusterSipContext *self = MUSTER_SIP_CONTEXT (context);

  g_clear_handle_id (&self->sweep_source, g_source_remove);
  g_hash_table_remove_all (self->agents);
  g_hash_table_remove_all (self->flows);
  g_ptr_array_set_size (self->shared, 0);
}

static void
muster_sip_context_finalize (GObject *object)
{
  MusterSipContext *self = MUSTER_SIP_CONTEXT (object);

  g_clear_handle_id (&self->sweep_source, g_source_remove);
  g_clear_pointer (&self->agents, g_hash_table_unref);
  g_clear_pointer (&self->flows, g_hash_table_unref);
  g_clear_pointer (&self->shared, g_ptr_array_unref);
  g_clear_pointer (&self->ports, g_hash_table_unref);
  g_clear_pointer (&self->receivers, g_hash_table_unref);
  g_clear_object (&self->asked_target);
  g_free (self->asked_source);

  G_OBJECT_CLASS (muster_sip_context_parent_class)->finalize (object);
}

static void
muster_sip_context_class_init (MusterSipContextClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = muster_sip_context_finalize;
  MUSTER_PLUGIN_CONTEXT_CLASS (klass)->stop = muster_sip_context_stop;
}

static void
muster_sip_context_init (MusterSipContext *self)
{
  self->agents = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) agent_use_free);
  self->ports = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->flows = g_hash_table_new (g_str_hash, g_str_equal);
  self->shared = g_ptr_array_new_with_free_func (shared_free);
  self->receivers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static gboolean
is_same_host (GSocketAddress *left, GSocketAddress *right)
{
  return g_inet_address_equal (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (left)),
                               g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (right)));
}

/* Many accounts of one service start together, and asking takes a socket each time. */
char *
muster_sip_context_dup_source (MusterSipContext *self, GSocketAddress *target, GError **error)
{
  gint64 now_us = muster_clock_now_us ();

  if (self->asked_target != NULL && now_us < self->asked_until_us &&
      is_same_host (self->asked_target, target))
    return g_strdup (self->asked_source);

  g_clear_object (&self->asked_target);
  g_free (self->asked_source);
  self->asked_source = muster_sip_lookup_dup_source (target, error);
  if (self->asked_source == NULL)
    return NULL;

  self->asked_target = g_object_ref (target);
  self->asked_until_us = now_us + SOURCE_HOLDS_US;
  return g_strdup (self->asked_source);
}

MusterSipAgent *
muster_sip_context_acquire_agent (MusterSipContext *self,
                                  const char *address,
                                  guint16 port,
                                  GError **error)
{
  AgentUse *use = g_hash_table_lookup (self->agents, address);

  if (use == NULL) {
    MusterSipAgent *agent;

    if (port == 0)
      port = (guint16) GPOINTER_TO_UINT (g_hash_table_lookup (self->ports, address));
    agent = muster_sip_agent_new (address, port, find_receiver, self, error);
    if (agent == NULL)
      return NULL;
    use = g_new0 (AgentUse, 1);
    use->agent = agent;
    g_hash_table_insert (self->agents, g_strdup (address), use);
  }

  use->n_users++;
  return use->agent;
}

void
muster_sip_context_release_agent (MusterSipContext *self, MusterSipAgent *agent)
{
  AgentUse *use = g_hash_table_lookup (self->agents, muster_sip_agent_get_address (agent));

  g_return_if_fail (use != NULL && use->agent == agent && use->n_users > 0);

  use->n_users--;
  if (use->n_users == 0 && self->sweep_source == 0)
    self->sweep_source = g_idle_add (on_sweep, self);
}

/* Whether a connection made now would leave from the same address. One that would not may go on for a
 * while, or be dead without knowing: packets from an address that the machine has lost go nowhere. */
static gboolean
is_current (MusterSipContext *self, Shared *shared)
{
  g_autoptr (GSocketAddress) remote = muster_sip_flow_dup_remote_address (shared->flow);
  g_autofree char *source = NULL;

  if (remote == NULL) /* not open, so not old either */
    return TRUE;

  source = muster_sip_context_dup_source (self, remote, NULL);
  return source == NULL || g_str_equal (source, muster_sip_flow_get_local_address (shared->flow));
}

gboolean
muster_sip_context_is_flow_current (MusterSipContext *self, MusterSipFlowUse *use)
{
  return is_current (self, use->shared);
}

static gboolean
can_be_joined (MusterSipContext *self, Shared *shared)
{
  return g_hash_table_lookup (self->flows, shared->key) == shared && is_current (self, shared);
}

/* (nullable): one that stands and leads to the first of the targets, though others may have been meant when it
 * was made. Only who was sent on from a target has any, so this may take its time. */
static Shared *
find_flow_to_first (MusterSipContext *self, const MusterSipFlowKey *key)
{
  g_autofree char *purpose = muster_sip_flow_key_to_purpose (key);
  gsize length = strlen (purpose);

  for (guint i = 0; i < self->shared->len; i++) {
    Shared *shared = self->shared->pdata[i];

    if (strncmp (shared->key, purpose, length) == 0 && shared->key[length] == ' ' &&
        muster_sip_flow_is_open (shared->flow) &&
        muster_sip_target_equal (muster_sip_flow_get_target (shared->flow),
                                 key->targets->pdata[0]) &&
        can_be_joined (self, shared))
      return shared;
  }
  return NULL;
}

static MusterSipFlowUse *
shared_join (Shared *shared, const MusterSipFlowUseFuncs *funcs, gpointer user_data)
{
  MusterSipFlowUse *use = g_new0 (MusterSipFlowUse, 1);

  use->link.data = use;
  use->shared = shared;
  use->funcs = funcs;
  use->user_data = user_data;
  use->told = TRUE; /* who joins while others are told sees for itself */
  g_queue_push_tail_link (&shared->uses, &use->link);

  return use;
}

MusterSipFlowUse *
muster_sip_context_join_flow (MusterSipContext *self,
                              const MusterSipFlowKey *key,
                              const MusterSipFlowUseFuncs *funcs,
                              gpointer user_data)
{
  g_autofree char *text = muster_sip_flow_key_to_string (key);
  Shared *shared = g_hash_table_lookup (self->flows, text);

  if (shared != NULL && !is_current (self, shared)) {
    g_hash_table_remove (self->flows, text); /* it goes when the last one has left it */
    shared = NULL;
  }
  if (shared == NULL && key->targets != NULL)
    shared = find_flow_to_first (self, key);
  if (shared == NULL) {
    shared = g_new0 (Shared, 1);
    shared->context = self;
    shared->key = g_steal_pointer (&text);
    g_queue_init (&shared->uses);
    g_hash_table_insert (self->flows, shared->key, shared);
    g_ptr_array_add (self->shared, shared);
    shared->flow = muster_sip_flow_new (key, &flow_funcs, shared);
  }

  return shared_join (shared, funcs, user_data);
}

MusterSipFlowUse *
muster_sip_context_join_same_flow (MusterSipContext *self,
                                   MusterSipFlowUse *use,
                                   const MusterSipFlowUseFuncs *funcs,
                                   gpointer user_data)
{
  return shared_join (use->shared, funcs, user_data);
}

void
muster_sip_context_leave_flow (MusterSipContext *self, MusterSipFlowUse *use)
{
  Shared *shared = use->shared;

  g_queue_unlink (&shared->uses, &use->link);
  g_free (use);
  if (shared->uses.head == NULL && self->sweep_source == 0)
    self->sweep_source = g_idle_add (on_sweep, self);
}

MusterSipTransport *
muster_sip_flow_use_get_transport (MusterSipFlowUse *use)
{
  MusterSipFlow *flow = use->shared->flow;

  return flow != NULL && muster_sip_flow_is_open (flow) ? muster_sip_flow_get_transport (flow)
                                                        : NULL;
}

GSocketAddress *
muster_sip_flow_use_get_target (MusterSipFlowUse *use)
{
  return use->shared->flow != NULL ? muster_sip_flow_get_target (use->shared->flow) : NULL;
}

void
muster_sip_context_add_receiver (MusterSipContext *self,
                                 const char *token,
                                 const MusterSipReceiver *receiver)
{
  g_hash_table_insert (self->receivers, g_strdup (token), (gpointer) receiver);
}

void
muster_sip_context_remove_receiver (MusterSipContext *self, const char *token)
{
  g_hash_table_remove (self->receivers, token);
}

guint
muster_sip_context_count_receivers (MusterSipContext *self)
{
  return g_hash_table_size (self->receivers);
}
