/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: what muster-clock.c, muster-timer.c and muster-hub.c tell each other. */

#pragma once

#include <muster/muster-hub.h>

G_BEGIN_DECLS

/* muster-clock.c */
gboolean muster_clock_is_virtual (void);
gint64 muster_clock_turn_us (void); /* always real: how long a turn of the loop has taken */

/* muster-timer.c */
gboolean muster_wheel_is_empty (void);
gboolean muster_wheel_is_pending (void);
gint64 muster_wheel_wake_us (void);
gint64 muster_wheel_next_due_us (void);
gboolean muster_wheel_run (gint64 now_us, gint64 stop_us);
void muster_wheel_reset (gint64 now_us);

/* muster-hub.c */
gboolean muster_hub_is_owner (void);

G_END_DECLS
