/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-hub-private.h"
#include "muster-registration-host.h"

#include <muster/muster.h>

#include <glib/gstdio.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One registration through its interfaces and its control socket, as the broker and a test use them. */

extern const MusterPluginInfo muster_plugin_info;

typedef struct {
  MusterRegistration *registration;
  GHashTable *params; /* name to text */
  char *folder;
  char *control;
  int script;       /* a socket with a name, to send commands from */
  GString *reports; /* since the last look */
  GAsyncResult *result;
} Fixture;

/* the broker */

static GVariant *
on_dup_param (gpointer host, const char *name)
{
  Fixture *fixture = host;
  const char *text = g_hash_table_lookup (fixture->params, name);
  const MusterParam *param = muster_protocol_find_param (muster_plugin_info.kinds[0]->protocol,
                                                         name);

  return text != NULL ? muster_param_parse (param, text, NULL) : NULL;
}

static void
on_lost (gpointer host, const GError *error)
{
  g_string_append_printf (((Fixture *) host)->reports, "lost:%s ",
                          muster_error_code_to_string ((MusterError) error->code));
}

static void
on_contact_changed (gpointer host, const MusterContact *contact)
{
  static const char *const states[] = { "none", "pending", "watched", "denied" };

  g_string_append_printf (((Fixture *) host)->reports, "%s:%s:%s:%s:%s%s%s ", contact->address,
                          contact->name != NULL ? contact->name : "", states[contact->state],
                          muster_presence_to_string (contact->presence),
                          contact->text != NULL ? contact->text : "", contact->asks ? ":asks" : "",
                          contact->changed_at_us != 0 ? ":dated" : "");
}

static void
on_offer_changed (gpointer host, const MusterOffer *offer)
{
  static const char *const states[] = { "waiting", "taken", "elsewhere", "cancelled", "stale" };

  g_assert_cmpint (offer->at_us, ==, muster_clock_wall_us ());
  g_string_append_printf (((Fixture *) host)->reports, "%s:%s:%s:%s:%s:%s ",
                          offer->kind == MUSTER_OFFER_CALL ? "call" : "message", offer->id,
                          offer->from, offer->from_name != NULL ? offer->from_name : "",
                          offer->text != NULL ? offer->text : "", states[offer->state]);
}

static void
on_messages_waiting (gpointer host, guint n_new, guint n_old)
{
  g_string_append_printf (((Fixture *) host)->reports, "waiting:%u:%u ", n_new, n_old);
}

static const MusterRegistrationHost host = {
  .dup_param = on_dup_param,
  .lost = on_lost,
  .contact_changed = on_contact_changed,
  .offer_changed = on_offer_changed,
  .messages_waiting = on_messages_waiting,
};

static void
assert_reports (Fixture *fixture, const char *expected)
{
  g_strchomp (fixture->reports->str);
  g_assert_cmpstr (fixture->reports->str, ==, expected);
  g_string_truncate (fixture->reports, 0);
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_null (fixture->result);
  fixture->result = g_object_ref (result);
}

/* (transfer full): waits for the answer. */
static GAsyncResult *
wait_for_answer (Fixture *fixture)
{
  g_assert_null (fixture->result); /* never before the call returned */
  while (fixture->result == NULL)
    g_main_context_iteration (NULL, TRUE);

  return g_steal_pointer (&fixture->result);
}

static void
open_registration (Fixture *fixture, gboolean refreshed)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (MusterLease) lease = NULL;
  g_autoptr (GError) error = NULL;

  muster_registration_open_async (fixture->registration, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  lease = muster_registration_open_finish (fixture->registration, result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lease->lease_s, ==, 60);
  g_assert_true (lease->refreshed == refreshed);
}

static void
close_registration (Fixture *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  muster_registration_close_async (fixture->registration, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_true (muster_registration_close_finish (fixture->registration, result, &error));
  g_assert_no_error (error);
}

/* the test's side of the control socket */

static void
send_to (Fixture *fixture, const char *command, gsize n_bytes)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  strcpy (address.sun_path, fixture->control);
  g_assert_cmpint (sendto (fixture->script, command, n_bytes, 0, (struct sockaddr *) &address,
                           sizeof address),
                   ==, n_bytes);
}

