/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MusterEvent:
 *
 * A fact about an account or the daemon. `doc/events.md` lists the types and what each carries. It
 * does not change and may be kept; its reference count may be used on the main thread only.
 */
#define MUSTER_TYPE_EVENT (muster_event_get_type ())
MUSTER_API GType muster_event_get_type (void);

MUSTER_API MusterEvent *muster_event_new (guint64 id,
                                          gint64 time_us,
                                          const char *type,
                                          const char *account,
                                          GVariant *payload);
MUSTER_API MusterEvent *muster_event_ref (MusterEvent *self);
MUSTER_API void muster_event_unref (MusterEvent *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterEvent, muster_event_unref)

MUSTER_API guint64 muster_event_get_id (const MusterEvent *self);
MUSTER_API gint64 muster_event_get_time_us (const MusterEvent *self);
MUSTER_API const char *muster_event_get_type_name (const MusterEvent *self);
MUSTER_API const char *muster_event_get_account (const MusterEvent *self);
MUSTER_API GVariant *muster_event_get_payload (const MusterEvent *self);

/* Before a fact is made: may it be? */
MUSTER_API void muster_event_gate_async (MusterEvent *self,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
MUSTER_API gboolean muster_event_gate_finish (GAsyncResult *result, GError **error);

G_END_DECLS
