/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/*
 * SipTranscript:
 *
 * What a server once answered, in a file of tests/transcripts/sip, whose README says what may stand in it.
 */
typedef struct _SipTranscript SipTranscript;

SipTranscript *sip_transcript_load (const char *file, GError **error);
void sip_transcript_free (SipTranscript *self);

/* The answer number @index, or the last one, to @request. @copy: which copy of it is answered. */
char *sip_transcript_fill (SipTranscript *self, guint index, const char *request, guint *copy);
