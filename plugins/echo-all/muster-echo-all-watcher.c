/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-registration.h"

/* Asks the roster, and reports what changes in it. */

typedef struct {
  char *address;
  char *name;
  gboolean allow;
} Question;

static void
question_free (gpointer data)
{
  Question *question = data;

  g_free (question->address);
  g_free (question->name);
  g_free (question);
}

static gboolean
log_and_fail (MusterRegistration *registration,
              const char *verb,
              const char *address,
              const char *name,
              GTask *task)
{
  g_autofree char *fact = address != NULL ? g_strdup_printf ("%s %s", verb, address)
                                          : g_strdup (verb);

  return muster_echo_all_registration_log_and_fail (MUSTER_ECHO_ALL_REGISTRATION (registration),
                                                    fact, name, "watch-error", task);
}

/* Takes @contact (nullable). */
static void
report (MusterRegistration *registration, MusterContact *contact)
{
  if (contact != NULL)
    muster_watcher_report (MUSTER_WATCHER (registration), contact);
  muster_contact_free (contact);
}

static MusterEchoAllRoster *
roster_of (MusterRegistration *registration)
{
  return muster_echo_all_registration_ensure_roster (MUSTER_ECHO_ALL_REGISTRATION (registration));
}

static void
ask (MusterWatcher *self,
     gpointer tag,
     MusterEchoAllAnswerFunc func,
     Question *question,
     GCancellable *cancellable,
     GAsyncReadyCallback callback,
     gpointer user_data)
{
  muster_echo_all_registration_answer (self, tag, func, question, question_free, cancellable,
                                       callback, user_data);
}

static void
answer_load (MusterRegistration *registration, GTask *task)
{
  if (!log_and_fail (registration, "load", NULL, NULL, task))
    g_task_return_pointer (task, muster_echo_all_roster_dup_contacts (roster_of (registration)),
                           (GDestroyNotify) g_ptr_array_unref);
}

static void
muster_echo_all_load_async (MusterWatcher *self,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  muster_echo_all_registration_answer (self, muster_echo_all_load_async, answer_load, NULL, NULL,
                                       cancellable, callback, user_data);
}

static GPtrArray *
muster_echo_all_load_finish (MusterWatcher *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
answer_add (MusterRegistration *registration, GTask *task)
{
  const Question *question = g_task_get_task_data (task);
  MusterContact *contact;

  if (log_and_fail (registration, "add", question->address, question->name, task))
    return;

  contact = muster_echo_all_roster_add (roster_of (registration), question->address,
                                        question->name);
  if (contact == NULL) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_FORBIDDEN, MUSTER_STEP_STREAM,
                                                 "there are too many contacts"));
    return;
  }

  report (registration, contact);
  report (registration, muster_echo_all_roster_admit (roster_of (registration), question->address));
  g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_add_async (MusterWatcher *self,
                           const char *address,
                           const char *name,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  question->address = g_strdup (address);
  question->name = g_strdup (name);
  ask (self, muster_echo_all_add_async, answer_add, question, cancellable, callback, user_data);
}

static void
answer_remove (MusterRegistration *registration, GTask *task)
{
  const Question *question = g_task_get_task_data (task);

  if (log_and_fail (registration, "remove", question->address, NULL, task))
    return;

  muster_echo_all_roster_remove (roster_of (registration), question->address);
  g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_remove_async (MusterWatcher *self,
                              const char *address,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  question->address = g_strdup (address);
  ask (self, muster_echo_all_remove_async, answer_remove, question, cancellable, callback,
       user_data);
}

static void
answer_authorise (MusterRegistration *registration, GTask *task)
{
  const Question *question = g_task_get_task_data (task);

  if (log_and_fail (registration, question->allow ? "allow" : "deny", question->address, NULL,
                    task))
    return;

  report (registration,
          muster_echo_all_roster_authorise (roster_of (registration), question->address));
  g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_authorise_async (MusterWatcher *self,
                                 const char *address,
                                 gboolean allow,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  question->address = g_strdup (address);
  question->allow = allow;
  ask (self, muster_echo_all_authorise_async, answer_authorise, question, cancellable, callback,
       user_data);
}

static gboolean
muster_echo_all_watcher_finish (MusterWatcher *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
muster_echo_all_watcher_init (MusterWatcherInterface *iface)
{
  iface->load_async = muster_echo_all_load_async;
  iface->load_finish = muster_echo_all_load_finish;
  iface->add_async = muster_echo_all_add_async;
  iface->add_finish = muster_echo_all_watcher_finish;
  iface->remove_async = muster_echo_all_remove_async;
  iface->remove_finish = muster_echo_all_watcher_finish;
  iface->authorise_async = muster_echo_all_authorise_async;
  iface->authorise_finish = muster_echo_all_watcher_finish;
}
