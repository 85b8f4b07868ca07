/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "store/muster-store.h"

#include <muster/muster-plugin.h>

G_BEGIN_DECLS

/* Returns (transfer full) (nullable): why an account with this configuration cannot be, a sentence; %NULL:
 * it can. */
char *
muster_account_find_problem (const MusterProtocol *protocol, const MusterAccountRecord *record);

G_END_DECLS
