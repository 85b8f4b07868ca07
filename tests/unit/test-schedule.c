/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-schedule.h"

/* The broker's sense of time against the numbers that were decided on, written down once more. */

#define MINUTE_MS      (60 * 1000)
#define HOUR_MS        (60 * MINUTE_MS)
#define DAY_S          (24 * 3600)
#define ALMOST_ONE     0.9999999
#define RETRY_CAP_MS   (5 * MINUTE_MS)
#define FIRST_RETRY_MS 2000

/* The latest moment of a refresh of a lease, in milliseconds. */
static double
latest_ms (guint lease_s)
{
  if (lease_s < 120)
    return lease_s * 500.0;
  if (lease_s < 240)
    return lease_s * 600.0;

  return MIN (lease_s * 900.0, (lease_s - 90.0) * 1000);
}

/* refreshing */

/* The examples, by hand. */
static void
test_refresh_moments (void)
{
  static const struct {
    guint lease_s;
    gint64 earliest_ms;
    gint64 latest_ms;
  } moments[] = {
    { 1, 440, 500 },                     /* half */
    { 60, 26400, 30000 },                /* half */
    { 119, 52360, 59500 },               /* half */
    { 120, 63360, 72000 },               /* 60 % */
    { 239, 126192, 143400 },             /* 60 % */
    { 240, 132000, 150000 },             /* 90 s before the end */
    { 300, 184800, 210000 },             /* 90 s before the end */
    { 900, 712800, 810000 },             /* where the two meet */
    { 3600, 2851200, 3240000 },          /* 90 % */
    { 7 * DAY_S, 479001600, 544320000 }, /* 90 % */
  };

  for (guint i = 0; i < G_N_ELEMENTS (moments); i++) {
    g_assert_cmpint (muster_schedule_refresh_ms (moments[i].lease_s, 0, 0), ==,
                     moments[i].earliest_ms);
    g_assert_cmpint (ABS (muster_schedule_refresh_ms (moments[i].lease_s, 0, ALMOST_ONE) -
                          moments[i].latest_ms),
                     <=, 1 + moments[i].latest_ms / 1000000);
  }
}

static void
test_refresh_of_every_lease (void)
{
  for (guint lease_s = 1; lease_s <= 7 * DAY_S; lease_s += lease_s < 5000 ? 1 : 977) {
    gint64 last_ms = -1;

    for (guint i = 0; i <= 10; i++) {
      gint64 at_ms = muster_schedule_refresh_ms (lease_s, 0, MIN (i / 10.0, ALMOST_ONE));

      g_assert_cmpfloat ((double) at_ms, >=, 0.88 * latest_ms (lease_s) - 1);
      g_assert_cmpfloat ((double) at_ms, <=, latest_ms (lease_s));
      g_assert_cmpint (at_ms, <, (gint64) lease_s * 1000);
      g_assert_cmpint (at_ms, >, last_ms); /* drawn, never clamped: no two draws meet */
      last_ms = at_ms;
    }
  }
}

/* What was granted together comes due spread evenly. */
static void
test_refresh_is_spread (void)
{
  guint buckets[12] = { 0 };

  for (guint i = 0; i < 12000; i++) {
    double part = (double) muster_schedule_refresh_ms (3600, 0, i / 12000.0) / 3240000.0;

    buckets[MIN ((guint) ((part - 0.88) * 100), 11)]++;
  }
  for (guint i = 0; i < G_N_ELEMENTS (buckets); i++) {
    g_assert_cmpuint (buckets[i], >, 980);
    g_assert_cmpuint (buckets[i], <, 1020);
  }
}

