/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-hub-private.h"
#include "secrets/muster-key-file.h"
#include "secrets/muster-key-source.h"

#include <muster/muster-secret.h>

#include <glib/gstdio.h>

#include <string.h>
#include <unistd.h>

/* On virtual time, with a keyring of straw that says what the test told it to. */

#define START_US  (1000 * G_USEC_PER_SEC)
#define WALL_US   (G_GINT64_CONSTANT (1750000000) * G_USEC_PER_SEC)
#define LIMIT_MS  5000
#define PERSON_MS (5 * 60 * 1000)

typedef enum {
  STRAW_OPEN,
  STRAW_LOCKED,
  STRAW_PARTLY,
  STRAW_BARE,
  STRAW_ABSENT,
  STRAW_HUNG,
} StrawState;

typedef struct {
  StrawState state;
  gboolean offered;
  GPtrArray *keys; /* MusterSecret */
  gboolean forgets;
  gboolean user_answers; /* when asked to unlock: TRUE: does it; FALSE: dismisses */
  gboolean user_dawdles;
  MusterKeyringFunc func;
  gpointer user_data;
  guint n_finds, n_keeps, n_unlocks, n_awaits;
  guint n_under_way, n_most; /* calls at a time */
} Straw;

typedef struct {
  char *folder;
  char *key_path;
  char *record_path;
  char *credential;
  Straw straw;
  MusterKeySource *source;
  guint n_changed;
  guint n_answers;
  GError *answer;
} Fixture;

/* the keyring of straw */

