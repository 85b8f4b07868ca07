/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-keyring.h"
#include "muster-protection.h"
#include "muster-vault.h"

G_BEGIN_DECLS

/**
 * MusterKeySource:
 *
 * Gets the key of the vault from where it is kept, once: as soon as it is there, nothing is asked
 * for it again. Decides where that is, makes the key for a store that has none, and never for one
 * whose values are sealed under another. While the key cannot be had, waits for it by itself.
 */
typedef struct _MusterKeySource MusterKeySource;

/**
 * MusterKeyState:
 * @MUSTER_KEY_OPENING: the first look has not ended
 * @MUSTER_KEY_READY: the vault is there, and stays
 * @MUSTER_KEY_LOCKED: the keyring must be unlocked by its user
 * @MUSTER_KEY_UNAVAILABLE: nothing answers where the key is kept
 * @MUSTER_KEY_TIMED_OUT: the keyring is there and does not answer
 * @MUSTER_KEY_MISSING: the key that the store's values are sealed under is gone
 */
typedef enum {
  MUSTER_KEY_OPENING,
  MUSTER_KEY_READY,
  MUSTER_KEY_LOCKED,
  MUSTER_KEY_UNAVAILABLE,
  MUSTER_KEY_TIMED_OUT,
  MUSTER_KEY_MISSING,
} MusterKeyState;

const char *muster_key_state_to_string (MusterKeyState state);  /* "timed-out", ... */
const char *muster_key_state_get_reason (MusterKeyState state); /* of a wait; "" if ready */

/* @folder: of the store; @credentials: the folder of those that systemd gave, or %NULL; @sealed:
 * whether the store holds sealed values; @ops, @keyring: lent. @changed: state or problem did. */
MusterKeySource *muster_key_source_new (const char *folder,
                                        const char *credentials,
                                        gboolean sealed,
                                        const MusterKeyringOps *ops,
                                        gpointer keyring,
                                        void (*changed) (gpointer data),
                                        gpointer data);
void muster_key_source_free (MusterKeySource *self); /* the vault goes with it */

/* Decides, and looks for the first time. Blocks for files only; a key file or a credential is ready,
 * or known to be gone, when it returns. */
void muster_key_source_start (MusterKeySource *self);

MusterKeyState muster_key_source_get_state (MusterKeySource *self);
MusterProtection muster_key_source_get_protection (MusterKeySource *self);
const char *muster_key_source_get_problem (MusterKeySource *self); /* a sentence; "" if ready */
MusterVault *muster_key_source_get_vault (MusterKeySource *self);  /* lent; NULL until ready */
guint muster_key_source_get_n_reads (MusterKeySource *self);       /* looks into the keyring */

/* A user asked: looks at once, and has the keyring ask the user if it is locked. Ends when the key is
 * there, or with why not (%G_IO_ERROR_PERMISSION_DENIED). */
void
muster_key_source_unlock_async (MusterKeySource *self, GAsyncReadyCallback callback, gpointer data);
gboolean
muster_key_source_unlock_finish (MusterKeySource *self, GAsyncResult *result, GError **error);

G_END_DECLS
