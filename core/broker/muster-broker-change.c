/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"

#include <muster/muster-hub.h>

#include <string.h>

/*
 * What changes on request. A change is checked, written to the store in one transaction, and only
 * when that is durable applied and answered:
 *
 *    queue of the account -> prepare (check, build rows) -> commit -> apply -> answer, next
 *
 * Changes to one account wait for each other, so that each is built on what the one before left;
 * changes to different accounts go into the store together.
 */

#define ID_CHARACTERS    12
#define NAME_MAX_BYTES   255
#define SECRET_MAX_BYTES (64 * 1024)
#define SECRET_PREFIX    "secret/"

typedef struct _Change Change;

struct _Change {
  MusterBroker *broker;
  GQueue *queue; /* lent */
  GTask *task;
  MusterAccount *account;   /* owned reference; NULL while it is being added */
  MusterIdentity *identity; /* lent */

  gboolean (*prepare) (Change *change, GError **error);
  void (*apply) (Change *change);
  void (*fail) (Change *change); /* gives back what prepare took; may be NULL */

  MusterStoreChange *rows;
  MusterAccountRecord *record;           /* the new configuration */
  MusterIdentityRecord *identity_record; /* the new identity */
  char *name;                            /* of a secret, an identity, an account */
  MusterSecret *secret;
  GHashTable *secrets; /* name -> MusterSecret */
  GVariant *set;
  GStrv unset;
  gboolean enabled;
  const char *effect;
  GStrv detached;
  char *address_key;
};

static void
change_free (Change *change)
{
  g_clear_pointer (&change->account, muster_account_unref);
  g_clear_pointer (&change->rows, muster_store_change_free);
  g_clear_pointer (&change->record, muster_account_record_free);
  g_clear_pointer (&change->identity_record, muster_identity_record_free);
  g_clear_pointer (&change->secret, muster_secret_unref);
  g_clear_pointer (&change->secrets, g_hash_table_unref);
  g_clear_pointer (&change->set, g_variant_unref);
  g_strfreev (change->unset);
  g_strfreev (change->detached);
  g_free (change->name);
  g_free (change->address_key);
  g_object_unref (change->task);
  g_free (change);
}

static gboolean
invalid (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, format,
                                 args);
  va_end (args);

  return FALSE;
}

/* running a change */

static void change_run (Change *change);

static void
change_next (MusterBroker *broker, GQueue *queue)
{
  if (queue == NULL)
    return;

  g_queue_pop_head (queue);
  if (!g_queue_is_empty (queue))
    change_run (g_queue_peek_head (queue));
}

/* Takes @change. */
static void
change_done (Change *change)
{
  /* The account, and with it the queue, must outlive what is still in it. */
  g_autoptr (MusterAccount) account = change->account != NULL ? muster_account_ref (change->account)
                                                              : NULL;
  MusterBroker *broker = change->broker;
  GQueue *queue = change->queue;

  change_free (change);
  change_next (broker, queue);
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Change *change = user_data;
  g_autoptr (GError) error = NULL;

  if (!muster_store_commit_finish (MUSTER_STORE (source), result, &error)) {
    if (change->fail != NULL)
      change->fail (change);
    g_task_return_new_error (change->task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_STORE,
                             "it could not be stored, so nothing was changed: %s", error->message);
    change_done (change);
    return;
  }

  change->apply (change); /* answers the task */
  change_done (change);
}

static void
change_run (Change *change)
{
  GError *error = NULL;

  if (change->account != NULL && muster_account_is_leaving (change->account))
    error = g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                         "the account was removed");
  else
    change->prepare (change, &error);

  if (error != NULL) {
    g_task_return_error (change->task, error);
    change_done (change);
    return;
  }

  muster_store_commit_async (change->broker->store, g_steal_pointer (&change->rows), NULL,
                             on_committed, change);
}

