/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "events-fixture.h"

/* What an account subscribes to, and what it makes of the notifications: the test is the broker, which says when. */

/* our own address */

static void
test_own_events_begin (Bench *bench, gconstpointer data)
{
  static const char *const events[] = { "presence.winfo", "message-summary", "reg" };

  g_autofree char *binding = NULL;
  g_autofree char *contact = NULL;

  sign_in (bench);
  binding = sip_peer_dup_bindings (bench->world.peer);
  contact = g_strdup_printf ("\r\nContact: <%s>\r\n", binding);
  g_assert_cmpuint (g_hash_table_size (bench->world.side_leases), ==, 3);
  for (gsize i = 0; i < G_N_ELEMENTS (events); i++) {
    g_assert_cmpuint (sip_peer_events_count (bench->events, events[i]), ==, 0); /* not at once */
    subscribe (bench, events[i]);
    assert_last (bench, events[i], "SUBSCRIBE sip:alice@example.test SIP/2.0\r\n");
    assert_last (bench, events[i], "\r\nExpires: 3600\r\n");
    assert_last (bench, events[i], "\r\nAuthorization: Digest ");
    assert_last (bench, events[i], contact);
  }

  open_and_wait (&bench->world); /* a refresh leaves them alone */
  g_assert_cmpuint (g_hash_table_size (bench->world.side_leases), ==, 3);
  close_and_wait (&bench->world);
  run_dry ();
  for (gsize i = 0; i < G_N_ELEMENTS (events); i++) {
    g_assert_cmpuint (sip_peer_events_count (bench->events, events[i]), ==, 2);
    assert_last (bench, events[i], "\r\nExpires: 0\r\n");
    assert_last (bench, events[i], ";tag=peer\r\n");
  }
}

static void
wait_for_count (Bench *bench, const char *event, guint n)
{
  while (sip_peer_events_count (bench->events, event) < n)
    g_main_context_iteration (NULL, TRUE);
}

/* The end of a subscription is challenged, and the answer comes before the account is a stranger. */
static void
test_own_events_end_challenged (Bench *bench, gconstpointer data)
{
  guint n_registers;

  sign_in (bench);
  subscribe (bench, "reg");
  n_registers = sip_peer_count_requests (bench->world.peer);
  sip_peer_events_answer (bench->events, "reg", "401 Unauthorized",
                          "WWW-Authenticate: Digest realm=\"cms.realm\", nonce=\"new\", "
                          "qop=\"auth\", stale=true\r\n");
  forget_result (&bench->world);
  muster_registration_close_async (bench->world.registration, NULL, on_closed, &bench->world);
  wait_for_count (bench, "reg", 2);
  sip_peer_events_answer (bench->events, "reg", "200 OK", "Expires: 0\r\n");
  wait_for_count (bench, "reg", 3);
  g_assert_cmpuint (sip_peer_count_requests (bench->world.peer), ==, n_registers);
  assert_last (bench, "reg", "nonce=\"new\"");
  assert_last (bench, "reg", "\r\nExpires: 0\r\n");
  wait_until_done (&bench->world);
  g_assert_no_error (bench->world.error);
  g_assert_cmpuint (sip_peer_count_requests (bench->world.peer), >, n_registers);
}

static void
test_own_events_by_parameter (Bench *bench, gconstpointer data)
{
  set_boolean (bench, "presence", FALSE);
  set_boolean (bench, "message-waiting", FALSE);
  set_boolean (bench, "reg-event", FALSE);
  sign_in (bench);
  g_assert_cmpuint (g_hash_table_size (bench->world.side_leases), ==, 0);

  set_boolean (bench, "reg-event", TRUE);
  open_and_wait (&bench->world);
  g_assert_nonnull (find_lease (bench, "reg"));
  g_assert_cmpuint (g_hash_table_size (bench->world.side_leases), ==, 1);
  subscribe (bench, "reg");
  set_boolean (bench, "reg-event", FALSE);
  open_and_wait (&bench->world);
  g_assert_cmpuint (g_hash_table_size (bench->world.side_leases), ==, 0);
  run_dry ();
  assert_last (bench, "reg", "\r\nExpires: 0\r\n");
}

