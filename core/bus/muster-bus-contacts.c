/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "broker/muster-presence-layers.h"
#include "muster-bus-private.h"
#include "muster-names.h"

#include <string.h>

/* org.muster.Muster1.Contacts: the roster as rows, and what is asked of it. */

#define ROWS_MAX     1000
#define LOOKED_MAX   800 /* contacts looked at for one page: a filter may match few */
#define BUILT_MAX    80  /* rows built for one page: half of what 10 ms of the loop allow */
#define ACCOUNTS_MAX 100 /* of one contact in its row */

static const char *const states[] = {
  [MUSTER_CONTACT_NONE] = "none",
  [MUSTER_CONTACT_PENDING] = "pending",
  [MUSTER_CONTACT_WATCHED] = "watched",
  [MUSTER_CONTACT_DENIED] = "denied",
};

#define UNKNOWN "unknown"

/* rows */

static GVariant *
new_entry (const char *name, GVariant *value)
{
  return g_variant_new_dict_entry (g_variant_new_string (name), g_variant_new_variant (value));
}

static GVariant *
build_entry (MusterBus *self, const MusterRosterEntry *entry)
{
  const MusterContact *contact = entry->contact;
  MusterAccount *account = muster_broker_get_account (self->broker, entry->account);
  GVariant *row[] = {
    new_entry ("Account", muster_bus_path (MUSTER_PATH_ACCOUNTS, entry->account)),
    new_entry ("AccountAddress",
               muster_bus_string (account != NULL ? muster_account_get_record (account)->address
                                                  : NULL)),
    new_entry ("Address", g_variant_new_string (contact->address)),
    new_entry ("Name", muster_bus_string (contact->name)),
    new_entry ("Presence", g_variant_new_string (muster_presence_to_string (contact->presence))),
    new_entry ("Text", muster_bus_string (contact->text)),
    new_entry ("Since", g_variant_new_uint64 ((guint64) contact->changed_at_us)),
    new_entry ("State", g_variant_new_string (states[contact->state])),
    new_entry ("Asks", g_variant_new_boolean (contact->asks)),
    new_entry ("Current", g_variant_new_boolean (entry->is_current)),
  };

  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), row, G_N_ELEMENTS (row));
}

static GVariant *
build_entries (MusterBus *self, MusterRosterPerson *person)
{
  MusterRosterEntry entries[ACCOUNTS_MAX];
  GVariant *rows[ACCOUNTS_MAX];
  guint n = muster_roster_person_get_entries (person, entries, ACCOUNTS_MAX);

  for (guint i = 0; i < n; i++)
    rows[i] = build_entry (self, &entries[i]);

  return g_variant_new_array (G_VARIANT_TYPE_VARDICT, rows, n);
}

static GVariant *
build_row (MusterBus *self, MusterRosterPerson *person, const MusterRosterView *view)
{
  GVariant *row[] = {
    new_entry ("Address", g_variant_new_string (view->address)),
    new_entry ("Name", g_variant_new_string (view->name)),
    new_entry ("Presence",
               g_variant_new_string (view->is_known ? muster_presence_to_string (view->presence)
                                                    : UNKNOWN)),
    new_entry ("Text", g_variant_new_string (view->text)),
    new_entry ("Since", g_variant_new_uint64 ((guint64) view->since_us)),
    new_entry ("State", g_variant_new_string (states[view->state])),
    new_entry ("Asks", g_variant_new_boolean (view->asks)),
    new_entry ("Account", muster_bus_path (MUSTER_PATH_ACCOUNTS, view->account)),
    new_entry ("Accounts", build_entries (self, person)),
  };

  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), row, G_N_ELEMENTS (row));
}

GVariant *
muster_bus_build_contact (MusterBus *self, const char *address)
{
  MusterRosterPerson *person = muster_roster_find (muster_broker_get_roster (self->broker),
                                                   address);
  MusterRosterView view;
  GVariant *gone[2];

  if (person != NULL && muster_roster_person_view (person, &view))
    return build_row (self, person, &view);

  gone[0] = new_entry ("Address", g_variant_new_string (address));
  gone[1] = new_entry ("Removed", g_variant_new_boolean (TRUE));
  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), gone, G_N_ELEMENTS (gone));
}

