/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStanding"

#include "config.h"

#include "muster-schedule.h"
#include "muster-standing-private.h"

/*
 * Carries out what the table and the schedule decide. The state may move on at any point of an
 * operation; then that is cancelled, and only when it has ended is the new state entered, so that a
 * registration never sees two operations at once.
 *
 *    post (fact) -> table -> move (state) -> [interrupt, and wait for its end] -> enter (state)
 *                                                      attempt / close / arm a timer <-'
 *
 * How an operation goes is muster-standing-operation.c's.
 */

#define EXPIRED_AGAIN_US (60 * G_USEC_PER_SEC)

static gint64
to_wall_us (gint64 boot_us)
{
  return muster_clock_wall_us () + boot_us - muster_clock_now_us ();
}

gint64
muster_standing_get_lease_left_ms (MusterStanding *self)
{
  if (self->lease_end_us == 0)
    return 0;
  if (self->lease_end_us == G_MAXINT64)
    return G_MAXINT64;

  return MAX ((self->lease_end_us - muster_clock_now_us ()) / 1000, 0);
}

static void
replace_bindings (MusterStanding *self, const char *const *bindings)
{
  if (g_strv_equal ((const char *const *) self->view.bindings, bindings))
    return;

  g_strfreev (self->view.bindings);
  self->view.bindings = g_strdupv ((GStrv) bindings);
  self->view.bindings_serial++;
}

static void
forget_lease (MusterStanding *self)
{
  self->lease_end_us = 0;
  self->refresh_us = 0;
  self->unsure = FALSE;
  self->view.expires_at_us = 0;
  self->view.refresh_at_us = 0;
  muster_timer_cancel (&self->lease_end);
}

void
muster_standing_clear_lease (MusterStanding *self)
{
  static const char *const none[] = { NULL };

  forget_lease (self);
  replace_bindings (self, none);
}

static void
muster_standing_clear_error (MusterStanding *self)
{
  g_clear_error (&self->view.error);
  self->view.error_at_us = 0;
}

/* One word for people and programs. */
static const char *
reason_for (MusterStanding *self, MusterAccountState state, MusterAccountFact fact)
{
  MusterAccountConditions conditions = self->host->get_conditions (self->host_data);

  switch (state) {
  case MUSTER_ACCOUNT_WAITING_PLUGIN:
    return self->host->get_plugin_reason (self->host_data);
  case MUSTER_ACCOUNT_WAITING_SECRET:
    if (self->host->is_secret_refused (self->host_data))
      return "refused";
    return self->host->get_secret_reason != NULL ? self->host->get_secret_reason (self->host_data)
                                                 : "no-secret";
  case MUSTER_ACCOUNT_WAITING_NETWORK:
    return self->host->get_offline_reason (self->host_data);
  case MUSTER_ACCOUNT_FAILED:
    if ((conditions & MUSTER_CONDITION_VALID) == 0)
      return "invalid";
    return muster_account_fact_to_string (fact);
  case MUSTER_ACCOUNT_WAITING_RETRY:
  case MUSTER_ACCOUNT_WAITING_USER:
    if (self->view.error != NULL)
      return muster_error_code_to_string ((MusterError) self->view.error->code);
    return muster_account_fact_to_string (fact);
  case MUSTER_ACCOUNT_REFRESHING:
    return muster_account_fact_to_string (fact);
  case MUSTER_ACCOUNT_DISABLED:
    return self->host->get_unwanted_reason != NULL
             ? self->host->get_unwanted_reason (self->host_data)
             : "";
  case MUSTER_ACCOUNT_REGISTERING:
  case MUSTER_ACCOUNT_REGISTERED:
  case MUSTER_ACCOUNT_UNREGISTERING:
    return "";
  case MUSTER_ACCOUNT_STATE_LAST:
    break;
  }

  g_return_val_if_reached ("");
}

void
muster_standing_reset_reason (MusterStanding *self)
{
  self->view.reason = reason_for (self, self->view.state, self->why);
}

