/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-method.h"
#include "muster-registration-private.h"

#include <muster/muster-verifier.h>

#define LANE "verifier"

G_DEFINE_INTERFACE (MusterVerifier, muster_verifier, MUSTER_TYPE_REGISTRATION)

static void
muster_verifier_default_init (MusterVerifierInterface *iface)
{
}

typedef struct {
  MusterVerdict verdict;
  char *evidence;
} Proof;

static void
proof_free (gpointer data)
{
  Proof *proof = data;

  g_free (proof->evidence);
  g_free (proof);
}

static void
finish_verify (MusterRegistration *self, GAsyncResult *result, GTask *task)
{
  Proof *proof = g_new0 (Proof, 1);
  GError *error = NULL;

  if (MUSTER_VERIFIER_GET_IFACE (self)->verify_finish (MUSTER_VERIFIER (self), result,
                                                       &proof->verdict, &proof->evidence, &error)) {
    g_task_return_pointer (task, proof, proof_free);
    return;
  }

  proof_free (proof);
  g_task_return_error (task, muster_sane_error (self, error));
}

static const MusterMethod verify_method = {
  .lane = LANE,
  .get_interface = muster_verifier_get_type,
  .start = G_STRUCT_OFFSET (MusterVerifierInterface, verify_async),
  .finish_with = finish_verify,
};

/**
 * muster_verifier_verify_async:
 * @self: a registration
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Has a registration prove that others reach it. Calls wait for each other.
 */
void
muster_verifier_verify_async (MusterVerifier *self,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (MUSTER_IS_VERIFIER (self));

  muster_method_run (&verify_method, self, NULL, NULL, cancellable, callback, user_data);
}

/**
 * muster_verifier_verify_finish:
 * @self: a registration
 * @result: what the callback got
 * @verdict: (out): what it came to
 * @evidence: (out) (nullable) (transfer full): what was seen, in words
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE with @verdict and @evidence set
 */
gboolean
muster_verifier_verify_finish (MusterVerifier *self,
                               GAsyncResult *result,
                               MusterVerdict *verdict,
                               char **evidence,
                               GError **error)
{
  Proof *proof;

  g_return_val_if_fail (verdict != NULL && evidence != NULL, FALSE);

  proof = muster_method_end_pointer (&verify_method, self, result, error);
  if (proof == NULL)
    return FALSE;

  *verdict = proof->verdict;
  *evidence = g_steal_pointer (&proof->evidence);
  proof_free (proof);

  return TRUE;
}

/**
 * muster_verifier_get_interval_s:
 * @self: a registration
 *
 * Returns: how long a proof holds before the next is wanted, in seconds; 0: the broker's rule
 */
guint
muster_verifier_get_interval_s (MusterVerifier *self)
{
  MusterVerifierInterface *iface;
  guint interval_s;
  guint64 outer;

  g_return_val_if_fail (MUSTER_IS_VERIFIER (self), 0);

  iface = MUSTER_VERIFIER_GET_IFACE (self);
  if (iface->get_interval_s == NULL)
    return 0;

  outer = muster_execution_mark ((gconstpointer) iface->get_interval_s);
  interval_s = iface->get_interval_s (self);
  muster_execution_unmark (outer);

  return interval_s;
}
