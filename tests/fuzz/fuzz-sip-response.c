/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-grant.h"
#include "muster-sip-response.h"
#include "muster-sip-wire.h"

#include <stdint.h>
#include <string.h>

/* Any bytes as a response: read, and asked for everything that is asked of one. */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const MusterSipOwnBinding own = { "sip:0123456789abcdef@192.0.2.1:5060",
                                           "0123456789abcdef",
                                           "urn:uuid:6b5d1c9e-0c5f-4f0e-8d5b-1a7a3f1f2b11", 600 };
  g_autoptr (MusterSipResponse) response = muster_sip_wire_parse_response (data, size);
  MusterSipGrant grant;

  if (response == NULL)
    return 0;

  g_assert_true (g_utf8_validate (response->reason, -1, NULL));
  g_assert_cmpint (response->expires_s, <=, G_MAXINT32);
  g_assert_cmpint (response->retry_after_s, <=, G_MAXINT32);
  grant = muster_sip_grant_read (response, &own);
  g_assert_cmpuint (grant.lease_s, <=, MUSTER_SIP_MAX_LEASE_S);
  g_assert_true (g_utf8_validate (grant.uri, -1, NULL));
  if (response->status >= 300) {
    g_autoptr (GError)
      error = muster_sip_response_to_error (response, MUSTER_STEP_REGISTER, TRUE, TRUE);

    g_assert_cmpint (error->code, <, MUSTER_ERROR_LAST);
    if (muster_error_get_server_text (error) != NULL)
      g_assert_null (strpbrk (muster_error_get_server_text (error), "\r\n"));
  }
  return 0;
}
