/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-change.h"
#include "muster-param-private.h"

#include <muster/muster-hub.h>

/* Accounts are added, switched on and off, and removed. */

#define ID_CHARACTERS 12

char *
muster_broker_new_id (MusterBroker *self, char prefix)
{
  static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  char id[ID_CHARACTERS + 2] = { prefix };

  for (guint i = 1; i <= ID_CHARACTERS; i++)
    id[i] = alphabet[g_random_int () % 32];

  return g_strdup (id);
}

char *
muster_broker_address_key (const char *protocol, const char *address)
{
  g_autofree char *folded = g_utf8_casefold (address, -1);

  return g_strconcat (protocol, " ", folded, NULL);
}

/* Who it was, for readers to whom its object is not there yet, or no more. */
static GVariant *
describe (const MusterAccountRecord *record)
{
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "address", "s", record->address);
  g_variant_dict_insert (&payload, "protocol", "s", record->protocol);

  return g_variant_dict_end (&payload);
}

/* adding an account */

static const MusterKind *
find_kind (MusterBroker *self, const char *id, MusterModule **out_module, GError **error)
{
  MusterModule *module = NULL;
  const MusterKind *kind = muster_plugin_registry_find_protocol (self->registry, id, &module);
  g_autoptr (GError) local = NULL;

  if (kind == NULL) {
    g_autofree char *quoted = muster_broker_quote (id);

    muster_change_invalid (error, "no plugin speaks protocol %s", quoted);
    return NULL;
  }
  if (!muster_module_start (module, &local)) {
    muster_change_invalid (error, "the plugin of protocol \"%s\" does not work: %s", id,
                           local->message);
    return NULL;
  }

  *out_module = module;
  return kind;
}

static gboolean
fail_missing (const MusterParam *param, GError **error)
{
  g_autofree char *clause = muster_param_dup_clause (param);

  if (clause == NULL)
    return muster_change_invalid (error, "%s is needed", param->name);

  return muster_change_invalid (error, "%s is needed; it is %s", param->name, clause);
}

static gboolean
check_new_params (const MusterProtocol *protocol, GVariant *params, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, params);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    if (!muster_change_check_param (protocol, name, value, error)) {
      g_variant_unref (value);
      return FALSE;
    }
  }

  for (guint i = 0; i < protocol->n_params; i++) {
    const MusterParam *param = &protocol->params[i];
    g_autoptr (GVariant) set = NULL;

    if ((param->flags & MUSTER_PARAM_REQUIRED) == 0 || (param->flags & MUSTER_PARAM_SECRET) != 0 ||
        param->default_value != NULL)
      continue;
    set = g_variant_lookup_value (params, param->name, NULL);
    if (set == NULL)
      return fail_missing (param, error);
  }

  return TRUE;
}

static gboolean
check_new_secrets (const MusterProtocol *protocol, GHashTable *secrets, GError **error)
{
  GHashTableIter iter;
  gpointer name, secret;

  g_hash_table_iter_init (&iter, secrets);
  while (g_hash_table_iter_next (&iter, &name, &secret)) {
    if (!muster_change_check_secret (protocol, name, secret, error))
      return FALSE;
  }

  return TRUE;
}

gboolean
muster_broker_check_new_account (MusterBroker *self,
                                 const char *protocol,
                                 const char *address,
                                 GVariant *params,
                                 GHashTable *secrets,
                                 MusterNewAccount *found,
                                 GError **error)
{
  g_autoptr (GError) local = NULL;

  found->kind = find_kind (self, protocol, &found->module, error);
  if (found->kind == NULL)
    return FALSE;

  found->address = muster_broker_trim_address (found->kind->protocol, address);
  if (!muster_protocol_check_address (found->kind->protocol, found->address, &local))
    return muster_change_invalid (error, "%s", local->message);

  return check_new_params (found->kind->protocol, params, error) &&
         check_new_secrets (found->kind->protocol, secrets, error);
}

