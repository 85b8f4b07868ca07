/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-broker-error.h"
#include "broker/muster-explain.h"
#include "broker/muster-proofs.h"
#include "standing-fixture.h"

/* When proofs of reachability are made, how many at once, and what those who ask are told. */

typedef enum {
  SAYS_PROVEN,
  SAYS_MISSED,
  SAYS_UNSUPPORTED,
  SAYS_BUSY,
  SAYS_CANNOT,
  SAYS_NOTHING, /* until it is cancelled */
  IS_DEAF,      /* nor then */
} Says;

/* What the services do, and what the host was told. */
typedef struct {
  MusterProofs *proofs;
  Says says;
  guint delay_ms;
  guint interval_s;
  const char *evidence;
  guint n_accounts; /* as the host counts them */
  gboolean refreshing;

  guint n_verified; /* began */
  guint n_under_way;
  guint most_under_way;
  gint64 first_us, last_us; /* a verification began */
  guint n_changes;
  guint n_kept; /* times that what outlives the daemon became another */
  guint n_refreshes;
  GString *news;
} World;

static World *world;

/* the registration */

typedef struct {
  MusterRegistration parent_instance;

  GTask *task;
  MusterTimer timer;
} Proving;

typedef struct {
  MusterRegistrationClass parent_class;
} ProvingClass;

static void verifier_init (MusterVerifierInterface *iface);
static GType proving_get_type (void);
G_DEFINE_TYPE_WITH_CODE (Proving,
                         proving,
                         MUSTER_TYPE_REGISTRATION,
                         G_IMPLEMENT_INTERFACE (MUSTER_TYPE_VERIFIER, verifier_init))

