/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "dns-peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * One thread waits for datagrams and connections, answers one question at a time, and builds every
 * answer byte by byte, so that it can build wrong ones.
 */

#define TYPE_SRV      33
#define TYPE_NAPTR    35
#define HEADER_BYTES  12
#define FLAG_TC       0x0200
#define FLAGS_ANSWER  0x8180 /* a response, with recursion wanted and available */
#define RCODE_SERVER  2
#define RCODE_NO_NAME 3
#define N_MANY        200

typedef struct {
  char *name;
  guint16 type;
  guint32 ttl_s;
  GByteArray *rdata;
} Record;

struct _DnsPeer {
  int udp_fd;
  int tcp_fd;
  int stop_fd;
  guint16 port;
  GThread *thread;
  GMutex lock; /* of all below */
  GPtrArray *records;
  GHashTable *faults; /* name -> DnsFault */
  GHashTable *counts; /* name -> guint */
  guint n_asked;
};

/* building */

static void
put16 (GByteArray *bytes, guint16 value)
{
  guint16 wire = htons (value);

  g_byte_array_append (bytes, (guint8 *) &wire, sizeof wire);
}

static void
put_string (GByteArray *bytes, const char *text)
{
  guint8 length = (guint8) strlen (text);

  g_byte_array_append (bytes, &length, 1);
  g_byte_array_append (bytes, (const guint8 *) text, length);
}

static void
put_name (GByteArray *bytes, const char *name)
{
  g_auto (GStrv) labels = g_strsplit (name, ".", -1);

  for (guint i = 0; labels[i] != NULL; i++)
    if (*labels[i] != '\0')
      put_string (bytes, labels[i]);
  g_byte_array_append (bytes, (const guint8 *) "", 1);
}

static void
put_record (GByteArray *bytes, const Record *record, DnsFault fault)
{
  guint16 length = (guint16) record->rdata->len;

  put16 (bytes, 0xc000 | HEADER_BYTES); /* the question's name */
  put16 (bytes, record->type);
  put16 (bytes, 1);
  put16 (bytes, (guint16) (record->ttl_s >> 16));
  put16 (bytes, (guint16) record->ttl_s);

  if (fault == DNS_FAULT_SHORT_RDATA) {
    put16 (bytes, 5);
    g_byte_array_append (bytes, record->rdata->data, 5);
  } else if (fault == DNS_FAULT_LOOP) {
    put16 (bytes, 8);
    g_byte_array_append (bytes, record->rdata->data, 6);
    put16 (bytes, (guint16) (0xc000 | bytes->len));
  } else {
    put16 (bytes, length);
    g_byte_array_append (bytes, record->rdata->data, length);
  }
}

/* The name of the question in lower case, and where the question ends; NULL for nonsense. */
static char *
parse_question (const guint8 *query, gsize n_bytes, gsize *end, guint16 *type)
{
  g_autoptr (GString) name = g_string_new (NULL);
  gsize at = HEADER_BYTES;

  while (at < n_bytes && query[at] != 0) {
    guint8 length = query[at];

    if (length > 63 || at + 1 + length >= n_bytes)
      return NULL;
    g_string_append_printf (name, "%s%.*s", name->len > 0 ? "." : "", (int) length,
                            (const char *) query + at + 1);
    at += 1u + length;
  }
  if (at + 5 > n_bytes)
    return NULL;

  *type = (guint16) (query[at + 1] << 8 | query[at + 2]);
  *end = at + 5;
  return g_ascii_strdown (name->str, -1);
}

