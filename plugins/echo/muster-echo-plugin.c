/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterEcho"

#include <muster/muster.h>

/*
 * The smallest useful plugin: a service that lives in this file. It answers after a delay, grants a
 * lease, and trusts everybody but mallory. Start your own from it: see doc/plugin-guide.md.
 */

struct _MusterEchoRegistration {
  MusterRegistration parent_instance;

  MusterTimer answer; /* the service thinks */
  GTask *task;        /* the call that it will answer */
  gulong cancelled_id;
  gboolean open; /* the service knows us */
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
  lease->refreshed = self->open;
  self->open = TRUE;
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

  if (g_task_get_source_tag (task) == MUSTER_REGISTRATION_GET_CLASS (self)->open_async) {
    answer_open (self, task);
  } else {
    self->open = FALSE;
    g_task_return_boolean (task, TRUE);
  }
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  MusterEchoRegistration *self = user_data;

  muster_timer_arm_in_ms (&self->answer, 0);
}

/* Answers @tag's call on @self after the delay, or at once if it is cancelled. */
static void
answer_later (MusterRegistration *registration,
              gpointer tag,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  MusterEchoRegistration *self = MUSTER_ECHO_REGISTRATION (registration);

  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, tag);
  muster_timer_arm_in_ms (&self->answer, muster_registration_get_uint (registration, "delay"));
  self->cancelled_id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
}

static void
muster_echo_registration_open_async (MusterRegistration *registration,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  answer_later (registration, muster_echo_registration_open_async, cancellable, callback,
                user_data);
}

static MusterLease *
muster_echo_registration_open_finish (MusterRegistration *registration,
                                      GAsyncResult *result,
                                      GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
muster_echo_registration_close_async (MusterRegistration *registration,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  answer_later (registration, muster_echo_registration_close_async, cancellable, callback,
                user_data);
}

static gboolean
muster_echo_registration_close_finish (MusterRegistration *registration,
                                       GAsyncResult *result,
                                       GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
muster_echo_registration_finalize (GObject *object)
{
  muster_timer_cancel (&MUSTER_ECHO_REGISTRATION (object)->answer);

  G_OBJECT_CLASS (muster_echo_registration_parent_class)->finalize (object);
}

static void
muster_echo_registration_class_init (MusterEchoRegistrationClass *klass)
{
  MusterRegistrationClass *registration_class = MUSTER_REGISTRATION_CLASS (klass);

  registration_class->open_async = muster_echo_registration_open_async;
  registration_class->open_finish = muster_echo_registration_open_finish;
  registration_class->close_async = muster_echo_registration_close_async;
  registration_class->close_finish = muster_echo_registration_close_finish;
  G_OBJECT_CLASS (klass)->finalize = muster_echo_registration_finalize;
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
/* clang-format on */

static const MusterProtocol protocol = {
  .struct_size = sizeof (MusterProtocol),
  .id = "echo",
  .display_name = "Echo",
  .uri_schemes = (const char *const[]){ "echo", NULL },
  .address_help = "alice@echo",
  .address_pattern = "[^@\\s]+@[^@\\s]+",
  .params = params,
  .n_params = G_N_ELEMENTS (params),
  .local = TRUE,
};

static const MusterKind kind = {
  .type = MUSTER_KIND_PROTOCOL,
  .get_type = muster_echo_registration_get_type,
  .protocol = &protocol,
};

MUSTER_DEFINE_PLUGIN ("echo",
                      .version = "0.1.0",
                      .licence = "LGPL-2.1-or-later",
                      .description = "A service that lives in the plugin, for trying things out",
                      .kinds = (const MusterKind *const[]){ &kind, NULL })
