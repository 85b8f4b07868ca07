/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-inbound.h"

/*
 * MusterSipServer:
 *
 * What one transport does with the requests that come in on it: the answers that need nobody, and the
 * server transactions (RFC 3261 section 17.2) of the others.
 */
typedef struct _MusterSipServer MusterSipServer;

/*
 * MusterSipServerFuncs:
 * @send: @reply goes to where the topmost Via in it says, or back on the connection
 * @find: who has a token
 */
typedef struct {
  void (*send) (gpointer user_data, GBytes *reply);
  MusterSipFindReceiverFunc find;
} MusterSipServerFuncs;

MusterSipServer *muster_sip_server_new (const MusterSipServerFuncs *funcs, gpointer user_data);
void muster_sip_server_free (MusterSipServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipServer, muster_sip_server_free)

/* A request came in. */
void muster_sip_server_take (MusterSipServer *self, const MusterSipInbound *inbound);

/* Answers a request. @headers: more of them, each with its line end, clean; nullable. With a final @status
 * the transaction is gone for whoever answered. */
void muster_sip_server_transaction_reply (MusterSipServerTransaction *transaction,
                                          guint status,
                                          const char *headers);
