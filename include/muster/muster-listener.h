/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-error.h>

G_BEGIN_DECLS

#define MUSTER_TYPE_LISTENER (muster_listener_get_type ())
MUSTER_API GType muster_listener_get_type (void);
G_DECLARE_DERIVABLE_TYPE (MusterListener, muster_listener, MUSTER, LISTENER, GObject)

/**
 * MusterListenerClass:
 * @start: begins to serve, once, after the plugin's context was started; %FALSE with an error of the
 *   %MUSTER_ERROR domain leaves the plugin listed as failed, with that reason
 * @stop: ends it at once, before the plugin's context is stopped
 *
 * Serves others: a registrar, a gateway. There is one object of each listener. Both calls come on
 * the main context and must not block; its sockets hang on the hub (muster_hub_add_fd()). Before it
 * acts on what others ask, it asks the gating sinks: muster_event_gate_async().
 */
struct _MusterListenerClass {
  GObjectClass parent_class;

  gboolean (*start) (MusterListener *self, GError **error);
  void (*stop) (MusterListener *self);

  /*< private >*/
  gpointer padding[16];
};

MUSTER_API const char *muster_listener_get_name (MusterListener *self);
MUSTER_API MusterPluginContext *muster_listener_get_context (MusterListener *self);

G_END_DECLS
