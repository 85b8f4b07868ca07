/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-contacts.h"
#include "muster-broker-private.h"
#include "store/muster-store-records.h"

#include <muster/muster-hub.h>
#include <muster/muster-publisher.h>

#include <string.h>

/*
 * Holds everything together: what accounts ask for while they live, what is told to others. What is loaded
 * at start is in muster-broker-start.c, what changes on request in muster-change.c and its users.
 */

/* what accounts ask */

static const char *
on_get_offline_reason (gpointer host, MusterAccount *account)
{
  return muster_broker_get_offline_reason (host, account);
}

static const char *
on_why_no_key (gpointer host)
{
  MusterBroker *self = host;

  return self->vault != NULL ? NULL : self->key_reason;
}

/* Takes @task. */
static void
muster_broker_open_secret (MusterBroker *self,
                           const char *account,
                           const char *name,
                           GBytes *sealed,
                           GTask *task)
{
  g_autoptr (GTask) owned = task;
  g_autoptr (GError) error = NULL;
  MusterSecret *secret;

  if (self->vault == NULL) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_SECRET,
                                                 "the stored %s cannot be opened: %s",
                                                 name + strlen (MUSTER_SEALED_SECRET),
                                                 self->key_problem));
    return;
  }

  secret = muster_vault_open (self->vault, account, name, sealed, &error);
  if (secret == NULL)
    g_task_return_error (task,
                         muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                                           "the stored %s cannot be opened: %s",
                                           name + strlen (MUSTER_SEALED_SECRET), error->message));
  else
    g_task_return_pointer (task, secret, (GDestroyNotify) muster_secret_unref);
}

static void
on_secret_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  MusterBroker *self = g_object_get_data (G_OBJECT (task), "broker");
  GCancellable *life = g_object_get_data (G_OBJECT (task), "life");
  const char *account = g_object_get_data (G_OBJECT (task), "account");
  const char *name = g_task_get_task_data (task);
  g_autoptr (GBytes) sealed = NULL;
  g_autoptr (GError) error = NULL;

  sealed = muster_store_read_sealed_finish (MUSTER_STORE (source), result, &error);
  if (g_cancellable_is_cancelled (life)) {
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the account is gone");
    return;
  }
  if (error != NULL) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_SECRET,
                                                 "the secret cannot be read: %s", error->message));
    return;
  }
  if (sealed == NULL) {
    g_task_return_error (task,
                         muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                                           "there is no %s", name + strlen (MUSTER_SEALED_SECRET)));
    return;
  }

  muster_broker_open_secret (self, account, name, sealed, g_steal_pointer (&task));
}

static void
on_load_secret (gpointer host, MusterAccount *account, const char *name, GTask *task)
{
  MusterBroker *self = host;
  const char *id = muster_account_get_id (account);
  g_autofree char *sealed_name = g_strconcat (MUSTER_SEALED_SECRET, name, NULL);
  GBytes *kept = muster_store_peek_sealed (self->store, id, sealed_name);

  if (kept != NULL) {
    muster_broker_open_secret (self, id, sealed_name, kept, task);
    return;
  }

  g_task_set_task_data (task, g_strdup (sealed_name), g_free);
  g_object_set_data (G_OBJECT (task), "broker", self);
  g_object_set_data_full (G_OBJECT (task), "life", g_object_ref (self->life), g_object_unref);
  g_object_set_data_full (G_OBJECT (task), "account", g_strdup (id), g_free);
  muster_store_read_sealed_async (self->store, id, sealed_name, g_task_get_cancellable (task),
                                  on_secret_read, task);
}

static void
on_secret_refused (gpointer host, MusterAccount *account)
{
  MusterBroker *self = host;
  const char *id = muster_account_get_id (account);
  g_autoptr (GBytes) sealed = NULL;

  if (self->vault == NULL)
    return;
  sealed = muster_vault_seal (self->vault, id, MUSTER_SEALED_REFUSED, "", 0);
  muster_store_put_sealed_later (self->store, id, MUSTER_SEALED_REFUSED, sealed);
}

static void
on_granted (MusterTicket *ticket, gpointer user_data)
{
  muster_standing_admitted (muster_account_get_standing (user_data));
}

