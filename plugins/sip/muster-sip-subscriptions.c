/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-subscriptions.h"

#include "muster-sip-errand.h"
#include "muster-sip-registration-private.h"

/*
 *    add -> side lease -> renew -> SUBSCRIBE -+-> 2xx ------------------------> the lease
 *              ^                              +-> in passing, forgotten ------> the broker asks again
 *              |                              +-> the third time ------------.
 *              |                              '-> for good -> ended          |
 *              +-- nothing granted, to be asked for later <------------------'
 *              |
 *   NOTIFY ----+-- terminated: now, later; never -> ended
 *
 * A lease that grants nothing and is to be renewed after some time is how the broker is told when to ask
 * first, or again. An ending that is no failure of the account is told to the topic and to nobody else.
 */

#define FAILURES_MAX  3 /* in a row, with nothing granted; then not for */
#define PAUSE_S       3600
#define LAPSED_S      300 /* after one ran out */
#define FAREWELLS_MAX 20  /* others run out by themselves */

#define FEW_ACCOUNTS 1000 /* with as many it is a fleet */
#define FEW_PER_S    20   /* requests to a server */
#define MANY_PER_S   500

typedef struct {
  MusterSipSubscriptions *set; /* NULL: it is not in it any more */
  const MusterSipTopic *topic;
  char *address;
  char *name; /* of the side lease */
  MusterSipSubscription *subscription;
  gboolean is_renewing;
  guint n_failures;
} Entry;

struct _MusterSipSubscriptions {
  MusterSipRegistration *registration; /* whose part we are */
  GPtrArray *entries;
  guint n_names;
};

static void
entry_clear (gpointer data)
{
  Entry *entry = data;

  muster_sip_subscription_free (entry->subscription);
  g_free (entry->address);
  g_free (entry->name);
}

