/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An account at a server that knows subscriptions: the test is the broker, which says when. */

#pragma once

#include "muster-sip-peer-events.h"
#include "plugin-fixture.h"

typedef struct {
  World world; /* first */
  SipPeerEvents *events;

  gboolean done;
  GError *error;
  MusterLease *lease;
  GPtrArray *loaded;
} Bench;

static inline void
set_up (Bench *bench, gconstpointer data)
{
  world_set_up (&bench->world, data);
  bench->events = sip_peer_events_new (bench->world.peer);
}

static inline void
forget_outcome (Bench *bench)
{
  bench->done = FALSE;
  g_clear_error (&bench->error);
  g_clear_pointer (&bench->lease, muster_lease_free);
  g_clear_pointer (&bench->loaded, g_ptr_array_unref);
}

static inline void
run_dry (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static inline void
tear_down (Bench *bench, gconstpointer data)
{
  run_dry ();
  forget_outcome (bench);
  sip_peer_events_free (bench->events);
  world_tear_down (&bench->world, data);
}

static inline void
wait_for (Bench *bench)
{
  while (!bench->done)
    g_main_context_iteration (NULL, TRUE);
}

static inline void
set_boolean (Bench *bench, const char *name, gboolean value)
{
  g_hash_table_insert (bench->world.params, g_strdup (name),
                       g_variant_ref_sink (g_variant_new_boolean (value)));
  bench->world.params_version++;
}

static inline void
sign_in (Bench *bench)
{
  open_and_wait (&bench->world);
  g_assert_no_error (bench->world.error);
}

/* The name of the side lease for @event, or %NULL. */
static inline const char *
find_lease (Bench *bench, const char *event)
{
  g_autofree char *start = g_strconcat (event, "/", NULL);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, bench->world.side_leases);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    if (g_str_has_prefix (name, start))
      return name;
  }
  return NULL;
}

static inline void
on_renewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Bench *bench = user_data;

  bench->done = TRUE;
  bench->lease = muster_registration_renew_lease_finish (MUSTER_REGISTRATION (source), result,
                                                         &bench->error);
}

/* The broker finds that it is time. */
static inline void
renew (Bench *bench, const char *event)
{
  const char *name = find_lease (bench, event);

  g_assert_nonnull (name);
  forget_outcome (bench);
  muster_registration_renew_lease_async (bench->world.registration, name, NULL, on_renewed, bench);
  wait_for (bench);
}

static inline void
subscribe (Bench *bench, const char *event)
{
  renew (bench, event);
  g_assert_no_error (bench->error);
  g_assert_cmpuint (bench->lease->lease_s, ==, 3600);
}

static inline void
notify (Bench *bench, const char *event, const char *state, const char *type, const char *body)
{
  sip_peer_events_notify (bench->events, event, state, type, body);
  while (*sip_peer_get_answer (bench->world.peer) == '\0')
    g_main_context_iteration (NULL, TRUE);
}

#define assert_last(bench, event, part)                                                            \
  assert_has (sip_peer_events_last (bench->events, event), part)

#define assert_answered(bench, status)                                                             \
  g_assert_true (g_str_has_prefix (sip_peer_get_answer (bench->world.peer), status))
