/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-method.h"

/* The plugin's functions, without arguments of their own. */
typedef void (*Start) (gpointer self,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data);
typedef gboolean (*Finish) (gpointer self, GAsyncResult *result, GError **error);
typedef gpointer (*FinishPointer) (gpointer self, GAsyncResult *result, GError **error);

static gpointer
interface_of (const MusterMethod *method, gpointer registration)
{
  return g_type_interface_peek (G_OBJECT_GET_CLASS (registration), method->get_interface ());
}

static void
start (MusterRegistration *self,
       GTask *task,
       GCancellable *cancellable,
       GAsyncReadyCallback callback,
       gpointer user_data)
{
  const MusterMethod *method = g_task_get_source_tag (task);
  Start plugin_start = G_STRUCT_MEMBER (Start, interface_of (method, self), method->start);

  plugin_start (self, cancellable, callback, user_data);
}

static void
finish (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  const MusterMethod *method = g_task_get_source_tag (task);
  Finish plugin_finish = G_STRUCT_MEMBER (Finish, interface_of (method, self), method->finish);
  GError *error = NULL;

  if (plugin_finish (self, result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, muster_sane_error (self, error));
}

static void
finish_pointer (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  const MusterMethod *method = g_task_get_source_tag (task);
  FinishPointer plugin_finish = G_STRUCT_MEMBER (FinishPointer, interface_of (method, self),
                                                 method->finish);
  GError *error = NULL;
  gpointer answer = plugin_finish (self, result, &error);

  if (answer == NULL) {
    g_task_return_error (task, muster_sane_error (self, error));
    return;
  }

  if (method->tame != NULL)
    answer = method->tame (answer);
  g_task_return_pointer (task, answer, method->free_answer);
}

void
muster_method_run (const MusterMethod *method,
                   gpointer registration,
                   gpointer data,
                   GDestroyNotify free_data,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  MusterLaneFinish finish_with = method->finish_with;

  if (finish_with == NULL)
    finish_with = method->free_answer != NULL ? finish_pointer : finish;
  muster_registration_run (registration, method->lane, (gpointer) method, data, free_data,
                           cancellable, callback, user_data,
                           method->start_with != NULL ? method->start_with : start, finish_with);
}

gboolean
muster_method_end (const MusterMethod *method,
                   gpointer registration,
                   GAsyncResult *result,
                   GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, registration), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, (gpointer) method), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

gpointer
muster_method_end_pointer (const MusterMethod *method,
                           gpointer registration,
                           GAsyncResult *result,
                           GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, registration), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, (gpointer) method), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
