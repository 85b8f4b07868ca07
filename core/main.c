/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "bus/muster-bus.h"
#include "events/muster-outbox.h"
#include "muster-hub-private.h"
#include "muster-names.h"
#include "plugins/muster-plugin-records.h"
#include "plugins/muster-services.h"

#include <gio/gio.h>
#include <glib-unix.h>

#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/*
 * musterd: puts the parts together, runs the loop, and takes them apart.
 *
 *    lock and open the store, open the key -> load plugins -> load accounts -> connect to the bus, own
 *    the name -> start -> loop -> unregister (at most 3 s) -> close the store
 */

#define EXIT_STORE 3 /* as the manual page says */
#define EXIT_BUS   4

typedef struct {
  GMainLoop *loop;
  MusterStore *store;
  MusterVault *vault;
  MusterPluginRecords *records;
  MusterPluginRegistry *registry;
  MusterServices *services;
  MusterEventBus *events;
  MusterOutbox *outbox;
  MusterGate *gate;
  MusterBroker *broker;
  MusterBus *bus;
  gboolean owned;
  gboolean leaving;
  int exit_status;
} Daemon;

/* leaving */

static void
on_left (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Daemon *self = user_data;

  g_main_loop_quit (self->loop);
}

static gboolean
on_signal (gpointer user_data)
{
  Daemon *self = user_data;

  if (!self->leaving) {
    self->leaving = TRUE;
    muster_broker_leave_async (self->broker, on_left, self);
  }

  return G_SOURCE_CONTINUE;
}

static void
on_name (gboolean owned, gpointer user_data)
{
  Daemon *self = user_data;

  if (owned) {
    self->owned = TRUE;
    g_message ("ready as %s", MUSTER_BUS_NAME);
    return;
  }
  if (self->leaving)
    return;

  if (self->owned)
    g_printerr ("musterd: the session bus is gone, or another daemon took our name\n");
  else
    g_printerr ("musterd: another musterd is already running on this session bus\n");
  self->exit_status = EXIT_BUS;
  on_signal (self);
}

/* coming up */

static gboolean
fail (Daemon *self, int status, const char *what, const GError *error)
{
  g_printerr ("musterd: %s: %s\n", what, error->message);
  self->exit_status = status;

  return FALSE;
}

static gboolean
daemon_open (Daemon *self)
{
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "muster", NULL);
  g_autofree char *database = g_build_filename (folder, "muster.db", NULL);
  g_autofree char *key = g_build_filename (folder, "key", NULL);
  g_auto (GStrv) path = muster_plugin_registry_dup_search_path ();
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  if (connection == NULL)
    return fail (self, EXIT_BUS, "there is no session bus", error);
  g_dbus_connection_set_exit_on_close (connection, FALSE);

  self->store = muster_store_open (database, &error);
  if (self->store == NULL)
    return fail (self, EXIT_STORE, "the store cannot be opened", error);
  self->vault = muster_vault_open_key_file (key, TRUE, &error);
  if (self->vault == NULL)
    return fail (self, EXIT_STORE, "the key of the secrets cannot be opened", error);

  self->registry = muster_plugin_registry_new ((const char *const *) path);
  self->records = muster_plugin_records_new (self->store, self->vault);
  muster_plugin_registry_set_record_host (self->registry, muster_plugin_records_get_host (),
                                          self->records);
  self->services = muster_services_new (self->registry);
  self->events = muster_event_bus_new (self->store);
  self->outbox = muster_outbox_new (self->store, self->events,
                                    muster_services_get_sinks (self->services),
                                    MUSTER_OUTBOX_MAX_EVENTS, &error);
  if (self->outbox == NULL)
    return fail (self, EXIT_STORE, "the outbox cannot be read", error);
  self->gate = muster_gate_new (muster_services_get_sinks (self->services));
  self->broker = muster_broker_new (self->store, self->vault, self->registry, self->events);
  muster_broker_set_gate (self->broker, self->gate);
  self->bus = muster_bus_new (connection, self->broker, self->events, "key-file", on_name, self);
  if (!muster_broker_start (self->broker, &error))
    return fail (self, EXIT_STORE, "the accounts cannot be loaded", error);
  muster_services_listen (self->services);
  muster_bus_own_name (self->bus);

  return TRUE;
}

static void
daemon_close (Daemon *self)
{
  g_clear_pointer (&self->bus, muster_bus_free);
  g_clear_pointer (&self->broker, muster_broker_free);
  g_clear_pointer (&self->gate, muster_gate_free);
  g_clear_pointer (&self->outbox, muster_outbox_free);
  g_clear_pointer (&self->services, muster_services_free);
  g_clear_pointer (&self->events, muster_event_bus_free);
  g_clear_pointer (&self->registry, muster_plugin_registry_free);
  g_clear_pointer (&self->records, muster_plugin_records_free);
  if (self->store != NULL)
    muster_store_close (self->store);
  g_clear_object (&self->store);
  g_clear_pointer (&self->vault, muster_vault_free);
  g_clear_pointer (&self->loop, g_main_loop_unref);
}

/* Secrets are in our memory: no core files, no debuggers of others. */
static void
harden (void)
{
  const struct rlimit none = { 0, 0 };
  struct rlimit files;

  umask (077);
  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_DUMPABLE, 0);
  if (getrlimit (RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit (RLIMIT_NOFILE, &files);
  }
  signal (SIGPIPE, SIG_IGN);
}

int
main (int argc, char **argv)
{
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new ("- keep accounts registered");
  g_autoptr (GError) error = NULL;
  Daemon self = { 0 };

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error) || argc > 1) {
    g_printerr ("musterd: %s\n", error != NULL ? error->message : "it takes no arguments");
    return 2;
  }
  if (version) {
    g_print ("musterd %s\n", PACKAGE_VERSION);
    return 0;
  }

  harden ();
  self.loop = g_main_loop_new (NULL, FALSE);
  muster_hub_init ();
  g_unix_signal_add (SIGTERM, on_signal, &self);
  g_unix_signal_add (SIGINT, on_signal, &self);

  if (daemon_open (&self))
    g_main_loop_run (self.loop);
  daemon_close (&self);

  return self.exit_status;
}
