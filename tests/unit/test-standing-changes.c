/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "standing-fixture.h"

/* People change their minds, and parameters, and the daemon is restarted, at every moment. */

static gint64
in_s (gint64 wall_us)
{
  return (wall_us - muster_clock_wall_us ()) / SECOND;
}

/* switching off, at every moment */

typedef enum {
  AT_REST,
  AT_RESUME,
  AT_ADMISSION,
  AT_OPEN,
  AT_OPEN_STUBBORN,
  AT_OPEN_TAKEN,
  AT_REGISTERED,
  AT_REFRESH_ADMISSION,
  AT_REFRESH,
  AT_REFRESH_RETRY,
  AT_RETRY,
  AT_CLOSING,
  N_MOMENTS
} Moment;

static void
bring_to (Bench *bench, Moment moment)
{
  switch (moment) {
  case AT_REST:
    break;
  case AT_RESUME:
    bench->holds_resume = TRUE;
    enable (bench);
    break;
  case AT_ADMISSION:
    bench->holds_admission = TRUE;
    enable (bench);
    assert_state (bench, "registering", "admission");
    break;
  case AT_OPEN:
    script (bench, (Answer){ .silent = TRUE });
    enable (bench);
    break;
  case AT_OPEN_STUBBORN:
    script (bench, (Answer){ .delay_ms = 2000, .lease_s = 3600, .stubborn = TRUE });
    enable (bench);
    break;
  case AT_OPEN_TAKEN:
    script (bench, (Answer){ .silent = TRUE, .takes_hold = TRUE });
    enable (bench);
    break;
  case AT_REGISTERED:
    register_now (bench);
    break;
  case AT_REFRESH_ADMISSION:
    register_now (bench);
    bench->holds_admission = TRUE;
    muster_standing_post (bench->standing, MUSTER_FACT_REFRESH_ASKED);
    break;
  case AT_REFRESH:
    register_now (bench);
    script (bench, (Answer){ .silent = TRUE });
    muster_standing_post (bench->standing, MUSTER_FACT_REFRESH_ASKED);
    break;
  case AT_REFRESH_RETRY:
    register_now (bench);
    script_failure (bench, MUSTER_ERROR_UNREACHABLE, 0);
    muster_standing_post (bench->standing, MUSTER_FACT_REFRESH_ASKED);
    pass (50 * MS);
    assert_state (bench, "refreshing", "unreachable");
    break;
  case AT_RETRY:
    bench->usual.fails = TRUE;
    enable (bench);
    pass (50 * MS);
    assert_state (bench, "waiting-retry", "unreachable");
    break;
  case AT_CLOSING:
    register_now (bench);
    bench->closing.delay_ms = 1000;
    disable (bench);
    assert_state (bench, "unregistering", "");
    break;
  case N_MOMENTS:
    g_assert_not_reached ();
  }
  settle ();
}

/* What was held back comes at last. */
static void
let_go (Bench *bench)
{
  if (bench->holds_resume) {
    bench->holds_resume = FALSE;
    if (!muster_standing_is_idle (bench->standing))
      muster_standing_resume_loaded (bench->standing);
  }
  bench->holds_admission = FALSE;
  if (bench->n_admitted > 0 && muster_standing_is_idle (bench->standing))
    muster_standing_admitted (bench->standing);
}

static void
test_disabled_at_every_moment (void)
{
  for (Moment moment = AT_REST; moment < N_MOMENTS; moment++) {
    Bench bench;

    bench_set_up (&bench, NULL);
    bring_to (&bench, moment);
    disable (&bench);
    let_go (&bench);
    pass (10 * SECOND);
    assert_state (&bench, "disabled", "");
    g_assert_false (bench.holds); /* the service must not ring a phone that is off */
    g_assert_true (muster_standing_is_idle (bench.standing));
    g_assert_cmpuint (bench.n_admitted, ==, 0);
    g_assert_cmpint (view (&bench)->next_attempt_at_us, ==, 0);
    g_assert_cmpint (view (&bench)->expires_at_us, ==, 0);
    pass (DAY);
    assert_state (&bench, "disabled", "");
    bench_tear_down (&bench, NULL);
  }
}

static void
test_disabled_and_enabled_at_every_moment (void)
{
  for (Moment moment = AT_REST; moment < N_MOMENTS; moment++) {
    for (guint let_first = 0; let_first < 2; let_first++) {
      Bench bench;

      bench_set_up (&bench, NULL);
      bring_to (&bench, moment);
      disable (&bench);
      if (let_first)
        let_go (&bench);
      enable (&bench);
      let_go (&bench);
      bench.usual.fails = FALSE;
      pass (10 * SECOND);
      assert_state (&bench, "registered", "");
      g_assert_true (bench.holds);
      bench_tear_down (&bench, NULL);
    }
  }
}

