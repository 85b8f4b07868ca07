/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-log.h"
#include "muster-echo-all-registration.h"

/* Gives the verdicts of the script, one a call; the last of them for ever. */

static const char *const verdicts[] = {
  [MUSTER_VERDICT_PROVEN] = "proven",
  [MUSTER_VERDICT_MISSED] = "missed",
  [MUSTER_VERDICT_UNSUPPORTED] = "unsupported",
};

/* (transfer full): the word that is due. A script that is not the last one begins anew. */
static char *
next_word (MusterEchoAllRegistration *self)
{
  g_autofree char *script = muster_registration_dup_string (MUSTER_REGISTRATION (self), "verdicts");
  g_auto (GStrv) words = g_strsplit (script != NULL ? script : "", ",", -1);
  guint n_words = g_strv_length (words);
  guint due;

  if (g_strcmp0 (self->verdicts, script) != 0) {
    g_free (self->verdicts);
    self->verdicts = g_steal_pointer (&script);
    self->n_verified = 0;
  }
  if (n_words == 0)
    return g_strdup ("error");

  due = MIN (self->n_verified, n_words - 1);
  self->n_verified++;

  return g_strdup (words[due]);
}

static void
answer_verify (MusterRegistration *registration, GTask *task)
{
  MusterEchoAllRegistration *self = MUSTER_ECHO_ALL_REGISTRATION (registration);
  g_autofree char *word = next_word (self);

  muster_echo_all_log_add (self->log, "verify", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (verdicts); i++) {
    if (g_str_equal (word, verdicts[i])) {
      g_task_return_int (task, i);
      return;
    }
  }

  g_task_return_error (task, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                                               "the parameter verdicts says so"));
}

static void
muster_echo_all_verify_async (MusterVerifier *self,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  muster_echo_all_registration_answer (self, muster_echo_all_verify_async, answer_verify, NULL,
                                       NULL, cancellable, callback, user_data);
}

static gboolean
muster_echo_all_verify_finish (MusterVerifier *self,
                               GAsyncResult *result,
                               MusterVerdict *verdict,
                               char **evidence,
                               GError **error)
{
  gssize answer = g_task_propagate_int (G_TASK (result), error);

  if (answer < 0)
    return FALSE;

  *verdict = (MusterVerdict) answer;
  *evidence = g_strdup_printf ("the script says %s", verdicts[answer]);

  return TRUE;
}

void
muster_echo_all_verifier_init (MusterVerifierInterface *iface)
{
  iface->verify_async = muster_echo_all_verify_async;
  iface->verify_finish = muster_echo_all_verify_finish;
}
