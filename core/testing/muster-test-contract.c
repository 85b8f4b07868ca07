/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterTest"

#include "config.h"

#include "muster-hub-private.h"
#include "muster-schedule.h"
#include "muster-test-describe.h"
#include "muster-test-report.h"
#include "muster-test-scene.h"

/*
 * The contract of #MusterRegistrationClass, step by step: what the broker does with a registration
 * in a long life, and what it relies on meanwhile.
 *
 * A step plays scenes: registrations from their making to their end. Every call is followed until it
 * was answered, then its cancellable is cancelled all the same, and some time passes: whatever the
 * plugin still does then, it does too late. After each scene nothing may be left: no reference, no
 * timer, no descriptor.
 */

/* A cancelled call ends within so many turns of the loop, before any more time passes; with real
 * input and output within so much of virtual time. */
#define PROMPT_TURNS 50
#define PROMPT_IO_MS 1000

#define N_REFRESHES       3
#define N_CANCELS_MAX     200
#define HOLDING_REFRESH_S 3600 /* how often a lease without an end is proved */
#define AFTERMATH_MS      100
#define N_ROUNDS          5

/* scenes */

typedef struct {
  MusterTestScene *scene;
  MusterTestBench *bench;
  gpointer registration; /* weak */
  gpointer cancellable;  /* weak: of the call before */
} Play;

static gboolean
play_begin (Play *self, MusterTestScene *scene)
{
  g_autoptr (GError) error = NULL;

  *self = (Play){ .scene = scene, .bench = scene->bench };
  if (muster_test_scene_is_broken (scene)) /* by the play before this */
    return FALSE;
  self->registration = muster_test_bench_ensure (self->bench, &error);
  if (self->registration == NULL) {
    muster_test_scene_fault (scene, "%s", error->message);
    return FALSE;
  }
  g_object_add_weak_pointer (self->registration, &self->registration);

  return TRUE;
}

static const char *
verb (gboolean closing)
{
  return closing ? "close" : "open";
}

/* Takes @call, which was answered, and sees that it is over. */
static void
play_end_call (Play *self, MusterTestCall *call)
{
  MusterTestBench *bench = self->bench;

  /* A handler that was left on it would run now. */
  g_cancellable_cancel (call->cancellable);
  muster_test_bench_run_until (bench, muster_clock_now_us () + AFTERMATH_MS * 1000);

  self->cancellable = call->cancellable;
  g_object_add_weak_pointer (self->cancellable, &self->cancellable);
  muster_test_call_free (call);
  if (self->cancellable != NULL) {
    muster_test_scene_fault (self->scene,
                             "it keeps a reference to the cancellable of a call that is over");
    g_object_remove_weak_pointer (self->cancellable, &self->cancellable);
    self->cancellable = NULL;
  }
}

static MusterTestCall *
play_begin_call (Play *self, gboolean closing, GCancellable *cancellable)
{
  MusterTestCall *call = muster_test_call_new (self->bench, closing, cancellable);

  if (call->at_once)
    muster_test_scene_fault (self->scene, "it answered %s before the call returned",
                             verb (closing));

  return call;
}

/* Returns (transfer full) (nullable): the call if it was answered */
static MusterTestCall *
play_call (Play *self, gboolean closing)
{
  MusterTestCall *call = play_begin_call (self, closing, NULL);
  MusterTestWait wait;

  wait = muster_test_call_wait (call, MUSTER_TEST_CALL_MAX_MS, MUSTER_TEST_CALL_MAX_TURNS);
  if (wait == MUSTER_TEST_ANSWERED)
    return call;

  muster_test_scene_fault (self->scene, "%s: %s", verb (closing),
                           muster_test_wait_to_string (wait, self->bench->idle_ms > 0));
  muster_test_call_free (call);

  return NULL;
}

