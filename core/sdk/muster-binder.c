/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-method.h"
#include "muster-registration-private.h"
#include "muster-text.h"

#include <muster/muster-binder.h>

#define LANE "binder"

#define URI_MAX_BYTES    1024
#define DEVICE_MAX_BYTES 256

G_DEFINE_INTERFACE (MusterBinder, muster_binder, MUSTER_TYPE_REGISTRATION)

G_DEFINE_BOXED_TYPE (MusterBinding, muster_binding, muster_binding_copy, muster_binding_free)

static void
muster_binder_default_init (MusterBinderInterface *iface)
{
}

/**
 * muster_binding_new:
 * @uri: what the service calls it
 *
 * Returns: (transfer full): a binding of somebody else's of which nothing more is known; set the other
 *   fields by hand
 */
MusterBinding *
muster_binding_new (const char *uri)
{
  MusterBinding *self;

  g_return_val_if_fail (uri != NULL, NULL);

  self = g_new0 (MusterBinding, 1);
  self->uri = g_strdup (uri);

  return self;
}

/**
 * muster_binding_copy:
 * @self: a binding
 *
 * Returns: (transfer full): a copy
 */
MusterBinding *
muster_binding_copy (const MusterBinding *self)
{
  MusterBinding *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  copy->uri = g_strdup (self->uri);
  copy->device = g_strdup (self->device);

  return copy;
}

/**
 * muster_binding_free:
 * @self: (transfer full) (nullable): a binding
 */
void
muster_binding_free (MusterBinding *self)
{
  if (self == NULL)
    return;

  g_free (self->uri);
  g_free (self->device);
  g_free (self);
}

/* list */

/* One whose name cannot be said back as it is could not be removed by it, either: it is left out. */
static gpointer
tame_bindings (gpointer answer)
{
  g_autoptr (GPtrArray) bindings = answer;
  GPtrArray *tame = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_binding_free);

  for (guint i = 0; i < bindings->len && tame->len < MUSTER_BINDINGS_MAX; i++) {
    const MusterBinding *binding = bindings->pdata[i];
    g_autofree char *uri = muster_text_tame (binding->uri, URI_MAX_BYTES);
    MusterBinding *copy;

    if (*uri == '\0' || !g_str_equal (uri, binding->uri)) {
      g_info ("leaving out a binding whose name is no text");
      continue;
    }

    copy = muster_binding_new (uri);
    copy->expires_s = binding->expires_s;
    copy->ours = binding->ours;
    if (binding->device != NULL)
      copy->device = muster_text_tame (binding->device, DEVICE_MAX_BYTES);
    g_ptr_array_add (tame, copy);
  }

  return tame;
}

static const MusterMethod list_method = {
  .lane = LANE,
  .get_interface = muster_binder_get_type,
  .start = G_STRUCT_OFFSET (MusterBinderInterface, list_async),
  .finish = G_STRUCT_OFFSET (MusterBinderInterface, list_finish),
  .free_answer = (GDestroyNotify) g_ptr_array_unref,
  .tame = tame_bindings,
};

/**
 * muster_binder_list_async:
 * @self: a registration
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Asks the service for all bindings of the account. Calls wait for each other.
 */
void
muster_binder_list_async (MusterBinder *self,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_return_if_fail (MUSTER_IS_BINDER (self));

  muster_method_run (&list_method, self, NULL, NULL, cancellable, callback, user_data);
}

/**
 * muster_binder_list_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: (transfer full) (element-type MusterBinding): the bindings, at most %MUSTER_BINDINGS_MAX; of
 *   a device 256 bytes are kept, and a binding whose @uri is longer than 1 kB or cannot be printed is
 *   left out
 */
GPtrArray *
muster_binder_list_finish (MusterBinder *self, GAsyncResult *result, GError **error)
{
  return muster_method_end_pointer (&list_method, self, result, error);
}

/* remove */

static void
start_remove (MusterRegistration *self,
              GTask *task,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  MUSTER_BINDER_GET_IFACE (self)->remove_async (MUSTER_BINDER (self), g_task_get_task_data (task),
                                                cancellable, callback, user_data);
}

static const MusterMethod remove_method = {
  .lane = LANE,
  .get_interface = muster_binder_get_type,
  .start_with = start_remove,
  .finish = G_STRUCT_OFFSET (MusterBinderInterface, remove_finish),
};

/**
 * muster_binder_remove_async:
 * @self: a registration
 * @uri: (nullable): of a binding, as it was listed; %NULL: of all, the own one included
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Has the service forget a binding, or all. Calls wait for each other.
 */
void
muster_binder_remove_async (MusterBinder *self,
                            const char *uri,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (MUSTER_IS_BINDER (self));

  muster_method_run (&remove_method, self, g_strdup (uri), g_free, cancellable, callback,
                     user_data);
}

/**
 * muster_binder_remove_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: it is gone
 */
gboolean
muster_binder_remove_finish (MusterBinder *self, GAsyncResult *result, GError **error)
{
  return muster_method_end (&remove_method, self, result, error);
}