static char *
receive (Fixture *fixture)
{
  char answer[70 * 1024];
  gssize n_bytes;

  while ((n_bytes = recv (fixture->script, answer, sizeof answer, MSG_DONTWAIT)) < 0)
    g_main_context_iteration (NULL, TRUE);

  return g_strndup (answer, n_bytes);
}

static void
say (Fixture *fixture, const char *command, const char *expected)
{
  g_autofree char *answer = NULL;

  send_to (fixture, command, strlen (command));
  answer = receive (fixture);
  g_assert_cmpstr (answer, ==, expected);
}

static void
set (Fixture *fixture, const char *name, const char *text)
{
  g_hash_table_insert (fixture->params, (gpointer) name, g_strdup (text));
}

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  const MusterKind *kind = muster_plugin_info.kinds[0];
  struct sockaddr_un any = { .sun_family = AF_UNIX };

  fixture->folder = g_dir_make_tmp ("muster-echo-all-XXXXXX", NULL);
  fixture->control = g_build_filename (fixture->folder, "control", NULL);
  fixture->params = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  fixture->reports = g_string_new (NULL);
  set (fixture, "control", fixture->control);
  fixture->script = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fixture->script, (struct sockaddr *) &any, sizeof any.sun_family), ==, 0);
  fixture->registration = muster_registration_new (kind->get_type (), kind->protocol, NULL, "a1",
                                                   "ann@all", &host, fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_assert_finalize_object (fixture->registration);
  g_assert_false (g_file_test (fixture->control, G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  close (fixture->script);
  g_string_free (fixture->reports, TRUE);
  g_hash_table_unref (fixture->params);
  g_free (fixture->control);
  g_free (fixture->folder);
}

/* the tests */

static void
test_life (Fixture *fixture, gconstpointer unused)
{
  open_registration (fixture, FALSE);
  open_registration (fixture, TRUE);
  say (fixture, "lose busy", "ok");
  assert_reports (fixture, "lost:busy");
  say (fixture, "lose busy", "there is nothing to lose");
  open_registration (fixture, FALSE);
  say (fixture, "log", "open\nrefresh\nopen\n");
  say (fixture, "log", "");
  close_registration (fixture);
  g_assert_false (g_file_test (fixture->control, G_FILE_TEST_EXISTS));
  open_registration (fixture, FALSE);
  say (fixture, "log", "close\nopen\n");
}

static void
test_control_moves (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *first = g_strdup (fixture->control);

  open_registration (fixture, FALSE);
  g_free (fixture->control);
  fixture->control = g_build_filename (fixture->folder, "other", NULL);
  set (fixture, "control", fixture->control);
  open_registration (fixture, TRUE);
  g_assert_false (g_file_test (first, G_FILE_TEST_EXISTS));
  say (fixture, "log", "open\nrefresh\n");
  set (fixture, "control", "");
  open_registration (fixture, TRUE);
  g_assert_false (g_file_test (fixture->control, G_FILE_TEST_EXISTS));
}

/* Whose file it is now stays. */
static void
test_control_is_taken_over (Fixture *fixture, gconstpointer unused)
{
  open_registration (fixture, FALSE);
  g_assert_cmpint (g_unlink (fixture->control), ==, 0);
  g_assert_true (g_file_set_contents (fixture->control, "precious", -1, NULL));
  close_registration (fixture);
  g_assert_true (g_file_test (fixture->control, G_FILE_TEST_IS_REGULAR));
  g_assert_cmpint (g_unlink (fixture->control), ==, 0);
}

static void
publish (Fixture *fixture, MusterPresence presence, const char *text, int expected)
{
  MusterPublisher *publisher = MUSTER_PUBLISHER (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  muster_publisher_publish_async (publisher, presence, text, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  if (muster_publisher_publish_finish (publisher, result, &error))
    g_assert_cmpint (expected, ==, -1);
  else
    g_assert_error (error, MUSTER_ERROR, expected);
}

static void
test_publisher (Fixture *fixture, gconstpointer unused)
{
  MusterPublisher *publisher = MUSTER_PUBLISHER (fixture->registration);

  open_registration (fixture, FALSE);
  g_assert_cmpuint (muster_publisher_get_supported (publisher), ==,
                    (1u << MUSTER_PRESENCE_LAST) - 1);
  set (fixture, "supported", "available,dnd");
  g_assert_cmpuint (muster_publisher_get_supported (publisher), ==,
                    1u << MUSTER_PRESENCE_AVAILABLE | 1u << MUSTER_PRESENCE_DND);

  publish (fixture, MUSTER_PRESENCE_DND, "not now", -1);
  publish (fixture, MUSTER_PRESENCE_AVAILABLE, NULL, -1);
  publish (fixture, MUSTER_PRESENCE_AWAY, NULL, MUSTER_ERROR_UNSUPPORTED);
  set (fixture, "publish-error", "busy");
  publish (fixture, MUSTER_PRESENCE_DND, NULL, MUSTER_ERROR_BUSY);
  set (fixture, "publish-error", "");
  publish (fixture, MUSTER_PRESENCE_DND, NULL, -1);
  say (
    fixture, "log",
    "open\npublish dnd \"not now\"\npublish available\npublish away\npublish dnd\npublish dnd\n");
}

/* A call that is cancelled before the service answers was not made. */
static void
test_cancel (Fixture *fixture, gconstpointer unused)
{
  MusterPublisher *publisher = MUSTER_PUBLISHER (fixture->registration);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  open_registration (fixture, FALSE);
  set (fixture, "delay", "60000");
  muster_publisher_publish_async (publisher, MUSTER_PRESENCE_DND, NULL, cancellable, on_done,
                                  fixture);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_null (fixture->result);
  g_cancellable_cancel (cancellable);
  result = wait_for_answer (fixture);
  g_assert_false (muster_publisher_publish_finish (publisher, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  say (fixture, "log", "open\n");
}

static void
add (Fixture *fixture, const char *address, const char *name)
{
  MusterWatcher *watcher = MUSTER_WATCHER (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  muster_watcher_add_async (watcher, address, name, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_true (muster_watcher_add_finish (watcher, result, &error));
  g_assert_no_error (error);
}

static void
remove_contact (Fixture *fixture, const char *address)
{
  MusterWatcher *watcher = MUSTER_WATCHER (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;

  muster_watcher_remove_async (watcher, address, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_true (muster_watcher_remove_finish (watcher, result, NULL));
}

static void
authorise (Fixture *fixture, const char *address, gboolean allow)
{
  MusterWatcher *watcher = MUSTER_WATCHER (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;

  muster_watcher_authorise_async (watcher, address, allow, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_true (muster_watcher_authorise_finish (watcher, result, NULL));
}

static int
compare_contacts (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(MusterContact *const *) a)->address, (*(MusterContact *const *) b)->address);
}

/* What a load brings, as the reports would be. */
static void
assert_loads (Fixture *fixture, const char *expected)
{
  MusterWatcher *watcher = MUSTER_WATCHER (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) contacts = NULL;
  g_autoptr (GError) error = NULL;

  muster_watcher_load_async (watcher, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  contacts = muster_watcher_load_finish (watcher, result, &error);
  g_assert_no_error (error);
  g_ptr_array_sort (contacts, compare_contacts);
  for (guint i = 0; i < contacts->len; i++)
    on_contact_changed (fixture, contacts->pdata[i]);
  assert_reports (fixture, expected);
}

static void
test_watcher (Fixture *fixture, gconstpointer unused)
{
  set (fixture, "contacts", "bob@all=available,carol@all=away");
  open_registration (fixture, FALSE);
  assert_loads (fixture, "bob@all::watched:available: carol@all::watched:away:");

  remove_contact (fixture, "bob@all");
  remove_contact (fixture, "nobody@all");
  assert_reports (fixture, "");
  assert_loads (fixture, "carol@all::watched:away:");
  add (fixture, "bob@all", "Bob");
  assert_reports (fixture, "bob@all:Bob:pending:offline: bob@all:Bob:watched:available:");
  add (fixture, "bob@all", "Robert");
  assert_reports (fixture, "bob@all:Robert:watched:available:");

  add (fixture, "dave@all", NULL);
  assert_reports (fixture, "dave@all::pending:offline:");
  say (fixture, "contact dave@all dnd busy", "ok");
  assert_reports (fixture, "dave@all::watched:dnd:busy:dated");
  say (fixture, "denied dave@all", "ok");
  assert_reports (fixture, "dave@all::denied:offline:");
  add (fixture, "dave@all", NULL);
  assert_reports (fixture, "dave@all::pending:offline:");
  say (fixture, "gone dave@all", "ok");
  assert_reports (fixture, "dave@all::none:offline:");
  say (fixture, "gone dave@all", "there is no such contact");
  say (fixture, "denied dave@all", "there is no such contact");

  say (fixture, "log",
       "open\nload\nremove bob@all\nremove nobody@all\nload\nadd bob@all \"Bob\"\n"
       "add bob@all \"Robert\"\nadd dave@all\nadd dave@all\n");
}

static void
test_who_asks (Fixture *fixture, gconstpointer unused)
{
  set (fixture, "contacts", "bob@all=available");
  open_registration (fixture, FALSE);
  say (fixture, "ask bob@all", "ok");
  say (fixture, "ask carol@all", "ok");
  assert_reports (fixture, "bob@all::watched:available::asks carol@all::none:offline::asks");
  assert_loads (fixture, "bob@all::watched:available::asks carol@all::none:offline::asks");
  remove_contact (fixture, "bob@all");
  assert_loads (fixture, "bob@all::none:offline::asks carol@all::none:offline::asks");
  authorise (fixture, "bob@all", TRUE);
  authorise (fixture, "carol@all", FALSE);
  authorise (fixture, "dave@all", TRUE);
  assert_reports (fixture, "bob@all::none:offline: carol@all::none:offline:");
  assert_loads (fixture, "");
  say (fixture, "log",
       "open\nload\nremove bob@all\nload\nallow bob@all\ndeny carol@all\nallow dave@all\nload\n");
}

static void
test_watch_error (Fixture *fixture, gconstpointer unused)
{
  MusterWatcher *watcher = MUSTER_WATCHER (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  set (fixture, "watch-error", "forbidden");
  open_registration (fixture, FALSE);
  muster_watcher_add_async (watcher, "bob@all", NULL, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_false (muster_watcher_add_finish (watcher, result, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN);
  assert_reports (fixture, "");
  set (fixture, "watch-error", "");
  assert_loads (fixture, "");
}

static void
test_many_contacts (Fixture *fixture, gconstpointer unused)
{
  MusterWatcher *watcher = MUSTER_WATCHER (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  open_registration (fixture, FALSE);
  for (guint i = 0; i < 10000; i++) {
    g_autofree char *command = g_strdup_printf ("contact user%u@all away", i);

    say (fixture, command, "ok");
  }
  say (fixture, "contact one-more@all away", "there are too many contacts");
  say (fixture, "ask one-more@all", "there are too many contacts");
  say (fixture, "contact user7@all dnd", "ok");
  muster_watcher_add_async (watcher, "one-more@all", NULL, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_false (muster_watcher_add_finish (watcher, result, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_FORBIDDEN);
  g_string_truncate (fixture->reports, 0);
}

static void
answer (Fixture *fixture, const char *id, MusterAnswer chosen, const char *target, int expected)
{
  MusterIncoming *incoming = MUSTER_INCOMING (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  muster_incoming_answer_async (incoming, id, chosen, target, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  if (muster_incoming_answer_finish (incoming, result, &error))
    g_assert_cmpint (expected, ==, -1);
  else
    g_assert_error (error, MUSTER_ERROR, expected);
}

static void
test_incoming (Fixture *fixture, gconstpointer unused)
{
  open_registration (fixture, FALSE);
  say (fixture, "call 1 bob@all Bob B", "ok");
  say (fixture, "message 2 carol@all hello\nthere", "ok");
  say (fixture, "call 1 dave@all", "1 waits already, or too many do");
  assert_reports (fixture,
                  "call:1:bob@all:Bob B::waiting message:2:carol@all::hello\nthere:waiting");

  set (fixture, "answer-error", "unreachable");
  answer (fixture, "1", MUSTER_ANSWER_DECLINE, NULL, MUSTER_ERROR_UNREACHABLE);
  set (fixture, "answer-error", "");
  answer (fixture, "1", MUSTER_ANSWER_REDIRECT, NULL, MUSTER_ERROR_INVALID);
  assert_reports (fixture, "");
  answer (fixture, "1", MUSTER_ANSWER_REDIRECT, "dave@all", -1);
  assert_reports (fixture, "call:1:bob@all:Bob B::taken");
  answer (fixture, "1", MUSTER_ANSWER_BUSY, NULL, MUSTER_ERROR_EXPIRED);
  answer (fixture, "2", MUSTER_ANSWER_ACCEPT, NULL, -1);
  assert_reports (fixture, "message:2:carol@all::hello\nthere:taken");
  say (fixture, "log",
       "open\nanswer 1 decline\nanswer 1 redirect\nanswer 1 redirect dave@all\nanswer 1 busy\n"
       "answer 2 accept\n");
}

static void
test_offers_end (Fixture *fixture, gconstpointer unused)
{
  static const char *const ends[][2] = {
    { "cancel 1", "call:1:bob@all:::waiting call:1:bob@all:::cancelled" },
    { "elsewhere 1", "call:1:bob@all:::waiting call:1:bob@all:::elsewhere" },
    { "stale 1", "call:1:bob@all:::waiting call:1:bob@all:::stale" },
  };

  open_registration (fixture, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++) {
    say (fixture, "call 1 bob@all", "ok");
    say (fixture, ends[i][0], "ok");
    assert_reports (fixture, ends[i][1]);
    say (fixture, ends[i][0], "nothing waits with the id 1");
    answer (fixture, "1", MUSTER_ANSWER_BUSY, NULL, MUSTER_ERROR_EXPIRED);
  }
  say (fixture, "call 1 bob@all", "ok");
  close_registration (fixture);
  open_registration (fixture, FALSE);
  say (fixture, "cancel 1", "nothing waits with the id 1");
  say (fixture, "waiting 3 4", "ok");
  assert_reports (fixture, "call:1:bob@all:::waiting waiting:3:4");
}

static void
test_many_offers (Fixture *fixture, gconstpointer unused)
{
  open_registration (fixture, FALSE);
  for (guint i = 0; i < 1000; i++) {
    g_autofree char *command = g_strdup_printf ("call %u bob@all", i);

    say (fixture, command, "ok");
  }
  say (fixture, "call 1000 bob@all", "1000 waits already, or too many do");
  g_string_truncate (fixture->reports, 0);
}

/* The verdict, or -1 - the code of the error. */
static int
verify (Fixture *fixture)
{
  MusterVerifier *verifier = MUSTER_VERIFIER (fixture->registration);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *evidence = NULL;
  MusterVerdict verdict;

  muster_verifier_verify_async (verifier, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  if (!muster_verifier_verify_finish (verifier, result, &verdict, &evidence, &error))
    return -1 - error->code;
  g_assert_true (g_str_has_prefix (evidence, "the script says "));

  return (int) verdict;
}

static void
test_verifier (Fixture *fixture, gconstpointer unused)
{
  open_registration (fixture, FALSE);
  g_assert_cmpint (verify (fixture), ==, MUSTER_VERDICT_PROVEN);
  g_assert_cmpint (verify (fixture), ==, MUSTER_VERDICT_PROVEN);
  set (fixture, "verdicts", "missed,unsupported,error,proven,missed");
  g_assert_cmpint (verify (fixture), ==, MUSTER_VERDICT_MISSED);
  g_assert_cmpint (verify (fixture), ==, MUSTER_VERDICT_UNSUPPORTED);
  g_assert_cmpint (verify (fixture), ==, -1 - (int) MUSTER_ERROR_UNREACHABLE);
  g_assert_cmpint (verify (fixture), ==, MUSTER_VERDICT_PROVEN);
  g_assert_cmpint (verify (fixture), ==, MUSTER_VERDICT_MISSED);
  g_assert_cmpint (verify (fixture), ==, MUSTER_VERDICT_MISSED);
  say (fixture, "log", "open\nverify\nverify\nverify\nverify\nverify\nverify\nverify\nverify\n");
}

static void
test_creator (Fixture *fixture, gconstpointer unused)
{
  MusterCreator *creator = MUSTER_CREATOR (fixture->registration);
  g_autoptr (GVariant) answers = g_variant_ref_sink (g_variant_new_parsed ("{'nick': <'ann'>}"));
  g_autoptr (GVariant) nothing = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  g_autoptr (GHashTable) secrets = g_hash_table_new (NULL, NULL);
  g_autoptr (MusterSecret) secret = muster_secret_new ("sesame", 6);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) form = NULL;
  g_autoptr (GError) error = NULL;

  muster_creator_get_form_async (creator, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  form = muster_creator_get_form_finish (creator, result, NULL);
  g_assert_cmpuint (g_variant_n_children (form), ==, 2);

  g_clear_object (&result);
  muster_creator_create_async (creator, nothing, secrets, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_false (muster_creator_create_finish (creator, result, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_NEEDS_USER);
  g_clear_error (&error);

  g_clear_object (&result);
  muster_creator_create_async (creator, answers, secrets, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_true (muster_creator_create_finish (creator, result, NULL));

  g_clear_object (&result);
  set (fixture, "create-error", "conflict");
  muster_creator_change_secret_async (creator, "password", secret, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_false (muster_creator_change_secret_finish (creator, result, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_CONFLICT);

  g_clear_object (&result);
  set (fixture, "create-error", "");
  muster_creator_remove_async (creator, NULL, on_done, fixture);
  result = wait_for_answer (fixture);
  g_assert_true (muster_creator_remove_finish (creator, result, NULL));

  open_registration (fixture, FALSE);
  say (fixture, "log", "form\ncreate \ncreate ann\nchange password\ndelete\nopen\n");
}

static void
test_odd_datagrams (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *fits = g_strnfill (4096, 'x');
  g_autofree char *long_one = g_strnfill (4097, 'x');
  g_autofree char *answer_to_long = NULL;
  g_autofree char *answer_to_zero = NULL;

  open_registration (fixture, FALSE);
  memcpy (fits, "message 1 bob@all ", strlen ("message 1 bob@all "));
  say (fixture, fits, "ok");
  g_string_truncate (fixture->reports, 0);
  send_to (fixture, long_one, 4097);
  answer_to_long = receive (fixture);
  g_assert_cmpstr (answer_to_long, ==, "a command has at most 4096 bytes");
  send_to (fixture, "log\0", 4);
  answer_to_zero = receive (fixture);
  g_assert_cmpstr (answer_to_zero, ==, "a command is text");
  say (fixture, "", "there is no command \"\"");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

#define ADD(name, func) g_test_add ("/echo-all/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("life", test_life);
  ADD ("control/moves", test_control_moves);
  ADD ("control/is-taken-over", test_control_is_taken_over);
  ADD ("control/odd-datagrams", test_odd_datagrams);
  ADD ("publisher/publish", test_publisher);
  ADD ("publisher/cancel", test_cancel);
  ADD ("watcher/contacts", test_watcher);
  ADD ("watcher/who-asks", test_who_asks);
  ADD ("watcher/error", test_watch_error);
  ADD ("watcher/many", test_many_contacts);
  ADD ("incoming/answers", test_incoming);
  ADD ("incoming/ends", test_offers_end);
  ADD ("incoming/many", test_many_offers);
  ADD ("verifier", test_verifier);
  ADD ("creator", test_creator);

  return g_test_run ();
}
