/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-resolver.h>
#include <muster/muster.h>

/* One of the transports over which a service can be reached, and its addresses there. */
typedef struct {
  MusterTransport transport;
  GPtrArray *targets; /* of GSocketAddress, best first, never empty */
} MusterSipOffer;

/* All of them: an array of MusterSipOffer that owns them, each transport once, in the order in which they are to be
 * tried. @found: what the resolver says, an array of MusterTarget. */
GPtrArray *muster_sip_offers_new (GPtrArray *found);
GPtrArray *muster_sip_offers_new_single (MusterTransport transport, GSocketAddress *target);

/* Who took the registration is asked first, and its transport is the first one. If that is not offered any more
 * but @must_stay, it counts as offered with this one target, unless TLS is offered now. */
void muster_sip_offers_prefer (GPtrArray *self,
                               MusterTransport transport,
                               GSocketAddress *target,
                               gboolean must_stay);

/* @target was asked over @transport already. */
void muster_sip_offers_strike (GPtrArray *self, MusterTransport transport, GSocketAddress *target);

/* Whether a clear transport is among those from @first on. */
gboolean muster_sip_offers_has_clear (GPtrArray *self, guint first);