/* events */

static GVariant *
detail (const char *key, GVariant *value)
{
  return g_variant_new_dict_entry (g_variant_new_string (key), g_variant_new_variant (value));
}

/* Without a GVariantDict, which would cost four times as much: each registration and each refresh
 * comes here. */
GVariant *
muster_standing_describe (MusterStanding *self, MusterAccountState state, const char *reason)
{
  const MusterStandingView *view = &self->view;
  GVariant *details[6];
  guint n = 0;

  details[n++] = detail ("state", g_variant_new_string (muster_account_state_to_string (state)));
  if (*reason != '\0')
    details[n++] = detail ("reason", g_variant_new_string (reason));
  if (view->bindings[0] != NULL)
    details[n++] = detail ("bindings",
                           g_variant_new_strv ((const char *const *) view->bindings, -1));
  if (view->expires_at_us != 0)
    details[n++] = detail ("expires-at", g_variant_new_uint64 ((guint64) view->expires_at_us));
  if (view->next_attempt_at_us != 0)
    details[n++] = detail ("next-attempt-at",
                           g_variant_new_uint64 ((guint64) view->next_attempt_at_us));
  if (view->error != NULL && state != MUSTER_ACCOUNT_REGISTERED)
    details[n++] = detail ("message", g_variant_new_string (view->error->message));

  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), details, n);
}

static void
emit (MusterStanding *self, const char *type, gboolean keep)
{
  self->host->event (self->host_data, type,
                     muster_standing_describe (self, self->view.state, self->view.reason), keep);
}

/* side leases */

static guint
on_get_retry_floor_s (gpointer host)
{
  MusterStanding *self = host;

  return self->host->get_retry_floor_s (self->host_data);
}

static void
on_lease_lapsed (gpointer host, const char *name, const GError *error)
{
  MusterStanding *self = host;
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "lease", "s", name);
  g_variant_dict_insert (&payload, "error", "s",
                         muster_error_code_to_string ((MusterError) error->code));
  g_variant_dict_insert (&payload, "message", "s", error->message);
  self->host->event (self->host_data, "lease.lost", g_variant_dict_end (&payload), TRUE);

  if (self->registration != NULL)
    muster_registration_lapse_lease (self->registration, name, error);
}

static const MusterSideLeaseHost side_lease_host = {
  .get_retry_floor_s = on_get_retry_floor_s,
  .lapsed = on_lease_lapsed,
};

void
muster_standing_add_lease (MusterStanding *self, const char *name, const MusterLease *lease)
{
  g_return_if_fail (self->registration != NULL);

  if (self->leases == NULL) {
    self->leases = muster_side_leases_new (self->id, &side_lease_host, self);
    muster_side_leases_set_running (self->leases,
                                    muster_account_state_is_registered (self->view.state));
  }
  muster_side_leases_add (self->leases, self->registration, name, lease);
}

void
muster_standing_remove_lease (MusterStanding *self, const char *name)
{
  if (self->leases != NULL)
    muster_side_leases_remove (self->leases, name);
}

/* They go with the registration. */
void
muster_standing_clear_side_leases (MusterStanding *self)
{
  if (self->leases != NULL)
    muster_side_leases_clear (self->leases);
  if (self->registration != NULL)
    muster_registration_forget_leases (self->registration);
}

static void
muster_standing_tell_leases (MusterStanding *self)
{
  if (self->leases == NULL)
    return;

  muster_side_leases_set_running (self->leases,
                                  muster_account_state_is_registered (self->view.state));
  if (self->view.state == MUSTER_ACCOUNT_UNREGISTERING ||
      self->view.state == MUSTER_ACCOUNT_DISABLED)
    muster_standing_clear_side_leases (self);
}

/* capabilities */

MusterRegistration *
muster_standing_get_serving (MusterStanding *self)
{
  return self->serves ? self->registration : NULL;
}

