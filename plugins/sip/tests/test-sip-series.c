/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-series.h"

#include <string.h>

/* Which of numbered documents is taken, and for what. */

/* Every place in a series with every document there may be. */
static void
test_every_step (void)
{
  static const guint32 places[] = { 0, 1, 5, G_MAXUINT32 - 1, G_MAXUINT32 };
  static const gint64 steps[] = { -5, -1, 0, 1, 2, 5 };

  for (gsize place = 0; place < G_N_ELEMENTS (places); place++) {
    for (gsize step = 0; step < G_N_ELEMENTS (steps); step++) {
      for (int is_full = FALSE; is_full <= TRUE; is_full++) {
        gint64 next = (gint64) places[place] + steps[step];
        MusterSipSeries series = { places[place], TRUE, TRUE };
        MusterSipEdition edition;

        if (next < 0 || next > G_MAXUINT32)
          continue;
        edition = muster_sip_series_next (&series, (guint32) next, is_full);
        if (is_full && (next == 0 || steps[step] > 0))
          g_assert_cmpint (edition, ==, MUSTER_SIP_EDITION_WHOLE);
        else if (steps[step] <= 0)
          g_assert_cmpint (edition, ==, MUSTER_SIP_EDITION_OLD);
        else
          g_assert_cmpint (edition, ==,
                           steps[step] == 1 ? MUSTER_SIP_EDITION_CHANGES : MUSTER_SIP_EDITION_GAP);

        g_assert_cmpuint (series.version, ==,
                          edition == MUSTER_SIP_EDITION_OLD ? places[place] : (guint32) next);
        g_assert_cmpint (series.is_whole, ==, edition != MUSTER_SIP_EDITION_GAP);
      }
    }
  }
}

static void
test_first (void)
{
  MusterSipSeries full = { 0 };
  MusterSipSeries partial = { 0 };

  g_assert_cmpint (muster_sip_series_next (&full, 7, TRUE), ==, MUSTER_SIP_EDITION_WHOLE);
  g_assert_true (full.is_whole);
  g_assert_cmpint (muster_sip_series_next (&partial, 0, FALSE), ==, MUSTER_SIP_EDITION_GAP);
  g_assert_false (partial.is_whole);
}

/* A hole stays one until a whole document closes it. */
static void
test_hole (void)
{
  MusterSipSeries series = { 0 };

  muster_sip_series_next (&series, 0, TRUE);
  g_assert_cmpint (muster_sip_series_next (&series, 2, FALSE), ==, MUSTER_SIP_EDITION_GAP);
  g_assert_cmpint (muster_sip_series_next (&series, 3, FALSE), ==, MUSTER_SIP_EDITION_CHANGES);
  g_assert_false (series.is_whole);
  g_assert_cmpint (muster_sip_series_next (&series, 4, TRUE), ==, MUSTER_SIP_EDITION_WHOLE);
  g_assert_true (series.is_whole);
}

static void
test_read (void)
{
  static const struct {
    const char *root;
    const char *problem; /* nullable: it is read */
  } rows[] = {
    { "<a version='3' state='full'/>", NULL },
    { "<a version=' 3 ' state='partial'/>", NULL },
    { "<a state='full'/>", "no version" },
    { "<a version='' state='full'/>", "no version" },
    { "<a version='three' state='full'/>", "no version" },
    { "<a version='-1' state='full'/>", "no version" },
    { "<a version='4294967296' state='full'/>", "no version" },
    { "<a version='3'/>", "full or partial" },
    { "<a version='3' state='both'/>", "full or partial" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (MusterSipXml) xml = muster_sip_xml_parse (rows[i].root, strlen (rows[i].root), NULL);
    g_autoptr (GError) error = NULL;
    MusterSipSeries series = { 2, TRUE, TRUE };
    MusterSipEdition edition;
    gboolean is_read = muster_sip_series_read (&series, muster_sip_xml_get_root (xml), &edition,
                                               &error);

    g_assert_cmpint (is_read, ==, rows[i].problem == NULL);
    g_assert_cmpuint (series.version, ==, is_read ? 3 : 2);
    if (!is_read) {
      g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
      g_assert_nonnull (strstr (error->message, rows[i].problem));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sip/series/every-step", test_every_step);
  g_test_add_func ("/sip/series/first", test_first);
  g_test_add_func ("/sip/series/hole", test_hole);
  g_test_add_func ("/sip/series/read", test_read);

  return g_test_run ();
}
