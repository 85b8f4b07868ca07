/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store/muster-store-quarantine.h"

#include <stdint.h>
#include <string.h>

/* Any value in the column of parameters: it is read, or there is a reason, and what is read is read
 * again after it was written. */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static sqlite3_stmt *
prepare (void)
{
  sqlite3 *database;
  sqlite3_stmt *statement;

  g_assert_cmpint (sqlite3_open (":memory:", &database), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (database, "SELECT ?1 AS params", -1, &statement, NULL), ==,
                   SQLITE_OK);
  return statement;
}

static GVariant *
read_column (sqlite3_stmt *statement, char **reason)
{
  g_autoptr (GVariant) value = NULL;

  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  value = muster_store_column_vardict (statement, 0, reason);
  if (value != NULL)
    g_variant_take_ref (value);
  sqlite3_reset (statement);
  return g_steal_pointer (&value);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static sqlite3_stmt *statement;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GVariant) again = NULL;
  g_autofree char *reason = NULL;
  g_autofree char *text = NULL;

  if (size == 0)
    return 0;
  if (statement == NULL)
    statement = prepare ();

  if (data[0] == 'b')
    sqlite3_bind_blob (statement, 1, data + 1, (int) size - 1, SQLITE_STATIC);
  else
    sqlite3_bind_text (statement, 1, (const char *) data + 1, (int) size - 1, SQLITE_STATIC);
  value = read_column (statement, &reason);
  g_assert_true ((value != NULL) == (reason == NULL));
  if (value == NULL) {
    g_assert_true (g_utf8_validate (reason, -1, NULL));
    return 0;
  }

  g_assert_true (g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT));
  text = g_variant_print (value, TRUE);
  sqlite3_bind_text (statement, 1, text, -1, SQLITE_STATIC);
  again = read_column (statement, &reason);
  g_assert_nonnull (again);
  return 0;
}
