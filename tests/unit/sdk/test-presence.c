/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "broker/muster-broker-presence.h"
#include "full-fixture.h"

/* What identities show and what services are told of it: a broker, its store, virtual time, and the
 * plugin that can do everything. */

#define MINUTE_US (60 * (gint64) G_USEC_PER_SEC)
#define BIT(word) (1u << MUSTER_PRESENCE_##word)

/* What the registration was asked that counts here: others use other capabilities of it. */
static char *
take_words (void)
{
  g_autofree char *log = take_log ();
  g_auto (GStrv) words = g_strsplit (log, " ", -1);
  GString *kept = g_string_new (NULL);

  for (char **word = words; *word != NULL; word++) {
    if (g_str_equal (*word, "open") || g_str_equal (*word, "close") ||
        g_str_has_prefix (*word, "publish:"))
      g_string_append_printf (kept, "%s%s", kept->len > 0 ? " " : "", *word);
  }

  return g_string_free (kept, FALSE);
}

#define assert_asked(expected)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *asked = take_words ();                                                        \
    g_assert_cmpstr (asked, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static guint n_told; /* how often others were told of a publication */

static void
on_nothing (gpointer observer, MusterAccount *account)
{
}

static void
on_no_identity (gpointer observer, MusterIdentity *identity)
{
}

static void
on_no_request (gpointer observer, MusterRequest *request)
{
}

static void
on_publication (gpointer observer, MusterAccount *account)
{
  n_told++;
}

static const MusterBrokerObserver observer = {
  .account_added = on_nothing,
  .account_removed = on_nothing,
  .account_changed = on_nothing,
  .standing_changed = on_nothing,
  .identity_added = on_no_identity,
  .identity_removed = on_no_identity,
  .identity_changed = on_no_identity,
  .presence_changed = on_no_identity,
  .publication_changed = on_publication,
  .capabilities_changed = on_nothing,
  .request_added = on_no_request,
  .request_removed = on_no_request,
};

static void
set_up (Daemon *daemon, gconstpointer data)
{
  static const char *const aside[] = { "load", "verify", NULL };
  const char *path = g_getenv ("MUSTER_FULL_PLUGIN");

  full_find (path);
  full_reset ();
  full->aside = aside;
  daemon_set_up (daemon, NULL);
  muster_broker_set_observer (daemon->broker, &observer, NULL);
}

static void
restart (Daemon *daemon)
{
  daemon_kill (daemon);
  g_string_truncate (full->log, 0);
  daemon_start (daemon);
  muster_broker_set_observer (daemon->broker, &observer, NULL);
  pass_ms (100);
}

static void
tear_down (Daemon *daemon, gconstpointer data)
{
  daemon_tear_down (daemon, NULL);
  settle ();
  while (!g_queue_is_empty (&full->held))
    release ();
  settle ();
}

static MusterAccount *
add_full (Daemon *daemon, const char *address)
{
  g_autoptr (GVariant) none = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  g_autoptr (GHashTable) secrets = secrets_new (NULL);
  GAsyncResult *result = NULL;

  muster_broker_add_account_async (daemon->broker, "full", address, none, secrets, NULL, NULL, TRUE,
                                   on_result, &result);
  return end_add (daemon, &result);
}

/* One that is registered, and has said so. */
static MusterAccount *
add_ann (Daemon *daemon)
{
  MusterAccount *account = add_full (daemon, "ann@full");

  pass_ms (100);
  g_assert_cmpuint (view (account)->state, ==, MUSTER_ACCOUNT_REGISTERED);
  return account;
}

static void
begin_layer (Daemon *daemon,
             const char *name,
             MusterPresence presence,
             const char *text,
             gint64 until_us,
             gboolean kept,
             GAsyncResult **result)
{
  const MusterPresenceLayer layer = {
    .name = (char *) name,
    .presence = presence,
    .text = (char *) text,
    .priority = g_str_equal (name, "user") ? 50 : 80,
    .until_us = until_us,
    .kept = kept,
  };

  muster_broker_set_layer_async (daemon->broker, only_identity (daemon), &layer, on_result, result);
}

static guint64
end_layer (Daemon *daemon, GAsyncResult **result, GError **error)
{
  g_autoptr (GAsyncResult) held = wait_for_result (result);
  guint64 number;

  muster_broker_set_layer_finish (daemon->broker, held, &number, error);
  return number;
}

static guint64
set_layer (Daemon *daemon,
           const char *name,
           MusterPresence presence,
           const char *text,
           gint64 until_us,
           gboolean kept)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  guint64 number;

  begin_layer (daemon, name, presence, text, until_us, kept, &result);
  number = end_layer (daemon, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (number, >, 0);
  pass_ms (1);

  return number;
}

static void
user_is (Daemon *daemon, MusterPresence presence, const char *text)
{
  set_layer (daemon, "user", presence, text, 0, TRUE);
}

static void
override (Daemon *daemon, MusterAccount *account, const char *word, const char *text)
{
  GAsyncResult *result = NULL;

  muster_broker_set_override_async (daemon->broker, account, word, text, on_result, &result);
  finish_change (daemon, &result);
  pass_ms (1);
}

/* "dnd", "dnd: text", or "-" for nothing; then "!error" and "(note)". */
static char *
describe (Daemon *daemon, MusterAccount *account)
{
  g_autofree char *note = muster_broker_dup_publication_note (daemon->broker, account);
  GString *words = g_string_new (NULL);
  MusterPublicationView publication;

  muster_broker_get_publication (daemon->broker, account, &publication);
  g_string_append (words, publication.is_published
                            ? muster_presence_to_string (publication.published)
                            : "-");
  if (*publication.published_text != '\0')
    g_string_append_printf (words, ": %s", publication.published_text);
  if (publication.error != NULL)
    g_string_append_printf (words, " !%s",
                            muster_error_code_to_string ((MusterError) publication.error->code));
  if (*note != '\0')
    g_string_append_printf (words, " (%s)", note);

  return g_string_free (words, FALSE);
}

#define assert_published(daemon, account, expected)                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *words = describe (daemon, account);                                           \
    g_assert_cmpstr (words, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

#define assert_shows(daemon, expected, expected_text)                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    MusterPresenceView shown;                                                                      \
    muster_broker_get_presence ((daemon)->broker, only_identity (daemon)->record->id, &shown);     \
    g_assert_cmpstr (muster_presence_to_string (shown.presence), ==, expected);                    \
    g_assert_cmpstr (shown.text, ==, expected_text);                                               \
  }                                                                                                \
  G_STMT_END

/* publishing */

static void
test_told_when_registered_and_when_it_changes (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  assert_asked ("open publish:available");
  assert_published (daemon, account, "available");
  g_assert_nonnull (strstr (daemon->told->str, "presence.published"));
  g_string_truncate (daemon->told, 0);
  n_told = 0;

  user_is (daemon, MUSTER_PRESENCE_DND, "Do not");
  assert_asked ("publish:dnd");
  g_assert_cmpstr (full->said, ==, "Do not");
  assert_published (daemon, account, "dnd: Do not");
  assert_told (daemon, "presence.changed presence.published");
  g_assert_cmpuint (n_told, >=, 1);

  user_is (daemon, MUSTER_PRESENCE_DND, "Do not");
  assert_asked (""); /* nothing new */
  assert_told (daemon, "");
  user_is (daemon, MUSTER_PRESENCE_DND, "Really");
  assert_asked ("publish:dnd");
  pass_ms (3600 * 1000); /* refreshes are no reason to say it again */
  g_assert_null (strstr (full->log->str, "publish"));
}

static void
test_what_cannot_be_said (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  assert_asked ("open publish:available");
  n_told = 0;
  user_is (daemon, MUSTER_PRESENCE_AWAY, "");
  assert_asked (""); /* it was told that already */
  assert_published (daemon, account,
                    "available (its service cannot say \"away\" and is told \"available\" "
                    "instead: others see you as available)");
  g_assert_cmpuint (n_told, ==, 1); /* of the note */
  user_is (daemon, MUSTER_PRESENCE_INVISIBLE, "");
  assert_asked ("");
  assert_published (daemon, account,
                    "available (its service cannot say \"invisible\" or anything near it, and is "
                    "told nothing: it still shows \"available\")");
  user_is (daemon, MUSTER_PRESENCE_CHAT, "Come");
  assert_asked ("publish:available");
}

static void
test_a_service_without_presence (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  full->supported = 0;
  account = add_ann (daemon);
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  assert_asked ("open");
  assert_published (daemon, account,
                    "- (its service takes no presence, or a parameter of it switches that off)");
  g_assert_null (strstr (daemon->told->str, "presence.failed"));
}

/* While one is under way others are not sent, and of those only the last. */
static void
test_the_last_wish_wins (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  assert_asked ("open publish:available");
  full->hold = TRUE;
  user_is (daemon, MUSTER_PRESENCE_DND, "one");
  user_is (daemon, MUSTER_PRESENCE_DND, "two");
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "three");
  assert_asked ("publish:dnd");
  assert_published (daemon, account, "available");
  release ();
  pass_ms (1);
  assert_asked ("publish:available");
  g_assert_cmpstr (full->said, ==, "three");
  user_is (daemon, MUSTER_PRESENCE_DND, "four");
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "three"); /* and back */
  release ();
  pass_ms (1000);
  assert_asked ("");
  assert_published (daemon, account, "available: three");
  g_assert_true (g_queue_is_empty (&full->held));
}

