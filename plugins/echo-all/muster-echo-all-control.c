/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterEchoAll"

#include "muster-echo-all-control.h"

#include "muster-echo-all-script.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct _MusterEchoAllControl {
  char *path;
  struct stat file; /* what we made there */
  int fd;           /* -1: not open */
  MusterWatch *watch;
  GObject *owner;
  MusterEchoAllControlFunc func;
};

static gboolean
fail (GError **error, const char *path, const char *why)
{
  g_propagate_error (error,
                     muster_error_new (MUSTER_ERROR_INVALID, MUSTER_STEP_CONFIGURE,
                                       "the control socket %s cannot be made: %s", path, why));
  return FALSE;
}

/* TRUE: nothing is at @path any more that would be in the way. What is no socket of ours, or one that
 * somebody reads from, stays. */
static gboolean
clear_path (const char *path, const struct sockaddr_un *address, GError **error)
{
  struct stat file;
  int probe;
  int probe_errno;

  if (lstat (path, &file) != 0)
    return TRUE;
  if (!S_ISSOCK (file.st_mode) || file.st_uid != geteuid ())
    return fail (error, path, "something else is there");

  probe = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0)
    return fail (error, path, g_strerror (errno));
  probe_errno = connect (probe, (const struct sockaddr *) address, sizeof *address) == 0 ? 0
                                                                                         : errno;
  close (probe);
  if (probe_errno != ECONNREFUSED)
    return fail (error, path, "somebody listens there");

  unlink (path);

  return TRUE;
}

static gboolean
bind_socket (MusterEchoAllControl *self, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (strlen (self->path) >= sizeof address.sun_path)
    return fail (error, self->path, "its path is too long");
  strcpy (address.sun_path, self->path);

  if (!clear_path (self->path, &address, error))
    return FALSE;

  self->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* On Linux the file is made with the mode of the socket, so nobody finds it open to all. */
  if (self->fd < 0 || fchmod (self->fd, S_IRUSR | S_IWUSR) != 0 ||
      bind (self->fd, (const struct sockaddr *) &address, sizeof address) != 0)
    return fail (error, self->path, g_strerror (errno));

  if (lstat (self->path, &self->file) != 0)
    memset (&self->file, 0, sizeof self->file);

  return TRUE;
}

static char *
obey (MusterEchoAllControl *self, const char *command, gsize n_bytes)
{
  if (n_bytes > MUSTER_ECHO_ALL_COMMAND_MAX_BYTES)
    return g_strdup_printf ("a command has at most %d bytes", MUSTER_ECHO_ALL_COMMAND_MAX_BYTES);
  if (memchr (command, '\0', n_bytes) != NULL)
    return g_strdup ("a command is text");

  return self->func (self->owner, command);
}

/* One command; the hub calls again while there are more. */
static void
on_readable (MusterWatch *watch, guint32 events, gpointer user_data)
{
  MusterEchoAllControl *self = user_data;
  char command[MUSTER_ECHO_ALL_COMMAND_MAX_BYTES + 1];
  struct sockaddr_un sender;
  socklen_t sender_size = sizeof sender;
  g_autoptr (GObject) owner = NULL;
  g_autofree char *answer = NULL;
  gssize n_bytes;

  n_bytes = recvfrom (self->fd, command, sizeof command - 1, MSG_TRUNC, (struct sockaddr *) &sender,
                      &sender_size);
  if (n_bytes < 0)
    return;

  owner = g_object_ref (self->owner);
  command[MIN ((gsize) n_bytes, sizeof command - 1)] = '\0';
  answer = obey (self, command, (gsize) n_bytes);
  if (sender_size > offsetof (struct sockaddr_un, sun_path) &&
      sendto (self->fd, answer, strlen (answer), MSG_NOSIGNAL, (struct sockaddr *) &sender,
              sender_size) < 0)
    g_debug ("a command was not answered, ignoring: %s", g_strerror (errno));
}

MusterEchoAllControl *
muster_echo_all_control_new (const char *path,
                             GObject *owner,
                             MusterEchoAllControlFunc func,
                             GError **error)
{
  g_autoptr (MusterEchoAllControl) self = g_new0 (MusterEchoAllControl, 1);

  self->path = g_strdup (path);
  self->fd = -1;
  self->owner = owner;
  self->func = func;
  if (!bind_socket (self, error))
    return NULL;

  self->watch = muster_hub_add_fd (self->fd, EPOLLIN, on_readable, self);

  return g_steal_pointer (&self);
}

void
muster_echo_all_control_free (MusterEchoAllControl *self)
{
  struct stat file;

  if (self == NULL)
    return;

  g_clear_pointer (&self->watch, muster_watch_remove);
  if (self->fd >= 0)
    close (self->fd);
  if (self->file.st_ino != 0 && lstat (self->path, &file) == 0 &&
      file.st_ino == self->file.st_ino && file.st_dev == self->file.st_dev)
    unlink (self->path);
  g_free (self->path);
  g_free (self);
}

const char *
muster_echo_all_control_get_path (MusterEchoAllControl *self)
{
  return self->path;
}
