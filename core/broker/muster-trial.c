/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTrial"

#include "config.h"

#include "muster-trial.h"

#include "muster-broker-private.h"
#include "muster-schedule.h"

#include <muster/muster-hub.h>

/*
 * A registration that is thrown away: made, opened, closed, and each step told.
 *
 *    begin -> [admission] -> open -+-> close -> answer
 *                                  '-> (failed) -> answer
 *
 * It has a host of its own, which keeps nothing. Who asked is answered within the time that a trial
 * has, whatever the plugin does; the trial itself lives until the plugin has ended what it was asked
 * for, and takes back what it may have left at the service.
 */

#define GRACE_MS 1000 /* for a plugin that was cancelled to say so */

typedef enum {
  STEP_ADMISSION,
  STEP_OPEN,
  STEP_CLOSE,
} TrialStep;

typedef struct {
  MusterBroker *broker; /* NULL: it is gone */
  GTask *task;          /* NULL once answered */
  const MusterProtocol *protocol;
  char *id;
  char *address;
  GVariant *params;
  GHashTable *secrets; /* name -> MusterSecret */
  MusterRegistration *registration;

  TrialStep step;
  MusterTicket ticket;
  GCancellable *operation;
  gulong cancelled_id; /* on the cancellable of the task */
  gint64 end_us;       /* boot clock: when who asked must have an answer */
  MusterTimer deadline;
  MusterTimer last; /* when the plugin does not end what was cancelled */
  MusterTrialReport *report;
  gboolean opened;
} MusterTrial;

/* the host */

static GVariant *
on_dup_param (gpointer host, const char *name)
{
  MusterTrial *self = host;

  return g_variant_lookup_value (self->params, name, NULL);
}

static void
on_load_secret (gpointer host, const char *name, GTask *task)
{
  MusterTrial *self = host;
  MusterSecret *secret = g_hash_table_lookup (self->secrets, name);

  if (secret != NULL)
    g_task_return_pointer (task, muster_secret_ref (secret), (GDestroyNotify) muster_secret_unref);
  else
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                                                 "no %s was given", name));
  g_object_unref (task);
}

static GBytes *
on_dup_resume (gpointer host)
{
  return NULL;
}

static void
on_set_resume (gpointer host, GBytes *blob)
{
}

static void
on_lost (gpointer host, const GError *error)
{
}

static void
on_report_bindings (gpointer host, const char *const *bindings)
{
}

static const MusterRegistrationHost trial_host = {
  .dup_param = on_dup_param,
  .load_secret = on_load_secret,
  .dup_resume = on_dup_resume,
  .set_resume = on_set_resume,
  .lost = on_lost,
  .report_bindings = on_report_bindings,
};

/* the report */

void
muster_trial_report_free (MusterTrialReport *self)
{
  g_clear_pointer (&self->steps, g_variant_unref);
  g_strfreev (self->bindings);
  g_clear_error (&self->error);
  g_free (self);
}

/* In the order of the way; the connection breaks before anything is granted on it. */
static const struct {
  MusterStep step;
  gboolean remote; /* only where there is another machine */
  const char *sentence;
} steps[] = {
  { MUSTER_STEP_CONFIGURE, FALSE, "its parameters are complete" },
  { MUSTER_STEP_SECRET, FALSE, NULL },
  { MUSTER_STEP_RESOLVE, TRUE, "the addresses of the service are known" },
  { MUSTER_STEP_CONNECT, TRUE, "the service can be reached" },
  { MUSTER_STEP_TLS, TRUE, "nothing is wrong with the encryption, where there is one" },
  { MUSTER_STEP_STREAM, TRUE, NULL },
  { MUSTER_STEP_AUTHENTICATE, FALSE, "the service believes who we are" },
  { MUSTER_STEP_REGISTER, FALSE, NULL },
  { MUSTER_STEP_UNREGISTER, FALSE, "the service took the registration back" },
};

/* Returns: (nullable): the first that there can be */
static const char *
find_secret (const MusterProtocol *protocol)
{
  for (guint i = 0; i < protocol->n_params; i++) {
    if ((protocol->params[i].flags & MUSTER_PARAM_SECRET) != 0)
      return protocol->params[i].name;
  }

  return NULL;
}

