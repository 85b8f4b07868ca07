/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-registration-host.h"

#include <string.h>

/* What the base class keeps both sides to: a plugin that does as it is told here, wrongly, too. */

/* the plugin: it answers when the test says so */

typedef struct {
  MusterRegistration parent_instance;

  GAsyncReadyCallback callback;
  gpointer user_data;
  GTask *answer; /* of the call that is under way */
  gboolean silent_failure;
  gboolean no_bindings;
  const char *const *bindings; /* nullable: instead of the lease's */
} OddRegistration;

typedef struct {
  MusterRegistrationClass parent_class;
} OddRegistrationClass;

static GType odd_registration_get_type (void);
G_DEFINE_TYPE (OddRegistration, odd_registration, MUSTER_TYPE_REGISTRATION)

static void
odd_registration_async (MusterRegistration *registration,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  OddRegistration *self = (OddRegistration *) registration;

  self->callback = callback;
  self->user_data = user_data;
  g_clear_object (&self->answer);
  self->answer = g_task_new (NULL, NULL, NULL, NULL);
}

static MusterLease *
odd_registration_open_finish (MusterRegistration *registration,
                              GAsyncResult *result,
                              GError **error)
{
  OddRegistration *self = (OddRegistration *) registration;
  MusterLease *lease;

  if (self->silent_failure)
    return NULL;
  lease = g_task_propagate_pointer (G_TASK (result), error);
  if (lease != NULL && self->no_bindings)
    g_clear_pointer (&lease->bindings, g_strfreev);
  if (lease != NULL && self->bindings != NULL) {
    g_strfreev (lease->bindings);
    lease->bindings = g_strdupv ((GStrv) self->bindings);
  }

  return lease;
}

static gboolean
odd_registration_close_finish (MusterRegistration *registration,
                               GAsyncResult *result,
                               GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
odd_registration_finalize (GObject *object)
{
  g_clear_object (&((OddRegistration *) object)->answer);
  G_OBJECT_CLASS (odd_registration_parent_class)->finalize (object);
}

static void
odd_registration_class_init (OddRegistrationClass *klass)
{
  klass->parent_class.open_async = odd_registration_async;
  klass->parent_class.open_finish = odd_registration_open_finish;
  klass->parent_class.close_async = odd_registration_async;
  klass->parent_class.close_finish = odd_registration_close_finish;
  G_OBJECT_CLASS (klass)->finalize = odd_registration_finalize;
}

static void
odd_registration_init (OddRegistration *self)
{
}

static const MusterParam params[] = {
  { .name = "server", .type = MUSTER_PARAM_STRING, .label = "Server", .help = "h" },
  { .name = "transport",
    .type = MUSTER_PARAM_STRING,
    .label = "Transport",
    .help = "h",
    .default_value = "tls" },
  { .name = "port",
    .type = MUSTER_PARAM_UINT,
    .label = "Port",
    .help = "h",
    .default_value = "5061" },
  { .name = "lifetime", .type = MUSTER_PARAM_UINT, .label = "Lifetime", .help = "h" },
  { .name = "video",
    .type = MUSTER_PARAM_BOOLEAN,
    .label = "Video",
    .help = "h",
    .default_value = "yes" },
  { .name = "audio", .type = MUSTER_PARAM_BOOLEAN, .label = "Audio", .help = "h" },
  { .name = "password",
    .type = MUSTER_PARAM_STRING,
    .flags = MUSTER_PARAM_SECRET,
    .label = "Password",
    .help = "h" },
};

static const MusterProtocol protocol = {
  .struct_size = sizeof (MusterProtocol),
  .id = "odd",
  .display_name = "Odd",
  .params = params,
  .n_params = G_N_ELEMENTS (params),
};

/* the host */

typedef struct {
  OddRegistration *registration;
  GVariantDict *set;
  GBytes *resume;
  char *lost; /* the message */
  GStrv bindings;

  guint n_answers;
  MusterLease *lease;
  gboolean closed;
  GError *error;
  MusterSecret *secret;
} Fixture;

static GVariant *
on_dup_param (gpointer host, const char *name)
{
  return g_variant_dict_lookup_value (((Fixture *) host)->set, name, NULL);
}

static void
on_load_secret (gpointer host, const char *name, GTask *task)
{
  if (g_str_equal (name, "password"))
    g_task_return_pointer (task, muster_secret_new ("hush", 4),
                           (GDestroyNotify) muster_secret_unref);
  else
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                                                 "there is no %s", name));
  g_object_unref (task);
}

