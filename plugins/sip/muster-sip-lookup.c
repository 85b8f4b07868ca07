/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-lookup.h"

#include "muster-sip-target.h"

/*
 * From a host to addresses, and from an address to the way out. A domain is looked up by SRV, and by NAPTR where
 * the transport is the domain's choice (RFC 3263 section 4.1).
 */

static void
on_looked_up (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GPtrArray) found = NULL;
  GError *error = NULL;

  found = muster_resolver_lookup_finish (result, &error);
  if (found == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, muster_sip_offers_new (found), (GDestroyNotify) g_ptr_array_unref);
}

void
muster_sip_lookup_async (MusterTransport transport,
                         const char *host,
                         guint16 port,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  const MusterSipService *usual = muster_sip_target_get_service (transport);

  g_task_set_source_tag (task, muster_sip_lookup_async);
  /* A port that somebody gave is meant for the host itself (RFC 3263 section 4.2). */
  if (port != 0)
    muster_resolver_lookup_async (NULL, usual->proto, host, port, MUSTER_RESOLVER_NONE, cancellable,
                                  on_looked_up, task);
  else
    muster_resolver_lookup_async (usual->service, usual->proto, host, usual->port,
                                  MUSTER_RESOLVER_NONE, cancellable, on_looked_up, task);
}

void
muster_sip_lookup_all_async (const char *host,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, muster_sip_lookup_all_async);
  muster_resolver_lookup_async ("sip", NULL, host, 0, MUSTER_RESOLVER_NAPTR, cancellable,
                                on_looked_up, task);
}

GPtrArray *
muster_sip_lookup_finish (GAsyncResult *result, GError **error)
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
muster_sip_lookup_dup_source (GSocketAddress *target, GError **error)
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