/* failing */

static void
test_passing_errors (Daemon *daemon, gconstpointer data)
{
  static const MusterError passing[] = { MUSTER_ERROR_UNREACHABLE, MUSTER_ERROR_BUSY,
                                         MUSTER_ERROR_PROTOCOL, MUSTER_ERROR_EXPIRED };
  MusterAccount *account = add_ann (daemon);
  g_autofree char *types = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (passing); i++) {
    MusterPublicationView publication;

    full->publish_error = (int) passing[i];
    full->retry_after_s = passing[i] == MUSTER_ERROR_BUSY ? 20 : 0;
    user_is (daemon, MUSTER_PRESENCE_DND, "");
    muster_broker_get_publication (daemon->broker, account, &publication);
    g_assert_error (publication.error, MUSTER_ERROR, (int) passing[i]);
    g_assert_cmpint (publication.retry_at_us, >, muster_clock_wall_us ());
    g_assert_true (publication.is_published && publication.published == MUSTER_PRESENCE_AVAILABLE);
    g_string_truncate (full->log, 0);
    pass_ms (passing[i] == MUSTER_ERROR_BUSY ? 18000 : 1); /* not before it said */
    assert_asked ("");

    user_is (daemon, MUSTER_PRESENCE_DND, "in haste"); /* changing one's mind is no way round */
    assert_asked ("");
    pass_ms (60 * 1000); /* it goes on failing: told each time, kept once */
    g_assert_nonnull (strstr (full->log->str, "publish:dnd"));

    full->publish_error = -1;
    pass_ms (10 * 60 * 1000);
    assert_published (daemon, account, "dnd: in haste");
    user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "");
    assert_published (daemon, account, "available");
    g_string_truncate (full->log, 0);
  }

  types = read_types (daemon->base.store, 0, "", "presence.", 100);
  g_assert_cmpstr (types, ==, "presence.failed presence.failed presence.failed presence.failed");
}

