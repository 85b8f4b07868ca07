/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-account-state.h"

#include <string.h>

/* The table is pure, so each promise is checked for every state, fact and set of conditions. */

#define N_STATES     ((guint) MUSTER_ACCOUNT_STATE_LAST)
#define N_FACTS      ((guint) MUSTER_FACT_LAST)
#define N_CONDITIONS ((guint) MUSTER_CONDITIONS_ALL + 1)

/* What an attempt needs. */
#define READY                                                                                      \
  (MUSTER_CONDITION_WANTED | MUSTER_CONDITION_PLUGIN | MUSTER_CONDITION_VALID |                    \
   MUSTER_CONDITION_SECRET | MUSTER_CONDITION_NETWORK)

typedef struct {
  MusterAccountState from;
  MusterAccountFact fact;
  MusterAccountConditions conditions;
  MusterAccountState to;
} Step;

typedef void (*StepFunc) (const Step *step, gpointer user_data);

static void
foreach_step (StepFunc func, gpointer user_data)
{
  for (guint from = 0; from < N_STATES; from++) {
    for (guint fact = 0; fact < N_FACTS; fact++) {
      for (guint conditions = 0; conditions < N_CONDITIONS; conditions++) {
        Step step = { from, fact, conditions, 0 };

        if (muster_account_state_next (from, fact, conditions, &step.to))
          func (&step, user_data);
      }
    }
  }
}

/* Says which step broke a promise. */
static void
assert_step (const Step *step, gboolean holds, const char *promise)
{
  if (!holds)
    g_error ("%s --%s (conditions 0x%02x)--> %s: %s", muster_account_state_to_string (step->from),
             muster_account_fact_to_string (step->fact), step->conditions,
             muster_account_state_to_string (step->to), promise);
}

static gboolean
lacks (const Step *step, MusterAccountConditions wanted)
{
  return (step->conditions & wanted) != wanted;
}

static gboolean
is_failure (MusterAccountFact fact)
{
  return fact >= MUSTER_FACT_UNREACHABLE;
}

static gboolean
in_passing (MusterAccountFact fact)
{
  return fact == MUSTER_FACT_UNREACHABLE || fact == MUSTER_FACT_BUSY ||
         fact == MUSTER_FACT_PROTOCOL;
}

/* reaching */

static void
note_edge (const Step *step, gpointer user_data)
{
  gboolean (*edges)[MUSTER_ACCOUNT_STATE_LAST] = user_data;

  edges[step->from][step->to] = TRUE;
}

static void
test_every_state_is_reachable (void)
{
  gboolean edges[MUSTER_ACCOUNT_STATE_LAST][MUSTER_ACCOUNT_STATE_LAST] = { 0 };
  gboolean reached[MUSTER_ACCOUNT_STATE_LAST] = { [MUSTER_ACCOUNT_DISABLED] = TRUE };

  foreach_step (note_edge, edges);
  for (guint round = 0; round < N_STATES; round++) {
    for (guint from = 0; from < N_STATES; from++) {
      for (guint to = 0; to < N_STATES; to++)
        reached[to] |= reached[from] && edges[from][to];
    }
  }

  for (guint state = 0; state < N_STATES; state++) {
    if (!reached[state])
      g_error ("%s cannot be reached", muster_account_state_to_string (state));
  }
}

/* Every state can be left by something other than switching the account off. */
static void
test_no_state_is_a_trap (void)
{
  for (guint from = 0; from < N_STATES; from++) {
    gboolean out = FALSE;

    for (guint fact = 0; fact < N_FACTS; fact++) {
      MusterAccountState to;

      out |= fact != MUSTER_FACT_DISABLED &&
             muster_account_state_next (from, fact, MUSTER_CONDITIONS_ALL, &to) && to != from;
    }
    if (!out)
      g_error ("%s is a trap", muster_account_state_to_string (from));
  }
}

/* off */

static void
test_off_is_two_facts_away (void)
{
  for (guint from = 0; from < N_STATES; from++) {
    for (guint conditions = 0; conditions < N_CONDITIONS; conditions++) {
      MusterAccountConditions unwanted = conditions & ~(guint) MUSTER_CONDITION_WANTED;
      MusterAccountState to = from;

      muster_account_state_next (to, MUSTER_FACT_DISABLED, unwanted, &to);
      if (to == MUSTER_ACCOUNT_UNREGISTERING)
        muster_account_state_next (to, MUSTER_FACT_CLOSED,
                                   unwanted & ~(guint) MUSTER_CONDITION_HELD, &to);
      g_assert_cmpstr (muster_account_state_to_string (to), ==, "disabled");
    }
  }
}

static void
check_unwanted (const Step *step, gpointer unused)
{
  if (!lacks (step, MUSTER_CONDITION_WANTED))
    return;

  assert_step (step, step->to != MUSTER_ACCOUNT_REGISTERING, "tried though nobody wants it");
  if (step->fact == MUSTER_FACT_DISABLED)
    assert_step (step,
                 step->to == MUSTER_ACCOUNT_DISABLED || step->to == MUSTER_ACCOUNT_UNREGISTERING,
                 "switched off, it neither is off nor leaves");
}

