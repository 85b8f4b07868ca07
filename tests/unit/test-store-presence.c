/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "store-fixture.h"

/* What people say of themselves, on disk: layers of identities, and what accounts say instead. */

static MusterLayerRecord
layer (const char *identity, const char *name, const char *text, gint64 number)
{
  return (MusterLayerRecord){
    .identity = (char *) identity,
    .name = (char *) name,
    .presence = (char *) "away",
    .text = (char *) text,
    .priority = 50,
    .until_us = 7,
    .number = number,
  };
}

static void
put_layer (MusterStoreChange *change, const char *identity, const char *name, gint64 number)
{
  MusterLayerRecord record = layer (identity, name, "Lunch", number);

  muster_store_change_put_layer (change, &record);
}

static void
put_override (MusterStoreChange *change, const char *account, const char *presence)
{
  const MusterOverrideRecord record = {
    .account = (char *) account,
    .presence = (char *) presence,
    .text = (char *) "",
  };

  muster_store_change_put_override (change, &record);
}

static char *
load (MusterStore *store)
{
  g_autoptr (GPtrArray) layers = muster_store_load_layers (store, NULL);
  g_autoptr (GPtrArray) overrides = muster_store_load_overrides (store, NULL);
  GString *all = g_string_new (NULL);

  for (guint i = 0; i < layers->len; i++) {
    const MusterLayerRecord *record = layers->pdata[i];

    g_string_append_printf (all, "%s/%s=%s:%s:%u:%d:%d ", record->identity, record->name,
                            record->presence, record->text, record->priority,
                            (int) record->until_us, (int) record->number);
  }
  for (guint i = 0; i < overrides->len; i++) {
    const MusterOverrideRecord *record = overrides->pdata[i];

    g_string_append_printf (all, "%s=%s ", record->account, record->presence);
  }

  return g_strchomp (g_string_free (all, FALSE));
}

#define assert_all(fixture, expected)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *all = load ((fixture)->store);                                                \
    g_assert_cmpstr (all, ==, expected);                                                           \
  }                                                                                                \
  G_STMT_END

static void
fill (Fixture *fixture)
{
  MusterStoreChange *change = muster_store_change_new ();

  add_accounts (fixture->store, "a1", "a2", NULL);
  put_layer (change, "i1", "user", 3);
  put_layer (change, "i1", "call", 4);
  put_override (change, "a1", "offline");
  put_override (change, "a2", "dnd");
  commit_ok (fixture->store, change);
}

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change;

  fill (fixture);
  fixture_reopen (fixture);
  assert_all (fixture, "i1/call=away:Lunch:50:7:4 i1/user=away:Lunch:50:7:3 a1=offline a2=dnd");

  change = muster_store_change_new ();
  put_layer (change, "i1", "user", 5);
  put_override (change, "a2", "away");
  muster_store_change_delete_override (change, "a1");
  commit_ok (fixture->store, change);
  assert_all (fixture, "i1/call=away:Lunch:50:7:4 i1/user=away:Lunch:50:7:5 a2=away");
}

/* One that expired is deleted, but not the one that was set in its place meanwhile. */
static void
test_delete_by_number (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();

  fill (fixture);
  muster_store_change_delete_layer (change, "i1", "user", 2);
  muster_store_change_delete_layer (change, "i1", "call", 4);
  commit_ok (fixture->store, change);
  assert_all (fixture, "i1/user=away:Lunch:50:7:3 a1=offline a2=dnd");
}

static void
test_it_goes_with_whom_it_is_about (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();

  fill (fixture);
  muster_store_change_delete_account (change, "a1");
  commit_ok (fixture->store, change);
  assert_all (fixture, "i1/call=away:Lunch:50:7:4 i1/user=away:Lunch:50:7:3 a2=dnd");

  change = muster_store_change_new ();
  muster_store_change_delete_account (change, "a2");
  muster_store_change_delete_identity (change, "i1");
  commit_ok (fixture->store, change);
  assert_all (fixture, "");
}

static void
test_nothing_of_a_change_that_fails (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  const MusterAccountRecord orphan = {
    .id = (char *) "a3",
    .identity = (char *) "i9",
    .protocol = (char *) "echo",
    .address = (char *) "x",
    .name = (char *) "x",
    .params = g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0),
  };
  g_autoptr (GVariant) params = g_variant_ref_sink (orphan.params);

  fill (fixture);
  put_layer (change, "i1", "user", 9);
  muster_store_change_put_account (change, &orphan); /* there is no such identity */
  g_assert_false (commit (fixture->store, change, NULL));
  assert_all (fixture, "i1/call=away:Lunch:50:7:4 i1/user=away:Lunch:50:7:3 a1=offline a2=dnd");
}

static void
test_damaged_rows (Fixture *fixture, gconstpointer data)
{
  fill (fixture);
  fixture_close (fixture);
  raw_change (fixture->path, "UPDATE presence_layer SET priority = -1 WHERE name = 'user'");
  raw_change (fixture->path,
              "UPDATE presence_override SET text = CAST (x'61ff' AS TEXT) WHERE account = 'a1'");

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GPtrArray) quarantine = NULL;

    fixture_open (fixture);
    assert_all (fixture, "i1/call=away:Lunch:50:7:4 a2=dnd");
    quarantine = muster_store_load_quarantine (fixture->store, NULL);
    g_assert_cmpuint (quarantine->len, ==, 2);
    fixture_close (fixture);
  }
}

static void
test_a_database_of_before (Fixture *fixture, gconstpointer data)
{
  add_accounts (fixture->store, "a1", NULL);
  fixture_close (fixture);
  raw_change (fixture->path, "DROP TABLE presence_layer; DROP TABLE presence_override;"
                             "DROP INDEX record_account; ALTER TABLE record DROP COLUMN account;"
                             "ALTER TABLE runtime DROP COLUMN proof;"
                             "PRAGMA user_version = 2");
  fixture_open (fixture);
  g_assert_null (muster_store_get_notice (fixture->store));
  assert_all (fixture, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, func)                                                                            \
  g_test_add ("/store-presence/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("round-trip", test_round_trip);
  ADD ("delete-by-number", test_delete_by_number);
  ADD ("it-goes-with-whom-it-is-about", test_it_goes_with_whom_it_is_about);
  ADD ("nothing-of-a-change-that-fails", test_nothing_of_a_change_that_fails);
  ADD ("damaged-rows", test_damaged_rows);
  ADD ("a-database-of-before", test_a_database_of_before);
#undef ADD

  return g_test_run ();
}
