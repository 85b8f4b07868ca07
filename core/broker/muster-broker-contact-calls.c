/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-contacts.h"
#include "muster-change.h"

#include <muster/muster-hub.h>

#include <string.h>

/*
 * What people ask of contacts: to watch one, to watch it no longer, to let it see us or not.
 *
 *    asked -> checked -> the account, if none was named -> its service -> the roster, an event, the answer
 *                                                       -> no answer in time, or it went off meanwhile
 */

#define ADDRESS_MAX_BYTES 512
#define ANSWER_MS         (20 * 1000) /* less than callers on the bus wait */
#define NAMED_MAX         5           /* accounts named to somebody who must choose */

typedef enum {
  CALL_WATCH,
  CALL_UNWATCH,
  CALL_ALLOW,
  CALL_DENY,
} CallKind;

typedef struct {
  MusterBroker *broker; /* NULL: it has been answered */
  MusterAccount *account;
  CallKind kind;
  char *address; /* as the protocol writes it */
  char *shown;   /* without a scheme */
  char *name;
  GCancellable *cancellable;
  MusterTimer deadline;
  GTask *task;
  GList link; /* in the calls that are waited for */
} ContactCall;

static const char *const doings[] = {
  [CALL_WATCH] = "it can watch nobody",
  [CALL_UNWATCH] = "it watches nobody",
  [CALL_ALLOW] = "nobody can be answered",
  [CALL_DENY] = "nobody can be answered",
};

/* checks */

static gboolean
check_address (const char *address, GError **error)
{
  if (*address == '\0')
    return muster_change_invalid (error, "address is empty");
  if (strlen (address) > ADDRESS_MAX_BYTES)
    return muster_change_invalid (error, "address is longer than %d bytes", ADDRESS_MAX_BYTES);

  for (const char *p = address; *p != '\0'; p = g_utf8_next_char (p)) {
    if (!g_unichar_isprint (g_utf8_get_char (p)))
      return muster_change_invalid (error, "address holds control characters");
  }

  return TRUE;
}

static gboolean
check_account (MusterAccount *account, CallKind kind, GError **error)
{
  const MusterStandingView *view = muster_standing_get_view (muster_account_get_standing (account));
  const MusterProtocol *protocol = muster_account_get_protocol (account);

  if (protocol != NULL && !muster_account_can (account, MUSTER_TYPE_WATCHER)) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "its protocol, %s, knows no contacts here, so %s", protocol->display_name,
                 doings[kind]);
    return FALSE;
  }
  if (muster_account_get_serving (account) == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "it is not registered (%s), so %s", muster_account_state_to_string (view->state),
                 doings[kind]);
    return FALSE;
  }

  return TRUE;
}

/* which account is meant, if none was named */

static const char *
host_of (const char *address)
{
  const char *at = strrchr (address, '@');

  return at != NULL ? at + 1 : "";
}

static int
compare_addresses (gconstpointer a, gconstpointer b)
{
  return strcmp (muster_account_get_record (*(MusterAccount *const *) a)->address,
                 muster_account_get_record (*(MusterAccount *const *) b)->address);
}

static void
set_ambiguous (GError **error, GPtrArray *accounts, const char *why)
{
  g_autoptr (GString) names = g_string_new (NULL);

  g_ptr_array_sort (accounts, compare_addresses);
  for (guint i = 0; i < MIN (accounts->len, NAMED_MAX); i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                            muster_account_get_record (accounts->pdata[i])->address);
  if (accounts->len > NAMED_MAX)
    g_string_append_printf (names, " and %u more", accounts->len - NAMED_MAX);
  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_AMBIGUOUS, "%s; say which: %s", why,
               names->str);
}

