/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterStore"

#include "config.h"

#include "muster-store-database.h"

#include "muster-store-schema.h"
#include "muster-store.h"

#include <muster/muster-hub.h>

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The SQLite connection: how it is opened, checked and, when damaged, set aside; transactions; and
 * what SQLite's results mean to us. Knows no table; muster-store-rows.c does.
 */

/* Only somebody with a database tool can hold us up: the lock file keeps other daemons out. */
#define BUSY_TIMEOUT_MS 2000

/* What SQLite says may quote what stands in a damaged file. */
static char *
dup_printable (const char *text)
{
  char *valid = g_utf8_make_valid (text, -1);

  for (char *c = valid; *c != '\0'; c++) {
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  }

  return valid;
}

/* results */

/* @cause: errno after the call. sqlite3_system_errno() knows nothing of a failed step. */
static MusterStoreError
code_for_result (int result, int cause)
{
  switch (result & 0xff) {
  case SQLITE_FULL:
    return MUSTER_STORE_ERROR_FULL;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return MUSTER_STORE_ERROR_BUSY;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return MUSTER_STORE_ERROR_DAMAGED;
  case SQLITE_IOERR: /* SQLite calls only ENOSPC "full"; a quota is no different to the user */
    if (cause == ENOSPC || cause == EDQUOT || cause == EFBIG)
      return MUSTER_STORE_ERROR_FULL;
    return MUSTER_STORE_ERROR_FAILED;
  default:
    return MUSTER_STORE_ERROR_FAILED;
  }
}

static void
set_error (MusterStoreDatabase *self, int result, GError **error)
{
  MusterStoreError code = code_for_result (result, errno);
  g_autofree char *words = NULL;

  if (code == MUSTER_STORE_ERROR_FULL) {
    g_set_error (error, MUSTER_STORE_ERROR, code, "no room left for the database %s", self->path);
    return;
  }

  words = dup_printable (sqlite3_errmsg (self->db));
  g_set_error (error, MUSTER_STORE_ERROR, code, "SQLite: %s", words);
}

/* statements */

static void
finalize_statement (gpointer statement)
{
  sqlite3_finalize (statement);
}

static sqlite3_stmt *
muster_store_database_prepare (MusterStoreDatabase *self, const char *sql, GError **error)
{
  sqlite3_stmt *statement = g_hash_table_lookup (self->statements, sql);
  int result;

  if (statement != NULL)
    return statement;

  result = sqlite3_prepare_v3 (self->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  if (result != SQLITE_OK) {
    set_error (self, result, error);
    return NULL;
  }
  g_hash_table_insert (self->statements, (gpointer) sql, statement);

  return statement;
}

static void
bind_value (sqlite3_stmt *statement, int i, char type, va_list *values)
{
  GBytes *bytes;
  gconstpointer data;
  gsize size;
  int result;

  switch (type) {
  case 't':
    result = sqlite3_bind_text (statement, i, va_arg (*values, const char *), -1, SQLITE_STATIC);
    break;
  case 'i':
    result = sqlite3_bind_int64 (statement, i, va_arg (*values, gint64));
    break;
  case 'b':
    bytes = va_arg (*values, GBytes *);
    data = g_bytes_get_data (bytes, &size);
    result = sqlite3_bind_blob64 (statement, i, data != NULL ? data : "", size, SQLITE_STATIC);
    break;
  default:
    g_assert_not_reached ();
  }
  g_assert (result == SQLITE_OK);
}

static sqlite3_stmt *
muster_store_database_query_va (MusterStoreDatabase *self,
                                GError **error,
                                const char *sql,
                                const char *format,
                                va_list *values)
{
  sqlite3_stmt *statement = muster_store_database_prepare (self, sql, error);

  if (statement == NULL)
    return NULL;

  for (int i = 0; format[i] != '\0'; i++)
    bind_value (statement, i + 1, format[i], values);

  return statement;
}

sqlite3_stmt *
muster_store_database_query (MusterStoreDatabase *self,
                             GError **error,
                             const char *sql,
                             const char *format,
                             ...)
{
  sqlite3_stmt *statement;
  va_list values;

  va_start (values, format);
  statement = muster_store_database_query_va (self, error, sql, format, &values);
  va_end (values);

  return statement;
}

void
muster_store_database_end (sqlite3_stmt *statement)
{
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
}

gboolean
muster_store_database_next (MusterStoreDatabase *self, sqlite3_stmt *statement, GError **error)
{
  int result;

  errno = 0;
  result = sqlite3_step (statement);
  if (result == SQLITE_ROW)
    return TRUE;

  if (result != SQLITE_DONE)
    set_error (self, result, error);
  muster_store_database_end (statement);

  return FALSE;
}

gboolean
muster_store_database_run (MusterStoreDatabase *self,
                           GError **error,
                           const char *sql,
                           const char *format,
                           ...)
{
  g_autoptr (GError) local_error = NULL;
  sqlite3_stmt *statement;
  va_list values;

  va_start (values, format);
  statement = muster_store_database_query_va (self, error, sql, format, &values);
  va_end (values);
  if (statement == NULL)
    return FALSE;

  while (muster_store_database_next (self, statement, &local_error))
    continue;

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }

  return TRUE;
}

