/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "cli-event.h"
#include "cli-field.h"
#include "cli-json.h"
#include "cli-table.h"
#include "cli-text.h"
#include "muster-names.h"

#include <string.h>

#define NOW_US (G_GINT64_CONSTANT (1751700000000000))

static const struct {
  const CliField *fields;
  const char *const interfaces[4];
} tables[] = {
  { cli_account_fields, { "Account", "Registration", "Mailbox" } },
  { cli_identity_fields, { "Identity" } },
  { cli_presence_fields, { "Presence" } },
  { cli_publication_fields, { "Publication" } },
  { cli_protocol_fields, { "Protocol" } },
  { cli_plugin_fields, { "Plugin" } },
  { cli_request_fields, { "Request" } },
  { cli_incoming_fields, { "Incoming" } },
  { cli_manager_fields, { "Manager" } },
  { cli_contact_fields, { NULL } },
};

static GDBusNodeInfo *
load_specification (const char *interface)
{
  g_autofree char *file = g_strdup_printf (MUSTER_INTERFACE_PREFIX "%s.xml", interface);
  g_autofree char *path = g_build_filename (g_getenv ("MUSTER_SOURCE_ROOT"), "data", "dbus", file,
                                            NULL);
  g_autofree char *xml = NULL;
  g_autoptr (GError) error = NULL;
  GDBusNodeInfo *node;

  g_file_get_contents (path, &xml, NULL, &error);
  g_assert_no_error (error);
  node = g_dbus_node_info_new_for_xml (xml, &error);
  g_assert_no_error (error);

  return node;
}

static const CliField *
find_field (const CliField *fields, const char *interface, const char *property)
{
  g_autofree char *name = g_strdup_printf ("%s.%s", interface, property);

  for (; fields->key != NULL; fields++)
    if (g_str_equal (fields->field, name))
      return fields;

  return NULL;
}

/* Every property of the specification can be shown, and as what it is. */
static void
test_specification (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    for (const char *const *interface = tables[i].interfaces; *interface != NULL; interface++) {
      g_autoptr (GDBusNodeInfo) node = load_specification (*interface);

      g_assert_nonnull (node->interfaces[0]->properties);
      for (GDBusPropertyInfo **property = node->interfaces[0]->properties; *property != NULL;
           property++) {
        const CliField *field = find_field (tables[i].fields, *interface, (*property)->name);

        g_assert_nonnull (field);
        g_assert_cmpstr (field->type, ==, (*property)->signature);
      }
    }
  }
}

static void
test_keys_are_unique_and_kebab_case (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

    for (const CliField *field = tables[i].fields; field->key != NULL; field++) {
      g_assert_true (g_hash_table_add (seen, (gpointer) field->key));
      g_assert_cmpuint (strspn (field->key, "abcdefghijklmnopqrstuvwxyz-"), ==,
                        strlen (field->key));
      g_assert_cmpuint (strlen (field->label), >, 0);
    }
  }
}

/* The page has a row for each type or few, which begins "| `account.added`, ... |". */
static void
test_event_types (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("MUSTER_SOURCE_ROOT"), "doc", "events.md",
                                            NULL);
  g_autofree char *page = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  guint n_types = 0;

  g_file_get_contents (path, &page, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (page, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto (GStrv) cells = g_strsplit (*line, "|", 3);
    g_auto (GStrv) words = g_strsplit_set (g_strv_length (cells) > 1 ? cells[1] : "", "`, ", -1);

    for (char **word = words; *word != NULL; word++) {
      if (strchr (*word, '.') == NULL)
        continue;
      g_assert_true (g_strv_contains (cli_event_types, *word));
      n_types++;
    }
  }
  g_assert_cmpuint (n_types, ==, g_strv_length ((char **) cli_event_types));
}

static CliRow *
make_row (const char *text)
{
  g_autoptr (GVariant) values = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
  CliRow *row = cli_row_new ();

  g_assert_nonnull (values);
  cli_row_merge (row, NULL, values);

  return row;
}

