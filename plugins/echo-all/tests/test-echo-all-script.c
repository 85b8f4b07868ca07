/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "muster-echo-all-log.h"
#include "muster-echo-all-script.h"

#include <string.h>

/* What commands are taken apart into, and how they are refused; and what the log makes of a line. */

typedef struct {
  const char *line;
  const char *parsed; /* see dup_parsed() */
  const char *refused;
} Case;

static const Case cases[] = {
  { "call 1 bob@x", "0 id=1 address=bob@x" },
  { "call 1 bob@x Bob the Builder", "0 id=1 address=bob@x text=Bob the Builder" },
  { "  call   1  bob@x   Bob  B \n", "0 id=1 address=bob@x text=Bob  B" },
  { "call 1 anonymous", "0 id=1 address=anonymous" },
  { "call 1", NULL, "it is written: call ID FROM [NAME]" },
  { "call 1 bob@x Bob\nBuilder", NULL, "it is written: call" },
  { "call\n1 bob@x", NULL, "it is written: call" },
  { "message 2 bob@x two\nlines", "1 id=2 address=bob@x text=two\nlines" },
  { "message 2 bob@x", NULL, "it is written: message ID FROM TEXT" },
  { "cancel 1", "2 id=1" },
  { "cancel", NULL, "it is written: cancel ID" },
  { "cancel 1 2", NULL, "it is written: cancel ID" },
  { "elsewhere 1", "3 id=1" },
  { "stale 1", "4 id=1" },
  { "contact bob@x dnd", "5 address=bob@x presence=dnd" },
  { "contact bob@x away at lunch", "5 address=bob@x presence=away text=at lunch" },
  { "contact bob@x asleep", NULL, "it is written: contact ADDRESS PRESENCE [TEXT]" },
  { "ask bob@x", "6 address=bob@x" },
  { "denied bob@x", "7 address=bob@x" },
  { "gone bob@x", "8 address=bob@x" },
  { "waiting 3 4", "9 new=3 old=4" },
  { "waiting 4294967295 0", "9 new=4294967295" },
  { "waiting 4294967296 0", NULL, "it is written: waiting NEW OLD" },
  { "waiting -1 0", NULL, "it is written: waiting" },
  { "waiting 1", NULL, "it is written: waiting" },
  { "lose needs-user", "10 error=needs-user" },
  { "lose patience", NULL, "it is written: lose ERROR" },
  { "log", "11" },
  { "log 1", NULL, "it is written: log" },
  { "device x:1 a phone", "12 address=x:1 text=a phone" },
  { "device", NULL, "it is written: device URI [NAME]" },
  { "", NULL, "there is no command \"\"" },
  { "\n", NULL, "there is no command \"\"" },
  { "Call 1 bob@x", NULL, "there is no command \"Call\"" },
  { "callx 1 bob@x", NULL, "there is no command \"callx\"" },
  { "call 1 bob@x \x1b[2J", NULL, "a command is printable UTF-8" },
  { "call 1 bob@x \xff", NULL, "a command is printable UTF-8" },
};

static char *
dup_parsed (const MusterEchoAllCommand *command)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%u", command->verb);
  if (command->id != NULL)
    g_string_append_printf (text, " id=%s", command->id);
  if (command->address != NULL)
    g_string_append_printf (text, " address=%s", command->address);
  if (command->presence != 0)
    g_string_append_printf (text, " presence=%s", muster_presence_to_string (command->presence));
  if (command->error != 0)
    g_string_append_printf (text, " error=%s", muster_error_code_to_string (command->error));
  if (command->n_new != 0)
    g_string_append_printf (text, " new=%u", command->n_new);
  if (command->n_old != 0)
    g_string_append_printf (text, " old=%u", command->n_old);
  if (command->text != NULL)
    g_string_append_printf (text, " text=%s", command->text);

  return g_string_free (text, FALSE);
}

static void
test_commands (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (MusterEchoAllCommand)
      command = muster_echo_all_command_parse (cases[i].line, &error);
    g_autofree char *parsed = command != NULL ? dup_parsed (command) : NULL;

    g_assert_cmpstr (parsed, ==, cases[i].parsed);
    if (command != NULL)
      continue;
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_INVALID);
    g_assert_true (g_str_has_prefix (error->message, cases[i].refused));
  }
}

static void
test_long_words (void)
{
  g_autofree char *fits = g_strdup_printf ("cancel %0255d", 1);
  g_autofree char *does_not = g_strdup_printf ("cancel %0256d", 1);
  g_autoptr (MusterEchoAllCommand) command = muster_echo_all_command_parse (fits, NULL);

  g_assert_nonnull (command);
  g_assert_null (muster_echo_all_command_parse (does_not, NULL));
}

static void
test_log (void)
{
  g_autoptr (GString) log = g_string_new (NULL);

  muster_echo_all_log_add (log, "verify", NULL);
  muster_echo_all_log_add (log, "publish dnd", "say \"no\"\nor \\ \x1b");
  muster_echo_all_log_add (log, "add a\nverify", "");
  g_assert_cmpstr (log->str, ==,
                   "verify\npublish dnd \"say \\\"no\\\"\\nor \\\\ ?\"\nadd a\\nverify \"\"\n");
}

static void
test_log_is_bounded (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autofree char *text = g_strnfill (1000, 'x');
  g_autofree char *huge = g_strnfill (2 * MUSTER_ECHO_ALL_LOG_MAX_BYTES, 'x');

  muster_echo_all_log_add (log, "first", NULL);
  for (guint i = 0; i < 100; i++)
    muster_echo_all_log_add (log, "publish", text);
  muster_echo_all_log_add (log, "last", NULL);
  g_assert_cmpuint (log->len, <=, MUSTER_ECHO_ALL_LOG_MAX_BYTES);
  g_assert_cmpuint (log->len, >, MUSTER_ECHO_ALL_LOG_MAX_BYTES - 2000);
  g_assert_true (g_str_has_prefix (log->str, "publish \"xxx"));
  g_assert_true (g_str_has_suffix (log->str, "x\"\nlast\n"));

  muster_echo_all_log_add (log, huge, NULL);
  g_assert_cmpuint (log->len, ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/echo-all/script/commands", test_commands);
  g_test_add_func ("/echo-all/script/long-words", test_long_words);
  g_test_add_func ("/echo-all/log/lines", test_log);
  g_test_add_func ("/echo-all/log/bounded", test_log_is_bounded);

  return g_test_run ();
}
