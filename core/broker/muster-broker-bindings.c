/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-change.h"
#include "muster-service-call.h"

#include <muster/muster-binder.h>

/*
 * What people ask of bindings, the places where a service reaches an account's devices: to see them, to
 * remove one, or all.
 *
 *    asked -> checked -> its service, for the list -+-> the answer
 *                 |                                 +-> the one to remove is there -> removed
 *                 `-> all of them -> removed -> an event, the answer
 *
 * Whose own binding is gone is not reached any more, whatever the lease says: it is lost, and registers
 * again at once. Whose own binding may be gone, because no answer came, makes sure by a refresh.
 */

#define URI_MAX_BYTES 1024

typedef struct {
  MusterServiceCall call;
  gboolean removes;
  char *uri;     /* NULL: all, or nothing is removed */
  gboolean ours; /* the own binding goes with it */
} BindingCall;

static void
binding_call_free (BindingCall *self)
{
  muster_service_call_end (&self->call);
  g_free (self->uri);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BindingCall, binding_call_free)

/* removing */

static void
binding_call_tell (BindingCall *self)
{
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  if (self->uri != NULL)
    g_variant_dict_insert (&payload, "uri", "s", self->uri);
  g_variant_dict_insert (&payload, "ours", "b", self->ours);
  muster_event_bus_emit (self->call.broker->events, "binding.removed",
                         muster_account_get_id (self->call.account), g_variant_dict_end (&payload),
                         TRUE);
}

/* No answer, one that nobody waited for, or one that makes no sense: the service may have done it, or a part
 * of it, all the same. */
static gboolean
leaves_doubt (const GError *error)
{
  return g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE) ||
         g_error_matches (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (BindingCall) self = user_data;
  MusterStanding *standing = muster_account_get_standing (self->call.account);
  GError *error = NULL;
  gboolean removed = muster_binder_remove_finish (MUSTER_BINDER (source), result, &error);

  if (self->call.broker == NULL) {
    g_clear_error (&error);
    return;
  }

  if (removed) {
    binding_call_tell (self);
    if (self->ours)
      muster_standing_forgotten (standing);
    muster_service_call_answer (&self->call, GINT_TO_POINTER (self->ours ? 2 : 1), NULL);
    return;
  }

  if (self->ours && leaves_doubt (error))
    muster_standing_post (standing, MUSTER_FACT_REFRESH_ASKED);
  muster_service_call_fail (&self->call, error);
}

static void
binding_call_remove (BindingCall *self, MusterBinder *binder)
{
  muster_binder_remove_async (binder, self->uri, self->call.cancellable, on_removed, self);
}

/* the list */

static const MusterBinding *
find_binding (GPtrArray *bindings, const char *uri)
{
  for (guint i = 0; i < bindings->len; i++) {
    const MusterBinding *binding = bindings->pdata[i];

    if (g_str_equal (binding->uri, uri))
      return binding;
  }

  return NULL;
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (BindingCall) self = user_data;
  GError *error = NULL;
  g_autoptr (GPtrArray)
    bindings = muster_binder_list_finish (MUSTER_BINDER (source), result, &error);
  const MusterBinding *binding;

  if (bindings == NULL) {
    muster_service_call_fail (&self->call, error);
    return;
  }
  if (!self->removes) {
    muster_service_call_answer (&self->call, g_steal_pointer (&bindings),
                                (GDestroyNotify) g_ptr_array_unref);
    return;
  }
  if (self->call.task == NULL) /* too late */
    return;

  binding = find_binding (bindings, self->uri);
  if (binding == NULL) {
    muster_service_call_fail (
      &self->call, g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                                "its service has no such binding; list them to see which"));
    return;
  }

  self->ours = binding->ours;
  binding_call_remove (g_steal_pointer (&self), MUSTER_BINDER (source));
}

/* asking */

static gboolean
check_account (MusterAccount *account, GError **error)
{
  const MusterProtocol *protocol = muster_account_get_protocol (account);

  if (protocol == NULL || muster_account_can (account, MUSTER_TYPE_BINDER))
    return muster_service_call_check (account, "its service cannot be asked", error);

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_UNSUPPORTED,
               "%s does not say where it reaches an account", protocol->display_name);
  return FALSE;
}

/* (transfer full) (nullable): NULL if it was refused at once */
static BindingCall *
binding_call_new (MusterBroker *broker,
                  MusterAccount *account,
                  const char *uri,
                  gpointer tag,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  GError *error = NULL;
  BindingCall *self;

  g_task_set_source_tag (task, tag);
  if ((uri != NULL && !muster_change_check_text ("uri", uri, URI_MAX_BYTES, &error)) ||
      !check_account (account, &error)) {
    g_task_return_error (task, error);
    return NULL;
  }

  self = g_new0 (BindingCall, 1);
  self->uri = g_strdup (uri);
  muster_service_call_begin (&self->call, broker, account, g_steal_pointer (&task),
                             MUSTER_SERVICE_CALL_S, MUSTER_STEP_REGISTER);

  return self;
}

void
muster_broker_list_bindings_async (MusterBroker *self,
                                   MusterAccount *account,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  BindingCall *call = binding_call_new (self, account, NULL, muster_broker_list_bindings_async,
                                        callback, user_data);

  if (call != NULL)
    muster_binder_list_async (MUSTER_BINDER (muster_account_get_serving (account)),
                              call->call.cancellable, on_listed, call);
}

GPtrArray *
muster_broker_list_bindings_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_broker_list_bindings_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
muster_broker_remove_binding_async (MusterBroker *self,
                                    MusterAccount *account,
                                    const char *uri,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  BindingCall *call = binding_call_new (self, account, uri, muster_broker_remove_binding_async,
                                        callback, user_data);
  MusterBinder *binder;

  if (call == NULL)
    return;

  binder = MUSTER_BINDER (muster_account_get_serving (account));
  call->removes = TRUE;
  call->ours = uri == NULL;
  if (uri == NULL)
    binding_call_remove (call, binder);
  else
    muster_binder_list_async (binder, call->call.cancellable, on_listed, call);
}

gboolean
muster_broker_remove_binding_finish (MusterBroker *self,
                                     GAsyncResult *result,
                                     gboolean *ours,
                                     GError **error)
{
  gpointer answer;

  g_return_val_if_fail (g_async_result_is_tagged (result, muster_broker_remove_binding_async),
                        FALSE);

  answer = g_task_propagate_pointer (G_TASK (result), error);
  if (answer == NULL)
    return FALSE;

  if (ours != NULL)
    *ours = GPOINTER_TO_INT (answer) == 2;

  return TRUE;
}
