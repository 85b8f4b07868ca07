/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The key file behind muster_vault_open_key_file(). @key gets MUSTER_VAULT_KEY_BYTES, which the
 * caller wipes. */
gboolean muster_key_file_load (const char *path, gboolean create, guint8 *key, GError **error);

G_END_DECLS
