/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterWatchdog"

#include "config.h"

#include "muster-watchdog.h"

#include "muster-crash-record.h"

#include <muster/muster-hub.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * A timer on the main loop counts; a thread looks at the count four times in the limit. It counts its
 * own looks, not time, so that a machine that sleeps, or a process that is stopped, is not taken for a
 * loop that stands still.
 */

#define LOOKS 4

struct _MusterWatchdog {
  MusterTimer beat;
  guint interval_ms;
  guint n_beats; /* atomic */
  pthread_t main_thread;
  int quit_fd; /* readable when the thread is to end */
  GThread *thread;
};

static void
on_beat (MusterTimer *timer, gpointer user_data)
{
  MusterWatchdog *self = user_data;

  g_atomic_int_inc (&self->n_beats);
  muster_timer_arm_in_ms (timer, self->interval_ms);
}

static gboolean
must_quit (MusterWatchdog *self, int wait_ms)
{
  struct pollfd quit = { .fd = self->quit_fd, .events = POLLIN };

  return poll (&quit, 1, wait_ms) > 0;
}

/* No lock may be taken here, not even the log's: the main thread may stand still with it. */
static void
bark (MusterWatchdog *self)
{
  static const char words[] = "musterd: the main loop stands still, giving up\n";

  (void) !write (STDERR_FILENO, words, sizeof words - 1); /* nobody is left to tell */
  muster_crash_record_set_hung ();
  /* There, so that the record sees who holds it up; here only if that does not work. */
  pthread_kill (self->main_thread, SIGABRT);
  if (!must_quit (self, 5000))
    abort ();
}

static gpointer
watch (gpointer user_data)
{
  MusterWatchdog *self = user_data;
  guint seen = g_atomic_int_get (&self->n_beats);
  guint n_misses = 0;

  while (!must_quit (self, (int) self->interval_ms)) {
    guint n_beats = g_atomic_int_get (&self->n_beats);

    n_misses = n_beats == seen ? n_misses + 1 : 0;
    seen = n_beats;
    if (n_misses > LOOKS)
      bark (self);
  }

  return NULL;
}

MusterWatchdog *
muster_watchdog_new (guint limit_s)
{
  MusterWatchdog *self;

  g_return_val_if_fail (limit_s > 0, NULL);

  self = g_new0 (MusterWatchdog, 1);
  self->interval_ms = limit_s * 1000 / LOOKS;
  self->main_thread = pthread_self ();
  self->quit_fd = eventfd (0, EFD_CLOEXEC);
  muster_timer_init (&self->beat, on_beat, self);
  muster_timer_arm_in_ms (&self->beat, 0);
  self->thread = g_thread_new ("watchdog", watch, self);

  return self;
}

void
muster_watchdog_free (MusterWatchdog *self)
{
  if (self == NULL)
    return;

  muster_timer_cancel (&self->beat);
  if (eventfd_write (self->quit_fd, 1) == 0)
    g_thread_join (self->thread);
  close (self->quit_fd);
  g_free (self);
}
