/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-registration.h"

#include <muster/muster.h>

/*
 * MusterSipHeartbeat:
 *
 * Tells the server of a registered account by MESSAGE that it is there (GB/T 28181-2016 section 9.6), and
 * tells the broker when nobody answers any more.
 */
typedef struct _MusterSipHeartbeat MusterSipHeartbeat;

/* An open came to an end: beats begin, go on or stop with the registration, which gets its heartbeat with
 * the first. @error is nullable. */
void muster_sip_heartbeat_follow (MusterSipRegistration *self, const GError *error);

/* @heartbeat is nullable. */
void muster_sip_heartbeat_stop (MusterSipHeartbeat *heartbeat);
void muster_sip_heartbeat_free (MusterSipHeartbeat *heartbeat);

/* What the answer to one says; @error: of the errand, %NULL for a 2xx. */
typedef enum {
  MUSTER_SIP_BEAT_HEARD,
  MUSTER_SIP_BEAT_COMPLAINT, /* heard, and the server does not like it */
  MUSTER_SIP_BEAT_MISSED,
  MUSTER_SIP_BEAT_NOT_SENT, /* that is our own business */
} MusterSipBeat;

MusterSipBeat muster_sip_heartbeat_judge (const GError *error);

/* The body of the one with the number @number. */
char *muster_sip_heartbeat_dup_body (const char *device, guint number);
