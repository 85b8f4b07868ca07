/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-method.h"
#include "muster-registration-private.h"

#include <muster/muster-publisher.h>

#define LANE "publisher"

G_DEFINE_INTERFACE (MusterPublisher, muster_publisher, MUSTER_TYPE_REGISTRATION)

static void
muster_publisher_default_init (MusterPublisherInterface *iface)
{
}

/**
 * muster_publisher_get_supported:
 * @self: a registration
 *
 * Returns: which presences its service can say: bit n is the #MusterPresence n
 */
guint
muster_publisher_get_supported (MusterPublisher *self)
{
  g_return_val_if_fail (MUSTER_IS_PUBLISHER (self), 0);

  return MUSTER_PUBLISHER_GET_IFACE (self)->get_supported (self);
}

typedef struct {
  MusterPresence presence;
  char *text;
} PublishCall;

static void
publish_call_free (gpointer data)
{
  PublishCall *call = data;

  g_free (call->text);
  g_free (call);
}

static void
start_publish (MusterRegistration *self,
               GTask *task,
               GCancellable *cancellable,
               GAsyncReadyCallback callback,
               gpointer user_data)
{
  const PublishCall *call = g_task_get_task_data (task);

  MUSTER_PUBLISHER_GET_IFACE (self)->publish_async (MUSTER_PUBLISHER (self), call->presence,
                                                    call->text, cancellable, callback, user_data);
}

static const MusterMethod publish_method = {
  .lane = LANE,
  .get_interface = muster_publisher_get_type,
  .start_with = start_publish,
  .finish = G_STRUCT_OFFSET (MusterPublisherInterface, publish_finish),
};

/**
 * muster_publisher_publish_async:
 * @self: a registration
 * @presence: what to say; one that is supported
 * @text: (nullable): what to say with it
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Tells the service a presence. Calls wait for each other.
 */
void
muster_publisher_publish_async (MusterPublisher *self,
                                MusterPresence presence,
                                const char *text,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  PublishCall *call;

  g_return_if_fail (MUSTER_IS_PUBLISHER (self));
  g_return_if_fail (presence < MUSTER_PRESENCE_LAST);

  call = g_new0 (PublishCall, 1);
  call->presence = presence;
  call->text = g_strdup (text);
  muster_method_run (&publish_method, self, call, publish_call_free, cancellable, callback,
                     user_data);
}

/**
 * muster_publisher_publish_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: the service has it
 */
gboolean
muster_publisher_publish_finish (MusterPublisher *self, GAsyncResult *result, GError **error)
{
  return muster_method_end (&publish_method, self, result, error);
}