static GBytes *
on_dup_resume (gpointer host)
{
  GBytes *resume = ((Fixture *) host)->resume;

  return resume != NULL ? g_bytes_ref (resume) : NULL;
}

static void
on_set_resume (gpointer host, GBytes *blob)
{
  Fixture *fixture = host;

  g_clear_pointer (&fixture->resume, g_bytes_unref);
  fixture->resume = blob != NULL ? g_bytes_ref (blob) : NULL;
}

static void
on_lost (gpointer host, const GError *error)
{
  Fixture *fixture = host;

  g_free (fixture->lost);
  fixture->lost = g_strdup (error->message);
}

static void
on_report_bindings (gpointer host, const char *const *bindings)
{
  Fixture *fixture = host;

  g_strfreev (fixture->bindings);
  fixture->bindings = g_strdupv ((GStrv) bindings);
}

static const MusterRegistrationHost host = {
  .dup_param = on_dup_param,
  .load_secret = on_load_secret,
  .dup_resume = on_dup_resume,
  .set_resume = on_set_resume,
  .lost = on_lost,
  .report_bindings = on_report_bindings,
};

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  fixture->set = g_variant_dict_new (NULL);
  fixture->registration = (OddRegistration *) muster_registration_new (odd_registration_get_type (),
                                                                       &protocol, NULL, "aodd",
                                                                       "alice@odd", &host, fixture);
}

static void
forget (Fixture *fixture)
{
  g_clear_pointer (&fixture->lease, muster_lease_free);
  g_clear_error (&fixture->error);
  g_clear_pointer (&fixture->secret, muster_secret_unref);
  g_clear_pointer (&fixture->lost, g_free);
  fixture->n_answers = 0;
  fixture->closed = FALSE;
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  forget (fixture);
  g_assert_finalize_object (fixture->registration);
  g_variant_dict_unref (fixture->set);
  g_clear_pointer (&fixture->resume, g_bytes_unref);
  g_strfreev (fixture->bindings);
}

static MusterRegistration *
self_of (Fixture *fixture)
{
  return MUSTER_REGISTRATION (fixture->registration);
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_answers++;
  g_clear_error (&fixture->error);
  fixture->lease = muster_registration_open_finish (MUSTER_REGISTRATION (source), result,
                                                    &fixture->error);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_answers++;
  g_clear_error (&fixture->error);
  fixture->closed = muster_registration_close_finish (MUSTER_REGISTRATION (source), result,
                                                      &fixture->error);
}

static void
open_it (Fixture *fixture)
{
  forget (fixture);
  muster_registration_open_async (self_of (fixture), NULL, on_opened, fixture);
}

static void
answer (OddRegistration *registration, GAsyncReadyCallback callback, gpointer user_data)
{
  callback (G_OBJECT (registration), G_ASYNC_RESULT (registration->answer), user_data);
}

/* The plugin answers: with @error (taken), else with what is right. */
static void
answer_open (Fixture *fixture, GError *error)
{
  OddRegistration *self = fixture->registration;

  if (error != NULL)
    g_task_return_error (self->answer, error);
  else
    g_task_return_pointer (self->answer, muster_lease_new (60, NULL),
                           (GDestroyNotify) muster_lease_free);
  answer (self, self->callback, self->user_data);
  settle ();
}

/* operations */

static void
test_open_and_close (Fixture *fixture, gconstpointer data)
{
  open_it (fixture);
  g_assert_true (muster_registration_is_busy (self_of (fixture)));
  g_assert_cmpuint (fixture->n_answers, ==, 0);
  answer_open (fixture, NULL);
  g_assert_cmpuint (fixture->n_answers, ==, 1);
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (fixture->lease->lease_s, ==, 60);
  g_assert_false (muster_registration_is_busy (self_of (fixture)));

  forget (fixture);
  muster_registration_close_async (self_of (fixture), NULL, on_closed, fixture);
  g_task_return_boolean (fixture->registration->answer, TRUE);
  answer (fixture->registration, fixture->registration->callback, fixture->registration->user_data);
  settle ();
  g_assert_cmpuint (fixture->n_answers, ==, 1);
  g_assert_true (fixture->closed);
}

