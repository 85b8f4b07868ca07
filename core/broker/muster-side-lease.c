/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSideLease"

#include "config.h"

#include "muster-side-lease.h"

#include "muster-schedule.h"

#include <muster/muster-hub.h>

/*
 *    added -> [until its moment] -> renew -> granted -.
 *                ^                    |               |
 *                |<-------------------|---------------'
 *                '-- failed in passing: inside what is left
 *                                     '-> refused, or run out: lapsed
 */

#define EXPIRED_AGAIN_US (60 * G_USEC_PER_SEC)

typedef struct {
  MusterSideLeases *set; /* NULL: forgotten, only its renewal is still under way */
  MusterRegistration *registration;
  char *name;
  GCancellable *renewal; /* while it is under way */
  gint64 end_us;         /* boot clock; 0: nothing granted, G_MAXINT64: holds until lost */
  gint64 due_us;         /* boot clock; 0: not by time */
  gint64 expired_us;     /* boot clock: when the service last said EXPIRED */
  guint n_failures;
  GError *error; /* the last */
  MusterTimer due;
  MusterTimer end;
  MusterTimer deadline;
} SideLease;

struct _MusterSideLeases {
  const char *id;
  const MusterSideLeaseHost *host;
  gpointer host_data;
  GHashTable *leases; /* name -> SideLease */
  gboolean running;
};

static void
side_lease_free (SideLease *lease)
{
  g_object_unref (lease->registration);
  g_clear_error (&lease->error);
  g_free (lease->name);
  g_free (lease);
}

/* Out of the table: what is under way is cancelled, and frees it when it ends. */
static void
side_lease_forget (gpointer data)
{
  SideLease *lease = data;

  lease->set = NULL;
  muster_timer_cancel (&lease->due);
  muster_timer_cancel (&lease->end);
  muster_timer_cancel (&lease->deadline);

  if (lease->renewal == NULL) {
    side_lease_free (lease);
  } else {
    g_autoptr (GCancellable) renewal = g_object_ref (lease->renewal);

    g_cancellable_cancel (renewal);
  }
}

static gint64
side_lease_left_ms (SideLease *lease)
{
  if (lease->end_us == 0 || lease->end_us == G_MAXINT64)
    return 0;

  return MAX ((lease->end_us - muster_clock_now_us ()) / 1000, 0);
}

/* lapsing */

static void
side_lease_lapse (SideLease *lease)
{
  MusterSideLeases *set = lease->set;
  g_autofree char *name = g_strdup (lease->name);
  g_autoptr (GError) error = g_steal_pointer (&lease->error);

  if (error == NULL)
    error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER,
                              "it ran out before it could be renewed");
  g_info ("%s: %s lapsed: %s", set->id, name, error->message);
  g_hash_table_remove (set->leases, name);
  set->host->lapsed (set->host_data, name, error);
}

static void
on_end (MusterTimer *timer, gpointer user_data)
{
  side_lease_lapse (user_data);
}

/* timing */

static void
side_lease_arm (SideLease *lease, gint64 delay_ms)
{
  lease->due_us = muster_clock_now_us () + delay_ms * 1000;
  if (lease->set->running)
    muster_timer_arm_at (&lease->due, lease->due_us);
}

static void
side_lease_take (SideLease *lease, const MusterLease *granted)
{
  lease->end_us = 0;
  lease->due_us = 0;
  muster_timer_cancel (&lease->due);
  muster_timer_cancel (&lease->end);

  if (granted == NULL) {
    side_lease_arm (lease, 0);
    return;
  }

  if (granted->lease_s == 0) {
    lease->end_us = G_MAXINT64;
    if (granted->refresh_after_s > 0)
      side_lease_arm (lease,
                      muster_schedule_refresh_ms (0, granted->refresh_after_s, g_random_double ()));
    return;
  }

  lease->end_us = muster_clock_now_us () + (gint64) granted->lease_s * G_USEC_PER_SEC;
  muster_timer_arm_at (&lease->end, lease->end_us);
  side_lease_arm (lease, muster_schedule_refresh_ms (granted->lease_s, granted->refresh_after_s,
                                                     g_random_double ()));
}

/* renewing */

/* Whether another try can help; else it is over. */
static gboolean
failed_in_passing (MusterError code)
{
  return code == MUSTER_ERROR_UNREACHABLE || code == MUSTER_ERROR_BUSY ||
         code == MUSTER_ERROR_PROTOCOL;
}

