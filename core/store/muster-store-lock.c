/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-lock.h"

#include "muster-store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/*
 * The lock that keeps a second daemon from the database. It is a file of its own beside it, because
 * SQLite's locks come and go with each transaction and a damaged database is renamed. The file is
 * never removed: whoever opened it just before would then lock a name that nobody else sees.
 */

static char *
describe_holder (int fd)
{
  char text[16] = "";
  gint64 pid;

  if (pread (fd, text, sizeof text - 1, 0) > 0) {
    pid = g_ascii_strtoll (text, NULL, 10);
    if (pid > 0)
      return g_strdup_printf ("process %" G_GINT64_FORMAT, pid);
  }

  return g_strdup ("another process");
}

static void
write_holder (int fd)
{
  g_autofree char *text = g_strdup_printf ("%d\n", (int) getpid ());

  /* Only words for people hang on it. */
  if (ftruncate (fd, 0) < 0 || pwrite (fd, text, strlen (text), 0) < 0)
    g_debug ("cannot write our pid into the lock file: %s, ignoring", g_strerror (errno));
}

int
muster_store_lock_take (const char *path, GError **error)
{
  g_autofree char *lock_path = g_strconcat (path, ".lock", NULL);
  g_autofree char *holder = NULL;
  int fd, saved_errno;

  fd = open (lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    saved_errno = errno;
    g_set_error (error, MUSTER_STORE_ERROR,
                 saved_errno == ENOSPC ? MUSTER_STORE_ERROR_FULL : MUSTER_STORE_ERROR_FAILED,
                 "cannot open the lock file %s: %s", lock_path, g_strerror (saved_errno));
    return -1;
  }

  if (flock (fd, LOCK_EX | LOCK_NB) == 0) {
    write_holder (fd);
    return fd;
  }

  saved_errno = errno;
  if (saved_errno == EWOULDBLOCK) {
    holder = describe_holder (fd);
    g_set_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_BUSY,
                 "the database %s is in use by %s", path, holder);
  } else {
    g_set_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_FAILED, "cannot lock %s: %s",
                 lock_path, g_strerror (saved_errno));
  }
  close (fd);

  return -1;
}