static void
test_refresh_as_the_plugin_says (void)
{
  g_assert_cmpint (muster_schedule_refresh_ms (3600, 60, 0), ==, 52800);
  g_assert_cmpint (muster_schedule_refresh_ms (3600, 60, ALMOST_ONE), <=, 60000);
  /* It holds until it is lost, but is to be proven: drawn as well. */
  g_assert_cmpint (muster_schedule_refresh_ms (0, 60, 0), ==, 52800);
  g_assert_cmpint (muster_schedule_refresh_ms (0, 60, ALMOST_ONE), <=, 60000);
  g_assert_cmpint (muster_schedule_refresh_ms (0, 60, ALMOST_ONE), >, 59000);
  /* Later than our own rule: ours holds. */
  g_assert_cmpint (muster_schedule_refresh_ms (60, 59, ALMOST_ONE), <=, 30000);
  g_assert_cmpint (muster_schedule_refresh_ms (G_MAXUINT, 0, ALMOST_ONE), >, 0);
}

/* retrying */

static void
test_retry_backs_off (void)
{
  gint64 ceiling_ms = FIRST_RETRY_MS;

  for (guint n = 1; n <= 40; n++) {
    gint64 soonest = muster_schedule_retry_ms (n, 0, 0);
    gint64 latest = muster_schedule_retry_ms (n, 0, ALMOST_ONE);

    /* Full jitter: from next to nothing up to the ceiling. */
    g_assert_cmpint (soonest, >, 0);
    g_assert_cmpint (soonest, <=, 100);
    g_assert_cmpint (latest, <=, ceiling_ms);
    g_assert_cmpint (latest, >=, ceiling_ms - ceiling_ms / 100);
    ceiling_ms = MIN (2 * ceiling_ms, RETRY_CAP_MS);
  }
  g_assert_cmpint (ceiling_ms, ==, RETRY_CAP_MS);
  g_assert_cmpint (muster_schedule_retry_ms (G_MAXUINT, 0, ALMOST_ONE), <=, RETRY_CAP_MS);
  g_assert_cmpint (muster_schedule_retry_ms (0, 0, ALMOST_ONE), <=, FIRST_RETRY_MS);
}

static void
test_retry_keeps_the_protocols_floor (void)
{
  g_assert_cmpint (muster_schedule_retry_ms (1, 30, 0), ==, 30000);
  g_assert_cmpint (muster_schedule_retry_ms (1, 30, 0.5), ==, 33750);
  g_assert_cmpint (muster_schedule_after_error_ms (MUSTER_ERROR_BUSY, 1, 1, 30, 0), ==, 30000);
  g_assert_cmpint (muster_schedule_after_error_ms (MUSTER_ERROR_PROTOCOL, 1, 0, 30, 0), ==, 30000);
  g_assert_cmpint (muster_schedule_retry_ms (40, 1, ALMOST_ONE), <=, RETRY_CAP_MS);
}

/* Those that failed together do not come back together, whatever holds them off. */
static void
test_retry_spreads_over_the_floor (void)
{
  static const struct {
    guint n_failures;
    guint retry_after_s;
  } failures[] = { { 1, 0 }, { 6, 0 }, { 9, 0 }, { 40, 0 }, { 1, 1 }, { 1, 50 }, { 1, 60 } };

  for (guint i = 0; i < G_N_ELEMENTS (failures); i++) {
    gint64 last_ms = 0;

    for (guint j = 0; j < 100; j++) {
      gint64 wait_ms = muster_schedule_after_error_ms (MUSTER_ERROR_BUSY, failures[i].n_failures,
                                                       failures[i].retry_after_s, 60, j / 100.0);

      g_assert_cmpint (wait_ms, >=, 60000);
      g_assert_cmpint (wait_ms, >=, last_ms + 50);
      last_ms = wait_ms;
    }
    if (failures[i].n_failures == 1)
      g_assert_cmpint (last_ms, <=, 75000);
  }
}

static void
test_busy_waits_as_it_was_told (void)
{
  static const struct {
    guint said_s;
    gint64 waits_s;
  } said[] = { { 1, 1 }, { 17, 17 }, { 3600, 3600 }, { 3601, 3600 }, { G_MAXUINT, 3600 } };

  for (guint i = 0; i < G_N_ELEMENTS (said); i++) {
    gint64 soonest = muster_schedule_after_error_ms (MUSTER_ERROR_BUSY, 9, said[i].said_s, 0, 0);
    gint64 latest = muster_schedule_after_error_ms (MUSTER_ERROR_BUSY, 9, said[i].said_s, 0,
                                                    ALMOST_ONE);

    g_assert_cmpint (soonest, ==, said[i].waits_s * 1000); /* never sooner */
    g_assert_cmpint (latest, >, soonest); /* all were told the same, and must not come at once */
    g_assert_cmpint (latest, <=, said[i].waits_s * 1100);
  }

  /* It did not say: backoff. */
  g_assert_cmpint (muster_schedule_after_error_ms (MUSTER_ERROR_BUSY, 1, 0, 0, ALMOST_ONE), <=,
                   FIRST_RETRY_MS);
}

