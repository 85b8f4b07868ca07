/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-target.h"

/*
 * Addresses of a service as data: how it is asked for in DNS, and lists of its targets. Sofia gets nothing but
 * literals: its own resolver can hang.
 */

const MusterSipService *
muster_sip_target_get_service (MusterTransport transport)
{
  static const MusterSipService udp = { "sip", "udp", 5060 };
  static const MusterSipService tcp = { "sip", "tcp", 5060 };
  static const MusterSipService tls = { "sips", "tls", 5061 };

  switch (transport) {
  case MUSTER_TRANSPORT_UDP:
    return &udp;
  case MUSTER_TRANSPORT_TCP:
    return &tcp;
  case MUSTER_TRANSPORT_TLS:
    return &tls;
  }
  g_assert_not_reached ();
}

gboolean
muster_sip_target_equal (GSocketAddress *left, GSocketAddress *right)
{
  GInetSocketAddress *a = G_INET_SOCKET_ADDRESS (left);
  GInetSocketAddress *b = G_INET_SOCKET_ADDRESS (right);

  return g_inet_address_equal (g_inet_socket_address_get_address (a),
                               g_inet_socket_address_get_address (b)) &&
         g_inet_socket_address_get_port (a) == g_inet_socket_address_get_port (b);
}

void
muster_sip_target_prefer (GPtrArray *targets, GSocketAddress *target)
{
  for (guint i = 0; i < targets->len; i++) {
    if (!muster_sip_target_equal (targets->pdata[i], target))
      continue;
    g_ptr_array_insert (targets, 0, g_ptr_array_steal_index (targets, i));
    return;
  }
}

/* DNS may name it twice. */
void
muster_sip_target_strike (GPtrArray *targets, GSocketAddress *target)
{
  for (guint i = targets->len; i > 0; i--) {
    if (muster_sip_target_equal (targets->pdata[i - 1], target))
      g_ptr_array_remove_index (targets, i - 1);
  }
}

char *
muster_sip_target_dup_route (GSocketAddress *target)
{
  GInetAddress *address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (target));
  g_autofree char *literal = g_inet_address_to_string (address);

  return g_strdup_printf (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
                            ? "sip:[%s]:%u"
                            : "sip:%s:%u",
                          literal, g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (target)));
}
