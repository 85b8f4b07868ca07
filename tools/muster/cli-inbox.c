/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterCli"

#include "config.h"

#include "cli-inbox.h"

#include "cli-account.h"
#include "cli-offer.h"
#include "cli-text.h"

/* What waits for the person, in a few lines: how to see all of it is said, not all of it. */

#define MAX_PEOPLE    3
#define MAX_MAILBOXES 5

static const CliField mailbox_fields[] = {
  { "id", "id", "Account.Id", "s", CLI_SHOW_TEXT },
  { "address", "address", "Account.Address", "s", CLI_SHOW_TEXT },
  { "new", "new", "Mailbox.New", "u", CLI_SHOW_NUMBER },
  { "old", "old", "Mailbox.Old", "u", CLI_SHOW_NUMBER },
  { "since", "since", "Mailbox.Since", "t", CLI_SHOW_TIME },
  { NULL },
};

gboolean
cli_inbox_load (CliInbox *self, Cli *cli, GError **error)
{
  self->offers = cli_offer_list (cli, FALSE, error);
  if (self->offers != NULL)
    self->mailboxes = cli_bus_list (cli, "account", NULL, mailbox_fields, FALSE, error);
  if (self->mailboxes == NULL)
    return FALSE;

  for (guint i = self->mailboxes->len; i > 0; i--)
    if (cli_row_get_number (self->mailboxes->pdata[i - 1], "Mailbox.New") == 0)
      g_ptr_array_remove_index_fast (self->mailboxes, i - 1);
  cli_account_sort (self->mailboxes);

  return TRUE;
}

void
cli_inbox_clear (CliInbox *self)
{
  g_clear_pointer (&self->offers, g_ptr_array_unref);
  g_clear_pointer (&self->mailboxes, g_ptr_array_unref);
}

/* "Bob (sip:bob@example.org) to ann@example.org" */
static void
append_person (GString *out, CliRow *row)
{
  g_autofree char *from = cli_text_escape (cli_row_get_string (row, "Incoming.From"));
  g_autofree char *name = cli_text_escape (cli_row_get_string (row, "Incoming.FromName"));
  g_autofree char *to = cli_text_escape (cli_row_get_string (row, "Account.Address"));

  if (name[0] != '\0')
    g_string_append_printf (out, "%s (%s)", name, from);
  else
    g_string_append (out, from);
  if (to[0] != '\0')
    g_string_append_printf (out, " to %s", to);
}

static void
add_offers (GPtrArray *lines,
            GPtrArray *offers,
            const char *kind,
            const char *one,
            const char *many)
{
  g_autoptr (GString) people = g_string_new (NULL);
  guint n = 0;

  for (guint i = 0; i < offers->len; i++) {
    CliRow *row = offers->pdata[i];

    if (!g_str_equal (cli_row_get_string (row, "Incoming.Kind"), kind) ||
        !g_str_equal (cli_row_get_string (row, "Incoming.State"), "waiting"))
      continue;
    if (n++ >= MAX_PEOPLE)
      continue;
    if (people->len > 0)
      g_string_append (people, ", ");
    append_person (people, row);
  }
  if (n == 0)
    return;

  if (n > MAX_PEOPLE)
    g_string_append_printf (people, " and %u more", n - MAX_PEOPLE);
  g_ptr_array_add (lines,
                   g_strdup_printf ("%u %s: from %s; 'muster incoming' shows %s", n,
                                    n == 1 ? one : many, people->str, n == 1 ? "it" : "them"));
}

static void
add_mailboxes (GPtrArray *lines, GPtrArray *mailboxes)
{
  for (guint i = 0; i < MIN (mailboxes->len, MAX_MAILBOXES); i++) {
    CliRow *row = mailboxes->pdata[i];
    guint64 n = cli_row_get_number (row, "Mailbox.New");
    g_autofree char *address = cli_text_escape (cli_row_get_string (row, "Account.Address"));

    g_ptr_array_add (lines, g_strdup_printf ("%" G_GUINT64_FORMAT " new %s in the mailbox of %s", n,
                                             n == 1 ? "message waits" : "messages wait", address));
  }
  if (mailboxes->len > MAX_MAILBOXES)
    g_ptr_array_add (lines, g_strdup_printf ("and more in %u other mailboxes",
                                             mailboxes->len - MAX_MAILBOXES));
}

GPtrArray *
cli_inbox_lines (const CliInbox *self)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);

  add_offers (lines, self->offers, "call", "call is ringing", "calls are ringing");
  add_offers (lines, self->offers, "message", "message came in and nobody has seen it",
              "messages came in and nobody has seen them");
  add_mailboxes (lines, self->mailboxes);

  return lines;
}

void
cli_inbox_add_to_json (const CliInbox *self, JsonObject *object)
{
  json_object_set_array_member (object, "incoming",
                                cli_fields_to_json_array (cli_incoming_fields, self->offers));
  json_object_set_array_member (object, "mailboxes",
                                cli_fields_to_json_array (mailbox_fields, self->mailboxes));
}
