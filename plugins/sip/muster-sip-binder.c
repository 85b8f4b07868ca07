/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-binder.h"

#include "muster-sip-errand.h"
#include "muster-sip-registration-private.h"

#include <string.h>

/*
 * A REGISTER that is not about our own contact (RFC 3261 section 10.2):
 *
 *   | asked for  | Contact                | Expires |
 *   | a list     | none                   | none    |
 *   | remove one | its URI with expires=0 | none    |
 *   | remove all | *                      | 0       |
 *
 * Each is answered with what the server has then, so a removal that it only says yes to is found out. It is
 * the next one of the registration's own Call-ID, by which the server puts them in order. A removal that
 * was sent and not answered leaves it open what the server has.
 */

#define MAX_URI_BYTES 1024

typedef enum {
  CALL_LIST,
  CALL_REMOVE,
  CALL_REMOVE_ALL,
} CallKind;

typedef struct {
  MusterSipRegistration *self; /* held by the task */
  GTask *task;
  CallKind kind;
  char *uri;     /* to remove; or NULL */
  gboolean sent; /* the server may have it */
} Call;

static void
call_free (Call *call)
{
  g_object_unref (call->task);
  g_free (call->uri);
  g_free (call);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

/* The user part of one of our contacts is our token, whatever became of the rest of it. */
static gboolean
names_us (MusterSipRegistration *self, const char *uri)
{
  const char *token = muster_sip_refresher_get_token (self->refresher);
  const char *user = strchr (uri, ':');

  return user != NULL && g_str_has_prefix (user + 1, token) && user[1 + strlen (token)] == '@';
}

static gboolean
takes_us_away (Call *call)
{
  return call->kind == CALL_REMOVE_ALL ||
         (call->kind == CALL_REMOVE && names_us (call->self, call->uri));
}

/* the request */

static MusterSipRequest *
on_build (gpointer owner)
{
  Call *call = owner;
  MusterSipRegistration *self = call->self;
  MusterSipRequest *request;

  request = muster_sip_refresher_build_bare (self->refresher,
                                             muster_sip_registration_get_config (self));
  call->sent = TRUE;
  switch (call->kind) {
  case CALL_LIST:
    break;
  case CALL_REMOVE:
    request->contact = g_strdup_printf ("<%s>;expires=0", call->uri);
    break;
  case CALL_REMOVE_ALL:
    request->contact = g_strdup ("*");
    request->expires_s = 0;
    break;
  }
  return request;
}

static void
on_settle (gpointer owner, const MusterSipResponse *response, const GError *error)
{
  Call *call = owner;
  MusterSipRegistration *self = call->self;

  if (takes_us_away (call) && error == NULL)
    muster_sip_refresher_forget_bindings (self->refresher);
  else if (takes_us_away (call) && call->sent && response == NULL)
    muster_sip_refresher_doubt_bindings (self->refresher);
  if (call->sent)
    muster_sip_registration_save (self);
}

static const MusterSipErrandFuncs errand_funcs = {
  .is_register = TRUE,
  .build = on_build,
  .settle = on_settle,
};

/* the answer */

static gboolean
is_there (const MusterSipResponse *response, const char *uri)
{
  for (guint i = 0; i < response->contacts->len; i++) {
    const MusterSipContact *contact = g_ptr_array_index (response->contacts, i);

    if (contact->expires_s != 0 && (uri == NULL || g_str_equal (contact->uri, uri)))
      return TRUE;
  }
  return FALSE;
}

static gboolean
has_our_instance (MusterSipRegistration *self, const MusterSipContact *contact)
{
  const char *instance = muster_sip_refresher_get_instance (self->refresher);

  return contact->instance != NULL && strstr (contact->instance, instance) != NULL;
}

/* `<urn:uuid:...>` without its brackets */
static char *
dup_device (const MusterSipContact *contact)
{
  gsize length = contact->instance != NULL ? strlen (contact->instance) : 0;

  if (length < 3 || contact->instance[0] != '<' || contact->instance[length - 1] != '>')
    return g_strdup (contact->instance);
  return g_strndup (contact->instance + 1, length - 2);
}

static GPtrArray *
read_bindings (MusterSipRegistration *self, const MusterSipResponse *response)
{
  GPtrArray *bindings = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_binding_free);

  for (guint i = 0; i < response->contacts->len; i++) {
    const MusterSipContact *contact = g_ptr_array_index (response->contacts, i);
    MusterBinding *binding;

    if (contact->expires_s == 0)
      continue;
    binding = muster_binding_new (contact->uri);
    binding->expires_s = (guint) MAX (contact->expires_s, 0);
    binding->device = dup_device (contact);
    binding->ours = names_us (self, contact->uri) || has_our_instance (self, contact);
    g_ptr_array_add (bindings, binding);
  }
  return bindings;
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  GError *error = NULL;
  g_autoptr (MusterSipResponse) response = muster_sip_errand_send_finish (result, &error);

  if (response == NULL)
    g_task_return_error (call->task, error);
  else if (call->kind == CALL_LIST)
    g_task_return_pointer (call->task, read_bindings (call->self, response),
                           (GDestroyNotify) g_ptr_array_unref);
  else if (is_there (response, call->uri))
    g_task_return_error (call->task, muster_error_new (MUSTER_ERROR_PROTOCOL, MUSTER_STEP_REGISTER,
                                                       "the server said yes, and has %s still",
                                                       call->uri != NULL ? "it" : "some of them"));
  else
    g_task_return_boolean (call->task, TRUE);
}

/* Takes @uri. */
static void
begin (MusterBinder *binder,
       CallKind kind,
       char *uri,
       gpointer tag,
       GCancellable *cancellable,
       GAsyncReadyCallback callback,
       gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  call->self = MUSTER_SIP_REGISTRATION (binder);
  call->task = g_task_new (binder, cancellable, callback, user_data);
  call->kind = kind;
  call->uri = uri;
  g_task_set_source_tag (call->task, tag);
  g_task_set_check_cancellable (call->task, FALSE);

  if (uri != NULL && (strlen (uri) > MAX_URI_BYTES || !muster_sip_text_is_clean (uri) ||
                      strpbrk (uri, "<>\" ") != NULL || strchr (uri, ':') == NULL)) {
    g_task_return_error (call->task, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                                       "that is not the URI of a contact"));
    call_free (call);
    return;
  }
  muster_sip_errand_send_async (call->self, &errand_funcs, call, cancellable, on_answered, call);
}

/* MusterBinder */

static void
list_async (MusterBinder *binder,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  begin (binder, CALL_LIST, NULL, list_async, cancellable, callback, user_data);
}

static GPtrArray *
list_finish (MusterBinder *binder, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
remove_async (MusterBinder *binder,
              const char *uri,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  begin (binder, uri != NULL ? CALL_REMOVE : CALL_REMOVE_ALL, g_strdup (uri), remove_async,
         cancellable, callback, user_data);
}

static gboolean
remove_finish (MusterBinder *binder, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_sip_binder_init (MusterBinderInterface *iface)
{
  iface->list_async = list_async;
  iface->list_finish = list_finish;
  iface->remove_async = remove_async;
  iface->remove_finish = remove_finish;
}
