/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-registration.h"
#include "muster-sip-server.h"

/* What the server tells of the account itself, as far as its parameters ask for it: who wants to watch it, messages
 * that wait for it, and whether its binding is still there. */
typedef struct _MusterSipOwnEvents MusterSipOwnEvents;

MusterSipOwnEvents *muster_sip_own_events_new (MusterSipRegistration *registration);
void muster_sip_own_events_free (MusterSipOwnEvents *self);

/* The account is registered, or still is. */
void muster_sip_own_events_opened (MusterSipRegistration *registration, gboolean refreshed);

/* It signs out, and its side leases are gone. */
void muster_sip_own_events_closed (MusterSipRegistration *registration);

/* A NOTIFY came that is of no subscription. %FALSE: none that is taken unasked; else it is answered. */
gboolean muster_sip_own_events_take_unsolicited (MusterSipRegistration *registration,
                                                 const MusterSipInbound *inbound,
                                                 MusterSipServerTransaction *transaction);
