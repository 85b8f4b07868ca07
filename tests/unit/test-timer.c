/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-hub-private.h"

#include <string.h>

/* Timers under the virtual clock, against an oracle that knows no wheel: an array, searched whole. */

#define MS           (G_GINT64_CONSTANT (1000))
#define SECOND       (1000 * MS)
#define HOUR         (3600 * SECOND)
#define DAY          (24 * HOUR)
#define TICK         (50 * MS)
#define START        (12345 * SECOND + 6789) /* within a tick: rounding must not hide behind zeros */
#define WALL         (G_GINT64_CONSTANT (1767225600) * SECOND)
#define MAX_LATENESS (TICK - 1)

static gint64
rounded_up (gint64 at_us)
{
  return (at_us + TICK - 1) / TICK * TICK;
}

static void
start_clock (void)
{
  muster_clock_use_virtual (START, WALL);
}

/* one timer that counts */

typedef struct {
  MusterTimer timer;
  gint64 at_us;
  gint64 ran_at_us;
  guint n_runs;
} Probe;

static void
on_probe (MusterTimer *timer, gpointer user_data)
{
  Probe *probe = user_data;

  g_assert_true (timer == &probe->timer);
  g_assert_false (muster_timer_is_armed (timer));
  probe->ran_at_us = muster_clock_now_us ();
  probe->n_runs++;
}

static void
probe_arm (Probe *probe, gint64 at_us)
{
  probe->at_us = at_us;
  muster_timer_arm_at (&probe->timer, at_us);
}

/* the clock */

static void
test_clock_stands_and_steps (void)
{
  start_clock ();
  g_assert_cmpint (muster_clock_now_us (), ==, START);
  g_assert_cmpint (muster_clock_wall_us (), ==, WALL);

  muster_clock_advance_us (HOUR + 1);
  g_assert_cmpint (muster_clock_now_us (), ==, START + HOUR + 1);
  g_assert_cmpint (muster_clock_wall_us (), ==, WALL + HOUR + 1);

  muster_clock_step_wall_us (-3 * DAY);
  g_assert_cmpint (muster_clock_now_us (), ==, START + HOUR + 1);
  g_assert_cmpint (muster_clock_wall_us (), ==, WALL + HOUR + 1 - 3 * DAY);
}

/* never early, at most 50 ms late */

#define N_MANY 20000

static void
test_punctual_over (gconstpointer span)
{
  gint64 span_us = *(const gint64 *) span;
  g_autofree Probe *probes = g_new0 (Probe, N_MANY);
  g_autoptr (GRand) rand = g_rand_new_with_seed (42);

  start_clock ();

  for (guint i = 0; i < N_MANY; i++) {
    muster_timer_init (&probes[i].timer, on_probe, &probes[i]);
    probe_arm (&probes[i], START + 1 + (gint64) g_rand_double_range (rand, 0, (double) span_us));
  }

  while (muster_clock_now_us () < START + span_us)
    muster_clock_advance_us ((gint64) g_rand_double_range (rand, 0, (double) span_us / 50));
  muster_clock_advance_us (TICK);

  for (guint i = 0; i < N_MANY; i++) {
    g_assert_cmpuint (probes[i].n_runs, ==, 1);
    g_assert_cmpint (probes[i].ran_at_us, ==, rounded_up (probes[i].at_us));
    g_assert_cmpint (probes[i].ran_at_us - probes[i].at_us, <=, MAX_LATENESS);
  }
  g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
}

/* An edge of every level, and one to either side of it. */
static void
test_edges_of_the_levels (void)
{
  static const gint64 edges[] = { 0,
                                  TICK,
                                  SECOND,
                                  255 * TICK,
                                  256 * TICK,
                                  13 * SECOND,
                                  2048 * SECOND,
                                  4095 * SECOND,
                                  4096 * SECOND,
                                  4097 * SECOND,
                                  6144 * SECOND,
                                  8192 * SECOND };

  for (guint i = 0; i < G_N_ELEMENTS (edges); i++) {
    for (gint64 nudge = -1; nudge <= 1; nudge++) {
      Probe probe = { 0 };
      gint64 at_us = rounded_up (START) + edges[i] + nudge;

      start_clock ();
      muster_timer_init (&probe.timer, on_probe, &probe);
      probe_arm (&probe, at_us);
      g_assert_cmpint (muster_clock_next_due_us (), ==, rounded_up (at_us));

      muster_clock_advance_us (rounded_up (at_us) - 1 - START);
      g_assert_cmpuint (probe.n_runs, ==, 0);
      g_assert_cmpint (muster_clock_next_due_us (), ==, rounded_up (at_us));

      muster_clock_advance_us (1);
      g_assert_cmpuint (probe.n_runs, ==, 1);
      g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
    }
  }
}

