/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterProof"

#include "config.h"

#include "muster-proof.h"

/*
 * What follows from a verification, and nothing else. muster-proofs.c carries it out.
 *
 *    new ---------- arrived -----------> proven <- arrived, from everywhere
 *     | missed                          | missed
 *     v                                 v        30 s
 *    unsupported: once a day           doubted ----------> refreshed ------> failed: 6 h at most
 *                                                missed:            missed
 *                                                registers again
 *
 * What was never proven proves nothing by a miss: many services answer for us, or do not send to
 * ourselves at all. Only what worked once can be broken.
 */

#define INTERVAL_S     (15 * 60)
#define INTERVAL_MIN_S 30
#define DAY_S          (24 * 60 * 60)
#define EARLIEST       0.88 /* as in muster-schedule.c: nothing that came due together does so again */
#define FIRST_MIN_MS   2000
#define FIRST_MAX_MS   10000
#define FLEET          1000 /* accounts: from here on the first are spread like the others */
#define AGAIN_MS       (30 * 1000)
#define REFRESHED_MS   (5 * 1000)
#define FAILED_MAX_MS  (G_GINT64_CONSTANT (6) * 60 * 60 * 1000)
#define UNSENT_MS      (60 * 1000)
#define UNSENT_MAX     3 /* in a row: what was proven before is too old to be claimed */
#define RETRY_MAX_S    3600

/* What a miss leads to. */
static const MusterProofPhase after_miss[MUSTER_PROOF_PHASE_LAST] = {
  [MUSTER_PROOF_NEW] = MUSTER_PROOF_UNSUPPORTED,
  [MUSTER_PROOF_UNSUPPORTED] = MUSTER_PROOF_UNSUPPORTED,
  [MUSTER_PROOF_DUE] = MUSTER_PROOF_DOUBTED,
  [MUSTER_PROOF_PROVEN] = MUSTER_PROOF_DOUBTED,
  [MUSTER_PROOF_DOUBTED] = MUSTER_PROOF_REFRESHED,
  [MUSTER_PROOF_REFRESHED] = MUSTER_PROOF_FAILED,
  [MUSTER_PROOF_FAILED] = MUSTER_PROOF_FAILED,
};

static MusterProofPhase
next_phase (MusterProofPhase phase, MusterProofOutcome outcome)
{
  switch (outcome) {
  case MUSTER_PROOF_ARRIVED:
    return MUSTER_PROOF_PROVEN;
  case MUSTER_PROOF_MISSED:
    return after_miss[phase];
  case MUSTER_PROOF_INCONCLUSIVE:
    return MUSTER_PROOF_UNSUPPORTED;
  case MUSTER_PROOF_UNSENT:
    return phase;
  case MUSTER_PROOF_OUTCOME_LAST:
    break;
  }

  g_return_val_if_reached (phase);
}

/* A doubt changes no claim: it is cleared up within a minute. */
static MusterProofClaim
next_claim (MusterProofClaim claim, MusterProofPhase phase, guint n_unsent)
{
  switch (phase) {
  case MUSTER_PROOF_PROVEN:
    return n_unsent < UNSENT_MAX ? MUSTER_PROOF_CLAIMS_PROVEN : MUSTER_PROOF_CLAIMS_NOTHING;
  case MUSTER_PROOF_DOUBTED:
  case MUSTER_PROOF_REFRESHED:
    return n_unsent < UNSENT_MAX ? claim : MUSTER_PROOF_CLAIMS_NOTHING;
  case MUSTER_PROOF_FAILED:
    return MUSTER_PROOF_CLAIMS_FAILED;
  case MUSTER_PROOF_UNSUPPORTED:
    return MUSTER_PROOF_CLAIMS_UNSUPPORTED;
  case MUSTER_PROOF_NEW:
  case MUSTER_PROOF_DUE:
    return MUSTER_PROOF_CLAIMS_NOTHING;
  case MUSTER_PROOF_PHASE_LAST:
    break;
  }

  g_return_val_if_reached (MUSTER_PROOF_CLAIMS_NOTHING);
}

static gboolean
was_proven_in (MusterProofPhase phase)
{
  return phase != MUSTER_PROOF_NEW && phase != MUSTER_PROOF_UNSUPPORTED;
}

static MusterProofNews
find_news (MusterProof *self, MusterProofPhase before)
{
  if (self->phase == MUSTER_PROOF_PROVEN && (!was_proven_in (before) || self->is_told)) {
    self->is_told = FALSE;
    return MUSTER_PROOF_NEWS_PROVEN;
  }
  if (self->phase == MUSTER_PROOF_PROVEN && before == MUSTER_PROOF_REFRESHED)
    return MUSTER_PROOF_NEWS_MENDED;
  if (self->phase == MUSTER_PROOF_FAILED && !self->is_told) {
    self->is_told = TRUE;
    return MUSTER_PROOF_NEWS_UNPROVEN;
  }

  return MUSTER_PROOF_NO_NEWS;
}

/* times */

static gint64
jitter (gint64 delay_ms, double chance)
{
  return (gint64) ((double) delay_ms * (EARLIEST + (1 - EARLIEST) * chance));
}

