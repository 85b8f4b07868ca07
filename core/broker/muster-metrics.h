/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-broker.h"

G_BEGIN_DECLS

/* Returns (transfer floating): the a{sv} of org.muster.Muster1.Metrics.Get */
GVariant *muster_metrics_build (MusterBroker *broker);

G_END_DECLS
