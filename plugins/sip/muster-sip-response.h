/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-message.h"

/* What a final answer other than 2xx means for the account, as the broker's error code.
 * @with_credentials: the request carried an answer to a challenge. */
MusterError
muster_sip_status_to_error (guint status, gboolean with_credentials, gboolean with_retry_after);

/* The whole error: code, step (@step, or authenticate where it was that), a sentence, the server's
 * number and words, and Retry-After. @registers: to a REGISTER. */
GError *muster_sip_response_to_error (const MusterSipResponse *response,
                                      MusterStep step,
                                      gboolean registers,
                                      gboolean with_credentials);

/* No answer, or one that speaks of the server and not of us: another address of the same service may do better
 * (RFC 3263 section 4.3). */
gboolean muster_sip_error_is_of_server (const GError *error);
