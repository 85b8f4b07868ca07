/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-types.h>

G_BEGIN_DECLS

/**
 * MusterSecret:
 *
 * A password, token or key: immutable, reference-counted, wiped when the last reference goes. It
 * has no string conversion on purpose.
 */
#define MUSTER_TYPE_SECRET (muster_secret_get_type ())
MUSTER_API GType muster_secret_get_type (void);

MUSTER_API MusterSecret *muster_secret_new (const void *data, gsize length);
MUSTER_API MusterSecret *muster_secret_ref (MusterSecret *self);
MUSTER_API void muster_secret_unref (MusterSecret *self);
MUSTER_API const char *muster_secret_peek (const MusterSecret *self, gsize *length);
MUSTER_API gboolean muster_secret_equal (const MusterSecret *a, const MusterSecret *b);

/* Overwrites memory so that the compiler cannot leave it out. */
MUSTER_API void muster_wipe (void *data, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSecret, muster_secret_unref)

G_END_DECLS
