/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "standing-fixture.h"

/* Calls in one lane wait for each other; lanes do not; a close ends them all first. */

typedef struct {
  MusterRegistration *registration;
  GAsyncResult *results[10];
} Lanes;

static void
on_contact (gpointer host, const MusterContact *contact)
{
  g_string_append_printf (full->log, "contact:%s:%s ", contact->address,
                          muster_presence_to_string (contact->presence));
}

static void
on_contact_gone (gpointer host, const char *address)
{
  g_string_append_printf (full->log, "gone:%s ", address);
}

static void
on_offer (gpointer host, const MusterOffer *offer)
{
  g_string_append_printf (full->log, "offer:%s:%s:%s ", offer->id, offer->from, offer->text);
}

static void
on_waiting (gpointer host, guint n_new, guint n_old)
{
  g_string_append_printf (full->log, "waiting:%u:%u ", n_new, n_old);
}

static const MusterRegistrationHost lanes_host = {
  .dup_param = world_dup_param,
  .contact_changed = on_contact,
  .contact_gone = on_contact_gone,
  .offer_changed = on_offer,
  .messages_waiting = on_waiting,
};

static void
set_up (Lanes *lanes, gconstpointer data)
{
  const MusterKind *kind = muster_module_get_info (full_module)->kinds[0];

  full_reset ();
  lanes->registration = muster_registration_new (kind->get_type (), kind->protocol, NULL, "a1",
                                                 "alice@full", &lanes_host, NULL);
}

static void
tear_down (Lanes *lanes, gconstpointer data)
{
  settle ();
  for (guint i = 0; i < G_N_ELEMENTS (lanes->results); i++)
    g_clear_object (&lanes->results[i]);
  g_assert_finalize_object (lanes->registration);
}

static void
publish (Lanes *lanes, MusterPresence presence, GCancellable *cancellable, guint i)
{
  muster_publisher_publish_async (MUSTER_PUBLISHER (lanes->registration), presence, "hello",
                                  cancellable, on_test_result, &lanes->results[i]);
}