/* List */

static const MusterBusOption filters[] = {
  { "account", "o" }, { "identity", "o" }, { "asks", "b" }, { "presence", "s" },
  { "state", "s" },   { "address", "s" },  { NULL }
};

typedef struct {
  MusterAccount *account;
  MusterIdentity *identity;
  const char *presence;
  const char *state;
  const char *address;
  gboolean has_asks, asks;
} Filter;

static gboolean
is_presence (const char *word)
{
  MusterPresence presence;

  return g_str_equal (word, UNKNOWN) || muster_presence_from_string (word, &presence);
}

static gboolean
is_state (const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    if (g_str_equal (word, states[i]))
      return TRUE;
  }

  return FALSE;
}

static gboolean
refuse_word (const char *what, const char *word, GError **error)
{
  g_autofree char *quoted = muster_broker_quote (word);

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
               "filter: there is no %s %s", what, quoted);
  return FALSE;
}

/* @filter lends what is read. */
static gboolean
read_filter (MusterBus *self, GVariant *filter, Filter *found, GError **error)
{
  const char *path;

  *found = (Filter){ 0 };
  if (!muster_bus_check_options (filter, "filter", filters, error))
    return FALSE;

  if (g_variant_lookup (filter, "account", "&o", &path) &&
      (found->account = muster_bus_lookup_path (self, MUSTER_BUS_ACCOUNT, path)) == NULL)
    return refuse_word ("account", path, error);
  if (g_variant_lookup (filter, "identity", "&o", &path) &&
      (found->identity = muster_bus_lookup_path (self, MUSTER_BUS_IDENTITY, path)) == NULL)
    return refuse_word ("identity", path, error);
  if (g_variant_lookup (filter, "presence", "&s", &found->presence) &&
      !is_presence (found->presence))
    return refuse_word ("presence", found->presence, error);
  if (g_variant_lookup (filter, "state", "&s", &found->state) && !is_state (found->state))
    return refuse_word ("state", found->state, error);
  found->has_asks = g_variant_lookup (filter, "asks", "b", &found->asks);
  g_variant_lookup (filter, "address", "&s", &found->address);

  return TRUE;
}

static gboolean
is_in (MusterBus *self, MusterRosterPerson *person, guint n_entries, const Filter *filter)
{
  g_autofree MusterRosterEntry *entries = g_new (MusterRosterEntry, n_entries);
  guint n = muster_roster_person_get_entries (person, entries, n_entries);

  for (guint i = 0; i < n; i++) {
    MusterAccount *account = muster_broker_get_account (self->broker, entries[i].account);

    if (account == NULL || (filter->account != NULL && account != filter->account))
      continue;
    if (filter->identity == NULL ||
        g_str_equal (muster_account_get_record (account)->identity, filter->identity->record->id))
      return TRUE;
  }

  return FALSE;
}

static gboolean
matches (MusterBus *self,
         MusterRosterPerson *person,
         const MusterRosterView *view,
         const Filter *filter)
{
  const char *presence = view->is_known ? muster_presence_to_string (view->presence) : UNKNOWN;

  if (filter->has_asks && !filter->asks != !view->asks)
    return FALSE;
  if (filter->presence != NULL && !g_str_equal (filter->presence, presence))
    return FALSE;
  if (filter->state != NULL && !g_str_equal (filter->state, states[view->state]))
    return FALSE;
  if (filter->account == NULL && filter->identity == NULL)
    return TRUE;

  return is_in (self, person, view->n_entries, filter);
}

static void
add_if_it_matches (MusterBus *self,
                   GPtrArray *rows,
                   MusterRosterPerson *person,
                   const Filter *filter)
{
  MusterRosterView view;

  if (muster_roster_person_view (person, &view) && matches (self, person, &view, filter))
    g_ptr_array_add (rows, build_row (self, person, &view));
}

