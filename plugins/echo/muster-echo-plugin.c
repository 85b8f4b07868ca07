/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterEcho"

#include <muster/muster.h>

/*
 * A service that lives in this file: it answers after a delay, grants a lease, and trusts everybody
 * but mallory. A plugin of its own puts its service where the timer is: see doc/plugin-guide.md.
 */

struct _MusterEchoRegistration {
  MusterRegistration parent_instance;
  MusterTimer answer; /* the service thinks; armed only while there is a task, which holds us */
  GTask *task;        /* the call that it will answer */
  gulong cancelled_id;
  gboolean leaving; /* the call is a close */
  gboolean known;   /* the service knows us */
};

#define MUSTER_TYPE_ECHO_REGISTRATION (muster_echo_registration_get_type ())
G_DECLARE_FINAL_TYPE (MusterEchoRegistration,
                      muster_echo_registration,
                      MUSTER,
                      ECHO_REGISTRATION,
                      MusterRegistration)
G_DEFINE_FINAL_TYPE (MusterEchoRegistration, muster_echo_registration, MUSTER_TYPE_REGISTRATION)

static void
answer_open (MusterEchoRegistration *self, GTask *task)
{
  MusterRegistration *registration = MUSTER_REGISTRATION (self);
  const char *address = muster_registration_get_address (registration);
  const char *bindings[] = { address, NULL };
  MusterLease *lease;

  if (g_str_has_prefix (address, "mallory@")) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_AUTHENTICATE,
                                                 "nobody here trusts %s", address));
    return;
  }

  lease = muster_lease_new (muster_registration_get_uint (registration, "lease"), bindings);
  lease->refreshed = self->known;
  self->known = TRUE;
  g_task_return_pointer (task, lease, (GDestroyNotify) muster_lease_free);
}

static void
on_answer (MusterTimer *timer, gpointer user_data)
{
  MusterEchoRegistration *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_cancellable_disconnect (g_task_get_cancellable (task), self->cancelled_id);
  if (g_task_return_error_if_cancelled (task))
    return;

  if (!self->leaving) {
    answer_open (self, task);
  } else {
    self->known = FALSE;
    g_task_return_boolean (task, TRUE);
  }
}

static void
on_cancelled (GCancellable *cancellable, MusterEchoRegistration *self)
{
  muster_timer_arm_in_ms (&self->answer, 0);
}

/* Takes the call; its task is answered after the delay, or at once if it is cancelled. */
static void
answer_later (MusterEchoRegistration *self,
              GCancellable *cancellable,
              GTask *task,
              gboolean leaving)
{
  self->task = task;
  self->leaving = leaving;
  muster_timer_arm_in_ms (&self->answer,
                          muster_registration_get_uint (MUSTER_REGISTRATION (self), "delay"));
  self->cancelled_id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
}

static void
muster_echo_registration_open_async (MusterRegistration *registration,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  answer_later (MUSTER_ECHO_REGISTRATION (registration), cancellable,
                g_task_new (registration, cancellable, callback, user_data), FALSE);
}

static void
muster_echo_registration_close_async (MusterRegistration *registration,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  answer_later (MUSTER_ECHO_REGISTRATION (registration), cancellable,
                g_task_new (registration, cancellable, callback, user_data), TRUE);
}

static void
muster_echo_registration_class_init (MusterEchoRegistrationClass *klass)
{
  MUSTER_REGISTRATION_CLASS (klass)->open_async = muster_echo_registration_open_async;
  MUSTER_REGISTRATION_CLASS (klass)->close_async = muster_echo_registration_close_async;
}

static void
muster_echo_registration_init (MusterEchoRegistration *self)
{
  muster_timer_init (&self->answer, on_answer, self);
}

/* clang-format off */
static const MusterParam params[] = {
  { .name = "lease", .type = MUSTER_PARAM_UINT, .default_value = "60", .max = 86400,
    .label = "Lease", .help = "For how long the service grants a registration, in seconds; 0: until it is lost" },
  { .name = "delay", .type = MUSTER_PARAM_UINT, .default_value = "10", .max = 60000,
    .label = "Delay", .help = "How long the service takes to answer, in milliseconds" },
  { .name = "password", .type = MUSTER_PARAM_STRING, .flags = MUSTER_PARAM_SECRET,
    .label = "Password", .help = "A secret to play with; the service does not look at it" },
};

static const MusterKind kind = {
  .type = MUSTER_KIND_PROTOCOL,
  .get_type = muster_echo_registration_get_type,
  .protocol = &(const MusterProtocol){
    .struct_size = sizeof (MusterProtocol),
    .id = "echo", .display_name = "Echo", .uri_schemes = (const char *const[]){ "echo", NULL },
    .address_help = "alice@echo", .address_pattern = "[^@\\s]+@[^@\\s]+",
    .params = params, .n_params = G_N_ELEMENTS (params), .local = TRUE,
  },
};
/* clang-format on */

MUSTER_DEFINE_PLUGIN ("echo",
                      .version = "0.1.0",
                      .licence = "LGPL-2.1-or-later",
                      .description = "A service that lives in the plugin, for trying things out",
                      .kinds = (const MusterKind *const[]){ &kind, NULL })