static GByteArray *
peer_build (DnsPeer *self,
            const guint8 *query,
            gsize question_end,
            const char *name,
            guint16 type,
            DnsFault fault,
            gboolean is_tcp)
{
  GByteArray *answer = g_byte_array_new ();
  gboolean is_truncated = (fault == DNS_FAULT_TRUNCATED || fault == DNS_FAULT_MANY) && !is_tcp;
  guint16 flags = FLAGS_ANSWER;
  guint16 n_answers = 0;
  gboolean is_known = FALSE;

  g_byte_array_append (answer, query, (guint) question_end);
  for (guint i = 0; i < self->records->len; i++) {
    const Record *record = self->records->pdata[i];

    if (strcmp (record->name, name) != 0)
      continue;
    is_known = TRUE;
    if (record->type != type || is_truncated)
      continue;
    for (guint n = 0; n < (fault == DNS_FAULT_MANY ? N_MANY : 1); n++, n_answers++)
      put_record (answer, record, fault);
  }

  if (is_truncated)
    flags |= FLAG_TC;
  if (fault == DNS_FAULT_SERVFAIL)
    flags |= RCODE_SERVER;
  else if (!is_known)
    flags |= RCODE_NO_NAME;

  answer->data[2] = (guint8) (flags >> 8);
  answer->data[3] = (guint8) flags;
  memset (answer->data + 4, 0, HEADER_BYTES - 4);
  answer->data[5] = 1;
  answer->data[6] = (guint8) (n_answers >> 8);
  answer->data[7] = (guint8) n_answers;

  if (fault == DNS_FAULT_CUT)
    g_byte_array_set_size (answer, answer->len - 3);
  if (fault == DNS_FAULT_JUNK) {
    g_byte_array_set_size (answer, 40);
    memset (answer->data + HEADER_BYTES, 0xff, 40 - HEADER_BYTES);
    memset (answer->data + 4, 0xff, HEADER_BYTES - 4);
  }

  return answer;
}

/* serving */

static GByteArray *
peer_answer (DnsPeer *self, const guint8 *query, gsize n_bytes, gboolean is_tcp)
{
  gsize end = 0;
  guint16 type = 0;
  g_autofree char *name = n_bytes > HEADER_BYTES ? parse_question (query, n_bytes, &end, &type)
                                                 : NULL;
  GByteArray *answer = NULL;
  DnsFault fault;

  if (name == NULL)
    return NULL;

  g_mutex_lock (&self->lock);
  self->n_asked++;
  g_hash_table_replace (self->counts, g_strdup (name),
                        GUINT_TO_POINTER (
                          GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, name)) + 1));
  fault = (DnsFault) GPOINTER_TO_INT (g_hash_table_lookup (self->faults, name));
  if (fault != DNS_FAULT_SILENT)
    answer = peer_build (self, query, end, name, type, fault, is_tcp);
  g_mutex_unlock (&self->lock);

  return answer;
}

static void
peer_serve_datagram (DnsPeer *self)
{
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  guint8 query[512];
  gssize n = recvfrom (self->udp_fd, query, sizeof query, 0, (struct sockaddr *) &from, &size);
  g_autoptr (GByteArray) answer = n > 0 ? peer_answer (self, query, (gsize) n, FALSE) : NULL;

  if (answer != NULL)
    g_assert_cmpint (sendto (self->udp_fd, answer->data, answer->len, 0, (struct sockaddr *) &from,
                             size),
                     ==, answer->len);
}

static void
peer_serve_connection (DnsPeer *self)
{
  struct timeval patience = { .tv_sec = 2 };
  int fd = accept (self->tcp_fd, NULL, NULL);
  guint8 query[512];
  guint16 length = 0;

  if (fd < 0)
    return;

  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (recv (fd, &length, 2, MSG_WAITALL) == 2 && ntohs (length) <= sizeof query &&
      recv (fd, query, ntohs (length), MSG_WAITALL) == ntohs (length)) {
    g_autoptr (GByteArray) answer = peer_answer (self, query, ntohs (length), TRUE);

    if (answer != NULL) {
      length = htons ((guint16) answer->len);
      g_byte_array_prepend (answer, (guint8 *) &length, 2);
      (void) !send (fd, answer->data, answer->len, MSG_NOSIGNAL);
    }
  }
  close (fd);
}

