/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "broker/muster-document.h"
#include "broker/muster-trial.h"
#include "muster-hub-private.h"

/* What would become of an account: the steps of a trial, on virtual time, and documents of accounts. */

static void
begin_test (Daemon *daemon,
            const char *address,
            const char *password,
            GCancellable *cancellable,
            GAsyncResult **result)
{
  g_autoptr (GHashTable) secrets = secrets_new (password);
  g_autoptr (GVariant)
    params = g_variant_ref_sink (g_variant_new_parsed ("{'server': <'one.example'>}"));

  muster_broker_test_async (daemon->broker, "bound", address, params, secrets, cancellable,
                            on_result, result);
}

/* Returns: the steps, those that failed with a "!" */
static char *
end_test (Daemon *daemon, GAsyncResult **result)
{
  g_autoptr (GAsyncResult) held = wait_for_result (result);
  g_autoptr (MusterTrialReport) report = NULL;
  g_autoptr (GString) steps = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  GVariantIter iter;
  const char *name, *sentence;
  gboolean worked;

  report = muster_broker_test_finish (daemon->broker, held, &error);
  if (report == NULL)
    return g_strdup (error->message);

  g_variant_iter_init (&iter, report->steps);
  while (g_variant_iter_next (&iter, "(&sb&s)", &name, &worked, &sentence)) {
    g_assert_cmpstr (sentence, !=, "");
    g_string_append_printf (steps, "%s%s%s", steps->len > 0 ? " " : "", worked ? "" : "!", name);
  }
  g_assert_true ((report->error == NULL) == !g_str_has_prefix (strrchr (steps->str, ' '), " !"));

  return g_string_free (g_steal_pointer (&steps), FALSE);
}

