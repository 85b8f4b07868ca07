/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-winfo.h"

#include <string.h>

/* The list of those who watch us follows the documents, and tells who is not as before. */

#define WINFO(version, state, watchers)                                                            \
  "<?xml version='1.0'?><watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='" version \
  "' state='" state                                                                                \
  "'><watcher-list resource='sip:alice@example.test' package='presence'>" watchers                 \
  "</watcher-list></watcherinfo>"
#define WATCHER(id, status, event, uri)                                                            \
  "<watcher id='" id "' status='" status "' event='" event "'>" uri "</watcher>"

#define BOB   "sip:bob@example.test"
#define CAROL "sip:carol@example.test"

static gint
by_uri (gconstpointer one, gconstpointer other)
{
  const MusterSipWatcher *const *a = one;
  const MusterSipWatcher *const *b = other;

  return strcmp ((*a)->uri, (*b)->uri);
}

/* As `uri asks watches event name;`, sorted. */
static char *
draw (GPtrArray *watchers)
{
  GString *line = g_string_new (NULL);

  g_ptr_array_sort (watchers, by_uri);
  for (guint i = 0; i < watchers->len; i++) {
    const MusterSipWatcher *each = g_ptr_array_index (watchers, i);

    g_string_append_printf (line, "%s%s%s %s %s;", each->uri, each->asks ? " asks" : "",
                            each->watches ? " watches" : "", each->event ? each->event : "-",
                            each->name ? each->name : "-");
  }
  return g_string_free (line, FALSE);
}

static void
take (MusterSipWinfo *winfo, const char *body, MusterSipEdition expected, const char *changes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) watchers = NULL;
  g_autofree char *line = NULL;
  MusterSipEdition edition;

  watchers = muster_sip_winfo_take (winfo, body, strlen (body), &edition, &error);
  g_assert_no_error (error);
  line = draw (watchers);
  g_assert_cmpstr (line, ==, changes);
  g_assert_cmpint (edition, ==, expected);
}

/* Somebody asks, is let in, and leaves. */
static void
test_story (void)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  take (winfo, WINFO ("0", "full", ""), MUSTER_SIP_EDITION_WHOLE, "");
  take (winfo, WINFO ("1", "partial", WATCHER ("1", "pending", "subscribe", BOB)),
        MUSTER_SIP_EDITION_CHANGES, BOB " asks subscribe -;");
  g_assert_true (muster_sip_winfo_find (winfo, BOB)->asks);
  take (winfo, WINFO ("2", "partial", WATCHER ("1", "active", "approved", BOB)),
        MUSTER_SIP_EDITION_CHANGES, BOB " watches approved -;");
  take (winfo, WINFO ("3", "partial", WATCHER ("1", "active", "approved", BOB)),
        MUSTER_SIP_EDITION_CHANGES, "");
  take (winfo, WINFO ("4", "partial", WATCHER ("1", "terminated", "timeout", BOB)),
        MUSTER_SIP_EDITION_CHANGES, BOB " timeout -;");
  g_assert_null (muster_sip_winfo_find (winfo, BOB));
  g_assert_cmpuint (muster_sip_winfo_get_n_watchers (winfo), ==, 0);
}

/* Who gave up before we answered still wants to know. */
static void
test_waiting (void)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  take (winfo, WINFO ("0", "full", WATCHER ("1", "pending", "subscribe", BOB)),
        MUSTER_SIP_EDITION_WHOLE, BOB " asks subscribe -;");
  take (winfo, WINFO ("1", "partial", WATCHER ("1", "waiting", "timeout", BOB)),
        MUSTER_SIP_EDITION_CHANGES, "");
  take (winfo, WINFO ("2", "partial", WATCHER ("1", "terminated", "giveup", BOB)),
        MUSTER_SIP_EDITION_CHANGES, BOB " giveup -;");
}

