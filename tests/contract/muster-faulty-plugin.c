/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterFaulty"

#include <muster/muster.h>

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Breaks its contract as the parameter "fault" says, and only so; without one it keeps it. With
 * "socket" it is well-behaved, too, but its answers come from another thread by a socket, in real
 * time.
 */

#define SERVICE_DELAY_US (20 * 1000)
#define SERVICE_SECRET   "sesame"

struct _MusterFaultyRegistration {
  MusterRegistration parent_instance;
  MusterTimer answer;
  MusterTimer stray; /* of nobody's operation */
  GTask *task;
  gulong cancelled_id;
  gboolean leaving;
  gboolean known;
  gboolean forgetful;        /* of the stray timer, in the end */
  GAsyncReadyCallback twice; /* told a second time */
  gpointer twice_data;
  MusterWatch *watch;
  int fd;
};

#define MUSTER_TYPE_FAULTY_REGISTRATION (muster_faulty_registration_get_type ())
G_DECLARE_FINAL_TYPE (MusterFaultyRegistration,
                      muster_faulty_registration,
                      MUSTER,
                      FAULTY_REGISTRATION,
                      MusterRegistration)
G_DEFINE_FINAL_TYPE (MusterFaultyRegistration, muster_faulty_registration, MUSTER_TYPE_REGISTRATION)

static gboolean
has_fault (MusterFaultyRegistration *self, const char *name)
{
  g_autofree char *fault = muster_registration_dup_string (MUSTER_REGISTRATION (self), "fault");

  return g_strcmp0 (fault, name) == 0;
}

static MusterLease *
make_lease (MusterFaultyRegistration *self)
{
  const char *bindings[] = { "here", NULL };
  MusterLease *lease = muster_lease_new (60, bindings);

  lease->refreshed = has_fault (self, "never-refreshed")    ? FALSE
                     : has_fault (self, "always-refreshed") ? TRUE
                                                            : self->known;
  if (has_fault (self, "late-refresh"))
    lease->refresh_after_s = 61;
  self->known = TRUE;

  return lease;
}

static void
answer (MusterFaultyRegistration *self, GTask *task)
{
  GAsyncReadyCallback twice = g_steal_pointer (&self->twice);

  if (g_cancellable_is_cancelled (g_task_get_cancellable (task)) &&
      has_fault (self, "wrong-error-on-cancel"))
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                                                 "the connection was reset"));
  else if (!has_fault (self, "ignores-cancel") && g_task_return_error_if_cancelled (task))
    return;
  else if (has_fault (self, "foreign-error"))
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, "refused");
  else if (self->leaving && has_fault (self, "fails-to-close"))
    g_task_return_error (task,
                         muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_UNREGISTER, "not now"));
  else if (self->leaving)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_pointer (task, make_lease (self), (GDestroyNotify) muster_lease_free);

  if (self->leaving)
    self->known = FALSE;
  if (twice != NULL)
    twice (G_OBJECT (self), G_ASYNC_RESULT (task), self->twice_data);
}

static void
stop_asking (MusterFaultyRegistration *self)
{
  if (self->watch == NULL)
    return;

  muster_watch_remove (g_steal_pointer (&self->watch));
  close (self->fd);
}

static void
on_answer (MusterTimer *timer, gpointer user_data)
{
  MusterFaultyRegistration *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  stop_asking (self);
  if (!has_fault (self, "leaves-handler"))
    g_cancellable_disconnect (g_task_get_cancellable (task), self->cancelled_id);
  if (has_fault (self, "leaks-cancellable"))
    g_object_ref (g_task_get_cancellable (task));
  if (has_fault (self, "leaks-self"))
    g_object_ref (self);
  if (has_fault (self, "leaks-descriptor"))
    dup (0);
  self->forgetful = has_fault (self, "leaks-timer");
  if (self->forgetful)
    muster_timer_arm_in_ms (&self->stray, 3600 * 1000);
  if (has_fault (self, "exits"))
    exit (0);
  if (has_fault (self, "crashes"))
    abort ();
  while (has_fault (self, "hangs"))
    continue;

  answer (self, task);
}

static void
on_stray (MusterTimer *timer, gpointer user_data)
{
  MusterFaultyRegistration *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!has_fault (self, "loses"))
    return;
  error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM, "the server hung up");
  muster_registration_lost (MUSTER_REGISTRATION (self), error);
}

static void
on_cancelled (GCancellable *cancellable, MusterFaultyRegistration *self)
{
  if (has_fault (self, "leaves-handler") && self->task == NULL)
    g_critical ("cancelled after the end");
  else if (!has_fault (self, "ignores-cancel"))
    muster_timer_arm_in_ms (&self->answer, 0);
}

/* the service on a socket */

static gpointer
serve (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);

  usleep (SERVICE_DELAY_US);
  send (fd, "!", 1, MSG_NOSIGNAL);
  close (fd);

  return NULL;
}

static void
on_socket (MusterWatch *watch, guint32 events, gpointer user_data)
{
  MusterFaultyRegistration *self = user_data;

  stop_asking (self);
  muster_timer_arm_in_ms (&self->answer, 0);
}

static void
ask_service (MusterFaultyRegistration *self)
{
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    g_error ("no sockets");
  g_thread_unref (g_thread_new ("service", serve, GINT_TO_POINTER (ends[1])));
  self->fd = ends[0];
  self->watch = muster_hub_add_fd (ends[0], EPOLLIN, on_socket, self);
}

/* operations */

