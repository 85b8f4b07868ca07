/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "BenchRegistrar"

#include "bench-streams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * bench-registrar N EXPIRES PASSWORD [ADDRESS [CERTIFICATE KEY]]: answers REGISTER fast, and counts. Over
 * UDP, or over TLS with a certificate. Prints its port; on SIGUSR1 a line of JSON with what it has
 * counted so far, and on SIGTERM one with the whole story.
 *
 *    no Authorization -> 401 with the one nonce; a right answer to it -> 200 with EXPIRES; else 403
 *    SUBSCRIBE -> 489; any other request but ACK -> 405
 *
 * It looks only at what it needs, and believes that its only peers are the clients of this benchmark.
 * An attempt is a REGISTER that does not answer a 401 and asks for a binding; a user's nth 200 counts for
 * cycle n. A user has moved once a 200 goes to another address than its first one did.
 * Times are bins of 100 ms since the first REGISTER.
 */

#define NONCE       "5f3c9a7be2104d68"
#define REALM       "bench.test"
#define BIN_US      100000
#define MAX_BINS    6000
#define N_CYCLES    3
#define DATAGRAM    65536
#define BUFFER      (16 << 20)
#define MAX_HEADERS 64
#define LOOK_MS     50 /* after which a signal is seen at the latest */

typedef struct {
  gboolean challenged;
  guint n_granted;
  guint32 first_source;
  gboolean has_moved;
} User;

typedef struct {
  const char *name;
  gsize name_length;
  const char *value;
  gsize value_length;
} Header;

typedef struct {
  Header headers[MAX_HEADERS];
  guint n_headers;
} Message;

static volatile sig_atomic_t ending;
static volatile sig_atomic_t asked;

static guint n_users;
static User *users;
static const char *password;
static const char *expires;

static gint64 first_us;
static guint32 arrivals[MAX_BINS];
static guint32 attempts[MAX_BINS];
static guint32 cycles[N_CYCLES][MAX_BINS];
static guint n_registers;
static guint n_granted;
static guint n_rechallenged; /* 401 to whom had a binding: its refresh took two round trips */
static guint n_others;       /* requests that are no REGISTER */
static guint n_refused;
static guint n_unbound;
static guint n_moved;

/* reading */

static void
message_read (Message *self, char *text)
{
  char *line = strstr (text, "\r\n");

  self->n_headers = 0;
  while (line != NULL && self->n_headers < MAX_HEADERS) {
    char *begin = line + 2;
    char *end = strstr (begin, "\r\n");
    char *colon;
    Header *header = &self->headers[self->n_headers];

    if (end == NULL || end == begin)
      return;
    colon = memchr (begin, ':', (gsize) (end - begin));
    if (colon != NULL) {
      header->name = begin;
      header->name_length = (gsize) (colon - begin);
      for (colon++; *colon == ' '; colon++)
        ;
      header->value = colon;
      header->value_length = (gsize) (end - colon);
      self->n_headers++;
    }
    line = end;
  }
}

static const Header *
message_find (const Message *self, const char *name)
{
  gsize length = strlen (name);

  for (guint i = 0; i < self->n_headers; i++) {
    const Header *header = &self->headers[i];

    if (header->name_length == length && g_ascii_strncasecmp (header->name, name, length) == 0)
      return header;
  }

  return NULL;
}

/* The value of a parameter, without quotes; "" if there is none. */
static void
header_get_param (const Header *self, const char *name, char *value, gsize size)
{
  g_autofree char *sought = g_strconcat (name, "=", NULL);
  const char *end = self->value + self->value_length;
  const char *at = self->value;
  gsize length = strlen (sought);

  *value = '\0';
  while ((at = memmem (at, (gsize) (end - at), sought, length)) != NULL) {
    if (at[-1] == ' ' || at[-1] == ',') {
      const char *begin = at + length;
      gboolean quoted = *begin == '"';
      gsize n;

      begin += quoted;
      for (n = 0; begin + n < end && begin[n] != (quoted ? '"' : ','); n++)
        ;
      g_strlcpy (value, begin, MIN (n + 1, size));
      return;
    }
    at += length;
  }
}

static User *
find_user (const Message *message)
{
  const Header *to = message_find (message, "To");
  const char *at = to != NULL ? memmem (to->value, to->value_length, "sip:u", 5) : NULL;
  gulong number = at != NULL ? strtoul (at + 5, NULL, 10) : n_users;

  return number < n_users ? &users[number] : NULL;
}

