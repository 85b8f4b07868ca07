/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-text.h"

#include <string.h>

/*
 * The bodies of messages. Only text/plain is taken, and from video platforms their XML: with anything else,
 * whoever sent it learns that it was not read (415) and can say it otherwise.
 *
 * iconv knows hundreds of encodings, some of them of little use but for attacks on their decoders. These
 * are what people write.
 */

static const char *const charsets[] = {
  "big5",         "euc-jp",       "euc-kr",       "gb18030",      "gb2312",       "gbk",
  "iso-8859-1",   "iso-8859-2",   "iso-8859-5",   "iso-8859-7",   "iso-8859-8",   "iso-8859-9",
  "koi8-r",       "koi8-u",       "shift_jis",    "iso-8859-15",  "utf-16",       "utf-16be",
  "utf-16le",     "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
  "windows-1255", "windows-1256", "windows-1257", "windows-1258", NULL,
};

#define DECLARATION_MAX_BYTES 256
#define BYTE_ORDER_MARK       "\xef\xbb\xbf"

/* Who writes gb2312 or gbk means one of the three, each of which holds the one before. */
static const char *
widen (const char *charset)
{
  return g_str_equal (charset, "gb2312") || g_str_equal (charset, "gbk") ? "gb18030" : charset;
}

/* UTF-8, whatever came; %NULL: in no encoding that we take. */
static char *
to_utf8 (const char *bytes, gsize n_bytes, const char *charset)
{
  g_autofree char *name = charset != NULL ? g_ascii_strdown (charset, -1) : g_strdup ("utf-8");

  if (g_str_equal (name, "utf-8") || g_str_equal (name, "us-ascii"))
    return g_utf8_make_valid (bytes, (gssize) n_bytes);
  if (!g_strv_contains (charsets, name))
    return NULL;
  return g_convert (bytes, (gssize) n_bytes, "UTF-8", widen (name), NULL, NULL, NULL);
}

/* documents */

/* The encoding that an XML declaration names (XML 1.0 section 4.3.3), behind the blanks before it. */
static GMatchInfo *
find_encoding (const char *text)
{
  static GRegex *pattern;
  GMatchInfo *found;

  if (g_once_init_enter (&pattern)) {
    GRegex *compiled = g_regex_new ("^<\\?xml[^?>]*(\\sencoding\\s*=\\s*([\"'])"
                                    "([A-Za-z][A-Za-z0-9._-]{0,39})\\2)",
                                    G_REGEX_RAW, 0, NULL);

    g_once_init_leave (&pattern, compiled);
  }
  g_regex_match (pattern, text, 0, &found);
  return found;
}

/* (nullable) (transfer full) */
static char *
dup_declared (const char *bytes, gsize n_bytes)
{
  g_autofree char *start = g_strndup (bytes, MIN (n_bytes, DECLARATION_MAX_BYTES));
  g_autoptr (GMatchInfo) found = find_encoding (start);

  return g_match_info_matches (found) ? g_match_info_fetch (found, 3) : NULL;
}

/* It is in another one now. */
static void
drop_declared (char *text)
{
  g_autoptr (GMatchInfo) found = find_encoding (text);
  int start, end;

  if (g_match_info_fetch_pos (found, 1, &start, &end))
    memmove (text + start, text + end, strlen (text + end) + 1);
}

/* As RFC 7303 section 3.2 has it, and where nothing is said as platforms have it. */
static char *
document_to_utf8 (const char *bytes, gsize n_bytes, const char *charset)
{
  gsize n_mark = strlen (BYTE_ORDER_MARK);
  g_autofree char *declared = NULL;
  char *text;

  if (n_bytes >= n_mark && memcmp (bytes, BYTE_ORDER_MARK, n_mark) == 0) {
    bytes += n_mark;
    n_bytes -= n_mark;
    charset = "utf-8";
  }
  if (charset == NULL)
    charset = declared = dup_declared (bytes, n_bytes);
  if (charset == NULL)
    charset = g_utf8_validate_len (bytes, n_bytes, NULL) ? "utf-8" : "gb18030";

  text = to_utf8 (bytes, n_bytes, charset);
  if (text != NULL)
    drop_declared (text);
  return text;
}

/* what is shown */

/* All ends of lines become LF; what cannot be printed, blanks. */
static char *
make_printable (const char *text)
{
  GString *lines = g_string_new (NULL);

  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c)) {
    gunichar character = g_utf8_get_char (c);

    if (character == '\r' && c[1] == '\n')
      continue;
    if (character == '\n' || character == '\r')
      g_string_append_c (lines, '\n');
    else
      g_string_append_unichar (lines, g_unichar_isprint (character) ? character : ' ');
  }
  return g_string_free (lines, FALSE);
}

static gboolean
is_blank (const char *text)
{
  return text[strspn (text, " \n")] == '\0';
}

char *
muster_sip_text_decode (const MusterSipInbound *inbound, gboolean takes_documents, guint *status)
{
  gboolean is_document = takes_documents &&
                         g_strcmp0 (inbound->content_type, MUSTER_SIP_DOCUMENT_TYPE) == 0;
  gsize n_bytes = inbound->body != NULL ? g_bytes_get_size (inbound->body) : 0;
  g_autofree char *decoded = NULL;
  g_autofree char *text = NULL;
  const char *bytes;

  *status = 415;
  if (!is_document && inbound->content_type != NULL &&
      !g_str_equal (inbound->content_type, "text/plain"))
    return NULL;
  if (inbound->content_encoding != NULL && !g_str_equal (inbound->content_encoding, "identity"))
    return NULL;

  *status = 413;
  if (n_bytes > MUSTER_SIP_MAX_TEXT_BYTES)
    return NULL;
  *status = 400;
  if (n_bytes == 0)
    return NULL;

  *status = 415;
  bytes = g_bytes_get_data (inbound->body, NULL);
  decoded = is_document ? document_to_utf8 (bytes, n_bytes, inbound->charset)
                        : to_utf8 (bytes, n_bytes, inbound->charset);
  if (decoded == NULL)
    return NULL;
  text = make_printable (decoded);

  *status = 413;
  if (strlen (text) > MUSTER_SIP_MAX_TEXT_BYTES)
    return NULL;
  *status = is_blank (text) ? 400 : 200;
  return *status == 200 ? g_steal_pointer (&text) : NULL;
}
