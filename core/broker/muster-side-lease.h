/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-registration-host.h"

G_BEGIN_DECLS

/**
 * MusterSideLeases:
 *
 * What hangs on one account's registration and is renewed by the broker: publications, subscriptions,
 * tokens. While it runs each is renewed at its moment; a renewal that fails in passing is tried again
 * inside what is left.
 */
typedef struct _MusterSideLeases MusterSideLeases;

typedef struct {
  guint (*get_retry_floor_s) (gpointer host);
  /* It is over, and not here any more. */
  void (*lapsed) (gpointer host, const char *name, const GError *error);
} MusterSideLeaseHost;

/* @id is lent. */
MusterSideLeases *
muster_side_leases_new (const char *id, const MusterSideLeaseHost *host, gpointer host_data);
void muster_side_leases_free (MusterSideLeases *self); /* as clear, then frees */

/* Adds or replaces one; @lease NULL: nothing is granted yet. */
void muster_side_leases_add (MusterSideLeases *self,
                             MusterRegistration *registration,
                             const char *name,
                             const MusterLease *lease);
void muster_side_leases_remove (MusterSideLeases *self, const char *name);

/* Whether the registration stands. What falls due while it does not waits for it, and lapses at its
 * end. */
void muster_side_leases_set_running (MusterSideLeases *self, gboolean running);

/* Forgets all; what is under way is cancelled. Nobody is told. */
void muster_side_leases_clear (MusterSideLeases *self);

guint muster_side_leases_count (MusterSideLeases *self);
/* When @name is renewed next, on the boot clock; 0: not by time. */
gint64 muster_side_leases_get_due_us (MusterSideLeases *self, const char *name);

G_END_DECLS
