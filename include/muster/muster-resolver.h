/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MusterTransport:
 * @MUSTER_TRANSPORT_UDP: datagrams
 * @MUSTER_TRANSPORT_TCP: a stream, not encrypted from its first byte on
 * @MUSTER_TRANSPORT_TLS: a stream that begins with a TLS handshake
 *
 * How a target is talked to.
 */
typedef enum {
  MUSTER_TRANSPORT_UDP = 1,
  MUSTER_TRANSPORT_TCP,
  MUSTER_TRANSPORT_TLS,
} MusterTransport;

/**
 * MusterResolverFlags:
 * @MUSTER_RESOLVER_NAPTR: the service is SIP: ask for NAPTR records first (RFC 3263)
 * @MUSTER_RESOLVER_IPV4_ONLY: leave IPv6 addresses out
 * @MUSTER_RESOLVER_IPV6_ONLY: leave IPv4 addresses out
 *
 * What muster_resolver_lookup_async() is asked to do beyond the plain thing.
 */
typedef enum {
  MUSTER_RESOLVER_NONE = 0,
  MUSTER_RESOLVER_NAPTR = 1 << 0,
  MUSTER_RESOLVER_IPV4_ONLY = 1 << 1,
  MUSTER_RESOLVER_IPV6_ONLY = 1 << 2,
} MusterResolverFlags;

typedef struct _MusterTarget MusterTarget;

/**
 * MusterTarget:
 * @address: the address and the port
 * @name: the host name that the address belongs to. It may come from DNS unsecured: certificates
 *   are checked against the name that was asked for, never against this one
 * @transport: how to talk to it
 * @priority: that of its SRV record (lower comes first), 0 without one. For merging two lists
 *
 * A place where a service may be reached. Immutable.
 */
struct _MusterTarget {
  GSocketAddress *address;
  char *name;
  MusterTransport transport;
  guint16 priority;
  /*< private >*/
  gatomicrefcount ref_count;
};

#define MUSTER_TYPE_TARGET (muster_target_get_type ())
MUSTER_API GType muster_target_get_type (void);

MUSTER_API MusterTarget *muster_target_new (GSocketAddress *address,
                                            const char *name,
                                            MusterTransport transport,
                                            guint16 priority);
MUSTER_API MusterTarget *muster_target_ref (MusterTarget *self);
MUSTER_API void muster_target_unref (MusterTarget *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterTarget, muster_target_unref)

/* Main thread. Where a service is: see the functions' own comments for the rules. */
MUSTER_API void muster_resolver_lookup_async (const char *service,
                                              const char *proto,
                                              const char *host,
                                              guint16 port,
                                              MusterResolverFlags flags,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);
MUSTER_API GPtrArray *muster_resolver_lookup_finish (GAsyncResult *result, GError **error);

G_END_DECLS
