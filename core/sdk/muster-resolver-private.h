/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: what the daemon and the tests may do to the resolver. */

#pragma once

#include "muster-dns.h"

#include <muster/muster-resolver.h>

#include <netdb.h>

G_BEGIN_DECLS

/* Forgets every answer: for when the network has changed. Questions under way still reach those who
 * asked, but are not remembered, and whoever asks from now on asks anew. */
MUSTER_API void muster_resolver_flush (void);

/* For tests: how many answers are remembered, and how many questions were asked in all. */
MUSTER_API guint muster_resolver_count_cached (void);
MUSTER_API guint muster_resolver_count_asked (void);

/* For tests: SRV and NAPTR go to 127.0.0.1 at this port; addresses come from this function. 0 and
 * NULL: the system's again. Call it while no question is under way. */
typedef int (*MusterGetaddrinfo) (const char *node,
                                  const char *service,
                                  const struct addrinfo *hints,
                                  struct addrinfo **result);
MUSTER_API void muster_dns_use_server (guint16 port);
MUSTER_API void muster_dns_use_addresses (MusterGetaddrinfo ask, void (*done) (struct addrinfo *));

/* The orders of RFC 2782 (SRV; @random gives a number from 0 to its argument, both included) and of
 * RFC 8305 section 4 (families by turns, beginning with that of the first). In place. */
typedef guint32 (*MusterRandom) (guint32 max);
MUSTER_API void muster_dns_order_srv (GPtrArray *records, MusterRandom random);
MUSTER_API void muster_dns_interleave (GPtrArray *records);
MUSTER_API void muster_dns_record_free (MusterDnsRecord *record);

G_END_DECLS
