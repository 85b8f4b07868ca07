/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-account-secrets.h"

void
muster_account_secrets_init (MusterAccountSecrets *self)
{
  self->names = g_new0 (char *, 1);
  self->versions = NULL;
}

void
muster_account_secrets_clear (MusterAccountSecrets *self)
{
  g_strfreev (self->names);
  g_free (self->versions);
}

void
muster_account_secrets_set (MusterAccountSecrets *self, const char *name, guint version)
{
  guint n = g_strv_length (self->names);
  guint at = 0;

  while (at < n && !g_str_equal (self->names[at], name))
    at++;
  if (at == n) {
    self->names = g_renew (char *, self->names, n + 2);
    self->versions = g_renew (guint, self->versions, n + 1);
    self->names[n] = g_strdup (name);
    self->names[n + 1] = NULL;
  }
  self->versions[at] = version;
}

void
muster_account_secrets_forget (MusterAccountSecrets *self, const char *name)
{
  guint n = 0;

  for (guint i = 0; self->names[i] != NULL; i++) {
    if (g_str_equal (self->names[i], name)) {
      g_free (self->names[i]);
      continue;
    }
    self->names[n] = self->names[i];
    self->versions[n++] = self->versions[i];
  }
  self->names[n] = NULL;
}

guint
muster_account_secrets_get_version (const MusterAccountSecrets *self, const char *name)
{
  for (guint i = 0; self->names[i] != NULL; i++) {
    if (g_str_equal (self->names[i], name))
      return self->versions[i];
  }
  return 0;
}
