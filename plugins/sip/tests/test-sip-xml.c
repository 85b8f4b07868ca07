/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-xml.h"

#include <string.h>

/* Small documents are read with their namespaces, and nothing goes beyond the bounds. */

static MusterSipXml *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  MusterSipXml *xml = muster_sip_xml_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  return xml;
}

/* The tree as one line: {namespace}name(text)[children]. */
static void
draw (const MusterSipElement *element, GString *line)
{
  g_string_append_printf (line, "{%s}%s(%s)", element->ns, element->name, element->text);
  if (element->first_child == NULL)
    return;
  g_string_append_c (line, '[');
  for (const MusterSipElement *each = element->first_child; each != NULL; each = each->next)
    draw (each, line);
  g_string_append_c (line, ']');
}

static const struct {
  const char *document;
  const char *tree;
} trees[] = {
  { "<a/>", "{}a()" },
  { "<?xml version='1.0'?>\r\n<a>x</a>\r\n", "{}a(x)" },
  { "\xef\xbb\xbf<a/>", "{}a()" },
  { "<!-- one --><a><!-- two -->x<?pi pi?>y</a><!-- three -->", "{}a(xy)" },
  { "<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>", "{}a(<&>\"'AB)" },
  { "<a>1<![CDATA[<b>&amp;]]>2</a>", "{}a(1<b>&amp;2)" },
  { "<a>1<b>2</b>3</a>", "{}a(13)[{}b(2)]" },
  { "<a><b><c/></b><d><e/><f/></d></a>", "{}a()[{}b()[{}c()]{}d()[{}e(){}f()]]" },
  { "<a xmlns='n'><b/></a>", "{n}a()[{n}b()]" },
  { "<a xmlns='n'><b xmlns='m'><c/></b><d/></a>", "{n}a()[{m}b()[{m}c()]{n}d()]" },
  { "<a xmlns='n'><b xmlns=''><c/></b></a>", "{n}a()[{}b()[{}c()]]" },
  { "<p:a xmlns:p='n'><b/><p:c/></p:a>", "{n}a()[{}b(){n}c()]" },
  { "<a><p:b xmlns:p='n'><p:c/></p:b><p:d/></a>", "{}a()[{n}b()[{n}c()]{undeclared:}d()]" },
  { "<p:a xmlns:p='n'><p:b xmlns:p='m'/><p:c/></p:a>", "{n}a()[{m}b(){n}c()]" },
  { "<p:a xmlns:p='n'><p:b xmlns:p=''/></p:a>", "{n}a()[{undeclared:}b()]" },
  { "<a xmlns='n' xmlns:p='m'><p:a/><a/></a>", "{n}a()[{m}a(){n}a()]" },
  { "<a>caf\xe9</a>", "{}a(caf\xef\xbf\xbd)" },
};

static void
test_trees (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (trees); i++) {
    g_autoptr (MusterSipXml) xml = parse (trees[i].document);
    g_autoptr (GString) line = g_string_new (NULL);

    draw (muster_sip_xml_get_root (xml), line);
    g_assert_cmpstr (line->str, ==, trees[i].tree);
  }
}

static void
test_finding (void)
{
  g_autoptr (MusterSipXml) xml = parse ("<a xmlns='n' xmlns:p='m' one='1' p:two='2' three='&lt;3'>"
                                        "<b x='1'/><p:b x='2'/><c/><b x='3'/></a>");
  const MusterSipElement *root = muster_sip_xml_get_root (xml);
  const MusterSipElement *b = muster_sip_element_child (root, "n", "b");

  g_assert_cmpstr (muster_sip_element_attribute (root, "one"), ==, "1");
  g_assert_cmpstr (muster_sip_element_attribute (root, "three"), ==, "<3");
  g_assert_null (muster_sip_element_attribute (root, "two"));
  g_assert_null (muster_sip_element_attribute (root, "xmlns"));
  g_assert_cmpstr (muster_sip_element_attribute (b, "x"), ==, "1");
  b = muster_sip_element_again (b);
  g_assert_cmpstr (muster_sip_element_attribute (b, "x"), ==, "3");
  g_assert_null (muster_sip_element_again (b));
  g_assert_null (muster_sip_element_child (root, "n", "d"));
  g_assert_null (muster_sip_element_child (NULL, "n", "b"));
}

