/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "broker/muster-standing.h"
#include "full-fixture.h"
#include "muster-sink-host.h"

/* A standing of the fixture plugin's protocol, whose account is the test. */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

typedef struct {
  MusterStanding *standing;
  MusterRegistration *registration; /* the last that was made; lent */
  MusterAccountConditions conditions;
  gboolean gates;
  GString *events;   /* types, a word each */
  GVariant *payload; /* of the last */
} World;

static MusterAccountConditions
world_get_conditions (gpointer host)
{
  return ((World *) host)->conditions;
}

static GVariant *
world_dup_param (gpointer host, const char *name)
{
  return NULL;
}

static void
world_lost (gpointer host, const GError *error)
{
  muster_standing_lost (((World *) host)->standing, error);
}

static void
world_add_lease (gpointer host, const char *name, const MusterLease *lease)
{
  muster_standing_add_lease (((World *) host)->standing, name, lease);
}

static void
world_remove_lease (gpointer host, const char *name)
{
  muster_standing_remove_lease (((World *) host)->standing, name);
}

static const MusterRegistrationHost world_registration_host = {
  .dup_param = world_dup_param,
  .lost = world_lost,
  .add_lease = world_add_lease,
  .remove_lease = world_remove_lease,
};

static MusterRegistration *
world_make_registration (gpointer host)
{
  World *world = host;
  const MusterKind *kind = muster_module_get_info (full_module)->kinds[0];

  world->registration = muster_registration_new (kind->get_type (), kind->protocol,
                                                 muster_module_get_context (full_module), "a1",
                                                 "alice@full", &world_registration_host, world);
  return world->registration;
}

static guint
world_get_retry_floor_s (gpointer host)
{
  return 0;
}

static const char *
world_get_reason (gpointer host)
{
  return "told-so";
}

static gboolean
world_is_secret_refused (gpointer host)
{
  return FALSE;
}

static void
world_load_resume (gpointer host)
{
  muster_standing_resume_loaded (((World *) host)->standing);
}

static void
world_admit (gpointer host)
{
  muster_standing_admitted (((World *) host)->standing);
}

static void
world_release (gpointer host, const GError *outcome)
{
}

static void
world_nothing (gpointer host)
{
}

static void
world_event (gpointer host, const char *type, GVariant *payload, gboolean keep)
{
  World *world = host;

  g_clear_pointer (&world->payload, g_variant_unref);
  world->payload = g_variant_ref_sink (payload);
  g_string_append_printf (world->events, "%s%s", world->events->len > 0 ? " " : "", type);
}

static void
world_on_gated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) denial = NULL;

  muster_event_gate_finish (result, &denial);
  muster_standing_gated (((World *) user_data)->standing, denial);
}

static gboolean
world_gate (gpointer host, GVariant *payload, GCancellable *cancellable)
{
  g_autoptr (MusterEvent) event = NULL;

  if (!((World *) host)->gates)
    return FALSE;

  event = muster_event_new (0, muster_clock_wall_us (), "registration.created", "a1", payload);
  muster_event_gate_async (event, cancellable, world_on_gated, host);
  return TRUE;
}

static const MusterStandingHost world_standing_host = {
  .get_conditions = world_get_conditions,
  .make_registration = world_make_registration,
  .get_retry_floor_s = world_get_retry_floor_s,
  .get_plugin_reason = world_get_reason,
  .get_offline_reason = world_get_reason,
  .is_secret_refused = world_is_secret_refused,
  .load_resume = world_load_resume,
  .admit = world_admit,
  .release = world_release,
  .secret_refused = world_nothing,
  .changed = world_nothing,
  .event = world_event,
  .gate = world_gate,
};

static void
world_set_up (World *world, gconstpointer data)
{
  full_reset ();
  world->events = g_string_new (NULL);
  world->conditions = MUSTER_CONDITIONS_ALL & ~MUSTER_CONDITION_HELD;
  world->standing = muster_standing_new ("a1", &world_standing_host, world);
}

static void
world_tear_down (World *world, gconstpointer data)
{
  settle ();
  g_assert_true (muster_standing_is_idle (world->standing));
  muster_standing_free (world->standing);
  g_string_free (world->events, TRUE);
  g_clear_pointer (&world->payload, g_variant_unref);
  settle ();
}

static void
world_post (World *world, MusterAccountFact fact)
{
  muster_standing_post (world->standing, fact);
  settle ();
}

static void
world_disable (World *world)
{
  world->conditions &= ~MUSTER_CONDITION_WANTED;
  world_post (world, MUSTER_FACT_DISABLED);
}

#define assert_state(world, expected)                                                              \
  g_assert_cmpstr (muster_account_state_to_string (                                                \
                     muster_standing_get_view ((world)->standing)->state),                         \
                   ==, expected)
#define assert_reason(world, expected)                                                             \
  g_assert_cmpstr (muster_standing_get_view ((world)->standing)->reason, ==, expected)

#define assert_events(world, expected)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpstr ((world)->events->str, ==, expected);                                          \
    g_string_truncate ((world)->events, 0);                                                        \
  }                                                                                                \
  G_STMT_END

#pragma GCC diagnostic pop
