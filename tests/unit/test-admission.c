/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-hub-private.h"
#include "runtime/muster-admission.h"

#include <muster/muster-error.h>

/* Admission on virtual time: attempts of many accounts, and services that answer, fail or are silent. */

#define MS     (G_GINT64_CONSTANT (1000))
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define TICK   (50 * MS)

typedef struct {
  MusterAdmission *admission;
  GArray *granted;  /* guint: the attempts' numbers, in the order of their going out */
  gint64 answer_us; /* the services answer after this; 0: in the same moment; -1: never */
} World;

typedef struct {
  World *world;
  guint number;
  const char *host;
  MusterTicket ticket;
  MusterTimer answer;
  gint64 granted_us; /* -1: not yet */
} Attempt;

static void
world_init (World *world, guint n_accounts)
{
  muster_clock_use_virtual (1000 * SECOND, 0);
  world->admission = muster_admission_new ();
  muster_admission_set_accounts (world->admission, n_accounts);
  world->granted = g_array_new (FALSE, FALSE, sizeof (guint));
  world->answer_us = 0;
}

static void
world_clear (World *world)
{
  g_assert_cmpuint (muster_admission_count_waiting (world->admission), ==, 0);
  muster_admission_free (world->admission);
  g_array_unref (world->granted);
}

static void
attempt_end (Attempt *attempt, const GError *outcome)
{
  muster_admission_release (attempt->world->admission, &attempt->ticket, outcome);
}

static void
on_answer (MusterTimer *timer, gpointer user_data)
{
  attempt_end (user_data, NULL);
}

static void
on_granted (MusterTicket *ticket, gpointer user_data)
{
  Attempt *attempt = user_data;
  World *world = attempt->world;

  g_assert_true (ticket == &attempt->ticket);
  g_assert_false (muster_ticket_is_waiting (ticket));
  g_assert_cmpint (attempt->granted_us, ==, -1);
  attempt->granted_us = muster_clock_now_us ();
  g_array_append_val (world->granted, attempt->number);
  if (world->answer_us == 0)
    attempt_end (attempt, NULL);
  else if (world->answer_us > 0)
    muster_timer_arm_at (&attempt->answer, muster_clock_now_us () + world->answer_us);
}

static void
attempt_begin (Attempt *attempt)
{
  attempt->granted_us = -1;
  muster_admission_request (attempt->world->admission, attempt->host, &attempt->ticket, on_granted,
                            attempt);
}

static Attempt *
make_attempts (World *world, guint n, const char *host)
{
  Attempt *attempts = g_new0 (Attempt, n);

  for (guint i = 0; i < n; i++) {
    attempts[i].world = world;
    attempts[i].number = i;
    attempts[i].host = host;
    muster_timer_init (&attempts[i].answer, on_answer, &attempts[i]);
  }

  return attempts;
}

static guint
granted (World *world)
{
  return world->granted->len;
}

static guint
granted_number (World *world, guint i)
{
  return g_array_index (world->granted, guint, i);
}

static void
fail_busy (Attempt *attempt)
{
  g_autoptr (GError) error = muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_REGISTER, "busy");

  attempt_end (attempt, error);
}

/* the first ones */

static void
test_a_few_are_not_delayed (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;

  world_init (&world, 5);
  world.answer_us = -1;
  attempts = make_attempts (&world, 5, "sip.example.org");
  for (guint i = 0; i < 5; i++) {
    attempt_begin (&attempts[i]);
    g_assert_cmpint (attempts[i].granted_us, ==, muster_clock_now_us ());
  }
  g_assert_cmpuint (muster_admission_count_in_flight (world.admission), ==, 5);

  for (guint i = 0; i < 5; i++)
    attempt_end (&attempts[i], NULL);
  g_assert_cmpuint (muster_admission_count_in_flight (world.admission), ==, 0);
  world_clear (&world);
}

static void
test_local_passes (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;

  world_init (&world, 3000);
  world.answer_us = -1;
  attempts = make_attempts (&world, 3000, NULL);
  for (guint i = 0; i < 3000; i++)
    attempt_begin (&attempts[i]);
  g_assert_cmpuint (granted (&world), ==, 3000);
  g_assert_cmpuint (muster_admission_count_hosts (world.admission), ==, 0);
  g_assert_cmpuint (muster_admission_count_in_flight (world.admission), ==, 0);

  for (guint i = 0; i < 3000; i++)
    fail_busy (&attempts[i]);
  world_clear (&world);
}

/* rates */

