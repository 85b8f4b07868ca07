/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "dns-peer.h"
#include "muster-resolver-private.h"
#include "muster-tls-private.h"
#include "plugin-fixture.h"
#include "registrar-fixture.h"

/* A service that is offered over more than one transport, and an account that leaves the choice to it. */

#define DOMAIN "example.test"
#define TLS    "tls.hosts.test"
#define TCP    "tcp.hosts.test"
#define UDP    "udp.hosts.test"

static int
oracle_ask (const char *node,
            const char *service,
            const struct addrinfo *hints,
            struct addrinfo **result)
{
  const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST, .ai_socktype = hints->ai_socktype };

  return g_str_has_suffix (node, ".hosts.test") ? getaddrinfo ("127.0.0.1", NULL, &numeric, result)
                                                : EAI_NONAME;
}

typedef struct {
  World world; /* first: its peer is the registrar over UDP */
  DnsPeer *dns;
  Registrar *tls;
  Registrar *tcp;
  TlsIdentity *root;
} Service;

/* @data: NULL, or whom the certificate is for instead of the domain */
static void
service_set_up (Service *service, gconstpointer data)
{
  World *world = &service->world;
  const char *name = data != NULL ? data : DOMAIN;
  g_autofree char *pem = NULL;

  world_set_up (world, NULL);
  world->may_be_lost = TRUE;
  g_hash_table_remove (world->params, "server");
  set_string (world, "transport", "auto");

  service->root = tls_identity_new (&(TlsWish){ .cn = "Root", .is_ca = TRUE }, NULL);
  pem = tls_identity_dup_pem (service->root);
  muster_tls_use_system (pem);
  service->tls = registrar_new ("127.0.0.1", 0,
                                tls_identity_new (&(TlsWish){ .dns = name }, service->root));
  service->tcp = registrar_new ("127.0.0.1", 0, NULL);

  service->dns = dns_peer_new ();
  muster_dns_use_server (dns_peer_get_port (service->dns));
  muster_resolver_flush ();
  dns_peer_add_srv (service->dns, "_sip._udp." DOMAIN, 60, 10, 0, sip_peer_get_port (world->peer),
                    UDP);
  dns_peer_add_srv (service->dns, "_sip._tcp." DOMAIN, 60, 10, 0, service->tcp->port, TCP);
  dns_peer_add_srv (service->dns, "_sips._tcp." DOMAIN, 60, 10, 0, service->tls->port, TLS);
}

static void
service_tear_down (Service *service, gconstpointer data)
{
  world_tear_down (&service->world, NULL);
  registrar_free (service->tls);
  registrar_free (service->tcp);
  dns_peer_free (service->dns);
  muster_dns_use_server (0);
  muster_tls_use_system (NULL);
  g_clear_pointer (&service->root, tls_identity_free);
}

static void
set_busy (Service *service, gboolean tls, gboolean tcp, gboolean udp)
{
  g_atomic_int_set (&service->tls->is_busy, tls);
  g_atomic_int_set (&service->tcp->is_busy, tcp);
  sip_peer_set_scenario (service->world.peer, udp ? "busy" : "ok");
}

static void
open_well (Service *service)
{
  open_and_wait (&service->world);
  g_assert_no_error (service->world.error);
}

#define assert_asked(service, n_tls, n_tcp, n_udp)                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpint (g_atomic_int_get (&(service)->tls->n_requests), ==, n_tls);                   \
    g_assert_cmpint (g_atomic_int_get (&(service)->tcp->n_requests), ==, n_tcp);                   \
    g_assert_cmpuint (sip_peer_count_requests ((service)->world.peer), ==, n_udp);                 \
  }                                                                                                \
  G_STMT_END

/* Without NAPTR records TLS comes first; a refresh asks nobody for the way. */
static void
test_srv (Service *service, gconstpointer data)
{
  guint n_questions;

  open_well (service);
  assert_asked (service, 1, 0, 0);
  n_questions = dns_peer_count (service->dns, NULL);
  muster_resolver_flush ();
  open_well (service);
  g_assert_true (service->world.lease->refreshed);
  assert_asked (service, 2, 0, 0);
  g_assert_cmpuint (dns_peer_count (service->dns, NULL), ==, n_questions);

  close_and_wait (&service->world);
  g_assert_no_error (service->world.error);
  assert_asked (service, 3, 0, 0);
}

/* The service would rather have UDP. */
static void
test_naptr (Service *service, gconstpointer data)
{
  dns_peer_add_naptr (service->dns, DOMAIN, 20, 10, "s", "SIPS+D2T", "_sips._tcp." DOMAIN);
  dns_peer_add_naptr (service->dns, DOMAIN, 10, 20, "s", "SIP+D2T", "_sip._tcp." DOMAIN);
  dns_peer_add_naptr (service->dns, DOMAIN, 10, 10, "s", "SIP+D2U", "_sip._udp." DOMAIN);
  open_well (service);
  assert_asked (service, 0, 0, 2);
  open_well (service);
  g_assert_true (service->world.lease->refreshed);
  assert_asked (service, 0, 0, 3);

  set_busy (service, FALSE, TRUE, TRUE);
  open_well (service);
  assert_asked (service, 1, 1, 4);
}

