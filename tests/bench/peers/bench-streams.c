/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "BenchStreams"

#include "bench-streams.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The registrar's connections over TLS. Its peers are believed to take their answers, so an answer is
 * sent at once and whole.
 */

#define LOOK_MS     50
#define MAX_EVENTS  64
#define MAX_MESSAGE 16384

typedef struct {
  int fd;
  guint32 source;
  gboolean is_open; /* hands were shaken */
  gnutls_session_t session;
  GString *received;
} Connection;

static gnutls_certificate_credentials_t credentials;
static BenchAnswer answer_func;
static int epoll_fd;
static guint n_open;

static void
connection_free (Connection *self)
{
  if (self->is_open)
    n_open--;
  gnutls_deinit (self->session);
  close (self->fd);
  g_string_free (self->received, TRUE);
  g_free (self);
}

static void
accept_one (int listen_fd)
{
  struct sockaddr_in peer;
  socklen_t length = sizeof peer;
  int fd = accept4 (listen_fd, (struct sockaddr *) &peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  Connection *self;
  struct epoll_event event = { .events = EPOLLIN };

  if (fd < 0)
    return;

  self = g_new0 (Connection, 1);
  self->fd = fd;
  self->source = peer.sin_addr.s_addr;
  self->received = g_string_new (NULL);
  gnutls_init (&self->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
  gnutls_set_default_priority (self->session);
  gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int (self->session, fd); /* a macro that evaluates its argument twice */
  event.data.ptr = self;
  epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* How long the message at the beginning is; 0: it is not whole. */
static gsize
find_message_length (const char *text)
{
  const char *body = strstr (text, "\r\n\r\n");
  const char *line = text;
  gsize n_body = 0;

  if (body == NULL)
    return 0;
  for (; line != NULL && line < body; line = strstr (line, "\r\n")) {
    line += *line == '\r' ? 2 : 0;
    if (g_ascii_strncasecmp (line, "Content-Length:", 15) == 0)
      n_body = (gsize) g_ascii_strtoull (line + 15, NULL, 10);
  }
  body += 4;

  return strlen (body) >= n_body ? (gsize) (body - text) + n_body : 0;
}

static gboolean
connection_send (Connection *self, const char *data, gsize n_bytes)
{
  return gnutls_record_send (self->session, data, n_bytes) == (ssize_t) n_bytes;
}

static gboolean
connection_answer (Connection *self)
{
  g_autoptr (GString) answer = g_string_new (NULL);

  for (;;) {
    g_autofree char *message = NULL;
    gsize length;

    if (g_str_has_prefix (self->received->str, "\r\n\r\n")) { /* a ping */
      g_string_erase (self->received, 0, 4);
      if (!connection_send (self, "\r\n", 2))
        return FALSE;
      continue;
    }
    length = find_message_length (self->received->str);
    if (length == 0)
      return self->received->len <= MAX_MESSAGE;
    message = g_strndup (self->received->str, length);
    g_string_erase (self->received, 0, (gssize) length);
    answer_func (answer, message, self->source);
    if (answer->len > 0 && !connection_send (self, answer->str, answer->len))
      return FALSE;
  }
}

/* FALSE: it is over. */
static gboolean
connection_go_on (Connection *self)
{
  char data[4096];
  ssize_t n;

  if (!self->is_open) {
    int code = gnutls_handshake (self->session);

    if (code < 0)
      return !gnutls_error_is_fatal (code);
    self->is_open = TRUE;
    n_open++;
  }
  while ((n = gnutls_record_recv (self->session, data, sizeof data)) > 0) {
    g_string_append_len (self->received, data, n);
    if (!connection_answer (self))
      return FALSE;
  }

  return n < 0 && !gnutls_error_is_fatal ((int) n);
}

void
bench_streams_serve (int fd,
                     const char *certificate,
                     const char *key,
                     BenchAnswer answer,
                     BenchGoOn go_on)
{
  struct epoll_event event = { .events = EPOLLIN };
  struct rlimit files;

  if (getrlimit (RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit (RLIMIT_NOFILE, &files);
  }
  gnutls_certificate_allocate_credentials (&credentials);
  if (gnutls_certificate_set_x509_key_file (credentials, certificate, key, GNUTLS_X509_FMT_PEM) < 0)
    g_error ("no certificate");
  answer_func = answer;
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event); /* without data: the one that listens */

  while (go_on ()) {
    struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait (epoll_fd, events, MAX_EVENTS, LOOK_MS);

    for (int i = 0; i < n; i++) {
      Connection *connection = events[i].data.ptr;

      if (connection == NULL)
        accept_one (fd);
      else if (!connection_go_on (connection))
        connection_free (connection);
    }
  }
}

guint
bench_streams_count (void)
{
  return n_open;
}
