/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-connectivity.h"

G_BEGIN_DECLS

/**
 * MusterSleep:
 *
 * Knows when this machine is going to sleep and when it woke up, from logind where it is there, and
 * in any case from the clocks. Nothing is unregistered: the leases go on, and are made sure of after.
 */
typedef struct _MusterSleep MusterSleep;

MusterSleep *muster_sleep_new (const MusterConnectivitySink *sink, gpointer sink_data);
void muster_sleep_free (MusterSleep *self);

/* For tests: without logind, and what it would say. */
MusterSleep *muster_sleep_new_alone (const MusterConnectivitySink *sink, gpointer sink_data);
void muster_sleep_announce (MusterSleep *self, gboolean sleeping);
void muster_sleep_compare_clocks (MusterSleep *self);

G_END_DECLS
