/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Locks the database at @path for this process; returns a descriptor that holds the lock until it
 * is closed, or -1 with %MUSTER_STORE_ERROR_BUSY, naming the holder, if another has it. */
int muster_store_lock_take (const char *path, GError **error);

G_END_DECLS
