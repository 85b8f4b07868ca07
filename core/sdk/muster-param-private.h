/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: a parameter's help in sentences of the daemon. */

#pragma once

#include <muster/muster-param.h>

G_BEGIN_DECLS

/* (transfer full) (nullable): what the value is, to go on with after "it is"; %NULL: nobody says. */
MUSTER_API char *muster_param_dup_clause (const MusterParam *param);

G_END_DECLS