static void
on_admit (gpointer host, MusterAccount *account)
{
  MusterBroker *self = host;

  muster_admission_request (self->admission, muster_account_get_remote_host (account),
                            muster_account_get_ticket (account), on_granted, account);
}

static void
on_release (gpointer host, MusterAccount *account, const GError *outcome)
{
  MusterBroker *self = host;
  MusterTicket *ticket = muster_account_get_ticket (account);

  if (muster_ticket_is_waiting (ticket))
    muster_admission_withdraw (self->admission, ticket);
  else
    muster_admission_release (self->admission, ticket, outcome);
}

static void
muster_broker_tell_admission (MusterBroker *self)
{
  muster_admission_set_accounts (self->admission, g_hash_table_size (self->by_id));
  muster_broker_tell_publications (self, g_hash_table_size (self->by_id));
}

static void
muster_broker_count (MusterBroker *self, MusterAccount *account, MusterAccountState state)
{
  gboolean is = muster_account_state_is_registered (state);
  MusterIdentity *identity;

  if (g_hash_table_contains (self->registered, account) == is)
    return;

  if (is)
    g_hash_table_add (self->registered, account);
  else
    g_hash_table_remove (self->registered, account);

  identity = muster_broker_get_identity (self, muster_account_get_record (account)->identity);
  if (identity == NULL)
    return;
  identity->n_registered += is ? 1 : -1;
  if (self->observer != NULL)
    self->observer->identity_changed (self->observer_data, identity);
}

void
muster_broker_keep_runtime (MusterBroker *self, MusterAccount *account)
{
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));
  MusterRuntimeRecord runtime = {
    .account = (char *) muster_account_get_id (account),
    .state = (char *) muster_account_state_to_string (view->state),
    .registered_at_us = view->registered_at_us,
    .expires_at_us = view->expires_at_us,
    .refresh_at_us = view->refresh_at_us,
    .attempt = view->attempt,
    .proof = muster_proofs_get_kept (self->proofs, account),
  };

  /* What the last run left counts until there is a key to go on with it. */
  if (view->state != MUSTER_ACCOUNT_WAITING_SECRET || !muster_account_lacks_key (account))
    muster_store_put_runtime (self->store, &runtime);
}

static void
on_standing_changed (gpointer host, MusterAccount *account)
{
  MusterBroker *self = host;
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));

  if (self->leaving != NULL || muster_account_is_leaving (account))
    muster_broker_settle (self);
  if (muster_account_is_leaving (account))
    return;

  muster_broker_count (self, account, view->state);
  muster_broker_keep_runtime (self, account);
  if (view->state == MUSTER_ACCOUNT_REGISTERED)
    muster_broker_seal_resume (self, account);
  if (self->observer != NULL)
    self->observer->standing_changed (self->observer_data, account);
  muster_broker_update_request (self, account);
}

static void
on_account_event (gpointer host,
                  MusterAccount *account,
                  const char *type,
                  GVariant *payload,
                  gboolean keep)
{
  MusterBroker *self = host;
  const char *lease = NULL;
  gboolean publication_lost;

  if (g_str_equal (type, "registration.created"))
    self->counters.opened++;
  else if (g_str_equal (type, "registration.refreshed"))
    self->counters.refreshed++;
  else if (g_str_equal (type, "registration.failed"))
    self->counters.failed++;
  else if (g_str_equal (type, "registration.lost"))
    self->counters.lost++;

  if (g_str_equal (type, "lease.lost"))
    g_variant_lookup (payload, "lease", "&s", &lease);
  publication_lost = g_strcmp0 (lease, MUSTER_PUBLISHER_LEASE) == 0;
  muster_event_bus_emit (self->events, type, muster_account_get_id (account), payload, keep);
  if (publication_lost)
    muster_broker_publication_lost (self, account);
}

static void
on_gated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (MusterAccount) account = user_data;
  g_autoptr (GError) denial = NULL;

  muster_event_gate_finish (result, &denial);
  muster_standing_gated (muster_account_get_standing (account), denial);
}

static gboolean
on_has_gate (gpointer host)
{
  MusterBroker *self = host;

  return self->gate != NULL && muster_gate_has (self->gate, "registration.created");
}

