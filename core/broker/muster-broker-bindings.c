/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"
#include "muster-change.h"

#include <muster/muster-binder.h>

#include <string.h>

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
#define ANSWER_MS     (20 * 1000) /* less than callers on the bus wait */

typedef struct {
  MusterBroker *broker; /* NULL: it is gone */
  MusterAccount *account;
  gboolean removes;
  char *uri;     /* NULL: all, or nothing is removed */
  gboolean ours; /* the own binding goes with it */
  GCancellable *cancellable;
  MusterTimer deadline;
  GTask *task; /* NULL: it has been answered */
  GList link;  /* in the broker's, until the plugin has ended it */
} BindingCall;

/* the end */

static void
binding_call_answer (BindingCall *call, gpointer answer, GDestroyNotify free_answer)
{
  g_autoptr (GTask) task = g_steal_pointer (&call->task);

  muster_timer_cancel (&call->deadline);
  g_task_return_pointer (task, answer, free_answer);
}

/* Takes @error. */
static void
binding_call_fail (BindingCall *call, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&call->task);

  muster_timer_cancel (&call->deadline);
  g_task_return_error (task, error);
}

static void
binding_call_free (BindingCall *call)
{
  if (call->broker != NULL)
    g_queue_unlink (&call->broker->binding_calls, &call->link);
  muster_account_unref (call->account);
  g_free (call->uri);
  g_object_unref (call->cancellable);
  g_free (call);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BindingCall, binding_call_free)

/* Takes @failure of a plugin. Who was answered already hears nothing. */
static void
binding_call_take_failure (BindingCall *call, GError *failure)
{
  g_autoptr (GError) error = failure;

  if (call->task == NULL)
    return;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    binding_call_fail (call, g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                                          "the account went off before its service answered"));
  else if (error->domain != MUSTER_ERROR)
    binding_call_fail (call, g_error_new_literal (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED,
                                                  error->message));
  else
    binding_call_fail (call, g_steal_pointer (&error));
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  BindingCall *call = user_data;
  g_autoptr (GCancellable) cancellable = g_object_ref (call->cancellable);

  binding_call_fail (call,
                     muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER,
                                       "the service did not answer within %d s", ANSWER_MS / 1000));
  g_cancellable_cancel (cancellable); /* which may end the call */
}

void
muster_broker_cancel_binding_calls (MusterBroker *self)
{
  while (self->binding_calls.head != NULL) {
    BindingCall *call = self->binding_calls.head->data;
    g_autoptr (GCancellable) cancellable = g_object_ref (call->cancellable);

    g_queue_unlink (&self->binding_calls, &call->link);
    call->broker = NULL;
    if (call->task != NULL)
      binding_call_fail (call, g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED,
                                            "the daemon ends"));
    g_cancellable_cancel (cancellable);
  }
}

/* removing */

static void
binding_call_tell (BindingCall *call)
{
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  if (call->uri != NULL)
    g_variant_dict_insert (&payload, "uri", "s", call->uri);
  g_variant_dict_insert (&payload, "ours", "b", call->ours);
  muster_event_bus_emit (call->broker->events, "binding.removed",
                         muster_account_get_id (call->account), g_variant_dict_end (&payload),
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
  g_autoptr (BindingCall) call = user_data;
  GError *error = NULL;
  gboolean removed = muster_binder_remove_finish (MUSTER_BINDER (source), result, &error);

  if (call->broker == NULL) {
    g_clear_error (&error);
    return;
  }

  if (removed) {
    binding_call_tell (call);
    if (call->ours)
      muster_standing_forgotten (muster_account_get_standing (call->account));
    if (call->task != NULL)
      binding_call_answer (call, GINT_TO_POINTER (call->ours ? 2 : 1), NULL);
    return;
  }

  if (call->ours && leaves_doubt (error))
    muster_standing_post (muster_account_get_standing (call->account), MUSTER_FACT_REFRESH_ASKED);
  binding_call_take_failure (call, error);
}

static void
binding_call_remove (BindingCall *call, MusterBinder *binder)
{
  muster_binder_remove_async (binder, call->uri, call->cancellable, on_removed, call);
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
  g_autoptr (BindingCall) call = user_data;
  GError *error = NULL;
  g_autoptr (GPtrArray)
    bindings = muster_binder_list_finish (MUSTER_BINDER (source), result, &error);
  const MusterBinding *binding;

  if (bindings == NULL) {
    binding_call_take_failure (call, error);
    return;
  }
  if (call->task == NULL) /* too late */
    return;
  if (!call->removes) {
    binding_call_answer (call, g_steal_pointer (&bindings), (GDestroyNotify) g_ptr_array_unref);
    return;
  }

  binding = find_binding (bindings, call->uri);
  if (binding == NULL) {
    binding_call_fail (call,
                       g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                                    "its service has no such binding; list them to see which"));
    return;
  }

  call->ours = binding->ours;
  binding_call_remove (g_steal_pointer (&call), MUSTER_BINDER (source));
}

/* asking */

static gboolean
check_uri (const char *uri, GError **error)
{
  if (*uri == '\0')
    return muster_change_invalid (error, "uri is empty");
  if (strlen (uri) > URI_MAX_BYTES)
    return muster_change_invalid (error, "uri is longer than %d bytes", URI_MAX_BYTES);

  for (const char *p = uri; *p != '\0'; p = g_utf8_next_char (p)) {
    if (!g_unichar_isprint (g_utf8_get_char (p)))
      return muster_change_invalid (error, "uri holds control characters");
  }

  return TRUE;
}

static gboolean
check_account (MusterAccount *account, GError **error)
{
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));
  const MusterProtocol *protocol = muster_account_get_protocol (account);

  if (protocol != NULL && !muster_account_can (account, MUSTER_TYPE_BINDER)) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_UNSUPPORTED,
                 "%s does not say where it reaches an account", protocol->display_name);
    return FALSE;
  }
  if (muster_account_get_serving (account) == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "it is not registered (%s), so its service cannot be asked",
                 muster_account_state_to_string (view->state));
    return FALSE;
  }

  return TRUE;
}

/* (transfer full) (nullable): NULL if it was refused at once */
static BindingCall *
binding_call_new (MusterBroker *self,
                  MusterAccount *account,
                  const char *uri,
                  gpointer tag,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  GError *error = NULL;
  BindingCall *call;

  g_task_set_source_tag (task, tag);
  if ((uri != NULL && !check_uri (uri, &error)) || !check_account (account, &error)) {
    g_task_return_error (task, error);
    return NULL;
  }

  call = g_new0 (BindingCall, 1);
  call->broker = self;
  call->account = muster_account_ref (account);
  call->uri = g_strdup (uri);
  call->cancellable = g_cancellable_new ();
  call->task = g_steal_pointer (&task);
  call->link.data = call;
  g_queue_push_tail_link (&self->binding_calls, &call->link);
  muster_timer_init (&call->deadline, on_deadline, call);
  muster_timer_arm_in_ms (&call->deadline, ANSWER_MS);

  return call;
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
                              call->cancellable, on_listed, call);
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
    muster_binder_list_async (binder, call->cancellable, on_listed, call);
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
