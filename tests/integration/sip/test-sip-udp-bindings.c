/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "plugin-fixture.h"

#include <muster/muster.h>

/* The contacts of an address: listed, and removed, between the registration's own REGISTERs. */

#define OTHER "sip:desk@192.0.2.50:5070;transport=tcp"

typedef struct {
  World world;
  GAsyncResult *result; /* of the last call; NULL: it is under way */
} Bindings;

static void
set_up (Bindings *bindings, gconstpointer data)
{
  world_set_up (&bindings->world, data);
  open_and_wait (&bindings->world);
  g_assert_no_error (bindings->world.error);
  sip_peer_bind (bindings->world.peer, OTHER, 99);
}

static void
tear_down (Bindings *bindings, gconstpointer data)
{
  g_clear_object (&bindings->result);
  world_tear_down (&bindings->world, data);
}

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Bindings *bindings = user_data;

  g_assert_null (bindings->result);
  bindings->result = g_object_ref (result);
}

static void
begin_list (Bindings *bindings, GCancellable *cancellable)
{
  g_clear_object (&bindings->result);
  muster_binder_list_async (MUSTER_BINDER (bindings->world.registration), cancellable, on_result,
                            bindings);
}

static void
begin_remove (Bindings *bindings, const char *uri, GCancellable *cancellable)
{
  g_clear_object (&bindings->result);
  muster_binder_remove_async (MUSTER_BINDER (bindings->world.registration), uri, cancellable,
                              on_result, bindings);
}

static void
wait_for_result (Bindings *bindings)
{
  while (bindings->result == NULL)
    g_main_context_iteration (NULL, TRUE); /* meson's timeout is the watchdog */
}

static GPtrArray *
end_list (Bindings *bindings)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *list;

  wait_for_result (bindings);
  list = muster_binder_list_finish (MUSTER_BINDER (bindings->world.registration), bindings->result,
                                    &error);
  g_assert_no_error (error);
  return list;
}

static void
end_remove (Bindings *bindings)
{
  g_autoptr (GError) error = NULL;

  wait_for_result (bindings);
  muster_binder_remove_finish (MUSTER_BINDER (bindings->world.registration), bindings->result,
                               &error);
  g_assert_no_error (error);
}

static void
assert_remove_fails (Bindings *bindings, const char *uri, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;

  begin_remove (bindings, uri, NULL);
  wait_for_result (bindings);
  g_assert_false (muster_binder_remove_finish (MUSTER_BINDER (bindings->world.registration),
                                               bindings->result, &error));
  g_assert_error (error, domain, code);
}

static guint
count_requests (Bindings *bindings)
{
  return sip_peer_count_requests (bindings->world.peer);
}

static guint
last_cseq (Bindings *bindings)
{
  return (guint) g_ascii_strtoull (last_request (&bindings->world)->cseq, NULL, 10);
}

static void
wait_for_request (Bindings *bindings, guint n)
{
  while (count_requests (bindings) < n)
    g_main_context_iteration (NULL, TRUE);
}

