/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "broker/muster-standing.h"
#include "muster-hub-private.h"

#include <string.h>

/*
 * What the tests of a standing share: a service that answers as it is told, a registration that asks
 * it, an account that has just what a standing asks of one, and hours that pass at once.
 */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

#define MS     (G_GINT64_CONSTANT (1000))
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  (12345 * SECOND)
#define WALL   (G_GINT64_CONSTANT (1767225600) * SECOND)

#define READY                                                                                      \
  (MUSTER_CONDITION_WANTED | MUSTER_CONDITION_PLUGIN | MUSTER_CONDITION_VALID |                    \
   MUSTER_CONDITION_SECRET | MUSTER_CONDITION_NETWORK)

/* How the service answers one open. */
typedef struct {
  guint delay_ms;
  gboolean silent; /* no answer at all */
  gboolean fails;  /* with the next two */
  MusterError code;
  guint retry_after_s;
  guint lease_s; /* of a grant */
  guint refresh_after_s;
  gboolean takes_hold; /* silent or cancelled, it has granted all the same */
  gboolean stubborn;   /* answers though the call was cancelled */
} Answer;

typedef struct {
  MusterStanding *standing;
  MusterAccountConditions conditions;
  gboolean refused;
  gboolean holds_resume;    /* what was kept is not read before resume() */
  gboolean holds_admission; /* nobody is admitted before admit() */

  GQueue script;    /* Answer: of the next opens */
  Answer usual;     /* of those after them */
  Answer closing;   /* of every close */
  gboolean holds;   /* the service holds a registration of ours */
  guint generation; /* of the registration that it holds */

  guint n_registrations;
  guint n_opens;
  guint n_closes;
  guint n_under_way;
  guint n_admitted; /* and not released */
  guint n_changes;
  guint n_serving_changes;
  gint64 opened_at_us; /* the last open began */
  GError *released;    /* the last outcome */
  GString *events;
} Bench;

/* the registration */

typedef struct {
  MusterRegistration parent_instance;

  Bench *bench;
  guint generation;
  MusterTimer timer;
  GTask *task;
  gulong cancelled_id;
  Answer answer;
  gboolean closes;
} FakeRegistration;

typedef struct {
  MusterRegistrationClass parent_class;
} FakeRegistrationClass;

static GType fake_registration_get_type (void);
G_DEFINE_TYPE (FakeRegistration, fake_registration, MUSTER_TYPE_REGISTRATION)

static void
fake_registration_answer (FakeRegistration *self, GTask *task)
{
  const char *bindings[] = { "sip:alice@192.0.2.1:5060", NULL };
  Bench *bench = self->bench;
  gboolean cancelled = g_cancellable_is_cancelled (g_task_get_cancellable (task));
  MusterLease *lease;

  bench->n_under_way--;
  if (cancelled && self->answer.takes_hold) {
    bench->holds = TRUE;
    bench->generation = self->generation;
  }
  if (cancelled && !self->answer.stubborn) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
    return;
  }
  if (self->answer.fails) {
    GError *error = muster_error_new (self->answer.code, MUSTER_STEP_REGISTER,
                                      "as the script says");

    muster_error_set_server (error, 0, NULL, self->answer.retry_after_s);
    g_task_return_error (task, error);
    return;
  }
  if (self->closes) {
    if (bench->generation == self->generation)
      bench->holds = FALSE;
    g_task_return_boolean (task, TRUE);
    return;
  }

  lease = muster_lease_new (self->answer.lease_s, bindings);
  lease->refresh_after_s = self->answer.refresh_after_s;
  lease->refreshed = bench->holds && bench->generation == self->generation;
  bench->holds = TRUE;
  bench->generation = self->generation;
  g_task_return_pointer (task, lease, (GDestroyNotify) muster_lease_free);
}

static void
on_fake_timer (MusterTimer *timer, gpointer user_data)
{
  FakeRegistration *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_cancellable_disconnect (g_task_get_cancellable (task), self->cancelled_id);
  fake_registration_answer (self, task);
}

static void
on_fake_cancelled (GCancellable *cancellable, gpointer user_data)
{
  FakeRegistration *self = user_data;

  if (!self->answer.stubborn)
    muster_timer_arm_in_ms (&self->timer, 0);
}

static void
fake_registration_begin (MusterRegistration *registration,
                         const Answer *answer,
                         gboolean closes,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  FakeRegistration *self = (FakeRegistration *) registration;

  g_assert_null (self->task);
  g_assert_cmpuint (self->bench->n_under_way, ==, 0); /* of all registrations of the account */
  self->bench->n_under_way++;
  self->answer = *answer;
  self->closes = closes;
  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_check_cancellable (self->task, FALSE);
  if (!answer->silent)
    muster_timer_arm_in_ms (&self->timer, answer->delay_ms);
  self->cancelled_id = g_cancellable_connect (cancellable, G_CALLBACK (on_fake_cancelled), self,
                                              NULL);
}

