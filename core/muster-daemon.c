/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-daemon.h"

#include "bus/muster-bus.h"
#include "events/muster-outbox.h"
#include "muster-hub-private.h"
#include "muster-names.h"
#include "muster-resolver-private.h"
#include "plugins/muster-plugin-records.h"
#include "plugins/muster-services.h"
#include "runtime/muster-crash-record.h"
#include "runtime/muster-notify.h"
#include "runtime/muster-sleep.h"
#include "runtime/muster-watchdog.h"
#include "secrets/muster-key-source.h"

#include <gio/gio.h>

/*
 * Puts the parts together, and takes them apart in reverse:
 *
 *    connect to the bus -> lock and open the store -> look for the key -> load plugins -> load and
 *    start accounts -> own the name, as soon as it is known how the key is -> ... -> unregister (at
 *    most 3 s) -> close the store
 */

#define EXIT_STORE 3 /* as the manual page says */
#define EXIT_BUS   4

#define WATCHDOG_S 30 /* as the unit has it, for where systemd does not watch us */

struct _MusterDaemon {
  void (*ended) (gpointer user_data);
  gpointer user_data;

  MusterStore *store;
  MusterKeyring *keyring;
  MusterKeySource *key;
  MusterTimer key_timer; /* the name does not wait for it for ever */
  MusterPluginRecords *records;
  MusterPluginRegistry *registry;
  MusterServices *services;
  MusterEventBus *events;
  MusterOutbox *outbox;
  MusterGate *gate;
  MusterBroker *broker;
  MusterBus *bus;
  MusterConnectivity *connectivity;
  MusterSleep *sleep;
  MusterNotify *notify;
  MusterWatchdog *watchdog;
  guint subscription; /* to events, which change the status */
  gboolean named;     /* the name was asked for */
  gboolean owned;
  gboolean leaving;
  int exit_status;
};

/* leaving */

static void
on_left (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterDaemon *self = user_data;

  self->ended (self->user_data);
}

void
muster_daemon_leave (MusterDaemon *self)
{
  if (self->leaving)
    return;

  self->leaving = TRUE;
  muster_notify_stopping (self->notify);
  muster_broker_leave_async (self->broker, on_left, self);
}

static void
on_name (gboolean owned, gpointer user_data)
{
  MusterDaemon *self = user_data;

  if (owned) {
    self->owned = TRUE;
    g_message ("ready as %s", MUSTER_BUS_NAME);
    muster_notify_ready (self->notify);
    return;
  }
  if (self->leaving)
    return;

  if (self->owned)
    g_printerr ("musterd: the session bus is gone, or another daemon took our name\n");
  else
    g_printerr ("musterd: another musterd is already running on this session bus\n");
  self->exit_status = EXIT_BUS;
  muster_daemon_leave (self);
}

/* connectivity */

static void
on_set_offline (gpointer sink, const char *reason, gboolean offline)
{
  muster_broker_set_offline (sink, reason, offline);
}

static void
on_network_changed (gpointer sink)
{
  muster_resolver_flush (); /* another network answers otherwise */
  muster_broker_network_changed (sink);
}

static const MusterConnectivitySink connectivity_sink = {
  .set_offline = on_set_offline,
  .network_changed = on_network_changed,
};

/* the service manager */

static char *
dup_status (gpointer user_data)
{
  MusterDaemon *self = user_data;

  return g_strdup_printf ("%d accounts, %u registered",
                          g_sequence_get_length (muster_broker_get_accounts (self->broker)),
                          muster_broker_count_registered (self->broker));
}

static void
on_event (gint64 time_us,
          const char *type,
          const char *account,
          GVariant *payload,
          gpointer user_data)
{
  MusterDaemon *self = user_data;

  muster_notify_touch (self->notify);
}

static void
muster_daemon_watch_loop (MusterDaemon *self)
{
  const char *text = g_getenv (MUSTER_ENV_WATCHDOG_S);
  guint64 limit_s = WATCHDOG_S;

  if (muster_notify_has_watchdog (self->notify))
    return;

  if (text != NULL && !g_ascii_string_to_unsigned (text, 10, 0, 86400, &limit_s, NULL)) {
    g_warning (MUSTER_ENV_WATCHDOG_S " is not a number of seconds, ignoring it");
    limit_s = WATCHDOG_S;
  }
  if (limit_s > 0)
    self->watchdog = muster_watchdog_new ((guint) limit_s);
}

/* the key */

#define KEY_MS 1000 /* for the first look: who starts us often has a secret to store */

static void
muster_daemon_own_name (MusterDaemon *self)
{
  if (self->named)
    return;

  self->named = TRUE;
  muster_timer_cancel (&self->key_timer);
  muster_bus_own_name (self->bus);
}

static void
on_key_slow (MusterTimer *timer, gpointer user_data)
{
  muster_daemon_own_name (user_data);
}

static void
muster_daemon_tell_key (MusterDaemon *self)
{
  muster_plugin_records_set_vault (self->records, muster_key_source_get_vault (self->key));
  muster_broker_set_key (self->broker, muster_key_source_get_vault (self->key),
                         muster_key_state_get_reason (muster_key_source_get_state (self->key)),
                         muster_key_source_get_problem (self->key));
}

