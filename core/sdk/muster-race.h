/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: a connection to the first of many addresses that answers. */

#pragma once

#include <muster/muster-resolver.h>

G_BEGIN_DECLS

typedef struct _MusterRace MusterRace;

/* Called once, from the main loop, unless the race is freed before; may free it. @fd becomes the
 * callee's; it is -1 if nobody answered, and @error (transfer full) then says so. */
typedef void (*MusterRaceFunc) (int fd, MusterTarget *winner, GError *error, gpointer user_data);

MusterRace *
muster_race_new (GPtrArray *targets, const char *host, MusterRaceFunc func, gpointer user_data);
void muster_race_free (MusterRace *self);

/* Where the race stands, for the error when its time is over: "192.0.2.1:5061 and 2 more". */
char *muster_race_dup_addresses (const MusterRace *self);

G_END_DECLS
