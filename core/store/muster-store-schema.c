/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-schema.h"

#include "muster-schema.h"
#include "muster-store.h"

/*
 * The numbered migrations of data/schema, built in as a resource: NNN-what.sql takes a database
 * from user_version NNN - 1 to NNN.
 */

#define SCHEMA_PATH "/org/muster/Muster1/schema/"

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* In order; the build fails the unit tests if they are not 001, 002 and so on. */
static char **
migration_names (void)
{
  char **names;

  names = g_resource_enumerate_children (muster_schema_get_resource (), SCHEMA_PATH,
                                         G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_assert (names != NULL);
  qsort (names, g_strv_length (names), sizeof *names, compare_names);

  return names;
}

guint
muster_store_schema_get_latest (void)
{
  g_auto (GStrv) names = migration_names ();

  return g_strv_length (names);
}

static gboolean
migrate_step (MusterStoreDatabase *database, guint version, const char *name, GError **error)
{
  g_autofree char *path = g_strconcat (SCHEMA_PATH, name, NULL);
  g_autofree char *bump = g_strdup_printf ("PRAGMA user_version = %u", version);
  g_autoptr (GBytes) sql = NULL;

  g_assert (g_ascii_strtoull (name, NULL, 10) == version);

  sql = g_resource_lookup_data (muster_schema_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE,
                                NULL);
  g_assert (sql != NULL);

  if (!muster_store_database_begin (database, TRUE, error))
    return FALSE;

  /* resource data is followed by a NUL */
  if (!muster_store_database_script (database, g_bytes_get_data (sql, NULL), error) ||
      !muster_store_database_script (database, bump, error) ||
      !muster_store_database_commit (database, error)) {
    muster_store_database_rollback (database);
    return FALSE;
  }

  return TRUE;
}

gboolean
muster_store_schema_migrate (MusterStoreDatabase *database, guint version, GError **error)
{
  g_auto (GStrv) names = migration_names ();

  for (; names[version] != NULL; version++) {
    if (!migrate_step (database, version + 1, names[version], error)) {
      g_prefix_error (error, "cannot bring the database to version %u: ", version + 1);
      return FALSE;
    }
  }

  return TRUE;
}

gboolean
muster_store_schema_check (MusterStoreDatabase *database, GError **error)
{
  static const char *const probes[] = {
    "SELECT id, name, created_us, modified_us FROM identity LIMIT 0",
    "SELECT id, identity, protocol, address, name, enabled, params, created_us, modified_us"
    " FROM account LIMIT 0",
    "SELECT account, state, registered_at_us, expires_at_us, refresh_at_us, attempt, proof"
    " FROM runtime LIMIT 0",
    "SELECT account, name, value FROM sealed LIMIT 0",
    "SELECT seq, time_us, type, account, payload FROM event LIMIT 0",
    "SELECT id FROM retired LIMIT 0",
    "SELECT source, id, reason, time_us, dump FROM quarantine LIMIT 0",
    "SELECT sink, seq, time_us, type, account, payload FROM outbox LIMIT 0",
    "SELECT plugin, name_space, key, blob, expires_us, sealed, written, account FROM record LIMIT "
    "0",
    "SELECT plugin, n, last_written FROM record_count LIMIT 0",
    "SELECT identity, name, presence, text, priority, until_us, number FROM presence_layer LIMIT 0",
    "SELECT account, presence, text FROM presence_override LIMIT 0",
  };

  for (guint i = 0; i < G_N_ELEMENTS (probes); i++) {
    if (!muster_store_database_script (database, probes[i], error)) {
      g_prefix_error (error, "a table is not as expected: ");
      return FALSE;
    }
  }

  return TRUE;
}