/* The one that serves, and is at the same host if there are several. */
static MusterAccount *
muster_broker_choose_watcher (MusterBroker *self, const char *address, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autoptr (GPtrArray) near = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, self->contacts->watches);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    MusterAccount *account = key;

    if (muster_account_get_serving (account) == NULL)
      continue;
    g_ptr_array_add (all, account);
    if (*host_of (address) != '\0' &&
        g_ascii_strcasecmp (host_of (address),
                            host_of (muster_account_get_record (account)->address)) == 0)
      g_ptr_array_add (near, account);
  }

  if (near->len == 1 || all->len == 1)
    return near->len == 1 ? near->pdata[0] : all->pdata[0];
  if (all->len == 0)
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "no account that is registered can watch contacts");
  else
    set_ambiguous (error, near->len > 0 ? near : all, "more than one account can watch it");

  return NULL;
}

/* The one that has it among its contacts; to answer, rather the one that was asked. */
static MusterAccount *
muster_broker_choose_owner (MusterBroker *self,
                            const char *address,
                            gboolean answers,
                            GError **error)
{
  MusterRosterPerson *person = muster_roster_find (self->contacts->roster, address);
  MusterRosterView view = { .n_entries = 0 };
  gboolean is_there = person != NULL && muster_roster_person_view (person, &view);
  g_autofree MusterRosterEntry *entries = g_new (MusterRosterEntry, view.n_entries);
  guint n = is_there ? muster_roster_person_get_entries (person, entries, view.n_entries) : 0;
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autoptr (GPtrArray) asked = g_ptr_array_new ();
  GPtrArray *found;

  for (guint i = 0; i < n; i++) {
    MusterAccount *account = muster_broker_get_account (self, entries[i].account);

    if (account == NULL)
      continue;
    g_ptr_array_add (all, account);
    if (entries[i].contact->asks)
      g_ptr_array_add (asked, account);
  }

  found = answers && asked->len > 0 ? asked : all;
  if (found->len == 1)
    return found->pdata[0];
  if (found->len == 0)
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
                 "no account has this address among its contacts%s",
                 answers ? ", or was asked by it; say which account" : "");
  else
    set_ambiguous (error, found,
                   found == asked ? "more than one account was asked"
                                  : "more than one account has it among its contacts");

  return NULL;
}

/* A scheme that any protocol here has is not part of the address. */
static const char *
muster_broker_trim_any (MusterBroker *self, const char *address)
{
  GHashTableIter iter;
  gpointer key;

  if (strchr (address, ':') == NULL)
    return address;

  g_hash_table_iter_init (&iter, self->contacts->watches);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    const MusterProtocol *protocol = muster_account_get_protocol (key);
    const char *trimmed = protocol != NULL ? muster_broker_trim_address (protocol, address)
                                           : address;

    if (trimmed != address)
      return trimmed;
  }

  return address;
}

MusterRosterPerson *
muster_broker_find_contact (MusterBroker *self, const char *address)
{
  return muster_roster_find (self->contacts->roster, muster_broker_trim_any (self, address));
}

static MusterAccount *
muster_broker_choose (MusterBroker *self, CallKind kind, const char *address, GError **error)
{
  const char *trimmed = muster_broker_trim_any (self, address);

  if (kind == CALL_WATCH)
    return muster_broker_choose_watcher (self, trimmed, error);

  return muster_broker_choose_owner (self, trimmed, kind != CALL_UNWATCH, error);
}

/* the answer */

static void
contact_call_free (ContactCall *call)
{
  muster_timer_cancel (&call->deadline);
  g_clear_pointer (&call->account, muster_account_unref);
  g_free (call->address);
  g_free (call->shown);
  g_free (call->name);
  g_clear_object (&call->cancellable);
  g_clear_object (&call->task);
  g_free (call);
}

/* Takes @error (NULL: it is done). The call itself may go on until its plugin ends it. */
static void
contact_call_answer (ContactCall *call, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&call->task);

  g_queue_unlink (&call->broker->contacts->calls, &call->link);
  call->broker = NULL;
  muster_timer_cancel (&call->deadline);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/* What the service has taken; a plugin that reported it meanwhile knows better. */