static void
test_forbidden_until_something_changes (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  full->publish_error = MUSTER_ERROR_FORBIDDEN;
  account = add_ann (daemon);
  assert_asked ("open publish:available");
  assert_published (daemon, account, "- !forbidden");
  g_assert_nonnull (strstr (daemon->told->str, "presence.failed"));
  full->lease_s = 0;
  pass_ms (24 * 3600 * 1000);
  g_assert_null (strstr (full->log->str, "publish"));

  g_string_truncate (full->log, 0);
  full->publish_error = -1;
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  assert_asked ("publish:dnd");
  assert_published (daemon, account, "dnd");
}

static void
test_unsupported_is_no_error (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  full->publish_error = MUSTER_ERROR_UNSUPPORTED;
  account = add_ann (daemon);
  assert_asked ("open publish:available");
  assert_published (daemon, account, "- (its service takes no presence: told to fail)");
  g_assert_null (strstr (daemon->told->str, "presence.failed"));
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  assert_asked (""); /* ten thousand accounts would ask in vain each time */

  full->publish_error = -1;
  set_enabled (daemon, account, FALSE);
  pass_ms (100);
  assert_published (daemon, account, "- (it is not registered, so nothing is published)");
  set_enabled (daemon, account, TRUE);
  pass_ms (5000);
  assert_asked ("close open publish:dnd");
  assert_published (daemon, account, "dnd");
}

