/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "torture-fixture.h"

#include <malloc.h>

/* A stranger who sends what a parser finds hard (tests/transcripts/torture), over UDP. */

#define OUR_PORT           5060 /* where answers go that no rport leads back */
#define OTHER_PORT         5050 /* what one of the messages asks for */
#define ROUNDS             100u
#define GROWTH_BYTES       (128 * 1024) /* after all of them */
#define MAX_DATAGRAM_BYTES (16 << 10)   /* that are looked at */

#define STUN_ANSWER 1

/* Somebody on an address of their own. */
typedef struct {
  GSocket *sockets[2];
  GSource *sources[2];
  GSocketAddress *to;
  char *uri; /* who is meant */
  Tally tally;
} Stranger;

static gboolean
take_answer (Stranger *self, GSocket *socket)
{
  static char bytes[65536];
  gssize n = g_socket_receive (socket, bytes, sizeof bytes - 1, NULL, NULL);

  if (n < 0)
    return FALSE;
  bytes[n] = '\0';
  tally_take_answer (&self->tally, bytes, (gsize) n);
  g_assert_true (self->tally.is_seen || strstr (bytes, self->tally.branch) == NULL);
  return TRUE;
}

/* All that is there: else the next one finds no room. */
static gboolean
on_answer (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  while (take_answer (user_data, socket))
    continue;
  return G_SOURCE_CONTINUE;
}

static void
stranger_bind (Stranger *self, guint index, const char *address, guint16 port)
{
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new_from_string (address, port);
  g_autoptr (GError) error = NULL;

  self->sockets[index] = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                                       G_SOCKET_PROTOCOL_UDP, &error);
  g_assert_no_error (error);
  g_socket_bind (self->sockets[index], local, FALSE, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (self->sockets[index], FALSE);
  self->sources[index] = g_socket_create_source (self->sockets[index], G_IO_IN, NULL);
  g_source_set_callback (self->sources[index], G_SOURCE_FUNC (on_answer), self, NULL);
  g_source_attach (self->sources[index], NULL);
}

static void
stranger_set_up (Stranger *self, const char *uri)
{
  g_autofree char *address = g_strdup_printf ("127.%d.%d.%d", g_random_int_range (64, 255),
                                              g_random_int_range (0, 256),
                                              g_random_int_range (1, 255));
  const char *port = strrchr (uri, ':') + 1;

  *self = (Stranger){ .uri = g_strdup (uri) };
  self->to = g_inet_socket_address_new_from_string ("127.0.0.1",
                                                    (guint) g_ascii_strtoull (port, NULL, 10));
  stranger_bind (self, 0, address, OUR_PORT);
  stranger_bind (self, 1, address, OTHER_PORT);
}

static void
stranger_clear (Stranger *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->sockets); i++) {
    g_source_destroy (self->sources[i]);
    g_source_unref (self->sources[i]);
    g_object_unref (self->sockets[i]);
  }
  g_object_unref (self->to);
  g_free (self->uri);
  g_free (self->tally.branch);
}

/* Who sends it next is answered after what was sent before. */
static void
stranger_ask_for_sign (Stranger *self)
{
  g_autofree char *text = tally_make_sign (&self->tally, "UDP", self->uri);

  for (guint i = 0; i < G_N_ELEMENTS (self->sockets); i++)
    on_answer (self->sockets[i], G_IO_IN, self);
  g_socket_send_to (self->sockets[0], self->to, text, strlen (text), NULL, NULL);
  while (!self->tally.is_seen)
    g_main_context_iteration (NULL, TRUE);
}

static void
torture (World *world, Stranger *stranger, const char *name, GBytes *message, const char *allowed)
{
  gsize n_bytes;
  gconstpointer bytes = g_bytes_get_data (message, &n_bytes);

  tally_begin (&stranger->tally);
  g_socket_send_to (stranger->sockets[0], stranger->to, bytes, n_bytes, NULL, NULL);
  if (n_bytes > MAX_DATAGRAM_BYTES)
    allowed = "-";
  stranger_ask_for_sign (stranger);
  tally_judge (&stranger->tally, name, n_bytes, 1,
               sip_torture_allows (allowed, stranger->tally.status), allowed);

  decline_all (world);
  stranger_ask_for_sign (stranger);
}

static void
torture_all (World *world, Stranger *stranger, GPtrArray *messages)
{
  for (guint i = 0; i < messages->len; i++) {
    const SipTorture *message = messages->pdata[i];
    g_autoptr (GBytes) aimed = sip_torture_aim (message, stranger->uri);

    torture (world, stranger, message->name, message->bytes, message->as_is);
    if (aimed != NULL)
      torture (world, stranger, message->name, aimed, message->aimed);
  }
  muster_clock_advance_us (GONE_S * G_USEC_PER_SEC);
  stranger_ask_for_sign (stranger);
  g_assert_true (muster_clock_is_idle ()); /* each transaction has a timer */
}

static void
register_alone (World *world)
{
  stay_silent (world);
  open_and_wait (world);
  g_assert_no_error (world->error);
}

static void
test_udp (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) messages = sip_torture_load (TORTURE, &error);
  Stranger stranger;
  gsize before = 0;

  g_assert_no_error (error);
  g_assert_cmpuint (messages->len, >, 49);
  register_alone (world);
  stranger_set_up (&stranger, world->lease->bindings[0]);
  for (guint i = 0; i < ROUNDS; i++) {
    torture_all (world, &stranger, messages);
    if (i == ROUNDS / 10)
      before = mallinfo2 ().uordblks;
  }
  g_test_message ("%zu bytes after %u rounds, %zu at the end", before, ROUNDS / 10,
                  mallinfo2 ().uordblks);
  g_assert_cmpuint (mallinfo2 ().uordblks, <, before + GROWTH_BYTES);
  stranger_clear (&stranger);

  close_and_wait (world);
  g_assert_no_error (world->error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

  g_test_add ("/sip/torture/udp", World, NULL, world_set_up, test_udp, world_tear_down);

  return g_test_run ();
}
