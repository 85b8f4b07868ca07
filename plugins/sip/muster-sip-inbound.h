/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/*
 * A request that came in, as data, and the seam to whoever gets it. Whoever sent it can have put anything
 * into it; all of it together is bounded by the size of a message (64 kB), and none of it but the body
 * holds a line end.
 */
typedef struct {
  char *method;
  char *token;     /* the user part of the Request-URI; nullable */
  char *from;      /* URI */
  char *from_name; /* nullable; unquoted */
  char *from_tag;  /* nullable */
  char *to_tag;    /* NULL: in no dialog */
  char *call_id;
  guint32 cseq;
  char *branch;       /* of the topmost Via; nullable */
  char *sent_by;      /* of the same: `host:port`, lower case */
  char *contact;      /* URI; nullable */
  char *event;        /* nullable */
  char *event_id;     /* nullable */
  char *subscription; /* `active`, `pending`, `terminated` or another; nullable */
  char *subscription_reason;
  gint64 subscription_expires_s;     /* -1: not said */
  gint64 subscription_retry_after_s; /* likewise */
  gint64 expires_s;                  /* likewise */
  char *content_type;                /* `type/subtype`, lower case; nullable */
  char *charset;                     /* of the content type; nullable */
  char *content_encoding;            /* nullable */
  GBytes *body;                      /* nullable */
  char *subject;                     /* nullable */
  guint sip_cause;                   /* Reason: SIP;cause= (RFC 3326); 0: not said */
  guint q850_cause;                  /* Reason: Q.850;cause= */
  GStrv record_routes;               /* `<uri>;params`; nullable */
  gboolean lost_record_route;        /* not all of them are there */
  char *unsupported; /* what it requires and we do not know, joined by commas; nullable */
  char *reply_head;  /* what every reply begins with after its first line, our tag included */
} MusterSipInbound;

void muster_sip_inbound_free (MusterSipInbound *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipInbound, muster_sip_inbound_free)

/* Our To tag: the same for the same request, and for a CANCEL as for its INVITE (RFC 3261 sections 8.2.7,
 * 9.2). */
char *muster_sip_inbound_make_tag (const char *call_id, const char *from_tag, guint32 cseq);

/* A whole reply. @headers: more of them, each with its line end, clean; nullable. */
GBytes *muster_sip_reply_build (const char *head, guint status, const char *headers);

/* One request that waits for its reply; see muster-sip-server.h. */
typedef struct _MusterSipServerTransaction MusterSipServerTransaction;

/*
 * MusterSipReceiverFuncs:
 * @request: a request other than ACK, CANCEL and OPTIONS came to the receiver's token. It is answered with
 *   muster_sip_server_transaction_reply(), now or later. @inbound is lent for the call.
 * @options_seen: an OPTIONS came that was to reach the token and is answered with 200 after this; nullable
 */
typedef struct {
  void (*request) (gpointer user_data,
                   const MusterSipInbound *inbound,
                   MusterSipServerTransaction *transaction);
  void (*options_seen) (gpointer user_data, const MusterSipInbound *inbound);
} MusterSipReceiverFuncs;

/* Who gets the requests to a token. It may not go away while it is being called. */
typedef struct {
  const MusterSipReceiverFuncs *funcs;
  gpointer user_data;
} MusterSipReceiver;

/* (nullable): who has the token */
typedef const MusterSipReceiver *(*MusterSipFindReceiverFunc) (const char *token,
                                                               gpointer user_data);
