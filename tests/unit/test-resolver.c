/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "dns-peer.h"
#include "muster-hub-private.h"
#include "muster-resolver-private.h"

#include <muster/muster-error.h>

#include <arpa/inet.h>
#include <string.h>

/* The resolver against a name server that lies, and a phone book in place of getaddrinfo (). */

#define SECOND_US ((gint64) G_USEC_PER_SEC)

static DnsPeer *peer;

/* the phone book */

typedef struct {
  const char *name;
  const char *addresses[4];
} Page;

static const Page book[] = {
  { "one.example", { "192.0.2.1" } },
  { "two.example", { "192.0.2.2" } },
  { "three.example", { "192.0.2.3" } },
  { "both.example", { "2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2" } },
  { "plain.example", { "192.0.2.9" } },
  { "silent.example", { "192.0.2.10" } },
  { "declined.example", { "192.0.2.11" } },
  { "localhost", { "127.0.0.1" } },
};

static int n_asked_book; /* atomic */

static void
book_free (struct addrinfo *list)
{
  while (list != NULL) {
    struct addrinfo *next = list->ai_next;

    g_free (list->ai_addr);
    g_free (list);
    list = next;
  }
}

static struct addrinfo *
book_add (struct addrinfo *next, const char *text)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (text, 0);
  gsize size = (gsize) g_socket_address_get_native_size (address);
  struct addrinfo *info = g_new0 (struct addrinfo, 1);

  info->ai_addr = g_malloc0 (size);
  g_assert_true (g_socket_address_to_native (address, info->ai_addr, size, NULL));
  info->ai_family = info->ai_addr->sa_family;
  info->ai_next = next;
  return info;
}

static int
book_ask (const char *node,
          const char *service,
          const struct addrinfo *hints,
          struct addrinfo **result)
{
  g_atomic_int_inc (&n_asked_book);
  for (guint i = 0; i < G_N_ELEMENTS (book); i++) {
    if (strcmp (book[i].name, node) != 0)
      continue;
    *result = NULL;
    for (guint j = G_N_ELEMENTS (book[i].addresses); j > 0; j--)
      if (book[i].addresses[j - 1] != NULL)
        *result = book_add (*result, book[i].addresses[j - 1]);
    return 0;
  }

  return strcmp (node, "broken.example") == 0 ? EAI_AGAIN : EAI_NONAME;
}

/* asking */

typedef struct {
  gboolean is_done;
  GPtrArray *targets;
  GError *error;
} Reply;

static void
on_reply (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Reply *reply = user_data;

  g_assert_false (reply->is_done);
  reply->is_done = TRUE;
  reply->targets = muster_resolver_lookup_finish (result, &reply->error);
  g_assert_true ((reply->targets == NULL) == (reply->error != NULL));
}

static void
reply_clear (Reply *reply)
{
  g_clear_pointer (&reply->targets, g_ptr_array_unref);
  g_clear_error (&reply->error);
  reply->is_done = FALSE;
}

static void
reply_wait (Reply *reply)
{
  while (!reply->is_done)
    g_main_context_iteration (NULL, TRUE);
}

static void
ask (Reply *reply,
     const char *service,
     const char *proto,
     const char *host,
     guint16 port,
     MusterResolverFlags flags)
{
  muster_resolver_lookup_async (service, proto, host, port, flags, NULL, on_reply, reply);
  g_assert_false (reply->is_done);
  reply_wait (reply);
}

static const char *
transport_name (MusterTransport transport)
{
  switch (transport) {
  case MUSTER_TRANSPORT_UDP:
    return "udp";
  case MUSTER_TRANSPORT_TCP:
    return "tcp";
  case MUSTER_TRANSPORT_TLS:
    return "tls";
  }

  g_assert_not_reached ();
}

/* "tcp 192.0.2.1:5222" and so on, one line */
static char *
describe (const Reply *reply)
{
  GString *text = g_string_new (NULL);

  if (reply->error != NULL)
    g_string_append_printf (text, "%s: ", muster_error_code_to_string (reply->error->code));
  if (reply->error != NULL)
    g_string_append (text, reply->error->message);

  for (guint i = 0; reply->targets != NULL && i < reply->targets->len; i++) {
    const MusterTarget *target = reply->targets->pdata[i];
    g_autofree char *address = g_socket_connectable_to_string (
      G_SOCKET_CONNECTABLE (target->address));

    g_string_append_printf (text, "%s%s %s", i > 0 ? ", " : "", transport_name (target->transport),
                            address);
  }

  return g_string_free (text, FALSE);
}

