/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-transcript.h"

#include "muster-sip-text.h"

#include <gio/gio.h>

#include <string.h>

typedef struct {
  char *text; /* with the line ends of the wire */
  guint copy;
} Answer;

struct _SipTranscript {
  GPtrArray *answers; /* of Answer * */
};

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  g_free (answer->text);
  g_free (answer);
}

/* reading */

static Answer *
read_answer (const char *block)
{
  g_auto (GStrv) lines = g_strsplit (block, "\n", 0);
  GString *text = g_string_new (NULL);
  Answer *answer = g_new0 (Answer, 1);

  answer->copy = 1;
  for (char **line = lines; *line != NULL; line++) {
    if (**line == '#' || **line == '\0')
      continue;
    if (g_str_has_prefix (*line, "@copy "))
      answer->copy = (guint) g_ascii_strtoull (*line + strlen ("@copy "), NULL, 10);
    else
      g_string_append_printf (text, "%s\r\n", *line);
  }
  g_string_append (text, "\r\n");
  answer->text = g_string_free (text, FALSE);
  return answer;
}

SipTranscript *
sip_transcript_load (const char *file, GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) blocks = NULL;
  SipTranscript *self;

  if (!g_file_get_contents (file, &text, NULL, error))
    return NULL;

  self = g_new0 (SipTranscript, 1);
  self->answers = g_ptr_array_new_with_free_func (answer_free);
  blocks = g_strsplit (text, "\n\n", 0);
  for (char **block = blocks; *block != NULL; block++) {
    if (strstr (*block, "SIP/2.0 ") != NULL)
      g_ptr_array_add (self->answers, read_answer (*block));
  }
  if (self->answers->len > 0)
    return self;

  sip_transcript_free (self);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "no answer is in %s", file);
  return NULL;
}

void
sip_transcript_free (SipTranscript *self)
{
  g_ptr_array_unref (self->answers);
  g_free (self);
}

/* filling in */

static void
fill (GString *text, const char *name, const char *value)
{
  g_string_replace (text, name, value != NULL ? value : "", 0);
}

static void
fill_header (GString *text, const char *name, const char *request, const char *header)
{
  g_autofree char *value = sip_text_dup_header (request, header, ", ");

  fill (text, name, value);
}

/* `SIP/2.0/UDP HOST:PORT;branch=BRANCH;rport` */
static void
fill_via (GString *text, const char *request)
{
  g_autofree char *via = sip_text_dup_header (request, "Via", ", ");
  const char *place = strchr (via, ' ') + 1;
  g_autofree char *sent_by = g_strndup (place, strcspn (place, "; "));
  const char *branch = strstr (via, "branch=") + strlen ("branch=");
  g_autofree char *value = g_strndup (branch, strcspn (branch, "; "));

  fill (text, "{sent-by}", sent_by);
  fill (text, "{branch}", value);
}

char *
sip_transcript_fill (SipTranscript *self, guint index, const char *request, guint *copy)
{
  const Answer *answer = g_ptr_array_index (self->answers, MIN (index, self->answers->len - 1));
  GString *text = g_string_new (answer->text);

  fill_via (text, request);
  fill_header (text, "{from}", request, "From");
  fill_header (text, "{to}", request, "To");
  fill_header (text, "{call-id}", request, "Call-ID");
  fill_header (text, "{cseq}", request, "CSeq");
  fill_header (text, "{contact}", request, "Contact");
  *copy = answer->copy;
  return g_string_free (text, FALSE);
}
