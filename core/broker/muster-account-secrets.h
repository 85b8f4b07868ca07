/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* Which secrets of an account are stored. */
typedef struct {
  GStrv names; /* never NULL */
  guint *versions;
} MusterAccountSecrets;

void muster_account_secrets_init (MusterAccountSecrets *self);
void muster_account_secrets_clear (MusterAccountSecrets *self);

/* @version tells this one from any that was stored before, as muster_vault_get_stamp() does; 0: it cannot be
 * told. */
void muster_account_secrets_set (MusterAccountSecrets *self, const char *name, guint version);
void muster_account_secrets_forget (MusterAccountSecrets *self, const char *name);
guint muster_account_secrets_get_version (const MusterAccountSecrets *self, const char *name);
