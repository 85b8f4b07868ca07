/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "standing-fixture.h"

/* One standing on the virtual clock, with a service that answers as each test says. */

static gint64
in_s (gint64 wall_us)
{
  return (wall_us - muster_clock_wall_us ()) / SECOND;
}

/* coming and staying */

static void
test_first_registration (Bench *bench, gconstpointer data)
{
  assert_state (bench, "disabled", "");
  enable (bench);
  assert_state (bench, "registering", "");
  g_assert_true (muster_standing_is_held (bench->standing));
  pass (SECOND);

  assert_state (bench, "registered", "");
  assert_events (bench, "created");
  g_assert_cmpuint (bench->n_opens, ==, 1);
  g_assert_cmpuint (bench->n_admitted, ==, 0);
  g_assert_null (bench->released);
  g_assert_cmpint (in_s (view (bench)->expires_at_us), ==, 3599);
  g_assert_cmpint (view (bench)->registered_at_us, >, WALL);
  g_assert_cmpstr (view (bench)->bindings[0], ==, "sip:alice@192.0.2.1:5060");
  g_assert_null (view (bench)->error);
}

static void
test_refreshed_when_it_was_drawn (Bench *bench, gconstpointer data)
{
  register_now (bench);

  for (guint i = 1; i <= 50; i++) {
    gint64 drawn_us = view (bench)->refresh_at_us - muster_clock_wall_us ();
    gint64 granted_us = bench->opened_at_us;

    pass (drawn_us - SECOND);
    g_assert_cmpuint (bench->n_opens, ==, i);
    pass (2 * SECOND);
    g_assert_cmpuint (bench->n_opens, ==, i + 1);
    assert_state (bench, "registered", "");
    assert_events (bench, "refreshed");
    g_assert_cmpint (bench->opened_at_us - granted_us, >=, 2851 * SECOND);
    g_assert_cmpint (bench->opened_at_us - granted_us, <=, 3241 * SECOND);
    g_assert_cmpuint (view (bench)->n_refreshes, ==, i);
  }
}

static void
test_lease_until_lost (Bench *bench, gconstpointer data)
{
  bench->usual.lease_s = 0;
  register_now (bench);
  pass (3 * DAY);
  g_assert_cmpuint (bench->n_opens, ==, 1);
  g_assert_cmpint (view (bench)->expires_at_us, ==, 0);
  assert_state (bench, "registered", "");

  /* A proof that it lives fails: there is no lease to retry it inside of. */
  script_failure (bench, MUSTER_ERROR_UNREACHABLE, 0);
  muster_standing_post (bench->standing, MUSTER_FACT_REFRESH_ASKED);
  pass (50 * MS);
  assert_state (bench, "waiting-retry", "unreachable");
  assert_events (bench, "lost failed");
  pass (3 * SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "created");
}

static void
test_liveness_is_proven_as_asked (Bench *bench, gconstpointer data)
{
  bench->usual.lease_s = 0;
  bench->usual.refresh_after_s = 600;
  register_now (bench);
  g_assert_cmpint (in_s (view (bench)->refresh_at_us), >=, 527);
  g_assert_cmpint (in_s (view (bench)->refresh_at_us), <=, 599);
  pass (HOUR);
  g_assert_cmpuint (bench->n_opens, >=, 6);
  g_assert_cmpuint (bench->n_opens, <=, 8);
}

static void
assert_serves (Bench *bench, gboolean serves, guint n_changes)
{
  g_assert_cmpint (muster_standing_get_serving (bench->standing) != NULL, ==, serves);
  g_assert_cmpuint (bench->n_serving_changes, ==, n_changes);
}

/* Capabilities can be used from the first success until the registration is lost or left. */
static void
test_serves_while_registered (Bench *bench, gconstpointer data)
{
  g_autoptr (GError)
    lost = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER, "reset");

  assert_serves (bench, FALSE, 0);
  register_now (bench);
  assert_serves (bench, TRUE, 1);
  muster_standing_post (bench->standing, MUSTER_FACT_REFRESH_ASKED);
  pass (SECOND);
  assert_serves (bench, TRUE, 1);

  muster_standing_lost (bench->standing, lost);
  assert_serves (bench, FALSE, 2);
  pass (5 * SECOND);
  assert_serves (bench, TRUE, 3);

  bench->conditions &= ~(guint) MUSTER_CONDITION_WANTED;
  muster_standing_post (bench->standing, MUSTER_FACT_DISABLED);
  assert_serves (bench, FALSE, 4);
  pass (SECOND);
  assert_serves (bench, FALSE, 4);
}

