/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-framer.h"

#include <string.h>

#define LENGTH_MAX_DIGITS 9

void
muster_sip_framer_clear (MusterSipFramer *self)
{
  g_clear_pointer (&self->buffer, g_byte_array_unref);
  self->taken = 0;
  self->searched = 0;
}

void
muster_sip_framer_feed (MusterSipFramer *self, const void *bytes, gsize n_bytes)
{
  if (n_bytes == 0)
    return;

  if (self->buffer == NULL)
    self->buffer = g_byte_array_new ();
  if (self->taken > 0) {
    g_byte_array_remove_range (self->buffer, 0, (guint) self->taken);
    self->taken = 0;
  }
  g_byte_array_append (self->buffer, bytes, (guint) n_bytes);
}

/* The end of the header that begins at @line, its folded lines included: behind its last CRLF. */
static const char *
header_end (const char *line, const char *end)
{
  for (;;) {
    const char *crlf = memmem (line, (gsize) (end - line), "\r\n", 2);

    if (crlf == NULL)
      return end;
    line = crlf + 2;
    if (line >= end || (*line != ' ' && *line != '\t'))
      return line;
  }
}

/* Whether the header between @line and @end has this name; then @value is what stands behind it. */
static gboolean
has_name (const char *line, const char *end, const char *name, const char **value)
{
  gsize n = strlen (name);

  if ((gsize) (end - line) <= n || g_ascii_strncasecmp (line, name, n) != 0)
    return FALSE;

  line += n;
  while (line < end && (*line == ' ' || *line == '\t'))
    line++;
  if (line >= end || *line != ':')
    return FALSE;

  *value = line + 1;
  return TRUE;
}

/* FALSE unless it is a number and nothing else. */
static gboolean
read_length (const char *value, const char *end, gsize *length)
{
  guint n_digits = 0;

  while (value < end && g_ascii_isspace (*value))
    value++;
  *length = 0;
  for (; value < end && g_ascii_isdigit (*value); value++) {
    *length = *length * 10 + (gsize) (*value - '0');
    if (++n_digits > LENGTH_MAX_DIGITS)
      return FALSE;
  }
  while (value < end && g_ascii_isspace (*value))
    value++;

  return n_digits > 0 && value == end;
}

/* The body's length as the head says it. */
static const char *
find_length (const char *head, const char *end, gsize *length)
{
  gboolean found = FALSE;
  const char *line = memmem (head, (gsize) (end - head), "\r\n", 2); /* behind the first line */

  if (memchr (head, '\0', (gsize) (end - head)) != NULL)
    return "a message holds a zero byte";

  for (line += 2; line < end;) {
    const char *next = header_end (line, end);
    const char *value;
    gsize said;

    if (has_name (line, next, "Content-Length", &value) || has_name (line, next, "l", &value)) {
      if (!read_length (value, next, &said))
        return "a message has a Content-Length that is no number";
      if (found && said != *length)
        return "a message has two Content-Lengths";
      *length = said;
      found = TRUE;
    }
    line = next;
  }

  return found ? NULL : "a message has no Content-Length";
}

static MusterSipFrame
broken (const char **problem, const char *text)
{
  *problem = text;
  return MUSTER_SIP_FRAME_BROKEN;
}

static MusterSipFrame
take (MusterSipFramer *self, gsize n_bytes, MusterSipFrame frame)
{
  self->taken += n_bytes;
  self->searched = 0;

  return frame;
}

MusterSipFrame
muster_sip_framer_next (MusterSipFramer *self,
                        const char **bytes,
                        gsize *n_bytes,
                        gsize *body_bytes,
                        const char **problem)
{
  const char *data, *head_end, *wrong;
  gsize n, head, body = 0;

  if (self->buffer != NULL && self->taken == self->buffer->len)
    muster_sip_framer_clear (self);
  if (self->buffer == NULL)
    return MUSTER_SIP_FRAME_NONE;

  data = (const char *) self->buffer->data + self->taken;
  n = self->buffer->len - self->taken;

  if (data[0] == '\r') {
    if (n >= 4 && memcmp (data, "\r\n\r\n", 4) == 0)
      return take (self, 4, MUSTER_SIP_FRAME_PING);
    if (n >= 3 && data[1] == '\n' && data[2] != '\r')
      return take (self, 2, MUSTER_SIP_FRAME_PONG);
    if (n >= 4 || (n >= 2 && data[1] != '\n'))
      return broken (problem, "line ends where a message should begin");
    return MUSTER_SIP_FRAME_NONE; /* a pong, or half a ping */
  }

  head_end = memmem (data + self->searched, n - self->searched, "\r\n\r\n", 4);
  if (head_end == NULL) {
    self->searched = n > 3 ? n - 3 : 0;
    if (n > MUSTER_SIP_FRAME_MAX_BYTES)
      return broken (problem, "a message is larger than 64 kB");
    return MUSTER_SIP_FRAME_NONE;
  }

  self->searched = (gsize) (head_end -
                            data); /* found again at once, if the body is not whole yet */
  head = (gsize) (head_end - data) + 4;
  wrong = find_length (data, head_end + 2, &body);
  if (wrong != NULL)
    return broken (problem, wrong);
  if (head + body > MUSTER_SIP_FRAME_MAX_BYTES)
    return broken (problem, "a message is larger than 64 kB");
  if (n < head + body)
    return MUSTER_SIP_FRAME_NONE;

  *bytes = data;
  *n_bytes = head + body;
  *body_bytes = body;
  return take (self, head + body, MUSTER_SIP_FRAME_MESSAGE);
}

gboolean
muster_sip_framer_take_pong (MusterSipFramer *self)
{
  if (self->buffer == NULL || self->buffer->len - self->taken != 2 ||
      memcmp (self->buffer->data + self->taken, "\r\n", 2) != 0)
    return FALSE;

  muster_sip_framer_clear (self);
  return TRUE;
}