/* What a server has not, it is asked for once. */
static void
test_unsupported (Bench *bench, gconstpointer data)
{
  static const char *const answers[] = {
    "489 Bad Event", "405 Method Not Allowed", "501 Not Implemented", "403 Forbidden", "404 No",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++) {
    if (i > 0) {
      close_and_wait (&bench->world);
      stop (&bench->world);
      start (&bench->world);
    }
    sign_in (bench);
    sip_peer_events_answer (bench->events, "reg", answers[i], NULL);
    renew (bench, "reg");
    g_assert_nonnull (bench->error);
    g_assert_null (find_lease (bench, "reg"));
    open_and_wait (&bench->world);
    close_and_wait (&bench->world);
    sign_in (bench);
    g_assert_null (find_lease (bench, "reg"));
  }
}

/* A server that does not answer is asked less and less. */
static void
test_failing (Bench *bench, gconstpointer data)
{
  sign_in (bench);
  sip_peer_events_answer (bench->events, "reg", "503 Later", NULL);
  for (guint i = 0; i < 2; i++) {
    renew (bench, "reg");
    g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  }
  renew (bench, "reg");
  g_assert_no_error (bench->error);
  g_assert_cmpuint (bench->lease->lease_s, ==, 0);
  g_assert_cmpuint (bench->lease->refresh_after_s, ==, 3600);
  g_assert_nonnull (find_lease (bench, "reg"));
}

static void
test_forgotten (Bench *bench, gconstpointer data)
{
  g_autofree char *before = NULL;

  sign_in (bench);
  subscribe (bench, "message-summary");
  notify (bench, "message-summary", "active", NULL, NULL);
  before = g_strdup (sip_peer_events_last (bench->events, "message-summary"));
  sip_peer_events_answer (bench->events, "message-summary", "481 Gone", NULL);
  renew (bench, "message-summary");
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_EXPIRED);
  assert_last (bench, "message-summary", "SUBSCRIBE sip:events@");

  sip_peer_events_answer (bench->events, "message-summary", "200 OK", "Expires: 3600\r\n");
  subscribe (bench, "message-summary");
  assert_last (bench, "message-summary", "SUBSCRIBE sip:alice@");
}

/* reg */

static char *
make_reginfo (Bench *bench, guint version, const char *attributes)
{
  g_autofree char *uri = sip_peer_dup_bindings (bench->world.peer);

  return g_strdup_printf ("<?xml version=\"1.0\"?>"
                          "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"%u\" "
                          "state=\"full\"><registration aor=\"sip:alice@example.test\" id=\"a\" "
                          "state=\"active\"><contact id=\"c\" %s><uri>%s</uri></contact>"
                          "</registration></reginfo>",
                          version, attributes, uri);
}

static void
notify_reg (Bench *bench, guint version, const char *attributes)
{
  g_autofree char *body = make_reginfo (bench, version, attributes);

  notify (bench, "reg", "active", "application/reginfo+xml", body);
  assert_answered (bench, "200 ");
}

typedef struct {
  const char *event;
  MusterError error;
  guint retry_after_s;
} Loss;

static const Loss losses[] = {
  { "event=\"unregistered\"", MUSTER_ERROR_EXPIRED },
  { "event=\"expired\"", MUSTER_ERROR_EXPIRED },
  { "event=\"deactivated\"", MUSTER_ERROR_EXPIRED },
  { "event=\"probation\" retry-after=\"90\"", MUSTER_ERROR_BUSY, 90 },
  { "event=\"rejected\"", MUSTER_ERROR_FORBIDDEN },
};

