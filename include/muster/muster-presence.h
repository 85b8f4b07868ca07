/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MusterPresence:
 * @MUSTER_PRESENCE_OFFLINE: cannot be reached
 * @MUSTER_PRESENCE_INVISIBLE: can be reached, but does not show
 * @MUSTER_PRESENCE_AVAILABLE: can be reached
 * @MUSTER_PRESENCE_CHAT: would like to be
 * @MUSTER_PRESENCE_AWAY: for a while not here
 * @MUSTER_PRESENCE_XA: for a longer while not here
 * @MUSTER_PRESENCE_DND: not to be disturbed
 *
 * What a person shows to others. The words are those of RFC 6121, section 4.7.2.1; a protocol with
 * fewer of them says the nearest (see #MusterPublisherInterface).
 */
typedef enum {
  MUSTER_PRESENCE_OFFLINE,
  MUSTER_PRESENCE_INVISIBLE,
  MUSTER_PRESENCE_AVAILABLE,
  MUSTER_PRESENCE_CHAT,
  MUSTER_PRESENCE_AWAY,
  MUSTER_PRESENCE_XA,
  MUSTER_PRESENCE_DND,
  /*< private >*/
  MUSTER_PRESENCE_LAST
} MusterPresence;

/* Stable, lower-case: D-Bus API and log vocabulary. */
MUSTER_API const char *muster_presence_to_string (MusterPresence presence);

G_END_DECLS
