/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-torture.h"

#include <string.h>

#define LENGTH_MARK "\\{length}"

static void
torture_free (gpointer data)
{
  SipTorture *self = data;

  g_free (self->name);
  g_bytes_unref (self->bytes);
  g_free (self->as_is);
  g_free (self->aimed);
  g_free (self);
}

/* the notation */

static const char *
expand_byte (GString *out, const char *text)
{
  g_string_append_c (out,
                     (char) (g_ascii_xdigit_value (text[2]) << 4 | g_ascii_xdigit_value (text[3])));
  return text + strlen ("\\x00");
}

static void expand (GString *out, const char *text, const char *end);

static const char *
expand_repeated (GString *out, const char *text)
{
  const char *part = strchr (text, ':') + 1;
  const char *end = strchr (part, '}');

  for (guint64 n = g_ascii_strtoull (text + 2, NULL, 10); n > 0; n--)
    expand (out, part, end);
  return end + 1;
}

static void
expand (GString *out, const char *text, const char *end)
{
  while (text < end) {
    if (*text == '\n') {
      g_string_append (out, "\r\n");
      text++;
    } else if (*text != '\\') {
      g_string_append_c (out, *text++);
    } else if (g_str_has_prefix (text, LENGTH_MARK)) {
      g_string_append (out, LENGTH_MARK);
      text += strlen (LENGTH_MARK);
    } else if (text[1] == 'x') {
      text = expand_byte (out, text);
    } else if (text[1] == '{') {
      text = expand_repeated (out, text);
    } else {
      if (text[1] == '\\')
        g_string_append_c (out, '\\');
      text += 2; /* also the end of a line that goes on */
    }
  }
}

static const char *
find_bytes (const GString *where, const char *what)
{
  return memmem (where->str, where->len, what, strlen (what));
}

static void
fill_in_length (GString *message)
{
  const char *mark = find_bytes (message, LENGTH_MARK);
  const char *body = find_bytes (message, "\r\n\r\n");
  g_autofree char *length = NULL;
  gssize at;

  if (mark == NULL || body == NULL)
    return;
  at = mark - message->str;
  length = g_strdup_printf ("%" G_GSIZE_FORMAT,
                            message->len - (gsize) (body - message->str) - strlen ("\r\n\r\n"));
  g_string_erase (message, at, (gssize) strlen (LENGTH_MARK));
  g_string_insert (message, at, length);
}

/* @text: up to the blank line before the next one */
static GBytes *
read_message (const char *text)
{
  GString *message = g_string_new (NULL);

  expand (message, text, text + strlen (text));
  if (strstr (text, "\n\n") == NULL && !g_str_has_suffix (text, "\\\n"))
    g_string_append (message, "\r\n"); /* a head without a body */
  fill_in_length (message);
  return g_string_free_to_bytes (message);
}

/* @block: name and answers, notes, the message */
static SipTorture *
read_torture (const char *block)
{
  g_autofree char *title = g_strndup (block, strcspn (block, "\n"));
  g_auto (GStrv) words = g_strsplit (title, " ", 0);
  const char *text = strchr (block, '\n') + 1;
  g_autofree char *message = NULL;
  SipTorture *self;

  if (g_strv_length (words) != 3 || *text != '#')
    return NULL;
  while (*text == '#')
    text = strchr (text, '\n') + 1;
  message = g_strdup (text);
  if (g_str_has_suffix (message, "\n\n"))
    message[strlen (message) - 1] = '\0';

  self = g_new0 (SipTorture, 1);
  self->name = g_strdup (words[0]);
  self->as_is = g_strdup (words[1]);
  self->aimed = g_strdup (words[2]);
  self->bytes = read_message (message);
  return self;
}

static gboolean
read_file (GPtrArray *all, const char *file, GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) blocks = NULL;

  if (!g_file_get_contents (file, &text, NULL, error))
    return FALSE;
  blocks = g_strsplit (text, "\n@ ", 0);
  for (guint i = 1; blocks[i] != NULL; i++) {
    g_autofree char *block = g_strconcat (blocks[i], blocks[i + 1] != NULL ? "\n" : "", NULL);
    SipTorture *torture = read_torture (block);

    if (torture == NULL) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: no message: %.40s", file,
                   block);
      return FALSE;
    }
    g_ptr_array_add (all, torture);
  }
  return TRUE;
}

/* public functions */

GPtrArray *
sip_torture_load (const char *folder, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (torture_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = g_build_filename (folder, name, NULL);

    if (g_str_has_suffix (name, ".txt") && !read_file (all, file, error))
      return NULL;
  }
  return dir != NULL ? g_steal_pointer (&all) : NULL;
}

GBytes *
sip_torture_aim (const SipTorture *self, const char *uri)
{
  gsize n_bytes;
  const char *bytes = g_bytes_get_data (self->bytes, &n_bytes);
  const char *line_end = n_bytes > 0 ? memchr (bytes, '\r', n_bytes) : NULL;
  g_autofree char *line = line_end != NULL ? g_strndup (bytes, (gsize) (line_end - bytes)) : NULL;
  const char *version = line != NULL ? g_strrstr (line, " SIP/") : NULL;
  GString *aimed;

  if (version == NULL)
    return NULL;
  aimed = g_string_new_len (line, (gssize) strcspn (line, " "));
  g_string_append_printf (aimed, " %s%s", uri, version);
  g_string_append_len (aimed, line_end, (gssize) (n_bytes - (gsize) (line_end - bytes)));
  return g_string_free_to_bytes (aimed);
}

gboolean
sip_torture_allows (const char *answers, guint status)
{
  g_auto (GStrv) each = g_strsplit (answers, ",", 0);
  g_autofree char *text = status != 0 ? g_strdup_printf ("%u", status) : g_strdup ("-");

  return g_strv_contains ((const char *const *) each, text);
}