static const struct {
  const char *document;
  const char *problem;
} refused[] = {
  { "", "not well-formed" },
  { " \r\n", "not well-formed" },
  { "<!-- nothing -->", "is empty" },
  { "presence", "not well-formed" },
  { "<a>", "not well-formed" },
  { "<a><b></a></b>", "not well-formed" },
  { "<a b=1/>", "not well-formed" },
  { "<a", "not well-formed" },
  { "<a>&amp</a>", "not well-formed" },
  { "<a>&nbsp;</a>", "not well-formed" },
  { "<a>&#0;</a>", "not well-formed" },
  { "<a/><b/>", "goes on behind its end" },
  { "<!DOCTYPE a><a/>", "a document type" },
  { "<!DOCTYPE a SYSTEM 'http://192.0.2.1/a.dtd'><a/>", "a document type" },
  { "<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><a>&y;</a>", "a document type" },
  { "<!ENTITY x 'xx'><a/>", "not well-formed" },
  { "<a><!DOCTYPE b><b/></a>", "a document type" },
};

static void
assert_refused (const char *bytes, gsize n_bytes, const char *problem)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (muster_sip_xml_parse (bytes, n_bytes, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  g_assert_nonnull (strstr (error->message, problem));
  g_assert_true (g_str_is_ascii (error->message));
}

static void
test_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    assert_refused (refused[i].document, strlen (refused[i].document), refused[i].problem);
  assert_refused ("<a>\0</a>", 8, "a zero byte");
  assert_refused ("\xff\xfe<\0a\0/\0>\0", 10, "a zero byte"); /* UTF-16 */
}