static void
test_rate_of_a_host (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;

  world_init (&world, 200);
  attempts = make_attempts (&world, 200, "sip.example.org");
  for (guint i = 0; i < 200; i++)
    attempt_begin (&attempts[i]);
  g_assert_cmpuint (granted (&world), ==, 20);

  for (guint s = 1; s <= 9; s++) {
    muster_clock_advance_us (SECOND);
    g_assert_cmpuint (granted (&world), >=, 20 + 20 * s - 2);
    g_assert_cmpuint (granted (&world), <=, 20 + 20 * s);
  }
  muster_clock_advance_us (TICK * 2);
  g_assert_cmpuint (granted (&world), ==, 200);
  for (guint i = 0; i < 200; i++)
    g_assert_cmpuint (granted_number (&world, i), ==, i);

  world_clear (&world);
}

/* 10,000 to one service: 100 at once, then 1,000/s. */
static void
test_fleet_on_one_host (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;

  world_init (&world, 10000);
  world.answer_us = 100 * MS;
  attempts = make_attempts (&world, 10000, "sip.example.org");
  for (guint i = 0; i < 10000; i++)
    attempt_begin (&attempts[i]);
  g_assert_cmpuint (granted (&world), ==, 100);

  for (guint s = 1; s <= 9; s++) {
    muster_clock_advance_us (SECOND);
    g_assert_cmpuint (granted (&world), >=, 100 + 1000 * s - 60);
    g_assert_cmpuint (granted (&world), <=, 100 + 1000 * s);
  }
  muster_clock_advance_us (SECOND);
  g_assert_cmpuint (granted (&world), ==, 10000);
  for (guint i = 0; i < 10000; i++)
    g_assert_cmpuint (granted_number (&world, i), ==, i);

  muster_clock_advance_us (SECOND);
  world_clear (&world);
}

/* 10,000 to as many services: 2,000/s in all. */
static void
test_fleet_on_many_hosts (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  world_init (&world, 10000);
  world.answer_us = 100 * MS;
  attempts = make_attempts (&world, 10000, NULL);
  for (guint i = 0; i < 10000; i++) {
    g_ptr_array_add (names, g_strdup_printf ("sip%u.example.org", i));
    attempts[i].host = names->pdata[i];
    attempt_begin (&attempts[i]);
  }
  g_assert_cmpuint (granted (&world), ==, 200);

  for (guint s = 1; s <= 4; s++) {
    muster_clock_advance_us (SECOND);
    g_assert_cmpuint (granted (&world), >=, 200 + 2000 * s - 120);
    g_assert_cmpuint (granted (&world), <=, 200 + 2000 * s);
  }
  muster_clock_advance_us (SECOND);
  g_assert_cmpuint (granted (&world), ==, 10000);
  g_assert_cmpuint (muster_admission_count_hosts (world.admission), ==, 10000);

  muster_clock_advance_us (11 * MINUTE);
  g_assert_cmpuint (muster_admission_count_hosts (world.admission), ==, 0);
  world_clear (&world);
}

/* places */

static void
test_in_flight (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;

  world_init (&world, 300);
  world.answer_us = -1;
  attempts = make_attempts (&world, 300, "silent.example.org");
  for (guint i = 0; i < 300; i++)
    attempt_begin (&attempts[i]);

  muster_clock_advance_us (MINUTE);
  g_assert_cmpuint (granted (&world), ==, 100);
  g_assert_cmpuint (muster_admission_count_in_flight (world.admission), ==, 100);

  /* A place that is given back goes to the next one at once. */
  attempt_end (&attempts[granted_number (&world, 7)], NULL);
  g_assert_cmpuint (granted (&world), ==, 101);
  g_assert_cmpuint (granted_number (&world, 100), ==, 100);

  world.answer_us = 0;
  for (guint i = 0; i < 101; i++) {
    if (i != 7)
      attempt_end (&attempts[i], NULL);
  }
  muster_clock_advance_us (MINUTE);
  g_assert_cmpuint (granted (&world), ==, 300);
  world_clear (&world);
}

/* Services share the places for all by turns, and what one gives back goes on to any. */
static void
test_in_flight_of_all (void)
{
  World world;
  g_autofree Attempt *silent = NULL;
  g_autofree Attempt *others = NULL;

  world_init (&world, 200);
  world.answer_us = -1;
  silent = make_attempts (&world, 60, "silent.example.org");
  others = make_attempts (&world, 60, "other.example.org");
  for (guint i = 0; i < 60; i++) {
    attempt_begin (&silent[i]);
    attempt_begin (&others[i]);
  }
  muster_clock_advance_us (MINUTE);
  g_assert_cmpuint (granted (&world), ==, 100);
  g_assert_cmpuint (muster_admission_count_waiting (world.admission), ==, 20);

  world.answer_us = 0;
  for (guint i = 0; i < 50; i++)
    attempt_end (&others[i], NULL);
  g_assert_cmpuint (granted (&world), ==, 120);
  for (guint i = 0; i < 50; i++)
    attempt_end (&silent[i], NULL);
  world_clear (&world);
}

