/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-record-host.h"
#include "secrets/muster-vault.h"
#include "store/muster-store.h"

G_BEGIN_DECLS

/**
 * MusterPluginRecords:
 *
 * Keeps the records of all plugins in the store, seals those that are to be, and sweeps out those that
 * have expired.
 */
typedef struct _MusterPluginRecords MusterPluginRecords;

/* Both are lent until the end; @vault NULL: there is no key now. Then sealed records are not read, and
 * those that are put wait for it, the newest 1,000. */
MusterPluginRecords *muster_plugin_records_new (MusterStore *store, MusterVault *vault);
void muster_plugin_records_set_vault (MusterPluginRecords *self, MusterVault *vault);
void muster_plugin_records_free (MusterPluginRecords *self); /* after the plugins were stopped */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterPluginRecords, muster_plugin_records_free)

/* For muster_plugin_registry_set_record_host(), with the object as its data. */
const MusterRecordHost *muster_plugin_records_get_host (void);

G_END_DECLS
