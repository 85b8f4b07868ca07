/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/*
 * The contacts that the service keeps for us, and what it knows of other people: whom it knows lets us
 * watch as soon as we ask.
 *
 * What changes a contact returns it as it is now, (transfer full), to be reported; NULL as said there.
 */

#pragma once

#include <muster/muster.h>

G_BEGIN_DECLS

#define MUSTER_ECHO_ALL_ROSTER_MAX 10000

typedef struct _MusterEchoAllRoster MusterEchoAllRoster;

/* @list is "ADDRESS=PRESENCE,...": contacts that are watched; NULL: none. */
MusterEchoAllRoster *muster_echo_all_roster_new (const char *list);
void muster_echo_all_roster_free (MusterEchoAllRoster *self);

/* (transfer full) (element-type MusterContact): all contacts, and who asks to be one. */
GPtrArray *muster_echo_all_roster_dup_contacts (MusterEchoAllRoster *self);

/* What we ask. */

/* It is pending, unless it is watched already. NULL: there are too many. */
MusterContact *
muster_echo_all_roster_add (MusterEchoAllRoster *self, const char *address, const char *name);

/* A pending one of whom the service knows is watched. NULL: it is none. */
MusterContact *muster_echo_all_roster_admit (MusterEchoAllRoster *self, const char *address);

void muster_echo_all_roster_remove (MusterEchoAllRoster *self, const char *address);

/* It no longer asks. NULL: it did not. */
MusterContact *muster_echo_all_roster_authorise (MusterEchoAllRoster *self, const char *address);

/* What the script says. */

/* It is a contact, is watched, and shows @presence and @text (nullable). NULL: there are too many. */
MusterContact *muster_echo_all_roster_set_presence (MusterEchoAllRoster *self,
                                                    const char *address,
                                                    MusterPresence presence,
                                                    const char *text,
                                                    gint64 changed_at_us);

/* It asks to watch us. NULL: there are too many. */
MusterContact *muster_echo_all_roster_ask (MusterEchoAllRoster *self, const char *address);

/* It does not let us watch. NULL: there is no such contact. */
MusterContact *muster_echo_all_roster_deny (MusterEchoAllRoster *self, const char *address);

/* Another device of ours removed it. NULL: there is no such contact. */
MusterContact *muster_echo_all_roster_drop (MusterEchoAllRoster *self, const char *address);

G_END_DECLS
