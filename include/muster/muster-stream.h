/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-error.h>
#include <muster/muster-resolver.h>
#include <muster/muster-tls-key-pair.h>
#include <muster/muster-tls.h>

G_BEGIN_DECLS

/**
 * MusterStream:
 *
 * A connection to a service: found by SRV or by host and port, reached by racing its addresses (RFC
 * 8305), encrypted or not, read and written on the hub without ever blocking. It belongs to the
 * main thread.
 *
 * A stream connects once: for another attempt, make another. Proxies are not supported.
 */
typedef struct _MusterStream MusterStream;

/**
 * MusterStreamFuncs:
 * @opened: the connection stands, with TLS verified where TLS is used; called a second time when
 *   muster_stream_start_tls() has succeeded
 * @readable: (nullable): bytes came in, at most 16 kB a call; they are lent for the call only
 * @writable: (nullable): after muster_stream_send() has refused: half of the queue is free again
 * @drained: (nullable): all that was queued is with the kernel
 * @closed: the connection is gone or was never made; the last call. @error is %NULL after
 *   muster_stream_close(), otherwise of the %MUSTER_ERROR domain with the step that failed
 *
 * What a stream tells its owner, always from the main loop, never inside a call to the stream.
 * Each of them may close or free the stream.
 */
typedef struct {
  void (*opened) (MusterStream *stream, gpointer user_data);
  void (*readable) (MusterStream *stream, const guint8 *data, gsize n_bytes, gpointer user_data);
  void (*writable) (MusterStream *stream, gpointer user_data);
  void (*drained) (MusterStream *stream, gpointer user_data);
  void (*closed) (MusterStream *stream, const GError *error, gpointer user_data);
  /*< private >*/
  gpointer padding[4];
} MusterStreamFuncs;

/**
 * MusterChannelBinding:
 * @MUSTER_CHANNEL_BINDING_EXPORTER: `tls-exporter`, RFC 9266
 * @MUSTER_CHANNEL_BINDING_SERVER_END_POINT: `tls-server-end-point`, RFC 5929
 *
 * How an authentication is tied to the TLS connection that carries it.
 */
typedef enum {
  MUSTER_CHANNEL_BINDING_EXPORTER,
  MUSTER_CHANNEL_BINDING_SERVER_END_POINT,
} MusterChannelBinding;

MUSTER_API MusterStream *muster_stream_new (const MusterStreamFuncs *funcs, gpointer user_data);
MUSTER_API void muster_stream_free (MusterStream *self);

/* before connecting */
MUSTER_API void muster_stream_set_trust (MusterStream *self, MusterTlsTrust *trust);
MUSTER_API void muster_stream_set_key_pair (MusterStream *self, MusterTlsKeyPair *key_pair);
MUSTER_API void muster_stream_set_tls_name (MusterStream *self, const char *name);
MUSTER_API void muster_stream_set_alpn (MusterStream *self, const char *const *protocols);
MUSTER_API void muster_stream_set_max_out_bytes (MusterStream *self, gsize max_bytes);

MUSTER_API void muster_stream_connect (MusterStream *self,
                                       const char *service,
                                       const char *proto,
                                       const char *host,
                                       guint16 port,
                                       MusterResolverFlags flags);
MUSTER_API void
muster_stream_connect_targets (MusterStream *self, GPtrArray *targets, const char *host);

/* while open */
MUSTER_API gboolean muster_stream_send (MusterStream *self, const void *data, gsize n_bytes);
MUSTER_API gsize muster_stream_get_out_bytes (const MusterStream *self);
MUSTER_API void muster_stream_set_paused (MusterStream *self, gboolean is_paused);
MUSTER_API gboolean muster_stream_start_tls (MusterStream *self);
MUSTER_API void muster_stream_close (MusterStream *self);

MUSTER_API gboolean muster_stream_is_open (const MusterStream *self);
MUSTER_API gboolean muster_stream_is_tls (const MusterStream *self);
MUSTER_API GSocketAddress *muster_stream_dup_local_address (const MusterStream *self);
MUSTER_API GSocketAddress *muster_stream_dup_remote_address (const MusterStream *self);
MUSTER_API MusterTarget *muster_stream_get_target (const MusterStream *self);
MUSTER_API MusterCertificate *muster_stream_dup_certificate (const MusterStream *self);
MUSTER_API char *muster_stream_dup_alpn (const MusterStream *self);
MUSTER_API char *muster_stream_dup_tls_description (const MusterStream *self);
MUSTER_API GBytes *
muster_stream_dup_channel_binding (const MusterStream *self, MusterChannelBinding type);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterStream, muster_stream_free)

G_END_DECLS