static void
muster_standing_set_serves (MusterStanding *self, gboolean serves)
{
  if (self->serves == serves)
    return;

  self->serves = serves;
  if (self->host->serving_changed != NULL)
    self->host->serving_changed (self->host_data);
}

/* what an operation comes to */

void
muster_standing_take_lease (MusterStanding *self, const MusterLease *lease)
{
  gint64 now_us = muster_clock_now_us ();

  forget_lease (self);
  replace_bindings (self, (const char *const *) lease->bindings);

  self->lease_end_us = G_MAXINT64;
  if (lease->lease_s > 0) {
    self->lease_end_us = now_us + (gint64) lease->lease_s * G_USEC_PER_SEC;
    self->view.expires_at_us = to_wall_us (self->lease_end_us);
    muster_timer_arm_at (&self->lease_end, self->lease_end_us);
  }
  if (lease->lease_s > 0 || lease->refresh_after_s > 0)
    self->refresh_us = now_us + 1000 * muster_schedule_refresh_ms (lease->lease_s,
                                                                   lease->refresh_after_s,
                                                                   g_random_double ());
  if (self->refresh_us != 0)
    self->view.refresh_at_us = to_wall_us (self->refresh_us);
}

/* Keeps the failure for people, and says which fact it is. */
static MusterAccountFact
muster_standing_take_error (MusterStanding *self, const GError *error)
{
  MusterError code = (MusterError) error->code;
  gint64 now_us = muster_clock_now_us ();

  if (code == MUSTER_ERROR_EXPIRED) {
    if (self->expired_us != 0 && now_us - self->expired_us < EXPIRED_AGAIN_US)
      code = MUSTER_ERROR_CONFLICT;
    self->expired_us = now_us;
  }

  g_clear_error (&self->view.error);
  self->view.error = g_error_copy (error);
  self->view.error->code = (int) code;
  self->view.error_at_us = muster_clock_wall_us ();
  self->view.attempt++;

  return muster_account_fact_for_error (code);
}

static gboolean
failed_in_passing (MusterAccountFact fact)
{
  return fact == MUSTER_FACT_UNREACHABLE || fact == MUSTER_FACT_BUSY ||
         fact == MUSTER_FACT_PROTOCOL;
}

void
muster_standing_failed (MusterStanding *self, const GError *error)
{
  gboolean news = self->view.error == NULL || self->view.error->code != error->code;
  MusterAccountFact fact = muster_standing_take_error (self, error);

  /* Without a lease to live on there is nothing to retry a refresh inside of. */
  if (self->view.state == MUSTER_ACCOUNT_REFRESHING && failed_in_passing (fact) &&
      (self->lease_end_us == 0 || self->lease_end_us == G_MAXINT64)) {
    muster_standing_clear_lease (self);
    fact = MUSTER_FACT_LEASE_ENDED;
  }

  g_info ("%s: %s failed: %s", self->id, muster_account_state_to_string (self->view.state),
          error->message);
  if (fact == MUSTER_FACT_REFUSED)
    self->host->secret_refused (self->host_data);

  muster_standing_post (self, fact);
  emit (self, "registration.failed", news);
}

void
muster_standing_opened (MusterStanding *self)
{
  gboolean created = !self->told;

  self->told = TRUE;
  self->view.attempt = 0;
  muster_standing_clear_error (self);
  if (!created)
    self->view.n_refreshes++;
  self->news = created ? "registration.created" : "registration.refreshed";
  muster_standing_post (self, MUSTER_FACT_OPENED);
  self->news = NULL;
  muster_standing_set_serves (self, muster_account_state_is_registered (self->view.state));
}

/* timers */

static void
muster_standing_arm_due (MusterStanding *self, gint64 delay_ms)
{
  if (delay_ms == G_MAXINT64)
    return;

  muster_timer_arm_in_ms (&self->due, delay_ms);
  self->view.next_attempt_at_us = muster_clock_wall_us () + delay_ms * 1000;
}

