/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterHub"

#include "config.h"

#include "muster-execution.h"
#include "muster-hub-private.h"
#include "muster-wheel.h"

#include <glib-unix.h>

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * One GSource for all file descriptors and timers of the process, because GLib looks at every
 * source of the context in every turn.
 *
 * A turn runs due timers, then what epoll reports, then the watches that asked for a call. It ends
 * when all are served or its budget is used. What is left is kept and comes first of its kind in the
 * next turn, and the next turn begins with the kind after the one that used the budget up, so that
 * no fd, timer or ready watch starves, nor any other source of default priority.
 *
 * Nothing of a turn lives on its stack: a callback that runs a nested main loop goes on with the
 * same batch, and removing a watch takes its event out of the batch and frees it on the spot.
 */

#define TURN_BUDGET_US 3000
#define BATCH_SIZE     64

struct _MusterWatch {
  int fd;
  guint32 events;
  MusterWatchFunc func;
  gpointer user_data;
  struct epoll_event *reported; /* its place in the hub's batch until it is delivered */
  GList ready_link;             /* in hub.ready if its data is set */
  guint64 ready_turn;           /* the turn during or after which it asked */
};

typedef enum {
  STAGE_TIMERS,
  STAGE_FDS,
  STAGE_READY,
  N_STAGES,
} Stage;

static struct {
  GSource *source; /* NULL: not initialised */
  GThread *owner;
  gpointer epoll_tag;
  int epoll_fd;
  int timer_fd;
  MusterWatch *timer_watch;
  gint64 timer_fd_at_us; /* what it is set to; G_MAXINT64: disarmed */
  struct epoll_event batch[BATCH_SIZE];
  guint batch_next;
  guint batch_end;
  GQueue ready;
  guint64 turn;
  Stage first_stage;
  gint64 longest_us; /* turn so far */
} hub;

/* the kernel's side */

static int
hub_control (int operation, MusterWatch *watch)
{
  struct epoll_event event = { .events = watch->events, .data.ptr = watch };

  /* epoll always reports errors and hang-ups. Edge-triggered it does so once, not in every turn. */
  if (watch->events == 0)
    event.events = EPOLLET;

  return epoll_ctl (hub.epoll_fd, operation, watch->fd, &event);
}

static void
hub_set_timer_fd (gint64 at_us)
{
  struct itimerspec spec = {
    .it_value = { .tv_sec = at_us / G_USEC_PER_SEC, .tv_nsec = at_us % G_USEC_PER_SEC * 1000 },
  };

  if (at_us <= 0)
    spec.it_value = (struct timespec){ .tv_nsec = 1 }; /* 0 would disarm it */

  if (timerfd_settime (hub.timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) != 0)
    g_error ("cannot set the timer: %s", g_strerror (errno));

  hub.timer_fd_at_us = at_us;
}

static void
on_timer_fd (MusterWatch *watch, guint32 events, gpointer user_data)
{
  guint64 n_expirations;

  /* It only wakes the loop: every turn asks the wheel anyway. */
  if (read (hub.timer_fd, &n_expirations, sizeof n_expirations) > 0)
    hub.timer_fd_at_us = G_MAXINT64;
}

/* one turn */

static void
watch_clear_ready (MusterWatch *watch)
{
  if (watch->ready_link.data != NULL) {
    g_queue_unlink (&hub.ready, &watch->ready_link);
    watch->ready_link.data = NULL;
  }
}

static void
hub_fill_batch (void)
{
  int n_events = epoll_wait (hub.epoll_fd, hub.batch, BATCH_SIZE, 0);

  hub.batch_next = 0;
  hub.batch_end = (guint) MAX (n_events, 0); /* EINTR: the events stay for the next turn */

  for (guint i = 0; i < hub.batch_end; i++)
    ((MusterWatch *) hub.batch[i].data.ptr)->reported = &hub.batch[i];
}

static void
watch_call (MusterWatch *watch, guint32 events)
{
  guint64 outer = muster_execution_mark ((gconstpointer) watch->func);

  watch->func (watch, events, watch->user_data); /* may have freed it */
  muster_execution_unmark (outer);
}

