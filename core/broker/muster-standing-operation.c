/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStanding"

#include "config.h"

#include "muster-schedule.h"
#include "muster-standing-private.h"

/*
 * The one operation that is under way on an account's registration: an attempt, or leaving. When to
 * begin one, and what its end means to the state, is muster-standing.c's.
 *
 *    attempt -> [RESUME, once] -> ADMISSION -> OPEN -> GATE -> opened
 *                                                |       `-> CLOSE -> failed
 *                                                `-> failed
 *    close ---> CLOSE -> the fact CLOSED
 *
 * Between a fresh registration that was granted and the fact OPENED stands the gate, if there is one:
 * who is denied there is unregistered again, and the denial is what the attempt came to. A refresh
 * passes it by.
 */

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  MusterStanding *self = user_data;

  g_cancellable_cancel (self->operation);
}

void
muster_standing_init_operation (MusterStanding *self)
{
  muster_timer_init (&self->deadline, on_deadline, self);
}

static void
muster_standing_begin (MusterStanding *self, OperationStep step)
{
  self->step = step;
  self->new_secret = FALSE;
  self->operation = g_cancellable_new ();
}

/* Returns whether the state moved on while the operation was under way. */
static gboolean
muster_standing_end (MusterStanding *self)
{
  gboolean moved_on = self->moved_on;

  muster_timer_cancel (&self->deadline);
  g_clear_object (&self->operation);
  self->step = STEP_IDLE;
  self->moved_on = FALSE;

  return moved_on;
}

/* leaving, or taking back what the gate denied */

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterStanding *self = user_data;
  g_autoptr (GError) denial = g_steal_pointer (&self->overruled);
  g_autoptr (GError) error = NULL;
  gboolean moved_on = muster_standing_end (self);
  gboolean closed;

  closed = muster_registration_close_finish (MUSTER_REGISTRATION (source), result, &error);
  if (self->host == NULL) {
    muster_standing_destroy (self);
    return;
  }

  if (!closed)
    g_message ("%s: leaving failed, letting the lease lapse: %s", self->id, error->message);

  muster_standing_clear_lease (self);
  if (moved_on)
    muster_standing_catch_up (self);
  else if (denial != NULL)
    muster_standing_failed (self, denial);
  else
    muster_standing_post (self, MUSTER_FACT_CLOSED);
}

void
muster_standing_close (MusterStanding *self)
{
  if (self->registration == NULL) /* a lease of an earlier run that was never taken up again */
    self->registration = self->host->make_registration (self->host_data);

  muster_standing_begin (self, STEP_CLOSE);
  muster_timer_arm_in_ms (&self->deadline, muster_schedule_close_deadline_ms ());
  muster_registration_close_async (self->registration, self->operation, on_closed, self);
}

/* the gate */

/* FALSE: there is nobody to ask. */
static gboolean
muster_standing_ask_gate (MusterStanding *self)
{
  g_autoptr (GVariant) payload = NULL;

  if (self->host->gate == NULL ||
      (self->host->has_gate != NULL && !self->host->has_gate (self->host_data)))
    return FALSE;

  payload = g_variant_ref_sink (
    muster_standing_describe (self, MUSTER_ACCOUNT_REGISTERED, "")); /* what it would be */
  muster_standing_begin (self, STEP_GATE);
  self->view.reason = "gate";
  if (self->host->gate (self->host_data, payload, self->operation)) {
    self->host->changed (self->host_data);
    return TRUE;
  }

  self->view.reason = "";
  muster_standing_end (self);
  return FALSE;
}

void
muster_standing_gated (MusterStanding *self, const GError *denial)
{
  g_autoptr (GError) lost = NULL;
  gboolean moved_on;

  g_return_if_fail (self->step == STEP_GATE);

  moved_on = muster_standing_end (self);
  lost = g_steal_pointer (&self->overruled);
  if (self->host == NULL) {
    muster_standing_destroy (self);
    return;
  }
  if (moved_on) {
    muster_standing_catch_up (self);
    return;
  }

  if (lost == NULL && muster_standing_get_lease_left_ms (self) == 0)
    lost = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER,
                             "the lease ended before it was allowed");
  if (lost != NULL) {
    muster_standing_clear_lease (self);
    muster_standing_failed (self, lost);
    return;
  }
  if (denial == NULL) {
    muster_standing_opened (self);
    return;
  }

  self->overruled = g_error_copy (denial);
  muster_standing_clear_side_leases (self);
  muster_standing_close (self);
}

