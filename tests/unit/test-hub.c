/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-hub-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* The hub on real descriptors and the real clock. */

#define MS       1000
#define MAX_IDLE 1000 /* turns until a loop that should be idle is said to spin */

/* a descriptor that counts the calls made for it */

typedef struct Peer Peer;
struct Peer {
  int fd;
  MusterWatch *watch;
  guint n_calls;
  guint32 events; /* of the last call */
  void (*act) (Peer *self);
  Peer *other;
  gint64 busy_us;
};

static void
on_peer (MusterWatch *watch, guint32 events, gpointer user_data)
{
  Peer *self = user_data;
  gint64 until_us = muster_clock_now_us () + self->busy_us;

  g_assert_true (watch == self->watch);
  self->n_calls++;
  self->events = events;
  while (self->busy_us > 0 && muster_clock_now_us () < until_us)
    continue;
  if (self->act != NULL)
    self->act (self);
}

static void
peer_watch (Peer *self, int fd, guint32 events)
{
  g_assert_cmpint (fd, >=, 0);
  self->fd = fd;
  self->watch = muster_hub_add_fd (fd, events, on_peer, self);
  g_assert_nonnull (self->watch);
}

static void
peer_open (Peer *self, guint initial)
{
  peer_watch (self, eventfd (initial, EFD_NONBLOCK | EFD_CLOEXEC), EPOLLIN);
}

static void
peer_close (Peer *self)
{
  if (self->watch != NULL) {
    muster_watch_remove (g_steal_pointer (&self->watch));
    close (self->fd);
  }
}

static void
peer_drain (Peer *self)
{
  guint64 value;

  g_assert_cmpint (read (self->fd, &value, sizeof value), ==, sizeof value);
}

static guint
turns_until_idle (void)
{
  guint n_turns = 0;

  while (g_main_context_iteration (NULL, FALSE)) {
    n_turns++;
    g_assert_cmpuint (n_turns, <, MAX_IDLE);
  }

  return n_turns;
}

/* events */

static void
test_event_until_drained (void)
{
  Peer peer = { 0 };

  peer_open (&peer, 0);
  turns_until_idle ();
  g_assert_cmpuint (peer.n_calls, ==, 0);

  g_assert_cmpint (eventfd_write (peer.fd, 1), ==, 0);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (peer.n_calls, ==, 1);
  g_assert_cmphex (peer.events, ==, EPOLLIN);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (peer.n_calls, ==, 2);

  peer.act = peer_drain;
  turns_until_idle ();
  g_assert_cmpuint (peer.n_calls, ==, 3);
  peer_close (&peer);
}

static void
test_hang_up (void)
{
  Peer peer = { .act = peer_close };
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
  peer_watch (&peer, fds[0], EPOLLOUT);
  close (fds[1]);
  turns_until_idle ();
  g_assert_cmpuint (peer.n_calls, ==, 1);
  g_assert_cmphex (peer.events, ==, EPOLLOUT | EPOLLHUP);
}

static void
test_refuses_what_cannot_be_watched (void)
{
  g_autofree char *path = NULL;
  Peer peer = { 0 };
  int fd = g_file_open_tmp (NULL, &path, NULL);

  g_assert_null (muster_hub_add_fd (fd, EPOLLIN, on_peer, &peer));
  g_assert_cmpint (errno, ==, EPERM);
  close (fd);
  unlink (path);

  peer_open (&peer, 0);
  g_assert_null (muster_hub_add_fd (peer.fd, EPOLLOUT, on_peer, &peer));
  g_assert_cmpint (errno, ==, EEXIST);
  peer_close (&peer);
}

static void
test_set_events (void)
{
  Peer peer = { 0 };

  peer_open (&peer, 1);
  muster_watch_set_events (peer.watch, EPOLLOUT);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmphex (peer.events, ==, EPOLLOUT);
  muster_watch_set_events (peer.watch, EPOLLIN | EPOLLOUT);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmphex (peer.events, ==, EPOLLIN | EPOLLOUT);
  peer_close (&peer);
}