static void
fake_registration_open_async (MusterRegistration *registration,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  Bench *bench = ((FakeRegistration *) registration)->bench;
  g_autofree Answer *scripted = g_queue_pop_head (&bench->script);

  bench->n_opens++;
  bench->opened_at_us = muster_clock_now_us ();
  fake_registration_begin (registration, scripted != NULL ? scripted : &bench->usual, FALSE,
                           cancellable, callback, user_data);
}

static MusterLease *
fake_registration_open_finish (MusterRegistration *registration,
                               GAsyncResult *result,
                               GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fake_registration_close_async (MusterRegistration *registration,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  Bench *bench = ((FakeRegistration *) registration)->bench;

  bench->n_closes++;
  fake_registration_begin (registration, &bench->closing, TRUE, cancellable, callback, user_data);
}

static gboolean
fake_registration_close_finish (MusterRegistration *registration,
                                GAsyncResult *result,
                                GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
fake_registration_finalize (GObject *object)
{
  muster_timer_cancel (&((FakeRegistration *) object)->timer);
  G_OBJECT_CLASS (fake_registration_parent_class)->finalize (object);
}

static void
fake_registration_class_init (FakeRegistrationClass *klass)
{
  klass->parent_class.open_async = fake_registration_open_async;
  klass->parent_class.open_finish = fake_registration_open_finish;
  klass->parent_class.close_async = fake_registration_close_async;
  klass->parent_class.close_finish = fake_registration_close_finish;
  G_OBJECT_CLASS (klass)->finalize = fake_registration_finalize;
}

static void
fake_registration_init (FakeRegistration *self)
{
  muster_timer_init (&self->timer, on_fake_timer, self);
}

static const MusterProtocol fake_protocol = {
  .struct_size = sizeof (MusterProtocol),
  .id = "fake",
  .display_name = "Fake",
};

static void
on_fake_lost (gpointer host, const GError *error)
{
  muster_standing_lost (((Bench *) host)->standing, error);
}

static void
on_fake_bindings (gpointer host, const char *const *bindings)
{
  muster_standing_set_bindings (((Bench *) host)->standing, bindings);
}

static const MusterRegistrationHost fake_registration_host = {
  .lost = on_fake_lost,
  .report_bindings = on_fake_bindings,
};

/* the account */

static MusterAccountConditions
bench_get_conditions (gpointer host)
{
  Bench *bench = host;

  return bench->refused ? bench->conditions & ~(guint) MUSTER_CONDITION_SECRET : bench->conditions;
}

static FakeRegistration *bench_last_registration;

static MusterRegistration *
bench_make_registration (gpointer host)
{
  Bench *bench = host;
  MusterRegistration *registration;

  registration = muster_registration_new (fake_registration_get_type (), &fake_protocol, NULL,
                                          "afake", "alice@fake", &fake_registration_host, bench);
  bench_last_registration = (FakeRegistration *) registration;
  bench_last_registration->bench = bench;
  bench_last_registration->generation = ++bench->n_registrations;

  return registration;
}

static guint
bench_get_retry_floor_s (gpointer host)
{
  return 0;
}

static void
bench_load_resume (gpointer host)
{
  Bench *bench = host;

  if (!bench->holds_resume)
    muster_standing_resume_loaded (bench->standing);
}

static void
bench_admit (gpointer host)
{
  Bench *bench = host;

  bench->n_admitted++;
  if (!bench->holds_admission)
    muster_standing_admitted (bench->standing);
}

static void
bench_release (gpointer host, const GError *outcome)
{
  Bench *bench = host;

  g_assert_cmpuint (bench->n_admitted, ==, 1);
  bench->n_admitted--;
  g_clear_error (&bench->released);
  bench->released = outcome != NULL ? g_error_copy (outcome) : NULL;
}

static void
bench_secret_refused (gpointer host)
{
  ((Bench *) host)->refused = TRUE;
}

static gboolean
bench_is_secret_refused (gpointer host)
{
  return ((Bench *) host)->refused;
}

static void
bench_changed (gpointer host)
{
  ((Bench *) host)->n_changes++;
}

static void
bench_serving_changed (gpointer host)
{
  ((Bench *) host)->n_serving_changes++;
}

static void
bench_event (gpointer host, const char *type, GVariant *payload, gboolean keep)
{
  Bench *bench = host;
  g_autoptr (GVariant) held = g_variant_ref_sink (payload);

  g_assert_true (g_str_has_prefix (type, "registration."));
  if (!g_str_equal (type, "registration.failed")) /* of those, the news alone is kept */
    g_assert_cmpint (keep, ==, !g_str_equal (type, "registration.refreshed"));
  g_string_append_printf (bench->events, "%s%s", bench->events->len > 0 ? " " : "",
                          type + strlen ("registration."));
}

static const char *
bench_get_plugin_reason (gpointer host)
{
  return "no-plugin";
}

static const char *
bench_get_offline_reason (gpointer host)
{
  return "no-network";
}

static const MusterStandingHost bench_host = {
  .get_conditions = bench_get_conditions,
  .make_registration = bench_make_registration,
  .get_offline_reason = bench_get_offline_reason,
  .get_plugin_reason = bench_get_plugin_reason,
  .get_retry_floor_s = bench_get_retry_floor_s,
  .load_resume = bench_load_resume,
  .admit = bench_admit,
  .release = bench_release,
  .secret_refused = bench_secret_refused,
  .is_secret_refused = bench_is_secret_refused,
  .changed = bench_changed,
  .serving_changed = bench_serving_changed,
  .event = bench_event,
};

/* time */

/* Everything that happens without time passing. */
static void
settle (void)
{
  gboolean more = TRUE;

  while (more) {
    more = FALSE;
    while (g_main_context_iteration (NULL, FALSE))
      more = TRUE;
    if (muster_clock_next_due_us () <= muster_clock_now_us ()) {
      muster_clock_advance_us (0);
      more = TRUE;
    }
  }
}

/* Time passes, and everything happens at its time. */
static void
pass (gint64 by_us)
{
  gint64 target_us = muster_clock_now_us () + by_us;

  for (;;) {
    gint64 due_us;

    settle ();
    due_us = muster_clock_next_due_us ();
    if (due_us > target_us)
      break;
    muster_clock_advance_us (due_us - muster_clock_now_us ());
  }
  muster_clock_advance_us (target_us - muster_clock_now_us ());
  settle ();
}

/* Time passes while nobody is awake to see it. */
static void
sleep_through (gint64 by_us)
{
  settle ();
  muster_clock_advance_us (by_us);
  settle ();
}

/* the bench */

static void
bench_init (Bench *bench)
{
  memset (bench, 0, sizeof *bench);
  bench->conditions = READY;
  bench->usual.lease_s = 3600;
  bench->usual.delay_ms = 20;
  bench->closing.delay_ms = 20;
  bench->events = g_string_new (NULL);
  g_queue_init (&bench->script);
  bench->standing = muster_standing_new ("afake", &bench_host, bench);
}

static void
bench_clear (Bench *bench)
{
  muster_standing_free (bench->standing);
  g_queue_clear_full (&bench->script, g_free);
  g_clear_error (&bench->released);
  g_string_free (bench->events, TRUE);
}

static void
bench_set_up (Bench *bench, gconstpointer data)
{
  settle (); /* what the test before has left */
  muster_clock_use_virtual (START, WALL);
  bench_init (bench);
}

static void
bench_tear_down (Bench *bench, gconstpointer data)
{
  settle ();
  g_assert_cmpuint (bench->n_under_way, ==, 0);
  bench_clear (bench);
  settle ();
  g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64); /* no timer is left behind */
}

static void
script (Bench *bench, Answer answer)
{
  g_queue_push_tail (&bench->script, g_memdup2 (&answer, sizeof answer));
}

static void
script_failure (Bench *bench, MusterError code, guint retry_after_s)
{
  script (bench,
          (Answer){ .delay_ms = 20, .fails = TRUE, .code = code, .retry_after_s = retry_after_s });
}

static void
enable (Bench *bench)
{
  bench->conditions |= MUSTER_CONDITION_WANTED;
  muster_standing_post (bench->standing, MUSTER_FACT_ENABLED);
}

static void
disable (Bench *bench)
{
  bench->conditions &= ~(guint) MUSTER_CONDITION_WANTED;
  muster_standing_post (bench->standing, MUSTER_FACT_DISABLED);
}

static void
set_online (Bench *bench, gboolean online)
{
  if (online)
    bench->conditions |= MUSTER_CONDITION_NETWORK;
  else
    bench->conditions &= ~(guint) MUSTER_CONDITION_NETWORK;
  muster_standing_post (bench->standing,
                        online ? MUSTER_FACT_NETWORK_UP : MUSTER_FACT_NETWORK_DOWN);
}

static void
lose (Bench *bench, MusterError code)
{
  g_autoptr (GError) error = muster_error_new (code, MUSTER_STEP_STREAM, "the stream broke");

  bench->holds = FALSE;
  muster_registration_lost (MUSTER_REGISTRATION (bench_last_registration), error);
}

static const MusterStandingView *
view (Bench *bench)
{
  return muster_standing_get_view (bench->standing);
}

#define assert_state(bench, expected, expected_reason)                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpstr (muster_account_state_to_string (view (bench)->state), ==, expected);          \
    g_assert_cmpstr (view (bench)->reason, ==, expected_reason);                                   \
  }                                                                                                \
  G_STMT_END

/* Checks the events since the last call. */
#define assert_events(bench, expected)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpstr ((bench)->events->str, ==, expected);                                          \
    g_string_truncate ((bench)->events, 0);                                                        \
  }                                                                                                \
  G_STMT_END

/* Registered and still, all that it took forgotten. */
static void
register_now (Bench *bench)
{
  enable (bench);
  pass (SECOND);
  assert_state (bench, "registered", "");
  assert_events (bench, "created");
}

#pragma GCC diagnostic pop