static gint64
get_interval_ms (guint asked_s)
{
  return (gint64) (asked_s == 0 ? INTERVAL_S : CLAMP (asked_s, INTERVAL_MIN_S, DAY_S)) * 1000;
}

static gint64
phase_delay_ms (const MusterProof *self, gint64 interval_ms, double chance)
{
  switch ((MusterProofPhase) self->phase) {
  case MUSTER_PROOF_NEW:
  case MUSTER_PROOF_DUE:
  case MUSTER_PROOF_PROVEN:
    return jitter (interval_ms, chance);
  case MUSTER_PROOF_DOUBTED:
    return AGAIN_MS;
  case MUSTER_PROOF_REFRESHED:
    return REFRESHED_MS;
  case MUSTER_PROOF_FAILED:
    return jitter (MIN (interval_ms << (self->n_failed - 1), MAX (FAILED_MAX_MS, interval_ms)),
                   chance);
  case MUSTER_PROOF_UNSUPPORTED:
    return jitter ((gint64) DAY_S * 1000, chance);
  case MUSTER_PROOF_PHASE_LAST:
    break;
  }

  g_return_val_if_reached (interval_ms);
}

/* Nothing was learned, so it is not waited as long as after an outcome, unless the service asked. */
static gint64
unsent_delay_ms (const MusterProof *self, gint64 interval_ms, guint retry_after_s, double chance)
{
  gint64 delay_ms = jitter ((gint64) UNSENT_MS << MIN (self->n_unsent - 1, 16), chance);

  delay_ms = MIN (delay_ms, MAX (phase_delay_ms (self, interval_ms, chance), AGAIN_MS));

  return MAX (delay_ms, (gint64) MIN (retry_after_s, RETRY_MAX_S) * 1000);
}

/* public */

MusterProofStep
muster_proof_take (MusterProof *self,
                   MusterProofOutcome outcome,
                   guint interval_s,
                   guint retry_after_s,
                   double chance)
{
  gint64 interval_ms = get_interval_ms (interval_s);
  MusterProofPhase before = self->phase;
  MusterProofStep step = { 0 };

  self->n_unsent = outcome == MUSTER_PROOF_UNSENT ? (guint8) MIN (self->n_unsent + 1, G_MAXUINT8)
                                                  : 0;
  self->phase = (guint8) next_phase (before, outcome);
  self->claim = (guint8) next_claim (self->claim, self->phase, self->n_unsent);
  if (self->phase != MUSTER_PROOF_FAILED)
    self->n_failed = 0;
  else if (outcome == MUSTER_PROOF_MISSED)
    self->n_failed = (guint8) MIN (self->n_failed + 1, 16);

  step.refreshes = self->phase == MUSTER_PROOF_REFRESHED && before != MUSTER_PROOF_REFRESHED;
  step.news = find_news (self, before);
  step.delay_ms = outcome == MUSTER_PROOF_UNSENT
                    ? unsent_delay_ms (self, interval_ms, retry_after_s, chance)
                    : phase_delay_ms (self, interval_ms, chance);

  return step;
}

gint64
muster_proof_first_delay_ms (guint n_accounts, guint interval_s, double chance)
{
  gint64 latest_ms = n_accounts < FLEET ? FIRST_MAX_MS : get_interval_ms (interval_s);

  return FIRST_MIN_MS + (gint64) ((double) (latest_ms - FIRST_MIN_MS) * chance);
}

void
muster_proof_begin (MusterProof *self, gboolean was_proven)
{
  self->phase = was_proven ? MUSTER_PROOF_DUE : MUSTER_PROOF_NEW;
  self->claim = MUSTER_PROOF_CLAIMS_NOTHING;
  self->n_failed = 0;
  self->n_unsent = 0;
}

gboolean
muster_proof_was_proven (const MusterProof *self)
{
  return was_proven_in (self->phase);
}

MusterProofKept
muster_proof_keep (const MusterProof *self)
{
  if (!was_proven_in (self->phase))
    return MUSTER_PROOF_KEPT_NOTHING;

  return self->is_told ? MUSTER_PROOF_KEPT_UNPROVEN : MUSTER_PROOF_KEPT_PROVEN;
}

void
muster_proof_recall (MusterProof *self, MusterProofKept kept)
{
  switch (kept) {
  case MUSTER_PROOF_KEPT_NOTHING:
    break;
  case MUSTER_PROOF_KEPT_UNPROVEN:
    self->is_told = TRUE;
    G_GNUC_FALLTHROUGH;
  case MUSTER_PROOF_KEPT_PROVEN:
    self->phase = MUSTER_PROOF_DUE;
    break;
  }
}

const char *
muster_proof_claim_to_string (MusterProofClaim claim)
{
  static const char *const names[] = { "", "proven", "failed", "unsupported" };

  g_return_val_if_fail ((guint) claim < G_N_ELEMENTS (names), "");

  return names[claim];
}

const char *
muster_proof_outcome_to_string (MusterProofOutcome outcome)
{
  static const char *const names[] = { "proven", "missed", "unsupported", "unsent" };

  g_return_val_if_fail ((guint) outcome < G_N_ELEMENTS (names), "");

  return names[outcome];
}
