/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MusterDaemon:
 *
 * All parts of musterd, opened in the order in which they need each other. There is one in a process.
 */
typedef struct _MusterDaemon MusterDaemon;

/* @ended: it has left, or was left alone by the bus; the main loop is not needed any more. */
MusterDaemon *muster_daemon_new (void (*ended) (gpointer user_data), gpointer user_data);
void muster_daemon_free (MusterDaemon *self);

/* %FALSE: what stands in the way was printed, and all that is left to do is to free it. */
gboolean muster_daemon_open (MusterDaemon *self);

/* Takes back what services hold, for at most 3 s, and ends. Once is enough. */
void muster_daemon_leave (MusterDaemon *self);

/* 0 unless something went wrong: see the manual page. */
int muster_daemon_get_exit_status (MusterDaemon *self);

G_END_DECLS
