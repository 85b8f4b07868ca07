/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-watcher.h"

#include "muster-sip-pidf.h"
#include "muster-sip-registration-private.h"
#include "muster-sip-subscriptions.h"
#include "muster-sip-watchlist.h"

#include <muster/muster-hub.h>

/*
 * Contacts over SIP: a list of our own, for there is none at the server, and a subscription to the presence of each
 * (RFC 3856). The list is read from the plugin's records once, and written to them when it changes.
 *
 *   | the server says                    | state of the contact | its presence |
 *   | nothing yet, pending               | pending              | unknown      |
 *   | active                             | watched              | as notified  |
 *   | rejected, 403, 603                 | denied               | unknown      |
 *   | anything else against it, for good | as it was            | unknown      |
 *   | it ran out                         | as it was            | unknown      |
 */

#define NAME_SPACE "watchlist"
#define SAVE_MS    1000

struct _MusterSipContacts {
  MusterSipRegistration *registration; /* whose part we are */
  MusterSipWatchlist *list;
  gboolean is_loaded;
  guint params_version; /* that they were subscribed to by */
  MusterTimer saving;
};

static gboolean on_notified (MusterSipRegistration *registration,
                             const char *address,
                             const MusterSipNotice *notice,
                             const MusterSipInbound *inbound);
static void on_ended (MusterSipRegistration *registration,
                      const MusterSipTopic *topic,
                      const char *address,
                      const GError *error,
                      gboolean rejected);
static void on_lapsed (MusterSipRegistration *self, const char *address);

static const MusterSipTopic presence_topic = {
  .package = { .event = "presence", .accept = MUSTER_SIP_PIDF_TYPE, .expires_s = 3600 },
  .notified = on_notified,
  .ended = on_ended,
  .lapsed = on_lapsed,
};

/* keeping the list */

static void
save (MusterSipContacts *self)
{
  MusterRegistration *registration = MUSTER_REGISTRATION (self->registration);
  MusterPluginContext *context = muster_registration_get_context (registration);
  const char *id = muster_registration_get_id (registration);
  g_autoptr (GBytes) blob = muster_sip_watchlist_pack (self->list);

  muster_timer_cancel (&self->saving);
  if (blob != NULL)
    muster_plugin_context_records_put_for (context, id, NAME_SPACE, id, blob, 0,
                                           MUSTER_RECORD_SEALED);
  else
    muster_plugin_context_records_delete (context, NAME_SPACE, id);
}

static void
on_save (MusterTimer *timer, gpointer user_data)
{
  save (user_data);
}

static void
save_soon (MusterSipContacts *self)
{
  if (!muster_timer_is_armed (&self->saving))
    muster_timer_arm_in_ms (&self->saving, SAVE_MS);
}

static MusterSipContacts *
get_contacts (MusterSipRegistration *registration)
{
  MusterSipContacts *self = registration->contacts;

  if (self != NULL)
    return self;

  self = registration->contacts = g_new0 (MusterSipContacts, 1);
  self->registration = registration;
  self->list = muster_sip_watchlist_new ();
  muster_timer_init (&self->saving, on_save, self);
  return self;
}

void
muster_sip_contacts_free (MusterSipContacts *self)
{
  if (self == NULL)
    return;
  if (muster_timer_is_armed (&self->saving))
    save (self);
  muster_sip_watchlist_free (self->list);
  g_free (self);
}

/* what the server says */

static void
report (MusterSipRegistration *self, const MusterContact *contact)
{
  muster_watcher_report (MUSTER_WATCHER (self), contact);
}

static void
set_state (MusterSipContacts *self, MusterContact *contact, MusterContactState state)
{
  if (contact->state == state)
    return;
  contact->state = state;
  save_soon (self);
}

static void
set_unknown (MusterContact *contact)
{
  contact->presence = MUSTER_PRESENCE_OFFLINE;
  contact->changed_at_us = 0;
  g_clear_pointer (&contact->text, g_free);
}

static void
take_presence (MusterContact *contact, const MusterSipInbound *inbound)
{
  g_autoptr (GError) error = NULL;
  MusterSipPidf pidf = { 0 };
  const char *bytes;
  gsize n_bytes;

  if (inbound->body == NULL || g_strcmp0 (inbound->content_type, MUSTER_SIP_PIDF_TYPE) != 0)
    return;
  bytes = g_bytes_get_data (inbound->body, &n_bytes);
  if (!muster_sip_pidf_read (bytes, n_bytes, &pidf, &error)) {
    g_info ("a contact's presence cannot be read, ignoring: %s", error->message);
    return;
  }

  if (contact->presence != pidf.presence || contact->changed_at_us == 0)
    contact->changed_at_us = muster_clock_wall_us ();
  if (pidf.changed_at_us != 0)
    contact->changed_at_us = pidf.changed_at_us;
  contact->presence = pidf.presence;
  g_free (contact->text);
  contact->text = g_steal_pointer (&pidf.text);
  muster_sip_pidf_clear (&pidf);
}

