/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-errand.h"

#include "muster-sip-registration-private.h"

/*
 *   send [-> password] -> [the registration's REGISTER is over] -> exchange -> settle -> end
 *              |            |                                      `-> cancelled, or its way was left:
 *              `------------+-> likewise                               settle, end, from the loop
 *
 * The task holds the registration, and one reference to the errand; the password's callback holds another. The
 * password is loaded when what is kept of it may be of another one, or does not do.
 */
struct _MusterSipErrand {
  GList link;                  /* in the registration's errands */
  MusterSipRegistration *self; /* lent by the task */
  GTask *task;                 /* NULL once it is over */
  const MusterSipErrandFuncs *funcs;
  gpointer owner;
  MusterSecret *password; /* NULL: it is not needed so far */
  guint password_version; /* of the one that is being loaded */
  gboolean waits;         /* for a REGISTER of the registration */
  MusterSipExchange exchange;
  gulong cancelled_handler;
  GError *why; /* it ends with this, from the loop */
  guint end_source;
};

static void
errand_clear (gpointer data)
{
  MusterSipErrand *errand = data;

  g_clear_error (&errand->why);
  g_clear_pointer (&errand->password, muster_secret_unref);
}

static void
errand_unref (MusterSipErrand *errand)
{
  g_rc_box_release_full (errand, errand_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipErrand, errand_unref)

/* Takes @error. One of both is set, or both. */
static void
errand_end (MusterSipErrand *errand, const MusterSipResponse *response, GError *error)
{
  g_autoptr (MusterSipErrand) ended = errand;
  g_autoptr (GTask) task = g_steal_pointer (&errand->task);

  errand->waits = FALSE;
  if (errand->funcs->settle != NULL)
    errand->funcs->settle (errand->owner, response, error);
  g_queue_unlink (&errand->self->errands, &errand->link);
  if (errand->cancelled_handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), errand->cancelled_handler);
  g_clear_handle_id (&errand->end_source, g_source_remove);

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, muster_sip_response_ref (response),
                           (GDestroyNotify) muster_sip_response_unref);
  if (errand->funcs->is_register)
    muster_sip_registration_go_on (errand->self);
}

static gboolean
on_end (gpointer user_data)
{
  MusterSipErrand *errand = user_data;

  errand->end_source = 0;
  errand_end (errand, NULL, g_steal_pointer (&errand->why));
  return G_SOURCE_REMOVE;
}

/* Takes @why. */
static void
errand_give_up (MusterSipErrand *errand, GError *why)
{
  if (errand->end_source != 0) {
    g_error_free (why);
    return;
  }
  muster_sip_exchange_cancel (&errand->exchange);
  errand->why = why;
  errand->end_source = g_idle_add_full (G_PRIORITY_DEFAULT, on_end, errand, NULL);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  errand_give_up (user_data, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                                  "the operation was cancelled"));
}

static gboolean
errand_is_over (MusterSipErrand *errand)
{
  return errand->task == NULL || errand->end_source != 0;
}

/* the exchange */

static MusterSipRequest *
on_build (gpointer owner)
{
  MusterSipErrand *errand = owner;

  return errand->funcs->build (errand->owner);
}

static gboolean
on_overcome (gpointer owner, const MusterSipResponse *response)
{
  MusterSipErrand *errand = owner;

  return errand->funcs->overcome != NULL && errand->funcs->overcome (errand->owner, response);
}

static void
on_done (gpointer owner, const MusterSipResponse *response, const GError *error)
{
  errand_end (owner, response, error != NULL ? g_error_copy (error) : NULL);
}

static void
errand_load_password (MusterSipErrand *errand, GAsyncReadyCallback callback)
{
  MusterRegistration *registration = MUSTER_REGISTRATION (errand->self);

  errand->password_version = muster_registration_get_secret_version (registration, "password");
  muster_registration_load_secret_async (registration, "password",
                                         g_task_get_cancellable (errand->task), callback,
                                         g_rc_box_acquire (errand));
}

static void
on_needed_password (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (MusterSipErrand) errand = user_data;
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterSecret) password = NULL;

  password = muster_registration_load_secret_finish (MUSTER_REGISTRATION (self), result, &error);
  if (errand_is_over (errand))
    return;
  if (password != NULL)
    muster_sip_refresher_set_password_version (self->refresher, errand->password_version);
  muster_sip_exchange_take_password (&errand->exchange, password, error);
}

