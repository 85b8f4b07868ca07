/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: a stream from within. */

#pragma once

#include "muster-race.h"
#include "muster-stream-private.h"
#include "muster-stream-tls.h"

#include <muster/muster-hub.h>

G_BEGIN_DECLS

typedef enum {
  STATE_NEW,
  STATE_RESOLVING,
  STATE_CONNECTING,
  STATE_HANDSHAKING,
  STATE_OPEN,
  STATE_CLOSING, /* sending what is queued, then a goodbye, then waiting for the peer's end */
  STATE_ENDED,   /* all is released; the owner is told in the next turn */
  STATE_CLOSED,
  N_STATES,
} State;

/* What is needed only until the stream is open. */
typedef struct {
  GCancellable *cancellable; /* of the lookup */
  MusterRace *race;
  GStrv alpn;
  guint deadlines_ms[N_STATES];
} Opening;

struct _MusterStream {
  guint ref_count;
  State state;
  const MusterStreamFuncs *funcs; /* NULL: freed by its owner */
  gpointer user_data;
  Opening *opening; /* NULL: done with */
  int fd;
  MusterWatch *watch;
  gnutls_session_t session; /* NULL: plain */
  MusterStreamTlsEnds ends;
  char *host;
  char *tls_name; /* NULL: the host's */
  MusterTarget *target;
  GByteArray *out;  /* NULL: nothing is queued */
  gsize n_out_sent; /* of out */
  gsize max_out_bytes;
  guint close_ms;
  guint tls_ms;
  MusterTimer deadline;
  guint is_paused : 1;      /* the owner does not want to read */
  guint is_refusing : 1;    /* a send was refused: `writable` is due */
  guint is_out_blocked : 1; /* the socket takes no more */
  guint is_repeating : 1;   /* GnuTLS holds a record that must go first */
  guint is_in_blocked : 1;  /* GnuTLS must write before it can read */
  guint is_tls_pending : 1; /* start TLS when the queue is empty */
  guint is_bye_said : 1;
};

G_END_DECLS
