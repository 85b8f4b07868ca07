/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-behind.h"

#include "muster-store-outbox.h"
#include "muster-store-plugin.h"

typedef enum {
  BEHIND_ACK,
  BEHIND_DROP,
  BEHIND_PUT,
  BEHIND_DELETE,
  BEHIND_SWEEP,
} BehindKind;

struct _MusterStoreBehind {
  BehindKind kind;
  char *sink;
  gint64 number; /* a number of an event, a number of events, a time */
  MusterPluginRecord *record;
};

static MusterStoreBehind *
muster_store_behind_new (BehindKind kind, const char *sink, gint64 number)
{
  MusterStoreBehind *self = g_new0 (MusterStoreBehind, 1);

  self->kind = kind;
  self->sink = g_strdup (sink);
  self->number = number;

  return self;
}

MusterStoreBehind *
muster_store_behind_new_ack (const char *sink, gint64 seq)
{
  return muster_store_behind_new (BEHIND_ACK, sink, seq);
}

MusterStoreBehind *
muster_store_behind_new_drop (const char *sink, guint n_events)
{
  return muster_store_behind_new (BEHIND_DROP, sink, n_events);
}

MusterStoreBehind *
muster_store_behind_new_put (MusterPluginRecord *record)
{
  MusterStoreBehind *self = muster_store_behind_new (BEHIND_PUT, NULL, 0);

  self->record = record;

  return self;
}

MusterStoreBehind *
muster_store_behind_new_delete (const char *plugin, const char *name_space, const char *key)
{
  MusterStoreBehind *self = muster_store_behind_new (BEHIND_DELETE, NULL, 0);

  self->record = g_new0 (MusterPluginRecord, 1);
  self->record->plugin = g_strdup (plugin);
  self->record->name_space = g_strdup (name_space);
  self->record->key = g_strdup (key);

  return self;
}

MusterStoreBehind *
muster_store_behind_new_sweep (gint64 now_us)
{
  return muster_store_behind_new (BEHIND_SWEEP, NULL, now_us);
}

void
muster_store_behind_free (MusterStoreBehind *self)
{
  g_clear_pointer (&self->record, muster_plugin_record_free);
  g_free (self->sink);
  g_free (self);
}

gsize
muster_store_behind_get_size (const MusterStoreBehind *self)
{
  gsize n_bytes = sizeof *self;

  if (self->record != NULL && self->record->blob != NULL)
    n_bytes += g_bytes_get_size (self->record->blob);

  return n_bytes;
}

gboolean
muster_store_behind_apply (const MusterStoreBehind *self,
                           MusterStoreDatabase *database,
                           GError **error)
{
  switch (self->kind) {
  case BEHIND_ACK:
    return muster_store_outbox_remove (database, self->sink, self->number, error);
  case BEHIND_DROP:
    return muster_store_outbox_remove_oldest (database, self->sink, self->number, error);
  case BEHIND_PUT:
    return muster_store_plugin_put (database, self->record, error);
  case BEHIND_DELETE:
    return muster_store_plugin_delete (database, self->record->plugin, self->record->name_space,
                                       self->record->key, error);
  case BEHIND_SWEEP:
    return muster_store_plugin_sweep (database, self->number, error);
  }

  g_assert_not_reached ();
}
