/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-digest.h"

#include <nettle/nettle-meta.h>

/*
 * The arithmetic of digest authentication: RFC 7616 with its predecessors RFC 2617 and 2069, and the
 * algorithms that RFC 8760 gives SIP. Strings in, hexadecimal out; which challenge to answer, and
 * with which count, is decided elsewhere. Nettle, because GChecksum has no SHA-512/256 and leaves its
 * state in freed memory.
 */

/* Room for the state of any of the three; checked where it is used. */
typedef union {
  guint64 align;
  guint8 bytes[256];
} HashState;

typedef struct {
  const struct nettle_hash *hash;
  HashState state;
  gboolean started; /* a colon goes before the next field */
} Hasher;

static const struct nettle_hash *
nettle_hash_of (MusterSipHash hash)
{
  switch (hash) {
  case MUSTER_SIP_HASH_MD5:
    return &nettle_md5;
  case MUSTER_SIP_HASH_SHA256:
    return &nettle_sha256;
  case MUSTER_SIP_HASH_SHA512_256:
    return &nettle_sha512_256;
  }
  g_assert_not_reached ();
}

static void
hasher_begin (Hasher *self, MusterSipHash hash)
{
  self->hash = nettle_hash_of (hash);
  self->started = FALSE;
  g_assert (self->hash->context_size <= sizeof (self->state));
  self->hash->init (&self->state);
}

/* Adds one of the fields that the RFCs join with colons. */
static void
hasher_add (Hasher *self, const char *field, gsize length)
{
  if (self->started)
    self->hash->update (&self->state, 1, (const guint8 *) ":");
  self->started = TRUE;
  self->hash->update (&self->state, length, (const guint8 *) field);
}

static void
hasher_add_text (Hasher *self, const char *field)
{
  hasher_add (self, field, strlen (field));
}

static void
hasher_end (Hasher *self, char hex[MUSTER_SIP_DIGEST_HEX_SIZE])
{
  static const char digits[] = "0123456789abcdef";
  guint8 raw[32];
  gsize n = self->hash->digest_size;

  g_assert (n <= sizeof (raw));
  self->hash->digest (&self->state, n, raw);
  for (gsize i = 0; i < n; i++) {
    hex[2 * i] = digits[raw[i] >> 4];
    hex[2 * i + 1] = digits[raw[i] & 15];
  }
  hex[2 * n] = '\0';

  muster_wipe (raw, sizeof (raw));
  muster_wipe (&self->state, sizeof (self->state));
}

gboolean
muster_sip_algorithm_parse (const char *name, MusterSipAlgorithm *algorithm)
{
  static const struct {
    const char *name;
    MusterSipAlgorithm algorithm;
  } known[] = {
    { "MD5", { MUSTER_SIP_HASH_MD5, FALSE } },
    { "MD5-sess", { MUSTER_SIP_HASH_MD5, TRUE } },
    { "SHA-256", { MUSTER_SIP_HASH_SHA256, FALSE } },
    { "SHA-256-sess", { MUSTER_SIP_HASH_SHA256, TRUE } },
    { "SHA-512-256", { MUSTER_SIP_HASH_SHA512_256, FALSE } },
    { "SHA-512-256-sess", { MUSTER_SIP_HASH_SHA512_256, TRUE } },
  };

  if (name == NULL)
    name = "MD5";

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++) {
    if (g_ascii_strcasecmp (name, known[i].name) == 0) {
      *algorithm = known[i].algorithm;
      return TRUE;
    }
  }
  return FALSE;
}

void
muster_sip_digest_ha1 (MusterSipHash hash,
                       const char *user,
                       const char *realm,
                       const MusterSecret *password,
                       char hex[MUSTER_SIP_DIGEST_HEX_SIZE])
{
  Hasher hasher;
  gsize length;
  const char *bytes = muster_secret_peek (password, &length);

  hasher_begin (&hasher, hash);
  hasher_add_text (&hasher, user);
  hasher_add_text (&hasher, realm);
  hasher_add (&hasher, bytes, length);
  hasher_end (&hasher, hex);
}

/* RFC 7616 section 3.4.2: with -sess, the first exchange's nonces are hashed in once more. */
static void
session_ha1 (const MusterSipDigest *digest, char hex[MUSTER_SIP_DIGEST_HEX_SIZE])
{
  Hasher hasher;

  if (!digest->algorithm.sess) {
    g_strlcpy (hex, digest->ha1, MUSTER_SIP_DIGEST_HEX_SIZE);
    return;
  }
  hasher_begin (&hasher, digest->algorithm.hash);
  hasher_add_text (&hasher, digest->ha1);
  hasher_add_text (&hasher, digest->nonce);
  hasher_add_text (&hasher, digest->cnonce);
  hasher_end (&hasher, hex);
}

static void
request_ha2 (const MusterSipDigest *digest, char hex[MUSTER_SIP_DIGEST_HEX_SIZE])
{
  Hasher hasher;
  char body[MUSTER_SIP_DIGEST_HEX_SIZE];

  if (digest->qop == MUSTER_SIP_QOP_AUTH_INT) {
    hasher_begin (&hasher, digest->algorithm.hash);
    hasher_add (&hasher, digest->body != NULL ? digest->body : "", digest->body_length);
    hasher_end (&hasher, body);
  }

  hasher_begin (&hasher, digest->algorithm.hash);
  hasher_add_text (&hasher, digest->method);
  hasher_add_text (&hasher, digest->uri);
  if (digest->qop == MUSTER_SIP_QOP_AUTH_INT)
    hasher_add_text (&hasher, body);
  hasher_end (&hasher, hex);
}

void
muster_sip_digest_response (const MusterSipDigest *digest, char hex[MUSTER_SIP_DIGEST_HEX_SIZE])
{
  Hasher hasher;
  char ha1[MUSTER_SIP_DIGEST_HEX_SIZE];
  char ha2[MUSTER_SIP_DIGEST_HEX_SIZE];
  char count[9];

  session_ha1 (digest, ha1);
  request_ha2 (digest, ha2);

  hasher_begin (&hasher, digest->algorithm.hash);
  hasher_add_text (&hasher, ha1);
  hasher_add_text (&hasher, digest->nonce);
  if (digest->qop != MUSTER_SIP_QOP_NONE) {
    g_snprintf (count, sizeof (count), "%08x", digest->nonce_count);
    hasher_add_text (&hasher, count);
    hasher_add_text (&hasher, digest->cnonce);
    hasher_add_text (&hasher, digest->qop == MUSTER_SIP_QOP_AUTH ? "auth" : "auth-int");
  }
  hasher_add_text (&hasher, ha2);
  hasher_end (&hasher, hex);

  muster_wipe (ha1, sizeof (ha1));
}
