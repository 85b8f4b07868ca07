/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "bus/muster-bus.h"
#include "muster-names.h"

/* GetManagedObjects is built in pieces, on a private bus, while accounts come and go. */

#define N_ACCOUNTS 250 /* five pieces */

static void
on_name (gboolean owned, gpointer user_data)
{
}

static GDBusConnection *
connect_to_bus (GTestDBus *dbus)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection;

  connection = g_dbus_connection_new_for_address_sync (
    g_test_dbus_get_bus_address (dbus),
    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
    NULL, NULL, &error);
  g_assert_no_error (error);

  return connection;
}

static void
on_reply (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  g_assert_no_error (error);
  *(GVariant **) user_data = reply;
}

static guint
count_accounts (GVariant *reply)
{
  g_autoptr (GVariant) objects = g_variant_get_child_value (reply, 0);
  GVariantIter iter;
  const char *path;
  guint n = 0;

  g_variant_iter_init (&iter, objects);
  while (g_variant_iter_next (&iter, "{&o@a{sa{sv}}}", &path, NULL))
    n += g_str_has_prefix (path, MUSTER_PATH_ACCOUNTS "/");

  return n;
}

static void
test_accounts_go_meanwhile (Daemon *daemon, gconstpointer data)
{
  g_autoptr (GTestDBus) dbus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_autoptr (GDBusConnection) server = NULL;
  g_autoptr (GDBusConnection) client = NULL;
  GAsyncResult *results[N_ACCOUNTS] = { NULL };
  MusterBus *bus;

  g_test_dbus_up (dbus);
  server = connect_to_bus (dbus);
  client = connect_to_bus (dbus);
  for (guint i = 0; i < N_ACCOUNTS; i++) {
    g_autofree char *address = g_strdup_printf ("a%u@bound", i);

    begin_add (daemon, address, NULL, &results[i]);
  }
  for (guint i = 0; i < N_ACCOUNTS; i++)
    end_add (daemon, &results[i]);
  bus = muster_bus_new (server, daemon->broker, daemon->events, NULL, on_name, NULL);

  /* One after the other goes, while one answer after the other is built. */
  while (g_sequence_get_length (muster_broker_get_accounts (daemon->broker)) > 0) {
    guint n_before = (guint) g_sequence_get_length (muster_broker_get_accounts (daemon->broker));
    g_autoptr (GVariant) reply = NULL;
    GSequence *accounts = muster_broker_get_accounts (daemon->broker);

    g_dbus_connection_call (client, g_dbus_connection_get_unique_name (server), MUSTER_PATH,
                            "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, NULL,
                            G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_reply, &reply);
    for (guint i = 0; i < 25 && i < n_before; i++) /* those that are built first */
      muster_broker_remove_account_async (daemon->broker,
                                          g_sequence_get (
                                            g_sequence_get_iter_at_pos (accounts, (int) i)),
                                          NULL, NULL);
    while (reply == NULL)
      g_main_context_iteration (NULL, TRUE);
    g_assert_cmpuint (count_accounts (reply), <=, n_before);
  }

  muster_bus_free (bus);
  g_dbus_connection_close_sync (client, NULL, NULL);
  g_dbus_connection_close_sync (server, NULL, NULL);
  g_test_dbus_down (dbus);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add ("/bus-managed/accounts-go-meanwhile", Daemon, NULL, daemon_set_up,
              test_accounts_go_meanwhile, daemon_tear_down);

  return g_test_run ();
}
