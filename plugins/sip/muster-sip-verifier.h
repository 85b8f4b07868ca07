/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-inbound.h"
#include "muster-sip-registration.h"

/* How a registration proves that others reach it. */
void muster_sip_verifier_init (MusterVerifierInterface *iface);

/* For the inbox of @registration: an OPTIONS has come in to our token, and may be the one. */
void muster_sip_verifier_take_options (gpointer registration, const MusterSipInbound *inbound);
