/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Bench"

#include "config.h"

#include "muster-names.h"

#include <gio/gio.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What a client of the daemon waits for, measured by one that costs little itself:
 *
 *    bench-client start PROGRAM   from starting PROGRAM to its name on the bus, then ends it
 *    bench-client managed         one GetManagedObjects, until its body can be read
 *    bench-client add N           N AddAccount calls sent without waiting, until the last is answered
 *
 * Prints milliseconds and a count, as JSON.
 */

#define DEADLINE_MS 60000

static int
report (gint64 began_us, guint n)
{
  g_print ("{\"ms\": %.3f, \"n\": %u}\n", (double) (g_get_monotonic_time () - began_us) / 1000, n);
  return 0;
}

/* start */

static void
on_name (GDBusConnection *connection, const char *name, const char *owner, gpointer loop)
{
  g_main_loop_quit (loop);
}

static int
bench_start (GDBusConnection *connection, const char *program)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  const char *argv[] = { program, NULL };
  gint64 began_us, took_us;
  GPid pid;
  int status;

  g_bus_watch_name_on_connection (connection, MUSTER_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                  on_name, NULL, loop, NULL);
  began_us = g_get_monotonic_time ();
  if (!g_spawn_async (NULL, (char **) argv, NULL,
                      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                        G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, &pid, &error))
    g_error ("%s", error->message);
  g_main_loop_run (loop);
  took_us = g_get_monotonic_time () - began_us;

  kill (pid, SIGTERM);
  waitpid (pid, &status, 0);
  if (status != 0)
    g_error ("the daemon ended with %d", status);
  g_print ("{\"ms\": %.3f, \"n\": 1}\n", (double) took_us / 1000);

  return 0;
}

/* managed */

static int
bench_managed (GDBusConnection *connection)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) objects = NULL;
  g_autoptr (GError) error = NULL;
  gint64 began_us = g_get_monotonic_time ();

  reply = g_dbus_connection_call_sync (connection, MUSTER_BUS_NAME, MUSTER_PATH,
                                       "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                                       NULL, G_VARIANT_TYPE ("(a{oa{sa{sv}}})"),
                                       G_DBUS_CALL_FLAGS_NONE, DEADLINE_MS, NULL, &error);
  if (reply == NULL)
    g_error ("%s", error->message);
  objects = g_variant_get_child_value (reply, 0);

  return report (began_us, (guint) g_variant_n_children (objects));
}

/* add */

typedef struct {
  GMainLoop *loop;
  guint n_waiting;
} Adding;

static void
on_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Adding *adding = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (reply == NULL)
    g_error ("%s", error->message);
  if (--adding->n_waiting == 0)
    g_main_loop_quit (adding->loop);
}

static int
bench_add (GDBusConnection *connection, guint n)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Adding adding = { loop, n };
  gint64 began_us = g_get_monotonic_time ();

  for (guint i = 0; i < n; i++) {
    g_autofree char *address = g_strdup_printf ("added%u@bench.test", i);

    g_dbus_connection_call (
      connection, MUSTER_BUS_NAME, MUSTER_PATH, MUSTER_INTERFACE_MANAGER, "AddAccount",
      g_variant_new_parsed ("('echo', %s, {'lease': <uint32 3600>}, @a{sh} {}, @a{sv} {})",
                            address),
      NULL, G_DBUS_CALL_FLAGS_NONE, DEADLINE_MS, NULL, on_added, &adding);
  }
  g_main_loop_run (loop);

  return report (began_us, n);
}

int
main (int argc, char **argv)
{
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  if (connection == NULL)
    g_error ("%s", error->message);

  if (argc == 3 && g_str_equal (argv[1], "start"))
    return bench_start (connection, argv[2]);
  if (argc == 2 && g_str_equal (argv[1], "managed"))
    return bench_managed (connection);
  if (argc == 3 && g_str_equal (argv[1], "add"))
    return bench_add (connection, (guint) strtoul (argv[2], NULL, 10));

  g_printerr ("Usage: bench-client start PROGRAM | managed | add N\n");
  return 2;
}
