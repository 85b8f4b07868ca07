/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MusterProtection:
 * @MUSTER_PROTECTION_SECRET_SERVICE: an item of the session's keyring
 * @MUSTER_PROTECTION_KEY_FILE: a file beside the database that only the user may read
 * @MUSTER_PROTECTION_SYSTEMD_CREDENTIAL: a credential that systemd hands to the daemon
 *
 * Where the key of the vault is kept.
 */
typedef enum {
  MUSTER_PROTECTION_SECRET_SERVICE,
  MUSTER_PROTECTION_KEY_FILE,
  MUSTER_PROTECTION_SYSTEMD_CREDENTIAL,
} MusterProtection;

const char *muster_protection_to_string (MusterProtection protection); /* "key-file", ... */

/**
 * MusterProtectionRecord:
 *
 * Which key a store's values are sealed under: where it is kept, and its fingerprint. It stands in
 * a file beside the database, and is durable before anything is sealed, so that a key that is gone
 * is missed and never replaced.
 */
typedef struct {
  MusterProtection protection;
  char *fingerprint;
} MusterProtectionRecord;

void muster_protection_record_free (MusterProtectionRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterProtectionRecord, muster_protection_record_free)

/* %NULL without an error if there is none. Both block. */
MusterProtectionRecord *muster_protection_read (const char *path, GError **error);
gboolean muster_protection_write (const char *path,
                                  MusterProtection protection,
                                  const char *fingerprint,
                                  GError **error);

G_END_DECLS
