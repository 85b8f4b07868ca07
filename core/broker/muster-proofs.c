/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterProof"

#include "config.h"

#include "muster-proofs.h"

#include "muster-broker-error.h"

#include <muster/muster-error.h>
#include <muster/muster-hub.h>

#include <string.h>

/*
 *    begin -> [until it is due] -> wait for a place -> verify -> conclude -.
 *                    ^                                    '-> deadline -'  |
 *                    '------------------------------------------------------'
 *
 * A proof is little beside an account, and there is none before an account can be proven: the timer of
 * a verification and its cancellable are there only while it is under way.
 */

#define IN_FLIGHT_MAX 50
#define DEADLINE_MS   (15 * 1000)
#define HELD_OFF_MS   2000 /* the registration is being extended: looked at again after that */
#define WAITERS_MAX   100
#define EVIDENCE_MAX  200 /* bytes: some of the words may be a server's */

typedef struct _Proof Proof;

/* One verification, until the plugin has answered. */
typedef struct {
  Proof *proof; /* NULL: nobody wants the answer any longer */
  GCancellable *cancellable;
  MusterTimer deadline;
} Call;

struct _Proof {
  gpointer account; /* first: it is looked up by this */
  MusterProofs *set;
  MusterRegistration *registration; /* lent; NULL: it does not serve */
  Call *call;                       /* while one is under way */
  GSList *waiters;                  /* GTask: who asked for one */
  GList link;                       /* in the queue; data is NULL while it is not */
  MusterTimer due;
  MusterProof state;
  guint8 is_recalled;   /* of the last run, whose registration the next one continues */
  MusterProofView view; /* owns its evidence */
};

G_STATIC_ASSERT (sizeof (Proof) <= 168);

struct _MusterProofs {
  const MusterProofsHost *host;
  gpointer host_data;
  GHashTable *proofs; /* a set of Proof, by account */
  GQueue queue;       /* Proof: due, but there is no place */
  guint n_in_flight;
  MusterTimer pump; /* a place was given back at a moment at which nothing may begin */
};

static void muster_proofs_pump (MusterProofs *self);

/* What was proven is a fact about this registration, and ends with it: one that is made anew leads
 * elsewhere. The first of a run leads where the last of the run before did. */
static GQuark
proven_quark (void)
{
  return g_quark_from_static_string ("muster-proven");
}

static Proof *
muster_proofs_find (MusterProofs *self, gpointer account)
{
  return g_hash_table_lookup (self->proofs, &account);
}

static guint
hash_account (gconstpointer key)
{
  return g_direct_hash (*(const gconstpointer *) key);
}

static gboolean
is_same_account (gconstpointer a, gconstpointer b)
{
  return *(const gconstpointer *) a == *(const gconstpointer *) b;
}

static gboolean
proof_is_queued (Proof *proof)
{
  return proof->link.data != NULL;
}

static void
proof_unqueue (Proof *proof)
{
  if (!proof_is_queued (proof))
    return;

  g_queue_unlink (&proof->set->queue, &proof->link);
  proof->link.data = NULL;
}

static void
proof_queue (Proof *proof, gboolean first)
{
  proof_unqueue (proof);
  muster_timer_cancel (&proof->due);
  proof->link.data = proof;
  if (first)
    g_queue_push_head_link (&proof->set->queue, &proof->link);
  else
    g_queue_push_tail_link (&proof->set->queue, &proof->link);
}

static void
proof_arm (Proof *proof, gint64 delay_ms)
{
  muster_timer_arm_in_ms (&proof->due, delay_ms);
  proof->view.next_at_us = muster_clock_wall_us () + delay_ms * 1000;
}

static guint
proof_get_interval_s (Proof *proof)
{
  return muster_verifier_get_interval_s (MUSTER_VERIFIER (proof->registration));
}

/* answering those who asked */

typedef struct {
  MusterProofOutcome outcome;
  char *evidence;
} Answer;

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  g_free (answer->evidence);
  g_free (answer);
}

static void
answer_all (GSList *waiters, MusterProofOutcome outcome, const char *evidence, const GError *error)
{
  for (GSList *each = waiters; each != NULL; each = each->next) {
    Answer *answer;

    if (error != NULL) {
      g_task_return_error (each->data, g_error_copy (error));
      continue;
    }
    answer = g_new0 (Answer, 1);
    answer->outcome = outcome;
    answer->evidence = g_strdup (evidence);
    g_task_return_pointer (each->data, answer, answer_free);
  }
  g_slist_free_full (waiters, g_object_unref);
}

/* one verification */

