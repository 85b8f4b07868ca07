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

/* A key that somebody else keeps for us, such as systemd: as a text, or its bare bytes. It may belong
 * to root, and nobody else may write it. */
gboolean muster_key_file_load_credential (const char *path, guint8 *key, GError **error);

/* A key as a text: MUSTER_KEY_TEXT_BYTES of base64. Decoding takes a newline behind it, and nothing
 * else that encoding does not write. */
#define MUSTER_KEY_TEXT_BYTES 44

void muster_key_encode (const guint8 *key, char *text); /* no NUL behind it */
gboolean muster_key_decode (const char *text, gsize length, guint8 *key);
gboolean muster_key_make (guint8 *key, GError **error);

G_END_DECLS
