/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: the GnuTLS side of a stream. */

#pragma once

#include "muster-tls-key-pair-private.h"
#include "muster-tls-private.h"

#include <muster/muster-stream.h>

G_BEGIN_DECLS

/* How a step on a connection that does not block has ended. */
typedef enum {
  MUSTER_IO_DONE,
  MUSTER_IO_AGAIN, /* repeat it when the socket allows; see muster_stream_tls_wants_out() */
  MUSTER_IO_MORE,  /* nothing yet, but repeat it soon whatever the socket says */
  MUSTER_IO_END,   /* the peer has said that nothing follows */
  MUSTER_IO_FAILED,
} MusterIo;

/* Who is to be at the other end, and who we are there. */
typedef struct {
  MusterTlsTrust *trust;
  MusterTlsKeyPair *key_pair; /* NULL: nobody in particular */
  const char *name;           /* lent for as long as the session */
} MusterStreamTlsEnds;

/* @ends: lent for as long as the session lives. */
gnutls_session_t
muster_stream_tls_new (int fd, const MusterStreamTlsEnds *ends, const char *const *alpn);
MusterIo muster_stream_tls_handshake (gnutls_session_t session, GError **error);
gboolean muster_stream_tls_verify (gnutls_session_t session, GError **error);
/* (NULL, 0) repeats a send that ended with MUSTER_IO_AGAIN. */
MusterIo muster_stream_tls_send (gnutls_session_t session,
                                 const void *data,
                                 gsize n_bytes,
                                 gsize *n_sent,
                                 GError **error);
MusterIo muster_stream_tls_recv (gnutls_session_t session,
                                 void *data,
                                 gsize n_bytes,
                                 gsize *n_received,
                                 GError **error);
MusterIo muster_stream_tls_bye (gnutls_session_t session);
gboolean muster_stream_tls_wants_out (gnutls_session_t session);
GBytes *muster_stream_tls_dup_binding (gnutls_session_t session, MusterChannelBinding type);

G_END_DECLS