static gboolean
on_notified (MusterSipRegistration *registration,
             const char *address,
             const MusterSipNotice *notice,
             const MusterSipInbound *inbound)
{
  MusterSipContacts *self = get_contacts (registration);
  MusterContact *contact = muster_sip_watchlist_find (self->list, address);

  if (contact == NULL)
    return FALSE;

  switch (notice->state) {
  case MUSTER_SIP_SUBSCRIPTION_ACTIVE:
    set_state (self, contact, MUSTER_CONTACT_WATCHED);
    take_presence (contact, inbound);
    break;
  case MUSTER_SIP_SUBSCRIPTION_PENDING: /* what it may say then is made up (RFC 3856 section 6.6.2) */
    set_state (self, contact, MUSTER_CONTACT_PENDING);
    set_unknown (contact);
    break;
  case MUSTER_SIP_SUBSCRIPTION_TERMINATED:
    if (notice->again == MUSTER_SIP_AGAIN_NOW)
      return FALSE; /* it is known again in a moment */
    set_unknown (contact);
    break;
  }
  report (registration, contact);
  return FALSE;
}

static void
on_ended (MusterSipRegistration *registration,
          const MusterSipTopic *topic,
          const char *address,
          const GError *error,
          gboolean rejected)
{
  MusterSipContacts *self = get_contacts (registration);
  MusterContact *contact = muster_sip_watchlist_find (self->list, address);

  g_info ("%s: the %s of a contact is not told: %s",
          muster_registration_get_id (MUSTER_REGISTRATION (registration)), topic->package.event,
          error->message);
  if (contact == NULL)
    return;
  set_unknown (contact);
  if (rejected)
    set_state (self, contact, MUSTER_CONTACT_DENIED);
  report (registration, contact);
}

static void
on_lapsed (MusterSipRegistration *registration, const char *address)
{
  MusterContact *contact = muster_sip_watchlist_find (get_contacts (registration)->list, address);

  if (contact == NULL)
    return;
  set_unknown (contact);
  report (registration, contact);
}

void
muster_sip_watcher_set_asks (MusterSipRegistration *registration,
                             const char *uri,
                             const char *name,
                             gboolean asks)
{
  g_autofree char *address = muster_sip_watchlist_dup_address (uri);
  const MusterContact *contact;

  if (address == NULL)
    return;
  contact = muster_sip_watchlist_set_asks (get_contacts (registration)->list, address, name, asks);
  if (contact != NULL)
    report (registration, contact);
}

/* what is asked of us */

static gboolean
check_presence (MusterSipRegistration *self, GError **error)
{
  if (muster_sip_registration_wishes (self, MUSTER_SIP_WISH_PRESENCE))
    return TRUE;

  g_propagate_error (error, muster_error_new (MUSTER_ERROR_UNSUPPORTED, MUSTER_STEP_CONFIGURE,
                                              "presence is switched off for this account; the "
                                              "parameter presence switches it on"));
  return FALSE;
}

static void
subscribe_all (MusterSipContacts *self, GPtrArray *all)
{
  MusterSipSubscriptions *subscriptions = self->registration->subscriptions;
  guint n_accounts = muster_sip_context_count_receivers (MUSTER_SIP_CONTEXT (
    muster_registration_get_context (MUSTER_REGISTRATION (self->registration))));
  guint spread_s = muster_sip_subscriptions_spread_s (n_accounts, all->len);

  for (guint i = 0; i < all->len; i++) {
    const MusterContact *contact = all->pdata[i];

    if (contact->state != MUSTER_CONTACT_NONE)
      muster_sip_subscriptions_add (subscriptions, &presence_topic, contact->address,
                                    n_accounts > 1
                                      ? (guint) g_random_int_range (0, (gint32) spread_s + 1)
                                      : i * spread_s / all->len);
  }
}

static void
unsubscribe_all (MusterSipContacts *self, GPtrArray *all)
{
  for (guint i = 0; i < all->len; i++) {
    MusterContact *contact = all->pdata[i];

    muster_sip_subscriptions_remove (self->registration->subscriptions, &presence_topic,
                                     contact->address);
    contact = muster_sip_watchlist_find (self->list, contact->address);
    set_unknown (contact);
    report (self->registration, contact);
  }
}

void
muster_sip_watcher_opened (MusterSipRegistration *registration)
{
  MusterSipContacts *self = registration->contacts;
  guint version = muster_registration_get_params_version (MUSTER_REGISTRATION (registration));
  g_autoptr (GPtrArray) all = NULL;

  if (self == NULL || !self->is_loaded || self->params_version == version)
    return;

  self->params_version = version;
  all = muster_sip_watchlist_dup_all (self->list);
  if (check_presence (registration, NULL))
    subscribe_all (self, all);
  else
    unsubscribe_all (self, all);
}