/* What is required was asked for before the trial began; the service may want the rest. */
static char *
dup_secret_sentence (MusterTrial *self)
{
  const char *name = find_secret (self->protocol);

  if (name == NULL)
    return g_strdup ("it needs none");
  if (g_hash_table_size (self->secrets) > 0)
    return g_strdup ("everything secret that it needs was given");

  return g_strdup_printf (self->opened ? "no %s was given, and the service asked for none"
                                       : "no %s was given; the service may ask for one",
                          name);
}

static char *
dup_sentence (MusterTrial *self, gsize i)
{
  if (steps[i].step == MUSTER_STEP_SECRET)
    return dup_secret_sentence (self);
  if (steps[i].step != MUSTER_STEP_REGISTER)
    return g_strdup (steps[i].sentence);
  if (self->report->lease_s > 0)
    return g_strdup_printf ("the service granted a registration for %u s", self->report->lease_s);

  return g_strdup ("the service granted a registration until it is lost");
}

/* Where the error does not say. */
static MusterStep
step_of_error (MusterTrial *self)
{
  MusterStep step = muster_error_get_step (self->report->error);

  if (self->opened)
    return MUSTER_STEP_UNREGISTER;
  if (step == MUSTER_STEP_NONE || step == MUSTER_STEP_UNREGISTER)
    return MUSTER_STEP_REGISTER;

  return step;
}

static GVariant *
build_steps (MusterTrial *self)
{
  MusterStep failed = self->report->error != NULL ? step_of_error (self) : MUSTER_STEP_LAST;
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(sbs)"));
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
    const char *name = muster_step_to_string (steps[i].step);
    g_autofree char *sentence = NULL;

    if (steps[i].step == failed) {
      g_variant_builder_add (&rows, "(sbs)", name, FALSE, self->report->error->message);
      break;
    }
    if (steps[i].remote && self->protocol->local)
      continue;
    sentence = dup_sentence (self, i);
    if (sentence != NULL)
      g_variant_builder_add (&rows, "(sbs)", name, TRUE, sentence);
  }

  return g_variant_ref_sink (g_variant_builder_end (&rows));
}

/* the answer */

static void
muster_trial_drop_task (MusterTrial *self)
{
  if (self->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (self->task), self->cancelled_id);
  self->cancelled_id = 0;
  g_clear_object (&self->task);
}

/* @error: taken; why it does not work, NULL if it does */
static void
muster_trial_answer (MusterTrial *self, GError *error)
{
  if (self->task == NULL) { /* who asked knows already, or has left */
    g_clear_error (&error);
    return;
  }

  muster_timer_cancel (&self->deadline);
  muster_timer_cancel (&self->last);
  self->report->error = error;
  self->report->steps = build_steps (self);
  g_task_return_pointer (self->task, g_steal_pointer (&self->report),
                         (GDestroyNotify) muster_trial_report_free);
  muster_trial_drop_task (self);
}

static void
muster_trial_free (MusterTrial *self)
{
  muster_timer_cancel (&self->deadline);
  muster_timer_cancel (&self->last);
  if (self->task != NULL)
    muster_trial_drop_task (self);
  if (self->registration != NULL)
    muster_registration_detach_host (self->registration);
  g_clear_object (&self->registration);
  g_clear_object (&self->operation);
  g_clear_pointer (&self->report, muster_trial_report_free);
  g_hash_table_unref (self->secrets);
  g_variant_unref (self->params);
  g_free (self->id);
  g_free (self->address);
  g_free (self);
}

/* Nothing is under way any more. */
static void
muster_trial_end (MusterTrial *self)
{
  MusterBroker *broker = self->broker;

  if (broker != NULL) {
    g_ptr_array_remove_fast (broker->trials, self);
    if (broker->leaving != NULL)
      muster_broker_settle (broker);
  }
  muster_trial_free (self);
}

static GError *
too_slow (MusterStep step)
{
  return muster_error_new (MUSTER_ERROR_UNREACHABLE, step, "it was not done within %d s",
                           MUSTER_TRIAL_MS / 1000);
}

/* the way */

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterTrial *self = user_data;
  GError *error = NULL;

  muster_registration_close_finish (MUSTER_REGISTRATION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_clear_error (&error);
    error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_UNREGISTER,
                              "the service did not answer in time; it forgets us by itself");
  }
  muster_trial_answer (self, error);
  muster_trial_end (self);
}