static void
test_unwanted_is_never_tried (void)
{
  foreach_step (check_unwanted, NULL);
}

/* What the service may hold is taken back where that can be said, and only there. */
static void
check_leaving (const Step *step, gpointer unused)
{
  const MusterAccountConditions can = MUSTER_CONDITION_HELD | MUSTER_CONDITION_PLUGIN |
                                      MUSTER_CONDITION_NETWORK;

  if (step->to == MUSTER_ACCOUNT_UNREGISTERING)
    assert_step (step, !lacks (step, can), "there is nothing to take back, or no way to say so");
  if (step->fact == MUSTER_FACT_DISABLED || step->fact == MUSTER_FACT_REPOINTED)
    assert_step (step, lacks (step, can) || step->to == MUSTER_ACCOUNT_UNREGISTERING,
                 "the service goes on holding a registration of ours");
}

static void
test_what_is_held_is_taken_back (void)
{
  foreach_step (check_leaving, NULL);
}

/* trying */

static void
check_ready (const Step *step, gpointer unused)
{
  if (step->to == MUSTER_ACCOUNT_REGISTERING)
    assert_step (step, !lacks (step, READY), "tried though something is missing");
}

static void
test_tried_only_when_nothing_is_missing (void)
{
  foreach_step (check_ready, NULL);
}

/* Whatever is missing, the account says it, and the first thing first. */
static void
check_waiting (const Step *step, gpointer unused)
{
  static const struct {
    MusterAccountConditions needs;
    MusterAccountState waits;
  } order[] = {
    { MUSTER_CONDITION_WANTED, MUSTER_ACCOUNT_DISABLED },
    { MUSTER_CONDITION_PLUGIN, MUSTER_ACCOUNT_WAITING_PLUGIN },
    { MUSTER_CONDITION_VALID, MUSTER_ACCOUNT_FAILED },
    { MUSTER_CONDITION_SECRET, MUSTER_ACCOUNT_WAITING_SECRET },
    { MUSTER_CONDITION_NETWORK, MUSTER_ACCOUNT_WAITING_NETWORK },
  };

  if (step->fact != MUSTER_FACT_ENABLED && step->fact != MUSTER_FACT_CLOSED)
    return;

  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    if (lacks (step, order[i].needs)) {
      assert_step (step, step->to == order[i].waits,
                   "it does not wait for the first that is missing");
      return;
    }
  }
  assert_step (step, step->to == MUSTER_ACCOUNT_REGISTERING, "nothing is missing, and it waits");
}

static void
test_waits_for_the_first_that_is_missing (void)
{
  foreach_step (check_waiting, NULL);
}

/* refused */

static void
check_refused (const Step *step, gpointer unused)
{
  if (step->fact == MUSTER_FACT_REFUSED)
    assert_step (step, step->to == MUSTER_ACCOUNT_WAITING_SECRET, "refused, it does not wait");

  if (step->from != MUSTER_ACCOUNT_WAITING_SECRET)
    return;
  if (lacks (step, MUSTER_CONDITION_SECRET))
    assert_step (step,
                 step->to != MUSTER_ACCOUNT_REGISTERING && step->to != MUSTER_ACCOUNT_REFRESHING,
                 "a refused secret is tried again");
  if (step->to == MUSTER_ACCOUNT_REGISTERING)
    assert_step (step,
                 step->fact == MUSTER_FACT_SECRET_SET || step->fact == MUSTER_FACT_SECRET_GONE ||
                   step->fact == MUSTER_FACT_EDITED || step->fact == MUSTER_FACT_REPOINTED ||
                   step->fact == MUSTER_FACT_PLUGIN_GONE,
                 "neither the secret nor the account changed");
}

static void
test_refused_is_never_retried (void)
{
  foreach_step (check_refused, NULL);
}

/* From any state, however the facts follow each other, while SECRET stays missing. */
static void
test_no_way_round_a_missing_secret (void)
{
  gboolean reached[MUSTER_ACCOUNT_STATE_LAST] = { [MUSTER_ACCOUNT_WAITING_SECRET] = TRUE };

  for (guint round = 0; round < N_STATES; round++) {
    for (guint from = 0; from < N_STATES; from++) {
      for (guint fact = 0; reached[from] && fact < N_FACTS; fact++) {
        for (guint conditions = 0; conditions < N_CONDITIONS; conditions++) {
          MusterAccountState to;

          /* CONTINUED is posted at start alone, by whoever saw that nothing is missing. */
          if (fact != MUSTER_FACT_CONTINUED && (conditions & MUSTER_CONDITION_SECRET) == 0 &&
              muster_account_state_next (from, fact, conditions, &to))
            reached[to] = TRUE;
        }
      }
    }
  }

  g_assert_false (reached[MUSTER_ACCOUNT_REGISTERING]);
  g_assert_false (reached[MUSTER_ACCOUNT_REGISTERED]);
  g_assert_false (reached[MUSTER_ACCOUNT_REFRESHING]);
}

/* registered */