/* The server drops our binding, and we know at once. */
static void
test_binding_lost (Bench *bench, gconstpointer data)
{
  const Loss *loss = data;
  g_autofree char *attributes = g_strdup_printf ("state=\"terminated\" %s", loss->event);

  sign_in (bench);
  subscribe (bench, "reg");
  notify_reg (bench, 0, "state=\"active\" event=\"registered\"");
  g_assert_no_error (bench->world.lost);

  bench->world.may_be_lost = TRUE;
  notify_reg (bench, 1, attributes);
  g_assert_error (bench->world.lost, MUSTER_ERROR, (int) loss->error);
  g_assert_cmpint (muster_error_get_step (bench->world.lost), ==, MUSTER_STEP_REGISTER);
  g_assert_cmpuint (muster_error_get_retry_after_s (bench->world.lost), ==, loss->retry_after_s);
  assert_has (bench->world.lost->message, "the server has ended the registration: ");

  bench->world.may_be_lost = FALSE;
  notify_reg (bench, 2, attributes); /* once */
  open_and_wait (&bench->world);
  g_assert_false (bench->world.lease->refreshed); /* whatever we thought */
  notify_reg (bench, 3, "state=\"active\" event=\"registered\"");
}

/* A list that does not have us yet, our own leaving, and nonsense lose nothing. */
static void
test_binding_stays (Bench *bench, gconstpointer data)
{
  static const char *const bodies[] = {
    "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\">"
    "<registration aor=\"sip:alice@example.test\" id=\"a\" state=\"init\"/></reginfo>",
    "<reginfo>",
    "",
  };
  g_autofree char *body = NULL;

  sign_in (bench);
  subscribe (bench, "reg");
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++) {
    notify (bench, "reg", "active", "application/reginfo+xml", bodies[i]);
    assert_answered (bench, "200 ");
  }
  notify_reg (bench, 1, "state=\"active\" event=\"registered\"");

  forget_result (&bench->world);
  muster_registration_close_async (bench->world.registration, NULL, on_closed, &bench->world);
  body = make_reginfo (bench, 2, "state=\"terminated\" event=\"unregistered\"");
  notify (bench, "reg", "active", "application/reginfo+xml", body);
  assert_answered (bench, "481 ");
}

/* contacts */

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Bench *bench = user_data;

  bench->done = TRUE;
  bench->loaded = muster_watcher_load_finish (MUSTER_WATCHER (source), result, &bench->error);
}

static void
load (Bench *bench)
{
  forget_outcome (bench);
  muster_watcher_load_async (MUSTER_WATCHER (bench->world.registration), NULL, on_loaded, bench);
  wait_for (bench);
}

static void
on_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Bench *bench = user_data;

  bench->done = TRUE;
  muster_watcher_add_finish (MUSTER_WATCHER (source), result, &bench->error);
}

static void
watch (Bench *bench, const char *address, const char *name)
{
  forget_outcome (bench);
  muster_watcher_add_async (MUSTER_WATCHER (bench->world.registration), address, name, NULL,
                            on_added, bench);
  wait_for (bench);
}

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Bench *bench = user_data;

  bench->done = TRUE;
  muster_watcher_remove_finish (MUSTER_WATCHER (source), result, &bench->error);
}

static void
unwatch (Bench *bench, const char *address)
{
  forget_outcome (bench);
  muster_watcher_remove_async (MUSTER_WATCHER (bench->world.registration), address, NULL,
                               on_removed, bench);
  wait_for (bench);
}

static const MusterContact *
last_contact (Bench *bench)
{
  g_assert_cmpuint (bench->world.contacts->len, >, 0);
  return bench->world.contacts->pdata[bench->world.contacts->len - 1];
}

#define assert_contact(bench, its_state, its_presence)                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpstr (last_contact (bench)->address, ==, "bob@example.test");                       \
    g_assert_cmpint (last_contact (bench)->state, ==, its_state);                                  \
    g_assert_cmpint (last_contact (bench)->presence, ==, its_presence);                            \
  }                                                                                                \
  G_STMT_END

#define PIDF(basic, note)                                                                          \
  "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "                        \
  "entity=\"sip:bob@example.test\"><tuple id=\"a\"><status><basic>" basic                          \
  "</basic></status><note>" note "</note></tuple></presence>"

