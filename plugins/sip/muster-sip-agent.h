/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-inbound.h"
#include "muster-sip-transport.h"

/*
 * MusterSipAgent:
 *
 * One UDP socket on one local address, shared by all accounts whose way out leads over it: a transport,
 * and the place where requests come in.
 */
typedef struct _MusterSipAgent MusterSipAgent;

/* Receives on @address, an IP literal, at @port if that can be had, else (and for 0) at another. Requests
 * go to the receiver that @find finds.
 * %NULL with %MUSTER_ERROR_UNREACHABLE if there is no socket at all. */
MusterSipAgent *muster_sip_agent_new (const char *address,
                                      guint16 port,
                                      MusterSipFindReceiverFunc find,
                                      gpointer user_data,
                                      GError **error);

/* Nobody may have a transaction on it any more. Not from within an answer of it. */
void muster_sip_agent_free (MusterSipAgent *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipAgent, muster_sip_agent_free)

const char *muster_sip_agent_get_address (MusterSipAgent *self);
MusterSipTransport *muster_sip_agent_get_transport (MusterSipAgent *self);

/* Whether a NAT on the way to @route, `sip:IP:PORT`, is to be kept from forgetting us. It is counted: each
 * who said yes says no once, before leaving the agent. */
void muster_sip_agent_keep_alive (MusterSipAgent *self, const char *route, gboolean on);

/* Makes the socket anew, at the same port if possible, if the wall clock, on which Sofia's timers hang,
 * was set since it was made, or the machine has slept: what was under way fails as unreachable, and not in
 * one heap when all its timers are due. */
void muster_sip_agent_check_clock (MusterSipAgent *self);