/* epoll reports a hang-up whether it is asked to or not: a paused watch must not make the loop spin. */
static void
test_pause (void)
{
  Peer peer = { 0 };
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
  peer_watch (&peer, fds[0], EPOLLIN);
  muster_watch_set_events (peer.watch, 0);
  close (fds[1]);
  g_assert_cmpuint (turns_until_idle (), <=, 2);
  g_assert_cmpuint (peer.n_calls, ==, 0);

  muster_watch_set_ready (peer.watch);
  g_assert_cmpuint (turns_until_idle (), <=, 2);
  g_assert_cmpuint (peer.n_calls, ==, 1);
  g_assert_cmphex (peer.events, ==, 0);

  muster_watch_set_events (peer.watch, EPOLLIN);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmphex (peer.events, ==, EPOLLIN | EPOLLHUP);
  peer_close (&peer);
}

/* callbacks that change the batch they are in */

static void
close_other (Peer *self)
{
  peer_close (self->other);
}

static void
close_both (Peer *self)
{
  peer_close (self->other);
  peer_close (self);
}

static void
pause_other (Peer *self)
{
  muster_watch_set_events (self->other->watch, 0);
  peer_drain (self);
}

static void
run_pair (Peer *pair, void (*act) (Peer *))
{
  for (guint i = 0; i < 2; i++) {
    pair[i] = (Peer){ .act = act, .other = &pair[1 - i] };
    peer_open (&pair[i], 1);
  }
  g_main_context_iteration (NULL, TRUE);
}

static void
test_remove_in_same_batch (void)
{
  Peer pair[2];

  run_pair (pair, close_other);
  g_assert_cmpuint (MIN (pair[0].n_calls, pair[1].n_calls), ==, 0);
  g_assert_cmpuint (MAX (pair[0].n_calls, pair[1].n_calls), ==, 1);
  peer_close (&pair[0]);
  peer_close (&pair[1]);

  run_pair (pair, close_both);
  g_assert_cmpuint (pair[0].n_calls + pair[1].n_calls, ==, 1);

  run_pair (pair, peer_close);
  g_assert_cmpuint (pair[0].n_calls, ==, 1);
  g_assert_cmpuint (pair[1].n_calls, ==, 1);
  g_assert_cmpuint (turns_until_idle (), ==, 0);
}

static void
test_pause_in_same_batch (void)
{
  Peer pair[2];

  run_pair (pair, pause_other);
  turns_until_idle ();
  g_assert_cmpuint (pair[0].n_calls + pair[1].n_calls, ==, 1);
  peer_close (&pair[0]);
  peer_close (&pair[1]);
}

/* The number of a closed descriptor is taken again at once: what was reported for the old one must
 * not reach the new one. */
static void
reopen_other (Peer *self)
{
  int old_fd = self->other->fd;

  peer_close (self->other);
  peer_open (self->other, 0);
  g_assert_cmpint (self->other->fd, ==, old_fd);
  peer_drain (self);
}

static void
test_reopen_in_same_batch (void)
{
  Peer pair[2];

  run_pair (pair, reopen_other);
  turns_until_idle ();
  g_assert_cmpuint (pair[0].n_calls + pair[1].n_calls, ==, 1);
  peer_close (&pair[0]);
  peer_close (&pair[1]);
}

/* A callback that runs the loop goes on with the batch it was called from. */
static void
nest (Peer *self)
{
  peer_drain (self);
  turns_until_idle ();
  peer_close (self);
}

static void
test_nested_loop (void)
{
  Peer pair[2];

  run_pair (pair, nest);
  g_assert_cmpuint (pair[0].n_calls, ==, 1);
  g_assert_cmpuint (pair[1].n_calls, ==, 1);
  g_assert_null (pair[0].watch);
  g_assert_null (pair[1].watch);
}

/* ready */

