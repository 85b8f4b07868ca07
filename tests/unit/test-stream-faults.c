/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "stream-client-fixture.h"

/* Servers that misbehave, on a table; that are not who they should be; that say nothing, step by step. */

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

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  muster_clock_use_virtual (SECOND_US, g_get_real_time ());
  make_identities ();

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

  result = g_test_run ();
  free_identities ();
  return result;
}
