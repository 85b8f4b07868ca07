/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-agent.h"
#include "muster-sip-flow.h"

#define MUSTER_TYPE_SIP_CONTEXT (muster_sip_context_get_type ())
G_DECLARE_FINAL_TYPE (MusterSipContext,
                      muster_sip_context,
                      MUSTER,
                      SIP_CONTEXT,
                      MusterPluginContext)

/* The agent on @address, an IP literal, made if there is none, @port (0: any) being a wish. Each
 * acquire wants its release. */
MusterSipAgent *muster_sip_context_acquire_agent (MusterSipContext *self,
                                                  const char *address,
                                                  guint16 port,
                                                  GError **error);
void muster_sip_context_release_agent (MusterSipContext *self, MusterSipAgent *agent);

/* One account's use of a connection that it shares with others. */
typedef struct _MusterSipFlowUse MusterSipFlowUse;

/* @ended: the connection is over; the use must still be left. Both come from the main loop. */
typedef struct {
  void (*opened) (gpointer user_data);
  void (*ended) (const GError *error, gpointer user_data);
} MusterSipFlowUseFuncs;

/* Joins the connection that is meant, or makes it. If muster_sip_flow_use_get_transport() is not %NULL
 * it stands already; else `opened` or `ended` tells. */
MusterSipFlowUse *muster_sip_context_join_flow (MusterSipContext *self,
                                                const MusterSipFlowKey *key,
                                                const MusterSipFlowUseFuncs *funcs,
                                                gpointer user_data);
/* The same for the connection that @use is of, whatever has become of it. */
MusterSipFlowUse *muster_sip_context_join_same_flow (MusterSipContext *self,
                                                     MusterSipFlowUse *use,
                                                     const MusterSipFlowUseFuncs *funcs,
                                                     gpointer user_data);

/* Whether who joins now would get the same connection: %FALSE if it leaves from an address that is not the
 * one to leave from any more. */
gboolean muster_sip_context_is_flow_current (MusterSipContext *self, MusterSipFlowUse *use);

/* The connection is closed when the last one has left it. Nothing is called any more. */
void muster_sip_context_leave_flow (MusterSipContext *self, MusterSipFlowUse *use);

MusterSipTransport *muster_sip_flow_use_get_transport (MusterSipFlowUse *use);

/* As muster_sip_flow_get_target(). */
GSocketAddress *muster_sip_flow_use_get_target (MusterSipFlowUse *use);

/* muster_sip_lookup_dup_source(), which for the same host is asked once in half a second. */
char *
muster_sip_context_dup_source (MusterSipContext *self, GSocketAddress *target, GError **error);

/* Requests to a contact with this user part go to @receiver from now on, which is lent until it is
 * removed. */
void muster_sip_context_add_receiver (MusterSipContext *self,
                                      const char *token,
                                      const MusterSipReceiver *receiver);
void muster_sip_context_remove_receiver (MusterSipContext *self, const char *token);

/* How many accounts are signed in, or about to be. */
guint muster_sip_context_count_receivers (MusterSipContext *self);
