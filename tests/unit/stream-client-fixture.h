/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A client of the stream that notes what it is told, and whom it trusts. */

#pragma once

#include "muster-hub-private.h"
#include "muster-resolver-private.h"
#include "muster-stream-private.h"
#include "muster-tls-private.h"
#include "stream-fixture.h"

#define HOST      "sip.example.org"
#define SECOND_US ((gint64) G_USEC_PER_SEC)

static TlsIdentity *root;
static TlsIdentity *good;      /* for HOST, signed by root */
static TlsIdentity *stranger;  /* for HOST, signed by itself */
static TlsIdentity *elsewhere; /* for another host, signed by root */

static inline void
make_identities (void)
{
  g_autofree char *pem = NULL;

  root = tls_identity_new (&(TlsWish){ .cn = "Root", .is_ca = TRUE }, NULL);
  good = tls_identity_new (&(TlsWish){ .dns = HOST }, root);
  stranger = tls_identity_new (&(TlsWish){ .dns = HOST }, NULL);
  elsewhere = tls_identity_new (&(TlsWish){ .dns = "other.example.net" }, root);
  pem = tls_identity_dup_pem (root);
  muster_tls_use_system (pem);
}

static inline void
free_identities (void)
{
  muster_tls_use_system (NULL);
  tls_identity_free (root);
  tls_identity_free (good);
  tls_identity_free (stranger);
  tls_identity_free (elsewhere);
}

/* a client that notes what it is told */

typedef struct Client Client;
struct Client {
  MusterStream *stream;
  GByteArray *in;
  guint n_opened;
  guint n_writable;
  guint n_drained;
  guint n_closed;
  GError *error;
  const char *free_in;  /* the callback in which it frees the stream */
  const char *greeting; /* sent when opened */
  void (*act) (Client *self, const char *callback);
};

static inline void
client_act (Client *self, const char *callback)
{
  if (self->act != NULL)
    self->act (self, callback);
  if (g_strcmp0 (self->free_in, callback) == 0)
    g_clear_pointer (&self->stream, muster_stream_free);
}

static inline void
on_opened (MusterStream *stream, gpointer user_data)
{
  Client *self = user_data;

  g_assert_true (stream == self->stream && muster_stream_is_open (stream));
  self->n_opened++;
  if (self->greeting != NULL)
    g_assert_true (muster_stream_send (stream, self->greeting, strlen (self->greeting)));
  client_act (self, "opened");
}

static inline void
on_readable (MusterStream *stream, const guint8 *data, gsize n_bytes, gpointer user_data)
{
  Client *self = user_data;

  g_byte_array_append (self->in, data, (guint) n_bytes);
  client_act (self, "readable");
}

static inline void
on_writable (MusterStream *stream, gpointer user_data)
{
  Client *self = user_data;

  self->n_writable++;
  client_act (self, "writable");
}

static inline void
on_drained (MusterStream *stream, gpointer user_data)
{
  Client *self = user_data;

  g_assert_cmpuint (muster_stream_get_out_bytes (stream), ==, 0);
  self->n_drained++;
  client_act (self, "drained");
}

static inline void
on_closed (MusterStream *stream, const GError *error, gpointer user_data)
{
  Client *self = user_data;

  self->n_closed++;
  self->error = error != NULL ? g_error_copy (error) : NULL;
  client_act (self, "closed");
}

static const MusterStreamFuncs funcs = {
  .opened = on_opened,
  .readable = on_readable,
  .writable = on_writable,
  .drained = on_drained,
  .closed = on_closed,
};

static inline void
client_init (Client *self)
{
  self->in = g_byte_array_new ();
  self->stream = muster_stream_new (&funcs, self);
}

static inline void
client_clear (Client *self)
{
  g_clear_pointer (&self->stream, muster_stream_free);
  g_byte_array_unref (self->in);
  g_clear_error (&self->error);
}

static inline GPtrArray *
targets_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) muster_target_unref);
}

static inline void
targets_add (GPtrArray *targets, guint16 port, MusterTransport transport)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", port);

  g_ptr_array_add (targets, muster_target_new (address, "127.0.0.1", transport, 0));
}

static inline void
client_connect (Client *self, const Server *server, MusterTransport transport)
{
  g_autoptr (GPtrArray) targets = targets_new ();

  targets_add (targets, server->port, transport);
  muster_stream_connect_targets (self->stream, targets, HOST);
}

static inline gboolean
on_stuck (gpointer user_data)
{
  g_error ("stuck: %s", (const char *) user_data);
  return G_SOURCE_REMOVE;
}

/* Turns the loop until it holds; real time only guards against a test that would wait for ever. */
#define spin_until(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint guard_ = g_timeout_add_seconds (20, on_stuck, (gpointer) #condition);                    \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (guard_);                                                                      \
  }                                                                                                \
  G_STMT_END

static inline gboolean
on_poll (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* For what another thread does, which wakes nobody here. */
#define spin_until_met(server)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint poll_ = g_timeout_add (1, on_poll, NULL);                                                \
    spin_until (g_atomic_int_get (&(server)->is_met));                                             \
    g_source_remove (poll_);                                                                       \
  }                                                                                                \
  G_STMT_END

static inline void
spin_idle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static inline void
assert_failed (const Client *client, MusterError code, MusterStep step)
{
  g_assert_cmpuint (client->n_closed, ==, 1);
  g_assert_error (client->error, MUSTER_ERROR, (int) code);
  g_assert_cmpstr (muster_step_to_string (muster_error_get_step (client->error)), ==,
                   muster_step_to_string (step));
}

/* what it does and whom it meets */

static inline void
start_tls (Client *self, const char *callback)
{
  if (strcmp (callback, "readable") == 0 && self->n_opened == 1) {
    g_assert_cmpmem (self->in->data, self->in->len, "go\n", 3);
    g_assert_true (muster_stream_send (self->stream, "STARTTLS\n", 9));
    g_assert_true (muster_stream_start_tls (self->stream));
    g_assert_false (muster_stream_start_tls (self->stream));
    g_assert_false (muster_stream_is_open (self->stream));
    g_assert_false (muster_stream_send (self->stream, "too early", 9));
  } else if (strcmp (callback, "opened") == 0 && self->n_opened == 2) {
    g_assert_true (muster_stream_is_tls (self->stream));
    g_assert_true (muster_stream_send (self->stream, "safe", 4));
  }
}

/* An address that does not answer: its queue of connections is full. */

typedef struct {
  int listen_fd;
  int guests[4];
  guint16 port;
} BlackHole;

static inline void
black_hole_open (BlackHole *self)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };

  self->listen_fd = listen_on_loopback (0, &self->port);
  address.sin_port = htons (self->port);
  for (guint i = 0; i < G_N_ELEMENTS (self->guests); i++) {
    self->guests[i] = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connect (self->guests[i], (struct sockaddr *) &address, sizeof address);
  }
}

static inline void
black_hole_close (BlackHole *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->guests); i++)
    close (self->guests[i]);
  close (self->listen_fd);
}