static void
call_free (Call *call)
{
  g_object_unref (call->cancellable);
  g_free (call);
}

/* Its place is free at once: a plugin that is slow to end it keeps nobody else waiting. */
static void
proof_drop_call (Proof *proof)
{
  Call *call = g_steal_pointer (&proof->call);

  if (call == NULL)
    return;

  call->proof = NULL;
  muster_timer_cancel (&call->deadline);
  proof->set->n_in_flight--;
}

static void
proof_cancel_call (Proof *proof)
{
  g_autoptr (GCancellable) cancellable = NULL;

  if (proof->call == NULL)
    return;

  cancellable = g_object_ref (proof->call->cancellable); /* the answer may come from within */
  proof_drop_call (proof);
  g_cancellable_cancel (cancellable);
}

static void
proof_keep_evidence (Proof *proof, const char *words)
{
  g_autofree char *valid = words != NULL ? g_utf8_make_valid (words, -1) : NULL;

  if (valid != NULL && strlen (valid) > EVIDENCE_MAX)
    *g_utf8_find_prev_char (valid, valid + EVIDENCE_MAX + 1) = '\0';

  if (g_strcmp0 (valid, proof->view.evidence) == 0)
    return;
  g_free ((char *) proof->view.evidence);
  proof->view.evidence = g_strdup (valid); /* no longer than it is */
  proof->view.evidence_serial++;
}

/* @error: why nothing could be sent, else NULL. May free nothing: what is done last may lead anywhere. */
static void
proof_conclude (Proof *proof, MusterProofOutcome outcome, const char *words, const GError *error)
{
  MusterProofs *self = proof->set;
  gpointer account = proof->account;
  gint64 wall_us = muster_clock_wall_us ();
  guint retry_after_s = g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_BUSY)
                          ? muster_error_get_retry_after_s (error)
                          : 0;
  GSList *waiters = g_steal_pointer (&proof->waiters);
  g_autofree char *evidence = NULL;
  MusterProofKept before;
  MusterProofStep step;

  before = muster_proof_keep (&proof->state);
  step = muster_proof_take (&proof->state, outcome, proof_get_interval_s (proof), retry_after_s,
                            g_random_double ());
  proof_keep_evidence (proof, words);
  evidence = g_strdup (proof->view.evidence != NULL ? proof->view.evidence : "");
  proof->view.last = outcome;
  proof->view.is_tried = TRUE;
  if (outcome == MUSTER_PROOF_ARRIVED)
    proof->view.proven_at_us = wall_us;
  if (proof->view.claim != (MusterProofClaim) proof->state.claim)
    proof->view.since_us = wall_us;
  proof->view.claim = proof->state.claim;
  g_object_set_qdata (G_OBJECT (proof->registration), proven_quark (),
                      GINT_TO_POINTER (muster_proof_was_proven (&proof->state)));
  proof_arm (proof, step.delay_ms);

  if (step.news != MUSTER_PROOF_NO_NEWS)
    self->host->news (self->host_data, account, step.news, evidence);
  if (before != muster_proof_keep (&proof->state) && self->host->keep != NULL)
    self->host->keep (self->host_data, account); /* what is kept was told */
  self->host->changed (self->host_data, account);
  answer_all (waiters, outcome, evidence, error);
  if (step.refreshes)
    self->host->refresh (self->host_data, account);
}

static MusterProofOutcome
outcome_of (gboolean answered, MusterVerdict verdict, const GError *error)
{
  if (!answered)
    return g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED)
             ? MUSTER_PROOF_INCONCLUSIVE
             : MUSTER_PROOF_UNSENT;

  switch (verdict) {
  case MUSTER_VERDICT_PROVEN:
    return MUSTER_PROOF_ARRIVED;
  case MUSTER_VERDICT_MISSED:
    return MUSTER_PROOF_MISSED;
  case MUSTER_VERDICT_UNSUPPORTED:
    break;
  }

  return MUSTER_PROOF_INCONCLUSIVE; /* nothing else is known to prove anything */
}

static void
on_verified (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;
  Proof *proof = call->proof;
  MusterVerdict verdict = MUSTER_VERDICT_UNSUPPORTED;
  MusterProofOutcome outcome;
  MusterProofs *self;
  g_autofree char *evidence = NULL;
  g_autoptr (GError) error = NULL;
  gboolean answered;

  answered = muster_verifier_verify_finish (MUSTER_VERIFIER (source), result, &verdict, &evidence,
                                            &error);
  if (proof == NULL) {
    call_free (call);
    return;
  }

  self = proof->set;
  proof_drop_call (proof);
  call_free (call);
  outcome = outcome_of (answered, verdict, error);
  if (outcome == MUSTER_PROOF_UNSENT)
    proof_conclude (proof, outcome, error->message, error);
  else
    proof_conclude (proof, outcome, answered ? evidence : error->message, NULL);
  muster_proofs_pump (self);
}