/* Even a plugin that answers before the call returned does not get round this. */
static void
test_never_answered_before_the_call_returned (Fixture *fixture, gconstpointer data)
{
  OddRegistration *self = fixture->registration;

  open_it (fixture);
  g_task_return_pointer (self->answer, muster_lease_new (60, NULL),
                         (GDestroyNotify) muster_lease_free);
  answer (self, self->callback, self->user_data);
  g_assert_cmpuint (fixture->n_answers, ==, 0);
  settle ();
  g_assert_cmpuint (fixture->n_answers, ==, 1);
}

static void
test_second_operation_is_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  open_it (fixture);
  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*second operation*");
  muster_registration_close_async (self_of (fixture), NULL, on_closed, fixture);
  g_test_assert_expected_messages ();
  settle ();
  g_assert_cmpuint (fixture->n_answers, ==, 1);
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_true (muster_registration_is_busy (self_of (fixture)));

  answer_open (fixture, NULL); /* the first goes on */
  g_assert_cmpuint (fixture->n_answers, ==, 2);
  g_assert_nonnull (fixture->lease);
}

static void
test_answered_twice (Fixture *fixture, gconstpointer data)
{
  OddRegistration *self = fixture->registration;
  g_autoptr (GTask) first = NULL;
  GAsyncReadyCallback callback;
  gpointer user_data;

  open_it (fixture);
  first = g_object_ref (self->answer);
  callback = self->callback;
  user_data = self->user_data;
  answer_open (fixture, NULL);

  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*answered an operation twice*");
  callback (G_OBJECT (self), G_ASYNC_RESULT (first), user_data);
  g_test_assert_expected_messages ();
  settle ();
  g_assert_cmpuint (fixture->n_answers, ==, 1);

  /* The next call is not answered by the one before. */
  open_it (fixture);
  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*answered an operation twice*");
  callback (G_OBJECT (self), G_ASYNC_RESULT (first), user_data);
  g_test_assert_expected_messages ();
  settle ();
  g_assert_cmpuint (fixture->n_answers, ==, 0);
  g_assert_true (muster_registration_is_busy (self_of (fixture)));
  answer_open (fixture, NULL);
  g_assert_cmpuint (fixture->n_answers, ==, 1);
}

static void
test_a_lease_always_has_bindings (Fixture *fixture, gconstpointer data)
{
  fixture->registration->no_bindings = TRUE;
  open_it (fixture);
  answer_open (fixture, NULL);
  g_assert_nonnull (fixture->lease->bindings);
  g_assert_null (fixture->lease->bindings[0]);
}

/* errors */