/* What an earlier run left is a registration, but nobody has spoken to the service yet. */
static void
test_continued_serves_when_refreshed (Bench *bench, gconstpointer data)
{
  muster_standing_restore (bench->standing, WALL - HOUR, WALL + HOUR, WALL + 50 * MINUTE);
  bench->usual.delay_ms = 500;
  muster_standing_post (bench->standing, MUSTER_FACT_CONTINUED);
  assert_state (bench, "refreshing", "continued");
  assert_serves (bench, FALSE, 0);
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_serves (bench, TRUE, 1);
}

/* failing while a lease runs */

static void
test_refresh_is_retried_inside_the_lease (Bench *bench, gconstpointer data)
{
  register_now (bench);
  for (guint i = 0; i < 3; i++)
    script_failure (bench, MUSTER_ERROR_UNREACHABLE, 0);
  pass (view (bench)->refresh_at_us - muster_clock_wall_us () + 100 * MS);
  assert_state (bench, "refreshing", "unreachable");
  g_assert_cmpuint (view (bench)->attempt, ==, 1);
  g_assert_cmpint (view (bench)->next_attempt_at_us, >, muster_clock_wall_us ());
  g_assert_cmpint (view (bench)->next_attempt_at_us, <, view (bench)->expires_at_us);

  pass (MINUTE);
  assert_state (bench, "registered", "");
  assert_events (bench, "failed failed failed refreshed");
  g_assert_cmpuint (view (bench)->attempt, ==, 0);
  g_assert_null (view (bench)->error);
}

static void
test_lost_when_the_lease_ends (Bench *bench, gconstpointer data)
{
  gint64 expires_us;

  register_now (bench);
  expires_us = view (bench)->expires_at_us;
  bench->usual.fails = TRUE;
  bench->usual.code = MUSTER_ERROR_PROTOCOL;

  pass (expires_us - muster_clock_wall_us () - 100 * MS);
  assert_state (bench, "refreshing", "protocol");
  g_assert_null (strstr (bench->events->str, "lost"));
  g_assert_cmpuint (bench->n_opens, >, 4);
  g_assert_cmpuint (bench->n_opens, <, 200);

  g_string_truncate (bench->events, 0);
  pass (200 * MS);
  g_assert_false (muster_account_state_is_registered (view (bench)->state));
  g_assert_true (g_str_has_prefix (bench->events->str, "lost"));
  g_assert_cmpint (view (bench)->expires_at_us, ==, 0);
  g_assert_cmpint (view (bench)->registered_at_us, ==, 0);
  g_assert_null (view (bench)->bindings[0]);

  bench->usual.fails = FALSE;
  g_string_truncate (bench->events, 0);
  pass (6 * MINUTE);
  assert_state (bench, "registered", "");
  g_assert_true (g_str_has_suffix (bench->events->str, "created"));
}

static void
test_silent_refresh_takes_a_third (Bench *bench, gconstpointer data)
{
  gint64 left_us;

  register_now (bench);
  script (bench, (Answer){ .silent = TRUE });
  pass (view (bench)->refresh_at_us - muster_clock_wall_us () + 50 * MS);
  assert_state (bench, "refreshing", "refresh-due");
  left_us = view (bench)->expires_at_us - muster_clock_wall_us ();

  pass (MIN (left_us / 3, 40 * SECOND) + 200 * MS);
  assert_state (bench, "refreshing", "unreachable");
  g_assert_nonnull (bench->released); /* admission hears of the silence */
  pass (2 * MINUTE);
  assert_state (bench, "registered", "");
  assert_events (bench, "failed refreshed");
}

/* failing without one */