/* The plugin was to answer long before. */
static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  Proof *proof = ((Call *) user_data)->proof;
  MusterProofs *self = proof->set;
  g_autoptr (GError)
    error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                              "the verification did not end within %d s", DEADLINE_MS / 1000);

  proof_cancel_call (proof);
  proof_conclude (proof, MUSTER_PROOF_UNSENT, error->message, error);
  muster_proofs_pump (self);
}

static void
proof_verify (Proof *proof)
{
  Call *call = g_new0 (Call, 1);

  call->proof = proof;
  call->cancellable = g_cancellable_new ();
  muster_timer_init (&call->deadline, on_deadline, call);
  muster_timer_arm_in_ms (&call->deadline, DEADLINE_MS);
  proof->call = call;
  proof->set->n_in_flight++;
  muster_verifier_verify_async (MUSTER_VERIFIER (proof->registration), call->cancellable,
                                on_verified, call);
}

/* places */

static void
muster_proofs_pump (MusterProofs *self)
{
  while (self->n_in_flight < IN_FLIGHT_MAX && !g_queue_is_empty (&self->queue)) {
    Proof *proof = g_queue_peek_head (&self->queue);

    proof_unqueue (proof);
    proof_verify (proof);
  }
}

static void
on_pump (MusterTimer *timer, gpointer user_data)
{
  muster_proofs_pump (user_data);
}

/* @asked: somebody waits for it */
static void
proof_try (Proof *proof, gboolean asked)
{
  MusterProofs *self = proof->set;

  if (self->host->is_refreshing (self->host_data, proof->account)) {
    muster_timer_arm_in_ms (&proof->due, HELD_OFF_MS);
    return;
  }

  proof_queue (proof, asked);
  muster_proofs_pump (self);
}

static void
on_due (MusterTimer *timer, gpointer user_data)
{
  Proof *proof = user_data;

  proof_try (proof, proof->waiters != NULL);
}

/* life of one */

/* Whatever is planned or under way is no longer. */
static void
proof_stop (Proof *proof)
{
  muster_timer_cancel (&proof->due);
  proof_unqueue (proof);
  proof_cancel_call (proof);
  proof->view.next_at_us = 0;
}

static void
proof_restart (Proof *proof, gboolean was_proven)
{
  MusterProofs *self = proof->set;

  proof_stop (proof);
  muster_proof_begin (&proof->state, was_proven);
  proof->view.claim = proof->state.claim;
  proof->view.since_us = muster_clock_wall_us ();
  if (!was_proven) {
    proof->view.proven_at_us = 0;
    proof->view.is_tried = FALSE;
    proof_keep_evidence (proof, NULL);
  }
  proof_arm (proof, muster_proof_first_delay_ms (self->host->count_accounts (self->host_data),
                                                 proof_get_interval_s (proof), g_random_double ()));
  self->host->changed (self->host_data, proof->account);
  if (proof->waiters != NULL)
    proof_try (proof, TRUE);
}

static void
proof_turn_away (Proof *proof)
{
  g_autoptr (GError) gone = g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                                         "it is not registered any more");

  answer_all (g_steal_pointer (&proof->waiters), MUSTER_PROOF_UNSENT, NULL, gone);
}

static void
proof_free (gpointer data)
{
  Proof *proof = data;

  proof_stop (proof);
  proof_turn_away (proof);
  g_free ((char *) proof->view.evidence);
  g_free (proof);
}

static Proof *
muster_proofs_ensure (MusterProofs *self, gpointer account)
{
  Proof *proof = muster_proofs_find (self, account);

  if (proof != NULL)
    return proof;

  proof = g_new0 (Proof, 1);
  proof->account = account;
  proof->set = self;
  muster_timer_init (&proof->due, on_due, proof);
  g_hash_table_add (self->proofs, proof);

  return proof;
}

/* public */

void
muster_proofs_begin (MusterProofs *self, gpointer account, MusterRegistration *registration)
{
  gboolean was_proven;
  Proof *proof;

  g_return_if_fail (MUSTER_IS_VERIFIER (registration));

  proof = muster_proofs_ensure (self, account);
  was_proven = g_object_get_qdata (G_OBJECT (registration), proven_quark ()) != NULL;
  if (proof->is_recalled) {
    proof->is_recalled = FALSE;
    was_proven = TRUE;
    g_object_set_qdata (G_OBJECT (registration), proven_quark (), GINT_TO_POINTER (TRUE));
  }
  proof->registration = registration;
  proof_restart (proof, was_proven);
}

