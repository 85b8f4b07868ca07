/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include <muster/muster-lease.h>

G_DEFINE_BOXED_TYPE (MusterLease, muster_lease, muster_lease_copy, muster_lease_free)

/**
 * muster_lease_new:
 * @lease_s: for how long, in seconds; 0: until it is lost
 * @bindings: (nullable) (array zero-terminated=1): where the service reaches us
 *
 * Returns: (transfer full): a lease; set the other fields by hand
 */
MusterLease *
muster_lease_new (guint lease_s, const char *const *bindings)
{
  MusterLease *self = g_new0 (MusterLease, 1);

  self->lease_s = lease_s;
  self->bindings = bindings != NULL ? g_strdupv ((GStrv) bindings) : g_new0 (char *, 1);

  return self;
}

/**
 * muster_lease_copy:
 * @self: a lease
 *
 * Returns: (transfer full): a copy
 */
MusterLease *
muster_lease_copy (const MusterLease *self)
{
  MusterLease *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  copy->bindings = g_strdupv (self->bindings);

  return copy;
}

/**
 * muster_lease_free:
 * @self: (transfer full) (nullable): a lease
 */
void
muster_lease_free (MusterLease *self)
{
  if (self == NULL)
    return;

  g_strfreev (self->bindings);
  g_free (self);
}