static void
notify_presence (Bench *bench, const char *state, const char *body)
{
  notify (bench, "presence", state, body != NULL ? "application/pidf+xml" : NULL, body);
  assert_answered (bench, "200 ");
}

/* Registered, and bob is watched. */
static void
watch_bob (Bench *bench)
{
  sign_in (bench);
  load (bench);
  g_assert_no_error (bench->error);
  g_assert_cmpuint (bench->loaded->len, ==, 0);
  watch (bench, "sip:bob@EXAMPLE.test", "Bob");
  g_assert_no_error (bench->error);
  subscribe (bench, "presence");
}

static void
test_contact (Bench *bench, gconstpointer data)
{
  watch_bob (bench);
  assert_last (bench, "presence", "SUBSCRIBE sip:bob@example.test ");
  notify_presence (bench, "pending;expires=3600", PIDF ("open", "a guess"));
  assert_contact (bench, MUSTER_CONTACT_PENDING, MUSTER_PRESENCE_OFFLINE);
  g_assert_null (last_contact (bench)->text);
  notify_presence (bench, "active;expires=3600", PIDF ("open", "at work"));
  assert_contact (bench, MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AVAILABLE);
  g_assert_cmpstr (last_contact (bench)->text, ==, "at work");
  g_assert_cmpstr (last_contact (bench)->name, ==, "Bob");
  g_assert_cmpint (last_contact (bench)->changed_at_us, >, 0);
  notify_presence (bench, "active", PIDF ("closed", ""));
  assert_contact (bench, MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_OFFLINE);

  unwatch (bench, "bob@example.test");
  g_assert_no_error (bench->error);
  g_assert_null (find_lease (bench, "presence"));
  run_dry ();
  assert_last (bench, "presence", "\r\nExpires: 0\r\n");
  notify (bench, "presence", "terminated;reason=timeout", NULL, NULL);
  assert_answered (bench, "481 ");
}

static void
test_contact_denied (Bench *bench, gconstpointer data)
{
  watch_bob (bench);
  notify_presence (bench, "active", PIDF ("open", ""));
  notify_presence (bench, "terminated;reason=rejected", NULL);
  assert_contact (bench, MUSTER_CONTACT_DENIED, MUSTER_PRESENCE_OFFLINE);
  g_assert_null (find_lease (bench, "presence"));
}

static void
test_contact_forbidden (Bench *bench, gconstpointer data)
{
  sign_in (bench);
  load (bench);
  sip_peer_events_answer (bench->events, "presence", "403 Forbidden", NULL);
  watch (bench, "bob@example.test", NULL);
  renew (bench, "presence");
  g_assert_nonnull (bench->error);
  assert_contact (bench, MUSTER_CONTACT_DENIED, MUSTER_PRESENCE_OFFLINE);
  g_assert_null (find_lease (bench, "presence"));
}

/* The server ends it and wants it made anew: nothing flaps in between. */
static void
test_contact_made_anew (Bench *bench, gconstpointer data)
{
  guint n_told;

  watch_bob (bench);
  notify_presence (bench, "active", PIDF ("open", ""));
  n_told = bench->world.contacts->len;
  notify_presence (bench, "terminated;reason=deactivated", NULL);
  g_assert_cmpuint (bench->world.contacts->len, ==, n_told);
  g_assert_nonnull (find_lease (bench, "presence"));
  subscribe (bench, "presence");
  assert_last (bench, "presence", "SUBSCRIBE sip:bob@example.test ");

  notify_presence (bench, "terminated;reason=deactivated", NULL); /* again: then it is not known */
  assert_contact (bench, MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_OFFLINE);
  g_assert_nonnull (find_lease (bench, "presence"));
}