static void
test_never_is_never (void)
{
  Probe never = { 0 };

  start_clock ();
  muster_timer_init (&never.timer, on_probe, &never);
  muster_timer_arm_at (&never.timer, G_MAXINT64);
  muster_clock_advance_us (400 * DAY);
  muster_timer_arm_in_ms (&never.timer, G_MAXINT64);
  muster_clock_advance_us (400 * DAY);
  g_assert_cmpuint (never.n_runs, ==, 0);
  g_assert_true (muster_timer_is_armed (&never.timer));

  muster_timer_cancel (&never.timer);
  g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
}

/* the past */

static void
test_past_runs_in_the_next_turn (void)
{
  static const gint64 ago[] = { 0, 1, TICK, DAY };

  for (guint i = 0; i < G_N_ELEMENTS (ago); i++) {
    Probe probe = { 0 };

    start_clock ();
    muster_timer_init (&probe.timer, on_probe, &probe);

    probe_arm (&probe, START - ago[i]);
    g_assert_cmpuint (probe.n_runs, ==, 0);
    g_assert_cmpint (muster_clock_next_due_us (), ==, START);
    g_assert_true (g_main_context_iteration (NULL, FALSE));
    g_assert_cmpuint (probe.n_runs, ==, 1);
    g_assert_cmpint (probe.ran_at_us, ==, START);

    probe_arm (&probe, -ago[i]);
    g_assert_cmpuint (probe.n_runs, ==, 1);
    muster_clock_advance_us (0);
    g_assert_cmpuint (probe.n_runs, ==, 2);
    g_assert_cmpint (probe.ran_at_us, ==, START);

    muster_timer_arm_in_ms (&probe.timer, -5);
    muster_timer_cancel (&probe.timer);
    muster_clock_advance_us (SECOND);
    g_assert_cmpuint (probe.n_runs, ==, 2);
  }
}

/* Virtual time waits: a loop that turns does not make a timer due. */
static void
test_loop_does_not_move_the_clock (void)
{
  Probe probe = { 0 };

  start_clock ();
  muster_timer_init (&probe.timer, on_probe, &probe);
  probe_arm (&probe, START + 1);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (probe.n_runs, ==, 0);
  muster_timer_cancel (&probe.timer);
}

/* callbacks */

static void
on_rearm (MusterTimer *timer, gpointer user_data)
{
  guint *n_runs = user_data;

  if (++*n_runs < 1000)
    muster_timer_arm_in_ms (timer, 700);
}

static void
test_rearm_in_callback (void)
{
  MusterTimer timer;
  guint n_runs = 0;

  start_clock ();
  muster_timer_init (&timer, on_rearm, &n_runs);
  muster_timer_arm_at (&timer, rounded_up (START));
  muster_clock_advance_us (HOUR);
  g_assert_cmpuint (n_runs, ==, 1000);

  n_runs = 0;
  muster_timer_arm_at (&timer, rounded_up (muster_clock_now_us ()));
  muster_clock_advance_us (TICK + 998 * 700 * MS);
  g_assert_cmpuint (n_runs, ==, 999); /* each ran at its own time, not at the end */
  g_assert_cmpint (muster_clock_next_due_us () % TICK, ==, 0);
  muster_timer_cancel (&timer);
}

#define N_NEIGHBOURS 3

typedef struct {
  Probe probes[N_NEIGHBOURS];
  MusterTimer actor;
  void (*act) (MusterTimer *timer);
} Neighbours;

static void
on_actor (MusterTimer *timer, gpointer user_data)
{
  Neighbours *neighbours = user_data;

  for (guint i = 0; i < N_NEIGHBOURS; i++)
    neighbours->act (&neighbours->probes[i].timer);
}

static void
postpone (MusterTimer *timer)
{
  muster_timer_arm_in_ms (timer, 50);
}

static void
overdue (MusterTimer *timer)
{
  muster_timer_arm_at (timer, 0);
}

