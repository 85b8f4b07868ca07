/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-records.h"

/* The life of the plain structs that go in and out of the store. */

MusterIdentityRecord *
muster_identity_record_copy (const MusterIdentityRecord *self)
{
  MusterIdentityRecord *copy = g_new0 (MusterIdentityRecord, 1);

  copy->id = g_strdup (self->id);
  copy->name = g_strdup (self->name);
  copy->created_us = self->created_us;
  copy->modified_us = self->modified_us;

  return copy;
}

void
muster_identity_record_free (MusterIdentityRecord *self)
{
  g_free (self->id);
  g_free (self->name);
  g_free (self);
}

MusterAccountRecord *
muster_account_record_copy (const MusterAccountRecord *self)
{
  MusterAccountRecord *copy = g_new0 (MusterAccountRecord, 1);

  copy->id = g_strdup (self->id);
  copy->identity = g_strdup (self->identity);
  copy->protocol = g_strdup (self->protocol);
  copy->address = g_strdup (self->address);
  copy->name = g_strdup (self->name);
  copy->enabled = self->enabled;
  copy->params = self->params != NULL ? g_variant_ref (self->params) : NULL;
  copy->created_us = self->created_us;
  copy->modified_us = self->modified_us;

  return copy;
}

void
muster_account_record_free (MusterAccountRecord *self)
{
  g_free (self->id);
  g_free (self->identity);
  g_free (self->protocol);
  g_free (self->address);
  g_free (self->name);
  g_clear_pointer (&self->params, g_variant_unref);
  g_free (self);
}

MusterRuntimeRecord *
muster_runtime_record_copy (const MusterRuntimeRecord *self)
{
  MusterRuntimeRecord *copy = g_new0 (MusterRuntimeRecord, 1);

  *copy = *self;
  copy->account = g_strdup (self->account);
  copy->state = g_strdup (self->state);

  return copy;
}

void
muster_runtime_record_update (MusterRuntimeRecord *self, const MusterRuntimeRecord *from)
{
  MusterRuntimeRecord now = *from;

  now.account = self->account;
  now.state = self->state;
  if (!g_str_equal (from->state, self->state)) {
    g_free (self->state);
    now.state = g_strdup (from->state);
  }
  *self = now;
}

void
muster_runtime_record_free (MusterRuntimeRecord *self)
{
  g_free (self->account);
  g_free (self->state);
  g_free (self);
}

MusterEventRecord *
muster_event_record_copy (const MusterEventRecord *self)
{
  MusterEventRecord *copy = g_new0 (MusterEventRecord, 1);

  copy->seq = self->seq;
  copy->time_us = self->time_us;
  copy->type = g_strdup (self->type);
  copy->account = g_strdup (self->account);
  copy->payload = self->payload != NULL ? g_variant_ref (self->payload) : NULL;
  copy->sinks = g_strdupv (self->sinks);

  return copy;
}

void
muster_event_record_free (MusterEventRecord *self)
{
  g_strfreev (self->sinks);
  g_free (self->type);
  g_free (self->account);
  g_clear_pointer (&self->payload, g_variant_unref);
  g_free (self);
}

void
muster_quarantine_record_free (MusterQuarantineRecord *self)
{
  g_free (self->table);
  g_free (self->id);
  g_free (self->reason);
  g_free (self);
}

void
muster_sealed_name_free (MusterSealedName *self)
{
  if (self == NULL)
    return;

  g_free (self->account);
  g_bytes_unref (self->head);
  g_free (self->name);
  g_free (self);
}

void
muster_outbox_count_free (MusterOutboxCount *self)
{
  g_free (self->sink);
  g_free (self);
}

MusterPluginRecord *
muster_plugin_record_copy (const MusterPluginRecord *self)
{
  MusterPluginRecord *copy = g_new0 (MusterPluginRecord, 1);

  *copy = *self;
  copy->plugin = g_strdup (self->plugin);
  copy->name_space = g_strdup (self->name_space);
  copy->key = g_strdup (self->key);
  copy->account = g_strdup (self->account);
  copy->blob = self->blob != NULL ? g_bytes_ref (self->blob) : NULL;

  return copy;
}

void
muster_plugin_record_free (MusterPluginRecord *self)
{
  g_free (self->account);
  g_free (self->plugin);
  g_free (self->name_space);
  g_free (self->key);
  g_clear_pointer (&self->blob, g_bytes_unref);
  g_free (self);
}
