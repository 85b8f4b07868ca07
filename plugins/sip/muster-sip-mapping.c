/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-mapping.h"

#include <gio/gio.h>

#include <string.h>

/*
 * Decides which address behind a NAT goes into our contact. A server is believed only what can be: an
 * address of our own family that others can send to.
 *
 * A NAT that gives out another mapping each time cannot be followed: what is registered is never where
 * the next packet comes from. After a few operations in a row that had to change it this is given up, until
 * the local address is another one.
 */

void
muster_sip_mapping_clear (MusterSipMapping *self)
{
  g_free (self->local_host);
  g_free (self->host);
  g_free (self->seen_host);
  memset (self, 0, sizeof (*self));
}

void
muster_sip_mapping_drop (MusterSipMapping *self)
{
  g_clear_pointer (&self->host, g_free);
  self->port = 0;
}

static void
forget_seen (MusterSipMapping *self)
{
  g_clear_pointer (&self->seen_host, g_free);
  self->seen_port = 0;
}

void
muster_sip_mapping_set_local (MusterSipMapping *self, const char *host, guint16 port)
{
  if (g_strcmp0 (self->local_host, host) != 0) {
    muster_sip_mapping_clear (self);
    self->local_host = g_strdup (host);
  } else if (self->local_port != port) {
    muster_sip_mapping_drop (self);
  }
  self->local_port = port;
  forget_seen (self);
}

/* With or without brackets; not one with a scope, which newer versions of GLib would take: it means
 * something to this machine only. */
static GInetAddress *
parse_host (const char *host)
{
  gsize length = strlen (host);
  g_autofree char *bare = NULL;

  if (strchr (host, '%') != NULL)
    return NULL;
  if (length < 2 || host[0] != '[' || host[length - 1] != ']')
    return g_inet_address_new_from_string (host);
  bare = g_strndup (host + 1, length - 2);
  return strchr (bare, ':') != NULL ? g_inet_address_new_from_string (bare) : NULL;
}

static gboolean
is_broadcast (GInetAddress *address)
{
  static const guint8 all[4] = { 255, 255, 255, 255 };

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4 &&
         memcmp (g_inet_address_to_bytes (address), all, sizeof all) == 0;
}

/* Nobody but the machine, or the link, could send to it. */
static gboolean
is_nearer (GInetAddress *address, GInetAddress *local)
{
  if (g_inet_address_get_is_loopback (local))
    return FALSE;
  return g_inet_address_get_is_loopback (address) ||
         (g_inet_address_get_is_link_local (address) && !g_inet_address_get_is_link_local (local));
}

/* (nullable): @host as it is written in a contact, if one who sends from @local_host can be there */
static char *
dup_believable (const char *host, const char *local_host)
{
  g_autoptr (GInetAddress) address = parse_host (host);
  g_autoptr (GInetAddress) local = parse_host (local_host);
  g_autofree char *text = NULL;

  if (address == NULL || local == NULL ||
      g_inet_address_get_family (address) != g_inet_address_get_family (local) ||
      g_inet_address_get_is_any (address) || g_inet_address_get_is_multicast (address) ||
      is_broadcast (address) || is_nearer (address, local))
    return NULL;

  text = g_inet_address_to_string (address);
  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6)
    return g_strdup_printf ("[%s]", text);
  return g_steal_pointer (&text);
}

void
muster_sip_mapping_note (MusterSipMapping *self, const char *received, guint rport)
{
  forget_seen (self);
  if (self->local_host == NULL || rport > G_MAXUINT16)
    return;

  /* A server that names no address saw the one that we named (RFC 3261 section 18.2.1). */
  if (received == NULL || g_str_equal (received, self->local_host))
    self->seen_host = g_strdup (self->local_host);
  else
    self->seen_host = dup_believable (received, self->local_host);
  if (self->seen_host == NULL || (received == NULL && rport == 0)) {
    forget_seen (self);
    return;
  }

  self->seen_port = (guint16) rport;
  self->is_behind = !g_str_equal (self->seen_host, self->local_host) ||
                    (rport != 0 && rport != self->local_port);
}

gboolean
muster_sip_mapping_rewrite (MusterSipMapping *self)
{
  const char *host = self->host != NULL ? self->host : self->local_host;
  guint16 port = self->host != NULL ? self->port : self->local_port;

  if (self->seen_port == 0 || self->n_rewrites > MUSTER_SIP_MAX_REWRITES)
    return FALSE;
  if (self->seen_port == port && g_str_equal (self->seen_host, host)) {
    self->n_rewrites = 0;
    return FALSE;
  }
  if (self->n_rewrites == MUSTER_SIP_MAX_REWRITES) {
    g_info ("the NAT shows an address that does not last, registering the local one from here on");
    self->n_rewrites++;
    muster_sip_mapping_drop (self);
    return FALSE;
  }

  self->n_rewrites++;
  muster_sip_mapping_drop (self);
  if (self->is_behind) {
    self->host = g_strdup (self->seen_host);
    self->port = self->seen_port;
  }
  return TRUE;
}

gboolean
muster_sip_mapping_is_sane (const MusterSipMapping *self)
{
  g_autofree char *host = NULL;

  if (self->n_rewrites > MUSTER_SIP_MAX_REWRITES + 1)
    return FALSE;
  if (self->host == NULL)
    return TRUE;
  if (self->local_host == NULL || self->port == 0)
    return FALSE;
  host = dup_believable (self->host, self->local_host);
  return g_strcmp0 (host, self->host) == 0;
}