static gpointer
peer_thread (gpointer data)
{
  DnsPeer *self = data;
  struct pollfd fds[] = { { self->udp_fd, POLLIN, 0 },
                          { self->tcp_fd, POLLIN, 0 },
                          { self->stop_fd, POLLIN, 0 } };

  while (poll (fds, G_N_ELEMENTS (fds), -1) >= 0 && fds[2].revents == 0) {
    if (fds[0].revents != 0)
      peer_serve_datagram (self);
    if (fds[1].revents != 0)
      peer_serve_connection (self);
  }

  return NULL;
}

/* the test's side */

static void
record_free (Record *record)
{
  g_free (record->name);
  g_byte_array_unref (record->rdata);
  g_free (record);
}

DnsPeer *
dns_peer_new (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  DnsPeer *self = g_new0 (DnsPeer, 1);

  g_mutex_init (&self->lock);
  self->records = g_ptr_array_new_with_free_func ((GDestroyNotify) record_free);
  self->faults = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  self->stop_fd = eventfd (0, EFD_CLOEXEC);
  self->tcp_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  self->udp_fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (self->tcp_fd, (struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (listen (self->tcp_fd, 16), ==, 0);
  g_assert_cmpint (getsockname (self->tcp_fd, (struct sockaddr *) &address, &size), ==, 0);
  g_assert_cmpint (bind (self->udp_fd, (struct sockaddr *) &address, size), ==, 0);
  self->port = ntohs (address.sin_port);
  self->thread = g_thread_new ("dns-peer", peer_thread, self);

  return self;
}

void
dns_peer_free (DnsPeer *self)
{
  g_assert_cmpint (eventfd_write (self->stop_fd, 1), ==, 0);
  g_thread_join (self->thread);
  close (self->udp_fd);
  close (self->tcp_fd);
  close (self->stop_fd);
  g_ptr_array_unref (self->records);
  g_hash_table_unref (self->faults);
  g_hash_table_unref (self->counts);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint16
dns_peer_get_port (DnsPeer *self)
{
  return self->port;
}

static void
peer_add (DnsPeer *self, const char *name, guint16 type, guint ttl_s, GByteArray *take_rdata)
{
  Record *record = g_new0 (Record, 1);

  record->name = g_strdup (name);
  record->type = type;
  record->ttl_s = ttl_s;
  record->rdata = take_rdata;
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->records, record);
  g_mutex_unlock (&self->lock);
}

void
dns_peer_add_srv (DnsPeer *self,
                  const char *name,
                  guint ttl_s,
                  guint16 priority,
                  guint16 weight,
                  guint16 port,
                  const char *target)
{
  GByteArray *rdata = g_byte_array_new ();

  put16 (rdata, priority);
  put16 (rdata, weight);
  put16 (rdata, port);
  put_name (rdata, target);
  peer_add (self, name, TYPE_SRV, ttl_s, rdata);
}

void
dns_peer_add_naptr (DnsPeer *self,
                    const char *name,
                    guint16 order,
                    guint16 preference,
                    const char *flags,
                    const char *service,
                    const char *replacement)
{
  GByteArray *rdata = g_byte_array_new ();

  put16 (rdata, order);
  put16 (rdata, preference);
  put_string (rdata, flags);
  put_string (rdata, service);
  put_string (rdata, "");
  put_name (rdata, replacement);
  peer_add (self, name, TYPE_NAPTR, 60, rdata);
}

void
dns_peer_set_fault (DnsPeer *self, const char *name, DnsFault fault)
{
  g_mutex_lock (&self->lock);
  g_hash_table_replace (self->faults, g_strdup (name), GINT_TO_POINTER ((int) fault));
  g_mutex_unlock (&self->lock);
}

guint
dns_peer_count (DnsPeer *self, const char *name)
{
  guint count;

  g_mutex_lock (&self->lock);
  count = name == NULL ? self->n_asked
                       : GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, name));
  g_mutex_unlock (&self->lock);

  return count;
}
