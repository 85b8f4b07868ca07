/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-message.h"

struct sip_s;

/* A parsed final response as our own data. */
MusterSipResponse *muster_sip_wire_read_response (const struct sip_s *sip);

/* The same from the bytes of one whole message, as a stream or a test has it. %NULL if they are not a
 * response that may be acted on. */
MusterSipResponse *muster_sip_wire_parse_response (const void *bytes, gsize n_bytes);
