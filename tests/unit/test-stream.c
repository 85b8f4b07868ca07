/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-hub-private.h"
#include "muster-resolver-private.h"
#include "muster-stream-private.h"
#include "muster-tls-private.h"
#include "stream-fixture.h"

#include <fcntl.h>
#include <poll.h>

/* The stream against real sockets and virtual time. Servers misbehave on tables. */

#define HOST       "sip.example.org"
#define SECOND_US  ((gint64) G_USEC_PER_SEC)
#define BULK_BYTES (1024 * 1024)

static TlsIdentity *root;
static TlsIdentity *good;      /* for HOST, signed by root */
static TlsIdentity *stranger;  /* for HOST, signed by itself */
static TlsIdentity *elsewhere; /* for another host, signed by root */

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

static void
client_act (Client *self, const char *callback)
{
  if (self->act != NULL)
    self->act (self, callback);
  if (g_strcmp0 (self->free_in, callback) == 0)
    g_clear_pointer (&self->stream, muster_stream_free);
}

static void
on_opened (MusterStream *stream, gpointer user_data)
{
  Client *self = user_data;

  g_assert_true (stream == self->stream && muster_stream_is_open (stream));
  self->n_opened++;
  if (self->greeting != NULL)
    g_assert_true (muster_stream_send (stream, self->greeting, strlen (self->greeting)));
  client_act (self, "opened");
}

static void
on_readable (MusterStream *stream, const guint8 *data, gsize n_bytes, gpointer user_data)
{
  Client *self = user_data;

  g_byte_array_append (self->in, data, (guint) n_bytes);
  client_act (self, "readable");
}

static void
on_writable (MusterStream *stream, gpointer user_data)
{
  Client *self = user_data;

  self->n_writable++;
  client_act (self, "writable");
}

static void
on_drained (MusterStream *stream, gpointer user_data)
{
  Client *self = user_data;

  g_assert_cmpuint (muster_stream_get_out_bytes (stream), ==, 0);
  self->n_drained++;
  client_act (self, "drained");
}

static void
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

static void
client_init (Client *self)
{
  self->in = g_byte_array_new ();
  self->stream = muster_stream_new (&funcs, self);
}

static void
client_clear (Client *self)
{
  g_clear_pointer (&self->stream, muster_stream_free);
  g_byte_array_unref (self->in);
  g_clear_error (&self->error);
}

static GPtrArray *
targets_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) muster_target_unref);
}

static void
targets_add (GPtrArray *targets, guint16 port, MusterTransport transport)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", port);

  g_ptr_array_add (targets, muster_target_new (address, "127.0.0.1", transport, 0));
}

static void
client_connect (Client *self, const Server *server, MusterTransport transport)
{
  g_autoptr (GPtrArray) targets = targets_new ();

  targets_add (targets, server->port, transport);
  muster_stream_connect_targets (self->stream, targets, HOST);
}

static gboolean
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

static gboolean
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

static void
spin_idle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
assert_failed (const Client *client, MusterError code, MusterStep step)
{
  g_assert_cmpuint (client->n_closed, ==, 1);
  g_assert_error (client->error, MUSTER_ERROR, (int) code);
  g_assert_cmpstr (muster_step_to_string (muster_error_get_step (client->error)), ==,
                   muster_step_to_string (step));
}

/* good days */