static void
fault_for_error (Play *self, const char *what, const GError *error)
{
  if (error->domain == MUSTER_ERROR)
    muster_test_scene_fault (self->scene, "%s failed: %s (%s)", what, error->message,
                             muster_error_code_to_string ((MusterError) error->code));
  else
    muster_test_scene_fault (self->scene, "%s failed: %s", what, error->message);
}

/* Opens and checks what was granted. Returns: whether there is a lease; it is put into @lease. */
static gboolean
play_open (Play *self, const char *what, MusterLease **lease)
{
  MusterTestCall *call = play_call (self, FALSE);

  g_clear_pointer (lease, muster_lease_free);
  if (call == NULL)
    return FALSE;

  if (call->error != NULL)
    fault_for_error (self, what, call->error);
  *lease = g_steal_pointer (&call->lease);
  play_end_call (self, call);
  if (*lease == NULL)
    return FALSE;

  if ((*lease)->lease_s != 0 && (*lease)->refresh_after_s > (*lease)->lease_s)
    muster_test_scene_fault (self->scene, "it wants a refresh after %u s of a lease of %u s",
                             (*lease)->refresh_after_s, (*lease)->lease_s);

  return TRUE;
}

static gboolean
play_close (Play *self, const char *what)
{
  MusterTestCall *call = play_call (self, TRUE);
  gboolean closed;

  if (call == NULL)
    return FALSE;

  if (call->error != NULL)
    fault_for_error (self, what, call->error);
  closed = call->closed;
  play_end_call (self, call);

  return closed;
}

/* Where a timer went without being cancelled, the memory that it stood in must not be touched: the
 * step ends here. @due_us is when the next one was due before its owner went. */
static void
check_nothing_armed (Play *self, gint64 due_us)
{
  if (muster_clock_is_idle ())
    return;

  if (due_us == G_MAXINT64)
    muster_test_scene_fault (self->scene, "it armed a timer in its very end");
  else
    muster_test_scene_fault (self->scene,
                             "a timer is still armed, due in %.1f s, though its owner is gone",
                             (double) MAX (due_us - muster_clock_now_us (), 0) / G_USEC_PER_SEC);
}

/* The registration's end: nothing may be left of it. With a context, its timers may run on. */
static void
play_end (Play *self)
{
  gint64 due_us = muster_clock_next_due_us ();

  muster_test_bench_drop (self->bench);
  if (self->registration != NULL) /* perhaps what it began ends in the next turns */
    muster_test_bench_run_until (self->bench, muster_clock_now_us ());
  if (muster_module_get_context (self->bench->module) == NULL)
    check_nothing_armed (self, due_us);

  if (self->registration != NULL) {
    muster_test_scene_fault (self->scene, "it keeps a reference to its registration: a task that "
                                          "was never answered, or an object that was not freed");
    g_object_remove_weak_pointer (self->registration, &self->registration);
  }
}

/* The end of the step: the same for what the plugin's accounts shared. */
static void
play_stop (Play *self)
{
  gpointer context = muster_module_get_context (self->bench->module);
  gint64 due_us;

  if (context == NULL || muster_test_scene_is_broken (self->scene))
    return;

  muster_test_bench_run_until (self->bench, muster_clock_now_us ());
  due_us = muster_clock_next_due_us ();
  g_object_add_weak_pointer (context, &context);
  muster_module_stop (self->bench->module);
  if (context != NULL) {
    muster_test_scene_fault (self->scene, "it keeps a reference to its context");
    g_object_remove_weak_pointer (context, &context);
  } else {
    check_nothing_armed (self, due_us);
  }
}

static gboolean
ends_promptly (MusterTestCall *call)
{
  gint64 max_ms = call->bench->idle_ms > 0 ? PROMPT_IO_MS : 0;

  return muster_test_call_wait (call, max_ms, PROMPT_TURNS) == MUSTER_TEST_ANSWERED;
}

/* steps */