/* fairness */

static void
test_hosts_take_turns (void)
{
  World world;
  g_autofree Attempt *many = NULL;
  g_autofree Attempt *few = NULL;
  gint64 start_us;

  world_init (&world, 10000);
  world.answer_us = -1; /* places run out, so that hosts must take turns for them */
  many = make_attempts (&world, 5000, "big.example.org");
  few = make_attempts (&world, 10, "small.example.org");
  for (guint i = 0; i < 5000; i++)
    attempt_begin (&many[i]);
  muster_clock_advance_us (2 * SECOND);
  g_assert_cmpuint (granted (&world), ==, 1000);
  for (guint i = 0; i < 10; i++)
    attempt_begin (&few[i]);
  g_assert_cmpint (few[0].granted_us, ==, -1);

  /* Twenty places become free: every second one goes to the small one. */
  start_us = muster_clock_now_us ();
  for (guint i = 0; i < 20; i++)
    attempt_end (&many[i], NULL);
  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (few[i].granted_us, ==, start_us);
  g_assert_cmpuint (granted (&world), ==, 1020);

  for (guint i = 0; i < 10; i++)
    attempt_end (&few[i], NULL);
  world.answer_us = 1 * MS;
  for (guint i = 20; i < 1020; i++)
    attempt_end (&many[i], NULL);
  muster_clock_advance_us (MINUTE);
  g_assert_cmpuint (granted (&world), ==, 5010);
  world_clear (&world);
}

/* Another host is as quick as if the crowd were not there. */
static void
test_no_starvation (void)
{
  World world;
  g_autofree Attempt *many = NULL;
  g_autofree Attempt *one = NULL;
  gint64 asked_us;

  world_init (&world, 999);
  world.answer_us = 20 * MS;
  many = make_attempts (&world, 900, "big.example.org");
  one = make_attempts (&world, 1, "small.example.org");
  for (guint i = 0; i < 900; i++)
    attempt_begin (&many[i]);
  muster_clock_advance_us (3 * SECOND);
  asked_us = muster_clock_now_us ();
  attempt_begin (one);
  g_assert_cmpint (one->granted_us, ==, asked_us);

  muster_clock_advance_us (MINUTE);
  g_assert_cmpuint (granted (&world), ==, 901);
  world_clear (&world);
}

/* overload */

static void
test_halving_and_recovery (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;
  const char *host = "busy.example.org";
  double rate;

  world_init (&world, 100);
  world.answer_us = -1;
  attempts = make_attempts (&world, 40, host);

  /* All that are under way fail: that is one piece of news. */
  for (guint i = 0; i < 10; i++)
    attempt_begin (&attempts[i]);
  for (guint i = 0; i < 10; i++)
    fail_busy (&attempts[i]);
  g_assert_cmpfloat (muster_admission_get_rate_per_s (world.admission, host), ==, 10);

  /* What goes out after that is another. */
  attempt_begin (&attempts[10]);
  fail_busy (&attempts[10]);
  g_assert_cmpfloat (muster_admission_get_rate_per_s (world.admission, host), ==, 5);

  /* Another host has nothing to do with it. */
  g_assert_cmpfloat (muster_admission_get_rate_per_s (world.admission, "other"), ==, 20);

  /* A success after 1 s: 10 % more; two in the same moment, no more than one. */
  muster_clock_advance_us (SECOND);
  attempt_begin (&attempts[11]);
  attempt_begin (&attempts[12]);
  attempt_end (&attempts[11], NULL);
  attempt_end (&attempts[12], NULL);
  g_assert_cmpfloat_with_epsilon (muster_admission_get_rate_per_s (world.admission, host), 5.5,
                                  1e-6);

  /* Nothing is earned by waiting. */
  muster_clock_advance_us (MINUTE);
  attempt_begin (&attempts[13]);
  attempt_end (&attempts[13], NULL);
  g_assert_cmpfloat_with_epsilon (muster_admission_get_rate_per_s (world.admission, host), 6.05,
                                  1e-6);

  /* Back to the default, and no further. */
  for (guint i = 0; i < 13; i++) {
    rate = muster_admission_get_rate_per_s (world.admission, host);
    muster_clock_advance_us (SECOND);
    attempt_begin (&attempts[14]);
    attempt_end (&attempts[14], NULL);
    g_assert_cmpfloat_with_epsilon (muster_admission_get_rate_per_s (world.admission, host),
                                    MIN (rate * 1.1, 20), 1e-6);
  }
  g_assert_cmpfloat (muster_admission_get_rate_per_s (world.admission, host), ==, 20);
  world_clear (&world);
}

