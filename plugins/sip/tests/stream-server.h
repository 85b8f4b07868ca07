/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A server of streams on loopback and on the hub of the test itself, which says what the test tells it to:
 * no threads, so each test decides what happens between any two turns of the loop. */

#pragma once

#include <muster/muster-hub.h>

#include <gio/gio.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct _Server Server;

/* one connection */
typedef struct {
  Server *server;
  int fd;
  MusterWatch *watch; /* NULL: the client has ended it */
  GString *in;        /* what came and was not taken yet */
} Line;

struct _Server {
  int fd;
  guint16 port;
  MusterWatch *watch;
  GPtrArray *lines;
  gboolean is_granting; /* answers each REGISTER at once, with 600 s */
  guint n_granted;
};

static inline void
line_say (Line *line, const char *text)
{
  gsize n = strlen (text);

  while (n > 0) {
    gssize n_sent = send (line->fd, text, n, MSG_NOSIGNAL);

    g_assert_cmpint (n_sent, >, 0);
    text += n_sent;
    n -= (gsize) n_sent;
  }
}

static inline void
line_hang_up (Line *line)
{
  g_clear_pointer (&line->watch, muster_watch_remove);
  if (line->fd >= 0)
    close (line->fd);
  line->fd = -1;
}

/* (transfer full) (nullable): the first whole message without a body */
static inline char *
line_take (Line *line)
{
  const char *end = strstr (line->in->str, "\r\n\r\n");
  char *message;

  if (end == NULL)
    return NULL;
  message = g_strndup (line->in->str, (gsize) (end - line->in->str) + 4);
  g_string_erase (line->in, 0, (gssize) strlen (message));
  return message;
}

/* (transfer full): the value of a header; "" if there is none */
static inline char *
header_of (const char *message, const char *name)
{
  g_autofree char *start = g_strconcat ("\r\n", name, ": ", NULL);
  const char *value = strstr (message, start);

  if (value == NULL)
    return g_strdup ("");
  value += strlen (start);
  return g_strndup (value, strcspn (value, "\r"));
}

/* (transfer full): the answer to @request, with @headers, each with its line end */
static inline char *
answer_to (const char *request, const char *status, const char *headers)
{
  g_autofree char *via = header_of (request, "Via");
  g_autofree char *from = header_of (request, "From");
  g_autofree char *to = header_of (request, "To");
  g_autofree char *call_id = header_of (request, "Call-ID");
  g_autofree char *cseq = header_of (request, "CSeq");

  return g_strdup_printf ("SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=server\r\n"
                          "Call-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
                          status, via, from, to, call_id, cseq, headers);
}

/* (transfer full): yes, for @lease_s */
static inline char *
grant_of (const char *request, guint lease_s)
{
  g_autofree char *contact = header_of (request, "Contact");
  g_autofree char *header = NULL;

  contact[strcspn (contact, ">")] = '\0';
  header = g_strdup_printf ("Contact: %s>;expires=%u\r\n", contact, lease_s);
  return answer_to (request, "200 OK", header);
}

static inline void
line_grant_all (Line *line)
{
  g_autoptr (GString) out = g_string_new (NULL);
  char *request;

  while ((request = line_take (line)) != NULL) {
    g_autofree char *answer = grant_of (request, 600);

    g_string_append (out, answer);
    line->server->n_granted++;
    g_free (request);
  }
  line_say (line, out->str);
}

static inline void
on_line (MusterWatch *watch, guint32 events, gpointer user_data)
{
  Line *line = user_data;
  char bytes[16384];
  gssize n = recv (line->fd, bytes, sizeof bytes, MSG_DONTWAIT);

  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0) {
    g_clear_pointer (&line->watch, muster_watch_remove);
    return;
  }
  g_string_append_len (line->in, bytes, n);
  if (line->server->is_granting)
    line_grant_all (line);
}

static inline void
on_client (MusterWatch *watch, guint32 events, gpointer user_data)
{
  Server *server = user_data;
  Line *line = g_new0 (Line, 1);

  line->server = server;
  line->fd = accept (server->fd, NULL, NULL);
  g_assert_cmpint (line->fd, >=, 0);
  line->in = g_string_new (NULL);
  line->watch = muster_hub_add_fd (line->fd, EPOLLIN, on_line, line);
  g_ptr_array_add (server->lines, line);
}

static inline void
line_free (gpointer data)
{
  Line *line = data;

  line_hang_up (line);
  g_string_free (line->in, TRUE);
  g_free (line);
}

/* @port 0: any */
static inline Server *
server_new_at (const char *literal, guint16 port)
{
  Server *server = g_new0 (Server, 1);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  socklen_t size = sizeof address;
  int one = 1;

  g_assert_cmpint (inet_pton (AF_INET, literal, &address.sin_addr), ==, 1);
  server->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt (server->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  g_assert_cmpint (bind (server->fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (server->fd, 16), ==, 0);
  g_assert_cmpint (getsockname (server->fd, (struct sockaddr *) &address, &size), ==, 0);
  server->port = ntohs (address.sin_port);
  server->lines = g_ptr_array_new_with_free_func (line_free);
  server->watch = muster_hub_add_fd (server->fd, EPOLLIN, on_client, server);
  return server;
}

static inline Server *
server_new (void)
{
  return server_new_at ("127.0.0.1", 0);
}

static inline void
server_free (Server *server)
{
  muster_watch_remove (server->watch);
  close (server->fd);
  g_ptr_array_unref (server->lines);
  g_free (server);
}

/* the loop */

static inline void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

/* meson's timeout is the watchdog */
#define wait_until(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
  }                                                                                                \
  G_STMT_END

static inline Line *
wait_for_line (Server *server, guint index)
{
  wait_until (server->lines->len > index);
  return server->lines->pdata[index];
}

/* (transfer full) */
static inline char *
wait_for_request (Line *line)
{
  wait_until (strstr (line->in->str, "\r\n\r\n") != NULL);
  return line_take (line);
}