static void
on_proving_timer (MusterTimer *timer, gpointer user_data)
{
  Proving *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  world->n_under_way--;
  if (g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  else if (world->says == SAYS_BUSY || world->says == SAYS_CANNOT)
    g_task_return_error (task,
                         muster_error_new (world->says == SAYS_BUSY ? MUSTER_ERROR_BUSY
                                                                    : MUSTER_ERROR_UNSUPPORTED,
                                           MUSTER_STEP_STREAM, "as the world says"));
  else
    g_task_return_int (task, (gssize) world->says);
}

static void
on_proving_cancelled (GCancellable *cancellable, gpointer user_data)
{
  if (world->says != IS_DEAF)
    muster_timer_arm_in_ms (&((Proving *) user_data)->timer, 0);
}

static void
proving_verify_async (MusterVerifier *verifier,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  Proving *self = (Proving *) verifier;

  g_assert_null (self->task);
  world->last_us = muster_clock_now_us ();
  if (world->n_verified++ == 0)
    world->first_us = world->last_us;
  world->n_under_way++;
  world->most_under_way = MAX (world->most_under_way, world->n_under_way);
  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_check_cancellable (self->task, FALSE);
  g_signal_connect_object (cancellable, "cancelled", G_CALLBACK (on_proving_cancelled), self, 0);
  if (world->says < SAYS_NOTHING)
    muster_timer_arm_in_ms (&self->timer, world->delay_ms);
}

static gboolean
proving_verify_finish (MusterVerifier *verifier,
                       GAsyncResult *result,
                       MusterVerdict *verdict,
                       char **evidence,
                       GError **error)
{
  gssize says = g_task_propagate_int (G_TASK (result), error);

  if (says < 0)
    return FALSE;
  *verdict = (MusterVerdict) says;
  *evidence = g_strdup (world->evidence);
  return TRUE;
}

static guint
proving_get_interval_s (MusterVerifier *verifier)
{
  return world->interval_s;
}

static void
verifier_init (MusterVerifierInterface *iface)
{
  iface->verify_async = proving_verify_async;
  iface->verify_finish = proving_verify_finish;
  iface->get_interval_s = proving_get_interval_s;
}

static void
proving_finalize (GObject *object)
{
  muster_timer_cancel (&((Proving *) object)->timer);
  G_OBJECT_CLASS (proving_parent_class)->finalize (object);
}

static void
proving_class_init (ProvingClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = proving_finalize;
}

static void
proving_init (Proving *self)
{
  muster_timer_init (&self->timer, on_proving_timer, self);
}

static MusterRegistration *
proving_new (void)
{
  return muster_registration_new (proving_get_type (), &fake_protocol, NULL, "a1", "alice@fake",
                                  &fake_registration_host, NULL);
}

/* the host: an account is a number */

static guint
host_count_accounts (gpointer host)
{
  return world->n_accounts;
}

static gboolean
host_is_refreshing (gpointer host, gpointer account)
{
  return world->refreshing;
}

static void
host_refresh (gpointer host, gpointer account)
{
  world->n_refreshes++;
}

static void
host_changed (gpointer host, gpointer account)
{
  world->n_changes++;
}

static void
host_news (gpointer host, gpointer account, MusterProofNews news, const char *evidence)
{
  g_string_append_printf (world->news, "%s:%s ",
                          news == MUSTER_PROOF_NEWS_PROVEN   ? "proven"
                          : news == MUSTER_PROOF_NEWS_MENDED ? "mended"
                                                             : "unproven",
                          evidence);
}

static void
host_keep (gpointer host, gpointer account)
{
  world->n_kept++;
}

static const MusterProofsHost proofs_host = {
  .count_accounts = host_count_accounts,
  .is_refreshing = host_is_refreshing,
  .refresh = host_refresh,
  .changed = host_changed,
  .news = host_news,
  .keep = host_keep,
};

#define ACCOUNT(n) GUINT_TO_POINTER (1 + (n))

typedef struct {
  World world;
  MusterRegistration *one; /* ACCOUNT (0)'s */
} Test;

static void
set_up (Test *test, gconstpointer data)
{
  world = &test->world;
  world->evidence = "it came back";
  world->n_accounts = 1;
  world->delay_ms = 50;
  world->news = g_string_new (NULL);
  world->proofs = muster_proofs_new (&proofs_host, world);
  test->one = proving_new ();
}

static void
tear_down (Test *test, gconstpointer data)
{
  g_clear_pointer (&world->proofs, muster_proofs_free);
  pass (MINUTE);
  g_string_free (world->news, TRUE);
  g_assert_finalize_object (test->one);
  g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
}

static const MusterProofView *
look (guint n)
{
  return muster_proofs_get_view (world->proofs, ACCOUNT (n));
}

#define assert_claims(expected)                                                                    \
  g_assert_cmpstr (muster_proof_claim_to_string (look (0)->claim), ==, expected)

#define assert_news(expected)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpstr (world->news->str, ==, expected);                                              \
    g_string_truncate (world->news, 0);                                                            \
  }                                                                                                \
  G_STMT_END

/* Time passes until the next verification has begun and ended. Returns how long that took. */
static gint64
pass_one (void)
{
  gint64 before_us = muster_clock_now_us ();
  guint n = world->n_verified;

  while (world->n_verified == n)
    pass (muster_clock_next_due_us () - muster_clock_now_us ());
  before_us = muster_clock_now_us () - before_us;
  pass (world->delay_ms * MS);

  return before_us;
}

/* Timers are up to 50 ms late. */
static void
assert_about (gint64 us, gint64 expected_us)
{
  g_assert_cmpint (us, >=, expected_us);
  g_assert_cmpint (us, <=, expected_us + 50 * MS);
}

static void
test_day (Test *test, gconstpointer data)
{
  gint64 took_us;

  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  assert_claims ("");
  g_assert_cmpuint (world->n_changes, ==, 1);
  took_us = look (0)->next_at_us - muster_clock_wall_us ();
  g_assert_cmpint (took_us, >=, 2 * SECOND);
  g_assert_cmpint (took_us, <=, 10 * SECOND);

  assert_about (pass_one (), took_us);
  assert_claims ("proven");
  g_assert_cmpstr (look (0)->evidence, ==, "it came back");
  g_assert_cmpint (look (0)->proven_at_us, ==, muster_clock_wall_us ());
  g_assert_cmpint (look (0)->since_us, ==, muster_clock_wall_us ());
  assert_news ("proven:it came back ");

  pass (DAY);
  g_assert_cmpuint (world->n_verified, >=, 96);
  g_assert_cmpuint (world->n_verified, <=, 112);
  g_assert_cmpuint (muster_proofs_count (world->proofs, MUSTER_PROOF_CLAIMS_PROVEN), ==, 1);
  assert_news ("");
}

