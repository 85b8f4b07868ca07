/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStream"

#include "config.h"

#include "muster-stream-struct.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The flow of a stream; the functions below stand in its order:
 *
 *   NEW -> RESOLVING -> CONNECTING -> HANDSHAKING -> OPEN -> CLOSING -> CLOSED
 *                                          ^-start-tls-|
 *
 * Each state up to HANDSHAKING, and CLOSING, has a deadline. Any of them may go to CLOSED. What is
 * said to the owner is said from a dispatch of the hub, so the functions of the API only note what
 * is to be done and ask for a turn. A dispatch holds a reference, because each callback may free
 * the stream; after it, `funcs` is NULL and the state CLOSED.
 *
 * Before OPEN nothing of the owner's goes out, and OPEN is reached only with the certificate
 * verified; so a server that is not trusted never sees a byte.
 */

#define RESOLVE_DEADLINE_MS 10000
#define CONNECT_DEADLINE_MS 10000
#define TLS_DEADLINE_MS     10000
#define CLOSE_DEADLINE_MS   2000
#define MAX_OUT_BYTES       (1024 * 1024)

/* Of one dispatch. Reads are counted too: a peer may send a byte a record. */
#define MAX_READ_BYTES  (64 * 1024)
#define MAX_READS       64
#define MAX_WRITE_BYTES (256 * 1024)
#define READ_BYTES      16384

static void stream_handshake (MusterStream *self);

/* life */

static MusterStream *
stream_ref (MusterStream *self)
{
  self->ref_count++;
  return self;
}

static void
stream_unref (MusterStream *self)
{
  if (--self->ref_count > 0)
    return;

  g_clear_pointer (&self->ends.trust, muster_tls_trust_unref);
  g_clear_pointer (&self->ends.key_pair, muster_tls_key_pair_unref);
  g_clear_pointer (&self->target, muster_target_unref);
  g_free (self->host);
  g_free (self->tls_name);
  g_free (self);
}

static void
stream_free_opening (MusterStream *self)
{
  g_autofree Opening *opening = g_steal_pointer (&self->opening);

  if (opening == NULL)
    return;

  g_clear_pointer (&opening->race, muster_race_free);
  g_strfreev (opening->alpn);
  if (opening->cancellable != NULL) {
    g_cancellable_cancel (opening->cancellable); /* may call on_targets(), which finds it is late */
    g_object_unref (opening->cancellable);
  }
}

/* Releases all that the kernel, GnuTLS and the hub hold for it. */
static void
stream_release (MusterStream *self, State state)
{
  self->state = state;
  stream_free_opening (self);
  muster_timer_cancel (&self->deadline);
  if (self->watch != NULL)
    muster_watch_remove (g_steal_pointer (&self->watch));
  g_clear_pointer (&self->session, gnutls_deinit);
  g_clear_pointer (&self->out, g_byte_array_unref);
  self->n_out_sent = 0;
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

/* The end, from within a dispatch. */
static void
stream_end (MusterStream *self, GError *take_error)
{
  g_autoptr (GError) error = take_error;

  if (self->state == STATE_CLOSED)
    return;
  if (self->state == STATE_CLOSING) /* its owner has turned away: nothing is a failure any more */
    g_clear_error (&error);

  stream_release (self, STATE_CLOSED);
  if (self->funcs != NULL)
    self->funcs->closed (self, error, self->user_data);
}

static const char *
stream_tls_name (const MusterStream *self)
{
  return self->tls_name != NULL ? self->tls_name : self->host;
}

static void
stream_update_events (MusterStream *self)
{
  guint32 events = 0;

  if (self->state == STATE_HANDSHAKING)
    events = muster_stream_tls_wants_out (self->session) ? EPOLLOUT : EPOLLIN;
  else if (self->state == STATE_CLOSING && self->is_bye_said)
    events = EPOLLIN;
  else if (self->is_out_blocked || self->is_in_blocked)
    events = EPOLLOUT;
  if (self->state == STATE_OPEN && !self->is_paused && !self->is_tls_pending)
    events |= EPOLLIN;

  muster_watch_set_events (self->watch, events);
}

static void
stream_arm_deadline (MusterStream *self, guint deadline_ms)
{
  muster_timer_arm_in_ms (&self->deadline, deadline_ms);
}

/* resolving */

static void
stream_enter (MusterStream *self, State state)
{
  self->state = state;
  stream_arm_deadline (self, self->opening->deadlines_ms[state]);
}

static void on_race_over (int fd, MusterTarget *winner, GError *error, gpointer user_data);

static void
stream_start_race (MusterStream *self, GPtrArray *targets)
{
  stream_enter (self, STATE_CONNECTING);
  self->opening->race = muster_race_new (targets, self->host, on_race_over, self);
}

static void
on_targets (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterStream *self = user_data; /* the lookup's own reference */
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) targets = muster_resolver_lookup_finish (result, &error);

  if (self->state == STATE_RESOLVING) {
    if (targets == NULL)
      stream_end (self, g_steal_pointer (&error));
    else
      stream_start_race (self, targets);
  }

  stream_unref (self);
}

