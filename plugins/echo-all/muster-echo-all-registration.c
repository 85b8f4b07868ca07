/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterEchoAll"

#include "muster-echo-all-registration.h"

#include "muster-echo-all-log.h"
#include "muster-echo-all-script.h"

/*
 * Opens, closes, and does what the control socket says:
 *
 *    control -> script -> roster, offers -> reports to the broker
 *    broker -> a capability -> its log line -> an error that a parameter names, or roster, offers
 */

G_DEFINE_FINAL_TYPE_WITH_CODE (
  MusterEchoAllRegistration,
  muster_echo_all_registration,
  MUSTER_TYPE_REGISTRATION,
  G_IMPLEMENT_INTERFACE (MUSTER_TYPE_PUBLISHER, muster_echo_all_publisher_init)
    G_IMPLEMENT_INTERFACE (MUSTER_TYPE_WATCHER, muster_echo_all_watcher_init)
      G_IMPLEMENT_INTERFACE (MUSTER_TYPE_CREATOR, muster_echo_all_creator_init)
        G_IMPLEMENT_INTERFACE (MUSTER_TYPE_VERIFIER, muster_echo_all_verifier_init)
          G_IMPLEMENT_INTERFACE (MUSTER_TYPE_INCOMING, muster_echo_all_incoming_init)
            G_IMPLEMENT_INTERFACE (MUSTER_TYPE_BINDER, muster_echo_all_binder_init))

/* what capabilities share */

void
muster_echo_all_registration_answer (gpointer registration,
                                     gpointer tag,
                                     MusterEchoAllAnswerFunc func,
                                     gpointer data,
                                     GDestroyNotify free_data,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  GTask *task = g_task_new (registration, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  g_task_set_task_data (task, data, free_data);
  muster_echo_all_answer_later (task, muster_registration_get_uint (registration, "delay"), func);
}

gboolean
muster_echo_all_registration_log_and_fail (MusterEchoAllRegistration *self,
                                           const char *fact,
                                           const char *text,
                                           const char *param,
                                           GTask *task)
{
  g_autofree char *word = muster_registration_dup_string (MUSTER_REGISTRATION (self), param);
  MusterError code;

  muster_echo_all_log_add (self->log, fact, text);
  if (word == NULL || !muster_echo_all_error_from_string (word, &code))
    return FALSE;

  g_task_return_error (task, muster_error_new (code, MUSTER_STEP_STREAM, "the parameter %s says so",
                                               param));
  return TRUE;
}

MusterEchoAllRoster *
muster_echo_all_registration_ensure_roster (MusterEchoAllRegistration *self)
{
  if (self->roster == NULL) {
    g_autofree char *contacts = muster_registration_dup_string (MUSTER_REGISTRATION (self),
                                                                "contacts");

    self->roster = muster_echo_all_roster_new (contacts);
  }

  return self->roster;
}

/* the control socket */

static char *
begin_offer (MusterEchoAllRegistration *self,
             const MusterEchoAllCommand *command,
             MusterOfferKind kind)
{
  g_autoptr (MusterOffer)
    offer = muster_offer_new (command->id, kind, command->address, muster_clock_wall_us ());

  if (kind == MUSTER_OFFER_CALL)
    offer->from_name = g_strdup (command->text);
  else
    offer->text = g_strdup (command->text);

  if (!muster_echo_all_offers_add (self->offers, offer))
    return g_strdup_printf ("%s waits already, or too many do", command->id);

  muster_incoming_report (MUSTER_INCOMING (self), offer);

  return g_strdup ("ok");
}

static char *
end_offer (MusterEchoAllRegistration *self,
           const MusterEchoAllCommand *command,
           MusterOfferState state)
{
  g_autoptr (MusterOffer) offer = muster_echo_all_offers_end (self->offers, command->id, state);

  if (offer == NULL)
    return g_strdup_printf ("nothing waits with the id %s", command->id);

  muster_incoming_report (MUSTER_INCOMING (self), offer);

  return g_strdup ("ok");
}

/* Takes @contact; NULL is answered with @why_not. */
static char *
report_contact (MusterEchoAllRegistration *self, MusterContact *contact, const char *why_not)
{
  if (contact == NULL)
    return g_strdup (why_not);

  muster_watcher_report (MUSTER_WATCHER (self), contact);
  muster_contact_free (contact);

  return g_strdup ("ok");
}

static char *
obey (MusterEchoAllRegistration *self, const MusterEchoAllCommand *command)
{
  MusterEchoAllRoster *roster = muster_echo_all_registration_ensure_roster (self);
  g_autoptr (GError) lost = NULL;
  char *answer;

  switch (command->verb) {
  case MUSTER_ECHO_ALL_CALL:
    return begin_offer (self, command, MUSTER_OFFER_CALL);
  case MUSTER_ECHO_ALL_MESSAGE:
    return begin_offer (self, command, MUSTER_OFFER_MESSAGE);
  case MUSTER_ECHO_ALL_CANCEL:
    return end_offer (self, command, MUSTER_OFFER_CANCELLED);
  case MUSTER_ECHO_ALL_ELSEWHERE:
    return end_offer (self, command, MUSTER_OFFER_ELSEWHERE);
  case MUSTER_ECHO_ALL_STALE:
    return end_offer (self, command, MUSTER_OFFER_STALE);
  case MUSTER_ECHO_ALL_CONTACT:
    return report_contact (self,
                           muster_echo_all_roster_set_presence (roster, command->address,
                                                                command->presence, command->text,
                                                                muster_clock_wall_us ()),
                           "there are too many contacts");
  case MUSTER_ECHO_ALL_ASK:
    return report_contact (self, muster_echo_all_roster_ask (roster, command->address),
                           "there are too many contacts");
  case MUSTER_ECHO_ALL_DENIED:
    return report_contact (self, muster_echo_all_roster_deny (roster, command->address),
                           "there is no such contact");
  case MUSTER_ECHO_ALL_GONE:
    return report_contact (self, muster_echo_all_roster_drop (roster, command->address),
                           "there is no such contact");
  case MUSTER_ECHO_ALL_WAITING:
    muster_incoming_report_waiting (MUSTER_INCOMING (self), command->n_new, command->n_old);
    return g_strdup ("ok");
  case MUSTER_ECHO_ALL_LOSE:
    if (!self->is_known)
      return g_strdup ("there is nothing to lose");
    self->is_known = FALSE;
    lost = muster_error_new (command->error, MUSTER_STEP_STREAM, "the script says so");
    muster_registration_lost (MUSTER_REGISTRATION (self), lost);
    return g_strdup ("ok");
  case MUSTER_ECHO_ALL_DEVICE:
    return g_strdup (muster_echo_all_binder_add (self, command->address, command->text)
                       ? "ok"
                       : "there are too many devices");
  case MUSTER_ECHO_ALL_LOG:
    answer = g_strdup (self->log->str);
    g_string_truncate (self->log, 0);
    return answer;
  }

  g_return_val_if_reached (g_strdup ("that is not known"));
}

static char *
on_command (gpointer owner, const char *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MusterEchoAllCommand) command = muster_echo_all_command_parse (line, &error);

  return command != NULL ? obey (owner, command) : g_strdup (error->message);
}

