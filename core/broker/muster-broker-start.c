/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"
#include "store/muster-store-records.h"

#include <string.h>

/*
 * What the store has is loaded, and each account begins: with a lease of the last run that still counts, or
 * afresh.
 */

#define NOTICE_ROWS_MAX 3

/* First word of an account to its standing. */
void
muster_broker_start_account (MusterBroker *self, MusterAccount *account)
{
  if (muster_account_get_record (account)->enabled)
    muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_ENABLED);
}

/* The last run's lease still counts, and there is all that it takes to go on with it. */
gboolean
muster_broker_continue_lease (MusterBroker *self,
                              MusterAccount *account,
                              const MusterRuntimeRecord *runtime)
{
  MusterStanding *standing = muster_account_get_standing (account);
  MusterAccountState state;

  if (muster_account_state_from_string (runtime->state, &state) &&
      muster_account_state_is_registered (state) && muster_account_get_record (account)->enabled &&
      muster_account_get_protocol (account) != NULL &&
      *muster_account_get_problem (account) == '\0' &&
      muster_account_get_missing_secret (account) == NULL && !muster_account_is_refused (account) &&
      muster_broker_get_offline_reason (self, account) == NULL &&
      runtime->expires_at_us > muster_clock_wall_us ()) {
    muster_standing_restore (standing, runtime->registered_at_us, runtime->expires_at_us,
                             runtime->refresh_at_us);
    muster_standing_post (standing, MUSTER_FACT_CONTINUED);
    return TRUE;
  }

  return FALSE;
}

/* Goes on where the last run was killed: with a lease that still counts. */
static void
muster_broker_continue_account (MusterBroker *self,
                                MusterAccount *account,
                                const MusterRuntimeRecord *runtime)
{
  MusterAccountState state;

  if (runtime == NULL || !muster_account_state_from_string (runtime->state, &state)) {
    muster_broker_start_account (self, account);
    return;
  }

  if (muster_account_lacks_key (account))
    g_hash_table_insert (self->key_runtime, g_strdup (runtime->account),
                         muster_runtime_record_copy (runtime));
  else if (muster_broker_continue_lease (self, account, runtime))
    return;

  muster_broker_start_account (self, account);
}

static void
muster_broker_note_sealed (MusterBroker *self, GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++) {
    const MusterSealedName *sealed = names->pdata[i];
    MusterAccount *account = muster_broker_get_account (self, sealed->account);

    if (account == NULL)
      continue;
    if (g_str_has_prefix (sealed->name, MUSTER_SEALED_SECRET))
      muster_account_secrets_set (muster_account_get_secret_list (account),
                                  sealed->name + strlen (MUSTER_SEALED_SECRET),
                                  muster_vault_get_stamp (sealed->head));
    else if (g_str_equal (sealed->name, MUSTER_SEALED_REFUSED))
      muster_account_set_refused (account, TRUE);
    else if (g_str_equal (sealed->name, MUSTER_SEALED_RESUME))
      muster_account_set_has_resume (account);
  }
}

/* In the log all of it, in the notice as much as a person will read. */
static void
muster_broker_tell_quarantine (MusterBroker *self, GPtrArray *quarantine)
{
  const char *of_store = muster_store_get_notice (self->store);
  GString *notice = g_string_new (of_store);

  if (of_store != NULL)
    g_warning ("%s", of_store);

  for (guint i = 0; i < quarantine->len; i++) {
    const MusterQuarantineRecord *record = quarantine->pdata[i];

    g_warning ("%s %s is damaged and was moved aside, ignoring it: %s", record->table, record->id,
               record->reason);
    if (i < NOTICE_ROWS_MAX)
      g_string_append_printf (notice, "%s%s %s was damaged (%s) and is kept aside",
                              notice->len > 0 ? "; " : "", record->table, record->id,
                              record->reason);
  }
  if (quarantine->len > NOTICE_ROWS_MAX)
    g_string_append_printf (notice, "; and %u more", quarantine->len - NOTICE_ROWS_MAX);

  self->notice = g_string_free (notice, FALSE);
}

gboolean
muster_broker_start (MusterBroker *self, GError **error)
{
  g_autoptr (GPtrArray) identities = NULL;
  g_autoptr (GPtrArray) accounts = NULL;
  g_autoptr (GPtrArray) runtimes = NULL;
  g_autoptr (GPtrArray) sealed = NULL;
  g_autoptr (GPtrArray) quarantine = NULL;
  g_autoptr (GHashTable) by_account = g_hash_table_new (g_str_hash, g_str_equal);

  identities = muster_store_load_identities (self->store, error);
  if (identities == NULL)
    return FALSE;
  accounts = muster_store_load_accounts (self->store, error);
  if (accounts == NULL)
    return FALSE;
  runtimes = muster_store_load_runtimes (self->store, error);
  if (runtimes == NULL)
    return FALSE;
  sealed = muster_store_load_sealed_names (self->store, error);
  if (sealed == NULL || !muster_store_keep_sealed (self->store, error))
    return FALSE;

  g_ptr_array_set_free_func (identities, NULL);
  for (guint i = 0; i < identities->len; i++)
    muster_broker_insert_identity (self, identities->pdata[i]);
  g_ptr_array_set_free_func (accounts, NULL);
  for (guint i = 0; i < accounts->len; i++)
    muster_broker_insert_account (self, accounts->pdata[i]);
  muster_broker_note_sealed (self, sealed);
  if (!muster_broker_load_presence (self, error) || !muster_broker_load_overrides (self, error))
    return FALSE;

  quarantine = muster_store_load_quarantine (self->store, error); /* with what was found just now */
  if (quarantine == NULL)
    return FALSE;
  muster_broker_tell_quarantine (self, quarantine);
  muster_broker_tell_crash (self);

  for (guint i = 0; i < runtimes->len; i++) {
    MusterRuntimeRecord *runtime = runtimes->pdata[i];
    MusterAccount *account = muster_broker_get_account (self, runtime->account);

    g_hash_table_insert (by_account, runtime->account, runtime);
    if (account != NULL)
      muster_proofs_recall (self->proofs, account, (MusterProofKept) runtime->proof);
  }
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->accounts);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterAccount *account = g_sequence_get (iter);

    muster_broker_continue_account (self, account,
                                    g_hash_table_lookup (by_account,
                                                         muster_account_get_id (account)));
  }

  return TRUE;
}