/* the answers, on a table */

typedef struct {
  const char *name;
  const char *service;
  const char *proto;
  const char *host;
  guint16 port;
  MusterResolverFlags flags;
  const char *expected;
} AnswerCase;

static const AnswerCase answer_cases[] = {
  { "literal", NULL, "tls", "192.0.2.5", 5061, 0, "tls 192.0.2.5:5061" },
  { "literal-with-service", "xmpp-client", "tcp", "192.0.2.5", 5222, 0, "tcp 192.0.2.5:5222" },
  { "literal-6", NULL, "tcp", "2001:db8::5", 1, 0, "tcp [2001:db8::5]:1" },
  { "literal-6-in-brackets", NULL, "tcp", "[2001:db8::5]", 1, 0, "tcp [2001:db8::5]:1" },
  { "literal-sip", "sips", NULL, "192.0.2.5", 0, MUSTER_RESOLVER_NAPTR, "tls 192.0.2.5:5061" },
  { "addresses", NULL, "tcp", "One.Example.", 7, 0, "tcp 192.0.2.1:7" },
  { "families-by-turns", NULL, "tcp", "both.example", 7, 0,
    "tcp [2001:db8::1]:7, tcp 192.0.2.1:7, tcp [2001:db8::2]:7, tcp 192.0.2.2:7" },
  { "ipv4-only", NULL, "tcp", "both.example", 7, MUSTER_RESOLVER_IPV4_ONLY,
    "tcp 192.0.2.1:7, tcp 192.0.2.2:7" },
  { "ipv6-only-but-none", NULL, "tcp", "one.example", 7, MUSTER_RESOLVER_IPV6_ONLY,
    "unreachable: one.example has no address" },
  { "no-such-host", NULL, "tcp", "nobody.example", 7, 0,
    "unreachable: nobody.example has no address" },
  { "no-name-server", NULL, "tcp", "broken.example", 7, 0,
    "unreachable: broken.example cannot be looked up: the name server does not answer" },
  { "no-name", NULL, "tcp", "a..b", 7, 0, "invalid: this is not the name of a host" },
  { "no-name-but-a-line", NULL, "tcp", "a\r\nb", 7, 0, "invalid: this is not the name of a host" },
  { "srv", "xmpp-client", "tcp", "srv.example", 5222, 0, "tcp 192.0.2.1:5299, tcp 192.0.2.2:5222" },
  { "srv-tls", "xmpps-client", "tls", "srv.example", 5223, 0, "tls 192.0.2.3:443" },
  { "srv-none", "xmpp-client", "tcp", "plain.example", 5222, 0, "tcp 192.0.2.9:5222" },
  { "srv-declined", "xmpp-client", "tcp", "declined.example", 5222, 0,
    "unreachable: declined.example says that it does not offer the service \"xmpp-client\"" },
  { "srv-localhost", "xmpp-client", "tcp", "localhost", 5222, 0, "tcp 127.0.0.1:5222" },
  { "naptr-any", "sip", NULL, "naptr.example", 0, MUSTER_RESOLVER_NAPTR,
    "tls 192.0.2.1:5061, tcp 192.0.2.2:5060, udp 192.0.2.3:5060" },
  { "naptr-udp", "sip", "udp", "naptr.example", 0, MUSTER_RESOLVER_NAPTR, "udp 192.0.2.3:5060" },
  { "naptr-sips", "sips", NULL, "naptr.example", 0, MUSTER_RESOLVER_NAPTR, "tls 192.0.2.1:5061" },
  { "naptr-none-but-srv", "sip", NULL, "onlysrv.example", 0, MUSTER_RESOLVER_NAPTR,
    "tls 192.0.2.1:5071, udp 192.0.2.2:5070" },
  { "naptr-none-but-all-srv", "sip", NULL, "allsrv.example", 0, MUSTER_RESOLVER_NAPTR,
    "tls 192.0.2.1:5061, tcp 192.0.2.2:5060, udp 192.0.2.3:5060" },
  { "naptr-none-but-srv-sips", "sips", "tcp", "onlysrv.example", 0, MUSTER_RESOLVER_NAPTR,
    "tls 192.0.2.1:5071" },
  { "naptr-nothing", "sip", NULL, "plain.example", 0, MUSTER_RESOLVER_NAPTR, "udp 192.0.2.9:5060" },
  { "naptr-nothing-sips", "sips", NULL, "plain.example", 0, MUSTER_RESOLVER_NAPTR,
    "tls 192.0.2.9:5061" },
};