static void
test_no_answer (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  full->hold = full->deaf = TRUE;
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  pass_ms (39 * 1000);
  assert_published (daemon, account, "available");
  pass_ms (2 * 1000);
  assert_published (daemon, account, "available !unreachable");

  full->hold = full->deaf = FALSE;
  while (!g_queue_is_empty (&full->held))
    release ();
  pass_ms (10 * 60 * 1000);
  assert_published (daemon, account, "dnd");
}

static void
test_it_ends_with_the_registration (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);
  g_autoptr (GError) error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM, "cut");

  full->hold = TRUE;
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  full->hold = FALSE;
  g_string_truncate (full->log, 0);
  muster_registration_lost (muster_account_get_serving (account), error);
  settle ();
  assert_published (daemon, account, "- (it is not registered, so nothing is published)");
  while (!g_queue_is_empty (&full->held))
    release ();
  pass_ms (5 * 60 * 1000);
  assert_published (daemon, account, "dnd");
}

/* The registration stands, but what was published is gone: it is said again. */
static void
test_a_publication_that_lapses (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account;

  full->side_lease_s = 60;
  account = add_ann (daemon);
  g_string_truncate (full->log, 0);
  full->renew_error = MUSTER_ERROR_REFUSED;
  while (strstr (full->log->str, "lapsed") == NULL)
    pass_ms (50); /* no more than it waits at least */
  assert_published (daemon, account, "- !expired");
  pass_ms (5000);
  g_assert_nonnull (strstr (full->log->str, "publish:available"));
  assert_published (daemon, account, "available");
}

static void
test_an_account_that_goes (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);
  GAsyncResult *result = NULL;

  full->hold = TRUE;
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  full->hold = FALSE;
  muster_broker_remove_account_async (daemon->broker, account, on_result, &result);
  finish_change (daemon, &result);
  pass_ms (60 * 1000);
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, ""); /* the identity is still there */
}

/* The end of the daemon, whatever is under way. */
static void
test_killed_on_the_way (Daemon *daemon, gconstpointer data)
{
  for (guint i = 0; i < 60; i++) {
    g_autofree char *address = g_strdup_printf ("a%u@full", i);

    add_full (daemon, address);
  }
  full->hold = TRUE;
  pass_ms (1);
  set_layer (daemon, "call", MUSTER_PRESENCE_DND, "", 0, FALSE);
  daemon_kill (daemon);
  full->hold = FALSE;
}

