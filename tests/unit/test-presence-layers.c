/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "broker/muster-presence-layers.h"

#include <string.h>

/* Which layer shows, and when that changes by itself. */

static void
set (MusterPresenceLayers *layers,
     const char *name,
     MusterPresence presence,
     guint priority,
     gint64 until_us,
     guint64 number)
{
  const MusterPresenceLayer layer = {
    .name = (char *) name,
    .presence = presence,
    .text = (char *) "",
    .priority = priority,
    .until_us = until_us,
    .number = number,
  };

  muster_presence_layers_set (layers, &layer);
}

static const char *
effective (MusterPresenceLayers *layers, gint64 now_us)
{
  const MusterPresenceLayer *layer = muster_presence_layers_get_effective (layers, now_us);

  return layer != NULL ? layer->name : "(none)";
}

static void
test_none (void)
{
  g_autoptr (MusterPresenceLayers) layers = muster_presence_layers_new ();

  g_assert_cmpstr (effective (layers, 0), ==, "(none)");
  g_assert_cmpint (muster_presence_layers_get_next_us (layers), ==, 0);
  g_assert_null (muster_presence_layers_expire (layers, G_MAXINT64));
  g_assert_false (muster_presence_layers_remove (layers, "user", 0));
}

static void
test_priority_counts_then_the_last (void)
{
  g_autoptr (MusterPresenceLayers) layers = muster_presence_layers_new ();

  set (layers, "user", MUSTER_PRESENCE_AVAILABLE, 50, 0, 1);
  set (layers, "idle", MUSTER_PRESENCE_AWAY, 40, 0, 2);
  g_assert_cmpstr (effective (layers, 0), ==, "user");
  set (layers, "call", MUSTER_PRESENCE_DND, 50, 0, 3);
  g_assert_cmpstr (effective (layers, 0), ==, "call");
  set (layers, "user", MUSTER_PRESENCE_AVAILABLE, 50, 0, 4); /* says it again */
  g_assert_cmpstr (effective (layers, 0), ==, "user");
  g_assert_cmpuint (muster_presence_layers_count (layers), ==, 3);
  set (layers, "idle", MUSTER_PRESENCE_AWAY, 100, 0, 2); /* however old */
  g_assert_cmpstr (effective (layers, 0), ==, "idle");
}

/* The order of their names is no order of theirs. */
static void
test_the_last_whatever_its_name (void)
{
  g_autoptr (MusterPresenceLayers) layers = muster_presence_layers_new ();

  set (layers, "b", MUSTER_PRESENCE_AWAY, 50, 0, 1);
  set (layers, "a", MUSTER_PRESENCE_XA, 50, 0, 2);
  set (layers, "c", MUSTER_PRESENCE_XA, 50, 0, 0);
  g_assert_cmpstr (effective (layers, 0), ==, "a");
  g_assert_cmpstr (muster_presence_layers_get (layers, 0)->name, ==, "a");
  g_assert_cmpstr (muster_presence_layers_get (layers, 2)->name, ==, "c");
}

static void
test_until (void)
{
  g_autoptr (MusterPresenceLayers) layers = muster_presence_layers_new ();
  g_autoptr (MusterPresenceLayer) gone = NULL;

  set (layers, "user", MUSTER_PRESENCE_AVAILABLE, 50, 0, 1);
  set (layers, "call", MUSTER_PRESENCE_DND, 80, 2000, 2);
  set (layers, "lunch", MUSTER_PRESENCE_AWAY, 60, 3000, 3);
  g_assert_cmpint (muster_presence_layers_get_next_us (layers), ==, 2000);
  g_assert_cmpstr (effective (layers, 1999), ==, "call");
  g_assert_cmpstr (effective (layers, 2000), ==, "lunch"); /* before anybody has removed it */
  g_assert_null (muster_presence_layers_expire (layers, 1999));

  gone = muster_presence_layers_expire (layers, 2000);
  g_assert_cmpstr (gone->name, ==, "call");
  g_assert_null (muster_presence_layers_expire (layers, 2000));
  g_assert_cmpint (muster_presence_layers_get_next_us (layers), ==, 3000);
  g_assert_cmpstr (effective (layers, 3000), ==, "user");
}

