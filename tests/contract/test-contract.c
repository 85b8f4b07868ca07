/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <muster/muster-test.h>

#include <glib/gstdio.h>

#include <string.h>

/* What the contract's report says of a plugin that keeps it, and of one that breaks it. */

/* Real time; only a service on a socket and a plugin that hangs use it up. */
#define IDLE_MS     30
#define DEADLINE_MS 300

typedef struct {
  const char *fault;
  const char *step;  /* that must be broken */
  const char *words; /* that its sentence must hold */
} Case;

static const Case cases[] = {
  { "answers-twice", "register", "answered an operation twice" },
  { "answers-at-once", "register", "answered open before the call returned" },
  { "no-answer", "register", "nothing is left that could make it" },
  { "foreign-error", "register", "is not of the SDK's" },
  { "late-refresh", "register", "a refresh after 61 s of a lease of 60 s" },
  { "always-refreshed", "register", "calls its first lease refreshed" },
  { "always-refreshed", "register-again", "refreshed that it got after a close" },
  { "never-refreshed", "refresh", "does not call a lease that it extended refreshed" },
  { "loses", "refresh", "the server hung up (unreachable)" },
  { "fails-to-close", "unregister", "unregistering failed: not now (busy)" },
  { "ignores-cancel", "cancel-open", "an open that was cancelled before it began did not end" },
  { "ignores-cancel", "cancel-refresh",
    "a refresh that was cancelled before it began did not end" },
  { "ignores-cancel", "cancel-close", "a close that was cancelled before it began did not end" },
  { "wrong-error-on-cancel", "cancel-open", "ended with \"the connection was reset\" instead" },
  { "leaves-handler", "register", "cancelled after the end" },
  { "leaks-cancellable", "register", "reference to the cancellable" },
  { "leaks-self", "leave-nothing", "keeps a reference to its registration" },
  { "leaks-timer", "leave-nothing", "a timer is still armed, due in 3" },
  { "leaks-descriptor", "leave-nothing", "leaves descriptors open" },
  { "crashes", "register", "it crashed (Aborted) while it registered" },
  { "exits", "register", "it ended the process, with status 0, while it registered" },
  { "hangs", "register", "it blocked the main loop while it registered" },
};

static MusterTestBench *
make_bench (const char *fault)
{
  MusterTestBench *bench = muster_test_bench_new (g_getenv ("PLUGIN_FAULTY"), "faulty", NULL);

  muster_test_bench_set (bench, "fault", fault);
  muster_test_bench_set_deadline_ms (bench, DEADLINE_MS);

  return bench;
}

static char *
run (MusterTestBench *bench, gboolean kept)
{
  g_autoptr (MusterTestReport) report = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  report = muster_test_bench_run_contract (bench, &error);
  g_assert_no_error (error);
  text = muster_test_report_to_text (report);
  if (muster_test_report_is_kept (report) != kept)
    g_test_message ("%s", text);
  g_assert_true (muster_test_report_is_kept (report) == kept);

  return g_steal_pointer (&text);
}

/* The line of @text about @step. */
static char *
find_line (const char *text, const char *step)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (char **line = lines; *line != NULL; line++) {
    g_auto (GStrv) words = g_strsplit (*line, " ", -1);

    if (g_strv_contains ((const char *const *) words, step))
      return g_strdup (*line);
  }

  return g_strdup ("");
}

static void
test_fault (gconstpointer data)
{
  const Case *expected = data;
  g_autoptr (MusterTestBench) bench = make_bench (expected->fault);
  g_autofree char *text = run (bench, FALSE);
  g_autofree char *line = find_line (text, expected->step);

  if (strstr (line, "FAILED") == NULL || strstr (line, expected->words) == NULL)
    g_test_message ("%s", text);
  g_assert_nonnull (strstr (line, "FAILED"));
  g_assert_nonnull (strstr (line, expected->words));
}

