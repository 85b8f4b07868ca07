/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-peer.h"

/*
 * SipPeerEvents:
 *
 * What a peer says to SUBSCRIBE (RFC 6665). Each is answered with 200, and notified of nothing by itself.
 */
typedef struct _SipPeerEvents SipPeerEvents;

SipPeerEvents *sip_peer_events_new (SipPeer *peer);
void sip_peer_events_free (SipPeerEvents *self);

/* From now on the SUBSCRIBEs to @event get this. @headers is nullable. */
void sip_peer_events_answer (SipPeerEvents *self,
                             const char *event,
                             const char *status,
                             const char *headers);

guint sip_peer_events_count (SipPeerEvents *self, const char *event);
/* The last SUBSCRIBE to it, as text; NULL: none came. */
const char *sip_peer_events_last (SipPeerEvents *self, const char *event);

/* Sends a NOTIFY in the dialog of that. The answer to it is in sip_peer_get_answer(). @type and @body are
 * nullable. */
void sip_peer_events_notify (SipPeerEvents *self,
                             const char *event,
                             const char *state,
                             const char *type,
                             const char *body);
