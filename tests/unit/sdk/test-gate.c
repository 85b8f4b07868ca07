/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "events/muster-gate.h"
#include "standing-fixture.h"

/* A fresh registration, asked about by the real gate and the fixture's sink. */

typedef struct {
  World world;
  GPtrArray *sinks;
  MusterSink *sink;
  MusterGate *gate;
} GateWorld;

static void
set_up (GateWorld *world, gconstpointer data)
{
  const MusterKind *kind = muster_module_get_info (full_module)->kinds[1];

  world_set_up (&world->world, data);
  world->world.gates = TRUE;
  full->gates = TRUE;
  world->sinks = g_ptr_array_new_with_free_func (g_object_unref);
  world->sink = muster_sink_new (kind->get_type (), kind->name, NULL);
  g_ptr_array_add (world->sinks, world->sink);
  world->gate = muster_gate_new (world->sinks);
}

static void
tear_down (GateWorld *world, gconstpointer data)
{
  world_tear_down (&world->world, data);
  muster_gate_free (world->gate);
  g_ptr_array_unref (world->sinks);
}

static void
test_allowed (GateWorld *world, gconstpointer data)
{
  full->hold = TRUE;
  world_post (&world->world, MUSTER_FACT_ENABLED);
  release (); /* the service grants */
  settle ();
  assert_log ("open gate:a1");
  assert_state (&world->world, "registering");
  assert_reason (&world->world, "gate");
  assert_events (&world->world, "");

  release ();
  settle ();
  assert_state (&world->world, "registered");
  assert_reason (&world->world, "");
  assert_events (&world->world, "registration.created");
  full->hold = FALSE;

  /* It is asked about what is fresh, not about refreshes. */
  world_post (&world->world, MUSTER_FACT_REFRESH_ASKED);
  assert_log ("open");
  assert_events (&world->world, "registration.refreshed");
}

static void
test_denied (GateWorld *world, gconstpointer data)
{
  const MusterStandingView *view = muster_standing_get_view (world->world.standing);

  full->gate_error = MUSTER_ERROR_FORBIDDEN;
  full->retry_after_s = 90;
  world_post (&world->world, MUSTER_FACT_ENABLED);
  assert_log ("open gate:a1 close");
  assert_state (&world->world, "waiting-retry");
  assert_reason (&world->world, "busy");
  assert_events (&world->world, "registration.failed");
  g_assert_error (view->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_cmpuint (muster_error_get_retry_after_s (view->error), ==, 90);
  g_assert_false (muster_standing_is_held (world->world.standing));

  full->gate_error = -1;
  pass_ms (89000);
  assert_log ("");
  pass_ms (11000); /* all were told the same: up to a tenth more */
  assert_log ("open gate:a1");
  assert_state (&world->world, "registered");
}

static void
test_silent (GateWorld *world, gconstpointer data)
{
  MusterGatePolicy policy = GPOINTER_TO_INT (data);

  muster_sink_set_gate_policy (world->sink, 3000, policy);
  world_post (&world->world, MUSTER_FACT_NETWORK_CHANGED); /* nothing yet */
  full->hold = full->deaf = TRUE;
  world_post (&world->world, MUSTER_FACT_ENABLED);
  release ();
  settle ();
  full->hold = FALSE;
  pass_ms (2900);
  assert_reason (&world->world, "gate");
  pass_ms (200);
  assert_state (&world->world, policy == MUSTER_GATE_ALLOW ? "registered" : "waiting-retry");
  release (); /* too late */
  settle ();
  assert_state (&world->world, policy == MUSTER_GATE_ALLOW ? "registered" : "waiting-retry");
}

/* A sink that cannot ask whom it must has no answer. */
static void
test_unreachable (GateWorld *world, gconstpointer data)
{
  muster_sink_set_gate_policy (world->sink, 3000, MUSTER_GATE_ALLOW);
  full->gate_error = MUSTER_ERROR_UNREACHABLE;
  world_post (&world->world, MUSTER_FACT_ENABLED);
  assert_state (&world->world, "registered");
}

static void
ask (GateWorld *world)
{
  full->hold = TRUE;
  world_post (&world->world, MUSTER_FACT_ENABLED);
  release ();
  settle ();
  full->hold = FALSE;
  assert_log ("open gate:a1");
}

static void
test_disabled_meanwhile (GateWorld *world, gconstpointer data)
{
  ask (world);
  world_disable (&world->world);
  assert_log ("close");
  assert_state (&world->world, "disabled");
  g_assert_true (g_queue_is_empty (&full->held));
}

static void
test_lost_meanwhile (GateWorld *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM, "the connection broke");
  ask (world);
  muster_registration_lost (world->world.registration, error);
  settle ();
  assert_state (&world->world, "waiting-retry");
  assert_reason (&world->world, "unreachable");
  assert_log ("");
}

/* One of two that says no is enough; the other is not waited for. */
static void
test_two_sinks (GateWorld *world, gconstpointer data)
{
  const MusterKind *kind = muster_module_get_info (full_module)->kinds[1];
  g_autoptr (MusterEvent) event = muster_event_new (0, 0, "registration.created", "a1", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (world->sinks, muster_sink_new (kind->get_type (), "other", NULL));
  full->hold = TRUE;
  full->gate_error = MUSTER_ERROR_BUSY;
  muster_event_gate_async (event, NULL, on_test_result, &result);
  assert_log ("gate:a1 gate:a1");
  release ();
  settle ();
  g_assert_nonnull (result);
  g_assert_false (muster_event_gate_finish (result, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_cmpuint (muster_error_get_retry_after_s (error), ==, 60); /* it did not say */
  g_assert_true (g_queue_is_empty (&full->held));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  full_open ();

#define ADD(path, test, data) g_test_add (path, GateWorld, data, set_up, test, tear_down)
  ADD ("/gate/allowed", test_allowed, NULL);
  ADD ("/gate/denied", test_denied, NULL);
  ADD ("/gate/silent/allow", test_silent, GINT_TO_POINTER (MUSTER_GATE_ALLOW));
  ADD ("/gate/silent/deny", test_silent, GINT_TO_POINTER (MUSTER_GATE_DENY));
  ADD ("/gate/unreachable", test_unreachable, NULL);
  ADD ("/gate/disabled-meanwhile", test_disabled_meanwhile, NULL);
  ADD ("/gate/lost-meanwhile", test_lost_meanwhile, NULL);
  ADD ("/gate/two-sinks", test_two_sinks, NULL);

  status = g_test_run ();
  full_clear ();
  muster_module_free (full_module);
  return status;
}