static void
fill_peer (void)
{
  dns_peer_add_srv (peer, "_xmpp-client._tcp.srv.example", 60, 20, 0, 5222, "two.example");
  dns_peer_add_srv (peer, "_xmpp-client._tcp.srv.example", 60, 10, 0, 5299, "ONE.example");
  dns_peer_add_srv (peer, "_xmpps-client._tcp.srv.example", 60, 0, 0, 443, "three.example");
  dns_peer_add_srv (peer, "_xmpp-client._tcp.declined.example", 60, 0, 0, 0, "");

  dns_peer_add_naptr (peer, "naptr.example", 50, 90, "s", "SIP+D2U", "_sip._udp.naptr.example");
  dns_peer_add_naptr (peer, "naptr.example", 50, 50, "S", "SIPS+D2T", "_sips._tcp.naptr.example");
  dns_peer_add_naptr (peer, "naptr.example", 50, 60, "s", "SIP+D2T", "_sip._tcp.naptr.example");
  dns_peer_add_naptr (peer, "naptr.example", 10, 10, "u", "E2U+sip", "ignored.example");
  dns_peer_add_naptr (peer, "naptr.example", 10, 10, "s", "SIP+D2S", "_sip._sctp.naptr.example");
  dns_peer_add_srv (peer, "_sips._tcp.naptr.example", 60, 0, 0, 5061, "one.example");
  dns_peer_add_srv (peer, "_sip._tcp.naptr.example", 60, 0, 0, 5060, "two.example");
  dns_peer_add_srv (peer, "_sip._udp.naptr.example", 60, 0, 0, 5060, "three.example");

  dns_peer_add_srv (peer, "_sip._udp.allsrv.example", 60, 0, 0, 5060, "three.example");
  dns_peer_add_srv (peer, "_sip._tcp.allsrv.example", 60, 0, 0, 5060, "two.example");
  dns_peer_add_srv (peer, "_sips._tcp.allsrv.example", 60, 0, 0, 5061, "one.example");

  dns_peer_add_srv (peer, "_sips._tcp.onlysrv.example", 60, 0, 0, 5071, "one.example");
  dns_peer_add_srv (peer, "_sip._udp.onlysrv.example", 60, 0, 0, 5070, "two.example");
}

static void
test_answer (gconstpointer data)
{
  const AnswerCase *c = data;
  Reply reply = { 0 };
  g_autofree char *text = NULL;

  muster_resolver_flush ();
  ask (&reply, c->service, c->proto, c->host, c->port, c->flags);
  text = describe (&reply);
  g_assert_cmpstr (text, ==, c->expected);
  if (reply.error != NULL)
    g_assert_cmpint (muster_error_get_step (reply.error), ==, MUSTER_STEP_RESOLVE);
  reply_clear (&reply);
}

static void
test_literals_ask_nobody (void)
{
  guint before = muster_resolver_count_asked ();
  Reply reply = { 0 };

  ask (&reply, "sip", NULL, "192.0.2.1", 0, MUSTER_RESOLVER_NAPTR);
  reply_clear (&reply);
  g_assert_cmpuint (muster_resolver_count_asked (), ==, before);
}

/* name servers that misbehave */

typedef struct {
  const char *name;
  DnsFault fault;
  const char *expected; /* NULL: the host itself, as without SRV */
} FaultCase;

static const FaultCase fault_cases[] = {
  { "truncated-asks-again-on-tcp", DNS_FAULT_TRUNCATED, "tcp 192.0.2.1:5299" },
  { "servfail", DNS_FAULT_SERVFAIL, NULL },
  { "cut", DNS_FAULT_CUT, NULL },
  { "short-rdata", DNS_FAULT_SHORT_RDATA, NULL },
  { "compression-loop", DNS_FAULT_LOOP, NULL },
  { "junk", DNS_FAULT_JUNK, NULL },
};

