/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-plugin-registry.h"
#include "muster-sink-host.h"

G_BEGIN_DECLS

/**
 * MusterServices:
 *
 * The sinks and listeners of all plugins, one object of each. Those of a plugin that does not start are
 * not here; the plugin is listed with the reason.
 */
typedef struct _MusterServices MusterServices;

/* Starts those modules that have sinks or listeners, then the sinks. Before accounts are loaded. */
MusterServices *muster_services_new (MusterPluginRegistry *registry);

/* Starts the listeners: when what they serve is there. */
void muster_services_listen (MusterServices *self);

/* Stops all of them; before the modules are freed. */
void muster_services_free (MusterServices *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterServices, muster_services_free)

GPtrArray *muster_services_get_sinks (MusterServices *self);     /* of MusterSink */
GPtrArray *muster_services_get_listeners (MusterServices *self); /* of MusterListener that run */

G_END_DECLS
