/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStream"

#include "config.h"

#include "muster-stream-struct.h"

#include <sys/socket.h>

/* What an owner may set before a stream connects, and ask once it is open. Changes no state. */

void
muster_stream_set_deadlines_ms (MusterStream *self,
                                guint resolve_ms,
                                guint connect_ms,
                                guint tls_ms,
                                guint close_ms)
{
  g_return_if_fail (self != NULL && self->state == STATE_NEW);

  self->opening->deadlines_ms[STATE_RESOLVING] = resolve_ms;
  self->opening->deadlines_ms[STATE_CONNECTING] = connect_ms;
  self->tls_ms = tls_ms;
  self->close_ms = close_ms;
}

/**
 * muster_stream_set_trust:
 * @self: a stream before TLS has begun
 * @trust: whom to believe
 *
 * Replaces the default, which is muster_tls_trust_get_default().
 */
void
muster_stream_set_trust (MusterStream *self, MusterTlsTrust *trust)
{
  g_return_if_fail (self != NULL && trust != NULL);
  g_return_if_fail (self->session == NULL);

  muster_tls_trust_ref (trust);
  muster_tls_trust_unref (self->ends.trust);
  self->ends.trust = trust;
}

/**
 * muster_stream_set_key_pair:
 * @self: a stream before TLS has begun
 * @key_pair: (nullable): who we are to a server that asks; %NULL, the default: nobody in particular
 *
 * The server is shown the certificate only after it has proven who it is itself.
 */
void
muster_stream_set_key_pair (MusterStream *self, MusterTlsKeyPair *key_pair)
{
  g_return_if_fail (self != NULL && self->session == NULL);

  if (key_pair != NULL)
    muster_tls_key_pair_ref (key_pair);
  g_clear_pointer (&self->ends.key_pair, muster_tls_key_pair_unref);
  self->ends.key_pair = key_pair;
}

/**
 * muster_stream_set_tls_name:
 * @self: a stream before TLS has begun
 * @name: (nullable): the service domain (in ASCII) or address that the certificate must be for, and
 *   that the server is told (SNI); %NULL: the host that is connected to
 *
 * For accounts whose server has another name than their domain.
 */
void
muster_stream_set_tls_name (MusterStream *self, const char *name)
{
  g_return_if_fail (self != NULL && self->session == NULL);

  g_free (self->tls_name);
  self->tls_name = g_strdup (name);
}

/**
 * muster_stream_set_alpn:
 * @self: a stream that is not connected yet
 * @protocols: (nullable) (array zero-terminated=1): at most 8 protocol names to offer (RFC 7301)
 *
 * Offers protocols; see muster_stream_dup_alpn() for the choice. Not used by
 * muster_stream_start_tls().
 */
void
muster_stream_set_alpn (MusterStream *self, const char *const *protocols)
{
  g_return_if_fail (self != NULL && self->state == STATE_NEW);

  g_strfreev (self->opening->alpn);
  self->opening->alpn = g_strdupv ((GStrv) protocols);
}

/**
 * muster_stream_set_max_out_bytes:
 * @self: a stream
 * @max_bytes: how much may be queued; 1 MB unless told
 *
 * Bounds what muster_stream_send() takes before the peer does.
 */
void
muster_stream_set_max_out_bytes (MusterStream *self, gsize max_bytes)
{
  g_return_if_fail (self != NULL && max_bytes > 0 && max_bytes <= G_MAXUINT / 2);

  self->max_out_bytes = max_bytes;
}

/**
 * muster_stream_is_open:
 * @self: a stream
 *
 * Returns: whether it can send and receive now
 */
gboolean
muster_stream_is_open (const MusterStream *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->state == STATE_OPEN && !self->is_tls_pending;
}

/**
 * muster_stream_is_tls:
 * @self: a stream
 *
 * Returns: whether it is open and encrypted
 */
gboolean
muster_stream_is_tls (const MusterStream *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->state == STATE_OPEN && self->session != NULL;
}

static GSocketAddress *
stream_dup_address (const MusterStream *self,
                    int (*get) (int fd, struct sockaddr *address, socklen_t *size))
{
  struct sockaddr_storage address = { 0 };
  socklen_t size = sizeof address;

  if (self->fd < 0 || get (self->fd, (struct sockaddr *) &address, &size) != 0)
    return NULL;

  return g_socket_address_new_from_native (&address, size);
}

static int
get_local (int fd, struct sockaddr *address, socklen_t *size)
{
  return getsockname (fd, address, size);
}

static int
get_remote (int fd, struct sockaddr *address, socklen_t *size)
{
  return getpeername (fd, address, size);
}

/**
 * muster_stream_dup_local_address:
 * @self: a stream
 *
 * Returns: (transfer full) (nullable): our own address and port, if it is connected
 */
GSocketAddress *
muster_stream_dup_local_address (const MusterStream *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return stream_dup_address (self, get_local);
}

/**
 * muster_stream_dup_remote_address:
 * @self: a stream
 *
 * Returns: (transfer full) (nullable): the peer's address and port, if it is connected
 */
GSocketAddress *
muster_stream_dup_remote_address (const MusterStream *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return stream_dup_address (self, get_remote);
}

/**
 * muster_stream_get_target:
 * @self: a stream
 *
 * Returns: (transfer none) (nullable): the target that won the race
 */
MusterTarget *
muster_stream_get_target (const MusterStream *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->target;
}

/**
 * muster_stream_dup_certificate:
 * @self: a stream
 *
 * Returns: (transfer full) (nullable): the service's certificate, if the stream has TLS. That of
 *   one that was refused is with the error; see muster_error_get_certificate()
 */
MusterCertificate *
muster_stream_dup_certificate (const MusterStream *self)
{
  const gnutls_datum_t *chain;
  guint n_chain = 0;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->session == NULL ||
      (chain = gnutls_certificate_get_peers (self->session, &n_chain)) == NULL || n_chain == 0)
    return NULL;

  return muster_certificate_new (chain[0].data, chain[0].size);
}

/**
 * muster_stream_dup_alpn:
 * @self: a stream
 *
 * Returns: (transfer full) (nullable): the protocol that the service chose of those offered
 */
char *
muster_stream_dup_alpn (const MusterStream *self)
{
  gnutls_datum_t protocol;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->session == NULL || gnutls_alpn_get_selected_protocol (self->session, &protocol) < 0)
    return NULL;

  return g_strndup ((const char *) protocol.data, protocol.size);
}

/**
 * muster_stream_dup_tls_description:
 * @self: a stream
 *
 * Returns: (transfer full) (nullable): the TLS version and algorithms in use, for people
 */
char *
muster_stream_dup_tls_description (const MusterStream *self)
{
  char *description;
  char *copy;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->session == NULL || (description = gnutls_session_get_desc (self->session)) == NULL)
    return NULL;

  copy = g_strdup (description);
  gnutls_free (description);

  return copy;
}

/**
 * muster_stream_dup_channel_binding:
 * @self: a stream
 * @type: how to bind
 *
 * Returns: (transfer full) (nullable): what an authentication over this connection is bound to;
 *   %NULL without TLS, and where this connection cannot be bound that way
 */
GBytes *
muster_stream_dup_channel_binding (const MusterStream *self, MusterChannelBinding type)
{
  g_return_val_if_fail (self != NULL, NULL);

  return muster_stream_is_tls (self) ? muster_stream_tls_dup_binding (self->session, type) : NULL;
}