static void
muster_trial_close (MusterTrial *self)
{
  gint64 left_ms = (self->end_us - muster_clock_now_us ()) / 1000 - GRACE_MS;

  self->step = STEP_CLOSE;
  g_clear_object (&self->operation);
  self->operation = g_cancellable_new ();
  muster_timer_cancel (&self->last);
  muster_timer_arm_in_ms (&self->deadline, self->task != NULL
                                             ? MAX (left_ms, 0)
                                             : muster_schedule_close_deadline_ms ());
  muster_registration_close_async (self->registration, self->operation, on_closed, self);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterTrial *self = user_data;
  g_autoptr (MusterLease) lease = NULL;
  GError *error = NULL;
  gboolean cut_off;

  lease = muster_registration_open_finish (MUSTER_REGISTRATION (source), result, &error);
  cut_off = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (cut_off) {
    g_clear_error (&error);
    error = too_slow (MUSTER_STEP_REGISTER);
  }
  if (self->broker == NULL) {
    g_clear_error (&error);
    muster_trial_end (self);
    return;
  }
  muster_admission_release (self->broker->admission, &self->ticket, error);

  if (lease != NULL) {
    self->opened = TRUE;
    if (self->report != NULL) {
      self->report->lease_s = lease->lease_s;
      g_strfreev (self->report->bindings);
      self->report->bindings = g_strdupv (lease->bindings);
    }
  } else {
    muster_trial_answer (self, error);
  }
  if (lease != NULL || cut_off) /* the service may hold something */
    muster_trial_close (self);
  else
    muster_trial_end (self);
}

static void
on_admitted (MusterTicket *ticket, gpointer user_data)
{
  MusterTrial *self = user_data;

  self->step = STEP_OPEN;
  self->operation = g_cancellable_new ();
  muster_registration_open_async (self->registration, self->operation, on_opened, self);
}

/* Gives up what is under way; its end goes on from there. @error: taken, for who asked */
static void
muster_trial_give_up (MusterTrial *self, GError *error)
{
  if (self->step == STEP_ADMISSION) {
    muster_admission_withdraw (self->broker->admission, &self->ticket);
    muster_trial_answer (self, error);
    muster_trial_end (self);
    return;
  }

  g_clear_error (&error);
  muster_timer_cancel (&self->deadline);
  if (self->task != NULL)
    muster_timer_arm_in_ms (&self->last, GRACE_MS);
  g_cancellable_cancel (self->operation);
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  MusterTrial *self = user_data;

  muster_trial_give_up (self, muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_CONNECT,
                                                "it did not get its turn within %d s: many accounts"
                                                " start at once",
                                                MUSTER_TRIAL_MS / 1000));
}

static void
on_last (MusterTimer *timer, gpointer user_data)
{
  MusterTrial *self = user_data;

  muster_trial_answer (self,
                       too_slow (self->opened ? MUSTER_STEP_UNREGISTER : MUSTER_STEP_REGISTER));
}

/* Who asked has left, or the daemon leaves. What is being closed is closed. */
static void
muster_trial_abandon (MusterTrial *self)
{
  GTask *task = g_object_ref (self->task);

  muster_trial_drop_task (self);
  muster_timer_cancel (&self->last);
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the test was given up");
  g_object_unref (task);
  if (self->step != STEP_CLOSE)
    muster_trial_give_up (self, NULL);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  muster_trial_abandon (user_data);
}

void
muster_broker_cancel_trials (MusterBroker *self)
{
  for (guint i = self->trials->len; i > 0; i--) {
    MusterTrial *trial = self->trials->pdata[i - 1];

    if (trial->task != NULL)
      muster_trial_abandon (trial);
  }
}

void
muster_broker_forget_trials (MusterBroker *self)
{
  muster_broker_cancel_trials (self);
  while (self->trials->len > 0) {
    MusterTrial *trial = g_ptr_array_steal_index_fast (self->trials, 0);

    if (trial->step == STEP_OPEN)
      muster_admission_release (self->admission, &trial->ticket, NULL);
    trial->broker = NULL;
    muster_timer_cancel (&trial->deadline);
    muster_registration_detach_host (trial->registration);
    g_cancellable_cancel (trial->operation);
  }
}