#define assert_test(daemon, address, password, expected)                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GAsyncResult *waiting = NULL;                                                                  \
    g_autofree char *steps = NULL;                                                                 \
    begin_test (daemon, address, password, NULL, &waiting);                                        \
    steps = end_test (daemon, &waiting);                                                           \
    g_assert_cmpstr (steps, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static void
test_steps (Daemon *daemon, gconstpointer data)
{
  assert_test (daemon, "alice@bound", "hush",
               "configure secret resolve connect tls authenticate register unregister");
  assert_test (daemon, "alice@bound", "wrong",
               "configure secret resolve connect tls !authenticate");
  assert_test (daemon, "alice@bound", NULL, "configure !secret");
  assert_told (daemon, "");
  g_assert_cmpint (g_sequence_get_length (muster_broker_get_accounts (daemon->broker)), ==, 0);
}

/* A service that answers nothing is given up in time, and the next test finds a free place. */
static void
test_deadline (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *results[MUSTER_TRIALS_MAX + 1] = { NULL };

  for (guint i = 0; i <= MUSTER_TRIALS_MAX; i++)
    begin_test (daemon, "silent@bound", "hush", NULL, &results[i]);
  {
    g_autofree char *refused = end_test (daemon, &results[MUSTER_TRIALS_MAX]);
    g_assert_cmpstr (refused, ==, "8 tests are under way already");
  }

  muster_clock_advance_us ((gint64) (MUSTER_TRIAL_MS - 2000) * 1000);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_null (results[0]);

  muster_clock_advance_us ((gint64) 2000 * 1000);
  for (guint i = 0; i < MUSTER_TRIALS_MAX; i++) {
    g_autofree char *steps = end_test (daemon, &results[i]);

    g_assert_cmpstr (steps, ==, "configure secret resolve connect tls authenticate !register");
  }
  while (g_main_context_iteration (NULL, FALSE)) /* they take back what may be there */
    continue;
  assert_test (daemon, "alice@bound", "wrong",
               "configure secret resolve connect tls !authenticate");
}

static void
test_given_up (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *outcome = NULL;
  GAsyncResult *result = NULL;

  begin_test (daemon, "silent@bound", "hush", cancellable, &result);
  g_cancellable_cancel (cancellable);
  outcome = end_test (daemon, &result);
  g_assert_cmpstr (outcome, ==, "the test was given up");
}

/* The session ends, or the broker goes, while one is under way. */
static void
test_left (Daemon *daemon, gconstpointer data)
{
  g_autofree char *outcome = NULL;
  g_autofree char *refused = NULL;
  GAsyncResult *result = NULL;
  GAsyncResult *late = NULL;
  GAsyncResult *left = NULL;
  g_autoptr (GAsyncResult) held = NULL;

  begin_test (daemon, "silent@bound", "hush", NULL, &result);
  muster_broker_leave_async (daemon->broker, on_result, &left);
  begin_test (daemon, "alice@bound", "hush", NULL, &late);
  held = wait_for_result (&left);
  g_assert_true (muster_broker_leave_finish (daemon->broker, held, NULL));
  outcome = end_test (daemon, &result);
  g_assert_cmpstr (outcome, ==, "the test was given up");
  refused = end_test (daemon, &late);
  g_assert_cmpstr (refused, ==, "the daemon is about to end");
}

static void
test_killed (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *result = NULL;
  g_autoptr (GAsyncResult) held = NULL;

  begin_test (daemon, "silent@bound", "hush", NULL, &result);
  daemon_kill (daemon);
  held = wait_for_result (&result);
  g_assert_null (muster_broker_test_finish (NULL, held, NULL));
}

/* documents */

static void
test_document (void)
{
  const MusterAccountRecord record = {
    .protocol = (char *) "echo",
    .address = (char *) "a\"\\@b",
    .name = (char *) "\t\xe2\x98\x83\x7f",
    .enabled = FALSE,
    .params = g_variant_new_parsed ("{'n': <uint32 4294967295>, 'y': <true>, 's': <'\"x\"'>}"),
  };
  g_autoptr (GVariant) params = g_variant_ref_sink (record.params);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (MusterDocument) document = NULL;
  g_autoptr (GError) error = NULL;
  const MusterAccountRecord *read;

  muster_document_begin (text);
  muster_document_add_identity (text, "Ann");
  muster_document_add_identity (text, "Bob");
  muster_document_begin_accounts (text);
  muster_document_add_account (text, &record, "Bob");
  muster_document_end (text);

  document = muster_document_parse (text->str, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (document->identities->len, ==, 2);
  g_assert_cmpuint (document->accounts->len, ==, 1);
  read = document->accounts->pdata[0];
  g_assert_cmpstr (read->identity, ==, "Bob");
  g_assert_cmpstr (read->protocol, ==, record.protocol);
  g_assert_cmpstr (read->address, ==, record.address);
  g_assert_cmpstr (read->name, ==, record.name);
  g_assert_false (read->enabled);
  for (gsize i = 0; i < g_variant_n_children (params); i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (params, i);
    g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
    g_autoptr (GVariant) boxed = g_variant_get_child_value (entry, 1);
    g_autoptr (GVariant) value = g_variant_get_variant (boxed);
    g_autoptr (GVariant)
      got = g_variant_lookup_value (read->params, g_variant_get_string (key, NULL), NULL);

    g_assert_cmpvariant (got, value);
  }
}

/* No prefix of a document, and none with a byte changed, is read as something or crashes. */
static void
test_broken_documents (void)
{
  static const char good[] = "{\"format\":\"muster-accounts\",\"version\":1,\"identities\":"
                             "[{\"name\":\"A\"}],\"accounts\":[{\"identity\":\"A\",\"protocol\":"
                             "\"echo\",\"address\":\"a@b\",\"parameters\":{\"n\":1}}]}";
  static const char bytes[] = "\"\\{}[]:,/'*0\x01";

  for (gsize n = 0; n + 1 < sizeof good; n++) {
    g_autofree char *cut = g_strndup (good, n);
    g_autoptr (GError) error = NULL;

    g_assert_null (muster_document_parse (cut, &error));
    g_assert_true (g_str_has_prefix (error->message, "document: "));
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
  }
  for (gsize n = 0; n + 1 < sizeof good; n++) {
    for (gsize i = 0; i + 1 < sizeof bytes; i++) {
      g_autofree char *changed = g_strdup (good);
      g_autoptr (MusterDocument) document = NULL;
      g_autoptr (GError) error = NULL;

      changed[n] = bytes[i];
      document = muster_document_parse (changed, &error);
      g_assert_true ((document == NULL) == (error != NULL));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  muster_clock_use_virtual (G_USEC_PER_SEC, G_GINT64_CONSTANT (1751700000000000));

#define ADD(name, func) g_test_add (name, Daemon, NULL, daemon_set_up, func, daemon_tear_down)
  ADD ("/trial/steps", test_steps);
  ADD ("/trial/deadline", test_deadline);
  ADD ("/trial/given-up", test_given_up);
  ADD ("/trial/left", test_left);
  ADD ("/trial/killed", test_killed);
#undef ADD
  g_test_add_func ("/document/there-and-back", test_document);
  g_test_add_func ("/document/broken", test_broken_documents);

  return g_test_run ();
}
