/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MusterLease:
 * @lease_s: for how long the service keeps the registration, in seconds; 0: until it is lost
 * @refresh_after_s: refresh no later than this, in seconds; 0: the broker's own rule
 * @keepalive_s: how often the plugin keeps the path open, in seconds; 0: not at all. For display
 * @refreshed: the service extended what it had, instead of making it afresh
 * @bindings: (array zero-terminated=1): where the service now reaches us, as it names the places
 *   (a SIP contact URI, a full JID); never %NULL
 *
 * What a service granted.
 */
struct _MusterLease {
  guint lease_s;
  guint refresh_after_s;
  guint keepalive_s;
  gboolean refreshed;
  GStrv bindings;
};

#define MUSTER_TYPE_LEASE (muster_lease_get_type ())
MUSTER_API GType muster_lease_get_type (void);

MUSTER_API MusterLease *muster_lease_new (guint lease_s, const char *const *bindings);
MUSTER_API MusterLease *muster_lease_copy (const MusterLease *self);
MUSTER_API void muster_lease_free (MusterLease *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterLease, muster_lease_free)

G_END_DECLS
