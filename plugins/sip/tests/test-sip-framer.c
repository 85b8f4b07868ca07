/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-framer.h"

#include <string.h>

/* A stream is cut into messages, however it arrives. */

#define STREAM                                                                                     \
  "SIP/2.0 200 OK\r\nContent-Length: 4\r\n\r\nbody"                                                \
  "\r\n\r\n"                                                                                       \
  "OPTIONS sip:a SIP/2.0\r\nl : 0\r\n\r\n"                                                         \
  "\r\n"                                                                                           \
  "SIP/2.0 200 OK\r\nX: a\r\n b\r\nCONTENT-LENGTH\t:\r\n 2\r\n\r\n\r\n"                            \
  "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"

/* Reads all there is; each frame is a letter. */
static void
read_frames (MusterSipFramer *framer, GString *frames, GString *messages)
{
  const char *bytes = NULL;
  const char *problem = NULL;
  gsize n_bytes = 0, n_body = 0;

  for (;;) {
    switch (muster_sip_framer_next (framer, &bytes, &n_bytes, &n_body, &problem)) {
    case MUSTER_SIP_FRAME_NONE:
      return;
    case MUSTER_SIP_FRAME_MESSAGE:
      g_string_append_printf (frames, "m%" G_GSIZE_FORMAT, n_body);
      g_string_append_len (messages, bytes, (gssize) n_bytes);
      break;
    case MUSTER_SIP_FRAME_PING:
      g_string_append_c (frames, 'p');
      break;
    case MUSTER_SIP_FRAME_PONG:
      g_string_append_c (frames, 'q');
      break;
    case MUSTER_SIP_FRAME_BROKEN:
      g_assert_nonnull (problem);
      g_string_append_printf (frames, "!%s", problem);
      return;
    }
  }
}

static void
feed_in_pieces (gsize first, gsize then, GString *frames, GString *messages)
{
  MusterSipFramer framer = { NULL };
  const gsize n = sizeof STREAM - 1;

  muster_sip_framer_feed (&framer, STREAM, MIN (first, n));
  read_frames (&framer, frames, messages);
  for (gsize i = MIN (first, n); i < n; i += then) {
    muster_sip_framer_feed (&framer, &STREAM[i], MIN (then, n - i));
    read_frames (&framer, frames, messages);
  }
  g_assert_null (framer.buffer); /* nothing is held when nothing is half read */
  muster_sip_framer_clear (&framer);
}

static void
test_any_cut (void)
{
  g_autofree char *whole = g_strdup (STREAM);

  for (gsize first = 0; first < sizeof STREAM; first++) {
    for (gsize then = 1; then <= 64; then = then * 3 + 1) {
      g_autoptr (GString) frames = g_string_new (NULL);
      g_autoptr (GString) messages = g_string_new (NULL);

      feed_in_pieces (first, then, frames, messages);
      g_assert_cmpstr (frames->str, ==, "m4pm0qm2m0");
      g_assert_cmpuint (messages->len, ==, strlen (whole) - 6);
    }
  }
}

typedef struct {
  const char *name;
  const char *bytes;
  const char *frames; /* the beginning of what comes out */
} Bad;

static const Bad bad[] = {
  { "no-length", "SIP/2.0 200 OK\r\nX: 1\r\n\r\n", "!a message has no" },
  { "negative", "SIP/2.0 200 OK\r\nl: -1\r\n\r\n", "!a message has a Content-Length" },
  { "words", "SIP/2.0 200 OK\r\nl: four\r\n\r\n", "!a message has a Content-Length" },
  { "empty", "SIP/2.0 200 OK\r\nl:\r\n\r\n", "!a message has a Content-Length" },
  { "ten-digits", "SIP/2.0 200 OK\r\nl: 1000000000\r\n\r\n", "!a message has a Content-Length" },
  { "two-that-differ", "SIP/2.0 200 OK\r\nl: 1\r\nContent-Length: 2\r\n\r\n",
    "!a message has two" },
  { "two-alike", "SIP/2.0 200 OK\r\nl: 0\r\nContent-Length: 0\r\n\r\n", "m0" },
  { "too-large", "SIP/2.0 200 OK\r\nl: 65536\r\n\r\n", "!a message is larger" },
  { "one-line", "SIP/2.0 200 OK\r\n\r\n", "!a message has no" },
  { "three-line-ends", "\r\n\rX", "!line ends" },
  { "lone-return", "\rX", "!line ends" },
};

