/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-proof.h"

/* What follows from each outcome in each phase, and when the next verification comes. */

#define SECOND_MS G_GINT64_CONSTANT (1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)

/* Short names for the table. */
enum {
  NEW = MUSTER_PROOF_NEW,
  UNSUPPORTED = MUSTER_PROOF_UNSUPPORTED,
  DUE = MUSTER_PROOF_DUE,
  PROVEN = MUSTER_PROOF_PROVEN,
  DOUBTED = MUSTER_PROOF_DOUBTED,
  REFRESHED = MUSTER_PROOF_REFRESHED,
  FAILED = MUSTER_PROOF_FAILED,
  ARRIVED = MUSTER_PROOF_ARRIVED,
  MISSED = MUSTER_PROOF_MISSED,
  INCONCLUSIVE = MUSTER_PROOF_INCONCLUSIVE,
  UNSENT = MUSTER_PROOF_UNSENT,
};

/* What is claimed in a phase that was come to in the ordinary way. */
static const char *const claims[] = {
  "", "unsupported", "", "proven", "proven", "proven", "failed"
};

static const struct {
  int phase, outcome, next;
  const char *claim; /* after it */
  gboolean refreshes;
  int news;
  gint64 delay_ms; /* at chance 1, by the broker's rule */
} rows[] = {
  { NEW, ARRIVED, PROVEN, "proven", FALSE, MUSTER_PROOF_NEWS_PROVEN, 15 * MINUTE_MS },
  { NEW, MISSED, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { NEW, INCONCLUSIVE, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { NEW, UNSENT, NEW, "", FALSE, 0, MINUTE_MS },
  { UNSUPPORTED, ARRIVED, PROVEN, "proven", FALSE, MUSTER_PROOF_NEWS_PROVEN, 15 * MINUTE_MS },
  { UNSUPPORTED, MISSED, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { UNSUPPORTED, INCONCLUSIVE, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { UNSUPPORTED, UNSENT, UNSUPPORTED, "unsupported", FALSE, 0, MINUTE_MS },
  { DUE, ARRIVED, PROVEN, "proven", FALSE, 0, 15 * MINUTE_MS },
  { DUE, MISSED, DOUBTED, "", FALSE, 0, 30 * SECOND_MS },
  { DUE, INCONCLUSIVE, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { DUE, UNSENT, DUE, "", FALSE, 0, MINUTE_MS },
  { PROVEN, ARRIVED, PROVEN, "proven", FALSE, 0, 15 * MINUTE_MS },
  { PROVEN, MISSED, DOUBTED, "proven", FALSE, 0, 30 * SECOND_MS },
  { PROVEN, INCONCLUSIVE, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { PROVEN, UNSENT, PROVEN, "proven", FALSE, 0, MINUTE_MS },
  { DOUBTED, ARRIVED, PROVEN, "proven", FALSE, 0, 15 * MINUTE_MS },
  { DOUBTED, MISSED, REFRESHED, "proven", TRUE, 0, 5 * SECOND_MS },
  { DOUBTED, INCONCLUSIVE, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { DOUBTED, UNSENT, DOUBTED, "proven", FALSE, 0, 30 * SECOND_MS },
  { REFRESHED, ARRIVED, PROVEN, "proven", FALSE, MUSTER_PROOF_NEWS_MENDED, 15 * MINUTE_MS },
  { REFRESHED, MISSED, FAILED, "failed", FALSE, MUSTER_PROOF_NEWS_UNPROVEN, 15 * MINUTE_MS },
  { REFRESHED, INCONCLUSIVE, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { REFRESHED, UNSENT, REFRESHED, "proven", FALSE, 0, 30 * SECOND_MS },
  { FAILED, ARRIVED, PROVEN, "proven", FALSE, MUSTER_PROOF_NEWS_PROVEN, 15 * MINUTE_MS },
  { FAILED, MISSED, FAILED, "failed", FALSE, 0, 30 * MINUTE_MS },
  { FAILED, INCONCLUSIVE, UNSUPPORTED, "unsupported", FALSE, 0, 24 * HOUR_MS },
  { FAILED, UNSENT, FAILED, "failed", FALSE, 0, MINUTE_MS },
};

/* Walks there by outcomes, as the broker would. */
static MusterProof
in_phase (int phase)
{
  static const int paths[][6] = {
    [NEW] = { -1 },
    [UNSUPPORTED] = { INCONCLUSIVE, -1 },
    [DUE] = { ARRIVED, -1 },
    [PROVEN] = { ARRIVED, -1 },
    [DOUBTED] = { ARRIVED, MISSED, -1 },
    [REFRESHED] = { ARRIVED, MISSED, MISSED, -1 },
    [FAILED] = { ARRIVED, MISSED, MISSED, MISSED, -1 },
  };
  MusterProof proof = { 0 };

  muster_proof_begin (&proof, FALSE);
  for (const int *outcome = paths[phase]; *outcome >= 0; outcome++)
    muster_proof_take (&proof, (MusterProofOutcome) *outcome, 0, 0, 1);
  if (phase == DUE)
    muster_proof_begin (&proof, muster_proof_was_proven (&proof));
  g_assert_cmpint (proof.phase, ==, phase);
  g_assert_cmpstr (muster_proof_claim_to_string (proof.claim), ==, claims[phase]);

  return proof;
}

static void
test_table (void)
{
  gboolean seen[MUSTER_PROOF_PHASE_LAST][MUSTER_PROOF_OUTCOME_LAST] = { { FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    MusterProof proof = in_phase (rows[i].phase);
    MusterProofStep step = muster_proof_take (&proof, (MusterProofOutcome) rows[i].outcome, 0, 0,
                                              1);

    g_test_message ("row %u", i);
    g_assert_cmpint (proof.phase, ==, rows[i].next);
    g_assert_cmpstr (muster_proof_claim_to_string (proof.claim), ==, rows[i].claim);
    g_assert_cmpint (step.refreshes, ==, rows[i].refreshes);
    g_assert_cmpint (step.news, ==, rows[i].news);
    g_assert_cmpint (step.delay_ms, ==, rows[i].delay_ms);
    seen[rows[i].phase][rows[i].outcome] = TRUE;
  }

  for (guint i = 0; i < MUSTER_PROOF_PHASE_LAST; i++)
    for (guint j = 0; j < MUSTER_PROOF_OUTCOME_LAST; j++)
      g_assert_true (seen[i][j]);
}

/* From 15 min to 6 h, and at once back to every 15 min. */
static void
test_backs_off (void)
{
  static const gint64 minutes[] = { 30, 60, 120, 240, 360, 360, 360 };
  MusterProof proof = in_phase (FAILED);

  for (guint i = 0; i < G_N_ELEMENTS (minutes); i++) {
    MusterProofStep step = muster_proof_take (&proof, MUSTER_PROOF_MISSED, 0, 0, 1);

    g_assert_cmpint (step.delay_ms, ==, minutes[i] * MINUTE_MS);
    g_assert_false (step.refreshes);
    g_assert_cmpint (step.news, ==, MUSTER_PROOF_NO_NEWS);
  }
  for (guint i = 0; i < 1000; i++) /* nothing runs over */
    g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_MISSED, 0, 0, 1).delay_ms, ==,
                     6 * HOUR_MS);
  g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_MISSED, G_MAXUINT, 0, 1).delay_ms, ==,
                   24 * HOUR_MS);

  g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_ARRIVED, 0, 0, 1).delay_ms, ==,
                   15 * MINUTE_MS);
  for (guint i = 0; i < 2; i++)
    muster_proof_take (&proof, MUSTER_PROOF_MISSED, 0, 0, 1);
  g_assert_cmpint (proof.phase, ==, REFRESHED);
  g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_MISSED, 0, 0, 1).delay_ms, ==,
                   15 * MINUTE_MS);
}

/* Misses must follow each other. */
static void
test_success_resets (void)
{
  MusterProof proof = in_phase (PROVEN);

  for (guint i = 0; i < 10; i++) {
    g_assert_false (muster_proof_take (&proof, MUSTER_PROOF_MISSED, 0, 0, 1).refreshes);
    g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_ARRIVED, 0, 0, 1).news, ==,
                     MUSTER_PROOF_NO_NEWS);
  }
}

