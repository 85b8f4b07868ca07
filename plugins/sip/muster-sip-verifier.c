/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-verifier.h"

#include "muster-sip-errand.h"
#include "muster-sip-registration-private.h"

#include <muster/muster-hub.h>

/*
 * OPTIONS to our own address through the server that registered us (RFC 3261 section 11): the way that a
 * call would take. What counts is that it comes in at our token, and within 8 s; the answer to it only says
 * why it did not.
 *
 *    verify -> errand ... options came in ------------------> proven
 *                    ... answered, and nothing came in -----> by the table below
 *                    ... 8 s are over ----------------------> missed
 *
 *   | answer, nothing having come in     | never proven | proven before |
 *   | 2xx: it came from somebody else    | unsupported  | missed        |
 *   | 404, 410, 480: it has no binding   | missed       | missed        |
 *   | 408, 430, 5xx: it did not get here | missed       | missed        |
 *   | others: it does not route OPTIONS  | unsupported  | unsupported   |
 */

#define WAIT_MS        8000
#define NAT_INTERVAL_S 60

/* One verification. */
typedef struct _MusterSipProof {
  GTask *task; /* holds the registration */
  GCancellable *cancellable;
  gulong cancelled_handler;
  char *call_id;
  char *from_tag;
  guint32 cseq;
  gint64 began_us;
  MusterTimer deadline;
} MusterSipProof;

static void
proof_free (MusterSipProof *proof)
{
  muster_timer_cancel (&proof->deadline);
  g_object_unref (proof->cancellable);
  g_free (proof->call_id);
  g_free (proof->from_tag);
  g_free (proof);
}

typedef struct {
  MusterVerdict verdict;
  char *evidence;
} Outcome;

static void
outcome_free (gpointer data)
{
  g_free (((Outcome *) data)->evidence);
  g_free (data);
}

/* The verification is over; the errand, if it is not, soon. */
static GTask *
proof_end (MusterSipRegistration *self)
{
  MusterSipProof *proof = g_steal_pointer (&self->proof);
  GTask *task = proof->task;
  GCancellable *given = g_task_get_cancellable (task);

  if (proof->cancelled_handler != 0)
    g_signal_handler_disconnect (given, proof->cancelled_handler);
  g_cancellable_cancel (proof->cancellable);
  proof_free (proof);
  return task;
}

/* Takes @evidence. */
static void
conclude (MusterSipRegistration *self, MusterVerdict verdict, char *evidence)
{
  g_autoptr (GTask) task = proof_end (self);
  Outcome *outcome = g_new (Outcome, 1);

  outcome->verdict = verdict;
  outcome->evidence = evidence;
  if (verdict == MUSTER_VERDICT_PROVEN)
    self->was_proven = TRUE;
  g_task_return_pointer (task, outcome, outcome_free);
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  conclude (user_data, MUSTER_VERDICT_MISSED,
            g_strdup_printf ("an OPTIONS to our own address did not come back within %d s",
                             WAIT_MS / 1000));
}

/* the answer */

static void
conclude_from_failure (MusterSipRegistration *self, const GError *error)
{
  guint status = muster_error_get_protocol_code (error);

  switch (status) {
  case 404:
  case 410:
  case 480:
    conclude (self, MUSTER_VERDICT_MISSED,
              g_strdup_printf ("the server does not know where we are: it answers %u to an OPTIONS "
                               "to our own address",
                               status));
    break;
  case 408:
  case 430:
  case 500:
  case 502:
  case 503:
  case 504:
    conclude (self, MUSTER_VERDICT_MISSED,
              g_strdup_printf ("the server cannot reach us: it answers %u to an OPTIONS to our own "
                               "address",
                               status));
    break;
  case 0: { /* it never got there */
    g_autoptr (GTask) task = proof_end (self);

    g_task_return_error (task, g_error_copy (error));
    break;
  }
  default:
    conclude (self, MUSTER_VERDICT_UNSUPPORTED,
              g_strdup_printf ("the server passes no OPTIONS on to our address: it answers %u",
                               status));
  }
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (source);
  g_autofree char *call_id = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterSipResponse) response = muster_sip_errand_send_finish (result, &error);

  if (self->proof == NULL || !g_str_equal (self->proof->call_id, call_id))
    return;

  if (response == NULL) {
    conclude_from_failure (self, error);
  } else if (!self->was_proven) {
    conclude (self, MUSTER_VERDICT_UNSUPPORTED,
              g_strdup ("an OPTIONS to our own address is answered by the server itself, or by "
                        "another device of ours"));
  } else {
    conclude (self, MUSTER_VERDICT_MISSED,
              g_strdup ("an OPTIONS to our own address is answered, but not by us"));
  }
}