/* Makes the socket, or moves it where the account now wants it. */
static gboolean
ensure_control (MusterEchoAllRegistration *self, GError **error)
{
  g_autofree char *path = muster_registration_dup_string (MUSTER_REGISTRATION (self), "control");

  if (self->control != NULL &&
      g_strcmp0 (path, muster_echo_all_control_get_path (self->control)) == 0)
    return TRUE;

  g_clear_pointer (&self->control, muster_echo_all_control_free);
  if (path == NULL || *path == '\0')
    return TRUE;

  self->control = muster_echo_all_control_new (path, G_OBJECT (self), on_command, error);

  return self->control != NULL;
}

/* open and close */

static void
answer_open (MusterRegistration *registration, GTask *task)
{
  MusterEchoAllRegistration *self = MUSTER_ECHO_ALL_REGISTRATION (registration);
  const char *bindings[] = { muster_registration_get_address (registration), NULL };
  GError *error = NULL;
  MusterLease *lease;

  if (!ensure_control (self, &error)) {
    g_task_return_error (task, error);
    return;
  }
  if (muster_echo_all_registration_log_and_fail (self, self->is_known ? "refresh" : "open", NULL,
                                                 "open-error", task))
    return;

  lease = muster_lease_new (muster_registration_get_uint (registration, "lease"), bindings);
  lease->refreshed = self->is_known;
  self->is_known = TRUE;
  g_task_return_pointer (task, lease, (GDestroyNotify) muster_lease_free);
}

static void
muster_echo_all_registration_open_async (MusterRegistration *registration,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  muster_echo_all_registration_answer (registration, muster_echo_all_registration_open_async,
                                       answer_open, NULL, NULL, cancellable, callback, user_data);
}

/* What waits for us has nobody to wait for any more; the contacts stay where they are. */
static void
answer_close (MusterRegistration *registration, GTask *task)
{
  MusterEchoAllRegistration *self = MUSTER_ECHO_ALL_REGISTRATION (registration);

  muster_echo_all_log_add (self->log, "close", NULL);
  self->is_known = FALSE;
  g_hash_table_remove_all (self->offers);
  g_clear_pointer (&self->control, muster_echo_all_control_free);
  g_task_return_boolean (task, TRUE);
}

static void
muster_echo_all_registration_close_async (MusterRegistration *registration,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  muster_echo_all_registration_answer (registration, muster_echo_all_registration_close_async,
                                       answer_close, NULL, NULL, cancellable, callback, user_data);
}

static void
muster_echo_all_registration_finalize (GObject *object)
{
  MusterEchoAllRegistration *self = MUSTER_ECHO_ALL_REGISTRATION (object);

  muster_echo_all_control_free (self->control);
  muster_echo_all_roster_free (self->roster);
  g_hash_table_unref (self->offers);
  g_ptr_array_unref (self->devices);
  g_string_free (self->log, TRUE);
  g_free (self->verdicts);
  G_OBJECT_CLASS (muster_echo_all_registration_parent_class)->finalize (object);
}

static void
muster_echo_all_registration_class_init (MusterEchoAllRegistrationClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = muster_echo_all_registration_finalize;
  MUSTER_REGISTRATION_CLASS (klass)->open_async = muster_echo_all_registration_open_async;
  MUSTER_REGISTRATION_CLASS (klass)->close_async = muster_echo_all_registration_close_async;
}

static void
muster_echo_all_registration_init (MusterEchoAllRegistration *self)
{
  self->log = g_string_new (NULL);
  self->offers = muster_echo_all_offers_new ();
  self->devices = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_binding_free);
}