/* connecting */

static void
stream_announce (MusterStream *self)
{
  muster_timer_cancel (&self->deadline);
  stream_free_opening (self);
  self->state = STATE_OPEN;
  stream_update_events (self);
  muster_watch_set_ready (self->watch); /* bytes that came with the handshake are in GnuTLS */
  self->funcs->opened (self, self->user_data);
}

static void
stream_begin_tls (MusterStream *self)
{
  self->is_tls_pending = FALSE;
  self->state = STATE_HANDSHAKING;
  stream_arm_deadline (self, self->tls_ms);
  self->ends.name = stream_tls_name (self);
  self->session = muster_stream_tls_new (self->fd, &self->ends,
                                         self->opening != NULL
                                           ? (const char *const *) self->opening->alpn
                                           : NULL);
  stream_handshake (self);
}

static void on_event (MusterWatch *watch, guint32 events, gpointer user_data);

static void
on_race_over (int fd, MusterTarget *winner, GError *error, gpointer user_data)
{
  MusterStream *self = stream_ref (user_data);

  if (fd >= 0) {
    self->fd = fd;
    self->target = muster_target_ref (winner); /* before the race's list goes */
    self->watch = muster_hub_add_fd (fd, EPOLLIN, on_event, self);
  }
  g_clear_pointer (&self->opening->race, muster_race_free);

  if (error != NULL)
    stream_end (self, error);
  else if (self->watch == NULL)
    stream_end (self, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                                        "the connection cannot be watched"));
  else if (self->target->transport == MUSTER_TRANSPORT_TLS)
    stream_begin_tls (self);
  else
    stream_announce (self);

  stream_unref (self);
}

/* handshaking */

static void
stream_handshake (MusterStream *self)
{
  GError *error = NULL;

  switch (muster_stream_tls_handshake (self->session, &error)) {
  case MUSTER_IO_DONE:
    if (muster_stream_tls_verify (self->session, &error))
      stream_announce (self);
    else
      stream_end (self, error);
    return;
  case MUSTER_IO_MORE:
    muster_watch_set_ready (self->watch);
    return;
  case MUSTER_IO_AGAIN:
    stream_update_events (self);
    return;
  case MUSTER_IO_END: /* not of a handshake */
  case MUSTER_IO_FAILED:
    stream_end (self, error);
    return;
  }
}

/* open: out */

static gsize
stream_n_queued (const MusterStream *self)
{
  return self->out != NULL ? self->out->len - self->n_out_sent : 0;
}

static GError *
new_errno_error (int why)
{
  return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM, "the connection broke: %s",
                           g_strerror (why));
}

static MusterIo
stream_send_once (MusterStream *self, gsize *n_sent, GError **error)
{
  const guint8 *data = self->out->data + self->n_out_sent;
  gsize n_bytes = stream_n_queued (self);
  gssize n;

  if (self->session != NULL) {
    MusterIo io = muster_stream_tls_send (self->session, self->is_repeating ? NULL : data,
                                          self->is_repeating ? 0 : n_bytes, n_sent, error);

    self->is_repeating = io == MUSTER_IO_AGAIN || io == MUSTER_IO_MORE;
    return io;
  }

  n = send (self->fd, data, n_bytes, MSG_NOSIGNAL);
  *n_sent = n > 0 ? (gsize) n : 0;
  if (n >= 0)
    return MUSTER_IO_DONE;
  if (errno == EAGAIN || errno == EINTR)
    return MUSTER_IO_AGAIN;

  g_propagate_error (error, new_errno_error (errno));
  return MUSTER_IO_FAILED;
}

static void
stream_drop_sent (MusterStream *self, gsize n_sent)
{
  self->n_out_sent += n_sent;
  if (self->n_out_sent == self->out->len) {
    g_clear_pointer (&self->out, g_byte_array_unref);
    self->n_out_sent = 0;
  } else if (self->n_out_sent > self->out->len / 2 && !self->is_repeating) {
    g_byte_array_remove_range (self->out, 0, (guint) self->n_out_sent);
    self->n_out_sent = 0;
  }
}

