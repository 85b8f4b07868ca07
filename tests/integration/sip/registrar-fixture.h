/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A registrar over TCP or TLS that grants all or has no time. */

#pragma once

#include "stream-server.h"
#include "tls-fixture.h"

/* A thread that serves one connection after the other. */

typedef struct {
  int fd;
  guint16 port;
  TlsIdentity *identity; /* NULL: plain */
  GThread *thread;
  gint is_busy;    /* atomic: says 503 */
  gint is_ended;   /* atomic */
  gint n_requests; /* atomic */
} Registrar;

typedef struct {
  int fd;
  gnutls_session_t session; /* NULL: plain */
} Wire;

static inline gssize
wire_recv (Wire *wire, char *bytes, gsize n_bytes)
{
  return wire->session != NULL ? gnutls_record_recv (wire->session, bytes, n_bytes)
                               : recv (wire->fd, bytes, n_bytes, 0);
}

static inline void
wire_send (Wire *wire, const char *text)
{
  if (wire->session != NULL)
    gnutls_record_send (wire->session, text, strlen (text));
  else
    send (wire->fd, text, strlen (text), MSG_NOSIGNAL);
}

static inline gboolean
shake_hands (Registrar *self, Wire *wire, gnutls_certificate_credentials_t credentials)
{
  int result;

  gnutls_certificate_set_x509_key (credentials, &self->identity->crt, 1, self->identity->key);
  gnutls_init (&wire->session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
  gnutls_set_default_priority (wire->session);
  gnutls_credentials_set (wire->session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int (wire->session, wire->fd);
  do
    result = gnutls_handshake (wire->session);
  while (result < 0 && !gnutls_error_is_fatal (result));
  return result == 0;
}

static inline void
answer_all (Registrar *self, Wire *wire)
{
  g_autoptr (GString) in = g_string_new (NULL);
  char bytes[4096];
  gssize n;

  while ((n = wire_recv (wire, bytes, sizeof bytes)) > 0) {
    char *end;

    g_string_append_len (in, bytes, n);
    while ((end = strstr (in->str, "\r\n\r\n")) != NULL) {
      gsize length = (gsize) (end - in->str) + 4;
      g_autofree char *request = g_strndup (in->str, length);
      g_autofree char *answer = NULL;

      g_string_erase (in, 0, (gssize) length);
      if (!g_str_has_prefix (request, "REGISTER"))
        continue;
      answer = g_atomic_int_get (&self->is_busy) ? answer_to (request, "503 Full", "")
                                                 : grant_of (request, 600);
      g_atomic_int_inc (&self->n_requests);
      wire_send (wire, answer);
    }
  }
}

static inline gpointer
registrar_thread (gpointer data)
{
  Registrar *self = data;

  while (!g_atomic_int_get (&self->is_ended)) {
    gnutls_certificate_credentials_t credentials;
    Wire wire = { .fd = accept (self->fd, NULL, NULL) };

    if (wire.fd < 0)
      break;
    gnutls_certificate_allocate_credentials (&credentials);
    if (self->identity == NULL || shake_hands (self, &wire, credentials))
      answer_all (self, &wire);
    if (wire.session != NULL)
      gnutls_deinit (wire.session);
    gnutls_certificate_free_credentials (credentials);
    close (wire.fd);
  }
  return NULL;
}

static inline Registrar *
registrar_new (const char *literal, guint16 port, TlsIdentity *identity)
{
  Registrar *self = g_new0 (Registrar, 1);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  socklen_t size = sizeof address;
  int one = 1;

  g_assert_cmpint (inet_pton (AF_INET, literal, &address.sin_addr), ==, 1);
  self->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt (self->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  g_assert_cmpint (bind (self->fd, (struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (listen (self->fd, 16), ==, 0);
  g_assert_cmpint (getsockname (self->fd, (struct sockaddr *) &address, &size), ==, 0);
  self->port = ntohs (address.sin_port);
  self->identity = identity;
  self->thread = g_thread_new ("registrar", registrar_thread, self);
  return self;
}

/* Nobody may be connected to it any more. */
static inline void
registrar_free (Registrar *self)
{
  g_atomic_int_set (&self->is_ended, TRUE);
  shutdown (self->fd, SHUT_RDWR); /* wakes accept () */
  g_thread_join (self->thread);
  close (self->fd);
  g_clear_pointer (&self->identity, tls_identity_free);
  g_free (self);
}