/* A port that somebody gave leaves nothing to choose. */
static void
test_port (Service *service, gconstpointer data)
{
  g_autofree char *server = g_strdup_printf (TCP ":%u", sip_peer_get_port (service->world.peer));

  set_string (&service->world, "server", server);
  open_well (service);
  assert_asked (service, 0, 0, 2);
  g_assert_cmpuint (dns_peer_count (service->dns, NULL), ==, 0);
}

/* Each transport in turn, and whoever took the registration keeps it, though others are free again. */
static void
test_next_transport (Service *service, gconstpointer data)
{
  set_busy (service, TRUE, FALSE, FALSE);
  open_well (service);
  assert_asked (service, 1, 1, 0);
  set_busy (service, FALSE, FALSE, FALSE);
  open_well (service);
  g_assert_true (service->world.lease->refreshed);
  assert_asked (service, 1, 2, 0);

  set_busy (service, TRUE, TRUE, FALSE);
  open_well (service);
  assert_asked (service, 2, 3, 2); /* and a challenge */
  set_busy (service, FALSE, FALSE, FALSE);
  open_well (service);
  g_assert_true (service->world.lease->refreshed);
  assert_asked (service, 2, 3, 3);

  set_busy (service, FALSE, FALSE, TRUE);
  open_well (service);
  assert_asked (service, 3, 3, 4);
}

static void
test_nobody_there (Service *service, gconstpointer data)
{
  guint16 port = service->tls->port;

  registrar_free (service->tls);
  open_well (service);
  g_assert_cmpint (g_atomic_int_get (&service->tcp->n_requests), ==, 1);
  close_and_wait (&service->world);
  service->tls = registrar_new ("127.0.0.1", port, NULL);
}

/* Each is asked once, and what a server said is told; the connection on which it is registered stays, and is asked
 * first the next time, without a look at names. */
static void
test_all_busy (Service *service, gconstpointer data)
{
  guint n_questions;

  open_well (service);
  set_busy (service, TRUE, TRUE, TRUE);
  open_and_wait (&service->world);
  g_assert_error (service->world.error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  assert_asked (service, 2, 1, 2); /* and a challenge */

  settle ();
  muster_resolver_flush ();
  n_questions = dns_peer_count (service->dns, NULL);
  set_busy (service, FALSE, TRUE, TRUE);
  open_well (service);
  g_assert_true (service->world.lease->refreshed);
  assert_asked (service, 3, 1, 2);
  g_assert_cmpuint (dns_peer_count (service->dns, NULL), ==, n_questions);
}

/* There is no other connection that would take its place. */
static void
test_all_busy_with_udp (Service *service, gconstpointer data)
{
  dns_peer_add_naptr (service->dns, DOMAIN, 10, 10, "s", "SIPS+D2T", "_sips._tcp." DOMAIN);
  dns_peer_add_naptr (service->dns, DOMAIN, 10, 20, "s", "SIP+D2U", "_sip._udp." DOMAIN);
  open_well (service);
  set_busy (service, TRUE, FALSE, TRUE);
  open_and_wait (&service->world);
  g_assert_error (service->world.error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  assert_asked (service, 2, 0, 2);

  settle ();
  set_busy (service, FALSE, FALSE, TRUE);
  open_well (service);
  g_assert_true (service->world.lease->refreshed);
  assert_asked (service, 3, 0, 2);
}

/* Nor does it leave the socket on which calls come in. */
static void
test_all_busy_after_udp (Service *service, gconstpointer data)
{
  World *world = &service->world;

  set_busy (service, TRUE, TRUE, FALSE);
  open_well (service);
  assert_asked (service, 1, 1, 2);
  set_busy (service, TRUE, TRUE, TRUE);
  open_and_wait (world);
  g_assert_error (world->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  assert_asked (service, 2, 2, 3);

  settle ();
  sip_peer_send (world->peer, "OPTIONS", "sip:nobody@127.0.0.1");
  while (*sip_peer_get_answer (world->peer) == '\0')
    g_main_context_iteration (NULL, TRUE);
  assert_has (sip_peer_get_answer (world->peer), "404");

  set_busy (service, TRUE, TRUE, FALSE);
  open_well (service);
  g_assert_cmpuint (sip_peer_get_request (world->peer, 3)->port, ==,
                    sip_peer_get_request (world->peer, 1)->port);
}

/* A wrong certificate is no way to have the account talk in the clear. */
static void
test_certificate (Service *service, gconstpointer data)
{
  open_and_wait (&service->world);
  g_assert_error (service->world.error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED);
  assert_has (service->world.error->message, "what it offers without TLS is not tried instead");
  assert_asked (service, 0, 0, 0);

  open_and_wait (&service->world);
  g_assert_error (service->world.error, MUSTER_ERROR, MUSTER_ERROR_UNTRUSTED);
  assert_asked (service, 0, 0, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_dns_use_addresses (oracle_ask, freeaddrinfo);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, test, data)                                                                      \
  g_test_add ("/sip/transports/" path, Service, data, service_set_up, test, service_tear_down)
  ADD ("srv", test_srv, NULL);
  ADD ("naptr", test_naptr, NULL);
  ADD ("port", test_port, NULL);
  ADD ("next-transport", test_next_transport, NULL);
  ADD ("nobody-there", test_nobody_there, NULL);
  ADD ("all-busy", test_all_busy, NULL);
  ADD ("all-busy-with-udp", test_all_busy_with_udp, NULL);
  ADD ("all-busy-after-udp", test_all_busy_after_udp, NULL);
  ADD ("certificate", test_certificate, "elsewhere.test");
#undef ADD

  return g_test_run ();
}
