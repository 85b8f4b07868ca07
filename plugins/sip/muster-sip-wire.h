/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-inbound.h"
#include "muster-sip-transport.h"

struct sip_s;

/* A parsed final response as our own data. */
MusterSipResponse *muster_sip_wire_read_response (const struct sip_s *sip);

/* The same from the bytes of one whole message, as a stream or a test has it. %NULL if they are not a
 * response that may be acted on. */
MusterSipResponse *muster_sip_wire_parse_response (const void *bytes, gsize n_bytes);

/* The bytes of @request as it goes over a stream, @via being the value of its Via. %NULL if it cannot be
 * built. */
GBytes *muster_sip_wire_build_request (const MusterSipRequest *request, const char *via);

/* A parsed request as our own data; %NULL if it cannot be answered. */
MusterSipInbound *muster_sip_wire_read_inbound (const struct sip_s *sip);

/* One whole message from a stream, of whose bytes the framer counted @body_bytes as the body. A final
 * response is returned, with the @branch of its only Via; a request goes to @inbound. What may not be acted
 * on gives neither. */
MusterSipResponse *muster_sip_wire_parse_message (const void *bytes,
                                                  gsize n_bytes,
                                                  gsize body_bytes,
                                                  char **branch,
                                                  MusterSipInbound **inbound);