static Change *
change_new (MusterBroker *broker,
            MusterAccount *account,
            gboolean (*prepare) (Change *, GError **),
            void (*apply) (Change *),
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  Change *change = g_new0 (Change, 1);

  change->broker = broker;
  change->account = account != NULL ? muster_account_ref (account) : NULL;
  change->queue = account != NULL ? muster_account_get_changes (account) : NULL;
  change->task = g_task_new (NULL, NULL, callback, user_data);
  change->prepare = prepare;
  change->apply = apply;
  change->rows = muster_store_change_new ();

  return change;
}

/* Takes @change. */
static void
change_submit (Change *change)
{
  if (change->queue != NULL) {
    g_queue_push_tail (change->queue, change);
    if (g_queue_get_length (change->queue) > 1)
      return;
  }

  change_run (change);
}

gboolean
muster_broker_change_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* checking */

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

static gboolean
check_name (const char *name, GError **error)
{
  if (*name == '\0')
    return invalid (error, "name is empty");
  if (strlen (name) > NAME_MAX_BYTES)
    return invalid (error, "name is longer than %d bytes", NAME_MAX_BYTES);

  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return invalid (error, "name holds control characters");
  }

  return TRUE;
}

static gboolean
check_identity_name (MusterBroker *self,
                     const char *name,
                     const MusterIdentity *except,
                     GError **error)
{
  if (!check_name (name, error))
    return FALSE;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->identities);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterIdentity *identity = g_sequence_get (iter);

    if (identity != except && g_str_equal (identity->record->name, name)) {
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS,
                   "there is already an identity called \"%s\"", name);
      return FALSE;
    }
  }

  return TRUE;
}

static gboolean
check_param (const MusterProtocol *protocol, const char *name, GVariant *value, GError **error)
{
  const MusterParam *param = muster_protocol_find_param (protocol, name);
  g_autoptr (GError) local = NULL;

  if (param == NULL)
    return invalid (error, "%s has no parameter \"%s\"", protocol->display_name, name);
  if ((param->flags & MUSTER_PARAM_SECRET) != 0)
    return invalid (error, "%s is a secret: it is given as a descriptor, not as a parameter", name);
  if (value != NULL && !muster_param_check (param, value, &local))
    return invalid (error, "%s", local->message);

  return TRUE;
}

static gboolean
check_secret (const MusterProtocol *protocol,
              const char *name,
              const MusterSecret *secret,
              GError **error)
{
  const MusterParam *param = muster_protocol_find_param (protocol, name);
  gsize length = 0;
  const char *data;

  if (param == NULL || (param->flags & MUSTER_PARAM_SECRET) == 0)
    return invalid (error, "%s has no secret called \"%s\"", protocol->display_name, name);
  if (secret == NULL)
    return TRUE;

  data = muster_secret_peek (secret, &length);
  if (length == 0)
    return invalid (error, "%s is empty", name);
  if (length > SECRET_MAX_BYTES)
    return invalid (error, "%s is longer than %d bytes", name, SECRET_MAX_BYTES);
  if (memchr (data, '\0', length) != NULL)
    return invalid (error, "%s holds a zero byte", name);

  return TRUE;
}

static void
put_secret (Change *change, const char *account, const char *name, MusterSecret *secret)
{
  g_autofree char *sealed_name = g_strconcat (SECRET_PREFIX, name, NULL);
  g_autoptr (GBytes) sealed = NULL;
  gsize length;
  const char *data = muster_secret_peek (secret, &length);

  sealed = muster_vault_seal (change->broker->vault, account, sealed_name, data, length);
  muster_store_change_put_sealed (change->rows, account, sealed_name, sealed);
}

static void
put_event (Change *change, const char *account, const char *type)
{
  MusterEventRecord record = {
    .time_us = muster_clock_wall_us (),
    .type = (char *) type,
    .account = (char *) account,
  };
  g_auto (GStrv) sinks = muster_event_bus_dup_sinks (change->broker->events, type);
  g_autoptr (GVariant) payload = NULL;

  payload = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
  record.payload = payload;
  record.sinks = sinks;
  muster_store_change_put_event (change->rows, &record);
}

