/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* Where requests to a service can go over @transport: an array of GSocketAddress, best first, never empty.
 * @port 0: the service's usual one. Errors are of %MUSTER_ERROR, step resolve, or cancelled. */
void muster_sip_target_resolve_async (MusterTransport transport,
                                      const char *host,
                                      guint16 port,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
GPtrArray *muster_sip_target_resolve_finish (GAsyncResult *result, GError **error);

/* The same for a @host that is an address already; %NULL: it is a name. */
GPtrArray *muster_sip_target_new_literal (const char *host, guint16 port);

gboolean muster_sip_target_equal (GSocketAddress *left, GSocketAddress *right);

/* @target is the first of @targets now, if it is one of them; or none of them any more. */
void muster_sip_target_prefer (GPtrArray *targets, GSocketAddress *target);
void muster_sip_target_strike (GPtrArray *targets, GSocketAddress *target);

/* How a service is asked for over @transport: its name and protocol in DNS, and its usual port. */
typedef struct {
  const char *service;
  const char *proto;
  guint16 port;
} MusterSipService;

const MusterSipService *muster_sip_target_get_service (MusterTransport transport);

/* The address of ours from which packets to @target leave, as an IP literal. */
char *muster_sip_target_dup_source (GSocketAddress *target, GError **error);

/* `sip:IP:PORT` */
char *muster_sip_target_dup_route (GSocketAddress *target);
