/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "cli-json.h"

/* Each type as the bus sends it, and what the reader of the JSON gets. */
static void
test_types (void)
{
  static const struct {
    const char *variant, *key, *json;
  } cases[] = {
    { "true", NULL, "true" },
    { "uint32 7", NULL, "7" },
    { "int64 -7", NULL, "-7" },
    { "uint16 7", NULL, "7" },
    { "int16 -7", NULL, "-7" },
    { "int32 -7", NULL, "-7" },
    { "handle 3", NULL, "3" },
    { "byte 0x07", NULL, "7" },
    { "1.5", NULL, "1.5" },
    { "uint64 1751700000000000", "count", "1751700000000000" },
    { "uint64 1751700000000000", "time", "\"2025-07-05T07:20:00.000000Z\"" },
    { "uint64 1751700000000000", "expires-at", "\"2025-07-05T07:20:00.000000Z\"" },
    { "uint64 0", "expires-at", "null" },
    { "uint32 5", "expires-at", "5" },
    { "'a\"b'", NULL, "\"a\\\"b\"" },
    { "objectpath '/a'", NULL, "\"/a\"" },
    { "signature 's'", NULL, "\"s\"" },
    { "<<uint32 1>>", NULL, "1" },
    { "['a', 'b']", NULL, "[\"a\",\"b\"]" },
    { "@as []", NULL, "[]" },
    { "{'n': <uint32 1>, 'b': <false>}", NULL, "{\"n\":1,\"b\":false}" },
    { "@a{sv} {}", NULL, "{}" },
    { "{'since': <uint64 1751700000000000>}", NULL, "{\"since\":\"2025-07-05T07:20:00.000000Z\"}" },
    { "[{'a': <1>}]", NULL, "[{\"a\":1}]" },
    { "('a', true)", NULL, "[\"a\",true]" },
    { "{uint32 1: 'a'}", NULL, "[[1,\"a\"]]" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GVariant) value = g_variant_parse (NULL, cases[i].variant, NULL, NULL, NULL);
    g_autoptr (JsonNode) node = NULL;
    g_autofree char *json = NULL;

    g_assert_nonnull (value);
    node = cli_json_from_variant (value, cases[i].key);
    json = cli_json_to_text (node, FALSE);
    g_assert_cmpstr (json, ==, cases[i].json);
  }
}

/* What a terminal would act on is written as an escape, and reads back the same. */
static void
test_control_characters (void)
{
  const char *text = "a\033\037\001\xc2\x9b\xe2\x80\xae\xf0\x9d\x85\xb3 \x7f é";
  g_autoptr (JsonNode) node = cli_json_string (text);
  g_autofree char *json = cli_json_to_text (node, FALSE);
  g_autoptr (JsonNode) back = json_from_string (json, NULL);

  g_assert_cmpstr (json, ==, "\"a\\u001b\\u001f\\u0001\\u009b\\u202e\\ud834\\udd73 \\u007f é\"");
  g_assert_cmpstr (json_node_get_string (back), ==, text);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/json/types", test_types);
  g_test_add_func ("/cli/json/control-characters", test_control_characters);

  return g_test_run ();
}