static void
test_floor (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;
  const char *host = "busy.example.org";
  guint before;

  world_init (&world, 100);
  world.answer_us = -1;
  attempts = make_attempts (&world, 30, host);
  for (guint i = 0; i < 10; i++) {
    attempt_begin (&attempts[i]);
    fail_busy (&attempts[i]);
    muster_clock_advance_us (2 * SECOND);
  }
  g_assert_cmpfloat_with_epsilon (muster_admission_get_rate_per_s (world.admission, host), 1, 1e-6);

  before = granted (&world);
  for (guint i = 10; i < 30; i++)
    attempt_begin (&attempts[i]);
  muster_clock_advance_us (10 * SECOND);
  g_assert_cmpuint (granted (&world) - before, >=, 10);
  g_assert_cmpuint (granted (&world) - before, <=, 11);

  muster_clock_advance_us (MINUTE);
  for (guint i = 10; i < 30; i++)
    attempt_end (&attempts[i], NULL);
  world_clear (&world);
}

typedef struct {
  const char *name;
  MusterError code;
  MusterStep step;
  gboolean slows;
} OutcomeRow;

static const OutcomeRow outcomes[] = {
  { "busy", MUSTER_ERROR_BUSY, MUSTER_STEP_REGISTER, TRUE },
  { "timed out", MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT, TRUE },
  { "unreachable, step not said", MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_NONE, TRUE },
  { "the secret cannot be read", MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_SECRET, FALSE },
  { "refused", MUSTER_ERROR_REFUSED, MUSTER_STEP_AUTHENTICATE, FALSE },
  { "expired", MUSTER_ERROR_EXPIRED, MUSTER_STEP_REGISTER, FALSE },
  { "nonsense", MUSTER_ERROR_PROTOCOL, MUSTER_STEP_REGISTER, FALSE },
  { "forbidden", MUSTER_ERROR_FORBIDDEN, MUSTER_STEP_REGISTER, FALSE },
};

static void
test_what_slows_down (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++) {
    g_autoptr (GError) error = muster_error_new (outcomes[i].code, outcomes[i].step, "no");
    g_autofree Attempt *attempt = NULL;
    World world;

    g_test_message ("%s", outcomes[i].name);
    world_init (&world, 1);
    world.answer_us = -1;
    attempt = make_attempts (&world, 1, "a");
    attempt_begin (attempt);
    attempt_end (attempt, error);
    g_assert_cmpfloat (muster_admission_get_rate_per_s (world.admission, "a"), ==,
                       outcomes[i].slows ? 10 : 20);
    world_clear (&world);
  }
}

/* giving up */

static void
test_withdraw (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;

  world_init (&world, 50);
  attempts = make_attempts (&world, 50, "sip.example.org");
  for (guint i = 0; i < 50; i++)
    attempt_begin (&attempts[i]);
  g_assert_cmpuint (granted (&world), ==, 20);
  g_assert_true (muster_ticket_is_waiting (&attempts[20].ticket));

  /* The first, one in the middle, the last. */
  muster_admission_withdraw (world.admission, &attempts[20].ticket);
  muster_admission_withdraw (world.admission, &attempts[33].ticket);
  muster_admission_withdraw (world.admission, &attempts[49].ticket);
  g_assert_false (muster_ticket_is_waiting (&attempts[20].ticket));
  g_assert_cmpuint (muster_admission_count_waiting (world.admission), ==, 27);
  muster_clock_advance_us (MINUTE);
  g_assert_cmpuint (granted (&world), ==, 47);
  for (guint i = 20; i < 47; i++) {
    g_assert_cmpuint (granted_number (&world, i), !=, 20);
    g_assert_cmpuint (granted_number (&world, i), !=, 33);
    g_assert_cmpuint (granted_number (&world, i), !=, 49);
  }

  /* A ticket is good for another attempt. */
  attempt_begin (&attempts[20]);
  g_assert_cmpuint (granted (&world), ==, 48);

  /* All of them: the host has nothing to wait for any more. */
  for (guint i = 0; i < 40; i++)
    attempt_begin (&attempts[i]);
  for (guint i = 0; i < 40; i++) {
    if (muster_ticket_is_waiting (&attempts[i].ticket))
      muster_admission_withdraw (world.admission, &attempts[i].ticket);
  }
  muster_clock_advance_us (11 * MINUTE);
  g_assert_cmpuint (muster_admission_count_hosts (world.admission), ==, 0);
  world_clear (&world);
}

