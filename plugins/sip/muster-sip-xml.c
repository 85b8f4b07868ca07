/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-xml.h"

#include "muster-sip-message.h"

#include <string.h>

/*
 * Reads the small documents that come in NOTIFY: XML 1.0 with namespaces, whole, inside of fixed bounds.
 * GMarkup does the syntax, this the namespaces and the bounds. Nothing is ever fetched, and there are no
 * entities beyond the five that XML has of itself: a document type is refused.
 *
 * An element whose prefix was never declared gets a namespace that nobody asks for.
 */

#define XMLNS_UNDECLARED "undeclared:"

typedef struct {
  const char *prefix; /* "": the default namespace */
  const char *ns;
  guint depth; /* of the element that declares it */
} Binding;

struct _MusterSipXml {
  GStringChunk *strings; /* all texts of the document */
  GPtrArray *elements;   /* (element-type MusterSipElement): the first is the root */
};

typedef struct {
  MusterSipXml *xml;
  GArray *bindings; /* of Binding: the last of a prefix holds */
  guint depth;      /* elements that are open; of each: */
  MusterSipElement *open[MUSTER_SIP_XML_MAX_DEPTH];
  MusterSipElement *last_child[MUSTER_SIP_XML_MAX_DEPTH]; /* nullable */
  GString *texts[MUSTER_SIP_XML_MAX_DEPTH];
} Reader;

static void
element_free (MusterSipElement *self)
{
  g_free (self->attributes);
  g_free (self);
}

void
muster_sip_xml_free (MusterSipXml *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->elements);
  g_string_chunk_free (self->strings);
  g_free (self);
}

static void
refuse (GError **error, const char *problem)
{
  g_set_error_literal (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL, problem);
}

static const char *
keep (Reader *self, const char *text)
{
  return g_string_chunk_insert_const (self->xml->strings, text);
}

static void
declare (Reader *self, const char *prefix, const char *ns)
{
  Binding binding = { keep (self, prefix), keep (self, ns), self->depth };

  g_array_append_val (self->bindings, binding);
}

static const char *
find_namespace (Reader *self, const char *prefix, gsize n_prefix)
{
  for (guint i = self->bindings->len; i > 0; i--) {
    const Binding *binding = &g_array_index (self->bindings, Binding, i - 1);

    if (strlen (binding->prefix) == n_prefix && memcmp (binding->prefix, prefix, n_prefix) == 0)
      return n_prefix > 0 && *binding->ns == '\0' ? XMLNS_UNDECLARED : binding->ns;
  }
  return n_prefix > 0 ? XMLNS_UNDECLARED : "";
}

/* The declarations among the attributes; the others without a prefix go into @element. */
static void
read_attributes (Reader *self, MusterSipElement *element, const char **names, const char **values)
{
  guint n = 0;

  element->attributes = g_new0 (const char *, 2 * g_strv_length ((GStrv) names) + 1);
  for (guint i = 0; names[i] != NULL; i++) {
    if (g_str_equal (names[i], "xmlns")) {
      declare (self, "", values[i]);
    } else if (g_str_has_prefix (names[i], "xmlns:")) {
      declare (self, names[i] + strlen ("xmlns:"), values[i]);
    } else if (strchr (names[i], ':') == NULL) {
      element->attributes[n++] = keep (self, names[i]);
      element->attributes[n++] = g_string_chunk_insert (self->xml->strings, values[i]);
    }
  }
}

static void
read_name (Reader *self, MusterSipElement *element, const char *name)
{
  const char *colon = strchr (name, ':');

  element->ns = find_namespace (self, name, colon != NULL ? (gsize) (colon - name) : 0);
  element->name = keep (self, colon != NULL ? colon + 1 : name);
}

static void
append (Reader *self, MusterSipElement *element)
{
  guint parent = self->depth - 1;

  if (self->last_child[parent] != NULL)
    self->last_child[parent]->next = element;
  else
    self->open[parent]->first_child = element;
  self->last_child[parent] = element;
}

