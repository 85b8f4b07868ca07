/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: the lanes of a registration. */

#pragma once

#include <muster/muster-registration.h>

G_BEGIN_DECLS

/*
 * Each capability, and each side lease, has a lane: calls in it run one after the other, calls in
 * different lanes side by side. A call is a task, whose data are its arguments; @start hands it to
 * the plugin, and @finish takes the plugin's answer and completes the task with it.
 */
typedef void (*MusterLaneStart) (MusterRegistration *registration,
                                 GTask *task,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
typedef void (*MusterLaneFinish) (MusterRegistration *registration,
                                  GAsyncResult *result,
                                  GTask *task);

typedef struct _MusterLanes MusterLanes;

/* Called when the last call has ended after muster_lanes_close(). */
typedef void (*MusterLanesEmptyFunc) (MusterRegistration *registration);

MusterLanes *muster_lanes_new (MusterRegistration *registration, MusterLanesEmptyFunc empty);
void muster_lanes_free (MusterLanes *self); /* when nothing is under way */

/* Takes @task. A full or closed lane completes it with an error. */
void muster_lanes_run (MusterLanes *self,
                       const char *lane,
                       GTask *task,
                       MusterLaneStart start,
                       MusterLaneFinish finish);

/* Cancels all calls and takes no more, until they are opened again. FALSE: some are still under way,
 * and the function given at first is called when they have ended. */
gboolean muster_lanes_close (MusterLanes *self);
void muster_lanes_open (MusterLanes *self);
gboolean muster_lanes_is_busy (MusterLanes *self);

/* The lane will not be used again: it goes when it is empty. */
void muster_lanes_forget (MusterLanes *self, const char *lane);

/* What a plugin's failure (taken) is to the broker: %MUSTER_ERROR or %G_IO_ERROR_CANCELLED. */
GError *muster_sane_error (gpointer object, GError *error);
gboolean muster_error_is_known (const GError *error); /* of our codes */

/* For muster-method.c and side leases: a task of @self that runs in @lane. @data (taken) are its
 * arguments. */
void muster_registration_run (MusterRegistration *self,
                              const char *lane,
                              gpointer tag,
                              gpointer data,
                              GDestroyNotify free_data,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data,
                              MusterLaneStart start,
                              MusterLaneFinish finish);

G_END_DECLS