static gboolean
on_gate (gpointer host, MusterAccount *account, GVariant *payload, GCancellable *cancellable)
{
  g_autoptr (MusterEvent) event = NULL;

  if (!on_has_gate (host))
    return FALSE;

  event = muster_event_new (0, muster_clock_wall_us (), "registration.created",
                            muster_account_get_id (account), payload);
  muster_event_gate_async (event, cancellable, on_gated, muster_account_ref (account));
  return TRUE;
}

static const MusterAccountHost account_host = {
  .get_offline_reason = on_get_offline_reason,
  .why_no_key = on_why_no_key,
  .load_secret = on_load_secret,
  .load_resume = muster_broker_load_resume,
  .save_resume = muster_broker_save_resume,
  .secret_refused = on_secret_refused,
  .admit = on_admit,
  .release = on_release,
  .changed = on_standing_changed,
  .serving_changed = muster_broker_serving_changed,
  .contact_changed = muster_broker_contact_changed,
  .contact_gone = muster_broker_contact_gone,
  .offer_changed = muster_broker_offer_changed,
  .messages_waiting = muster_broker_messages_waiting,
  .event = on_account_event,
  .has_gate = on_has_gate,
  .gate = on_gate,
};

/* holding */

static int
compare_accounts (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (muster_account_get_id ((MusterAccount *) a),
                 muster_account_get_id ((MusterAccount *) b));
}

static int
compare_identities (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (((const MusterIdentity *) a)->record->id,
                 ((const MusterIdentity *) b)->record->id);
}

static void
muster_identity_free (gpointer data)
{
  MusterIdentity *identity = data;

  muster_identity_record_free (identity->record);
  g_free (identity);
}

/* Takes @record. */
MusterIdentity *
muster_broker_insert_identity (MusterBroker *self, MusterIdentityRecord *record)
{
  MusterIdentity *identity = g_new0 (MusterIdentity, 1);

  identity->record = record;
  g_sequence_insert_sorted (self->identities, identity, compare_identities, NULL);
  if (self->observer != NULL)
    self->observer->identity_added (self->observer_data, identity);

  return identity;
}

void
muster_broker_drop_identity (MusterBroker *self, MusterIdentity *identity)
{
  GSequenceIter *iter = g_sequence_lookup (self->identities, identity, compare_identities, NULL);

  g_return_if_fail (iter != NULL);

  if (self->observer != NULL)
    self->observer->identity_removed (self->observer_data, identity);
  muster_broker_forget_presence (self, identity->record->id);
  g_sequence_remove (iter);
}

/* Takes @record. */
MusterAccount *
muster_broker_insert_account (MusterBroker *self, MusterAccountRecord *record)
{
  MusterIdentity *identity = muster_broker_get_identity (self, record->identity);
  char *key = muster_broker_address_key (record->protocol, record->address);
  MusterAccount *account;
  GSequenceIter *iter;

  account = muster_account_new (record, &account_host, self);
  muster_broker_find_plugin (self, account);
  if (self->is_leaving) /* it was asked for before, and is stored: the next run begins with it */
    muster_account_pause (account);

  iter = g_sequence_insert_sorted (self->accounts, account, compare_accounts, NULL);
  g_hash_table_insert (self->by_id, (gpointer) muster_account_get_id (account), iter);
  g_hash_table_insert (self->by_address, key, account);
  muster_broker_tell_admission (self);
  if (identity != NULL) {
    identity->n_accounts++;
    if (self->observer != NULL)
      self->observer->identity_changed (self->observer_data, identity);
  }
  if (self->observer != NULL)
    self->observer->account_added (self->observer_data, account);

  return account;
}

/* Forgets an account that was removed; if it has to take something back from its service, it lives on
 * unseen until that is done. */
