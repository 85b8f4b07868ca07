/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-inbound.h"
#include "muster-sip-transport.h"

#include <muster/muster-tls-key-pair.h>
#include <muster/muster-tls.h>

/**
 * MusterSipFlow:
 *
 * One connection to one proxy or registrar over TCP or TLS, shared by all accounts that go there in the
 * same way (RFC 5626 calls it a flow): a transport, and the place where requests come in.
 */
typedef struct _MusterSipFlow MusterSipFlow;

/* Which connection is meant. Equal ones are shared. */
typedef struct {
  MusterTransport transport; /* TCP or TLS */
  const char *host;
  guint16 port;               /* 0: as DNS says */
  const char *tls_name;       /* whom the certificate must be for; NULL for TCP */
  MusterTlsTrust *trust;      /* NULL for TCP */
  MusterTlsKeyPair *key_pair; /* nullable */
  GPtrArray *targets; /* of GSocketAddress: where it may lead, best first; NULL: as DNS says */
} MusterSipFlowKey;

/* @ended: it is over, by itself or because it could not be made; then it is only there to be freed.
 * Called from the main loop, never inside a call to the flow. */
typedef struct {
  void (*opened) (MusterSipFlow *self, gpointer user_data);
  void (*ended) (MusterSipFlow *self, const GError *error, gpointer user_data);
  MusterSipFindReceiverFunc find;
} MusterSipFlowFuncs;

MusterSipFlow *muster_sip_flow_new (const MusterSipFlowKey *key,
                                    const MusterSipFlowFuncs *funcs,
                                    gpointer user_data);

/* Nobody may have a transaction on it any more. */
void muster_sip_flow_free (MusterSipFlow *self);

gboolean muster_sip_flow_is_open (MusterSipFlow *self);

/* Its two ends: %NULL while it is not open. The local one is an IP literal. */
GSocketAddress *muster_sip_flow_dup_remote_address (MusterSipFlow *self);
const char *muster_sip_flow_get_local_address (MusterSipFlow *self);

/* Which of the targets it leads to, or led; %NULL before it is connected, lent for its life. */
GSocketAddress *muster_sip_flow_get_target (MusterSipFlow *self);
MusterSipTransport *muster_sip_flow_get_transport (MusterSipFlow *self); /* while it is open */

/* What a 2xx to REGISTER said in Flow-Timer (RFC 5626 section 4.4.1), here taken as at least 10 s and at
 * most an hour: a ping is sent after so long without anything else sent, and the server must answer it. */
void muster_sip_flow_set_flow_timer (MusterSipFlow *self, guint seconds);

/* (transfer full): what connections that are for the same have in common, wherever they lead; and with where
 * that may be: a key of hash tables, which begins with the first and a blank */
char *muster_sip_flow_key_to_purpose (const MusterSipFlowKey *key);
char *muster_sip_flow_key_to_string (const MusterSipFlowKey *key);
