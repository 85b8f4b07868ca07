/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-inbound.h"

#define MUSTER_SIP_MAX_TEXT_BYTES 8192
#define MUSTER_SIP_DOCUMENT_TYPE  "application/manscdp+xml" /* of GB/T 28181 */

/* What a MESSAGE says (RFC 3428), as printable UTF-8 in lines; with @takes_documents that may be a document of
 * %MUSTER_SIP_DOCUMENT_TYPE, too. %NULL: it says nothing that we understand, and @status is the answer to it. */
char *
muster_sip_text_decode (const MusterSipInbound *inbound, gboolean takes_documents, guint *status);