static void
test_echo (gconstpointer data)
{
  gboolean is_tls = GPOINTER_TO_INT (data);
  Server server = { .part = PART_ECHO, .identity = is_tls ? good : NULL, .alpn = "xmpp-client" };
  Client client = { .greeting = "hello" };
  const char *const alpn[] = { "other", "xmpp-client", NULL };
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocketAddress) remote = NULL;

  server_start (&server);
  client_init (&client);
  muster_stream_set_alpn (client.stream, alpn);
  client_connect (&client, &server, is_tls ? MUSTER_TRANSPORT_TLS : MUSTER_TRANSPORT_TCP);
  spin_until (client.in->len >= 5);
  g_assert_cmpmem (client.in->data, client.in->len, "hello", 5);
  g_assert_cmpuint (client.n_drained, ==, 1);
  g_assert_true (muster_stream_is_tls (client.stream) == is_tls);

  local = muster_stream_dup_local_address (client.stream);
  remote = muster_stream_dup_remote_address (client.stream);
  g_assert_cmpuint (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local)), ==,
                    server.client_port);
  g_assert_cmpuint (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (remote)), ==,
                    server.port);

  if (is_tls) {
    g_autofree char *chosen = muster_stream_dup_alpn (client.stream);
    g_autofree char *description = muster_stream_dup_tls_description (client.stream);
    g_autoptr (MusterCertificate) certificate = muster_stream_dup_certificate (client.stream);
    g_autoptr (GBytes)
      exporter = muster_stream_dup_channel_binding (client.stream, MUSTER_CHANNEL_BINDING_EXPORTER);
    g_autoptr (GBytes)
      end_point = muster_stream_dup_channel_binding (client.stream,
                                                     MUSTER_CHANNEL_BINDING_SERVER_END_POINT);
    g_autofree char *end_point_hex = NULL;
    GString *hex = g_string_new (NULL);

    g_assert_cmpstr (chosen, ==, "xmpp-client");
    g_assert_nonnull (strstr (description, "TLS1.3"));
    g_assert_cmpstr (certificate->names[0], ==, HOST);

    /* RFC 5929 section 4.1: the certificate's hash, here by SHA-256 as it was signed by */
    for (gsize i = 0; i < g_bytes_get_size (end_point); i++)
      g_string_append_printf (hex, "%02x",
                              ((const guint8 *) g_bytes_get_data (end_point, NULL))[i]);
    end_point_hex = g_string_free (hex, FALSE);
    g_assert_cmpstr (end_point_hex, ==, certificate->sha256);

    muster_stream_close (client.stream);
    spin_until (client.n_closed > 0);
    server_join (&server);
    g_assert_true (g_bytes_equal (exporter, server.exporter));
    g_assert_cmpstr (server.sni, ==, HOST);
    g_assert_true (server.is_clean_end);
  }

  client_clear (&client);
  server_clear (&server);
}

/* The queue is small, so that both the refusal and the way back are used many times. */

typedef struct {
  Client client;
  guint8 *bulk;
  gsize n_sent;
  guint n_refused;
} Bulk;

static void
bulk_fill (Bulk *self)
{
  while (self->n_sent < BULK_BYTES) {
    gsize n = MIN (3000, BULK_BYTES - self->n_sent);

    if (!muster_stream_send (self->client.stream, self->bulk + self->n_sent, n)) {
      self->n_refused++;
      return;
    }
    self->n_sent += n;
    g_assert_cmpuint (muster_stream_get_out_bytes (self->client.stream), <=, 64 * 1024);
  }
}

static void
bulk_act (Client *client, const char *callback)
{
  if (strcmp (callback, "opened") == 0 || strcmp (callback, "writable") == 0)
    bulk_fill ((Bulk *) client);
}

static void
test_bulk (gconstpointer data)
{
  gboolean is_tls = GPOINTER_TO_INT (data);
  Server server = { .part = PART_ECHO, .identity = is_tls ? good : NULL };
  Bulk bulk = { .client.act = bulk_act, .bulk = g_malloc (BULK_BYTES) };

  for (gsize i = 0; i < BULK_BYTES; i++)
    bulk.bulk[i] = (guint8) (i * 7 + i / 251);
  server_start (&server);
  client_init (&bulk.client);
  muster_stream_set_max_out_bytes (bulk.client.stream, 64 * 1024);
  client_connect (&bulk.client, &server, is_tls ? MUSTER_TRANSPORT_TLS : MUSTER_TRANSPORT_TCP);
  spin_until (bulk.client.in->len >= BULK_BYTES);

  g_assert_cmpmem (bulk.client.in->data, bulk.client.in->len, bulk.bulk, BULK_BYTES);
  g_assert_cmpuint (bulk.n_refused, >, 4);
  g_assert_cmpuint (bulk.client.n_writable, ==, bulk.n_refused);
  client_clear (&bulk.client);
  server_clear (&server);
  g_free (bulk.bulk);
}

