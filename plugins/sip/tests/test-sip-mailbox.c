/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-hub-private.h"
#include "muster-sip-mailbox.h"

#include <string.h>

/* Which word about waiting messages counts, and what of it is told. */

#define TYPE "application/simple-message-summary"
#define BODY                                                                                       \
  "Messages-Waiting: yes\r\nMessage-Account: sip:*97@pbx.test\r\nVoice-Message: 2/8 (0/0)\r\n"

typedef struct {
  MusterSipMailbox *mailbox;
  guint n_told;
  guint told; /* the last: new * 100 + old */
} World;

static void
on_mailbox (guint n_new, guint n_old, gpointer user_data)
{
  World *world = user_data;

  world->n_told++;
  world->told = n_new * 100 + n_old;
}

static void
set_up (World *world, gconstpointer data)
{
  world->mailbox = muster_sip_mailbox_new (on_mailbox, world);
  muster_sip_mailbox_open (world->mailbox);
}

static void
tear_down (World *world, gconstpointer data)
{
  muster_sip_mailbox_free (world->mailbox);
  g_assert_true (muster_clock_is_idle ());
}

static void
take_notified (World *world, const char *body)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (muster_sip_mailbox_take_notified (world->mailbox, body, strlen (body), &error));
  g_assert_no_error (error);
}

static guint
take_unsolicited (World *world, const char *body, gboolean is_subscribed)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  const MusterSipInbound inbound = { .event = (char *) "message-summary",
                                     .content_type = (char *) TYPE,
                                     .body = bytes };

  return muster_sip_mailbox_take_unsolicited (world->mailbox, &inbound, is_subscribed);
}

static void
advance_ms (gint64 ms)
{
  muster_clock_advance_us (ms * 1000);
}

static void
test_which (void)
{
  static const struct {
    const char *event, *id, *to_tag, *state;
    gboolean is_empty;
    gboolean is_taken;
  } rows[] = {
    { "message-summary", NULL, NULL, NULL, FALSE, TRUE },
    { "message-summary", NULL, NULL, "active", FALSE, TRUE },
    { "message-summary", NULL, NULL, "terminated", FALSE, TRUE },
    { "message-summary", "1", NULL, NULL, FALSE, FALSE },
    { "message-summary", NULL, "a", NULL, FALSE, FALSE },
    { "presence", NULL, NULL, NULL, FALSE, FALSE },
    { "reg", NULL, NULL, NULL, FALSE, FALSE },
    { "check-sync", NULL, NULL, NULL, FALSE, FALSE },
    { NULL, NULL, NULL, NULL, FALSE, FALSE },
    { "message-summary", NULL, NULL, "active", TRUE, FALSE },
  };

  g_autoptr (GBytes) body = g_bytes_new_static (BODY, strlen (BODY));

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const MusterSipInbound inbound = { .event = (char *) rows[i].event,
                                       .event_id = (char *) rows[i].id,
                                       .to_tag = (char *) rows[i].to_tag,
                                       .subscription = (char *) rows[i].state,
                                       .body = rows[i].is_empty ? NULL : body };

    g_assert_cmpint (muster_sip_mailbox_is_unsolicited (&inbound), ==, rows[i].is_taken);
  }
}

static void
test_answers (World *world, gconstpointer data)
{
  static const struct {
    const char *type, *encoding, *unsupported, *body;
    guint status;
  } rows[] = {
    { TYPE, NULL, NULL, BODY, 200 },
    { TYPE, "identity", NULL, BODY, 200 },
    { TYPE, NULL, NULL, "Messages-Waiting: no\n", 200 },
    { TYPE, "gzip", NULL, BODY, 415 },
    { "text/plain", NULL, NULL, BODY, 415 },
    { NULL, NULL, NULL, BODY, 415 },
    { TYPE, NULL, "eventlist", BODY, 420 },
    { TYPE, NULL, NULL, "Nonsense\r\n", 400 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes)
      bytes = rows[i].body != NULL ? g_bytes_new (rows[i].body, strlen (rows[i].body)) : NULL;
    const MusterSipInbound inbound = { .content_type = (char *) rows[i].type,
                                       .content_encoding = (char *) rows[i].encoding,
                                       .unsupported = (char *) rows[i].unsupported,
                                       .body = bytes };
    guint n_before = world->n_told;

    advance_ms (2000);
    g_assert_cmpuint (muster_sip_mailbox_take_unsolicited (world->mailbox, &inbound, FALSE), ==,
                      rows[i].status);
    g_assert_cmpuint (world->n_told - n_before, ==, rows[i].status == 200);
  }
  muster_sip_mailbox_close (world->mailbox);
}