/* The row of the journal is in the transaction; others are told when it is durable. */
static void
tell (Change *change, const char *account, const char *type)
{
  muster_event_bus_emit (change->broker->events, type, account,
                         g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), FALSE);
}

static MusterAccountRecord *
copy_record (const MusterAccountRecord *record)
{
  MusterAccountRecord *copy = g_new0 (MusterAccountRecord, 1);

  copy->id = g_strdup (record->id);
  copy->identity = g_strdup (record->identity);
  copy->protocol = g_strdup (record->protocol);
  copy->address = g_strdup (record->address);
  copy->name = g_strdup (record->name);
  copy->enabled = record->enabled;
  copy->params = g_variant_ref (record->params);
  copy->created_us = record->created_us;
  copy->modified_us = muster_clock_wall_us ();

  return copy;
}

/* adding an account */

static const MusterProtocol *
find_protocol (MusterBroker *self, const char *id, GError **error)
{
  MusterModule *module = NULL;
  const MusterKind *kind = muster_plugin_registry_find_protocol (self->registry, id, &module);
  g_autoptr (GError) local = NULL;

  if (kind == NULL) {
    invalid (error, "no plugin speaks protocol \"%s\"", id);
    return NULL;
  }
  if (!muster_module_start (module, &local)) {
    invalid (error, "the plugin of protocol \"%s\" does not work: %s", id, local->message);
    return NULL;
  }

  return kind->protocol;
}

static gboolean
check_new_params (const MusterProtocol *protocol, GVariant *params, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, params);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    if (!check_param (protocol, name, value, error)) {
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
      return invalid (error, "%s is needed: %s", param->name, param->help);
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
    if (!check_secret (protocol, name, secret, error))
      return FALSE;
  }

  return TRUE;
}

/* The one there is; else one to be made, called as the user is. */
static gboolean
choose_identity (Change *change, const char *asked, GError **error)
{
  MusterBroker *self = change->broker;
  const char *name = g_get_real_name ();

  if (asked != NULL) {
    change->identity = muster_broker_get_identity (self, asked);
    if (change->identity == NULL) {
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                   "there is no identity %s", asked);
      return FALSE;
    }
    return TRUE;
  }

  if (g_sequence_get_length (self->identities) > 1)
    return invalid (error, "there are several identities: say which (identity)");
  if (g_sequence_get_length (self->identities) == 1) {
    change->identity = g_sequence_get (g_sequence_get_begin_iter (self->identities));
    return TRUE;
  }

  if (name == NULL || *name == '\0' || g_str_equal (name, "Unknown") || !check_name (name, NULL))
    name = g_get_user_name ();
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->id = muster_broker_new_id (self, 'i');
  change->identity_record->name = g_strdup (name);
  change->identity_record->created_us = muster_clock_wall_us ();
  change->identity_record->modified_us = change->identity_record->created_us;

  return TRUE;
}

static gboolean
prepare_add (Change *change, GError **error)
{
  MusterBroker *self = change->broker;
  MusterAccountRecord *record = change->record;
  const MusterProtocol *protocol = find_protocol (self, record->protocol, error);
  g_autoptr (GError) local = NULL;
  g_autofree char *key = NULL;
  g_autofree char *asked = g_steal_pointer (&record->identity);
  GHashTableIter iter;
  gpointer name, secret;

  if (protocol == NULL)
    return FALSE;
  if (!muster_protocol_check_address (protocol, record->address, &local))
    return invalid (error, "%s", local->message);
  if (!check_name (record->name, error) || !check_new_params (protocol, record->params, error) ||
      !check_new_secrets (protocol, change->secrets, error) ||
      !choose_identity (change, asked, error))
    return FALSE;

  key = muster_broker_address_key (record->protocol, record->address);
  if (g_hash_table_contains (self->by_address, key)) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS,
                 "there is already an account for %s", record->address);
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
    put_secret (change, record->id, name, secret);
  put_event (change, record->id, "account.added");

  g_hash_table_insert (self->by_address, g_strdup (key), NULL);
  change->address_key = g_steal_pointer (&key);
  if (change->identity != NULL)
    change->identity->n_accounts++; /* so that it is not removed meanwhile */

  return TRUE;
}