/* A peer that does not read stops us, and nothing else: no loop that spins, no queue that grows. */
static void
test_deaf_peer (gconstpointer data)
{
  gboolean is_tls = GPOINTER_TO_INT (data);
  Server server = { .part = PART_DEAF, .identity = is_tls ? good : NULL };
  Client client = { 0 };
  g_autofree char *block = g_strnfill (64 * 1024, 'x');
  gsize n_sent = 0;
  guint n_turns = 0;

  server_start (&server);
  client_init (&client);
  muster_stream_set_max_out_bytes (client.stream, 64 * 1024);
  client_connect (&client, &server, is_tls ? MUSTER_TRANSPORT_TLS : MUSTER_TRANSPORT_TCP);
  spin_until (client.n_opened > 0);

  for (guint n_refused = 0; n_refused < 50;) {
    if (muster_stream_send (client.stream, block, 64 * 1024))
      n_sent += 64 * 1024;
    else
      n_refused++;
    spin_idle ();
  }
  g_assert_cmpuint (muster_stream_get_out_bytes (client.stream), >, 0);
  g_assert_cmpuint (muster_stream_get_out_bytes (client.stream), <=, 64 * 1024);
  while (g_main_context_iteration (NULL, FALSE)) {
    n_turns++;
    g_assert_cmpuint (n_turns, <, 10);
  }

  /* everything arrives once it listens */
  g_assert_cmpint (eventfd_write (server.go_fd, 1), ==, 0);
  muster_stream_close (client.stream);
  spin_until (client.n_closed > 0);
  g_assert_no_error (client.error);
  server_join (&server);
  g_assert_cmpuint (server.n_app_bytes, ==, n_sent);
  g_assert_true (server.is_clean_end);
  client_clear (&client);
  server_clear (&server);
}

static void
test_one_byte_records (void)
{
  Server server = { .part = PART_DRIP, .identity = good };
  Client client = { 0 };

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.in->len >= DRIP_BYTES);
  for (guint i = 0; i < DRIP_BYTES; i++)
    g_assert_cmpint (client.in->data[i], ==, '0' + (int) (i % 10));
  client_clear (&client);
  server_clear (&server);
}

/* What GnuTLS holds already is read when the owner goes on, without another byte from the peer. */
static void
pause_at_first (Client *self, const char *callback)
{
  if (strcmp (callback, "readable") == 0 && self->in->len == 1)
    muster_stream_set_paused (self->stream, TRUE);
}

static void
test_pause (void)
{
  Server server = { .part = PART_DRIP, .identity = good };
  Client client = { .act = pause_at_first };

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.in->len == 1);
  spin_idle ();
  g_assert_cmpuint (client.in->len, ==, 1);
  muster_stream_set_paused (client.stream, FALSE);
  spin_until (client.in->len >= DRIP_BYTES);
  client_clear (&client);
  server_clear (&server);
}

static void
test_close_sends_first (gconstpointer data)
{
  gboolean is_tls = GPOINTER_TO_INT (data);
  Server server = { .part = PART_DRIP, .identity = is_tls ? good : NULL };
  Client client = { 0 };
  g_autofree char *last = g_strnfill (200000, 'z');

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, is_tls ? MUSTER_TRANSPORT_TLS : MUSTER_TRANSPORT_TCP);
  spin_until (client.n_opened > 0);
  g_assert_true (muster_stream_send (client.stream, last, 200000));
  muster_stream_close (client.stream);
  g_assert_false (muster_stream_send (client.stream, "late", 4));
  g_assert_cmpuint (client.n_closed, ==, 0);
  spin_until (client.n_closed > 0);
  g_assert_no_error (client.error);
  server_join (&server);
  g_assert_cmpuint (server.n_app_bytes, ==, 200000);
  g_assert_true (server.is_clean_end);
  client_clear (&client);
  server_clear (&server);
}

static void
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

static void
test_start_tls (void)
{
  Server server = { .part = PART_START_TLS, .identity = good };
  Client client = { .act = start_tls };

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, MUSTER_TRANSPORT_TCP);
  spin_until (client.in->len >= 7);
  g_assert_cmpmem (client.in->data, client.in->len, "go\nsafe", 7);
  client_clear (&client);
  server_clear (&server);
}

static void
test_resolved_by_name (void)
{
  Server server = { .part = PART_ECHO };
  Client client = { .greeting = "x" };

  server_start (&server);
  client_init (&client);
  muster_stream_connect (client.stream, NULL, "tcp", "127.0.0.1", server.port, 0);
  spin_until (client.in->len == 1);
  g_assert_cmpint (muster_stream_get_target (client.stream)->transport, ==, MUSTER_TRANSPORT_TCP);
  client_clear (&client);
  server_clear (&server);
}

/* servers that misbehave */

typedef struct {
  const char *name;
  Part part;
  gboolean is_tls;
  const char *priority;
  MusterError code;
  MusterStep step;
} FaultCase;

