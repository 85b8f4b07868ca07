/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "broker/muster-explain.h"

/* "Why is it not registered?" has an answer in every state, and the answer is true. */

/* The names of the conditions that do not hold, joined. */
static char *
explain (Daemon *daemon, MusterAccount *account)
{
  g_autoptr (GVariant) rows = g_variant_ref_sink (muster_explain_account (daemon->broker, account));
  g_autoptr (GString) missing = g_string_new (NULL);
  GVariantIter iter;
  const char *name, *sentence;
  gboolean holds;

  g_assert_cmpstr (g_variant_get_type_string (rows), ==, "a(sbs)");
  g_assert_cmpuint (g_variant_n_children (rows), ==, 8);
  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_next (&iter, "(&sb&s)", &name, &holds, &sentence)) {
    g_assert_cmpstr (sentence, !=, "");
    g_assert_null (strstr (sentence, "hush")); /* the password of these tests */
    if (!holds)
      g_string_append_printf (missing, "%s%s", missing->len > 0 ? " " : "", name);
  }

  return g_string_free (g_steal_pointer (&missing), FALSE);
}

static char *
sentence_of (Daemon *daemon, MusterAccount *account, const char *wanted)
{
  g_autoptr (GVariant) rows = g_variant_ref_sink (muster_explain_account (daemon->broker, account));
  GVariantIter iter;
  const char *name, *sentence;

  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_next (&iter, "(&sb&s)", &name, NULL, &sentence)) {
    if (g_str_equal (name, wanted))
      return g_strdup (sentence);
  }

  g_error ("%s is not explained", wanted);
}

#define assert_missing(daemon, account, expected)                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *missing = explain (daemon, account);                                          \
    g_assert_cmpstr (missing, ==, expected);                                                       \
  }                                                                                                \
  G_STMT_END

#define assert_says(daemon, account, name, pattern)                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *sentence = sentence_of (daemon, account, name);                               \
    if (!g_pattern_match_simple (pattern, sentence))                                               \
      g_error ("\"%s\" is not like \"%s\"", sentence, pattern);                                    \
  }                                                                                                \
  G_STMT_END

static void
test_registered (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  wait_for_state (account, "registered");
  assert_missing (daemon, account, "");
  assert_says (daemon, account, "service", "*accepted*");
  assert_says (daemon, account, "lease", "it ends in ?? min, and is refreshed in ?? min");
  set_enabled (daemon, account, FALSE);
  wait_for_state (account, "disabled");
  assert_missing (daemon, account, "enabled service lease");
  assert_says (daemon, account, "enabled", "*disabled; enable it");
}

static void
test_lease_that_does_not_end (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GHashTable) none = secrets_new (NULL);
  g_autoptr (GVariant) params = g_variant_ref_sink (
    g_variant_new_parsed ("{'lease': <uint32 0>, 'delay': <uint32 0>}"));
  GAsyncResult *result = NULL;
  MusterAccount *account;

  muster_broker_add_account_async (daemon->broker, "echo", "alice@echo", params, none, NULL, NULL,
                                   TRUE, on_result, &result);
  account = end_add (daemon, &result);
  wait_for_state (account, "registered");
  assert_says (daemon, account, "lease", "it holds until it is lost");
}

static void
test_secrets (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", NULL);

  wait_for_state (account, "waiting-secret");
  assert_missing (daemon, account, "secret service lease");
  assert_says (daemon, account, "secret", "its password is not stored; *muster secret a* password");
  set_password (daemon, account, "wrong");
  wait_for_state (account, "waiting-secret");
  assert_missing (daemon, account, "secret service lease");
  assert_says (daemon, account, "secret", "the service refused what is stored*");
  assert_says (
    daemon, account, "service",
    "the password is wrong (step: authenticate); failures in a row: 1; next attempt: not "
    "by itself");

  /* After a restart, too, though the failure itself is gone. */
  daemon_kill (daemon);
  daemon_start (daemon);
  assert_says (daemon, only_account (daemon), "secret", "the service refused what is stored*");
}

static void
test_off_line (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  wait_for_state (account, "registered");
  muster_broker_set_offline (daemon->broker, "asleep", TRUE);
  muster_broker_set_offline (daemon->broker, "no-link", TRUE);
  assert_missing (daemon, account, "network service lease");
  assert_says (daemon, account, "network", "this machine is off-line: asleep");
}

static void
test_parameters_and_plugin (Daemon *daemon, gconstpointer data)
{
  add (daemon, "alice@bound", "hush");
  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE account SET protocol = 'gone'");
  daemon_start (daemon);
  assert_missing (daemon, only_account (daemon), "plugin service lease");
  assert_says (daemon, only_account (daemon), "plugin", "no plugin speaks protocol gone*");

  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE account SET protocol = 'bound', address = 'nobody'");
  daemon_start (daemon);
  assert_missing (daemon, only_account (daemon), "parameters service lease");
  assert_says (daemon, only_account (daemon), "parameters", "\"nobody\" is not an address*");
}

#define ADD(name, func)                                                                            \
  g_test_add ("/explain/" name, Daemon, NULL, daemon_set_up, func, daemon_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  ADD ("registered", test_registered);
  ADD ("lease-that-does-not-end", test_lease_that_does_not_end);
  ADD ("secrets", test_secrets);
  ADD ("off-line", test_off_line);
  ADD ("parameters-and-plugin", test_parameters_and_plugin);

  return g_test_run ();
}
