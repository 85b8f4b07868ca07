/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterResolver"

#include "config.h"

#include "muster-resolver-private.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

/*
 * One question and its answer, in the thread of the caller, who waits for it: SRV and NAPTR by the
 * C library's resolver on a state of our own, addresses by getaddrinfo(), so that /etc/hosts and
 * every other source of NSS count. Keeps nothing; whether to ask at all is decided by the cache.
 */

#define MAX_ANSWER_BYTES (64 * 1024)
#define SILENCE_S        1  /* until a question is repeated */
#define N_TRIES          2  /* of each name server */
#define ADDRESS_TTL_S    60 /* getaddrinfo() does not say */

static struct {
  guint16 port; /* 0: the servers of the system */
  MusterGetaddrinfo ask_addresses;
  void (*free_addresses) (struct addrinfo *);
} hooks = { 0, getaddrinfo, freeaddrinfo };

void
muster_dns_use_server (guint16 port)
{
  hooks.port = port;
}

void
muster_dns_use_addresses (MusterGetaddrinfo ask, void (*done) (struct addrinfo *))
{
  hooks.ask_addresses = ask != NULL ? ask : getaddrinfo;
  hooks.free_addresses = ask != NULL ? done : freeaddrinfo;
}

/* answers */

void
muster_dns_record_free (MusterDnsRecord *record)
{
  g_free (record->name);
  g_free (record->service);
  g_free (record->flags);
  g_clear_object (&record->address);
  g_free (record);
}

static MusterDnsAnswer *
answer_new (void)
{
  MusterDnsAnswer *self = g_new0 (MusterDnsAnswer, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->records = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_dns_record_free);
  self->outcome = MUSTER_DNS_NOTHING;
  self->ttl_s = G_MAXUINT;

  return self;
}

static MusterDnsAnswer *
answer_fail (MusterDnsAnswer *self, const char *reason)
{
  g_ptr_array_set_size (self->records, 0);
  self->outcome = MUSTER_DNS_FAILED;
  self->reason = g_strdup (reason);

  return self;
}