static void
test_ready_is_one_call (void)
{
  Peer peer = { 0 };

  peer_open (&peer, 0);
  turns_until_idle ();
  for (guint i = 1; i <= 3; i++) {
    muster_watch_set_ready (peer.watch);
    muster_watch_set_ready (peer.watch);
    g_assert_cmpuint (peer.n_calls, ==, i - 1);

    g_main_context_iteration (NULL, TRUE);
    g_assert_cmpuint (peer.n_calls, ==, i);
    g_assert_cmphex (peer.events, ==, 0);
    g_assert_cmpuint (turns_until_idle (), ==, 0);
    g_assert_cmpuint (peer.n_calls, ==, i);
  }
  peer_close (&peer);
}

static void
set_ready_again (Peer *self)
{
  if (self->n_calls < 10)
    muster_watch_set_ready (self->watch);
}

static void
test_ready_again_is_one_call_a_turn (void)
{
  Peer peer = { .act = set_ready_again };

  peer_open (&peer, 0);
  muster_watch_set_ready (peer.watch);
  g_assert_cmpuint (turns_until_idle (), ==, 10);
  g_assert_cmpuint (peer.n_calls, ==, 10);
  peer_close (&peer);
}

static void
test_event_takes_the_place_of_ready (void)
{
  Peer peer = { .act = peer_drain };

  peer_open (&peer, 1);
  muster_watch_set_ready (peer.watch);
  g_assert_cmpuint (turns_until_idle (), ==, 1);
  g_assert_cmpuint (peer.n_calls, ==, 1);
  g_assert_cmphex (peer.events, ==, EPOLLIN);
  peer_close (&peer);
}

static void
test_remove_while_ready (void)
{
  Peer pair[2];

  for (guint i = 0; i < 2; i++) {
    pair[i] = (Peer){ .act = close_other, .other = &pair[1 - i] };
    peer_open (&pair[i], 0);
    muster_watch_set_ready (pair[i].watch);
  }
  turns_until_idle ();
  g_assert_cmpuint (pair[0].n_calls, ==, 1);
  g_assert_cmpuint (pair[1].n_calls, ==, 0);

  muster_watch_set_ready (pair[0].watch);
  peer_close (&pair[0]);
  g_assert_cmpuint (turns_until_idle (), ==, 0);
  g_assert_cmpuint (pair[0].n_calls, ==, 1);
}

/* timers */

typedef struct {
  MusterTimer timer;
  gint64 ran_at_us;
  guint n_runs;
  gint64 busy_us;
} Alarm;

static void
on_alarm (MusterTimer *timer, gpointer user_data)
{
  Alarm *alarm = user_data;

  alarm->ran_at_us = muster_clock_now_us ();
  alarm->n_runs++;
  while (muster_clock_now_us () < alarm->ran_at_us + alarm->busy_us)
    continue;
}

static void
test_timer_wakes_the_loop (void)
{
  Alarm early = { 0 }, late = { 0 }, cancelled = { 0 };
  gint64 start_us = muster_clock_now_us ();
  guint n_turns = 0;

  muster_timer_init (&early.timer, on_alarm, &early);
  muster_timer_init (&late.timer, on_alarm, &late);
  muster_timer_init (&cancelled.timer, on_alarm, &cancelled);
  muster_timer_arm_in_ms (&late.timer, 500);
  muster_timer_arm_in_ms (&cancelled.timer, 60);
  muster_timer_arm_in_ms (&early.timer, 120);
  turns_until_idle ();
  muster_timer_cancel (&cancelled.timer);

  for (; late.n_runs == 0; n_turns++)
    g_main_context_iteration (NULL, TRUE);

  g_assert_cmpuint (early.n_runs, ==, 1);
  g_assert_cmpuint (cancelled.n_runs, ==, 0);
  g_assert_cmpint (early.ran_at_us - start_us, >=, 120 * MS);
  g_assert_cmpint (early.ran_at_us - start_us, <, 500 * MS);
  g_assert_cmpint (late.ran_at_us - start_us, >=, 500 * MS);
  g_assert_cmpuint (n_turns, <=, 6); /* the loop slept in between */
  g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
}