/* Sends what is queued. FALSE: the stream has ended. */
static gboolean
stream_flush (MusterStream *self)
{
  gsize n_total = 0;

  self->is_out_blocked = FALSE;
  while (stream_n_queued (self) > 0) {
    GError *error = NULL;
    gsize n_sent = 0;
    MusterIo io = stream_send_once (self, &n_sent, &error);

    if (io == MUSTER_IO_FAILED) {
      stream_end (self, error);
      return FALSE;
    }
    if (io == MUSTER_IO_AGAIN) {
      self->is_out_blocked = TRUE;
      break;
    }
    stream_drop_sent (self, n_sent);
    n_total += n_sent;
    if (io == MUSTER_IO_MORE || n_total >= MAX_WRITE_BYTES) {
      muster_watch_set_ready (self->watch);
      break;
    }
  }

  return TRUE;
}

static void
stream_tell_room (MusterStream *self)
{
  if (self->is_refusing && stream_n_queued (self) <= self->max_out_bytes / 2) {
    self->is_refusing = FALSE;
    if (self->funcs->writable != NULL)
      self->funcs->writable (self, self->user_data);
  }
}

static void
stream_write (MusterStream *self)
{
  if (stream_n_queued (self) == 0 || !stream_flush (self))
    return;

  if (stream_n_queued (self) == 0 && self->funcs->drained != NULL)
    self->funcs->drained (self, self->user_data);
  if (self->state == STATE_OPEN)
    stream_tell_room (self);
}

/* open: in */

static MusterIo
stream_recv_once (MusterStream *self, guint8 *data, gsize *n_received, GError **error)
{
  gssize n;

  if (self->session != NULL)
    return muster_stream_tls_recv (self->session, data, READ_BYTES, n_received, error);

  n = recv (self->fd, data, READ_BYTES, 0);
  *n_received = n > 0 ? (gsize) n : 0;
  if (n > 0)
    return MUSTER_IO_DONE;
  if (n == 0)
    return MUSTER_IO_END;
  if (errno == EAGAIN)
    return MUSTER_IO_AGAIN;
  if (errno == EINTR)
    return MUSTER_IO_MORE;

  g_propagate_error (error, new_errno_error (errno));
  return MUSTER_IO_FAILED;
}

static gboolean
stream_may_read (const MusterStream *self)
{
  return self->state == STATE_OPEN && !self->is_paused && !self->is_tls_pending;
}

static void
stream_read (MusterStream *self)
{
  guint8 data[READ_BYTES];
  gsize n_total = 0;

  self->is_in_blocked = FALSE;
  for (guint n_reads = 0; stream_may_read (self); n_reads++) {
    GError *error = NULL;
    gsize n_received = 0;

    if (n_reads == MAX_READS || n_total >= MAX_READ_BYTES) {
      muster_watch_set_ready (self->watch); /* what GnuTLS holds, epoll does not see */
      return;
    }

    switch (stream_recv_once (self, data, &n_received, &error)) {
    case MUSTER_IO_DONE:
      n_total += n_received;
      if (self->funcs->readable != NULL)
        self->funcs->readable (self, data, n_received, self->user_data);
      break;
    case MUSTER_IO_MORE:
      break;
    case MUSTER_IO_AGAIN:
      self->is_in_blocked = self->session != NULL && muster_stream_tls_wants_out (self->session);
      return;
    case MUSTER_IO_END:
      stream_end (self, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                                          "the service closed the connection"));
      return;
    case MUSTER_IO_FAILED:
      stream_end (self, error);
      return;
    }
  }
}

/* closing */

/* The peer's last bytes are read and dropped: closing with some unread makes the kernel send a
 * reset, which can overtake what we said last. */
