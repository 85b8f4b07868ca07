/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-roster.h"

/* The roster alone: whose word counts, how contacts come and go, and what there is room for. */

#define NOW_US (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC)

typedef struct {
  MusterRoster *roster;
  GString *told;
} World;

static void
on_changed (MusterRosterPerson *person, gboolean is_gone, gpointer user_data)
{
  World *world = user_data;

  g_string_append_printf (world->told, "%s%s%s", world->told->len > 0 ? " " : "",
                          is_gone ? "-" : "", muster_roster_person_get_key (person));
}

static void
set_up (World *world, gconstpointer data)
{
  world->told = g_string_new (NULL);
  world->roster = muster_roster_new (on_changed, world);
  muster_roster_set_current (world->roster, "a1", TRUE, NOW_US);
  muster_roster_set_current (world->roster, "a2", TRUE, NOW_US);
}

static void
tear_down (World *world, gconstpointer data)
{
  muster_roster_free (world->roster);
  g_string_free (world->told, TRUE);
}

#define assert_told(world, expected)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpstr ((world)->told->str, ==, expected);                                            \
    g_string_truncate ((world)->told, 0);                                                          \
  }                                                                                                \
  G_STMT_END

static MusterRosterNews
put (World *world,
     const char *account,
     const char *address,
     MusterContactState state,
     MusterPresence presence)
{
  g_autoptr (MusterContact) contact = muster_contact_new (address);

  contact->state = state;
  contact->presence = presence;
  return muster_roster_put (world->roster, account, address, contact, NOW_US);
}

static MusterRosterNews
load (World *world, const char *account, const char *address, MusterPresence presence)
{
  g_autoptr (MusterContact) contact = muster_contact_new (address);

  contact->state = MUSTER_CONTACT_WATCHED;
  contact->presence = presence;
  return muster_roster_load (world->roster, account, address, contact, NOW_US);
}

/* "PRESENCE@ACCOUNT", "unknown@ACCOUNT", or "-": nobody has it */
static char *
look_at (World *world, const char *address)
{
  MusterRosterPerson *person = muster_roster_find (world->roster, address);
  MusterRosterView view;

  if (person == NULL || !muster_roster_person_view (person, &view))
    return g_strdup ("-");

  return g_strdup_printf ("%s@%s",
                          view.is_known ? muster_presence_to_string (view.presence) : "unknown",
                          view.account);
}

#define assert_view(world, address, expected)                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *seen = look_at (world, address);                                              \
    g_assert_cmpstr (seen, ==, expected);                                                          \
  }                                                                                                \
  G_STMT_END

/* Each presence beside each other: the likelier to answer is shown, whoever says it. */
static void
test_best_presence (World *world, gconstpointer data)
{
  static const MusterPresence likeliest_first[] = {
    MUSTER_PRESENCE_CHAT, MUSTER_PRESENCE_AVAILABLE, MUSTER_PRESENCE_AWAY,   MUSTER_PRESENCE_XA,
    MUSTER_PRESENCE_DND,  MUSTER_PRESENCE_INVISIBLE, MUSTER_PRESENCE_OFFLINE
  };

  G_STATIC_ASSERT (G_N_ELEMENTS (likeliest_first) == MUSTER_PRESENCE_LAST);
  for (guint i = 0; i < G_N_ELEMENTS (likeliest_first); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (likeliest_first); j++) {
      g_autofree char *expected = NULL;

      put (world, "a1", "bob@x", MUSTER_CONTACT_WATCHED, likeliest_first[i]);
      put (world, "a2", "bob@x", MUSTER_CONTACT_WATCHED, likeliest_first[j]);
      expected = g_strdup_printf ("%s@a%d", muster_presence_to_string (likeliest_first[MIN (i, j)]),
                                  i <= j ? 1 : 2);
      if (i != j)
        assert_view (world, "bob@x", expected);
    }
  }
}

static void
test_newer_of_two_alike (World *world, gconstpointer data)
{
  g_autoptr (MusterContact) contact = muster_contact_new ("bob@x");

  contact->state = MUSTER_CONTACT_WATCHED;
  contact->presence = MUSTER_PRESENCE_AWAY;
  contact->changed_at_us = NOW_US - 5;
  muster_roster_put (world->roster, "a1", "bob@x", contact, NOW_US);
  contact->changed_at_us = NOW_US - 4;
  muster_roster_put (world->roster, "a2", "bob@x", contact, NOW_US);
  assert_view (world, "bob@x", "away@a2");
  contact->changed_at_us = NOW_US - 5;
  muster_roster_put (world->roster, "a2", "bob@x", contact, NOW_US);
  assert_view (world, "bob@x", "away@a1");
}

