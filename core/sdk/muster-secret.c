/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include <muster/muster-secret.h>

#include <string.h>

/* The bytes follow the header in one allocation, so that one wipe takes all of it. */
struct _MusterSecret {
  gatomicrefcount ref_count;
  gsize length;
  char data[]; /* NUL-terminated beyond @length */
};

G_DEFINE_BOXED_TYPE (MusterSecret, muster_secret, muster_secret_ref, muster_secret_unref)

/**
 * muster_wipe:
 * @data: (nullable): memory
 * @length: its size in bytes
 *
 * Overwrites memory that held a secret.
 */
void
muster_wipe (void *data, gsize length)
{
  if (data != NULL)
    explicit_bzero (data, length);
}

/**
 * muster_secret_new:
 * @data: (nullable): the bytes; may hold zeros; %NULL only with @length 0
 * @length: their number
 *
 * Returns: (transfer full): a secret that holds a copy; wipe the original yourself
 */
MusterSecret *
muster_secret_new (const void *data, gsize length)
{
  MusterSecret *self = g_malloc (sizeof *self + length + 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->length = length;
  if (length > 0)
    memcpy (self->data, data, length);
  self->data[length] = '\0';

  return self;
}

/**
 * muster_secret_ref:
 * @self: a secret
 *
 * Returns: (transfer full): @self
 */
MusterSecret *
muster_secret_ref (MusterSecret *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * muster_secret_unref:
 * @self: (transfer full): a secret
 *
 * Drops a reference; the last one wipes the bytes.
 */
void
muster_secret_unref (MusterSecret *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  muster_wipe (self->data, self->length);
  g_free (self);
}

/**
 * muster_secret_peek:
 * @self: a secret
 * @length: (out) (optional): the number of bytes, without the closing NUL
 *
 * Returns: (transfer none): the bytes, followed by a NUL that is not part of them
 */
const char *
muster_secret_peek (const MusterSecret *self, gsize *length)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (length != NULL)
    *length = self->length;
  return self->data;
}

/**
 * muster_secret_equal:
 * @a: a secret
 * @b: another
 *
 * Compares in a time that depends on the lengths alone.
 *
 * Returns: whether they hold the same bytes
 */
gboolean
muster_secret_equal (const MusterSecret *a, const MusterSecret *b)
{
  guint8 difference = 0;

  g_return_val_if_fail (a != NULL && b != NULL, FALSE);

  if (a->length != b->length)
    return FALSE;

  for (gsize i = 0; i < a->length; i++)
    difference |= (guint8) (a->data[i] ^ b->data[i]);

  return difference == 0;
}