static void
stream_wait_for_end (MusterStream *self)
{
  guint8 data[READ_BYTES];

  for (guint n_reads = 0; n_reads < MAX_READS; n_reads++) {
    gssize n = recv (self->fd, data, sizeof data, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (n <= 0) {
      stream_end (self, NULL);
      return;
    }
  }
}

static void
stream_say_bye (MusterStream *self)
{
  if (stream_n_queued (self) > 0) {
    if (!stream_flush (self) || stream_n_queued (self) > 0)
      return;
  }

  if (self->session != NULL && muster_stream_tls_bye (self->session) == MUSTER_IO_AGAIN) {
    self->is_out_blocked = TRUE;
    return;
  }

  self->is_bye_said = TRUE;
  self->is_out_blocked = FALSE;
  if (shutdown (self->fd, SHUT_WR) != 0)
    stream_end (self, NULL);
}

/* dispatch */

static void
on_event (MusterWatch *watch, guint32 events, gpointer user_data)
{
  MusterStream *self = stream_ref (user_data);

  if (self->state == STATE_HANDSHAKING) {
    stream_handshake (self);
  } else if (self->state == STATE_OPEN) {
    stream_write (self);
    if (stream_may_read (self))
      stream_read (self);
    if (self->state == STATE_OPEN && self->is_tls_pending && stream_n_queued (self) == 0)
      stream_begin_tls (self);
  }

  if (self->state == STATE_CLOSING && !self->is_bye_said)
    stream_say_bye (self);
  if (self->state == STATE_CLOSING && self->is_bye_said)
    stream_wait_for_end (self);

  if (self->watch != NULL)
    stream_update_events (self);
  stream_unref (self);
}

static GError *
stream_new_deadline_error (const MusterStream *self)
{
  g_autofree char *addresses = NULL;

  switch (self->state) {
  case STATE_RESOLVING:
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_RESOLVE,
                             "%s could not be looked up in time", self->host);
  case STATE_CONNECTING:
    addresses = muster_race_dup_addresses (self->opening->race);
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT,
                             "%s does not answer at %s", self->host, addresses);
  case STATE_HANDSHAKING:
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_TLS,
                             "%s answers, but says nothing in the TLS handshake",
                             stream_tls_name (self));
  case STATE_OPEN:
    return muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_TLS,
                             "%s does not take what must be sent before TLS can begin",
                             stream_tls_name (self));
  case STATE_NEW:
  case STATE_CLOSING:
  case STATE_ENDED:
  case STATE_CLOSED:
  case N_STATES:
    break;
  }

  return NULL; /* the end that the owner asked for */
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  MusterStream *self = stream_ref (user_data);

  stream_end (self, stream_new_deadline_error (self));
  stream_unref (self);
}

/**
 * muster_stream_new:
 * @funcs: (scope forever): what to call; must outlive the stream, usually constant
 * @user_data: for @funcs
 *
 * Returns: (transfer full): a stream that is not connected yet
 */
MusterStream *
muster_stream_new (const MusterStreamFuncs *funcs, gpointer user_data)
{
  MusterStream *self;

  g_return_val_if_fail (funcs != NULL && funcs->opened != NULL && funcs->closed != NULL, NULL);

  self = g_new0 (MusterStream, 1);
  self->ref_count = 1;
  self->funcs = funcs;
  self->user_data = user_data;
  self->fd = -1;
  self->ends.trust = muster_tls_trust_ref (muster_tls_trust_get_default ());
  self->max_out_bytes = MAX_OUT_BYTES;
  self->tls_ms = TLS_DEADLINE_MS;
  self->close_ms = CLOSE_DEADLINE_MS;
  self->opening = g_new0 (Opening, 1);
  self->opening->deadlines_ms[STATE_RESOLVING] = RESOLVE_DEADLINE_MS;
  self->opening->deadlines_ms[STATE_CONNECTING] = CONNECT_DEADLINE_MS;
  muster_timer_init (&self->deadline, on_deadline, self);

  return self;
}

/**
 * muster_stream_free:
 * @self: (transfer full): a stream in any state, even inside one of its callbacks
 *
 * Drops the connection on the spot, with what is queued, and calls nobody any more. For a goodbye
 * see muster_stream_close().
 */
void
muster_stream_free (MusterStream *self)
{
  g_return_if_fail (self != NULL);

  self->funcs = NULL;
  stream_release (self, STATE_CLOSED);
  stream_unref (self);
}

/**
 * muster_stream_connect:
 * @self: a stream that is not connected yet
 * @service: (nullable): as for muster_resolver_lookup_async()
 * @proto: `tls` to begin with TLS, `tcp` not to; %NULL with %MUSTER_RESOLVER_NAPTR: what DNS says
 * @host: the service's domain or host. Its certificate is checked against this name
 * @port: as for muster_resolver_lookup_async()
 * @flags: as for muster_resolver_lookup_async()
 *
 * Looks the service up and connects to the first of its addresses that answers. Ends in `opened` or
 * `closed`. Each step has 10 s: looking up, connecting, TLS.
 */
void
muster_stream_connect (MusterStream *self,
                       const char *service,
                       const char *proto,
                       const char *host,
                       guint16 port,
                       MusterResolverFlags flags)
{
  g_return_if_fail (self != NULL && host != NULL);
  g_return_if_fail (self->state == STATE_NEW);
  g_return_if_fail (g_strcmp0 (proto, "udp") != 0);

  self->host = g_strdup (host);
  self->opening->cancellable = g_cancellable_new ();
  stream_enter (self, STATE_RESOLVING);
  muster_resolver_lookup_async (service, proto, host, port, flags, self->opening->cancellable,
                                on_targets, stream_ref (self));
}

