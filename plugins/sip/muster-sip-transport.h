/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-message.h"

/*
 * The seam between the state machine and the wire: one way to reach one service, over UDP today and
 * over a stream as well. A transport outlives the transactions on it; its contact fields may change
 * between two of them (a socket made anew), never during one.
 */
typedef struct _MusterSipTransport MusterSipTransport;
typedef struct _MusterSipTransaction MusterSipTransaction;

/* Called once, from the main loop, never from within send(): with the final @response, or with the
 * @failure to get one (%MUSTER_ERROR_UNREACHABLE). Both are lent. The transaction is gone then. */
typedef void (*MusterSipAnswerFunc) (const MusterSipResponse *response,
                                     const GError *failure,
                                     gpointer user_data);

typedef struct {
  /* @route: where to, as `sip:IP:PORT`; a transport that is a connection does not look at it. */
  MusterSipTransaction *(*send) (MusterSipTransport *self,
                                 const char *route,
                                 const MusterSipRequest *request,
                                 MusterSipAnswerFunc func,
                                 gpointer user_data);
  /* Forgets a transaction whose answer nobody waits for: its func is not called any more. */
  void (*drop) (MusterSipTransport *self, MusterSipTransaction *transaction);
} MusterSipTransportVtable;

struct _MusterSipTransport {
  const MusterSipTransportVtable *vtable;
  char *contact_host; /* where it receives; IPv6 in brackets */
  guint16 contact_port;
  const char *contact_params; /* "" or `;transport=tcp` */
};

static inline gboolean
muster_sip_transport_is_stream (const MusterSipTransport *self)
{
  return *self->contact_params != '\0';
}
