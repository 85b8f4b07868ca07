/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-registration-private.h"

/* Secrets: what a plugin asks of whoever keeps them, and how it sees without asking that they changed. */

/**
 * muster_registration_get_secret_version:
 * @self: a registration
 * @param: the name of a secret parameter
 *
 * Whatever was made of the secret, a sum or a key, is good as long as this stays the same, also after a
 * restart. Who keeps this beside it does not need the secret again before the service asks for what
 * cannot be made of it. It says nothing of whether the secret can be loaded now.
 *
 * Returns: a number that is another one once the secret has been set anew; 0 if there is none, or
 *   nobody can say: then only the secret itself tells
 */
guint
muster_registration_get_secret_version (MusterRegistration *self, const char *param)
{
  const MusterRegistrationHost *host;
  gpointer host_data;
  guint64 outer;
  guint version;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), 0);

  host = muster_registration_get_host (self, &host_data);
  if (host == NULL || host->get_secret_version == NULL)
    return 0;
  outer = muster_execution_mark (NULL);
  version = host->get_secret_version (host_data, param);
  muster_execution_unmark (outer);

  return version;
}

/**
 * muster_registration_load_secret_async:
 * @self: a registration
 * @param: the name of a secret parameter
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is there
 * @user_data: for @callback
 *
 * Fetches a secret from where secrets are. Do it when it is needed and let go of it soon.
 */
void
muster_registration_load_secret_async (MusterRegistration *self,
                                       const char *param,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  const MusterRegistrationHost *host;
  gpointer host_data;
  GTask *task;

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));

  host = muster_registration_get_host (self, &host_data);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, muster_registration_load_secret_async);

  if (host != NULL) {
    guint64 outer = muster_execution_mark (NULL);

    host->load_secret (host_data, param, task);
    muster_execution_unmark (outer);
    return;
  }

  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the account is gone");
  g_object_unref (task);
}

/**
 * muster_registration_load_secret_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR_REFUSED (step secret) if there is no such secret;
 *   return it from `open` as it is
 *
 * Returns: (transfer full): the secret
 */
MusterSecret *
muster_registration_load_secret_finish (MusterRegistration *self,
                                        GAsyncResult *result,
                                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
