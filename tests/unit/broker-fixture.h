/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "broker/muster-broker.h"
#include "store-fixture.h"

#include <string.h>

/*
 * What the tests of the broker share: a daemon without its bus, on a store of its own, that can be
 * killed and started again. Its accounts speak `bound` of tests/fixtures/plugins, whose binding says
 * "SERVER PASSWORD KEPT": to whom which secret went, and what was kept for it.
 */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

typedef struct {
  Fixture base;
  MusterVault *vault;
  MusterPluginRegistry *registry;
  MusterEventBus *events;
  MusterBroker *broker;
  GString *told; /* the events, since the last look */
} Daemon;

static void
on_event (gint64 time_us,
          const char *type,
          const char *account,
          GVariant *payload,
          gpointer user_data)
{
  Daemon *daemon = user_data;

  g_string_append_printf (daemon->told, "%s%s", daemon->told->len > 0 ? " " : "", type);
}

static void
daemon_start (Daemon *daemon)
{
  static const guint8 key[MUSTER_VAULT_KEY_BYTES] = { 1, 2, 3 };
  g_autofree char *fixtures = g_test_build_filename (G_TEST_BUILT, "fixtures", "plugins", NULL);
  const char *path[] = { fixtures, g_getenv ("MUSTER_PLUGIN_PATH"), NULL };
  g_autoptr (GError) error = NULL;

  if (daemon->base.store == NULL)
    fixture_open (&daemon->base);
  daemon->vault = muster_vault_new (key);
  daemon->registry = muster_plugin_registry_new (path);
  daemon->events = muster_event_bus_new (daemon->base.store);
  muster_event_bus_subscribe (daemon->events, on_event, daemon);
  daemon->broker = muster_broker_new (daemon->base.store, daemon->vault, daemon->registry,
                                      daemon->events);
  g_assert_true (muster_broker_start (daemon->broker, &error));
  g_assert_no_error (error);
}

/* As if it were killed: nobody unregisters. */
static void
daemon_kill (Daemon *daemon)
{
  g_clear_pointer (&daemon->broker, muster_broker_free);
  g_clear_pointer (&daemon->events, muster_event_bus_free);
  fixture_close (&daemon->base);
  g_clear_pointer (&daemon->registry, muster_plugin_registry_free);
  g_clear_pointer (&daemon->vault, muster_vault_free);
  g_string_truncate (daemon->told, 0);
}

static void
daemon_leave (Daemon *daemon)
{
  g_autoptr (GAsyncResult) result = NULL;

  muster_broker_leave_async (daemon->broker, on_result, &result);
  g_assert_true (muster_broker_leave_finish (daemon->broker, wait_for_result (&result), NULL));
}

static void
daemon_set_up (Daemon *daemon, gconstpointer data)
{
  fixture_set_up (&daemon->base, NULL);
  daemon->told = g_string_new (NULL);
  daemon_start (daemon);
}

static void
daemon_tear_down (Daemon *daemon, gconstpointer data)
{
  if (daemon->broker != NULL)
    daemon_kill (daemon);
  fixture_tear_down (&daemon->base, NULL);
  g_string_free (daemon->told, TRUE);
}

/* calls that wait */

static GHashTable *
secrets_new (const char *password)
{
  GHashTable *secrets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                               (GDestroyNotify) muster_secret_unref);

  if (password != NULL)
    g_hash_table_insert (secrets, g_strdup ("password"),
                         muster_secret_new (password, strlen (password)));
  return secrets;
}

static void
begin_add (Daemon *daemon, const char *address, const char *password, GAsyncResult **result)
{
  g_autoptr (GHashTable) secrets = secrets_new (password);
  g_autoptr (GVariant)
    params = g_variant_ref_sink (g_variant_new_parsed ("{'server': <'one.example'>}"));

  muster_broker_add_account_async (daemon->broker, "bound", address, params, secrets, NULL, NULL,
                                   TRUE, on_result, result);
}

static MusterAccount *
end_add (Daemon *daemon, GAsyncResult **result)
{
  g_autoptr (GAsyncResult) held = wait_for_result (result);
  g_autoptr (GError) error = NULL;
  MusterAccount *account = muster_broker_add_account_finish (daemon->broker, held, &error);

  g_assert_no_error (error);
  g_assert_nonnull (account);

  return account;
}

