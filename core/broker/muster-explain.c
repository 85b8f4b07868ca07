/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterExplain"

#include "config.h"

#include "muster-explain.h"

#include "muster-names.h"

#include <muster/muster-hub.h>
#include <muster/muster-verifier.h>

/*
 * Says in sentences why an account is, or is not, registered, and whether others reach it. It looks
 * only at what the account shows anyway, so that it can never disagree with it.
 */

static void
add (GVariantBuilder *rows, const char *name, gboolean holds, const char *format, ...)
{
  g_autofree char *sentence = NULL;
  va_list args;

  va_start (args, format);
  sentence = g_strdup_vprintf (format, args);
  va_end (args);
  g_variant_builder_add (rows, "(sbs)", name, holds, sentence);
}

static char *
dup_in (gint64 at_us)
{
  gint64 s = (at_us - muster_clock_wall_us () + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC;

  if (s <= 0)
    return g_strdup ("now");
  if (s < 120)
    return g_strdup_printf ("in %d s", (int) s);
  if (s < 7200)
    return g_strdup_printf ("in %d min", (int) (s / 60));

  return g_strdup_printf ("in %d h", (int) (s / 3600));
}

/* (transfer full): "5 min", for "ago" and "since" */
static char *
dup_span (gint64 from_us)
{
  gint64 s = MAX (muster_clock_wall_us () - from_us, 0) / G_USEC_PER_SEC;

  if (s < 120)
    return g_strdup_printf ("%d s", (int) s);
  if (s < 7200)
    return g_strdup_printf ("%d min", (int) (s / 60));

  return g_strdup_printf ("%d h", (int) (s / 3600));
}

static void
explain_plugin (GVariantBuilder *rows, MusterAccount *account)
{
  MusterModule *suspended = muster_account_get_suspended_plugin (account);

  if (muster_account_get_protocol (account) != NULL)
    add (rows, "plugin", TRUE, "a plugin speaks its protocol");
  else if (suspended != NULL)
    add (rows, "plugin", FALSE, "plugin %s is suspended: %s", muster_module_get_name (suspended),
         muster_module_get_reason (suspended));
  else
    add (rows, "plugin", FALSE, "no plugin speaks protocol %s; see: muster plugin",
         muster_account_get_record (account)->protocol);
}

static void
explain_secret (GVariantBuilder *rows, MusterBroker *broker, MusterAccount *account)
{
  const char *missing = muster_account_get_missing_secret (account);

  if (missing != NULL)
    add (rows, "secret", FALSE, "its %s is not stored; give it with: muster secret %s %s", missing,
         muster_account_get_id (account), missing);
  else if (muster_account_is_refused (account) && muster_account_get_secrets (account)[0] == NULL)
    add (rows, "secret", FALSE, "the service wants one, and none is stored");
  else if (muster_account_is_refused (account))
    add (rows, "secret", FALSE,
         "the service refused what is stored; it is not tried again until you give a new one");
  else if (muster_account_lacks_key (account))
    add (rows, "secret", FALSE,
         "what is stored cannot be opened now: %s; it goes on by itself when it can, see also:"
         " muster unlock",
         muster_broker_get_key_problem (broker));
  else
    add (rows, "secret", TRUE,
         muster_account_get_secrets (account)[0] == NULL
           ? "none is stored, and none is needed unless the service asks"
           : "everything secret that it needs is stored");
}

static void
explain_network (GVariantBuilder *rows, MusterBroker *broker, MusterAccount *account)
{
  const char *reason = muster_broker_get_offline_reason (broker, account);

  if (reason == NULL)
    add (rows, "network", TRUE,
         muster_broker_get_offline (broker)[0] == NULL ? "there is a network to try"
                                                       : "its service is on this machine");
  else if (g_str_equal (reason, MUSTER_OFFLINE_SUSPENDED))
    add (rows, "network", FALSE, "this machine is going to sleep");
  else if (g_str_equal (reason, MUSTER_OFFLINE_NO_NETWORK))
    add (rows, "network", FALSE, "this machine has no address that others could answer to");
  else
    add (rows, "network", FALSE, "this machine is off-line: %s", reason);
}

static void
explain_service (GVariantBuilder *rows, const MusterStandingView *view)
{
  const char *step = "";
  const char *text = NULL;
  g_autofree char *next = NULL;

  if (view->state == MUSTER_ACCOUNT_DISABLED) {
    add (rows, "service", FALSE, "the service is not asked while the account is off");
    return;
  }
  if (view->error == NULL) {
    add (rows, "service", muster_account_state_is_registered (view->state),
         muster_account_state_is_registered (view->state) ? "the service accepted the registration"
                                                          : "the service has not answered yet");
    return;
  }

  if (view->error->domain == MUSTER_ERROR) {
    step = muster_step_to_string (muster_error_get_step (view->error));
    text = muster_error_get_server_text (view->error);
  }
  next = view->next_attempt_at_us != 0 ? dup_in (view->next_attempt_at_us)
                                       : g_strdup ("not by itself");
  add (rows, "service", FALSE, "%s%s%s%s%s%s; failures in a row: %u; next attempt: %s",
       view->error->message, *step != '\0' ? " (step: " : "", step, *step != '\0' ? ")" : "",
       text != NULL ? "; the service says: " : "", text != NULL ? text : "", view->attempt, next);
}

static void
explain_lease (GVariantBuilder *rows, const MusterStandingView *view)
{
  g_autofree char *end = NULL;
  g_autofree char *refresh = NULL;

  if (!muster_account_state_is_registered (view->state)) {
    add (rows, "lease", FALSE, "nothing is granted, so nobody can reach the account");
    return;
  }
  if (view->expires_at_us == 0) {
    add (rows, "lease", TRUE, "it holds until it is lost");
    return;
  }

  end = dup_in (view->expires_at_us);
  refresh = dup_in (view->refresh_at_us);
  add (rows, "lease", TRUE, "it ends %s, and is refreshed %s", end, refresh);
}

/* Nothing is proven of what is not registered, whatever it was before. */
static char *
say_unregistered (const MusterProofView *proof)
{
  g_autofree char *span = NULL;

  if (proof->proven_at_us == 0)
    return g_strdup ("nothing can be sent to what is not registered");

  span = dup_span (proof->proven_at_us);
  return g_strdup_printf (
    "nothing can be sent to what is not registered; it was last proven %s ago", span);
}

static char *
say_proven (const MusterProofView *proof, const char *evidence, const char *next)
{
  g_autofree char *span = dup_span (proof->proven_at_us);

  if (proof->last == MUSTER_PROOF_ARRIVED)
    return g_strdup_printf ("proven %s ago: %s; proven anew %s", span, evidence, next);
  if (proof->last == MUSTER_PROOF_MISSED)
    return g_strdup_printf ("proven %s ago, but what was sent since did not arrive; that may be"
                            " chance, so it is sent again %s",
                            span, next);

  return g_strdup_printf ("proven %s ago; since then nothing could be sent: %s; next try %s", span,
                          evidence, next);
}

static char *
say_unknown (const MusterProofView *proof, const char *evidence, const char *next)
{
  if (!proof->is_tried || proof->last == MUSTER_PROOF_ARRIVED)
    return g_strdup_printf ("not proven yet; it is tried %s", next);
  if (proof->last == MUSTER_PROOF_MISSED)
    return g_strdup_printf ("not proven: what was sent to it did not arrive; that may be chance, so"
                            " it is sent again %s",
                            next);

  return g_strdup_printf ("not proven: nothing could be sent: %s; next try %s", evidence, next);
}

char *
muster_explain_proof (const MusterProofView *proof, gboolean is_serving, const char *id)
{
  const char *evidence = proof->evidence != NULL ? proof->evidence
                                                 : "it was not said what was seen";
  g_autofree char *next = dup_in (proof->next_at_us);
  g_autofree char *since = dup_span (proof->since_us);

  if (!is_serving)
    return say_unregistered (proof);

  switch (proof->claim) {
  case MUSTER_PROOF_CLAIMS_PROVEN:
    return say_proven (proof, evidence, next);
  case MUSTER_PROOF_CLAIMS_NOTHING:
    return say_unknown (proof, evidence, next);
  case MUSTER_PROOF_CLAIMS_UNSUPPORTED:
    return g_strdup_printf ("not known: its service does not let it be proven (%s); next try %s",
                            evidence, next);
  case MUSTER_PROOF_CLAIMS_FAILED:
    return g_strdup_printf (
      "failed since %s: others may not reach it (%s), and registering again did"
      " not help; see what is between, such as a NAT or a firewall, or try"
      " another transport, then: muster verify %s; next try by itself %s",
      since, evidence, id, next);
  }

  g_return_val_if_reached (g_strdup (""));
}

static void
explain_proof (GVariantBuilder *rows, MusterBroker *broker, MusterAccount *account)
{
  const MusterProofView *proof = muster_broker_get_proof (broker, account);
  gboolean is_serving = muster_account_get_serving (account) != NULL;
  g_autofree char *sentence = muster_explain_proof (proof, is_serving,
                                                    muster_account_get_id (account));

  add (rows, "reachable", is_serving && proof->claim == MUSTER_PROOF_CLAIMS_PROVEN, "%s", sentence);
}

GVariant *
muster_explain_account (MusterBroker *broker, MusterAccount *account)
{
  const MusterAccountRecord *record = muster_account_get_record (account);
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));
  const char *problem = muster_account_get_problem (account);
  gboolean admitted = !g_str_equal (view->reason, "admission");
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(sbs)"));
  if (record->enabled && muster_account_is_disconnected (account))
    add (&rows, "enabled", FALSE,
         "somebody disconnected it for this session; connect it with: muster connect %s",
         record->id);
  else
    add (&rows, "enabled", record->enabled,
         record->enabled ? "the account is enabled" : "the account is disabled; enable it");
  explain_plugin (&rows, account);
  add (&rows, "parameters", *problem == '\0', "%s",
       *problem == '\0' ? "its parameters are complete" : problem);
  explain_secret (&rows, broker, account);
  explain_network (&rows, broker, account);
  add (&rows, "admission", admitted,
       admitted ? "nothing holds it back" : "it waits for its turn: many accounts start at once");
  if (g_str_equal (view->reason, "gate"))
    add (&rows, "gate", FALSE, "the service accepted it; somebody is asked whether it may stand");
  explain_service (&rows, view);
  explain_lease (&rows, view);
  if (muster_account_can (account, MUSTER_TYPE_VERIFIER))
    explain_proof (&rows, broker, account);

  return g_variant_builder_end (&rows);
}