static void
entry_unref (Entry *entry)
{
  g_rc_box_release_full (entry, entry_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Entry, entry_unref)

static void
entry_forget (gpointer data)
{
  Entry *entry = data;

  entry->set = NULL;
  entry_unref (entry);
}

static Entry *
find (MusterSipSubscriptions *self, const MusterSipTopic *topic, const char *address)
{
  for (guint i = 0; i < self->entries->len; i++) {
    Entry *entry = self->entries->pdata[i];

    if (entry->topic == topic && g_str_equal (entry->address, address))
      return entry;
  }
  return NULL;
}

static Entry *
find_by_name (MusterSipSubscriptions *self, const char *name)
{
  for (guint i = 0; i < self->entries->len; i++) {
    Entry *entry = self->entries->pdata[i];

    if (g_str_equal (entry->name, name))
      return entry;
  }
  return NULL;
}

/* requests */

/* %FALSE: there is none to be notified at. */
static gboolean
get_subscriber (MusterSipRegistration *registration, MusterSipSubscriber *who)
{
  MusterSipOwnBinding binding;

  who->config = muster_sip_registration_get_config (registration);
  if (who->config == NULL || !muster_sip_refresher_get_binding (registration->refresher, &binding))
    return FALSE;

  who->contact = binding.uri;
  who->service_route = muster_sip_refresher_get_service_route (registration->refresher);
  return TRUE;
}

/* An errand belongs to its registration, which is what it is a part of. */
typedef struct {
  Entry *entry;
  MusterSipRegistration *registration;
  GTask *task;             /* NULL: nobody waits for it */
  MusterSipSubscriber who; /* of the last request */
} Ask;

static void
ask_free (Ask *ask)
{
  entry_unref (ask->entry);
  g_clear_object (&ask->task);
  g_free (ask);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ask, ask_free)

/* The binding may have gone since it began: then the answer does not matter. */
static const MusterSipSubscriber *
ask_get_subscriber (Ask *ask)
{
  if (!get_subscriber (ask->registration, &ask->who))
    ask->who.contact = ask->who.config->aor;
  return &ask->who;
}

static MusterSipRequest *
on_build (gpointer owner)
{
  Ask *ask = owner;

  return muster_sip_subscription_build (ask->entry->subscription, ask_get_subscriber (ask));
}

static MusterSipRequest *
on_build_end (gpointer owner)
{
  Ask *ask = owner;

  return muster_sip_subscription_build_end (ask->entry->subscription, ask_get_subscriber (ask));
}

static gboolean
on_overcome (gpointer owner, const MusterSipResponse *response)
{
  return muster_sip_subscription_overcome (((Ask *) owner)->entry->subscription, response);
}

static const MusterSipErrandFuncs renew_funcs = { .build = on_build, .overcome = on_overcome };
static const MusterSipErrandFuncs end_funcs = { .build = on_build_end };

static void
ask_send (Entry *entry,
          MusterSipRegistration *registration,
          const MusterSipErrandFuncs *funcs,
          GTask *task,
          GAsyncReadyCallback callback)
{
  Ask *ask = g_new0 (Ask, 1);

  ask->entry = g_rc_box_acquire (entry);
  ask->registration = registration;
  ask->task = task;
  muster_sip_errand_send_async (registration, funcs, ask,
                                task != NULL ? g_task_get_cancellable (task) : NULL, callback, ask);
}

/* the side lease */

static void renew_async (MusterRegistration *registration,
                         const char *name,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data);
static MusterLease *
renew_finish (MusterRegistration *registration, GAsyncResult *result, GError **error);
static void on_lapsed (MusterRegistration *registration, const char *name, const GError *error);

/* What is granted, or nothing, and then it is to be asked for in @after_s. */
static MusterLease *
lease_new (guint lease_s, guint after_s)
{
  MusterLease *lease = muster_lease_new (lease_s, NULL);

  lease->refresh_after_s = after_s;
  return lease;
}

/* Takes @lease (nullable: to be asked for at once). What is under way is cancelled. */
static void
entry_schedule (Entry *entry, MusterLease *lease)
{
  g_autoptr (MusterLease) owned = lease;

  muster_registration_add_lease (MUSTER_REGISTRATION (entry->set->registration), entry->name, lease,
                                 renew_async, renew_finish, on_lapsed);
}

static void
entry_remove (Entry *entry)
{
  MusterSipSubscriptions *set = entry->set;

  muster_registration_remove_lease (MUSTER_REGISTRATION (set->registration), entry->name);
  g_ptr_array_remove_fast (set->entries, entry); /* forgets it */
}

/* Nobody asks again. */
static void
entry_end (Entry *entry, const GError *error, gboolean rejected)
{
  g_autoptr (Entry) held = g_rc_box_acquire (entry);
  MusterSipRegistration *registration = entry->set->registration;

  entry_remove (entry);
  entry->topic->ended (registration, entry->topic, entry->address, error, rejected);
}

/* Whether the server may say something else another time. */
static gboolean
is_in_passing (const GError *error)
{
  return error->code == MUSTER_ERROR_UNREACHABLE || error->code == MUSTER_ERROR_BUSY ||
         error->code == MUSTER_ERROR_PROTOCOL || error->code == MUSTER_ERROR_EXPIRED;
}

/* 403 and its like are about us; the others say that there is nothing to tell. */
static gboolean
is_rejection (const GError *error)
{
  switch (muster_error_get_protocol_code (error)) {
  case 403:
  case 603:
  case 607:
  case 608:
    return TRUE;
  default:
    return FALSE;
  }
}

/* Takes @error. */
static void
entry_fail (Entry *entry, GTask *task, GError *error)
{
  error = muster_sip_subscription_take_failure (entry->subscription, error);
  if (!is_in_passing (error)) {
    entry_end (entry, error, is_rejection (error));
    g_task_return_error (task, error);
    return;
  }

  entry->n_failures++;
  if (muster_sip_subscription_is_there (entry->subscription) || entry->n_failures < FAILURES_MAX) {
    g_task_return_error (task, error);
    return;
  }
  g_info ("%s: not asked for before %d s are over: %s", entry->name, PAUSE_S, error->message);
  g_error_free (error);
  g_task_return_pointer (task, lease_new (0, PAUSE_S), (GDestroyNotify) muster_lease_free);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Ask) ask = user_data;
  GError *error = NULL;
  g_autoptr (MusterSipResponse) response = muster_sip_errand_send_finish (result, &error);
  Entry *entry = ask->entry;
  MusterLease *lease = NULL;

  entry->is_renewing = FALSE;
  if (response != NULL)
    lease = muster_sip_subscription_take_response (entry->subscription, response, &error);
  if (lease != NULL) {
    entry->n_failures = 0;
    g_task_return_pointer (ask->task, lease, (GDestroyNotify) muster_lease_free);
  } else if (entry->set == NULL || error->domain != MUSTER_ERROR) {
    g_task_return_error (ask->task, error);
  } else {
    entry_fail (entry, ask->task, error);
  }
}

