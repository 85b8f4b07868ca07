/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-connectivity.c and its test: what it looks at comes from outside. */

#pragma once

#include "muster-address-set.h"
#include "muster-connectivity.h"

G_BEGIN_DECLS

typedef MusterAddressSet *(*MusterLookFunc) (gpointer look_data, GError **error);

MusterConnectivity *muster_connectivity_new_looking (MusterLookFunc look,
                                                     gpointer look_data,
                                                     const MusterConnectivitySink *sink,
                                                     gpointer sink_data);
/* Something changed, or may have. */
void muster_connectivity_touch (MusterConnectivity *self);

G_END_DECLS
