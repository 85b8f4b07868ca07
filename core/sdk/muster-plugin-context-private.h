/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed, not exported: what the files about contexts tell each other. */

#pragma once

#include "muster-record-host.h"

G_BEGIN_DECLS

typedef struct {
  const char *plugin;
  const MusterRecordHost *host; /* NULL: it has no records */
  gpointer host_data;
} MusterContextRecords;

const MusterContextRecords *muster_plugin_context_get_records (MusterPluginContext *self);

G_END_DECLS