static void
test_fault (gconstpointer data)
{
  const FaultCase *c = data;
  const char *name = "_fault._tcp.plain.example";
  Reply reply = { 0 };
  g_autofree char *text = NULL;

  if (dns_peer_count (peer, name) == 0)
    dns_peer_add_srv (peer, name, 60, 0, 0, 5299, "one.example");
  dns_peer_set_fault (peer, name, c->fault);
  muster_resolver_flush ();
  ask (&reply, "fault", "tcp", "plain.example", 4444, 0);
  text = describe (&reply);
  g_assert_cmpstr (text, ==, c->expected != NULL ? c->expected : "tcp 192.0.2.9:4444");
  reply_clear (&reply);
}

static void
test_many_records (void)
{
  Reply reply = { 0 };

  dns_peer_add_srv (peer, "_many._tcp.plain.example", 60, 0, 0, 5299, "one.example");
  dns_peer_set_fault (peer, "_many._tcp.plain.example", DNS_FAULT_MANY);
  ask (&reply, "many", "tcp", "plain.example", 4444, 0);
  g_assert_no_error (reply.error);
  g_assert_cmpuint (reply.targets->len, ==, 8);
  reply_clear (&reply);
}

/* Two tries of a second, and nobody else has to wait for them. */
static void
test_silence (void)
{
  Reply silent = { 0 };
  Reply other = { 0 };
  gint64 start_us = g_get_monotonic_time ();

  dns_peer_set_fault (peer, "silent.example", DNS_FAULT_SILENT);
  muster_resolver_flush ();
  muster_resolver_lookup_async ("sip", NULL, "silent.example", 0, MUSTER_RESOLVER_NAPTR, NULL,
                                on_reply, &silent);
  ask (&other, "xmpp-client", "tcp", "srv.example", 5222, 0);
  g_assert_no_error (other.error);
  g_assert_false (silent.is_done);

  reply_wait (&silent);
  g_assert_no_error (silent.error);
  g_assert_cmpuint (silent.targets->len, ==, 1);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 6 * SECOND_US);
  g_assert_cmpuint (dns_peer_count (peer, "silent.example"), ==, 2);

  /* a failure is not remembered */
  dns_peer_set_fault (peer, "silent.example", DNS_FAULT_NONE);
  reply_clear (&silent);
  ask (&silent, "sip", NULL, "silent.example", 0, MUSTER_RESOLVER_NAPTR);
  g_assert_cmpuint (dns_peer_count (peer, "silent.example"), ==, 3);
  reply_clear (&silent);
  reply_clear (&other);
}