static void
on_start (GMarkupParseContext *context G_GNUC_UNUSED,
          const char *name,
          const char **attribute_names,
          const char **attribute_values,
          gpointer user_data,
          GError **error)
{
  Reader *self = user_data;
  MusterSipElement *element;

  if (self->depth == MUSTER_SIP_XML_MAX_DEPTH)
    refuse (error, "the document has elements nested deeper than 16");
  else if (self->xml->elements->len == MUSTER_SIP_XML_MAX_ELEMENTS)
    refuse (error, "the document has more than 1000 elements");
  else if (g_strv_length ((GStrv) attribute_names) > MUSTER_SIP_XML_MAX_ATTRIBUTES)
    refuse (error, "the document has an element with more than 32 attributes");
  else if (self->depth == 0 && self->xml->elements->len > 0)
    refuse (error, "the document goes on behind its end");
  if (*error != NULL)
    return;

  element = g_new0 (MusterSipElement, 1);
  element->text = "";
  g_ptr_array_add (self->xml->elements, element);
  if (self->depth > 0)
    append (self, element);

  self->open[self->depth] = element;
  self->last_child[self->depth] = NULL;
  self->texts[self->depth] = g_string_new (NULL);
  self->depth++;
  read_attributes (self, element, attribute_names, attribute_values);
  read_name (self, element, name);
}

static void
on_end (GMarkupParseContext *context G_GNUC_UNUSED,
        const char *name G_GNUC_UNUSED,
        gpointer user_data,
        GError **error G_GNUC_UNUSED)
{
  Reader *self = user_data;
  guint n = self->bindings->len;
  GString *text = self->texts[self->depth - 1];

  while (n > 0 && g_array_index (self->bindings, Binding, n - 1).depth == self->depth)
    n--;
  g_array_set_size (self->bindings, n);
  if (text->len > 0)
    self->open[self->depth - 1]->text = g_string_chunk_insert (self->xml->strings, text->str);
  g_string_free (text, TRUE);
  self->depth--;
}

static void
on_text (GMarkupParseContext *context G_GNUC_UNUSED,
         const char *text,
         gsize n_bytes,
         gpointer user_data,
         GError **error G_GNUC_UNUSED)
{
  Reader *self = user_data;

  if (self->depth > 0)
    g_string_append_len (self->texts[self->depth - 1], text, (gssize) n_bytes);
}

/* Comments and processing instructions say nothing to us. */
static void
on_passthrough (GMarkupParseContext *context G_GNUC_UNUSED,
                const char *text,
                gsize n_bytes,
                gpointer user_data G_GNUC_UNUSED,
                GError **error)
{
  g_autofree char *start = g_strndup (text, MIN (n_bytes, 4));

  if (g_str_has_prefix (start, "<!") && !g_str_equal (start, "<!--"))
    refuse (error, "the document has a document type, which is not taken");
}

static const GMarkupParser callbacks = { on_start, on_end, on_text, on_passthrough, NULL };

static gboolean
read_markup (Reader *self, const char *text, GError **error)
{
  g_autoptr (GMarkupParseContext) context = NULL;
  g_autoptr (GError) wrong = NULL;
  int line = 0;

  context = g_markup_parse_context_new (&callbacks, G_MARKUP_TREAT_CDATA_AS_TEXT, self, NULL);
  if (g_markup_parse_context_parse (context, text, -1, &wrong) &&
      g_markup_parse_context_end_parse (context, &wrong))
    return TRUE;

  /* GMarkup quotes the document, which is not for the log. */
  if (wrong->domain == G_MARKUP_ERROR) {
    g_markup_parse_context_get_position (context, &line, NULL);
    g_set_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL,
                 "the document is not well-formed XML at its line %d", line);
  } else {
    g_propagate_error (error, g_steal_pointer (&wrong));
  }
  return FALSE;
}

static void
reader_clear (Reader *self)
{
  g_array_unref (self->bindings);
  for (guint i = 0; i < self->depth; i++)
    g_string_free (self->texts[i], TRUE);
}

