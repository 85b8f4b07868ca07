/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-registration-host.h"

/**
 * MusterPluginContext:
 *
 * What the accounts of one plugin share; see #MusterPluginContextClass.
 */

G_DEFINE_ABSTRACT_TYPE (MusterPluginContext, muster_plugin_context, G_TYPE_OBJECT)

static gboolean
muster_plugin_context_real_start (MusterPluginContext *self, GError **error)
{
  return TRUE;
}

static void
muster_plugin_context_real_stop (MusterPluginContext *self)
{
}

static void
muster_plugin_context_class_init (MusterPluginContextClass *klass)
{
  klass->start = muster_plugin_context_real_start;
  klass->stop = muster_plugin_context_real_stop;
}

static void
muster_plugin_context_init (MusterPluginContext *self)
{
}

gboolean
muster_plugin_context_start (MusterPluginContext *self, GError **error)
{
  MusterPluginContextClass *klass;
  guint64 outer;
  gboolean started;

  g_return_val_if_fail (MUSTER_IS_PLUGIN_CONTEXT (self), FALSE);

  klass = MUSTER_PLUGIN_CONTEXT_GET_CLASS (self);
  outer = muster_execution_mark ((gconstpointer) klass->start);
  started = klass->start (self, error);
  muster_execution_unmark (outer);

  return started;
}

void
muster_plugin_context_stop (MusterPluginContext *self)
{
  MusterPluginContextClass *klass;
  guint64 outer;

  g_return_if_fail (MUSTER_IS_PLUGIN_CONTEXT (self));

  klass = MUSTER_PLUGIN_CONTEXT_GET_CLASS (self);
  outer = muster_execution_mark ((gconstpointer) klass->stop);
  klass->stop (self);
  muster_execution_unmark (outer);
}