static void
side_lease_retry (SideLease *lease)
{
  MusterSideLeases *set = lease->set;
  gint64 left_ms = side_lease_left_ms (lease);
  gint64 delay_ms = muster_schedule_after_error_ms ((MusterError) lease->error->code,
                                                    lease->n_failures,
                                                    muster_error_get_retry_after_s (lease->error),
                                                    set->host->get_retry_floor_s (set->host_data),
                                                    g_random_double ());

  /* Without an end there is nothing to stay inside of. */
  if (lease->end_us != 0 && lease->end_us != G_MAXINT64)
    delay_ms = muster_schedule_refresh_retry_ms (left_ms, delay_ms,
                                                 muster_error_get_retry_after_s (lease->error) > 0);
  if (delay_ms != G_MAXINT64) /* no room for another: its end comes by itself */
    side_lease_arm (lease, delay_ms);
}

/* Takes @error. */
static void
side_lease_failed (SideLease *lease, GError *error)
{
  gint64 now_us = muster_clock_now_us ();
  MusterError code = (MusterError) error->code;

  g_clear_error (&lease->error);
  lease->error = error;
  lease->n_failures++;
  g_info ("%s: renewing %s failed: %s", lease->set->id, lease->name, error->message);

  if (code == MUSTER_ERROR_EXPIRED) {
    gboolean again = lease->expired_us != 0 && now_us - lease->expired_us < EXPIRED_AGAIN_US;

    lease->expired_us = now_us;
    if (!again) {
      side_lease_take (lease, NULL); /* what there was is gone */
      return;
    }
  }

  if (failed_in_passing (code))
    side_lease_retry (lease);
  else
    side_lease_lapse (lease);
}

static void
on_renewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  SideLease *lease = user_data;
  g_autoptr (MusterLease) granted = NULL;
  GError *error = NULL;

  granted = muster_registration_renew_lease_finish (MUSTER_REGISTRATION (source), result, &error);
  muster_timer_cancel (&lease->deadline);
  g_clear_object (&lease->renewal);

  if (lease->set == NULL) {
    g_clear_error (&error);
    side_lease_free (lease);
    return;
  }

  if (granted != NULL) {
    g_clear_error (&lease->error);
    lease->n_failures = 0;
    side_lease_take (lease, granted);
    return;
  }

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_clear_error (&error);
    error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER,
                              "the service did not answer in time");
  }
  side_lease_failed (lease, error);
}

static void
on_due (MusterTimer *timer, gpointer user_data)
{
  SideLease *lease = user_data;

  if (lease->renewal != NULL)
    return;

  lease->due_us = 0;
  lease->renewal = g_cancellable_new ();
  muster_timer_arm_in_ms (&lease->deadline,
                          muster_schedule_open_deadline_ms (side_lease_left_ms (lease)));
  muster_registration_renew_lease_async (lease->registration, lease->name, lease->renewal,
                                         on_renewed, lease);
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  SideLease *lease = user_data;
  g_autoptr (GCancellable) renewal = g_object_ref (lease->renewal);

  g_cancellable_cancel (renewal);
}

/* the set */

void
muster_side_leases_add (MusterSideLeases *self,
                        MusterRegistration *registration,
                        const char *name,
                        const MusterLease *granted)
{
  SideLease *lease = g_new0 (SideLease, 1);

  lease->set = self;
  lease->registration = g_object_ref (registration);
  lease->name = g_strdup (name);
  muster_timer_init (&lease->due, on_due, lease);
  muster_timer_init (&lease->end, on_end, lease);
  muster_timer_init (&lease->deadline, on_deadline, lease);
  g_hash_table_replace (self->leases, lease->name, lease); /* forgets the old one */
  side_lease_take (lease, granted);
}

void
muster_side_leases_remove (MusterSideLeases *self, const char *name)
{
  g_hash_table_remove (self->leases, name);
}

void
muster_side_leases_set_running (MusterSideLeases *self, gboolean running)
{
  GHashTableIter iter;
  gpointer value;

  if (self->running == running)
    return;

  self->running = running;
  g_hash_table_iter_init (&iter, self->leases);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    SideLease *lease = value;

    if (!running)
      muster_timer_cancel (&lease->due);
    else if (lease->due_us != 0)
      muster_timer_arm_at (&lease->due, lease->due_us);
  }
}

void
muster_side_leases_clear (MusterSideLeases *self)
{
  g_hash_table_remove_all (self->leases);
}

guint
muster_side_leases_count (MusterSideLeases *self)
{
  return g_hash_table_size (self->leases);
}

gint64
muster_side_leases_get_due_us (MusterSideLeases *self, const char *name)
{
  const SideLease *lease = g_hash_table_lookup (self->leases, name);

  return lease != NULL ? lease->due_us : 0;
}

MusterSideLeases *
muster_side_leases_new (const char *id, const MusterSideLeaseHost *host, gpointer host_data)
{
  MusterSideLeases *self = g_new0 (MusterSideLeases, 1);

  self->id = id;
  self->host = host;
  self->host_data = host_data;
  self->leases = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, side_lease_forget);

  return self;
}

void
muster_side_leases_free (MusterSideLeases *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->leases);
  g_free (self);
}