static void
on_need_password (gpointer owner)
{
  errand_load_password (owner, on_needed_password);
}

static const MusterSipExchangeFuncs exchange_funcs = {
  .build = on_build,
  .overcome = on_overcome,
  .need_password = on_need_password,
  .done = on_done,
};

static GError *
no_way_error (void)
{
  return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                           "the way to the server is gone");
}

static void
errand_begin (MusterSipErrand *errand)
{
  const MusterSipConfig *config = muster_sip_registration_get_config (errand->self);
  MusterSipAsker asker = { NULL };

  if (config == NULL ||
      !muster_sip_registration_get_way (errand->self, &asker.transport, &asker.route)) {
    errand_give_up (errand, no_way_error ());
    return;
  }
  muster_sip_refresher_get_credentials (errand->self->refresher, &asker.registrar, &asker.proxy);
  asker.auth_user = config->auth_user;
  asker.password = errand->password;
  asker.may_ask = TRUE;
  muster_sip_exchange_begin (&errand->exchange, &asker);
}

static void
errand_begin_in_turn (MusterSipErrand *errand)
{
  errand->waits = errand->funcs->is_register && errand->self->operation != NULL;
  if (!errand->waits)
    errand_begin (errand);
}

/* It may be another one than what is kept was made of. */
static void
on_password (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (MusterSipErrand) errand = user_data;
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (source);
  const MusterSipConfig *config = muster_sip_registration_get_config (self);
  g_autoptr (GError) error = NULL;

  errand->password = muster_registration_load_secret_finish (MUSTER_REGISTRATION (self), result,
                                                             &error);
  if (errand_is_over (errand))
    return;
  if (error != NULL && !g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_REFUSED)) {
    errand_end (errand, NULL, g_steal_pointer (&error));
    return;
  }

  if (config != NULL)
    muster_sip_refresher_check_password (self->refresher, config->auth_user, errand->password,
                                         errand->password_version);
  errand_begin_in_turn (errand);
}

/* public functions */

void
muster_sip_errand_send_async (MusterSipRegistration *self,
                              const MusterSipErrandFuncs *funcs,
                              gpointer owner,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  MusterSipErrand *errand = g_rc_box_new0 (MusterSipErrand);

  errand->link.data = errand;
  errand->self = self;
  errand->task = g_task_new (self, cancellable, callback, user_data);
  errand->funcs = funcs;
  errand->owner = owner;
  g_task_set_source_tag (errand->task, muster_sip_errand_send_async);
  g_task_set_check_cancellable (errand->task, FALSE);
  muster_sip_exchange_init (&errand->exchange, &exchange_funcs, errand);
  g_queue_push_tail_link (&self->errands, &errand->link);

  if (cancellable != NULL) {
    errand->cancelled_handler = g_signal_connect (cancellable, "cancelled",
                                                  G_CALLBACK (on_cancelled), errand);
    if (g_cancellable_is_cancelled (cancellable)) {
      on_cancelled (cancellable, errand);
      return;
    }
  }
  /* Who leaves may have lost the password already: what is kept of it must do. */
  if (self->is_leaving || muster_sip_registration_knows_password (self))
    errand_begin_in_turn (errand);
  else
    errand_load_password (errand, on_password);
}

MusterSipResponse *
muster_sip_errand_send_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
muster_sip_errands_go_on (MusterSipRegistration *self)
{
  GList *next;

  for (GList *link = self->errands.head; link != NULL && self->operation == NULL; link = next) {
    MusterSipErrand *errand = link->data;

    next = link->next;
    if (!errand->waits || errand_is_over (errand))
      continue;
    errand->waits = FALSE;
    errand_begin (errand);
  }
}

gboolean
muster_sip_errands_are_registering (MusterSipRegistration *self)
{
  for (GList *link = self->errands.head; link != NULL; link = link->next) {
    const MusterSipErrand *errand = link->data;

    if (errand->funcs->is_register && muster_sip_exchange_is_under_way (&errand->exchange))
      return TRUE;
  }
  return FALSE;
}

void
muster_sip_errands_fail (MusterSipRegistration *self)
{
  for (GList *link = self->errands.head; link != NULL; link = link->next)
    errand_give_up (link->data, no_way_error ());
}
