/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBus"

#include "config.h"

#include "muster-bus-private.h"
#include "muster-names.h"

#include <string.h>

/*
 * Manager.List and Manager.ListEvents: pages of rows, cheap at any number of accounts. A cursor is
 * the id (of an event: the number) of the last row, so that it survives what is added and removed.
 */

#define ROWS_MAX   1000
#define FIELDS_MAX 64
#define LOOKED_MAX 5000 /* objects looked at for one page: a filter may match few */
#define BUILT_MAX                                                                                  \
  150 /* rows built for one page, in one turn of the loop: half of what 10 ms allow */

static const MusterBusOption account_filters[] = {
  { "protocol", "s" }, { "state", "s" }, { "identity", "o" }, { "enabled", "b" }, { NULL },
};

static const MusterBusOption no_filters[] = { { NULL } };

static gboolean
matches (MusterBus *self, MusterBusKind kind, gpointer object, GVariant *filter)
{
  const MusterAccountRecord *record;
  const char *text;
  gboolean enabled;

  if (kind != MUSTER_BUS_ACCOUNT)
    return TRUE;

  record = muster_account_get_record (object);
  if (g_variant_lookup (filter, "protocol", "&s", &text) && !g_str_equal (text, record->protocol))
    return FALSE;
  if (g_variant_lookup (filter, "identity", "&o", &text)) {
    MusterIdentity *identity = muster_bus_lookup_path (self, MUSTER_BUS_IDENTITY, text);

    if (identity == NULL || !g_str_equal (identity->record->id, record->identity))
      return FALSE;
  }
  if (g_variant_lookup (filter, "enabled", "b", &enabled) && enabled != record->enabled)
    return FALSE;
  if (g_variant_lookup (filter, "state", "&s", &text)) {
    MusterAccountState state =
      muster_standing_get_view (muster_account_get_standing (object))->state;

    if (!g_str_equal (text, muster_account_state_to_string (state)))
      return FALSE;
  }

  return TRUE;
}

typedef struct {
  const MusterBusProperty *property;
  GVariant *name; /* "Interface.Name" */
} Field;

static void
field_clear (gpointer data)
{
  g_variant_unref (((Field *) data)->name);
}

static void
add_field (GArray *fields, const MusterBusProperty *property)
{
  g_autofree char *name = g_strconcat (property->interface, ".", property->name, NULL);
  Field field = { property, g_variant_ref_sink (g_variant_new_string (name)) };

  g_array_append_val (fields, field);
}

/* Returns (transfer full): the properties in @fields, all of the kind's if it is empty. */
static GArray *
find_fields (MusterBusKind kind, const char *const *fields, GError **error)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Field));
  guint n_properties;
  const MusterBusProperty *properties = muster_bus_get_properties (kind, &n_properties);

  g_array_set_clear_func (found, field_clear);
  if (g_strv_length ((GStrv) fields) > FIELDS_MAX) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                 "fields: more than %d", FIELDS_MAX);
    return NULL;
  }

  for (guint i = 0; fields[0] == NULL && i < n_properties; i++)
    add_field (found, &properties[i]);

  for (; *fields != NULL; fields++) {
    guint before = found->len;

    for (guint i = 0; i < n_properties; i++) {
      g_autofree char *name = g_strconcat (properties[i].interface, ".", properties[i].name, NULL);

      if (g_str_equal (name, *fields))
        add_field (found, &properties[i]);
    }
    if (found->len == before) {
      g_autofree char *quoted = muster_broker_quote (*fields);

      g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                   "fields: %s is not known here", quoted);
      return NULL;
    }
  }

  return g_steal_pointer (&found);
}

static GVariant *
new_entry (GVariant *name, GVariant *value)
{
  return g_variant_new_dict_entry (name, g_variant_new_variant (value));
}

static GVariant *
build_row (MusterBus *self, MusterBusKind kind, gpointer object, GArray *fields)
{
  g_autofree char *path = muster_bus_object_path (kind, object);
  GVariant *row[FIELDS_MAX + 1];
  guint n = 0;

  row[n++] = new_entry (g_variant_new_string ("Path"), g_variant_new_object_path (path));
  for (guint i = 0; i < fields->len; i++) {
    const Field *field = &g_array_index (fields, Field, i);

    if (!muster_bus_has_interface (kind, object, field->property->interface))
      continue;
    muster_bus_note_read (self, kind, object, field->property->interface);
    row[n++] = new_entry (field->name, field->property->get (self, object));
  }

  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), row, n);
}

/* A state that there is not would match nothing, and nobody would know why. */
static gboolean
check_state (GVariant *filter, GError **error)
{
  MusterAccountState state;
  g_autofree char *quoted = NULL;
  const char *text;

  if (!g_variant_lookup (filter, "state", "&s", &text) ||
      muster_account_state_from_string (text, &state))
    return TRUE;

  quoted = muster_broker_quote (text);
  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
               "filter: there is no state %s", quoted);
  return FALSE;
}

static gboolean
check_limit (guint limit, GError **error)
{
  if (limit >= 1 && limit <= ROWS_MAX)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
               "limit: %u is not from 1 to %d", limit, ROWS_MAX);
  return FALSE;
}

