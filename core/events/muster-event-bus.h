/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "store/muster-store.h"

G_BEGIN_DECLS

/**
 * MusterEventBus:
 *
 * Where facts about accounts are told. Whoever subscribes hears each one, in order, as it happens;
 * those to be kept go to the journal as well.
 */
typedef struct _MusterEventBus MusterEventBus;

/* @account may be ""; @payload is an a{sv}, lent. */
typedef void (*MusterEventFunc) (gint64 time_us,
                                 const char *type,
                                 const char *account,
                                 GVariant *payload,
                                 gpointer user_data);

MusterEventBus *muster_event_bus_new (MusterStore *store); /* NULL: without a journal */
void muster_event_bus_free (MusterEventBus *self);

/* Who is to have events of @type from the outbox: names of sinks (transfer full), NULL for nobody. */
typedef GStrv (*MusterEventRouteFunc) (const char *type, gpointer user_data);

/* One: the outbox. Asked once for each event that is put into the store, with it: of those that are kept
 * by the bus, of those in a change by whoever puts them there. */
void
muster_event_bus_set_route (MusterEventBus *self, MusterEventRouteFunc func, gpointer user_data);
GStrv muster_event_bus_dup_sinks (MusterEventBus *self, const char *type);

guint muster_event_bus_subscribe (MusterEventBus *self, MusterEventFunc func, gpointer user_data);
void muster_event_bus_unsubscribe (MusterEventBus *self, guint id);

/* Consumes @payload if it is floating. @keep: for the journal, too. */
void muster_event_bus_emit (MusterEventBus *self,
                            const char *type,
                            const char *account,
                            GVariant *payload,
                            gboolean keep);

G_END_DECLS
