/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSleep"

#include "config.h"

#include "muster-logind.h"

#include <muster/muster-hub.h>

#include <gio/gunixfdlist.h>

#include <unistd.h>

/*
 *    connect -> logind has its name -> subscribe, take the inhibitor, ask whether it is about to sleep
 *       ^            |                    PrepareForSleep (true)  -> told -> the inhibitor is let go
 *       |            v                    PrepareForSleep (false) -> told -> and taken again
 *       +-- 5 min -- the bus is gone, or logind is: told that no sleep is coming
 *
 * All of it is asynchronous: a system bus that hangs holds up nothing.
 */

#define NAME             "org.freedesktop.login1"
#define PATH             "/org/freedesktop/login1"
#define INTERFACE        "org.freedesktop.login1.Manager"
#define CONNECT_AGAIN_MS (5 * 60 * 1000)
#define WHY              "Leaving nothing under way" /* shown by systemd-inhibit */

struct _MusterLogind {
  MusterLogindFunc func;
  gpointer user_data;
  GCancellable *connecting;
  MusterTimer connect_again;
  GDBusConnection *bus;
  gulong closed_id;
  guint name_id;
  char *owner; /* logind's unique name; NULL: it is not there */
  guint signal_id;
  GCancellable *session; /* of what is asked of this owner */
  gboolean is_sleeping;
  gboolean is_asking; /* for the inhibitor */
  int inhibitor;      /* -1: not held */
};

/* the inhibitor */

static void
muster_logind_let_go (MusterLogind *self)
{
  if (self->inhibitor < 0)
    return;

  close (self->inhibitor);
  self->inhibitor = -1;
}

static void
on_inhibited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterLogind *self = user_data;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;
  int index;

  answer = g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source), &fds,
                                                            result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the session is over, or we are */

  self->is_asking = FALSE;
  if (answer != NULL) {
    g_variant_get (answer, "(h)", &index);
    self->inhibitor = fds != NULL ? g_unix_fd_list_get (fds, index, &error) : -1;
  }
  if (self->inhibitor < 0)
    g_info ("sleep will not wait for us: %s",
            error != NULL ? error->message : "no descriptor came");
  if (self->is_sleeping) /* it came too late */
    muster_logind_let_go (self);
}

static void
muster_logind_inhibit (MusterLogind *self)
{
  if (self->inhibitor >= 0 || self->is_asking)
    return;

  self->is_asking = TRUE;
  g_dbus_connection_call_with_unix_fd_list (self->bus, self->owner, PATH, INTERFACE, "Inhibit",
                                            g_variant_new ("(ssss)", "sleep", "Muster", WHY,
                                                           "delay"),
                                            G_VARIANT_TYPE ("(h)"), G_DBUS_CALL_FLAGS_NONE, -1,
                                            NULL, self->session, on_inhibited, self);
}

/* announcements */

static void
muster_logind_take (MusterLogind *self, gboolean sleeping)
{
  self->is_sleeping = sleeping;
  self->func (sleeping, self->user_data);

  if (sleeping)
    muster_logind_let_go (self);
  else if (self->owner != NULL)
    muster_logind_inhibit (self);
}

static void
on_prepare_for_sleep (GDBusConnection *bus,
                      const char *sender,
                      const char *path,
                      const char *interface,
                      const char *signal,
                      GVariant *parameters,
                      gpointer user_data)
{
  gboolean sleeping;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(b)")))
    return;

  g_variant_get (parameters, "(b)", &sleeping);
  muster_logind_take (user_data, sleeping);
}

static void
on_preparing_for_sleep (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterLogind *self = user_data;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (answer == NULL) {
    g_debug ("logind does not say whether it is about to sleep: %s", error->message);
    return;
  }

  g_variant_get (answer, "(v)", &value);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN) && g_variant_get_boolean (value))
    muster_logind_take (self, TRUE);
}

/* logind comes and goes */

static void
muster_logind_end_session (MusterLogind *self)
{
  if (self->session != NULL)
    g_cancellable_cancel (self->session);
  g_clear_object (&self->session);
  g_clear_pointer (&self->owner, g_free);
  self->is_asking = FALSE;
  muster_logind_let_go (self);
  if (self->signal_id != 0)
    g_dbus_connection_signal_unsubscribe (self->bus, self->signal_id);
  self->signal_id = 0;
}

