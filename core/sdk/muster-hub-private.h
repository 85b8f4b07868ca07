/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: who owns the hub, and who tells it the time in tests. */

#pragma once

#include <muster/muster-hub.h>

G_BEGIN_DECLS

/* Attaches the hub to the default main context (once; the first use does it too). */
MUSTER_API void muster_hub_init (void);

typedef struct {
  guint64 n_turns;   /* of the main loop in which the hub had something to do */
  gint64 longest_us; /* the longest of them */
} MusterHubStats;

MUSTER_API void muster_hub_get_stats (MusterHubStats *stats);

/* For tests: from now on the clock stands at @now_us (and at @wall_us) until it is advanced. Call it
 * while no timer is armed, so at the start of every test; there is no way back to real time.
 *
 * Advancing runs every timer that falls due on the way, in order, each at its own time (rounded up
 * to 50 ms), inside the call; the wall clock moves along. A timer that is armed in the past runs in
 * the next advance, even one by 0, or in the next turn of the main loop, whichever comes first.
 * File descriptors, ready watches and other sources are served by the main loop only: a test whose
 * timers start work that needs the loop advances to muster_clock_next_due_us() and iterates, by
 * turns. */
MUSTER_API void muster_clock_use_virtual (gint64 now_us, gint64 wall_us);
MUSTER_API void muster_clock_advance_us (gint64 by_us);

/* For tests and the scheduler's own: when the next timer will run (now, if it is overdue), G_MAXINT64
 * if none is armed. */
MUSTER_API gint64 muster_clock_next_due_us (void);

/* For tests: whether no timer is armed. Unlike the above it touches no timer, so that it answers even
 * if one went without being cancelled. */
MUSTER_API gboolean muster_clock_is_idle (void);

/* For tests: time passes while the machine is suspended; the timers that fall due run when it wakes. */
MUSTER_API void muster_clock_suspend_us (gint64 by_us);

/* For tests: the wall clock steps, as when a user sets it; the boot clock does not. */
MUSTER_API void muster_clock_step_wall_us (gint64 by_us);

G_END_DECLS
