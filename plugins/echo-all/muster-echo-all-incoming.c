/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-registration.h"

/* Ends what is answered. */

typedef struct {
  char *id;
  MusterAnswer answer;
  char *target;
} Reply;

static void
reply_free (gpointer data)
{
  Reply *reply = data;

  g_free (reply->id);
  g_free (reply->target);
  g_free (reply);
}

static const char *
answer_to_string (MusterAnswer answer)
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

  g_return_val_if_reached ("?");
}

static void
answer_answer (MusterRegistration *registration, GTask *task)
{
  MusterEchoAllRegistration *self = MUSTER_ECHO_ALL_REGISTRATION (registration);
  const Reply *reply = g_task_get_task_data (task);
  const char *target = reply->target != NULL ? reply->target : "";
  g_autofree char *fact = g_strdup_printf ("answer %s %s%s%s", reply->id,
                                           answer_to_string (reply->answer),
                                           *target != '\0' ? " " : "", target);
  g_autoptr (MusterOffer) offer = NULL;

  if (muster_echo_all_registration_log_and_fail (self, fact, NULL, "answer-error", task))
    return;

  if (reply->answer == MUSTER_ANSWER_REDIRECT && *target == '\0') {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_STREAM,
                                                 "it is not said where to redirect it to"));
    return;
  }

  offer = muster_echo_all_offers_end (self->offers, reply->id, MUSTER_OFFER_TAKEN);
  if (offer == NULL) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_EXPIRED, MUSTER_STEP_STREAM,
                                                 "it no longer waits for an answer"));
    return;
  }

  muster_incoming_report (MUSTER_INCOMING (self), offer);
  g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_answer_async (MusterIncoming *self,
                              const char *id,
                              MusterAnswer answer,
                              const char *target,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  Reply *reply = g_new0 (Reply, 1);

  reply->id = g_strdup (id);
  reply->answer = answer;
  reply->target = g_strdup (target);
  muster_echo_all_registration_answer (self, muster_echo_all_answer_async, answer_answer, reply,
                                       reply_free, cancellable, callback, user_data);
}

static gboolean
muster_echo_all_answer_finish (MusterIncoming *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_echo_all_incoming_init (MusterIncomingInterface *iface)
{
  iface->answer_async = muster_echo_all_answer_async;
  iface->answer_finish = muster_echo_all_answer_finish;
}
