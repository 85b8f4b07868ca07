/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib-unix.h>
#include <glib.h>

#include <stdio.h>
#include <time.h>

/*
 * Linked to the daemon's own main() for the benchmarks: how much CPU time of the main thread each turn
 * of its loop takes, from the end of one poll to the beginning of the next. A turn dispatches every
 * source that is ready, so the worst dispatch is never worse than the worst turn.
 *
 * SIGUSR1 writes one line of JSON about the time since the last one.
 *
 * With BENCH_WITHOUT_PROOFS accounts do not prove that they can be reached: the rivals do not, either.
 */

#define WORTH_US 1000
#define SLOW_NS  (10 * G_GINT64_CONSTANT (1000000))

#define NEVER_MS (24 * 60 * 60 * G_GINT64_CONSTANT (1000))

/* The linker puts it before muster_proof_first_delay_ms (). */
gint64 __real_muster_proof_first_delay_ms (guint n_accounts, guint interval_s, double chance);
gint64 __wrap_muster_proof_first_delay_ms (guint n_accounts, guint interval_s, double chance);

static gint64 turn_began_us; /* 0: none did */
static gint64 turn_began_ns;

static struct {
  guint64 n_turns;
  guint64 n_slow;
  gint64 worst_ns;
} turns;

static gint64
thread_cpu_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

gint64
__wrap_muster_proof_first_delay_ms (guint n_accounts, guint interval_s, double chance)
{
  if (g_getenv ("BENCH_WITHOUT_PROOFS") != NULL)
    return NEVER_MS;

  return __real_muster_proof_first_delay_ms (n_accounts, interval_s, chance);
}

/* Reading a thread's CPU clock is a system call: of turns that were short by the clock on the wall, nobody asks
 * for more. */
static gint
probe_poll (GPollFD *fds, guint n_fds, gint timeout_ms)
{
  gint n_ready;

  if (turn_began_us != 0) {
    turns.n_turns++;
    if (g_get_monotonic_time () - turn_began_us > WORTH_US) {
      gint64 spent_ns = thread_cpu_ns () - turn_began_ns;

      turns.n_slow += spent_ns > SLOW_NS;
      turns.worst_ns = MAX (turns.worst_ns, spent_ns);
    }
  }

  n_ready = g_poll (fds, n_fds, timeout_ms);
  turn_began_us = g_get_monotonic_time ();
  turn_began_ns = thread_cpu_ns ();

  return n_ready;
}

static gboolean
on_report (gpointer user_data)
{
  printf ("{\"turns\": %" G_GUINT64_FORMAT ", \"slow\": %" G_GUINT64_FORMAT
          ", \"worst_ms\": %.3f}\n",
          turns.n_turns, turns.n_slow, (double) turns.worst_ns / 1e6);
  fflush (stdout);
  turns.n_turns = 0;
  turns.n_slow = 0;
  turns.worst_ns = 0;

  return G_SOURCE_CONTINUE;
}

__attribute__ ((constructor)) static void
probe_attach (void)
{
  g_main_context_set_poll_func (NULL, probe_poll);
  g_unix_signal_add (SIGUSR1, on_report, NULL);
}