/* A name and a wish to see us may come from another account than the presence. */
static void
test_view_of_all (World *world, gconstpointer data)
{
  g_autoptr (MusterContact) named = muster_contact_new ("Bob@X");
  MusterRosterView view;
  MusterRosterEntry entries[3];

  named->name = g_strdup ("Bob");
  named->asks = TRUE;
  named->state = MUSTER_CONTACT_PENDING;
  muster_roster_put (world->roster, "a1", "Bob@X", named, NOW_US);
  put (world, "a2", "bob@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND);
  g_assert_cmpuint (muster_roster_count (world->roster), ==, 1);
  g_assert_true (muster_roster_person_view (muster_roster_find (world->roster, "BOB@x"), &view));
  g_assert_cmpstr (view.address, ==, "Bob@X"); /* as it was first seen */
  g_assert_cmpstr (view.name, ==, "Bob");
  g_assert_cmpstr (view.account, ==, "a2");
  g_assert_cmpint (view.state, ==, MUSTER_CONTACT_WATCHED);
  g_assert_true (view.asks);
  g_assert_cmpuint (view.n_entries, ==, 2);
  g_assert_cmpuint (muster_roster_person_get_entries (muster_roster_find (world->roster, "bob@x"),
                                                      entries, 3),
                    ==, 2);
  g_assert_cmpstr (entries[0].account, ==, "a1");
  g_assert_cmpstr (entries[1].contact->address, ==, "bob@x");
  g_assert_true (entries[1].is_current);
  g_assert_cmpuint (muster_roster_person_get_entries (muster_roster_find (world->roster, "bob@x"),
                                                      entries, 1),
                    ==, 1);
}

/* Somebody who does not let us see is not off-line: we do not know. */
static void
test_not_seen_is_not_offline (World *world, gconstpointer data)
{
  static const struct {
    MusterContactState state;
    const char *expected;
  } cases[] = { { MUSTER_CONTACT_NONE, "unknown@a1" },
                { MUSTER_CONTACT_PENDING, "unknown@a1" },
                { MUSTER_CONTACT_DENIED, "unknown@a1" },
                { MUSTER_CONTACT_WATCHED, "offline@a1" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    put (world, "a1", "bob@x", cases[i].state, MUSTER_PRESENCE_OFFLINE);
    assert_view (world, "bob@x", cases[i].expected);
  }
  put (world, "a1", "bob@x", MUSTER_CONTACT_NONE, MUSTER_PRESENCE_AVAILABLE);
  assert_view (world, "bob@x", "available@a1");
}

static void
test_not_current (World *world, gconstpointer data)
{
  MusterRosterView view;

  put (world, "a1", "bob@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AVAILABLE);
  put (world, "a2", "bob@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND);
  put (world, "a1", "carol@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AVAILABLE);
  g_string_truncate (world->told, 0);

  muster_roster_set_current (world->roster, "a1", FALSE, NOW_US + 7);
  assert_told (world, "bob@x carol@x");
  assert_view (world, "bob@x", "dnd@a2");
  assert_view (world, "carol@x", "unknown@a1");
  muster_roster_person_view (muster_roster_find (world->roster, "carol@x"), &view);
  g_assert_cmpint (view.since_us, ==, NOW_US + 7);
  g_assert_cmpstr (view.text, ==, "");
  muster_roster_set_current (world->roster, "a1", FALSE, NOW_US + 9);
  assert_told (world, "");

  /* Back, but what it said before does not count until it says it again. */
  muster_roster_set_current (world->roster, "a1", TRUE, NOW_US + 10);
  assert_told (world, "");
  assert_view (world, "carol@x", "unknown@a1");
  g_assert_cmpint (put (world, "a1", "carol@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AVAILABLE),
                   ==, MUSTER_ROSTER_CHANGED);
  assert_view (world, "carol@x", "available@a1");
  assert_told (world, "carol@x");
}

static void
test_what_is_news (World *world, gconstpointer data)
{
  static const struct {
    MusterContactState state;
    gboolean asks;
    MusterRosterNews news;
  } steps[] = {
    { MUSTER_CONTACT_NONE, TRUE, MUSTER_ROSTER_CHANGED | MUSTER_ROSTER_ASKS },
    { MUSTER_CONTACT_NONE, TRUE, MUSTER_ROSTER_SAME },
    { MUSTER_CONTACT_PENDING, FALSE, MUSTER_ROSTER_CHANGED },
    { MUSTER_CONTACT_DENIED, FALSE, MUSTER_ROSTER_CHANGED | MUSTER_ROSTER_REFUSED },
    { MUSTER_CONTACT_PENDING, FALSE, MUSTER_ROSTER_CHANGED },
    { MUSTER_CONTACT_WATCHED, FALSE, MUSTER_ROSTER_CHANGED | MUSTER_ROSTER_ACCEPTED },
    { MUSTER_CONTACT_WATCHED, TRUE, MUSTER_ROSTER_CHANGED | MUSTER_ROSTER_ASKS },
    { MUSTER_CONTACT_DENIED, TRUE, MUSTER_ROSTER_CHANGED | MUSTER_ROSTER_REFUSED },
    { MUSTER_CONTACT_DENIED, FALSE, MUSTER_ROSTER_CHANGED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autoptr (MusterContact) contact = muster_contact_new ("bob@x");

    contact->state = steps[i].state;
    contact->asks = steps[i].asks;
    g_assert_cmpint (muster_roster_put (world->roster, "a1", "bob@x", contact, NOW_US), ==,
                     steps[i].news);
  }
}

/* The service does not say when: then it was now, if something was otherwise before. */
static void
test_when (World *world, gconstpointer data)
{
  static const struct {
    MusterPresence presence;
    gint64 now_us, since_us;
  } steps[] = {
    { MUSTER_PRESENCE_AWAY, NOW_US, 0 }, /* it may be away for weeks */
    { MUSTER_PRESENCE_DND, NOW_US + 5, NOW_US + 5 },
    { MUSTER_PRESENCE_DND, NOW_US + 9, NOW_US + 5 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autoptr (MusterContact) contact = muster_contact_new ("bob@x");
    MusterRosterView view;

    contact->state = MUSTER_CONTACT_WATCHED;
    contact->presence = steps[i].presence;
    muster_roster_put (world->roster, "a1", "bob@x", contact, steps[i].now_us);
    muster_roster_person_view (muster_roster_find (world->roster, "bob@x"), &view);
    g_assert_cmpint (view.since_us, ==, steps[i].since_us);
  }
}

/* What a load does not bring is gone, what came since it was made is newer, and pieces will do. */
static void
test_load (World *world, gconstpointer data)
{
  put (world, "a1", "old1@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND);
  put (world, "a1", "old2@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND);
  put (world, "a1", "bob@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND);
  put (world, "a2", "old1@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_XA);
  g_string_truncate (world->told, 0);

  muster_roster_begin_load (world->roster, "a1");
  put (world, "a1", "carol@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_CHAT);
  g_assert_cmpint (load (world, "a1", "bob@x", MUSTER_PRESENCE_DND), ==, MUSTER_ROSTER_SAME);
  g_assert_cmpint (load (world, "a1", "carol@x", MUSTER_PRESENCE_OFFLINE), ==, MUSTER_ROSTER_SAME);
  load (world, "a1", "dave@x", MUSTER_PRESENCE_AWAY);
  assert_told (world, "carol@x dave@x");
  g_assert_true (muster_roster_trim (world->roster, "a1", 1));
  g_assert_false (muster_roster_trim (world->roster, "a1", 10));
  assert_told (world, "old1@x -old2@x");
  assert_view (world, "old1@x", "xa@a2");
  assert_view (world, "old2@x", "-");
  assert_view (world, "bob@x", "dnd@a1");
  assert_view (world, "carol@x", "chat@a1");
  g_assert_false (muster_roster_trim (world->roster, "nobody", 1));
}

static void
test_remove_and_forget (World *world, gconstpointer data)
{
  put (world, "a1", "bob@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND);
  put (world, "a2", "bob@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY);
  put (world, "a1", "carol@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND);
  g_string_truncate (world->told, 0);

  g_assert_nonnull (muster_roster_find_entry (world->roster, "a2", "BOB@x"));
  g_assert_true (muster_roster_remove (world->roster, "a2", "BOB@x"));
  g_assert_false (muster_roster_remove (world->roster, "a2", "bob@x"));
  g_assert_false (muster_roster_remove (world->roster, "a3", "bob@x"));
  g_assert_null (muster_roster_find_entry (world->roster, "a2", "bob@x"));
  assert_told (world, "bob@x");

  muster_roster_forget (world->roster, "a1");
  assert_view (world, "bob@x", "-"); /* at once; all else in pieces */
  assert_told (world, "");
  g_assert_true (muster_roster_trim (world->roster, "a1", 1));
  assert_told (world, "-bob@x");
  g_assert_false (muster_roster_trim (world->roster, "a1", 1));
  assert_told (world, "-carol@x");
  g_assert_cmpuint (muster_roster_count (world->roster), ==, 0);
  g_assert_null (muster_roster_next (world->roster, ""));
}

static void
test_order (World *world, gconstpointer data)
{
  static const char *const mixed[] = { "dave@x", "Bob@x", "carol@x", "alice@x" };
  g_autoptr (GString) seen = g_string_new (NULL);
  const char *after = "";
  MusterRosterPerson *person;

  for (guint i = 0; i < G_N_ELEMENTS (mixed); i++)
    put (world, "a1", mixed[i], MUSTER_CONTACT_NONE, MUSTER_PRESENCE_OFFLINE);
  while ((person = muster_roster_next (world->roster, after)) != NULL) {
    after = muster_roster_person_get_key (person);
    g_string_append_printf (seen, "%s ", muster_roster_person_get_address (person));
  }
  g_assert_cmpstr (seen->str, ==, "alice@x Bob@x carol@x dave@x ");
  person = muster_roster_next (world->roster, "bobby@x"); /* a page ended with one that is gone */
  g_assert_cmpstr (muster_roster_person_get_key (person), ==, "carol@x");
}

static guint
fill (World *world, const char *account, guint n)
{
  guint n_full = 0;

  for (guint i = 0; i < n; i++) {
    char address[32];

    g_snprintf (address, sizeof address, "%s-%05u@x", account, i);
    if ((put (world, account, address, MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_AWAY) &
         MUSTER_ROSTER_FULL) != 0)
      n_full++;
  }

  return n_full;
}

static void
test_room (World *world, gconstpointer data)
{
  static const char *const accounts[] = { "a1", "a2", "a3", "a4", "a5" };

  g_assert_cmpuint (fill (world, "a1", MUSTER_ROSTER_ACCOUNT_MAX + 3), ==, 3);
  g_assert_cmpuint (muster_roster_count (world->roster), ==, MUSTER_ROSTER_ACCOUNT_MAX);
  for (guint i = 1; i < G_N_ELEMENTS (accounts); i++)
    g_assert_cmpuint (fill (world, accounts[i], MUSTER_ROSTER_ACCOUNT_MAX), ==, 0);
  g_assert_cmpuint (muster_roster_count (world->roster), ==, MUSTER_ROSTER_MAX);
  g_assert_cmpuint (fill (world, "a6", 1), ==, 1);
  g_assert_cmpuint (muster_roster_count (world->roster), ==, MUSTER_ROSTER_MAX);
  g_assert_cmpint (put (world, "a1", "a1-00000@x", MUSTER_CONTACT_WATCHED, MUSTER_PRESENCE_DND), ==,
                   MUSTER_ROSTER_CHANGED); /* what is there may change */
  g_assert_true (muster_roster_remove (world->roster, "a1", "a1-00000@x"));
  g_assert_cmpuint (fill (world, "a6", 1), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test) g_test_add (path, World, NULL, set_up, test, tear_down)
  ADD ("/roster/best-presence", test_best_presence);
  ADD ("/roster/newer-of-two-alike", test_newer_of_two_alike);
  ADD ("/roster/view-of-all", test_view_of_all);
  ADD ("/roster/not-seen-is-not-offline", test_not_seen_is_not_offline);
  ADD ("/roster/not-current", test_not_current);
  ADD ("/roster/what-is-news", test_what_is_news);
  ADD ("/roster/when", test_when);
  ADD ("/roster/load", test_load);
  ADD ("/roster/remove-and-forget", test_remove_and_forget);
  ADD ("/roster/order", test_order);
  ADD ("/roster/room", test_room);

  return g_test_run ();
}