/* The loop sleeps for something far away already when something nearer comes. */
static void
test_earlier_timer_takes_over (void)
{
  Alarm far = { 0 }, near = { 0 };

  muster_timer_init (&far.timer, on_alarm, &far);
  muster_timer_init (&near.timer, on_alarm, &near);
  muster_timer_arm_in_ms (&far.timer, 3600 * 1000);
  turns_until_idle ();
  muster_timer_arm_in_ms (&near.timer, 10);
  while (near.n_runs == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (far.n_runs, ==, 0);
  muster_timer_cancel (&far.timer);
}

/* Something falls due while the loop is busy, and then something else is armed. */
static void
test_arm_while_another_is_due (void)
{
  Alarm due = { 0 }, next = { 0 };
  gint64 until_us = muster_clock_now_us () + 130 * MS;

  muster_timer_init (&due.timer, on_alarm, &due);
  muster_timer_init (&next.timer, on_alarm, &next);
  muster_timer_arm_in_ms (&due.timer, 20);
  while (muster_clock_now_us () < until_us)
    continue;
  muster_timer_arm_in_ms (&next.timer, 100);
  while (next.n_runs == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (due.n_runs, ==, 1);
}

static void
test_past_is_the_next_turn (void)
{
  Alarm alarm = { 0 };

  muster_timer_init (&alarm.timer, on_alarm, &alarm);
  turns_until_idle ();
  for (guint i = 1; i <= 3; i++) {
    muster_timer_arm_at (&alarm.timer, muster_clock_now_us () - i);
    g_assert_cmpuint (alarm.n_runs, ==, i - 1);
    g_main_context_iteration (NULL, FALSE);
    g_assert_cmpuint (alarm.n_runs, ==, i);
  }
  g_assert_cmpuint (turns_until_idle (), ==, 0);
}

/* fairness */

#define N_GREEDY 200

static gboolean
on_other_source (gpointer user_data)
{
  guint *n_runs = user_data;

  ++*n_runs;
  return G_SOURCE_CONTINUE;
}

static guint
add_other_source (guint *n_runs)
{
  return g_idle_add_full (G_PRIORITY_DEFAULT, on_other_source, n_runs, NULL);
}

static void
on_arm_again (MusterTimer *timer, gpointer user_data)
{
  on_other_source (user_data);
  muster_timer_arm_in_ms (timer, 0);
}

/* 200 descriptors that nobody drains, each worth 0.2 ms: 15 fit into a turn. Every one of them, the
 * ready watch, the timer and the foreign source get their share, and the descriptors equal ones. */
static void
run_greedy (gint64 busy_us, guint n_turns)
{
  Peer peers[N_GREEDY] = { 0 };
  Peer ready = { .act = set_ready_again };
  MusterTimer timer;
  guint n_timer = 0, n_other = 0;
  guint least = G_MAXUINT, most = 0;
  guint other_id = add_other_source (&n_other);

  for (guint i = 0; i < N_GREEDY; i++) {
    peers[i].busy_us = busy_us;
    peer_open (&peers[i], 1);
  }
  peer_open (&ready, 0);
  muster_watch_set_ready (ready.watch);
  muster_timer_init (&timer, on_arm_again, &n_timer);
  muster_timer_arm_in_ms (&timer, 0);

  for (guint i = 0; i < n_turns; i++)
    g_main_context_iteration (NULL, TRUE);

  g_assert_cmpuint (n_other, ==, n_turns);
  g_assert_cmpuint (n_timer, >=, n_turns / 3);
  g_assert_cmpuint (ready.n_calls, ==, 10);
  for (guint i = 0; i < N_GREEDY; i++) {
    least = MIN (least, peers[i].n_calls);
    most = MAX (most, peers[i].n_calls);
  }
  g_assert_cmpuint (least, >=, 1);
  g_assert_cmpuint (most - least, <=, 2);

  g_source_remove (other_id);
  muster_timer_cancel (&timer);
  peer_close (&ready);
  for (guint i = 0; i < N_GREEDY; i++)
    peer_close (&peers[i]);
}

static void
test_greedy_fds_starve_nobody (void)
{
  run_greedy (0, 40);
}

static void
test_slow_fds_starve_nobody (void)
{
  run_greedy (200, 80);
}

/* A hundred timers that are due together and worth 1 ms each make more than one turn. */
static void
test_slow_timers_are_spread (void)
{
  Alarm alarms[100] = { 0 };
  guint n_other = 0;
  guint n_runs = 0;
  guint other_id;

  for (guint i = 0; i < G_N_ELEMENTS (alarms); i++) {
    alarms[i].busy_us = 1 * MS;
    muster_timer_init (&alarms[i].timer, on_alarm, &alarms[i]);
    muster_timer_arm_in_ms (&alarms[i].timer, 0);
  }

  other_id = add_other_source (&n_other);
  while (alarms[G_N_ELEMENTS (alarms) - 1].n_runs == 0)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (other_id);

  for (guint i = 0; i < G_N_ELEMENTS (alarms); i++)
    n_runs += alarms[i].n_runs;
  g_assert_cmpuint (n_runs, ==, G_N_ELEMENTS (alarms));
  g_assert_cmpuint (n_other, >=, G_N_ELEMENTS (alarms) / 4);
  g_assert_cmpuint (turns_until_idle (), <=, 1);
}

/* threads */

static gpointer
arm_from_thread (gpointer timer)
{
  muster_timer_arm_in_ms (timer, 10);
  return NULL;
}

static void
test_other_threads_are_refused (void)
{
  Alarm alarm = { 0 };

  muster_hub_init ();
  muster_timer_init (&alarm.timer, on_alarm, &alarm);
  g_test_expect_message ("MusterTimer", G_LOG_LEVEL_CRITICAL, "*muster_hub_is_owner*");
  g_thread_join (g_thread_new ("stranger", arm_from_thread, &alarm.timer));
  g_test_assert_expected_messages ();
  g_assert_false (muster_timer_is_armed (&alarm.timer));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/hub/event-until-drained", test_event_until_drained);
  g_test_add_func ("/hub/hang-up", test_hang_up);
  g_test_add_func ("/hub/refuses-what-cannot-be-watched", test_refuses_what_cannot_be_watched);
  g_test_add_func ("/hub/set-events", test_set_events);
  g_test_add_func ("/hub/pause", test_pause);
  g_test_add_func ("/hub/remove-in-same-batch", test_remove_in_same_batch);
  g_test_add_func ("/hub/pause-in-same-batch", test_pause_in_same_batch);
  g_test_add_func ("/hub/reopen-in-same-batch", test_reopen_in_same_batch);
  g_test_add_func ("/hub/nested-loop", test_nested_loop);
  g_test_add_func ("/hub/ready/one-call", test_ready_is_one_call);
  g_test_add_func ("/hub/ready/again-is-one-call-a-turn", test_ready_again_is_one_call_a_turn);
  g_test_add_func ("/hub/ready/event-takes-its-place", test_event_takes_the_place_of_ready);
  g_test_add_func ("/hub/ready/remove", test_remove_while_ready);
  g_test_add_func ("/hub/timer/wakes-the-loop", test_timer_wakes_the_loop);
  g_test_add_func ("/hub/timer/earlier-takes-over", test_earlier_timer_takes_over);
  g_test_add_func ("/hub/timer/arm-while-another-is-due", test_arm_while_another_is_due);
  g_test_add_func ("/hub/timer/past-is-the-next-turn", test_past_is_the_next_turn);
  g_test_add_func ("/hub/fairness/greedy-fds", test_greedy_fds_starve_nobody);
  g_test_add_func ("/hub/fairness/slow-fds", test_slow_fds_starve_nobody);
  g_test_add_func ("/hub/fairness/slow-timers", test_slow_timers_are_spread);
  g_test_add_func ("/hub/other-threads-are-refused", test_other_threads_are_refused);

  return g_test_run ();
}