static void
fail_add (Change *change)
{
  g_hash_table_remove (change->broker->by_address, change->address_key);
  if (change->identity != NULL)
    change->identity->n_accounts--;
}

static void
apply_add (Change *change)
{
  MusterBroker *self = change->broker;
  MusterAccount *account;
  GHashTableIter iter;
  gpointer name;

  fail_add (change); /* the account itself takes the places now */
  if (change->identity_record != NULL)
    muster_broker_insert_identity (self, g_steal_pointer (&change->identity_record));

  account = muster_broker_insert_account (self, g_steal_pointer (&change->record));
  g_hash_table_iter_init (&iter, change->secrets);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    muster_account_set_has_secret (account, name, TRUE);
  tell (change, muster_account_get_id (account), "account.added");
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
  Change *change = change_new (self, NULL, prepare_add, apply_add, callback, user_data);
  MusterAccountRecord *record = g_new0 (MusterAccountRecord, 1);

  change->fail = fail_add;
  change->secrets = g_hash_table_ref (secrets);
  change->record = record;
  /* The first account may bring its identity: the next one must find it. */
  if (identity == NULL && g_sequence_get_length (self->identities) == 0)
    change->queue = &self->identity_changes;

  record->protocol = g_strdup (protocol);
  record->address = g_strdup (address);
  record->params = g_variant_get_normal_form (params);
  record->identity = g_strdup (identity);
  record->name = g_strdup (name != NULL ? name : address);
  record->enabled = enabled;
  record->created_us = muster_clock_wall_us ();
  record->modified_us = record->created_us;

  change_submit (change);
}

