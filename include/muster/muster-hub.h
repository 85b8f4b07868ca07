/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/* The clock. Everything that waits reads it here and nowhere else, so that tests can tell the time.
 *
 * `muster_clock_now_us()` counts through suspend (CLOCK_BOOTTIME) and never jumps: use it for
 * leases, deadlines and timers. `muster_clock_wall_us()` is UTC since 1970 and can jump: use it for
 * what people and the store see. */
MUSTER_API gint64 muster_clock_now_us (void);
MUSTER_API gint64 muster_clock_wall_us (void);
MUSTER_API gint64 muster_clock_suspended_us (void);

typedef struct _MusterTimer MusterTimer;

/**
 * MusterTimerFunc:
 * @timer: the timer that is due; it is no longer armed and may be armed again or freed
 * @user_data: what muster_timer_init() was given
 */
typedef void (*MusterTimerFunc) (MusterTimer *timer, gpointer user_data);

/**
 * MusterTimer:
 *
 * One deadline. Embed it in the object that waits: it costs 48 bytes, and arming and cancelling
 * take some ten nanoseconds, so ten thousand accounts may hold several each. Timers are never
 * early and at most 50 ms late, and share one wheel behind one #GSource. Those that are due
 * together run in the order of their times, and of their arming where these are the same.
 *
 * Everything in this header belongs to the main thread.
 */
struct _MusterTimer {
  /*< private >*/
  MusterTimer *next;
  MusterTimer **pprev; /* NULL: not armed */
  gint64 at_us;
  guint64 seq; /* counts the arming: the order among equals */
  MusterTimerFunc func;
  gpointer user_data;
};

MUSTER_API void muster_timer_init (MusterTimer *timer, MusterTimerFunc func, gpointer user_data);
MUSTER_API void muster_timer_arm_at (MusterTimer *timer, gint64 at_us);
MUSTER_API void muster_timer_arm_in_ms (MusterTimer *timer, gint64 delay_ms);
MUSTER_API void muster_timer_cancel (MusterTimer *timer);
MUSTER_API gboolean muster_timer_is_armed (const MusterTimer *timer);

typedef struct _MusterWatch MusterWatch;

/**
 * MusterWatchFunc:
 * @watch: the watch
 * @events: what happened, a mask of what was asked for, `EPOLLERR` and `EPOLLHUP`; 0 if only
 *   muster_watch_set_ready() asked for the call
 * @user_data: what muster_hub_add_fd() was given
 *
 * May remove any watch, its own included. Read and write a bounded amount per call: the hub gives
 * all its watches and timers 3 ms of a turn, but it cannot interrupt one of them.
 */
typedef void (*MusterWatchFunc) (MusterWatch *watch, guint32 events, gpointer user_data);

MUSTER_API MusterWatch *
muster_hub_add_fd (int fd, guint32 events, MusterWatchFunc func, gpointer user_data);
MUSTER_API void muster_watch_set_events (MusterWatch *watch, guint32 events);
MUSTER_API void muster_watch_set_ready (MusterWatch *watch);
MUSTER_API void muster_watch_remove (MusterWatch *watch);

G_END_DECLS