/* Two devices of one person are one watcher, until both have gone. */
static void
test_devices (void)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  take (winfo,
        WINFO ("0", "full",
               WATCHER ("1", "active", "approved", BOB) WATCHER ("2", "active", "approved", BOB)),
        MUSTER_SIP_EDITION_WHOLE, BOB " watches approved -;");
  g_assert_cmpuint (muster_sip_winfo_get_n_watchers (winfo), ==, 1);
  take (winfo, WINFO ("1", "partial", WATCHER ("1", "terminated", "timeout", BOB)),
        MUSTER_SIP_EDITION_CHANGES, "");
  take (winfo, WINFO ("2", "partial", WATCHER ("2", "terminated", "timeout", BOB)),
        MUSTER_SIP_EDITION_CHANGES, BOB " timeout -;");
}

/* A whole document takes the place of all; who is not in it has gone. */
static void
test_whole (void)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  take (winfo,
        WINFO ("0", "full",
               WATCHER ("1", "active", "approved", BOB)
                 WATCHER ("2", "pending", "subscribe", CAROL)),
        MUSTER_SIP_EDITION_WHOLE, BOB " watches approved -;" CAROL " asks subscribe -;");
  take (winfo, WINFO ("4", "full", WATCHER ("9", "active", "approved", CAROL)),
        MUSTER_SIP_EDITION_WHOLE, BOB " - -;" CAROL " watches approved -;");
  take (winfo, WINFO ("4", "full", ""), MUSTER_SIP_EDITION_OLD, "");
  take (winfo, WINFO ("2", "partial", WATCHER ("9", "terminated", "timeout", CAROL)),
        MUSTER_SIP_EDITION_OLD, "");
  g_assert_nonnull (muster_sip_winfo_find (winfo, CAROL));
  take (winfo, WINFO ("6", "partial", WATCHER ("1", "pending", "subscribe", BOB)),
        MUSTER_SIP_EDITION_GAP, BOB " asks subscribe -;");
  take (winfo, WINFO ("0", "full", ""), MUSTER_SIP_EDITION_WHOLE, BOB " - -;" CAROL " - -;");
}

/* A new subscription counts anew, and what is known stays until it has told all. */
static void
test_begin (void)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  take (winfo, WINFO ("7", "full", WATCHER ("1", "active", "approved", BOB)),
        MUSTER_SIP_EDITION_WHOLE, BOB " watches approved -;");
  muster_sip_winfo_begin (winfo);
  g_assert_nonnull (muster_sip_winfo_find (winfo, BOB));
  take (winfo, WINFO ("3", "full", WATCHER ("5", "active", "approved", BOB)),
        MUSTER_SIP_EDITION_WHOLE, "");
}

static void
test_names (void)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  take (winfo,
        WINFO ("0", "full",
               "<watcher id='1' status='active' event='approved' display-name='Bob&#10;B.' "
               "duration-subscribed='509' expiration='20'> " BOB "\r\n</watcher>"
               "<watcher id='2' status='active' event='approved' display-name='Al'>" BOB
               "</watcher>"),
        MUSTER_SIP_EDITION_WHOLE, BOB " watches approved Al;");
  take (winfo, WINFO ("1", "partial", WATCHER ("2", "terminated", "timeout", BOB)),
        MUSTER_SIP_EDITION_CHANGES, BOB " watches approved Bob B.;");
}

/* As kamailio and others write it: more lists, prefixes, and what nobody can read. */
static void
test_odd (void)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  take (winfo,
        "<w:watcherinfo xmlns:w='urn:ietf:params:xml:ns:watcherinfo' version='0' state='full'>\n"
        "  <w:watcher-list resource='sip:alice@example.test' package='dialog'>\n"
        "    <w:watcher id='d' status='pending' event='subscribe'>" BOB "</w:watcher>\n"
        "  </w:watcher-list>\n"
        "  <w:watcher-list resource='sip:alice@example.test' package='presence'>\n"
        "    <w:watcher id='1' status='pending' event='subscribe'>" BOB "</w:watcher>\n"
        "    <w:watcher status='pending' event='subscribe'>sip:no-id@x</w:watcher>\n"
        "    <w:watcher id='2' event='subscribe'>sip:no-status@x</w:watcher>\n"
        "    <w:watcher id='3' status='curious' event='subscribe'>sip:odd-status@x</w:watcher>\n"
        "    <w:watcher id='4' status='pending' event='subscribe'></w:watcher>\n"
        "    <w:watcher id='5' status='pending' event='subscribe'>sip:a b@x</w:watcher>\n"
        "    <w:watcher id='6' status='pending' event='subscribe'>&lt;sip:c@x&gt;</w:watcher>\n"
        "    <watcher id='7' status='pending' event='subscribe'>sip:no-prefix@x</watcher>\n"
        "    <w:watcher id='8' status='Active' event='odd'>" CAROL "</w:watcher>\n"
        "  </w:watcher-list>\n"
        "</w:watcherinfo>\n",
        MUSTER_SIP_EDITION_WHOLE, BOB " asks subscribe -;" CAROL " watches - -;");
}

