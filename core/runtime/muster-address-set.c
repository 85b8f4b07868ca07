/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterConnectivity"

#include "config.h"

#include "muster-address-set.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

/*
 * Decides which addresses count. One counts if its link is up and carries, and if a service could
 * answer to it later as well as now:
 *
 *    loopback, link-local       nobody else's packets come from or go there
 *    tentative, duplicate       the kernel does not use it yet, or never will
 *    deprecated                 it is not used for anything new; its end changes nothing more
 *    temporary (RFC 8981)       it comes and goes every day beside one that stays
 *
 * Which kind of link it is does not matter: routers have their real address on the loopback device.
 */

typedef struct {
  guint8 family;
  guint8 bytes[16];
} Address;

struct _MusterAddressSet {
  GArray *addresses;   /* Address, sorted, each once */
  GHashTable *running; /* the indexes of the links that carry */
};

static gboolean
is_loopback (int family, const guint8 *bytes)
{
  if (family == AF_INET)
    return bytes[0] == 127;

  return IN6_IS_ADDR_LOOPBACK ((const struct in6_addr *) (gconstpointer) bytes);
}

static gboolean
is_link_local (int family, const guint8 *bytes)
{
  if (family == AF_INET)
    return bytes[0] == 169 && bytes[1] == 254;

  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

static gboolean
counts (const struct ifaddrmsg *message, guint32 flags, const guint8 *bytes)
{
  const guint32 unfit = IFA_F_DADFAILED | IFA_F_DEPRECATED;

  if (is_loopback (message->ifa_family, bytes) || is_link_local (message->ifa_family, bytes))
    return FALSE;
  if ((flags & IFA_F_TENTATIVE) != 0 && (flags & IFA_F_OPTIMISTIC) == 0)
    return FALSE;
  if (message->ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0) /* else: secondary */
    return FALSE;

  return (flags & unfit) == 0;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Address));
}

static void
muster_address_set_add (MusterAddressSet *self, int family, const guint8 *bytes, gsize length)
{
  Address address = { .family = (guint8) family };
  guint place = 0;

  memcpy (address.bytes, bytes, length);
  while (place < self->addresses->len &&
         compare (&g_array_index (self->addresses, Address, place), &address) < 0)
    place++;
  if (place == self->addresses->len ||
      compare (&g_array_index (self->addresses, Address, place), &address) != 0)
    g_array_insert_val (self->addresses, place, address);
}

static void
muster_address_set_read_link (MusterAddressSet *self, const struct ifinfomsg *message)
{
  const guint needed = IFF_UP | IFF_RUNNING;

  if ((message->ifi_flags & needed) == needed)
    g_hash_table_add (self->running, GINT_TO_POINTER (message->ifi_index));
}

static void
muster_address_set_read_address (MusterAddressSet *self,
                                 const struct ifaddrmsg *message,
                                 const struct rtattr *attribute,
                                 gsize left)
{
  const gsize length = message->ifa_family == AF_INET ? 4 : 16;
  guint32 flags = message->ifa_flags;
  const guint8 *bytes = NULL;
  gboolean is_local = FALSE;

  if (message->ifa_family != AF_INET && message->ifa_family != AF_INET6)
    return;
  if (!g_hash_table_contains (self->running, GINT_TO_POINTER ((int) message->ifa_index)))
    return;

  while (left >= sizeof *attribute && attribute->rta_len >= sizeof *attribute &&
         attribute->rta_len <= left) {
    gsize payload = attribute->rta_len - RTA_LENGTH (0);
    gsize step = MIN (left, RTA_ALIGN (attribute->rta_len));

    /* On a point-to-point link IFA_ADDRESS is the other end. */
    if (attribute->rta_type == IFA_LOCAL && payload == length) {
      bytes = RTA_DATA (attribute);
      is_local = TRUE;
    } else if (attribute->rta_type == IFA_ADDRESS && payload == length && !is_local) {
      bytes = RTA_DATA (attribute);
    } else if (attribute->rta_type == IFA_FLAGS && payload == sizeof flags) {
      memcpy (&flags, RTA_DATA (attribute), sizeof flags);
    }

    attribute = (gconstpointer) ((const guint8 *) attribute + step);
    left -= step;
  }

  if (bytes != NULL && counts (message, flags, bytes))
    muster_address_set_add (self, message->ifa_family, bytes, length);
}

gboolean
muster_address_set_read (MusterAddressSet *self,
                         gconstpointer data,
                         gsize length,
                         gboolean *done,
                         GError **error)
{
  const guint8 *end = (const guint8 *) data + length;
  const guint8 *next = data;

  *done = FALSE;

  while (end > next) {
    const struct nlmsghdr *header = (gconstpointer) next;
    gconstpointer body;
    gsize size;

    if ((gsize) (end - next) < NLMSG_HDRLEN || header->nlmsg_len < NLMSG_HDRLEN ||
        header->nlmsg_len > (gsize) (end - next)) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the kernel's answer is cut off");
      return FALSE;
    }
    body = next + NLMSG_HDRLEN;
    size = header->nlmsg_len - NLMSG_HDRLEN;
    next += MIN ((gsize) (end - next), NLMSG_ALIGN (header->nlmsg_len));

    switch (header->nlmsg_type) {
    case NLMSG_DONE:
      *done = TRUE;
      return TRUE;
    case NLMSG_ERROR: {
      const struct nlmsgerr *answer = body;

      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the kernel refuses to tell: %s",
                   size >= sizeof *answer ? g_strerror (-answer->error) : "no reason given");
      return FALSE;
    }
    case RTM_NEWLINK:
      if (size >= sizeof (struct ifinfomsg))
        muster_address_set_read_link (self, body);
      break;
    case RTM_NEWADDR:
      if (size >= NLMSG_ALIGN (sizeof (struct ifaddrmsg)))
        muster_address_set_read_address (self, body, IFA_RTA ((const struct ifaddrmsg *) body),
                                         size - NLMSG_ALIGN (sizeof (struct ifaddrmsg)));
      break;
    default:
      break;
    }
  }

  return TRUE;
}

guint
muster_address_set_get_size (const MusterAddressSet *self)
{
  return self->addresses->len;
}

gboolean
muster_address_set_equal (const MusterAddressSet *a, const MusterAddressSet *b)
{
  gsize n_bytes = a->addresses->len * sizeof (Address);

  return a->addresses->len == b->addresses->len &&
         (n_bytes == 0 || memcmp (a->addresses->data, b->addresses->data, n_bytes) == 0);
}

gboolean
muster_address_is_loopback_host (const char *host)
{
  g_autofree char *name = NULL;
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  if (address != NULL)
    return g_inet_address_get_is_loopback (address);

  name = g_ascii_strdown (host, -1);
  if (g_str_has_suffix (name, "."))
    name[strlen (name) - 1] = '\0';

  return g_str_equal (name, "localhost") || g_str_has_suffix (name, ".localhost"); /* RFC 6761 */
}

MusterAddressSet *
muster_address_set_new (void)
{
  MusterAddressSet *self = g_new0 (MusterAddressSet, 1);

  self->addresses = g_array_new (FALSE, FALSE, sizeof (Address));
  self->running = g_hash_table_new (NULL, NULL);

  return self;
}

void
muster_address_set_free (MusterAddressSet *self)
{
  if (self == NULL)
    return;

  g_array_unref (self->addresses);
  g_hash_table_unref (self->running);
  g_free (self);
}
