/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-binder.h"
#include "muster-sip-incoming.h"
#include "muster-sip-operation.h"
#include "muster-sip-publisher.h"
#include "muster-sip-registration-private.h"
#include "muster-sip-verifier.h"

/*
 * An account's registration as an object: what it is made of, and what of it is kept for the time after a
 * restart. What opens and closes it is an operation, one at a time.
 */

G_DEFINE_FINAL_TYPE_WITH_CODE (
  MusterSipRegistration,
  muster_sip_registration,
  MUSTER_TYPE_REGISTRATION,
  G_IMPLEMENT_INTERFACE (MUSTER_TYPE_BINDER, muster_sip_binder_init)
    G_IMPLEMENT_INTERFACE (MUSTER_TYPE_INCOMING, muster_sip_incoming_init)
      G_IMPLEMENT_INTERFACE (MUSTER_TYPE_PUBLISHER, muster_sip_publisher_init)
        G_IMPLEMENT_INTERFACE (MUSTER_TYPE_VERIFIER, muster_sip_verifier_init)
          G_IMPLEMENT_INTERFACE (MUSTER_TYPE_WATCHER, muster_sip_watcher_init))

static void
on_need_password (gpointer user_data)
{
  muster_sip_operation_load_password (((MusterSipRegistration *) user_data)->operation);
}

void
muster_sip_registration_ensure_refresher (MusterSipRegistration *self)
{
  g_autoptr (GBytes) resume = NULL;

  if (self->refresher != NULL)
    return;
  resume = muster_registration_get_resume (MUSTER_REGISTRATION (self));
  self->refresher = muster_sip_refresher_new (resume);
  muster_sip_refresher_extend (self->refresher,
                               muster_registration_get_lease_end_us (MUSTER_REGISTRATION (self)));
  muster_sip_refresher_set_password_func (self->refresher, on_need_password, self);
  self->saved = resume != NULL;
}

void
muster_sip_registration_save (MusterSipRegistration *self)
{
  g_autoptr (GBytes) blob = self->saved ? muster_sip_refresher_dup_news (self->refresher)
                                        : muster_sip_refresher_dup_resume (self->refresher);

  if (blob == NULL)
    return;
  muster_registration_set_resume (MUSTER_REGISTRATION (self), blob);
  self->saved = TRUE;
}

static void
muster_sip_registration_open_async (MusterRegistration *registration,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  GTask *task = g_task_new (registration, cancellable, callback, user_data);

  g_task_set_source_tag (task, muster_sip_registration_open_async);
  muster_sip_operation_begin (MUSTER_SIP_REGISTRATION (registration), FALSE, task);
}

static MusterLease *
muster_sip_registration_open_finish (MusterRegistration *registration,
                                     GAsyncResult *result,
                                     GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
muster_sip_registration_close_async (MusterRegistration *registration,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  GTask *task = g_task_new (registration, cancellable, callback, user_data);

  g_task_set_source_tag (task, muster_sip_registration_close_async);
  MUSTER_SIP_REGISTRATION (registration)->is_leaving = TRUE;
  muster_sip_publisher_leave (MUSTER_SIP_REGISTRATION (registration));
  muster_sip_own_events_closed (MUSTER_SIP_REGISTRATION (registration));
  muster_sip_subscriptions_leave (MUSTER_SIP_REGISTRATION (registration)->subscriptions);
  muster_sip_operation_begin (MUSTER_SIP_REGISTRATION (registration), TRUE, task);
}

static gboolean
muster_sip_registration_close_finish (MusterRegistration *registration,
                                      GAsyncResult *result,
                                      GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
on_notify (gpointer user_data,
           const MusterSipInbound *inbound,
           MusterSipServerTransaction *transaction)
{
  MusterSipRegistration *self = user_data;

  return muster_sip_subscriptions_take_notify (self->subscriptions, inbound, transaction) ||
         muster_sip_own_events_take_unsolicited (self, inbound, transaction);
}

static void
muster_sip_registration_finalize (GObject *object)
{
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (object);

  muster_sip_registration_leave (self);
  g_clear_pointer (&self->inbox, muster_sip_inbox_free);
  g_clear_pointer (&self->heartbeat, muster_sip_heartbeat_free);
  g_clear_pointer (&self->publication, muster_sip_publication_free);
  g_clear_pointer (&self->contacts, muster_sip_contacts_free);
  g_clear_pointer (&self->own_events, muster_sip_own_events_free);
  g_clear_pointer (&self->subscriptions, muster_sip_subscriptions_free);
  g_clear_pointer (&self->refresher, muster_sip_refresher_free);
  g_clear_pointer (&self->config, muster_sip_config_unref);
  g_clear_pointer (&self->redirected, muster_sip_config_unref);
  g_clear_object (&self->good_target);
  g_clear_pointer (&self->good_hop, g_free);
  g_clear_pointer (&self->route, g_free);

  G_OBJECT_CLASS (muster_sip_registration_parent_class)->finalize (object);
}

static void
muster_sip_registration_class_init (MusterSipRegistrationClass *klass)
{
  MusterRegistrationClass *registration_class = MUSTER_REGISTRATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = muster_sip_registration_finalize;
  registration_class->open_async = muster_sip_registration_open_async;
  registration_class->open_finish = muster_sip_registration_open_finish;
  registration_class->close_async = muster_sip_registration_close_async;
  registration_class->close_finish = muster_sip_registration_close_finish;
  registration_class->dup_remote_host = muster_sip_registration_dup_remote_host;
  registration_class->get_retry_floor_s = muster_sip_registration_get_retry_floor_s;
}

static void
muster_sip_registration_init (MusterSipRegistration *self)
{
  g_queue_init (&self->errands);
  self->inbox = muster_sip_inbox_new (muster_sip_incoming_report, self);
  muster_sip_inbox_set_options_func (self->inbox, muster_sip_verifier_take_options, self);
  self->subscriptions = muster_sip_subscriptions_new (self);
  self->own_events = muster_sip_own_events_new (self);
  muster_sip_inbox_set_notify_func (self->inbox, on_notify, self);
}
