/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "cli-error.h"
#include "cli-text.h"
#include "muster-names.h"

static void
test_escape (void)
{
  static const struct {
    const char *text, *safe;
  } cases[] = {
    { "", "" },
    { "Zoë 李 🙂", "Zoë 李 🙂" },
    { "a\033[2Jb", "a\\x1b[2Jb" },
    { "a\r\nb\tc", "a\\x0d\\nb\\tc" },
    { "\x7f", "\\x7f" },
    { "\xc2\x9b"
      "31m",
      "\\u{9b}31m" }, /* a CSI of one character */
    { "a\xe2\x80\xae"
      "b",
      "a\\u{202e}b" }, /* right-to-left override */
    { "a\xe2\x80\xa8"
      "b",
      "a\\u{2028}b" },                                          /* line separator */
    { "\xe0\xa4\x95\xe2\x80\x8d", "\xe0\xa4\x95\xe2\x80\x8d" }, /* a joiner that names need */
    { "back\\slash", "back\\slash" },
    { "\xff", "\xef\xbf\xbd" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *safe = cli_text_escape (cases[i].text);

    g_assert_cmpstr (safe, ==, cases[i].safe);
  }
}

/* Whatever comes in, nothing that moves a cursor comes out. */
static void
test_escape_leaves_nothing_unsafe (void)
{
  g_autoptr (GString) all = g_string_new (NULL);
  g_autofree char *safe = NULL;

  for (gunichar c = 1; c <= 0x10ffff; c++)
    if (g_unichar_validate (c))
      g_string_append_unichar (all, c);

  safe = cli_text_escape (all->str);
  for (const char *p = safe; *p != '\0'; p = g_utf8_next_char (p))
    g_assert_false (cli_text_is_unsafe (g_utf8_get_char (p)));
  g_assert_true (cli_text_is_unsafe (0x1b));
}

static void
test_shorten (void)
{
  static const struct {
    const char *text;
    guint width;
    const char *cut;
  } cases[] = {
    { "abc", 3, "abc" }, { "abcd", 3, "ab…" }, { "李李李", 4, "李…" },
    { "abc", 1, "…" },   { "abc", 0, "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *cut = cli_text_shorten (cases[i].text, cases[i].width);

    g_assert_cmpstr (cut, ==, cases[i].cut);
    g_assert_cmpuint (cli_text_width (cut), <=, cases[i].width);
  }
}

static void
test_wrap (void)
{
  static const struct {
    const char *text;
    guint width;
    const char *lines;
  } cases[] = {
    { "", 5, "" },
    { "abc", 3, "abc" },
    { "ab cd ef", 5, "ab cd|ef" },
    { "ab cd  ef", 6, "ab cd|ef" },
    { "abcdefg hi", 3, "abc|def|g|hi" },
    { "李李 李", 4, "李李|李" },
    { "李李李", 3, "李|李|李" },
    { "李", 1, "李" }, /* what cannot be narrower */
    { "e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301|e\u0301" },
    { "no end of it ", G_MAXUINT, "no end of it" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray) lines = cli_text_wrap (cases[i].text, cases[i].width);
    g_autofree char *text = NULL;

    g_ptr_array_add (lines, NULL);
    text = g_strjoinv ("|", (char **) lines->pdata);
    g_assert_cmpstr (text, ==, cases[i].lines);
  }
}

static void
test_duration (void)
{
  static const struct {
    gint64 s;
    const char *text;
  } cases[] = {
    { -5, "0 s" },
    { 0, "0 s" },
    { 59, "59 s" },
    { 60, "1 min 00 s" },
    { 3599, "59 min 59 s" },
    { 3600, "1 h 00 min" },
    { 86399, "23 h 59 min" },
    { 86400, "1 d 00 h" },
    { 40 * 86400 + 7200, "40 d 02 h" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = cli_text_duration (cases[i].s * G_USEC_PER_SEC);

    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

static void
test_relative (void)
{
  g_autofree char *before = cli_text_relative (100 * G_USEC_PER_SEC, 112 * G_USEC_PER_SEC);
  g_autofree char *after = cli_text_relative (172 * G_USEC_PER_SEC, 100 * G_USEC_PER_SEC);
  g_autofree char *now = cli_text_relative (100 * G_USEC_PER_SEC + 5, 100 * G_USEC_PER_SEC);

  g_assert_cmpstr (before, ==, "12 s ago");
  g_assert_cmpstr (after, ==, "in 1 min 12 s");
  g_assert_cmpstr (now, ==, "now");
}

static void
test_time (void)
{
  g_autofree char *utc = cli_text_time_utc (G_GUINT64_CONSTANT (1751700000000007));
  g_autofree char *local = cli_text_time_local (G_GUINT64_CONSTANT (1751700000000007));
  g_autofree char *last = cli_text_time_utc (G_GUINT64_CONSTANT (253402300799999999));

  g_assert_cmpstr (utc, ==, "2025-07-05T07:20:00.000007Z");
  g_assert_cmpstr (local, ==, "2025-07-05 07:20:00");
  g_assert_cmpstr (last, ==, "9999-12-31T23:59:59.999999Z");
  g_assert_null (cli_text_time_utc (0));
  g_assert_null (cli_text_time_utc (G_MAXUINT64));
  g_assert_null (cli_text_time_local (0));
}

static void
test_nearest (void)
{
  static const char *const names[] = { "port", "server", "transport", "verify", NULL };

  g_assert_cmpstr (cli_text_nearest ("prot", names), ==, "port");
  g_assert_cmpstr (cli_text_nearest ("sever", names), ==, "server");
  g_assert_cmpstr (cli_text_nearest ("transprot", names), ==, "transport");
  g_assert_cmpstr (cli_text_nearest ("port", names), ==, "port");
  g_assert_null (cli_text_nearest ("x", names));
  g_assert_null (cli_text_nearest ("", names));
  g_assert_null (cli_text_nearest ("something else", names));
  g_assert_null (
    cli_text_nearest ("0123456789012345678901234567890123456789012345678901234567890123456789",
                      names));
}

static void
test_kebab (void)
{
  g_autofree char *one = cli_text_kebab ("Refused");
  g_autofree char *two = cli_text_kebab ("NeedsUser");

  g_assert_cmpstr (one, ==, "refused");
  g_assert_cmpstr (two, ==, "needs-user");
}

static void
test_seconds (void)
{
  static const char *const wrong[] = { "",    "0",     "-1", "+1",
                                       "1.5", "86401", "5s", "99999999999999999999" };
  g_autoptr (GError) error = NULL;
  guint seconds;

  g_assert_true (cli_text_parse_seconds ("86400", &seconds, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (seconds, ==, 86400);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_assert_false (cli_text_parse_seconds (wrong[i], &seconds, &error));
    g_assert_error (error, CLI_ERROR, CLI_USAGE);
    g_clear_error (&error);
  }
}

static void
test_exit_codes (void)
{
  static const struct {
    const char *name;
    CliExit status;
  } cases[] = {
    { MUSTER_BUS_ERROR_NOT_FOUND, CLI_NOT_FOUND },
    { MUSTER_BUS_ERROR_AMBIGUOUS, CLI_AMBIGUOUS },
    { MUSTER_BUS_ERROR_IN_USE, CLI_REFUSED },
    { MUSTER_BUS_ERROR_INVALID_ARGUMENT, CLI_REFUSED },
    { MUSTER_BUS_ERROR_PREFIX "Invalid", CLI_REFUSED },
    { MUSTER_BUS_ERROR_STORE, CLI_FAILED },
    { MUSTER_BUS_ERROR_PREFIX "SomethingNew", CLI_FAILED },
    { "org.freedesktop.DBus.Error.ServiceUnknown", CLI_NO_DAEMON },
    { "org.freedesktop.DBus.Error.Spawn.ChildExited", CLI_NO_DAEMON },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (cli_error_exit_for_bus_name (cases[i].name), ==, cases[i].status);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/text/escape", test_escape);
  g_test_add_func ("/cli/text/escape-leaves-nothing-unsafe", test_escape_leaves_nothing_unsafe);
  g_test_add_func ("/cli/text/shorten", test_shorten);
  g_test_add_func ("/cli/text/wrap", test_wrap);
  g_test_add_func ("/cli/text/duration", test_duration);
  g_test_add_func ("/cli/text/relative", test_relative);
  g_test_add_func ("/cli/text/time", test_time);
  g_test_add_func ("/cli/text/nearest", test_nearest);
  g_test_add_func ("/cli/text/kebab", test_kebab);
  g_test_add_func ("/cli/text/seconds", test_seconds);
  g_test_add_func ("/cli/error/exit-codes", test_exit_codes);

  return g_test_run ();
}