static void
renew_async (MusterRegistration *registration,
             const char *name,
             GCancellable *cancellable,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (registration);
  g_autoptr (GTask) task = g_task_new (registration, cancellable, callback, user_data);
  Entry *entry = find_by_name (self->subscriptions, name);
  MusterSipSubscriber who;

  g_task_set_source_tag (task, renew_async);
  g_task_set_check_cancellable (task, FALSE);
  if (entry == NULL) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "nobody wants it any more");
    return;
  }
  if (!get_subscriber (self, &who)) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER,
                                                 "the account is not registered"));
    return;
  }

  entry->is_renewing = TRUE;
  ask_send (entry, self, &renew_funcs, g_steal_pointer (&task), on_answered);
}

static MusterLease *
renew_finish (MusterRegistration *registration, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
on_lapsed (MusterRegistration *registration, const char *name, const GError *error)
{
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (registration);
  Entry *entry = find_by_name (self->subscriptions, name);

  if (entry == NULL)
    return;
  entry_schedule (entry, lease_new (0, LAPSED_S));
  if (entry->topic->lapsed != NULL)
    entry->topic->lapsed (self, entry->address);
}

/* leaving */

static void
on_farewell (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Ask) ask = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterSipResponse) response = muster_sip_errand_send_finish (result, &error);

  muster_sip_registration_end_farewell (MUSTER_SIP_REGISTRATION (source));
  if (response == NULL)
    g_debug ("%s: left to run out: %s", ask->entry->name, error->message);
}

static void
entry_bid_farewell (Entry *entry, MusterSipRegistration *registration)
{
  MusterSipSubscriber who;

  if (!muster_sip_subscription_is_there (entry->subscription) ||
      !get_subscriber (registration, &who))
    return;
  registration->n_farewells++;
  ask_send (entry, registration, &end_funcs, NULL, on_farewell);
}

/* notifications */

static void
entry_take_end (Entry *entry, const MusterSipNotice *notice)
{
  g_autoptr (GError) error = NULL;

  switch (notice->again) {
  case MUSTER_SIP_AGAIN_NOW:
    entry_schedule (entry, NULL);
    return;
  case MUSTER_SIP_AGAIN_LATER:
    entry_schedule (entry, lease_new (0, notice->after_s));
    return;
  case MUSTER_SIP_AGAIN_NEVER:
    error = muster_error_new (MUSTER_ERROR_FORBIDDEN, MUSTER_STEP_STREAM,
                              "the server has ended the subscription to %s",
                              entry->topic->package.event);
    entry_end (entry, error, notice->rejected);
    return;
  }
}

static void
entry_take_notice (Entry *entry, const MusterSipNotice *notice, const MusterSipInbound *inbound)
{
  g_autoptr (Entry) held = g_rc_box_acquire (entry);
  gboolean misses = entry->topic->notified (entry->set->registration, entry->address, notice,
                                            inbound);
  guint left_s;

  if (entry->set == NULL)
    return;
  if (notice->state == MUSTER_SIP_SUBSCRIPTION_TERMINATED) {
    entry_take_end (entry, notice);
    return;
  }
  left_s = muster_sip_subscription_get_left_s (entry->subscription);
  if (entry->is_renewing || left_s == 0)
    return; /* the answer to that says more */
  if (misses)
    entry_schedule (entry, lease_new (left_s, 1));
  else if (notice->left_s > 0)
    entry_schedule (entry, lease_new (left_s, 0));
}

