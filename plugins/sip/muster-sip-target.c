/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-target.h"

/*
 * From a host to addresses, and from an address to the way out. A domain is looked up by SRV. Sofia gets
 * nothing but literals: its own resolver can hang.
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

static void
on_looked_up (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GPtrArray) found = NULL;
  GPtrArray *targets;
  GError *error = NULL;

  found = muster_resolver_lookup_finish (result, &error);
  if (found == NULL) {
    g_task_return_error (task, error);
    return;
  }

  targets = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < found->len; i++)
    g_ptr_array_add (targets, g_object_ref (((MusterTarget *) found->pdata[i])->address));
  g_task_return_pointer (task, targets, (GDestroyNotify) g_ptr_array_unref);
}

void
muster_sip_target_resolve_async (MusterTransport transport,
                                 const char *host,
                                 guint16 port,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  const MusterSipService *usual = muster_sip_target_get_service (transport);

  g_task_set_source_tag (task, muster_sip_target_resolve_async);
  /* A port that somebody gave is meant for the host itself (RFC 3263 section 4.2). */
  if (port != 0)
    muster_resolver_lookup_async (NULL, usual->proto, host, port, MUSTER_RESOLVER_NONE, cancellable,
                                  on_looked_up, task);
  else
    muster_resolver_lookup_async (usual->service, usual->proto, host, usual->port,
                                  MUSTER_RESOLVER_NONE, cancellable, on_looked_up, task);
}

GPtrArray *
muster_sip_target_resolve_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

GPtrArray *
muster_sip_target_new_literal (const char *host, guint16 port)
{
  GSocketAddress *address;
  GPtrArray *targets;

  address = g_inet_socket_address_new_from_string (
    host, port != 0 ? port : muster_sip_target_get_service (MUSTER_TRANSPORT_UDP)->port);
  if (address == NULL)
    return NULL;

  targets = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (targets, address);
  return targets;
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

/* Connecting a UDP socket sends nothing: it asks the routing table. */
static GSocketAddress *
ask_route (GSocketAddress *target, GError **error)
{
  g_autoptr (GSocket) probe = NULL;

  probe = g_socket_new (g_socket_address_get_family (target), G_SOCKET_TYPE_DATAGRAM,
                        G_SOCKET_PROTOCOL_UDP, error);
  if (probe == NULL || !g_socket_connect (probe, target, NULL, error))
    return NULL;
  return g_socket_get_local_address (probe, error);
}

char *
muster_sip_target_dup_source (GSocketAddress *target, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (GSocketAddress) local = ask_route (target, &why);

  if (local == NULL) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                                                "no way leads to the server: %s", why->message));
    return NULL;
  }
  return g_inet_address_to_string (
    g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local)));
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