gboolean
muster_store_database_script (MusterStoreDatabase *self, const char *sql, GError **error)
{
  int result;

  errno = 0;
  result = sqlite3_exec (self->db, sql, NULL, NULL, NULL);
  if (result != SQLITE_OK) {
    set_error (self, result, error);
    return FALSE;
  }

  return TRUE;
}

/* The first column of the first row, or NULL. */
static char *
muster_store_database_get_text (MusterStoreDatabase *self, const char *sql, GError **error)
{
  sqlite3_stmt *statement = muster_store_database_query (self, error, sql, "");
  char *text = NULL;

  if (statement == NULL || !muster_store_database_next (self, statement, error))
    return NULL;

  text = g_strdup ((const char *) sqlite3_column_text (statement, 0));
  muster_store_database_end (statement);

  return text;
}

static gboolean
muster_store_database_get_int (MusterStoreDatabase *self,
                               const char *sql,
                               gint64 *value,
                               GError **error)
{
  g_autofree char *text = muster_store_database_get_text (self, sql, error);

  if (text == NULL)
    return FALSE;
  *value = g_ascii_strtoll (text, NULL, 10);

  return TRUE;
}

/* transactions */

/* SQLite refuses to change this inside a transaction. A durable commit also makes everything that
 * was committed before it durable. */
