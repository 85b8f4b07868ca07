/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"

#include <signal.h>
#include <sys/resource.h>

/* What is asked of the broker, on a real store, with a real vault and real plugins. */

/* adding */

static void
test_add (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  assert_told (daemon, "account.added registration.created");
  g_assert_cmpuint (muster_broker_count_registered (daemon->broker), ==, 1);
  g_assert_cmpuint (only_identity (daemon)->n_accounts, ==, 1);
  g_assert_cmpuint (only_identity (daemon)->n_registered, ==, 1);
  g_assert_cmpuint (only_identity (daemon)->n_adding, ==, 0);
  g_assert_cmpuint (muster_broker_get_counters (daemon->broker)->opened, ==, 1);
  assert_accounts (daemon->base.store, muster_account_get_id (account));
}

static void
test_add_without_its_secret (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", NULL);

  g_assert_cmpstr (view (account)->reason, ==, "no-secret");
  wait_for_state (account, "waiting-secret");
  set_password (daemon, account, "hush");
  assert_binding (account, "one.example hush -");
  set_password (daemon, account, NULL);
  wait_for_state (account, "waiting-secret");
}

static void
test_add_is_checked (Daemon *daemon, gconstpointer data)
{
  static const struct {
    const char *protocol;
    const char *address;
    const char *params;
    const char *name;
    const char *message;
  } wrong[] = {
    { "nope", "a@bound", "{'server': <'s'>}", NULL, "*no plugin speaks*" },
    { "bad-context", "a@bound", "{}", NULL, "*does not work*port 5060*" },
    { "bound", "alice", "{'server': <'s'>}", NULL, "*not an address*" },
    { "bound", "a@b\nc", "{'server': <'s'>}", NULL, "*control characters*" },
    { "bound", "a@bound", "{}", NULL, "server is needed; it is whom the password is given to" },
    { "bound", "a@bound", "{'server': <uint32 7>}", NULL, "*server is text*" },
    { "bound", "a@bound", "{'server': <'s\r\nx'>}", NULL, "*control characters*" },
    { "bound", "a@bound", "{'server': <'s'>, 'lifetime': <uint32 59>}", NULL, "*from 60 to 7200*" },
    { "bound", "a@bound", "{'server': <'s'>, 'port': <uint32 1>}", NULL,
      "*no parameter \"port\"*" },
    { "bound", "a@bound", "{'server': <'s'>, 'token': <'t'>}", NULL, "*is a secret*" },
    { "bound", "a@bound", "{'server': <'s'>}", "", "*name is empty*" },
    { "bound", "a@bound", "{'server': <'s'>}", "a\tb", "*name holds control*" },
  };
  g_autoptr (GHashTable) none = secrets_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GVariant)
      params = (g_variant_parse (G_VARIANT_TYPE_VARDICT, wrong[i].params, NULL, NULL, NULL));
    g_autoptr (GAsyncResult) result = NULL;
    g_autoptr (GError) error = NULL;

    muster_broker_add_account_async (daemon->broker, wrong[i].protocol, wrong[i].address, params,
                                     none, NULL, wrong[i].name, TRUE, on_result, &result);
    g_assert_null (
      muster_broker_add_account_finish (daemon->broker, wait_for_result (&result), &error));
    g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT);
    if (!g_pattern_match_simple (wrong[i].message, error->message))
      g_error ("\"%s\" is not like \"%s\"", error->message, wrong[i].message);
  }
  assert_accounts (daemon->base.store, "");
  g_assert_cmpint (g_sequence_get_length (muster_broker_get_identities (daemon->broker)), ==, 0);
}

static void
test_add_checks_secrets (Daemon *daemon, gconstpointer data)
{
  g_autofree char *long_one = g_strnfill (64 * 1024 + 1, 'x');
  const struct {
    const char *name;
    const char *text;
    gsize length;
  } wrong[] = { { "password", "", 0 },
                { "password", "a\0b", 3 },
                { "password", long_one, 64 * 1024 + 1 },
                { "pin", "1234", 4 },
                { "server", "s", 1 } };
  MusterAccount *account = add (daemon, "alice@bound", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (MusterSecret) secret = muster_secret_new (wrong[i].text, wrong[i].length);
    g_autoptr (GAsyncResult) result = NULL;
    g_autoptr (GError) error = NULL;

    muster_broker_set_secret_async (daemon->broker, account, wrong[i].name, secret, on_result,
                                    &result);
    g_assert_false (
      muster_broker_change_finish (daemon->broker, wait_for_result (&result), &error));
    g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT);
    g_assert_null (strstr (error->message, "1234"));
  }
}

