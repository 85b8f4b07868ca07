/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-service-call.h"

/*
 * Answers to calls and messages. The first one wins; until the service has it, no other is taken. A call
 * that is accepted goes to a handler; what became of it is the handler's to say. Somebody who answers a
 * message is done with it, whether its service can be told or not.
 */

#define ANSWER_S 40 /* a SIP transaction takes 32 s */
/* At a time: beyond that the callers hear nothing, which they would anyway. */
#define REFUSING_MAX 100

/* handlers */

static MusterIncomingHandler *
find_handler (MusterBroker *self, const char *owner, const char *address)
{
  for (guint i = 0; i < self->handlers->len; i++) {
    MusterIncomingHandler *handler = self->handlers->pdata[i];

    if (g_str_equal (handler->owner, owner) &&
        (address == NULL || g_str_equal (handler->address, address)))
      return handler;
  }

  return NULL;
}

static void
tell_handlers (MusterBroker *self)
{
  if (self->observer != NULL)
    self->observer->handlers_changed (self->observer_data);
}

gboolean
muster_broker_add_handler (MusterBroker *self, MusterIncomingHandler *handler, GError **error)
{
  if (!muster_incoming_handler_check (handler, error))
    return FALSE;

  if (find_handler (self, handler->owner, handler->address) != NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS,
                 "address: you have registered %s already", handler->address);
    return FALSE;
  }
  if (self->handlers->len >= MUSTER_HANDLERS_MAX) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                 "there are %d handlers already", MUSTER_HANDLERS_MAX);
    return FALSE;
  }

  g_ptr_array_add (self->handlers, handler);
  tell_handlers (self);
  return TRUE;
}

gboolean
muster_broker_remove_handlers (MusterBroker *self, const char *owner, const char *address)
{
  MusterIncomingHandler *handler;
  gboolean was_there = FALSE;

  while ((handler = find_handler (self, owner, address)) != NULL) {
    g_ptr_array_remove (self->handlers, handler);
    was_there = TRUE;
  }
  if (was_there)
    tell_handlers (self);

  return was_there;
}

GPtrArray *
muster_broker_get_handlers (MusterBroker *self)
{
  return self->handlers;
}

/* The one that came last and takes such; %NULL: none. */
static const char *
find_target (MusterBroker *self, MusterIncomingOffer *offer)
{
  const MusterAccountRecord *record = muster_account_get_record (offer->account);
  const MusterProtocol *protocol = muster_account_get_protocol (offer->account);

  for (guint i = self->handlers->len; protocol != NULL && i > 0; i--) {
    const MusterIncomingHandler *handler = self->handlers->pdata[i - 1];

    if (muster_incoming_handler_takes (handler, offer->offer->kind, record, protocol))
      return handler->address;
  }

  return NULL;
}

/* Finds out where it goes: @target, which may be %NULL then and may become %NULL. */
static gboolean
check_target (MusterBroker *self,
              MusterIncomingOffer *offer,
              MusterAnswer answer,
              const char **target,
              GError **error)
{
  switch (answer) {
  case MUSTER_ANSWER_DECLINE:
  case MUSTER_ANSWER_BUSY:
    *target = NULL;
    return TRUE;
  case MUSTER_ANSWER_REDIRECT:
    return muster_incoming_check_target ("target", *target != NULL ? *target : "", error);
  case MUSTER_ANSWER_ACCEPT:
    break;
  }

  if (*target != NULL)
    return muster_incoming_check_target ("target", *target, error);

  *target = find_target (self, offer);
  if (*target == NULL && offer->offer->kind == MUSTER_OFFER_CALL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "no application has registered that it takes calls of this account; start one, or "
                 "say to which address the call goes (muster incoming accept %s --to ADDRESS)",
                 offer->id);
    return FALSE;
  }

  return TRUE;
}

/* answering */

typedef struct {
  MusterServiceCall call;
  char *id; /* the offer may go meanwhile */
  gboolean is_message;
} AnswerCall;

static void
answer_call_free (AnswerCall *self)
{
  muster_service_call_end (&self->call);
  g_free (self->id);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AnswerCall, answer_call_free)

/* Whether there is nothing left to be told at the service. */
static gboolean
is_done_anyway (AnswerCall *self, const GError *error)
{
  return self->is_message && (g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_EXPIRED) ||
                              g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED));
}

