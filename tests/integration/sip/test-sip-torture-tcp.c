/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stream-server.h"
#include "torture-fixture.h"

#include <linux/sockios.h>
#include <malloc.h>
#include <sys/ioctl.h>

/* A server that sends what a parser finds hard (tests/transcripts/torture) on its connection. Where one ends
 * is for the message to say: what does not say it swallows what follows, or ends the connection, and then
 * another one is made. */

#define ROUNDS       8u
#define GROWTH_BYTES (64 * 1024)
#define MAX_SIGNS    300 /* 64 kB of them */

typedef struct {
  Server *server;
  Line *line; /* the newest */
  Tally tally;
  guint n_hung_up;
} Proxy;

static void
proxy_register (Proxy *self, World *world)
{
  self->server->is_granting = TRUE;
  open_and_wait (world);
  g_assert_no_error (world->error);
  self->server->is_granting = FALSE;
  self->line = self->server->lines->pdata[self->server->lines->len - 1];
  g_string_truncate (self->line->in, 0);
}

static gboolean
proxy_is_hung_up (const Proxy *self)
{
  return self->line->watch == NULL;
}

/* What waits for room at the other end is not there yet. */
static gboolean
proxy_has_unsent (const Proxy *self)
{
  int n_bytes = 0;

  g_assert_cmpint (ioctl (self->line->fd, SIOCOUTQNSD, &n_bytes), ==, 0);
  return n_bytes > 0;
}

static void
proxy_send (Proxy *self, const char *bytes, gsize n_bytes)
{
  while (n_bytes > 0 && !proxy_is_hung_up (self)) {
    gssize n = send (self->line->fd, bytes, n_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n > 0) {
      bytes += n;
      n_bytes -= (gsize) n;
    }
    g_main_context_iteration (NULL, n < 0 && errno == EAGAIN);
  }
  while (!proxy_is_hung_up (self) && proxy_has_unsent (self))
    g_main_context_iteration (NULL, TRUE);
  settle ();
}

static void
proxy_take_answers (Proxy *self)
{
  GString *in = self->line->in;
  char *answer;

  while (g_str_has_prefix (in->str, "\r\n")) /* a pong */
    g_string_erase (in, 0, 2);
  while ((answer = line_take (self->line)) != NULL) {
    tally_take_answer (&self->tally, answer, strlen (answer));
    g_free (answer);
    while (g_str_has_prefix (in->str, "\r\n"))
      g_string_erase (in, 0, 2);
  }
}

/* Returns how many it took. */
static guint
proxy_ask_for_sign (Proxy *self, World *world)
{
  guint n = 0;

  self->tally.is_seen = FALSE;
  for (; n < MAX_SIGNS && !self->tally.is_seen && !proxy_is_hung_up (self); n++) {
    g_autofree char *text = tally_make_sign (&self->tally, "TCP", world->lease->bindings[0]);

    proxy_send (self, text, strlen (text));
    settle ();
    proxy_take_answers (self);
  }
  return n;
}

/* What is wrong may be left without an answer. */
static gboolean
is_allowed (const char *allowed, guint status)
{
  return sip_torture_allows (allowed, status) ||
         (status == 0 && (sip_torture_allows (allowed, 400) || sip_torture_allows (allowed, 505)));
}

static void
torture (World *world, Proxy *proxy, const char *name, GBytes *message, const char *allowed)
{
  guint n_max = g_str_equal (name, "dblreq") ? 2 : 1; /* here it is two */
  guint n_signs;
  gboolean is_told_apart; /* from what followed */
  gsize n_bytes;
  const char *bytes = g_bytes_get_data (message, &n_bytes);

  tally_begin (&proxy->tally);
  proxy_send (proxy, bytes, n_bytes);
  n_signs = proxy_ask_for_sign (proxy, world);
  is_told_apart = n_signs == 1 && !proxy_is_hung_up (proxy) && n_max == 1;
  tally_judge (&proxy->tally, name, n_bytes, n_max,
               n_signs < MAX_SIGNS && (!is_told_apart || is_allowed (allowed, proxy->tally.status)),
               allowed);

  decline_all (world);
  if (proxy_is_hung_up (proxy)) {
    wait_until (world->lost != NULL);
    g_assert_error (world->lost, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
    g_clear_error (&world->lost);
    g_ptr_array_remove (proxy->server->lines, proxy->line);
    proxy->n_hung_up++;
    proxy_register (proxy, world);
  }
  proxy_ask_for_sign (proxy, world);
  g_assert_true (proxy->tally.is_seen);
}

static void
test_tcp (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) messages = sip_torture_load (TORTURE, &error);
  g_autofree char *server = NULL;
  Proxy proxy = { .server = server_new () };
  gsize before = 0;

  g_assert_no_error (error);
  server = g_strdup_printf ("127.0.0.1:%u", proxy.server->port);
  set_string (world, "server", server);
  set_string (world, "transport", "tcp");
  stay_silent (world);
  world->may_be_lost = TRUE;
  proxy_register (&proxy, world);

  for (guint round = 0; round < ROUNDS; round++) {
    for (guint i = 0; i < messages->len; i++) {
      const SipTorture *message = messages->pdata[i];
      g_autoptr (GBytes) aimed = sip_torture_aim (message, world->lease->bindings[0]);

      torture (world, &proxy, message->name, message->bytes, message->as_is);
      if (aimed != NULL)
        torture (world, &proxy, message->name, aimed, message->aimed);
    }
    muster_clock_advance_us (GONE_S * G_USEC_PER_SEC);
    if (round == ROUNDS / 4)
      before = mallinfo2 ().uordblks;
  }
  g_test_message ("%u connections, %zu bytes, then %zu", proxy.n_hung_up, before,
                  mallinfo2 ().uordblks);
  g_assert_cmpuint (mallinfo2 ().uordblks, <, before + GROWTH_BYTES);

  proxy.server->is_granting = TRUE;
  close_and_wait (world);
  g_assert_no_error (world->error);
  server_free (proxy.server);
  g_free (proxy.tally.branch);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

  g_test_add ("/sip/torture/tcp", World, NULL, world_set_up, test_tcp, world_tear_down);

  return g_test_run ();
}
