/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* Where requests to a service can go: an array of GSocketAddress, best first, never empty. @port 0:
 * the service's usual one. Errors are of %MUSTER_ERROR, step resolve, or cancelled. */
void muster_sip_target_resolve_async (const char *host,
                                      guint16 port,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
GPtrArray *muster_sip_target_resolve_finish (GAsyncResult *result, GError **error);

/* The same for a @host that is an address already; %NULL: it is a name. */
GPtrArray *muster_sip_target_new_literal (const char *host, guint16 port);

/* The address of ours from which packets to @target leave, as an IP literal. */
char *muster_sip_target_dup_source (GSocketAddress *target, GError **error);

/* `sip:IP:PORT` */
char *muster_sip_target_dup_route (GSocketAddress *target);