static void
test_refused (void)
{
  static const char *const bodies[] = {
    "",
    "<watcherinfo version='2' state='full'/>",
    "<presence xmlns='urn:ietf:params:xml:ns:watcherinfo' version='2' state='full'/>",
    "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' state='full'/>",
    "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='2'/>",
    "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='two' state='full'/>",
    "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='2' state='full'>",
  };
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  take (winfo, WINFO ("1", "full", WATCHER ("1", "active", "approved", BOB)),
        MUSTER_SIP_EDITION_WHOLE, BOB " watches approved -;");
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autoptr (GError) error = NULL;
    MusterSipEdition edition;

    g_assert_null (muster_sip_winfo_take (winfo, bodies[i], strlen (bodies[i]), &edition, &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  }
  take (winfo, WINFO ("2", "partial", WATCHER ("1", "active", "approved", BOB)),
        MUSTER_SIP_EDITION_CHANGES, "");
}

static void
test_truncated (void)
{
  static const char body[] = WINFO ("0", "full", WATCHER ("1", "pending", "subscribe", BOB));
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  for (gsize n = 0; n < sizeof body - 1; n++) {
    g_autofree char *bytes = g_memdup2 (body, n);
    g_autoptr (GError) error = NULL;
    MusterSipEdition edition;

    g_assert_null (muster_sip_winfo_take (winfo, bytes, n, &edition, &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  }
  g_assert_cmpuint (muster_sip_winfo_get_n_watchers (winfo), ==, 0);
}

/* A server that names ever more watchers fills the table and no more; those who leave make room. */
static void
test_crowd (void)
{
  g_autoptr (MusterSipWinfo) winfo = muster_sip_winfo_new ();

  for (guint version = 0; version < 3; version++) {
    g_autoptr (GString) watchers = g_string_new (NULL);
    g_autoptr (GPtrArray) changes = NULL;
    g_autofree char *body = NULL;
    MusterSipEdition edition;

    for (guint i = 0; i < 600; i++)
      g_string_append_printf (watchers, "<watcher id='%u' status='%s'>sip:%u@x</watcher>",
                              (version % 2) * 600 + i, version < 2 ? "pending" : "terminated",
                              (version % 2) * 600 + i);
    body = g_strdup_printf (WINFO ("%u", "%s", "%s"), version, version == 0 ? "full" : "partial",
                            watchers->str);
    changes = muster_sip_winfo_take (winfo, body, strlen (body), &edition, NULL);
    g_assert_cmpuint (changes->len, ==, version == 1 ? 400 : 600);
    g_assert_cmpuint (muster_sip_winfo_get_n_left_out (winfo), ==, version == 0 ? 0 : 200);
  }
  g_assert_cmpuint (muster_sip_winfo_get_n_watchers (winfo), ==, 400);
  take (winfo, WINFO ("3", "partial", WATCHER ("new", "active", "approved", BOB)),
        MUSTER_SIP_EDITION_CHANGES, BOB " watches approved -;");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sip/winfo/story", test_story);
  g_test_add_func ("/sip/winfo/waiting", test_waiting);
  g_test_add_func ("/sip/winfo/devices", test_devices);
  g_test_add_func ("/sip/winfo/whole", test_whole);
  g_test_add_func ("/sip/winfo/begin", test_begin);
  g_test_add_func ("/sip/winfo/names", test_names);
  g_test_add_func ("/sip/winfo/odd", test_odd);
  g_test_add_func ("/sip/winfo/refused", test_refused);
  g_test_add_func ("/sip/winfo/truncated", test_truncated);
  g_test_add_func ("/sip/winfo/crowd", test_crowd);

  return g_test_run ();
}