static void
md5 (char *hex, const char *text)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_MD5, text, -1);

  g_strlcpy (hex, sum, 33);
}

static gboolean
is_right (const Header *authorization, guint number)
{
  char uri[128], cnonce[128], count[16], response[40];
  char text[512], ha1[33], ha2[33], expected[33];

  header_get_param (authorization, "uri", uri, sizeof uri);
  header_get_param (authorization, "cnonce", cnonce, sizeof cnonce);
  header_get_param (authorization, "nc", count, sizeof count);
  header_get_param (authorization, "response", response, sizeof response);

  g_snprintf (text, sizeof text, "u%u:" REALM ":%s", number, password);
  md5 (ha1, text);
  g_snprintf (text, sizeof text, "REGISTER:%s", uri);
  md5 (ha2, text);
  g_snprintf (text, sizeof text, "%s:" NONCE ":%s:%s:auth:%s", ha1, count, cnonce, ha2);
  md5 (expected, text);

  return g_str_equal (expected, response);
}

/* answering */

static void
append_header (GString *answer, const Header *header, const char *more)
{
  if (header != NULL)
    g_string_append_printf (answer, "%.*s: %.*s%s\r\n", (int) header->name_length, header->name,
                            (int) header->value_length, header->value, more);
}

static void
begin_answer (GString *answer, const Message *message, const char *status)
{
  g_string_printf (answer, "SIP/2.0 %s\r\n", status);
  append_header (answer, message_find (message, "Via"), "");
  append_header (answer, message_find (message, "From"), "");
  append_header (answer, message_find (message, "To"), ";tag=bench");
  append_header (answer, message_find (message, "Call-ID"), "");
  append_header (answer, message_find (message, "CSeq"), "");
}

static guint
current_bin (void)
{
  gint64 now_us = g_get_monotonic_time ();

  if (first_us == 0)
    first_us = now_us;

  return (guint) MIN ((now_us - first_us) / BIN_US, MAX_BINS - 1);
}

static void
user_grant (User *self, guint32 source)
{
  n_granted++;
  if (self->n_granted++ == 0)
    self->first_source = source;
  if (self->first_source != source && !self->has_moved) {
    self->has_moved = TRUE;
    n_moved++;
  }
}

static void
answer_register (GString *answer, const Message *message, guint32 source)
{
  const Header *authorization = message_find (message, "Authorization");
  const Header *contact = message_find (message, "Contact");
  User *user = find_user (message);
  guint bin = current_bin ();
  gboolean leaving;

  n_registers++;
  if (user == NULL) {
    n_refused++;
    begin_answer (answer, message, "404 Not Found");
    g_string_append (answer, "Content-Length: 0\r\n\r\n");
    return;
  }

  leaving = contact != NULL &&
            memmem (contact->value, contact->value_length, "expires=0", 9) != NULL;
  arrivals[bin]++;
  attempts[bin] += !user->challenged && !leaving;
  if (authorization == NULL) {
    user->challenged = TRUE;
    n_rechallenged += user->n_granted > 0;
    begin_answer (answer, message, "401 Unauthorized");
    g_string_append (answer, "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"" NONCE
                             "\", algorithm=MD5, qop=\"auth\"\r\n");
  } else if (!is_right (authorization, (guint) (user - users))) {
    n_refused++;
    begin_answer (answer, message, "403 Forbidden");
  } else if (leaving) {
    user->challenged = FALSE;
    n_unbound += user->n_granted > 0;
    user->n_granted = 0;
    begin_answer (answer, message, "200 OK");
  } else {
    user->challenged = FALSE;
    if (user->n_granted < N_CYCLES)
      cycles[user->n_granted][bin]++;
    user_grant (user, source);
    begin_answer (answer, message, "200 OK");
    if (contact != NULL)
      g_string_append_printf (answer, "Contact: %.*s;expires=%s\r\n", (int) contact->value_length,
                              contact->value, expires);
  }
  g_string_append (answer, "Content-Length: 0\r\n\r\n");
}

/* What is not a request gets no answer. */
static void
answer_message (GString *answer, char *text, guint32 source)
{
  gboolean is_subscribe = g_str_has_prefix (text, "SUBSCRIBE ");
  Message message;

  g_string_truncate (answer, 0);
  if (g_str_has_prefix (text, "SIP/2.0 ") || g_str_has_prefix (text, "ACK ") ||
      strstr (text, "\r\n\r\n") == NULL)
    return;

  message_read (&message, text);
  if (g_str_has_prefix (text, "REGISTER ")) {
    answer_register (answer, &message, source);
    return;
  }
  n_others++;
  begin_answer (answer, &message, is_subscribe ? "489 Bad Event" : "405 Method Not Allowed");
  g_string_append (answer, "Content-Length: 0\r\n\r\n");
}