/* All due in one slot, the acting one in the middle: it reaches one that has run, and those to come. */
static void
neighbours_run (Neighbours *neighbours, void (*act) (MusterTimer *timer))
{
  gint64 due_us = rounded_up (START) + SECOND;

  start_clock ();
  *neighbours = (Neighbours){ .act = act };
  for (guint i = 0; i < N_NEIGHBOURS; i++) {
    muster_timer_init (&neighbours->probes[i].timer, on_probe, &neighbours->probes[i]);
    probe_arm (&neighbours->probes[i], due_us - 40 * MS + i * 10 * MS);
  }
  muster_timer_init (&neighbours->actor, on_actor, neighbours);
  muster_timer_arm_at (&neighbours->actor, due_us - 35 * MS);
  muster_clock_advance_us (due_us - START);
}

static void
test_cancel_neighbours (void)
{
  Neighbours neighbours;

  neighbours_run (&neighbours, muster_timer_cancel);
  g_assert_cmpuint (neighbours.probes[0].n_runs, ==, 1);
  g_assert_cmpuint (neighbours.probes[1].n_runs, ==, 0);
  g_assert_cmpuint (neighbours.probes[2].n_runs, ==, 0);
  g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
}

static void
test_postpone_neighbours (void)
{
  Neighbours neighbours;

  neighbours_run (&neighbours, postpone);
  g_assert_cmpuint (neighbours.probes[0].n_runs, ==, 1);
  g_assert_cmpuint (neighbours.probes[1].n_runs, ==, 0);
  g_assert_cmpuint (neighbours.probes[2].n_runs, ==, 0);
  g_assert_cmpint (muster_clock_next_due_us (), ==, muster_clock_now_us () + TICK);

  muster_clock_advance_us (TICK);
  g_assert_cmpuint (neighbours.probes[0].n_runs, ==, 2);
  g_assert_cmpuint (neighbours.probes[1].n_runs, ==, 1);
  g_assert_cmpuint (neighbours.probes[2].n_runs, ==, 1);
}

static void
test_overdue_neighbours (void)
{
  Neighbours neighbours;

  neighbours_run (&neighbours, overdue);
  g_assert_cmpuint (neighbours.probes[0].n_runs, ==, 2);
  g_assert_cmpuint (neighbours.probes[1].n_runs, ==, 1);
  g_assert_cmpuint (neighbours.probes[2].n_runs, ==, 1);
  g_assert_cmpint (neighbours.probes[0].ran_at_us, ==, muster_clock_now_us ());
}

static void
on_free (MusterTimer *timer, gpointer user_data)
{
  guint *n_runs = user_data;

  g_free (timer);
  ++*n_runs;
}

static void
test_free_in_callback (void)
{
  guint n_runs = 0;

  start_clock ();
  for (guint i = 0; i < 5; i++) {
    MusterTimer *timer = g_new (MusterTimer, 1);

    muster_timer_init (timer, on_free, &n_runs);
    muster_timer_arm_in_ms (timer, 100);
  }
  muster_clock_advance_us (SECOND);
  g_assert_cmpuint (n_runs, ==, 5);
}

/* jumps */

static void
on_ordered (MusterTimer *timer, gpointer user_data)
{
  gint64 *last_at_us = user_data;

  g_assert_cmpint (timer->at_us, >=, *last_at_us);
  *last_at_us = timer->at_us;
}

/* Armed over 8 h and left alone by the loop, as in a suspend: in order, at their own times. */
static void
test_jump_of_eight_hours (void)
{
  g_autofree MusterTimer *timers = g_new (MusterTimer, N_MANY);
  g_autoptr (GRand) rand = g_rand_new_with_seed (8);
  gint64 last_at_us = 0;

  start_clock ();
  for (guint i = 0; i < N_MANY; i++) {
    muster_timer_init (&timers[i], on_ordered, &last_at_us);
    muster_timer_arm_at (&timers[i], START + (gint64) g_rand_double_range (rand, 1, 8 * HOUR));
  }
  muster_clock_advance_us (8 * HOUR + TICK);

  for (guint i = 0; i < N_MANY; i++)
    g_assert_false (muster_timer_is_armed (&timers[i]));
}

/* After hours without any timer the wheel stands where it stood: new timers must not mind. */
static void
test_idle_wheel_catches_up (void)
{
  static const gint64 delays_us[] = { TICK, 12 * SECOND, 14 * SECOND, HOUR, 3 * HOUR };
  Probe probes[G_N_ELEMENTS (delays_us)] = { 0 };

  start_clock ();
  for (guint round = 0; round < 3; round++) {
    gint64 now_us;

    muster_clock_advance_us (9 * HOUR + 33 * MS);
    now_us = muster_clock_now_us ();
    for (guint i = 0; i < G_N_ELEMENTS (probes); i++) {
      muster_timer_init (&probes[i].timer, on_probe, &probes[i]);
      probe_arm (&probes[i], now_us + delays_us[i]);
    }
    muster_clock_advance_us (4 * HOUR);
    for (guint i = 0; i < G_N_ELEMENTS (probes); i++)
      g_assert_cmpint (probes[i].ran_at_us, ==, rounded_up (probes[i].at_us));
  }
}