MusterDnsAnswer *
muster_dns_answer_ref (MusterDnsAnswer *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
muster_dns_answer_unref (MusterDnsAnswer *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_ptr_array_unref (self->records);
  g_free (self->reason);
  g_free (self);
}

/* records */

/* A name in the wire's form at @data, which may point anywhere into the message. */
static char *
dup_name (ns_msg *message, const guint8 *data, const guint8 *end)
{
  char name[NS_MAXDNAME];
  int n_bytes;

  n_bytes = ns_name_uncompress (ns_msg_base (*message), ns_msg_end (*message), data, name,
                                sizeof name);
  if (n_bytes < 0 || data + n_bytes > end)
    return NULL;

  return g_ascii_strdown (name, -1);
}

/* A string with its length in front, RFC 1035 section 3.3. */
static char *
take_string (const guint8 **data, const guint8 *end)
{
  const guint8 *start = *data + 1;
  g_autofree char *text = NULL;

  if (*data >= end || start + **data > end)
    return NULL;

  text = g_strndup ((const char *) start, **data);
  *data = start + **data;
  return g_ascii_strdown (text, -1);
}

static gboolean
parse_srv (ns_msg *message, const ns_rr *rr, MusterDnsRecord *record)
{
  const guint8 *data = ns_rr_rdata (*rr);
  const guint8 *end = data + ns_rr_rdlen (*rr);

  if (ns_rr_rdlen (*rr) < 7)
    return FALSE;

  record->priority = (guint16) ns_get16 (data);
  record->weight = (guint16) ns_get16 (data + 2);
  record->port = (guint16) ns_get16 (data + 4);
  record->name = dup_name (message, data + 6, end);

  return record->name != NULL;
}

static gboolean
parse_naptr (ns_msg *message, const ns_rr *rr, MusterDnsRecord *record)
{
  const guint8 *data = ns_rr_rdata (*rr);
  const guint8 *end = data + ns_rr_rdlen (*rr);
  g_autofree char *regexp = NULL;

  if (ns_rr_rdlen (*rr) < 8)
    return FALSE;

  record->priority = (guint16) ns_get16 (data);
  record->weight = (guint16) ns_get16 (data + 2);
  data += 4;

  if ((record->flags = take_string (&data, end)) == NULL ||
      (record->service = take_string (&data, end)) == NULL ||
      (regexp = take_string (&data, end)) == NULL || data >= end)
    return FALSE;

  record->name = dup_name (message, data, end);
  return record->name != NULL;
}

static MusterDnsAnswer *
parse_answer (MusterDnsType type, const guint8 *bytes, int n_bytes)
{
  ns_type wanted = type == MUSTER_DNS_SRV ? ns_t_srv : ns_t_naptr;
  MusterDnsAnswer *answer = answer_new ();
  ns_msg message;

  if (ns_initparse (bytes, n_bytes, &message) != 0)
    return answer_fail (answer, "the name server talks nonsense");

  for (int i = 0; i < ns_msg_count (message, ns_s_an); i++) {
    MusterDnsRecord *record;
    ns_rr rr;

    if (answer->records->len >= MUSTER_DNS_MAX_RECORDS)
      break;
    if (ns_parserr (&message, ns_s_an, i, &rr) != 0)
      return answer_fail (answer, "the name server talks nonsense");
    if (ns_rr_type (rr) != wanted || ns_rr_class (rr) != ns_c_in)
      continue;

    record = g_new0 (MusterDnsRecord, 1);
    g_ptr_array_add (answer->records, record);
    if (!(wanted == ns_t_srv ? parse_srv : parse_naptr) (&message, &rr, record))
      return answer_fail (answer, "the name server talks nonsense");

    answer->outcome = MUSTER_DNS_FOUND;
    answer->ttl_s = MIN (answer->ttl_s, ns_rr_ttl (rr));
  }

  return answer;
}

static MusterDnsAnswer *
ask_records (MusterDnsType type, const char *name)
{
  g_autofree guint8 *bytes = g_malloc (MAX_ANSWER_BYTES);
  struct __res_state state = { 0 };
  int n_bytes;
  int why;

  if (res_ninit (&state) != 0)
    return answer_fail (answer_new (), "the system's resolver cannot be used");

  state.retrans = SILENCE_S;
  state.retry = N_TRIES;
  if (hooks.port != 0) {
    state.nscount = 1;
    state.nsaddr_list[0] = (struct sockaddr_in){
      .sin_family = AF_INET,
      .sin_port = htons (hooks.port),
      .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
    };
  }

  n_bytes = res_nquery (&state, name, ns_c_in, type == MUSTER_DNS_SRV ? ns_t_srv : ns_t_naptr,
                        bytes, MAX_ANSWER_BYTES);
  why = state.res_h_errno;
  res_nclose (&state);

  if (n_bytes > MAX_ANSWER_BYTES)
    return answer_fail (answer_new (), "the name server's answer is too long");
  if (n_bytes >= 0)
    return parse_answer (type, bytes, n_bytes);
  if (why == HOST_NOT_FOUND || why == NO_DATA)
    return answer_new ();

  return answer_fail (answer_new (), "the name server does not answer");
}

/* addresses */

static MusterDnsRecord *
record_from_addrinfo (const struct addrinfo *info)
{
  MusterDnsRecord *record = g_new0 (MusterDnsRecord, 1);

  if (info->ai_family == AF_INET) {
    const struct sockaddr_in *in = (const void *) info->ai_addr;

    record->address = g_inet_address_new_from_bytes ((const guint8 *) &in->sin_addr,
                                                     G_SOCKET_FAMILY_IPV4);
  } else {
    const struct sockaddr_in6 *in6 = (const void *) info->ai_addr;

    record->address = g_inet_address_new_from_bytes ((const guint8 *) &in6->sin6_addr,
                                                     G_SOCKET_FAMILY_IPV6);
    record->scope_id = in6->sin6_scope_id;
  }

  return record;
}

static MusterDnsAnswer *
ask_addresses (const char *name)
{
  const struct addrinfo hints = { .ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM };
  struct addrinfo *list = NULL;
  MusterDnsAnswer *answer = answer_new ();
  int why = hooks.ask_addresses (name, NULL, &hints, &list);

  if (why == EAI_NONAME || why == EAI_NODATA || why == EAI_ADDRFAMILY)
    return answer;
  if (why == EAI_AGAIN)
    return answer_fail (answer, "the name server does not answer");
  if (why != 0)
    return answer_fail (answer, why == EAI_SYSTEM ? g_strerror (errno) : gai_strerror (why));

  for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
    if (answer->records->len >= MUSTER_DNS_MAX_RECORDS)
      break;
    if (info->ai_family == AF_INET || info->ai_family == AF_INET6)
      g_ptr_array_add (answer->records, record_from_addrinfo (info));
  }
  hooks.free_addresses (list);

  answer->ttl_s = ADDRESS_TTL_S;
  if (answer->records->len > 0)
    answer->outcome = MUSTER_DNS_FOUND;
  muster_dns_interleave (answer->records);

  return answer;
}

MusterDnsAnswer *
muster_dns_ask (MusterDnsType type, const char *name)
{
  switch (type) {
  case MUSTER_DNS_ADDRESSES:
    return ask_addresses (name);
  case MUSTER_DNS_SRV:
  case MUSTER_DNS_NAPTR:
    return ask_records (type, name);
  }

  g_return_val_if_reached (NULL);
}
