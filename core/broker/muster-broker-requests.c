/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-change.h"

#include <string.h>

/*
 * Requests: one for each account that waits for a person, made and dropped as its standing changes, and
 * answered by a change like any other.
 */

#define PIN_PARAM "tls-pin"

static int
compare_requests (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (((const MusterRequest *) a)->id, ((const MusterRequest *) b)->id);
}

void
muster_broker_drop_request (MusterBroker *self, MusterAccount *account)
{
  MusterRequest *request = g_hash_table_lookup (self->requests_by_account, account);

  if (request == NULL)
    return;

  g_hash_table_remove (self->requests_by_account, account);
  if (self->observer != NULL)
    self->observer->request_removed (self->observer_data, request);
  g_sequence_remove (
    g_sequence_lookup (self->requests, request, compare_requests, NULL)); /* frees it */
}

void
muster_broker_update_request (MusterBroker *self, MusterAccount *account)
{
  MusterRequest *request = g_hash_table_lookup (self->requests_by_account, account);
  gboolean needed = muster_request_is_needed (account);

  if (request != NULL && needed && muster_request_is_current (request))
    return;

  muster_broker_drop_request (self, account);
  if (!needed)
    return;

  request = muster_request_new (account, muster_broker_new_id (self, 'r'));
  g_sequence_insert_sorted (self->requests, request, compare_requests, NULL);
  g_hash_table_insert (self->requests_by_account, account, request);
  if (self->observer != NULL)
    self->observer->request_added (self->observer_data, request);
}

MusterRequest *
muster_broker_get_request (MusterBroker *self, const char *id)
{
  MusterRequest key = { .id = (char *) id };
  GSequenceIter *iter = g_sequence_lookup (self->requests, &key, compare_requests, NULL);

  return iter != NULL ? g_sequence_get (iter) : NULL;
}

GSequence *
muster_broker_get_requests (MusterBroker *self)
{
  return self->requests;
}

static int
compare_request_to_id (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const char *left = a == NULL ? user_data : ((const MusterRequest *) a)->id;
  const char *right = b == NULL ? user_data : ((const MusterRequest *) b)->id;
  int order = strcmp (left, right);

  return order != 0 ? order : (a == NULL ? 1 : -1);
}

GSequenceIter *
muster_broker_seek_request (MusterBroker *self, const char *after_id)
{
  return g_sequence_search (self->requests, NULL, compare_request_to_id, (gpointer) after_id);
}

/* answers with secrets */

static gboolean
prepare_secrets (MusterChange *change, GError **error)
{
  const MusterProtocol *protocol = muster_account_get_protocol (change->account);
  const char *id = muster_account_get_id (change->account);
  GHashTableIter iter;
  gpointer name, secret;

  if (protocol == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "no plugin speaks protocol \"%s\" now",
                 muster_account_get_record (change->account)->protocol);
    return FALSE;
  }

  if (!muster_change_check_key (change, error))
    return FALSE;

  g_hash_table_iter_init (&iter, change->secrets);
  while (g_hash_table_iter_next (&iter, &name, &secret)) {
    if (!muster_change_check_secret (protocol, name, secret, error))
      return FALSE;
    muster_change_put_secret (change, id, name, secret);
  }
  muster_store_change_delete_sealed (change->rows, id, MUSTER_SEALED_REFUSED);
  muster_change_put_event (change, id, "secret.set", NULL);

  return TRUE;
}

static void
apply_secrets (MusterChange *change)
{
  MusterAccount *account = change->account;

  muster_change_apply_secrets (change, account);
  muster_account_set_refused (account, FALSE);
  muster_broker_tell_account_changed (change->broker, account);
  muster_change_tell (change, muster_account_get_id (account), "secret.set", NULL);
  muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_SECRET_SET);
  g_task_return_boolean (change->task, TRUE);
}

/* answers to certificates: the person has seen whom the secrets go to, so they stay */

static gboolean
prepare_pin (MusterChange *change, GError **error)
{
  const MusterProtocol *protocol = muster_account_get_protocol (change->account);
  g_autoptr (GVariantDict) params = NULL;

  if (protocol == NULL || muster_protocol_find_param (protocol, PIN_PARAM) == NULL)
    return muster_change_invalid (error, "answer: this protocol cannot pin certificates");

  change->record = muster_change_copy_record (muster_account_get_record (change->account));
  params = g_variant_dict_new (change->record->params);
  g_variant_dict_insert (params, PIN_PARAM, "s", change->name);
  g_variant_unref (change->record->params);
  change->record->params = g_variant_ref_sink (g_variant_dict_end (params));
  muster_store_change_put_account (change->rows, change->record);
  muster_change_put_event (change, change->record->id, "certificate.pinned", NULL);

  return TRUE;
}

static void
apply_pin (MusterChange *change)
{
  MusterAccount *account = change->account;

  muster_account_take_record (account, g_steal_pointer (&change->record));
  muster_account_adopt_params (account);
  muster_broker_tell_account_changed (change->broker, account);
  muster_change_tell (change, muster_account_get_id (account), "certificate.pinned", NULL);
  muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_USER_ANSWERED);
  g_task_return_boolean (change->task, TRUE);
}

static gboolean
check_asked_for (MusterRequest *request, GHashTable *secrets, GError **error)
{
  g_auto (GStrv) asked = muster_request_dup_secrets (request);
  GHashTableIter iter;
  gpointer name;

  if (asked[0] != NULL && g_hash_table_size (secrets) == 0)
    return muster_change_invalid (error, "secrets: %s is asked for", asked[0]);

  g_hash_table_iter_init (&iter, secrets);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autofree char *quoted = muster_broker_quote (name);

    if (!g_strv_contains ((const char *const *) asked, name))
      return muster_change_invalid (error, "secrets: %s is not asked for", quoted);
  }

  return TRUE;
}

void
muster_broker_answer_request_async (MusterBroker *self,
                                    MusterRequest *request,
                                    gboolean accept,
                                    GHashTable *secrets,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  MusterAccount *account = request->account;
  MusterCertificate *certificate = muster_request_get_certificate (request);
  const char *kind = muster_request_get_kind (request);
  MusterChange *change;
  GError *error = NULL;
  GTask *task;

  if (check_asked_for (request, secrets, &error)) {
    if (g_str_equal (kind, "secret")) {
      change = muster_change_new (self, account, prepare_secrets, apply_secrets, callback,
                                  user_data);
      change->secrets = g_hash_table_ref (secrets);
      muster_change_submit (change);
      return;
    }
    if (g_str_equal (kind, "certificate") && accept && certificate != NULL) {
      change = muster_change_new (self, account, prepare_pin, apply_pin, callback, user_data);
      change->name = g_strdup (certificate->spki_sha256);
      muster_change_submit (change);
      return;
    }
    if (g_str_equal (kind, "certificate") && accept)
      muster_change_invalid (&error,
                             "answer: the certificate is not known, so it cannot be pinned");
    else if (g_str_equal (kind, "certificate"))
      muster_change_invalid (&error, "answer: \"accept\" is needed; to refuse, leave it or disable "
                                     "the account");
  }

  task = g_task_new (NULL, NULL, callback, user_data);
  if (error != NULL) {
    g_task_return_error (task, error);
  } else {
    muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_USER_ANSWERED);
    g_task_return_boolean (task, TRUE);
  }
  g_object_unref (task);
}
