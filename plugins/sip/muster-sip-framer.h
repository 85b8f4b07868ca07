/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The largest message that is taken from a stream. */
#define MUSTER_SIP_FRAME_MAX_BYTES (64 * 1024)

typedef enum {
  MUSTER_SIP_FRAME_NONE,    /* more bytes are needed */
  MUSTER_SIP_FRAME_MESSAGE, /* a whole message, head and body */
  MUSTER_SIP_FRAME_PING,    /* CRLF CRLF (RFC 5626 section 4.4.1): to be answered by a pong */
  MUSTER_SIP_FRAME_PONG,    /* CRLF */
  MUSTER_SIP_FRAME_BROKEN,  /* not SIP: the stream cannot be understood any more */
} MusterSipFrame;

/**
 * MusterSipFramer:
 *
 * Cuts the bytes of a stream into messages (RFC 3261 section 18.3). It holds no memory while nothing
 * is half read.
 */
typedef struct {
  GByteArray *buffer; /* NULL: nothing is held */
  gsize taken;        /* bytes at its beginning that are done with */
  gsize searched;     /* up to where the end of the head was looked for, from taken */
} MusterSipFramer;

void muster_sip_framer_clear (MusterSipFramer *self);
void muster_sip_framer_feed (MusterSipFramer *self, const void *bytes, gsize n_bytes);

/* What comes next. @bytes and @body_bytes are set for a message, and hold until the next call;
 * @problem, in words, for one that is broken. */
MusterSipFrame muster_sip_framer_next (MusterSipFramer *self,
                                       const char **bytes,
                                       gsize *n_bytes,
                                       gsize *body_bytes,
                                       const char **problem);

/* One CRLF at the end of what came may be a pong or half a ping, so next() waits for more. Whoever waits
 * for a pong takes it with this: %TRUE if it was there. */
gboolean muster_sip_framer_take_pong (MusterSipFramer *self);

G_END_DECLS
