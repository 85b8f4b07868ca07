/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: single DNS questions, their answers, and the cache of both. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define MUSTER_DNS_MAX_RECORDS 32

typedef enum {
  MUSTER_DNS_ADDRESSES, /* A and AAAA, /etc/hosts and whatever else NSS knows */
  MUSTER_DNS_SRV,
  MUSTER_DNS_NAPTR,
} MusterDnsType;

typedef enum {
  MUSTER_DNS_FOUND,
  MUSTER_DNS_NOTHING, /* there is no such name, or none of that type */
  MUSTER_DNS_FAILED,  /* nobody answered, or nonsense */
} MusterDnsOutcome;

/* A record of any type; what a type does not have is 0. */
typedef struct {
  char *name;       /* SRV: the target; NAPTR: the replacement */
  guint16 priority; /* NAPTR: order */
  guint16 weight;   /* NAPTR: preference */
  guint16 port;
  char *service; /* NAPTR, lower-case */
  char *flags;   /* NAPTR, lower-case */
  GInetAddress *address;
  guint32 scope_id;
} MusterDnsRecord;

typedef struct {
  gatomicrefcount ref_count;
  MusterDnsOutcome outcome;
  GPtrArray *records; /* of MusterDnsRecord; empty unless found */
  guint ttl_s;
  char *reason; /* if failed: words that end a sentence */
} MusterDnsAnswer;

MusterDnsAnswer *muster_dns_answer_ref (MusterDnsAnswer *self);
void muster_dns_answer_unref (MusterDnsAnswer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterDnsAnswer, muster_dns_answer_unref)

/* muster-dns.c: blocks, so it is for the pool's threads only. */
MusterDnsAnswer *muster_dns_ask (MusterDnsType type, const char *name);

/* muster-dns-cache.c: main thread. @func is called once, at once if the answer is known. */
typedef void (*MusterDnsFunc) (MusterDnsAnswer *answer, gpointer user_data);
void
muster_dns_cache_ask (MusterDnsType type, const char *name, MusterDnsFunc func, gpointer user_data);

G_END_DECLS
