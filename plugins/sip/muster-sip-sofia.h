/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* Sofia's headers, with the types that its callbacks carry, in the order that it needs. Include it
 * only where Sofia is spoken: -sofia.c, -wire.c, -agent.c. */

#include "muster-sip-agent.h"

#define NTA_AGENT_MAGIC_T    MusterSipAgent
#define NTA_LEG_MAGIC_T      MusterSipAgent
#define NTA_OUTGOING_MAGIC_T MusterSipTransaction

/* clang-format off */
#include <sofia-sip/su_glib.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
/* clang-format on */

/* An agent that receives on @address, an IP literal, at @port (0: any), its requests going to
 * @on_request. %NULL if the socket cannot be had. Free with nta_agent_destroy(), never from within
 * one of its callbacks. */
nta_agent_t *muster_sip_sofia_agent_new (const char *address,
                                         guint16 port,
                                         nta_message_f *on_request,
                                         MusterSipAgent *magic);

guint16 muster_sip_sofia_agent_get_port (nta_agent_t *nta);

/* Sends a datagram of CRLF CRLF to @route, `sip:IP:PORT`, whether it arrives or not. */
void muster_sip_sofia_agent_ping (nta_agent_t *nta, const char *route);
