/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* What a PIDF document (RFC 3863) says of somebody. */
typedef struct {
  MusterPresence presence; /* never %MUSTER_PRESENCE_INVISIBLE */
  char *text;              /* nullable; printable, at most 1 kB */
  gint64 changed_at_us;    /* UTC; 0: it does not say */
} MusterSipPidf;

#define MUSTER_SIP_PIDF_TYPE           "application/pidf+xml"
#define MUSTER_SIP_PIDF_MAX_TEXT_BYTES 1024

/* Reads a body of %MUSTER_SIP_PIDF_TYPE. %MUSTER_ERROR_PROTOCOL, and @pidf untouched, if it is none. Whose
 * presence it is, is not looked at: the subscription it came on says that. */
gboolean
muster_sip_pidf_read (const char *bytes, gsize n_bytes, MusterSipPidf *pidf, GError **error);
void muster_sip_pidf_clear (MusterSipPidf *self);

/* Our own presence as such a body. @entity is our address of record; @device names this registration among
 * our others: letters and digits, the same each time. @at_us is when it began, in UTC. Invisible is said as
 * offline. */
char *muster_sip_pidf_build (const char *entity,
                             const char *device,
                             MusterPresence presence,
                             const char *text,
                             gint64 at_us);