static MusterAccount *
add (Daemon *daemon, const char *address, const char *password)
{
  GAsyncResult *result = NULL;

  begin_add (daemon, address, password, &result);

  return end_add (daemon, &result);
}

static void
finish_change (Daemon *daemon, GAsyncResult **result)
{
  g_autoptr (GAsyncResult) held = wait_for_result (result);
  g_autoptr (GError) error = NULL;

  muster_broker_change_finish (daemon->broker, held, &error);
  g_assert_no_error (error);
}

static void
set_password (Daemon *daemon, MusterAccount *account, const char *password)
{
  g_autoptr (MusterSecret)
    secret = password != NULL ? muster_secret_new (password, strlen (password)) : NULL;
  GAsyncResult *result = NULL;

  muster_broker_set_secret_async (daemon->broker, account, "password", secret, on_result, &result);
  finish_change (daemon, &result);
}

static void
set_enabled (Daemon *daemon, MusterAccount *account, gboolean enabled)
{
  GAsyncResult *result = NULL;

  muster_broker_set_enabled_async (daemon->broker, account, enabled, on_result, &result);
  finish_change (daemon, &result);
}

static void
begin_update (Daemon *daemon, MusterAccount *account, const char *set, GAsyncResult **result)
{
  static const char *const none[] = { NULL };
  g_autoptr (GVariant) params = g_variant_parse (G_VARIANT_TYPE_VARDICT, set, NULL, NULL, NULL);

  g_assert_nonnull (params);
  muster_broker_update_account_async (daemon->broker, account, params, none, NULL, on_result,
                                      result);
}

/* Returns what the update did: its effect, and what it detached. */
static char *
update (Daemon *daemon, MusterAccount *account, const char *set)
{
  GAsyncResult *result = NULL;
  g_autoptr (GAsyncResult) held = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) detached = NULL;
  g_autofree char *names = NULL;
  const char *effect = "";

  begin_update (daemon, account, set, &result);
  held = wait_for_result (&result);
  muster_broker_update_account_finish (daemon->broker, held, &effect, &detached, &error);
  g_assert_no_error (error);
  names = g_strjoinv (",", detached);

  return g_strdup_printf ("%s [%s]", effect, names);
}

#define assert_update(daemon, account, set, expected)                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *did = update (daemon, account, set);                                          \
    g_assert_cmpstr (did, ==, expected);                                                           \
  }                                                                                                \
  G_STMT_END

static const MusterStandingView *
view (MusterAccount *account)
{
  return muster_standing_get_view (muster_account_get_standing (account));
}

/* Waits until it is in @state and nothing is under way. */
static void
wait_for_state (MusterAccount *account, const char *state)
{
  while (!g_str_equal (muster_account_state_to_string (view (account)->state), state) ||
         !muster_standing_is_idle (muster_account_get_standing (account)))
    g_main_context_iteration (NULL, TRUE); /* the test runner's limit is the watchdog */
}

#define assert_binding(account, expected)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    MusterAccount *bound = account;                                                                \
    wait_for_state (bound, "registered");                                                          \
    g_assert_cmpstr (view (bound)->bindings[0], ==, expected);                                     \
  }                                                                                                \
  G_STMT_END

#define assert_told(daemon, expected)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpstr ((daemon)->told->str, ==, expected);                                           \
    g_string_truncate ((daemon)->told, 0);                                                         \
  }                                                                                                \
  G_STMT_END

static MusterAccount *
only_account (Daemon *daemon)
{
  GSequence *accounts = muster_broker_get_accounts (daemon->broker);

  g_assert_cmpint (g_sequence_get_length (accounts), ==, 1);
  return g_sequence_get (g_sequence_get_begin_iter (accounts));
}

static MusterIdentity *
only_identity (Daemon *daemon)
{
  GSequence *identities = muster_broker_get_identities (daemon->broker);

  g_assert_cmpint (g_sequence_get_length (identities), ==, 1);
  return g_sequence_get (g_sequence_get_begin_iter (identities));
}

#pragma GCC diagnostic pop
