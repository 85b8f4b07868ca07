/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-hub-private.h"
#include "muster-sip-framer.h"
#include "muster-sip-inbox.h"
#include "muster-sip-server.h"
#include "muster-sip-wire.h"

#include <stdint.h>
#include <string.h>

/* Requests of anybody, each ended by a NUL, from the wire to what an account hears of them. The first byte
 * says what is done with calls, whether anything can get lost and whether documents are taken; a second
 * passes before each request. */

#define MAX_GROWTH_BYTES 512

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct {
  MusterSipInbox *inbox;
  MusterSipServer *server;
  uint8_t habits;
  gsize n_request_bytes;
  guint n_replies;
  guint n_waiting;
} World;

/* One message, to others as to us. */
static void
on_send (gpointer user_data, GBytes *reply)
{
  World *world = user_data;
  MusterSipFramer framer = { NULL };
  const char *bytes, *problem;
  gsize n_bytes, n_body;

  world->n_replies++;
  g_assert_cmpuint (g_bytes_get_size (reply), <=, 4 * world->n_request_bytes + MAX_GROWTH_BYTES);
  muster_sip_framer_feed (&framer, g_bytes_get_data (reply, NULL), g_bytes_get_size (reply));
  g_assert_cmpint (muster_sip_framer_next (&framer, &bytes, &n_bytes, &n_body, &problem), ==,
                   MUSTER_SIP_FRAME_MESSAGE);
  g_assert_cmpuint (n_bytes, ==, g_bytes_get_size (reply));
  g_assert_cmpuint (n_body, ==, 0);
  muster_sip_framer_clear (&framer);
}

static const MusterSipReceiver *
on_find (const char *token, gpointer user_data)
{
  World *world = user_data;

  return strlen (token) % 2 == 0 ? muster_sip_inbox_get_receiver (world->inbox) : NULL;
}

static void
on_offer (const MusterOffer *offer, gpointer user_data)
{
  World *world = user_data;
  gboolean waits = offer->state == MUSTER_OFFER_WAITING;

  g_assert_true (g_utf8_validate (offer->id, -1, NULL));
  g_assert_true (g_utf8_validate (offer->from, -1, NULL));
  g_assert_true (offer->from_name == NULL || g_utf8_validate (offer->from_name, -1, NULL));
  g_assert_true (offer->text == NULL ||
                 (g_utf8_validate (offer->text, -1, NULL) && strlen (offer->text) <= 8192));
  if (offer->kind == MUSTER_OFFER_MESSAGE)
    return;

  g_assert_true (waits || world->n_waiting > 0);
  world->n_waiting += waits ? 1 : -1u;
  g_assert_cmpuint (world->n_waiting, <=, 8);
  if (waits && (world->habits & 1) != 0)
    muster_sip_inbox_answer (world->inbox, offer->id, (world->habits >> 1) & 3,
                             "sip:dialer@example.test", NULL);
}

static void
take (World *world, const char *bytes, gsize n_bytes)
{
  g_autoptr (MusterSipResponse) response = NULL;
  g_autoptr (MusterSipInbound) inbound = NULL;
  g_autofree char *branch = NULL;
  const char *body = g_strstr_len (bytes, (gssize) n_bytes, "\r\n\r\n");
  gsize n_body = body != NULL ? n_bytes - (gsize) (body - bytes) - 4 : 0;

  response = muster_sip_wire_parse_message (bytes, n_bytes, n_body, &branch, &inbound);
  if (inbound == NULL)
    return;

  world->n_request_bytes = MAX (world->n_request_bytes, n_bytes);
  world->n_replies = 0;
  muster_sip_server_take (world->server, inbound);
  g_assert_cmpuint (world->n_replies, <=, 2);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const MusterSipServerFuncs udp = { on_send, on_find, FALSE };
  static const MusterSipServerFuncs tcp = { on_send, on_find, TRUE };
  static gboolean has_clock;
  World world = { 0 };
  const char *end;

  if (size < 1)
    return 0;
  if (!has_clock)
    muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);
  has_clock = TRUE;

  world.habits = data[0];
  world.inbox = muster_sip_inbox_new (on_offer, &world);
  muster_sip_inbox_set_takes_documents (world.inbox, (world.habits & 16) != 0);
  world.server = muster_sip_server_new ((world.habits & 8) != 0 ? &tcp : &udp, &world);
  for (const char *next = (const char *) data + 1; next < (const char *) data + size;
       next = end + 1) {
    end = memchr (next, '\0', (gsize) ((const char *) data + size - next));
    if (end == NULL)
      end = (const char *) data + size;
    muster_clock_advance_us (G_USEC_PER_SEC);
    take (&world, next, (gsize) (end - next));
  }

  muster_clock_advance_us (100 * G_USEC_PER_SEC);
  g_assert_cmpuint (world.n_waiting, ==, 0);
  g_assert_true (muster_clock_is_idle ());
  muster_sip_inbox_free (world.inbox);
  muster_sip_server_free (world.server);
  return 0;
}