static void
on_secret (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterFaultyRegistration *self = MUSTER_FAULTY_REGISTRATION (source);
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterSecret) secret = NULL;
  gsize length;

  secret = muster_registration_load_secret_finish (MUSTER_REGISTRATION (self), result, &error);
  if (secret == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else if (g_str_equal (muster_secret_peek (secret, &length), SERVICE_SECRET))
    g_task_return_pointer (task, make_lease (self), (GDestroyNotify) muster_lease_free);
  else
    g_task_return_error (task, muster_error_new (has_fault (self, "wrong-refusal")
                                                   ? MUSTER_ERROR_FORBIDDEN
                                                   : MUSTER_ERROR_REFUSED,
                                                 MUSTER_STEP_AUTHENTICATE, "wrong"));
}

static void
answer_later (MusterFaultyRegistration *self,
              GCancellable *cancellable,
              GTask *task,
              gboolean leaving)
{
  self->leaving = leaving;
  g_task_set_check_cancellable (task, !has_fault (self, "wrong-error-on-cancel"));

  if (has_fault (self, "no-answer")) {
    g_object_unref (task);
    return;
  }
  if (!leaving && (has_fault (self, "secret") || has_fault (self, "wrong-refusal"))) {
    muster_registration_load_secret_async (MUSTER_REGISTRATION (self), "password", cancellable,
                                           on_secret, task);
    return;
  }

  self->task = task;
  if (has_fault (self, "socket"))
    ask_service (self);
  else
    muster_timer_arm_in_ms (&self->answer, 5000);
  self->cancelled_id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
  if (!leaving && has_fault (self, "loses"))
    muster_timer_arm_in_ms (&self->stray, 15000);
}

static void
muster_faulty_registration_open_async (MusterRegistration *registration,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  MusterFaultyRegistration *self = MUSTER_FAULTY_REGISTRATION (registration);
  GTask *task = g_task_new (registration, cancellable, callback, user_data);

  if (has_fault (self, "answers-at-once")) {
    g_task_return_pointer (task, make_lease (self), (GDestroyNotify) muster_lease_free);
    callback (G_OBJECT (self), G_ASYNC_RESULT (task), user_data);
    return;
  }
  if (has_fault (self, "answers-twice")) {
    self->twice = callback;
    self->twice_data = user_data;
  }
  answer_later (self, cancellable, task, FALSE);
}

static void
muster_faulty_registration_close_async (MusterRegistration *registration,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  MusterFaultyRegistration *self = MUSTER_FAULTY_REGISTRATION (registration);

  answer_later (self, cancellable, g_task_new (registration, cancellable, callback, user_data),
                TRUE);
}

static void
muster_faulty_registration_finalize (GObject *object)
{
  MusterFaultyRegistration *self = MUSTER_FAULTY_REGISTRATION (object);

  if (!self->forgetful)
    muster_timer_cancel (&self->stray);

  G_OBJECT_CLASS (muster_faulty_registration_parent_class)->finalize (object);
}

static void
muster_faulty_registration_class_init (MusterFaultyRegistrationClass *klass)
{
  MUSTER_REGISTRATION_CLASS (klass)->open_async = muster_faulty_registration_open_async;
  MUSTER_REGISTRATION_CLASS (klass)->close_async = muster_faulty_registration_close_async;
  G_OBJECT_CLASS (klass)->finalize = muster_faulty_registration_finalize;
}

static void
muster_faulty_registration_init (MusterFaultyRegistration *self)
{
  muster_timer_init (&self->answer, on_answer, self);
  muster_timer_init (&self->stray, on_stray, self);
}

/* clang-format off */
static const MusterParam params[] = {
  { .name = "fault", .type = MUSTER_PARAM_STRING, .default_value = "none",
    .label = "Fault", .help = "What is wrong with it" },
  { .name = "password", .type = MUSTER_PARAM_STRING, .flags = MUSTER_PARAM_SECRET,
    .label = "Password", .help = "Asked for by some faults" },
};

/* Its description is good enough for the loader, and for nobody who has to fill in a form. */
static const MusterParam vague_params[] = {
  { .name = "server", .type = MUSTER_PARAM_STRING, .label = "", .help = "" },
  { .name = "port", .type = MUSTER_PARAM_STRING, .label = "Port", .help = "Its port", .max = 65535 },
};

static const MusterKind kind = {
  .type = MUSTER_KIND_PROTOCOL,
  .get_type = muster_faulty_registration_get_type,
  .protocol = &(const MusterProtocol){
    .struct_size = sizeof (MusterProtocol),
    .id = "faulty", .display_name = "Faulty", .uri_schemes = (const char *const[]){ "faulty", NULL },
    .address_help = "someone@faulty", .params = params, .n_params = G_N_ELEMENTS (params), .local = TRUE,
  },
};

static const MusterKind vague_kind = {
  .type = MUSTER_KIND_PROTOCOL,
  .get_type = muster_faulty_registration_get_type,
  .protocol = &(const MusterProtocol){
    .struct_size = sizeof (MusterProtocol),
    .id = "vague", .display_name = "Vague", .uri_schemes = (const char *const[]){ NULL },
    .address_help = "somebody", .address_pattern = "[^@]+@.+",
    .params = vague_params, .n_params = G_N_ELEMENTS (vague_params), .local = TRUE,
  },
};
/* clang-format on */

MUSTER_DEFINE_PLUGIN ("faulty",
                      .version = "0.1.0",
                      .licence = "LGPL-2.1-or-later",
                      .description = "Breaks its contract on demand",
                      .kinds = (const MusterKind *const[]){ &kind, &vague_kind, NULL })