static const FaultCase fault_cases[] = {
  { "hangs-up", PART_HANG_UP, TRUE, NULL, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_TLS },
  { "cuts-hello", PART_CUT_HELLO, TRUE, NULL, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_TLS },
  { "talks-http", PART_TALK_HTTP, TRUE, NULL, MUSTER_ERROR_PROTOCOL, MUSTER_STEP_TLS },
  { "old-tls", PART_ECHO, TRUE, "NORMAL:-VERS-ALL:+VERS-TLS1.1", MUSTER_ERROR_UNSUPPORTED,
    MUSTER_STEP_TLS },
  { "plain-hangs-up", PART_HANG_UP, FALSE, NULL, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM },
  { "ends-after-greeting", PART_SAY_AND_END, TRUE, NULL, MUSTER_ERROR_UNREACHABLE,
    MUSTER_STEP_STREAM },
  { "ends-after-greeting-1.2", PART_SAY_AND_END, TRUE, "NORMAL:-VERS-ALL:+VERS-TLS1.2",
    MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM },
};

static void
test_fault (gconstpointer data)
{
  const FaultCase *c = data;
  Server server = { .part = c->part, .identity = c->is_tls ? good : NULL, .priority = c->priority };
  Client client = { 0 };

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, c->is_tls ? MUSTER_TRANSPORT_TLS : MUSTER_TRANSPORT_TCP);
  spin_until (client.n_closed > 0);
  assert_failed (&client, c->code, c->step);
  g_assert_true ((client.n_opened > 0) == (c->step == MUSTER_STEP_STREAM));
  if (c->part == PART_SAY_AND_END)
    g_assert_cmpmem (client.in->data, client.in->len, GREETING, strlen (GREETING));
  client_clear (&client);
  server_clear (&server);
}

/* A server that is not who it should be never sees a byte of ours. */
static void
test_untrusted (gconstpointer data)
{
  const char *who = data;
  Server server = { .part = PART_COUNT,
                    .identity = g_str_has_prefix (who, "stranger") ? stranger : elsewhere,
                    .priority = g_str_has_suffix (who, "1.2") ? "NORMAL:-VERS-ALL:+VERS-TLS1.2"
                                                              : NULL };
  Client client = { .greeting = "my password" };
  MusterCertificate *certificate;

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.n_closed > 0);
  assert_failed (&client, MUSTER_ERROR_UNTRUSTED, MUSTER_STEP_TLS);
  g_assert_cmpuint (client.n_opened, ==, 0);
  certificate = muster_error_get_certificate (client.error);
  g_assert_nonnull (certificate);
  g_assert_cmpstr (certificate->names[0], ==,
                   server.identity == stranger ? HOST : "other.example.net");

  server_join (&server);
  g_assert_true (server.is_shaken);
  g_assert_cmpuint (server.n_app_bytes, ==, 0);
  g_assert_cmpint (server.alert, ==, GNUTLS_A_BAD_CERTIFICATE);
  client_clear (&client);
  server_clear (&server);
}

static void
test_untrusted_after_start_tls (void)
{
  Server server = { .part = PART_START_TLS, .identity = stranger };
  Client client = { .act = start_tls };

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, MUSTER_TRANSPORT_TCP);
  spin_until (client.n_closed > 0);
  assert_failed (&client, MUSTER_ERROR_UNTRUSTED, MUSTER_STEP_TLS);
  g_assert_cmpuint (client.n_opened, ==, 1);
  server_join (&server);
  g_assert_cmpuint (server.n_app_bytes, ==, 0);
  client_clear (&client);
  server_clear (&server);
}

static void
test_tls_name (void)
{
  Server server = { .part = PART_ECHO, .identity = elsewhere };
  Client client = { .greeting = "x" };

  server_start (&server);
  client_init (&client);
  muster_stream_set_tls_name (client.stream, "other.example.net");
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.in->len == 1);
  client_clear (&client);
  server_join (&server);
  g_assert_cmpstr (server.sni, ==, "other.example.net");
  server_clear (&server);
}

/* silence, step by step */

static void
assert_falls_after_10_s (Client *client, MusterStep step)
{
  muster_clock_advance_us (9900 * 1000);
  spin_idle ();
  g_assert_cmpuint (client->n_closed, ==, 0);
  muster_clock_advance_us (200 * 1000);
  spin_until (client->n_closed > 0);
  assert_failed (client, MUSTER_ERROR_UNREACHABLE, step);
}

