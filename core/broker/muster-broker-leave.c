/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"

/*
 * The end of the session, and of an account that was removed: each takes back what its service holds, and
 * who is done is buried.
 */

#define LEAVE_MS 3000

/* Has something to take back, or is about to have. */
static gboolean
must_leave (MusterAccount *account)
{
  MusterStanding *standing = muster_account_get_standing (account);

  switch (muster_standing_get_view (standing)->state) {
  case MUSTER_ACCOUNT_REGISTERING:
  case MUSTER_ACCOUNT_REGISTERED:
  case MUSTER_ACCOUNT_REFRESHING:
  case MUSTER_ACCOUNT_UNREGISTERING:
    return TRUE;
  case MUSTER_ACCOUNT_DISABLED:
  case MUSTER_ACCOUNT_WAITING_PLUGIN:
  case MUSTER_ACCOUNT_WAITING_SECRET:
  case MUSTER_ACCOUNT_WAITING_USER:
  case MUSTER_ACCOUNT_WAITING_NETWORK:
  case MUSTER_ACCOUNT_WAITING_RETRY:
  case MUSTER_ACCOUNT_FAILED:
    return !muster_standing_is_idle (standing);
  case MUSTER_ACCOUNT_STATE_LAST:
    break;
  }

  g_return_val_if_reached (FALSE);
}

static void
muster_broker_left (MusterBroker *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->leaving);

  muster_timer_cancel (&self->leave_timer);
  g_task_return_boolean (task, TRUE);
}

static void
muster_broker_check_left (MusterBroker *self)
{
  if (self->leaving == NULL || self->retired->len > 0 || self->trials->len > 0)
    return;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->accounts);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    if (must_leave (g_sequence_get (iter)))
      return;
  }

  muster_broker_left (self);
}

static gboolean
on_settle (gpointer user_data)
{
  MusterBroker *self = user_data;

  self->settle_id = 0;
  for (guint i = self->retired->len; i > 0; i--) {
    MusterAccount *account = self->retired->pdata[i - 1];

    if (!must_leave (account))
      g_ptr_array_remove_index_fast (self->retired, i - 1);
  }
  muster_broker_check_left (self);

  return G_SOURCE_REMOVE;
}

/* Not at once, since an account is calling, and not for each: ten thousand may leave together. */
void
muster_broker_settle (MusterBroker *self)
{
  if (self->settle_id == 0)
    self->settle_id = g_idle_add_full (G_PRIORITY_DEFAULT, on_settle, self, NULL);
}

static void
on_leave_timeout (MusterTimer *timer, gpointer user_data)
{
  g_message ("not every service answered in time, leaving all the same");
  muster_broker_left (user_data);
}

void
muster_broker_leave_async (MusterBroker *self, GAsyncReadyCallback callback, gpointer data)
{
  g_return_if_fail (self->leaving == NULL);

  muster_broker_cancel_trials (self);
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->accounts);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterAccount *account = g_sequence_get (iter);

    muster_account_pause (account);
    if (must_leave (account) || muster_standing_is_held (muster_account_get_standing (account)))
      muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_DISABLED);
  }

  self->is_leaving = TRUE;
  self->leaving = g_task_new (NULL, NULL, callback, data);
  muster_timer_arm_in_ms (&self->leave_timer, LEAVE_MS);
  muster_broker_settle (self);
}

gboolean
muster_broker_leave_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_broker_init_leave (MusterBroker *self)
{
  muster_timer_init (&self->leave_timer, on_leave_timeout, self);
}
