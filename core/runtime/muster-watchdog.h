/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MusterWatchdog:
 *
 * Ends the process by SIGABRT when the main loop has stood still for too long: for where no service
 * manager does.
 */
typedef struct _MusterWatchdog MusterWatchdog;

MusterWatchdog *muster_watchdog_new (guint limit_s);
void muster_watchdog_free (MusterWatchdog *self);

G_END_DECLS
