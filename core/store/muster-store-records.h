/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-store.h"

G_BEGIN_DECLS

/* Deep copies; a #GVariant is shared, and stays floating if it was: the caller keeps its own. */
MusterIdentityRecord *muster_identity_record_copy (const MusterIdentityRecord *self);
MusterAccountRecord *muster_account_record_copy (const MusterAccountRecord *self);
MusterRuntimeRecord *muster_runtime_record_copy (const MusterRuntimeRecord *self);
/* @from is of the same account. */
void muster_runtime_record_update (MusterRuntimeRecord *self, const MusterRuntimeRecord *from);
MusterEventRecord *muster_event_record_copy (const MusterEventRecord *self);
MusterPluginRecord *muster_plugin_record_copy (const MusterPluginRecord *self);

G_END_DECLS