static void
on_appeared (GDBusConnection *bus, const char *name, const char *owner, gpointer user_data)
{
  MusterLogind *self = user_data;

  muster_logind_end_session (self);
  self->session = g_cancellable_new ();
  self->owner = g_strdup (owner);
  self->signal_id = g_dbus_connection_signal_subscribe (bus, owner, INTERFACE, "PrepareForSleep",
                                                        PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                        on_prepare_for_sleep, self, NULL);
  muster_logind_inhibit (self);
  g_dbus_connection_call (bus, owner, PATH, "org.freedesktop.DBus.Properties", "Get",
                          g_variant_new ("(ss)", INTERFACE, "PreparingForSleep"),
                          G_VARIANT_TYPE ("(v)"), G_DBUS_CALL_FLAGS_NONE, -1, self->session,
                          on_preparing_for_sleep, self);
}

static void
on_vanished (GDBusConnection *bus, const char *name, gpointer user_data)
{
  MusterLogind *self = user_data;

  muster_logind_end_session (self);
  muster_logind_take (self, FALSE);
}

/* the bus comes and goes */

static void
muster_logind_disconnect (MusterLogind *self)
{
  if (self->bus == NULL)
    return;

  muster_logind_end_session (self);
  g_bus_unwatch_name (self->name_id);
  self->name_id = 0;
  g_clear_signal_handler (&self->closed_id, self->bus);
  g_clear_object (&self->bus);
}

static void
on_closed (GDBusConnection *bus, gboolean remote_vanished, GError *error, gpointer user_data)
{
  MusterLogind *self = user_data;

  g_info ("the system bus is gone");
  muster_logind_disconnect (self);
  muster_timer_arm_in_ms (&self->connect_again, CONNECT_AGAIN_MS);
  muster_logind_take (self, FALSE);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterLogind *self = user_data;
  g_autoptr (GDBusConnection) bus = NULL;
  g_autoptr (GError) error = NULL;

  bus = g_dbus_connection_new_for_address_finish (result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* we are gone */

  g_clear_object (&self->connecting);
  if (bus == NULL) {
    g_info ("no system bus, so no announcement of sleep: %s", error->message);
    muster_timer_arm_in_ms (&self->connect_again, CONNECT_AGAIN_MS);
    return;
  }

  self->bus = g_steal_pointer (&bus);
  self->closed_id = g_signal_connect (self->bus, "closed", G_CALLBACK (on_closed), self);
  self->name_id = g_bus_watch_name_on_connection (self->bus, NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                  on_appeared, on_vanished, self, NULL);
}

static void
muster_logind_connect (MusterLogind *self)
{
  g_autofree char *address = NULL;
  g_autoptr (GError) error = NULL;

  address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, &error); /* the environment */
  if (address == NULL) {
    g_info ("no system bus, so no announcement of sleep: %s", error->message);
    return;
  }

  /* One of our own: the shared one would end the process when it closes, and stay closed. */
  self->connecting = g_cancellable_new ();
  g_dbus_connection_new_for_address (address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                       G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, self->connecting, on_connected, self);
}

static void
on_connect_again (MusterTimer *timer, gpointer user_data)
{
  muster_logind_connect (user_data);
}

/* life */

MusterLogind *
muster_logind_new (MusterLogindFunc func, gpointer user_data)
{
  MusterLogind *self = g_new0 (MusterLogind, 1);

  self->func = func;
  self->user_data = user_data;
  self->inhibitor = -1;
  muster_timer_init (&self->connect_again, on_connect_again, self);
  muster_logind_connect (self);

  return self;
}

void
muster_logind_free (MusterLogind *self)
{
  if (self == NULL)
    return;

  if (self->connecting != NULL)
    g_cancellable_cancel (self->connecting);
  g_clear_object (&self->connecting);
  muster_timer_cancel (&self->connect_again);
  muster_logind_disconnect (self);
  g_free (self);
}