void
muster_proofs_recall (MusterProofs *self, gpointer account, MusterProofKept kept)
{
  Proof *proof;

  if (kept != MUSTER_PROOF_KEPT_PROVEN && kept != MUSTER_PROOF_KEPT_UNPROVEN)
    return;

  proof = muster_proofs_ensure (self, account);
  proof->is_recalled = TRUE;
  muster_proof_recall (&proof->state, kept);
}

MusterProofKept
muster_proofs_get_kept (MusterProofs *self, gpointer account)
{
  Proof *proof = muster_proofs_find (self, account);

  return proof != NULL ? muster_proof_keep (&proof->state) : MUSTER_PROOF_KEPT_NOTHING;
}

void
muster_proofs_end (MusterProofs *self, gpointer account)
{
  Proof *proof = muster_proofs_find (self, account);

  if (proof == NULL || proof->registration == NULL)
    return;

  proof_stop (proof);
  proof->registration = NULL;
  proof->view.claim = MUSTER_PROOF_CLAIMS_NOTHING; /* it was so; nobody says that it is */
  self->host->changed (self->host_data, account);
  proof_turn_away (proof);
  muster_timer_arm_in_ms (&self->pump, 0);
}

void
muster_proofs_doubt (MusterProofs *self, gpointer account)
{
  Proof *proof = muster_proofs_find (self, account);

  if (proof == NULL || proof->registration == NULL)
    return;

  if (muster_proof_was_proven (&proof->state))
    proof_restart (proof, TRUE);
}

void
muster_proofs_forget (MusterProofs *self, gpointer account)
{
  muster_proofs_end (self, account);
  g_hash_table_remove (self->proofs, &account);
}

void
muster_proofs_verify_async (MusterProofs *self,
                            gpointer account,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  Proof *proof = muster_proofs_find (self, account);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_source_tag (task, muster_proofs_verify_async);
  if (proof == NULL || proof->registration == NULL) {
    g_task_return_new_error (task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                             "it is not registered, so nobody reaches it");
    return;
  }
  if (g_slist_length (proof->waiters) >= WAITERS_MAX) {
    g_task_return_new_error (task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                             "%d callers wait for its verification already", WAITERS_MAX);
    return;
  }

  proof->waiters = g_slist_prepend (proof->waiters, g_steal_pointer (&task));
  if (proof->call == NULL)
    proof_try (proof, TRUE);
}

gboolean
muster_proofs_verify_finish (MusterProofs *self,
                             GAsyncResult *result,
                             MusterProofOutcome *outcome,
                             char **evidence,
                             GError **error)
{
  Answer *answer;

  g_return_val_if_fail (g_async_result_is_tagged (result, muster_proofs_verify_async), FALSE);

  answer = g_task_propagate_pointer (G_TASK (result), error);
  if (answer == NULL)
    return FALSE;

  *outcome = answer->outcome;
  *evidence = g_steal_pointer (&answer->evidence);
  answer_free (answer);

  return TRUE;
}

const MusterProofView *
muster_proofs_get_view (MusterProofs *self, gpointer account)
{
  static const MusterProofView none = { 0 };
  Proof *proof = muster_proofs_find (self, account);

  return proof != NULL ? &proof->view : &none;
}

guint
muster_proofs_count (MusterProofs *self, MusterProofClaim claim)
{
  GHashTableIter iter;
  gpointer key;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->proofs);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    const Proof *proof = key;

    n += proof->view.claim == claim;
  }

  return n;
}

guint
muster_proofs_count_in_flight (MusterProofs *self)
{
  return self->n_in_flight;
}

guint
muster_proofs_count_waiting (MusterProofs *self)
{
  return g_queue_get_length (&self->queue);
}

MusterProofs *
muster_proofs_new (const MusterProofsHost *host, gpointer host_data)
{
  MusterProofs *self = g_new0 (MusterProofs, 1);

  self->host = host;
  self->host_data = host_data;
  self->proofs = g_hash_table_new_full (hash_account, is_same_account, proof_free, NULL);
  g_queue_init (&self->queue);
  muster_timer_init (&self->pump, on_pump, self);

  return self;
}

void
muster_proofs_free (MusterProofs *self)
{
  if (self == NULL)
    return;

  muster_timer_cancel (&self->pump);
  g_hash_table_unref (self->proofs);
  g_free (self);
}
