/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-change.h"

#include <muster/muster-hub.h>

/*
 * An account's parameters and secrets change. A secret belongs to what it was given for: what points
 * an account elsewhere takes its secrets away from it.
 */

/* updating an account */

static const char *
effect_name (MusterParamApplies applies)
{
  switch (applies) {
  case MUSTER_APPLIES_REREGISTER:
    return "reregister";
  case MUSTER_APPLIES_LIVE:
    return "live";
  case MUSTER_APPLIES_RECREATE:
    return "recreate";
  }

  g_return_val_if_reached ("");
}

/* live < reregister < recreate */
static const char *
stronger_effect (const char *effect, const MusterParam *param)
{
  static const char *const order[] = { "none", "live", "reregister", "recreate" };
  MusterParamApplies applies = (param->flags & MUSTER_PARAM_BINDS_SECRET) != 0
                                 ? MUSTER_APPLIES_RECREATE
                                 : param->applies;
  guint a = 0, b = 0;

  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    if (g_str_equal (order[i], effect))
      a = i;
    if (g_str_equal (order[i], effect_name (applies)))
      b = i;
  }

  return order[MAX (a, b)];
}

static gboolean
check_update (MusterChange *change, const MusterProtocol *protocol, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, change->set);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    if (!muster_change_check_param (protocol, name, value, error)) {
      g_variant_unref (value);
      return FALSE;
    }
    if (g_strv_contains ((const char *const *) change->unset, name)) {
      muster_change_invalid (error, "%s cannot be set and unset at once", name);
      g_variant_unref (value);
      return FALSE;
    }
  }

  for (guint i = 0; change->unset[i] != NULL; i++) {
    const MusterParam *param;

    if (!muster_change_check_param (protocol, change->unset[i], NULL, error))
      return FALSE;
    param = muster_protocol_find_param (protocol, change->unset[i]);
    if ((param->flags & MUSTER_PARAM_REQUIRED) != 0 && param->default_value == NULL)
      return muster_change_invalid (error, "%s is needed: it can be changed, not unset",
                                    param->name);
  }

  return change->name == NULL || muster_change_check_name (change->name, error);
}

/* Compares what is in force, not what is written: setting a default changes nothing. */
static gboolean
differs (const MusterParam *param, GVariant *before, GVariant *after)
{
  g_autoptr (GVariant) old = g_variant_lookup_value (before, param->name, NULL);
  g_autoptr (GVariant) new = g_variant_lookup_value (after, param->name, NULL);

  if (old == NULL)
    old = muster_param_dup_default (param);
  if (new == NULL)
    new = muster_param_dup_default (param);

  return (old == NULL) != (new == NULL) || (old != NULL && !g_variant_equal (old, new));
}

static GVariant *
merge_params (GVariant *params, GVariant *set, const char *const *unset)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (params);
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, set);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    g_variant_dict_insert_value (dict, name, value);
  for (; *unset != NULL; unset++)
    g_variant_dict_remove (dict, *unset);

  return g_variant_ref_sink (g_variant_dict_end (dict));
}

static gboolean
prepare_update (MusterChange *change, GError **error)
{
  const MusterAccountRecord *old = muster_account_get_record (change->account);
  const MusterProtocol *protocol = muster_account_get_protocol (change->account);
  const char *const *secrets = muster_account_get_secrets (change->account);
  GVariant *merged;

  if (protocol == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "no plugin speaks protocol \"%s\" now, so its parameters cannot be checked",
                 old->protocol);
    return FALSE;
  }
  if (!check_update (change, protocol, error))
    return FALSE;

  change->record = muster_change_copy_record (old);
  merged = merge_params (old->params, change->set, (const char *const *) change->unset);
  g_variant_unref (change->record->params);
  change->record->params = merged;
  if (change->name != NULL) {
    g_free (change->record->name);
    change->record->name = g_strdup (change->name);
  }

  change->effect = "none";
  for (guint i = 0; i < protocol->n_params; i++) {
    const MusterParam *param = &protocol->params[i];

    if (!differs (param, old->params, merged))
      continue;
    change->effect = stronger_effect (change->effect, param);
    change->repointed |= (param->flags & MUSTER_PARAM_BINDS_SECRET) != 0;
  }

  /* A secret belongs to what it was given for: a re-pointed account must not carry it there. */
  change->detached = change->repointed ? g_strdupv ((GStrv) secrets) : g_new0 (char *, 1);
  muster_store_change_put_account (change->rows, change->record);
  if (g_str_equal (change->effect, "recreate")) { /* what was kept is of the old one */
    muster_store_change_delete_runtime (change->rows, old->id);
    muster_store_change_delete_sealed (change->rows, old->id,
                                       change->repointed ? NULL : MUSTER_SEALED_RESUME);
  }
  muster_change_put_event (change, old->id, "account.changed", NULL);

  return TRUE;
}

