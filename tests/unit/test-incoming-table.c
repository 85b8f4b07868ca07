/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-broker-error.h"
#include "broker/muster-incoming-handler.h"

/* What becomes of calls and messages, and who takes them: the pure parts. */

static void
test_table (void)
{
  for (guint state = 0; state < MUSTER_INCOMING_N_STATES; state++) {
    gboolean can_end = FALSE;

    for (guint fact = 0; fact < MUSTER_INCOMING_N_FACTS; fact++) {
      MusterIncomingState after = muster_incoming_state_after (state, fact);

      if (muster_incoming_state_is_end (state))
        g_assert_cmpint (after, ==, state);
      if (muster_incoming_state_is_end (after))
        can_end = TRUE;
    }
    g_assert_true (can_end);
    g_assert_cmpstr (muster_incoming_state_to_string (state), !=, "");
  }

  /* What a plugin reports holds, whoever answers meanwhile. */
  for (guint state = MUSTER_INCOMING_WAITING; state <= MUSTER_INCOMING_ANSWERING; state++) {
    static const struct {
      MusterOfferState reported;
      MusterIncomingState end;
    } ends[] = {
      { MUSTER_OFFER_TAKEN, MUSTER_INCOMING_TAKEN },
      { MUSTER_OFFER_ELSEWHERE, MUSTER_INCOMING_ELSEWHERE },
      { MUSTER_OFFER_CANCELLED, MUSTER_INCOMING_CANCELLED },
      { MUSTER_OFFER_STALE, MUSTER_INCOMING_STALE },
    };

    for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
      MusterIncomingFact fact = MUSTER_INCOMING_N_FACTS;

      g_assert_true (muster_incoming_fact_of (ends[i].reported, &fact));
      g_assert_cmpint (muster_incoming_state_after (state, fact), ==, ends[i].end);
    }
  }
  g_assert_cmpint (muster_incoming_state_after (MUSTER_INCOMING_WAITING, MUSTER_INCOMING_ANSWERED),
                   ==, MUSTER_INCOMING_ANSWERING);
  g_assert_cmpint (muster_incoming_state_after (MUSTER_INCOMING_ANSWERING,
                                                MUSTER_INCOMING_ANSWER_DELIVERED),
                   ==, MUSTER_INCOMING_TAKEN);
  g_assert_cmpint (muster_incoming_state_after (MUSTER_INCOMING_ANSWERING,
                                                MUSTER_INCOMING_ANSWER_FAILED),
                   ==, MUSTER_INCOMING_WAITING);
}

static void
test_takes (void)
{
  static const char *const schemes[] = { "sip", "sips", NULL };
  static const struct {
    const char *address, *kinds, *accounts, *identity, *protocol;
    gboolean call, message;
  } cases[] = {
    { "sip:me@127.0.0.1:5070", "call", NULL, NULL, NULL, TRUE, FALSE },
    { "SIPS:me@127.0.0.1:5070", "call,message", NULL, NULL, NULL, TRUE, TRUE },
    { "xmpp:me@example.org", "call,message", NULL, NULL, NULL, FALSE, FALSE },
    { "sip:me@a", "message", NULL, NULL, "sip", FALSE, TRUE },
    { "sip:me@a", "message", NULL, NULL, "xmpp", FALSE, FALSE },
    { "sip:me@a", "call", "a2,a1", "i1", "sip", TRUE, FALSE },
    { "sip:me@a", "call", "a2", NULL, NULL, FALSE, FALSE },
    { "sip:me@a", "call", NULL, "i2", NULL, FALSE, FALSE },
  };
  const MusterProtocol protocol = { .id = "sip", .uri_schemes = schemes };
  MusterAccountRecord record = { .id = (char *) "a1",
                                 .identity = (char *) "i1",
                                 .protocol = (char *) "sip" };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (GStrv) kinds = g_strsplit (cases[i].kinds, ",", -1);
    g_auto (GStrv) accounts = cases[i].accounts != NULL ? g_strsplit (cases[i].accounts, ",", -1)
                                                        : NULL;
    MusterIncomingHandler handler = { .address = (char *) cases[i].address,
                                      .kinds = kinds,
                                      .accounts = accounts,
                                      .identity = (char *) cases[i].identity,
                                      .protocol = (char *) cases[i].protocol };

    g_assert_true (muster_incoming_handler_check (&handler, NULL));
    g_assert_cmpint (muster_incoming_handler_takes (&handler, MUSTER_OFFER_CALL, &record,
                                                    &protocol),
                     ==, cases[i].call);
    g_assert_cmpint (muster_incoming_handler_takes (&handler, MUSTER_OFFER_MESSAGE, &record,
                                                    &protocol),
                     ==, cases[i].message);
  }
}

static void
test_checked (void)
{
  g_autofree char *much = g_strnfill (600, 'x');
  g_autofree char *long_address = g_strconcat ("sip:", much, NULL);
  const struct {
    const char *address, *kinds, *message;
  } cases[] = {
    { "", "call", "address: \"\" is empty*" },
    { "me@example.org", "call", "address: *scheme*" },
    { "sip:a b", "call", "address: *not an address" },
    { "sip:a\nb", "call", "address: *not an address" },
    { "<sip:a>", "call", "address: *not an address" },
    { long_address, "call", "address: *too long" },
    { "sip:a", "", "kinds: *needed" },
    { "sip:a", "fax", "kinds: \"fax\" is neither*" },
    { "sip:a", "call,message,call", "kinds: *needed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (GStrv) kinds = g_strsplit (cases[i].kinds, ",", -1);
    MusterIncomingHandler handler = { .address = (char *) cases[i].address, .kinds = kinds };
    g_autoptr (GError) error = NULL;

    g_assert_false (muster_incoming_handler_check (&handler, &error));
    g_assert_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_INVALID_ARGUMENT);
    if (!g_pattern_match_simple (cases[i].message, error->message))
      g_error ("\"%s\" is not \"%s\"", error->message, cases[i].message);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/incoming/table", test_table);
  g_test_add_func ("/incoming/handlers/takes", test_takes);
  g_test_add_func ("/incoming/handlers/checked", test_checked);

  return g_test_run ();
}