static void
test_cancel (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Reply cancelled = { 0 };
  Reply other = { 0 };

  dns_peer_set_fault (peer, "silent.example", DNS_FAULT_SILENT);
  muster_resolver_flush ();
  muster_resolver_lookup_async ("sip", NULL, "silent.example", 0, MUSTER_RESOLVER_NAPTR,
                                cancellable, on_reply, &cancelled);
  muster_resolver_lookup_async ("sip", NULL, "silent.example", 0, MUSTER_RESOLVER_NAPTR, NULL,
                                on_reply, &other);
  g_cancellable_cancel (cancellable);
  reply_wait (&cancelled);
  g_assert_error (cancelled.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (other.is_done);
  reply_wait (&other);
  g_assert_no_error (other.error);

  reply_clear (&cancelled);
  muster_resolver_lookup_async (NULL, "tcp", "192.0.2.1", 1, 0, cancellable, on_reply, &cancelled);
  reply_wait (&cancelled);
  g_assert_error (cancelled.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  reply_clear (&cancelled);
  reply_clear (&other);
}

/* what is remembered */

static void
test_cache_lifetime (void)
{
  const char *long_name = "_long._tcp.plain.example";
  const char *short_name = "_short._tcp.plain.example";
  const char *none_name = "_none._tcp.plain.example";
  Reply reply = { 0 };

  dns_peer_add_srv (peer, long_name, 1000000, 0, 0, 1, "one.example");
  dns_peer_add_srv (peer, short_name, 0, 0, 0, 1, "one.example");
  muster_resolver_flush ();

  for (guint i = 0; i < 3; i++) {
    ask (&reply, "long", "tcp", "plain.example", 1, 0);
    reply_clear (&reply);
    ask (&reply, "short", "tcp", "plain.example", 1, 0);
    reply_clear (&reply);
    ask (&reply, "none", "tcp", "plain.example", 1, 0);
    reply_clear (&reply);
    muster_clock_advance_us (SECOND_US);
  }
  g_assert_cmpuint (dns_peer_count (peer, long_name), ==, 1);
  g_assert_cmpuint (dns_peer_count (peer, short_name), ==, 1);
  g_assert_cmpuint (dns_peer_count (peer, none_name), ==, 1);

  muster_clock_advance_us (3 * SECOND_US); /* 6 s */
  ask (&reply, "short", "tcp", "plain.example", 1, 0);
  reply_clear (&reply);
  ask (&reply, "none", "tcp", "plain.example", 1, 0);
  reply_clear (&reply);
  g_assert_cmpuint (dns_peer_count (peer, short_name), ==, 2);
  g_assert_cmpuint (dns_peer_count (peer, none_name), ==, 1);

  muster_clock_advance_us (5 * SECOND_US); /* 11 s */
  ask (&reply, "none", "tcp", "plain.example", 1, 0);
  reply_clear (&reply);
  g_assert_cmpuint (dns_peer_count (peer, none_name), ==, 2);

  muster_clock_advance_us (3580 * SECOND_US);
  ask (&reply, "long", "tcp", "plain.example", 1, 0);
  reply_clear (&reply);
  g_assert_cmpuint (dns_peer_count (peer, long_name), ==, 1);
  muster_clock_advance_us (20 * SECOND_US);
  ask (&reply, "long", "tcp", "plain.example", 1, 0);
  reply_clear (&reply);
  g_assert_cmpuint (dns_peer_count (peer, long_name), ==, 2);
}

static void
test_single_flight (void)
{
  enum { N = 100 };
  Reply replies[N] = { 0 };
  int before = g_atomic_int_get (&n_asked_book);
  guint asked = dns_peer_count (peer, "_xmpp-client._tcp.srv.example");

  muster_resolver_flush ();
  for (guint i = 0; i < N; i++)
    muster_resolver_lookup_async ("xmpp-client", "tcp", "srv.example", 5222, 0, NULL, on_reply,
                                  &replies[i]);
  for (guint i = 0; i < N; i++) {
    reply_wait (&replies[i]);
    g_assert_cmpuint (replies[i].targets->len, ==, 2);
    reply_clear (&replies[i]);
  }
  g_assert_cmpuint (dns_peer_count (peer, "_xmpp-client._tcp.srv.example") - asked, ==, 1);
  g_assert_cmpint (g_atomic_int_get (&n_asked_book) - before, ==, 2);
}

static void
test_flush (void)
{
  Reply first = { 0 };
  Reply second = { 0 };
  guint asked = muster_resolver_count_asked ();

  muster_resolver_flush ();
  g_assert_cmpuint (muster_resolver_count_cached (), ==, 0);
  muster_resolver_lookup_async (NULL, "tcp", "one.example", 1, 0, NULL, on_reply, &first);
  muster_resolver_flush (); /* while it is asked */
  muster_resolver_lookup_async (NULL, "tcp", "one.example", 1, 0, NULL, on_reply, &second);
  reply_wait (&first);
  reply_wait (&second);
  g_assert_cmpuint (first.targets->len, ==, 1);
  g_assert_cmpuint (second.targets->len, ==, 1);
  g_assert_cmpuint (muster_resolver_count_asked () - asked, ==, 2);
  g_assert_cmpuint (muster_resolver_count_cached (), ==, 1);
  reply_clear (&first);
  reply_clear (&second);
}

static void
test_cache_is_bounded (void)
{
  Reply reply = { 0 };

  muster_resolver_flush ();
  for (guint i = 0; i < 1100; i++) {
    g_autofree char *name = g_strdup_printf ("n%u.example", i);

    ask (&reply, NULL, "tcp", name, 1, 0);
    reply_clear (&reply);
    g_assert_cmpuint (muster_resolver_count_cached (), <=, 1024);
  }
  g_assert_cmpuint (muster_resolver_count_cached (), ==, 1024);
  muster_resolver_flush ();
}

/* the orders */

static guint32 drawn;

static guint32
draw_fixed (guint32 max)
{
  return MIN (drawn, max);
}

static void
test_srv_order (void)
{
  static const struct {
    guint32 drawn;
    const char *order;
  } cases[] = { { 0, "0abc" }, { 1, "ab0c" }, { 10, "ab0c" }, { 11, "ba0c" }, { 40, "ba0c" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray)
      records = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_dns_record_free);
    g_autoptr (GString) order = g_string_new (NULL);
    static const struct {
      const char *name;
      guint16 priority;
      guint16 weight;
    } wire[] = { { "c", 2, 65535 }, { "a", 1, 10 }, { "b", 1, 30 }, { "0", 1, 0 } };

    for (guint j = 0; j < G_N_ELEMENTS (wire); j++) {
      MusterDnsRecord *record = g_new0 (MusterDnsRecord, 1);

      record->name = g_strdup (wire[j].name);
      record->priority = wire[j].priority;
      record->weight = wire[j].weight;
      g_ptr_array_add (records, record);
    }
    drawn = cases[i].drawn;
    muster_dns_order_srv (records, draw_fixed);
    for (guint j = 0; j < records->len; j++)
      g_string_append (order, ((MusterDnsRecord *) records->pdata[j])->name);
    g_assert_cmpstr (order->str, ==, cases[i].order);
  }
}

/* A weight of 30 against 10 is chosen three times out of four. */
static void
test_srv_weights (void)
{
  guint n_heavy = 0;
  Reply reply = { 0 };

  dns_peer_add_srv (peer, "_weight._tcp.plain.example", 3600, 0, 10, 1, "one.example");
  dns_peer_add_srv (peer, "_weight._tcp.plain.example", 3600, 0, 30, 3, "one.example");
  for (guint i = 0; i < 1000; i++) {
    const MusterTarget *first;

    ask (&reply, "weight", "tcp", "plain.example", 9, 0);
    first = reply.targets->pdata[0];
    g_assert_cmpuint (reply.targets->len, ==, 2);
    if (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (first->address)) == 3)
      n_heavy++;
    reply_clear (&reply);
  }
  g_assert_cmpuint (n_heavy, >, 650); /* 7 sigma from the mean */
  g_assert_cmpuint (n_heavy, <, 850);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  muster_clock_use_virtual (SECOND_US, g_get_real_time ());
  peer = dns_peer_new ();
  fill_peer ();
  muster_dns_use_server (dns_peer_get_port (peer));
  muster_dns_use_addresses (book_ask, book_free);

  for (guint i = 0; i < G_N_ELEMENTS (answer_cases); i++) {
    g_autofree char *path = g_strdup_printf ("/resolver/answer/%s", answer_cases[i].name);

    g_test_add_data_func (path, &answer_cases[i], test_answer);
  }
  for (guint i = 0; i < G_N_ELEMENTS (fault_cases); i++) {
    g_autofree char *path = g_strdup_printf ("/resolver/fault/%s", fault_cases[i].name);

    g_test_add_data_func (path, &fault_cases[i], test_fault);
  }
  g_test_add_func ("/resolver/literals-ask-nobody", test_literals_ask_nobody);
  g_test_add_func ("/resolver/many-records", test_many_records);
  g_test_add_func ("/resolver/silence", test_silence);
  g_test_add_func ("/resolver/cancel", test_cancel);
  g_test_add_func ("/resolver/cache/lifetime", test_cache_lifetime);
  g_test_add_func ("/resolver/cache/single-flight", test_single_flight);
  g_test_add_func ("/resolver/cache/flush", test_flush);
  g_test_add_func ("/resolver/cache/bounded", test_cache_is_bounded);
  g_test_add_func ("/resolver/srv/order", test_srv_order);
  g_test_add_func ("/resolver/srv/weights", test_srv_weights);

  result = g_test_run ();
  muster_resolver_flush ();
  dns_peer_free (peer);
  return result;
}