static void
contact_call_apply (ContactCall *call)
{
  MusterRoster *roster = call->broker->contacts->roster;
  const char *id = muster_account_get_id (call->account);
  const MusterContact *known = muster_roster_find_entry (roster, id, call->shown);
  g_autoptr (MusterContact) now = known != NULL ? muster_contact_copy (known)
                                                : muster_contact_new (call->address);

  switch (call->kind) {
  case CALL_WATCH:
    if (now->state != MUSTER_CONTACT_WATCHED)
      now->state = MUSTER_CONTACT_PENDING;
    if (call->name != NULL) {
      g_free (now->name);
      now->name = g_strdup (call->name);
    }
    break;
  case CALL_UNWATCH:
    now->state = MUSTER_CONTACT_NONE;
    now->presence = MUSTER_PRESENCE_OFFLINE;
    g_clear_pointer (&now->text, g_free);
    break;
  case CALL_ALLOW:
  case CALL_DENY:
    now->asks = FALSE;
    break;
  }

  if (call->kind == CALL_UNWATCH && !now->asks)
    g_clear_pointer (&now->name, g_free);
  if (muster_broker_is_no_contact (now)) {
    muster_roster_remove (roster, id, call->shown);
    return;
  }
  if (known != NULL || call->kind == CALL_WATCH)
    muster_roster_put (roster, id, call->shown, now, muster_clock_wall_us ());
}

static void
contact_call_done (ContactCall *call)
{
  static const char *const events[] = {
    [CALL_WATCH] = "contact.added",
    [CALL_UNWATCH] = "contact.removed",
    [CALL_ALLOW] = "contact.allowed",
    [CALL_DENY] = "contact.denied",
  };
  const char *id = muster_account_get_id (call->account);
  MusterRoster *roster = call->broker->contacts->roster;
  g_autoptr (MusterContact) was = NULL;

  if (muster_roster_find_entry (roster, id, call->shown) != NULL)
    was = muster_contact_copy (muster_roster_find_entry (roster, id, call->shown));
  if (!muster_account_is_leaving (call->account))
    contact_call_apply (call);
  muster_broker_tell_contact (call->broker, call->account, events[call->kind], call->shown, was,
                              TRUE);
  contact_call_answer (call, NULL);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ContactCall *call = user_data;
  MusterWatcher *watcher = MUSTER_WATCHER (source);
  GError *error = NULL;
  gboolean ok = FALSE;

  switch (call->kind) {
  case CALL_WATCH:
    ok = muster_watcher_add_finish (watcher, result, &error);
    break;
  case CALL_UNWATCH:
    ok = muster_watcher_remove_finish (watcher, result, &error);
    break;
  case CALL_ALLOW:
  case CALL_DENY:
    ok = muster_watcher_authorise_finish (watcher, result, &error);
    break;
  }

  if (call->broker == NULL) { /* too late */
    g_clear_error (&error);
  } else if (ok) {
    contact_call_done (call);
  } else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_error_free (error);
    contact_call_answer (call, g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                                            "the account went off before its service answered"));
  } else if (error->domain != MUSTER_ERROR) {
    contact_call_answer (call, g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED, "%s",
                                            error->message));
    g_error_free (error);
  } else {
    contact_call_answer (call, error);
  }
  contact_call_free (call);
}

static void
on_deadline (MusterTimer *timer, gpointer user_data)
{
  ContactCall *call = user_data;
  g_autoptr (GCancellable) cancellable = g_object_ref (call->cancellable);

  contact_call_answer (call, muster_error_new (MUSTER_ERROR_UNREACHABLE, MUSTER_STEP_STREAM,
                                               "the service did not answer within %d s",
                                               ANSWER_MS / 1000));
  g_cancellable_cancel (cancellable); /* which may end the call */
}