static void
test_failed_without_a_word (Fixture *fixture, gconstpointer data)
{
  fixture->registration->silent_failure = TRUE;
  open_it (fixture);
  answer (fixture->registration, fixture->registration->callback, fixture->registration->user_data);
  settle ();
  g_assert_error (fixture->error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  g_assert_nonnull (strstr (fixture->error->message, "OddRegistration"));
  g_task_return_boolean (fixture->registration->answer, FALSE);
}

static void
test_errors_of_others (Fixture *fixture, gconstpointer data)
{
  open_it (fixture);
  g_test_expect_message ("Muster", G_LOG_LEVEL_WARNING, "*not of the SDK's*");
  answer_open (fixture, g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "it took too long"));
  g_test_assert_expected_messages ();
  g_assert_error (fixture->error, MUSTER_ERROR, MUSTER_ERROR_UNREACHABLE);
  g_assert_cmpstr (fixture->error->message, ==, "it took too long");

  open_it (fixture); /* built against later headers */
  answer_open (fixture, g_error_new (MUSTER_ERROR, MUSTER_ERROR_LAST + 7, "a new kind of trouble"));
  g_assert_error (fixture->error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  g_assert_cmpstr (fixture->error->message, ==, "a new kind of trouble");

  open_it (fixture);
  answer_open (fixture, g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_errors_go_through_whole (Fixture *fixture, gconstpointer data)
{
  GError *error = muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_REGISTER, "the queue is full");

  muster_error_set_server (error, 503, "Service\r\nUnavailable", 17);
  open_it (fixture);
  answer_open (fixture, error);
  g_assert_error (fixture->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  g_assert_cmpuint (muster_error_get_step (fixture->error), ==, MUSTER_STEP_REGISTER);
  g_assert_cmpuint (muster_error_get_protocol_code (fixture->error), ==, 503);
  g_assert_cmpstr (muster_error_get_server_text (fixture->error), ==, "Service  Unavailable");
  g_assert_cmpuint (muster_error_get_retry_after_s (fixture->error), ==, 17);
}

/* A lease that is granted in the moment of a cancellation is not thrown away. */
static void
test_granted_though_cancelled (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  muster_registration_open_async (self_of (fixture), cancellable, on_opened, fixture);
  g_cancellable_cancel (cancellable);
  answer_open (fixture, NULL);
  g_assert_nonnull (fixture->lease);
}

/* asking */

static void
test_params_and_defaults (Fixture *fixture, gconstpointer data)
{
  MusterRegistration *self = self_of (fixture);

  for (guint round = 0; round < 2; round++) {
    g_autofree char *server = muster_registration_dup_string (self, "server");
    g_autofree char *transport = muster_registration_dup_string (self, "transport");

    g_assert_cmpstr (server, ==, round == 0 ? NULL : "sip.example.org");
    g_assert_cmpstr (transport, ==, round == 0 ? "tls" : "udp");
    g_assert_cmpuint (muster_registration_get_uint (self, "port"), ==, round == 0 ? 5061 : 5070);
    g_assert_cmpuint (muster_registration_get_uint (self, "lifetime"), ==, 0);
    g_assert_cmpint (muster_registration_get_boolean (self, "video"), ==, round == 0);
    g_assert_false (muster_registration_get_boolean (self, "audio"));

    g_variant_dict_insert (fixture->set, "server", "s", "sip.example.org");
    g_variant_dict_insert (fixture->set, "transport", "s", "udp");
    g_variant_dict_insert (fixture->set, "port", "u", 5070);
    g_variant_dict_insert (fixture->set, "video", "b", FALSE);
  }
  g_assert_cmpstr (muster_registration_get_id (self), ==, "aodd");
  g_assert_cmpstr (muster_registration_get_address (self), ==, "alice@odd");
  g_assert_null (muster_registration_get_context (self));
}

static guint
on_get_params_version (gpointer user_data)
{
  return 7;
}

/* Whoever cannot say when parameters change says that they always did. */
static void
test_params_version (Fixture *fixture, gconstpointer data)
{
  MusterRegistrationHost counting = host;
  g_autoptr (MusterRegistration) counted = NULL;
  MusterRegistration *self = self_of (fixture);
  guint first = muster_registration_get_params_version (self);

  g_assert_cmpuint (first, !=, 0);
  g_assert_cmpuint (muster_registration_get_params_version (self), !=, first);

  counting.get_params_version = on_get_params_version;
  counted = muster_registration_new (G_OBJECT_TYPE (self), &protocol, NULL, "aodd", "alice@odd",
                                     &counting, fixture);
  g_assert_cmpuint (muster_registration_get_params_version (counted), ==, 7);
  g_assert_cmpuint (muster_registration_get_params_version (counted), ==, 7);
  muster_registration_detach_host (counted);
  g_assert_cmpuint (muster_registration_get_params_version (counted), !=, 7);
}

static guint
on_get_secret_version (gpointer user_data, const char *name)
{
  return g_str_equal (name, "password") ? 7 : 0;
}

/* 0: nobody can say. */
static void
test_secret_version (Fixture *fixture, gconstpointer data)
{
  MusterRegistrationHost telling = host;
  g_autoptr (MusterRegistration) told = NULL;
  MusterRegistration *self = self_of (fixture);

  g_assert_cmpuint (muster_registration_get_secret_version (self, "password"), ==, 0);

  telling.get_secret_version = on_get_secret_version;
  told = muster_registration_new (G_OBJECT_TYPE (self), &protocol, NULL, "aodd", "alice@odd",
                                  &telling, fixture);
  g_assert_cmpuint (muster_registration_get_secret_version (told, "password"), ==, 7);
  g_assert_cmpuint (muster_registration_get_secret_version (told, "token"), ==, 0);
  muster_registration_detach_host (told);
  g_assert_cmpuint (muster_registration_get_secret_version (told, "password"), ==, 0);
}

static void
test_params_that_cannot_be_read (Fixture *fixture, gconstpointer data)
{
  MusterRegistration *self = self_of (fixture);

  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*\"prot\" is not a parameter*");
  g_assert_null (muster_registration_dup_string (self, "prot"));
  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*\"password\" is not a parameter*");
  g_assert_null (muster_registration_dup_string (self, "password"));
  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*\"port\" has another type*");
  g_assert_null (muster_registration_dup_string (self, "port"));
  g_test_expect_message ("Muster", G_LOG_LEVEL_CRITICAL, "*\"server\" has another type*");
  g_variant_dict_insert (fixture->set, "server", "u", 1);
  g_assert_null (muster_registration_dup_string (self, "server"));
  g_test_assert_expected_messages ();
}

