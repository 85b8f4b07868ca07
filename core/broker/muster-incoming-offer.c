/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterIncoming"

#include "config.h"

#include "muster-incoming-offer.h"

#include "muster-broker-error.h"

/*
 * What becomes of a call or message: a pure table, and what can be said of it. Who tells the facts, and
 * what is done in each state, is in muster-broker-incoming.c.
 */

/* A message is done with as soon as somebody has seen it, so a registration that ends does not end it:
 * that fact is told of calls alone. */
static const MusterIncomingState
  after[MUSTER_INCOMING_ANSWERING + 1][MUSTER_INCOMING_N_FACTS] = {
    [MUSTER_INCOMING_WAITING] = {
      [MUSTER_INCOMING_ANSWERED] = MUSTER_INCOMING_ANSWERING,
      [MUSTER_INCOMING_ANSWER_DELIVERED] = MUSTER_INCOMING_WAITING,
      [MUSTER_INCOMING_ANSWER_FAILED] = MUSTER_INCOMING_WAITING,
      [MUSTER_INCOMING_ANSWER_LATE] = MUSTER_INCOMING_WAITING,
      [MUSTER_INCOMING_REPORTED_TAKEN] = MUSTER_INCOMING_TAKEN,
      [MUSTER_INCOMING_REPORTED_ELSEWHERE] = MUSTER_INCOMING_ELSEWHERE,
      [MUSTER_INCOMING_REPORTED_CANCELLED] = MUSTER_INCOMING_CANCELLED,
      [MUSTER_INCOMING_REPORTED_STALE] = MUSTER_INCOMING_STALE,
      [MUSTER_INCOMING_TIMED_OUT] = MUSTER_INCOMING_STALE,
      [MUSTER_INCOMING_UNSERVED] = MUSTER_INCOMING_STALE,
    },
    /* Its time goes on when the answer fails. */
    [MUSTER_INCOMING_ANSWERING] = {
      [MUSTER_INCOMING_ANSWERED] = MUSTER_INCOMING_ANSWERING,
      [MUSTER_INCOMING_ANSWER_DELIVERED] = MUSTER_INCOMING_TAKEN,
      [MUSTER_INCOMING_ANSWER_FAILED] = MUSTER_INCOMING_WAITING,
      [MUSTER_INCOMING_ANSWER_LATE] = MUSTER_INCOMING_STALE,
      [MUSTER_INCOMING_REPORTED_TAKEN] = MUSTER_INCOMING_TAKEN,
      [MUSTER_INCOMING_REPORTED_ELSEWHERE] = MUSTER_INCOMING_ELSEWHERE,
      [MUSTER_INCOMING_REPORTED_CANCELLED] = MUSTER_INCOMING_CANCELLED,
      [MUSTER_INCOMING_REPORTED_STALE] = MUSTER_INCOMING_STALE,
      [MUSTER_INCOMING_TIMED_OUT] = MUSTER_INCOMING_ANSWERING,
      [MUSTER_INCOMING_UNSERVED] = MUSTER_INCOMING_STALE,
    },
  };

gboolean
muster_incoming_state_is_end (MusterIncomingState state)
{
  return state > MUSTER_INCOMING_ANSWERING;
}

MusterIncomingState
muster_incoming_state_after (MusterIncomingState state, MusterIncomingFact fact)
{
  g_return_val_if_fail (fact < MUSTER_INCOMING_N_FACTS, state);

  return muster_incoming_state_is_end (state) ? state : after[state][fact];
}

const char *
muster_incoming_state_to_string (MusterIncomingState state)
{
  switch (state) {
  case MUSTER_INCOMING_WAITING:
    return "waiting";
  case MUSTER_INCOMING_ANSWERING:
    return "answering";
  case MUSTER_INCOMING_TAKEN:
    return "taken";
  case MUSTER_INCOMING_ELSEWHERE:
    return "elsewhere";
  case MUSTER_INCOMING_CANCELLED:
    return "cancelled";
  case MUSTER_INCOMING_STALE:
    return "stale";
  case MUSTER_INCOMING_N_STATES:
    break;
  }

  g_return_val_if_reached ("stale");
}