/* cost */

static void
on_refresh (MusterTimer *timer, gpointer user_data)
{
  guint *n_refreshes = user_data;

  ++*n_refreshes;
  muster_timer_arm_in_ms (timer, 600 * 1000);
}

static void
test_virtual_day (void)
{
  const guint n_accounts = 10000;
  g_autofree MusterTimer *timers = g_new (MusterTimer, n_accounts);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  guint n_refreshes = 0;
  double elapsed_s;

  start_clock ();
  for (guint i = 0; i < n_accounts; i++) {
    muster_timer_init (&timers[i], on_refresh, &n_refreshes);
    muster_timer_arm_in_ms (&timers[i], g_rand_int_range (rand, 1, 600 * 1000));
  }

  g_test_timer_start ();
  muster_clock_advance_us (DAY);
  elapsed_s = g_test_timer_elapsed ();
  g_test_minimized_result (elapsed_s, "a day of %u refreshes: %.3f s", n_refreshes, elapsed_s);

  /* every refresh may be a tick later than the one before */
  g_assert_cmpuint (n_refreshes, >=, n_accounts * 143);
  g_assert_cmpuint (n_refreshes, <=, n_accounts * 144);
  /* 0.2 s, on a busy machine or under valgrind several; a wheel that looks at each timer takes minutes */
  g_assert_cmpfloat (elapsed_s, <, 20.0);

  for (guint i = 0; i < n_accounts; i++)
    muster_timer_cancel (&timers[i]);
}

/* the oracle */

#define N_ORACLE     300
#define N_OPERATIONS 6000

typedef struct {
  MusterTimer timer;
  gboolean is_armed;
  gboolean is_in_batch; /* was due when the present batch began */
  gint64 at_us;
  gint64 due_us;
  guint64 seq;
} Entry;

typedef struct {
  GRand *rand;
  Entry entries[N_ORACLE];
  guint64 last_seq;
  guint n_runs;
} Oracle;

static void on_entry (MusterTimer *timer, gpointer user_data);

/* Spans of every level, and the past. */
static gint64
random_span_us (GRand *rand)
{
  static const double spans_us[] = { 100 * MS, 3 * SECOND, 20 * SECOND, HOUR, 2 * HOUR, 9 * DAY };
  double span_us = spans_us[g_rand_int_range (rand, 0, G_N_ELEMENTS (spans_us))];

  return (gint64) g_rand_double_range (rand, -0.05 * span_us, span_us);
}

static void
oracle_arm (Oracle *oracle, Entry *entry)
{
  gint64 now_us = muster_clock_now_us ();

  entry->is_armed = TRUE;
  entry->is_in_batch = FALSE;
  entry->at_us = now_us + random_span_us (oracle->rand);
  entry->due_us = entry->at_us <= now_us ? now_us : rounded_up (entry->at_us);
  entry->seq = ++oracle->last_seq;
  muster_timer_arm_at (&entry->timer, entry->at_us);
}

static void
oracle_cancel (Entry *entry)
{
  entry->is_armed = FALSE;
  entry->is_in_batch = FALSE;
  muster_timer_cancel (&entry->timer);
}

static void
oracle_act (Oracle *oracle)
{
  Entry *entry = &oracle->entries[g_rand_int_range (oracle->rand, 0, N_ORACLE)];

  g_assert_cmpint (muster_timer_is_armed (&entry->timer), ==, entry->is_armed);
  if (g_rand_int_range (oracle->rand, 0, 4) == 0)
    oracle_cancel (entry);
  else
    oracle_arm (oracle, entry);
}

static gint64
oracle_next_due_us (Oracle *oracle)
{
  gint64 due_us = G_MAXINT64;

  for (guint i = 0; i < N_ORACLE; i++) {
    if (oracle->entries[i].is_armed)
      due_us = MIN (due_us, oracle->entries[i].due_us);
  }

  return due_us;
}

