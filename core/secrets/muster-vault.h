/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-secret.h>

G_BEGIN_DECLS

/**
 * MusterVault:
 *
 * Seals and opens secrets under one random key (AES-256-GCM by GnuTLS), with the place where the
 * row stands (table, column, account, name) as associated data, so that a sealed row moved
 * elsewhere does not open. Knows nothing of where the key or the rows are kept.
 */
typedef struct _MusterVault MusterVault;

#define MUSTER_VAULT_KEY_BYTES 32

MusterVault *muster_vault_new (const guint8 *key); /* copies and locks MUSTER_VAULT_KEY_BYTES */
void muster_vault_free (MusterVault *self);        /* wipes the key */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterVault, muster_vault_free)

/* (transfer full): tells keys apart, and says nothing of the key itself */
char *muster_vault_dup_fingerprint (MusterVault *self);

GBytes *muster_vault_seal (MusterVault *self,
                           const char *account,
                           const char *name,
                           const void *data,
                           gsize length);
/* Tells what was sealed at different times apart, by a sealed value or the 16 bytes that it begins with.
 * Never 0, but for what was not sealed by a vault. */
guint muster_vault_get_stamp (GBytes *sealed);
/* %NULL with %MUSTER_ERROR_INVALID if @sealed was not sealed by this key for this place. */
MusterSecret *muster_vault_open (MusterVault *self,
                                 const char *account,
                                 const char *name,
                                 GBytes *sealed,
                                 GError **error);

/* The key file: 32 random bytes as base64, 0600, written with fsync and rename. Reads it, or makes
 * it if it is missing and @create. Refuses a file that others may read or write, or that is damaged,
 * saying so. Blocks: called before the loop runs. */
MusterVault *muster_vault_open_key_file (const char *path, gboolean create, GError **error);

G_END_DECLS
