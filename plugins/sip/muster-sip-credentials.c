/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-credentials.h"

#include "muster-sip-message.h"

#include <string.h>

#define USUAL_HEADER_BYTES 384

/*
 * Credentials in use: the nonce, its count, and HA1 instead of the password. Whether a challenge may
 * still be answered is the state machine's decision.
 */

#define CNONCE_DIGITS 16

gboolean
muster_sip_credentials_is_set (const MusterSipCredentials *self)
{
  return self->nonce != NULL;
}

void
muster_sip_credentials_clear (MusterSipCredentials *self)
{
  g_free (self->user);
  g_free (self->realm);
  g_free (self->nonce);
  g_free (self->opaque);
  g_free (self->algorithm_name);
  g_free (self->cnonce);
  muster_wipe (self, sizeof (*self));
}

gboolean
muster_sip_credentials_fit (const MusterSipCredentials *self,
                            const MusterSipChallenge *challenge,
                            const char *user)
{
  return g_strcmp0 (self->user, user) == 0 && g_strcmp0 (self->realm, challenge->realm) == 0 &&
         self->algorithm.hash == challenge->algorithm.hash;
}

gboolean
muster_sip_credentials_adopt (MusterSipCredentials *self,
                              const MusterSipChallenge *challenge,
                              const char *user,
                              const MusterSecret *password)
{
  /* The same nonce again must not see a count twice. */
  guint32 nonce_count = g_strcmp0 (self->nonce, challenge->nonce) == 0 ? self->nonce_count : 0;
  char ha1[MUSTER_SIP_DIGEST_HEX_SIZE];

  if (password != NULL)
    muster_sip_digest_ha1 (challenge->algorithm.hash, user, challenge->realm, password, ha1);
  else if (muster_sip_credentials_fit (self, challenge, user))
    memcpy (ha1, self->ha1, sizeof (ha1));
  else
    return FALSE;

  muster_sip_credentials_clear (self);
  self->user = g_strdup (user);
  self->realm = g_strdup (challenge->realm);
  self->nonce = g_strdup (challenge->nonce);
  self->opaque = g_strdup (challenge->opaque);
  self->algorithm_name = g_strdup (challenge->algorithm_name);
  self->algorithm = challenge->algorithm;
  self->qop = challenge->qop;
  self->cnonce = muster_sip_random_hex (CNONCE_DIGITS);
  self->nonce_count = nonce_count;
  memcpy (self->ha1, ha1, sizeof (ha1));
  muster_wipe (ha1, sizeof (ha1));

  return TRUE;
}

void
muster_sip_credentials_check_user (MusterSipCredentials *self, const char *user)
{
  if (g_strcmp0 (self->user, user) != 0)
    muster_sip_credentials_clear (self);
}

void
muster_sip_credentials_check (MusterSipCredentials *self,
                              const char *user,
                              const MusterSecret *password)
{
  char ha1[MUSTER_SIP_DIGEST_HEX_SIZE];
  gboolean same;

  if (!muster_sip_credentials_is_set (self))
    return;

  same = password != NULL && g_strcmp0 (self->user, user) == 0;
  if (same) {
    muster_sip_digest_ha1 (self->algorithm.hash, user, self->realm, password, ha1);
    same = strcmp (ha1, self->ha1) == 0; /* both are ours: nobody measures the time */
    muster_wipe (ha1, sizeof (ha1));
  }
  if (!same)
    muster_sip_credentials_clear (self);
}

void
muster_sip_credentials_set_nextnonce (MusterSipCredentials *self, const char *nonce)
{
  if (!muster_sip_credentials_is_set (self) || strcmp (self->nonce, nonce) == 0)
    return;

  /* The session key of -sess hangs on the nonce that began the session, and implementations differ on
   * what a new one does to it: a round trip is the lesser evil. */
  if (self->algorithm.sess) {
    muster_sip_credentials_clear (self);
    return;
  }
  g_free (self->nonce);
  g_free (self->cnonce);
  self->nonce = g_strdup (nonce);
  self->cnonce = muster_sip_random_hex (CNONCE_DIGITS);
  self->nonce_count = 0;
}

static void
append (GString *header, const char *before, const char *text, const char *after)
{
  g_string_append (header, before);
  g_string_append (header, text);
  g_string_append (header, after);
}

char *
muster_sip_credentials_answer (MusterSipCredentials *self,
                               const char *method,
                               const char *uri,
                               const char *body)
{
  char response[MUSTER_SIP_DIGEST_HEX_SIZE];
  GString *header;

  if (!muster_sip_credentials_is_set (self))
    return NULL;

  self->nonce_count++;
  muster_sip_digest_response (&(MusterSipDigest){ .algorithm = self->algorithm,
                                                  .qop = self->qop,
                                                  .ha1 = self->ha1,
                                                  .nonce = self->nonce,
                                                  .cnonce = self->cnonce,
                                                  .nonce_count = self->nonce_count,
                                                  .method = method,
                                                  .uri = uri,
                                                  .body = body,
                                                  .body_length = body != NULL ? strlen (body) : 0 },
                              response);

  header = g_string_sized_new (USUAL_HEADER_BYTES);
  g_string_append (header, "Digest username=");
  muster_sip_append_quoted (header, self->user);
  g_string_append (header, ", realm=");
  muster_sip_append_quoted (header, self->realm);
  g_string_append (header, ", nonce=");
  muster_sip_append_quoted (header, self->nonce);
  g_string_append (header, ", uri=");
  muster_sip_append_quoted (header, uri);
  append (header, ", response=\"", response, "\"");
  /* Said back only if it was said, in the server's spelling: old ones choke on anything else. */
  if (self->algorithm_name != NULL)
    append (header, ", algorithm=", self->algorithm_name, "");
  if (self->qop != MUSTER_SIP_QOP_NONE || self->algorithm.sess)
    append (header, ", cnonce=\"", self->cnonce, "\"");
  if (self->opaque != NULL) {
    g_string_append (header, ", opaque=");
    muster_sip_append_quoted (header, self->opaque);
  }
  if (self->qop != MUSTER_SIP_QOP_NONE)
    g_string_append_printf (header, ", qop=%s, nc=%08x",
                            self->qop == MUSTER_SIP_QOP_AUTH ? "auth" : "auth-int",
                            self->nonce_count);
  return g_string_free (header, FALSE);
}
