/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-framer.h"
#include "muster-sip-wire.h"

#include <stdint.h>
#include <string.h>

/* What comes on a stream, from the framer to answers and replies. The first byte says where the stream is
 * cut into two reads, which must make no difference. */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
take_message (const char *bytes, gsize n_bytes, gsize body_bytes, GString *story)
{
  g_autoptr (MusterSipResponse) response = NULL;
  g_autoptr (MusterSipInbound) inbound = NULL;
  g_autofree char *branch = NULL;

  g_assert_cmpuint (body_bytes, <, n_bytes);
  response = muster_sip_wire_parse_message (bytes, n_bytes, body_bytes, &branch, &inbound);
  g_assert_true (response == NULL || inbound == NULL);
  if (response != NULL) {
    g_assert_cmpuint (response->status, >=, 200);
    g_assert_cmpuint (response->status, <=, 699);
    g_assert_true (g_utf8_validate (response->reason, -1, NULL));
  }
  g_string_append_printf (story, "%s%u ", branch != NULL ? branch : "",
                          response != NULL ? response->status : 0);

  /* A reply is one message, to others as to us. */
  if (inbound != NULL) {
    g_autoptr (GBytes) reply = muster_sip_reply_build (inbound->reply_head, 200, NULL);
    MusterSipFramer framer = { NULL };
    const char *problem = NULL;
    gsize n_reply, n_body;

    muster_sip_framer_feed (&framer, g_bytes_get_data (reply, NULL), g_bytes_get_size (reply));
    g_assert_cmpint (muster_sip_framer_next (&framer, &bytes, &n_reply, &n_body, &problem), ==,
                     MUSTER_SIP_FRAME_MESSAGE);
    g_assert_cmpuint (n_reply, ==, g_bytes_get_size (reply));
    g_assert_cmpuint (n_body, ==, 0);
    muster_sip_framer_clear (&framer);
  }
}

/* FALSE: the stream cannot be understood any more. */
static gboolean
read_frames (MusterSipFramer *framer, GString *story)
{
  const char *bytes = NULL;
  const char *problem = NULL;
  gsize n_bytes, body_bytes;

  for (;;) {
    MusterSipFrame frame = muster_sip_framer_next (framer, &bytes, &n_bytes, &body_bytes, &problem);

    switch (frame) {
    case MUSTER_SIP_FRAME_NONE:
      return TRUE;
    case MUSTER_SIP_FRAME_MESSAGE:
      take_message (bytes, n_bytes, body_bytes, story);
      break;
    case MUSTER_SIP_FRAME_PING:
    case MUSTER_SIP_FRAME_PONG:
      g_string_append (story, frame == MUSTER_SIP_FRAME_PING ? "ping " : "pong ");
      break;
    case MUSTER_SIP_FRAME_BROKEN:
      g_string_append (story, problem);
      return FALSE;
    }
  }
}

static GString *
tell (const uint8_t *data, size_t size, size_t cut)
{
  MusterSipFramer framer = { NULL };
  GString *story = g_string_new (NULL);

  muster_sip_framer_feed (&framer, data, cut);
  if (read_frames (&framer, story)) {
    muster_sip_framer_feed (&framer, data + cut, size - cut);
    read_frames (&framer, story);
  }
  muster_sip_framer_clear (&framer);
  return story;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GString) whole = NULL;
  g_autoptr (GString) in_two = NULL;

  if (size < 1)
    return 0;

  whole = tell (data + 1, size - 1, size - 1);
  in_two = tell (data + 1, size - 1, MIN ((size_t) data[0] * 4, size - 1));
  g_assert_cmpstr (whole->str, ==, in_two->str);
  return 0;
}