#define assert_bound(bindings, expected)                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *bound = sip_peer_dup_bindings ((bindings)->world.peer);                       \
    g_assert_cmpstr (bound, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static void
test_list (Bindings *bindings, gconstpointer data)
{
  g_autofree char *ours = g_strdup (bindings->world.lease->bindings[0]);
  g_autofree char *call_id = g_strdup (last_request (&bindings->world)->call_id);
  guint cseq = last_cseq (bindings);
  guint n_before = count_requests (bindings);
  g_autoptr (GPtrArray) list = NULL;

  begin_list (bindings, NULL);
  list = end_list (bindings);
  g_assert_cmpuint (list->len, ==, 2);
  for (guint i = 0; i < list->len; i++) {
    const MusterBinding *binding = list->pdata[i];

    g_assert_cmpstr (binding->uri, ==, binding->ours ? ours : OTHER);
    g_assert_cmpuint (binding->expires_s, ==, binding->ours ? 600 : 99);
  }
  g_assert_true (((MusterBinding *) list->pdata[0])->ours !=
                 ((MusterBinding *) list->pdata[1])->ours);

  g_assert_cmpuint (count_requests (bindings), ==, n_before + 1);
  g_assert_cmpuint (last_cseq (bindings), ==, cseq + 1);
  g_assert_cmpstr (last_request (&bindings->world)->call_id, ==, call_id);
  g_assert_null (last_request (&bindings->world)->contact);
  g_assert_null (last_request (&bindings->world)->expires);

  open_and_wait (&bindings->world);
  g_assert_true (bindings->world.lease->refreshed);
  g_assert_cmpuint (last_cseq (bindings), ==, cseq + 2);
}

static void
test_remove_another (Bindings *bindings, gconstpointer data)
{
  g_autofree char *ours = g_strdup (bindings->world.lease->bindings[0]);

  begin_remove (bindings, OTHER, NULL);
  end_remove (bindings);
  g_assert_cmpstr (last_request (&bindings->world)->contact, ==, "<" OTHER ">;expires=0");
  assert_bound (bindings, ours);

  open_and_wait (&bindings->world);
  g_assert_true (bindings->world.lease->refreshed);
}

/* What comes after is a fresh registration, of the same dialog. */
static void
test_remove_ours (Bindings *bindings, gconstpointer data)
{
  g_autofree char *ours = g_strdup (bindings->world.lease->bindings[0]);
  g_autofree char *call_id = g_strdup (last_request (&bindings->world)->call_id);
  guint cseq = last_cseq (bindings);

  begin_remove (bindings, ours, NULL);
  end_remove (bindings);
  assert_bound (bindings, OTHER);

  open_and_wait (&bindings->world);
  g_assert_no_error (bindings->world.error);
  g_assert_false (bindings->world.lease->refreshed);
  g_assert_cmpstr (last_request (&bindings->world)->call_id, ==, call_id);
  g_assert_cmpuint (last_cseq (bindings), ==, cseq + 2);
  g_assert_cmpstr (bindings->world.lease->bindings[0], ==, ours);
}

static void
test_remove_all (Bindings *bindings, gconstpointer data)
{
  guint n_before;

  begin_remove (bindings, NULL, NULL);
  end_remove (bindings);
  g_assert_cmpstr (last_request (&bindings->world)->contact, ==, "*");
  g_assert_cmpstr (last_request (&bindings->world)->expires, ==, "0");
  assert_bound (bindings, "");

  open_and_wait (&bindings->world);
  g_assert_false (bindings->world.lease->refreshed);

  begin_remove (bindings, NULL, NULL);
  end_remove (bindings);
  n_before = count_requests (bindings);
  close_and_wait (&bindings->world); /* there is nothing to take back */
  g_assert_no_error (bindings->world.error);
  g_assert_cmpuint (count_requests (bindings), ==, n_before);
}

static void
test_restart (Bindings *bindings, gconstpointer data)
{
  begin_remove (bindings, NULL, NULL);
  end_remove (bindings);
  g_clear_object (&bindings->result); /* holds the registration */
  stop (&bindings->world);
  start (&bindings->world);
  open_and_wait (&bindings->world);
  g_assert_no_error (bindings->world.error);
  g_assert_false (bindings->world.lease->refreshed);
}

static void
test_refused (Bindings *bindings, gconstpointer data)
{
  guint n_before;

  sip_peer_set_scenario (bindings->world.peer, "keeps");
  assert_remove_fails (bindings, OTHER, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  assert_remove_fails (bindings, NULL, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  sip_peer_set_scenario (bindings->world.peer, "forbidden");
  assert_remove_fails (bindings, OTHER, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN);

  n_before = count_requests (bindings);
  assert_remove_fails (bindings, "sip:a@b>\r\nX: y", MUSTER_ERROR, MUSTER_ERROR_INVALID);
  assert_remove_fails (bindings, "sip:a@b>;expires=600, <sip:c@d", MUSTER_ERROR,
                       MUSTER_ERROR_INVALID);
  assert_remove_fails (bindings, "*", MUSTER_ERROR, MUSTER_ERROR_INVALID);
  g_assert_cmpuint (count_requests (bindings), ==, n_before);

  sip_peer_set_scenario (bindings->world.peer, "ok");
  open_and_wait (&bindings->world);
  g_assert_no_error (bindings->world.error);
  g_assert_cmpuint (count_requests (bindings), ==, n_before + 1); /* the nonce is good still */

  close_and_wait (&bindings->world);
  assert_remove_fails (bindings, OTHER, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
}

static void
test_challenged (Bindings *bindings, gconstpointer data)
{
  guint n_before;

  sip_peer_set_scenario (bindings->world.peer, "one-time");
  begin_list (bindings, NULL);
  g_ptr_array_unref (end_list (bindings)); /* with the last nonce that is good */
  n_before = count_requests (bindings);
  begin_remove (bindings, OTHER, NULL);
  end_remove (bindings);
  g_assert_cmpuint (count_requests (bindings), ==, n_before + 2);
  open_and_wait (&bindings->world);
  g_assert_no_error (bindings->world.error);
  g_assert_true (bindings->world.lease->refreshed);
}

static void
assert_cancelled (Bindings *bindings)
{
  g_autoptr (GError) error = NULL;

  wait_for_result (bindings);
  g_assert_false (g_task_propagate_boolean (G_TASK (bindings->result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Nobody knows what the server has. */
static void
test_no_answer (Bindings *bindings, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint n_before = count_requests (bindings);

  sip_peer_set_scenario (bindings->world.peer, "silent");
  begin_remove (bindings, NULL, cancellable);
  wait_for_request (bindings, n_before + 1);
  g_cancellable_cancel (cancellable);
  assert_cancelled (bindings);

  sip_peer_set_scenario (bindings->world.peer, "ok");
  open_and_wait (&bindings->world);
  g_assert_no_error (bindings->world.error);
  g_assert_false (bindings->world.lease->refreshed);
}

/* One REGISTER at a time, whichever comes first. */
static void
test_one_at_a_time (Bindings *bindings, gconstpointer data)
{
  World *world = &bindings->world;
  guint cseq = last_cseq (bindings);
  guint n_before = count_requests (bindings);

  sip_peer_set_scenario (world->peer, "slow");
  forget_result (world);
  muster_registration_open_async (world->registration, NULL, on_opened, world);
  begin_list (bindings, NULL);
  wait_until_done (world);
  g_assert_cmpuint (count_requests (bindings), ==, n_before + 1);
  g_assert_null (bindings->result);
  g_ptr_array_unref (end_list (bindings));
  g_assert_cmpuint (count_requests (bindings), ==, n_before + 2);

  begin_list (bindings, NULL);
  wait_for_request (bindings, n_before + 3);
  forget_result (world);
  muster_registration_open_async (world->registration, NULL, on_opened, world);
  g_ptr_array_unref (end_list (bindings));
  g_assert_cmpuint (count_requests (bindings), ==, n_before + 3);
  g_assert_cmpuint (world->n_done, ==, 0);
  wait_until_done (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (count_requests (bindings), ==, n_before + 4);
  g_assert_cmpuint (last_cseq (bindings), ==, cseq + 4);
}

static void
test_cancelled_waiting (Bindings *bindings, gconstpointer data)
{
  World *world = &bindings->world;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GCancellable) open_cancellable = g_cancellable_new ();
  guint n_before = count_requests (bindings);

  sip_peer_set_scenario (world->peer, "slow");
  forget_result (world);
  muster_registration_open_async (world->registration, NULL, on_opened, world);
  begin_list (bindings, cancellable);
  wait_for_request (bindings, n_before + 1);
  g_cancellable_cancel (cancellable);
  assert_cancelled (bindings);
  wait_until_done (world);
  g_assert_no_error (world->error);
  g_assert_cmpuint (count_requests (bindings), ==, n_before + 1);

  begin_list (bindings, NULL);
  wait_for_request (bindings, n_before + 2);
  forget_result (world);
  muster_registration_open_async (world->registration, open_cancellable, on_opened, world);
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
  g_cancellable_cancel (open_cancellable);
  wait_until_done (world);
  g_assert_error (world->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_ptr_array_unref (end_list (bindings));
  g_assert_cmpuint (count_requests (bindings), ==, n_before + 2);
}

/* Taking leave does not wait for somebody who looks around. */
static void
test_closed_meanwhile (Bindings *bindings, gconstpointer data)
{
  World *world = &bindings->world;

  begin_list (bindings, NULL);
  close_and_wait (world);
  g_assert_no_error (world->error);
  assert_cancelled (bindings);
  assert_bound (bindings, OTHER);
}

static void
test_hidden (Bindings *bindings, gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;

  sip_peer_set_scenario (bindings->world.peer, "nothing");
  begin_list (bindings, NULL);
  list = end_list (bindings);
  g_assert_cmpuint (list->len, ==, 0);
}

/* A registrar that puts another host into our contact: it is ours all the same. */
static void
test_rewritten (Bindings *bindings, gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  guint n_ours = 0;

  sip_peer_set_scenario (bindings->world.peer, "rewritten");
  begin_list (bindings, NULL);
  list = end_list (bindings);
  for (guint i = 0; i < list->len; i++) {
    const MusterBinding *binding = list->pdata[i];

    if (binding->ours)
      assert_has (binding->uri, "@203.0.113.9:1025");
    n_ours += binding->ours;
  }
  g_assert_cmpuint (list->len, ==, 3);
  g_assert_cmpuint (n_ours, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test)                                                                            \
  g_test_add ("/sip/udp/bindings/" path, Bindings, NULL, set_up, test, tear_down)
  ADD ("list", test_list);
  ADD ("remove-another", test_remove_another);
  ADD ("remove-ours", test_remove_ours);
  ADD ("remove-all", test_remove_all);
  ADD ("restart", test_restart);
  ADD ("refused", test_refused);
  ADD ("challenged", test_challenged);
  ADD ("no-answer", test_no_answer);
  ADD ("one-at-a-time", test_one_at_a_time);
  ADD ("cancelled-waiting", test_cancelled_waiting);
  ADD ("closed-meanwhile", test_closed_meanwhile);
  ADD ("hidden", test_hidden);
  ADD ("rewritten", test_rewritten);

  return g_test_run ();
}
