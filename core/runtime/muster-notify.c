/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterNotify"

#include "config.h"

#include "muster-notify.h"

#include <muster/muster-hub.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * The protocol is one datagram of lines to the socket in NOTIFY_SOCKET. It is sent from here and not
 * through libsystemd because that waits where the manager does not read: the main loop must not.
 *
 * WATCHDOG=1 goes out by a timer of the main loop, at half of what WATCHDOG_USEC allows, so that it
 * stops when the loop does.
 */

#define STATUS_INTERVAL_MS 1000

struct _MusterNotify {
  int fd; /* -1: nobody to tell */
  struct sockaddr_un address;
  socklen_t address_length;

  gint64 watchdog_ms; /* 0: none */
  MusterTimer watchdog;

  MusterNotifyStatusFunc status_func;
  gpointer user_data;
  char *status; /* as it was told last */
  gboolean ready;
  MusterTimer pause; /* between two of them */
  gboolean touched;  /* while it ran */
};

static void
muster_notify_send (MusterNotify *self, const char *lines)
{
  if (self->fd < 0)
    return;

  /* If the manager does not keep up, the next one will do: none of them says anything new for long. */
  if (sendto (self->fd, lines, strlen (lines), MSG_DONTWAIT | MSG_NOSIGNAL,
              (const struct sockaddr *) &self->address, self->address_length) < 0)
    g_debug ("the service manager was not told: %s", g_strerror (errno));
}

static void
on_watchdog (MusterTimer *timer, gpointer user_data)
{
  MusterNotify *self = user_data;

  muster_notify_send (self, "WATCHDOG=1");
  muster_timer_arm_in_ms (timer, self->watchdog_ms);
}

static void
muster_notify_tell_status (MusterNotify *self)
{
  g_autofree char *status = self->status_func (self->user_data);
  g_autofree char *lines = NULL;

  if (g_strcmp0 (status, self->status) == 0)
    return;

  lines = g_strconcat ("STATUS=", status, NULL);
  muster_notify_send (self, lines);
  g_free (self->status);
  self->status = g_steal_pointer (&status);
  muster_timer_arm_in_ms (&self->pause, STATUS_INTERVAL_MS);
}

static void
on_pause_over (MusterTimer *timer, gpointer user_data)
{
  MusterNotify *self = user_data;

  if (self->touched) {
    self->touched = FALSE;
    muster_notify_tell_status (self);
  }
}

void
muster_notify_touch (MusterNotify *self)
{
  if (self->fd < 0 || !self->ready || self->touched)
    return;

  /* Never at once: what has changed is often only a part of it. */
  self->touched = TRUE;
  if (!muster_timer_is_armed (&self->pause))
    muster_timer_arm_in_ms (&self->pause, 0);
}

void
muster_notify_ready (MusterNotify *self)
{
  if (self->ready)
    return;

  self->ready = TRUE;
  muster_notify_send (self, "READY=1");
  muster_notify_touch (self);
}

void
muster_notify_stopping (MusterNotify *self)
{
  muster_notify_send (self, "STOPPING=1");
}

gboolean
muster_notify_has_watchdog (MusterNotify *self)
{
  return self->watchdog_ms > 0;
}

/* life */

/* Returns (nullable) (transfer full): its value; it is for us, not for what we start. */
static char *
take_variable (const char *name)
{
  char *value = g_strdup (g_getenv (name));

  g_unsetenv (name);
  return value;
}

static void
muster_notify_open_socket (MusterNotify *self)
{
  g_autofree char *path = take_variable ("NOTIFY_SOCKET");
  gsize length;

  if (path == NULL)
    return;

  length = strlen (path);
  if ((*path != '/' && *path != '@') || length < 2 || length >= sizeof self->address.sun_path) {
    g_warning ("NOTIFY_SOCKET is neither a path nor an abstract name, ignoring it");
    return;
  }

  self->address.sun_family = AF_UNIX;
  memcpy (self->address.sun_path, path, length);
  if (*path == '@')
    self->address.sun_path[0] = '\0';
  self->address_length = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length +
                                      (*path == '@' ? 0 : 1));
  self->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (self->fd < 0)
    g_warning ("the service manager cannot be told anything, ignoring it: %s", g_strerror (errno));
}

static void
muster_notify_start_watchdog (MusterNotify *self)
{
  g_autofree char *limit = take_variable ("WATCHDOG_USEC");
  g_autofree char *pid = take_variable ("WATCHDOG_PID");
  guint64 limit_us, number;

  if (limit == NULL || self->fd < 0)
    return;
  if (pid != NULL && (!g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT, &number, NULL) ||
                      number != (guint64) getpid ()))
    return; /* it is for whoever started us */
  if (!g_ascii_string_to_unsigned (limit, 10, 1000, G_MAXINT64, &limit_us, NULL)) {
    g_warning ("WATCHDOG_USEC is no time that can be kept, ignoring it");
    return;
  }

  self->watchdog_ms = MAX ((gint64) (limit_us / 2000), 1);
  muster_timer_arm_in_ms (&self->watchdog, 0);
}

MusterNotify *
muster_notify_new (MusterNotifyStatusFunc status_func, gpointer user_data)
{
  MusterNotify *self = g_new0 (MusterNotify, 1);

  self->fd = -1;
  self->status_func = status_func;
  self->user_data = user_data;
  muster_timer_init (&self->watchdog, on_watchdog, self);
  muster_timer_init (&self->pause, on_pause_over, self);
  muster_notify_open_socket (self);
  muster_notify_start_watchdog (self);

  return self;
}

void
muster_notify_free (MusterNotify *self)
{
  if (self == NULL)
    return;

  muster_timer_cancel (&self->watchdog);
  muster_timer_cancel (&self->pause);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->status);
  g_free (self);
}
