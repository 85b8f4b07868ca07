/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "standing-fixture.h"

/* A side lease of 100 s is renewed between 44 and 50 s after it was granted. */

static void
enable (World *world)
{
  full->side_lease_s = 100;
  full->lease_s = 0; /* the registration itself stays quiet */
  world_post (world, MUSTER_FACT_ENABLED);
  assert_state (world, "registered");
  assert_events (world, "registration.created");
  assert_log ("open");
}

static void
test_renewed (World *world, gconstpointer data)
{
  enable (world);
  pass_ms (43900);
  assert_log ("");
  pass_ms (6200);
  assert_log ("renew:presence");
  pass_ms (10 * 50100);
  g_assert_cmpint (full->log->len / strlen ("renew:presence "), >=, 10);
  g_assert_cmpint (full->log->len / strlen ("renew:presence "), <=, 12);
  g_assert_cmpuint (world->events->len, ==, 0); /* nothing that others must hear of */
}

/* A service may say any number: the largest are decades, not moments. */
static void
test_renewed_when_told (World *world, gconstpointer data)
{
  full->side_refresh_after_s = GPOINTER_TO_UINT (data);
  full->lease_s = 0;
  world_post (world, MUSTER_FACT_ENABLED);
  assert_events (world, "registration.created");
  assert_log ("open");
  pass_ms (870 * 1000);
  assert_log ("");
  pass_ms (131 * 1000);
  assert_log (full->side_refresh_after_s == 1000 ? "renew:presence" : "");
}

/* A failure in passing is tried again inside what is left, and nobody is told. */
static void
test_retried (World *world, gconstpointer data)
{
  g_autofree char *log = NULL;

  enable (world);
  full->renew_error = MUSTER_ERROR_UNREACHABLE;
  pass_ms (70000);
  log = take_log ();
  g_assert_true (g_str_has_prefix (log, "renew:presence renew:presence"));
  g_assert_null (strstr (log, "lapsed"));
  g_assert_cmpuint (world->events->len, ==, 0);

  full->renew_error = -1;
  pass_ms (29000); /* a third of what is left at the latest */
  g_free (log);
  log = take_log ();
  g_assert_cmpstr (log, ==, "renew:presence");
  pass_ms (10000); /* past the end of the first one */
  assert_log ("");
}

static void
test_lapsed (World *world, gconstpointer data)
{
  const char *lease = NULL;
  const char *code = NULL;

  enable (world);
  full->renew_error = MUSTER_ERROR_UNREACHABLE;
  pass_ms (99900);
  assert_events (world, "");
  pass_ms (200);
  g_assert_true (g_str_has_suffix (full->log->str, "lapsed:presence:unreachable "));
  assert_events (world, "lease.lost");
  g_assert_true (g_variant_lookup (world->payload, "lease", "&s", &lease));
  g_assert_true (g_variant_lookup (world->payload, "error", "&s", &code));
  g_assert_cmpstr (lease, ==, "presence");
  g_assert_cmpstr (code, ==, "unreachable");
  assert_state (world, "registered"); /* the registration does not mind */

  g_string_truncate (full->log, 0);
  pass_ms (1000000);
  assert_log ("");
}

static void
test_refused (World *world, gconstpointer data)
{
  enable (world);
  full->renew_error = MUSTER_ERROR_FORBIDDEN;
  pass_ms (50100);
  assert_log ("renew:presence lapsed:presence:forbidden");
  assert_events (world, "lease.lost");
}

/* What is gone at the service is made anew at once, but not twice. */
static void
test_expired (World *world, gconstpointer data)
{
  enable (world);
  full->renew_error = MUSTER_ERROR_EXPIRED;
  pass_ms (50200);
  assert_log ("renew:presence renew:presence lapsed:presence:expired");
  assert_events (world, "lease.lost");
}

/* A renewal that is not answered is given up after a third of what is left. */
static void
test_silent (World *world, gconstpointer data)
{
  enable (world);
  full->hold = TRUE;
  pass_ms (50100);
  g_assert_cmpuint (g_queue_get_length (&full->held), ==, 1);
  pass_ms (20000);
  g_assert_true (g_str_has_prefix (full->log->str, "renew:presence renew:presence"));
  full->hold = FALSE;
  world_disable (world);
  g_assert_cmpuint (g_queue_get_length (&full->held), ==, 0);
}

/* The registration's end takes them along: what is under way ends before the service is told. */
static void
test_closed (World *world, gconstpointer data)
{
  enable (world);
  full->hold = TRUE;
  pass_ms (50100);
  assert_log ("renew:presence");
  full->hold = FALSE;
  full->deaf = TRUE;
  world_disable (world);
  assert_log (""); /* it waits for the one that does not hear */
  release ();
  settle ();
  assert_log ("close");
  assert_state (world, "disabled");
  assert_events (world, "registration.ended");
  pass_ms (1000000);
  assert_log ("");
}

/* Without the registration nothing is renewed; what fell due meanwhile is at once when it is back. */
static void
test_waits_for_registration (World *world, gconstpointer data)
{
  enable (world);
  world->conditions &= ~MUSTER_CONDITION_NETWORK;
  world_post (world, MUSTER_FACT_NETWORK_DOWN);
  assert_state (world, "waiting-network");
  pass_ms (60000);
  assert_log ("");
  full->side_lease_s = 0; /* the next open adds none */
  full->lease_s = 0;
  world->conditions |= MUSTER_CONDITION_NETWORK;
  world_post (world, MUSTER_FACT_NETWORK_UP);
  pass_ms (100);
  assert_log ("open renew:presence");
}

static void
test_removed (World *world, gconstpointer data)
{
  enable (world);
  full->hold = TRUE;
  pass_ms (50100);
  muster_registration_remove_lease (world->registration, "presence");
  settle ();
  g_assert_cmpuint (g_queue_get_length (&full->held), ==, 0); /* cancelled */
  assert_log ("renew:presence");
  pass_ms (1000000);
  assert_log ("");
  assert_events (world, "");
  full->hold = FALSE;
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  full_open ();

#define ADD(path, test) g_test_add (path, World, NULL, world_set_up, test, world_tear_down)
  ADD ("/side-lease/renewed", test_renewed);
  g_test_add ("/side-lease/renewed-when-told", World, GUINT_TO_POINTER (1000), world_set_up,
              test_renewed_when_told, world_tear_down);
  g_test_add ("/side-lease/renewed-when-told/in-decades", World, GUINT_TO_POINTER ((1u << 31) + 5),
              world_set_up, test_renewed_when_told, world_tear_down);
  ADD ("/side-lease/retried", test_retried);
  ADD ("/side-lease/lapsed", test_lapsed);
  ADD ("/side-lease/refused", test_refused);
  ADD ("/side-lease/expired", test_expired);
  ADD ("/side-lease/silent", test_silent);
  ADD ("/side-lease/closed", test_closed);
  ADD ("/side-lease/waits-for-registration", test_waits_for_registration);
  ADD ("/side-lease/removed", test_removed);

  status = g_test_run ();
  full_clear ();
  muster_module_free (full_module);
  return status;
}
