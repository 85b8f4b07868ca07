/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterEvents"

#include "config.h"

#include "muster-event-bus.h"

#include <muster/muster-hub.h>

typedef struct {
  guint id;
  MusterEventFunc func; /* NULL: unsubscribed while an event is told */
  gpointer user_data;
} Subscriber;

struct _MusterEventBus {
  MusterStore *store;
  GArray *subscribers;
  guint last_id;
  guint telling;              /* depth */
  MusterEventRouteFunc route; /* or NULL */
  gpointer route_data;
};

MusterEventBus *
muster_event_bus_new (MusterStore *store)
{
  MusterEventBus *self = g_new0 (MusterEventBus, 1);

  self->store = store != NULL ? g_object_ref (store) : NULL;
  self->subscribers = g_array_new (FALSE, TRUE, sizeof (Subscriber));

  return self;
}

void
muster_event_bus_free (MusterEventBus *self)
{
  if (self == NULL)
    return;

  g_clear_object (&self->store);
  g_array_unref (self->subscribers);
  g_free (self);
}

void
muster_event_bus_set_route (MusterEventBus *self, MusterEventRouteFunc func, gpointer user_data)
{
  self->route = func;
  self->route_data = user_data;
}

GStrv
muster_event_bus_dup_sinks (MusterEventBus *self, const char *type)
{
  return self->route != NULL ? self->route (type, self->route_data) : NULL;
}

guint
muster_event_bus_subscribe (MusterEventBus *self, MusterEventFunc func, gpointer user_data)
{
  Subscriber subscriber = { ++self->last_id, func, user_data };

  g_array_append_val (self->subscribers, subscriber);
  return subscriber.id;
}

void
muster_event_bus_unsubscribe (MusterEventBus *self, guint id)
{
  for (guint i = 0; i < self->subscribers->len; i++) {
    Subscriber *subscriber = &g_array_index (self->subscribers, Subscriber, i);

    if (subscriber->id != id)
      continue;
    if (self->telling > 0)
      subscriber->func = NULL;
    else
      g_array_remove_index (self->subscribers, i);
    return;
  }
}

void
muster_event_bus_emit (MusterEventBus *self,
                       const char *type,
                       const char *account,
                       GVariant *payload,
                       gboolean keep)
{
  g_autoptr (GVariant) held = g_variant_ref_sink (payload);
  gint64 time_us = muster_clock_wall_us ();

  if (keep && self->store != NULL) {
    g_auto (GStrv) sinks = muster_event_bus_dup_sinks (self, type);
    MusterEventRecord record = {
      .sinks = sinks,
      .time_us = time_us,
      .type = (char *) type,
      .account = (char *) account,
      .payload = held,
    };

    muster_store_append_event (self->store, &record);
  }

  self->telling++;
  for (guint i = 0; i < self->subscribers->len; i++) {
    Subscriber *subscriber = &g_array_index (self->subscribers, Subscriber, i);

    if (subscriber->func != NULL)
      subscriber->func (time_us, type, account, held, subscriber->user_data);
  }
  self->telling--;

  for (guint i = self->subscribers->len; self->telling == 0 && i > 0; i--) {
    if (g_array_index (self->subscribers, Subscriber, i - 1).func == NULL)
      g_array_remove_index (self->subscribers, i - 1);
  }
}
