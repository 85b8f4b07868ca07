/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "dns-peer.h"
#include "muster-resolver-private.h"
#include "muster-tls-private.h"
#include "plugin-fixture.h"
#include "stream-server.h"
#include "tls-fixture.h"

/* A domain with two registrars in DNS, over TCP and TLS: who is sent on by the first is registered at the
 * second, whose certificate must be for the domain as well. */

#define DOMAIN "example.test"
#define FIRST  "one.hosts.test"
#define SECOND "two.hosts.test"

/* a registrar: a thread for each connection, one after the other */

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

static gssize
wire_recv (Wire *wire, char *bytes, gsize n_bytes)
{
  return wire->session != NULL ? gnutls_record_recv (wire->session, bytes, n_bytes)
                               : recv (wire->fd, bytes, n_bytes, 0);
}

static void
wire_send (Wire *wire, const char *text)
{
  if (wire->session != NULL)
    gnutls_record_send (wire->session, text, strlen (text));
  else
    send (wire->fd, text, strlen (text), MSG_NOSIGNAL);
}

static gboolean
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

static void
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

static gpointer
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

static Registrar *
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
static void
registrar_free (Registrar *self)
{
  g_atomic_int_set (&self->is_ended, TRUE);
  shutdown (self->fd, SHUT_RDWR); /* wakes accept () */
  g_thread_join (self->thread);
  close (self->fd);
  g_clear_pointer (&self->identity, tls_identity_free);
  g_free (self);
}

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