/* Returns (transfer full): the cursor of the next page */
static char *
list_page (MusterBus *self, GPtrArray *rows, const Filter *filter, const char *cursor, guint limit)
{
  MusterRoster *roster = muster_broker_get_roster (self->broker);
  g_autofree char *after = g_strdup (cursor);
  MusterRosterPerson *person = NULL;
  guint n_looked = 0;

  if (filter->address != NULL) {
    person = muster_broker_find_contact (self->broker, filter->address);
    if (person != NULL)
      add_if_it_matches (self, rows, person, filter);
    return g_strdup ("");
  }

  while (rows->len < MIN (limit, BUILT_MAX) && n_looked++ < LOOKED_MAX &&
         (person = muster_roster_next (roster, after)) != NULL) {
    g_free (after);
    after = g_strdup (muster_roster_person_get_key (person));
    add_if_it_matches (self, rows, person, filter);
  }

  return person != NULL ? g_steal_pointer (&after) : g_strdup ("");
}

static void
list (MusterBus *self, gpointer unused, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) dict = NULL;
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  g_autofree char *next = NULL;
  const char *cursor;
  GError *error = NULL;
  Filter filter;
  guint limit;

  g_variant_get (parameters, "(@a{sv}&su@a{sv})", &dict, &cursor, &limit, &options);
  if (!muster_bus_no_options (options, invocation))
    return;
  if (limit < 1 || limit > ROWS_MAX) {
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                                           "limit: %u is not from 1 to %d", limit, ROWS_MAX);
    return;
  }
  if (!read_filter (self, dict, &filter, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  next = list_page (self, rows, &filter, cursor, limit);
  g_dbus_method_invocation_return_value (
    invocation, g_variant_new ("(@aa{sv}s)",
                               g_variant_new_array (G_VARIANT_TYPE_VARDICT,
                                                    (GVariant **) rows->pdata, rows->len),
                               next));
}

/* Watch, Unwatch, Authorise */

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  GError *error = NULL;

  if (muster_broker_contact_finish (result, &error))
    g_dbus_method_invocation_return_value (invocation, NULL);
  else
    muster_bus_return_error (invocation, error);
}

/* "/" is nobody in particular. */
static gboolean
find_account (MusterBus *self,
              const char *path,
              MusterAccount **account,
              GDBusMethodInvocation *invocation)
{
  g_autofree char *quoted = muster_broker_quote (path);

  *account = NULL;
  if (g_str_equal (path, "/"))
    return TRUE;

  *account = muster_bus_lookup_path (self, MUSTER_BUS_ACCOUNT, path);
  if (*account == NULL)
    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_NOT_FOUND, "there is no account %s",
                                           quoted);
  return *account != NULL;
}

static void
watch (MusterBus *self, gpointer unused, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  static const MusterBusOption known[] = { { "name", "s" }, { NULL } };
  g_autoptr (GVariant) options = NULL;
  const char *path, *address;
  const char *name = NULL;
  MusterAccount *account;
  GError *error = NULL;

  g_variant_get (parameters, "(&o&s@a{sv})", &path, &address, &options);
  if (!muster_bus_check_options (options, "options", known, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  g_variant_lookup (options, "name", "&s", &name);
  if (find_account (self, path, &account, invocation))
    muster_broker_watch_async (self->broker, account, address, name, on_done, invocation);
}

static void
unwatch (MusterBus *self, gpointer unused, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *path, *address;
  MusterAccount *account;

  g_variant_get (parameters, "(&o&s@a{sv})", &path, &address, &options);
  if (muster_bus_no_options (options, invocation) &&
      find_account (self, path, &account, invocation))
    muster_broker_unwatch_async (self->broker, account, address, on_done, invocation);
}

static void
authorise (MusterBus *self,
           gpointer unused,
           GVariant *parameters,
           GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = NULL;
  const char *path, *address;
  MusterAccount *account;
  gboolean allow;

  g_variant_get (parameters, "(&o&sb@a{sv})", &path, &address, &allow, &options);
  if (muster_bus_no_options (options, invocation) &&
      find_account (self, path, &account, invocation))
    muster_broker_authorise_async (self->broker, account, address, allow, on_done, invocation);
}

const MusterBusMethod muster_bus_contacts_methods[] = {
  { MUSTER_INTERFACE_CONTACTS, "List", list },
  { MUSTER_INTERFACE_CONTACTS, "Watch", watch },
  { MUSTER_INTERFACE_CONTACTS, "Unwatch", unwatch },
  { MUSTER_INTERFACE_CONTACTS, "Authorise", authorise },
  { NULL },
};