static void
check_registered (const Step *step, gpointer unused)
{
  gboolean was = muster_account_state_is_registered (step->from);

  if (step->to == MUSTER_ACCOUNT_REGISTERED)
    assert_step (step, step->fact == MUSTER_FACT_OPENED, "registered without having been opened");
  if (step->to == MUSTER_ACCOUNT_REFRESHING && !was)
    assert_step (step, step->fact == MUSTER_FACT_CONTINUED, "refreshes what it does not have");
  if (step->from == MUSTER_ACCOUNT_REFRESHING && in_passing (step->fact))
    assert_step (step, step->to == MUSTER_ACCOUNT_REFRESHING, "gave up while the lease runs");
  if (was && (step->fact == MUSTER_FACT_SECRET_GONE || step->fact == MUSTER_FACT_EDITED ||
              step->fact == MUSTER_FACT_NETWORK_CHANGED || step->fact == MUSTER_FACT_NETWORK_DOWN))
    assert_step (step, lacks (step, READY) || step->to == MUSTER_ACCOUNT_REFRESHING,
                 "nothing is missing, and the registration is given up");
}

static void
test_registered_as_long_as_it_can_be (void)
{
  foreach_step (check_registered, NULL);
}

static void
test_failures_mean_something_while_trying (void)
{
  static const MusterAccountState trying[] = { MUSTER_ACCOUNT_REGISTERING,
                                               MUSTER_ACCOUNT_REGISTERED,
                                               MUSTER_ACCOUNT_REFRESHING };

  for (guint i = 0; i < G_N_ELEMENTS (trying); i++) {
    for (guint fact = 0; fact < N_FACTS; fact++) {
      MusterAccountState to;

      if (is_failure (fact))
        g_assert_true (muster_account_state_next (trying[i], fact, MUSTER_CONDITIONS_ALL, &to));
    }
  }
}

static void
check_failure (const Step *step, gpointer unused)
{
  if (is_failure (step->fact))
    assert_step (step,
                 step->from == MUSTER_ACCOUNT_REGISTERING ||
                   muster_account_state_is_registered (step->from),
                 "a failure of what was not tried");
}

static void
test_failures_mean_nothing_while_waiting (void)
{
  foreach_step (check_failure, NULL);
}

/* words */

static void
test_strings_go_round (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  MusterAccountState state;

  for (guint i = 0; i < N_STATES; i++) {
    const char *text = muster_account_state_to_string (i);

    g_assert_true (g_hash_table_add (seen, (gpointer) text));
    g_assert_cmpuint (strspn (text, "abcdefghijklmnopqrstuvwxyz-"), ==, strlen (text));
    g_assert_true (muster_account_state_from_string (text, &state));
    g_assert_cmpuint (state, ==, i);
  }
  g_assert_false (muster_account_state_from_string ("", &state));
  g_assert_false (muster_account_state_from_string ("Registered", &state));
  g_assert_false (muster_account_state_from_string ("registered ", &state));

  g_hash_table_remove_all (seen);
  for (guint fact = 0; fact < N_FACTS; fact++)
    g_assert_true (g_hash_table_add (seen, (gpointer) muster_account_fact_to_string (fact)));
}

static void
test_each_error_is_its_fact (void)
{
  for (guint code = 0; code < (guint) MUSTER_ERROR_LAST; code++)
    g_assert_cmpstr (muster_account_fact_to_string (muster_account_fact_for_error (code)), ==,
                     muster_error_code_to_string (code));
  g_assert_cmpuint (muster_account_fact_for_error (MUSTER_ERROR_LAST - 1), ==, N_FACTS - 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/account-state/every-state-is-reachable", test_every_state_is_reachable);
  g_test_add_func ("/account-state/no-state-is-a-trap", test_no_state_is_a_trap);
  g_test_add_func ("/account-state/off-is-two-facts-away", test_off_is_two_facts_away);
  g_test_add_func ("/account-state/unwanted-is-never-tried", test_unwanted_is_never_tried);
  g_test_add_func ("/account-state/what-is-held-is-taken-back", test_what_is_held_is_taken_back);
  g_test_add_func ("/account-state/tried-only-when-nothing-is-missing",
                   test_tried_only_when_nothing_is_missing);
  g_test_add_func ("/account-state/waits-for-the-first-that-is-missing",
                   test_waits_for_the_first_that_is_missing);
  g_test_add_func ("/account-state/refused-is-never-retried", test_refused_is_never_retried);
  g_test_add_func ("/account-state/no-way-round-a-missing-secret",
                   test_no_way_round_a_missing_secret);
  g_test_add_func ("/account-state/registered-as-long-as-it-can-be",
                   test_registered_as_long_as_it_can_be);
  g_test_add_func ("/account-state/failures-mean-something-while-trying",
                   test_failures_mean_something_while_trying);
  g_test_add_func ("/account-state/failures-mean-nothing-while-waiting",
                   test_failures_mean_nothing_while_waiting);
  g_test_add_func ("/account-state/strings-go-round", test_strings_go_round);
  g_test_add_func ("/account-state/each-error-is-its-fact", test_each_error_is_its_fact);

  return g_test_run ();
}
