/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

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

static void
finish_publish (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  GError *error = NULL;
  gboolean ok = MUSTER_PUBLISHER_GET_IFACE (self)->publish_finish (MUSTER_PUBLISHER (self), result,
                                                                   &error);

  muster_lane_return_boolean (self, task, ok, error);
}

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
  muster_registration_run (MUSTER_REGISTRATION (self), LANE, muster_publisher_publish_async, call,
                           publish_call_free, cancellable, callback, user_data, start_publish,
                           finish_publish);
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
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, muster_publisher_publish_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
