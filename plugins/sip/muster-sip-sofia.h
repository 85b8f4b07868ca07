/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* Sofia's headers, with the types that its callbacks carry, in the order that it needs. Include it
 * only where Sofia is spoken: -sofia.c, -wire.c, -wire-inbound.c, -agent.c. */

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

/* What of a request's headers is written here; lent to whoever builds a message of it. */
typedef struct {
  char *cseq;
  char *expires; /* nullable */
  char *route;   /* nullable */
} MusterSipHeaderText;

void muster_sip_header_text_init (MusterSipHeaderText *self, const MusterSipRequest *request);
void muster_sip_header_text_clear (MusterSipHeaderText *self);

/* All headers of a MusterSipRequest as Sofia's tags; those that are %NULL are left out. */
#define MUSTER_SIP_HEADER_TAGS(request, text)                                                      \
  TAG_IF ((text)->route != NULL, SIPTAG_ROUTE_STR ((text)->route)),                                \
    SIPTAG_FROM_STR ((request)->from), SIPTAG_TO_STR ((request)->to),                              \
    SIPTAG_CALL_ID_STR ((request)->call_id), SIPTAG_CSEQ_STR ((text)->cseq),                       \
    TAG_IF ((request)->contact != NULL, SIPTAG_CONTACT_STR ((request)->contact)),                  \
    TAG_IF ((text)->expires != NULL, SIPTAG_EXPIRES_STR ((text)->expires)),                        \
    TAG_IF ((request)->event != NULL, SIPTAG_EVENT_STR ((request)->event)),                        \
    TAG_IF ((request)->if_match != NULL, SIPTAG_IF_MATCH_STR ((request)->if_match)),               \
    TAG_IF ((request)->accept != NULL, SIPTAG_ACCEPT_STR ((request)->accept)),                     \
    TAG_IF ((request)->supported != NULL, SIPTAG_SUPPORTED_STR ((request)->supported)),            \
    SIPTAG_USER_AGENT_STR ("Muster/" MUSTER_SIP_VERSION),                                          \
    TAG_IF ((request)->authorization != NULL,                                                      \
            SIPTAG_AUTHORIZATION_STR ((request)->authorization)),                                  \
    TAG_IF ((request)->proxy_authorization != NULL,                                                \
            SIPTAG_PROXY_AUTHORIZATION_STR ((request)->proxy_authorization)),                      \
    TAG_IF ((request)->body != NULL, SIPTAG_CONTENT_TYPE_STR ((request)->content_type)),           \
    TAG_IF ((request)->body != NULL, SIPTAG_PAYLOAD_STR ((request)->body))

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

/* Sends a whole response to where its request came from, by its topmost Via (RFC 3261 section 18.2.2, RFC
 * 3581), but not to an maddr: that is for others to abuse. */
void muster_sip_sofia_agent_reply (nta_agent_t *nta, GBytes *reply);
