/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The calls and messages that wait for an answer at the service. */

#pragma once

#include <muster/muster.h>

G_BEGIN_DECLS

#define MUSTER_ECHO_ALL_OFFERS_MAX 1000

/* Its id to a MusterOffer. */
typedef GHashTable MusterEchoAllOffers;

MusterEchoAllOffers *muster_echo_all_offers_new (void);

/* FALSE: one of that id waits already, or too many do. @offer is copied. */
gboolean muster_echo_all_offers_add (MusterEchoAllOffers *self, const MusterOffer *offer);

/* (transfer full) (nullable): the offer, which no longer waits, but is @state. */
MusterOffer *
muster_echo_all_offers_end (MusterEchoAllOffers *self, const char *id, MusterOfferState state);

G_END_DECLS
