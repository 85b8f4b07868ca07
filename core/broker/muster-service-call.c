/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-service-call.h"

/*
 * What people ask of services. Whoever asked is answered once, and in time; the plugin is told to give
 * up then, and the call goes on until it has.
 *
 *    begin -> the plugin ends it ------------------> the answer --> end
 *         |-> no answer in time -> "no answer" ---> cancelled -> the plugin ends it -> end
 *         '-> the broker goes ---> "daemon ends" -> cancelled -> the plugin ends it -> end
 */

static GError *
no_answer (MusterServiceCall *self)
{
  return muster_error_new (MUSTER_ERROR_UNREACHABLE, self->step,
                           "the service did not answer within %u s", self->patience_s);
}

/* Takes @error. */
static void
muster_service_call_give_up (MusterServiceCall *self, GError *error)
{
  g_autoptr (GCancellable) cancellable = g_object_ref (self->cancellable);
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  muster_timer_cancel (&self->deadline);
  if (task != NULL)
    g_task_return_error (task, error);
  else
    g_error_free (error);
  g_cancellable_cancel (cancellable); /* which may end the call */
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  MusterServiceCall *self = user_data;

  self->is_late = TRUE;
  muster_service_call_give_up (self, no_answer (self));
}

void
muster_broker_cancel_service_calls (MusterBroker *self)
{
  while (self->service_calls.head != NULL) {
    MusterServiceCall *call = self->service_calls.head->data;

    g_queue_unlink (&self->service_calls, &call->link);
    call->broker = NULL;
    muster_service_call_give_up (call, g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED,
                                                    "the daemon ends"));
  }
}

void
muster_service_call_answer (MusterServiceCall *self, gpointer answer, GDestroyNotify free_answer)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  muster_timer_cancel (&self->deadline);
  if (task != NULL)
    g_task_return_pointer (task, answer, free_answer);
  else if (free_answer != NULL)
    free_answer (answer);
}

GError *
muster_service_call_explain (MusterServiceCall *self, GError *error)
{
  g_autoptr (GError) original = error;

  if (original->domain == MUSTER_ERROR || original->domain == MUSTER_BROKER_ERROR)
    return g_steal_pointer (&original);
  if (!g_error_matches (original, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_error_new_literal (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED, original->message);
  if (self->is_late)
    return no_answer (self);

  return g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                      "the account went off before its service answered");
}

void
muster_service_call_fail (MusterServiceCall *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  muster_timer_cancel (&self->deadline);
  if (task != NULL)
    g_task_return_error (task, muster_service_call_explain (self, error));
  else
    g_error_free (error);
}

gboolean
muster_service_call_check (MusterAccount *account, const char *consequence, GError **error)
{
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));

  if (muster_account_get_serving (account) != NULL)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
               "it is not registered (%s), so %s", muster_account_state_to_string (view->state),
               consequence);
  return FALSE;
}

void
muster_service_call_begin (MusterServiceCall *self,
                           MusterBroker *broker,
                           MusterAccount *account,
                           GTask *task,
                           guint patience_s,
                           MusterStep step)
{
  self->broker = broker;
  self->account = muster_account_ref (account);
  self->cancellable = g_cancellable_new ();
  self->task = task;
  self->patience_s = patience_s;
  self->step = step;
  self->link.data = self;
  g_queue_push_tail_link (&broker->service_calls, &self->link);
  muster_timer_init (&self->deadline, on_deadline, self);
  muster_timer_arm_in_ms (&self->deadline, (gint64) patience_s * 1000);
}

void
muster_service_call_end (MusterServiceCall *self)
{
  g_warn_if_fail (self->task == NULL);

  if (self->broker != NULL)
    g_queue_unlink (&self->broker->service_calls, &self->link);
  muster_timer_cancel (&self->deadline);
  muster_account_unref (self->account);
  g_object_unref (self->cancellable);
}
