/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-contacts.h"
#include "muster-change.h"
#include "muster-service-call.h"

#include <muster/muster-hub.h>

#include <string.h>

/*
 * What people ask of contacts: to watch one, to watch it no longer, to let it see us or not.
 *
 *    asked -> checked -> the account, if none was named -> its service -> the roster, an event, the answer
 */

#define ADDRESS_MAX_BYTES 512
#define NAMED_MAX         5 /* accounts named to somebody who must choose */

typedef enum {
  CALL_WATCH,
  CALL_UNWATCH,
  CALL_ALLOW,
  CALL_DENY,
} CallKind;

typedef struct {
  MusterServiceCall call;
  CallKind kind;
  char *address; /* as the protocol writes it */
  char *shown;   /* without a scheme */
  char *name;
} ContactCall;

static const char *const doings[] = {
  [CALL_WATCH] = "it can watch nobody",
  [CALL_UNWATCH] = "it watches nobody",
  [CALL_ALLOW] = "nobody can be answered",
  [CALL_DENY] = "nobody can be answered",
};

/* checks */

static gboolean
check_account (MusterAccount *account, CallKind kind, GError **error)
{
  const MusterProtocol *protocol = muster_account_get_protocol (account);

  if (protocol == NULL || muster_account_can (account, MUSTER_TYPE_WATCHER))
    return muster_service_call_check (account, doings[kind], error);

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
               "its protocol, %s, knows no contacts here, so %s", protocol->display_name,
               doings[kind]);
  return FALSE;
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
contact_call_free (ContactCall *self)
{
  muster_service_call_end (&self->call);
  g_free (self->address);
  g_free (self->shown);
  g_free (self->name);
  g_free (self);
}

/* What the service has taken; a plugin that reported it meanwhile knows better. */
static void
contact_call_apply (ContactCall *self)
{
  MusterRoster *roster = self->call.broker->contacts->roster;
  const char *id = muster_account_get_id (self->call.account);
  const MusterContact *known = muster_roster_find_entry (roster, id, self->shown);
  g_autoptr (MusterContact) now = known != NULL ? muster_contact_copy (known)
                                                : muster_contact_new (self->address);

  switch (self->kind) {
  case CALL_WATCH:
    if (now->state != MUSTER_CONTACT_WATCHED)
      now->state = MUSTER_CONTACT_PENDING;
    if (self->name != NULL) {
      g_free (now->name);
      now->name = g_strdup (self->name);
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

  if (self->kind == CALL_UNWATCH && !now->asks)
    g_clear_pointer (&now->name, g_free);
  if (muster_broker_is_no_contact (now)) {
    muster_roster_remove (roster, id, self->shown);
    return;
  }
  if (known != NULL || self->kind == CALL_WATCH)
    muster_roster_put (roster, id, self->shown, now, muster_clock_wall_us ());
}

static void
contact_call_done (ContactCall *self)
{
  static const char *const events[] = {
    [CALL_WATCH] = "contact.added",
    [CALL_UNWATCH] = "contact.removed",
    [CALL_ALLOW] = "contact.allowed",
    [CALL_DENY] = "contact.denied",
  };
  const char *id = muster_account_get_id (self->call.account);
  MusterRoster *roster = self->call.broker->contacts->roster;
  g_autoptr (MusterContact) was = NULL;

  if (muster_roster_find_entry (roster, id, self->shown) != NULL)
    was = muster_contact_copy (muster_roster_find_entry (roster, id, self->shown));
  if (!muster_account_is_leaving (self->call.account))
    contact_call_apply (self);
  muster_broker_tell_contact (self->call.broker, self->call.account, events[self->kind],
                              self->shown, was, TRUE);
  muster_service_call_answer (&self->call, GINT_TO_POINTER (TRUE), NULL);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ContactCall *self = user_data;
  MusterWatcher *watcher = MUSTER_WATCHER (source);
  GError *error = NULL;
  gboolean ok = FALSE;

  switch (self->kind) {
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

  if (!ok)
    muster_service_call_fail (&self->call, error);
  else if (self->call.task != NULL) /* not too late */
    contact_call_done (self);
  contact_call_free (self);
}

/* asking */

static gboolean
check_known (MusterBroker *self, MusterAccount *account, const char *shown, GError **error)
{
  if (!muster_broker_knows_contacts (self, account) ||
      muster_roster_find_entry (self->contacts->roster, muster_account_get_id (account), shown) !=
        NULL)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
               "the account does not have this address among its contacts");
  return FALSE;
}

static void
contact_call_start (ContactCall *self)
{
  MusterWatcher *watcher = MUSTER_WATCHER (muster_account_get_serving (self->call.account));
  GCancellable *cancellable = self->call.cancellable;

  switch (self->kind) {
  case CALL_WATCH:
    muster_watcher_add_async (watcher, self->address, self->name, cancellable, on_answered, self);
    break;
  case CALL_UNWATCH:
    muster_watcher_remove_async (watcher, self->address, cancellable, on_answered, self);
    break;
  case CALL_ALLOW:
  case CALL_DENY:
    muster_watcher_authorise_async (watcher, self->address, self->kind == CALL_ALLOW, cancellable,
                                    on_answered, self);
    break;
  }
}

/* The service's own spelling of @shown, if it is known. */
static const char *
spelling_of (MusterBroker *self, MusterAccount *account, const char *shown)
{
  const MusterContact *known = muster_roster_find_entry (self->contacts->roster,
                                                         muster_account_get_id (account), shown);

  return known != NULL ? known->address : shown;
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
  const char *shown;
  GError *error = NULL;
  ContactCall *call;

  g_task_set_source_tag (task, muster_broker_call_contact);
  if (!muster_change_check_text ("address", address, ADDRESS_MAX_BYTES, &error) ||
      (name != NULL && !muster_change_check_name (name, &error)) ||
      (account == NULL && (account = muster_broker_choose (self, kind, address, &error)) == NULL) ||
      !check_account (account, kind, &error)) {
    g_task_return_error (task, error);
    return;
  }
  shown = muster_broker_trim_address (muster_account_get_protocol (account), address);
  if (kind == CALL_UNWATCH && !check_known (self, account, shown, &error)) {
    g_task_return_error (task, error);
    return;
  }

  call = g_new0 (ContactCall, 1);
  call->kind = kind;
  call->shown = g_strdup (shown);
  call->address = g_strdup (spelling_of (self, account, shown));
  call->name = g_strdup (name);
  muster_service_call_begin (&call->call, self, account, g_steal_pointer (&task),
                             MUSTER_SERVICE_CALL_S, MUSTER_STEP_STREAM);
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
  return g_task_propagate_pointer (G_TASK (result), error) != NULL;
}
