/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: which function of a plugin is being executed, so that a crash can be laid at its
 * door. */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/* Marks @func as being executed on the main thread; %NULL: what runs now is the daemon's own, though a
 * plugin called it. Returns what was marked before, which must go back when @func has returned: calls
 * nest. */
MUSTER_API guint64 muster_execution_enter (gconstpointer func);
MUSTER_API void muster_execution_leave (guint64 outer);

/* From now on the mark is kept in @slot; %NULL: in a place that nobody reads. */
MUSTER_API void muster_execution_set_slot (volatile guint64 *slot);

G_END_DECLS
