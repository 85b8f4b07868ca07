/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include <muster/muster-presence.h>

/**
 * muster_presence_to_string:
 * @presence: a presence
 *
 * Returns: (transfer none): its name
 */
const char *
muster_presence_to_string (MusterPresence presence)
{
  switch (presence) {
  case MUSTER_PRESENCE_OFFLINE:
    return "offline";
  case MUSTER_PRESENCE_INVISIBLE:
    return "invisible";
  case MUSTER_PRESENCE_AVAILABLE:
    return "available";
  case MUSTER_PRESENCE_CHAT:
    return "chat";
  case MUSTER_PRESENCE_AWAY:
    return "away";
  case MUSTER_PRESENCE_XA:
    return "xa";
  case MUSTER_PRESENCE_DND:
    return "dnd";
  case MUSTER_PRESENCE_LAST:
    break;
  }

  g_return_val_if_reached ("invalid");
}