static void
step_register (MusterTestScene *scene)
{
  g_autoptr (MusterLease) lease = NULL;
  g_autofree char *bindings = NULL;
  gint64 began_us;
  MusterTestCall *call;
  Play play;

  muster_test_scene_at (scene, "while it registered");
  if (!play_begin (&play, scene))
    return;
  began_us = muster_clock_now_us ();
  if (!play_open (&play, "registering", &lease))
    return;

  if (lease->refreshed)
    muster_test_scene_fault (scene,
                             "it calls its first lease refreshed: nobody would hear of a new one");
  bindings = g_strjoinv (", ", lease->bindings);
  muster_test_scene_note (scene, "registered for %u s at %s, after %.1f s", lease->lease_s,
                          *bindings != '\0' ? bindings : "no place that it named",
                          (double) (muster_clock_now_us () - began_us - AFTERMATH_MS * 1000) /
                            G_USEC_PER_SEC);

  /* A real service must not keep it; whether that works is for the next steps to say. */
  muster_test_scene_at (scene, "while it unregistered");
  call = play_call (&play, TRUE);
  if (call != NULL)
    play_end_call (&play, call);
}

static void
step_refresh (MusterTestScene *scene)
{
  g_autoptr (MusterLease) lease = NULL;
  Play play;

  muster_test_scene_at (scene, "while it registered");
  if (!play_begin (&play, scene) || !play_open (&play, "registering", &lease))
    return;

  for (guint i = 1; i <= N_REFRESHES; i++) {
    gint64 wait_ms = HOLDING_REFRESH_S * 1000;

    if (lease->lease_s != 0)
      wait_ms = muster_schedule_refresh_ms (lease->lease_s, lease->refresh_after_s, 0.5);
    muster_test_scene_at (scene, "while it waited for refresh %u", i);
    if (!muster_test_bench_run_until (play.bench, muster_clock_now_us () + wait_ms * 1000))
      muster_test_scene_fault (scene, "it does not come to rest between refreshes");
    if (play.bench->lost != NULL) {
      fault_for_error (&play, "holding the lease until its refresh", play.bench->lost);
      return;
    }

    muster_test_scene_at (scene, "during refresh %u", i);
    if (!play_open (&play, "a refresh", &lease))
      return;
    if (!lease->refreshed)
      muster_test_scene_fault (scene, "it does not call a lease that it extended refreshed");
  }

  if (play_close (&play, "unregistering"))
    play_end (&play);
  play_stop (&play);
  muster_test_scene_note (scene, "refreshed %d times when it was due", N_REFRESHES);
}

static void
step_unregister (MusterTestScene *scene)
{
  g_autoptr (MusterLease) lease = NULL;
  Play play;

  muster_test_scene_at (scene, "while it unregistered");
  if (!play_begin (&play, scene) || !play_open (&play, "registering", &lease) ||
      !play_close (&play, "unregistering"))
    return;

  muster_test_bench_run_until (play.bench, muster_clock_now_us () + 60 * G_USEC_PER_SEC);
  if (play.bench->lost != NULL)
    muster_test_scene_fault (scene, "it reported the registration lost that it had closed");
  play_end (&play);
  play_stop (&play);
  muster_test_scene_note (scene, "unregistered, and silent since");
}

static void
step_again (MusterTestScene *scene)
{
  g_autoptr (MusterLease) lease = NULL;
  Play play;

  muster_test_scene_at (scene, "while it registered again");
  if (!play_begin (&play, scene) || !play_open (&play, "registering", &lease) ||
      !play_close (&play, "unregistering") || !play_open (&play, "registering again", &lease))
    return;

  if (lease->refreshed)
    muster_test_scene_fault (scene, "it calls a lease refreshed that it got after a close");
  if (play_close (&play, "unregistering again"))
    play_end (&play);
  play_stop (&play);
  muster_test_scene_note (scene, "registered and unregistered a second time");
}

/* cancelling */

typedef enum {
  CANCEL_OPEN,
  CANCEL_REFRESH,
  CANCEL_CLOSE,
} CancelWhat;