static void
load_done (MusterSipContacts *self, GTask *task)
{
  GPtrArray *all = muster_sip_watchlist_dup_all (self->list);

  self->params_version = muster_registration_get_params_version (
    MUSTER_REGISTRATION (self->registration));
  subscribe_all (self, all);
  g_task_return_pointer (task, all, (GDestroyNotify) g_ptr_array_unref);
}

static void
on_record (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  MusterSipContacts *self = get_contacts (g_task_get_source_object (task));
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterRecord) record = NULL;

  record = muster_plugin_context_records_get_finish (MUSTER_PLUGIN_CONTEXT (source), result,
                                                     &error);
  if (error != NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }

  self->is_loaded = TRUE;
  if (record != NULL && !muster_sip_watchlist_unpack (self->list, record->blob))
    g_warning ("the list of watched contacts cannot be read, ignoring");
  if (record != NULL && record->expires_at_us != 0) /* of a time when it was not told of removals */
    save_soon (self);
  load_done (self, task);
}

static gboolean
follows (MusterWatcher *watcher)
{
  return muster_sip_registration_wishes (MUSTER_SIP_REGISTRATION (watcher),
                                         MUSTER_SIP_WISH_PRESENCE);
}

static void
load_async (MusterWatcher *watcher,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  MusterSipContacts *self = get_contacts (MUSTER_SIP_REGISTRATION (watcher));
  MusterRegistration *registration = MUSTER_REGISTRATION (watcher);
  g_autoptr (GTask) task = g_task_new (watcher, cancellable, callback, user_data);

  g_task_set_source_tag (task, load_async);
  if (!check_presence (self->registration, NULL))
    g_task_return_pointer (task,
                           g_ptr_array_new_with_free_func ((GDestroyNotify) muster_contact_free),
                           (GDestroyNotify) g_ptr_array_unref);
  else if (self->is_loaded)
    load_done (self, task);
  else
    muster_plugin_context_records_get_async (muster_registration_get_context (registration),
                                             NAME_SPACE, muster_registration_get_id (registration),
                                             cancellable, on_record, g_steal_pointer (&task));
}

static GPtrArray *
load_finish (MusterWatcher *watcher, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* (transfer full) (nullable): as we know contacts */
static char *
check_address (const char *text, GError **error)
{
  char *address = muster_sip_watchlist_dup_address (text);

  if (address == NULL)
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                                "the address is not of the form user@example.org"));
  return address;
}

/* Else what is kept would be written over. */
static gboolean
check_loaded (MusterSipContacts *self, GError **error)
{
  if (self->is_loaded)
    return TRUE;

  g_propagate_error (error, muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_CONFIGURE,
                                              "the list of contacts could not be read so far"));
  return FALSE;
}

static gboolean
watch (MusterSipContacts *self, const char *text, const char *name, GError **error)
{
  g_autofree char *address = check_address (text, error);

  if (address == NULL || !check_presence (self->registration, error) ||
      !check_loaded (self, error) ||
      muster_sip_watchlist_watch (self->list, address, name, error) == NULL)
    return FALSE;

  save (self);
  muster_sip_subscriptions_add (self->registration->subscriptions, &presence_topic, address, 0);
  return TRUE;
}

static void
add_async (MusterWatcher *watcher,
           const char *address,
           const char *name,
           GCancellable *cancellable,
           GAsyncReadyCallback callback,
           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (watcher, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, add_async);
  if (watch (get_contacts (MUSTER_SIP_REGISTRATION (watcher)), address, name, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
unwatch (MusterSipContacts *self, const char *text, GError **error)
{
  g_autofree char *address = check_address (text, error);

  if (address == NULL || !check_loaded (self, error))
    return FALSE;
  if (muster_sip_watchlist_unwatch (self->list, address)) {
    save (self);
    muster_sip_subscriptions_remove (self->registration->subscriptions, &presence_topic, address);
  }
  return TRUE;
}

static void
remove_async (MusterWatcher *watcher,
              const char *address,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (watcher, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, remove_async);
  if (unwatch (get_contacts (MUSTER_SIP_REGISTRATION (watcher)), address, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
authorise_async (MusterWatcher *watcher,
                 const char *address,
                 gboolean allow,
                 GCancellable *cancellable,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (watcher, cancellable, callback, user_data);

  g_task_set_source_tag (task, authorise_async);
  g_task_return_error (task,
                       muster_error_new (MUSTER_ERROR_UNSUPPORTED, MUSTER_STEP_STREAM,
                                         "SIP has no message for this: whom the provider lets see "
                                         "this account is set on the provider's own pages"));
}

static gboolean
finish_boolean (MusterWatcher *watcher, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_sip_watcher_init (MusterWatcherInterface *iface)
{
  iface->load_async = load_async;
  iface->load_finish = load_finish;
  iface->add_async = add_async;
  iface->add_finish = finish_boolean;
  iface->remove_async = remove_async;
  iface->remove_finish = finish_boolean;
  iface->authorise_async = authorise_async;
  iface->authorise_finish = finish_boolean;
  iface->follows = follows;
}