/* Many at once: each is told the last wish. */
static void
test_many (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *results[3] = { NULL };

  for (guint i = 0; i < 120; i++) {
    g_autofree char *address = g_strdup_printf ("a%u@full", i);

    add_full (daemon, address);
  }
  pass_ms (5000);
  g_string_truncate (full->log, 0);

  begin_layer (daemon, "user", MUSTER_PRESENCE_DND, "one", 0, TRUE, &results[0]);
  begin_layer (daemon, "user", MUSTER_PRESENCE_DND, "two", 0, TRUE, &results[1]);
  begin_layer (daemon, "user", MUSTER_PRESENCE_DND, "three", 0, TRUE, &results[2]);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (end_layer (daemon, &results[i], NULL), >, 0);
  pass_ms (1000);
  for (GSequenceIter *iter =
         g_sequence_get_begin_iter (muster_broker_get_accounts (daemon->broker));
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    assert_published (daemon, g_sequence_get (iter), "dnd: three");
}

/* overrides */

static void
test_override (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  full->supported |= BIT (OFFLINE);
  override (daemon, account, "offline", "");
  assert_published (daemon, account, "offline");
  user_is (daemon, MUSTER_PRESENCE_DND, "Busy");
  assert_published (daemon, account, "offline"); /* whatever the identity does */
  override (daemon, account, "available", "For you");
  assert_published (daemon, account, "available: For you");
  override (daemon, account, "inherit", "");
  assert_published (daemon, account, "dnd: Busy");
}

static void
test_bad_overrides (Daemon *daemon, gconstpointer data)
{
  static const char *const bad[][2] = {
    { "happy", "" },
    { "", "" },
    { "dnd", "two\nlines" },
    { "inherit", "text" },
  };
  MusterAccount *account = add_ann (daemon);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    GAsyncResult *result = NULL;
    g_autoptr (GAsyncResult) held = NULL;

    muster_broker_set_override_async (daemon->broker, account, bad[i][0], bad[i][1], on_result,
                                      &result);
    held = wait_for_result (&result);
    g_assert_false (muster_broker_change_finish (daemon->broker, held, &error));
    g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT);
  }
  assert_published (daemon, account, "available");
}

/* layers */

static void
test_layers_end_by_themselves (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);
  guint64 number;

  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "here");
  set_layer (daemon, "lunch", MUSTER_PRESENCE_DND, "Lunch",
             muster_clock_wall_us () + 30 * MINUTE_US, TRUE);
  assert_shows (daemon, "dnd", "Lunch");
  assert_raw (daemon->base.path, "SELECT count (*) FROM presence_layer", "2");
  pass_ms (30 * 60 * 1000 - 500);
  assert_published (daemon, account, "dnd: Lunch");
  pass_ms (1000);
  assert_shows (daemon, "available", "here");
  assert_published (daemon, account, "available: here");
  number = set_layer (daemon, "call", MUSTER_PRESENCE_DND, "", 0, FALSE); /* behind the deletion */
  assert_raw (daemon->base.path, "SELECT name FROM presence_layer", "user");

  muster_broker_drop_layer (daemon->broker, only_identity (daemon)->record->id, "call", number - 1);
  assert_shows (daemon, "dnd", ""); /* somebody else set it since */
  muster_broker_drop_layer (daemon->broker, only_identity (daemon)->record->id, "call", number);
  assert_shows (daemon, "available", "here");
}

/* Until is wall time: a clock that is set, and a night in suspend, are seen within a minute. */
static void
test_the_clock_is_set (Daemon *daemon, gconstpointer data)
{
  add_ann (daemon);
  set_layer (daemon, "user", MUSTER_PRESENCE_DND, "", muster_clock_wall_us () + 600 * MINUTE_US,
             FALSE);
  pass_ms (1000);
  muster_clock_step_wall_us (601 * MINUTE_US);
  assert_shows (daemon, "dnd", "");
  pass_ms (61 * 1000);
  assert_shows (daemon, "available", "");

  set_layer (daemon, "user", MUSTER_PRESENCE_DND, "", muster_clock_wall_us () + 600 * MINUTE_US,
             FALSE);
  muster_clock_suspend_us (601 * MINUTE_US);
  pass_ms (1000);
  assert_shows (daemon, "available", "");

  set_layer (daemon, "user", MUSTER_PRESENCE_DND, "", muster_clock_wall_us () + MINUTE_US, FALSE);
  muster_clock_step_wall_us (-10 * MINUTE_US);
  pass_ms (5 * 60 * 1000);
  assert_shows (daemon, "dnd", "");
  pass_ms (7 * 60 * 1000);
  assert_shows (daemon, "available", "");
}

