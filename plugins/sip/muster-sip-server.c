/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-server.h"

#include "muster-sip-message.h"

/*
 * A request that comes in has one answer at most, not much longer than itself, so that nobody can make us
 * shout at others.
 */

#define ALLOW  "Allow: " MUSTER_SIP_ALLOWED_METHODS "\r\n"
#define ACCEPT "Accept: application/sdp\r\n"

struct _MusterSipServer {
  const MusterSipServerFuncs *funcs;
  gpointer user_data;
};

static void
reply_statelessly (MusterSipServer *self,
                   const MusterSipInbound *inbound,
                   guint status,
                   const char *headers)
{
  g_autoptr (GBytes) reply = muster_sip_reply_build (inbound->reply_head, status, headers);

  self->funcs->send (self->user_data, reply);
}

void
muster_sip_server_take (MusterSipServer *self, const MusterSipInbound *inbound)
{
  const MusterSipReceiver *receiver;

  if (g_str_equal (inbound->method, "ACK"))
    return;
  if (!g_str_equal (inbound->method, "OPTIONS")) {
    reply_statelessly (self, inbound, 405, ALLOW);
    return;
  }

  receiver = inbound->token != NULL ? self->funcs->find (inbound->token, self->user_data) : NULL;
  if (receiver == NULL) {
    reply_statelessly (self, inbound, 404, NULL);
    return;
  }
  if (receiver->funcs->options_seen != NULL)
    receiver->funcs->options_seen (receiver->user_data, inbound);
  reply_statelessly (self, inbound, 200, ALLOW ACCEPT);
}

MusterSipServer *
muster_sip_server_new (const MusterSipServerFuncs *funcs, gpointer user_data)
{
  MusterSipServer *self = g_new0 (MusterSipServer, 1);

  self->funcs = funcs;
  self->user_data = user_data;
  return self;
}

void
muster_sip_server_free (MusterSipServer *self)
{
  g_free (self);
}
