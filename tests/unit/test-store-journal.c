/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "store-fixture.h"

/* The journal: its order, its filters, its limit, its numbers. */

static void
test_journal_order_and_filters (Fixture *fixture, gconstpointer data)
{
  MusterStoreChange *change = muster_store_change_new ();
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GVariant) payload = NULL;
  const MusterEventRecord *event;

  append_event (fixture->store, "e.1", "a1");
  append_event (fixture->store, "e.2", "a2");
  change_put_event (change, "x.3", "a1");
  muster_store_commit_async (fixture->store, change, NULL, NULL, NULL);
  append_event (fixture->store, "e.4", "a1");
  append_event (fixture->store, "e.5", "");

  assert_types (fixture->store, 0, "", "", 100, "e.5 e.4 x.3 e.2 e.1");
  assert_types (fixture->store, 0, "", "", 2, "e.5 e.4");
  assert_types (fixture->store, 0, "", "", 0, "e.5"); /* at least one */
  assert_types (fixture->store, 0, "a1", "", 100, "e.4 x.3 e.1");
  assert_types (fixture->store, 0, "", "e.", 100, "e.5 e.4 e.2 e.1");
  assert_types (fixture->store, 0, "a1", "x", 100, "x.3");
  assert_types (fixture->store, 0, "", "%", 100, "");
  assert_types (fixture->store, 0, "", "E.", 100, "");
  assert_types (fixture->store, 0, "nobody", "", 100, "");

  fixture_reopen (fixture);
  events = read_events (fixture->store, 0, "", "", 2);
  event = events->pdata[1];
  g_assert_cmpstr (event->type, ==, "e.4");
  g_assert_cmpint (event->time_us, ==, 5);
  payload = g_variant_ref_sink (g_variant_new_parsed ("{'code': <uint32 200>}"));
  g_assert_cmpvariant (event->payload, payload);
  assert_types (fixture->store, event->seq, "", "", 100, "x.3 e.2 e.1");
  append_event (fixture->store, "e.6", "");
  assert_types (fixture->store, event->seq, "", "", 1, "x.3");
}

static void
test_journal_is_bounded (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) events = NULL;
  const MusterEventRecord *newest;
  gint64 n_kept;

  for (guint i = 0; i < 25000; i++) {
    append_event (fixture->store, i == 24999 ? "last" : "e", "a1");
    if (i % 1000 == 999) { /* has what waits written */
      g_autoptr (GPtrArray) written = read_events (fixture->store, 0, "", "", 1);

      g_assert_cmpuint (written->len, ==, 1);
    }
  }
  fixture_reopen (fixture);

  events = read_events (fixture->store, 0, "", "", 1);
  newest = events->pdata[0];
  g_assert_cmpstr (newest->type, ==, "last");
  g_assert_cmpint (newest->seq, ==, 25000);

  {
    g_autofree char *count = raw_sql (fixture->path, "SELECT count (*) FROM event");

    n_kept = g_ascii_strtoll (count, NULL, 10);
  }
  g_assert_cmpint (n_kept, >=, 10000);
  g_assert_cmpint (n_kept, <, 10500);
}

/* A number is not given again even when all events are gone. */
static void
test_journal_numbers (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) events = NULL;

  append_event (fixture->store, "e", "");
  append_event (fixture->store, "e", "");
  fixture_close (fixture);
  raw_change (fixture->path, "DELETE FROM event");
  fixture_open (fixture);
  append_event (fixture->store, "e", "");
  events = read_events (fixture->store, 0, "", "", 10);
  g_assert_cmpuint (events->len, ==, 1);
  g_assert_cmpint (((MusterEventRecord *) events->pdata[0])->seq, ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test)                                                                            \
  g_test_add ("/store/" path, Fixture, NULL, fixture_set_up, test, fixture_tear_down)

  ADD ("journal/order-and-filters", test_journal_order_and_filters);
  ADD ("journal/is-bounded", test_journal_is_bounded);
  ADD ("journal/numbers", test_journal_numbers);

  return g_test_run ();
}
