/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-method.h"

#include <muster/muster-creator.h>

#define LANE "creator"

G_DEFINE_INTERFACE (MusterCreator, muster_creator, MUSTER_TYPE_REGISTRATION)

static void
muster_creator_default_init (MusterCreatorInterface *iface)
{
}

static const MusterMethod get_form_method = {
  .lane = LANE,
  .get_interface = muster_creator_get_type,
  .start = G_STRUCT_OFFSET (MusterCreatorInterface, get_form_async),
  .finish = G_STRUCT_OFFSET (MusterCreatorInterface, get_form_finish),
  .free_answer = (GDestroyNotify) g_variant_unref,
};

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

  muster_method_run (&get_form_method, self, NULL, NULL, cancellable, callback, user_data);
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
  return muster_method_end_pointer (&get_form_method, self, result, error);
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

static const MusterMethod create_method = {
  .lane = LANE,
  .get_interface = muster_creator_get_type,
  .start_with = start_create,
  .finish = G_STRUCT_OFFSET (MusterCreatorInterface, create_finish),
};

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
  muster_method_run (&create_method, self, call, create_call_free, cancellable, callback,
                     user_data);
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
  return muster_method_end (&create_method, self, result, error);
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

static const MusterMethod change_secret_method = {
  .lane = LANE,
  .get_interface = muster_creator_get_type,
  .start_with = start_change_secret,
  .finish = G_STRUCT_OFFSET (MusterCreatorInterface, change_secret_finish),
};

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
  muster_method_run (&change_secret_method, self, call, change_secret_call_free, cancellable,
                     callback, user_data);
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
  return muster_method_end (&change_secret_method, self, result, error);
}

static const MusterMethod remove_method = {
  .lane = LANE,
  .get_interface = muster_creator_get_type,
  .start = G_STRUCT_OFFSET (MusterCreatorInterface, remove_async),
  .finish = G_STRUCT_OFFSET (MusterCreatorInterface, remove_finish),
};

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

  muster_method_run (&remove_method, self, NULL, NULL, cancellable, callback, user_data);
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
  return muster_method_end (&remove_method, self, result, error);
}
