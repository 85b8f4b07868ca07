/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* Weakest first: a larger value is the stronger choice. */
typedef enum {
  MUSTER_SIP_HASH_MD5,
  MUSTER_SIP_HASH_SHA256,
  MUSTER_SIP_HASH_SHA512_256,
} MusterSipHash;

typedef struct {
  MusterSipHash hash;
  gboolean sess;
} MusterSipAlgorithm;

typedef enum {
  MUSTER_SIP_QOP_NONE, /* RFC 2069: no qop, no nonce count */
  MUSTER_SIP_QOP_AUTH,
  MUSTER_SIP_QOP_AUTH_INT,
} MusterSipQop;

#define MUSTER_SIP_DIGEST_HEX_SIZE (2 * 32 + 1)

/* What goes into one response. All strings as they are, not as they are quoted. */
typedef struct {
  MusterSipAlgorithm algorithm;
  MusterSipQop qop;
  const char *ha1; /* of muster_sip_digest_ha1(), never the -sess one */
  const char *nonce;
  const char *cnonce; /* unused without qop and -sess */
  guint32 nonce_count;
  const char *method;
  const char *uri;  /* the Request-URI, to the letter */
  const char *body; /* for auth-int; NULL: empty */
  gsize body_length;
} MusterSipDigest;

/* @name NULL: no algorithm parameter, which means MD5. FALSE: one that we do not know. */
gboolean muster_sip_algorithm_parse (const char *name, MusterSipAlgorithm *algorithm);

/* H (user:realm:password), in lower-case hexadecimal. The password may hold any byte. */
void muster_sip_digest_ha1 (MusterSipHash hash,
                            const char *user,
                            const char *realm,
                            const MusterSecret *password,
                            char hex[MUSTER_SIP_DIGEST_HEX_SIZE]);

void
muster_sip_digest_response (const MusterSipDigest *digest, char hex[MUSTER_SIP_DIGEST_HEX_SIZE]);