/* One way of showing each: JSON, a line, a cell. */
static void
test_show (void)
{
  static const struct {
    CliShow show;
    const char *value, *json, *line, *cell;
  } cases[] = {
    { CLI_SHOW_TEXT, "''", "\"\"", "", "" },
    { CLI_SHOW_TEXT, "'a\\u001b'", "\"a\\u001b\"", "a\\x1b", "a\\x1b" },
    { CLI_SHOW_WORD, "''", "null", "", "" },
    { CLI_SHOW_WORD, "'busy'", "\"busy\"", "busy", "busy" },
    { CLI_SHOW_STATE, "'failed'", "\"failed\"", "failed", "failed" },
    { CLI_SHOW_PROOF, "'proven'", "\"proven\"", "proven", "proven" },
    { CLI_SHOW_PROOF, "''", "null", "", "" },
    { CLI_SHOW_ERROR, "'org.muster.Muster1.Error.NeedsUser'", "\"needs-user\"", "needs-user",
      "needs-user" },
    { CLI_SHOW_ERROR, "''", "null", "", "" },
    { CLI_SHOW_ERROR, "'com.example.Odd'", "\"com.example.Odd\"", "com.example.Odd",
      "com.example.Odd" },
    { CLI_SHOW_OBJECT, "objectpath '/org/muster/Muster1/Identity/abc'", "\"abc\"", "abc", "abc" },
    { CLI_SHOW_OBJECT, "objectpath '/'", "null", "", "" },
    { CLI_SHOW_NUMBER, "uint32 3", "3", "3", "3" },
    { CLI_SHOW_BOOLEAN, "false", "false", "no", "no" },
    { CLI_SHOW_TIME, "uint64 0", "null", "", "" },
    { CLI_SHOW_TIME, "uint64 1751700012000000", "\"2025-07-05T07:20:12.000000Z\"",
      "2025-07-05 07:20:12 (in 12 s)", "in 12 s" },
    { CLI_SHOW_LIST, "@as []", "[]", "", "" },
    { CLI_SHOW_LIST, "['a', 'b']", "[\"a\",\"b\"]", "a, b", "a, b" },
    { CLI_SHOW_VALUES, "@a{sv} {}", "{}", "", "" },
    { CLI_SHOW_VALUES, "{'port': <uint32 1>, 'tls': <true>, 'at': <'x\\ny'>}",
      "{\"port\":1,\"tls\":true,\"at\":\"x\\ny\"}", "port=1, tls=yes, at=x\\ny",
      "port=1, tls=yes, at=x\\ny" },
    { CLI_SHOW_VALUES, "{'time': <uint64 1751699940000000>}",
      "{\"time\":\"2025-07-05T07:19:00.000000Z\"}", "time=1 min 00 s ago", "time=1 min 00 s ago" },
    { CLI_SHOW_VALUES, "{'opened': uint64 7}", "{\"opened\":7}", "opened=7", "opened=7" },
    { CLI_SHOW_TYPE, "'u'", "\"number\"", "number", "number" },
    { CLI_SHOW_VALUE, "uint32 5060", "5060", "5060", "5060" },
    /* Not what was promised: shown as what it is */
    { CLI_SHOW_TIME, "'soon'", "\"soon\"", "soon", "soon" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    CliField field = { "key", "label", "Field", "", cases[i].show };
    g_autofree char *text = g_strdup_printf ("{'Field': <%s>}", cases[i].value);
    g_autoptr (GHashTable) row = make_row (text);
    g_autoptr (JsonNode) node = cli_field_to_json (&field, row);
    g_autofree char *json = cli_json_to_text (node, FALSE);
    g_autofree char *line = cli_field_to_text (&field, row, NOW_US, FALSE);
    g_autofree char *cell = cli_field_to_text (&field, row, NOW_US, TRUE);

    g_assert_cmpstr (json, ==, cases[i].json);
    g_assert_cmpstr (line, ==, cases[i].line);
    g_assert_cmpstr (cell, ==, cases[i].cell);
  }
}

/* A daemon that is older has fewer properties. */
static void
test_missing (void)
{
  g_autoptr (GHashTable) row = cli_row_new ();

  for (const CliField *field = cli_account_fields; field->key != NULL; field++) {
    g_autoptr (JsonNode) node = cli_field_to_json (field, row);
    g_autofree char *text = cli_field_to_text (field, row, NOW_US, FALSE);

    g_assert_true (JSON_NODE_HOLDS_NULL (node));
    g_assert_cmpstr (text, ==, "");
  }
}

static void
test_every_state_has_a_colour (void)
{
  for (const char *const *state = cli_states; *state != NULL; state++)
    g_assert_nonnull (cli_state_colour (*state));
  g_assert_null (cli_state_colour ("nonsense"));
}

/* Green only what is not known to be unreachable. */
static void
test_colours (void)
{
  static const struct {
    const char *state, *proof, *state_colour, *proof_colour;
  } cases[] = {
    { "registered", "", "\033[32m", "\033[2m" },
    { "registered", "proven", "\033[32m", "\033[32m" },
    { "registered", "unsupported", "\033[32m", "\033[2m" },
    { "registered", "failed", "\033[31m", "\033[31m" },
    { "refreshing", "failed", "\033[31m", "\033[31m" },
    { "disabled", "", "\033[2m", "\033[2m" },
    { "registering", "", "\033[33m", "\033[2m" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("{'Registration.State': <'%s'>,"
                                             " 'Registration.Verification': <'%s'>}",
                                             cases[i].state, cases[i].proof);
    g_autoptr (GHashTable) row = make_row (text);

    for (const CliField *field = cli_account_fields; field->key != NULL; field++)
      g_assert_cmpstr (cli_field_colour (field, row), ==,
                       g_str_equal (field->key, "state")          ? cases[i].state_colour
                       : g_str_equal (field->key, "verification") ? cases[i].proof_colour
                                                                  : NULL);
  }
}

static void
test_merge_says_whether_it_changed (void)
{
  g_autoptr (GHashTable) row = make_row ("{'Registration.State': <'failed'>}");
  g_autoptr (GVariant) same = g_variant_ref_sink (g_variant_new_parsed ("{'State': <'failed'>}"));
  g_autoptr (GVariant) other = g_variant_ref_sink (
    g_variant_new_parsed ("{'State': <'failed'>, 'Attempt': <uint32 1>}"));

  g_assert_false (cli_row_merge (row, "Registration", same));
  g_assert_true (cli_row_merge (row, "Registration", other));
  g_assert_cmpuint (cli_row_get_number (row, "Registration.Attempt"), ==, 1);
}

static void
test_table (void)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_autoptr (GPtrArray) lines = NULL;
  g_autoptr (GPtrArray) narrow = NULL;
  g_autoptr (GPtrArray) coloured = NULL;

  g_ptr_array_add (rows, make_row ("{'Identity.Id': <'a1'>, 'Identity.Name': <'李雷'>,"
                                   " 'Identity.Accounts': <uint32 12>}"));
  g_ptr_array_add (rows, make_row ("{'Identity.Id': <'a22'>, 'Identity.Name': <'Bo'>,"
                                   " 'Identity.Accounts': <uint32 3>}"));

  lines = cli_table_lines (cli_identity_fields, rows, NOW_US, 0, FALSE);
  g_assert_cmpuint (lines->len, ==, 3);
  g_assert_cmpstr (g_ptr_array_index (lines, 0), ==, "ID   NAME  ACCOUNTS");
  g_assert_cmpstr (g_ptr_array_index (lines, 1), ==, "a1   李雷  12");
  g_assert_cmpstr (g_ptr_array_index (lines, 2), ==, "a22  Bo    3");

  narrow = cli_table_lines (cli_identity_fields, rows, NOW_US, 14, FALSE);
  g_assert_cmpstr (g_ptr_array_index (narrow, 0), ==, "ID   NAME");
  g_assert_cmpstr (g_ptr_array_index (narrow, 1), ==, "a1   李雷");

  coloured = cli_table_lines (cli_identity_fields, rows, NOW_US, 0, TRUE);
  g_assert_true (g_str_has_prefix (g_ptr_array_index (coloured, 0), "\033[1mID\033[0m   "));
}

/* Who gives way first, and how: times and numbers go, words are cut, sentences get further lines. */
static void
test_fit (void)
{
  static const CliField fields[] = {
    { "id", "id", "I", "s", CLI_SHOW_TEXT, 3 },
    { "who", "who", "W", "s", CLI_SHOW_TEXT, 1 },
    { "when", "when", "T", "t", CLI_SHOW_TIME, 4 },
    { "text", "text", "X", "s", CLI_SHOW_WORD, 2 },
    { "why", "why", "Y", "s", CLI_SHOW_WORD, 1, TRUE },
  };
  static const struct {
    guint wanted[5], max_width, widths[5];
  } cases[] = {
    { { 13, 20, 14, 20, 0 }, 73, { 13, 20, 14, 20, 0 } },
    { { 13, 20, 14, 20, 0 }, 72, { 13, 20, 0, 20, 0 } },
    { { 13, 20, 14, 20, 0 }, 52, { 8, 20, 0, 20, 0 } },
    { { 13, 20, 14, 20, 0 }, 51, { 0, 20, 0, 20, 0 } },
    { { 13, 20, 14, 20, 0 }, 30, { 0, 20, 0, 8, 0 } },
    { { 13, 20, 14, 20, 0 }, 29, { 0, 20, 0, 0, 0 } },
    { { 13, 20, 14, 20, 0 }, 12, { 0, 12, 0, 0, 0 } },
    { { 13, 20, 14, 20, 0 }, 5, { 0, 8, 0, 0, 0 } },
    { { 0, 20, 0, 0, 60 }, 82, { 0, 20, 0, 0, 60 } },
    { { 0, 20, 0, 0, 60 }, 72, { 0, 20, 0, 0, 50 } },
    { { 13, 20, 14, 0, 60 }, 82, { 13, 20, 14, 0, 29 } },
    { { 13, 20, 14, 0, 60 }, 80, { 13, 20, 0, 0, 43 } },
    { { 0, 20, 0, 0, 60 }, 40, { 0, 19, 0, 0, 19 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray) columns = g_ptr_array_new ();
    g_autoptr (GArray) widths = g_array_new (FALSE, FALSE, sizeof (guint));

    for (gsize j = 0; j < G_N_ELEMENTS (fields); j++)
      g_ptr_array_add (columns, (gpointer) &fields[j]);
    g_array_append_vals (widths, cases[i].wanted, 5);
    cli_table_fit (columns, widths, cases[i].max_width);
    g_assert_cmpmem (widths->data, widths->len * sizeof (guint), cases[i].widths,
                     sizeof cases[i].widths);
  }
}

/* Whatever stands in them and however narrow it is. */
static void
test_no_line_is_too_wide (void)
{
  static const char *const texts[] = { "", "a", "李雷李雷李雷李雷", "e\u0301e\u0301e\u0301",
                                       "sip:somebody@some.where.example;transport=tcp" };

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    g_autoptr (GPtrArray)
      rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);

    for (gsize j = 0; j < G_N_ELEMENTS (texts); j++) {
      CliRow *row = cli_row_new ();

      for (const CliField *field = tables[i].fields; field->key != NULL; field++)
        cli_row_take (row, field->field, g_variant_new_string (texts[j]));
      g_ptr_array_add (rows, row);
    }
    for (guint width = 1; width < 300; width++) {
      g_autoptr (GPtrArray) lines = cli_table_lines (tables[i].fields, rows, NOW_US, width, FALSE);

      for (guint j = 0; j < lines->len; j++)
        g_assert_cmpuint (cli_text_width (g_ptr_array_index (lines, j)), <=, width);
    }
  }
}