void
muster_sip_verifier_take_options (gpointer registration, const MusterSipInbound *inbound)
{
  MusterSipRegistration *self = registration;
  MusterSipProof *proof = self->proof;

  /* Who stands between two dialogs puts in another Call-ID, and often leaves the tag. */
  if (proof == NULL || (!g_str_equal (proof->call_id, inbound->call_id) &&
                        g_strcmp0 (proof->from_tag, inbound->from_tag) != 0))
    return;

  conclude (self, MUSTER_VERDICT_PROVEN,
            g_strdup_printf ("an OPTIONS to our own address came back after %u ms",
                             (guint) ((muster_clock_now_us () - proof->began_us) / 1000)));
}

/* the request */

static MusterSipRequest *
on_build (gpointer owner)
{
  MusterSipRegistration *self = owner;
  MusterSipProof *proof = self->proof;
  const MusterSipConfig *config = muster_sip_registration_get_config (self);
  MusterSipRequest *request = muster_sip_request_new ("OPTIONS", config->aor);

  request->route = g_strdupv ((GStrv) muster_sip_refresher_get_service_route (self->refresher));
  request->from = g_strdup_printf ("<%s>;tag=%s", config->aor, proof->from_tag);
  request->to = g_strdup_printf ("<%s>", config->aor);
  request->call_id = g_strdup (proof->call_id);
  request->cseq = ++proof->cseq;
  request->accept = "application/sdp";
  return request;
}

static const MusterSipErrandFuncs errand_funcs = { .build = on_build };

/* MusterVerifier */

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  MusterSipRegistration *self = user_data;

  muster_timer_arm_in_ms (&self->proof->deadline, 0); /* from the loop */
}

static void
verify_async (MusterVerifier *verifier,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (verifier);
  MusterSipProof *proof = g_new0 (MusterSipProof, 1);

  g_return_if_fail (self->proof == NULL);

  self->proof = proof;
  proof->task = g_task_new (self, cancellable, callback, user_data);
  proof->cancellable = g_cancellable_new ();
  proof->call_id = muster_sip_random_hex (32);
  proof->from_tag = muster_sip_random_hex (16);
  proof->began_us = muster_clock_now_us ();
  g_task_set_source_tag (proof->task, verify_async);
  muster_timer_init (&proof->deadline, on_deadline, self);
  muster_timer_arm_in_ms (&proof->deadline, WAIT_MS);
  if (cancellable != NULL)
    proof->cancelled_handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self,
                                                      NULL);
  muster_sip_errand_send_async (self, &errand_funcs, self, proof->cancellable, on_answered,
                                g_strdup (proof->call_id));
}

static gboolean
verify_finish (MusterVerifier *verifier,
               GAsyncResult *result,
               MusterVerdict *verdict,
               char **evidence,
               GError **error)
{
  Outcome *outcome = g_task_propagate_pointer (G_TASK (result), error);

  if (outcome == NULL)
    return FALSE;

  *verdict = outcome->verdict;
  *evidence = g_steal_pointer (&outcome->evidence);
  outcome_free (outcome);
  return TRUE;
}

/* A NAT may give our way to others, or forget it, at any time; that keep-alives go out shows nothing. */
static guint
get_interval_s (MusterVerifier *verifier)
{
  MusterSipRegistration *self = MUSTER_SIP_REGISTRATION (verifier);

  return self->agent != NULL && muster_sip_refresher_is_behind_nat (self->refresher)
           ? NAT_INTERVAL_S
           : 0;
}

void
muster_sip_verifier_init (MusterVerifierInterface *iface)
{
  iface->verify_async = verify_async;
  iface->verify_finish = verify_finish;
  iface->get_interval_s = get_interval_s;
}
