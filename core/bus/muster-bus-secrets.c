/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"

#include <muster/muster-hub.h>

#include <gio/gunixfdlist.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Reads secrets from descriptors that somebody else holds the other end of: never blocking, each at
 * most 64 kB, all of them within 5 s. One after the other, since there is hardly ever more than one. Few
 * calls may wait for their secrets at a time: each holds a buffer and descriptors meanwhile.
 */

#define SECRET_MAX_BYTES (64 * 1024)
#define READ_MS          5000
#define SECRETS_MAX      16
#define NAME_MAX_BYTES   64
#define NAME_CHARACTERS  "abcdefghijklmnopqrstuvwxyz0123456789-"
#define WAITING_MAX      64

typedef struct {
  GTask *task; /* lent: it owns us */
  GPtrArray *names;
  GArray *fds; /* ours; -1 once read */
  guint index;
  guint8 *buffer; /* SECRET_MAX_BYTES + 1 */
  gsize length;
  MusterWatch *watch;
  MusterTimer timer;
  GHashTable *secrets;
  gboolean is_waiting; /* for somebody who writes */
} Reading;

static guint n_waiting; /* readings that have waited, until they end */

static void reading_next (Reading *reading);

/* Nothing more is read; what it holds is not kept until somebody takes the answer. */
static void
reading_end (Reading *reading)
{
  muster_timer_cancel (&reading->timer);
  g_clear_pointer (&reading->watch, muster_watch_remove);
  if (reading->is_waiting)
    n_waiting--;
  reading->is_waiting = FALSE;
  for (guint i = 0; i < reading->fds->len; i++) {
    if (g_array_index (reading->fds, int, i) >= 0)
      close (g_array_index (reading->fds, int, i));
  }
  g_array_set_size (reading->fds, 0);
  if (reading->buffer != NULL)
    muster_wipe (reading->buffer, SECRET_MAX_BYTES + 1);
  g_clear_pointer (&reading->buffer, g_free);
}

static void
reading_free (gpointer data)
{
  Reading *reading = data;

  reading_end (reading);
  g_ptr_array_unref (reading->names);
  g_array_unref (reading->fds);
  g_clear_pointer (&reading->secrets, g_hash_table_unref);
  g_free (reading);
}

static void
reading_fail (Reading *reading, const char *format, ...)
{
  g_autoptr (GTask) task = reading->task;
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  reading_end (reading);
  g_task_return_new_error (task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT, "%s",
                           message);
}

static void
on_timeout (MusterTimer *timer, gpointer user_data)
{
  Reading *reading = user_data;

  reading_fail (reading, "%s did not end within %d s: close the descriptor behind the secret",
                (const char *) reading->names->pdata[reading->index], READ_MS / 1000);
}

/* The secret is whole. */
static void
reading_take (Reading *reading)
{
  int *fd = &g_array_index (reading->fds, int, reading->index);

  g_clear_pointer (&reading->watch, muster_watch_remove);
  close (*fd);
  *fd = -1;
  g_hash_table_insert (reading->secrets, g_strdup (reading->names->pdata[reading->index]),
                       muster_secret_new (reading->buffer, reading->length));
  muster_wipe (reading->buffer, reading->length);
  reading->length = 0;
  reading->index++;
  reading_next (reading);
}

/* Returns whether to wait for more; otherwise it has gone on by itself. */
static gboolean
reading_read (Reading *reading)
{
  const char *name = reading->names->pdata[reading->index];
  int fd = g_array_index (reading->fds, int, reading->index);

  for (;;) {
    ssize_t n = read (fd, reading->buffer + reading->length,
                      SECRET_MAX_BYTES + 1 - reading->length);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      return TRUE;
    if (n < 0) {
      reading_fail (reading, "%s cannot be read: %s", name, g_strerror (errno));
      return FALSE;
    }
    if (n == 0) {
      reading_take (reading);
      return FALSE;
    }
    reading->length += (gsize) n;
    if (reading->length > SECRET_MAX_BYTES) {
      reading_fail (reading, "%s is longer than %d bytes", name, SECRET_MAX_BYTES);
      return FALSE;
    }
  }
}

