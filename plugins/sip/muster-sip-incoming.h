/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* How a registration of ours is a MusterIncoming: by its inbox. */
void muster_sip_incoming_init (MusterIncomingInterface *iface);

/* For the inbox of @registration. */
void muster_sip_incoming_report (const MusterOffer *offer, gpointer registration);