static void
test_add_twice (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  GAsyncResult *first = NULL;

  begin_add (daemon, "alice@bound", "hush", &first);
  begin_add (daemon, "Alice@BOUND", "hush", &second); /* while the first is being stored */
  end_add (daemon, &first);
  g_assert_null (
    muster_broker_add_account_finish (daemon->broker, wait_for_result (&second), &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS);
}

static void
test_first_two_make_one_identity (Daemon *daemon, gconstpointer data)
{
  GAsyncResult *results[4] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autofree char *address = g_strdup_printf ("alice%u@bound", i);

    begin_add (daemon, address, "hush", &results[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    end_add (daemon, &results[i]);
  g_assert_cmpuint (only_identity (daemon)->n_accounts, ==, 4);
}

/* identities */

static MusterIdentity *
add_identity (Daemon *daemon, const char *name)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  MusterIdentity *identity;

  muster_broker_add_identity_async (daemon->broker, name, on_result, &result);
  identity = muster_broker_add_identity_finish (daemon->broker, wait_for_result (&result), &error);
  g_assert_no_error (error);

  return identity;
}

static void
test_identities (Daemon *daemon, gconstpointer data)
{
  MusterIdentity *alice = add_identity (daemon, "Alice");
  MusterIdentity *bob = add_identity (daemon, "Bob");
  GAsyncResult *result = NULL;
  g_autoptr (GAsyncResult) taken = NULL;
  g_autoptr (GError) error = NULL;

  muster_broker_rename_identity_async (daemon->broker, bob, "Alice", on_result, &taken);
  g_assert_false (muster_broker_change_finish (daemon->broker, wait_for_result (&taken), &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_EXISTS);

  muster_broker_rename_identity_async (daemon->broker, bob, "Robert", on_result, &result);
  finish_change (daemon, &result);
  g_assert_cmpstr (bob->record->name, ==, "Robert");
  result = NULL;
  muster_broker_remove_identity_async (daemon->broker, alice, on_result, &result);
  finish_change (daemon, &result);
  g_assert_cmpstr (only_identity (daemon)->record->name, ==, "Robert");
}

static void
test_identity_in_use (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  add (daemon, "alice@bound", "hush");
  muster_broker_remove_identity_async (daemon->broker, only_identity (daemon), on_result, &result);
  g_assert_false (muster_broker_change_finish (daemon->broker, wait_for_result (&result), &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_IN_USE);
}

/* An account moves in while the identity is being removed, and the other way round. */
static void
test_identity_goes_while_an_account_comes (Daemon *daemon, gconstpointer data)
{
  MusterIdentity *alice = add_identity (daemon, "Alice");
  g_autofree char *id = g_strdup (alice->record->id);
  g_autoptr (GHashTable) none = secrets_new (NULL);
  g_autoptr (GVariant)
    params = g_variant_ref_sink (g_variant_new_parsed ("{'server': <'one.example'>}"));
  g_autoptr (GAsyncResult) asked = NULL;
  g_autoptr (GAsyncResult) refused = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *removed = NULL;
  GAsyncResult *added = NULL;

  muster_broker_remove_identity_async (daemon->broker, alice, on_result, &removed);
  muster_broker_add_account_async (daemon->broker, "bound", "bob@bound", params, none, id, NULL,
                                   TRUE, on_result, &asked);
  begin_add (daemon, "alice@bound", "hush", &added);
  finish_change (daemon, &removed);
  g_assert_null (
    muster_broker_add_account_finish (daemon->broker, wait_for_result (&asked), &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND);
  end_add (daemon, &added);
  g_assert_cmpstr (only_identity (daemon)->record->id, !=, id); /* it brought its own */

  g_clear_error (&error);
  added = NULL;
  begin_add (daemon, "carol@bound", "hush", &added);
  muster_broker_remove_identity_async (daemon->broker, only_identity (daemon), on_result, &refused);
  g_assert_false (muster_broker_change_finish (daemon->broker, wait_for_result (&refused), &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_IN_USE);
  end_add (daemon, &added);
}

/* updating */

static void
test_effects_of_updates (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  assert_told (daemon, "account.added registration.created");

  assert_update (daemon, account, "{'lifetime': <uint32 600>}", "none []"); /* its default */
  assert_update (daemon, account, "{'nick': <'al'>}", "live []");
  assert_told (daemon, "account.changed account.changed");
  assert_update (daemon, account, "{'lifetime': <uint32 900>, 'nick': <'a'>}", "reregister []");
  wait_for_state (account, "registered");
  assert_told (daemon, "account.changed registration.refreshed");
  assert_update (daemon, account, "{'realm': <'r'>}", "recreate []");
  wait_for_state (account, "registered");
  assert_told (daemon, "account.changed registration.ended registration.created");
}

static void
test_repointing_detaches_secrets (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  assert_update (daemon, account, "{'server': <'evil.example'>}", "recreate [password]");
  wait_for_state (account, "waiting-secret");
  g_assert_cmpstr (view (account)->reason, ==, "no-secret");
  g_assert_false (muster_account_has_secret (account, "password"));

  /* Nor has the old registration left anything for the new one when it closed. */
  daemon_kill (daemon);
  assert_raw (daemon->base.path, "SELECT count(*) FROM sealed", "0");
  daemon_start (daemon);
  account = only_account (daemon);
  set_password (daemon, account, "other");
  assert_binding (account, "evil.example other -");
}

/* The new secret comes while the old registration is still leaving: it must not see it. */
static void
test_old_registration_sees_no_new_secret (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  assert_update (daemon, account, "{'proxy': <'evil.example'>}", "recreate [password]");
  set_password (daemon, account, "other");
  assert_binding (account, "one.example other -");
}

static void
test_what_was_kept_goes_with_the_registration (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  set_enabled (daemon, account, FALSE);
  wait_for_state (account, "disabled");
  daemon_kill (daemon);
  assert_raw (daemon->base.path, "SELECT name FROM sealed ORDER BY name", "resume secret/password");
  daemon_start (daemon);

  account = only_account (daemon);
  assert_update (daemon, account, "{'realm': <'r'>}", "recreate []");
  set_enabled (daemon, account, TRUE);
  assert_binding (account, "one.example hush -");
}

static void
test_live_edit_mends_what_failed (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");
  g_autoptr (MusterStoreChange) change = muster_store_change_new ();
  MusterAccountRecord record = *muster_account_get_record (account);
  g_autoptr (GError) error = NULL;

  /* As an older plugin took it. */
  record.params = g_variant_ref_sink (
    g_variant_new_parsed ("{'server': <'one.example'>, 'nick': <uint32 7>}"));
  muster_store_change_put_account (change, &record);
  commit_ok (daemon->base.store, g_steal_pointer (&change));
  g_variant_unref (record.params);
  daemon_kill (daemon);
  daemon_start (daemon);

  account = only_account (daemon);
  wait_for_state (account, "failed");
  g_assert_cmpstr (view (account)->reason, ==, "invalid");
  g_assert_nonnull (strstr (muster_account_get_problem (account), "nick"));
  g_assert_false (muster_broker_retry (daemon->broker, account, &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE);
  g_assert_nonnull (strstr (error->message, "nick"));
  assert_update (daemon, account, "{'nick': <'al'>}", "live []");
  wait_for_state (account, "registered");
}

/* switching and removing */

static void
test_switching (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  assert_binding (account, "one.example hush -");
  set_enabled (daemon, account, FALSE);
  wait_for_state (account, "disabled");
  set_enabled (daemon, account, TRUE);
  wait_for_state (account, "registered");
  assert_told (daemon, "account.added registration.created account.disabled registration.ended "
                       "account.enabled registration.created");
}

static void
test_remove (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");
  g_autofree char *id = g_strdup (muster_account_get_id (account));
  GAsyncResult *result = NULL;

  assert_binding (account, "one.example hush -");
  muster_broker_remove_account_async (daemon->broker, account, on_result, &result);
  finish_change (daemon, &result);
  g_assert_null (muster_broker_get_account (daemon->broker, id));
  g_assert_cmpuint (only_identity (daemon)->n_accounts, ==, 0);
  g_assert_cmpuint (only_identity (daemon)->n_registered, ==, 0);
  g_assert_cmpuint (muster_broker_count_registered (daemon->broker), ==, 0);
  daemon_leave (daemon); /* waits for it, though nobody sees it any more */
  assert_told (daemon, "account.added registration.created account.removed registration.ended");

  add (daemon, "alice@bound", NULL); /* its address is free */
  daemon_kill (daemon);
  assert_raw (daemon->base.path, "SELECT count(*) FROM sealed", "0");
  assert_raw (daemon->base.path, "SELECT count(*) FROM account", "1");
}

static void
test_changes_keep_their_order (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");
  GAsyncResult *removed = NULL;
  GAsyncResult *results[20] = { NULL };
  GAsyncResult *disabled = NULL;
  g_autoptr (GAsyncResult) late = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) nick = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autofree char *set = g_strdup_printf ("{'nick': <'n%u'>}", i);

    begin_update (daemon, account, set, &results[i]);
  }
  muster_broker_set_enabled_async (daemon->broker, account, FALSE, on_result, &disabled);
  finish_change (daemon, &disabled);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++) {
    g_auto (GStrv) detached = NULL;
    const char *effect;

    g_assert_nonnull (results[i]); /* each was answered before what came after it */
    g_assert_true (
      muster_broker_update_account_finish (daemon->broker, results[i], &effect, &detached, NULL));
    g_object_unref (results[i]);
  }
  nick = g_variant_lookup_value (muster_account_get_record (account)->params, "nick", NULL);
  g_assert_cmpstr (g_variant_get_string (nick, NULL), ==, "n19");
  g_assert_false (muster_account_get_record (account)->enabled);

  muster_broker_remove_account_async (daemon->broker, account, on_result, &removed);
  muster_broker_set_enabled_async (daemon->broker, account, TRUE, on_result, &late);
  finish_change (daemon, &removed);
  g_assert_false (muster_broker_change_finish (daemon->broker, wait_for_result (&late), &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND);
}

/* Whoever asks faster than the store writes is told so. */
static void
test_few_changes_wait (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");
  GAsyncResult *results[150] = { NULL };
  guint n_done = 0;

  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    muster_broker_set_enabled_async (daemon->broker, account, i % 2 == 0, on_result, &results[i]);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (GAsyncResult) result = wait_for_result (&results[i]);
    g_autoptr (GError) error = NULL;

    if (muster_broker_change_finish (daemon->broker, result, &error))
      n_done++;
    else
      g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY);
  }
  g_assert_cmpuint (n_done, ==, 100);
  set_enabled (daemon, account, TRUE);
  wait_for_state (account, "registered");
}

/* a store that fails */

static void
limit_files (rlim_t bytes)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = MIN (bytes, limit.rlim_max);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
assert_store_error (GError *error)
{
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_STORE);
  g_assert_true (g_str_has_prefix (error->message, "it could not be stored"));
  g_error_free (error);
}

static void
fail_to_store (void)
{
  Daemon daemon = { { 0 } };
  MusterAccount *account;
  GAsyncResult *result = NULL;
  GError *error = NULL;
  const char *effect;
  GStrv detached;

  signal (SIGXFSZ, SIG_IGN);
  g_log_set_always_fatal (G_LOG_FATAL_MASK); /* the store says what it cannot write behind */
  daemon_set_up (&daemon, NULL);
  account = add (&daemon, "alice@bound", "hush");
  assert_binding (account, "one.example hush -");
  limit_files (1);

  begin_update (&daemon, account, "{'server': <'two.example'>}", &result);
  g_assert_false (muster_broker_update_account_finish (daemon.broker, wait_for_result (&result),
                                                       &effect, &detached, &error));
  assert_store_error (g_steal_pointer (&error));
  g_clear_object (&result);
  g_assert_true (muster_account_has_secret (account, "password"));
  wait_for_state (account, "registered"); /* it was never pointed elsewhere */
  g_assert_cmpstr (view (account)->bindings[0], ==, "one.example hush -");

  begin_add (&daemon, "bob@bound", "hush", &result);
  g_assert_null (
    muster_broker_add_account_finish (daemon.broker, wait_for_result (&result), &error));
  assert_store_error (g_steal_pointer (&error));
  g_clear_object (&result);
  g_assert_cmpuint (only_identity (&daemon)->n_adding, ==, 0);

  limit_files (RLIM_INFINITY);
  add (&daemon, "bob@bound", "hush"); /* its address was given back */
  assert_update (&daemon, account, "{'server': <'two.example'>}", "recreate [password]");
  daemon_tear_down (&daemon, NULL);
}

/* In a process of its own: the limit is the process's. */
static void
test_store_fails (void)
{
  if (g_test_subprocess ()) {
    fail_to_store ();
    return;
  }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

/* finding */

static void
assert_finds (Daemon *daemon, const char *selector, const char *address, int code)
{
  g_autoptr (GError) error = NULL;
  MusterAccount *found = muster_broker_find_account (daemon->broker, selector, &error);

  if (address == NULL) {
    g_assert_error (error, MUSTER_BROKER_ERROR, code);
    g_assert_null (found);
    return;
  }
  g_assert_no_error (error);
  g_assert_cmpstr (muster_account_get_record (found)->address, ==, address);
}

static void
test_find (Daemon *daemon, gconstpointer data)
{
  MusterAccount *alice = add (daemon, "alice@bound", NULL);
  g_autoptr (GError) error = NULL;

  add (daemon, "alicia@bound", NULL);
  add (daemon, "bob@bound", NULL);
  assert_finds (daemon, muster_account_get_id (alice), "alice@bound", 0);
  assert_finds (daemon, "alice@bound", "alice@bound", 0);
  assert_finds (daemon, "alice", "alice@bound", 0);
  assert_finds (daemon, "bo", "bob@bound", 0);
  assert_finds (daemon, "ali", NULL, MUSTER_BROKER_ERROR_AMBIGUOUS);
  assert_finds (daemon, "zoe", NULL, MUSTER_BROKER_ERROR_NOT_FOUND);
  assert_finds (daemon, "", NULL, MUSTER_BROKER_ERROR_NOT_FOUND);
  g_assert_nonnull (
    muster_broker_find_identity (daemon->broker, only_identity (daemon)->record->name, &error));
}

static void
test_pages (Daemon *daemon, gconstpointer data)
{
  const char *after = "";
  guint n = 0;

  for (guint i = 0; i < 10; i++) {
    g_autofree char *address = g_strdup_printf ("a%u@bound", i);

    add (daemon, address, NULL);
  }
  for (;;) {
    GSequenceIter *iter = muster_broker_seek_account (daemon->broker, after);
    const char *id;

    if (g_sequence_iter_is_end (iter))
      break;
    id = muster_account_get_id (g_sequence_get (iter));
    g_assert_cmpstr (id, >, after);
    after = id;
    n++;
  }
  g_assert_cmpuint (n, ==, 10);
}

static void
test_people_act (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (muster_broker_refresh (daemon->broker, account, &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE);
  g_clear_error (&error);
  g_assert_false (muster_broker_retry (daemon->broker, account, &error));
  g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE);
  g_assert_nonnull (strstr (error->message, "secret"));
  g_clear_error (&error);

  set_password (daemon, account, "hush");
  wait_for_state (account, "registered");
  g_assert_true (muster_broker_refresh (daemon->broker, account, &error));
  wait_for_state (account, "registered");
  g_assert_cmpuint (muster_broker_get_counters (daemon->broker)->refreshed, ==, 1);
}

static void
test_offline (Daemon *daemon, gconstpointer data)
{
  MusterAccount *account = add (daemon, "alice@bound", "hush");

  wait_for_state (account, "registered");
  muster_broker_set_offline (daemon->broker, "asleep", TRUE);
  muster_broker_set_offline (daemon->broker, "no-link", TRUE);
  muster_broker_set_offline (daemon->broker, "no-link", TRUE);
  wait_for_state (account, "waiting-network");
  g_assert_cmpuint (muster_broker_count_registered (daemon->broker), ==, 0);
  muster_broker_set_offline (daemon->broker, "asleep", FALSE);
  g_assert_cmpstr (muster_broker_get_offline (daemon->broker)[0], ==, "no-link");
  wait_for_state (account, "waiting-network");
  muster_broker_set_offline (daemon->broker, "no-link", FALSE);
  wait_for_state (account, "registered");
}

#define ADD(name, func)                                                                            \
  g_test_add ("/broker/" name, Daemon, NULL, daemon_set_up, func, daemon_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  ADD ("add", test_add);
  ADD ("add-without-its-secret", test_add_without_its_secret);
  ADD ("add-is-checked", test_add_is_checked);
  ADD ("add-checks-secrets", test_add_checks_secrets);
  ADD ("add-twice", test_add_twice);
  ADD ("first-two-make-one-identity", test_first_two_make_one_identity);
  ADD ("identities", test_identities);
  ADD ("identity-in-use", test_identity_in_use);
  ADD ("identity-goes-while-an-account-comes", test_identity_goes_while_an_account_comes);
  ADD ("effects-of-updates", test_effects_of_updates);
  ADD ("repointing-detaches-secrets", test_repointing_detaches_secrets);
  ADD ("old-registration-sees-no-new-secret", test_old_registration_sees_no_new_secret);
  ADD ("what-was-kept-goes-with-the-registration", test_what_was_kept_goes_with_the_registration);
  ADD ("live-edit-mends-what-failed", test_live_edit_mends_what_failed);
  ADD ("switching", test_switching);
  ADD ("remove", test_remove);
  ADD ("few-changes-wait", test_few_changes_wait);
  ADD ("changes-keep-their-order", test_changes_keep_their_order);
  g_test_add_func ("/broker/store-fails", test_store_fails);
  ADD ("find", test_find);
  ADD ("pages", test_pages);
  ADD ("people-act", test_people_act);
  ADD ("offline", test_offline);

  return g_test_run ();
}