static void
test_breaks_and_mends (Test *test, gconstpointer data)
{
  gint64 since_us;

  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  pass_one ();
  assert_news ("proven:it came back ");

  world->says = SAYS_MISSED;
  world->evidence = "nothing came";
  pass_one ();
  assert_claims ("proven");
  assert_about (pass_one (), 30 * SECOND);
  g_assert_cmpuint (world->n_refreshes, ==, 1);
  assert_claims ("proven");
  assert_news ("");

  /* Not while the registration is being extended. */
  world->refreshing = TRUE;
  pass (MINUTE);
  g_assert_cmpuint (world->n_verified, ==, 3);
  world->refreshing = FALSE;
  g_assert_cmpint (pass_one (), <=, 2 * SECOND + 50 * MS);
  assert_claims ("failed");
  assert_news ("unproven:nothing came ");
  since_us = look (0)->since_us;
  g_assert_cmpint (since_us, ==, muster_clock_wall_us ());
  g_assert_cmpuint (muster_proofs_count (world->proofs, MUSTER_PROOF_CLAIMS_FAILED), ==, 1);

  pass (DAY);
  g_assert_cmpuint (world->n_refreshes, ==, 1);
  g_assert_cmpuint (world->n_verified, <, 15);
  g_assert_cmpint (look (0)->since_us, ==, since_us);
  assert_news ("");

  world->says = SAYS_PROVEN;
  pass_one ();
  assert_claims ("proven");
  assert_news ("proven:nothing came ");
}

static void
test_unsupported (Test *test, gconstpointer data)
{
  world->says = SAYS_MISSED;
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  pass_one ();
  assert_claims ("unsupported");
  pass (20 * HOUR);
  g_assert_cmpuint (world->n_verified, ==, 1);
  pass (4 * HOUR);
  g_assert_cmpuint (world->n_verified, ==, 2);
  g_assert_cmpuint (world->n_refreshes, ==, 0);
  world->says = SAYS_CANNOT;
  pass_one ();
  assert_claims ("unsupported");
  assert_news ("");
}

/* What was proven of a registration holds for no other one. */
static void
test_another_registration (Test *test, gconstpointer data)
{
  g_autoptr (MusterRegistration) other = proving_new ();

  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  pass_one ();
  muster_proofs_end (world->proofs, ACCOUNT (0));
  assert_claims ("");
  g_assert_cmpint (look (0)->proven_at_us, >, 0);
  g_assert_cmpstr (look (0)->evidence, ==, "it came back");
  g_assert_cmpint (look (0)->next_at_us, ==, 0);
  g_assert_cmpuint (muster_proofs_count (world->proofs, MUSTER_PROOF_CLAIMS_PROVEN), ==, 0);
  pass (DAY);
  g_assert_cmpuint (world->n_verified, ==, 1);

  /* The same again: it was proven, so a miss means something. */
  world->says = SAYS_MISSED;
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  assert_claims ("");
  g_assert_cmpint (look (0)->proven_at_us, >, 0);
  pass_one ();
  assert_claims ("");
  muster_proofs_end (world->proofs, ACCOUNT (0));

  muster_proofs_begin (world->proofs, ACCOUNT (0), other);
  g_assert_cmpint (look (0)->proven_at_us, ==, 0);
  g_assert_null (look (0)->evidence);
  pass_one ();
  assert_claims ("unsupported");
  muster_proofs_forget (world->proofs, ACCOUNT (0));
  g_assert_false (look (0)->is_tried);
  muster_proofs_end (world->proofs, ACCOUNT (0)); /* nobody's */
}