typedef struct {
  const char *effect;
  GStrv detached;
} UpdateResult;

static void
update_result_free (gpointer data)
{
  UpdateResult *result = data;

  g_strfreev (result->detached);
  g_free (result);
}

static void
apply_update (MusterChange *change)
{
  MusterAccount *account = change->account;
  MusterStanding *standing = muster_account_get_standing (account);
  UpdateResult *result = g_new0 (UpdateResult, 1);

  muster_account_take_record (account, g_steal_pointer (&change->record));
  for (guint i = 0; change->detached[i] != NULL; i++)
    muster_account_secrets_forget (muster_account_get_secret_list (account), change->detached[i]);
  muster_broker_tell_account_changed (change->broker, account);
  muster_change_tell (change, muster_account_get_id (account), "account.changed", NULL);

  /* Only what points it elsewhere takes the secrets away: those that stay and were refused, stay so. */
  if (change->repointed)
    muster_account_set_refused (account, FALSE);
  if (g_str_equal (change->effect, "recreate")) {
    muster_account_forget_resume (account);
    muster_proofs_forget (change->broker->proofs, account);
    g_hash_table_remove (change->broker->key_runtime, muster_account_get_id (account));
    g_hash_table_remove (change->broker->unsealed, muster_account_get_id (account));
    muster_standing_post (standing, MUSTER_FACT_REPOINTED);
  } else {
    muster_account_adopt_params (account);
  }
  if (g_str_equal (change->effect, "reregister") ||
      (g_str_equal (change->effect, "live") &&
       muster_standing_get_view (standing)->state == MUSTER_ACCOUNT_FAILED))
    muster_standing_post (standing, MUSTER_FACT_EDITED);

  result->effect = change->effect;
  result->detached = g_steal_pointer (&change->detached);
  g_task_return_pointer (change->task, result, update_result_free);
}

void
muster_broker_update_account_async (MusterBroker *self,
                                    MusterAccount *account,
                                    GVariant *set,
                                    const char *const *unset,
                                    const char *name,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  MusterChange *change = muster_change_new (self, account, prepare_update, apply_update, callback,
                                            user_data);

  change->set = g_variant_get_normal_form (set);
  change->unset = g_strdupv ((GStrv) unset);
  change->name = g_strdup (name);
  muster_change_submit (change);
}

gboolean
muster_broker_update_account_finish (MusterBroker *self,
                                     GAsyncResult *result,
                                     const char **effect,
                                     GStrv *detached,
                                     GError **error)
{
  UpdateResult *update = g_task_propagate_pointer (G_TASK (result), error);

  if (update == NULL)
    return FALSE;

  *effect = update->effect;
  *detached = g_steal_pointer (&update->detached);
  update_result_free (update);

  return TRUE;
}

/* secrets */

static gboolean
prepare_set_secret (MusterChange *change, GError **error)
{
  const MusterProtocol *protocol = muster_account_get_protocol (change->account);
  const char *id = muster_account_get_id (change->account);
  g_autofree char *sealed_name = g_strconcat (MUSTER_SEALED_SECRET, change->name, NULL);

  if (protocol == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "no plugin speaks protocol \"%s\" now",
                 muster_account_get_record (change->account)->protocol);
    return FALSE;
  }
  if (!muster_change_check_secret (protocol, change->name, change->secret, error) ||
      (change->secret != NULL && !muster_change_check_key (change, error)))
    return FALSE;

  if (change->secret != NULL)
    muster_change_put_secret (change, id, change->name, change->secret);
  else
    muster_store_change_delete_sealed (change->rows, id, sealed_name);
  muster_store_change_delete_sealed (change->rows, id, MUSTER_SEALED_REFUSED);
  muster_change_put_event (change, id, change->secret != NULL ? "secret.set" : "secret.cleared",
                           NULL);

  return TRUE;
}

static void
apply_set_secret (MusterChange *change)
{
  MusterAccount *account = change->account;
  gboolean has = change->secret != NULL;

  muster_change_apply_secrets (change, account);
  if (!has)
    muster_account_secrets_forget (muster_account_get_secret_list (account), change->name);
  muster_account_set_refused (account, FALSE);
  muster_broker_tell_account_changed (change->broker, account);
  muster_change_tell (change, muster_account_get_id (account),
                      has ? "secret.set" : "secret.cleared", NULL);
  muster_standing_post (muster_account_get_standing (account),
                        has ? MUSTER_FACT_SECRET_SET : MUSTER_FACT_SECRET_GONE);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_set_secret_async (MusterBroker *self,
                                MusterAccount *account,
                                const char *name,
                                MusterSecret *secret,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  MusterChange *change = muster_change_new (self, account, prepare_set_secret, apply_set_secret,
                                            callback, user_data);

  change->name = g_strdup (name);
  change->secret = secret != NULL ? muster_secret_ref (secret) : NULL;
  muster_change_submit (change);
}