static void
on_due (MusterTimer *timer, gpointer user_data)
{
  MusterStanding *self = user_data;

  if (muster_account_state_is_registered (self->view.state))
    muster_standing_post (self, MUSTER_FACT_REFRESH_DUE);
  else
    muster_standing_post (self, MUSTER_FACT_RETRY_DUE);
}

static void
on_lease_end (MusterTimer *timer, gpointer user_data)
{
  MusterStanding *self = user_data;

  muster_standing_clear_lease (self);
  if (muster_account_state_is_registered (self->view.state))
    muster_standing_post (self, MUSTER_FACT_LEASE_ENDED);
  else
    self->host->changed (self->host_data);
}

/* state */

static gint64
delay_after_error_ms (MusterStanding *self)
{
  const GError *error = self->view.error;

  if (error == NULL)
    return muster_schedule_retry_ms (1, self->host->get_retry_floor_s (self->host_data),
                                     g_random_double ());

  return muster_schedule_after_error_ms ((MusterError) error->code, self->view.attempt,
                                         muster_error_get_retry_after_s (error),
                                         self->host->get_retry_floor_s (self->host_data),
                                         g_random_double ());
}

/* The service said when it wants to see us again. */
static gboolean
was_told (MusterStanding *self)
{
  return self->view.error != NULL && self->view.error->code == MUSTER_ERROR_BUSY &&
         muster_error_get_retry_after_s (self->view.error) > 0;
}

/* Performs what the state asks for. Nothing is under way when it runs. */
static void
muster_standing_enter (MusterStanding *self)
{
  switch (self->view.state) {
  case MUSTER_ACCOUNT_REGISTERING:
    muster_standing_attempt (self);
    break;
  case MUSTER_ACCOUNT_REFRESHING:
    if (failed_in_passing (self->why)) {
      gint64 left_ms = muster_standing_get_lease_left_ms (self);

      self->why = MUSTER_FACT_REFRESH_DUE; /* what the next try is for */
      muster_standing_arm_due (self, muster_schedule_refresh_retry_ms (left_ms,
                                                                       delay_after_error_ms (self),
                                                                       was_told (self)));
    } else {
      muster_standing_attempt (self);
    }
    break;
  case MUSTER_ACCOUNT_REGISTERED:
    if (self->refresh_us != 0)
      muster_timer_arm_at (&self->due, self->refresh_us);
    break;
  case MUSTER_ACCOUNT_WAITING_RETRY:
    muster_standing_arm_due (self, delay_after_error_ms (self));
    break;
  case MUSTER_ACCOUNT_FAILED:
    if (self->why == MUSTER_FACT_FORBIDDEN)
      muster_standing_arm_due (self, delay_after_error_ms (self));
    break;
  case MUSTER_ACCOUNT_UNREGISTERING:
    muster_standing_close (self);
    break;
  case MUSTER_ACCOUNT_DISABLED:
    self->view.attempt = 0;
    muster_standing_clear_error (self);
    break;
  case MUSTER_ACCOUNT_WAITING_PLUGIN:
  case MUSTER_ACCOUNT_WAITING_SECRET:
  case MUSTER_ACCOUNT_WAITING_USER:
  case MUSTER_ACCOUNT_WAITING_NETWORK:
    break;
  case MUSTER_ACCOUNT_STATE_LAST:
    g_assert_not_reached ();
  }
}

void
muster_standing_catch_up (MusterStanding *self)
{
  muster_standing_enter (self);
  self->host->changed (self->host_data);
}

/* What others must hear of when one state follows another: each "created" gets one end. */
static void
emit_transition (MusterStanding *self, MusterAccountState from)
{
  MusterAccountState state = self->view.state;
  gboolean left = state == MUSTER_ACCOUNT_DISABLED || from == MUSTER_ACCOUNT_UNREGISTERING;

  if (!self->told || muster_account_state_is_registered (state) ||
      state == MUSTER_ACCOUNT_UNREGISTERING)
    return;

  self->told = FALSE;
  emit (self, left ? "registration.ended" : "registration.lost", TRUE);
}

