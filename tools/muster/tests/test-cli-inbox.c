/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "cli-inbox.h"

static GPtrArray *
make_rows (const char *const *texts)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);

  for (; *texts != NULL; texts++) {
    g_autoptr (GVariant)
      values = g_variant_parse (G_VARIANT_TYPE_VARDICT, *texts, NULL, NULL, NULL);
    CliRow *row = cli_row_new ();

    g_assert_nonnull (values);
    cli_row_merge (row, NULL, values);
    g_ptr_array_add (rows, row);
  }

  return rows;
}

#define OFFER(kind, state, from, name)                                                             \
  "{'Incoming.Kind': <'" kind "'>, 'Incoming.State': <'" state "'>, 'Incoming.From': <'" from      \
  "'>, 'Incoming.FromName': <'" name "'>, 'Account.Address': <'ann@x'>}"
#define MAILBOX(address, n) "{'Account.Address': <'" address "'>, 'Mailbox.New': <uint32 " n ">}"

static void
test_lines (void)
{
  static const struct {
    const char *offers[6], *mailboxes[8], *lines;
  } cases[] = {
    { { NULL }, { NULL }, "" },
    { { OFFER ("call", "waiting", "bob@x", "Bob\\u001b[2J") },
      { NULL },
      "1 call is ringing: from Bob\\x1b[2J (bob@x) to ann@x; 'muster incoming' shows it" },
    /* What somebody is answering rings no longer. */
    { { OFFER ("call", "answering", "bob@x", "") }, { NULL }, "" },
    { { OFFER ("message", "waiting", "bob@x", ""), OFFER ("call", "waiting", "carl@x", "Carl"),
        OFFER ("message", "waiting", "dan@x", "") },
      { MAILBOX ("ann@x", "1") },
      "1 call is ringing: from Carl (carl@x) to ann@x; 'muster incoming' shows it\n"
      "2 messages came in and nobody has seen them: from bob@x to ann@x, dan@x to ann@x; 'muster "
      "incoming' shows them\n"
      "1 new message waits in the mailbox of ann@x" },
    { { OFFER ("call", "waiting", "1@x", ""), OFFER ("call", "waiting", "2@x", ""),
        OFFER ("call", "waiting", "3@x", ""), OFFER ("call", "waiting", "4@x", ""),
        OFFER ("call", "waiting", "5@x", "") },
      { MAILBOX ("1@x", "3"), MAILBOX ("2@x", "3"), MAILBOX ("3@x", "3"), MAILBOX ("4@x", "3"),
        MAILBOX ("5@x", "3"), MAILBOX ("6@x", "3"), MAILBOX ("7@x", "3") },
      "5 calls are ringing: from 1@x to ann@x, 2@x to ann@x, 3@x to ann@x and 2 more; 'muster "
      "incoming' shows them\n"
      "3 new messages wait in the mailbox of 1@x\n"
      "3 new messages wait in the mailbox of 2@x\n"
      "3 new messages wait in the mailbox of 3@x\n"
      "3 new messages wait in the mailbox of 4@x\n"
      "3 new messages wait in the mailbox of 5@x\n"
      "and more in 2 other mailboxes" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (CliInbox) inbox = { make_rows (cases[i].offers), make_rows (cases[i].mailboxes) };
    g_autoptr (GPtrArray) lines = cli_inbox_lines (&inbox);
    g_autofree char *text = NULL;

    g_ptr_array_add (lines, NULL);
    text = g_strjoinv ("\n", (char **) lines->pdata);
    g_assert_cmpstr (text, ==, cases[i].lines);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/inbox/lines", test_lines);

  return g_test_run ();
}
