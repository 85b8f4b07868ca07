/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-errand.h"
#include "muster-sip-registration-private.h"

/*
 * What a registration holds of the network: an agent on a local address, or a use of a connection, and its
 * token in the table of those that requests come in for. Requests that are under way on what is left fail.
 */

static MusterSipContext *
get_context (MusterSipRegistration *self)
{
  return MUSTER_SIP_CONTEXT (muster_registration_get_context (MUSTER_REGISTRATION (self)));
}

void
muster_sip_registration_leave_flow (MusterSipRegistration *self)
{
  if (self->flow != NULL)
    muster_sip_errands_fail (self);
  if (self->flow != NULL)
    muster_sip_context_leave_flow (get_context (self), g_steal_pointer (&self->flow));
  g_clear_pointer (&self->flow_purpose, g_free);
}

/* A NAT forgets who is silent, and then calls do not arrive. @route NULL: there is none to keep open. */
void
muster_sip_registration_keep_open (MusterSipRegistration *self, const char *route)
{
  if (g_strcmp0 (self->kept_route, route) == 0)
    return;
  if (self->kept_route != NULL)
    muster_sip_agent_keep_alive (self->agent, self->kept_route, FALSE);
  g_free (self->kept_route);
  self->kept_route = g_strdup (route);
  if (route != NULL)
    muster_sip_agent_keep_alive (self->agent, route, TRUE);
}

void
muster_sip_registration_leave_agent (MusterSipRegistration *self)
{
  if (self->agent == NULL)
    return;
  muster_sip_errands_fail (self);
  muster_sip_registration_keep_open (self, NULL);
  muster_sip_context_release_agent (get_context (self), g_steal_pointer (&self->agent));
}

void
muster_sip_registration_leave (MusterSipRegistration *self)
{
  MusterSipContext *context = get_context (self);

  if (self->has_token)
    muster_sip_context_remove_receiver (context, muster_sip_refresher_get_token (self->refresher));
  self->has_token = FALSE;
  muster_sip_inbox_close (self->inbox);
  muster_sip_registration_leave_agent (self);
  muster_sip_registration_leave_flow (self);
  muster_sip_registration_end_aside (self, FALSE, NULL);
}

/* A connection that is not there, or not yet. */
gboolean
muster_sip_registration_has_dead_flow (MusterSipRegistration *self)
{
  return self->flow != NULL && muster_sip_flow_use_get_transport (self->flow) == NULL;
}

static MusterSipFlowKey
flow_key (const MusterSipConfig *config, GPtrArray *targets)
{
  return (MusterSipFlowKey){
    .transport = config->transport,
    .host = config->hop_host,
    .port = config->hop_port,
    .tls_name = config->tls_name,
    .trust = config->trust,
    .key_pair = config->key_pair,
    .targets = targets,
  };
}

gboolean
muster_sip_registration_is_on_flow (MusterSipRegistration *self, const MusterSipConfig *config)
{
  const MusterSipFlowKey key = flow_key (config, NULL);
  g_autofree char *purpose = muster_sip_flow_key_to_purpose (&key);

  return self->flow != NULL && !muster_sip_registration_has_dead_flow (self) &&
         g_str_equal (purpose, self->flow_purpose) &&
         muster_sip_context_is_flow_current (get_context (self), self->flow);
}

MusterSipTransport *
muster_sip_registration_join_flow (MusterSipRegistration *self,
                                   const MusterSipConfig *config,
                                   GPtrArray *targets,
                                   const MusterSipFlowUseFuncs *funcs)
{
  const MusterSipFlowKey key = flow_key (config, targets);

  muster_sip_registration_leave_agent (self); /* the account may have been on UDP before */
  if (targets != NULL || !muster_sip_registration_is_on_flow (self, config))
    muster_sip_registration_leave_flow (self);
  if (self->flow == NULL) {
    self->flow = muster_sip_context_join_flow (get_context (self), &key, funcs, self);
    self->flow_purpose = muster_sip_flow_key_to_purpose (&key);
  }

  return muster_sip_flow_use_get_transport (self->flow);
}

/* What was left for something else, which may do no better. */

void
muster_sip_registration_set_agent_aside (MusterSipRegistration *self)
{
  if (self->agent == NULL || self->agent_aside != NULL || self->flow_aside != NULL)
    return;
  muster_sip_errands_fail (self);
  self->agent_aside = g_steal_pointer (&self->agent);
}

static void
end_agent_aside (MusterSipRegistration *self, gboolean go_back)
{
  MusterSipAgent *aside = g_steal_pointer (&self->agent_aside);

  if (aside == NULL)
    return;
  if (go_back) {
    muster_sip_registration_leave_flow (self);
    muster_sip_registration_leave_agent (self);
    self->agent = aside;
    return;
  }
  if (self->kept_route != NULL)
    muster_sip_agent_keep_alive (aside, self->kept_route, FALSE);
  g_clear_pointer (&self->kept_route, g_free);
  muster_sip_context_release_agent (get_context (self), aside);
}

