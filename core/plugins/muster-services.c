/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterPlugins"

#include "config.h"

#include "muster-services.h"

typedef struct {
  MusterModule *module; /* lent */
  MusterListener *listener;
} Waiting;

struct _MusterServices {
  GPtrArray *sinks;     /* MusterSink: they run */
  GPtrArray *listeners; /* MusterListener: they run */
  GArray *waiting;      /* Waiting: to be started by listen */
};

static void
waiting_clear (gpointer data)
{
  g_object_unref (((Waiting *) data)->listener);
}

static gboolean
has_services (const MusterPluginInfo *info)
{
  for (guint i = 0; info != NULL && info->kinds[i] != NULL; i++) {
    if (info->kinds[i]->type != MUSTER_KIND_PROTOCOL)
      return TRUE;
  }

  return FALSE;
}

static void
fail (MusterModule *module, const char *name, const GError *error)
{
  g_autofree char *reason = NULL;

  reason = g_strdup_printf ("%s did not start: %s", name,
                            error != NULL ? error->message : "it did not say why");
  muster_module_fail (module, reason);
}

/* Takes those sinks back that the module has already: it works as a whole or not at all. */
static void
muster_services_add (MusterServices *self, MusterModule *module)
{
  const MusterPluginInfo *info = muster_module_get_info (module);
  MusterPluginContext *context = muster_module_get_context (module);
  guint n_sinks = self->sinks->len;
  guint n_waiting = self->waiting->len;

  for (guint i = 0; info->kinds[i] != NULL; i++) {
    const MusterKind *kind = info->kinds[i];
    g_autoptr (GError) error = NULL;

    if (kind->type == MUSTER_KIND_LISTENER) {
      Waiting waiting = { module, muster_listener_new (kind->get_type (), kind->name, context) };

      g_array_append_val (self->waiting, waiting);
    } else if (kind->type == MUSTER_KIND_SINK) {
      MusterSink *sink = muster_sink_new (kind->get_type (), kind->name, context);

      if (muster_sink_start (sink, &error)) {
        g_ptr_array_add (self->sinks, sink);
        continue;
      }
      g_object_unref (sink);
      for (; self->sinks->len > n_sinks; g_ptr_array_set_size (self->sinks, self->sinks->len - 1))
        muster_sink_stop (self->sinks->pdata[self->sinks->len - 1]);
      g_array_set_size (self->waiting, n_waiting);
      fail (module, kind->name, error);
      return;
    }
  }
}

MusterServices *
muster_services_new (MusterPluginRegistry *registry)
{
  MusterServices *self = g_new0 (MusterServices, 1);
  GPtrArray *modules = muster_plugin_registry_get_modules (registry);

  self->sinks = g_ptr_array_new_with_free_func (g_object_unref);
  self->listeners = g_ptr_array_new_with_free_func (g_object_unref);
  self->waiting = g_array_new (FALSE, FALSE, sizeof (Waiting));
  g_array_set_clear_func (self->waiting, waiting_clear);

  for (guint i = 0; i < modules->len; i++) {
    if (has_services (muster_module_get_info (modules->pdata[i])) &&
        muster_module_start (modules->pdata[i], NULL))
      muster_services_add (self, modules->pdata[i]);
  }

  return self;
}

/* By now accounts may be on this plugin, so a listener that cannot run does not take it with it. */
void
muster_services_listen (MusterServices *self)
{
  for (guint i = 0; i < self->waiting->len; i++) {
    Waiting *waiting = &g_array_index (self->waiting, Waiting, i);
    g_autoptr (GError) error = NULL;

    if (muster_listener_start (waiting->listener, &error))
      g_ptr_array_add (self->listeners, g_object_ref (waiting->listener));
    else
      g_warning ("listener %s of plugin %s does not run: %s",
                 muster_listener_get_name (waiting->listener),
                 muster_module_get_name (waiting->module),
                 error != NULL ? error->message : "it did not say why");
  }
  g_array_set_size (self->waiting, 0);
}

void
muster_services_free (MusterServices *self)
{
  if (self == NULL)
    return;

  for (guint i = 0; i < self->listeners->len; i++)
    muster_listener_stop (self->listeners->pdata[i]);
  for (guint i = 0; i < self->sinks->len; i++)
    muster_sink_stop (self->sinks->pdata[i]);
  g_ptr_array_unref (self->listeners);
  g_ptr_array_unref (self->sinks);
  g_array_unref (self->waiting);
  g_free (self);
}

GPtrArray *
muster_services_get_sinks (MusterServices *self)
{
  return self->sinks;
}

GPtrArray *
muster_services_get_listeners (MusterServices *self)
{
  return self->listeners;
}