static const char *const cancel_nouns[] = { "an open", "a refresh", "a close" };

static void
check_cancelled (Play *play, MusterTestCall *call, const char *what)
{
  if (call->error != NULL && !g_error_matches (call->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    muster_test_scene_fault (play->scene, "%s ended with \"%s\" instead", what,
                             call->error->message);
  if (call->error == NULL && !(call->closing ? call->closed : call->lease != NULL))
    muster_test_scene_fault (play->scene, "%s had no outcome", what);
}

/* One registration whose call is cancelled after @n_turns; before it begins if that is negative.
 * Returns: whether the call lasted longer than that */
static gboolean
cancel_after (MusterTestScene *scene, CancelWhat what, int n_turns, gboolean *go_on)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MusterLease) lease = NULL;
  g_autofree char *words = NULL;
  MusterTestCall *call;
  gint64 until_us;
  gboolean lasted;
  int n = 0;
  Play play;

  *go_on = FALSE;
  if (!play_begin (&play, scene) ||
      (what != CANCEL_OPEN && !play_open (&play, "registering", &lease)))
    return FALSE;

  if (n_turns < 0)
    words = g_strdup_printf ("%s that was cancelled before it began", cancel_nouns[what]);
  else
    words = g_strdup_printf ("%s that was cancelled after %d turns of the loop", cancel_nouns[what],
                             n_turns);
  muster_test_scene_at (scene, "during %s", words);
  if (n_turns < 0)
    g_cancellable_cancel (cancellable);
  call = play_begin_call (&play, what == CANCEL_CLOSE, cancellable);
  g_clear_object (&cancellable);

  until_us = muster_clock_now_us () + (gint64) MUSTER_TEST_CALL_MAX_MS * 1000;
  while (n < n_turns && call->n_answers == 0 && muster_test_bench_turn (play.bench, until_us))
    n++;
  lasted = call->n_answers == 0;
  if (lasted && n < n_turns) {
    muster_test_scene_fault (scene, "%s does not end", cancel_nouns[what]);
    muster_test_call_free (call);
    return FALSE;
  }

  g_cancellable_cancel (call->cancellable);
  if (!ends_promptly (call)) {
    muster_test_scene_fault (scene, "%s did not end promptly", words);
    muster_test_call_free (call);
    return FALSE;
  }
  if (lasted)
    check_cancelled (&play, call, words);
  play_end_call (&play, call);

  /* Whatever the service knows of us now: the broker takes it back. */
  if (play_close (&play, "the close after it")) {
    play_end (&play);
    *go_on = !muster_test_scene_is_broken (scene);
  }

  return lasted;
}

static void
cancel_everywhere (MusterTestScene *scene, CancelWhat what)
{
  Play play = { .scene = scene, .bench = scene->bench };
  gboolean go_on;
  int n = -1;

  /* From before the call on, to the turn in which it is over by itself. */
  while (cancel_after (scene, what, n, &go_on) && go_on && n < N_CANCELS_MAX)
    n++;

  if (!muster_test_scene_is_broken (scene))
    play_stop (&play);
  muster_test_scene_note (scene,
                          "cancelled before it and after each of %d turns, and over promptly",
                          MAX (n, 0));
}

static void
step_cancel_open (MusterTestScene *scene)
{
  cancel_everywhere (scene, CANCEL_OPEN);
}

static void
step_cancel_refresh (MusterTestScene *scene)
{
  cancel_everywhere (scene, CANCEL_REFRESH);
}

static void
step_cancel_close (MusterTestScene *scene)
{
  cancel_everywhere (scene, CANCEL_CLOSE);
}

/* order */