static void
assert_cancelled (Lanes *lanes, guint i)
{
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (lanes->results[i]);
  g_assert_false (g_task_propagate_boolean (G_TASK (lanes->results[i]), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_one_lane (Lanes *lanes, gconstpointer data)
{
  full->hold = TRUE;
  publish (lanes, MUSTER_PRESENCE_AVAILABLE, NULL, 0);
  publish (lanes, MUSTER_PRESENCE_DND, NULL, 1);
  settle ();
  assert_log ("publish:available");
  release ();
  settle ();
  assert_log ("publish:dnd");
  g_assert_true (muster_publisher_publish_finish (MUSTER_PUBLISHER (lanes->registration),
                                                  lanes->results[0], NULL));
  g_assert_null (lanes->results[1]);
  release ();
  settle ();
  g_assert_nonnull (lanes->results[1]);
}

static void
test_side_by_side (Lanes *lanes, gconstpointer data)
{
  g_autoptr (GHashTable) secrets = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *evidence = NULL;
  g_autoptr (GVariant) form = NULL;
  g_autoptr (GPtrArray) contacts = NULL;
  g_autoptr (GPtrArray) bindings = NULL;
  MusterVerdict verdict = MUSTER_VERDICT_MISSED;
  gpointer self = lanes->registration;

  full->hold = TRUE;
  publish (lanes, MUSTER_PRESENCE_DND, NULL, 0);
  muster_watcher_load_async (self, NULL, on_test_result, &lanes->results[1]);
  muster_watcher_add_async (self, "carol@full", NULL, NULL, on_test_result, &lanes->results[2]);
  muster_creator_get_form_async (self, NULL, on_test_result, &lanes->results[3]);
  muster_verifier_verify_async (self, NULL, on_test_result, &lanes->results[4]);
  muster_incoming_answer_async (self, "call-1", MUSTER_ANSWER_DECLINE, NULL, NULL, on_test_result,
                                &lanes->results[5]);
  muster_registration_open_async (self, NULL, on_test_result, &lanes->results[6]);
  muster_creator_create_async (self, g_variant_new_parsed ("{'nick': <'ann'>}"), secrets, NULL,
                               on_test_result, &lanes->results[7]);
  muster_binder_list_async (self, NULL, on_test_result, &lanes->results[8]);
  muster_binder_remove_async (self, "full:other", NULL, on_test_result, &lanes->results[9]);
  settle ();
  assert_log ("publish:dnd load form verify answer:call-1:decline open list");

  while (!g_queue_is_empty (&full->held)) {
    release ();
    settle ();
  }
  assert_log ("add:carol@full create:ann unbind:full:other");
  contacts = muster_watcher_load_finish (self, lanes->results[1], NULL);
  g_assert_cmpstr (((MusterContact *) contacts->pdata[0])->address, ==, "bob@full");
  g_assert_true (muster_watcher_add_finish (self, lanes->results[2], NULL));
  form = muster_creator_get_form_finish (self, lanes->results[3], NULL);
  g_assert_cmpuint (g_variant_n_children (form), ==, 1);
  g_assert_true (
    muster_verifier_verify_finish (self, lanes->results[4], &verdict, &evidence, NULL));
  g_assert_cmpint (verdict, ==, MUSTER_VERDICT_PROVEN);
  g_assert_cmpstr (evidence, ==, "it came back");
  g_assert_true (muster_incoming_answer_finish (self, lanes->results[5], NULL));
  g_assert_true (muster_creator_create_finish (self, lanes->results[7], NULL));
  muster_lease_free (muster_registration_open_finish (self, lanes->results[6], NULL));
  bindings = muster_binder_list_finish (self, lanes->results[8], NULL);
  g_assert_cmpuint (bindings->len, ==, 2);
  g_assert_true (muster_binder_remove_finish (self, lanes->results[9], NULL));
}

/* Each pair of functions that answers yes or no is its own. */

static MusterWatcherInterface real_watcher;
static MusterCreatorInterface real_creator;

#define TELLING(Type, of, name)                                                                    \
  static gboolean tell_##of##_##name (Type *self, GAsyncResult *result, GError **error)            \
  {                                                                                                \
    g_string_append (full->log, #name "! ");                                                       \
    return of.name##_finish (self, result, error);                                                 \
  }
TELLING (MusterWatcher, real_watcher, add)
TELLING (MusterWatcher, real_watcher, remove)
TELLING (MusterWatcher, real_watcher, authorise)
TELLING (MusterCreator, real_creator, create)
TELLING (MusterCreator, real_creator, change_secret)
TELLING (MusterCreator, real_creator, remove)

static void
test_own_functions (Lanes *lanes, gconstpointer data)
{
  gpointer self = lanes->registration;
  MusterWatcherInterface *watches = MUSTER_WATCHER_GET_IFACE (self);
  MusterCreatorInterface *creates = MUSTER_CREATOR_GET_IFACE (self);
  g_autoptr (GHashTable) secrets = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (MusterSecret) secret = muster_secret_new ("new", 3);

  real_watcher = *watches;
  real_creator = *creates;
  watches->add_finish = tell_real_watcher_add;
  watches->remove_finish = tell_real_watcher_remove;
  watches->authorise_finish = tell_real_watcher_authorise;
  creates->create_finish = tell_real_creator_create;
  creates->change_secret_finish = tell_real_creator_change_secret;
  creates->remove_finish = tell_real_creator_remove;

  muster_watcher_add_async (self, "bob@full", NULL, NULL, on_test_result, &lanes->results[0]);
  muster_watcher_remove_async (self, "bob@full", NULL, on_test_result, &lanes->results[1]);
  muster_watcher_authorise_async (self, "bob@full", TRUE, NULL, on_test_result, &lanes->results[2]);
  settle ();
  assert_log ("add:bob@full add! remove:bob@full remove! allow:bob@full authorise!");
  g_assert_true (muster_watcher_add_finish (self, lanes->results[0], NULL));
  g_assert_true (muster_watcher_remove_finish (self, lanes->results[1], NULL));
  g_assert_true (muster_watcher_authorise_finish (self, lanes->results[2], NULL));

  muster_creator_create_async (self, g_variant_new_parsed ("{'nick': <'ann'>}"), secrets, NULL,
                               on_test_result, &lanes->results[3]);
  muster_creator_change_secret_async (self, "password", secret, NULL, on_test_result,
                                      &lanes->results[4]);
  muster_creator_remove_async (self, NULL, on_test_result, &lanes->results[5]);
  settle ();
  assert_log ("create:ann create! change:password change_secret! delete remove!");
  g_assert_true (muster_creator_create_finish (self, lanes->results[3], NULL));
  g_assert_true (muster_creator_change_secret_finish (self, lanes->results[4], NULL));
  g_assert_true (muster_creator_remove_finish (self, lanes->results[5], NULL));

  *watches = real_watcher;
  *creates = real_creator;
}

/* Fit to be shown, and to be said back. */
static void
test_bindings (Lanes *lanes, gconstpointer data)
{
  g_autoptr (GPtrArray) bindings = NULL;
  g_autoptr (MusterBinding) copy = NULL;
  g_autoptr (GError) error = NULL;
  gpointer self = lanes->registration;

  full->n_more_bindings = 1000;
  muster_binder_list_async (self, NULL, on_test_result, &lanes->results[0]);
  muster_binder_remove_async (self, NULL, NULL, on_test_result, &lanes->results[1]);
  settle ();
  assert_log ("list unbind:all");
  bindings = muster_binder_list_finish (self, lanes->results[0], NULL);
  g_assert_cmpuint (bindings->len, ==, MUSTER_BINDINGS_MAX);
  copy = muster_binding_copy (bindings->pdata[0]);
  g_assert_cmpstr (copy->uri, ==, "full:ours");
  g_assert_true (copy->ours);
  g_assert_cmpuint (copy->expires_s, ==, 60);
  g_assert_null (copy->device);
  muster_binding_free (g_steal_pointer (&copy));
  copy = muster_binding_copy (bindings->pdata[1]);
  g_assert_cmpstr (copy->device, ==, "a phone ");
  g_assert_false (copy->ours);
  g_assert_cmpstr (((MusterBinding *) bindings->pdata[2])->uri, ==, "full:more");
  g_assert_true (muster_binder_remove_finish (self, lanes->results[1], NULL));

  full->bind_error = MUSTER_ERROR_BUSY;
  muster_binder_list_async (self, NULL, on_test_result, &lanes->results[2]);
  settle ();
  g_assert_null (muster_binder_list_finish (self, lanes->results[2], &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  assert_log ("list");
}

static void
test_cancelled (Lanes *lanes, gconstpointer data)
{
  g_autoptr (GCancellable) first = g_cancellable_new ();
  g_autoptr (GCancellable) second = g_cancellable_new ();

  full->hold = TRUE;
  publish (lanes, MUSTER_PRESENCE_DND, first, 0);
  publish (lanes, MUSTER_PRESENCE_AVAILABLE, second, 1);
  settle ();
  g_cancellable_cancel (second); /* has not begun, and never will */
  g_cancellable_cancel (first);
  settle ();
  assert_cancelled (lanes, 0);
  assert_cancelled (lanes, 1);
  assert_log ("publish:dnd");
}

/* Nothing is under way, and nothing begins, while the plugin closes. */
static void
test_close (Lanes *lanes, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  full->hold = TRUE;
  publish (lanes, MUSTER_PRESENCE_DND, NULL, 0);
  publish (lanes, MUSTER_PRESENCE_AVAILABLE, NULL, 1);
  muster_verifier_verify_async (MUSTER_VERIFIER (lanes->registration), NULL, on_test_result,
                                &lanes->results[2]);
  settle ();
  assert_log ("publish:dnd verify");
  full->deaf = TRUE;
  muster_registration_close_async (lanes->registration, NULL, on_test_result, &lanes->results[3]);
  settle ();
  assert_cancelled (lanes, 1);
  assert_log (""); /* two have not ended */
  release ();
  settle ();
  assert_log ("");
  release ();
  settle ();
  assert_log ("close");
  publish (lanes, MUSTER_PRESENCE_DND, NULL, 4);
  settle ();
  assert_cancelled (lanes, 4);
  release ();
  settle ();
  g_assert_true (muster_registration_close_finish (lanes->registration, lanes->results[3], &error));

  publish (lanes, MUSTER_PRESENCE_DND, NULL, 5); /* and may again */
  settle ();
  assert_log ("publish:dnd");
  release ();
}

/* A plugin that does not end a call keeps the service from being told, not the daemon from going on. */
static void
test_close_given_up (Lanes *lanes, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  full->hold = full->deaf = TRUE;
  publish (lanes, MUSTER_PRESENCE_DND, NULL, 0);
  settle ();
  muster_registration_close_async (lanes->registration, cancellable, on_test_result,
                                   &lanes->results[1]);
  g_test_expect_message ("Muster", G_LOG_LEVEL_WARNING, "*have not ended*");
  g_cancellable_cancel (cancellable);
  settle ();
  g_test_assert_expected_messages ();
  g_assert_false (
    muster_registration_close_finish (lanes->registration, lanes->results[1], &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_log ("publish:dnd");
  release ();
}

static void
test_reports (Lanes *lanes, gconstpointer data)
{
  g_autoptr (MusterContact) contact = muster_contact_new ("bob@full");
  g_autoptr (MusterContact) copy = NULL;
  g_autoptr (MusterOffer) offer = muster_offer_new ("1", MUSTER_OFFER_CALL, "bob@full", WALL_US);
  g_autoptr (MusterOffer) offer_copy = NULL;

  offer->text = g_strdup ("lunch");
  offer_copy = muster_offer_copy (offer);
  contact->presence = MUSTER_PRESENCE_AWAY;
  copy = muster_contact_copy (contact);
  muster_watcher_report (MUSTER_WATCHER (lanes->registration), copy);
  muster_incoming_report (MUSTER_INCOMING (lanes->registration), offer_copy);
  muster_incoming_report_waiting (MUSTER_INCOMING (lanes->registration), 2, 5);
  assert_log ("contact:bob@full:away offer:1:bob@full:lunch waiting:2:5");

  muster_registration_detach_host (lanes->registration);
  muster_watcher_report (MUSTER_WATCHER (lanes->registration), copy);
  muster_incoming_report (MUSTER_INCOMING (lanes->registration), offer_copy);
  muster_incoming_report_waiting (MUSTER_INCOMING (lanes->registration), 1, 0);
  assert_log ("");

  g_assert_cmpuint (muster_publisher_get_supported (MUSTER_PUBLISHER (lanes->registration)), ==,
                    1u << MUSTER_PRESENCE_AVAILABLE | 1u << MUSTER_PRESENCE_DND);
}

static void
test_interval (Lanes *lanes, gconstpointer data)
{
  MusterVerifier *verifier = MUSTER_VERIFIER (lanes->registration);
  MusterVerifierInterface *iface = MUSTER_VERIFIER_GET_IFACE (verifier);
  guint (*get_interval_s) (MusterVerifier *) = iface->get_interval_s;

  g_assert_cmpuint (muster_verifier_get_interval_s (verifier), ==, 0);
  full->verify_interval_s = 60;
  g_assert_cmpuint (muster_verifier_get_interval_s (verifier), ==, 60);

  /* A plugin that was built before there was such a function. */
  iface->get_interval_s = NULL;
  g_assert_cmpuint (muster_verifier_get_interval_s (verifier), ==, 0);
  iface->get_interval_s = get_interval_s;
}

/* What a peer chose itself is fit to be shown, or not told at all. */
static void
test_tame_reports (Lanes *lanes, gconstpointer data)
{
  static const char *const odd[] = { "", "a\nb@full", "bob@full\xff", "bob\u202e@full" };
  MusterWatcher *watcher = MUSTER_WATCHER (lanes->registration);
  g_autofree char *longest = g_strnfill (512, 'a');
  g_autofree char *too_long = g_strnfill (513, 'a');
  g_autofree char *expected = g_strdup_printf ("contact:%s:offline", longest);
  g_autoptr (MusterContact) contact = muster_contact_new ("bob@full");

  for (guint i = 0; i < G_N_ELEMENTS (odd); i++) {
    g_autoptr (MusterContact) hostile = muster_contact_new (odd[i]);

    muster_watcher_report (watcher, hostile);
    muster_watcher_report_gone (watcher, odd[i]);
  }
  g_free (contact->address);
  contact->address = g_strdup (too_long);
  muster_watcher_report (watcher, contact);
  assert_log ("");

  g_free (contact->address);
  contact->address = g_strdup (longest);
  contact->presence = (MusterPresence) 77;
  muster_watcher_report (watcher, contact);
  assert_log (expected);
  muster_watcher_report_gone (watcher, "bob@full");
  assert_log ("gone:bob@full");
}

static void
test_tame_offers (Lanes *lanes, gconstpointer data)
{
  g_autoptr (MusterOffer)
    offer = muster_offer_new ("1", MUSTER_OFFER_MESSAGE, "bob\x1b[2J@full", 0);
  g_autofree char *many = g_strnfill (3000, '\n');

  offer->from_name = g_strdup ("\xff");
  offer->text = g_strdup ("one\r\ntwo \u202e\xc3\n\nlast\r");
  muster_incoming_report (MUSTER_INCOMING (lanes->registration), offer);
  assert_log ("offer:1:bob [2J@full:one\ntwo  \uFFFD\n\nlast");

  g_free (offer->text);
  offer->text = g_strconcat (many, many, many, NULL);
  g_string_truncate (full->log, 0);
  muster_incoming_report (MUSTER_INCOMING (lanes->registration), offer);
  g_assert_cmpuint (full->log->len, ==, strlen ("offer:1:bob [2J@full: ") + 8192);
  g_free (offer->text);
  offer->text = g_strnfill (9000, 'x');
  g_string_truncate (full->log, 0);
  muster_incoming_report (MUSTER_INCOMING (lanes->registration), offer);
  g_assert_cmpuint (full->log->len, <=, strlen ("offer:1:bob [2J@full: ") + 8192);
  g_assert_cmpuint (full->log->len, >, 8000);
  g_string_truncate (full->log, 0);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  full_open ();

#define ADD(path, test) g_test_add (path, Lanes, NULL, set_up, test, tear_down)
  ADD ("/lanes/one-lane", test_one_lane);
  ADD ("/lanes/side-by-side", test_side_by_side);
  ADD ("/lanes/own-functions", test_own_functions);
  ADD ("/lanes/bindings", test_bindings);
  ADD ("/lanes/cancelled", test_cancelled);
  ADD ("/lanes/close", test_close);
  ADD ("/lanes/close-given-up", test_close_given_up);
  ADD ("/lanes/reports", test_reports);
  ADD ("/lanes/interval", test_interval);
  ADD ("/lanes/tame-reports", test_tame_reports);
  ADD ("/lanes/tame-offers", test_tame_offers);

  status = g_test_run ();
  full_clear ();
  muster_module_free (full_module);
  return status;
}
