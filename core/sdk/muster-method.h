/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: how the methods of capabilities reach plugins. */

#pragma once

#include "muster-lane.h"

G_BEGIN_DECLS

/**
 * MusterMethod:
 *
 * One method of a capability: a pair of functions that a plugin implements, called in a lane. One that
 * takes no arguments needs no code but its offset; others hand them over in @start_with, from the data
 * of the task. Its answer is yes or no, or a pointer where @free_answer is there.
 */
typedef struct {
  const char *lane;
  GType (*get_interface) (void);
  gsize start; /* offset in the interface; unused with the next */
  MusterLaneStart start_with;
  gsize finish; /* offset in the interface; unused with the next */
  MusterLaneFinish finish_with;
  GDestroyNotify free_answer;
  gpointer (*tame) (gpointer answer); /* (transfer full) of both; may be NULL */
} MusterMethod;

/* @data (taken) are the arguments. */
void muster_method_run (const MusterMethod *method,
                        gpointer registration,
                        gpointer data,
                        GDestroyNotify free_data,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);

/* What it came to. */
gboolean muster_method_end (const MusterMethod *method,
                            gpointer registration,
                            GAsyncResult *result,
                            GError **error);
gpointer muster_method_end_pointer (const MusterMethod *method,
                                    gpointer registration,
                                    GAsyncResult *result,
                                    GError **error);

G_END_DECLS