static gboolean
muster_store_database_set_sync (MusterStoreDatabase *self, gboolean full, GError **error)
{
  if (self->sync_full == full)
    return TRUE;

  if (!muster_store_database_script (
        self, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", error))
    return FALSE;
  self->sync_full = full;

  return TRUE;
}

gboolean
muster_store_database_begin (MusterStoreDatabase *self, gboolean durable, GError **error)
{
  return muster_store_database_set_sync (self, durable, error) &&
         muster_store_database_run (self, error, "BEGIN IMMEDIATE", "");
}

gboolean
muster_store_database_commit (MusterStoreDatabase *self, GError **error)
{
  return muster_store_database_run (self, error, "COMMIT", "");
}

void
muster_store_database_rollback (MusterStoreDatabase *self)
{
  g_autoptr (GError) error = NULL;

  /* After a full disk SQLite may have rolled back by itself. */
  if (sqlite3_get_autocommit (self->db))
    return;

  if (!muster_store_database_run (self, &error, "ROLLBACK", ""))
    g_message ("cannot roll back: %s", error->message);
}

void
muster_store_database_forget_pages (MusterStoreDatabase *self)
{
  sqlite3_db_release_memory (self->db); /* says nothing but OK */
}

/* opening */

static void
set_damaged (GError **error, const char *what)
{
  g_set_error_literal (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_DAMAGED, what);
}

/* What the check of a STRICT table finds in single values is no damage of the file: such rows are
 * moved to the quarantine when they are loaded. */
static gboolean
is_about_one_row (const char *finding)
{
  return g_str_has_prefix (finding, "NULL value in ") ||
         (g_str_has_prefix (finding, "non-") && strstr (finding, " value in ") != NULL);
}

static gboolean
muster_store_database_check (MusterStoreDatabase *self, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autofree char *damage = NULL;
  sqlite3_stmt *statement;

  statement = muster_store_database_query (self, error, "PRAGMA integrity_check (100000)", "");
  if (statement == NULL)
    return FALSE;

  while (muster_store_database_next (self, statement, &local_error)) {
    const char *finding = (const char *) sqlite3_column_text (statement, 0);

    if (damage == NULL && finding != NULL && !g_str_equal (finding, "ok") &&
        !is_about_one_row (finding))
      damage = dup_printable (finding);
  }

  if (local_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  if (damage != NULL) {
    set_damaged (error, damage);
    return FALSE;
  }

  return TRUE;
}

/* Looks at the file without changing it. */
static gboolean
muster_store_database_inspect (MusterStoreDatabase *self, gint64 *version, GError **error)
{
  gint64 application_id, n_tables;

  if (!muster_store_database_get_int (self, "PRAGMA user_version", version, error) ||
      !muster_store_database_get_int (self, "PRAGMA application_id", &application_id, error) ||
      !muster_store_database_get_int (self, "SELECT count (*) FROM sqlite_schema", &n_tables,
                                      error))
    return FALSE;

  if (n_tables == 0 && *version == 0)
    return TRUE; /* new */

  if (application_id != MUSTER_STORE_APPLICATION_ID || *version < 1) {
    set_damaged (error, "it is not a database of Muster");
    return FALSE;
  }

  if (*version > muster_store_schema_get_latest ()) {
    g_set_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_TOO_NEW,
                 "the database %s was written by a newer version of Muster (its version is"
                 " %" G_GINT64_FORMAT ", this one reads up to %u)",
                 self->path, *version, muster_store_schema_get_latest ());
    return FALSE;
  }

  return muster_store_database_check (self, error);
}

static gboolean
muster_store_database_set_up (MusterStoreDatabase *self, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autofree char *mode = NULL;
  gint64 version;

  if (!muster_store_database_script (self,
                                     "PRAGMA cell_size_check = ON;"
                                     "PRAGMA trusted_schema = OFF;"
                                     "PRAGMA foreign_keys = ON;"
                                     "PRAGMA secure_delete = FAST;" /* no addresses left behind */
                                     "PRAGMA temp_store = MEMORY;"
                                     "PRAGMA synchronous = FULL",
                                     error) ||
      !muster_store_database_inspect (self, &version, error))
    return FALSE;
  self->sync_full = TRUE;

  mode = muster_store_database_get_text (self, "PRAGMA journal_mode = WAL", error);
  if (mode == NULL)
    return FALSE;
  if (!g_str_equal (mode, "wal")) /* no shared memory on this file system: slower, as safe */
    g_message ("%s: journal mode is %s instead of wal, ignoring", self->path, mode);

  if (!muster_store_database_script (self, "PRAGMA journal_size_limit = 4194304", error) ||
      !muster_store_schema_migrate (self, (guint) version, error))
    return FALSE;

  if (!muster_store_schema_check (self, &local_error)) {
    /* SQLite has no code for "no such table", but a file without it is not what it says it is. */
    g_set_error_literal (error, MUSTER_STORE_ERROR,
                         local_error->code == MUSTER_STORE_ERROR_FAILED ? MUSTER_STORE_ERROR_DAMAGED
                                                                        : local_error->code,
                         local_error->message);
    return FALSE;
  }

  return TRUE;
}

/* SQLite gives its -wal and -shm files the mode of the database. */
static gboolean
create_private (const char *path, GError **error)
{
  struct stat status;
  int fd, saved_errno = 0;

  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || fstat (fd, &status) < 0 || ((status.st_mode & 077) != 0 && fchmod (fd, 0600) < 0))
    saved_errno = errno;
  if (fd >= 0)
    close (fd);

  if (saved_errno != 0) {
    g_set_error (error, MUSTER_STORE_ERROR,
                 saved_errno == ENOSPC ? MUSTER_STORE_ERROR_FULL : MUSTER_STORE_ERROR_FAILED,
                 "cannot open the database %s: %s", path, g_strerror (saved_errno));
    return FALSE;
  }

  return TRUE;
}

void
muster_store_database_close (MusterStoreDatabase *self)
{
  int result;

  g_clear_pointer (&self->statements, g_hash_table_unref);
  result = sqlite3_close (self->db);
  g_assert (result == SQLITE_OK); /* no statement of ours is left */
  g_free (self->path);
  g_free (self);
}

static MusterStoreDatabase *
muster_store_database_try_open (const char *path, GError **error)
{
  MusterStoreDatabase *self;
  GError *local_error = NULL;
  int result;

  if (!create_private (path, error))
    return NULL;

  self = g_new0 (MusterStoreDatabase, 1);
  self->path = g_strdup (path);
  self->statements = g_hash_table_new_full (NULL, NULL, NULL, finalize_statement);

  result = sqlite3_open_v2 (path, &self->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (result == SQLITE_OK) {
    sqlite3_extended_result_codes (self->db, TRUE);
    sqlite3_busy_timeout (self->db, BUSY_TIMEOUT_MS);
    muster_store_database_set_up (self, &local_error);
  } else {
    set_error (self, result, &local_error);
  }

  if (local_error == NULL)
    return self;

  /* leave a damaged file's log as evidence beside it */
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  muster_store_database_close (self);
  g_propagate_error (error, local_error);

  return NULL;
}

/* damage */

/* A name beside @path that nothing has yet. */
static char *
free_name (const char *path)
{
  g_autoptr (GDateTime)
    now = g_date_time_new_from_unix_utc (muster_clock_wall_us () / G_USEC_PER_SEC);
  g_autofree char *stamp = g_date_time_format (now, "%Y%m%dT%H%M%SZ");
  char *name = g_strdup_printf ("%s.damaged-%s", path, stamp);

  for (guint i = 2; g_file_test (name, G_FILE_TEST_EXISTS); i++) {
    g_free (name);
    name = g_strdup_printf ("%s.damaged-%s-%u", path, stamp, i);
  }

  return name;
}

static char *
set_aside (const char *path, GError **error)
{
  static const char *const suffixes[] = { "-wal", "-shm", "" }; /* the file itself last */
  g_autofree char *aside = free_name (path);

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    g_autofree char *from = g_strconcat (path, suffixes[i], NULL);
    g_autofree char *to = g_strconcat (aside, suffixes[i], NULL);
    int saved_errno;

    if (g_rename (from, to) == 0)
      continue;

    saved_errno = errno;
    if (saved_errno == ENOENT && *suffixes[i] != '\0')
      continue;

    g_set_error (error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_DAMAGED,
                 "the database %s is damaged and cannot be renamed: %s", path,
                 g_strerror (saved_errno));
    return NULL;
  }

  return g_steal_pointer (&aside);
}

MusterStoreDatabase *
muster_store_database_open (const char *path, char **notice, GError **error)
{
  MusterStoreDatabase *self;
  g_autoptr (GError) local_error = NULL;
  g_autofree char *aside = NULL;

  self = muster_store_database_try_open (path, &local_error);
  if (self != NULL)
    return self;

  if (!g_error_matches (local_error, MUSTER_STORE_ERROR, MUSTER_STORE_ERROR_DAMAGED)) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }

  aside = set_aside (path, error);
  if (aside == NULL)
    return NULL;

  self = muster_store_database_try_open (path, error);
  if (self != NULL)
    *notice = g_strdup_printf ("the database was damaged (%s); it was kept as %s, and a new one"
                               " was begun",
                               local_error->message, aside);

  return self;
}
