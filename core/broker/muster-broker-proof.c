/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-service-call.h"

/* Proofs of reachability for those accounts whose protocol can give them: what muster-proofs.c is told
 * of their registrations, and what it tells. */

static guint
on_count_accounts (gpointer host)
{
  MusterBroker *self = host;

  return g_hash_table_size (self->by_id);
}

/* A refresh that failed, and waits for its next try, keeps nobody from finding out whether we are still
 * reached. */
static gboolean
on_is_refreshing (gpointer host, gpointer account)
{
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));

  return view->state == MUSTER_ACCOUNT_REFRESHING && view->error == NULL;
}

static void
on_refresh (gpointer host, gpointer account)
{
  g_info ("%s: what was sent to it does not arrive any more, registering again",
          muster_account_get_id (account));
  muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_REFRESH_ASKED);
}

static void
on_changed (gpointer host, gpointer account)
{
  MusterBroker *self = host;

  if (self->observer != NULL && self->observer->proof_changed != NULL)
    self->observer->proof_changed (self->observer_data, account);
}

static const char *
event_of (MusterProofNews news)
{
  switch (news) {
  case MUSTER_PROOF_NEWS_PROVEN:
    return "registration.proven";
  case MUSTER_PROOF_NEWS_MENDED:
    return "registration.mended";
  case MUSTER_PROOF_NEWS_UNPROVEN:
    return "registration.unproven";
  case MUSTER_PROOF_NO_NEWS:
    break;
  }

  g_return_val_if_reached (NULL);
}

static void
on_news (gpointer host, gpointer account, MusterProofNews news, const char *evidence)
{
  MusterBroker *self = host;
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "evidence", "s", evidence);
  muster_event_bus_emit (self->events, event_of (news), muster_account_get_id (account),
                         g_variant_dict_end (&payload), TRUE);
}

static void
on_keep (gpointer host, gpointer account)
{
  muster_broker_keep_runtime (host, account);
}

static const MusterProofsHost proofs_host = {
  .count_accounts = on_count_accounts,
  .is_refreshing = on_is_refreshing,
  .refresh = on_refresh,
  .changed = on_changed,
  .news = on_news,
  .keep = on_keep,
};

static void
on_serving_changed (MusterBroker *self, MusterAccount *account, MusterRegistration *registration)
{
  if (registration != NULL)
    muster_proofs_begin (self->proofs, account, registration);
  else
    muster_proofs_end (self->proofs, account);
}

static void
on_forget (MusterBroker *self, MusterAccount *account)
{
  muster_proofs_forget (self->proofs, account);
}

const MusterCapabilityUser muster_broker_proof_user = {
  .get_capability = muster_verifier_get_type,
  .serving_changed = on_serving_changed,
  .forget = on_forget,
};

void
muster_broker_init_proofs (MusterBroker *self)
{
  self->proofs = muster_proofs_new (&proofs_host, self);
}

/* asking */

static void
on_verified (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  MusterProofOutcome outcome;
  char *evidence;
  GError *error = NULL;

  if (!muster_proofs_verify_finish (NULL, result, &outcome, &evidence, &error)) {
    g_task_return_error (task, error);
    return;
  }

  g_task_set_task_data (task, evidence, g_free);
  g_task_return_int (task, (gssize) outcome);
}

void
muster_broker_verify_async (MusterBroker *self,
                            MusterAccount *account,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  const MusterProtocol *protocol = muster_account_get_protocol (account);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, muster_broker_verify_async);
  if (protocol != NULL && !muster_account_can (account, MUSTER_TYPE_VERIFIER))
    g_task_return_new_error (task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_UNSUPPORTED,
                             "%s has no way to prove that others reach an account",
                             protocol->display_name);
  else if (!muster_service_call_check (account, "nobody reaches it", &error))
    g_task_return_error (task, error);
  else
    muster_proofs_verify_async (self->proofs, account, on_verified, g_steal_pointer (&task));
}

gboolean
muster_broker_verify_finish (MusterBroker *self,
                             GAsyncResult *result,
                             MusterProofOutcome *outcome,
                             char **evidence,
                             GError **error)
{
  gssize answer;

  g_return_val_if_fail (g_async_result_is_tagged (result, muster_broker_verify_async), FALSE);

  answer = g_task_propagate_int (G_TASK (result), error);
  if (answer < 0)
    return FALSE;

  *outcome = (MusterProofOutcome) answer;
  *evidence = g_strdup (g_task_get_task_data (G_TASK (result)));

  return TRUE;
}

/* looking */

const MusterProofView *
muster_broker_get_proof (MusterBroker *self, MusterAccount *account)
{
  return muster_proofs_get_view (self->proofs, account);
}

guint
muster_broker_count_proofs (MusterBroker *self, MusterProofClaim claim)
{
  return muster_proofs_count (self->proofs, claim);
}