static void
on_key_changed (gpointer user_data)
{
  MusterDaemon *self = user_data;

  if (self->bus == NULL) /* still coming up */
    return;
  muster_daemon_tell_key (self);
  muster_bus_tell_key (self->bus);
  muster_daemon_own_name (self);
}

/* coming up */

static gboolean
fail (MusterDaemon *self, int status, const char *what, const GError *error)
{
  g_printerr ("musterd: %s: %s\n", what, error->message);
  self->exit_status = status;

  return FALSE;
}

static void
muster_daemon_open_crash_record (void)
{
  g_autofree char *path = g_build_filename (g_get_user_state_dir (), "muster", "crash-record",
                                            NULL);
  g_autoptr (GError) error = NULL;

  if (!muster_crash_record_open (path, &error))
    g_warning ("%s: going on without a record of crashes", error->message);
}

/* Whether the store holds something that only its own key opens. */
static gboolean
has_sealed (MusterStore *store, gboolean *has, GError **error)
{
  g_autoptr (GPtrArray) names = muster_store_load_sealed_names (store, error);

  if (names != NULL)
    *has = names->len > 0;

  return names != NULL;
}

gboolean
muster_daemon_open (MusterDaemon *self)
{
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "muster", NULL);
  g_autofree char *database = g_build_filename (folder, "muster.db", NULL);
  g_auto (GStrv) path = muster_plugin_registry_dup_search_path ();
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  gboolean sealed;

  connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  if (connection == NULL)
    return fail (self, EXIT_BUS, "there is no session bus", error);
  g_dbus_connection_set_exit_on_close (connection, FALSE);

  self->store = muster_store_open (database, &error);
  if (self->store == NULL)
    return fail (self, EXIT_STORE, "the store cannot be opened", error);
  if (!has_sealed (self->store, &sealed, &error))
    return fail (self, EXIT_STORE, "the store cannot be read", error);

  self->keyring = muster_keyring_new (connection);
  self->key = muster_key_source_new (folder, g_getenv (MUSTER_ENV_CREDENTIALS), sealed,
                                     &muster_keyring_ops, self->keyring, on_key_changed, self);
  muster_key_source_start (self->key);

  muster_daemon_open_crash_record (); /* of the daemon that has the store, and before plugins are loaded */
  muster_daemon_watch_loop (self);
  self->registry = muster_plugin_registry_new ((const char *const *) path);
  self->records = muster_plugin_records_new (self->store, muster_key_source_get_vault (self->key));
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
  self->subscription = muster_event_bus_subscribe (self->events, on_event, self);
  self->broker = muster_broker_new (self->store, NULL, self->registry, self->events);
  muster_broker_set_gate (self->broker, self->gate);
  muster_daemon_tell_key (self);
  self->bus = muster_bus_new (connection, self->broker, self->events, self->key, on_name, self);
  self->connectivity = muster_connectivity_new (&connectivity_sink, self->broker);
  self->sleep = muster_sleep_new (&connectivity_sink, self->broker);
  if (!muster_broker_start (self->broker, &error))
    return fail (self, EXIT_STORE, "the accounts cannot be loaded", error);
  muster_services_listen (self->services);

  if (muster_key_source_get_state (self->key) != MUSTER_KEY_OPENING)
    muster_daemon_own_name (self);
  else
    muster_timer_arm_in_ms (&self->key_timer, KEY_MS);

  return TRUE;
}

void
muster_daemon_free (MusterDaemon *self)
{
  g_clear_pointer (&self->sleep, muster_sleep_free);
  g_clear_pointer (&self->connectivity, muster_connectivity_free);
  muster_timer_cancel (&self->key_timer);
  g_clear_pointer (&self->bus, muster_bus_free);
  g_clear_pointer (&self->broker, muster_broker_free);
  g_clear_pointer (&self->gate, muster_gate_free);
  g_clear_pointer (&self->outbox, muster_outbox_free);
  g_clear_pointer (&self->services, muster_services_free);
  if (self->events != NULL)
    muster_event_bus_unsubscribe (self->events, self->subscription);
  g_clear_pointer (&self->events, muster_event_bus_free);
  g_clear_pointer (&self->registry, muster_plugin_registry_free);
  g_clear_pointer (&self->records, muster_plugin_records_free);
  g_clear_pointer (&self->watchdog, muster_watchdog_free);
  muster_crash_record_close ();
  g_clear_pointer (&self->notify, muster_notify_free);
  if (self->store != NULL)
    muster_store_close (self->store);
  g_clear_object (&self->store);
  g_clear_pointer (&self->key, muster_key_source_free);
  g_clear_pointer (&self->keyring, muster_keyring_free);
  g_free (self);
}

int
muster_daemon_get_exit_status (MusterDaemon *self)
{
  return self->exit_status;
}

MusterDaemon *
muster_daemon_new (void (*ended) (gpointer user_data), gpointer user_data)
{
  MusterDaemon *self = g_new0 (MusterDaemon, 1);

  self->ended = ended;
  self->user_data = user_data;
  muster_hub_init ();
  self->notify = muster_notify_new (dup_status, self);
  muster_timer_init (&self->key_timer, on_key_slow, self);

  return self;
}
