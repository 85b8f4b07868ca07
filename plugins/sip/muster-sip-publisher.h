/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-registration.h"

/* How a registration publishes presence. */
void muster_sip_publisher_init (MusterPublisherInterface *iface);

/* Has the server forget what is published, if there is time for it. */
void muster_sip_publisher_leave (MusterSipRegistration *self);