static void
assert_refused (Daemon *daemon,
                const char *name,
                const char *text,
                gint64 until_us,
                MusterBrokerError code,
                const char *word)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;

  begin_layer (daemon, name, MUSTER_PRESENCE_DND, text, until_us, TRUE, &result);
  g_assert_cmpuint (end_layer (daemon, &result, &error), ==, 0);
  g_assert_error (error, MUSTER_BROKER_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_bad_layers (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) held = NULL;
  GAsyncResult *result = NULL;

  add_ann (daemon);
  assert_refused (daemon, "Big", "", 0, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "name");
  assert_refused (daemon, "user", "a\tb", 0, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "text");
  assert_refused (daemon, "user", "", muster_clock_wall_us (), MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                  "until");
  assert_refused (daemon, "user", "", -1, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "until");
  for (guint i = 0; i < MUSTER_PRESENCE_LAYERS_MAX; i++) {
    g_autofree char *name = g_strdup_printf ("l%u", i);

    set_layer (daemon, name, MUSTER_PRESENCE_AWAY, "", 0, i % 2 == 0);
  }
  assert_refused (daemon, "user", "", 0, MUSTER_BROKER_ERROR_TOO_MANY, "16");
  set_layer (daemon, "l3", MUSTER_PRESENCE_DND, "", 0, TRUE);
  assert_shows (daemon, "dnd", ""); /* the last of equals */

  muster_broker_remove_layer_async (daemon->broker, only_identity (daemon), "nobody", on_result,
                                    &result);
  held = wait_for_result (&result);
  g_assert_false (muster_broker_change_finish (daemon->broker, held, &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND);
}

/* Somebody who sets one after the other without waiting is held up, nobody else. */
static void
test_a_flood (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *results[200] = { NULL };
  guint n_refused = 0;

  add_ann (daemon);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    begin_layer (daemon, "user", MUSTER_PRESENCE_DND, "", 0, TRUE, &results[i]);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (GError) error = NULL;

    end_layer (daemon, &results[i], &error);
    if (g_error_matches (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY))
      n_refused++;
    else
      g_assert_no_error (error);
  }
  g_assert_cmpuint (n_refused, ==, 100);
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "");
}

static void
test_removed (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *result = NULL;

  add_ann (daemon);
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  muster_broker_remove_layer_async (daemon->broker, only_identity (daemon), "user", on_result,
                                    &result);
  finish_change (daemon, &result);
  assert_shows (daemon, "available", "");
  assert_raw (daemon->base.path, "SELECT count (*) FROM presence_layer", "0");
}

/* restarts */

static void
test_what_is_kept (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);

  user_is (daemon, MUSTER_PRESENCE_DND, "Thesis");
  set_layer (daemon, "gone", MUSTER_PRESENCE_AWAY, "", muster_clock_wall_us () + MINUTE_US, TRUE);
  set_layer (daemon, "call", MUSTER_PRESENCE_AWAY, "on the phone", 0, FALSE);
  assert_shows (daemon, "away", "on the phone");
  muster_clock_step_wall_us (2 * MINUTE_US);
  restart (daemon);

  account = only_account (daemon);
  assert_shows (daemon, "dnd", "Thesis"); /* who was on the phone is not here any more */
  pass_ms (5000);
  assert_published (daemon, account, "dnd: Thesis");
  user_is (daemon, MUSTER_PRESENCE_AVAILABLE, "");
  assert_raw (daemon->base.path, "SELECT name FROM presence_layer", "user"); /* nor who expired */

  /* One that is kept no more is not there after the next start. */
  set_layer (daemon, "user", MUSTER_PRESENCE_DND, "", 0, FALSE);
  override (daemon, account, "available", "Always");
  restart (daemon);
  assert_shows (daemon, "available", "");
  pass_ms (5000);
  assert_published (daemon, only_account (daemon), "available: Always");
}

static void
test_the_order_is_kept (Daemon *daemon, gconstpointer data)
{
  add_ann (daemon);
  set_layer (daemon, "b", MUSTER_PRESENCE_DND, "", 0, TRUE);
  set_layer (daemon, "a", MUSTER_PRESENCE_AWAY, "", 0, TRUE);
  assert_shows (daemon, "away", "");
  restart (daemon);
  assert_shows (daemon, "away", "");
  set_layer (daemon, "b", MUSTER_PRESENCE_DND, "", 0, TRUE); /* numbers go on */
  assert_shows (daemon, "dnd", "");
}