static void
test_bad (gconstpointer data)
{
  const Bad *row = data;
  MusterSipFramer framer = { NULL };
  g_autoptr (GString) frames = g_string_new (NULL);
  g_autoptr (GString) messages = g_string_new (NULL);

  muster_sip_framer_feed (&framer, row->bytes, strlen (row->bytes));
  read_frames (&framer, frames, messages);
  g_assert_true (g_str_has_prefix (frames->str, row->frames));
  muster_sip_framer_clear (&framer);
}

static void
test_zero_byte (void)
{
  static const char bytes[] = "SIP/2.0 200 OK\r\nX: \0\r\nl: 0\r\n\r\n";
  MusterSipFramer framer = { NULL };
  g_autoptr (GString) frames = g_string_new (NULL);
  g_autoptr (GString) messages = g_string_new (NULL);

  muster_sip_framer_feed (&framer, bytes, sizeof bytes - 1);
  read_frames (&framer, frames, messages);
  g_assert_true (g_str_has_prefix (frames->str, "!a message holds a zero"));
  muster_sip_framer_clear (&framer);
}

/* A head that never ends is given up at the limit, not before, and is not searched again and again. */
static void
test_endless_head (void)
{
  MusterSipFramer framer = { NULL };
  g_autoptr (GString) frames = g_string_new (NULL);
  g_autoptr (GString) messages = g_string_new (NULL);
  char chunk[1024];

  memset (chunk, 'x', sizeof chunk);
  for (guint i = 0; i < MUSTER_SIP_FRAME_MAX_BYTES / sizeof chunk; i++) {
    muster_sip_framer_feed (&framer, chunk, sizeof chunk);
    read_frames (&framer, frames, messages);
  }
  g_assert_cmpstr (frames->str, ==, "");
  muster_sip_framer_feed (&framer, chunk, 1);
  read_frames (&framer, frames, messages);
  g_assert_true (g_str_has_prefix (frames->str, "!a message is larger"));
  muster_sip_framer_clear (&framer);
}

/* Only a CRLF that stands alone, and that next() has left. */
static void
test_take_pong (void)
{
  static const struct {
    const char *bytes;
    gboolean taken;
  } rows[] = {
    { "", FALSE },       { "\r", FALSE },          { "\r\n", TRUE },
    { "\r\n\r", FALSE }, { "\r\n\r\n\r\n", TRUE }, /* behind a ping */
    { "S", FALSE },      { "SI", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    MusterSipFramer framer = { NULL };
    g_autoptr (GString) frames = g_string_new (NULL);
    g_autoptr (GString) messages = g_string_new (NULL);

    muster_sip_framer_feed (&framer, rows[i].bytes, strlen (rows[i].bytes));
    read_frames (&framer, frames, messages);
    g_assert_cmpint (muster_sip_framer_take_pong (&framer), ==, rows[i].taken);
    g_assert_false (rows[i].taken && framer.buffer != NULL);
    muster_sip_framer_clear (&framer);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sip/framer/any-cut", test_any_cut);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *path = g_strconcat ("/sip/framer/bad/", bad[i].name, NULL);

    g_test_add_data_func (path, &bad[i], test_bad);
  }
  g_test_add_func ("/sip/framer/zero-byte", test_zero_byte);
  g_test_add_func ("/sip/framer/endless-head", test_endless_head);
  g_test_add_func ("/sip/framer/take-pong", test_take_pong);

  return g_test_run ();
}