/* beginning */

/* One that is at its service must not be disturbed there by another of the same address. */
static gboolean
check_free (MusterBroker *self, const char *protocol, const char *address, GError **error)
{
  g_autofree char *key = muster_broker_address_key (protocol, address);
  MusterAccount *account = g_hash_table_lookup (self->by_address, key);
  MusterStanding *standing;

  if (account == NULL)
    return TRUE;

  standing = muster_account_get_standing (account);
  if (muster_standing_is_idle (standing) && !muster_standing_is_held (standing) &&
      muster_standing_get_view (standing)->state != MUSTER_ACCOUNT_REGISTERING)
    return TRUE;

  g_set_error_literal (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS,
                       "there is an account for this address at its service now; "
                       "see what becomes of that one");
  return FALSE;
}

static gboolean
check (MusterBroker *self,
       const char *protocol,
       const char *address,
       GVariant *params,
       GHashTable *secrets,
       MusterNewAccount *found,
       GError **error)
{
  if (self->leaving != NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "the daemon is about to end");
    return FALSE;
  }
  if (self->trials->len >= MUSTER_TRIALS_MAX) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                 "%d tests are under way already", MUSTER_TRIALS_MAX);
    return FALSE;
  }

  return muster_broker_check_new_account (self, protocol, address, params, secrets, found, error) &&
         check_free (self, protocol, found->address, error);
}

static const char *
find_missing_secret (MusterTrial *self)
{
  for (guint i = 0; i < self->protocol->n_params; i++) {
    const MusterParam *param = &self->protocol->params[i];

    if ((param->flags & MUSTER_PARAM_SECRET) != 0 && (param->flags & MUSTER_PARAM_REQUIRED) != 0 &&
        !g_hash_table_contains (self->secrets, param->name))
      return param->name;
  }

  return NULL;
}

static void
muster_trial_begin (MusterTrial *self)
{
  const char *missing = find_missing_secret (self);
  g_autofree char *host = NULL;
  g_autofree char *key = NULL;

  if (missing != NULL) {
    muster_trial_answer (self, muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                                                 "its %s was not given", missing));
    muster_trial_end (self);
    return;
  }

  if (!self->protocol->local)
    host = muster_registration_dup_remote_host (self->registration);
  key = host != NULL ? g_ascii_strdown (host, -1) : NULL;
  muster_admission_request (self->broker->admission, key, &self->ticket, on_admitted, self);
}

void
muster_broker_test_async (MusterBroker *self,
                          const char *protocol,
                          const char *address,
                          GVariant *params,
                          GHashTable *secrets,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  MusterNewAccount found;
  GError *error = NULL;
  MusterTrial *trial;

  if (g_task_return_error_if_cancelled (task))
    return;
  g_task_set_check_cancellable (task, FALSE); /* its end says what became of it */
  if (!check (self, protocol, address, params, secrets, &found, &error)) {
    g_task_return_error (task, error);
    return;
  }

  trial = g_new0 (MusterTrial, 1);
  trial->broker = self;
  trial->task = g_steal_pointer (&task);
  trial->protocol = found.kind->protocol;
  trial->id = muster_broker_new_id (self, 't');
  trial->address = g_strdup (found.address);
  trial->params = g_variant_get_normal_form (params);
  trial->secrets = g_hash_table_ref (secrets);
  trial->report = g_new0 (MusterTrialReport, 1);
  trial->report->bindings = g_new0 (char *, 1);
  trial->end_us = muster_clock_now_us () + (gint64) MUSTER_TRIAL_MS * 1000;
  muster_timer_init (&trial->deadline, on_deadline, trial);
  muster_timer_init (&trial->last, on_last, trial);
  muster_timer_arm_in_ms (&trial->deadline, MUSTER_TRIAL_MS - GRACE_MS);
  if (cancellable != NULL)
    trial->cancelled_id = g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled),
                                            trial);
  trial->registration = muster_registration_new (found.kind->get_type (), trial->protocol,
                                                 muster_module_get_context (found.module),
                                                 trial->id, trial->address, &trial_host, trial);
  g_ptr_array_add (self->trials, trial);
  muster_trial_begin (trial);
}

/* Returns (transfer full) */
MusterTrialReport *
muster_broker_test_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