void
muster_bus_list (MusterBus *self,
                 gpointer unused,
                 GVariant *parameters,
                 GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) filter = NULL;
  g_autoptr (GVariant) options = NULL;
  g_autofree const char **fields = NULL;
  g_autoptr (GArray) found = NULL;
  g_autofree char *after = NULL;
  const char *kind_name, *cursor;
  GVariantBuilder rows;
  MusterBusKind kind;
  GError *error = NULL;
  gpointer object = NULL;
  guint limit, n_rows = 0, n_looked = 0;

  g_variant_get (parameters, "(&s@a{sv}^a&s&su@a{sv})", &kind_name, &filter, &fields, &cursor,
                 &limit, &options);

  if (!muster_bus_no_options (options, invocation))
    return;
  if (!muster_bus_kind_from_string (kind_name, &kind)) {
    g_autofree char *quoted = muster_broker_quote (kind_name);

    g_dbus_method_invocation_return_error (
      invocation, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
      "kind: %s is not one of account, identity, protocol, plugin, request, incoming", quoted);
    return;
  }
  if (!check_limit (limit, &error) ||
      !muster_bus_check_options (filter, "filter",
                                 kind == MUSTER_BUS_ACCOUNT ? account_filters : no_filters,
                                 &error) ||
      !check_state (filter, &error) || (found = find_fields (kind, fields, &error)) == NULL) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  after = g_strdup (cursor);
  while (n_rows < MIN (limit, BUILT_MAX) && n_looked++ < LOOKED_MAX &&
         (object = muster_bus_next (self, kind, after)) != NULL) {
    g_free (after);
    after = g_strdup (muster_bus_object_id (kind, object));
    if (!matches (self, kind, object, filter))
      continue;
    g_variant_builder_add_value (&rows, build_row (self, kind, object, found));
    n_rows++;
  }

  /* An empty page with a cursor is right: the filter has not met the end yet. */
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv}s)", &rows,
                                                                    object != NULL ? after : ""));
}

/* events */

static const MusterBusOption event_filters[] = { { "account", "o" }, { "type", "s" }, { NULL } };

typedef struct {
  GDBusMethodInvocation *invocation;
  guint limit;
} EventsCall;

static void
on_events_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree EventsCall *call = user_data;
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *next = NULL;
  GVariantBuilder rows;

  events = muster_store_read_events_finish (MUSTER_STORE (source), result, &error);
  if (events == NULL) {
    g_dbus_method_invocation_return_error (call->invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_STORE,
                                           "the journal cannot be read: %s", error->message);
    return;
  }

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(xtsoa{sv})"));
  for (guint i = 0; i < events->len; i++) {
    const MusterEventRecord *event = events->pdata[i];
    g_autofree char *path = g_strconcat (MUSTER_PATH_ACCOUNTS, "/", event->account, NULL);

    g_variant_builder_add (&rows, "(xtso@a{sv})", event->seq, (guint64) event->time_us, event->type,
                           *event->account != '\0' && g_variant_is_object_path (path) ? path : "/",
                           event->payload);
  }
  if (events->len == call->limit)
    next = g_strdup_printf ("%" G_GINT64_FORMAT,
                            ((MusterEventRecord *) events->pdata[events->len - 1])->seq);

  g_dbus_method_invocation_return_value (call->invocation,
                                         g_variant_new ("(a(xtsoa{sv})s)", &rows,
                                                        next != NULL ? next : ""));
}

void
muster_bus_list_events (MusterBus *self,
                        gpointer unused,
                        GVariant *parameters,
                        GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) filter = NULL;
  g_autoptr (GVariant) options = NULL;
  const char *cursor;
  const char *account = "";
  const char *type = "";
  EventsCall *call;
  GError *error = NULL;
  gint64 before = 0;
  guint limit;

  g_variant_get (parameters, "(@a{sv}&su@a{sv})", &filter, &cursor, &limit, &options);

  if (!muster_bus_no_options (options, invocation))
    return;
  if (!check_limit (limit, &error) ||
      !muster_bus_check_options (filter, "filter", event_filters, &error)) {
    g_dbus_method_invocation_take_error (invocation, error);
    return;
  }
  if (*cursor != '\0' && !g_ascii_string_to_signed (cursor, 10, 1, G_MAXINT64, &before, NULL)) {
    g_autofree char *quoted = muster_broker_quote (cursor);

    g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                           MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                                           "cursor: %s is not one that was returned", quoted);
    return;
  }
  g_variant_lookup (filter, "type", "&s", &type);
  if (g_variant_lookup (filter, "account", "&o", &account)) {
    /* Not looked up: accounts that are gone have a past, too. */
    if (!g_str_has_prefix (account, MUSTER_PATH_ACCOUNTS "/")) {
      g_dbus_method_invocation_return_error (invocation, MUSTER_BROKER_ERROR,
                                             MUSTER_BROKER_ERROR_INVALID_ARGUMENT,
                                             "filter: \"account\" is not the path of an account");
      return;
    }
    account += strlen (MUSTER_PATH_ACCOUNTS "/");
  }

  call = g_new (EventsCall, 1);
  call->invocation = invocation;
  call->limit = limit;
  muster_store_read_events_async (muster_broker_get_store (self->broker), before, account, type,
                                  limit, NULL, on_events_read, call);
}
