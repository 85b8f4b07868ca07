/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-kept.h"

#include <string.h>

/* What is larger is no password, and 20,000 of these are at most 5 MB. */
#define VALUE_MAX_BYTES 256
#define VALUES_MAX      20000

/* One account's values in a list: most have one. */
typedef struct _KeptValue KeptValue;
struct _KeptValue {
  KeptValue *next;
  char *account;
  GBytes *bytes;
  char name[];
};

struct _MusterStoreKept {
  GHashTable *values; /* account (the first one's) -> KeptValue */
};

static void
kept_value_free (KeptValue *value)
{
  g_free (value->account);
  g_bytes_unref (value->bytes);
  g_free (value);
}

static void
kept_values_free (gpointer data)
{
  KeptValue *next;

  for (KeptValue *value = data; value != NULL; value = next) {
    next = value->next;
    kept_value_free (value);
  }
}

MusterStoreKept *
muster_store_kept_new (void)
{
  MusterStoreKept *self = g_new0 (MusterStoreKept, 1);

  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, kept_values_free);
  return self;
}

void
muster_store_kept_free (MusterStoreKept *self)
{
  g_hash_table_unref (self->values);
  g_free (self);
}

static KeptValue *
read_value (sqlite3_stmt *row)
{
  const char *account = (const char *) sqlite3_column_text (row, 0);
  const char *name = (const char *) sqlite3_column_text (row, 1);
  gsize name_bytes = strlen (name) + 1;
  KeptValue *value = g_malloc0 (sizeof (KeptValue) + name_bytes);

  memcpy (value->name, name, name_bytes);
  value->account = g_strdup (account);
  value->bytes = g_bytes_new (sqlite3_column_blob (row, 2), (gsize) sqlite3_column_bytes (row, 2));
  return value;
}

GPtrArray *
muster_store_kept_load_rows (MusterStoreDatabase *database, GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) kept_value_free);
  g_autoptr (GError) local_error = NULL;
  sqlite3_stmt *row;

  row = muster_store_database_query (database, error,
                                     "SELECT account, name, value FROM sealed"
                                     " WHERE typeof (value) = 'blob' AND length (value) <= ?"
                                     " ORDER BY account, name LIMIT ?",
                                     "ii", (gint64) VALUE_MAX_BYTES, (gint64) VALUES_MAX);
  if (row == NULL)
    return NULL;

  while (muster_store_database_next (database, row, &local_error))
    g_ptr_array_add (values, read_value (row));

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }

  return g_steal_pointer (&values);
}

void
muster_store_kept_fill (MusterStoreKept *self, GPtrArray *values)
{
  g_ptr_array_set_free_func (values, NULL);
  for (guint i = 0; i < values->len; i++) {
    KeptValue *value = values->pdata[i];
    KeptValue *first = g_hash_table_lookup (self->values, value->account);

    if (first == NULL) {
      g_hash_table_insert (self->values, value->account, value);
    } else {
      value->next = first->next;
      first->next = value;
    }
  }
  g_ptr_array_unref (values);
}

GBytes *
muster_store_kept_peek (MusterStoreKept *self, const char *account, const char *name)
{
  for (KeptValue *value = g_hash_table_lookup (self->values, account); value != NULL;
       value = value->next) {
    if (strcmp (value->name, name) == 0)
      return value->bytes;
  }
  return NULL;
}

/* One that goes takes the account's others along: they are read from the file then. */
void
muster_store_kept_forget (MusterStoreKept *self, const char *account, const char *name)
{
  if (name == NULL || muster_store_kept_peek (self, account, name) != NULL)
    g_hash_table_remove (self->values, account);
}