static void
test_kept (void)
{
  g_autoptr (MusterTestBench) bench = make_bench ("none");
  g_autoptr (MusterTestBench) echo = muster_test_bench_new (g_getenv ("PLUGIN_ECHO"), NULL, NULL);
  g_autofree char *text = run (bench, TRUE);
  g_autofree char *echo_text = NULL;

  muster_test_bench_set (echo, "delay", "60000");
  muster_test_bench_set (echo, "lease", "0");
  echo_text = run (echo, TRUE);
  g_assert_nonnull (strstr (echo_text, "registered for 0 s at alice@echo, after 60."));
}

/* With its control socket, too, which goes and comes again. */
static void
test_echo_all (void)
{
  g_autofree char *folder = g_dir_make_tmp ("muster-contract-XXXXXX", NULL);
  g_autofree char *control = g_build_filename (folder, "control", NULL);
  g_autoptr (MusterTestBench)
    bench = muster_test_bench_new (g_getenv ("PLUGIN_ECHO_ALL"), NULL, NULL);
  g_autofree char *text = NULL;

  muster_test_bench_set (bench, "control", control);
  muster_test_bench_set (bench, "delay", "1000");
  text = run (bench, TRUE);
  g_assert_nonnull (strstr (text, "registered for 60 s at alice@echo, after 1."));
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* A socket is heard only by who waits for it. */
static void
test_real_io (void)
{
  g_autoptr (MusterTestBench) bench = make_bench ("socket");
  g_autofree char *text = run (bench, FALSE);
  g_autofree char *patient = NULL;

  g_assert_nonnull (strstr (text, "run it with --real-io"));

  muster_test_bench_set_deadline_ms (bench, 60 * 1000);
  muster_test_bench_set_real_io (bench, IDLE_MS);
  patient = run (bench, TRUE);
  g_assert_nonnull (strstr (patient, "registered for 60 s"));
}

static void
test_secret (void)
{
  g_autoptr (MusterTestBench) bench = make_bench ("secret");
  g_autoptr (MusterTestBench) wrong = make_bench ("wrong-refusal");
  g_autoptr (MusterSecret) secret = muster_secret_new ("sesame", 6);
  g_autofree char *without = run (bench, FALSE);
  g_autofree char *with = NULL;
  g_autofree char *text = NULL;

  g_assert_nonnull (strstr (without, "the secret password is not set (refused)"));

  muster_test_bench_set_secret (bench, "password", secret);
  muster_test_bench_set_checked_secret (bench, "password");
  with = run (bench, TRUE);
  g_assert_nonnull (strstr (with, "refused: wrong"));

  muster_test_bench_set_secret (wrong, "password", secret);
  muster_test_bench_set_checked_secret (wrong, "password");
  text = run (wrong, FALSE);
  g_assert_nonnull (strstr (text, "a wrong secret is \"refused\", not \"forbidden\""));
}

static void
test_description (void)
{
  g_autoptr (MusterTestBench) bench = NULL;
  g_autofree char *text = NULL;

  bench = muster_test_bench_new (g_getenv ("PLUGIN_FAULTY"), "vague", "a@b");
  text = run (bench, FALSE);
  g_assert_nonnull (strstr (text, "parameter server has no label; parameter server has no help"));
  g_assert_nonnull (strstr (text, "parameter port has a range, and is no number"));
}

static void
test_not_a_plugin (void)
{
  g_autoptr (MusterTestBench) bench = muster_test_bench_new ("/dev/null", NULL, NULL);
  g_autofree char *text = run (bench, FALSE);

  g_assert_nonnull (strstr (text, "it cannot be opened"));
}

typedef struct {
  const char *protocol;
  const char *address;
  const char *param;
  const char *secret;
  const char *message;
} WrongUse;

static void
test_wrong_use (void)
{
  static const WrongUse wrong[] = {
    { NULL, NULL, NULL, NULL, "plugin faulty speaks several protocols: say which" },
    { "sip", NULL, NULL, NULL, "plugin faulty does not speak sip" },
    { "faulty", NULL, "colour", NULL, "faulty has no parameter colour" },
    { "faulty", NULL, "password", NULL, "password is a secret of faulty" },
    { "faulty", NULL, NULL, "fault", "fault is no secret of faulty" },
    { "faulty", "", NULL, NULL, "the address is empty" },
    { "vague", NULL, NULL, NULL, "\"somebody\" is only a description of one" },
    { "vague", "nobody", NULL, NULL, "\"nobody\" is not an address of Vague" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (MusterTestBench) bench = NULL;
    g_autoptr (MusterTestReport) report = NULL;
    g_autoptr (MusterSecret) secret = muster_secret_new ("x", 1);
    g_autoptr (GError) error = NULL;

    bench = muster_test_bench_new (g_getenv ("PLUGIN_FAULTY"), wrong[i].protocol, wrong[i].address);
    if (wrong[i].param != NULL)
      muster_test_bench_set (bench, wrong[i].param, "x");
    if (wrong[i].secret != NULL)
      muster_test_bench_set_secret (bench, wrong[i].secret, secret);

    report = muster_test_bench_run_contract (bench, &error);
    g_assert_null (report);
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, wrong[i].message));
  }
}

