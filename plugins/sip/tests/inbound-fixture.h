/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A transport that keeps what is sent, and requests as they come in to it: no parser, no socket. */

#pragma once

#include "muster-hub-private.h"
#include "muster-sip-server.h"

#include <string.h>

typedef struct {
  MusterSipServer *server;
  const MusterSipReceiver *receiver; /* of the token `ours` */
  GPtrArray *replies;                /* of char *: those that nobody has taken */
} Wire;

static inline void
wire_on_send (gpointer user_data, GBytes *reply)
{
  Wire *wire = user_data;

  g_ptr_array_add (wire->replies,
                   g_strndup (g_bytes_get_data (reply, NULL), g_bytes_get_size (reply)));
}

static inline const MusterSipReceiver *
wire_on_find (const char *token, gpointer user_data)
{
  return g_str_equal (token, "ours") ? ((Wire *) user_data)->receiver : NULL;
}

static const MusterSipServerFuncs wire_udp = { wire_on_send, wire_on_find, FALSE };
static const MusterSipServerFuncs wire_tcp = { wire_on_send, wire_on_find, TRUE };

static inline void
wire_set_up (Wire *wire, gboolean is_reliable, const MusterSipReceiver *receiver)
{
  wire->replies = g_ptr_array_new_with_free_func (g_free);
  wire->receiver = receiver;
  wire->server = muster_sip_server_new (is_reliable ? &wire_tcp : &wire_udp, wire);
}

static inline void
wire_tear_down (Wire *wire)
{
  g_clear_pointer (&wire->server, muster_sip_server_free);
  g_assert_true (muster_clock_is_idle ());
  g_ptr_array_unref (wire->replies);
}

/* What is not given is as of any call of bob's. */
static inline void
wire_take (Wire *wire, MusterSipInbound inbound)
{
  g_autofree char *head = NULL;

  inbound.token = inbound.token != NULL ? inbound.token : "ours";
  inbound.from = inbound.from != NULL ? inbound.from : "sip:bob@example.test";
  inbound.from_tag = inbound.from_tag != NULL ? inbound.from_tag : "bob";
  inbound.call_id = inbound.call_id != NULL ? inbound.call_id : "call";
  inbound.branch = inbound.branch != NULL ? inbound.branch : "z9hG4bK1";
  inbound.sent_by = inbound.sent_by != NULL ? inbound.sent_by : "proxy.test:5060";
  inbound.cseq = inbound.cseq != 0 ? inbound.cseq : 1;
  head = g_strdup_printf ("Via: %s\r\nCSeq: %u %s\r\n", inbound.branch, inbound.cseq,
                          inbound.method);
  inbound.reply_head = head;
  muster_sip_server_take (wire->server, &inbound);
}

#define take(wire, name, ...)                                                                      \
  wire_take (wire, (MusterSipInbound){ .method = (char *) name, __VA_ARGS__ })

/* Looks at the first reply that waits: `180`, `302 INVITE`, with a header or without. */
static inline void
assert_reply_with (Wire *wire, const char *status, const char *method, const char *header)
{
  g_autofree char *start = g_strdup_printf ("SIP/2.0 %s ", status);
  g_autofree char *cseq = g_strdup_printf (" %s\r\n", method);
  const char *reply;

  g_assert_cmpuint (wire->replies->len, >, 0);
  reply = wire->replies->pdata[0];
  g_assert_true (g_str_has_prefix (reply, start));
  g_assert_nonnull (strstr (reply, cseq));
  g_assert_true (header == NULL || strstr (reply, header) != NULL);
  g_ptr_array_remove_index (wire->replies, 0);
}

static inline void
assert_reply (Wire *wire, const char *status, const char *method)
{
  assert_reply_with (wire, status, method, NULL);
}

static inline void
assert_silence (Wire *wire)
{
  g_assert_cmpuint (wire->replies->len, ==, 0);
}

static inline void
pass_ms (gint64 ms)
{
  muster_clock_advance_us (ms * 1000);
}
