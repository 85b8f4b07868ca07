/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-registration.h"

/* Takes everybody who fills in the form, and keeps nothing of it. */

static gboolean
log_and_fail (MusterRegistration *registration, const char *fact, GTask *task)
{
  return muster_echo_all_registration_log_and_fail (MUSTER_ECHO_ALL_REGISTRATION (registration),
                                                    fact, NULL, "create-error", task);
}

static void
answer_form (MusterRegistration *registration, GTask *task)
{
  GVariant *form;

  if (log_and_fail (registration, "form", task))
    return;

  form = g_variant_new_parsed (
    "[{'name': <'nick'>, 'label': <'Nick name'>, 'type': <'string'>, 'required': <true>},"
    " {'name': <'password'>, 'label': <'Password'>, 'type': <'secret'>, 'required': <false>}]");
  g_task_return_pointer (task, g_variant_ref_sink (form), (GDestroyNotify) g_variant_unref);
}

static void
muster_echo_all_get_form_async (MusterCreator *self,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  muster_echo_all_registration_answer (self, muster_echo_all_get_form_async, answer_form, NULL,
                                       NULL, cancellable, callback, user_data);
}

static GVariant *
muster_echo_all_get_form_finish (MusterCreator *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
answer_create (MusterRegistration *registration, GTask *task)
{
  const char *nick = g_task_get_task_data (task);
  g_autofree char *fact = g_strdup_printf ("create %s", nick);

  if (log_and_fail (registration, fact, task))
    return;

  if (*nick == '\0')
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_NEEDS_USER, MUSTER_STEP_REGISTER,
                                                 "the service wants a nick name"));
  else
    g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_create_async (MusterCreator *self,
                              GVariant *answers,
                              GHashTable *secrets,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  const char *nick = "";

  g_variant_lookup (answers, "nick", "&s", &nick);
  muster_echo_all_registration_answer (self, muster_echo_all_create_async, answer_create,
                                       g_strdup (nick), g_free, cancellable, callback, user_data);
}

static void
answer_change_secret (MusterRegistration *registration, GTask *task)
{
  g_autofree char *fact = g_strdup_printf ("change %s", (char *) g_task_get_task_data (task));

  if (!log_and_fail (registration, fact, task))
    g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_change_secret_async (MusterCreator *self,
                                     const char *param,
                                     MusterSecret *secret,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  muster_echo_all_registration_answer (self, muster_echo_all_change_secret_async,
                                       answer_change_secret, g_strdup (param), g_free, cancellable,
                                       callback, user_data);
}

static void
answer_remove (MusterRegistration *registration, GTask *task)
{
  if (!log_and_fail (registration, "delete", task))
    g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_delete_async (MusterCreator *self,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  muster_echo_all_registration_answer (self, muster_echo_all_delete_async, answer_remove, NULL,
                                       NULL, cancellable, callback, user_data);
}

static gboolean
muster_echo_all_creator_finish (MusterCreator *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_echo_all_creator_init (MusterCreatorInterface *iface)
{
  iface->get_form_async = muster_echo_all_get_form_async;
  iface->get_form_finish = muster_echo_all_get_form_finish;
  iface->create_async = muster_echo_all_create_async;
  iface->create_finish = muster_echo_all_creator_finish;
  iface->change_secret_async = muster_echo_all_change_secret_async;
  iface->change_secret_finish = muster_echo_all_creator_finish;
  iface->remove_async = muster_echo_all_delete_async;
  iface->remove_finish = muster_echo_all_creator_finish;
}