static struct {
  GMutex lock;
  GCond cond;
  gboolean is_free;
} gate;

static int
ask_behind_gate (const char *node,
                 const char *service,
                 const struct addrinfo *hints,
                 struct addrinfo **result)
{
  g_mutex_lock (&gate.lock);
  while (!gate.is_free)
    g_cond_wait (&gate.cond, &gate.lock);
  g_mutex_unlock (&gate.lock);

  return EAI_NONAME;
}

static void
gate_set (gboolean is_free)
{
  g_mutex_lock (&gate.lock);
  gate.is_free = is_free;
  g_cond_broadcast (&gate.cond);
  g_mutex_unlock (&gate.lock);
}

static void
test_silent_resolver (void)
{
  Client client = { 0 };

  gate_set (FALSE);
  muster_dns_use_addresses (ask_behind_gate, NULL);
  client_init (&client);
  muster_stream_connect (client.stream, NULL, "tls", "silent.example.org", 5061, 0);
  spin_idle ();
  assert_falls_after_10_s (&client, MUSTER_STEP_RESOLVE);
  client_clear (&client);
  gate_set (TRUE);
  spin_until (muster_resolver_count_cached () > 0);
  muster_resolver_flush ();
  muster_dns_use_addresses (NULL, NULL);
}

/* An address that does not answer: its queue of connections is full. */

typedef struct {
  int listen_fd;
  int guests[4];
  guint16 port;
} BlackHole;

static void
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

static void
black_hole_close (BlackHole *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->guests); i++)
    close (self->guests[i]);
  close (self->listen_fd);
}

static void
test_silent_address (void)
{
  BlackHole hole;
  Server address = { 0 };
  Client client = { 0 };

  black_hole_open (&hole);
  address.port = hole.port;
  client_init (&client);
  client_connect (&client, &address, MUSTER_TRANSPORT_TLS);
  spin_idle ();
  assert_falls_after_10_s (&client, MUSTER_STEP_CONNECT);
  g_assert_nonnull (strstr (client.error->message, "127.0.0.1:"));
  client_clear (&client);
  black_hole_close (&hole);
}

static void
test_silent_tls (void)
{
  Server server = { .part = PART_SILENT };
  Client client = { 0 };

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until_met (&server);
  assert_falls_after_10_s (&client, MUSTER_STEP_TLS);
  client_clear (&client);
  server_clear (&server);
}

static void
test_silent_close (void)
{
  Server server = { .part = PART_DEAF, .identity = good };
  Client client = { 0 };

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, MUSTER_TRANSPORT_TLS);
  spin_until (client.n_opened > 0);
  muster_stream_close (client.stream);
  spin_idle ();
  g_assert_cmpuint (client.n_closed, ==, 0);
  muster_clock_advance_us (2100 * 1000);
  g_assert_cmpuint (client.n_closed, ==, 1);
  g_assert_no_error (client.error);
  g_assert_cmpint (eventfd_write (server.go_fd, 1), ==, 0);
  client_clear (&client);
  server_clear (&server);
}

/* many addresses */

static guint16
closed_port (void)
{
  guint16 port;

  close (listen_on_loopback (1, &port));
  return port;
}

static void
test_race_refused_first (void)
{
  Server server = { .part = PART_ECHO };
  Client client = { .greeting = "x" };
  g_autoptr (GPtrArray) targets = targets_new ();

  server_start (&server);
  client_init (&client);
  targets_add (targets, 5060, MUSTER_TRANSPORT_UDP);
  for (guint i = 0; i < 10; i++)
    targets_add (targets, closed_port (), MUSTER_TRANSPORT_TCP);
  targets_add (targets, server.port, MUSTER_TRANSPORT_TCP);
  muster_stream_connect_targets (client.stream, targets, HOST);
  spin_until (client.in->len == 1); /* at once: the clock stands */
  g_assert_true (muster_stream_get_target (client.stream) == targets->pdata[11]);
  client_clear (&client);
  server_clear (&server);
}