/**
 * muster_stream_connect_targets:
 * @self: a stream that is not connected yet
 * @targets: (element-type MusterTarget): where to connect, in order; their transports say whether
 *   to begin with TLS, and those for UDP are left out
 * @host: the service's domain or host. Its certificate is checked against this name
 *
 * Like muster_stream_connect() for a service that was looked up already.
 */
void
muster_stream_connect_targets (MusterStream *self, GPtrArray *targets, const char *host)
{
  g_return_if_fail (self != NULL && targets != NULL && targets->len > 0 && host != NULL);
  g_return_if_fail (self->state == STATE_NEW);

  self->host = g_strdup (host);
  stream_start_race (self, targets);
}

/**
 * muster_stream_send:
 * @self: a stream
 * @data: bytes, which are copied
 * @n_bytes: their number, at most what muster_stream_set_max_out_bytes() allows in all
 *
 * Queues bytes; they go out in the next turn of the loop, several calls together.
 *
 * Returns: %FALSE if nothing was queued, because the stream is not open or the queue has no room;
 *   in the second case `writable` is called when half of it is free
 */
gboolean
muster_stream_send (MusterStream *self, const void *data, gsize n_bytes)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (n_bytes <= self->max_out_bytes, FALSE);

  if (self->state != STATE_OPEN || self->is_tls_pending)
    return FALSE;
  if (n_bytes == 0)
    return TRUE;
  if (n_bytes > self->max_out_bytes - MIN (stream_n_queued (self), self->max_out_bytes)) {
    self->is_refusing = TRUE;
    return FALSE;
  }

  if (self->out == NULL)
    self->out = g_byte_array_new ();
  g_byte_array_append (self->out, data, (guint) n_bytes);
  if (!self->is_out_blocked)
    muster_watch_set_ready (self->watch);

  return TRUE;
}

/**
 * muster_stream_get_out_bytes:
 * @self: a stream
 *
 * Returns: how many bytes are queued
 */
gsize
muster_stream_get_out_bytes (const MusterStream *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return stream_n_queued (self);
}

/**
 * muster_stream_set_paused:
 * @self: a stream
 * @is_paused: whether to leave what comes in to the kernel, which will slow the peer down
 *
 * For an owner that cannot take more for now. A paused stream does not notice that its peer is
 * gone unless it sends.
 */
void
muster_stream_set_paused (MusterStream *self, gboolean is_paused)
{
  g_return_if_fail (self != NULL);

  self->is_paused = is_paused != FALSE;
  if (self->state != STATE_OPEN)
    return;

  stream_update_events (self);
  if (!is_paused)
    muster_watch_set_ready (self->watch);
}

/**
 * muster_stream_start_tls:
 * @self: an open stream without TLS
 *
 * Sends what is queued, then begins TLS; ends in `opened` or `closed`. Until then nothing can be
 * sent. What the service sent in the clear behind its consent to TLS may be an attacker's: the
 * owner must drop whatever else `readable` brought with it.
 *
 * Returns: %FALSE if the stream is not open or has TLS already
 */
gboolean
muster_stream_start_tls (MusterStream *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (self->state != STATE_OPEN || self->session != NULL || self->is_tls_pending)
    return FALSE;

  self->is_tls_pending = TRUE;
  stream_arm_deadline (self, self->tls_ms);
  stream_update_events (self);
  muster_watch_set_ready (self->watch);

  return TRUE;
}

/**
 * muster_stream_close:
 * @self: a stream
 *
 * Sends what is queued and a goodbye, waits up to 2 s for the peer's, and ends in `closed` without
 * an error. A stream that is not open yet just ends. Nothing is read any more.
 */
void
muster_stream_close (MusterStream *self)
{
  g_return_if_fail (self != NULL);

  switch (self->state) {
  case STATE_NEW:
  case STATE_RESOLVING:
  case STATE_CONNECTING:
  case STATE_HANDSHAKING:
    stream_release (self, STATE_ENDED);
    stream_arm_deadline (self, 0);
    return;
  case STATE_OPEN:
    self->state = STATE_CLOSING;
    stream_arm_deadline (self, self->close_ms);
    stream_update_events (self);
    muster_watch_set_ready (self->watch);
    return;
  case STATE_CLOSING:
  case STATE_ENDED:
  case STATE_CLOSED:
  case N_STATES:
    return;
  }
}
