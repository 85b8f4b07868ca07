/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sink-host.h"

G_BEGIN_DECLS

/**
 * MusterGate:
 *
 * Asks the gating sinks before a fact is made. While it is there, it answers
 * muster_event_gate_async() for the whole process.
 */
typedef struct _MusterGate MusterGate;

MusterGate *muster_gate_new (GPtrArray *sinks); /* of MusterSink, lent */
void muster_gate_free (MusterGate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterGate, muster_gate_free)

/* Whether anybody wants to be asked about facts of @type. */
gboolean muster_gate_has (MusterGate *self, const char *type);

G_END_DECLS
