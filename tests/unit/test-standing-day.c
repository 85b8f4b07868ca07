/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-standing.h"
#include "muster-hub-private.h"

#include <string.h>

/*
 * A day of ten thousand standings with leases of an hour, in a few seconds: services fail now and
 * then, and one part of them for two hours, and nothing is lost but what could not be kept.
 */

#define SECOND    ((gint64) G_USEC_PER_SEC)
#define HOUR      (G_GINT64_CONSTANT (3600) * SECOND)
#define START     (12345 * SECOND)
#define WALL      (G_GINT64_CONSTANT (1767225600) * SECOND)
#define N_MANY    10000
#define N_OUT     100 /* these meet the outage */
#define LEASE_S   3600
#define OUT_FROM  (START + 11 * HOUR)
#define OUT_UNTIL (START + 13 * HOUR)
#define FAIL_PART 0.05
#define WINDOW_S  10
#define N_WINDOWS (24 * 3600 / WINDOW_S)
#define REFRESH_S 3046 /* on average: 94 % of 90 % of the lease */

typedef struct {
  MusterStanding *standing;
  gboolean meets_outage;
  gboolean failed;      /* its last attempt did */
  gint64 held_until_us; /* by the service */
} One;

static One *all;
static guint windows[N_WINDOWS + 1]; /* the last moment of the day is in it, too */
static guint n_created, n_refreshed, n_failed, n_lost, n_under_way;
static GRand *rand_of_services;

/* the service: answers at once */

typedef struct {
  MusterRegistration parent_instance;
  One *one;
} DayRegistration;

typedef struct {
  MusterRegistrationClass parent_class;
} DayRegistrationClass;

static GType day_registration_get_type (void);
G_DEFINE_TYPE (DayRegistration, day_registration, MUSTER_TYPE_REGISTRATION)

static gboolean
service_fails (const One *one)
{
  gint64 now_us = muster_clock_now_us ();

  if (one->meets_outage && now_us >= OUT_FROM && now_us < OUT_UNTIL)
    return TRUE;

  return g_rand_double (rand_of_services) < FAIL_PART;
}

static void
day_registration_open_async (MusterRegistration *registration,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  One *one = ((DayRegistration *) registration)->one;
  g_autoptr (GTask) task = g_task_new (registration, cancellable, callback, user_data);
  gint64 now_us = muster_clock_now_us ();
  MusterLease *lease;

  n_under_way++;
  one->failed = service_fails (one);
  if (one->failed) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                                                 "it is not there"));
    return;
  }

  lease = muster_lease_new (LEASE_S, NULL);
  lease->refreshed = one->held_until_us > now_us;
  if (lease->refreshed)
    windows[(now_us - START) / SECOND / WINDOW_S]++;
  one->held_until_us = now_us + LEASE_S * SECOND;
  g_task_return_pointer (task, lease, (GDestroyNotify) muster_lease_free);
}

