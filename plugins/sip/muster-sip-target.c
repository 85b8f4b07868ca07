/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-target.h"

/*
 * From a host to addresses, and from an address to the way out. An IP literal is itself; a name is
 * asked for by A and AAAA. Sofia gets nothing but literals: its own resolver can hang.
 */

#define DEFAULT_PORT 5060

static void
on_looked_up (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  guint16 port = (guint16) GPOINTER_TO_UINT (g_task_get_task_data (task));
  g_autoptr (GPtrArray) targets = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;
  GList *addresses;

  addresses = g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  if (addresses == NULL) {
    g_task_return_error (task,
                         muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_RESOLVE, "%s",
                                           error != NULL ? error->message
                                                         : "the server's name has no address"));
    return;
  }

  for (GList *l = addresses; l != NULL; l = l->next)
    g_ptr_array_add (targets, g_inet_socket_address_new (l->data, port));
  g_resolver_free_addresses (addresses);
  g_task_return_pointer (task, g_steal_pointer (&targets), (GDestroyNotify) g_ptr_array_unref);
}

void
muster_sip_target_resolve_async (const char *host,
                                 guint16 port,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GInetAddress) literal = g_inet_address_new_from_string (host);
  g_autoptr (GResolver) resolver = NULL;

  g_task_set_source_tag (task, muster_sip_target_resolve_async);
  if (port == 0)
    port = DEFAULT_PORT;

  if (literal != NULL) {
    GPtrArray *targets = g_ptr_array_new_with_free_func (g_object_unref);

    g_ptr_array_add (targets, g_inet_socket_address_new (literal, port));
    g_task_return_pointer (task, targets, (GDestroyNotify) g_ptr_array_unref);
    return;
  }

  g_task_set_task_data (task, GUINT_TO_POINTER (port), NULL);
  resolver = g_resolver_get_default ();
  g_resolver_lookup_by_name_async (resolver, host, cancellable, on_looked_up,
                                   g_steal_pointer (&task));
}

GPtrArray *
muster_sip_target_resolve_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
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