void
muster_broker_retire_account (MusterBroker *self, MusterAccount *account)
{
  const MusterAccountRecord *record = muster_account_get_record (account);
  MusterIdentity *identity = muster_broker_get_identity (self, record->identity);
  GSequenceIter *iter = g_hash_table_lookup (self->by_id, record->id);
  g_autofree char *key = muster_broker_address_key (record->protocol, record->address);
  gboolean was_registered = g_hash_table_remove (self->registered, account);

  g_return_if_fail (iter != NULL);

  g_ptr_array_add (self->retired, muster_account_ref (account));
  muster_broker_forget_capabilities (self, account);
  muster_broker_drop_request (self, account);
  if (self->observer != NULL)
    self->observer->account_removed (self->observer_data, account);
  if (identity != NULL) {
    identity->n_accounts--;
    identity->n_registered -= was_registered ? 1 : 0;
    if (self->observer != NULL)
      self->observer->identity_changed (self->observer_data, identity);
  }
  g_hash_table_remove (self->by_address, key);
  g_hash_table_remove (self->by_id, record->id);
  g_hash_table_remove (self->unsealed, record->id);
  g_hash_table_remove (self->key_runtime, record->id);
  g_sequence_remove (iter);
  muster_broker_tell_admission (self);

  muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_DISABLED);
  muster_broker_settle (self);
}

void
muster_broker_tell_account_changed (MusterBroker *self, MusterAccount *account)
{
  if (self->observer != NULL)
    self->observer->account_changed (self->observer_data, account);
}

/* looking up */

MusterAccount *
muster_broker_get_account (MusterBroker *self, const char *id)
{
  GSequenceIter *iter = g_hash_table_lookup (self->by_id, id);

  return iter != NULL ? g_sequence_get (iter) : NULL;
}

MusterIdentity *
muster_broker_get_identity (MusterBroker *self, const char *id)
{
  MusterIdentityRecord record = { .id = (char *) id };
  MusterIdentity key = { .record = &record };
  GSequenceIter *iter = g_sequence_lookup (self->identities, &key, compare_identities, NULL);

  return iter != NULL ? g_sequence_get (iter) : NULL;
}

GSequence *
muster_broker_get_accounts (MusterBroker *self)
{
  return self->accounts;
}

GSequence *
muster_broker_get_identities (MusterBroker *self)
{
  return self->identities;
}

MusterPluginRegistry *
muster_broker_get_registry (MusterBroker *self)
{
  return self->registry;
}

MusterStore *
muster_broker_get_store (MusterBroker *self)
{
  return self->store;
}

const char *
muster_broker_get_notice (MusterBroker *self)
{
  return self->notice != NULL ? self->notice : "";
}

const MusterBrokerCounters *
muster_broker_get_counters (MusterBroker *self)
{
  return &self->counters;
}

guint
muster_broker_count_registered (MusterBroker *self)
{
  return g_hash_table_size (self->registered);
}

/* actions of people */

gboolean
muster_broker_refresh (MusterBroker *self, MusterAccount *account, GError **error)
{
  MusterStanding *standing = muster_account_get_standing (account);
  const MusterStandingView *view = muster_standing_get_view (standing);

  if (!muster_account_state_is_registered (view->state)) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "it is not registered (%s), so there is nothing to refresh",
                 muster_account_state_to_string (view->state));
    return FALSE;
  }

  muster_standing_post (standing, MUSTER_FACT_REFRESH_ASKED);
  return TRUE;
}

gboolean
muster_broker_retry (MusterBroker *self, MusterAccount *account, GError **error)
{
  MusterStanding *standing = muster_account_get_standing (account);
  MusterAccountState state = muster_standing_get_view (standing)->state;
  const char *problem = muster_account_get_problem (account);
  const char *advice = NULL;

  if (state == MUSTER_ACCOUNT_FAILED && *problem != '\0') {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "it cannot register until its configuration is changed: %s", problem);
    return FALSE;
  }

  switch (state) {
  case MUSTER_ACCOUNT_WAITING_RETRY:
  case MUSTER_ACCOUNT_WAITING_USER:
  case MUSTER_ACCOUNT_FAILED:
  case MUSTER_ACCOUNT_REFRESHING:
    muster_standing_post (standing, MUSTER_FACT_RETRY_ASKED);
    return TRUE;
  case MUSTER_ACCOUNT_WAITING_SECRET:
    advice = muster_account_lacks_key (account)
               ? muster_broker_get_key_problem (self)
               : "give it a new secret instead: a refused one is never tried again";
    break;
  case MUSTER_ACCOUNT_WAITING_NETWORK:
    advice = "there is no network; it goes on by itself when there is";
    break;
  case MUSTER_ACCOUNT_WAITING_PLUGIN:
    advice = muster_account_get_suspended_plugin (account) != NULL
               ? "its plugin is suspended; resume that, see: muster plugin"
               : "no plugin speaks its protocol";
    break;
  case MUSTER_ACCOUNT_DISABLED:
    advice = muster_account_is_disconnected (account) ? "it is disconnected; connect it"
                                                      : "it is disabled; enable it";
    break;
  case MUSTER_ACCOUNT_REGISTERING:
  case MUSTER_ACCOUNT_REGISTERED:
  case MUSTER_ACCOUNT_UNREGISTERING:
  case MUSTER_ACCOUNT_STATE_LAST:
    advice = "nothing failed";
    break;
  }

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
               "there is nothing to retry (%s): %s", muster_account_state_to_string (state),
               advice);
  return FALSE;
}

