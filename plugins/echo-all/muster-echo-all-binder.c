/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-log.h"
#include "muster-echo-all-registration.h"

/* Lists where the service reaches the account, and forgets it: our own binding is the account's address,
 * the others are the script's. */

gboolean
muster_echo_all_binder_add (MusterEchoAllRegistration *self, const char *uri, const char *device)
{
  MusterBinding *binding;

  if (self->devices->len >= MUSTER_ECHO_ALL_DEVICES_MAX)
    return FALSE;

  binding = muster_binding_new (uri);
  binding->expires_s = MUSTER_ECHO_ALL_DEVICE_EXPIRES_S;
  binding->device = g_strdup (device);
  g_ptr_array_add (self->devices, binding);

  return TRUE;
}

static void
answer_list (MusterRegistration *registration, GTask *task)
{
  MusterEchoAllRegistration *self = MUSTER_ECHO_ALL_REGISTRATION (registration);
  GPtrArray *bindings;

  if (muster_echo_all_registration_log_and_fail (self, "bindings", NULL, "bind-error", task))
    return;

  bindings = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_binding_free);
  if (self->is_known) {
    MusterBinding *ours = muster_binding_new (muster_registration_get_address (registration));

    ours->expires_s = muster_registration_get_uint (registration, "lease");
    ours->ours = TRUE;
    g_ptr_array_add (bindings, ours);
  }
  for (guint i = 0; i < self->devices->len; i++)
    g_ptr_array_add (bindings, muster_binding_copy (self->devices->pdata[i]));
  g_task_return_pointer (task, bindings, (GDestroyNotify) g_ptr_array_unref);
}

static void
muster_echo_all_list_async (MusterBinder *self,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  muster_echo_all_registration_answer (self, muster_echo_all_list_async, answer_list, NULL, NULL,
                                       cancellable, callback, user_data);
}

static GPtrArray *
muster_echo_all_list_finish (MusterBinder *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
forget (MusterEchoAllRegistration *self, const char *uri)
{
  if (uri == NULL ||
      g_str_equal (uri, muster_registration_get_address (MUSTER_REGISTRATION (self))))
    self->is_known = FALSE;

  for (guint i = self->devices->len; i > 0; i--) {
    const MusterBinding *device = self->devices->pdata[i - 1];

    if (uri == NULL || g_str_equal (uri, device->uri))
      g_ptr_array_remove_index (self->devices, i - 1);
  }
}

static void
answer_remove (MusterRegistration *registration, GTask *task)
{
  MusterEchoAllRegistration *self = MUSTER_ECHO_ALL_REGISTRATION (registration);
  const char *uri = g_task_get_task_data (task);
  g_autofree char *fact = uri != NULL ? g_strconcat ("unbind ", uri, NULL)
                                      : g_strdup ("unbind-all");

  if (muster_echo_all_registration_log_and_fail (self, fact, NULL, "bind-error", task))
    return;

  forget (self, uri);
  g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_unbind_async (MusterBinder *self,
                              const char *uri,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  muster_echo_all_registration_answer (self, muster_echo_all_unbind_async, answer_remove,
                                       g_strdup (uri), g_free, cancellable, callback, user_data);
}

static gboolean
muster_echo_all_unbind_finish (MusterBinder *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_echo_all_binder_init (MusterBinderInterface *iface)
{
  iface->list_async = muster_echo_all_list_async;
  iface->list_finish = muster_echo_all_list_finish;
  iface->remove_async = muster_echo_all_unbind_async;
  iface->remove_finish = muster_echo_all_unbind_finish;
}