static Entry *
oracle_first_in_batch (Oracle *oracle)
{
  Entry *first = NULL;

  for (guint i = 0; i < N_ORACLE; i++) {
    Entry *entry = &oracle->entries[i];

    if (entry->is_in_batch && (first == NULL || entry->at_us < first->at_us ||
                               (entry->at_us == first->at_us && entry->seq < first->seq)))
      first = entry;
  }

  return first;
}

static Entry *
oracle_expect (Oracle *oracle)
{
  Entry *first = oracle_first_in_batch (oracle);
  gint64 due_us;

  if (first != NULL)
    return first;

  due_us = oracle_next_due_us (oracle);
  for (guint i = 0; i < N_ORACLE; i++) {
    if (oracle->entries[i].is_armed && oracle->entries[i].due_us == due_us)
      oracle->entries[i].is_in_batch = TRUE;
  }

  return oracle_first_in_batch (oracle);
}

static void
on_entry (MusterTimer *timer, gpointer user_data)
{
  Oracle *oracle = user_data;
  Entry *expected = oracle_expect (oracle);

  g_assert_true (expected != NULL && timer == &expected->timer);
  g_assert_cmpint (muster_clock_now_us (), ==, expected->due_us);
  expected->is_armed = FALSE;
  expected->is_in_batch = FALSE;
  oracle->n_runs++;

  for (gint n = g_rand_int_range (oracle->rand, 0, 3); n > 0; n--)
    oracle_act (oracle);
}

static void
test_against_oracle (gconstpointer seed)
{
  g_autofree Oracle *oracle = g_new0 (Oracle, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (GPOINTER_TO_UINT (seed));

  start_clock ();
  oracle->rand = rand;
  for (guint i = 0; i < N_ORACLE; i++)
    muster_timer_init (&oracle->entries[i].timer, on_entry, oracle);

  for (guint i = 0; i < N_OPERATIONS; i++) {
    oracle_act (oracle);
    g_assert_cmpint (muster_clock_next_due_us (), ==, oracle_next_due_us (oracle));

    if (g_rand_int_range (rand, 0, 3) == 0) {
      gint64 by_us = random_span_us (rand) / 20;

      muster_clock_advance_us (MAX (0, by_us));
      g_assert_cmpint (oracle_next_due_us (oracle), >, muster_clock_now_us ());
      g_assert_cmpint (muster_clock_next_due_us (), ==, oracle_next_due_us (oracle));
    }
  }

  g_assert_cmpuint (oracle->n_runs, >, 1000);
  for (guint i = 0; i < N_ORACLE; i++)
    oracle_cancel (&oracle->entries[i]);
}

int
main (int argc, char **argv)
{
  static const gint64 spans_us[] = { 3 * SECOND, 4000 * SECOND, 9 * DAY };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/clock/stands-and-steps", test_clock_stands_and_steps);
  g_test_add_data_func ("/timer/punctual/3-s", &spans_us[0], test_punctual_over);
  g_test_add_data_func ("/timer/punctual/4000-s", &spans_us[1], test_punctual_over);
  g_test_add_data_func ("/timer/punctual/9-days", &spans_us[2], test_punctual_over);
  g_test_add_func ("/timer/edges-of-the-levels", test_edges_of_the_levels);
  g_test_add_func ("/timer/never-is-never", test_never_is_never);
  g_test_add_func ("/timer/past-runs-in-the-next-turn", test_past_runs_in_the_next_turn);
  g_test_add_func ("/timer/loop-does-not-move-the-clock", test_loop_does_not_move_the_clock);
  g_test_add_func ("/timer/rearm-in-callback", test_rearm_in_callback);
  g_test_add_func ("/timer/cancel-neighbours", test_cancel_neighbours);
  g_test_add_func ("/timer/postpone-neighbours", test_postpone_neighbours);
  g_test_add_func ("/timer/overdue-neighbours", test_overdue_neighbours);
  g_test_add_func ("/timer/free-in-callback", test_free_in_callback);
  g_test_add_func ("/timer/jump-of-eight-hours", test_jump_of_eight_hours);
  g_test_add_func ("/timer/idle-wheel-catches-up", test_idle_wheel_catches_up);
  g_test_add_func ("/timer/virtual-day", test_virtual_day);
  for (guint seed = 1; seed <= 5; seed++) {
    g_autofree char *path = g_strdup_printf ("/timer/oracle/%u", seed);

    g_test_add_data_func (path, GUINT_TO_POINTER (seed), test_against_oracle);
  }

  return g_test_run ();
}