static void
test_unreachable_backs_off (Bench *bench, gconstpointer data)
{
  guint n_before;

  bench->usual.fails = TRUE;
  bench->usual.code = MUSTER_ERROR_UNREACHABLE;
  enable (bench);
  pass (100 * MS);
  assert_state (bench, "waiting-retry", "unreachable");
  g_assert_cmpint (view (bench)->next_attempt_at_us - muster_clock_wall_us (), <=, 2 * SECOND);
  pass (2100 * MS);
  g_assert_cmpuint (bench->n_opens, >=, 2);

  pass (2 * HOUR);
  g_assert_cmpuint (view (bench)->attempt, ==, bench->n_opens);
  n_before = bench->n_opens;
  pass (10 * HOUR); /* 5 min at most, 2.5 on average */
  g_assert_cmpuint (bench->n_opens - n_before, >=, 120);
  g_assert_cmpuint (bench->n_opens - n_before, <=, 400);
  g_assert_cmpuint (view (bench)->error->code, ==, MUSTER_ERROR_UNREACHABLE);
}

static void
test_network_wakes_what_was_unreachable (Bench *bench, gconstpointer data)
{
  for (guint i = 0; i < 12; i++)
    script_failure (bench, MUSTER_ERROR_UNREACHABLE, 0);
  enable (bench);
  while (!g_queue_is_empty (&bench->script))
    pass (SECOND);
  pass (100 * MS);
  assert_state (bench, "waiting-retry", "unreachable");
  muster_standing_post (bench->standing, MUSTER_FACT_NETWORK_CHANGED);
  pass (100 * MS);
  assert_state (bench, "registered", "");
}

static void
test_busy_waits_as_told (Bench *bench, gconstpointer data)
{
  script_failure (bench, MUSTER_ERROR_BUSY, 600);
  enable (bench);
  pass (SECOND);
  assert_state (bench, "waiting-retry", "busy");
  g_assert_cmpint (in_s (view (bench)->next_attempt_at_us), >=, 599);
  g_assert_cmpint (in_s (view (bench)->next_attempt_at_us), <=, 661);

  /* Whatever the network does, it asked for time. */
  muster_standing_post (bench->standing, MUSTER_FACT_NETWORK_CHANGED);
  set_online (bench, FALSE);
  pass (MINUTE);
  set_online (bench, TRUE);
  pass (8 * MINUTE);
  g_assert_cmpuint (bench->n_opens, ==, 1);

  pass (3 * MINUTE);
  g_assert_cmpuint (bench->n_opens, ==, 2);
  assert_state (bench, "registered", "");
}

static void
test_busy_wait_ends_offline (Bench *bench, gconstpointer data)
{
  script_failure (bench, MUSTER_ERROR_BUSY, 60);
  enable (bench);
  pass (SECOND);
  set_online (bench, FALSE);
  pass (2 * MINUTE);
  assert_state (bench, "waiting-network", "no-network");
  set_online (bench, TRUE);
  pass (SECOND);
  assert_state (bench, "registered", "");
}

static void
test_people_may_ask_the_busy (Bench *bench, gconstpointer data)
{
  script_failure (bench, MUSTER_ERROR_BUSY, 600);
  enable (bench);
  pass (SECOND);
  muster_standing_post (bench->standing, MUSTER_FACT_RETRY_ASKED);
  pass (SECOND);
  assert_state (bench, "registered", "");
}

static void
test_refused_waits_for_a_secret (Bench *bench, gconstpointer data)
{
  script_failure (bench, MUSTER_ERROR_REFUSED, 0);
  enable (bench);
  pass (SECOND);
  assert_state (bench, "waiting-secret", "refused");

  muster_standing_post (bench->standing, MUSTER_FACT_NETWORK_CHANGED);
  set_online (bench, FALSE);
  set_online (bench, TRUE);
  muster_standing_post (bench->standing, MUSTER_FACT_RETRY_ASKED);
  muster_standing_post (bench->standing, MUSTER_FACT_EDITED);
  pass (30 * DAY);
  disable (bench);
  pass (SECOND);
  enable (bench);
  pass (DAY);
  assert_state (bench, "waiting-secret", "refused");
  g_assert_cmpuint (bench->n_opens, ==, 1);

  bench->refused = FALSE;
  muster_standing_post (bench->standing, MUSTER_FACT_SECRET_SET);
  pass (SECOND);
  assert_state (bench, "registered", "");
}