static void
test_offline_at_every_moment (void)
{
  for (Moment moment = AT_REST; moment < N_MOMENTS; moment++) {
    Bench bench;

    bench_set_up (&bench, NULL);
    bring_to (&bench, moment);
    set_online (&bench, FALSE);
    let_go (&bench);
    pass (10 * MINUTE);
    if (moment == AT_REST || moment == AT_CLOSING)
      assert_state (&bench, "disabled", "");
    else
      assert_state (&bench, "waiting-network", "no-network");

    set_online (&bench, TRUE);
    enable (&bench);
    bench.usual.fails = FALSE;
    pass (10 * SECOND);
    assert_state (&bench, "registered", "");
    bench_tear_down (&bench, NULL);
  }
}

static void
test_freed_at_every_moment (void)
{
  for (Moment moment = AT_REST; moment < N_MOMENTS; moment++) {
    Bench bench;

    if (moment == AT_RESUME) /* whoever reads what was kept holds on to the account */
      continue;
    bench_set_up (&bench, NULL);
    bring_to (&bench, moment);
    muster_standing_free (g_steal_pointer (&bench.standing));
    pass (10 * SECOND);
    g_assert_cmpuint (bench.n_under_way, ==, 0);
    g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
    bench_clear (&bench);
  }
}

static void
test_enabled_again_while_it_leaves (Bench *bench, gconstpointer data)
{
  register_now (bench);
  disable (bench);
  assert_state (bench, "unregistering", "");
  enable (bench);
  assert_state (bench, "unregistering", "");
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "ended created");
}

static void
test_leaving_does_not_wait_for_ever (Bench *bench, gconstpointer data)
{
  register_now (bench);
  bench->closing.silent = TRUE;
  disable (bench);
  pass (4900 * MS);
  assert_state (bench, "unregistering", "");
  pass (200 * MS);
  assert_state (bench, "disabled", "");
  assert_events (bench, "ended");
}

static void
test_an_unanswered_attempt_is_taken_back (Bench *bench, gconstpointer data)
{
  script (bench, (Answer){ .silent = TRUE, .takes_hold = TRUE });
  bench->usual.silent = TRUE;
  enable (bench);
  pass (40100 * MS);
  assert_state (bench, "waiting-retry", "unreachable");
  g_assert_true (muster_standing_is_held (bench->standing));
  disable (bench);
  pass (SECOND);
  assert_state (bench, "disabled", "");
  g_assert_cmpuint (bench->n_closes, ==, 1);
  g_assert_false (bench->holds);
}

/* changed */

static void
test_edited_extends (Bench *bench, gconstpointer data)
{
  register_now (bench);
  muster_standing_post (bench->standing, MUSTER_FACT_EDITED);
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "refreshed");
  g_assert_cmpuint (bench->n_registrations, ==, 1);
}

static void
test_edited_while_it_opens_is_told_once (Bench *bench, gconstpointer data)
{
  script (bench, (Answer){ .delay_ms = 1000, .lease_s = 3600, .stubborn = TRUE });
  enable (bench);
  pass (100 * MS);
  muster_standing_post (bench->standing, MUSTER_FACT_EDITED);
  pass (2 * SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "created");
  g_assert_cmpuint (bench->n_opens, ==, 2);
}

static void
test_repointed_leaves_first (Bench *bench, gconstpointer data)
{
  register_now (bench);
  muster_standing_post (bench->standing, MUSTER_FACT_REPOINTED);
  assert_state (bench, "unregistering", "");
  g_assert_true (muster_standing_is_repointed (bench->standing));
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "ended created");
  g_assert_cmpuint (bench->n_closes, ==, 1);
  g_assert_cmpuint (bench->n_registrations, ==, 2);
  g_assert_cmpuint (bench->generation, ==, 2);
  g_assert_false (muster_standing_is_repointed (bench->standing));
}

static void
test_repointed_while_it_opens_leaves_first (Bench *bench, gconstpointer data)
{
  script (bench, (Answer){ .silent = TRUE, .takes_hold = TRUE });
  enable (bench);
  pass (SECOND);
  muster_standing_post (bench->standing, MUSTER_FACT_REPOINTED);
  pass (SECOND);
  assert_state (bench, "registered", "");
  g_assert_cmpuint (bench->n_closes, ==, 1); /* of the old one, which may have been granted */
  g_assert_cmpuint (bench->n_registrations, ==, 2);
  g_assert_cmpuint (bench->generation, ==, 2);
  assert_events (bench, "created");
}

static void
test_repointed_while_off (Bench *bench, gconstpointer data)
{
  register_now (bench);
  disable (bench);
  pass (SECOND);
  muster_standing_post (bench->standing, MUSTER_FACT_REPOINTED);
  assert_state (bench, "disabled", "");
  enable (bench);
  pass (SECOND);
  assert_state (bench, "registered", "");
  g_assert_cmpuint (bench->n_registrations, ==, 2);
}

