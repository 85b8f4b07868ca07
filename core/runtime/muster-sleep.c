/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSleep"

#include "config.h"

#include "muster-sleep.h"

#include "muster-hub-private.h"
#include "muster-logind.h"
#include "muster-names.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * A suspend that was announced: off-line from the announcement to its end. One that was not (no
 * logind, a laptop without it, `echo mem`, a container's host): noticed when it is over, since the
 * boot clock went on and the monotonic one did not. The kernel says when to compare them: it cancels
 * a timer on the wall clock whenever that clock jumps, and on each resume. Nothing is polled.
 */

#define MIN_SUSPEND_US G_USEC_PER_SEC

struct _MusterSleep {
  const MusterConnectivitySink *sink;
  gpointer sink_data;
  MusterLogind *logind; /* NULL in tests */
  int fd;               /* the timer that is cancelled; -1: there is none */
  MusterWatch *watch;
  gint64 suspended_us; /* that is known of, see muster_clock_suspended_us() */
  gboolean is_sleeping;
};

void
muster_sleep_announce (MusterSleep *self, gboolean sleeping)
{
  if (sleeping == self->is_sleeping)
    return;

  self->is_sleeping = sleeping;
  if (sleeping) {
    g_info ("this machine is going to sleep");
    self->sink->set_offline (self->sink_data, MUSTER_OFFLINE_SUSPENDED, TRUE);
    return;
  }

  g_info ("this machine woke up");
  self->suspended_us = muster_clock_suspended_us ();
  self->sink->network_changed (self->sink_data); /* first: no attempt is to begin twice */
  self->sink->set_offline (self->sink_data, MUSTER_OFFLINE_SUSPENDED, FALSE);
}

void
muster_sleep_compare_clocks (MusterSleep *self)
{
  gint64 suspended_us = muster_clock_suspended_us ();

  if (suspended_us - self->suspended_us < MIN_SUSPEND_US)
    return;

  self->suspended_us = suspended_us;
  if (self->is_sleeping) /* whoever announced it will say when it is over */
    return;

  g_info ("this machine was suspended, and nobody said so");
  self->sink->network_changed (self->sink_data);
}

static void
on_prepare_for_sleep (gboolean sleeping, gpointer user_data)
{
  muster_sleep_announce (user_data, sleeping);
}

/* clocks */

static gboolean
arm (int fd)
{
  struct itimerspec never;

  memset (&never, 0, sizeof never);
  never.it_value.tv_sec = G_MAXINT32; /* 2038: if it expires, the clocks are compared once more */

  return timerfd_settime (fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0;
}

static void
on_clock_set (MusterWatch *watch, guint32 events, gpointer user_data)
{
  MusterSleep *self = user_data;
  guint64 n_expirations;

  if (read (self->fd, &n_expirations, sizeof n_expirations) > 0 || !arm (self->fd)) {
    g_warning ("the kernel does not say any more when clocks jump, ignoring suspends that nobody "
               "announces");
    muster_watch_set_events (self->watch, 0);
  }
  muster_sleep_compare_clocks (self);
}

static void
muster_sleep_watch_clocks (MusterSleep *self)
{
  self->fd = timerfd_create (CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (self->fd >= 0 && arm (self->fd)) {
    self->watch = muster_hub_add_fd (self->fd, EPOLLIN, on_clock_set, self);
    return;
  }

  g_warning ("no timer on the wall clock, ignoring suspends that nobody announces");
}

/* life */

MusterSleep *
muster_sleep_new_alone (const MusterConnectivitySink *sink, gpointer sink_data)
{
  MusterSleep *self = g_new0 (MusterSleep, 1);

  self->sink = sink;
  self->sink_data = sink_data;
  self->suspended_us = muster_clock_suspended_us ();
  muster_sleep_watch_clocks (self);

  return self;
}

MusterSleep *
muster_sleep_new (const MusterConnectivitySink *sink, gpointer sink_data)
{
  MusterSleep *self = muster_sleep_new_alone (sink, sink_data);

  self->logind = muster_logind_new (on_prepare_for_sleep, self);

  return self;
}

void
muster_sleep_free (MusterSleep *self)
{
  if (self == NULL)
    return;

  muster_logind_free (self->logind);
  g_clear_pointer (&self->watch, muster_watch_remove);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self);
}