/* an attempt */

/* An answer that came too late to decide the state still says something of the secret. */
static gboolean
refuses_secret (MusterStanding *self, const GError *error)
{
  return error != NULL && g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_REFUSED) &&
         !self->new_secret;
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterStanding *self = user_data;
  g_autoptr (MusterLease) lease = NULL;
  g_autoptr (GError) error = NULL;
  gboolean moved_on = muster_standing_end (self);

  lease = muster_registration_open_finish (MUSTER_REGISTRATION (source), result, &error);
  if (self->host == NULL) {
    muster_standing_destroy (self);
    return;
  }

  if (lease != NULL) {
    muster_standing_take_lease (self, lease);
  } else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    self->unsure = TRUE;
    g_clear_error (&error);
    error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER,
                              "the service did not answer in time");
  }
  self->host->release (self->host_data, moved_on ? NULL : error);

  if (moved_on && refuses_secret (self, error)) {
    moved_on = self->view.state != MUSTER_ACCOUNT_REGISTERING &&
               self->view.state != MUSTER_ACCOUNT_REFRESHING;
    if (moved_on)
      self->host->secret_refused (self->host_data);
  }
  if (moved_on) {
    muster_standing_catch_up (self);
  } else if (lease != NULL) {
    if (self->told || !muster_standing_ask_gate (self))
      muster_standing_opened (self);
  } else {
    muster_standing_failed (self, error);
  }
}

static void
muster_standing_open (MusterStanding *self)
{
  gint64 left_ms = muster_standing_get_lease_left_ms (self);

  muster_standing_begin (self, STEP_OPEN);
  muster_timer_arm_in_ms (&self->deadline,
                          muster_schedule_open_deadline_ms (left_ms == G_MAXINT64 ? 0 : left_ms));
  muster_registration_open_async (self->registration, self->operation, on_opened, self);
}

void
muster_standing_drop_registration (MusterStanding *self)
{
  muster_standing_clear_side_leases (self);
  if (self->registration != NULL)
    muster_registration_detach_host (self->registration);
  g_clear_object (&self->registration);
}

void
muster_standing_attempt (MusterStanding *self)
{
  self->view.next_attempt_at_us = 0;

  if (self->repointed) { /* what was granted was granted to the old one */
    muster_standing_drop_registration (self);
    muster_standing_clear_lease (self);
  }
  self->repointed = FALSE;

  if (!self->resumed) {
    self->step = STEP_RESUME;
    self->host->load_resume (self->host_data);
    return;
  }

  if (self->registration == NULL)
    self->registration = self->host->make_registration (self->host_data);

  self->step = STEP_ADMISSION;
  self->host->admit (self->host_data);
  if (self->step == STEP_ADMISSION)
    self->view.reason = "admission";
}

void
muster_standing_resume_loaded (MusterStanding *self)
{
  g_return_if_fail (self->step == STEP_RESUME);

  self->resumed = TRUE;
  self->step = STEP_IDLE;
  muster_standing_catch_up (self);
}

void
muster_standing_admitted (MusterStanding *self)
{
  g_return_if_fail (self->step == STEP_ADMISSION);

  self->step = STEP_IDLE;
  muster_standing_reset_reason (self);
  muster_standing_open (self);
  self->host->changed (self->host_data);
}

/* The state has moved on. FALSE: it is entered by the end of what is under way. */
gboolean
muster_standing_interrupt (MusterStanding *self)
{
  switch (self->step) {
  case STEP_IDLE:
    return TRUE;
  case STEP_RESUME: /* nothing to cut short */
    return FALSE;
  case STEP_ADMISSION:
    self->step = STEP_IDLE;
    self->host->release (self->host_data, NULL);
    return TRUE;
  case STEP_OPEN:
  case STEP_GATE:
  case STEP_CLOSE:
    self->moved_on = TRUE;
    g_cancellable_cancel (self->operation);
    return FALSE;
  }

  g_return_val_if_reached (TRUE);
}
