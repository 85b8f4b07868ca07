/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "broker/muster-explain.h"
#include "fixtures/plugins/full/full.h"

/* Proofs of reachability from an account's registration to what is told of it. */

static Full *full;
static void (*release) (void);

static void
set_up (Daemon *daemon, gconstpointer data)
{
  static const char *const aside[] = { "load", "publish", NULL };
  GModule *module = g_module_open (g_getenv ("MUSTER_FULL_PLUGIN"),
                                   G_MODULE_BIND_LOCAL | G_MODULE_BIND_LAZY);

  g_assert_nonnull (module);
  g_assert_true (g_module_symbol (module, "full", (gpointer *) &full));
  g_assert_true (g_module_symbol (module, "full_release", (gpointer *) &release));
  memset (full, 0, sizeof *full);
  full->log = g_string_new (NULL);
  full->consumed = g_ptr_array_new ();
  full->aside = aside;
  full->renew_error = full->consume_error = full->gate_error = -1;
  daemon_set_up (daemon, data);
}

static void
tear_down (Daemon *daemon, gconstpointer data)
{
  daemon_tear_down (daemon, data);
  g_string_free (full->log, TRUE);
  g_ptr_array_unref (full->consumed);
}

static MusterAccount *
add_of (Daemon *daemon, const char *protocol, const char *address)
{
  g_autoptr (GHashTable) none = secrets_new (NULL);
  g_autoptr (GVariant) params = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  GAsyncResult *result = NULL;
  MusterAccount *account;

  muster_broker_add_account_async (daemon->broker, protocol, address, params, none, NULL, NULL,
                                   TRUE, on_result, &result);
  account = end_add (daemon, &result);
  wait_for_state (account, "registered");
  g_string_truncate (full->log, 0);
  g_string_truncate (daemon->told, 0);

  return account;
}

/* Returns the verdict and the evidence, or the error. */
static char *
verify (Daemon *daemon, MusterAccount *account)
{
  GAsyncResult *result = NULL;
  g_autoptr (GAsyncResult) held = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *evidence = NULL;
  MusterProofOutcome outcome;

  muster_broker_verify_async (daemon->broker, account, on_result, &result);
  held = wait_for_result (&result);
  if (!muster_broker_verify_finish (daemon->broker, held, &outcome, &evidence, &error)) {
    g_assert_cmpuint (error->domain, ==, MUSTER_BROKER_ERROR);
    return g_strdup_printf ("%d: %s", error->code, error->message);
  }

  return g_strdup_printf ("%s: %s", muster_proof_outcome_to_string (outcome), evidence);
}

#define assert_verify(daemon, account, expected)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *came_to = verify (daemon, account);                                           \
    g_assert_cmpstr (came_to, ==, expected);                                                       \
  }                                                                                                \
  G_STMT_END

#define assert_claims(daemon, account, expected)                                                   \
  g_assert_cmpstr (muster_proof_claim_to_string (                                                  \
                     muster_broker_get_proof ((daemon)->broker, account)->claim),                  \
                   ==, expected)

/* The last condition of its chain, and whether it holds. */
static char *
last_condition (Daemon *daemon, MusterAccount *account)
{
  g_autoptr (GVariant) rows = g_variant_ref_sink (muster_explain_account (daemon->broker, account));
  const char *name;
  gboolean holds;

  g_variant_get_child (rows, g_variant_n_children (rows) - 1, "(&sb&s)", &name, &holds, NULL);

  return g_strdup_printf ("%s %s", name, holds ? "yes" : "no");
}

#define assert_last_condition(daemon, account, expected)                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *last = last_condition (daemon, account);                                      \
    g_assert_cmpstr (last, ==, expected);                                                          \
  }                                                                                                \
  G_STMT_END

static void
test_proven (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_of (daemon, "full", "alice@full");
  const MusterProofView *proof = muster_broker_get_proof (daemon->broker, account);

  assert_claims (daemon, account, "");
  assert_last_condition (daemon, account, "reachable no");
  g_assert_cmpint (proof->next_at_us, >, g_get_real_time ());
  assert_verify (daemon, account, "proven: it came back");
  assert_claims (daemon, account, "proven");
  assert_last_condition (daemon, account, "reachable yes");
  assert_told (daemon, "registration.proven");
  g_assert_cmpuint (muster_broker_count_proofs (daemon->broker, MUSTER_PROOF_CLAIMS_PROVEN), ==, 1);

  assert_verify (daemon, account, "proven: it came back");
  assert_told (daemon, "");

  /* On another network it has to be proven anew. */
  muster_broker_network_changed (daemon->broker);
  assert_claims (daemon, account, "");
  wait_for_state (account, "registered");
  assert_verify (daemon, account, "proven: it came back");

  set_enabled (daemon, account, FALSE);
  wait_for_state (account, "disabled");
  assert_claims (daemon, account, "");
  assert_last_condition (daemon, account, "reachable no");
  g_assert_cmpint (proof->proven_at_us, >, 0);
  g_assert_cmpint (proof->next_at_us, ==, 0);
  g_assert_cmpuint (muster_broker_count_proofs (daemon->broker, MUSTER_PROOF_CLAIMS_PROVEN), ==, 0);
}

