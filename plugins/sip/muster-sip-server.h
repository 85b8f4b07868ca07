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
 * @is_reliable: nothing that is sent gets lost on the way: it is a stream
 */
typedef struct {
  void (*send) (gpointer user_data, GBytes *reply);
  MusterSipFindReceiverFunc find;
  gboolean is_reliable;
} MusterSipServerFuncs;

MusterSipServer *muster_sip_server_new (const MusterSipServerFuncs *funcs, gpointer user_data);
void muster_sip_server_free (MusterSipServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipServer, muster_sip_server_free)

/* A request came in. */
void muster_sip_server_take (MusterSipServer *self, const MusterSipInbound *inbound);

/* The transport is gone: all that waits is over. */
void muster_sip_server_lose_all (MusterSipServer *self);

/* What is answered without asking whoever has the token: a status; 0: nothing is against it. */
guint muster_sip_server_judge (const MusterSipInbound *inbound, gboolean is_ours);

/* Answers a request. @headers: more of them, each with its line end, clean; nullable. With a final @status,
 * which for an INVITE is none of 2xx, the transaction is gone for whoever answered. */
void muster_sip_server_transaction_reply (MusterSipServerTransaction *transaction,
                                          guint status,
                                          const char *headers);

/*
 * MusterSipOver:
 * @MUSTER_SIP_OVER_CANCELLED: whoever called gave up
 * @MUSTER_SIP_OVER_ELSEWHERE: another device answered, or declined for all of them (RFC 3326)
 * @MUSTER_SIP_OVER_LOST: no reply can be given any more
 *
 * How a request came to its end without a final reply of whoever got it.
 */
typedef enum {
  MUSTER_SIP_OVER_CANCELLED,
  MUSTER_SIP_OVER_ELSEWHERE,
  MUSTER_SIP_OVER_LOST,
} MusterSipOver;

/* The transaction is gone then. */
typedef void (*MusterSipOverFunc) (MusterSipOver why, gpointer user_data);

/* Whoever does not reply at once wants to know. */
void muster_sip_server_transaction_watch (MusterSipServerTransaction *transaction,
                                          MusterSipOverFunc func,
                                          gpointer user_data);