/* What a service could not be told, while the registration stands. */
static void
test_telling_again (void)
{
  static const MusterError passing[] = { MUSTER_ERROR_UNREACHABLE, MUSTER_ERROR_BUSY,
                                         MUSTER_ERROR_PROTOCOL, MUSTER_ERROR_EXPIRED };

  for (guint code = 0; code < (guint) MUSTER_ERROR_LAST; code++) {
    gint64 wait_ms = muster_schedule_republish_ms (code, 1, 0, ALMOST_ONE);
    gint64 long_ms = muster_schedule_republish_ms (code, 20, 0, ALMOST_ONE);
    gboolean passes = code == MUSTER_ERROR_CONFLICT;

    for (guint i = 0; i < G_N_ELEMENTS (passing); i++)
      passes = passes || code == passing[i];
    if (!passes) {
      g_assert_cmpint (wait_ms, ==, G_MAXINT64); /* until something changes */
    } else if (code != MUSTER_ERROR_CONFLICT) {
      g_assert_cmpint (wait_ms, >, 0);
      g_assert_cmpint (wait_ms, <=, FIRST_RETRY_MS);
      g_assert_cmpint (long_ms, >, FIRST_RETRY_MS); /* it backs off, also what is begun afresh */
      g_assert_cmpint (long_ms, <=, RETRY_CAP_MS);
    }
  }
  g_assert_cmpint (muster_schedule_republish_ms (MUSTER_ERROR_BUSY, 1, 30, 0), ==, 30000);
}

static void
test_each_error_has_its_wait (void)
{
  for (guint code = 0; code < (guint) MUSTER_ERROR_LAST; code++) {
    gint64 wait_ms = muster_schedule_after_error_ms (code, 1, 0, 0, 0.5);

    switch ((MusterError) code) {
    case MUSTER_ERROR_UNREACHABLE:
    case MUSTER_ERROR_BUSY:
    case MUSTER_ERROR_PROTOCOL:
      g_assert_cmpint (wait_ms, >, 0);
      g_assert_cmpint (wait_ms, <=, FIRST_RETRY_MS);
      break;
    case MUSTER_ERROR_CONFLICT:
      g_assert_cmpint (wait_ms, ==, 5 * MINUTE_MS);
      break;
    case MUSTER_ERROR_FORBIDDEN:
      g_assert_cmpint (wait_ms, ==, HOUR_MS);
      break;
    case MUSTER_ERROR_EXPIRED:
      g_assert_cmpint (wait_ms, ==, 0);
      break;
    case MUSTER_ERROR_REFUSED:
    case MUSTER_ERROR_UNTRUSTED:
    case MUSTER_ERROR_NEEDS_USER:
    case MUSTER_ERROR_INVALID:
    case MUSTER_ERROR_UNSUPPORTED:
      g_assert_cmpint (wait_ms, ==, G_MAXINT64);
      break;
    case MUSTER_ERROR_LAST:
      g_assert_not_reached ();
    }
  }
}

/* inside what is left of the lease */

static void
test_refresh_is_retried_inside_the_lease (void)
{
  for (gint64 left_ms = 0; left_ms < 10 * MINUTE_MS; left_ms += 100) {
    static const gint64 asked_ms[] = { 0, 1, 100, 2000, 60000, HOUR_MS, G_MAXINT64 };

    for (guint i = 0; i < G_N_ELEMENTS (asked_ms); i++) {
      gint64 delay_ms = muster_schedule_refresh_retry_ms (left_ms, asked_ms[i], FALSE);

      if (delay_ms == G_MAXINT64) {
        g_assert_cmpint (left_ms, <, 500); /* no room for another */
        continue;
      }
      g_assert_cmpint (delay_ms, >, 0);
      g_assert_cmpint (delay_ms, <=, left_ms / 3);
      g_assert_cmpint (delay_ms, <=, MAX (asked_ms[i], 500));
    }
  }
}