static MusterLease *
day_registration_open_finish (MusterRegistration *registration,
                              GAsyncResult *result,
                              GError **error)
{
  n_under_way--;
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
day_registration_class_init (DayRegistrationClass *klass)
{
  klass->parent_class.open_async = day_registration_open_async;
  klass->parent_class.open_finish = day_registration_open_finish;
}

static void
day_registration_init (DayRegistration *self)
{
}

static const MusterProtocol day_protocol = { .struct_size = sizeof (MusterProtocol), .id = "day" };
static const MusterRegistrationHost day_registration_host = { NULL };

/* the accounts */

static MusterAccountConditions
on_get_conditions (gpointer host)
{
  return MUSTER_CONDITIONS_ALL & ~(guint) MUSTER_CONDITION_HELD;
}

static MusterRegistration *
on_make_registration (gpointer host)
{
  MusterRegistration *registration;

  registration = muster_registration_new (day_registration_get_type (), &day_protocol, NULL, "aday",
                                          "alice@day", &day_registration_host, host);
  ((DayRegistration *) registration)->one = host;

  return registration;
}

static guint
on_get_retry_floor_s (gpointer host)
{
  return 0;
}

static void
on_load_resume (gpointer host)
{
  muster_standing_resume_loaded (((One *) host)->standing);
}

static void
on_admit (gpointer host)
{
  muster_standing_admitted (((One *) host)->standing);
}

static void
on_release (gpointer host, const GError *outcome)
{
}

static void
on_secret_refused (gpointer host)
{
  g_assert_not_reached ();
}

static gboolean
on_is_secret_refused (gpointer host)
{
  return FALSE;
}

static void
on_changed (gpointer host)
{
}

static void
on_event (gpointer host, const char *type, GVariant *payload, gboolean keep)
{
  One *one = host;

  g_variant_unref (g_variant_ref_sink (payload));
  n_created += g_str_equal (type, "registration.created");
  n_refreshed += g_str_equal (type, "registration.refreshed");
  n_failed += g_str_equal (type, "registration.failed");
  if (g_str_equal (type, "registration.lost")) {
    g_assert_true (one->failed); /* its refreshes failed, down to the last */
    g_assert_true (one->meets_outage);
    n_lost++;
  }
}

static const MusterStandingHost day_host = {
  .get_conditions = on_get_conditions,
  .make_registration = on_make_registration,
  .get_retry_floor_s = on_get_retry_floor_s,
  .load_resume = on_load_resume,
  .admit = on_admit,
  .release = on_release,
  .secret_refused = on_secret_refused,
  .is_secret_refused = on_is_secret_refused,
  .changed = on_changed,
  .event = on_event,
};

static void
pass_second (void)
{
  muster_clock_advance_us (SECOND);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
start_all (void)
{
  muster_clock_use_virtual (START, WALL);
  rand_of_services = g_rand_new_with_seed (20260101);
  memset (windows, 0, sizeof windows);
  n_created = n_refreshed = n_failed = n_lost = n_under_way = 0;
  all = g_new0 (One, N_MANY);
  for (guint i = 0; i < N_MANY; i++) {
    all[i].standing = muster_standing_new ("aday", &day_host, &all[i]);
    all[i].meets_outage = i < N_OUT;
  }
}

static void
end_all (void)
{
  g_assert_cmpuint (n_under_way, ==, 0);
  for (guint i = 0; i < N_MANY; i++)
    muster_standing_free (all[i].standing);
  g_free (all);
  g_rand_free (rand_of_services);
  g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
}

static guint
busiest_window (guint from, guint until)
{
  guint most = 0;

  for (guint i = from; i < until; i++)
    most = MAX (most, windows[i]);

  return most;
}

static void
test_a_day (void)
{
  const double mean = (double) N_MANY * WINDOW_S / REFRESH_S;
  guint n_held = 0;

  start_all ();
  for (guint s = 0, i = 0; s < 24 * 3600; s++) {
    for (; i < N_MANY && i <= (guint64) N_MANY * s / LEASE_S; i++) /* they come within an hour */
      muster_standing_post (all[i].standing, MUSTER_FACT_ENABLED);
    pass_second ();
  }

  for (guint i = 0; i < N_MANY; i++) {
    n_held += all[i].held_until_us > muster_clock_now_us ();
    g_assert_true (
      muster_account_state_is_registered (muster_standing_get_view (all[i].standing)->state));
  }
  g_assert_cmpuint (n_held, ==, N_MANY);

  g_assert_cmpuint (n_lost, >, 0); /* the outage is longer than a lease */
  g_assert_cmpuint (n_lost, <=, 2 * N_OUT);
  g_assert_cmpuint (n_created, ==, N_MANY + n_lost);
  g_assert_cmpuint (n_failed, >, 10000);
  /* Neither idle nor pestering: what fits into the day, give or take. */
  g_assert_cmpfloat (n_refreshed, >, 23.0 * 3600 / REFRESH_S * N_MANY * 0.97);
  g_assert_cmpfloat (n_refreshed, <, 24.0 * 3600 / REFRESH_S * N_MANY * 1.03);
  g_assert_cmpfloat (busiest_window (2 * 360, N_WINDOWS), <, 3 * mean);
  end_all ();
}

/* All were granted in the same second, as after an outage: they do not come back in one. */
static void
test_granted_together (void)
{
  start_all ();
  for (guint i = 0; i < N_MANY; i++)
    muster_standing_post (all[i].standing, MUSTER_FACT_ENABLED);
  for (guint s = 0; s < 2 * 3600; s++)
    pass_second ();

  g_assert_cmpuint (n_lost, ==, 0);
  g_assert_cmpuint (busiest_window (1, 2 * 360), <, N_MANY * 4 / 100);
  end_all ();
}

static void
drop (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_log_set_handler ("MusterStanding", G_LOG_LEVEL_INFO, drop, NULL); /* a million lines */

  g_test_add_func ("/standing-day/a-day", test_a_day);
  g_test_add_func ("/standing-day/granted-together", test_granted_together);

  return g_test_run ();
}