static void
straw_answer (Straw *straw, GTask *task, GError *error)
{
  straw->n_under_way--;
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
on_straw_cancelled (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;

  straw_answer (g_task_get_task_data (task), task,
                g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
}

/* %NULL: there will be no answer but the end of patience. */
static GTask *
straw_begin (Straw *straw,
             gboolean silent,
             GCancellable *cancellable,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);

  straw->n_under_way++;
  straw->n_most = MAX (straw->n_most, straw->n_under_way);
  g_task_set_task_data (task, straw, NULL);
  if (!silent)
    return task;

  g_cancellable_connect (cancellable, G_CALLBACK (on_straw_cancelled), task, NULL);
  return NULL;
}

static GError *
straw_error (Straw *straw)
{
  if (straw->state == STRAW_ABSENT)
    return g_error_new (G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN, "nobody is there");

  return NULL;
}

static gboolean
straw_is_offered (gpointer keyring)
{
  return ((Straw *) keyring)->offered;
}

static void
straw_watch (gpointer keyring, MusterKeyringFunc func, gpointer user_data)
{
  Straw *straw = keyring;

  straw->func = func;
  straw->user_data = user_data;
}

static void
straw_await (gpointer keyring)
{
  ((Straw *) keyring)->n_awaits++;
}

static void
straw_find (gpointer keyring,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  Straw *straw = keyring;
  GTask *task = straw_begin (straw, straw->state == STRAW_HUNG, cancellable, callback, user_data);

  straw->n_finds++;
  if (task != NULL)
    straw_answer (straw, task, straw_error (straw));
}

static gboolean
straw_find_finish (gpointer keyring,
                   GAsyncResult *result,
                   MusterKeyringFinding *finding,
                   GPtrArray *keys,
                   GError **error)
{
  static const MusterKeyringFinding findings[] = {
    [STRAW_OPEN] = MUSTER_KEYRING_EMPTY,
    [STRAW_LOCKED] = MUSTER_KEYRING_LOCKED,
    [STRAW_PARTLY] = MUSTER_KEYRING_PARTLY,
    [STRAW_BARE] = MUSTER_KEYRING_BARE,
  };
  Straw *straw = keyring;

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;

  *finding = findings[straw->state];
  if (straw->state == STRAW_OPEN && straw->keys->len > 0) {
    *finding = MUSTER_KEYRING_HELD;
    for (guint i = 0; i < straw->keys->len; i++)
      g_ptr_array_add (keys, muster_secret_ref (straw->keys->pdata[i]));
  }

  return TRUE;
}

static void
straw_keep (gpointer keyring,
            const guint8 *key,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  Straw *straw = keyring;

  straw->n_keeps++;
  if (!straw->forgets)
    g_ptr_array_add (straw->keys, muster_secret_new (key, MUSTER_VAULT_KEY_BYTES));
  straw_answer (straw, straw_begin (straw, FALSE, cancellable, callback, user_data),
                straw_error (straw));
}

static void
straw_unlock (gpointer keyring,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  Straw *straw = keyring;
  GTask *task = straw_begin (straw, straw->user_dawdles, cancellable, callback, user_data);

  straw->n_unlocks++;
  if (straw->user_answers)
    straw->state = STRAW_OPEN;
  if (task != NULL)
    straw_answer (straw, task,
                  straw->user_answers
                    ? NULL
                    : g_error_new (G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "dismissed"));
}

static gboolean
straw_finish (gpointer keyring, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static const MusterKeyringOps straw_ops = {
  .is_offered = straw_is_offered,
  .watch = straw_watch,
  .await = straw_await,
  .find = straw_find,
  .find_finish = straw_find_finish,
  .keep = straw_keep,
  .keep_finish = straw_finish,
  .unlock = straw_unlock,
  .unlock_finish = straw_finish,
};

/* the rest of the fixture */

static void
on_source_changed (gpointer user_data)
{
  ((Fixture *) user_data)->n_changed++;
}

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  muster_clock_use_virtual (START_US, WALL_US);
  fixture->folder = g_dir_make_tmp ("muster-test-key-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
  fixture->key_path = g_build_filename (fixture->folder, "key", NULL);
  fixture->record_path = g_build_filename (fixture->folder, "protection", NULL);
  fixture->credential = g_build_filename (fixture->folder, "muster-key", NULL);
  fixture->straw.keys = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_secret_unref);
  fixture->straw.offered = TRUE;
}

static void
settle_down (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
fixture_end (Fixture *fixture)
{
  g_clear_pointer (&fixture->source, muster_key_source_free);
  settle_down ();
  g_assert_cmpuint (fixture->straw.n_under_way, ==, 0);
  g_assert_cmpuint (fixture->straw.n_most, <=, 1);
  g_assert_null (fixture->straw.func);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  fixture_end (fixture);
  g_unlink (fixture->key_path);
  g_unlink (fixture->record_path);
  g_unlink (fixture->credential);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_ptr_array_unref (fixture->straw.keys);
  g_clear_error (&fixture->answer);
  g_free (fixture->folder);
  g_free (fixture->key_path);
  g_free (fixture->record_path);
  g_free (fixture->credential);
}

/* A run of the daemon. */
static void
begin (Fixture *fixture, gboolean sealed, gboolean with_credential)
{
  fixture_end (fixture);
  memset (&fixture->straw.n_finds, 0, 4 * sizeof (guint));
  fixture->n_changed = 0;
  fixture->source = muster_key_source_new (fixture->folder,
                                           with_credential ? fixture->folder : NULL, sealed,
                                           &straw_ops, &fixture->straw, on_source_changed, fixture);
  muster_key_source_start (fixture->source);
}

static void
advance_ms (gint64 by_ms)
{
  muster_clock_advance_us (by_ms * 1000);
  settle_down ();
}

static void
tell (Fixture *fixture, MusterKeyringNews news)
{
  g_assert_nonnull (fixture->straw.func);
  fixture->straw.func (news, fixture->straw.user_data);
}

static void
assert_state (Fixture *fixture, MusterKeyState state)
{
  gboolean ready = state == MUSTER_KEY_READY;

  g_assert_cmpstr (muster_key_state_to_string (muster_key_source_get_state (fixture->source)), ==,
                   muster_key_state_to_string (state));
  g_assert_cmpint (muster_key_source_get_vault (fixture->source) != NULL, ==, ready);
  g_assert_cmpint (*muster_key_source_get_problem (fixture->source) == '\0', ==, ready);
  g_assert_cmpint (*muster_key_state_get_reason (state) == '\0', ==, ready);
}

static void
assert_protection (Fixture *fixture, MusterProtection protection)
{
  g_assert_cmpint (muster_key_source_get_protection (fixture->source), ==, protection);
}

static void
assert_problem (Fixture *fixture, const char *words)
{
  if (strstr (muster_key_source_get_problem (fixture->source), words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", muster_key_source_get_problem (fixture->source), words);
}

/* What a thread does takes real time: waits for it, and lets no virtual time pass. */
static void
wait_state (Fixture *fixture, MusterKeyState state)
{
  while (muster_key_source_get_state (fixture->source) != state)
    g_main_context_iteration (NULL, TRUE);
  assert_state (fixture, state);
}

static void
add_key (Fixture *fixture, guint8 fill)
{
  guint8 key[MUSTER_VAULT_KEY_BYTES];

  memset (key, fill, sizeof key);
  g_ptr_array_add (fixture->straw.keys, muster_secret_new (key, sizeof key));
}

static char *
dup_fingerprint (Fixture *fixture)
{
  return muster_vault_dup_fingerprint (muster_key_source_get_vault (fixture->source));
}

/* A store whose values are sealed under what the keyring holds. */
static void
seal_under_keyring (Fixture *fixture, guint8 fill)
{
  add_key (fixture, fill);
  begin (fixture, FALSE, FALSE);
  wait_state (fixture, MUSTER_KEY_READY);
}

static void
on_unlocked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_answers++;
  g_clear_error (&fixture->answer);
  muster_key_source_unlock_finish (fixture->source, result, &fixture->answer);
}

/* where the key is */

static void
test_new_in_keyring (Fixture *fixture, gconstpointer data)
{
  g_autofree char *fingerprint = NULL;
  g_autoptr (MusterProtectionRecord) record = NULL;

  begin (fixture, FALSE, FALSE);
  assert_state (fixture, MUSTER_KEY_OPENING);
  wait_state (fixture, MUSTER_KEY_READY);
  assert_protection (fixture, MUSTER_PROTECTION_SECRET_SERVICE);
  g_assert_cmpuint (fixture->straw.n_keeps, ==, 1);
  g_assert_cmpuint (fixture->straw.n_finds, ==, 2);
  g_assert_false (g_file_test (fixture->key_path, G_FILE_TEST_EXISTS));

  fingerprint = dup_fingerprint (fixture);
  record = muster_protection_read (fixture->record_path, NULL);
  g_assert_nonnull (record);
  g_assert_cmpint (record->protection, ==, MUSTER_PROTECTION_SECRET_SERVICE);
  g_assert_cmpstr (record->fingerprint, ==, fingerprint);

  /* It has what it came for: neither news nor time nor a user makes it look again. */
  g_assert_null (fixture->straw.func);
  muster_key_source_unlock_async (fixture->source, on_unlocked, fixture);
  advance_ms (24 * 3600 * 1000);
  g_assert_cmpuint (fixture->straw.n_finds, ==, 2);
  g_assert_cmpuint (fixture->n_answers, ==, 1);
  g_assert_no_error (fixture->answer);
}

static void
test_same_key_again (Fixture *fixture, gconstpointer data)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  seal_under_keyring (fixture, 1);
  first = dup_fingerprint (fixture);

  /* Another program's, or an older one of ours, is passed over. */
  g_ptr_array_set_size (fixture->straw.keys, 0);
  add_key (fixture, 2);
  add_key (fixture, 1);
  begin (fixture, TRUE, FALSE);
  wait_state (fixture, MUSTER_KEY_READY);
  second = dup_fingerprint (fixture);
  g_assert_cmpstr (first, ==, second);
  g_assert_cmpuint (fixture->straw.n_finds, ==, 1);
  g_assert_cmpuint (fixture->straw.n_keeps, ==, 0);
}

static void
test_new_in_file (Fixture *fixture, gconstpointer data)
{
  fixture->straw.offered = FALSE;
  begin (fixture, FALSE, FALSE);
  assert_state (fixture, MUSTER_KEY_READY);
  assert_protection (fixture, MUSTER_PROTECTION_KEY_FILE);
  g_assert_true (g_file_test (fixture->key_path, G_FILE_TEST_EXISTS));

  /* and it stays where it is when a keyring comes */
  fixture->straw.offered = TRUE;
  begin (fixture, TRUE, FALSE);
  assert_state (fixture, MUSTER_KEY_READY);
  assert_protection (fixture, MUSTER_PROTECTION_KEY_FILE);
  g_assert_cmpuint (fixture->straw.n_finds, ==, 0);
}

/* A store of a version that kept no record. */
static void
test_without_record (Fixture *fixture, gconstpointer data)
{
  fixture->straw.offered = FALSE;
  begin (fixture, FALSE, FALSE);
  g_assert_cmpint (g_unlink (fixture->record_path), ==, 0);

  fixture->straw.offered = TRUE;
  begin (fixture, TRUE, FALSE);
  assert_state (fixture, MUSTER_KEY_READY);
  assert_protection (fixture, MUSTER_PROTECTION_KEY_FILE);
  g_assert_true (g_file_test (fixture->record_path, G_FILE_TEST_EXISTS));

  g_assert_cmpint (g_unlink (fixture->record_path), ==, 0);
  g_assert_cmpint (g_unlink (fixture->key_path), ==, 0);
  fixture->straw.offered = FALSE;
  begin (fixture, TRUE, FALSE);
  assert_state (fixture, MUSTER_KEY_MISSING);
  g_assert_false (g_file_test (fixture->key_path, G_FILE_TEST_EXISTS));
}

static void
test_credential (Fixture *fixture, gconstpointer data)
{
  char text[MUSTER_KEY_TEXT_BYTES];
  guint8 key[MUSTER_VAULT_KEY_BYTES];
  g_autofree char *bare = NULL;
  g_autofree char *encoded = NULL;

  memset (key, 7, sizeof key);
  g_assert_true (
    g_file_set_contents_full (fixture->credential, (const char *) key, sizeof key, 0, 0400, NULL));
  begin (fixture, FALSE, TRUE);
  assert_state (fixture, MUSTER_KEY_READY);
  assert_protection (fixture, MUSTER_PROTECTION_SYSTEMD_CREDENTIAL);
  bare = dup_fingerprint (fixture);

  muster_key_encode (key, text);
  g_assert_true (g_file_set_contents_full (fixture->credential, text, sizeof text,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0400, NULL));
  begin (fixture, TRUE, TRUE);
  assert_state (fixture, MUSTER_KEY_READY);
  encoded = dup_fingerprint (fixture);
  g_assert_cmpstr (bare, ==, encoded);

  begin (fixture, TRUE, FALSE);
  assert_state (fixture, MUSTER_KEY_MISSING);
  assert_problem (fixture, "muster-key");
  assert_protection (fixture, MUSTER_PROTECTION_SYSTEMD_CREDENTIAL);

  g_assert_true (g_file_set_contents_full (fixture->credential, "short", -1,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0400, NULL));
  begin (fixture, TRUE, TRUE);
  assert_state (fixture, MUSTER_KEY_MISSING);
  assert_problem (fixture, "does not hold a key");

  g_assert_true (g_file_set_contents_full (fixture->credential, text, sizeof text,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0444, NULL));
  begin (fixture, TRUE, TRUE);
  assert_state (fixture, MUSTER_KEY_MISSING);
  assert_problem (fixture, "others cannot read");
  g_assert_cmpuint (fixture->straw.n_finds, ==, 0);
}

/* Sealed under a keyring's key: no credential and no file takes its place. */
static void
test_protection_is_fixed (Fixture *fixture, gconstpointer data)
{
  guint8 key[MUSTER_VAULT_KEY_BYTES] = { 0 };

  seal_under_keyring (fixture, 1);
  g_assert_true (muster_key_file_load (fixture->key_path, TRUE, key, NULL));
  g_assert_true (
    g_file_set_contents_full (fixture->credential, (const char *) key, sizeof key, 0, 0400, NULL));
  fixture->straw.offered = FALSE;
  fixture->straw.state = STRAW_ABSENT;
  begin (fixture, TRUE, TRUE);
  settle_down ();
  assert_state (fixture, MUSTER_KEY_UNAVAILABLE);
  assert_protection (fixture, MUSTER_PROTECTION_SECRET_SERVICE);

  /* With nothing sealed, it is free. */
  begin (fixture, FALSE, TRUE);
  assert_state (fixture, MUSTER_KEY_READY);
  assert_protection (fixture, MUSTER_PROTECTION_SYSTEMD_CREDENTIAL);
}

/* a key that is gone */

static void
test_gone_from_keyring (Fixture *fixture, gconstpointer data)
{
  static const StrawState without[] = { STRAW_OPEN, STRAW_BARE };

  seal_under_keyring (fixture, 1);
  g_ptr_array_set_size (fixture->straw.keys, 0);
  for (guint i = 0; i < G_N_ELEMENTS (without); i++) {
    fixture->straw.state = without[i];
    begin (fixture, TRUE, FALSE);
    settle_down ();
    assert_state (fixture, MUSTER_KEY_MISSING);
    assert_problem (fixture, "the key is gone");
    muster_key_source_unlock_async (fixture->source, on_unlocked, fixture);
    advance_ms (24 * 3600 * 1000);
    assert_state (fixture, MUSTER_KEY_MISSING);
    g_assert_cmpuint (fixture->straw.n_keeps, ==, 0);
    g_assert_cmpuint (fixture->straw.n_unlocks, ==, 0);
  }

  /* Another one is not it; the right one is. */
  fixture->straw.state = STRAW_OPEN;
  add_key (fixture, 2);
  begin (fixture, TRUE, FALSE);
  settle_down ();
  assert_state (fixture, MUSTER_KEY_MISSING);
  assert_problem (fixture, "another one");
  add_key (fixture, 1);
  tell (fixture, MUSTER_KEYRING_CHANGED);
  advance_ms (1000);
  wait_state (fixture, MUSTER_KEY_READY);
}

static void
test_gone_from_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *away = g_strconcat (fixture->key_path, ".away", NULL);

  fixture->straw.offered = FALSE;
  begin (fixture, FALSE, FALSE);
  g_assert_cmpint (g_rename (fixture->key_path, away), ==, 0);
  begin (fixture, TRUE, FALSE);
  assert_state (fixture, MUSTER_KEY_MISSING);
  g_assert_false (g_file_test (fixture->key_path, G_FILE_TEST_EXISTS));

  g_assert_cmpint (g_rename (away, fixture->key_path), ==, 0);
  advance_ms (1000);
  wait_state (fixture, MUSTER_KEY_READY);
}

/* The keyring gives the key, but it cannot be noted that it is this one: nothing may be sealed yet. */
static void
test_unrecorded_is_not_ready (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (g_mkdir (fixture->record_path, 0700), ==, 0);
  g_test_expect_message ("MusterKeySource", G_LOG_LEVEL_WARNING, "*protection*");
  begin (fixture, FALSE, FALSE);
  g_test_assert_expected_messages ();
  wait_state (fixture, MUSTER_KEY_UNAVAILABLE);
  assert_problem (fixture, "cannot be noted");

  g_assert_cmpint (g_rmdir (fixture->record_path), ==, 0);
  advance_ms (1000);
  wait_state (fixture, MUSTER_KEY_READY);
  g_assert_cmpuint (fixture->straw.n_keeps, ==, 1);
}

static void
test_forgetful_keyring (Fixture *fixture, gconstpointer data)
{
  fixture->straw.forgets = TRUE;
  begin (fixture, FALSE, FALSE);
  settle_down ();
  assert_state (fixture, MUSTER_KEY_UNAVAILABLE);
  g_assert_cmpuint (fixture->straw.n_keeps, ==, 1);
}

/* waiting */

static const struct {
  StrawState straw;
  gboolean sealed;
  MusterKeyState state;
} waits[] = {
  { STRAW_LOCKED, FALSE, MUSTER_KEY_LOCKED },      { STRAW_LOCKED, TRUE, MUSTER_KEY_LOCKED },
  { STRAW_PARTLY, TRUE, MUSTER_KEY_LOCKED },       { STRAW_BARE, FALSE, MUSTER_KEY_LOCKED },
  { STRAW_ABSENT, FALSE, MUSTER_KEY_UNAVAILABLE }, { STRAW_ABSENT, TRUE, MUSTER_KEY_UNAVAILABLE },
  { STRAW_HUNG, FALSE, MUSTER_KEY_TIMED_OUT },     { STRAW_HUNG, TRUE, MUSTER_KEY_TIMED_OUT },
};

/* No storm: in a day of waiting, about one look in five minutes; and never a question. */
static void
test_waits (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++) {
    g_unlink (fixture->record_path);
    g_ptr_array_set_size (fixture->straw.keys, 0);
    fixture->straw.state = STRAW_OPEN;
    if (waits[i].sealed)
      seal_under_keyring (fixture, 1);
    fixture->straw.state = waits[i].straw;

    begin (fixture, waits[i].sealed, FALSE);
    settle_down ();
    if (waits[i].straw == STRAW_HUNG) {
      advance_ms (LIMIT_MS - 100);
      assert_state (fixture, MUSTER_KEY_OPENING);
      advance_ms (200);
      g_assert_cmpuint (fixture->straw.n_awaits, ==, 1);
    }
    assert_state (fixture, waits[i].state);
    g_assert_cmpuint (fixture->n_changed, ==, 1);

    for (guint minute = 0; minute < 24 * 60; minute++) {
      for (guint second = 0; second < 60; second += 5)
        advance_ms (5000);
    }
    assert_state (fixture, waits[i].state);
    g_assert_cmpuint (fixture->straw.n_finds, >, 24 * 12 - 12);
    g_assert_cmpuint (fixture->straw.n_finds, <, 24 * 12 + 12);
    g_assert_cmpuint (fixture->straw.n_finds, ==, muster_key_source_get_n_reads (fixture->source));
    g_assert_cmpuint (fixture->straw.n_unlocks, ==, 0);
    g_assert_cmpuint (fixture->straw.n_keeps, ==, 0);
    g_assert_cmpuint (fixture->n_changed, ==, 1);

    /* and then it goes on at the first word of it */
    fixture->straw.state = STRAW_OPEN;
    tell (fixture, MUSTER_KEYRING_APPEARED);
    advance_ms (LIMIT_MS + 1000);
    wait_state (fixture, MUSTER_KEY_READY);
  }
}

