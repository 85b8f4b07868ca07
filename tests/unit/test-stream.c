/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "stream-client-fixture.h"

/* The stream against real sockets and virtual time, with servers that do as they should; and an owner who
 * leaves at any moment. */

#define BULK_BYTES (1024 * 1024)

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
