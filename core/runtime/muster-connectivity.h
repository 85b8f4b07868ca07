/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-hub.h>

G_BEGIN_DECLS

/**
 * MusterConnectivitySink:
 *
 * Who is told what stands in the way of going on-line, and that every way that led to a service may
 * lead there no more.
 */
typedef struct {
  void (*set_offline) (gpointer sink, const char *reason, gboolean offline);
  void (*network_changed) (gpointer sink);
} MusterConnectivitySink;

/**
 * MusterConnectivity:
 *
 * Knows whether this machine has an address that others could answer to, and when it gets others.
 */
typedef struct _MusterConnectivity MusterConnectivity;

/* Tells at once if there is no network. Where the kernel does not say, there is taken to be one. */
MusterConnectivity *
muster_connectivity_new (const MusterConnectivitySink *sink, gpointer sink_data);
void muster_connectivity_free (MusterConnectivity *self);

G_END_DECLS