/* Wherever a document is cut off it is refused, and nothing is read beyond. */
static void
test_truncated (void)
{
  static const char document[] = "<?xml version='1.0'?><p:a xmlns:p='n' b='&lt;'><!-- c -->"
                                 "<p:d>e&#65;<![CDATA[f]]></p:d></p:a>";

  for (gsize n = 0; n < sizeof document - 1; n++) {
    g_autofree char *bytes = g_memdup2 (document, n);
    g_autoptr (GError) error = NULL;

    g_assert_null (muster_sip_xml_parse (bytes, n, &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  }
}

/* What stands in the document does not come back in an error. */
static void
test_error_quotes_nothing (void)
{
  const char *document = "<a>\r\n<password>hunter2</passwort></a>";
  g_autoptr (GError) error = NULL;

  g_assert_null (muster_sip_xml_parse (document, strlen (document), &error));
  g_assert_cmpstr (error->message, ==, "the document is not well-formed XML at its line 2");
}

static void
append_times (GString *text, const char *piece, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append (text, piece);
}

/* @head, @n times @piece, @tail: taken with the most there may be, refused with one more. */
static void
assert_limit (const char *head,
              const char *piece,
              guint n,
              const char *middle,
              const char *back,
              const char *tail,
              const char *problem)
{
  for (guint more = 0; more <= 1; more++) {
    g_autoptr (GString) text = g_string_new (head);

    append_times (text, piece, n + more);
    g_string_append (text, middle);
    append_times (text, back, n + more);
    g_string_append (text, tail);
    if (more > 0) {
      assert_refused (text->str, text->len, problem);
    } else {
      g_autoptr (MusterSipXml) xml = parse (text->str);

      g_assert_nonnull (xml);
    }
  }
}

static void
test_limits (void)
{
  const guint n_bytes = MUSTER_SIP_XML_MAX_BYTES - (guint) strlen ("<a></a>");

  assert_limit ("", "<a>", MUSTER_SIP_XML_MAX_DEPTH, "", "</a>", "", "nested deeper than 16");
  assert_limit ("<a>", "<b/>", MUSTER_SIP_XML_MAX_ELEMENTS - 1, "", "", "</a>",
                "more than 1000 elements");
  assert_limit ("<a", " b=''", MUSTER_SIP_XML_MAX_ATTRIBUTES, "/>", "", "",
                "more than 32 attributes");
  assert_limit ("<a>", "x", n_bytes, "", "", "</a>", "larger than 64 kB");
}

/* The most declarations in the most elements that fit: each name is still looked up at once. */
static void
test_many_declarations (void)
{
  g_autoptr (GString) text = g_string_new ("<a>");
  g_autoptr (MusterSipXml) xml = NULL;

  for (guint depth = 0; depth < 14; depth++) {
    g_string_append (text, "<a");
    for (guint i = 0; i < MUSTER_SIP_XML_MAX_ATTRIBUTES; i++)
      g_string_append_printf (text, " xmlns:p%u_%u='n'", depth, i);
    g_string_append_c (text, '>');
  }
  append_times (text, "<p0_0:b/>", 900);
  append_times (text, "</a>", 15);
  xml = parse (text->str);
  g_assert_cmpstr (muster_sip_xml_get_root (xml)->name, ==, "a");
}

static void
test_texts (void)
{
  static const struct {
    const char *text;
    const char *printable;
    const char *address;
  } rows[] = {
    { "", NULL, NULL },
    { " \r\n\t", NULL, NULL },
    { " sip:a@b \r\n", "sip:a@b", "sip:a@b" },
    { "on\r\n   the\tphone", "on the phone", NULL },
    { "a\x01"
      "b",
      "a b", NULL },
    { "<sip:a@b>", "<sip:a@b>", NULL },
    { "sip:a\"@b", "sip:a\"@b", NULL },
    { "sip:\xc3\xa9@b", "sip:\xc3\xa9@b", "sip:\xc3\xa9@b" },
    { "\xe2\x80\xaex", "x", "\xe2\x80\xaex" }, /* a mark that turns the direction of writing */
  };
  g_autofree char *long_text = g_strnfill (600, 'x');
  g_autofree char *cut = muster_sip_xml_dup_printable (long_text, 100);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *printable = muster_sip_xml_dup_printable (rows[i].text, 100);
    g_autofree char *address = muster_sip_xml_dup_address (rows[i].text);

    g_assert_cmpstr (printable, ==, rows[i].printable);
    g_assert_cmpstr (address, ==, rows[i].address);
  }
  g_assert_cmpuint (strlen (cut), <=, 100);
  g_assert_null (muster_sip_xml_dup_address (long_text));
}

static void
test_numbers (void)
{
  static const struct {
    const char *text;
    gint64 number; /* -1: none */
  } rows[] = {
    { NULL, -1 },         { "", -1 },   { "0", 0 },   { " 7 ", 7 },  { "4294967295", G_MAXUINT32 },
    { "4294967296", -1 }, { "-1", -1 }, { "+1", -1 }, { "0x1", -1 }, { "1 2", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    guint32 number = 0;
    gboolean found = muster_sip_xml_parse_uint32 (rows[i].text, &number);

    g_assert_cmpint (found ? (gint64) number : -1, ==, rows[i].number);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sip/xml/trees", test_trees);
  g_test_add_func ("/sip/xml/finding", test_finding);
  g_test_add_func ("/sip/xml/refused", test_refused);
  g_test_add_func ("/sip/xml/truncated", test_truncated);
  g_test_add_func ("/sip/xml/error-quotes-nothing", test_error_quotes_nothing);
  g_test_add_func ("/sip/xml/limits", test_limits);
  g_test_add_func ("/sip/xml/many-declarations", test_many_declarations);
  g_test_add_func ("/sip/xml/texts", test_texts);
  g_test_add_func ("/sip/xml/numbers", test_numbers);

  return g_test_run ();
}
