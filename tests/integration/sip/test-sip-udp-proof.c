/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-fixture.h"

#include <muster/muster-verifier.h>

/* What a proof of reachability comes to, by what the server does with an OPTIONS to our own address. */

/* What the server does; a status is its answer. */
static const char pass_on[] = "pass on";
static const char forget[] = "forget";
static const char rename_call[] = "be a B2BUA";

typedef struct {
  World *world;
  const char *does;
  guint n_options;

  gboolean done;
  gboolean ok;
  MusterVerdict verdict;
  char *evidence;
  GError *error;
} Proof;

/* With another Call-ID, as somebody who stands between two dialogs. */
static void
pass_on_renamed (SipPeer *peer, const char *text)
{
  g_autoptr (GRegex) regex = g_regex_new ("Call-ID: [0-9a-f]+", 0, 0, NULL);
  g_autofree char *renamed = g_regex_replace_literal (regex, text, -1, 0, "Call-ID: other", 0,
                                                      NULL);

  g_assert_cmpstr (renamed, !=, text);
  sip_peer_pass_on (peer, renamed);
}

static void
on_other (SipPeer *peer, const char *text, GSocketAddress *from, gpointer user_data)
{
  Proof *proof = user_data;

  if (!g_str_has_prefix (text, "OPTIONS sip:alice@example.test SIP/2.0\r\n"))
    g_error ("not to our own address: %s", text);
  proof->n_options++;
  if (proof->does == pass_on)
    sip_peer_pass_on (peer, text);
  else if (proof->does == rename_call)
    pass_on_renamed (peer, text);
  else if (proof->does != forget)
    sip_peer_answer (peer, text, from, proof->does, NULL);
}

static void
on_verified (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Proof *proof = user_data;

  proof->done = TRUE;
  g_clear_error (&proof->error);
  g_clear_pointer (&proof->evidence, g_free);
  proof->ok = muster_verifier_verify_finish (MUSTER_VERIFIER (source), result, &proof->verdict,
                                             &proof->evidence, &proof->error);
}

static void
begin (Proof *proof, const char *does, GCancellable *cancellable)
{
  proof->does = does;
  proof->done = FALSE;
  muster_verifier_verify_async (MUSTER_VERIFIER (proof->world->registration), cancellable,
                                on_verified, proof);
}

static void
verify (Proof *proof, const char *does)
{
  begin (proof, does, NULL);
  while (!proof->done)
    g_main_context_iteration (NULL, TRUE);
}

static void
set_up (Proof *proof, World *world)
{
  proof->world = world;
  sip_peer_set_other (world->peer, on_other, proof);
  open_and_wait (world);
  g_assert_no_error (world->error);
}

static void
clear (Proof *proof)
{
  while (g_main_context_iteration (NULL, FALSE)) /* what was given up ends from the loop */
    continue;
  g_clear_error (&proof->error);
  g_free (proof->evidence);
}

#define assert_verdict(proof, expected, words)                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_no_error ((proof).error);                                                             \
    g_assert_cmpint ((proof).verdict, ==, expected);                                               \
    assert_has ((proof).evidence, words);                                                          \
  }                                                                                                \
  G_STMT_END

static void
test_proven (World *world, gconstpointer data)
{
  Proof proof = { NULL };

  set_up (&proof, world);
  verify (&proof, pass_on);
  assert_verdict (proof, MUSTER_VERDICT_PROVEN, "came back after");
  g_assert_cmpuint (proof.n_options, ==, 1);

  verify (&proof, rename_call);
  assert_verdict (proof, MUSTER_VERDICT_PROVEN, "came back after");
  clear (&proof);
}

/* The answer alone proves nothing: before anything was proven it means that nothing can be. */
static void
test_answered_by_others (World *world, gconstpointer data)
{
  Proof proof = { NULL };

  set_up (&proof, world);
  verify (&proof, "200 OK");
  assert_verdict (proof, MUSTER_VERDICT_UNSUPPORTED, "by the server itself");
  verify (&proof, pass_on);
  verify (&proof, "200 OK");
  assert_verdict (proof, MUSTER_VERDICT_MISSED, "not by us");
  clear (&proof);
}

static void
test_not_passed_on (World *world, gconstpointer data)
{
  static const struct {
    const char *answer;
    MusterVerdict verdict;
    const char *words;
  } rows[] = {
    { "404 Not Found", MUSTER_VERDICT_MISSED, "does not know where we are: it answers 404" },
    { "480 Gone Fishing", MUSTER_VERDICT_MISSED, "does not know where we are" },
    { "408 Request Timeout", MUSTER_VERDICT_MISSED, "cannot reach us: it answers 408" },
    { "503 Unavailable", MUSTER_VERDICT_MISSED, "cannot reach us" },
    { "405 Not Allowed", MUSTER_VERDICT_UNSUPPORTED, "passes no OPTIONS on" },
    { "403 Forbidden", MUSTER_VERDICT_UNSUPPORTED, "passes no OPTIONS on" },
  };
  Proof proof = { NULL };

  set_up (&proof, world);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    verify (&proof, rows[i].answer);
    assert_verdict (proof, rows[i].verdict, rows[i].words);
  }
  clear (&proof);
}

/* Nothing comes back: 8 s, and not the 32 s of the transaction. */
static void
test_nothing_comes (World *world, gconstpointer data)
{
  Proof proof = { NULL };

  set_up (&proof, world);
  begin (&proof, forget, NULL);
  while (proof.n_options == 0)
    g_main_context_iteration (NULL, TRUE);
  muster_clock_advance_us (7900 * 1000);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_false (proof.done);
  muster_clock_advance_us (200 * 1000);
  while (!proof.done)
    g_main_context_iteration (NULL, TRUE);
  assert_verdict (proof, MUSTER_VERDICT_MISSED, "did not come back within 8 s");

  verify (&proof, pass_on); /* what is left of the one before does not get in the way */
  assert_verdict (proof, MUSTER_VERDICT_PROVEN, "came back");
  clear (&proof);
}

static void
test_more_often_behind_a_nat (World *world, gconstpointer data)
{
  g_assert_cmpuint (muster_verifier_get_interval_s (MUSTER_VERIFIER (world->registration)), ==, 0);
  open_and_wait (world);
  g_assert_cmpuint (muster_verifier_get_interval_s (MUSTER_VERIFIER (world->registration)), ==, 0);
  sip_peer_set_scenario (world->peer, "nat");
  open_and_wait (world);
  g_assert_cmpuint (muster_verifier_get_interval_s (MUSTER_VERIFIER (world->registration)), ==, 60);
}

static void
test_cancelled (World *world, gconstpointer data)
{
  Proof proof = { NULL };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  set_up (&proof, world);
  begin (&proof, forget, cancellable);
  while (proof.n_options == 0)
    g_main_context_iteration (NULL, TRUE);
  g_cancellable_cancel (cancellable);
  while (!proof.done)
    muster_clock_advance_us (1000), g_main_context_iteration (NULL, FALSE);
  g_assert_error (proof.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  clear (&proof);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test)                                                                            \
  g_test_add ("/sip/proof/" path, World, NULL, world_set_up, test, world_tear_down)
  ADD ("proven", test_proven);
  ADD ("answered-by-others", test_answered_by_others);
  ADD ("not-passed-on", test_not_passed_on);
  ADD ("nothing-comes", test_nothing_comes);
  ADD ("more-often-behind-a-nat", test_more_often_behind_a_nat);
  ADD ("cancelled", test_cancelled);

  return g_test_run ();
}