/* The answer "refused" comes just as something else happens: it counts all the same. */
static void
test_refused_counts_when_it_comes_late (Bench *bench, gconstpointer data)
{
  static const MusterAccountFact meanwhile[] = { MUSTER_FACT_EDITED, MUSTER_FACT_NETWORK_CHANGED,
                                                 MUSTER_FACT_DISABLED };

  for (guint i = 0; i < G_N_ELEMENTS (meanwhile); i++) {
    script (bench,
            (Answer){
              .delay_ms = 500, .fails = TRUE, .code = MUSTER_ERROR_REFUSED, .stubborn = TRUE });
    enable (bench);
    pass (100 * MS);
    if (meanwhile[i] == MUSTER_FACT_DISABLED)
      disable (bench);
    else
      muster_standing_post (bench->standing, meanwhile[i]);
    pass (SECOND);
    g_assert_true (bench->refused);
    enable (bench);
    pass (HOUR);
    assert_state (bench, "waiting-secret", "refused");
    g_assert_cmpuint (bench->n_opens, ==, i + 1);

    bench->refused = FALSE;
    disable (bench);
    pass (SECOND);
  }
}

static void
test_late_refusal_of_an_old_secret (Bench *bench, gconstpointer data)
{
  script (bench,
          (Answer){
            .delay_ms = 500, .fails = TRUE, .code = MUSTER_ERROR_REFUSED, .stubborn = TRUE });
  enable (bench);
  pass (100 * MS);
  muster_standing_post (bench->standing, MUSTER_FACT_SECRET_SET);
  pass (SECOND);
  g_assert_false (bench->refused);
  assert_state (bench, "registered", "");
}

static void
test_expired_twice_is_a_conflict (Bench *bench, gconstpointer data)
{
  register_now (bench);
  lose (bench, MUSTER_ERROR_EXPIRED);
  pass (SECOND);
  assert_state (bench, "registered", ""); /* afresh, at once */
  assert_events (bench, "lost failed created");

  pass (50 * SECOND);
  lose (bench, MUSTER_ERROR_EXPIRED);
  pass (SECOND);
  assert_state (bench, "waiting-retry", "conflict");
  set_online (bench, FALSE);
  set_online (bench, TRUE);
  muster_standing_post (bench->standing, MUSTER_FACT_NETWORK_CHANGED);
  pass (298 * SECOND);
  g_assert_cmpuint (bench->n_opens, ==, 2); /* never fight */
  pass (3 * SECOND);
  g_assert_cmpuint (bench->n_opens, ==, 3);
  assert_state (bench, "registered", "");

  pass (61 * SECOND); /* long ago */
  lose (bench, MUSTER_ERROR_EXPIRED);
  pass (SECOND);
  assert_state (bench, "registered", "");
}

static void
test_forbidden_is_tried_hourly (Bench *bench, gconstpointer data)
{
  bench->usual.fails = TRUE;
  bench->usual.code = MUSTER_ERROR_FORBIDDEN;
  enable (bench);
  pass (SECOND);
  assert_state (bench, "failed", "forbidden");
  pass (10 * HOUR);
  g_assert_cmpuint (bench->n_opens, ==, 11);
  bench->usual.fails = FALSE;
  pass (HOUR);
  assert_state (bench, "registered", "");
}