static void
test_repointed_at_every_moment (void)
{
  for (Moment moment = AT_RESUME; moment < N_MOMENTS; moment++) {
    Bench bench;

    bench_set_up (&bench, NULL);
    bring_to (&bench, moment);
    muster_standing_post (bench.standing, MUSTER_FACT_REPOINTED);
    let_go (&bench);
    bench.usual.fails = FALSE;
    pass (10 * SECOND);
    if (moment == AT_CLOSING)
      assert_state (&bench, "disabled", "");
    else
      assert_state (&bench, "registered", "");
    g_assert_false (bench.holds && bench.generation != bench.n_registrations);
    bench_tear_down (&bench, NULL);
  }
}

static void
test_secret_is_changed_and_cleared (Bench *bench, gconstpointer data)
{
  register_now (bench);
  muster_standing_post (bench->standing, MUSTER_FACT_SECRET_GONE); /* one that is not needed */
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "refreshed");

  bench->conditions &= ~(guint) MUSTER_CONDITION_SECRET;
  muster_standing_post (bench->standing, MUSTER_FACT_SECRET_GONE);
  pass (SECOND);
  assert_state (bench, "waiting-secret", "no-secret");
  assert_events (bench, "lost");

  bench->conditions |= MUSTER_CONDITION_SECRET;
  muster_standing_post (bench->standing, MUSTER_FACT_SECRET_SET);
  pass (SECOND);
  assert_state (bench, "registered", "");
}

/* going on where an earlier run was killed */

static void
test_continues_a_lease (Bench *bench, gconstpointer data)
{
  bench->holds = TRUE;
  bench->generation = 1; /* it is taken up again */
  muster_standing_restore (bench->standing, WALL - HOUR, WALL + 20 * MINUTE, WALL + 10 * MINUTE);
  muster_standing_post (bench->standing, MUSTER_FACT_CONTINUED);
  assert_state (bench, "refreshing", "continued");
  g_assert_cmpint (view (bench)->registered_at_us, ==, WALL - HOUR);
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "refreshed");
  g_assert_cmpint (view (bench)->registered_at_us, ==, WALL - HOUR);
  g_assert_cmpint (in_s (view (bench)->expires_at_us), ==, 3599);
}

static void
test_continues_until_the_lease_ends (Bench *bench, gconstpointer data)
{
  bench->usual.fails = TRUE;
  muster_standing_restore (bench->standing, WALL - HOUR, WALL + 20 * MINUTE, WALL + 10 * MINUTE);
  muster_standing_post (bench->standing, MUSTER_FACT_CONTINUED);
  pass (19 * MINUTE);
  assert_state (bench, "refreshing", "unreachable");
  g_string_truncate (bench->events, 0);
  pass (2 * MINUTE);
  g_assert_false (muster_account_state_is_registered (view (bench)->state));
  g_assert_nonnull (strstr (bench->events->str, "lost"));
}

static void
test_continued_and_switched_off (Bench *bench, gconstpointer data)
{
  bench->holds = TRUE;
  bench->generation = 1;
  bench->holds_resume = TRUE;
  muster_standing_restore (bench->standing, WALL - HOUR, WALL + 20 * MINUTE, WALL + 10 * MINUTE);
  muster_standing_post (bench->standing, MUSTER_FACT_CONTINUED);
  disable (bench);
  assert_state (bench, "unregistering", "");
  let_go (bench);
  pass (SECOND);
  assert_state (bench, "disabled", "");
  g_assert_cmpuint (bench->n_opens, ==, 0);
  g_assert_cmpuint (bench->n_closes, ==, 1);
  assert_events (bench, "ended");
}

#define ADD(name, func)                                                                            \
  g_test_add ("/standing-changes/" name, Bench, NULL, bench_set_up, func, bench_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/standing-changes/disabled-at-every-moment", test_disabled_at_every_moment);
  g_test_add_func ("/standing-changes/disabled-and-enabled-at-every-moment",
                   test_disabled_and_enabled_at_every_moment);
  g_test_add_func ("/standing-changes/offline-at-every-moment", test_offline_at_every_moment);
  g_test_add_func ("/standing-changes/freed-at-every-moment", test_freed_at_every_moment);
  ADD ("enabled-again-while-it-leaves", test_enabled_again_while_it_leaves);
  ADD ("leaving-does-not-wait-for-ever", test_leaving_does_not_wait_for_ever);
  ADD ("an-unanswered-attempt-is-taken-back", test_an_unanswered_attempt_is_taken_back);
  ADD ("edited-extends", test_edited_extends);
  ADD ("edited-while-it-opens-is-told-once", test_edited_while_it_opens_is_told_once);
  ADD ("repointed-leaves-first", test_repointed_leaves_first);
  ADD ("repointed-while-it-opens-leaves-first", test_repointed_while_it_opens_leaves_first);
  ADD ("repointed-while-off", test_repointed_while_off);
  g_test_add_func ("/standing-changes/repointed-at-every-moment", test_repointed_at_every_moment);
  ADD ("secret-is-changed-and-cleared", test_secret_is_changed_and_cleared);
  ADD ("continues-a-lease", test_continues_a_lease);
  ADD ("continues-until-the-lease-ends", test_continues_until_the_lease_ends);
  ADD ("continued-and-switched-off", test_continued_and_switched_off);

  return g_test_run ();
}
