/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-offers.h"

/* What a service offers over @transport, or over each that it has. @port 0: the service's usual one. Errors are of
 * %MUSTER_ERROR, step resolve, or cancelled. */
void muster_sip_lookup_async (MusterTransport transport,
                              const char *host,
                              guint16 port,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
void muster_sip_lookup_all_async (const char *host,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);

/* An array of MusterSipOffer, best first, never empty. */
GPtrArray *muster_sip_lookup_finish (GAsyncResult *result, GError **error);

/* The address of ours from which packets to @target leave, as an IP literal. */
char *muster_sip_lookup_dup_source (GSocketAddress *target, GError **error);
