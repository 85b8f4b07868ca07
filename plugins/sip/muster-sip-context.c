/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-context.h"

/*
 * What the accounts of the plugin share: one agent per local address, and the table that leads from
 * the user part of a contact to whether it is ours. An agent goes when the last account has left it,
 * from an idle callback, because the account may be leaving from within one of its answers; its port
 * is remembered for the next one on that address, so that a contact stays what it was.
 */
struct _MusterSipContext {
  MusterPluginContext parent_instance;

  GHashTable *agents; /* local address -> AgentUse */
  GHashTable *ports;  /* local address -> the port last used there */
  GHashTable *tokens; /* a set */
  guint sweep_source;
};

typedef struct {
  MusterSipAgent *agent;
  guint n_users;
} AgentUse;

G_DEFINE_FINAL_TYPE (MusterSipContext, muster_sip_context, MUSTER_TYPE_PLUGIN_CONTEXT)

static void
agent_use_free (AgentUse *use)
{
  muster_sip_agent_free (use->agent);
  g_free (use);
}

static gboolean
is_ours (const char *token, gpointer user_data)
{
  MusterSipContext *self = user_data;

  return g_hash_table_contains (self->tokens, token);
}

static gboolean
on_sweep (gpointer user_data)
{
  MusterSipContext *self = user_data;
  GHashTableIter iter;
  const char *address;
  AgentUse *use;

  self->sweep_source = 0;
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
}

static void
muster_sip_context_finalize (GObject *object)
{
  MusterSipContext *self = MUSTER_SIP_CONTEXT (object);

  g_clear_handle_id (&self->sweep_source, g_source_remove);
  g_clear_pointer (&self->agents, g_hash_table_unref);
  g_clear_pointer (&self->ports, g_hash_table_unref);
  g_clear_pointer (&self->tokens, g_hash_table_unref);

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
  self->tokens = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
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
    agent = muster_sip_agent_new (address, port, is_ours, self, error);
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

void
muster_sip_context_add_token (MusterSipContext *self, const char *token)
{
  g_hash_table_add (self->tokens, g_strdup (token));
}

void
muster_sip_context_remove_token (MusterSipContext *self, const char *token)
{
  g_hash_table_remove (self->tokens, token);
}
