/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-presence.h>

G_BEGIN_DECLS

/* What a service is told that cannot say everything. @supported: bit n is the #MusterPresence n. */

/* %FALSE: nothing, for all that it could say would be wrong. */
gboolean muster_presence_degrade (MusterPresence wanted, guint supported, MusterPresence *said);

/* Returns (transfer full) (nullable): that in a sentence for people; %NULL: it can say @wanted. */
char *muster_presence_dup_note (MusterPresence wanted, guint supported);

G_END_DECLS
