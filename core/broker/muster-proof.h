/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MusterProofOutcome:
 * @MUSTER_PROOF_ARRIVED: what was sent to ourselves has arrived
 * @MUSTER_PROOF_MISSED: it was sent, and has not
 * @MUSTER_PROOF_INCONCLUSIVE: the service answers for us, or cannot send to us
 * @MUSTER_PROOF_UNSENT: nothing could be sent
 *
 * What one verification came to.
 */
typedef enum {
  MUSTER_PROOF_ARRIVED,
  MUSTER_PROOF_MISSED,
  MUSTER_PROOF_INCONCLUSIVE,
  MUSTER_PROOF_UNSENT,
  /*< private >*/
  MUSTER_PROOF_OUTCOME_LAST
} MusterProofOutcome;

/**
 * MusterProofPhase:
 * @MUSTER_PROOF_NEW: this registration was never proven
 * @MUSTER_PROOF_UNSUPPORTED: nor can it be, as far as we know
 * @MUSTER_PROOF_DUE: it was proven, but what was proven holds no longer
 * @MUSTER_PROOF_PROVEN: others reach us
 * @MUSTER_PROOF_DOUBTED: it was proven, and one is missed since
 * @MUSTER_PROOF_REFRESHED: two are; it has been registered again
 * @MUSTER_PROOF_FAILED: that did not help
 */
typedef enum {
  MUSTER_PROOF_NEW,
  MUSTER_PROOF_UNSUPPORTED,
  MUSTER_PROOF_DUE,
  MUSTER_PROOF_PROVEN,
  MUSTER_PROOF_DOUBTED,
  MUSTER_PROOF_REFRESHED,
  MUSTER_PROOF_FAILED,
  /*< private >*/
  MUSTER_PROOF_PHASE_LAST
} MusterProofPhase;

/**
 * MusterProofClaim:
 *
 * What others are told of it.
 */
typedef enum {
  MUSTER_PROOF_CLAIMS_NOTHING,
  MUSTER_PROOF_CLAIMS_PROVEN,
  MUSTER_PROOF_CLAIMS_FAILED,
  MUSTER_PROOF_CLAIMS_UNSUPPORTED,
} MusterProofClaim;

typedef enum {
  MUSTER_PROOF_NO_NEWS,
  MUSTER_PROOF_NEWS_PROVEN,   /* for the first time, or after it had failed */
  MUSTER_PROOF_NEWS_MENDED,   /* it was not for a while, and is since it registered again */
  MUSTER_PROOF_NEWS_UNPROVEN, /* it was, and is no longer */
} MusterProofNews;

/**
 * MusterProofKept:
 *
 * What of it outlives the daemon. The numbers are stored.
 */
typedef enum {
  MUSTER_PROOF_KEPT_NOTHING = 0,
  MUSTER_PROOF_KEPT_PROVEN = 1,   /* it was, and a miss means something */
  MUSTER_PROOF_KEPT_UNPROVEN = 2, /* and the news is out that it is no longer */
} MusterProofKept;

/* Zeroed at first. */
typedef struct {
  guint8 phase;    /* MusterProofPhase */
  guint8 claim;    /* MusterProofClaim */
  guint8 n_failed; /* misses in a row since it failed */
  guint8 n_unsent; /* in a row */
  guint8 is_told;  /* the news is out that it is unproven */
} MusterProof;

/* What follows from an outcome. */
typedef struct {
  gint64 delay_ms; /* until the next verification */
  gboolean refreshes;
  MusterProofNews news;
} MusterProofStep;

/* A registration begins to serve, or what was proven of it holds no longer. @was_proven: this one was,
 * before. Nothing is claimed until the next outcome. */
void muster_proof_begin (MusterProof *self, gboolean was_proven);

/* Pure but for @self: no clock. @interval_s: what the plugin asks for, 0: the broker's rule;
 * @retry_after_s: what the service asked for when nothing could be sent, else 0; @chance: 0 to 1. */
MusterProofStep muster_proof_take (MusterProof *self,
                                   MusterProofOutcome outcome,
                                   guint interval_s,
                                   guint retry_after_s,
                                   double chance);

/* When the first one comes after a registration began to serve, one of @n_accounts in all. */
gint64 muster_proof_first_delay_ms (guint n_accounts, guint interval_s, double chance);

/* Whether this registration was proven at least once, and a miss means something. */
gboolean muster_proof_was_proven (const MusterProof *self);

MusterProofKept muster_proof_keep (const MusterProof *self);
void muster_proof_recall (MusterProof *self, MusterProofKept kept);

/* Stable: D-Bus API. "" for nothing. */
const char *muster_proof_claim_to_string (MusterProofClaim claim);
const char *muster_proof_outcome_to_string (MusterProofOutcome outcome);

G_END_DECLS