static void
test_contact_lapsed (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) why = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_REGISTER, "-");

  watch_bob (bench);
  notify_presence (bench, "active", PIDF ("open", ""));
  muster_registration_lapse_lease (bench->world.registration, find_lease (bench, "presence"), why);
  assert_contact (bench, MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_OFFLINE);
  g_assert_nonnull (find_lease (bench, "presence")); /* and will be asked for again */
}

/* The list is ours to keep; it outlives the daemon and says who had let us. */
static void
test_contacts_are_kept (Bench *bench, gconstpointer data)
{
  const MusterContact *contact;

  watch_bob (bench);
  notify_presence (bench, "active", PIDF ("open", ""));
  stop (&bench->world);
  g_hash_table_remove_all (bench->world.side_leases);
  start (&bench->world);
  sign_in (bench);
  load (bench);
  g_assert_no_error (bench->error);
  g_assert_cmpuint (bench->loaded->len, ==, 1);
  contact = bench->loaded->pdata[0];
  g_assert_cmpstr (contact->address, ==, "bob@example.test");
  g_assert_cmpstr (contact->name, ==, "Bob");
  g_assert_cmpint (contact->state, ==, MUSTER_CONTACT_WATCHED);
  g_assert_cmpint (contact->presence, ==, MUSTER_PRESENCE_OFFLINE);
  g_assert_nonnull (find_lease (bench, "presence"));

  unwatch (bench, "bob@example.test");
  g_assert_cmpuint (g_hash_table_size (bench->world.records), ==, 0);
}

static void
on_authorised (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Bench *bench = user_data;

  bench->done = TRUE;
  muster_watcher_authorise_finish (MUSTER_WATCHER (source), result, &bench->error);
}

static void
test_contacts_refused (Bench *bench, gconstpointer data)
{
  sign_in (bench);
  watch (bench, "bob@example.test", NULL); /* what is kept would be written over */
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  load (bench);
  watch (bench, "bob", NULL);
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
  watch (bench, "bob@example.test>\r\nX: ", NULL);
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_INVALID);

  forget_outcome (bench);
  muster_watcher_authorise_async (MUSTER_WATCHER (bench->world.registration), "bob@example.test",
                                  TRUE, NULL, on_authorised, bench);
  wait_for (bench);
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);

  set_boolean (bench, "presence", FALSE);
  open_and_wait (&bench->world);
  watch (bench, "bob@example.test", NULL);
  g_assert_error (bench->error, MUSTER_ERROR, MUSTER_ERROR_UNSUPPORTED);
  load (bench);
  g_assert_cmpuint (bench->loaded->len, ==, 0);
  g_assert_null (find_lease (bench, "presence"));
}

/* The parameter takes effect with the next refresh, both ways. */
static void
test_contacts_switched_off (Bench *bench, gconstpointer data)
{
  watch_bob (bench);
  notify_presence (bench, "active", PIDF ("open", ""));
  set_boolean (bench, "presence", FALSE);
  open_and_wait (&bench->world);
  g_assert_null (find_lease (bench, "presence"));
  assert_contact (bench, MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_OFFLINE);
  run_dry ();
  assert_last (bench, "presence", "\r\nExpires: 0\r\n");

  set_boolean (bench, "presence", TRUE);
  open_and_wait (&bench->world);
  subscribe (bench, "presence");
  assert_last (bench, "presence", "SUBSCRIBE sip:bob@example.test ");
}

/* presence.winfo */

static char *
make_winfo (guint version, const char *state, const char *status)
{
  return g_strdup_printf ("<?xml version=\"1.0\"?>"
                          "<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" "
                          "version=\"%u\" state=\"%s\"><watcher-list "
                          "resource=\"sip:alice@example.test\" package=\"presence\">"
                          "<watcher id=\"w\" status=\"%s\" event=\"subscribe\">"
                          "sip:bob@example.test</watcher></watcher-list></watcherinfo>",
                          version, state, status);
}

static void
notify_winfo (Bench *bench, guint version, const char *state, const char *status)
{
  g_autofree char *body = make_winfo (version, state, status);

  notify (bench, "presence.winfo", "active", "application/watcherinfo+xml", body);
  assert_answered (bench, "200 ");
}