/* The only function that writes the state. */
static void
muster_standing_move (MusterStanding *self, MusterAccountState to, MusterAccountFact fact)
{
  MusterAccountState from = self->view.state;
  const char *news = g_steal_pointer (&self->news);
  gint64 wall_us = muster_clock_wall_us ();

  g_info ("%s: %s -> %s (%s)", self->id, muster_account_state_to_string (from),
          muster_account_state_to_string (to), muster_account_fact_to_string (fact));

  muster_timer_cancel (&self->due);
  self->view.next_attempt_at_us = 0;
  self->view.state = to;
  self->view.reason = reason_for (self, to, fact);
  self->why = fact;
  if (to != from)
    self->view.since_us = wall_us;
  if (!muster_account_state_is_registered (to))
    self->view.registered_at_us = 0;
  else if (!muster_account_state_is_registered (from) && self->view.registered_at_us == 0)
    self->view.registered_at_us = wall_us;

  if (!muster_account_state_is_registered (to))
    muster_standing_set_serves (self, FALSE);
  if (muster_standing_interrupt (self))
    muster_standing_enter (self);

  /* Events first: what is stored of the state must not be ahead of them. */
  emit_transition (self, from);
  if (news != NULL)
    emit (self, news, g_str_equal (news, "registration.created"));
  muster_standing_tell_leases (self);
  self->host->changed (self->host_data);
}

/* An attempt that is already doing what is asked for is left alone. */
static gboolean
is_being_done (MusterStanding *self, MusterAccountFact fact)
{
  gboolean attempting = self->step == STEP_OPEN || self->step == STEP_ADMISSION;

  return attempting && muster_account_state_is_registered (self->view.state) &&
         (fact == MUSTER_FACT_REFRESH_ASKED || fact == MUSTER_FACT_RETRY_ASKED ||
          fact == MUSTER_FACT_REFRESH_DUE);
}

/* Another network is a reason to try what could not be reached again, not to pester a service that
 * asked for time, nor to fight whoever replaced us. */
static gboolean
is_held_off (MusterStanding *self, MusterAccountFact fact)
{
  const GError *error = self->view.error;

  if (self->view.state != MUSTER_ACCOUNT_WAITING_RETRY || error == NULL ||
      !muster_timer_is_armed (&self->due))
    return FALSE;

  return (fact == MUSTER_FACT_NETWORK_UP || fact == MUSTER_FACT_NETWORK_DOWN ||
          fact == MUSTER_FACT_NETWORK_CHANGED) &&
         (error->code == MUSTER_ERROR_CONFLICT || was_told (self));
}

void
muster_standing_post (MusterStanding *self, MusterAccountFact fact)
{
  MusterAccountConditions conditions;
  MusterAccountState to;

  g_return_if_fail (self != NULL);

  if (fact == MUSTER_FACT_REPOINTED)
    self->repointed = TRUE;
  if (fact == MUSTER_FACT_REPOINTED || fact == MUSTER_FACT_SECRET_SET)
    self->new_secret = TRUE;
  if (fact == MUSTER_FACT_CONTINUED)
    self->told = TRUE;
  if (is_being_done (self, fact) || is_held_off (self, fact))
    return;

  conditions = self->host->get_conditions (self->host_data);
  if (muster_standing_is_held (self))
    conditions |= MUSTER_CONDITION_HELD;

  if (muster_account_state_next (self->view.state, fact, conditions, &to))
    muster_standing_move (self, to, fact);
}

void
muster_standing_lost (MusterStanding *self, const GError *error)
{
  g_return_if_fail (self != NULL && error != NULL);

  if (self->step == STEP_GATE && self->overruled == NULL) {
    self->overruled = g_error_copy (error);
    g_cancellable_cancel (self->operation);
    return;
  }
  if (!muster_account_state_is_registered (self->view.state) || self->step != STEP_IDLE)
    return;

  muster_standing_clear_lease (self);
  muster_standing_failed (self, error);
}

