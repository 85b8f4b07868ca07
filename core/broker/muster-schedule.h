/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-error.h>

G_BEGIN_DECLS

/* When to refresh, when to retry, how long to wait for an answer. Pure: @chance is a number drawn
 * evenly from [0, 1) by the caller. Delays and deadlines are milliseconds from now. */

/* The refresh of a lease; both as in #MusterLease, and not both 0. */
gint64 muster_schedule_refresh_ms (guint lease_s, guint refresh_after_s, double chance);

/* The next attempt after @n_failures (1 for the first) in a row. */
gint64 muster_schedule_retry_ms (guint n_failures, guint floor_s, double chance);

/* After a failure with @code that said @retry_after_s (0: nothing); %G_MAXINT64: never by itself. */
gint64 muster_schedule_after_error_ms (MusterError code,
                                       guint n_failures,
                                       guint retry_after_s,
                                       guint floor_s,
                                       double chance);

/* As above, for telling the service something while the registration stands. It is tried again when
 * something changes, too. */
gint64 muster_schedule_republish_ms (MusterError code,
                                     guint n_failures,
                                     guint retry_after_s,
                                     double chance);

/* The next try of a refresh that failed in passing, with @left_ms of the lease left; %G_MAXINT64:
 * there is no room for another. @after_error_ms as from the function above; @is_told: the service
 * itself asked for so much time, and gets it if the lease lasts. */
gint64 muster_schedule_refresh_retry_ms (gint64 left_ms, gint64 after_error_ms, gboolean is_told);

/* How long an attempt may take: @left_ms of the lease left, 0 if none runs. */
gint64 muster_schedule_open_deadline_ms (gint64 left_ms);
gint64 muster_schedule_close_deadline_ms (void);

G_END_DECLS
