/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: what tests may do to a stream. */

#pragma once

#include <muster/muster-stream.h>

G_BEGIN_DECLS

/* For tests against the real clock. Before connecting. */
MUSTER_API void muster_stream_set_deadlines_ms (MusterStream *self,
                                                guint resolve_ms,
                                                guint connect_ms,
                                                guint tls_ms,
                                                guint close_ms);

G_END_DECLS
