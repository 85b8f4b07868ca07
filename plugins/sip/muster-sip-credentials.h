/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-challenge.h"

/* What is remembered of one side's challenge, the registrar's (401) or a proxy's (407), so that the
 * next request carries its answer ahead. All NULL and 0: never challenged. */
typedef struct {
  char *user;
  char *realm;
  char *nonce;
  char *opaque;         /* nullable */
  char *algorithm_name; /* nullable */
  MusterSipAlgorithm algorithm;
  MusterSipQop qop;
  char *cnonce;
  guint32 nonce_count; /* the last one used */
  char ha1[MUSTER_SIP_DIGEST_HEX_SIZE];
} MusterSipCredentials;

gboolean muster_sip_credentials_is_set (const MusterSipCredentials *self);
void muster_sip_credentials_clear (MusterSipCredentials *self);

/* From now on @challenge is answered. A new nonce counts from 1 again. Without a @password what is
 * kept of it answers, if it was for the same user and realm; else %FALSE. */
gboolean muster_sip_credentials_adopt (MusterSipCredentials *self,
                                       const MusterSipChallenge *challenge,
                                       const char *user,
                                       const MusterSecret *password);

/* Whether what is kept of a password answers @challenge as well. */
gboolean muster_sip_credentials_fit (const MusterSipCredentials *self,
                                     const MusterSipChallenge *challenge,
                                     const char *user);

/* Forgets everything if they are somebody else's than @user's. */
void muster_sip_credentials_check_user (MusterSipCredentials *self, const char *user);

/* Forgets everything if @user and @password (nullable) are not those it was made with: a new password
 * is tried on a new challenge, once, and not on an old nonce first. */
void muster_sip_credentials_check (MusterSipCredentials *self,
                                   const char *user,
                                   const MusterSecret *password);

/* The server named the nonce to use next (RFC 7616 section 3.5). */
void muster_sip_credentials_set_nextnonce (MusterSipCredentials *self, const char *nonce);

/* The value of Authorization or Proxy-Authorization; counts the nonce up. %NULL if not set. @body: nullable. */
char *muster_sip_credentials_answer (MusterSipCredentials *self,
                                     const char *method,
                                     const char *uri,
                                     const char *body);
