/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "full-fixture.h"

/* The bindings of accounts that speak `full`: "full:ours", whose it is, and "full:other". */

static void
set_up (Daemon *daemon, gconstpointer data)
{
  full_reset ();
  daemon_set_up (daemon, data);
}

static void
release_all (void)
{
  full->hold = full->deaf = FALSE;
  while (!g_queue_is_empty (&full->held))
    release ();
  settle ();
}

static void
tear_down (Daemon *daemon, gconstpointer data)
{
  if (daemon->broker != NULL)
    daemon_leave (daemon);
  daemon_tear_down (daemon, data);
  settle ();
}

static MusterAccount *
add_full (Daemon *daemon)
{
  g_autoptr (GHashTable) none = secrets_new (NULL);
  g_autoptr (GVariant) params = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  GAsyncResult *result = NULL;
  MusterAccount *account;

  muster_broker_add_account_async (daemon->broker, "full", "alice@full", params, none, NULL, NULL,
                                   TRUE, on_result, &result);
  account = end_add (daemon, &result);
  wait_for_state (account, "registered");
  settle ();
  g_string_truncate (full->log, 0);
  g_string_truncate (daemon->told, 0);

  return account;
}

/* Of what was logged or told, and forgotten then, what it is about here: other capabilities are at work, too. */
static char *
take_matter (GString *log, const char *const *matter)
{
  g_auto (GStrv) words = g_strsplit (log->str, " ", -1);
  GString *kept = g_string_new (NULL);

  g_string_truncate (log, 0);
  for (char **word = words; *word != NULL; word++) {
    for (const char *const *prefix = matter; *prefix != NULL; prefix++) {
      if (g_str_has_prefix (*word, *prefix))
        g_string_append_printf (kept, "%s%s", kept->len > 0 ? " " : "", *word);
    }
  }
  return g_string_free (kept, FALSE);
}

#define assert_asked(expected)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    const char *const matter[] = { "open", "close", "list", "unbind", NULL };                      \
    g_autofree char *asked = take_matter (full->log, matter);                                      \
    g_assert_cmpstr (asked, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

#define assert_events(daemon, expected)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    const char *const matter[] = { "registration.", "binding.", NULL };                            \
    g_autofree char *events = take_matter ((daemon)->told, matter);                                \
    g_assert_cmpstr (events, ==, expected);                                                        \
  }                                                                                                \
  G_STMT_END

static void
begin_remove (Daemon *daemon, MusterAccount *account, const char *uri, GAsyncResult **result)
{
  muster_broker_remove_binding_async (daemon->broker, account, uri, on_result, result);
}

/* "another's", "ours", or the words of the error. */
static char *
end_remove (GAsyncResult **result, GQuark domain, int code)
{
  g_autoptr (GAsyncResult) held = wait_for_result (result);
  g_autoptr (GError) error = NULL;
  gboolean ours;

  *result = NULL;
  if (muster_broker_remove_binding_finish (NULL, held, &ours, &error))
    return g_strdup (ours ? "ours" : "another's");

  g_assert_error (error, domain, code);
  return g_strdup (error->message);
}

#define assert_removed(result, whose)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *came_to = end_remove (result, MUSTER_BROKER_ERROR, -1);                       \
    g_assert_cmpstr (came_to, ==, whose);                                                          \
  }                                                                                                \
  G_STMT_END

#define assert_fails(result, domain, code, words)                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *came_to = end_remove (result, domain, code);                                  \
    g_assert_cmpstr (came_to, ==, words);                                                          \
  }                                                                                                \
  G_STMT_END

static void
test_listed (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon);
  g_autoptr (GPtrArray) bindings = NULL;
  g_autoptr (GAsyncResult) held = NULL;
  GAsyncResult *result = NULL;

  muster_broker_list_bindings_async (daemon->broker, account, on_result, &result);
  held = wait_for_result (&result);
  bindings = muster_broker_list_bindings_finish (daemon->broker, held, NULL);
  g_assert_cmpuint (bindings->len, ==, 2);
  g_assert_cmpstr (((MusterBinding *) bindings->pdata[1])->uri, ==, "full:other");
  assert_asked ("list");
  assert_events (daemon, "");
}

static void
test_another_is_removed (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon);
  GAsyncResult *result = NULL;

  begin_remove (daemon, account, "full:other", &result);
  assert_removed (&result, "another's");
  settle ();
  assert_asked ("list unbind:full:other");
  assert_events (daemon, "binding.removed");
  g_assert_cmpint (view (account)->state, ==, MUSTER_ACCOUNT_REGISTERED);
}

