/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterClock"

#include "config.h"

#include "muster-hub-private.h"
#include "muster-wheel.h"

#include <time.h>

/* The one place that reads a clock. Real time comes from the kernel; virtual time stands still until
 * a test advances it, and the timers that fall due on the way run inside that call. */

/* So many batches of timers at one virtual instant are no chain of facts but an endless one. */
#define MAX_BATCHES_PER_INSTANT 1000000

#define MAX_GAP_US 10000

static struct {
  gboolean is_virtual;
  gboolean is_advancing;
  gint64 now_us;
  gint64 wall_ahead_us; /* of now_us */
  gint64 suspended_us;
} virtual_clock;

static gint64
read_us (clockid_t id)
{
  struct timespec now;

  clock_gettime (id, &now); /* cannot fail: the kernel has had both clocks since 2.6.39 */

  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/**
 * muster_clock_now_us:
 *
 * Reads the clock that leases, deadlines and timers count on. It goes on while the machine is
 * suspended and never jumps.
 *
 * Returns: microseconds since the machine was started
 */
gint64
muster_clock_now_us (void)
{
  return virtual_clock.is_virtual ? virtual_clock.now_us : read_us (CLOCK_BOOTTIME);
}

/**
 * muster_clock_wall_us:
 *
 * Reads the clock that people and the store see. It jumps when somebody sets it, so nothing may
 * wait by it.
 *
 * Returns: microseconds since 1970, UTC
 */
gint64
muster_clock_wall_us (void)
{
  return virtual_clock.is_virtual ? virtual_clock.now_us + virtual_clock.wall_ahead_us
                                  : read_us (CLOCK_REALTIME);
}

/**
 * muster_clock_suspended_us:
 *
 * For how long the machine has been suspended since it was started: it grows by each suspend, whether
 * somebody announced it or not. What hangs on another clock than muster_clock_now_us() finds out that it
 * is late.
 *
 * Returns: microseconds
 */
gint64
muster_clock_suspended_us (void)
{
  gint64 before_us;
  gint64 boot_us;
  gint64 after_us;

  if (virtual_clock.is_virtual)
    return virtual_clock.suspended_us;

  do { /* not with a gap between the two clocks, in which others ran */
    before_us = read_us (CLOCK_MONOTONIC);
    boot_us = read_us (CLOCK_BOOTTIME);
    after_us = read_us (CLOCK_MONOTONIC);
  } while (after_us - before_us > MAX_GAP_US);

  return boot_us - before_us;
}

gint64
muster_clock_turn_us (void)
{
  return read_us (CLOCK_MONOTONIC);
}

gboolean
muster_clock_is_virtual (void)
{
  return virtual_clock.is_virtual;
}

void
muster_clock_use_virtual (gint64 now_us, gint64 wall_us)
{
  g_return_if_fail (now_us >= 0);
  g_return_if_fail (muster_wheel_is_empty ());
  g_return_if_fail (!virtual_clock.is_advancing);

  virtual_clock.is_virtual = TRUE;
  virtual_clock.now_us = now_us;
  virtual_clock.wall_ahead_us = wall_us - now_us;
  virtual_clock.suspended_us = 0;
  muster_wheel_reset (now_us);
}

void
muster_clock_advance_us (gint64 by_us)
{
  gint64 target_us;
  guint n_batches = 0;

  g_return_if_fail (virtual_clock.is_virtual);
  g_return_if_fail (!virtual_clock.is_advancing);
  g_return_if_fail (by_us >= 0 && by_us <= G_MAXINT64 - virtual_clock.now_us);

  virtual_clock.is_advancing = TRUE;
  target_us = virtual_clock.now_us + by_us;

  while (muster_wheel_is_pending () || muster_wheel_wake_us () <= target_us) {
    if (!muster_wheel_is_pending () && muster_wheel_wake_us () > virtual_clock.now_us) {
      virtual_clock.now_us = muster_wheel_wake_us ();
      n_batches = 0;
    }

    if (++n_batches > MAX_BATCHES_PER_INSTANT)
      g_error ("a timer arms itself again and again without letting time pass");

    muster_wheel_run (virtual_clock.now_us, G_MAXINT64);
  }

  virtual_clock.now_us = target_us;
  virtual_clock.is_advancing = FALSE;
}

void
muster_clock_suspend_us (gint64 by_us)
{
  g_return_if_fail (virtual_clock.is_virtual);
  g_return_if_fail (!virtual_clock.is_advancing);
  g_return_if_fail (by_us >= 0 && by_us <= G_MAXINT64 - virtual_clock.now_us);

  virtual_clock.now_us += by_us;
  virtual_clock.suspended_us += by_us;
  muster_clock_advance_us (0);
}

gint64
muster_clock_next_due_us (void)
{
  return muster_wheel_is_pending () ? muster_clock_now_us () : muster_wheel_next_due_us ();
}

gboolean
muster_clock_is_idle (void)
{
  return muster_wheel_is_empty ();
}

void
muster_clock_step_wall_us (gint64 by_us)
{
  g_return_if_fail (virtual_clock.is_virtual);

  virtual_clock.wall_ahead_us += by_us;
}
