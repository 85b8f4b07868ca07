/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-challenge.h"
#include "muster-sip-credentials.h"

#include <stdint.h>
#include <string.h>

/* Any header value as WWW-Authenticate and as Authentication-Info: read, answered, read again. What we
 * answer must be one line. */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *value = g_strndup ((const char *) data, size);
  g_autofree char *unknown = NULL;
  g_autofree char *nextnonce = muster_sip_challenge_dup_nextnonce (value);
  g_autofree char *answer = NULL;
  g_autoptr (MusterSecret) password = muster_secret_new ("pw", 2);
  g_autoptr (MusterSipChallenge) challenge = NULL;
  g_autoptr (MusterSipChallenge) echo = NULL;
  MusterSipCredentials credentials = { 0 };

  challenge = muster_sip_challenge_choose ((const char *const[]){ value, value, NULL }, &unknown);
  if (challenge == NULL)
    return 0;

  muster_sip_credentials_adopt (&credentials, challenge, "alice", password);
  if (nextnonce != NULL)
    muster_sip_credentials_set_nextnonce (&credentials, nextnonce);
  answer = muster_sip_credentials_answer (&credentials, "REGISTER", "sip:example.test", NULL);
  if (answer != NULL) {
    g_assert_null (strpbrk (answer, "\r\n"));
    /* our header has a realm and a nonce, so it reads as a challenge: the same one */
    echo = muster_sip_challenge_choose ((const char *const[]){ answer, NULL }, NULL);
    if (strlen (answer) <= 8192) {
      g_assert_nonnull (echo);
      g_assert_cmpstr (echo->realm, ==, challenge->realm);
    }
  }
  muster_sip_credentials_clear (&credentials);
  return 0;
}
