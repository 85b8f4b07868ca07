/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-digest.h"

/* A digest challenge that we can answer. Strings are unquoted. */
typedef struct {
  char *realm;
  char *nonce;
  char *opaque;         /* NULL: none was sent */
  char *algorithm_name; /* as the server spells it; NULL: it did not say */
  MusterSipAlgorithm algorithm;
  MusterSipQop qop; /* the one to answer with */
  gboolean stale;
} MusterSipChallenge;

void muster_sip_challenge_free (MusterSipChallenge *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipChallenge, muster_sip_challenge_free)

/* The strongest challenge that we can answer among the values of all WWW-Authenticate (or
 * Proxy-Authenticate) headers of a response, each of which may hold several. NULL if there is none;
 * @unknown then says what was asked for instead ("NTLM", "Digest with SHA-1"), NULL if nothing was. */
MusterSipChallenge *muster_sip_challenge_choose (const char *const *values, char **unknown);

/* The nextnonce of an Authentication-Info header, or NULL. */
char *muster_sip_challenge_dup_nextnonce (const char *authentication_info);

/* Appends @text as a quoted-string, quotes and backslashes escaped. */
void muster_sip_append_quoted (GString *string, const char *text);