gboolean
muster_incoming_fact_of (MusterOfferState state, MusterIncomingFact *fact)
{
  switch (state) {
  case MUSTER_OFFER_WAITING:
    return FALSE;
  case MUSTER_OFFER_TAKEN:
    *fact = MUSTER_INCOMING_REPORTED_TAKEN;
    return TRUE;
  case MUSTER_OFFER_ELSEWHERE:
    *fact = MUSTER_INCOMING_REPORTED_ELSEWHERE;
    return TRUE;
  case MUSTER_OFFER_CANCELLED:
    *fact = MUSTER_INCOMING_REPORTED_CANCELLED;
    return TRUE;
  case MUSTER_OFFER_STALE:
    *fact = MUSTER_INCOMING_REPORTED_STALE;
    return TRUE;
  }

  return FALSE; /* of a newer SDK */
}

const char *
muster_incoming_kind_to_string (MusterOfferKind kind)
{
  switch (kind) {
  case MUSTER_OFFER_CALL:
    return "call";
  case MUSTER_OFFER_MESSAGE:
    return "message";
  }

  return NULL;
}

gboolean
muster_incoming_kind_from_string (const char *text, MusterOfferKind *kind)
{
  if (g_str_equal (text, "call"))
    *kind = MUSTER_OFFER_CALL;
  else if (g_str_equal (text, "message"))
    *kind = MUSTER_OFFER_MESSAGE;
  else
    return FALSE;

  return TRUE;
}

const char *
muster_incoming_answer_to_string (MusterAnswer answer)
{
  switch (answer) {
  case MUSTER_ANSWER_ACCEPT:
    return "accept";
  case MUSTER_ANSWER_DECLINE:
    return "decline";
  case MUSTER_ANSWER_BUSY:
    return "busy";
  case MUSTER_ANSWER_REDIRECT:
    return "redirect";
  }

  g_return_val_if_reached ("");
}

/* what can be answered */

static const char *
why_over (MusterIncomingState state)
{
  switch (state) {
  case MUSTER_INCOMING_TAKEN:
    return "it was answered already";
  case MUSTER_INCOMING_ELSEWHERE:
    return "it was answered on another device";
  case MUSTER_INCOMING_CANCELLED:
    return "who made it gave up";
  case MUSTER_INCOMING_STALE:
    return "nobody answered in time, or its account is not registered any more";
  case MUSTER_INCOMING_WAITING:
  case MUSTER_INCOMING_ANSWERING:
  case MUSTER_INCOMING_N_STATES:
    break;
  }

  g_return_val_if_reached ("");
}

gboolean
muster_incoming_offer_check_answer (MusterIncomingOffer *self, MusterAnswer answer, GError **error)
{
  const char *kind = muster_incoming_kind_to_string (self->offer->kind);

  if (muster_incoming_state_is_end (self->state))
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE, "the %s is over: %s",
                 kind, why_over (self->state));
  else if (self->state == MUSTER_INCOMING_ANSWERING)
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "the %s is being answered already (%s)", kind,
                 muster_incoming_answer_to_string (self->answer));
  else if (self->offer->kind == MUSTER_OFFER_MESSAGE &&
           (answer == MUSTER_ANSWER_BUSY || answer == MUSTER_ANSWER_REDIRECT))
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "it is a message, which has arrived already; accept it when it is read, or "
                 "decline it");
  else
    return TRUE;

  return FALSE;
}

/* life */

MusterIncomingOffer *
muster_incoming_offer_new (gpointer host,
                           char *id,
                           MusterAccount *account,
                           const MusterOffer *offer,
                           MusterTimerFunc func)
{
  MusterIncomingOffer *self = g_new0 (MusterIncomingOffer, 1);

  self->host = host;
  self->id = id;
  self->account = account;
  self->offer = muster_offer_copy (offer);
  muster_timer_init (&self->timer, func, self);

  return self;
}

void
muster_incoming_offer_free (MusterIncomingOffer *self)
{
  muster_timer_cancel (&self->timer);
  g_clear_error (&self->error);
  g_free (self->target);
  muster_offer_free (self->offer);
  g_free (self->id);
  g_free (self);
}
