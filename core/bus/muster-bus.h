/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "broker/muster-broker.h"
#include "secrets/muster-key-source.h"

G_BEGIN_DECLS

/**
 * MusterBus:
 *
 * The broker's faces on the session bus: says what is, passes on what is asked, decides nothing.
 * data/dbus/ is its specification.
 */
typedef struct _MusterBus MusterBus;

/* @key: lent until muster_bus_free(); @on_name: whether the well-known name is ours; FALSE: another daemon has it, or the bus is gone */
MusterBus *muster_bus_new (GDBusConnection *connection,
                           MusterBroker *broker,
                           MusterEventBus *events,
                           MusterKeySource *key,
                           void (*on_name) (gboolean owned, gpointer data),
                           gpointer data);
void muster_bus_free (MusterBus *self);

/* The key source changed. */
void muster_bus_tell_key (MusterBus *self);

/* Asks for the name. After muster_broker_start(). */
void muster_bus_own_name (MusterBus *self);

G_END_DECLS