MusterAccount *
muster_broker_add_account_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

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
check_update (Change *change, const MusterProtocol *protocol, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, change->set);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    if (!check_param (protocol, name, value, error)) {
      g_variant_unref (value);
      return FALSE;
    }
    if (g_strv_contains ((const char *const *) change->unset, name)) {
      invalid (error, "%s cannot be set and unset at once", name);
      g_variant_unref (value);
      return FALSE;
    }
  }

  for (guint i = 0; change->unset[i] != NULL; i++) {
    const MusterParam *param;

    if (!check_param (protocol, change->unset[i], NULL, error))
      return FALSE;
    param = muster_protocol_find_param (protocol, change->unset[i]);
    if ((param->flags & MUSTER_PARAM_REQUIRED) != 0 && param->default_value == NULL)
      return invalid (error, "%s is needed: it can be changed, not unset", param->name);
  }

  return change->name == NULL || check_name (change->name, error);
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
prepare_update (Change *change, GError **error)
{
  const MusterAccountRecord *old = muster_account_get_record (change->account);
  const MusterProtocol *protocol = muster_account_get_protocol (change->account);
  const char *const *secrets = muster_account_get_secrets (change->account);
  gboolean repointed = FALSE;
  GVariant *merged;

  if (protocol == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "no plugin speaks protocol \"%s\" now, so its parameters cannot be checked",
                 old->protocol);
    return FALSE;
  }
  if (!check_update (change, protocol, error))
    return FALSE;

  change->record = copy_record (old);
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
    repointed |= (param->flags & MUSTER_PARAM_BINDS_SECRET) != 0;
  }

  /* A secret belongs to what it was given for: a re-pointed account must not carry it there. */
  change->detached = repointed ? g_strdupv ((GStrv) secrets) : g_new0 (char *, 1);
  muster_store_change_put_account (change->rows, change->record);
  if (repointed)
    muster_store_change_delete_sealed (change->rows, old->id, NULL);
  put_event (change, old->id, "account.changed");

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
apply_update (Change *change)
{
  MusterAccount *account = change->account;
  MusterStanding *standing = muster_account_get_standing (account);
  UpdateResult *result = g_new0 (UpdateResult, 1);

  muster_account_take_record (account, g_steal_pointer (&change->record));
  for (guint i = 0; change->detached[i] != NULL; i++)
    muster_account_set_has_secret (account, change->detached[i], FALSE);
  muster_broker_tell_account_changed (change->broker, account);
  tell (change, muster_account_get_id (account), "account.changed");

  if (g_str_equal (change->effect, "recreate")) {
    muster_account_set_refused (account, FALSE);
    muster_account_forget_resume (account);
    muster_standing_post (standing, MUSTER_FACT_REPOINTED);
  } else {
    muster_account_adopt_params (account);
  }
  if (g_str_equal (change->effect, "reregister"))
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
  Change *change = change_new (self, account, prepare_update, apply_update, callback, user_data);

  change->set = g_variant_get_normal_form (set);
  change->unset = g_strdupv ((GStrv) unset);
  change->name = g_strdup (name);
  change_submit (change);
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

/* switching an account on and off */

static gboolean
prepare_set_enabled (Change *change, GError **error)
{
  change->record = copy_record (muster_account_get_record (change->account));
  change->record->enabled = change->enabled;
  muster_store_change_put_account (change->rows, change->record);
  put_event (change, change->record->id, change->enabled ? "account.enabled" : "account.disabled");

  return TRUE;
}

static void
apply_set_enabled (Change *change)
{
  MusterAccount *account = change->account;

  muster_account_take_record (account, g_steal_pointer (&change->record));
  muster_broker_tell_account_changed (change->broker, account);
  tell (change, muster_account_get_id (account),
        change->enabled ? "account.enabled" : "account.disabled");
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
  Change *change = change_new (self, account, prepare_set_enabled, apply_set_enabled, callback,
                               user_data);

  change->enabled = enabled;
  change_submit (change);
}

/* secrets */

static gboolean
prepare_set_secret (Change *change, GError **error)
{
  const MusterProtocol *protocol = muster_account_get_protocol (change->account);
  const char *id = muster_account_get_id (change->account);
  g_autofree char *sealed_name = g_strconcat (SECRET_PREFIX, change->name, NULL);

  if (protocol == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "no plugin speaks protocol \"%s\" now",
                 muster_account_get_record (change->account)->protocol);
    return FALSE;
  }
  if (!check_secret (protocol, change->name, change->secret, error))
    return FALSE;

  if (change->secret != NULL)
    put_secret (change, id, change->name, change->secret);
  else
    muster_store_change_delete_sealed (change->rows, id, sealed_name);
  put_event (change, id, change->secret != NULL ? "secret.set" : "secret.cleared");

  return TRUE;
}

static void
apply_set_secret (Change *change)
{
  MusterAccount *account = change->account;
  gboolean has = change->secret != NULL;

  muster_account_set_has_secret (account, change->name, has);
  muster_account_set_refused (account, FALSE);
  muster_broker_tell_account_changed (change->broker, account);
  tell (change, muster_account_get_id (account), has ? "secret.set" : "secret.cleared");
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
  Change *change = change_new (self, account, prepare_set_secret, apply_set_secret, callback,
                               user_data);

  change->name = g_strdup (name);
  change->secret = secret != NULL ? muster_secret_ref (secret) : NULL;
  change_submit (change);
}

/* removing an account */

static gboolean
prepare_remove (Change *change, GError **error)
{
  const char *id = muster_account_get_id (change->account);

  muster_store_change_delete_account (change->rows, id);
  put_event (change, id, "account.removed");

  return TRUE;
}

