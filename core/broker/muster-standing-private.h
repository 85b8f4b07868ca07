/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-standing*.c alone. */

#pragma once

#include "muster-side-lease.h"
#include "muster-standing.h"

#include <muster/muster-hub.h>

G_BEGIN_DECLS

typedef enum {
  STEP_IDLE,
  STEP_RESUME,
  STEP_ADMISSION,
  STEP_OPEN,
  STEP_GATE,
  STEP_CLOSE,
} OperationStep;

struct _MusterStanding {
  MusterStandingView view;
  const char *id;
  const MusterStandingHost *host; /* NULL: it goes when the operation ends */
  gpointer host_data;

  /* of the operation */
  MusterRegistration *registration; /* NULL until the first attempt, and after a repointing */
  OperationStep step;
  GCancellable *operation; /* non-NULL while step is OPEN, GATE or CLOSE */
  MusterTimer deadline;    /* of OPEN and CLOSE */
  GError *overruled;       /* what a granted attempt came to: lost at GATE, denied: while CLOSE */
  gboolean moved_on;       /* the state changed under the operation: its end enters the new one */
  gboolean resumed;        /* what an earlier run left has been looked for */
  gboolean repointed;      /* make a new registration before the next attempt */
  gboolean new_secret; /* since the operation began: what it says of the secret is about the old */
  gboolean unsure;     /* an attempt was cut off: the service may hold something */

  /* of the state */
  MusterAccountFact why;    /* the fact that led into it */
  const char *news;         /* the event of the fact that is being posted */
  gboolean serves;          /* its capabilities can be used */
  gboolean told;            /* others heard that it was created, and not yet that it ended */
  gint64 expired_us;        /* boot clock: when the service last said EXPIRED */
  MusterTimer due;          /* the next attempt or refresh, by state */
  MusterSideLeases *leases; /* NULL until there was one */

  /* of the lease */
  gint64 lease_end_us; /* boot clock; 0: no lease, G_MAXINT64: holds until lost */
  gint64 refresh_us;   /* boot clock; 0: not by itself */
  MusterTimer lease_end;
};

/* muster-standing-operation.c */
void muster_standing_init_operation (MusterStanding *self);
void muster_standing_attempt (MusterStanding *self);
void muster_standing_close (MusterStanding *self);
gboolean muster_standing_interrupt (MusterStanding *self); /* TRUE: nothing is under way now */
void muster_standing_drop_registration (MusterStanding *self);

/* muster-standing.c: what an operation comes to */
void muster_standing_take_lease (MusterStanding *self, const MusterLease *lease);
void muster_standing_opened (MusterStanding *self);
void muster_standing_failed (MusterStanding *self, const GError *error);
void muster_standing_catch_up (MusterStanding *self); /* enters what the state moved on to */
void muster_standing_destroy (MusterStanding *self);  /* when nobody hosts it any longer */

/* muster-standing.c: what it reads and changes on its way */
void muster_standing_clear_lease (MusterStanding *self);
gint64 muster_standing_get_lease_left_ms (MusterStanding *self);
void muster_standing_clear_side_leases (MusterStanding *self);
void muster_standing_reset_reason (MusterStanding *self);
/* Returns: (transfer floating): the payload of an event, were the state that one */
GVariant *
muster_standing_describe (MusterStanding *self, MusterAccountState state, const char *reason);

G_END_DECLS