/* What could not be sent says nothing, but it does not stay green for ever either. */
static void
test_unsent (void)
{
  static const gint64 minutes[] = { 1, 2, 4, 8, 15, 15, 15 };
  MusterProof proof = in_phase (PROVEN);

  for (guint i = 0; i < G_N_ELEMENTS (minutes); i++) {
    MusterProofStep step = muster_proof_take (&proof, MUSTER_PROOF_UNSENT, 0, 0, 1);

    g_assert_cmpint (step.delay_ms, ==, minutes[i] * MINUTE_MS);
    g_assert_cmpstr (muster_proof_claim_to_string (proof.claim), ==, i < 2 ? "proven" : "");
    g_assert_cmpint (proof.phase, ==, PROVEN);
  }
  for (guint i = 0; i < 1000; i++)
    g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_UNSENT, 0, 0, 1).delay_ms, ==,
                     15 * MINUTE_MS);
  muster_proof_take (&proof, MUSTER_PROOF_ARRIVED, 0, 0, 1);
  g_assert_cmpstr (muster_proof_claim_to_string (proof.claim), ==, "proven");

  /* Between two misses it does not make them fewer. */
  muster_proof_take (&proof, MUSTER_PROOF_MISSED, 0, 0, 1);
  muster_proof_take (&proof, MUSTER_PROOF_UNSENT, 0, 0, 1);
  g_assert_true (muster_proof_take (&proof, MUSTER_PROOF_MISSED, 0, 0, 1).refreshes);
  g_assert_false (muster_proof_take (&proof, MUSTER_PROOF_UNSENT, 0, 0, 1).refreshes);

  proof = in_phase (DOUBTED);
  for (guint i = 0; i < 3; i++)
    muster_proof_take (&proof, MUSTER_PROOF_UNSENT, 0, 0, 1);
  g_assert_cmpstr (muster_proof_claim_to_string (proof.claim), ==, "");

  /* A service that asks for time gets it, up to an hour. */
  g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_UNSENT, 0, 600, 1).delay_ms, ==,
                   10 * MINUTE_MS);
  g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_UNSENT, 0, G_MAXUINT, 1).delay_ms, ==,
                   HOUR_MS);
}

