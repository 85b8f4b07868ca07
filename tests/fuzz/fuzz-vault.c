/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "secrets/muster-vault.h"

#include <stdint.h>

/* Any bytes as a sealed row; and a row of ours with the bytes laid over it: only what is just as it was
 * sealed, at the place that it was sealed for, opens. */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
open_damaged (MusterVault *vault, GBytes *sealed, const uint8_t *data, size_t size)
{
  gsize length;
  const guint8 *whole = g_bytes_get_data (sealed, &length);
  g_autofree guint8 *damaged = g_memdup2 (whole, length);
  g_autofree guint8 *mask = g_malloc0 (length);
  gboolean is_whole = TRUE;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (MusterSecret) secret = NULL;
  g_autoptr (GError) error = NULL;

  /* Not by memcmp (): libFuzzer listens to it, learns our sealed rows, and replays them. */
  for (size_t i = 0; i < size; i++)
    mask[i % length] ^= data[i];
  for (gsize i = 0; i < length; i++) {
    damaged[i] ^= mask[i];
    is_whole = is_whole && mask[i] == 0;
  }
  bytes = g_bytes_new (damaged, length);

  secret = muster_vault_open (vault, "account", "name", bytes, &error);
  g_assert_true ((secret != NULL) == is_whole);
  g_assert_true ((secret == NULL) == (error != NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint8 key[MUSTER_VAULT_KEY_BYTES] = { 7 };
  static MusterVault *vault;
  g_autoptr (GBytes) foreign = g_bytes_new (data, size);
  g_autoptr (GBytes) sealed = NULL;
  g_autoptr (MusterSecret) none = NULL;
  g_autoptr (MusterSecret) elsewhere = NULL;
  g_autoptr (MusterSecret) ours = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  if (vault == NULL)
    vault = muster_vault_new (key);

  none = muster_vault_open (vault, "account", "name", foreign, &error);
  g_assert_true (none == NULL && error != NULL);

  sealed = muster_vault_seal (vault, "account", "name", data, size);
  ours = muster_vault_open (vault, "account", "name", sealed, NULL);
  g_assert_nonnull (ours);
  g_assert_cmpmem (muster_secret_peek (ours, &length), size, data, size);
  elsewhere = muster_vault_open (vault, "other", "name", sealed, NULL);
  g_assert_null (elsewhere);

  open_damaged (vault, sealed, data, size);
  return 0;
}
