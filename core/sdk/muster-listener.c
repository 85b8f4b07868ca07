/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-sink-host.h"

/**
 * MusterListener:
 *
 * The base class of what serves others; see #MusterListenerClass.
 */

typedef struct {
  char *name;
  MusterPluginContext *context; /* borrowed: it outlives its listeners */
} MusterListenerPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (MusterListener, muster_listener, G_TYPE_OBJECT)

#define PRIV(self) ((MusterListenerPrivate *) muster_listener_get_instance_private (self))

static void
muster_listener_finalize (GObject *object)
{
  g_free (PRIV (MUSTER_LISTENER (object))->name);

  G_OBJECT_CLASS (muster_listener_parent_class)->finalize (object);
}

static void
muster_listener_class_init (MusterListenerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = muster_listener_finalize;
}

static void
muster_listener_init (MusterListener *self)
{
}

/**
 * muster_listener_get_name:
 * @self: a listener
 *
 * Returns: (transfer none): its name, as its #MusterKind says
 */
const char *
muster_listener_get_name (MusterListener *self)
{
  g_return_val_if_fail (MUSTER_IS_LISTENER (self), NULL);

  return PRIV (self)->name;
}

/**
 * muster_listener_get_context:
 * @self: a listener
 *
 * Returns: (nullable) (transfer none): the plugin's context, if its plugin has one
 */
MusterPluginContext *
muster_listener_get_context (MusterListener *self)
{
  g_return_val_if_fail (MUSTER_IS_LISTENER (self), NULL);

  return PRIV (self)->context;
}

MusterListener *
muster_listener_new (GType type, const char *name, MusterPluginContext *context)
{
  MusterListener *self;

  g_return_val_if_fail (g_type_is_a (type, MUSTER_TYPE_LISTENER), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  self = g_object_new (type, NULL);
  PRIV (self)->name = g_strdup (name);
  PRIV (self)->context = context;

  return self;
}

gboolean
muster_listener_start (MusterListener *self, GError **error)
{
  MusterListenerClass *klass;
  gboolean started;
  guint64 outer;

  g_return_val_if_fail (MUSTER_IS_LISTENER (self), FALSE);

  klass = MUSTER_LISTENER_GET_CLASS (self);
  if (klass->start == NULL || klass->stop == NULL) {
    g_set_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID, "listener %s cannot be run",
                 PRIV (self)->name);
    return FALSE;
  }

  outer = muster_execution_mark ((gconstpointer) klass->start);
  started = klass->start (self, error);
  muster_execution_unmark (outer);

  return started;
}

void
muster_listener_stop (MusterListener *self)
{
  MusterListenerClass *klass;
  guint64 outer;

  g_return_if_fail (MUSTER_IS_LISTENER (self));

  klass = MUSTER_LISTENER_GET_CLASS (self);
  outer = muster_execution_mark ((gconstpointer) klass->stop);
  klass->stop (self);
  muster_execution_unmark (outer);
}