/* Whoever holds a connection that was set aside hears of nothing. */

static void
on_aside_opened (gpointer user_data)
{
}

static void
on_aside_ended (const GError *error, gpointer user_data)
{
}

static const MusterSipFlowUseFuncs aside_funcs = {
  .opened = on_aside_opened,
  .ended = on_aside_ended,
};

void
muster_sip_registration_set_flow_aside (MusterSipRegistration *self)
{
  if (self->flow == NULL || self->flow_aside != NULL || self->agent_aside != NULL ||
      muster_sip_registration_has_dead_flow (self))
    return;
  self->flow_aside = muster_sip_context_join_same_flow (get_context (self), self->flow,
                                                        &aside_funcs, NULL);
  self->aside_purpose = g_strdup (self->flow_purpose);
}

void
muster_sip_registration_end_aside (MusterSipRegistration *self,
                                   gboolean go_back,
                                   const MusterSipFlowUseFuncs *funcs)
{
  MusterSipContext *context = get_context (self);
  MusterSipFlowUse *aside = g_steal_pointer (&self->flow_aside);
  g_autofree char *purpose = g_steal_pointer (&self->aside_purpose);

  end_agent_aside (self, go_back);
  if (aside == NULL)
    return;
  if (go_back && muster_sip_flow_use_get_transport (aside) != NULL) {
    muster_sip_registration_leave_agent (self);
    muster_sip_registration_leave_flow (self);
    self->flow = muster_sip_context_join_same_flow (context, aside, funcs, self);
    self->flow_purpose = g_steal_pointer (&purpose);
  }
  muster_sip_context_leave_flow (context, aside);
}

GSocketAddress *
muster_sip_registration_get_target (MusterSipRegistration *self,
                                    const MusterSipConfig *config,
                                    MusterTransport *transport)
{
  *transport = self->good_transport;
  return (config->is_open || self->good_transport == config->transport) &&
             g_strcmp0 (self->good_hop, config->hop_host) == 0
           ? self->good_target
           : NULL;
}

void
muster_sip_registration_set_target (MusterSipRegistration *self,
                                    const MusterSipConfig *config,
                                    GSocketAddress *target)
{
  g_autoptr (GSocketAddress) held = target != NULL ? g_object_ref (target) : NULL;

  g_clear_object (&self->good_target);
  g_clear_pointer (&self->good_hop, g_free);
  if (held == NULL || g_hostname_is_ip_address (config->hop_host))
    return; /* there is no choice */
  self->good_target = g_steal_pointer (&held);
  self->good_hop = g_strdup (config->hop_host);
  self->good_transport = config->transport;
}

/* Our agent is now the one on the address from which packets to @target leave. */
gboolean
muster_sip_registration_find_agent (MusterSipRegistration *self,
                                    GSocketAddress *target,
                                    GError **error)
{
  g_autofree char *source = muster_sip_context_dup_source (get_context (self), target, error);
  MusterSipAgent *agent;
  guint16 port = 0;

  if (source == NULL)
    return FALSE;

  if (g_strcmp0 (source, muster_sip_refresher_get_local_address (self->refresher)) == 0)
    port = muster_sip_refresher_get_local_port (self->refresher);

  agent = muster_sip_context_acquire_agent (get_context (self), source, port, error);
  if (agent == NULL)
    return FALSE;
  if (self->agent == agent)
    muster_sip_context_release_agent (get_context (self), agent); /* one use is enough */
  else
    muster_sip_registration_leave_agent (self);
  self->agent = agent;

  muster_sip_agent_check_clock (agent);
  muster_sip_refresher_set_local (self->refresher, source,
                                  muster_sip_agent_get_transport (agent)->contact_port);
  return TRUE;
}

/* A connection that was made as DNS says will be made so again. */
void
muster_sip_registration_settle (MusterSipRegistration *self,
                                const MusterSipConfig *config,
                                GSocketAddress *target,
                                const char *route,
                                gboolean chosen)
{
  GSocketAddress *good = target;

  if (good == NULL && chosen)
    good = muster_sip_flow_use_get_target (self->flow);
  if (good != NULL)
    muster_sip_registration_set_target (self, config, good);
  if (target != NULL && !self->is_leaving)
    muster_sip_registration_keep_open (self, muster_sip_refresher_is_behind_nat (self->refresher)
                                               ? route
                                               : NULL);
  if (g_strcmp0 (self->route, route) == 0)
    return;
  g_free (self->route);
  self->route = g_strdup (route);
}

gboolean
muster_sip_registration_get_way (MusterSipRegistration *self,
                                 MusterSipTransport **transport,
                                 const char **route)
{
  *transport = NULL;
  if (self->agent != NULL)
    *transport = muster_sip_agent_get_transport (self->agent);
  else if (self->flow != NULL)
    *transport = muster_sip_flow_use_get_transport (self->flow);
  *route = self->route;

  return *transport != NULL && *route != NULL;
}