/* A keyring that never stops talking is listened to once a second. */
static void
test_chatter (Fixture *fixture, gconstpointer data)
{
  fixture->straw.state = STRAW_LOCKED;
  begin (fixture, FALSE, FALSE);
  settle_down ();
  for (guint i = 0; i < 1000; i++) {
    tell (fixture, MUSTER_KEYRING_CHANGED);
    tell (fixture, MUSTER_KEYRING_APPEARED);
    advance_ms (10);
  }
  g_assert_cmpuint (fixture->straw.n_finds, >=, 9);
  g_assert_cmpuint (fixture->straw.n_finds, <=, 11);
}

static void
test_vanishes (Fixture *fixture, gconstpointer data)
{
  fixture->straw.state = STRAW_LOCKED;
  begin (fixture, FALSE, FALSE);
  settle_down ();
  assert_state (fixture, MUSTER_KEY_LOCKED);
  fixture->straw.state = STRAW_ABSENT;
  tell (fixture, MUSTER_KEYRING_VANISHED);
  assert_state (fixture, MUSTER_KEY_UNAVAILABLE);
  g_assert_cmpuint (fixture->n_changed, ==, 2);
  g_assert_cmpuint (fixture->straw.n_finds, ==, 1);
}

/* asking */

static void
test_unlock (Fixture *fixture, gconstpointer data)
{
  fixture->straw.state = STRAW_LOCKED;
  begin (fixture, FALSE, FALSE);
  settle_down ();

  muster_key_source_unlock_async (fixture->source, on_unlocked, fixture);
  muster_key_source_unlock_async (fixture->source, on_unlocked, fixture);
  settle_down ();
  g_assert_cmpuint (fixture->n_answers, ==, 2);
  g_assert_error (fixture->answer, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_cmpstr (fixture->answer->message, ==, "dismissed");
  g_assert_cmpuint (fixture->straw.n_unlocks, ==, 1);
  assert_state (fixture, MUSTER_KEY_LOCKED);

  fixture->straw.user_answers = TRUE;
  muster_key_source_unlock_async (fixture->source, on_unlocked, fixture);
  wait_state (fixture, MUSTER_KEY_READY);
  settle_down ();
  g_assert_cmpuint (fixture->n_answers, ==, 3);
  g_assert_no_error (fixture->answer);
  g_assert_cmpuint (fixture->straw.n_unlocks, ==, 2);
}

/* A person has longer than a program. */
static void
test_unlock_takes_time (Fixture *fixture, gconstpointer data)
{
  fixture->straw.state = STRAW_LOCKED;
  fixture->straw.user_dawdles = TRUE;
  begin (fixture, FALSE, FALSE);
  settle_down ();
  muster_key_source_unlock_async (fixture->source, on_unlocked, fixture);
  settle_down ();
  advance_ms (PERSON_MS - 1000);
  g_assert_cmpuint (fixture->n_answers, ==, 0);
  advance_ms (2000);
  g_assert_cmpuint (fixture->n_answers, ==, 1);
  g_assert_error (fixture->answer, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  assert_state (fixture, MUSTER_KEY_LOCKED);
}

/* The daemon ends while the keyring hangs, or while a user is asked. */
static void
test_freed_meanwhile (Fixture *fixture, gconstpointer data)
{
  fixture->straw.state = STRAW_HUNG;
  begin (fixture, FALSE, FALSE);
  settle_down ();
  fixture_end (fixture);

  fixture->straw.state = STRAW_OPEN;
  begin (fixture, FALSE, FALSE); /* ends while a thread writes */
  for (guint i = 0; i < 4; i++)
    g_main_context_iteration (NULL, FALSE);
  fixture_end (fixture);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/key-source/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("new/keyring", test_new_in_keyring);
  ADD ("new/file", test_new_in_file);
  ADD ("again/keyring", test_same_key_again);
  ADD ("again/without-record", test_without_record);
  ADD ("credential", test_credential);
  ADD ("fixed", test_protection_is_fixed);
  ADD ("gone/keyring", test_gone_from_keyring);
  ADD ("gone/file", test_gone_from_file);
  ADD ("unrecorded", test_unrecorded_is_not_ready);
  ADD ("forgetful", test_forgetful_keyring);
  ADD ("waits", test_waits);
  ADD ("chatter", test_chatter);
  ADD ("vanishes", test_vanishes);
  ADD ("unlock/asked", test_unlock);
  ADD ("unlock/slow", test_unlock_takes_time);
  ADD ("freed", test_freed_meanwhile);

  return g_test_run ();
}