#define assert_kept(expected)                                                                      \
  g_assert_cmpint (muster_proofs_get_kept (world->proofs, ACCOUNT (0)), ==,                        \
                   MUSTER_PROOF_KEPT_##expected)

/* What the last run knew: a miss means something from the first on. */
static void
test_recalled (Test *test, gconstpointer data)
{
  g_autoptr (MusterRegistration) other = proving_new ();

  muster_proofs_recall (world->proofs, ACCOUNT (0), MUSTER_PROOF_KEPT_NOTHING);
  muster_proofs_recall (world->proofs, ACCOUNT (0), (MusterProofKept) 77); /* of a later version */
  assert_kept (NOTHING);
  muster_proofs_recall (world->proofs, ACCOUNT (0), MUSTER_PROOF_KEPT_PROVEN);
  assert_kept (PROVEN);
  assert_claims ("");
  world->says = SAYS_MISSED;
  world->evidence = "nothing came";
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  pass_one ();
  pass_one ();
  g_assert_cmpuint (world->n_refreshes, ==, 1);
  assert_claims ("");
  g_assert_cmpuint (world->n_kept, ==, 0);
  pass_one ();
  assert_claims ("failed");
  assert_news ("unproven:nothing came ");
  assert_kept (UNPROVEN);
  g_assert_cmpuint (world->n_kept, ==, 1);
  pass (DAY);
  g_assert_cmpuint (world->n_kept, ==, 1);

  /* The same registration serves again; one that is made anew leads elsewhere. */
  muster_proofs_end (world->proofs, ACCOUNT (0));
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  assert_kept (UNPROVEN);
  muster_proofs_end (world->proofs, ACCOUNT (0));
  muster_proofs_begin (world->proofs, ACCOUNT (0), other);
  assert_kept (NOTHING);
  pass_one ();
  assert_claims ("unsupported");
  muster_proofs_end (world->proofs, ACCOUNT (0));
}

/* People were told that it is not reached, and then the daemon began anew. */
static void
test_recalled_unproven (Test *test, gconstpointer data)
{
  muster_proofs_recall (world->proofs, ACCOUNT (0), MUSTER_PROOF_KEPT_UNPROVEN);
  world->says = SAYS_MISSED;
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  for (guint i = 0; i < 4; i++)
    pass_one ();
  assert_claims ("failed");
  assert_news ("");
  world->says = SAYS_PROVEN;
  pass_one ();
  assert_claims ("proven");
  assert_news ("proven:it came back ");
  assert_kept (PROVEN);
  g_assert_cmpuint (world->n_kept, ==, 1);
  pass_one ();
  g_assert_cmpuint (world->n_kept, ==, 1);
  muster_proofs_end (world->proofs, ACCOUNT (0));
}

static void
test_interval (Test *test, gconstpointer data)
{
  world->interval_s = 60;
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  pass (HOUR);
  g_assert_cmpuint (world->n_verified, >=, 59);
  g_assert_cmpuint (world->n_verified, <=, 69);
}

/* Another network: what was proven is so no longer, and is proven anew soon. */
static void
test_doubt (Test *test, gconstpointer data)
{
  muster_proofs_doubt (world->proofs, ACCOUNT (0)); /* nobody's */
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  pass_one ();
  muster_proofs_doubt (world->proofs, ACCOUNT (0));
  assert_claims ("");
  g_assert_cmpint (pass_one (), <=, 10 * SECOND + 50 * MS);
  assert_claims ("proven");
  assert_news ("proven:it came back ");
}

/* asking */

static void
on_heard (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static void
ask (guint n, GAsyncResult **result)
{
  muster_proofs_verify_async (world->proofs, ACCOUNT (n), on_heard, result);
}

static char *
hear (GAsyncResult **result)
{
  g_autoptr (GAsyncResult) held = g_steal_pointer (result);
  g_autofree char *evidence = NULL;
  g_autoptr (GError) error = NULL;
  MusterProofOutcome outcome;

  g_assert_nonnull (held);
  if (!muster_proofs_verify_finish (world->proofs, held, &outcome, &evidence, &error))
    return g_strdup_printf ("%s: %s", g_quark_to_string (error->domain), error->message);

  return g_strdup_printf ("%s: %s", muster_proof_outcome_to_string (outcome), evidence);
}

#define assert_hears(result, expected)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *heard = hear (result);                                                        \
    g_assert_cmpstr (heard, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

#define BROKER_SAYS "muster-broker-error-quark: "

static void
test_asked (Test *test, gconstpointer data)
{
  GAsyncResult *one = NULL, *two = NULL;

  ask (0, &one);
  settle ();
  assert_hears (&one, BROKER_SAYS "it is not registered, so nobody reaches it");

  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  ask (0, &one);
  ask (0, &two);
  pass (world->delay_ms * MS);
  assert_hears (&one, "proven: it came back");
  assert_hears (&two, "proven: it came back");
  g_assert_cmpuint (world->n_verified, ==, 1);
  pass (10 * SECOND);
  g_assert_cmpuint (world->n_verified, ==, 1); /* it was the first one, too */

  world->says = SAYS_MISSED;
  ask (0, &one);
  pass (world->delay_ms * MS);
  assert_hears (&one, "missed: it came back");

  world->says = SAYS_BUSY;
  ask (0, &one);
  pass (world->delay_ms * MS);
  assert_hears (&one, "MusterError: as the world says");
  g_assert_cmpstr (look (0)->evidence, ==, "as the world says");
  assert_claims ("proven");

  /* While it is being extended it waits, and the network may change meanwhile. */
  world->says = SAYS_PROVEN;
  world->refreshing = TRUE;
  ask (0, &one);
  pass (5 * SECOND);
  g_assert_null (one);
  muster_proofs_doubt (world->proofs, ACCOUNT (0));
  world->refreshing = FALSE;
  pass (2 * SECOND + world->delay_ms * MS);
  assert_hears (&one, "proven: it came back");
}

static void
test_asked_and_gone (Test *test, gconstpointer data)
{
  GAsyncResult *results[101] = { NULL };

  world->says = SAYS_NOTHING;
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    ask (0, &results[i]);
  settle ();
  assert_hears (&results[100], BROKER_SAYS "100 callers wait for its verification already");
  g_assert_cmpuint (world->n_under_way, ==, 1);
  muster_proofs_end (world->proofs, ACCOUNT (0));
  settle ();
  g_assert_cmpuint (world->n_under_way, ==, 0);
  for (guint i = 0; i < 100; i++)
    assert_hears (&results[i], BROKER_SAYS "it is not registered any more");

  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  ask (0, &results[0]);
  settle ();
  g_clear_pointer (&world->proofs, muster_proofs_free);
  settle ();
  g_assert_cmpuint (world->n_under_way, ==, 0);
  g_clear_object (&results[0]);
}

/* A plugin that does not answer, even when it is told to end: nobody waits for it. */
static void
test_deadline (Test *test, gconstpointer data)
{
  GAsyncResult *result = NULL;

  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  pass_one ();
  world->says = GPOINTER_TO_INT (data);
  ask (0, &result);
  pass (14 * SECOND);
  g_assert_null (result);
  pass (1 * SECOND + 50 * MS);
  assert_hears (&result, "MusterError: the verification did not end within 15 s");
  g_assert_cmpuint (muster_proofs_count_in_flight (world->proofs), ==, 0);
  assert_claims ("proven");
  g_assert_cmpint (look (0)->next_at_us - muster_clock_wall_us (), <=, MINUTE);

  pass (30 * MINUTE);
  assert_claims (""); /* too old to be claimed */
  g_assert_cmpuint (muster_proofs_count_in_flight (world->proofs), <=, 1);
  muster_proofs_end (world->proofs, ACCOUNT (0));
  if (world->says == IS_DEAF)
    muster_timer_arm_in_ms (&((Proving *) test->one)->timer, 0);
  settle ();
}

/* Words of strangers are cut, and what is no text is made some. */
static void
test_evidence (Test *test, gconstpointer data)
{
  g_autofree char *xs = g_strnfill (199, 'x');
  g_autofree char *too_long = g_strconcat (xs, "\xe2\x82\xac and more", NULL);

  world->evidence = too_long;
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  pass_one ();
  g_assert_cmpstr (look (0)->evidence, ==, xs);
  world->evidence = "a\xff";
  pass_one ();
  g_assert_cmpstr (look (0)->evidence, ==, "a\xef\xbf\xbd");
  world->evidence = NULL;
  pass_one ();
  g_assert_null (look (0)->evidence);
}

/* What people are told, in the order in which it may happen. */
static void
assert_sentence (gboolean is_serving, const char *pattern)
{
  g_autofree char *sentence = muster_explain_proof (look (0), is_serving, "a1");

  if (!g_pattern_match_simple (pattern, sentence))
    g_error ("\"%s\" is not like \"%s\"", sentence, pattern);
}

static void
test_sentences (Test *test, gconstpointer data)
{
  assert_sentence (FALSE, "nothing can be sent to what is not registered");
  muster_proofs_begin (world->proofs, ACCOUNT (0), test->one);
  assert_sentence (TRUE, "not proven yet; it is tried in * s");
  world->says = SAYS_BUSY;
  pass_one ();
  assert_sentence (TRUE, "not proven: nothing could be sent: as the world says; next try in * s");
  world->says = SAYS_UNSUPPORTED;
  world->evidence = "the service answered for us";
  pass_one ();
  assert_sentence (TRUE,
                   "not known: its service does not let it be proven (the service answered for"
                   " us); next try in ?? h");

  world->says = SAYS_PROVEN;
  world->evidence = "it came back";
  pass_one ();
  pass (5 * MINUTE + SECOND);
  assert_sentence (TRUE, "proven 5 min ago: it came back; proven anew in * min");
  muster_proofs_doubt (world->proofs, ACCOUNT (0));
  assert_sentence (TRUE, "not proven yet; it is tried in * s");
  world->says = SAYS_MISSED;
  pass_one ();
  assert_sentence (TRUE,
                   "not proven: what was sent to it did not arrive; that may be chance, so it is"
                   " sent again in 30 s");
  world->says = SAYS_PROVEN;
  pass_one ();
  world->says = SAYS_MISSED;
  pass_one ();
  assert_sentence (TRUE,
                   "proven * min ago, but what was sent since did not arrive; that may be chance,"
                   " so it is sent again in 30 s");
  world->says = SAYS_BUSY;
  pass_one ();
  assert_sentence (TRUE,
                   "proven * min ago; since then nothing could be sent: as the world says; next"
                   " try in * s");
  world->says = SAYS_MISSED;
  world->evidence = "nothing within 8 s";
  pass_one ();
  pass_one ();
  pass (2 * HOUR);
  assert_sentence (TRUE, "failed since 2 h: others may not reach it (nothing within 8 s), and"
                         " registering again did not help; * then: muster verify a1; next try by"
                         " itself in * min");
  muster_proofs_end (world->proofs, ACCOUNT (0));
  assert_sentence (FALSE,
                   "nothing can be sent to what is not registered; it was last proven 2 h ago");
}

/* many */

static MusterRegistration **
begin_many (guint n)
{
  MusterRegistration **all = g_new0 (MusterRegistration *, n);

  world->n_accounts = n;
  for (guint i = 0; i < n; i++) {
    all[i] = proving_new ();
    muster_proofs_begin (world->proofs, ACCOUNT (i), all[i]);
  }

  return all;
}

static void
end_many (MusterRegistration **all, guint n)
{
  for (guint i = 0; i < n; i++)
    muster_proofs_forget (world->proofs, ACCOUNT (i));
  settle ();
  for (guint i = 0; i < n; i++)
    g_assert_finalize_object (all[i]);
  g_free (all);
}

/* The start of a fleet is not doubled. */
static void
test_fleet (Test *test, gconstpointer data)
{
  enum { N = 2000 };
  MusterRegistration **all = begin_many (N);
  gint64 begun_us = muster_clock_now_us ();

  pass (15 * MINUTE + SECOND);
  g_assert_cmpuint (world->n_verified, >=, N);
  g_assert_cmpint (world->first_us - begun_us, >=, 2 * SECOND);
  g_assert_cmpuint (world->most_under_way, <=, 10);
  g_assert_cmpuint (muster_proofs_count (world->proofs, MUSTER_PROOF_CLAIMS_PROVEN), ==, N);
  end_many (all, N);
}

/* At most 50 at once; the others wait for a place, and who asks goes first. */
static void
test_places (Test *test, gconstpointer data)
{
  enum { N = 200 };
  GAsyncResult *result = NULL;
  MusterRegistration **all;

  world->delay_ms = 9000;
  all = begin_many (N);
  world->n_accounts = 1;
  pass (10 * SECOND);
  g_assert_cmpuint (muster_proofs_count_in_flight (world->proofs), ==, 50);
  g_assert_cmpuint (muster_proofs_count_waiting (world->proofs), >, 50);

  ask (N - 1, &result);
  for (guint i = 0; i < N - 1; i++) /* places that are given back are taken */
    if (i % 2 == 0)
      muster_proofs_end (world->proofs, ACCOUNT (i));
  pass (19 * SECOND);
  g_assert_nonnull (result);
  g_clear_object (&result);
  g_assert_cmpuint (world->most_under_way, <=, 50);
  pass (60 * SECOND);
  g_assert_cmpuint (muster_proofs_count_waiting (world->proofs), ==, 0);
  g_assert_cmpuint (muster_proofs_count_in_flight (world->proofs), ==, 0);
  g_assert_cmpuint (muster_proofs_count (world->proofs, MUSTER_PROOF_CLAIMS_PROVEN), ==, N / 2);
  end_many (all, N);
}

/* A place that is given back by an account that goes is taken, first by one that somebody asked for. */
static void
test_places_given_back (Test *test, gconstpointer data)
{
  enum { N = 60 };
  GAsyncResult *results[N] = { NULL };
  MusterRegistration **all = begin_many (N);

  world->says = SAYS_NOTHING;
  for (guint i = 0; i < 50; i++)
    ask (i, &results[i]);
  pass (10 * SECOND + 50 * MS);
  g_assert_cmpuint (muster_proofs_count_in_flight (world->proofs), ==, 50);
  g_assert_cmpuint (muster_proofs_count_waiting (world->proofs), ==, 10);
  ask (55, &results[55]);
  g_assert_cmpuint (muster_proofs_count_waiting (world->proofs), ==, 10);

  world->says = SAYS_PROVEN;
  muster_proofs_end (world->proofs, ACCOUNT (0));
  settle ();
  g_assert_cmpuint (muster_proofs_count_in_flight (world->proofs), ==, 50);
  pass (50 * MS);
  g_assert_nonnull (results[55]);
  g_assert_cmpuint (muster_proofs_count_waiting (world->proofs), ==, 8);
  end_many (all, N);
  for (guint i = 0; i < N; i++)
    g_clear_object (&results[i]);
}

#define ADD_WITH(path, data, func) g_test_add (path, Test, data, set_up, func, tear_down)
#define ADD(path, func)            ADD_WITH (path, NULL, func)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (START, WALL);

  ADD ("/proofs/day", test_day);
  ADD ("/proofs/breaks-and-mends", test_breaks_and_mends);
  ADD ("/proofs/unsupported", test_unsupported);
  ADD ("/proofs/another-registration", test_another_registration);
  ADD ("/proofs/recalled", test_recalled);
  ADD ("/proofs/recalled-unproven", test_recalled_unproven);
  ADD ("/proofs/interval", test_interval);
  ADD ("/proofs/doubt", test_doubt);
  ADD ("/proofs/asked", test_asked);
  ADD ("/proofs/asked-and-gone", test_asked_and_gone);
  ADD_WITH ("/proofs/silent", GINT_TO_POINTER (SAYS_NOTHING), test_deadline);
  ADD_WITH ("/proofs/deaf", GINT_TO_POINTER (IS_DEAF), test_deadline);
  ADD ("/proofs/evidence", test_evidence);
  ADD ("/proofs/sentences", test_sentences);
  ADD ("/proofs/fleet", test_fleet);
  ADD ("/proofs/places", test_places);
  ADD ("/proofs/places-given-back", test_places_given_back);

  return g_test_run ();
}
