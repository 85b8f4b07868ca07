/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A name server in a thread, for one test. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  DNS_FAULT_NONE,
  DNS_FAULT_SILENT,
  DNS_FAULT_SERVFAIL,
  DNS_FAULT_TRUNCATED,   /* UDP says TC and nothing else, TCP tells all */
  DNS_FAULT_CUT,         /* the answer ends in the middle of a record */
  DNS_FAULT_SHORT_RDATA, /* a record is too short for its type */
  DNS_FAULT_LOOP,        /* a name's compression pointer points at itself */
  DNS_FAULT_JUNK,        /* bytes that are no message at all but for the id */
  DNS_FAULT_MANY,        /* 200 records, on TCP */
} DnsFault;

typedef struct _DnsPeer DnsPeer;

DnsPeer *dns_peer_new (void);
void dns_peer_free (DnsPeer *self);
guint16 dns_peer_get_port (DnsPeer *self);

/* Names are given without a stop at the end; "" is the root. They may be added at any time. */
void dns_peer_add_srv (DnsPeer *self,
                       const char *name,
                       guint ttl_s,
                       guint16 priority,
                       guint16 weight,
                       guint16 port,
                       const char *target);
void dns_peer_add_naptr (DnsPeer *self,
                         const char *name,
                         guint16 order,
                         guint16 preference,
                         const char *flags,
                         const char *service,
                         const char *replacement);
void dns_peer_set_fault (DnsPeer *self, const char *name, DnsFault fault);

/* How often it was asked for this name; NULL: for any. */
guint dns_peer_count (DnsPeer *self, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnsPeer, dns_peer_free)

G_END_DECLS
