/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-hub-private.h"
#include "muster-sip-agent.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

/* The UDP socket and what it sends by itself, against plain sockets. */

typedef struct {
  int fd;
  guint16 port;
  char *route;
} Peer;

typedef struct {
  MusterSipAgent *agent;
  Peer *peer;
} World;

static Peer *
peer_new (int family)
{
  Peer *peer = g_new0 (Peer, 1);
  const char *host = family == AF_INET6 ? "::1" : "127.0.0.1";
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string (host, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  struct sockaddr_storage native;
  socklen_t size = sizeof native;

  peer->fd = socket (family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_assert_true (g_socket_address_to_native (any, &native, sizeof native, NULL));
  g_assert_cmpint (bind (peer->fd, (struct sockaddr *) &native,
                         (socklen_t) g_socket_address_get_native_size (any)),
                   ==, 0);
  g_assert_cmpint (getsockname (peer->fd, (struct sockaddr *) &native, &size), ==, 0);
  bound = g_socket_address_new_from_native (&native, size);
  peer->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  peer->route = g_strdup_printf (family == AF_INET6 ? "sip:[%s]:%u" : "sip:%s:%u", host,
                                 peer->port);
  return peer;
}

static void
peer_free (Peer *peer)
{
  close (peer->fd);
  g_free (peer->route);
  g_free (peer);
}

/* (nullable): a datagram, and where it came from */
static char *
peer_take (Peer *peer, guint16 *from)
{
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  char bytes[4096];
  gssize n = recvfrom (peer->fd, bytes, sizeof bytes, 0, (struct sockaddr *) &address, &size);

  if (n < 0)
    return NULL;
  /* the port stands at the same place in both families */
  *from = ntohs (((struct sockaddr_in *) &address)->sin_port);
  return g_strndup (bytes, (gsize) n);
}

static guint
count_pings (World *world, Peer *peer)
{
  guint n = 0;
  guint16 from = 0;
  char *datagram;

  for (; (datagram = peer_take (peer, &from)) != NULL; n++) {
    g_assert_cmpstr (datagram, ==, "\r\n\r\n");
    g_assert_cmpuint (from, ==, muster_sip_agent_get_transport (world->agent)->contact_port);
    g_free (datagram);
  }
  return n;
}

static const MusterSipReceiver *
find (const char *token, gpointer user_data)
{
  static const MusterSipReceiverFuncs funcs = { NULL, NULL };
  static const MusterSipReceiver receiver = { &funcs, NULL };

  return g_str_equal (token, "ours") ? &receiver : NULL;
}

static void
world_set_up (World *world, gconstpointer ipv6)
{
  world->agent = muster_sip_agent_new (ipv6 ? "::1" : "127.0.0.1", 0, find, NULL, NULL);
  g_assert_nonnull (world->agent);
  world->peer = peer_new (ipv6 ? AF_INET6 : AF_INET);
}

static void
world_tear_down (World *world, gconstpointer ipv6)
{
  muster_sip_agent_free (world->agent);
  peer_free (world->peer);
  g_assert_true (muster_clock_is_idle ());
}

static void
pass_s (gint64 by_s)
{
  muster_clock_advance_us (by_s * G_USEC_PER_SEC);
}

/* Nobody asks for it: nothing is sent, and nothing waits. */
static void
test_no_wake_up (World *world, gconstpointer ipv6)
{
  g_assert_true (muster_clock_is_idle ());
  muster_sip_agent_keep_alive (world->agent, world->peer->route, TRUE);
  g_assert_false (muster_clock_is_idle ());
  muster_sip_agent_keep_alive (world->agent, world->peer->route, FALSE);
  g_assert_true (muster_clock_is_idle ());
  pass_s (100);
  g_assert_cmpuint (count_pings (world, world->peer), ==, 0);
}

/* From the socket on which requests come in, each after another interval. */
static void
test_pings (World *world, gconstpointer ipv6)
{
  gint64 first_us = 0;
  gboolean differ = FALSE;

  muster_sip_agent_keep_alive (world->agent, world->peer->route, TRUE);
  for (guint i = 0; i < 20; i++) {
    gint64 wait_us = muster_clock_next_due_us () - muster_clock_now_us ();

    g_assert_cmpint (wait_us, >=, 20 * G_USEC_PER_SEC);
    g_assert_cmpint (wait_us, <=, 25 * G_USEC_PER_SEC);
    if (i == 0)
      first_us = wait_us;
    differ = differ || wait_us != first_us;
    g_assert_cmpuint (count_pings (world, world->peer), ==, i > 0 ? 1 : 0);
    muster_clock_advance_us (wait_us);
  }
  g_assert_true (differ);
}

/* Many behind one registrar are one way to it, until the last has gone. */
static void
test_counted (World *world, gconstpointer ipv6)
{
  for (guint i = 0; i < 3; i++)
    muster_sip_agent_keep_alive (world->agent, world->peer->route, TRUE);
  pass_s (26);
  g_assert_cmpuint (count_pings (world, world->peer), ==, 1);
  for (guint i = 0; i < 2; i++)
    muster_sip_agent_keep_alive (world->agent, world->peer->route, FALSE);
  pass_s (26);
  g_assert_cmpuint (count_pings (world, world->peer), ==, 1);
  muster_sip_agent_keep_alive (world->agent, world->peer->route, FALSE);
  pass_s (100);
  g_assert_cmpuint (count_pings (world, world->peer), ==, 0);
}

#define N_WAYS  100
#define AT_ONCE 32

/* Each way gets its ping in each round, but not all in one go; who comes late, in the next round. */
static void
test_many_ways (World *world, gconstpointer ipv6)
{
  g_autoptr (GPtrArray) peers = g_ptr_array_new_with_free_func ((GDestroyNotify) peer_free);

  for (guint i = 0; i < N_WAYS; i++) {
    Peer *peer = peer_new (AF_INET);

    g_ptr_array_add (peers, peer);
    muster_sip_agent_keep_alive (world->agent, peer->route, TRUE);
  }

  for (guint round = 0; round < 3; round++) {
    guint n = 0;

    while (n < N_WAYS) {
      guint now = 0;

      muster_clock_advance_us (muster_clock_next_due_us () - muster_clock_now_us ());
      for (guint i = 0; i < N_WAYS; i++)
        now += count_pings (world, peers->pdata[i]);
      g_assert_cmpuint (now, <=, AT_ONCE);
      n += now;
    }
    g_assert_cmpuint (n, ==, N_WAYS);
    g_assert_cmpint (muster_clock_next_due_us () - muster_clock_now_us (), >, 15 * G_USEC_PER_SEC);
  }

  pass_s (26);
  for (guint i = 0; i < N_WAYS; i++)
    g_assert_cmpuint (count_pings (world, peers->pdata[i]), ==, 1);

  /* In the middle of a round, one goes, and one comes. */
  muster_clock_advance_us (muster_clock_next_due_us () - muster_clock_now_us ());
  muster_sip_agent_keep_alive (world->agent, ((Peer *) peers->pdata[N_WAYS - 1])->route, FALSE);
  muster_sip_agent_keep_alive (world->agent, world->peer->route, TRUE);
  pass_s (5);
  for (guint i = 0; i < N_WAYS; i++)
    g_assert_cmpuint (count_pings (world, peers->pdata[i]), ==, i < N_WAYS - 1 ? 1 : 0);
  g_assert_cmpuint (count_pings (world, world->peer), ==, 0);
  muster_sip_agent_keep_alive (world->agent, world->peer->route, FALSE);

  /* One that comes in the middle of a round, with all others gone, waits for the next as well. */
  muster_clock_advance_us (muster_clock_next_due_us () - muster_clock_now_us ());
  muster_sip_agent_keep_alive (world->agent, world->peer->route, TRUE);
  for (guint i = 0; i < N_WAYS - 1; i++)
    muster_sip_agent_keep_alive (world->agent, ((Peer *) peers->pdata[i])->route, FALSE);
  pass_s (5);
  g_assert_cmpuint (count_pings (world, world->peer), ==, 0);
  pass_s (21);
  g_assert_cmpuint (count_pings (world, world->peer), ==, 1);
}

/* The socket is made anew at the same port, and goes on with it. */
static void
test_clock_was_set (World *world, gconstpointer ipv6)
{
  muster_sip_agent_keep_alive (world->agent, world->peer->route, TRUE);
  muster_clock_step_wall_us (G_TIME_SPAN_HOUR);
  muster_sip_agent_check_clock (world->agent);
  pass_s (26);
  g_assert_cmpuint (count_pings (world, world->peer), ==, 1);
}

static gboolean
on_watchdog (gpointer user_data)
{
  g_error ("nothing came");
  return G_SOURCE_REMOVE;
}

/* What a server says to a ping, or pings itself, is nothing to Sofia: requests are answered after it. */
static void
test_pongs_do_no_harm (World *world, gconstpointer ipv6)
{
  static const char request[] = "OPTIONS sip:ours@127.0.0.1 SIP/2.0\r\n"
                                "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1\r\n"
                                "Max-Forwards: 70\r\n"
                                "From: <sip:bob@example.test>;tag=1\r\n"
                                "To: <sip:alice@example.test>\r\n"
                                "Call-ID: 1\r\n"
                                "CSeq: 1 OPTIONS\r\n"
                                "Content-Length: 0\r\n\r\n";
  const char *const said[] = { "\r\n", "\r\n\r\n", "\r\n\r\n\r\n", "\r\n", request };
  g_autofree char *reply = NULL;
  guint watchdog = g_timeout_add_seconds (10, on_watchdog, NULL);
  guint16 port = muster_sip_agent_get_transport (world->agent)->contact_port;
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons (port) };

  to.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  for (gsize i = 0; i < G_N_ELEMENTS (said); i++)
    g_assert_cmpint (sendto (world->peer->fd, said[i], strlen (said[i]), 0, (struct sockaddr *) &to,
                             sizeof to),
                     >, 0);
  while ((reply = peer_take (world->peer, &port)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (g_str_has_prefix (reply, "SIP/2.0 200 OK"));
  g_source_remove (watchdog);
}

/* It goes to where the request came from, whatever that says of itself. */
static void
test_replies (World *world, gconstpointer ipv6)
{
  static const char request[] = "OPTIONS sip:ours@127.0.0.1 SIP/2.0\r\n"
                                "Via: SIP/2.0/UDP 192.0.2.1:9%s;rport;branch=z9hG4bK%u\r\n"
                                "Max-Forwards: 70\r\n"
                                "From: <sip:bob@example.test>;tag=1\r\n"
                                "To: <sip:alice@example.test>\r\n"
                                "Call-ID: 1\r\nCSeq: %u OPTIONS\r\n"
                                "Content-Length: 0\r\n\r\n";
  const char *const params[] = { "", ";maddr=192.0.2.1" };
  guint watchdog = g_timeout_add_seconds (10, on_watchdog, NULL);
  guint16 port = muster_sip_agent_get_transport (world->agent)->contact_port;
  g_autoptr (GSocketAddress)
    address = g_inet_socket_address_new_from_string (ipv6 != NULL ? "::1" : "127.0.0.1", port);
  struct sockaddr_storage to;

  g_assert_true (g_socket_address_to_native (address, &to, sizeof to, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (params); i++) {
    g_autofree char *text = g_strdup_printf (request, params[i], i + 1, i + 1);

    g_assert_cmpint (sendto (world->peer->fd, text, strlen (text), 0, (struct sockaddr *) &to,
                             (socklen_t) g_socket_address_get_native_size (address)),
                     >, 0);
  }
  for (guint i = 0; i < G_N_ELEMENTS (params); i++) {
    g_autofree char *reply = NULL;
    g_autofree char *cseq = g_strdup_printf ("CSeq: %u OPTIONS", i + 1);

    while ((reply = peer_take (world->peer, &port)) == NULL)
      g_main_context_iteration (NULL, TRUE);
    g_assert_nonnull (strstr (reply, cseq));
    g_assert_nonnull (strstr (reply, ipv6 != NULL ? ";received=::1" : ";received=127.0.0.1"));
    g_assert_cmpuint (port, ==, muster_sip_agent_get_transport (world->agent)->contact_port);
  }
  g_source_remove (watchdog);
}

/* Nobody listens there: it is no answer to anything, and the next ping goes out as ever. */
static void
test_nobody_there (World *world, gconstpointer ipv6)
{
  Peer *gone = peer_new (AF_INET);

  muster_sip_agent_keep_alive (world->agent, gone->route, TRUE);
  muster_sip_agent_keep_alive (world->agent, world->peer->route, TRUE);
  peer_free (gone);
  for (guint i = 0; i < 5; i++) {
    pass_s (25);
    while (g_main_context_iteration (NULL, FALSE))
      continue;
  }
  g_assert_cmpuint (count_pings (world, world->peer), >=, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(path, data, test)                                                                      \
  g_test_add ("/sip/agent/" path, World, data, world_set_up, test, world_tear_down)
  ADD ("no-wake-up", NULL, test_no_wake_up);
  ADD ("pings", NULL, test_pings);
  ADD ("pings/ipv6", "ipv6", test_pings);
  ADD ("counted", NULL, test_counted);
  ADD ("many-ways", NULL, test_many_ways);
  ADD ("clock-was-set", NULL, test_clock_was_set);
  ADD ("pongs-do-no-harm", NULL, test_pongs_do_no_harm);
  ADD ("replies", NULL, test_replies);
  ADD ("replies/ipv6", "ipv6", test_replies);
  ADD ("nobody-there", NULL, test_nobody_there);
#undef ADD

  return g_test_run ();
}
