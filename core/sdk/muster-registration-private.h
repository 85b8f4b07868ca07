/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: what the files about registrations tell each other. */

#pragma once

#include "muster-lane.h"
#include "muster-registration-host.h"

G_BEGIN_DECLS

MusterLanes *muster_registration_get_lanes (MusterRegistration *self);

/* %NULL once detached. */
const MusterRegistrationHost *
muster_registration_get_host (MusterRegistration *self, gpointer *host_data);

/* Where muster-registration-lease.c keeps its table; the registration unrefs it at its end. */
GHashTable **muster_registration_get_leases (MusterRegistration *self);

G_END_DECLS