static void
on_readable (MusterWatch *watch, guint32 events, gpointer user_data)
{
  reading_read (user_data);
}

static void
reading_wait (Reading *reading, int fd)
{
  if (!reading->is_waiting && n_waiting >= WAITING_MAX) {
    g_autoptr (GTask) task = reading->task;

    reading_end (reading);
    g_task_return_new_error (
      task, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
      "%d calls wait for their secrets already: write a secret and close its "
      "descriptor before the call",
      WAITING_MAX);
    return;
  }

  if (!reading->is_waiting)
    n_waiting++;
  reading->is_waiting = TRUE;
  reading->watch = muster_hub_add_fd (fd, EPOLLIN, on_readable, reading);
}

static void
reading_next (Reading *reading)
{
  struct stat st;
  int fd;

  if (reading->index >= reading->fds->len) {
    g_autoptr (GTask) task = reading->task;

    reading_end (reading);
    g_task_return_pointer (task, g_steal_pointer (&reading->secrets),
                           (GDestroyNotify) g_hash_table_unref);
    return;
  }

  fd = g_array_index (reading->fds, int, reading->index);
  if (fstat (fd, &st) != 0 ||
      !(S_ISREG (st.st_mode) || S_ISFIFO (st.st_mode) || S_ISSOCK (st.st_mode)) ||
      fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK) != 0) {
    reading_fail (reading, "%s: its descriptor is not a pipe, socket or file",
                  (const char *) reading->names->pdata[reading->index]);
    return;
  }
  if (S_ISREG (st.st_mode))
    lseek (fd, 0, SEEK_SET); /* a memfd stands behind what was written */

  if (reading_read (reading))
    reading_wait (reading, fd);
}

static gboolean
reading_collect (Reading *reading, GVariant *secrets, GUnixFDList *fds, GError **error)
{
  GVariantIter iter;
  const char *name;
  gint32 handle;

  g_variant_iter_init (&iter, secrets);
  while (g_variant_iter_next (&iter, "{&sh}", &name, &handle)) {
    int fd = -1;

    if (strlen (name) > NAME_MAX_BYTES || name[strspn (name, NAME_CHARACTERS)] != '\0') {
      g_autofree char *quoted = muster_broker_quote (name);

      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                   "secrets: there is no secret called %s", quoted);
      return FALSE;
    }
    if (fds != NULL && handle >= 0 && handle < g_unix_fd_list_get_length (fds))
      fd = g_unix_fd_list_get (fds, handle, NULL);
    if (fd < 0) {
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                   "%s comes without its descriptor", name);
      return FALSE;
    }
    g_ptr_array_add (reading->names, g_strdup (name));
    g_array_append_val (reading->fds, fd);
    if (reading->fds->len > SECRETS_MAX) {
      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                   "secrets: more than %d", SECRETS_MAX);
      return FALSE;
    }
  }

  return TRUE;
}

void
muster_bus_read_secrets_async (GVariant *secrets,
                               GUnixFDList *fds,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Reading *reading = g_new0 (Reading, 1);
  GError *error = NULL;

  reading->task = task;
  reading->names = g_ptr_array_new_with_free_func (g_free);
  reading->fds = g_array_new (FALSE, FALSE, sizeof (int));
  reading->buffer = g_malloc (SECRET_MAX_BYTES + 1);
  reading->secrets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                            (GDestroyNotify) muster_secret_unref);
  muster_timer_init (&reading->timer, on_timeout, reading);
  g_task_set_task_data (task, reading, reading_free);

  if (!reading_collect (reading, secrets, fds, &error)) {
    g_task_return_error (task, error);
    g_object_unref (task);
    return;
  }

  muster_timer_arm_in_ms (&reading->timer, READ_MS);
  reading_next (reading);
}

/* Returns (transfer full): name -> MusterSecret */
GHashTable *
muster_bus_read_secrets_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