/* A flood comes to one a second, and the last word is not lost. */
static void
test_flood (World *world, gconstpointer data)
{
  for (guint i = 0; i < 1000; i++) {
    g_autofree char *body = g_strdup_printf ("Voice-Message: %u/0\r\n", i % 2 + 1);

    g_assert_cmpuint (take_unsolicited (world, body, FALSE), ==, 200);
    g_assert_cmpuint (world->n_told, ==, 1);
  }
  g_assert_cmpuint (world->told, ==, 100);
  advance_ms (999);
  g_assert_cmpuint (world->n_told, ==, 1);
  advance_ms (1);
  g_assert_cmpuint (world->n_told, ==, 2);
  g_assert_cmpuint (world->told, ==, 200);

  take_unsolicited (world, BODY, FALSE); /* what was held begins another pause */
  g_assert_cmpuint (world->n_told, ==, 2);
  advance_ms (1000);
  g_assert_cmpuint (world->told, ==, 208);
  advance_ms (1000);
  g_assert_true (muster_clock_is_idle ()); /* and then nothing wakes up */
}

/* While the server has our subscription, and has said something in it, that counts. */
static void
test_subscription_counts_more (World *world, gconstpointer data)
{
  g_assert_cmpuint (take_unsolicited (world, BODY, TRUE), ==, 200); /* which is silent so far */
  g_assert_cmpuint (world->told, ==, 208);
  take_unsolicited (world, "Voice-Message: 9/9\r\n", TRUE); /* held, and out of date then */
  take_notified (world, "Voice-Message: 1/0\r\n");
  g_assert_cmpuint (world->told, ==, 100);
  advance_ms (5000);
  g_assert_cmpuint (world->told, ==, 100);
  g_assert_cmpuint (take_unsolicited (world, BODY, TRUE), ==, 200);
  advance_ms (5000);
  g_assert_cmpuint (world->told, ==, 100);

  take_unsolicited (world, BODY, FALSE); /* the subscription has gone */
  g_assert_cmpuint (world->told, ==, 208);
  take_unsolicited (world, "Voice-Message: 9/9\r\n", FALSE);
  muster_sip_mailbox_close (world->mailbox); /* and so have we */
  advance_ms (5000);
  g_assert_cmpuint (world->told, ==, 208);
  take_unsolicited (world, "Voice-Message: 3/0\r\n", TRUE);
  g_assert_cmpuint (world->told, ==, 208);
  muster_sip_mailbox_open (world->mailbox);
  g_assert_cmpuint (world->told, ==, 300);
}

static void
test_notified_nonsense (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (muster_sip_mailbox_take_notified (world->mailbox, "x", 1, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  g_assert_cmpuint (world->n_told, ==, 0);
  take_unsolicited (world, BODY, TRUE); /* nothing was said in the subscription yet */
  g_assert_cmpuint (world->told, ==, 208);
}

#define ADD(path, func) g_test_add ("/sip/mailbox/" path, World, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  muster_clock_use_virtual (1000 * G_USEC_PER_SEC, 1700000000 * (gint64) G_USEC_PER_SEC);

  g_test_add_func ("/sip/mailbox/which", test_which);
  ADD ("answers", test_answers);
  ADD ("flood", test_flood);
  ADD ("subscription-counts-more", test_subscription_counts_more);
  ADD ("notified-nonsense", test_notified_nonsense);

  return g_test_run ();
}
