/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-record-host.h"
#include "muster-registration-host.h"

G_BEGIN_DECLS

/**
 * MusterModule:
 *
 * A plugin's file, what it says about itself, and whether it works. A module that does not work is
 * kept and listed with its reason.
 */
typedef struct _MusterModule MusterModule;

/* Opens @path and checks its table; calls no function of it. Never %NULL: see the state. */
MusterModule *muster_module_open (const char *path);
/* One that is listed with its @reason and not opened. */
MusterModule *muster_module_new_unopened (const char *path, const char *reason);
void muster_module_free (MusterModule *self);

/* Where its context keeps its records; before it is started. */
void muster_module_set_record_host (MusterModule *self,
                                    const MusterRecordHost *host,
                                    gpointer host_data);

/* Starts its context if it has one and was not started. %MUSTER_ERROR_INVALID if it does not work, or
 * is suspended. */
gboolean muster_module_start (MusterModule *self, GError **error);
void muster_module_stop (MusterModule *self);

void muster_module_fail (MusterModule *self, const char *reason);

/* Names are unique among what is listed: for one that came second. */
void muster_module_set_name (MusterModule *self, const char *name);

/* A module that brought the daemon down too often is suspended: it is listed, with its table if that
 * could be read, but not started. Resuming forgets why, and reads the table if that is missing. */
gboolean muster_module_is_suspended (MusterModule *self);
void muster_module_resume (MusterModule *self);

const char *
muster_module_get_name (MusterModule *self); /* as its file is called, if nothing else */
const char *muster_module_get_path (MusterModule *self);
const char *muster_module_get_reason (MusterModule *self);           /* "" if it works */
const MusterPluginInfo *muster_module_get_info (MusterModule *self); /* NULL if it does not work */
MusterPluginContext *muster_module_get_context (MusterModule *self); /* NULL if it has none */

G_END_DECLS