static void
step_open_close (MusterTestScene *scene)
{
  MusterTestCall *call;
  Play play;

  muster_test_scene_at (scene, "while it was closed right after an open that was cancelled");
  if (!play_begin (&play, scene))
    return;

  /* The user switches the account on and off: the open is cancelled, and in the turn in which it
   * ends comes the close. */
  call = play_begin_call (&play, FALSE, NULL);
  g_cancellable_cancel (call->cancellable);
  if (!ends_promptly (call)) {
    muster_test_scene_fault (scene, "an open that was cancelled at once did not end");
    muster_test_call_free (call);
    return;
  }
  muster_test_call_free (call);
  if (!play_close (&play, "the close right after it"))
    return;
  play_end (&play);

  muster_test_scene_at (scene, "while it was closed in the turn that gave it a lease");
  if (!play_begin (&play, scene))
    return;
  call = play_call (&play, FALSE);
  if (call == NULL)
    return;
  if (call->error != NULL)
    fault_for_error (&play, "registering", call->error);
  muster_test_call_free (call);
  if (play_close (&play, "the close in the same turn"))
    play_end (&play);
  play_stop (&play);
  muster_test_scene_note (scene, "closed right after an open");
}

static void
step_only_close (MusterTestScene *scene)
{
  MusterTestCall *call;
  Play play;

  muster_test_scene_at (scene, "while it was closed without an open");
  if (!play_begin (&play, scene))
    return;

  call = play_call (&play, TRUE);
  if (call == NULL)
    return;
  if (call->error != NULL && call->error->domain != MUSTER_ERROR)
    fault_for_error (&play, "a close without an open", call->error);
  muster_test_scene_note (scene, "closed without an open: %s",
                          call->error != NULL ? call->error->message : "nothing to take back");
  play_end_call (&play, call);
  play_end (&play);
  play_stop (&play);
}

/* restarts */

static gsize
resume_size (MusterTestBench *bench)
{
  return bench->resume != NULL ? g_bytes_get_size (bench->resume) : 0;
}

static void
step_restart (MusterTestScene *scene)
{
  g_autoptr (MusterLease) lease = NULL;
  gboolean carried_on;
  gsize n_bytes;
  Play play;

  muster_test_scene_at (scene, "while it went without a close");
  if (!play_begin (&play, scene) || !play_open (&play, "registering", &lease))
    return;
  n_bytes = resume_size (play.bench);
  play_end (&play);

  muster_test_scene_at (scene, "while it registered after a restart");
  if (!play_begin (&play, scene) || !play_open (&play, "registering after a restart", &lease))
    return;
  carried_on = lease->refreshed;
  if (play_close (&play, "unregistering after a restart"))
    play_end (&play);
  play_stop (&play);

  if (n_bytes == 0)
    muster_test_scene_note (scene, "registered afresh after a restart; it keeps nothing");
  else
    muster_test_scene_note (scene, "%s after a restart, with %zu bytes that it kept",
                            carried_on ? "carried on" : "registered afresh", n_bytes);
}

static void
step_bad_resume (MusterTestScene *scene)
{
  static const char garbage[] = "\377\376\000 nothing that any version ever wrote \n\r\t{[<";
  g_autoptr (MusterLease) lease = NULL;
  Play play;

  muster_test_scene_at (scene, "while it registered with a resume blob of another version");
  scene->bench->resume = g_bytes_new_static (garbage, sizeof garbage - 1);
  if (!play_begin (&play, scene) ||
      !play_open (&play, "registering with a resume blob that makes no sense", &lease))
    return;

  if (play_close (&play, "unregistering"))
    play_end (&play);
  play_stop (&play);
  muster_test_scene_note (scene, "not impressed by a resume blob that makes no sense");
}

static void
step_wrong_secret (MusterTestScene *scene)
{
  MusterTestCall *call;
  Play play;

  muster_test_scene_at (scene, "while it registered with a wrong secret");
  scene->bench->wrong_param = scene->bench->checked_secret;
  if (!play_begin (&play, scene))
    return;
  call = play_call (&play, FALSE);
  if (call == NULL)
    return;

  if (call->lease != NULL)
    muster_test_scene_fault (scene, "it registered with a wrong secret");
  else if (!g_error_matches (call->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED))
    muster_test_scene_fault (scene, "a wrong secret is \"refused\", not \"%s\" (%s)",
                             call->error->domain == MUSTER_ERROR
                               ? muster_error_code_to_string ((MusterError) call->error->code)
                               : g_quark_to_string (call->error->domain),
                             call->error->message);
  else
    muster_test_scene_note (scene, "refused: %s", call->error->message);
  play_end_call (&play, call);
  play_end (&play);
  play_stop (&play);
}