static void
on_secret (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_answers++;
  g_clear_error (&fixture->error);
  fixture->secret = muster_registration_load_secret_finish (MUSTER_REGISTRATION (source), result,
                                                            &fixture->error);
}

static void
test_secrets (Fixture *fixture, gconstpointer data)
{
  gsize length;

  muster_registration_load_secret_async (self_of (fixture), "password", NULL, on_secret, fixture);
  g_assert_cmpuint (fixture->n_answers, ==, 0);
  settle ();
  g_assert_cmpstr (muster_secret_peek (fixture->secret, &length), ==, "hush");
  g_assert_cmpuint (length, ==, 4);

  forget (fixture);
  muster_registration_load_secret_async (self_of (fixture), "token", NULL, on_secret, fixture);
  settle ();
  g_assert_error (fixture->error, MUSTER_ERROR, MUSTER_ERROR_REFUSED);
}

static void
test_resume (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) blob = g_bytes_new_static ("call-id", 7);
  g_autoptr (GBytes) back = NULL;

  g_assert_null (muster_registration_get_resume (self_of (fixture)));
  muster_registration_set_resume (self_of (fixture), blob);
  back = muster_registration_get_resume (self_of (fixture));
  g_assert_true (g_bytes_equal (blob, back));
  muster_registration_set_resume (self_of (fixture), NULL);
  g_assert_null (muster_registration_get_resume (self_of (fixture)));
}

/* what a service says */

static void
assert_tame (const char *text, gsize max_bytes)
{
  g_assert_cmpuint (strlen (text), <=, max_bytes);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    g_assert_true (g_unichar_isprint (g_utf8_get_char (p)));
}

/* It goes to terminals and to D-Bus, where bytes that are not UTF-8 are fatal. */
static void
test_bindings_are_made_fit (Fixture *fixture, gconstpointer data)
{
  g_autofree char *much = g_strnfill (100 * 1024, 'x');
  const char *bindings[21] = { "sip:al\033[2Jice@192.0.2.7", "sip:\377\303@192.0.2.7", much };

  for (guint i = 3; i < 20; i++)
    bindings[i] = "sip:alice@192.0.2.7";

  fixture->registration->bindings = bindings;
  open_it (fixture);
  answer_open (fixture, NULL);
  g_assert_cmpuint (g_strv_length (fixture->lease->bindings), ==, 16);
  for (guint i = 0; i < 16; i++)
    assert_tame (fixture->lease->bindings[i], 1024);
  g_assert_cmpstr (fixture->lease->bindings[0], ==, "sip:al [2Jice@192.0.2.7");
  g_assert_cmpstr (fixture->lease->bindings[3], ==, "sip:alice@192.0.2.7");

  muster_registration_report_bindings (self_of (fixture), bindings);
  g_assert_true (g_strv_equal ((const char *const *) fixture->bindings,
                               (const char *const *) fixture->lease->bindings));
}

static void
test_messages_are_made_fit (Fixture *fixture, gconstpointer data)
{
  g_autofree char *much = g_strnfill (100 * 1024, 'x');
  g_autofree char *wild = g_strconcat ("it says \r\n\033]0;\377", much, NULL);
  g_autoptr (GError) error = NULL;

  /* Made past muster_error_new(). */
  open_it (fixture);
  answer_open (fixture, g_error_new_literal (MUSTER_ERROR, MUSTER_ERROR_BUSY, wild));
  g_assert_error (fixture->error, MUSTER_ERROR, MUSTER_ERROR_BUSY);
  assert_tame (fixture->error->message, 1024);
  g_assert_true (g_str_has_prefix (fixture->error->message, "it says "));

  error = muster_error_new (MUSTER_ERROR_BUSY, MUSTER_STEP_REGISTER, "%s", wild);
  assert_tame (error->message, 1024);
  g_clear_error (&error);

  error = g_error_new_literal (MUSTER_ERROR, MUSTER_ERROR_BUSY, wild);
  muster_registration_lost (self_of (fixture), error);
  assert_tame (fixture->lost, 1024);
}

