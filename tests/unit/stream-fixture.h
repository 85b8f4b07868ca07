/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A server for one connection, which plays one part in a thread of its own. */

#pragma once

#include "tls-fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum {
  PART_ECHO,        /* sends back what comes in */
  PART_COUNT,       /* reads until the end */
  PART_DRIP,        /* sends DRIP_BYTES records of one byte, then reads until the end */
  PART_SILENT,      /* reads what comes in as plain bytes, says nothing */
  PART_DEAF,        /* does not even read until it is let go */
  PART_HANG_UP,     /* closes at once */
  PART_CUT_HELLO,   /* closes when the client has said something */
  PART_TALK_HTTP,   /* answers the client's hello in another protocol */
  PART_START_TLS,   /* one line in the clear, then as PART_ECHO */
  PART_SAY_AND_END, /* sends a greeting and a TLS goodbye */
} Part;

#define DRIP_BYTES 2000
#define GREETING   "greetings"

typedef struct {
  Part part;
  const TlsIdentity *identity; /* NULL: plain */
  const TlsIdentity
    *asks_for;          /* who must have signed the client's certificate; NULL: it needs none */
  const char *priority; /* NULL: the usual */
  const char *alpn;
  int listen_fd;
  int go_fd; /* PART_DEAF */
  guint16 port;
  GThread *thread;
  /* what it saw; all but the atomic to be read after server_join () */
  int is_met; /* atomic: the client has connected and, for PART_SILENT, said something */
  gboolean is_shaken;
  gboolean is_clean_end; /* the client said goodbye */
  int alert;
  guint16 client_port;
  gsize n_app_bytes;
  GByteArray *app_bytes;
  GBytes *exporter;
  char *sni;
  guint n_client_certificates;
} Server;

/* in its thread */

typedef struct {
  int fd;
  gnutls_session_t session;
} Line;

static inline gssize
line_recv (Line *line, void *data, gsize n)
{
  return line->session != NULL ? gnutls_record_recv (line->session, data, n)
                               : recv (line->fd, data, n, 0);
}

static inline void
line_send (Line *line, const void *data, gsize n)
{
  while (n > 0) {
    gssize sent = line->session != NULL ? gnutls_record_send (line->session, data, n)
                                        : send (line->fd, data, n, MSG_NOSIGNAL);

    if (sent <= 0)
      return;
    data = (const char *) data + sent;
    n -= (gsize) sent;
  }
}