static void
test_race_silent_first (void)
{
  BlackHole hole;
  Server server = { .part = PART_ECHO };
  Client client = { .greeting = "x" };
  g_autoptr (GPtrArray) targets = targets_new ();

  black_hole_open (&hole);
  server_start (&server);
  client_init (&client);
  targets_add (targets, hole.port, MUSTER_TRANSPORT_TCP);
  targets_add (targets, server.port, MUSTER_TRANSPORT_TCP);
  muster_stream_connect_targets (client.stream, targets, HOST);
  spin_idle ();
  muster_clock_advance_us (150 * 1000);
  spin_idle ();
  g_assert_false (g_atomic_int_get (&server.is_met));
  g_assert_cmpuint (client.n_opened, ==, 0);
  muster_clock_advance_us (150 * 1000);
  spin_until (client.in->len == 1);
  g_assert_true (muster_stream_get_target (client.stream) == targets->pdata[1]);
  client_clear (&client);
  server_clear (&server);
  black_hole_close (&hole);
}

/* The seventh waits until one of six has failed, so here for ever. */
static void
test_race_has_six_lanes (void)
{
  BlackHole hole;
  Server server = { .part = PART_ECHO };
  Client client = { 0 };
  g_autoptr (GPtrArray) targets = targets_new ();

  black_hole_open (&hole);
  server_start (&server);
  client_init (&client);
  for (guint i = 0; i < 6; i++)
    targets_add (targets, hole.port, MUSTER_TRANSPORT_TCP);
  targets_add (targets, server.port, MUSTER_TRANSPORT_TCP);
  muster_stream_connect_targets (client.stream, targets, HOST);
  for (guint i = 0; i < 30; i++) {
    spin_idle ();
    muster_clock_advance_us (300 * 1000);
  }
  g_assert_cmpuint (client.n_opened, ==, 0);
  muster_clock_advance_us (2 * SECOND_US);
  assert_failed (&client, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT);
  client_clear (&client);
  server_clear (&server);
  black_hole_close (&hole);
}

static void
test_race_nobody (void)
{
  Client client = { 0 };
  g_autoptr (GPtrArray) targets = targets_new ();

  client_init (&client);
  targets_add (targets, closed_port (), MUSTER_TRANSPORT_TLS);
  targets_add (targets, closed_port (), MUSTER_TRANSPORT_TLS);
  muster_stream_connect_targets (client.stream, targets, HOST);
  g_assert_cmpuint (client.n_closed, ==, 0);
  spin_until (client.n_closed > 0);
  assert_failed (&client, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT);
  g_assert_nonnull (strstr (client.error->message, "any of 2 addresses"));
  g_assert_nonnull (strstr (client.error->message, "refused"));
  client_clear (&client);
}

static void
test_race_only_datagrams (void)
{
  Server address = { .port = 5060 };
  Client client = { 0 };

  client_init (&client);
  client_connect (&client, &address, MUSTER_TRANSPORT_UDP);
  spin_until (client.n_closed > 0);
  assert_failed (&client, MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_CONNECT);
  client_clear (&client);
}

/* the owner leaves at any moment */

static void
fill_queue (Client *self, const char *callback)
{
  g_autofree char *block = g_strnfill (1000, 'x');

  if (strcmp (callback, "opened") != 0)
    return;
  muster_stream_set_max_out_bytes (self->stream, 1000);
  g_assert_true (muster_stream_send (self->stream, block, 1000));
  g_assert_false (muster_stream_send (self->stream, block, 1));
}

typedef struct {
  const char *callback;
  gboolean is_tls;
  Part part;
} FreeCase;

static const FreeCase free_cases[] = {
  { "opened", FALSE, PART_ECHO },    { "opened", TRUE, PART_ECHO },
  { "readable", FALSE, PART_ECHO },  { "readable", TRUE, PART_DRIP },
  { "writable", FALSE, PART_ECHO },  { "writable", TRUE, PART_ECHO },
  { "drained", FALSE, PART_ECHO },   { "drained", TRUE, PART_ECHO },
  { "closed", FALSE, PART_HANG_UP }, { "closed", TRUE, PART_HANG_UP },
};

static void
test_free_in (gconstpointer data)
{
  const FreeCase *c = data;
  Server server = { .part = c->part, .identity = c->is_tls ? good : NULL };
  Client client = { .act = fill_queue, .free_in = c->callback };
  MusterTransport transport = c->is_tls ? MUSTER_TRANSPORT_TLS : MUSTER_TRANSPORT_TCP;

  server_start (&server);
  client_init (&client);
  client_connect (&client, &server, transport);
  spin_until (client.stream == NULL);
  spin_idle ();
  g_assert_cmpuint (client.n_closed, ==, strcmp (c->callback, "closed") == 0);
  g_assert_cmpuint (client.n_opened, <=, 1);
  client_clear (&client);
  server_clear (&server);
  g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
}