/* Who set it once does not remove what somebody has set since. */
static void
test_remove_by_number (void)
{
  g_autoptr (MusterPresenceLayers) layers = muster_presence_layers_new ();

  set (layers, "call", MUSTER_PRESENCE_DND, 80, 0, 7);
  set (layers, "call", MUSTER_PRESENCE_DND, 80, 0, 8);
  g_assert_false (muster_presence_layers_remove (layers, "call", 7));
  g_assert_true (muster_presence_layers_remove (layers, "call", 8));
  set (layers, "call", MUSTER_PRESENCE_DND, 80, 0, 9);
  g_assert_true (muster_presence_layers_remove (layers, "call", 0));
  g_assert_cmpuint (muster_presence_layers_count (layers), ==, 0);
}

static void
test_sixteen (void)
{
  g_autoptr (MusterPresenceLayers) layers = muster_presence_layers_new ();

  for (guint i = 0; i < MUSTER_PRESENCE_LAYERS_MAX; i++) {
    g_autofree char *name = g_strdup_printf ("layer-%u", i);

    g_assert_true (muster_presence_layers_has_room (layers, name));
    set (layers, name, MUSTER_PRESENCE_AWAY, 50, 0, i + 1);
  }
  g_assert_false (muster_presence_layers_has_room (layers, "one-more"));
  g_assert_true (muster_presence_layers_has_room (layers, "layer-3"));
}

static void
test_words (void)
{
  g_autofree char *long_text = g_strnfill (MUSTER_PRESENCE_TEXT_MAX_BYTES + 1, 'x');
  MusterPresence presence;

  for (guint i = 0; i < MUSTER_PRESENCE_LAST; i++) {
    g_assert_true (
      muster_presence_from_string (muster_presence_to_string ((MusterPresence) i), &presence));
    g_assert_cmpuint (presence, ==, i);
  }
  g_assert_false (muster_presence_from_string ("happy", &presence));
  g_assert_false (muster_presence_from_string ("", &presence));

  g_assert_true (muster_presence_check_name ("user", NULL));
  g_assert_true (muster_presence_check_name ("a-9", NULL));
  g_assert_true (muster_presence_check_name ("abcdefghijklmnopqrstuvwxyz012345", NULL));
  g_assert_false (muster_presence_check_name ("abcdefghijklmnopqrstuvwxyz0123456", NULL));
  g_assert_false (muster_presence_check_name ("", NULL));
  g_assert_false (muster_presence_check_name ("User", NULL));
  g_assert_false (muster_presence_check_name ("a b", NULL));
  g_assert_false (muster_presence_check_name ("\303\244", NULL));

  g_assert_true (muster_presence_check_text ("", NULL));
  g_assert_true (muster_presence_check_text ("Mittagessen, \303\240 bient\303\264t", NULL));
  g_assert_false (muster_presence_check_text (long_text, NULL));
  long_text[MUSTER_PRESENCE_TEXT_MAX_BYTES] = '\0';
  g_assert_true (muster_presence_check_text (long_text, NULL));
  g_assert_false (muster_presence_check_text ("two\r\nlines", NULL));
  g_assert_false (muster_presence_check_text ("\033[2J", NULL));
  g_assert_false (muster_presence_check_text ("\302\205", NULL)); /* NEL */
  g_assert_false (muster_presence_check_text ("\377", NULL));

  g_assert_true (muster_presence_check_priority (0, NULL));
  g_assert_true (muster_presence_check_priority (100, NULL));
  g_assert_false (muster_presence_check_priority (101, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/presence-layers/none", test_none);
  g_test_add_func ("/presence-layers/priority-counts-then-the-last",
                   test_priority_counts_then_the_last);
  g_test_add_func ("/presence-layers/the-last-whatever-its-name", test_the_last_whatever_its_name);
  g_test_add_func ("/presence-layers/until", test_until);
  g_test_add_func ("/presence-layers/remove-by-number", test_remove_by_number);
  g_test_add_func ("/presence-layers/sixteen", test_sixteen);
  g_test_add_func ("/presence-layers/words", test_words);

  return g_test_run ();
}