void
muster_standing_forgotten (MusterStanding *self)
{
  g_return_if_fail (self != NULL);

  /* What is under way makes it anew. */
  if (!muster_account_state_is_registered (self->view.state) || self->step != STEP_IDLE)
    return;

  muster_standing_clear_lease (self);
  muster_standing_post (self, MUSTER_FACT_LEASE_ENDED);
}

void
muster_standing_set_bindings (MusterStanding *self, const char *const *bindings)
{
  if (!muster_account_state_is_registered (self->view.state))
    return;

  replace_bindings (self, bindings);
  self->host->changed (self->host_data);
}

void
muster_standing_restore (MusterStanding *self,
                         gint64 registered_at_us,
                         gint64 expires_at_us,
                         gint64 refresh_at_us)
{
  gint64 left_us = expires_at_us - muster_clock_wall_us ();

  self->view.registered_at_us = registered_at_us;
  self->view.expires_at_us = expires_at_us;
  self->view.refresh_at_us = refresh_at_us;
  self->lease_end_us = expires_at_us == 0 ? G_MAXINT64 : muster_clock_now_us () + left_us;
  if (expires_at_us != 0)
    muster_timer_arm_at (&self->lease_end, self->lease_end_us);
}

gint64
muster_standing_get_lease_end_us (MusterStanding *self)
{
  return self->lease_end_us;
}

const MusterStandingView *
muster_standing_get_view (MusterStanding *self)
{
  return &self->view;
}

gboolean
muster_standing_is_held (MusterStanding *self)
{
  if (self->repointed && self->registration == NULL) /* nobody is left who could take it back */
    return FALSE;

  return self->unsure || self->step == STEP_OPEN ||
         (self->lease_end_us != 0 && muster_standing_get_lease_left_ms (self) > 0);
}

gboolean
muster_standing_is_repointed (MusterStanding *self)
{
  return self->repointed;
}

gboolean
muster_standing_is_idle (MusterStanding *self)
{
  return self->step == STEP_IDLE || self->step == STEP_ADMISSION;
}

MusterStanding *
muster_standing_new (const char *id, const MusterStandingHost *host, gpointer host_data)
{
  MusterStanding *self = g_new0 (MusterStanding, 1);

  self->id = id;
  self->host = host;
  self->host_data = host_data;
  self->view.state = MUSTER_ACCOUNT_DISABLED;
  self->view.reason = "";
  self->view.since_us = muster_clock_wall_us ();
  self->view.bindings = g_new0 (char *, 1);
  muster_timer_init (&self->due, on_due, self);
  muster_timer_init (&self->lease_end, on_lease_end, self);
  muster_standing_init_operation (self);

  return self;
}

void
muster_standing_destroy (MusterStanding *self)
{
  muster_standing_drop_registration (self);
  g_clear_pointer (&self->leases, muster_side_leases_free);
  g_clear_error (&self->overruled);
  g_clear_error (&self->view.error);
  g_strfreev (self->view.bindings);
  g_free (self);
}

/* An operation that is still under way, because the daemon does not wait for it any longer, is
 * cancelled; its end finds that nobody hosts it, and destroys it. */
void
muster_standing_free (MusterStanding *self)
{
  if (self == NULL)
    return;

  if (self->step == STEP_ADMISSION)
    self->host->release (self->host_data, NULL);
  muster_timer_cancel (&self->due);
  muster_timer_cancel (&self->lease_end);
  muster_timer_cancel (&self->deadline);
  muster_standing_clear_side_leases (self);
  self->host = NULL;

  if (self->operation == NULL) {
    muster_standing_destroy (self);
  } else {
    muster_registration_detach_host (self->registration);
    g_cancellable_cancel (self->operation);
  }
}
