/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-presence-degrade.h"

#include <string.h>

/* What services are told that cannot say everything: all presences against all that there can be. */

#define BIT(presence) (1u << MUSTER_PRESENCE_##presence)
#define N_MASKS       (1u << MUSTER_PRESENCE_LAST)
#define SEEN_BITS     (BIT (AVAILABLE) | BIT (CHAT) | BIT (AWAY) | BIT (XA) | BIT (DND))

/* By hand: what is said, by the services that there are. */
static void
test_examples (void)
{
  static const guint basic = BIT (AVAILABLE) | BIT (OFFLINE); /* PIDF without RPID: open, closed */
  static const guint rpid = basic | BIT (AWAY) | BIT (DND);
  static const guint xmpp = SEEN_BITS | BIT (OFFLINE);
  static const struct {
    guint supported;
    MusterPresence wanted;
    const char *said; /* NULL: nothing */
  } examples[] = {
    { basic, MUSTER_PRESENCE_AVAILABLE, "available" },
    { basic, MUSTER_PRESENCE_CHAT, "available" },
    { basic, MUSTER_PRESENCE_AWAY, "available" },
    { basic, MUSTER_PRESENCE_XA, "available" },
    { basic, MUSTER_PRESENCE_DND, "available" },
    { basic, MUSTER_PRESENCE_INVISIBLE, "offline" },
    { basic, MUSTER_PRESENCE_OFFLINE, "offline" },
    { rpid, MUSTER_PRESENCE_XA, "away" },
    { rpid, MUSTER_PRESENCE_DND, "dnd" },
    { basic | BIT (AWAY), MUSTER_PRESENCE_DND, "away" },
    { BIT (AVAILABLE) | BIT (XA), MUSTER_PRESENCE_DND, "xa" },
    { BIT (AVAILABLE) | BIT (XA), MUSTER_PRESENCE_AWAY, "xa" },
    { xmpp, MUSTER_PRESENCE_INVISIBLE, "offline" },
    { BIT (CHAT), MUSTER_PRESENCE_AVAILABLE, "chat" },
    { BIT (AVAILABLE), MUSTER_PRESENCE_OFFLINE, NULL },
    { BIT (AVAILABLE), MUSTER_PRESENCE_INVISIBLE, NULL },
    { BIT (OFFLINE), MUSTER_PRESENCE_AVAILABLE, NULL },
    { 0, MUSTER_PRESENCE_AVAILABLE, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (examples); i++) {
    MusterPresence said;
    gboolean can = muster_presence_degrade (examples[i].wanted, examples[i].supported, &said);

    g_assert_cmpstr (can ? muster_presence_to_string (said) : NULL, ==, examples[i].said);
  }
}

static void
check (MusterPresence wanted, guint supported)
{
  gboolean wants_to_be_seen = (SEEN_BITS & (1u << wanted)) != 0;
  g_autofree char *note = muster_presence_dup_note (wanted, supported);
  MusterPresence said;
  gboolean can = muster_presence_degrade (wanted, supported, &said);

  if ((supported & (1u << wanted)) != 0) { /* it is never bettered */
    g_assert_true (can);
    g_assert_cmpuint (said, ==, wanted);
    g_assert_null (note);
    return;
  }

  /* It is never said in silence; the sentence goes on behind a name, and ends without its stop. */
  g_assert_nonnull (note);
  g_assert_nonnull (strstr (note, muster_presence_to_string (wanted)));
  g_assert_true (g_ascii_islower (note[0]) && note[strlen (note) - 1] != '.');
  if (!can) {
    g_assert_nonnull (strstr (note, "nothing"));
    /* ... and only where all else would be wrong */
    g_assert_cmpuint (supported & (wants_to_be_seen ? BIT (AVAILABLE) : 0), ==, 0);
    return;
  }
  g_assert_nonnull (strstr (note, muster_presence_to_string (said)));
  g_assert_cmpuint (supported & (1u << said), !=, 0);
  /* Nobody who hides is shown, and nobody who can be reached is hidden. */
  g_assert_cmpint ((SEEN_BITS & (1u << said)) != 0, ==, wants_to_be_seen);
  /* Nobody seems keener on calls, or less fond of them, than they are. */
  g_assert_true (said != MUSTER_PRESENCE_CHAT || wanted == MUSTER_PRESENCE_AVAILABLE);
  g_assert_cmpuint (said, !=, MUSTER_PRESENCE_DND);
}

static void
test_all (void)
{
  for (guint wanted = 0; wanted < MUSTER_PRESENCE_LAST; wanted++) {
    for (guint supported = 0; supported < N_MASKS; supported++)
      check ((MusterPresence) wanted, supported);
  }
}

/* A plugin of a later version may say more than we know. */
static void
test_bits_that_nobody_knows (void)
{
  MusterPresence said;

  g_assert_false (muster_presence_degrade (MUSTER_PRESENCE_AWAY, ~(N_MASKS - 1), &said));
  g_assert_true (muster_presence_degrade (MUSTER_PRESENCE_AWAY, G_MAXUINT, &said));
  g_assert_cmpuint (said, ==, MUSTER_PRESENCE_AWAY);
}

static void
test_what_it_means (void)
{
  g_autofree char *dnd = muster_presence_dup_note (MUSTER_PRESENCE_DND, BIT (AVAILABLE));
  g_autofree char *hidden = muster_presence_dup_note (MUSTER_PRESENCE_INVISIBLE, BIT (OFFLINE));
  g_autofree char *chat = muster_presence_dup_note (MUSTER_PRESENCE_CHAT, BIT (AVAILABLE));

  g_assert_cmpstr (dnd, ==,
                   "its service cannot say \"dnd\" and is told \"available\" instead: others see "
                   "you as available");
  g_assert_cmpstr (hidden, ==,
                   "its service cannot say \"invisible\" and is told \"offline\" instead: calls "
                   "and messages arrive all the same");
  g_assert_cmpstr (chat, ==, "its service cannot say \"chat\" and is told \"available\" instead");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/presence-degrade/examples", test_examples);
  g_test_add_func ("/presence-degrade/all", test_all);
  g_test_add_func ("/presence-degrade/bits-that-nobody-knows", test_bits_that_nobody_knows);
  g_test_add_func ("/presence-degrade/what-it-means", test_what_it_means);

  return g_test_run ();
}