gboolean
muster_sip_subscriptions_take_notify (MusterSipSubscriptions *self,
                                      const MusterSipInbound *inbound,
                                      MusterSipServerTransaction *transaction)
{
  for (guint i = 0; i < self->entries->len; i++) {
    Entry *entry = self->entries->pdata[i];
    MusterSipNotice notice;
    guint status = muster_sip_subscription_notify (entry->subscription, inbound, &notice);

    if (status == 481)
      continue;
    muster_sip_server_transaction_reply (transaction, status, NULL);
    if (status == 200 && notice.is_news)
      entry_take_notice (entry, &notice, inbound);
    return TRUE;
  }
  return FALSE;
}

/* public functions */

MusterSipSubscriptions *
muster_sip_subscriptions_new (MusterSipRegistration *registration)
{
  MusterSipSubscriptions *self = g_new0 (MusterSipSubscriptions, 1);

  self->registration = registration;
  self->entries = g_ptr_array_new_with_free_func (entry_forget);
  return self;
}

void
muster_sip_subscriptions_free (MusterSipSubscriptions *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->entries);
  g_free (self);
}

void
muster_sip_subscriptions_add (MusterSipSubscriptions *self,
                              const MusterSipTopic *topic,
                              const char *address,
                              guint delay_s)
{
  Entry *entry = find (self, topic, address);
  guint left_s;

  if (entry == NULL) {
    g_autofree char *target = g_strconcat ("sip:", address, NULL);

    entry = g_rc_box_new0 (Entry);
    entry->set = self;
    entry->topic = topic;
    entry->address = g_strdup (address);
    entry->name = g_strdup_printf ("%s/%u", topic->package.event, ++self->n_names);
    entry->subscription = muster_sip_subscription_new (&topic->package, target);
    g_ptr_array_add (self->entries, entry);
  }
  if (entry->is_renewing)
    return;

  left_s = muster_sip_subscription_get_left_s (entry->subscription);
  if (left_s > 0)
    entry_schedule (entry, lease_new (left_s, 0));
  else
    entry_schedule (entry, delay_s > 0 ? lease_new (0, delay_s) : NULL);
}

void
muster_sip_subscriptions_remove (MusterSipSubscriptions *self,
                                 const MusterSipTopic *topic,
                                 const char *address)
{
  Entry *entry = find (self, topic, address);

  if (entry == NULL)
    return;
  entry_bid_farewell (entry, self->registration);
  entry_remove (entry);
}

gboolean
muster_sip_subscriptions_has (MusterSipSubscriptions *self,
                              const MusterSipTopic *topic,
                              const char *address)
{
  return find (self, topic, address) != NULL;
}

gboolean
muster_sip_subscriptions_is_there (MusterSipSubscriptions *self,
                                   const MusterSipTopic *topic,
                                   const char *address)
{
  Entry *entry = find (self, topic, address);

  return entry != NULL && muster_sip_subscription_is_there (entry->subscription);
}

guint
muster_sip_subscriptions_count (MusterSipSubscriptions *self)
{
  return self->entries->len;
}

void
muster_sip_subscriptions_follow (MusterSipSubscriptions *self)
{
  MusterSipSubscriber who;
  guint n = 0;

  if (!get_subscriber (self->registration, &who))
    return;
  for (guint i = 0; i < self->entries->len; i++) {
    Entry *entry = self->entries->pdata[i];
    guint left_s = muster_sip_subscription_get_left_s (entry->subscription);

    if (left_s == 0 || entry->is_renewing ||
        !muster_sip_subscription_has_moved (entry->subscription, who.contact))
      continue;
    entry_schedule (entry, lease_new (left_s, 1 + n++ / FEW_PER_S));
  }
}

void
muster_sip_subscriptions_leave (MusterSipSubscriptions *self)
{
  for (guint i = 0; i < MIN (self->entries->len, FAREWELLS_MAX); i++)
    entry_bid_farewell (self->entries->pdata[i], self->registration);
  g_ptr_array_set_size (self->entries, 0);
}

guint
muster_sip_subscriptions_spread_s (guint n_accounts, guint n_requests)
{
  guint per_s = n_accounts < FEW_ACCOUNTS ? FEW_PER_S : MANY_PER_S;

  return (guint) MIN ((guint64) n_accounts * n_requests / per_s, 3600);
}
