/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker-fixture.h"
#include "broker/muster-broker-presence.h"
#include "muster-hub-private.h"

/* Many identities whose layers end at the same time, such as at five o'clock. */

#define N_IDENTITIES 300
#define MOST_IN_TURN 100

typedef struct {
  guint n_changed;
  guint n_turns; /* in which some did */
  MusterTimer next_turn;
} Watch;

static void
on_next_turn (MusterTimer *timer, gpointer user_data)
{
  ((Watch *) user_data)->n_turns++;
}

static void
on_presence (gpointer user_data, MusterIdentity *identity)
{
  Watch *watch = user_data;

  watch->n_changed++;
  muster_timer_arm_in_ms (&watch->next_turn, 0);
}

static void
on_nothing (gpointer user_data, MusterAccount *account)
{
}

static void
on_identity (gpointer user_data, MusterIdentity *identity)
{
}

static const MusterBrokerObserver observer = {
  .publication_changed = on_nothing,
  .identity_added = on_identity,
  .identity_changed = on_identity,
  .presence_changed = on_presence,
};

static void
add_identity_until (Daemon *daemon, guint number, gint64 until_us)
{
  g_autofree char *name = g_strdup_printf ("i%u", number);
  g_autoptr (GAsyncResult) added = NULL;
  g_autoptr (GAsyncResult) set = NULL;
  g_autoptr (GError) error = NULL;
  MusterIdentity *identity;
  guint64 layer_number;
  const MusterPresenceLayer layer = {
    .name = (char *) "user",
    .presence = MUSTER_PRESENCE_DND,
    .text = (char *) "",
    .priority = 50,
    .until_us = until_us,
  };

  muster_broker_add_identity_async (daemon->broker, name, on_result, &added);
  identity = muster_broker_add_identity_finish (daemon->broker, wait_for_result (&added), &error);
  g_assert_no_error (error);
  muster_broker_set_layer_async (daemon->broker, identity, &layer, on_result, &set);
  muster_broker_set_layer_finish (daemon->broker, wait_for_result (&set), &layer_number, &error);
  g_assert_no_error (error);
}

static void
test_many (Daemon *daemon, gconstpointer data)
{
  gint64 until_us = muster_clock_wall_us () + 30 * G_USEC_PER_SEC;
  Watch watch = { 0 };

  for (guint i = 0; i < N_IDENTITIES; i++)
    add_identity_until (daemon, i, until_us);

  muster_timer_init (&watch.next_turn, on_next_turn, &watch);
  muster_broker_set_observer (daemon->broker, &observer, &watch);
  muster_clock_advance_us (29 * G_USEC_PER_SEC);
  g_assert_cmpuint (watch.n_changed, ==, 0);
  muster_clock_advance_us (2 * G_USEC_PER_SEC);
  g_assert_cmpuint (watch.n_changed, ==, N_IDENTITIES);
  g_assert_cmpuint (watch.n_turns, >=, N_IDENTITIES / MOST_IN_TURN);
  muster_broker_set_observer (daemon->broker, NULL, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

  g_test_add ("/presence-expiry/many", Daemon, NULL, daemon_set_up, test_many, daemon_tear_down);

  return g_test_run ();
}