/* It worked once, and does no longer: it is registered again, once, and then it is said. */
static void
test_broken (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_of (daemon, "full", "alice@full");

  assert_verify (daemon, account, "proven: it came back");
  full->verdict = MUSTER_VERDICT_MISSED;
  for (guint i = 0; i < 5; i++) {
    assert_verify (daemon, account, "missed: nothing came back");
    wait_for_state (account, "registered");
    assert_claims (daemon, account, i < 2 ? "proven" : "failed");
  }
  g_assert_cmpstr (full->log->str, ==, "verify verify verify open verify verify verify ");
  assert_last_condition (daemon, account, "reachable no");
  g_assert_cmpuint (muster_broker_count_proofs (daemon->broker, MUSTER_PROOF_CLAIMS_FAILED), ==, 1);
  assert_told (daemon, "registration.proven registration.refreshed registration.unproven");

  full->verdict = MUSTER_VERDICT_PROVEN;
  assert_verify (daemon, account, "proven: it came back");
  assert_told (daemon, "registration.proven");
}

static void
restart (Daemon *daemon)
{
  daemon_kill (daemon);
  daemon_start (daemon);
}

/* It worked once in the run before; whether people know that it does not any more, too. */
static void
test_after_a_restart (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_of (daemon, "full", "alice@full");

  assert_verify (daemon, account, "proven: it came back");
  for (guint run = 0; run < 2; run++) {
    restart (daemon);
    account = only_account (daemon);
    wait_for_state (account, "registered");
    full->verdict = MUSTER_VERDICT_MISSED;
    g_string_truncate (daemon->told, 0);
    for (guint i = 0; i < 3; i++) {
      assert_claims (daemon, account, "");
      assert_verify (daemon, account, "missed: nothing came back");
      wait_for_state (account, "registered");
    }
    assert_claims (daemon, account, "failed");
    assert_told (daemon, run == 0 ? "registration.refreshed registration.unproven"
                                  : "registration.refreshed");
  }

  restart (daemon);
  account = only_account (daemon);
  wait_for_state (account, "registered");
  full->verdict = MUSTER_VERDICT_PROVEN;
  g_string_truncate (daemon->told, 0);
  assert_verify (daemon, account, "proven: it came back");
  assert_told (daemon, "registration.proven");
  restart (daemon);
  account = only_account (daemon);
  wait_for_state (account, "registered");
  g_string_truncate (daemon->told, 0);
  assert_verify (daemon, account, "proven: it came back");
  assert_told (daemon, "");
}

#define UNSUPPORTED G_STRINGIFY (10)
#define WRONG_STATE G_STRINGIFY (7)

static void
test_cannot (Daemon *daemon, gconstpointer data)
{
  MusterAccount *bound = add (daemon, "alice@bound", "hush");
  MusterAccount *account = add_of (daemon, "full", "alice@full");

  G_STATIC_ASSERT (MUSTER_BROKER_ERROR_UNSUPPORTED == 10 && MUSTER_BROKER_ERROR_WRONG_STATE == 7);
  wait_for_state (bound, "registered");
  assert_verify (daemon, bound,
                 UNSUPPORTED ": Bound has no way to prove that others reach an account");
  assert_last_condition (daemon, bound, "lease yes");
  assert_claims (daemon, bound, "");

  set_enabled (daemon, account, FALSE);
  wait_for_state (account, "disabled");
  assert_verify (daemon, account,
                 WRONG_STATE ": it is not registered (disabled), so nobody reaches it");
}

/* What is sent while the registration is being extended may go nowhere. */
static void
test_while_refreshing (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_of (daemon, "full", "alice@full");
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  g_assert_true (muster_broker_refresh (daemon->broker, account, NULL));
  while (full->log->len == 0)
    g_main_context_iteration (NULL, TRUE);
  muster_broker_verify_async (daemon->broker, account, on_result, &result);
  g_assert_cmpstr (full->log->str, ==, "open ");
  full->hold = FALSE;
  release ();
  wait_for_state (account, "registered");
  g_object_unref (wait_for_result (&result));
  g_assert_cmpstr (full->log->str, ==, "open verify ");
}

/* An account that goes while it is verified. */
static void
test_removed (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_of (daemon, "full", "alice@full");
  GAsyncResult *asked = NULL;
  GAsyncResult *removed = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *evidence = NULL;
  MusterProofOutcome outcome;

  full->hold = TRUE;
  muster_broker_verify_async (daemon->broker, account, on_result, &asked);
  full->hold = FALSE;
  muster_broker_remove_account_async (daemon->broker, account, on_result, &removed);
  while (asked == NULL || removed == NULL || !g_str_has_suffix (full->log->str, "close "))
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (muster_broker_verify_finish (daemon->broker, asked, &outcome, &evidence, &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE);
  g_object_unref (asked);
  g_object_unref (removed);
}

#define ADD(name, func) g_test_add ("/broker-proof/" name, Daemon, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  ADD ("proven", test_proven);
  ADD ("broken", test_broken);
  ADD ("after-a-restart", test_after_a_restart);
  ADD ("cannot", test_cannot);
  ADD ("while-refreshing", test_while_refreshing);
  ADD ("removed", test_removed);

  return g_test_run ();
}
