/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterConnectivity"

#include "config.h"

#include "muster-netlink.h"

#include <muster/muster-hub.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * One socket listens, and what it hears is only taken as "look again": so messages that were lost
 * to a full buffer do no harm. Another is opened for each look.
 *
 * Routes are not listened to. Without an address no route leads anywhere, and a new route under the
 * same addresses changes nothing that a service could see.
 */

#define BUFFER_BYTES   32768 /* what the kernel puts into one datagram at most */
#define MAX_READS      64    /* per dispatch */
#define MAX_READS_LOOK 4096

struct _MusterNetlink {
  int fd;
  MusterWatch *watch;
  MusterNetlinkFunc changed;
  gpointer user_data;
};

static int
open_socket (guint32 groups, GError **error)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  int code;

  if (fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) == 0)
    return fd;

  code = errno;
  if (fd >= 0)
    close (fd);
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "no rtnetlink socket: %s",
               g_strerror (code));

  return -1;
}

/* looking */

static gboolean
ask (int fd, guint16 type, GError **error)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  struct {
    struct nlmsghdr header;
    struct ifinfomsg body; /* of RTM_GETADDR only the first byte, the family, is read */
    struct rtattr mask_header;
    guint32 mask;
  } request = {
    .header = { .nlmsg_len = sizeof request,
                .nlmsg_type = type,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
    .body = { .ifi_family = AF_UNSPEC },
    .mask_header = { .rta_len = RTA_LENGTH (sizeof (guint32)), .rta_type = IFLA_EXT_MASK },
    .mask = RTEXT_FILTER_SKIP_STATS,
  };

  if (sendto (fd, &request, sizeof request, 0, (const struct sockaddr *) &kernel, sizeof kernel) >=
      0)
    return TRUE;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "rtnetlink cannot be asked: %s",
               g_strerror (errno));
  return FALSE;
}

static gboolean
read_answer (int fd, MusterAddressSet *set, gpointer buffer, GError **error)
{
  gboolean done = FALSE;

  for (guint i = 0; i < MAX_READS_LOOK; i++) {
    struct sockaddr_nl sender = { 0 };
    socklen_t sender_length = sizeof sender;
    gssize length = recvfrom (fd, buffer, BUFFER_BYTES, MSG_TRUNC, (struct sockaddr *) &sender,
                              &sender_length);

    if (length < 0 && errno == EINTR)
      continue;
    if (length < 0) {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   "rtnetlink does not answer: %s", g_strerror (errno));
      return FALSE;
    }
    if (sender.nl_pid != 0) /* not the kernel */
      continue;
    if (length > BUFFER_BYTES) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the kernel's answer is too long");
      return FALSE;
    }
    if (!muster_address_set_read (set, buffer, (gsize) length, &done, error))
      return FALSE;
    if (done)
      return TRUE;
  }

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the kernel's answer does not end");
  return FALSE;
}

MusterAddressSet *
muster_netlink_look (GError **error)
{
  g_autoptr (MusterAddressSet) set = muster_address_set_new ();
  g_autofree char *buffer = g_malloc (BUFFER_BYTES);
  int fd = open_socket (0, error);
  gboolean good;

  if (fd < 0)
    return NULL;

  good = ask (fd, RTM_GETLINK, error) && read_answer (fd, set, buffer, error) &&
         ask (fd, RTM_GETADDR, error) && read_answer (fd, set, buffer, error);
  close (fd);

  return good ? g_steal_pointer (&set) : NULL;
}

/* listening */

static void
on_readable (MusterWatch *watch, guint32 events, gpointer user_data)
{
  MusterNetlink *self = user_data;
  char byte;
  gboolean heard = FALSE;

  for (guint i = 0; i < MAX_READS; i++) {
    if (recv (self->fd, &byte, 1, MSG_TRUNC) < 0 && errno != ENOBUFS) /* that one: some were lost */
      break;
    heard = TRUE;
  }

  if (heard)
    self->changed (self->user_data);
}

MusterNetlink *
muster_netlink_new (MusterNetlinkFunc changed, gpointer user_data, GError **error)
{
  MusterNetlink *self;
  int fd = open_socket (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, error);

  if (fd < 0)
    return NULL;

  self = g_new0 (MusterNetlink, 1);
  self->fd = fd;
  self->changed = changed;
  self->user_data = user_data;
  self->watch = muster_hub_add_fd (fd, EPOLLIN, on_readable, self);

  return self;
}

void
muster_netlink_free (MusterNetlink *self)
{
  if (self == NULL)
    return;

  muster_watch_remove (self->watch);
  close (self->fd);
  g_free (self);
}