static void
test_what_only_people_can_mend (Bench *bench, gconstpointer data)
{
  static const struct {
    MusterError code;
    const char *state;
    MusterAccountFact mended;
  } cases[] = {
    { MUSTER_ERROR_INVALID, "failed", MUSTER_FACT_EDITED },
    { MUSTER_ERROR_UNSUPPORTED, "failed", MUSTER_FACT_EDITED },
    { MUSTER_ERROR_UNTRUSTED, "waiting-user", MUSTER_FACT_USER_ANSWERED },
    { MUSTER_ERROR_NEEDS_USER, "waiting-user", MUSTER_FACT_USER_ANSWERED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint n_before = bench->n_opens;

    script_failure (bench, cases[i].code, 0);
    enable (bench);
    pass (30 * DAY);
    assert_state (bench, cases[i].state, muster_error_code_to_string (cases[i].code));
    g_assert_cmpuint (bench->n_opens, ==, n_before + 1);
    muster_standing_post (bench->standing, cases[i].mended);
    pass (SECOND);
    assert_state (bench, "registered", "");
    disable (bench);
    pass (SECOND);
  }
}

static void
test_silent_plugin_meets_its_deadline (Bench *bench, gconstpointer data)
{
  script (bench, (Answer){ .silent = TRUE });
  enable (bench);
  pass (39 * SECOND);
  assert_state (bench, "registering", "");
  pass (1100 * MS);
  assert_state (bench, "waiting-retry", "unreachable");
  g_assert_nonnull (bench->released);
  pass (3 * SECOND);
  assert_state (bench, "registered", "");
}

/* lost */

static void
test_lost_and_regained (Bench *bench, gconstpointer data)
{
  for (guint i = 0; i < 2; i++) {
    bench->usual.lease_s = i == 0 ? 0 : 3600;
    register_now (bench);
    lose (bench, MUSTER_ERROR_UNREACHABLE);
    assert_state (bench, "waiting-retry", "unreachable");
    assert_events (bench, "lost failed");
    g_assert_false (muster_standing_is_held (bench->standing));
    pass (2100 * MS);
    assert_state (bench, "registered", "");
    assert_events (bench, "created");
    disable (bench);
    pass (SECOND);
    assert_events (bench, "ended");
  }
}

static void
test_lost_while_a_refresh_waits (Bench *bench, gconstpointer data)
{
  register_now (bench);
  script_failure (bench, MUSTER_ERROR_UNREACHABLE, 0);
  muster_standing_post (bench->standing, MUSTER_FACT_REFRESH_ASKED);
  pass (50 * MS);
  assert_state (bench, "refreshing", "unreachable");
  lose (bench, MUSTER_ERROR_UNREACHABLE);
  assert_state (bench, "waiting-retry", "unreachable");
  assert_events (bench, "failed lost failed");
}

static void
test_lost_is_ignored_unless_registered (Bench *bench, gconstpointer data)
{
  register_now (bench);
  disable (bench);
  pass (SECOND);
  lose (bench, MUSTER_ERROR_REFUSED);
  assert_state (bench, "disabled", "");
  g_assert_false (bench->refused);
}

static void
test_bindings_change (Bench *bench, gconstpointer data)
{
  const char *bindings[] = { "sip:alice@198.51.100.7", "sip:alice@[2001:db8::7]", NULL };
  MusterRegistration *registration;

  register_now (bench);
  registration = MUSTER_REGISTRATION (bench_last_registration);
  muster_registration_report_bindings (registration, bindings);
  g_assert_true (g_strv_equal ((const char *const *) view (bench)->bindings, bindings));

  disable (bench);
  pass (SECOND);
  muster_registration_report_bindings (registration, bindings);
  g_assert_null (view (bench)->bindings[0]);
}

/* time and network */

static void
test_suspended_longer_than_the_lease (Bench *bench, gconstpointer data)
{
  register_now (bench);
  bench->holds = FALSE; /* the service has forgotten us meanwhile */
  sleep_through (9 * HOUR);
  pass (3 * SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "lost created");
  g_assert_cmpint (in_s (view (bench)->expires_at_us), >=, 3590);
}

static void
test_suspended_shorter_than_the_lease (Bench *bench, gconstpointer data)
{
  register_now (bench);
  sleep_through (10 * MINUTE);
  muster_standing_post (bench->standing, MUSTER_FACT_NETWORK_CHANGED);
  assert_state (bench, "refreshing", "network-changed");
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "refreshed");
}

static void
test_wall_clock_may_jump (Bench *bench, gconstpointer data)
{
  static const gint64 steps[] = { -400 * DAY, 400 * DAY, HOUR, -HOUR };

  register_now (bench);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    gint64 drawn_us = view (bench)->refresh_at_us - muster_clock_wall_us ();

    pass (10 * MINUTE);
    muster_clock_step_wall_us (steps[i]);
    pass (drawn_us - 10 * MINUTE - SECOND);
    g_assert_cmpuint (bench->n_opens, ==, i + 1);
    pass (2 * SECOND);
    g_assert_cmpuint (bench->n_opens, ==, i + 2);
    assert_state (bench, "registered", "");
    assert_events (bench, "refreshed");
  }
}

