/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-plugin-context-private.h"
#include "muster-registration-host.h"

/**
 * MusterPluginContext:
 *
 * What the accounts of one plugin share; see #MusterPluginContextClass.
 */

typedef struct {
  MusterContextRecords records;
} MusterPluginContextPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (MusterPluginContext, muster_plugin_context, G_TYPE_OBJECT)

#define PRIV(self)                                                                                 \
  ((MusterPluginContextPrivate *) muster_plugin_context_get_instance_private (self))

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

const MusterContextRecords *
muster_plugin_context_get_records (MusterPluginContext *self)
{
  return &PRIV (self)->records;
}

void
muster_plugin_context_set_record_host (MusterPluginContext *self,
                                       const char *plugin,
                                       const MusterRecordHost *host,
                                       gpointer host_data)
{
  g_return_if_fail (MUSTER_IS_PLUGIN_CONTEXT (self));

  PRIV (self)->records = (MusterContextRecords){ plugin, host, host_data };
}
