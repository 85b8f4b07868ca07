/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStream"

#include "config.h"

#include "muster-race.h"

#include <muster/muster-error.h>
#include <muster/muster-hub.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Happy Eyeballs (RFC 8305 section 5): the targets start in their order, each 250 ms after the one
 * before or as soon as one has failed; the first to answer wins, and the others are dropped. How
 * long all of it may take is for the caller to say.
 */

#define STAGGER_MS      250
#define MAX_RUNNERS     6
#define KEEPALIVE_S     300 /* of silence until the kernel probes */
#define PROBE_S         30
#define UNANSWERED_MS   60000 /* until data or probes without an answer end the connection */
#define MAX_TARGET_TEXT 128

typedef struct {
  MusterRace *race;
  MusterTarget *target; /* lent by the race's list; NULL: this place is free */
  MusterWatch *watch;
  int fd;
} Runner;

struct _MusterRace {
  GPtrArray *targets;
  char *host;
  MusterRaceFunc func;
  gpointer user_data;
  MusterTimer start; /* of the next runner */
  guint next;        /* of targets */
  guint n_running;
  Runner runners[MAX_RUNNERS];
  const MusterTarget *last_failed;
  int last_errno;
};

static void race_start (MusterRace *self);

/* words */

static char *
dup_address (const MusterTarget *target)
{
  g_autofree char *text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (target->address));

  return g_strndup (text, MAX_TARGET_TEXT);
}

char *
muster_race_dup_addresses (const MusterRace *self)
{
  g_autofree char *first = dup_address (self->targets->pdata[0]);

  if (self->targets->len == 1)
    return g_steal_pointer (&first);

  return g_strdup_printf ("%s and %u more", first, self->targets->len - 1);
}

static GError *
race_new_error (const MusterRace *self)
{
  g_autofree char *last = NULL;

  if (self->last_failed == NULL)
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                             "%s has no address that takes connections", self->host);

  last = dup_address (self->last_failed);
  if (self->targets->len == 1)
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                             "%s cannot be reached at %s: %s", self->host, last,
                             g_strerror (self->last_errno));

  return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                           "%s cannot be reached at any of %u addresses; the last was %s: %s",
                           self->host, self->targets->len, last, g_strerror (self->last_errno));
}

/* runners */

static void
set_option (int fd, int level, int name, int value)
{
  /* A kernel without one of them still connects. */
  (void) setsockopt (fd, level, name, &value, sizeof value);
}

static int
open_socket (int family)
{
  int fd = socket (family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -1;

  set_option (fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option (fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
  set_option (fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_S);
  set_option (fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNANSWERED_MS);
  set_option (fd, SOL_SOCKET, SO_KEEPALIVE, 1);

  return fd;
}

/* Connecting to a free port of one's own range can meet itself: TCP allows that. */
static gboolean
is_own_echo (int fd)
{
  struct sockaddr_storage here = { 0 };
  struct sockaddr_storage there = { 0 };
  socklen_t here_size = sizeof here;
  socklen_t there_size = sizeof there;

  return getsockname (fd, (struct sockaddr *) &here, &here_size) == 0 &&
         getpeername (fd, (struct sockaddr *) &there, &there_size) == 0 &&
         here_size == there_size && memcmp (&here, &there, here_size) == 0;
}

static int
connection_errno (int fd)
{
  int why = 0;
  socklen_t size = sizeof why;

  if (getsockopt (fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0)
    return errno;
  if (why == 0 && is_own_echo (fd))
    return ECONNREFUSED;

  return why;
}

static int
runner_leave (Runner *runner)
{
  int fd = runner->fd;

  if (runner->watch != NULL)
    muster_watch_remove (g_steal_pointer (&runner->watch));
  runner->target = NULL;
  runner->fd = -1;
  runner->race->n_running--;

  return fd;
}

static void
runner_fail (Runner *runner, int why)
{
  runner->race->last_failed = runner->target;
  runner->race->last_errno = why;
  close (runner_leave (runner));
}

static void
on_runner (MusterWatch *watch, guint32 events, gpointer user_data)
{
  Runner *runner = user_data;
  MusterRace *race = runner->race;
  MusterTarget *target = runner->target;
  int why = connection_errno (runner->fd);

  if (why == 0) {
    race->func (runner_leave (runner), target, NULL, race->user_data); /* frees the race */
    return;
  }

  runner_fail (runner, why);
  race_start (race);
}

/* Returns whether it runs. */
static gboolean
runner_start (Runner *runner, MusterTarget *target)
{
  struct sockaddr_storage address;
  gssize size = g_socket_address_get_native_size (target->address);
  int why;

  runner->target = target;
  runner->fd = open_socket (g_socket_address_get_family (target->address));
  runner->race->n_running++;

  if (runner->fd >= 0 &&
      g_socket_address_to_native (target->address, &address, sizeof address, NULL) &&
      (connect (runner->fd, (struct sockaddr *) &address, (socklen_t) size) == 0 ||
       errno == EINPROGRESS))
    runner->watch = muster_hub_add_fd (runner->fd, EPOLLOUT, on_runner, runner);
  why = errno;

  if (runner->watch == NULL) {
    runner_fail (runner, why);
    return FALSE;
  }

  return TRUE;
}

/* the race */

static Runner *
race_find_place (MusterRace *self)
{
  for (guint i = 0; i < MAX_RUNNERS; i++)
    if (self->runners[i].target == NULL)
      return &self->runners[i];

  return NULL;
}

/* The next target that can be tried at all; the end, if there is nobody left to wait for. */
static void
race_start (MusterRace *self)
{
  gboolean is_started = FALSE;

  muster_timer_cancel (&self->start);
  while (!is_started && self->next < self->targets->len && self->n_running < MAX_RUNNERS) {
    MusterTarget *target = self->targets->pdata[self->next++];

    if (target->transport != MUSTER_TRANSPORT_UDP)
      is_started = runner_start (race_find_place (self), target);
  }

  if (self->n_running == 0)
    self->func (-1, NULL, race_new_error (self), self->user_data); /* frees the race */
  else if (self->next < self->targets->len)
    muster_timer_arm_in_ms (&self->start, STAGGER_MS);
}

static void
on_start (MusterTimer *timer, gpointer user_data)
{
  race_start (user_data);
}

MusterRace *
muster_race_new (GPtrArray *targets, const char *host, MusterRaceFunc func, gpointer user_data)
{
  MusterRace *self = g_new0 (MusterRace, 1);

  self->targets = g_ptr_array_ref (targets);
  self->host = g_strdup (host);
  self->func = func;
  self->user_data = user_data;
  for (guint i = 0; i < MAX_RUNNERS; i++) {
    self->runners[i].race = self;
    self->runners[i].fd = -1;
  }
  muster_timer_init (&self->start, on_start, self);
  muster_timer_arm_in_ms (&self->start, 0);

  return self;
}

void
muster_race_free (MusterRace *self)
{
  muster_timer_cancel (&self->start);
  for (guint i = 0; i < MAX_RUNNERS; i++)
    if (self->runners[i].target != NULL)
      close (runner_leave (&self->runners[i]));
  g_ptr_array_unref (self->targets);
  g_free (self->host);
  g_free (self);
}
