/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-registration-private.h"

#include <muster/muster-creator.h>

#define LANE "creator"

G_DEFINE_INTERFACE (MusterCreator, muster_creator, MUSTER_TYPE_REGISTRATION)

static void
muster_creator_default_init (MusterCreatorInterface *iface)
{
}

static void
start_get_form (MusterRegistration *self,
                GTask *task,
                GCancellable *cancellable,
                GAsyncReadyCallback callback,
                gpointer user_data)
{
  MUSTER_CREATOR_GET_IFACE (self)->get_form_async (MUSTER_CREATOR (self), cancellable, callback,
                                                   user_data);
}

static void
finish_get_form (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  GError *error = NULL;
  GVariant *answer = MUSTER_CREATOR_GET_IFACE (self)->get_form_finish (MUSTER_CREATOR (self),
                                                                       result, &error);

  if (answer == NULL)
    g_task_return_error (task, muster_sane_error (self, error));
  else
    g_task_return_pointer (task, answer, (GDestroyNotify) g_variant_unref);
}

/**
 * muster_creator_get_form_async:
 * @self: a registration
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Asks the service what it wants to know of a new user.
 */
void
muster_creator_get_form_async (MusterCreator *self,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (MUSTER_IS_CREATOR (self));

  muster_registration_run (MUSTER_REGISTRATION (self), LANE, muster_creator_get_form_async, NULL,
                           NULL, cancellable, callback, user_data, start_get_form, finish_get_form);
}

/**
 * muster_creator_get_form_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: (transfer full): the fields, an `aa{sv}`, as #MusterCreatorInterface says
 */
GVariant *
muster_creator_get_form_finish (MusterCreator *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_creator_get_form_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

typedef struct {
  GVariant *answers;
  GHashTable *secrets;
} CreateCall;

static void
create_call_free (gpointer data)
{
  CreateCall *call = data;

  g_variant_unref (call->answers);
  g_hash_table_unref (call->secrets);
  g_free (call);
}

static void
start_create (MusterRegistration *self,
              GTask *task,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  const CreateCall *call = g_task_get_task_data (task);

  MUSTER_CREATOR_GET_IFACE (self)->create_async (MUSTER_CREATOR (self), call->answers,
                                                 call->secrets, cancellable, callback, user_data);
}

static void
finish_create (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  GError *error = NULL;
  gboolean ok = MUSTER_CREATOR_GET_IFACE (self)->create_finish (MUSTER_CREATOR (self), result,
                                                                &error);

  muster_lane_return_boolean (self, task, ok, error);
}

/**
 * muster_creator_create_async:
 * @self: a registration
 * @answers: an `a{sv}` of the answers that are no secrets; consumed if floating
 * @secrets: (element-type utf8 MusterSecret): the others
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Signs up.
 */
void
muster_creator_create_async (MusterCreator *self,
                             GVariant *answers,
                             GHashTable *secrets,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  CreateCall *call;

  g_return_if_fail (MUSTER_IS_CREATOR (self));
  g_return_if_fail (answers != NULL && secrets != NULL);

  call = g_new0 (CreateCall, 1);
  call->answers = g_variant_ref_sink (answers);
  call->secrets = g_hash_table_ref (secrets);
  muster_registration_run (MUSTER_REGISTRATION (self), LANE, muster_creator_create_async, call,
                           create_call_free, cancellable, callback, user_data, start_create,
                           finish_create);
}

/**
 * muster_creator_create_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: the account is there
 */
gboolean
muster_creator_create_finish (MusterCreator *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_creator_create_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

typedef struct {
  char *param;
  MusterSecret *secret;
} ChangeSecretCall;

static void
change_secret_call_free (gpointer data)
{
  ChangeSecretCall *call = data;

  g_free (call->param);
  muster_secret_unref (call->secret);
  g_free (call);
}

static void
start_change_secret (MusterRegistration *self,
                     GTask *task,
                     GCancellable *cancellable,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  const ChangeSecretCall *call = g_task_get_task_data (task);

  MUSTER_CREATOR_GET_IFACE (self)->change_secret_async (MUSTER_CREATOR (self), call->param,
                                                        call->secret, cancellable, callback,
                                                        user_data);
}

static void
finish_change_secret (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  GError *error = NULL;
  gboolean ok = MUSTER_CREATOR_GET_IFACE (self)->change_secret_finish (MUSTER_CREATOR (self),
                                                                       result, &error);

  muster_lane_return_boolean (self, task, ok, error);
}

/**
 * muster_creator_change_secret_async:
 * @self: a registration
 * @param: which secret
 * @secret: the new one
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Gives the service a new secret.
 */
void
muster_creator_change_secret_async (MusterCreator *self,
                                    const char *param,
                                    MusterSecret *secret,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  ChangeSecretCall *call;

  g_return_if_fail (MUSTER_IS_CREATOR (self));
  g_return_if_fail (param != NULL && secret != NULL);

  call = g_new0 (ChangeSecretCall, 1);
  call->param = g_strdup (param);
  call->secret = muster_secret_ref (secret);
  muster_registration_run (MUSTER_REGISTRATION (self), LANE, muster_creator_change_secret_async,
                           call, change_secret_call_free, cancellable, callback, user_data,
                           start_change_secret, finish_change_secret);
}

/**
 * muster_creator_change_secret_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: the service has it
 */
gboolean
muster_creator_change_secret_finish (MusterCreator *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_creator_change_secret_async),
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
start_remove (MusterRegistration *self,
              GTask *task,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  MUSTER_CREATOR_GET_IFACE (self)->remove_async (MUSTER_CREATOR (self), cancellable, callback,
                                                 user_data);
}

static void
finish_remove (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  GError *error = NULL;
  gboolean ok = MUSTER_CREATOR_GET_IFACE (self)->remove_finish (MUSTER_CREATOR (self), result,
                                                                &error);

  muster_lane_return_boolean (self, task, ok, error);
}

/**
 * muster_creator_remove_async:
 * @self: a registration
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Deletes the account on the service.
 */
void
muster_creator_remove_async (MusterCreator *self,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (MUSTER_IS_CREATOR (self));

  muster_registration_run (MUSTER_REGISTRATION (self), LANE, muster_creator_remove_async, NULL,
                           NULL, cancellable, callback, user_data, start_remove, finish_remove);
}

/**
 * muster_creator_remove_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: it is gone there
 */
gboolean
muster_creator_remove_finish (MusterCreator *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_creator_remove_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