/* leftovers */

static guint
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;

  return n;
}

static void
step_leave_nothing (MusterTestScene *scene)
{
  guint n_before = 0;
  guint n_after;
  Play play;

  /* The first rounds open what lives as long as the process. */
  for (guint i = 0; i < N_ROUNDS; i++) {
    g_autoptr (MusterLease) lease = NULL;

    muster_test_scene_at (scene, "in round %u of registering and unregistering", i + 1);
    if (!play_begin (&play, scene) || !play_open (&play, "registering", &lease) ||
        !play_close (&play, "unregistering"))
      return;
    play_end (&play);
    if (muster_test_scene_is_broken (scene))
      return;
    if (i == 1)
      n_before = count_descriptors ();
  }

  n_after = count_descriptors ();
  if (n_after >= n_before + N_ROUNDS - 2)
    muster_test_scene_fault (scene, "it leaves descriptors open: %u after %d rounds",
                             n_after - n_before, N_ROUNDS - 2);
  play_stop (&play);
  muster_test_scene_note (scene, "nothing is left: no object, no timer, no descriptor");
}

/* the contract */

typedef struct {
  const char *name;
  MusterTestSceneFunc play;
  gboolean needed; /* the others make no sense if it did not come so far as to note something */
} ContractStep;

static const ContractStep steps[] = {
  { "describe", muster_test_describe, TRUE },
  { "register", step_register, TRUE },
  { "refresh", step_refresh, FALSE },
  { "unregister", step_unregister, FALSE },
  { "register-again", step_again, FALSE },
  { "cancel-open", step_cancel_open, FALSE },
  { "cancel-refresh", step_cancel_refresh, FALSE },
  { "cancel-close", step_cancel_close, FALSE },
  { "open-and-close", step_open_close, FALSE },
  { "only-close", step_only_close, FALSE },
  { "restart", step_restart, FALSE },
  { "bad-resume", step_bad_resume, FALSE },
  { "wrong-secret", step_wrong_secret, FALSE },
  { "leave-nothing", step_leave_nothing, FALSE },
};

/**
 * muster_test_bench_run_contract:
 * @self: a bench with its parameters and secrets set
 * @error: return location for a %MUSTER_ERROR_INVALID: the bench was told something wrong
 *
 * Does with the plugin what the broker does, and checks what the broker relies on. Each step runs in
 * a process of its own: this one neither loads the module nor is harmed by it. The step
 * `wrong-secret` is there only after muster_test_bench_set_checked_secret().
 *
 * Returns: (transfer full): what was found; %NULL with @error
 */
MusterTestReport *
muster_test_bench_run_contract (MusterTestBench *self, GError **error)
{
  g_autoptr (MusterTestReport) report = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  report = muster_test_report_new (self->path);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_auto (MusterTestOutcome) outcome = { NULL };

    if (steps[i].play == step_wrong_secret && self->checked_secret == NULL)
      continue;

    muster_test_scene_play (self, steps[i].play, &outcome);
    if (outcome.usage != NULL) {
      g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE, "%s",
                                                  outcome.usage));
      return NULL;
    }
    if (outcome.protocol != NULL)
      muster_test_report_set_account (report, outcome.protocol, outcome.address);
    muster_test_report_add (report, steps[i].name, (const char *const *) outcome.faults,
                            outcome.note);
    if (steps[i].needed && (outcome.note == NULL || *outcome.note == '\0'))
      break;
  }

  return g_steal_pointer (&report);
}
