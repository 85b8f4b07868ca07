/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-proof.h"

#include <muster/muster-verifier.h>

G_BEGIN_DECLS

/**
 * MusterProofs:
 *
 * The proofs of reachability of all accounts: when each is made, and what the last came to. What
 * follows from one is muster-proof.c's. An account is whatever its host calls so.
 */
typedef struct _MusterProofs MusterProofs;

/**
 * MusterProofView:
 *
 * What others may know of one. Times are microseconds UTC, 0 for "not"; the evidence is lent until the
 * next verification. Of an account that is not registered nothing is claimed; how it was stays.
 */
typedef struct {
  MusterProofClaim claim;
  MusterProofOutcome last; /* of the last verification, if there was one */
  gboolean is_tried;       /* there was */
  guint evidence_serial;   /* another one when the words are others */
  const char *evidence;    /* what it saw, in words; NULL for none */
  gint64 since_us;         /* of the claim */
  gint64 proven_at_us;
  gint64 next_at_us;
} MusterProofView;

/**
 * MusterProofsHost:
 *
 * `count_accounts`: how many there are in all. `is_refreshing`: the registration is being extended; what
 * is sent meanwhile may go nowhere. `refresh` has it registered again. `changed` follows every change
 * of the view; it comes also from within muster_proofs_begin() and muster_proofs_end(). `keep`, which
 * may be missing: what outlives the daemon is another.
 */
typedef struct {
  guint (*count_accounts) (gpointer host);
  gboolean (*is_refreshing) (gpointer host, gpointer account);
  void (*refresh) (gpointer host, gpointer account);
  void (*changed) (gpointer host, gpointer account);
  void (*news) (gpointer host, gpointer account, MusterProofNews news, const char *evidence);
  void (*keep) (gpointer host, gpointer account);
} MusterProofsHost;

MusterProofs *muster_proofs_new (const MusterProofsHost *host, gpointer host_data);
void muster_proofs_free (MusterProofs *self);

/* @registration can be used from now on, and is lent until muster_proofs_end(). */
void muster_proofs_begin (MusterProofs *self, gpointer account, MusterRegistration *registration);
void muster_proofs_end (MusterProofs *self, gpointer account);
void muster_proofs_forget (MusterProofs *self, gpointer account);
/* What was known of it in the last run, before its first registration in this one; and what is to be
 * known of it in the next. */
void muster_proofs_recall (MusterProofs *self, gpointer account, MusterProofKept kept);
MusterProofKept muster_proofs_get_kept (MusterProofs *self, gpointer account);
/* The network is another: what was proven on the old one holds no longer. */
void muster_proofs_doubt (MusterProofs *self, gpointer account);

/* Verifies as soon as it can; who asks while that is under way gets the same answer. */
void muster_proofs_verify_async (MusterProofs *self,
                                 gpointer account,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
/* @evidence: (transfer full). %FALSE with an error of %MUSTER_BROKER_ERROR, or with what the plugin
 * said why nothing could be sent. */
gboolean muster_proofs_verify_finish (MusterProofs *self,
                                      GAsyncResult *result,
                                      MusterProofOutcome *outcome,
                                      char **evidence,
                                      GError **error);

/* Returns (transfer none): never %NULL */
const MusterProofView *muster_proofs_get_view (MusterProofs *self, gpointer account);
/* How many accounts claim that. */
guint muster_proofs_count (MusterProofs *self, MusterProofClaim claim);
guint muster_proofs_count_in_flight (MusterProofs *self);
guint muster_proofs_count_waiting (MusterProofs *self);

G_END_DECLS