/* By hand, in this process. */
static void
test_bench (void)
{
  g_autoptr (MusterTestBench) bench = make_bench ("loses");
  g_autoptr (MusterLease) lease = NULL;
  g_autoptr (GError) error = NULL;
  gint64 began_us;

  g_assert_true (muster_test_bench_load (bench, &error));
  g_assert_no_error (error);
  began_us = muster_clock_now_us ();
  lease = muster_test_bench_open (bench, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lease->bindings[0], ==, "here");
  g_assert_cmpint (muster_clock_now_us () - began_us, >=, 5 * G_USEC_PER_SEC);
  g_assert_cmpint (muster_clock_now_us () - began_us, <, 6 * G_USEC_PER_SEC);

  muster_test_bench_advance_ms (bench, 9 * 1000);
  g_assert_no_error (muster_test_bench_get_lost (bench));
  muster_test_bench_advance_ms (bench, 2 * 1000);
  g_assert_error (muster_test_bench_get_lost (bench), MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);

  muster_test_bench_restart (bench);
  g_assert_no_error (muster_test_bench_get_lost (bench));
  g_assert_true (muster_test_bench_close (bench, &error));
  g_assert_no_error (error);
}

static void
test_forms (void)
{
  g_autoptr (MusterTestBench) bench = make_bench ("crashes");
  g_autoptr (MusterTestReport) report = muster_test_bench_run_contract (bench, NULL);
  g_autofree char *tap = muster_test_report_to_tap (report);
  g_autofree char *json = muster_test_report_to_json (report);

  g_assert_true (g_str_has_prefix (tap, "1..2\nok 1 - describe\n# "));
  g_assert_nonnull (strstr (tap, "\nnot ok 2 - register\n# it crashed"));
  g_assert_nonnull (strstr (json, "\"kept\": false,"));
  g_assert_nonnull (strstr (json, "{ \"step\": \"describe\", \"kept\": true, "));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/contract/kept", test_kept);
  g_test_add_func ("/contract/echo-all", test_echo_all);
  g_test_add_func ("/contract/real-io", test_real_io);
  g_test_add_func ("/contract/secret", test_secret);
  g_test_add_func ("/contract/description", test_description);
  g_test_add_func ("/contract/not-a-plugin", test_not_a_plugin);
  g_test_add_func ("/contract/wrong-use", test_wrong_use);
  g_test_add_func ("/contract/forms", test_forms);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/contract/fault/%s/%s", cases[i].fault,
                                             cases[i].step);

    g_test_add_data_func (path, &cases[i], test_fault);
  }
  g_test_add_func ("/bench/by-hand", test_bench);

  return g_test_run ();
}