/* A service that asks for time gets it where the lease lasts so long. */
static void
test_refresh_waits_as_told (void)
{
  for (gint64 left_ms = 500; left_ms < 10 * MINUTE_MS; left_ms += 100) {
    for (gint64 told_ms = 1000; told_ms < 2 * left_ms; told_ms += 1000) {
      gint64 delay_ms = muster_schedule_refresh_retry_ms (left_ms, told_ms, TRUE);

      if (told_ms <= left_ms - 1000)
        g_assert_cmpint (delay_ms, ==, told_ms);
      else
        g_assert_cmpint (delay_ms, <=, MAX (left_ms / 3, 500));
    }
  }
}

/* However often it fails, the tries are few: each takes what the one before left. */
static void
test_refresh_retries_are_bounded (void)
{
  gint64 left_ms = 90000;
  guint n = 0;

  for (; n < 1000; n++) {
    gint64 delay_ms = muster_schedule_refresh_retry_ms (left_ms,
                                                        muster_schedule_retry_ms (n + 1, 0, 0),
                                                        FALSE);

    if (delay_ms == G_MAXINT64)
      break;
    left_ms -= delay_ms;
  }
  g_assert_cmpuint (n, >=, 5);
  g_assert_cmpuint (n, <=, 200);
}

static void
test_deadline_is_a_third_of_what_is_left (void)
{
  g_assert_cmpint (muster_schedule_open_deadline_ms (0), ==, 40000); /* no lease */
  for (gint64 left_ms = 1; left_ms < HOUR_MS; left_ms = left_ms * 5 / 4 + 1) {
    gint64 deadline_ms = muster_schedule_open_deadline_ms (left_ms);

    g_assert_cmpint (deadline_ms, >=, 1000);
    g_assert_cmpint (deadline_ms, <=, MAX (left_ms / 3, 1000));
    g_assert_cmpint (deadline_ms, <=, 40000);
  }
  g_assert_cmpint (muster_schedule_open_deadline_ms (90000), ==, 30000);
  g_assert_cmpint (muster_schedule_open_deadline_ms (G_MAXINT64), ==, 40000);
  g_assert_cmpint (muster_schedule_close_deadline_ms (), ==, 5000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/schedule/refresh-moments", test_refresh_moments);
  g_test_add_func ("/schedule/refresh-of-every-lease", test_refresh_of_every_lease);
  g_test_add_func ("/schedule/refresh-is-spread", test_refresh_is_spread);
  g_test_add_func ("/schedule/refresh-as-the-plugin-says", test_refresh_as_the_plugin_says);
  g_test_add_func ("/schedule/retry-backs-off", test_retry_backs_off);
  g_test_add_func ("/schedule/retry-keeps-the-protocols-floor",
                   test_retry_keeps_the_protocols_floor);
  g_test_add_func ("/schedule/retry-spreads-over-the-floor", test_retry_spreads_over_the_floor);
  g_test_add_func ("/schedule/busy-waits-as-it-was-told", test_busy_waits_as_it_was_told);
  g_test_add_func ("/schedule/each-error-has-its-wait", test_each_error_has_its_wait);
  g_test_add_func ("/schedule/telling-again", test_telling_again);
  g_test_add_func ("/schedule/refresh-is-retried-inside-the-lease",
                   test_refresh_is_retried_inside_the_lease);
  g_test_add_func ("/schedule/refresh-waits-as-told", test_refresh_waits_as_told);
  g_test_add_func ("/schedule/refresh-retries-are-bounded", test_refresh_retries_are_bounded);
  g_test_add_func ("/schedule/deadline-is-a-third-of-what-is-left",
                   test_deadline_is_a_third_of_what_is_left);

  return g_test_run ();
}