/* What was said of presence in a warning while the daemon began again. */

static gboolean
is_fatal (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  return (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0;
}

static void
keep_message (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  g_string_append_printf (user_data, "%s\n", message);
}

static char *
start_and_hear (Daemon *daemon)
{
  GString *said = g_string_new (NULL);
  guint handler;

  g_test_log_set_fatal_handler (is_fatal, NULL);
  handler = g_log_set_handler ("MusterBroker", G_LOG_LEVEL_WARNING | G_LOG_FLAG_FATAL, keep_message,
                               said);
  daemon_start (daemon);
  g_log_remove_handler ("MusterBroker", handler);
  g_test_log_set_fatal_handler (NULL, NULL);

  return g_string_free (said, FALSE);
}

static void
test_rows_of_a_later_version (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add_ann (daemon);
  g_autofree char *said = NULL;

  user_is (daemon, MUSTER_PRESENCE_DND, "");
  override (daemon, account, "dnd", "");
  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE presence_layer SET presence = 'daydreaming';"
                                 "UPDATE presence_override SET presence = 'asleep'");
  said = start_and_hear (daemon);
  g_assert_nonnull (strstr (said, "a layer of identity"));
  g_assert_nonnull (strstr (said, "instead of its identity cannot be understood"));
  assert_shows (daemon, "available", "");
}

static void
test_a_damaged_row (Daemon *daemon, gconstpointer data)
{
  g_autofree char *said = NULL;

  add_ann (daemon);
  user_is (daemon, MUSTER_PRESENCE_DND, "");
  daemon_kill (daemon);
  raw_change (daemon->base.path, "UPDATE presence_layer SET priority = -5");
  said = start_and_hear (daemon);
  g_assert_nonnull (strstr (said, "presence_layer"));
  g_assert_nonnull (strstr (muster_broker_get_notice (daemon->broker), "presence_layer"));
  assert_shows (daemon, "available", "");
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  folder = g_path_get_dirname (g_getenv ("MUSTER_FULL_PLUGIN"));
  g_setenv ("MUSTER_PLUGIN_PATH", folder, TRUE);

#define ADD(name, func) g_test_add ("/presence/" name, Daemon, NULL, set_up, func, tear_down)
  ADD ("told-when-registered-and-when-it-changes", test_told_when_registered_and_when_it_changes);
  ADD ("what-cannot-be-said", test_what_cannot_be_said);
  ADD ("a-service-without-presence", test_a_service_without_presence);
  ADD ("the-last-wish-wins", test_the_last_wish_wins);
  ADD ("passing-errors", test_passing_errors);
  ADD ("forbidden-until-something-changes", test_forbidden_until_something_changes);
  ADD ("unsupported-is-no-error", test_unsupported_is_no_error);
  ADD ("no-answer", test_no_answer);
  ADD ("it-ends-with-the-registration", test_it_ends_with_the_registration);
  ADD ("a-publication-that-lapses", test_a_publication_that_lapses);
  ADD ("an-account-that-goes", test_an_account_that_goes);
  ADD ("killed-on-the-way", test_killed_on_the_way);
  ADD ("many", test_many);
  ADD ("override", test_override);
  ADD ("bad-overrides", test_bad_overrides);
  ADD ("layers-end-by-themselves", test_layers_end_by_themselves);
  ADD ("the-clock-is-set", test_the_clock_is_set);
  ADD ("bad-layers", test_bad_layers);
  ADD ("a-flood", test_a_flood);
  ADD ("removed", test_removed);
  ADD ("what-is-kept", test_what_is_kept);
  ADD ("the-order-is-kept", test_the_order_is_kept);
  ADD ("rows-of-a-later-version", test_rows_of_a_later_version);
  ADD ("a-damaged-row", test_a_damaged_row);
#undef ADD

  return g_test_run ();
}