static void
test_network_goes_and_comes (Bench *bench, gconstpointer data)
{
  register_now (bench);
  set_online (bench, FALSE);
  assert_state (bench, "waiting-network", "no-network");
  assert_events (bench, "lost");
  pass (MINUTE);
  g_assert_cmpuint (bench->n_opens, ==, 1);

  set_online (bench, TRUE);
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "created"); /* what was told as lost is told as there again */
}

static void
test_network_goes_for_longer_than_the_lease (Bench *bench, gconstpointer data)
{
  guint n_changes;

  register_now (bench);
  set_online (bench, FALSE);
  g_assert_true (muster_standing_is_held (bench->standing));
  n_changes = bench->n_changes;
  pass (2 * HOUR);
  assert_state (bench, "waiting-network", "no-network");
  g_assert_false (muster_standing_is_held (bench->standing));
  g_assert_cmpint (view (bench)->expires_at_us, ==, 0);
  g_assert_cmpuint (bench->n_changes, >, n_changes); /* the view changed: others must hear */
}

static void
test_network_goes_while_trying (Bench *bench, gconstpointer data)
{
  script (bench, (Answer){ .silent = TRUE });
  enable (bench);
  pass (SECOND);
  set_online (bench, FALSE);
  pass (SECOND);
  assert_state (bench, "waiting-network", "no-network");
  assert_events (bench, ""); /* nobody was told that it was there */
  set_online (bench, TRUE);
  pass (SECOND);
  assert_state (bench, "registered", "");
}

#define ADD(name, func)                                                                            \
  g_test_add ("/standing/" name, Bench, NULL, bench_set_up, func, bench_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  ADD ("first-registration", test_first_registration);
  ADD ("refreshed-when-it-was-drawn", test_refreshed_when_it_was_drawn);
  ADD ("lease-until-lost", test_lease_until_lost);
  ADD ("liveness-is-proven-as-asked", test_liveness_is_proven_as_asked);
  ADD ("serves-while-registered", test_serves_while_registered);
  ADD ("continued-serves-when-refreshed", test_continued_serves_when_refreshed);
  ADD ("refresh-is-retried-inside-the-lease", test_refresh_is_retried_inside_the_lease);
  ADD ("lost-when-the-lease-ends", test_lost_when_the_lease_ends);
  ADD ("silent-refresh-takes-a-third", test_silent_refresh_takes_a_third);
  ADD ("unreachable-backs-off", test_unreachable_backs_off);
  ADD ("network-wakes-what-was-unreachable", test_network_wakes_what_was_unreachable);
  ADD ("busy-waits-as-told", test_busy_waits_as_told);
  ADD ("busy-wait-ends-offline", test_busy_wait_ends_offline);
  ADD ("people-may-ask-the-busy", test_people_may_ask_the_busy);
  ADD ("refused-waits-for-a-secret", test_refused_waits_for_a_secret);
  ADD ("refused-counts-when-it-comes-late", test_refused_counts_when_it_comes_late);
  ADD ("late-refusal-of-an-old-secret", test_late_refusal_of_an_old_secret);
  ADD ("expired-twice-is-a-conflict", test_expired_twice_is_a_conflict);
  ADD ("forbidden-is-tried-hourly", test_forbidden_is_tried_hourly);
  ADD ("what-only-people-can-mend", test_what_only_people_can_mend);
  ADD ("silent-plugin-meets-its-deadline", test_silent_plugin_meets_its_deadline);
  ADD ("lost-and-regained", test_lost_and_regained);
  ADD ("lost-while-a-refresh-waits", test_lost_while_a_refresh_waits);
  ADD ("lost-is-ignored-unless-registered", test_lost_is_ignored_unless_registered);
  ADD ("bindings-change", test_bindings_change);
  ADD ("suspended-longer-than-the-lease", test_suspended_longer_than_the_lease);
  ADD ("suspended-shorter-than-the-lease", test_suspended_shorter_than_the_lease);
  ADD ("wall-clock-may-jump", test_wall_clock_may_jump);
  ADD ("network-goes-and-comes", test_network_goes_and_comes);
  ADD ("network-goes-for-longer-than-the-lease", test_network_goes_for_longer_than_the_lease);
  ADD ("network-goes-while-trying", test_network_goes_while_trying);

  return g_test_run ();
}
