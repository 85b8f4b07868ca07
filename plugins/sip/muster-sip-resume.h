/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-bindings.h"
#include "muster-sip-credentials.h"
#include "muster-sip-mapping.h"

/* What was published at the server, by its entity-tag (RFC 3903 section 4). */
typedef struct {
  char *etag;      /* NULL: nothing */
  gint64 until_us; /* as above */
} MusterSipEntity;

void muster_sip_entity_clear (MusterSipEntity *self);

/* What makes a registration the same one after a restart. */
typedef struct {
  char *call_id;
  char *from_tag;
  char *token;
  char *instance;      /* urn:uuid:... */
  guint32 cseq;        /* the last one used */
  guint min_expires_s; /* the server's, once it said so; 0: none known */
  char *local_address; /* nullable */
  guint16 local_port;
  GPtrArray *bindings; /* of MusterSipBinding *, oldest first */
  MusterSipCredentials registrar;
  MusterSipCredentials proxy;
  guint password_version; /* of what they were made with; 0: not known */
  GStrv service_route;    /* of the last 2xx; nullable */
  GStrv associated_uris;  /* likewise */
  gboolean outbound;      /* the server knows it (RFC 5626) */
  MusterSipMapping mapping;
  MusterSipEntity presence; /* ours */
} MusterSipMemory;

void muster_sip_memory_init (MusterSipMemory *self); /* a new one, never registered */
void muster_sip_memory_clear (MusterSipMemory *self);

/* After a deliberate unregister the next registration is a fresh one, with a Call-ID of its own; the
 * device stays the same. */
void muster_sip_memory_begin_dialog (MusterSipMemory *self);

GBytes *muster_sip_memory_pack (const MusterSipMemory *self);

/* What of a memory was packed last. */
typedef struct {
  guint64 mark; /* of all that does not move with each request; 0: nothing was packed */
  guint32 cseq;
  guint32 nonce_counts[2];
} MusterSipPacked;

/* Whether what was packed then would not do any more after a restart; then @memory is to be packed now. As
 * long as nothing has changed but counters, for which there is room, and the end of our binding, which is
 * the lease's, it does. */
gboolean muster_sip_packed_renew (MusterSipPacked *self, const MusterSipMemory *memory);

/* The lease of our binding ends at @end_us, whatever was packed of it. */
void muster_sip_memory_extend (MusterSipMemory *self, gint64 end_us);

/* Overwrites what init made. Leaves room in CSeq and nonce counts for what was used after the blob was
 * saved. FALSE, and nothing changed, if the blob is not one of ours. */
gboolean muster_sip_memory_unpack (MusterSipMemory *self, GBytes *blob);
