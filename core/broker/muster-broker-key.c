/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"

/*
 * What the key of the secrets means for accounts: those that have some wait while there is none, and
 * go on at once when it comes, with the leases that the last run left. The others never notice.
 */

static gboolean
is_waiting_for_key (MusterAccount *account)
{
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));

  return view->state == MUSTER_ACCOUNT_WAITING_SECRET && !muster_account_is_refused (account) &&
         muster_account_get_missing_secret (account) == NULL;
}

void
muster_broker_set_key (MusterBroker *self,
                       MusterVault *vault,
                       const char *reason,
                       const char *problem)
{
  gboolean news = vault != self->vault || g_strcmp0 (reason, self->key_reason) != 0;

  self->vault = vault;
  self->key_reason = reason;
  g_free (self->key_problem);
  self->key_problem = g_strdup (problem);
  if (vault != NULL)
    muster_broker_seal_resumes (self);
  if (!news)
    return;

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->accounts);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterAccount *account = g_sequence_get (iter);
    MusterRuntimeRecord *runtime = g_hash_table_lookup (self->key_runtime,
                                                        muster_account_get_id (account));

    if (is_waiting_for_key (account) && (vault == NULL || runtime == NULL ||
                                         !muster_broker_continue_lease (self, account, runtime)))
      muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_SECRET_SET);
  }
  if (vault != NULL)
    g_hash_table_remove_all (self->key_runtime);
}

const char *
muster_broker_get_key_problem (MusterBroker *self)
{
  return self->vault != NULL ? "" : self->key_problem;
}
