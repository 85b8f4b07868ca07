/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-event-bus.h"
#include "muster-sink-host.h"

G_BEGIN_DECLS

/**
 * MusterOutbox:
 *
 * Brings events to the sinks, each at least once: what the bus is to keep is written down for every
 * sink that wants it, in the transaction of the change that it tells of, and forgotten when the sink has
 * it. Events of one account come in order, one at a time; accounts do not wait for each other.
 */
typedef struct _MusterOutbox MusterOutbox;

#define MUSTER_OUTBOX_MAX_EVENTS 100000

/* @sinks: of MusterSink, lent, as are the others; @max_events that may wait for a sink. Becomes the
 * route of @bus. Goes on with what an earlier run has left. */
MusterOutbox *muster_outbox_new (MusterStore *store,
                                 MusterEventBus *bus,
                                 GPtrArray *sinks,
                                 guint max_events,
                                 GError **error);
/* Before the sinks are stopped and the bus is freed. */
void muster_outbox_free (MusterOutbox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterOutbox, muster_outbox_free)

/* How many events @sink does not have yet. */
guint muster_outbox_count (MusterOutbox *self, const char *sink);

G_END_DECLS
