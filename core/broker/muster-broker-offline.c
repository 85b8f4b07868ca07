/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"
#include "muster-names.h"

/*
 * Knows what stands in the way of going on-line, and tells the accounts.
 *
 * Ten thousand accounts cannot be told in one dispatch. They are told in batches, the first one at
 * once, and each what is true in that moment: so whatever changes on the way, the sweep just begins
 * anew, and who is told twice hears the same.
 */

#define BATCH 100

static gboolean
holds_for (const char *reason, MusterAccount *account)
{
  return !g_str_equal (reason, MUSTER_OFFLINE_NO_NETWORK) || !muster_account_is_local (account);
}

const char *
muster_broker_get_offline_reason (MusterBroker *self, MusterAccount *account)
{
  const char *const *reasons = muster_broker_get_offline (self);

  for (guint i = 0; reasons[i] != NULL; i++) {
    if (holds_for (reasons[i], account))
      return reasons[i];
  }

  return NULL;
}

/* telling */

static void
muster_broker_tell_offline (MusterBroker *self, MusterAccount *account)
{
  MusterStanding *standing = muster_account_get_standing (account);
  const MusterStandingView *view = muster_standing_get_view (standing);
  const char *reason = muster_broker_get_offline_reason (self, account);

  if (reason == NULL) {
    muster_standing_post (standing,
                          self->is_changed ? MUSTER_FACT_NETWORK_CHANGED : MUSTER_FACT_NETWORK_UP);
    if (self->is_changed)
      muster_proofs_doubt (self->proofs, account);
  } else if (view->state != MUSTER_ACCOUNT_WAITING_NETWORK) {
    muster_standing_post (standing, MUSTER_FACT_NETWORK_DOWN);
  } else if (!g_str_equal (view->reason, reason)) { /* it waits on, but says why anew */
    muster_standing_post (standing, MUSTER_FACT_NETWORK_CHANGED);
  }
}

static void
muster_broker_sweep_batch (MusterBroker *self)
{
  GSequenceIter *iter = self->swept != NULL ? muster_broker_seek_account (self, self->swept)
                                            : g_sequence_get_begin_iter (self->accounts);

  for (guint i = 0; i < BATCH && !g_sequence_iter_is_end (iter); i++) {
    MusterAccount *account = g_sequence_get (iter);

    g_free (self->swept);
    self->swept = g_strdup (muster_account_get_id (account));
    iter = g_sequence_iter_next (iter);
    muster_broker_tell_offline (self, account);
  }

  if (g_sequence_iter_is_end (iter)) {
    g_clear_pointer (&self->swept, g_free);
    self->is_changed = FALSE;
  } else {
    muster_timer_arm_in_ms (&self->sweep, 0);
  }
}

static void
on_sweep (MusterTimer *timer, gpointer user_data)
{
  muster_broker_sweep_batch (user_data);
}

static void
muster_broker_sweep (MusterBroker *self)
{
  g_clear_pointer (&self->swept, g_free);
  muster_timer_cancel (&self->sweep);
  muster_broker_sweep_batch (self);
}

/* what comes in */

const char *const *
muster_broker_get_offline (MusterBroker *self)
{
  return (const char *const *) self->offline->pdata;
}

void
muster_broker_set_offline (MusterBroker *self, const char *reason, gboolean offline)
{
  guint index = 0;
  gboolean known;

  g_ptr_array_set_size (self->offline, (int) self->offline->len - 1); /* the closing NULL */
  known = g_ptr_array_find_with_equal_func (self->offline, reason, g_str_equal, &index);
  if (offline && !known)
    g_ptr_array_add (self->offline, (gpointer) g_intern_string (reason));
  else if (!offline && known)
    g_ptr_array_remove_index (self->offline, index);
  g_ptr_array_add (self->offline, NULL);

  if (known == offline)
    return;

  g_info ("%s is %s", reason, offline ? "in the way of going on-line" : "overcome");
  if (self->observer != NULL)
    self->observer->offline_changed (self->observer_data);
  muster_broker_sweep (self);
}

void
muster_broker_network_changed (MusterBroker *self)
{
  g_info ("the network is another, or may be");
  self->is_changed = TRUE;
  muster_broker_sweep (self);
}

/* life */

void
muster_broker_init_offline (MusterBroker *self)
{
  self->offline = g_ptr_array_new ();
  g_ptr_array_add (self->offline, NULL);
  muster_timer_init (&self->sweep, on_sweep, self);
}

void
muster_broker_clear_offline (MusterBroker *self)
{
  muster_timer_cancel (&self->sweep);
  g_clear_pointer (&self->swept, g_free);
  g_ptr_array_unref (self->offline);
}
