/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"

/* Holds the place of the mark and nothing else: what a mark means is for whoever gave the place. It
 * always points somewhere, so that marking is one load and one store and never a question. */

static volatile guint64 nobody_reads;

volatile guint64 *muster_execution_slot = &nobody_reads;

guint64
muster_execution_enter (gconstpointer func)
{
  return muster_execution_mark (func);
}

void
muster_execution_leave (guint64 outer)
{
  muster_execution_unmark (outer);
}

void
muster_execution_set_slot (volatile guint64 *slot)
{
  muster_execution_slot = slot != NULL ? slot : &nobody_reads;
}