static void
apply_remove (Change *change)
{
  MusterAccount *account = change->account;

  muster_account_set_leaving (account);
  tell (change, muster_account_get_id (account), "account.removed");
  muster_broker_retire_account (change->broker, account);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_remove_account_async (MusterBroker *self,
                                    MusterAccount *account,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  change_submit (change_new (self, account, prepare_remove, apply_remove, callback, user_data));
}

/* identities: they change rarely, one after the other */

static gboolean
prepare_add_identity (Change *change, GError **error)
{
  MusterIdentityRecord *record = change->identity_record;

  if (!check_identity_name (change->broker, record->name, NULL, error))
    return FALSE;

  record->id = muster_broker_new_id (change->broker, 'i');
  record->created_us = muster_clock_wall_us ();
  record->modified_us = record->created_us;
  muster_store_change_put_identity (change->rows, record);

  return TRUE;
}

static void
apply_add_identity (Change *change)
{
  MusterIdentity *identity;

  identity = muster_broker_insert_identity (change->broker,
                                            g_steal_pointer (&change->identity_record));
  g_task_return_pointer (change->task, identity, NULL);
}

void
muster_broker_add_identity_async (MusterBroker *self,
                                  const char *name,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  Change *change = change_new (self, NULL, prepare_add_identity, apply_add_identity, callback,
                               user_data);

  change->queue = &self->identity_changes;
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->name = g_strdup (name);
  change_submit (change);
}

MusterIdentity *
muster_broker_add_identity_finish (MusterBroker *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* It may have been removed while the change waited. */
static gboolean
find_identity_again (Change *change, GError **error)
{
  change->identity = muster_broker_get_identity (change->broker, change->identity_record->id);
  if (change->identity != NULL)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
               "the identity was removed");
  return FALSE;
}

static gboolean
prepare_rename_identity (Change *change, GError **error)
{
  MusterIdentityRecord *record = change->identity_record;

  if (!find_identity_again (change, error) ||
      !check_identity_name (change->broker, record->name, change->identity, error))
    return FALSE;

  record->created_us = change->identity->record->created_us;
  record->modified_us = muster_clock_wall_us ();
  muster_store_change_put_identity (change->rows, record);

  return TRUE;
}

static void
apply_rename_identity (Change *change)
{
  MusterIdentityRecord *record = change->identity->record;

  g_free (record->name);
  record->name = g_steal_pointer (&change->identity_record->name);
  record->modified_us = change->identity_record->modified_us;
  if (change->broker->observer != NULL)
    change->broker->observer->identity_changed (change->broker->observer_data, change->identity);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_rename_identity_async (MusterBroker *self,
                                     MusterIdentity *identity,
                                     const char *name,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  Change *change = change_new (self, NULL, prepare_rename_identity, apply_rename_identity, callback,
                               user_data);

  change->queue = &self->identity_changes;
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->id = g_strdup (identity->record->id);
  change->identity_record->name = g_strdup (name);
  change_submit (change);
}

static gboolean
prepare_remove_identity (Change *change, GError **error)
{
  if (!find_identity_again (change, error))
    return FALSE;

  if (change->identity->n_accounts > 0) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_IN_USE,
                 "\"%s\" still has %u accounts: remove them first", change->identity->record->name,
                 change->identity->n_accounts);
    return FALSE;
  }

  muster_store_change_delete_identity (change->rows, change->identity->record->id);
  return TRUE;
}

static void
apply_remove_identity (Change *change)
{
  muster_broker_drop_identity (change->broker, change->identity);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_remove_identity_async (MusterBroker *self,
                                     MusterIdentity *identity,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  Change *change = change_new (self, NULL, prepare_remove_identity, apply_remove_identity, callback,
                               user_data);

  change->queue = &self->identity_changes;
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->id = g_strdup (identity->record->id);
  change_submit (change);
}