static void
hub_deliver (struct epoll_event *event)
{
  MusterWatch *watch = event->data.ptr;
  guint32 events;

  if (watch == NULL) /* removed since it was reported */
    return;

  watch->reported = NULL;

  /* Another callback may have changed since what the watch wants to hear. */
  events = watch->events != 0 ? event->events & (watch->events | EPOLLERR | EPOLLHUP) : 0;
  if (events == 0)
    return;

  watch_clear_ready (watch);
  watch_call (watch, events);
}

static gboolean
hub_run_fds (gint64 stop_us)
{
  gboolean is_full;

  do {
    if (hub.batch_next == hub.batch_end)
      hub_fill_batch ();
    is_full = hub.batch_end == BATCH_SIZE;

    while (hub.batch_next < hub.batch_end) {
      hub_deliver (&hub.batch[hub.batch_next++]);

      if (muster_clock_turn_us () >= stop_us)
        return FALSE;
    }
  } while (is_full);

  return TRUE;
}

/* Those that ask while this turn runs wait for the next one. */
static gboolean
hub_run_ready (guint64 turn, gint64 stop_us)
{
  MusterWatch *watch;

  while ((watch = g_queue_peek_head (&hub.ready)) != NULL && watch->ready_turn < turn) {
    watch_clear_ready (watch);
    watch_call (watch, 0);

    if (muster_clock_turn_us () >= stop_us)
      return FALSE;
  }

  return TRUE;
}

static gboolean
hub_run_stage (Stage stage, guint64 turn, gint64 stop_us)
{
  switch (stage) {
  case STAGE_TIMERS:
    return muster_wheel_run (muster_clock_now_us (), stop_us);
  case STAGE_FDS:
    return hub_run_fds (stop_us);
  case STAGE_READY:
    return hub_run_ready (turn, stop_us);
  case N_STAGES:
    break;
  }

  g_return_val_if_reached (TRUE);
}

static gboolean
hub_is_pending (void)
{
  return hub.batch_next < hub.batch_end || !g_queue_is_empty (&hub.ready) ||
         muster_wheel_is_pending ();
}

/* The last chance before the loop sleeps, so thousands of timers armed in a turn cost one system
 * call at most. */
static gboolean
hub_prepare (GSource *source, gint *timeout_ms)
{
  if (!muster_clock_is_virtual () && muster_wheel_wake_us () < hub.timer_fd_at_us)
    hub_set_timer_fd (muster_wheel_wake_us ());

  *timeout_ms = -1;
  return hub_is_pending ();
}

static gboolean
hub_check (GSource *source)
{
  return hub_is_pending () || (g_source_query_unix_fd (source, hub.epoll_tag) & G_IO_IN) != 0;
}

static gboolean
hub_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  gint64 start_us = muster_clock_turn_us ();
  gint64 stop_us = start_us + TURN_BUDGET_US;
  guint64 turn = ++hub.turn;
  Stage first = hub.first_stage;

  hub.first_stage = STAGE_TIMERS;
  for (guint i = 0; i < N_STAGES; i++) {
    Stage stage = (first + i) % N_STAGES;

    if (!hub_run_stage (stage, turn, stop_us)) {
      hub.first_stage = (stage + 1) % N_STAGES;
      break;
    }
  }

  hub.longest_us = MAX (hub.longest_us, muster_clock_turn_us () - start_us);

  return G_SOURCE_CONTINUE;
}

void
muster_hub_get_stats (MusterHubStats *stats)
{
  stats->n_turns = hub.turn;
  stats->longest_us = hub.longest_us;
}

static GSourceFuncs hub_funcs = {
  .prepare = hub_prepare,
  .check = hub_check,
  .dispatch = hub_dispatch,
};

gboolean
muster_hub_is_owner (void)
{
  return g_thread_self () == hub.owner;
}