/* Counts those that are there to stay; @one is one of them. */
static guint
count_identities (MusterBroker *self, MusterIdentity **one)
{
  guint n = 0;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->identities);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterIdentity *identity = g_sequence_get (iter);

    if (identity->leaving)
      continue;
    *one = identity;
    n++;
  }

  return n;
}

/* The one there is; else one to be made, called as the user is. */
static gboolean
choose_identity (MusterChange *change, const char *asked, GError **error)
{
  MusterBroker *self = change->broker;
  const char *name = g_get_real_name ();
  guint n_identities;

  if (asked != NULL) {
    change->identity = muster_broker_get_identity (self, asked);
    if (change->identity == NULL || change->identity->leaving) {
      change->identity = NULL;
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                   "there is no identity %s", asked);
      return FALSE;
    }
    return TRUE;
  }

  n_identities = count_identities (self, &change->identity);
  if (n_identities > 1)
    return muster_change_invalid (error, "there are several identities: say which (identity)");
  if (n_identities == 1)
    return TRUE;

  if (name == NULL || *name == '\0' || g_str_equal (name, "Unknown") ||
      !muster_change_check_name (name, NULL))
    name = g_get_user_name ();
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->id = muster_broker_new_id (self, 'i');
  change->identity_record->name = g_strdup (name);
  change->identity_record->created_us = muster_clock_wall_us ();
  change->identity_record->modified_us = change->identity_record->created_us;

  return TRUE;
}

/* @address: a part of the one that was given, which stands for the name, too, where none was. */
static void
take_address (MusterAccountRecord *record, const char *address)
{
  char *taken = g_strdup (address);

  if (g_str_equal (record->name, record->address)) {
    g_free (record->name);
    record->name = g_strdup (taken);
  }
  g_free (record->address);
  record->address = taken;
}

static gboolean
prepare_add (MusterChange *change, GError **error)
{
  MusterBroker *self = change->broker;
  MusterAccountRecord *record = change->record;
  MusterNewAccount found;
  g_autofree char *key = NULL;
  g_autofree char *asked = g_steal_pointer (&record->identity);
  GHashTableIter iter;
  gpointer name, secret;

  if (!muster_broker_check_new_account (self, record->protocol, record->address, record->params,
                                        change->secrets, &found, error))
    return FALSE;
  take_address (record, found.address);
  if (!muster_change_check_name (record->name, error) ||
      (g_hash_table_size (change->secrets) > 0 && !muster_change_check_key (change, error)) ||
      !choose_identity (change, asked, error))
    return FALSE;

  key = muster_broker_address_key (record->protocol, record->address);
  if (g_hash_table_contains (self->by_address, key)) {
    g_set_error_literal (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS,
                         "there is already an account for this address");
    return FALSE;
  }

  if (change->identity_record != NULL)
    muster_store_change_put_identity (change->rows, change->identity_record);
  record->identity = g_strdup (change->identity_record != NULL ? change->identity_record->id
                                                               : change->identity->record->id);
  record->id = muster_broker_new_id (self, 'a');
  muster_store_change_put_account (change->rows, record);
  g_hash_table_iter_init (&iter, change->secrets);
  while (g_hash_table_iter_next (&iter, &name, &secret))
    muster_change_put_secret (change, record->id, name, secret);
  muster_change_put_event (change, record->id, "account.added", describe (record));

  g_hash_table_insert (self->by_address, g_strdup (key), NULL);
  change->address_key = g_steal_pointer (&key);
  if (change->identity != NULL)
    change->identity->n_adding++; /* so that it is not removed meanwhile */

  return TRUE;
}

static void
fail_add (MusterChange *change)
{
  g_hash_table_remove (change->broker->by_address, change->address_key);
  if (change->identity != NULL)
    change->identity->n_adding--;
}