/* After so many turns, in whatever state that finds it. */
static void
test_leave_after_turns (void)
{
  for (guint n_turns = 0; n_turns < 12; n_turns++)
    for (guint how = 0; how < 2; how++) {
      Server server = { .part = PART_ECHO, .identity = good };
      Client client = { .greeting = "x" };

      server_start (&server);
      client_init (&client);
      muster_stream_set_tls_name (client.stream, HOST);
      muster_stream_connect (client.stream, NULL, "tls", "127.0.0.1", server.port, 0);
      for (guint i = 0; i < n_turns; i++)
        g_main_context_iteration (NULL, FALSE);
      if (how == 0) {
        muster_stream_close (client.stream);
        g_assert_cmpuint (client.n_closed, ==, 0);
        spin_until (client.n_closed > 0);
        g_assert_no_error (client.error);
      }
      client_clear (&client);
      server_clear (&server);
      spin_idle ();
      g_assert_cmpint (muster_clock_next_due_us (), ==, G_MAXINT64);
    }
}

static void
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

static void
free_identities (void)
{
  muster_tls_use_system (NULL);
  tls_identity_free (root);
  tls_identity_free (good);
  tls_identity_free (stranger);
  tls_identity_free (elsewhere);
}

static void
add_both (const char *path, GTestDataFunc func)
{
  g_autofree char *plain = g_strconcat (path, "/plain", NULL);
  g_autofree char *tls = g_strconcat (path, "/tls", NULL);

  g_test_add_data_func (plain, GINT_TO_POINTER (FALSE), func);
  g_test_add_data_func (tls, GINT_TO_POINTER (TRUE), func);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  muster_clock_use_virtual (SECOND_US, g_get_real_time ());
  make_identities ();

  add_both ("/stream/echo", test_echo);
  add_both ("/stream/bulk", test_bulk);
  add_both ("/stream/deaf-peer", test_deaf_peer);
  add_both ("/stream/close-sends-first", test_close_sends_first);
  g_test_add_func ("/stream/one-byte-records", test_one_byte_records);
  g_test_add_func ("/stream/pause", test_pause);
  g_test_add_func ("/stream/start-tls", test_start_tls);
  g_test_add_func ("/stream/resolved-by-name", test_resolved_by_name);
  g_test_add_func ("/stream/tls-name", test_tls_name);
  for (guint i = 0; i < G_N_ELEMENTS (fault_cases); i++) {
    g_autofree char *path = g_strdup_printf ("/stream/fault/%s", fault_cases[i].name);

    g_test_add_data_func (path, &fault_cases[i], test_fault);
  }
  g_test_add_data_func ("/stream/untrusted/stranger", "stranger", test_untrusted);
  g_test_add_data_func ("/stream/untrusted/stranger-1.2", "stranger-1.2", test_untrusted);
  g_test_add_data_func ("/stream/untrusted/elsewhere", "elsewhere", test_untrusted);
  g_test_add_func ("/stream/untrusted/after-start-tls", test_untrusted_after_start_tls);
  g_test_add_func ("/stream/silent/resolver", test_silent_resolver);
  g_test_add_func ("/stream/silent/address", test_silent_address);
  g_test_add_func ("/stream/silent/tls", test_silent_tls);
  g_test_add_func ("/stream/silent/close", test_silent_close);
  g_test_add_func ("/stream/race/refused-first", test_race_refused_first);
  g_test_add_func ("/stream/race/silent-first", test_race_silent_first);
  g_test_add_func ("/stream/race/six-lanes", test_race_has_six_lanes);
  g_test_add_func ("/stream/race/nobody", test_race_nobody);
  g_test_add_func ("/stream/race/only-datagrams", test_race_only_datagrams);
  for (guint i = 0; i < G_N_ELEMENTS (free_cases); i++) {
    g_autofree char *path = g_strdup_printf ("/stream/free-in/%s/%s", free_cases[i].callback,
                                             free_cases[i].is_tls ? "tls" : "plain");

    g_test_add_data_func (path, &free_cases[i], test_free_in);
  }
  g_test_add_func ("/stream/leave-after-turns", test_leave_after_turns);

  result = g_test_run ();
  free_identities ();
  return result;
}