MusterSipXml *
muster_sip_xml_parse (const char *bytes, gsize n_bytes, GError **error)
{
  static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8's byte order, which has none */
  g_autoptr (MusterSipXml) self = NULL;
  g_autofree char *text = NULL;
  Reader reader = { NULL };
  gboolean is_read;

  if (n_bytes > MUSTER_SIP_XML_MAX_BYTES) {
    refuse (error, "the document is larger than 64 kB");
    return NULL;
  }
  if (n_bytes > 0 && memchr (bytes, '\0', n_bytes) != NULL) {
    refuse (error, "the document holds a zero byte");
    return NULL;
  }

  /* Some say ISO-8859-1 and mean it: their accents are lost, their presence is not. */
  text = g_utf8_make_valid (n_bytes > 0 ? bytes : "", (gssize) n_bytes);

  self = g_new0 (MusterSipXml, 1);
  self->strings = g_string_chunk_new (1024);
  self->elements = g_ptr_array_new_with_free_func ((GDestroyNotify) element_free);
  reader.xml = self;
  reader.bindings = g_array_new (FALSE, FALSE, sizeof (Binding));
  is_read = read_markup (&reader, g_str_has_prefix (text, mark) ? text + strlen (mark) : text,
                         error);
  reader_clear (&reader);
  if (!is_read)
    return NULL;

  if (self->elements->len == 0) {
    refuse (error, "the document is empty");
    return NULL;
  }
  return g_steal_pointer (&self);
}

const MusterSipElement *
muster_sip_xml_get_root (MusterSipXml *self)
{
  return g_ptr_array_index (self->elements, 0);
}

gboolean
muster_sip_element_is (const MusterSipElement *self, const char *ns, const char *name)
{
  return g_str_equal (self->name, name) && g_str_equal (self->ns, ns);
}

static const MusterSipElement *
find_from (const MusterSipElement *first, const char *ns, const char *name)
{
  for (const MusterSipElement *each = first; each != NULL; each = each->next) {
    if (muster_sip_element_is (each, ns, name))
      return each;
  }
  return NULL;
}

const MusterSipElement *
muster_sip_element_child (const MusterSipElement *self, const char *ns, const char *name)
{
  return self != NULL ? find_from (self->first_child, ns, name) : NULL;
}

const MusterSipElement *
muster_sip_element_again (const MusterSipElement *self)
{
  return find_from (self->next, self->ns, self->name);
}

const char *
muster_sip_element_attribute (const MusterSipElement *self, const char *name)
{
  for (const char **each = self->attributes; *each != NULL; each += 2) {
    if (g_str_equal (each[0], name))
      return each[1];
  }
  return NULL;
}

char *
muster_sip_xml_dup_printable (const char *text, gsize max_bytes)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GString) joined = g_string_new (NULL);
  gboolean is_parted = FALSE;

  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);

    if (g_unichar_isspace (character) || !g_unichar_isprint (character)) {
      is_parted = joined->len > 0;
      continue;
    }
    if (is_parted)
      g_string_append_c (joined, ' ');
    g_string_append_unichar (joined, character);
    is_parted = FALSE;
  }
  return joined->len > 0 ? muster_sip_text_dup_printable (joined->str, max_bytes) : NULL;
}

char *
muster_sip_xml_dup_address (const char *text)
{
  g_autofree char *bare = g_strstrip (g_strdup (text));

  if (!muster_sip_address_is_fit (bare) || strpbrk (bare, "<>\" ") != NULL)
    return NULL;
  return g_steal_pointer (&bare);
}

gboolean
muster_sip_xml_parse_uint32 (const char *text, guint32 *number)
{
  g_autofree char *bare = NULL;
  guint64 value;

  if (text == NULL)
    return FALSE;
  bare = g_strstrip (g_strdup (text));
  if (!g_ascii_string_to_unsigned (bare, 10, 0, G_MAXUINT32, &value, NULL))
    return FALSE;
  *number = (guint32) value;
  return TRUE;
}
