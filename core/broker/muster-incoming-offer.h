/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-account.h"

#include <muster/muster-hub.h>
#include <muster/muster-incoming.h>

G_BEGIN_DECLS

/**
 * MusterIncomingState:
 * @MUSTER_INCOMING_WAITING: it waits for an answer
 * @MUSTER_INCOMING_ANSWERING: somebody answered, and the service does not have it yet
 * @MUSTER_INCOMING_TAKEN: it was answered here
 * @MUSTER_INCOMING_ELSEWHERE: another device answered it
 * @MUSTER_INCOMING_CANCELLED: whoever made it gave up
 * @MUSTER_INCOMING_STALE: nobody answered in time, or its service is out of reach
 *
 * All but the first two are ends.
 */
typedef enum {
  MUSTER_INCOMING_WAITING,
  MUSTER_INCOMING_ANSWERING,
  MUSTER_INCOMING_TAKEN,
  MUSTER_INCOMING_ELSEWHERE,
  MUSTER_INCOMING_CANCELLED,
  MUSTER_INCOMING_STALE,
  MUSTER_INCOMING_N_STATES
} MusterIncomingState;

typedef enum {
  MUSTER_INCOMING_ANSWERED,         /* somebody here did */
  MUSTER_INCOMING_ANSWER_DELIVERED, /* the service has it */
  MUSTER_INCOMING_ANSWER_FAILED,    /* ... does not, but another may do */
  MUSTER_INCOMING_ANSWER_LATE,      /* ... does not want it any more */
  MUSTER_INCOMING_REPORTED_TAKEN,   /* the four ends that a plugin tells */
  MUSTER_INCOMING_REPORTED_ELSEWHERE,
  MUSTER_INCOMING_REPORTED_CANCELLED,
  MUSTER_INCOMING_REPORTED_STALE,
  MUSTER_INCOMING_TIMED_OUT,
  MUSTER_INCOMING_UNSERVED, /* the account's registration ended */
  MUSTER_INCOMING_N_FACTS
} MusterIncomingFact;

/**
 * MusterIncomingOffer:
 *
 * A call or message as the broker knows it: what the plugin said of it, and who answers it. The fields
 * below `state` are written with it, in muster-broker-incoming.c alone.
 */
typedef struct {
  gpointer host; /* the broker */
  char *id;
  MusterAccount *account; /* lent: the offer goes first */
  MusterOffer *offer;     /* as reported last; its state is not looked at */
  gint64 since_us;        /* wall clock */
  gint64 deadline_us;     /* boot clock: nobody answers after that */
  guint64 number;         /* the later, the greater */

  MusterIncomingState state;
  MusterAnswer answer; /* while ANSWERING, and if TAKEN and answered here */
  gboolean is_answered;
  char *target;      /* of that answer; NULL: it has none */
  GError *error;     /* why the last answer failed; NULL: none did */
  MusterTimer timer; /* armed in each state but ANSWERING */
} MusterIncomingOffer;

/* @id is taken. @func gets the offer. */
MusterIncomingOffer *muster_incoming_offer_new (gpointer host,
                                                char *id,
                                                MusterAccount *account,
                                                const MusterOffer *offer,
                                                MusterTimerFunc func);
void muster_incoming_offer_free (MusterIncomingOffer *self);

/* The pure part. */
MusterIncomingState
muster_incoming_state_after (MusterIncomingState state, MusterIncomingFact fact);
gboolean muster_incoming_state_is_end (MusterIncomingState state);
const char *muster_incoming_state_to_string (MusterIncomingState state);
/* What a plugin's state says; FALSE: that it waits, which is no news. */
gboolean muster_incoming_fact_of (MusterOfferState state, MusterIncomingFact *fact);

const char *muster_incoming_kind_to_string (MusterOfferKind kind);
gboolean muster_incoming_kind_from_string (const char *text, MusterOfferKind *kind);
const char *muster_incoming_answer_to_string (MusterAnswer answer);

/* Whether @answer can be given to it now; %MUSTER_BROKER_ERROR_WRONG_STATE says why not. */
gboolean
muster_incoming_offer_check_answer (MusterIncomingOffer *self, MusterAnswer answer, GError **error);

G_END_DECLS