/* Some column must stay whatever the terminal, and sentences, too. */
static void
test_every_table_has_what_stays (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    guint n_columns = 0, n_kept = 0;

    for (const CliField *field = tables[i].fields; field->key != NULL; field++) {
      n_columns += field->column > 0;
      n_kept += field->column == 1 && !field->wraps;
      g_assert_false (field->wraps && field->column != 1);
    }
    g_assert_true (n_columns == 0 || n_kept > 0);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/field/specification", test_specification);
  g_test_add_func ("/cli/event/types", test_event_types);
  g_test_add_func ("/cli/field/keys", test_keys_are_unique_and_kebab_case);
  g_test_add_func ("/cli/field/show", test_show);
  g_test_add_func ("/cli/field/missing", test_missing);
  g_test_add_func ("/cli/field/colours", test_every_state_has_a_colour);
  g_test_add_func ("/cli/field/colours-of-proofs", test_colours);
  g_test_add_func ("/cli/row/merge", test_merge_says_whether_it_changed);
  g_test_add_func ("/cli/table/lines", test_table);
  g_test_add_func ("/cli/table/fit", test_fit);
  g_test_add_func ("/cli/table/width", test_no_line_is_too_wide);
  g_test_add_func ("/cli/table/ranks", test_every_table_has_what_stays);

  return g_test_run ();
}