static void
apply_add (MusterChange *change)
{
  MusterBroker *self = change->broker;
  MusterAccount *account;

  fail_add (change); /* the account itself takes the places now */
  if (change->identity_record != NULL)
    muster_broker_insert_identity (self, g_steal_pointer (&change->identity_record));

  account = muster_broker_insert_account (self, g_steal_pointer (&change->record));
  muster_change_apply_secrets (change, account);
  muster_change_tell (change, muster_account_get_id (account), "account.added",
                      describe (muster_account_get_record (account)));
  muster_broker_start_account (self, account);

  g_task_return_pointer (change->task, account, NULL);
}

void
muster_broker_add_account_async (MusterBroker *self,
                                 const char *protocol,
                                 const char *address,
                                 GVariant *params,
                                 GHashTable *secrets,
                                 const char *identity,
                                 const char *name,
                                 gboolean enabled,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  MusterChange *change = muster_change_new (self, NULL, prepare_add, apply_add, callback,
                                            user_data);
  MusterAccountRecord *record = g_new0 (MusterAccountRecord, 1);
  MusterIdentity *one;

  change->fail = fail_add;
  change->secrets = g_hash_table_ref (secrets);
  change->record = record;
  /* The first account may bring its identity: the next one must find it. */
  if (identity == NULL && count_identities (self, &one) == 0)
    change->queue = &self->identity_changes;

  record->protocol = g_strdup (protocol);
  record->address = g_strdup (address);
  record->params = g_variant_get_normal_form (params);
  record->identity = g_strdup (identity);
  record->name = g_strdup (name != NULL ? name : address);
  record->enabled = enabled;
  record->created_us = muster_clock_wall_us ();
  record->modified_us = record->created_us;

  muster_change_submit (change);
}

MusterAccount *
muster_broker_add_account_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* switching an account on and off */

static gboolean
prepare_set_enabled (MusterChange *change, GError **error)
{
  change->record = muster_change_copy_record (muster_account_get_record (change->account));
  change->record->enabled = change->enabled;
  muster_store_change_put_account (change->rows, change->record);
  muster_change_put_event (change, change->record->id,
                           change->enabled ? "account.enabled" : "account.disabled", NULL);

  return TRUE;
}

static void
apply_set_enabled (MusterChange *change)
{
  MusterAccount *account = change->account;

  muster_account_take_record (account, g_steal_pointer (&change->record));
  muster_account_set_disconnected (account, FALSE); /* this wish is the later one */
  muster_broker_tell_account_changed (change->broker, account);
  muster_change_tell (change, muster_account_get_id (account),
                      change->enabled ? "account.enabled" : "account.disabled", NULL);
  muster_standing_post (muster_account_get_standing (account),
                        change->enabled ? MUSTER_FACT_ENABLED : MUSTER_FACT_DISABLED);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_set_enabled_async (MusterBroker *self,
                                 MusterAccount *account,
                                 gboolean enabled,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  MusterChange *change = muster_change_new (self, account, prepare_set_enabled, apply_set_enabled,
                                            callback, user_data);

  change->enabled = enabled;
  muster_change_submit (change);
}

/* removing an account */

static gboolean
prepare_remove (MusterChange *change, GError **error)
{
  const char *id = muster_account_get_id (change->account);

  muster_store_change_delete_account (change->rows, id);
  muster_change_put_event (change, id, "account.removed",
                           describe (muster_account_get_record (change->account)));

  return TRUE;
}

static void
apply_remove (MusterChange *change)
{
  MusterAccount *account = change->account;

  muster_account_set_leaving (account);
  muster_change_tell (change, muster_account_get_id (account), "account.removed",
                      describe (muster_account_get_record (account)));
  muster_broker_retire_account (change->broker, account);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_remove_account_async (MusterBroker *self,
                                    MusterAccount *account,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  muster_change_submit (
    muster_change_new (self, account, prepare_remove, apply_remove, callback, user_data));
}