/* Each unproven that was told has one end, whatever happens to the registration in between. */
static void
test_news_pair (void)
{
  MusterProof proof = in_phase (FAILED);

  muster_proof_begin (&proof, TRUE);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_MISSED, 0, 0, 1).news, ==,
                     MUSTER_PROOF_NO_NEWS);
  g_assert_cmpint (proof.phase, ==, FAILED);
  muster_proof_begin (&proof, TRUE);
  g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_ARRIVED, 0, 0, 1).news, ==,
                   MUSTER_PROOF_NEWS_PROVEN);
  muster_proof_begin (&proof, TRUE);
  g_assert_cmpint (muster_proof_take (&proof, MUSTER_PROOF_ARRIVED, 0, 0, 1).news, ==,
                   MUSTER_PROOF_NO_NEWS);
}

/* What the plugin asks for is kept to, within bounds, and never all at once. */
static void
test_interval (void)
{
  static const struct {
    guint asked_s;
    gint64 s;
  } asked[] = { { 0, 900 }, { 1, 30 }, { 60, 60 }, { 3600, 3600 }, { G_MAXUINT, 86400 } };

  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    MusterProof proof = in_phase (PROVEN);
    gint64 full_ms = asked[i].s * SECOND_MS;

    g_assert_cmpint (
      muster_proof_take (&proof, MUSTER_PROOF_ARRIVED, asked[i].asked_s, 0, 1).delay_ms, ==,
      full_ms);
    g_assert_cmpint (
      muster_proof_take (&proof, MUSTER_PROOF_ARRIVED, asked[i].asked_s, 0, 0).delay_ms, ==,
      full_ms * 88 / 100);
  }
}

static void
test_first (void)
{
  g_assert_cmpint (muster_proof_first_delay_ms (1, 0, 0), ==, 2 * SECOND_MS);
  g_assert_cmpint (muster_proof_first_delay_ms (999, 60, 1), ==, 10 * SECOND_MS);
  g_assert_cmpint (muster_proof_first_delay_ms (1000, 0, 0), ==, 2 * SECOND_MS);
  g_assert_cmpint (muster_proof_first_delay_ms (1000, 0, 1), ==, 15 * MINUTE_MS);
  g_assert_cmpint (muster_proof_first_delay_ms (10000, 60, 1), ==, MINUTE_MS);
}

/* A run that ended in any phase, and the next one. */
static void
test_kept (void)
{
  static const MusterProofKept expected[MUSTER_PROOF_PHASE_LAST][2] = {
    [NEW] = { MUSTER_PROOF_KEPT_NOTHING, MUSTER_PROOF_KEPT_NOTHING },
    [UNSUPPORTED] = { MUSTER_PROOF_KEPT_NOTHING, MUSTER_PROOF_KEPT_NOTHING },
    [DUE] = { MUSTER_PROOF_KEPT_PROVEN, MUSTER_PROOF_KEPT_UNPROVEN },
    [PROVEN] = { MUSTER_PROOF_KEPT_PROVEN, MUSTER_PROOF_KEPT_UNPROVEN },
    [DOUBTED] = { MUSTER_PROOF_KEPT_PROVEN, MUSTER_PROOF_KEPT_UNPROVEN },
    [REFRESHED] = { MUSTER_PROOF_KEPT_PROVEN, MUSTER_PROOF_KEPT_UNPROVEN },
    [FAILED] = { MUSTER_PROOF_KEPT_PROVEN, MUSTER_PROOF_KEPT_UNPROVEN },
  };

  for (guint phase = 0; phase < MUSTER_PROOF_PHASE_LAST; phase++) {
    for (guint told = 0; told < 2; told++) {
      const MusterProof before = { .phase = (guint8) phase, .is_told = (guint8) told };
      MusterProof proof = { 0 };

      g_assert_cmpint (muster_proof_keep (&before), ==, expected[phase][told]);
      muster_proof_recall (&proof, muster_proof_keep (&before));
      g_assert_cmpint (muster_proof_keep (&proof), ==, expected[phase][told]);
      g_assert_cmpint (proof.claim, ==, MUSTER_PROOF_CLAIMS_NOTHING);
      g_assert_cmpint (proof.phase, ==, phase <= UNSUPPORTED ? NEW : DUE);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/proof/table", test_table);
  g_test_add_func ("/proof/backs-off", test_backs_off);
  g_test_add_func ("/proof/success-resets", test_success_resets);
  g_test_add_func ("/proof/unsent", test_unsent);
  g_test_add_func ("/proof/news-pair", test_news_pair);
  g_test_add_func ("/proof/interval", test_interval);
  g_test_add_func ("/proof/first", test_first);
  g_test_add_func ("/proof/kept", test_kept);

  return g_test_run ();
}