/* Nobody reaches it: it must not wait for its next refresh. */
static void
test_own_comes_back (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon);
  GAsyncResult *result = NULL;

  begin_remove (daemon, account, "full:ours", &result);
  assert_removed (&result, "ours");
  wait_for_state (account, "registered");
  settle ();
  assert_asked ("list unbind:full:ours open");
  assert_events (daemon, "binding.removed registration.lost registration.created");

  begin_remove (daemon, account, NULL, &result);
  assert_removed (&result, "ours");
  wait_for_state (account, "registered");
  settle ();
  assert_asked ("unbind:all open");
  assert_events (daemon, "binding.removed registration.lost registration.created");
  g_assert_null (view (account)->error);
}

static void
test_refused (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon);
  GAsyncResult *result = NULL;

  begin_remove (daemon, account, "full:nobody", &result);
  assert_fails (&result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                "its service has no such binding; list them to see which");
  assert_asked ("list");
  begin_remove (daemon, account, "", &result);
  assert_fails (&result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "uri is empty");
  begin_remove (daemon, account, "full:\r\nother", &result);
  assert_fails (&result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                "uri holds characters that cannot be shown");
  {
    g_autofree char *text = g_strnfill (1025, 'x');

    begin_remove (daemon, account, text, &result);
    assert_fails (&result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                  "uri is longer than 1024 bytes");
  }

  full->bind_error = MUSTER_ERROR_FORBIDDEN;
  begin_remove (daemon, account, "full:other", &result);
  assert_fails (&result, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN, "told to fail");
  assert_asked ("list");
  assert_events (daemon, "");

  set_enabled (daemon, account, FALSE);
  wait_for_state (account, "disabled");
  begin_remove (daemon, account, NULL, &result);
  assert_fails (&result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                "it is not registered (disabled), so its service cannot be asked");
}

static void
test_unsupported (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "ann@one.example", "secret");
  GAsyncResult *result = NULL;

  begin_remove (daemon, account, NULL, &result);
  assert_fails (&result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_UNSUPPORTED,
                "Bound does not say where it reaches an account");
}

/* A service that said no has all of them still; of one that said nothing nobody knows. */
static void
test_own_in_doubt (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon);
  GAsyncResult *result = NULL;

  full->unbind_error = MUSTER_ERROR_FORBIDDEN;
  begin_remove (daemon, account, NULL, &result);
  assert_fails (&result, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN, "told to fail");
  settle ();
  assert_asked ("unbind:all");

  full->unbind_error = MUSTER_ERROR_UNREACHABLE;
  begin_remove (daemon, account, "full:other", &result);
  assert_fails (&result, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE, "told to fail");
  settle ();
  assert_asked ("list unbind:full:other");

  begin_remove (daemon, account, "full:ours", &result);
  assert_fails (&result, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE, "told to fail");
  settle ();
  assert_asked ("list unbind:full:ours open");

  full->unbind_error = MUSTER_ERROR_PROTOCOL;
  begin_remove (daemon, account, NULL, &result);
  assert_fails (&result, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL, "told to fail");
  settle ();
  assert_asked ("unbind:all open");
  g_assert_cmpint (view (account)->state, ==, MUSTER_ACCOUNT_REGISTERED);
}

static void
test_no_answer (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon);
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  begin_remove (daemon, account, NULL, &result);
  pass_ms (19 * 1000);
  g_assert_null (result);
  full->hold = FALSE;
  pass_ms (1000);
  assert_fails (&result, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE,
                "the service did not answer within 20 s");
  assert_asked ("unbind:all open");

  full->hold = full->deaf = TRUE; /* it ends after its caller was answered */
  begin_remove (daemon, account, NULL, &result);
  pass_ms (20 * 1000);
  assert_fails (&result, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE,
                "the service did not answer within 20 s");
  g_string_truncate (daemon->told, 0);
  release_all ();
  assert_asked ("unbind:all open");
  assert_events (daemon, "binding.removed registration.lost registration.created");
}

static void
test_goes_off (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon);
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  begin_remove (daemon, account, "full:ours", &result);
  settle ();
  full->hold = FALSE;
  set_enabled (daemon, account, FALSE);
  assert_fails (&result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                "the account went off before its service answered");
  wait_for_state (account, "disabled");
  assert_asked ("list close");
}

static void
test_daemon_ends (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_full (daemon);
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  begin_remove (daemon, account, NULL, &result);
  settle ();
  daemon_kill (daemon);
  assert_fails (&result, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED, "the daemon ends");
  release_all ();
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  full_find (g_getenv ("MUSTER_FULL_PLUGIN"));

#define ADD(name, func) g_test_add ("/broker-bindings/" name, Daemon, NULL, set_up, func, tear_down)
  ADD ("listed", test_listed);
  ADD ("another-is-removed", test_another_is_removed);
  ADD ("own-comes-back", test_own_comes_back);
  ADD ("refused", test_refused);
  ADD ("unsupported", test_unsupported);
  ADD ("own-in-doubt", test_own_in_doubt);
  ADD ("no-answer", test_no_answer);
  ADD ("goes-off", test_goes_off);
  ADD ("daemon-ends", test_daemon_ends);

  status = g_test_run ();
  full_clear ();
  return status;
}