void
muster_broker_cancel_contact_calls (MusterBroker *self)
{
  while (self->contacts->calls.head != NULL) {
    ContactCall *call = self->contacts->calls.head->data;
    g_autoptr (GCancellable) cancellable = g_object_ref (call->cancellable);

    contact_call_answer (call, g_error_new (MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED,
                                            "the daemon ends"));
    g_cancellable_cancel (cancellable);
  }
}

/* asking */

static gboolean
check_known (ContactCall *call, GError **error)
{
  if (call->kind != CALL_UNWATCH || !muster_broker_knows_contacts (call->broker, call->account) ||
      muster_roster_find_entry (call->broker->contacts->roster,
                                muster_account_get_id (call->account), call->shown) != NULL)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
               "the account does not have this address among its contacts");
  return FALSE;
}

static void
contact_call_start (ContactCall *call)
{
  MusterWatcher *watcher = MUSTER_WATCHER (muster_account_get_serving (call->account));

  g_queue_push_tail_link (&call->broker->contacts->calls, &call->link);
  muster_timer_arm_in_ms (&call->deadline, ANSWER_MS);
  switch (call->kind) {
  case CALL_WATCH:
    muster_watcher_add_async (watcher, call->address, call->name, call->cancellable, on_answered,
                              call);
    break;
  case CALL_UNWATCH:
    muster_watcher_remove_async (watcher, call->address, call->cancellable, on_answered, call);
    break;
  case CALL_ALLOW:
  case CALL_DENY:
    muster_watcher_authorise_async (watcher, call->address, call->kind == CALL_ALLOW,
                                    call->cancellable, on_answered, call);
    break;
  }
}

/* The service's own spelling, if it is known. */
static void
contact_call_set_address (ContactCall *call, const char *address)
{
  const MusterContact *known;

  call->shown = g_strdup (
    muster_broker_trim_address (muster_account_get_protocol (call->account), address));
  known = muster_roster_find_entry (call->broker->contacts->roster,
                                    muster_account_get_id (call->account), call->shown);
  call->address = g_strdup (known != NULL ? known->address : call->shown);
}

static void
muster_broker_call_contact (MusterBroker *self,
                            CallKind kind,
                            MusterAccount *account,
                            const char *address,
                            const char *name,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  GError *error = NULL;
  ContactCall *call;

  g_task_set_source_tag (task, muster_broker_call_contact);
  if (!check_address (address, &error) ||
      (name != NULL && !muster_change_check_name (name, &error)) ||
      (account == NULL && (account = muster_broker_choose (self, kind, address, &error)) == NULL) ||
      !check_account (account, kind, &error)) {
    g_task_return_error (task, error);
    return;
  }

  call = g_new0 (ContactCall, 1);
  call->broker = self;
  call->account = muster_account_ref (account);
  call->kind = kind;
  call->name = g_strdup (name);
  call->cancellable = g_cancellable_new ();
  call->link.data = call;
  muster_timer_init (&call->deadline, on_deadline, call);
  contact_call_set_address (call, address);
  if (!check_known (call, &error)) {
    g_task_return_error (task, error);
    contact_call_free (call);
    return;
  }

  call->task = g_steal_pointer (&task);
  contact_call_start (call);
}

void
muster_broker_watch_async (MusterBroker *self,
                           MusterAccount *account,
                           const char *address,
                           const char *name,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  muster_broker_call_contact (self, CALL_WATCH, account, address, name, callback, user_data);
}

void
muster_broker_unwatch_async (MusterBroker *self,
                             MusterAccount *account,
                             const char *address,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  muster_broker_call_contact (self, CALL_UNWATCH, account, address, NULL, callback, user_data);
}

void
muster_broker_authorise_async (MusterBroker *self,
                               MusterAccount *account,
                               const char *address,
                               gboolean allow,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  muster_broker_call_contact (self, allow ? CALL_ALLOW : CALL_DENY, account, address, NULL,
                              callback, user_data);
}

gboolean
muster_broker_contact_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