void
muster_hub_init (void)
{
  if (hub.source != NULL)
    return;

  hub.owner = g_thread_self ();
  hub.epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  hub.timer_fd = timerfd_create (CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  hub.timer_fd_at_us = G_MAXINT64;
  g_queue_init (&hub.ready);

  if (hub.epoll_fd < 0 || hub.timer_fd < 0)
    g_error ("cannot open the hub: %s", g_strerror (errno));

  hub.source = g_source_new (&hub_funcs, sizeof (GSource));
  g_source_set_static_name (hub.source, "muster hub");
  g_source_set_priority (hub.source, G_PRIORITY_DEFAULT); /* above it would starve all others */
  g_source_set_can_recurse (hub.source, TRUE);
  hub.epoll_tag = g_source_add_unix_fd (hub.source, hub.epoll_fd, G_IO_IN);
  g_source_attach (hub.source, NULL);

  hub.timer_watch = muster_hub_add_fd (hub.timer_fd, EPOLLIN, on_timer_fd, NULL);
  if (hub.timer_watch == NULL)
    g_error ("cannot watch the timer: %s", g_strerror (errno));
}

/* watches */

static gboolean
events_are_valid (guint32 events)
{
  /* Edge-triggered and one-shot watches would lose what a turn has no time for. */
  return (events & ~(guint32) (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI)) == 0;
}

/**
 * muster_hub_add_fd:
 * @fd: a file descriptor that does not block; it stays the caller's
 * @events: a mask of `EPOLLIN`, `EPOLLOUT`, `EPOLLRDHUP` and `EPOLLPRI`, or 0 to hear nothing yet
 * @func: (scope forever): called on the main context whenever one of @events, `EPOLLERR` or
 *   `EPOLLHUP` holds, again in every turn of the loop for as long as it does
 * @user_data: for @func
 *
 * Watches a file descriptor until muster_watch_remove(), which must come before it is closed. A
 * descriptor is watched once.
 *
 * Returns: (transfer none) (nullable): the watch, or %NULL with `errno` set if the kernel refuses:
 *   `EPERM` for plain files and directories, `EEXIST` for one that is watched already
 */
MusterWatch *
muster_hub_add_fd (int fd, guint32 events, MusterWatchFunc func, gpointer user_data)
{
  MusterWatch *watch;

  g_return_val_if_fail (fd >= 0, NULL);
  g_return_val_if_fail (events_are_valid (events), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  muster_hub_init ();
  g_return_val_if_fail (muster_hub_is_owner (), NULL);

  watch = g_new0 (MusterWatch, 1);
  watch->fd = fd;
  watch->events = events;
  watch->func = func;
  watch->user_data = user_data;

  if (hub_control (EPOLL_CTL_ADD, watch) != 0) {
    int saved_errno = errno;

    g_free (watch);
    errno = saved_errno;
    return NULL;
  }

  return watch;
}

/**
 * muster_watch_set_events:
 * @watch: a watch
 * @events: as for muster_hub_add_fd(); 0 pauses the watch: not even errors are reported then
 *
 * Changes what the watch waits for, from now on: what was reported before and is not in @events any
 * more is not delivered.
 */
void
muster_watch_set_events (MusterWatch *watch, guint32 events)
{
  g_return_if_fail (watch != NULL);
  g_return_if_fail (events_are_valid (events));
  g_return_if_fail (muster_hub_is_owner ());

  if (watch->events == events)
    return;

  watch->events = events;
  if (hub_control (EPOLL_CTL_MOD, watch) != 0)
    g_critical ("cannot change what fd %d is watched for: %s", watch->fd, g_strerror (errno));
}

/**
 * muster_watch_set_ready:
 * @watch: a watch
 *
 * Asks for one call in the next turn of the main loop, whatever the file descriptor does: for bytes
 * that epoll cannot see because a TLS library holds them already, and for a reader that stops after
 * a fair share. Asking twice makes one call; an event that comes first takes its place.
 */
void
muster_watch_set_ready (MusterWatch *watch)
{
  g_return_if_fail (watch != NULL);
  g_return_if_fail (muster_hub_is_owner ());

  if (watch->ready_link.data != NULL)
    return;

  watch->ready_turn = hub.turn;
  watch->ready_link.data = watch;
  g_queue_push_tail_link (&hub.ready, &watch->ready_link);
}

/**
 * muster_watch_remove:
 * @watch: (transfer full): a watch
 *
 * Ends the watch and frees it. Its function is not called again, not even for what was reported
 * already. Safe in any callback, its own included.
 */
void
muster_watch_remove (MusterWatch *watch)
{
  g_return_if_fail (watch != NULL);
  g_return_if_fail (muster_hub_is_owner ());

  if (hub_control (EPOLL_CTL_DEL, watch) != 0)
    g_critical ("fd %d was closed while it was watched: %s", watch->fd, g_strerror (errno));

  if (watch->reported != NULL)
    watch->reported->data.ptr = NULL;
  watch_clear_ready (watch);
  g_free (watch);
}