/* telling */

static void
test_lost_is_told_between_operations (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError)
    error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM, "the stream broke");
  const char *bindings[] = { "sip:alice@192.0.2.7", NULL };

  open_it (fixture);
  muster_registration_lost (self_of (fixture), error);
  g_assert_null (fixture->lost); /* the answer tells */
  answer_open (fixture, NULL);
  muster_registration_lost (self_of (fixture), error);
  g_assert_cmpstr (fixture->lost, ==, "the stream broke");

  muster_registration_report_bindings (self_of (fixture), bindings);
  g_assert_true (g_strv_equal ((const char *const *) fixture->bindings, bindings));
}

static void
test_detached (Fixture *fixture, gconstpointer data)
{
  MusterRegistration *self = self_of (fixture);
  g_autoptr (GError) error = muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM, "m");
  g_autoptr (GBytes) blob = g_bytes_new_static ("x", 1);
  g_autofree char *transport = NULL;
  const char *id;

  g_variant_dict_insert (fixture->set, "transport", "s", "udp");
  open_it (fixture);
  id = muster_registration_get_id (self);
  muster_registration_detach_host (self);

  muster_registration_lost (self, error);
  muster_registration_set_resume (self, blob);
  g_assert_null (fixture->lost);
  g_assert_null (fixture->resume);
  g_assert_null (muster_registration_get_resume (self));
  transport = muster_registration_dup_string (self, "transport");
  g_assert_cmpstr (transport, ==, "tls"); /* the account is gone: what is left is the default */

  /* Still asking, it may outlive the account whose strings it was lent. */
  g_assert_cmpstr (muster_registration_get_id (self), ==, "aodd");
  g_assert_true (muster_registration_get_id (self) != id);

  answer_open (fixture, NULL);
  g_assert_nonnull (fixture->lease);
  forget (fixture);
  muster_registration_load_secret_async (self, "password", NULL, on_secret, fixture);
  settle ();
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* A plugin may hold it for longer than its account lives, with no open or close under way, either. */
static void
test_detached_at_rest (Fixture *fixture, gconstpointer data)
{
  char id[] = "aaaa";
  char address[] = "alice@odd";
  g_autoptr (MusterRegistration) held = NULL;

  held = muster_registration_new (G_OBJECT_TYPE (self_of (fixture)), &protocol, NULL, id, address,
                                  &host, fixture);
  muster_registration_detach_host (held);
  memset (id, 'x', strlen (id));
  memset (address, 'x', strlen (address));
  g_assert_cmpstr (muster_registration_get_id (held), ==, "aaaa");
  g_assert_cmpstr (muster_registration_get_address (held), ==, "alice@odd");
}

#define ADD(name, func)                                                                            \
  g_test_add ("/registration/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  ADD ("open-and-close", test_open_and_close);
  ADD ("never-answered-before-the-call-returned", test_never_answered_before_the_call_returned);
  ADD ("second-operation-is-refused", test_second_operation_is_refused);
  ADD ("answered-twice", test_answered_twice);
  ADD ("a-lease-always-has-bindings", test_a_lease_always_has_bindings);
  ADD ("failed-without-a-word", test_failed_without_a_word);
  ADD ("errors-of-others", test_errors_of_others);
  ADD ("errors-go-through-whole", test_errors_go_through_whole);
  ADD ("granted-though-cancelled", test_granted_though_cancelled);
  ADD ("params-and-defaults", test_params_and_defaults);
  ADD ("params-version", test_params_version);
  ADD ("secret-version", test_secret_version);
  ADD ("params-that-cannot-be-read", test_params_that_cannot_be_read);
  ADD ("secrets", test_secrets);
  ADD ("resume", test_resume);
  ADD ("bindings-are-made-fit", test_bindings_are_made_fit);
  ADD ("messages-are-made-fit", test_messages_are_made_fit);
  ADD ("lost-is-told-between-operations", test_lost_is_told_between_operations);
  ADD ("detached", test_detached);
  ADD ("detached-at-rest", test_detached_at_rest);

  return g_test_run ();
}
