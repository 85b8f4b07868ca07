/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-text.h"

#include <string.h>

/*
 * The bodies of messages. Only text/plain is taken: with anything else, whoever sent it learns that it was
 * not read (415) and can say it otherwise.
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

/* UTF-8, whatever came; %NULL: in no encoding that we take. */
static char *
to_utf8 (const char *bytes, gsize n_bytes, const char *charset)
{
  g_autofree char *name = charset != NULL ? g_ascii_strdown (charset, -1) : g_strdup ("utf-8");

  if (g_str_equal (name, "utf-8") || g_str_equal (name, "us-ascii"))
    return g_utf8_make_valid (bytes, (gssize) n_bytes);
  if (!g_strv_contains (charsets, name))
    return NULL;
  return g_convert (bytes, (gssize) n_bytes, "UTF-8", name, NULL, NULL, NULL);
}

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
muster_sip_text_decode (const MusterSipInbound *inbound, guint *status)
{
  gsize n_bytes = inbound->body != NULL ? g_bytes_get_size (inbound->body) : 0;
  g_autofree char *decoded = NULL;
  g_autofree char *text = NULL;

  *status = 415;
  if (inbound->content_type != NULL && !g_str_equal (inbound->content_type, "text/plain"))
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
  decoded = to_utf8 (g_bytes_get_data (inbound->body, NULL), n_bytes, inbound->charset);
  if (decoded == NULL)
    return NULL;
  text = make_printable (decoded);

  *status = 413;
  if (strlen (text) > MUSTER_SIP_MAX_TEXT_BYTES)
    return NULL;
  *status = is_blank (text) ? 400 : 200;
  return *status == 200 ? g_steal_pointer (&text) : NULL;
}