/* telling */

static void
print_counts (void)
{
  printf ("{\"registers\": %u, \"granted\": %u, \"rechallenged\": %u, \"others\": %u, "
          "\"refused\": %u, \"moved\": %u, \"connections\": %u}\n",
          n_registers, n_granted, n_rechallenged, n_others, n_refused, n_moved,
          bench_streams_count ());
  fflush (stdout);
}

static void
print_bins (const char *name, const guint32 *bins, guint n_bins)
{
  printf ("\"%s\": [", name);
  for (guint i = 0; i < n_bins; i++)
    printf ("%s%u", i > 0 ? "," : "", bins[i]);
  printf ("], ");
}

static void
print_story (void)
{
  guint n_bins = MAX_BINS;

  while (n_bins > 0 && arrivals[n_bins - 1] == 0)
    n_bins--;

  printf ("{");
  print_bins ("arrivals", arrivals, n_bins);
  print_bins ("attempts", attempts, n_bins);
  for (guint i = 0; i < N_CYCLES; i++) {
    g_autofree char *name = g_strdup_printf ("cycle%u", i);

    print_bins (name, cycles[i], n_bins);
  }
  printf ("\"refused\": %u, \"unbound\": %u, \"others\": %u}\n", n_refused, n_unbound, n_others);
  fflush (stdout);
}

static void
on_signal (int number)
{
  if (number == SIGUSR1)
    asked = 1;
  else
    ending = 1;
}

/* After each message, and after a while without. FALSE: it is over. */
static gboolean
go_on (void)
{
  if (asked) {
    asked = 0;
    print_counts ();
  }

  return !ending;
}

static int
open_socket (int type, const char *host)
{
  const struct timeval look = { .tv_usec = LOOK_MS * 1000 };
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int size = BUFFER;
  int fd = socket (AF_INET, type | SOCK_CLOEXEC, 0);

  if (fd < 0 || inet_pton (AF_INET, host, &address.sin_addr) != 1 ||
      bind (fd, (struct sockaddr *) &address, length) < 0 ||
      (type == SOCK_STREAM && listen (fd, SOMAXCONN) < 0))
    g_error ("no socket: %s", g_strerror (errno));
  /* More than the limit for others; as root it is had, and else what there is must do. */
  if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
    setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look);
  getsockname (fd, (struct sockaddr *) &address, &length);
  printf ("%u\n", ntohs (address.sin_port));
  fflush (stdout);

  return fd;
}

static void
serve_datagrams (int fd)
{
  g_autoptr (GString) answer = g_string_new (NULL);
  g_autofree char *text = g_malloc (DATAGRAM + 1);

  while (go_on ()) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    ssize_t n = recvfrom (fd, text, DATAGRAM, 0, (struct sockaddr *) &peer, &length);

    if (n <= 0)
      continue;
    text[n] = '\0';
    answer_message (answer, text, peer.sin_addr.s_addr);
    if (answer->len > 0)
      sendto (fd, answer->str, answer->len, 0, (struct sockaddr *) &peer, length);
  }
}

int
main (int argc, char **argv)
{
  const struct sigaction act = { .sa_handler = on_signal }; /* without SA_RESTART */
  gboolean has_streams = argc == 7;
  int fd;

  if (argc != 4 && argc != 5 && argc != 7) {
    fprintf (stderr, "Usage: bench-registrar N EXPIRES PASSWORD [ADDRESS [CERTIFICATE KEY]]\n");
    return 2;
  }
  n_users = (guint) strtoul (argv[1], NULL, 10);
  expires = argv[2];
  password = argv[3];
  users = g_new0 (User, n_users);
  sigaction (SIGTERM, &act, NULL);
  sigaction (SIGUSR1, &act, NULL);
  fd = open_socket (has_streams ? SOCK_STREAM : SOCK_DGRAM, argc > 4 ? argv[4] : "127.0.0.1");

  if (has_streams)
    bench_streams_serve (fd, argv[5], argv[6], answer_message, go_on);
  else
    serve_datagrams (fd);

  print_story ();
  close (fd);
  g_free (users);
  return 0;
}
