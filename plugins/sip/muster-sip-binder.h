/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-registration.h"

/* How a registration lists the contacts of its address, and removes them. */
void muster_sip_binder_init (MusterBinderInterface *iface);
