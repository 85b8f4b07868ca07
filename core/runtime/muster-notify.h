/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MusterNotify:
 *
 * What the service manager is told: that we are ready, how we are, that the main loop still turns
 * (see sd_notify(3), sd_watchdog_enabled(3)). Where there is none, every call does nothing.
 */
typedef struct _MusterNotify MusterNotify;

/* Returns (transfer full): one line that says how we are. */
typedef char *(*MusterNotifyStatusFunc) (gpointer user_data);

/* Reads the environment and takes what it read out of it: before threads are begun. */
MusterNotify *muster_notify_new (MusterNotifyStatusFunc status_func, gpointer user_data);
void muster_notify_free (MusterNotify *self);

/* Whether the manager ends us when the main loop stands still. */
gboolean muster_notify_has_watchdog (MusterNotify *self);

void muster_notify_ready (MusterNotify *self);
void muster_notify_stopping (MusterNotify *self);

/* The status may have changed. It is told once a second at most, and only if it is another one. */
void muster_notify_touch (MusterNotify *self);

G_END_DECLS
