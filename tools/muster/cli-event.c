/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-event.h"

#include "cli-json.h"
#include "cli-text.h"
#include "muster-names.h"

/* A line each. */
/* clang-format off */
const char *const cli_event_types[] = {
  "account.added",
  "account.changed",
  "account.enabled",
  "account.disabled",
  "account.removed",
  "secret.set",
  "secret.cleared",
  "certificate.pinned",
  "registration.created",
  "registration.refreshed",
  "registration.failed",
  "registration.lost",
  "registration.ended",
  "registration.proven",
  "registration.mended",
  "registration.unproven",
  "lease.lost",
  "binding.removed",
  "presence.changed",
  "presence.published",
  "presence.failed",
  "contact.asks",
  "contact.allowed",
  "contact.denied",
  "contact.added",
  "contact.removed",
  "contact.accepted",
  "contact.refused",
  "contacts.failed",
  "incoming.call",
  "incoming.message",
  "incoming.ended",
  "mailbox.changed",
  "plugin.crashed",
  "plugin.suspended",
  "plugin.resumed",
  "outbox.dropped",
  NULL,
};
/* clang-format on */

gboolean
cli_event_check_type (const char *type, GError **error)
{
  const char *nearest = cli_text_nearest (type, cli_event_types);
  g_autofree char *all = g_strjoinv (", ", (char **) cli_event_types);

  for (const char *const *known = cli_event_types; *known != NULL; known++)
    if (g_str_has_prefix (*known, type))
      return TRUE;

  if (nearest != NULL)
    g_set_error (error, CLI_ERROR, CLI_USAGE, "there is no event type '%s'; did you mean '%s'?",
                 type, nearest);
  else
    g_set_error (error, CLI_ERROR, CLI_USAGE, "there is no event type '%s', only %s", type, all);

  return FALSE;
}

struct _CliEventPrinter {
  Cli *cli;
  GHashTable *addresses; /* by path; "" for an account that is gone */
};

CliEventPrinter *
cli_event_printer_new (Cli *cli)
{
  CliEventPrinter *self = g_new0 (CliEventPrinter, 1);

  self->cli = cli;
  self->addresses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  return self;
}

void
cli_event_printer_free (CliEventPrinter *self)
{
  g_hash_table_unref (self->addresses);
  g_free (self);
}

void
cli_event_printer_learn (CliEventPrinter *self, const char *account, GVariant *payload)
{
  const char *address = NULL;

  /* An event about an account's beginning or end says whose. */
  if (g_variant_lookup (payload, "address", "&s", &address))
    g_hash_table_insert (self->addresses, g_strdup (account), g_strdup (address));
}

/* Returns: the account's address, "" if it has none any more */
static const char *
address_of (CliEventPrinter *self, const char *account, GVariant *payload)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) value = NULL;
  const char *address = NULL;

  if (g_str_equal (account, "/"))
    return "";
  cli_event_printer_learn (self, account, payload);
  address = g_hash_table_lookup (self->addresses, account);
  if (address != NULL)
    return address;

  reply = cli_bus_call (self->cli, account, "org.freedesktop.DBus.Properties", "Get",
                        g_variant_new ("(ss)", MUSTER_INTERFACE_ACCOUNT, "Address"), "(v)", NULL);
  if (reply != NULL)
    g_variant_get (reply, "(v)", &value);
  address = value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
              ? g_variant_get_string (value, NULL)
              : "";
  g_hash_table_insert (self->addresses, g_strdup (account), g_strdup (address));

  return g_hash_table_lookup (self->addresses, account);
}

JsonNode *
cli_event_to_json (CliEventPrinter *self,
                   gint64 number,
                   guint64 time_us,
                   const char *type,
                   const char *account,
                   GVariant *payload)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  const char *address = address_of (self, account, payload);
  const char *id = cli_path_id (account);

  if (number != 0)
    json_object_set_int_member (object, "number", number);
  json_object_set_member (object, "time", cli_json_time (time_us));
  json_object_set_string_member (object, "type", type);
  json_object_set_member (object, "account", cli_json_string (id[0] != '\0' ? id : NULL));
  json_object_set_member (object, "address", cli_json_string (address[0] != '\0' ? address : NULL));
  json_object_set_member (object, "payload", cli_json_from_variant (payload, NULL));
  json_node_take_object (node, object);

  return node;
}

char *
cli_event_to_line (CliEventPrinter *self,
                   guint64 time_us,
                   const char *type,
                   const char *account,
                   GVariant *payload)
{
  static const CliField field = { "payload", "payload", "payload", "a{sv}", CLI_SHOW_VALUES };
  g_autofree char *time = cli_text_time_local (time_us);
  g_autofree char *who = NULL;
  g_autofree char *what = NULL;
  g_autofree char *details = NULL;
  g_autoptr (GHashTable) row = cli_row_new ();
  const char *address = address_of (self, account, payload);

  cli_row_take (row, "payload", g_variant_ref (payload));
  details = cli_field_to_text (&field, row, (gint64) time_us, FALSE); /* as it was then */
  who = cli_text_escape (address[0] != '\0' ? address : cli_path_id (account));
  what = cli_text_escape (type);

  return g_strchomp (g_strdup_printf ("%s  %s%s%s%s%s", time != NULL ? time : "-", what,
                                      who[0] != '\0' ? "  " : "", who,
                                      details[0] != '\0' ? "  " : "", details));
}
