/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: between the files of libmuster-1 that call into plugins. */

#pragma once

#include "muster-execution-private.h"

G_BEGIN_DECLS

/* Where the mark is kept. It is read after the process has died, so every write reaches memory. */
G_GNUC_INTERNAL extern volatile guint64 *muster_execution_slot;

/* As muster_execution_enter() and muster_execution_leave(), for every timer that runs. */
static inline guint64
muster_execution_mark (gconstpointer func)
{
  guint64 outer = *muster_execution_slot;

  *muster_execution_slot = (guint64) (gsize) func;
  return outer;
}

static inline void
muster_execution_unmark (guint64 outer)
{
  *muster_execution_slot = outer;
}

G_END_DECLS