static inline gboolean
server_shake_hands (Server *self, Line *line, gnutls_certificate_credentials_t credentials)
{
  gnutls_datum_t binding = { 0 };
  char sni[256];
  gsize sni_size = sizeof sni;
  unsigned type;
  int result;

  gnutls_init (&line->session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
  if (self->priority != NULL)
    g_assert_cmpint (gnutls_priority_set_direct (line->session, self->priority, NULL), ==, 0);
  else
    gnutls_set_default_priority (line->session);
  if (self->alpn != NULL) {
    gnutls_datum_t protocol = { (void *) self->alpn, (unsigned) strlen (self->alpn) };

    gnutls_alpn_set_protocols (line->session, &protocol, 1, 0);
  }
  gnutls_certificate_set_x509_key (credentials, (gnutls_x509_crt_t *) &self->identity->crt, 1,
                                   self->identity->key);
  if (self->asks_for != NULL) {
    gnutls_certificate_set_x509_trust (credentials, (gnutls_x509_crt_t *) &self->asks_for->crt, 1);
    gnutls_certificate_server_set_request (line->session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_cert (line->session, NULL, 0);
  }
  gnutls_credentials_set (line->session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int (line->session, line->fd);

  do
    result = gnutls_handshake (line->session);
  while (result < 0 && !gnutls_error_is_fatal (result));
  gnutls_certificate_get_peers (line->session, &self->n_client_certificates);
  if (result < 0) {
    gnutls_alert_send_appropriate (line->session, result);
    return FALSE;
  }

  if (gnutls_server_name_get (line->session, sni, &sni_size, &type, 0) == 0)
    self->sni = g_strndup (sni, sni_size);
  if (gnutls_session_channel_binding (line->session, GNUTLS_CB_TLS_EXPORTER, &binding) == 0) {
    self->exporter = g_bytes_new (binding.data, binding.size);
    gnutls_free (binding.data);
  }
  self->is_shaken = TRUE;
  return TRUE;
}

static inline void
server_read_to_end (Server *self, Line *line, gboolean echo)
{
  char data[8192];
  gssize n;

  while ((n = line_recv (line, data, sizeof data)) > 0) {
    self->n_app_bytes += (gsize) n;
    g_byte_array_append (self->app_bytes, (guint8 *) data, (guint) n);
    if (echo)
      line_send (line, data, (gsize) n);
  }
  self->is_clean_end = n == 0;
  if (n == GNUTLS_E_FATAL_ALERT_RECEIVED)
    self->alert = (int) gnutls_alert_get (line->session);
}

static inline void
server_play (Server *self, Line *line)
{
  char data[4096];
  guint64 go;

  switch (self->part) {
  case PART_START_TLS: /* its TLS has begun */
  case PART_ECHO:
    server_read_to_end (self, line, TRUE);
    break;
  case PART_COUNT:
    server_read_to_end (self, line, FALSE);
    break;
  case PART_DRIP:
    for (guint i = 0; i < DRIP_BYTES; i++)
      line_send (line, &"0123456789"[i % 10], 1);
    server_read_to_end (self, line, FALSE);
    break;
  case PART_SILENT:
    while (recv (line->fd, data, sizeof data, 0) > 0)
      g_atomic_int_set (&self->is_met, TRUE);
    break;
  case PART_DEAF:
    g_assert_cmpint (read (self->go_fd, &go, sizeof go), ==, sizeof go);
    server_read_to_end (self, line, FALSE);
    break;
  case PART_HANG_UP:
    break;
  case PART_CUT_HELLO:
    g_assert_cmpint (recv (line->fd, data, sizeof data, 0), >, 0);
    break;
  case PART_TALK_HTTP:
    g_assert_cmpint (recv (line->fd, data, sizeof data, 0), >, 0);
    line_send (line, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    while (recv (line->fd, data, sizeof data, 0) > 0)
      continue;
    break;
  case PART_SAY_AND_END:
    line_send (line, GREETING, strlen (GREETING));
    if (line->session != NULL)
      gnutls_bye (line->session, GNUTLS_SHUT_WR);
    shutdown (line->fd, SHUT_WR);
    server_read_to_end (self, line, FALSE);
    break;
  }
}

/* Whether this part begins with a handshake. */
static inline gboolean
server_wants_tls (const Server *self)
{
  return self->identity != NULL && self->part != PART_SILENT && self->part != PART_HANG_UP &&
         self->part != PART_CUT_HELLO && self->part != PART_TALK_HTTP;
}

static inline gpointer
server_thread (gpointer data)
{
  Server *self = data;
  gnutls_certificate_credentials_t credentials;
  struct sockaddr_in peer;
  socklen_t size = sizeof peer;
  Line line = { .fd = accept (self->listen_fd, (struct sockaddr *) &peer, &size) };

  if (line.fd < 0) /* shut down without a guest */
    return NULL;

  self->client_port = ntohs (peer.sin_port);
  if (self->part != PART_SILENT)
    g_atomic_int_set (&self->is_met, TRUE);
  gnutls_certificate_allocate_credentials (&credentials);
  if (self->part == PART_START_TLS) {
    char text[64];

    line_send (&line, "go\n", 3);
    g_assert_cmpint (recv (line.fd, text, 9, MSG_WAITALL), ==, 9);
  }
  if (!server_wants_tls (self) || server_shake_hands (self, &line, credentials))
    server_play (self, &line);

  if (line.session != NULL)
    gnutls_deinit (line.session);
  gnutls_certificate_free_credentials (credentials);
  close (line.fd);
  return NULL;
}

/* in the test */

static inline int
listen_on_loopback (int backlog, guint16 *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (listen (fd, backlog), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  *port = ntohs (address.sin_port);

  return fd;
}

static inline void
server_start (Server *self)
{
  self->app_bytes = g_byte_array_new ();
  self->go_fd = eventfd (0, EFD_CLOEXEC);
  self->listen_fd = listen_on_loopback (8, &self->port);
  self->thread = g_thread_new ("server", server_thread, self);
}

/* Waits until it has played its part. */
static inline void
server_join (Server *self)
{
  if (self->thread == NULL)
    return;

  shutdown (self->listen_fd, SHUT_RDWR); /* wakes accept () */
  g_thread_join (g_steal_pointer (&self->thread));
}

static inline void
server_clear (Server *self)
{
  server_join (self);
  close (self->listen_fd);
  close (self->go_fd);
  g_byte_array_unref (self->app_bytes);
  g_clear_pointer (&self->exporter, g_bytes_unref);
  g_free (self->sni);
}