/* What the granted one does inside its function is allowed to be anything. */
static void
on_granted_withdraws (MusterTicket *ticket, gpointer user_data)
{
  Attempt *attempt = user_data;
  Attempt *next = attempt + 1;

  g_array_append_val (attempt->world->granted, attempt->number);
  if (muster_ticket_is_waiting (&next->ticket))
    muster_admission_withdraw (attempt->world->admission, &next->ticket);
  muster_admission_release (attempt->world->admission, ticket, NULL);
  if (granted (attempt->world) < 100)
    muster_admission_request (attempt->world->admission, attempt->host, ticket,
                              on_granted_withdraws, attempt);
}

static void
test_functions_may_do_anything (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;

  world_init (&world, 5);
  attempts = make_attempts (&world, 41, "sip.example.org");
  for (guint i = 0; i < 40; i++)
    muster_admission_request (world.admission, attempts[i].host, &attempts[i].ticket,
                              on_granted_withdraws, &attempts[i]);
  muster_clock_advance_us (MINUTE);
  g_assert_cmpuint (granted (&world), >=, 100);
  g_assert_cmpuint (muster_admission_count_waiting (world.admission), ==, 0);
  world_clear (&world);
}

/* the rest */

static void
test_fleet_switch (void)
{
  World world;
  g_autofree Attempt *attempts = NULL;

  world_init (&world, 999);
  attempts = make_attempts (&world, 900, "sip.example.org");
  for (guint i = 0; i < 900; i++)
    attempt_begin (&attempts[i]);
  muster_clock_advance_us (SECOND);
  g_assert_cmpuint (granted (&world), <=, 40);

  muster_admission_set_accounts (world.admission, 1000);
  g_assert_cmpfloat (muster_admission_get_rate_per_s (world.admission, "sip.example.org"), ==,
                     1000);
  muster_clock_advance_us (SECOND);
  g_assert_cmpuint (granted (&world), ==, 900);

  muster_admission_set_accounts (world.admission, 999);
  g_assert_cmpfloat (muster_admission_get_rate_per_s (world.admission, "sip.example.org"), ==, 20);
  world_clear (&world);
}

static void
test_hosts_are_bounded (void)
{
  World world;
  g_autofree Attempt *attempt = NULL;

  world_init (&world, 10);
  attempt = make_attempts (&world, 1, NULL);
  for (guint i = 0; i < 1000; i++) {
    g_autofree char *host = g_strdup_printf ("%u.example.org", i);

    attempt->host = host;
    attempt_begin (attempt);
    g_assert_cmpuint (muster_admission_count_hosts (world.admission), <=, 64);
    muster_clock_advance_us (TICK);
  }

  muster_clock_advance_us (9 * MINUTE);
  g_assert_cmpuint (granted (&world), ==, 1000);
  g_assert_cmpuint (muster_admission_count_hosts (world.admission), ==, 64);
  muster_clock_advance_us (2 * MINUTE);
  g_assert_cmpuint (muster_admission_count_hosts (world.admission), ==, 0);
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/admission/a-few-are-not-delayed", test_a_few_are_not_delayed);
  g_test_add_func ("/admission/local-passes", test_local_passes);
  g_test_add_func ("/admission/rate-of-a-host", test_rate_of_a_host);
  g_test_add_func ("/admission/fleet-on-one-host", test_fleet_on_one_host);
  g_test_add_func ("/admission/fleet-on-many-hosts", test_fleet_on_many_hosts);
  g_test_add_func ("/admission/in-flight", test_in_flight);
  g_test_add_func ("/admission/in-flight-of-all", test_in_flight_of_all);
  g_test_add_func ("/admission/hosts-take-turns", test_hosts_take_turns);
  g_test_add_func ("/admission/no-starvation", test_no_starvation);
  g_test_add_func ("/admission/halving-and-recovery", test_halving_and_recovery);
  g_test_add_func ("/admission/floor", test_floor);
  g_test_add_func ("/admission/what-slows-down", test_what_slows_down);
  g_test_add_func ("/admission/withdraw", test_withdraw);
  g_test_add_func ("/admission/functions-may-do-anything", test_functions_may_do_anything);
  g_test_add_func ("/admission/fleet-switch", test_fleet_switch);
  g_test_add_func ("/admission/hosts-are-bounded", test_hosts_are_bounded);

  return g_test_run ();
}
