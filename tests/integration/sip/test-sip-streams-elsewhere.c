/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "dns-peer.h"
#include "muster-resolver-private.h"
#include "muster-tls-private.h"
#include "plugin-fixture.h"
#include "registrar-fixture.h"

/* A domain with two registrars in DNS, over TCP and TLS: who is sent on by the first is registered at the
 * second, whose certificate must be for the domain as well. */

#define DOMAIN "example.test"
#define FIRST  "one.hosts.test"
#define SECOND "two.hosts.test"

/* the domain */

static int
oracle_ask (const char *node,
            const char *service,
            const struct addrinfo *hints,
            struct addrinfo **result)
{
  const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST, .ai_socktype = hints->ai_socktype };

  if (g_str_equal (node, FIRST))
    return getaddrinfo ("127.0.0.1", NULL, &numeric, result);
  if (g_str_equal (node, SECOND))
    return getaddrinfo ("127.0.0.2", NULL, &numeric, result);
  return EAI_NONAME;
}

typedef struct {
  World world;
  DnsPeer *dns;
  Registrar *first;
  Registrar *second;
  TlsIdentity *root;
} Domain;

static TlsIdentity *
identity_new (Domain *domain, const char *name)
{
  return domain->root != NULL ? tls_identity_new (&(TlsWish){ .dns = name }, domain->root) : NULL;
}

static void
domain_set_up (Domain *domain, const char *transport, const char *second_name)
{
  gboolean tls = g_str_equal (transport, "tls");
  const char *service = tls ? "_sips._tcp." DOMAIN : "_sip._tcp." DOMAIN;

  world_set_up (&domain->world, NULL);
  domain->world.may_be_lost = TRUE;
  g_hash_table_remove (domain->world.params, "server");
  set_string (&domain->world, "transport", transport);
  if (tls) {
    g_autofree char *pem = NULL;

    domain->root = tls_identity_new (&(TlsWish){ .cn = "Root", .is_ca = TRUE }, NULL);
    pem = tls_identity_dup_pem (domain->root);
    muster_tls_use_system (pem);
  }
  domain->first = registrar_new ("127.0.0.1", 0, identity_new (domain, DOMAIN));
  domain->second = registrar_new ("127.0.0.2", 0, identity_new (domain, second_name));
  domain->dns = dns_peer_new ();
  muster_dns_use_server (dns_peer_get_port (domain->dns));
  muster_resolver_flush ();
  dns_peer_add_srv (domain->dns, service, 60, 10, 0, domain->first->port, FIRST);
  dns_peer_add_srv (domain->dns, service, 60, 20, 0, domain->second->port, SECOND);
}

static void
domain_clear (Domain *domain)
{
  world_tear_down (&domain->world, NULL);
  registrar_free (domain->first);
  registrar_free (domain->second);
  dns_peer_free (domain->dns);
  muster_dns_use_server (0);
  muster_tls_use_system (NULL);
  g_clear_pointer (&domain->root, tls_identity_free);
}

#define assert_asked(domain, n_first, n_second)                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpint (g_atomic_int_get (&(domain)->first->n_requests), ==, n_first);                \
    g_assert_cmpint (g_atomic_int_get (&(domain)->second->n_requests), ==, n_second);              \
  }                                                                                                \
  G_STMT_END

/* The first has no time at the refresh: the second takes the registration, and has it from then on. */
static void
test_busy (gconstpointer transport)
{
  Domain domain = { 0 };

  domain_set_up (&domain, transport, DOMAIN);
  open_and_wait (&domain.world);
  g_assert_no_error (domain.world.error);
  assert_asked (&domain, 1, 0);

  g_atomic_int_set (&domain.first->is_busy, TRUE);
  open_and_wait (&domain.world);
  g_assert_no_error (domain.world.error);
  g_assert_false (domain.world.lease->refreshed);
  assert_asked (&domain, 2, 1);

  g_atomic_int_set (&domain.first->is_busy, FALSE);
  open_and_wait (&domain.world);
  g_assert_no_error (domain.world.error);
  g_assert_true (domain.world.lease->refreshed);
  assert_asked (&domain, 2, 2);

  close_and_wait (&domain.world);
  g_assert_no_error (domain.world.error);
  assert_asked (&domain, 2, 3);
  domain_clear (&domain);
}

/* Who proves to be the host that DNS names, and not the domain, hears nothing. */
static void
test_certificate_of_the_target (gconstpointer data)
{
  Domain domain = { 0 };

  domain_set_up (&domain, "tls", SECOND);
  g_atomic_int_set (&domain.first->is_busy, TRUE);
  open_and_wait (&domain.world);
  g_assert_error (domain.world.error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  assert_has (domain.world.error->message, "overloaded");
  assert_has (domain.world.error->message, "the certificate of " DOMAIN " is not trusted");
  assert_asked (&domain, 1, 0);
  domain_clear (&domain);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_dns_use_addresses (oracle_ask, freeaddrinfo);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

  g_test_add_data_func ("/sip/streams-elsewhere/tcp", "tcp", test_busy);
  g_test_add_data_func ("/sip/streams-elsewhere/tls", "tls", test_busy);
  g_test_add_data_func ("/sip/streams-elsewhere/certificate", NULL, test_certificate_of_the_target);

  return g_test_run ();
}
