/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-publisher.h"

#include "muster-sip-errand.h"
#include "muster-sip-registration-private.h"

/*
 * PUBLISH of the account's presence: when the broker says it, and whenever the side lease that hangs on what
 * the server granted is renewed. Both send whatever the publication needs.
 */

static MusterSipPublication *
get_publication (MusterSipRegistration *self)
{
  g_autofree char *device = NULL;

  if (self->publication != NULL)
    return self->publication;

  device = muster_sip_refresher_dup_device (self->refresher);
  self->publication =
    muster_sip_publication_new (muster_sip_refresher_get_presence (self->refresher), device);
  return self->publication;
}

/* the request */

static MusterSipRequest *
on_build (gpointer owner)
{
  MusterSipRegistration *self = owner;

  return muster_sip_publication_build (self->publication, muster_sip_registration_get_config (self),
                                       muster_sip_refresher_get_service_route (self->refresher));
}

static gboolean
on_overcome (gpointer owner, const MusterSipResponse *response)
{
  return muster_sip_publication_overcome (((MusterSipRegistration *) owner)->publication, response);
}

static const MusterSipErrandFuncs errand_funcs = { .build = on_build, .overcome = on_overcome };

/* Returns (transfer full) (nullable): what the server now keeps; %NULL with @error set, or if that is
 * nothing. */
static MusterLease *
take_answer (MusterSipRegistration *self, GAsyncResult *result, GError **error)
{
  g_autoptr (MusterSipResponse) response = muster_sip_errand_send_finish (result, error);
  MusterLease *lease;

  if (response == NULL)
    return NULL;

  lease = muster_sip_publication_take (self->publication, response, error);
  muster_sip_registration_save (self);
  return lease;
}

/* the side lease */

static void
on_renewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  MusterLease *lease;
  GError *error = NULL;

  lease = take_answer (MUSTER_SIP_REGISTRATION (source), result, &error);
  if (lease != NULL)
    g_task_return_pointer (task, lease, (GDestroyNotify) muster_lease_free);
  else if (error != NULL)
    g_task_return_error (task, error);
  else /* it was changed to offline under way */
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "nothing is published");
}

static void
renew_async (MusterRegistration *registration,
             const char *name,
             GCancellable *cancellable,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  GTask *task = g_task_new (registration, cancellable, callback, user_data);

  g_task_set_source_tag (task, renew_async);
  g_task_set_check_cancellable (task, FALSE);
  muster_sip_errand_send_async (MUSTER_SIP_REGISTRATION (registration), &errand_funcs, registration,
                                cancellable, on_renewed, task);
}

static MusterLease *
renew_finish (MusterRegistration *registration, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* MusterPublisher */

static guint
get_supported (MusterPublisher *publisher)
{
  if (!muster_sip_registration_wishes (MUSTER_SIP_REGISTRATION (publisher),
                                       MUSTER_SIP_WISH_PRESENCE))
    return 0;

  return 1u << MUSTER_PRESENCE_OFFLINE | 1u << MUSTER_PRESENCE_AVAILABLE |
         1u << MUSTER_PRESENCE_AWAY | 1u << MUSTER_PRESENCE_XA | 1u << MUSTER_PRESENCE_DND;
}

static void
on_published (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (MusterLease) lease = NULL;
  GError *error = NULL;

  lease = take_answer (MUSTER_SIP_REGISTRATION (source), result, &error);
  if (error != NULL) {
    g_task_return_error (task, error);
    return;
  }

  if (lease != NULL)
    muster_registration_add_lease (MUSTER_REGISTRATION (source), MUSTER_PUBLISHER_LEASE, lease,
                                   renew_async, renew_finish, NULL);
  g_task_return_boolean (task, TRUE);
}

static void
publish_async (MusterPublisher *publisher,
               MusterPresence presence,
               const char *text,
               GCancellable *cancellable,
               GAsyncReadyCallback callback,
               gpointer user_data)
{
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (publisher);
  MusterSipPublication *publication = get_publication (self);
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, publish_async);
  g_task_set_check_cancellable (task, FALSE);

  /* A renewal of what is no longer said must not come in between. */
  muster_registration_remove_lease (MUSTER_REGISTRATION (self), MUSTER_PUBLISHER_LEASE);
  muster_sip_publication_set (publication, presence, text);
  if (presence == MUSTER_PRESENCE_OFFLINE && !muster_sip_publication_is_there (publication)) {
    g_task_return_boolean (task, TRUE);
    g_object_unref (task);
    return;
  }
  muster_sip_errand_send_async (self, &errand_funcs, self, cancellable, on_published, task);
}

static gboolean
publish_finish (MusterPublisher *publisher, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_sip_publisher_init (MusterPublisherInterface *iface)
{
  iface->get_supported = get_supported;
  iface->publish_async = publish_async;
  iface->publish_finish = publish_finish;
}

/* leaving */

static void
on_left (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterLease) lease = take_answer (MUSTER_SIP_REGISTRATION (source), result, &error);

  muster_sip_registration_end_farewell (MUSTER_SIP_REGISTRATION (source));
  if (error != NULL)
    g_debug ("what was published is left to run out: %s", error->message);
}

void
muster_sip_publisher_leave (MusterSipRegistration *self)
{
  if (self->refresher == NULL || !muster_sip_publication_is_there (get_publication (self)))
    return;

  muster_sip_publication_set (self->publication, MUSTER_PRESENCE_OFFLINE, NULL);
  self->n_farewells++;
  muster_sip_errand_send_async (self, &errand_funcs, self, NULL, on_left, NULL);
}