static void
test_asks (Bench *bench, gconstpointer data)
{
  sign_in (bench);
  subscribe (bench, "presence.winfo");
  notify_winfo (bench, 0, "full", "pending");
  assert_contact (bench, MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE);
  g_assert_true (last_contact (bench)->asks);
  notify_winfo (bench, 1, "partial", "active");
  g_assert_false (last_contact (bench)->asks);
  load (bench);
  g_assert_cmpuint (bench->loaded->len, ==, 0);

  notify_winfo (bench, 2, "partial", "waiting");
  g_assert_true (last_contact (bench)->asks);
  load (bench);
  g_assert_cmpuint (bench->loaded->len, ==, 1);
  watch (bench, "bob@example.test", "Bob");
  notify_winfo (bench, 3, "partial", "terminated");
  assert_contact (bench, MUSTER_CONTACT_PENDING, MUSTER_PRESENCE_OFFLINE);
  g_assert_false (last_contact (bench)->asks);
}

/* One was missed: the whole list is asked for. */
static void
test_asks_after_gap (Bench *bench, gconstpointer data)
{
  const char *name;

  sign_in (bench);
  subscribe (bench, "presence.winfo");
  name = find_lease (bench, "presence.winfo");
  notify_winfo (bench, 0, "full", "active");
  g_hash_table_insert (bench->world.side_leases, g_strdup (name), GUINT_TO_POINTER (7));
  notify_winfo (bench, 1, "partial", "active");
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (bench->world.side_leases, name)), ==, 7);
  notify_winfo (bench, 5, "partial", "pending");
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (bench->world.side_leases, name)), >, 7);
}

/* moving */

/* Another contact: what would be notified to the old one is extended from the new one. */
static void
test_follow (Bench *bench, gconstpointer data)
{
  const char *name;

  sign_in (bench);
  subscribe (bench, "reg");
  notify (bench, "reg", "active", NULL, NULL);
  name = find_lease (bench, "reg");
  g_hash_table_insert (bench->world.side_leases, g_strdup (name), GUINT_TO_POINTER (7));
  open_and_wait (&bench->world);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (bench->world.side_leases, name)), ==, 7);

  sip_peer_set_scenario (bench->world.peer,
                         "nat"); /* the contact that is registered is another now */
  open_and_wait (&bench->world);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (bench->world.side_leases, name)), >, 7);
  subscribe (bench, "reg");
  assert_last (bench, "reg", "SUBSCRIBE sip:events@");
  assert_last (bench, "reg", "@203.0.113.9:1025>\r\n");
}

#define ADD(path, func) g_test_add ("/sip/events/" path, Bench, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

  ADD ("own/begin", test_own_events_begin);
  ADD ("own/end-challenged", test_own_events_end_challenged);
  ADD ("own/by-parameter", test_own_events_by_parameter);
  ADD ("own/unsupported", test_unsupported);
  ADD ("own/failing", test_failing);
  ADD ("own/forgotten", test_forgotten);
  for (gsize i = 0; i < G_N_ELEMENTS (losses); i++) {
    g_autofree char *path = g_strdup_printf ("/sip/events/binding-lost/%zu", i);

    g_test_add (path, Bench, &losses[i], set_up, test_binding_lost, tear_down);
  }
  ADD ("binding-stays", test_binding_stays);
  ADD ("contact/watched", test_contact);
  ADD ("contact/denied", test_contact_denied);
  ADD ("contact/forbidden", test_contact_forbidden);
  ADD ("contact/made-anew", test_contact_made_anew);
  ADD ("contact/lapsed", test_contact_lapsed);
  ADD ("contacts/kept", test_contacts_are_kept);
  ADD ("contacts/switched-off", test_contacts_switched_off);
  ADD ("contacts/refused", test_contacts_refused);
  ADD ("asks", test_asks);
  ADD ("asks/after-gap", test_asks_after_gap);
  ADD ("follow", test_follow);

  return g_test_run ();
}
