/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-presence-degrade.h"

/*
 * Two rules behind the table. Who does not want to be seen is never shown as reachable: a service that
 * can say neither is told nothing. And who is reachable is never called offline: calls do arrive, and
 * callers should know that it is worth a try. Between them the nearest word counts: "dnd" is "away"
 * before "available", for it is meant to keep others from calling.
 */

#define OTHERS_MAX 3
#define NO_MORE    MUSTER_PRESENCE_LAST

static const MusterPresence others[MUSTER_PRESENCE_LAST][OTHERS_MAX + 1] = {
  [MUSTER_PRESENCE_OFFLINE] = { MUSTER_PRESENCE_INVISIBLE, NO_MORE },
  [MUSTER_PRESENCE_INVISIBLE] = { MUSTER_PRESENCE_OFFLINE, NO_MORE },
  [MUSTER_PRESENCE_AVAILABLE] = { MUSTER_PRESENCE_CHAT, NO_MORE },
  [MUSTER_PRESENCE_CHAT] = { MUSTER_PRESENCE_AVAILABLE, NO_MORE },
  [MUSTER_PRESENCE_AWAY] = { MUSTER_PRESENCE_XA, MUSTER_PRESENCE_AVAILABLE, NO_MORE },
  [MUSTER_PRESENCE_XA] = { MUSTER_PRESENCE_AWAY, MUSTER_PRESENCE_AVAILABLE, NO_MORE },
  [MUSTER_PRESENCE_DND] = { MUSTER_PRESENCE_AWAY, MUSTER_PRESENCE_XA, MUSTER_PRESENCE_AVAILABLE,
                            NO_MORE },
};

static gboolean
can_say (guint supported, MusterPresence presence)
{
  return (supported & (1u << presence)) != 0;
}

gboolean
muster_presence_degrade (MusterPresence wanted, guint supported, MusterPresence *said)
{
  *said = wanted;
  if (can_say (supported, wanted))
    return TRUE;

  for (const MusterPresence *other = others[wanted]; *other != NO_MORE; other++) {
    if (can_say (supported, *other)) {
      *said = *other;
      return TRUE;
    }
  }

  return FALSE;
}

/* What others make of it, where that is not what was meant. */
static const char *
consequence_of (MusterPresence wanted, MusterPresence said)
{
  if (said == MUSTER_PRESENCE_AVAILABLE && wanted != MUSTER_PRESENCE_CHAT)
    return ": others see you as available";
  if (said == MUSTER_PRESENCE_OFFLINE)
    return ": calls and messages arrive all the same";
  if (wanted == MUSTER_PRESENCE_DND)
    return ": others see you as not there, but not that you are not to be disturbed";

  return "";
}

char *
muster_presence_dup_note (MusterPresence wanted, guint supported)
{
  MusterPresence said;

  if (can_say (supported, wanted))
    return NULL;
  if (!muster_presence_degrade (wanted, supported, &said))
    return g_strdup_printf (
      "its service cannot say \"%s\" or anything near it, and is told nothing",
      muster_presence_to_string (wanted));

  return g_strdup_printf ("its service cannot say \"%s\" and is told \"%s\" instead%s",
                          muster_presence_to_string (wanted), muster_presence_to_string (said),
                          consequence_of (wanted, said));
}