static void
take_failure (MusterBroker *self, MusterIncomingOffer *offer, GError *error)
{
  MusterIncomingFact fact = g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_EXPIRED)
                              ? MUSTER_INCOMING_ANSWER_LATE
                              : MUSTER_INCOMING_ANSWER_FAILED;

  g_clear_error (&offer->error);
  offer->error = g_error_copy (error);
  muster_broker_post_offer (self, offer, fact);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (AnswerCall) self = user_data;
  MusterBroker *broker = self->call.broker;
  MusterIncomingOffer *offer = broker != NULL ? muster_broker_get_offer (broker, self->id) : NULL;
  GError *error = NULL;
  gboolean done = muster_incoming_answer_finish (MUSTER_INCOMING (source), result, &error);

  if (error != NULL)
    error = muster_service_call_explain (&self->call, error);
  if (is_done_anyway (self, error)) {
    g_clear_error (&error);
    done = TRUE;
  }

  if (offer != NULL && offer->state == MUSTER_INCOMING_ANSWERING) {
    if (done)
      muster_broker_post_offer (broker, offer, MUSTER_INCOMING_ANSWER_DELIVERED);
    else
      take_failure (broker, offer, error);
  }

  /* What ended it while the answer was under way is the answer to whoever gave it. */
  if (offer != NULL && muster_incoming_state_is_end (offer->state) &&
      offer->state != MUSTER_INCOMING_TAKEN) {
    g_clear_error (&error);
    muster_incoming_offer_check_answer (offer, MUSTER_ANSWER_DECLINE, &error);
  }
  if (error != NULL)
    muster_service_call_fail (&self->call, error);
  else
    muster_service_call_answer (&self->call, GINT_TO_POINTER (TRUE), NULL);
}

void
muster_broker_answer_offer_async (MusterBroker *self,
                                  MusterIncomingOffer *offer,
                                  MusterAnswer answer,
                                  const char *target,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  MusterRegistration *registration = muster_account_get_serving (offer->account);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  GError *error = NULL;
  AnswerCall *call;

  if (!muster_incoming_offer_check_answer (offer, answer, &error) ||
      !check_target (self, offer, answer, &target, &error)) {
    g_task_return_error (task, error);
    return;
  }
  if (registration == NULL && offer->offer->kind == MUSTER_OFFER_CALL) {
    g_task_return_new_error (task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                             "the account is not registered now, so its service cannot be told");
    return;
  }

  offer->answer = answer;
  g_free (offer->target);
  offer->target = g_strdup (target);
  muster_broker_post_offer (self, offer, MUSTER_INCOMING_ANSWERED);
  if (registration == NULL) {
    muster_broker_post_offer (self, offer, MUSTER_INCOMING_ANSWER_DELIVERED);
    g_task_return_pointer (task, GINT_TO_POINTER (TRUE), NULL);
    return;
  }

  call = g_new0 (AnswerCall, 1);
  call->id = g_strdup (offer->id);
  call->is_message = offer->offer->kind == MUSTER_OFFER_MESSAGE;
  muster_service_call_begin (&call->call, self, offer->account, g_steal_pointer (&task), ANSWER_S,
                             MUSTER_STEP_NONE);
  muster_incoming_answer_async (MUSTER_INCOMING (registration), offer->offer->id, answer,
                                offer->target, call->call.cancellable, on_answered, call);
}

gboolean
muster_broker_answer_offer_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error) != NULL;
}

/* no room */

static void
on_refused (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterServiceCall *refusal = user_data;

  muster_incoming_answer_finish (MUSTER_INCOMING (source), result, NULL);
  if (refusal->broker != NULL)
    refusal->broker->n_refusing--;
  muster_service_call_end (refusal);
  g_free (refusal);
}

void
muster_broker_refuse_offer (MusterBroker *self, MusterAccount *account, const char *plugin_id)
{
  MusterRegistration *registration = muster_account_get_serving (account);
  MusterServiceCall *refusal;

  if (registration == NULL || self->n_refusing >= REFUSING_MAX)
    return;
  if (self->n_refusing++ == 0)
    g_message ("%s: too many calls wait already, saying that it is busy",
               muster_account_get_id (account));

  refusal = g_new0 (MusterServiceCall, 1);
  muster_service_call_begin (refusal, self, account, NULL, ANSWER_S, MUSTER_STEP_NONE);
  muster_incoming_answer_async (MUSTER_INCOMING (registration), plugin_id, MUSTER_ANSWER_BUSY, NULL,
                                refusal->cancellable, on_refused, refusal);
}