/* life */

void
muster_broker_set_observer (MusterBroker *self, const MusterBrokerObserver *observer, gpointer data)
{
  self->observer = observer;
  self->observer_data = data;
}

void
muster_broker_set_gate (MusterBroker *self, MusterGate *gate)
{
  self->gate = gate;
}

MusterBroker *
muster_broker_new (MusterStore *store,
                   MusterVault *vault,
                   MusterPluginRegistry *registry,
                   MusterEventBus *events)
{
  MusterBroker *self = g_new0 (MusterBroker, 1);

  self->store = store;
  self->vault = vault;
  self->key_reason = "key-missing";
  self->key_problem = g_strdup ("there is no key");
  self->key_runtime = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                             (GDestroyNotify) muster_runtime_record_free);
  self->registry = registry;
  self->events = events;
  self->admission = muster_admission_new ();
  self->accounts = g_sequence_new ((GDestroyNotify) muster_account_unref);
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  self->by_address = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->identities = g_sequence_new (muster_identity_free);
  self->requests = g_sequence_new ((GDestroyNotify) muster_request_free);
  self->requests_by_account = g_hash_table_new (NULL, NULL);
  self->registered = g_hash_table_new (NULL, NULL);
  self->started_us = muster_clock_now_us ();
  self->trials = g_ptr_array_new ();
  self->retired = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_account_unref);
  muster_broker_init_offline (self);
  muster_broker_init_proofs (self);
  g_queue_init (&self->identity_changes);
  self->life = g_cancellable_new ();
  muster_broker_init_leave (self);
  muster_broker_init_resume (self);
  muster_broker_init_presence (self);
  muster_broker_init_publications (self);
  muster_broker_init_contacts (self);
  muster_broker_init_incoming (self);

  return self;
}

void
muster_broker_free (MusterBroker *self)
{
  if (self == NULL)
    return;

  self->observer = NULL;
  g_cancellable_cancel (self->life);
  g_object_unref (self->life);
  muster_timer_cancel (&self->leave_timer);
  g_clear_handle_id (&self->settle_id, g_source_remove);
  muster_broker_forget_trials (self);
  muster_broker_cancel_service_calls (self);
  muster_broker_clear_publications (self);
  muster_broker_clear_presence (self);
  muster_broker_clear_contacts (self);
  g_ptr_array_unref (self->trials);
  g_clear_pointer (&self->proofs, muster_proofs_free);
  g_ptr_array_unref (self->retired);
  g_hash_table_unref (self->by_id);
  g_hash_table_unref (self->by_address);
  g_hash_table_unref (self->registered);
  g_hash_table_unref (self->requests_by_account);
  g_sequence_free (self->requests);
  muster_broker_clear_incoming (self);
  g_sequence_free (self->accounts);
  g_clear_pointer (&self->admission, muster_admission_free);
  g_sequence_free (self->identities);
  muster_broker_clear_offline (self);
  g_queue_clear (&self->identity_changes);
  g_hash_table_unref (self->key_runtime);
  muster_broker_clear_resume (self);
  g_free (self->key_problem);
  g_free (self->notice);
  g_free (self);
}
