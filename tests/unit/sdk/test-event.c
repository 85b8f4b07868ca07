/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "full-fixture.h"
#include "muster-sink-host.h"

static void
test_fields (void)
{
  g_autoptr (MusterEvent) event = NULL;
  g_autoptr (MusterEvent) bare = NULL;
  const char *state = NULL;

  event = muster_event_new (7, WALL_US, "registration.created", "a1",
                            g_variant_new_parsed ("{'state': <'registered'>}"));
  g_assert_cmpuint (muster_event_get_id (event), ==, 7);
  g_assert_cmpint (muster_event_get_time_us (event), ==, WALL_US);
  g_assert_cmpstr (muster_event_get_type_name (event), ==, "registration.created");
  g_assert_cmpstr (muster_event_get_account (event), ==, "a1");
  g_assert_true (g_variant_lookup (muster_event_get_payload (event), "state", "&s", &state));
  g_assert_cmpstr (state, ==, "registered");

  bare = muster_event_new (0, 0, "daemon.started", "", NULL);
  g_assert_cmpuint (g_variant_n_children (muster_event_get_payload (bare)), ==, 0);
}

static void
test_boxed (void)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (MusterEvent) event = muster_event_new (1, 0, "a.b", "", NULL);

  g_value_init (&value, MUSTER_TYPE_EVENT);
  g_value_set_boxed (&value, event);
  g_assert_true (g_value_get_boxed (&value) == event);
}

static void
test_wrong_payload (void)
{
  g_autoptr (GVariant) text = g_variant_ref_sink (g_variant_new_string ("x"));

  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*VARDICT*");
  g_assert_null (muster_event_new (1, 0, "a.b", "", text));
  g_test_assert_expected_messages ();
}

/* Where nobody is to be asked, everything may happen; but not before the call returned. */
static void
test_gate_without_daemon (void)
{
  g_autoptr (MusterEvent) event = muster_event_new (0, 0, "registration.created", "a1", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  muster_event_gate_async (event, NULL, on_test_result, &result);
  g_assert_null (result);
  settle ();
  g_assert_nonnull (result);
  g_assert_true (muster_event_gate_finish (result, &error));
  g_assert_no_error (error);
}

/* An error of no meaning to the daemon is given one. */
static void
test_sink_contract (void)
{
  const MusterPluginInfo *info = muster_module_get_info (full_module);
  g_autoptr (MusterEvent) event = muster_event_new (1, 0, "a.b", "a1", NULL);
  g_autoptr (MusterSink) sink = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  full_reset ();
  sink = muster_sink_new (info->kinds[1]->get_type (), info->kinds[1]->name,
                          muster_module_get_context (full_module));
  g_assert_cmpstr (muster_sink_get_name (sink), ==, "full-sink");
  g_assert_true (muster_sink_get_context (sink) == muster_module_get_context (full_module));
  g_assert_cmpuint (muster_sink_get_gate_timeout_ms (sink), ==, 5000);
  g_assert_cmpint (muster_sink_get_gate_policy (sink), ==, MUSTER_GATE_DENY);
  g_assert_false (muster_sink_gates (sink, "registration.created"));

  full->hold = TRUE;
  muster_sink_consume_async (sink, event, cancellable, on_test_result, &result);
  settle ();
  g_assert_null (result);
  g_cancellable_cancel (cancellable);
  settle ();
  g_assert_false (muster_sink_consume_finish (sink, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  full_open ();

  g_test_add_func ("/event/fields", test_fields);
  g_test_add_func ("/event/boxed", test_boxed);
  g_test_add_func ("/event/wrong-payload", test_wrong_payload);
  g_test_add_func ("/event/gate-without-daemon", test_gate_without_daemon);
  g_test_add_func ("/event/sink-contract", test_sink_contract);

  status = g_test_run ();
  full_clear ();
  muster_module_free (full_module);
  return status;
}
