/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-pidf.h"

#include <string.h>

/* Presence is read as the products of the field write it, and written so that they read it. */

#define NAMESPACES                                                                                 \
  "xmlns='urn:ietf:params:xml:ns:pidf' xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' "         \
  "xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid'"
#define PRESENCE(inner)                                                                            \
  "<presence " NAMESPACES " entity='sip:bob@example.test'>" inner "</presence>"
#define OPEN           "<status><basic>open</basic></status>"
#define CLOSED         "<status><basic>closed</basic></status>"
#define PERSON(inner)  "<dm:person id='p'>" inner "</dm:person>"
#define DOES(activity) "<rpid:activities><rpid:" activity "/></rpid:activities>"

#define UTC_US(seconds) ((gint64) (seconds) *G_USEC_PER_SEC)
#define JAN_16_2014     1389905855 /* 2014-01-16T20:57:35Z */

typedef struct {
  const char *name;
  const char *body;
  MusterPresence presence;
  const char *text;
  gint64 changed_at_us;
} Sample;

static const Sample samples[] = {
  /* Products */
  { "baresip-open",
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\r\n"
    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"\r\n"
    "    xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\"\r\n"
    "    xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\"\r\n"
    "    entity=\"sip:bob@example.test\">\r\n"
    "  <dm:person id=\"p4159\"><rpid:activities/></dm:person>\r\n"
    "  <tuple id=\"t4109\">\r\n    <status>\r\n      <basic>open</basic>\r\n    </status>\r\n"
    "    <contact>sip:bob@example.test</contact>\r\n  </tuple>\r\n</presence>\r\n",
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "baresip-busy",
    PRESENCE (PERSON (DOES ("busy")) "<tuple id='t4109'>" OPEN
                                     "<contact>sip:bob@example.test</contact></tuple>"),
    MUSTER_PRESENCE_DND, NULL, 0 },
  { "linphone-away",
    "<?xml version='1.0' encoding='UTF-8'?><presence "
    "xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' "
    "xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' "
    "xmlns:pidfonline='http://www.linphone.org/xsds/pidfonline.xsd' entity='sip:bob@example.test' "
    "xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='q1w-2e'><status><basic>open</basic>"
    "<pidfonline:online/></status><contact priority='0.8'>sip:bob@example.test</contact>"
    "<timestamp>2014-01-16T20:57:35Z</timestamp></tuple><dm:person id='r3t-4y'><rpid:activities>"
    "<rpid:away/></rpid:activities><dm:timestamp>2014-01-16T20:57:40Z</dm:timestamp></dm:person>"
    "</presence>",
    MUSTER_PRESENCE_AWAY, NULL, UTC_US (JAN_16_2014 + 5) },
  { "linphone-word-in-element",
    PRESENCE ("<tuple id='t'>" OPEN
              "</tuple>" PERSON ("<rpid:activities><rpid:busy>busy</rpid:busy></rpid:activities>")),
    MUSTER_PRESENCE_DND, NULL, 0 },
  { "pjsip",
    PRESENCE ("\n <tuple id='pj1a2b'>\n  <status>\n   <basic>open</basic>\n  </status>\n"
              "  <timestamp>2014-01-16T20:57:35.250Z</timestamp>\n  <note>Having lunch</note>\n"
              " </tuple>\n <dm:person id='pj3c4d'>\n  <rpid:activities>\n   <rpid:away />\n"
              "  </rpid:activities>\n  <dm:note>Having lunch</dm:note>\n </dm:person>\n"),
    MUSTER_PRESENCE_AWAY, "Having lunch", UTC_US (JAN_16_2014) + 250000 },
  { "pjsip-idle",
    PRESENCE ("<tuple id='pj'>" OPEN "</tuple>" PERSON (
      "<rpid:activities><rpid:unknown/></rpid:activities><dm:note>Idle</dm:note>")),
    MUSTER_PRESENCE_AVAILABLE, "Idle", 0 },
  { "asterisk-busy",
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n"
    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \n"
    "xmlns:pp=\"urn:ietf:params:xml:ns:pidf:person\"\n"
    "xmlns:es=\"urn:ietf:params:xml:ns:pidf:rpid:status:rpid-status\"\n"
    "xmlns:ep=\"urn:ietf:params:xml:ns:pidf:rpid:rpid-person\"\n"
    "entity=\"sip:100@192.0.2.1\">\n<pp:person><status>\n"
    "<ep:activities><ep:busy/></ep:activities>\n</status></pp:person>\n"
    "<note>On the phone</note>\n<tuple id=\"100\">\n"
    "<contact priority=\"1\">sip:100@192.0.2.1</contact>\n<status><basic>open</basic></status>\n"
    "</tuple>\n</presence>\n",
    MUSTER_PRESENCE_DND, "On the phone", 0 },
  { "asterisk-unavailable",
    PRESENCE ("<note>Unavailable</note><tuple id='100'><contact priority='1'>sip:100@192.0.2.1"
              "</contact>" CLOSED "</tuple>"),
    MUSTER_PRESENCE_OFFLINE, "Unavailable", 0 },
  { "freeswitch",
    PRESENCE ("<tuple id='t6a5ed77e'>\r\n" OPEN
              "\r\n</tuple>\r\n" PERSON (DOES ("on-the-phone") "<dm:note>On The Phone</dm:note>")),
    MUSTER_PRESENCE_DND, "On The Phone", 0 },
  { "jitsi",
    PRESENCE (PERSON (DOES ("away")) "<tuple id='1'>" OPEN "<contact>sip:bob@example.test</contact>"
                                     "<note>Be right back</note></tuple>"),
    MUSTER_PRESENCE_AWAY, "Be right back", 0 },
  { "cisco-dnd",
    "<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' "
    "xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' "
    "xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' xmlns:ce='urn:cisco:params:xml:ns:pidf:rpid' "
    "entity='sip:bob@example.test'><dm:person id='bob'><r:activities><ce:dnd/></r:activities>"
    "</dm:person><p:tuple id='t'><p:status><p:basic>open</p:basic></p:status></p:tuple>"
    "</p:presence>",
    MUSTER_PRESENCE_DND, NULL, 0 },
  { "kamailio-two-devices",
    "<?xml version=\"1.0\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
    "entity=\"sip:bob@example.test\"><tuple xmlns=\"urn:ietf:params:xml:ns:pidf\" id=\"0x81475a0\">"
    "<status><basic>closed</basic></status></tuple>"
    "<tuple xmlns=\"urn:ietf:params:xml:ns:pidf\" id=\"t4109\"><status><basic>open</basic></status>"
    "</tuple><person xmlns=\"urn:ietf:params:xml:ns:pidf:data-model\" id=\"pdd748945\">"
    "<activities xmlns=\"urn:ietf:params:xml:ns:pidf:rpid\"><meeting/>in a meeting</activities>"
    "<note>CPU:16 MEM:476</note></person></presence>",
    MUSTER_PRESENCE_DND, "CPU:16 MEM:476", 0 },
  { "kamailio-nobody",
    "<?xml version=\"1.0\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
    "entity=\"sip:bob@example.test\"/>",
    MUSTER_PRESENCE_OFFLINE, NULL, 0 },
  { "xmpp-gateway",
    PRESENCE (
      "<tuple id='ID-balcony'><status><basic>open</basic>"
      "<show xmlns='jabber:client'>xa</show></status><note xml:lang='en'>out</note></tuple>"),
    MUSTER_PRESENCE_XA, "out", 0 },
  { "old-draft",
    "<cp:presence xmlns:cp='urn:ietf:params:xml:ns:cpim-pidf:' "
    "xmlns:es='urn:ietf:params:xml:ns:pidf:status:rpid' entity='pres:bob@example.test'>"
    "<cp:tuple id='7c8'><cp:status><cp:basic> Open </cp:basic><es:activities>"
    "<es:activity> on-the-phone </es:activity></es:activities></cp:status></cp:tuple>"
    "</cp:presence>",
    MUSTER_PRESENCE_DND, NULL, 0 },

  /* Rules */
  { "no-tuple", PRESENCE (PERSON (DOES ("away"))), MUSTER_PRESENCE_OFFLINE, NULL, 0 },
  { "no-basic", PRESENCE ("<tuple id='t'><status/></tuple>"), MUSTER_PRESENCE_OFFLINE, NULL, 0 },
  { "no-status", PRESENCE ("<tuple id='t'/>"), MUSTER_PRESENCE_OFFLINE, NULL, 0 },
  { "odd-basic", PRESENCE ("<tuple id='t'><status><basic>ajar</basic></status></tuple>"),
    MUSTER_PRESENCE_OFFLINE, NULL, 0 },
  { "closed-is-offline", PRESENCE ("<tuple id='t'>" CLOSED "</tuple>" PERSON (DOES ("busy"))),
    MUSTER_PRESENCE_OFFLINE, NULL, 0 },
  { "activities-joined",
    PRESENCE ("<tuple id='t'>" OPEN "</tuple>" PERSON (
      "<rpid:activities><rpid:away/><rpid:vacation/><rpid:working/></rpid:activities>")),
    MUSTER_PRESENCE_XA, NULL, 0 },
  { "tuple-and-person",
    PRESENCE ("<tuple id='t'>" OPEN DOES ("away") "</tuple>" PERSON (DOES ("meeting"))),
    MUSTER_PRESENCE_DND, NULL, 0 },
  { "idle", PRESENCE ("<tuple id='t'>" OPEN "<rpid:user-input>idle</rpid:user-input></tuple>"),
    MUSTER_PRESENCE_AWAY, NULL, 0 },
  { "active", PRESENCE ("<tuple id='t'>" OPEN "<rpid:user-input>active</rpid:user-input></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "mood-is-ignored",
    PRESENCE ("<tuple id='t'>" OPEN "</tuple>" PERSON ("<rpid:mood><rpid:angry/></rpid:mood>")),
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "unknown-activity", PRESENCE ("<tuple id='t'>" OPEN "</tuple>" PERSON (DOES ("knitting"))),
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "unknown-show",
    PRESENCE ("<tuple id='t'><status><basic>open</basic><show xmlns='jabber:client'>bored</show>"
              "</status></tuple>" PERSON (DOES ("away"))),
    MUSTER_PRESENCE_AWAY, NULL, 0 },
  { "others-away",
    PRESENCE ("<tuple id='t'>" OPEN "</tuple>" PERSON (
      "<rpid:activities><away xmlns='urn:example:other'/></rpid:activities>")),
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "others-activities",
    PRESENCE ("<tuple id='t'>" OPEN "</tuple>" PERSON (
      "<a:activities xmlns:a='urn:ietf:params:xml:ns:pidf:cipid'><a:away/></a:activities>")),
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "others-basic",
    PRESENCE (
      "<tuple id='t'><status><basic xmlns='urn:example:other'>open</basic></status></tuple>"),
    MUSTER_PRESENCE_OFFLINE, NULL, 0 },
  { "others-tuple", PRESENCE ("<tuple xmlns='urn:example:other' id='t'>" OPEN "</tuple>"),
    MUSTER_PRESENCE_OFFLINE, NULL, 0 },
  { "prefix-not-declared",
    "<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='t'>" OPEN "</tuple><dm:person>"
    "<rpid:activities><rpid:busy/></rpid:activities></dm:person></presence>",
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "open-before-priority",
    PRESENCE ("<tuple id='a'>" CLOSED
              "<contact priority='1'>sip:a@b</contact><note>a</note></tuple>"
              "<tuple id='b'>" OPEN "<note>b</note></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, "b", 0 },
  { "priority-before-time",
    PRESENCE ("<tuple id='a'>" OPEN "<contact priority='0.25'>sip:a@b</contact><note>a</note>"
              "<timestamp>2014-01-16T20:57:35Z</timestamp></tuple>"
              "<tuple id='b'>" OPEN
              "<contact priority='0.3'>sip:a@b</contact><note>b</note></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, "b", 0 },
  { "bad-priority-is-none",
    PRESENCE (
      "<tuple id='a'>" OPEN "<contact priority='7'>sip:a@b</contact><note>a</note></tuple>"
      "<tuple id='b'>" OPEN "<contact priority='nan'>sip:a@b</contact><note>b</note></tuple>"
      "<tuple id='c'>" OPEN "<contact priority='0'>sip:a@b</contact><note>c</note></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, "c", 0 },
  { "newer-before-older",
    PRESENCE ("<tuple id='a'>" OPEN "<note>a</note><timestamp>2014-01-16T20:57:34Z</timestamp>"
              "</tuple><tuple id='b'>" OPEN
              "<note>b</note><timestamp>2014-01-16T22:57:35+02:00</timestamp></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, "b", UTC_US (JAN_16_2014) },
  { "available-before-away",
    PRESENCE ("<tuple id='a'>" OPEN DOES ("away") "</tuple><tuple id='b'>" OPEN "</tuple>"),
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "first-of-equals",
    PRESENCE ("<tuple id='a'>" OPEN "<note>a</note></tuple><tuple id='b'>" OPEN
              "<note>b</note></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, "a", 0 },
  { "newer-person",
    PRESENCE ("<tuple id='t'>" OPEN
              "</tuple>" PERSON (DOES ("away") "<dm:timestamp>2014-01-16T20:57:34Z</dm:timestamp>")
                PERSON (DOES ("busy") "<dm:timestamp>2014-01-16T20:57:35Z</dm:timestamp>")),
    MUSTER_PRESENCE_DND, NULL, UTC_US (JAN_16_2014) },
  { "empty-note-is-none",
    PRESENCE ("<note>of all</note><tuple id='t'>" OPEN "<note> </note><note/></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, "of all", 0 },
  { "note-made-printable",
    PRESENCE ("<tuple id='t'>" OPEN "<note>a &lt;b&gt;\n\t &#27;[31mc\xe2\x80\xae</note></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, "a <b> [31mc", 0 },
  { "time-that-is-none",
    PRESENCE ("<tuple id='t'>" OPEN "<timestamp>yesterday</timestamp></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "time-before-all",
    PRESENCE ("<tuple id='t'>" OPEN "<timestamp>1900-01-01T00:00:00Z"
              "</timestamp></tuple>"),
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
  { "somebody-else",
    "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:eve@example.test'>"
    "<tuple id='t'>" OPEN "</tuple></presence>",
    MUSTER_PRESENCE_AVAILABLE, NULL, 0 },
};

static void
test_sample (gconstpointer data)
{
  const Sample *sample = data;
  g_autoptr (GError) error = NULL;
  MusterSipPidf pidf = { 0 };

  g_assert_true (muster_sip_pidf_read (sample->body, strlen (sample->body), &pidf, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (muster_presence_to_string (pidf.presence), ==,
                   muster_presence_to_string (sample->presence));
  g_assert_cmpstr (pidf.text, ==, sample->text);
  g_assert_cmpint (pidf.changed_at_us, ==, sample->changed_at_us);
  muster_sip_pidf_clear (&pidf);
}

/* Every activity of RFC 4480 has its presence. */
static void
test_activities (void)
{
  static const struct {
    const char *name;
    MusterPresence presence;
  } rows[] = {
    { "appointment", MUSTER_PRESENCE_DND },
    { "away", MUSTER_PRESENCE_AWAY },
    { "breakfast", MUSTER_PRESENCE_AWAY },
    { "busy", MUSTER_PRESENCE_DND },
    { "dinner", MUSTER_PRESENCE_AWAY },
    { "holiday", MUSTER_PRESENCE_XA },
    { "in-transit", MUSTER_PRESENCE_AWAY },
    { "looking-for-work", MUSTER_PRESENCE_AVAILABLE },
    { "lunch", MUSTER_PRESENCE_AWAY },
    { "meal", MUSTER_PRESENCE_AWAY },
    { "meeting", MUSTER_PRESENCE_DND },
    { "on-the-phone", MUSTER_PRESENCE_DND },
    { "other", MUSTER_PRESENCE_AVAILABLE },
    { "performance", MUSTER_PRESENCE_DND },
    { "permanent-absence", MUSTER_PRESENCE_XA },
    { "playing", MUSTER_PRESENCE_AWAY },
    { "presentation", MUSTER_PRESENCE_DND },
    { "shopping", MUSTER_PRESENCE_AWAY },
    { "sleeping", MUSTER_PRESENCE_XA },
    { "spectator", MUSTER_PRESENCE_AWAY },
    { "steering", MUSTER_PRESENCE_DND },
    { "travel", MUSTER_PRESENCE_AWAY },
    { "tv", MUSTER_PRESENCE_AWAY },
    { "unknown", MUSTER_PRESENCE_AVAILABLE },
    { "vacation", MUSTER_PRESENCE_XA },
    { "working", MUSTER_PRESENCE_AVAILABLE },
    { "worship", MUSTER_PRESENCE_DND },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *body = g_strdup_printf (PRESENCE (
                                               "<tuple id='t'>" OPEN
                                               "</tuple><dm:person><rpid:activities><rpid:%s/>"
                                               "</rpid:activities></dm:person>"),
                                             rows[i].name);
    MusterSipPidf pidf = { 0 };

    g_assert_true (muster_sip_pidf_read (body, strlen (body), &pidf, NULL));
    g_assert_cmpint (pidf.presence, ==, rows[i].presence);
  }
}

static void
assert_refused (const char *bytes, gsize n_bytes)
{
  g_autoptr (GError) error = NULL;
  MusterSipPidf pidf = { MUSTER_PRESENCE_DND, NULL, 7 };

  g_assert_false (muster_sip_pidf_read (bytes, n_bytes, &pidf, &error));
  g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  g_assert_cmpint (pidf.presence, ==, MUSTER_PRESENCE_DND);
  g_assert_null (pidf.text);
  g_assert_cmpint (pidf.changed_at_us, ==, 7);
}

static void
test_refused (void)
{
  static const char *const bodies[] = {
    "",
    "away",
    "<presence/>",
    "<presence xmlns='jabber:client'/>",
    "<a xmlns='urn:ietf:params:xml:ns:pidf'/>",
    "<p:presence xmlns='urn:ietf:params:xml:ns:pidf'/>",
    "<!DOCTYPE presence PUBLIC '-//IETF//DTD RFCxxxx XPIDF 1.0//EN' 'xpidf.dtd'><presence/>",
    PRESENCE ("<tuple id='t'>" OPEN),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
    assert_refused (bodies[i], strlen (bodies[i]));
}

/* A document that lost its end says nothing, not half of it. */
static void
test_truncated (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    const char *body = samples[i].body;
    gsize n_bytes = strlen (body);

    while (g_ascii_isspace (body[n_bytes - 1]))
      n_bytes--;
    for (gsize n = 0; n < n_bytes; n++) {
      g_autofree char *bytes = g_memdup2 (body, n);

      assert_refused (bytes, n);
    }
  }
}

static void
test_long_note (void)
{
  g_autofree char *note = g_strnfill (50000, 'x');
  g_autofree char *body = g_strdup_printf (PRESENCE ("<tuple id='t'>" OPEN
                                                     "<note>%s</note></tuple>"),
                                           note);
  MusterSipPidf pidf = { 0 };

  g_assert_true (muster_sip_pidf_read (body, strlen (body), &pidf, NULL));
  g_assert_cmpuint (strlen (pidf.text), <=, MUSTER_SIP_PIDF_MAX_TEXT_BYTES);
  g_assert_cmpuint (strlen (pidf.text), >, MUSTER_SIP_PIDF_MAX_TEXT_BYTES - 10);
  muster_sip_pidf_clear (&pidf);
}

/* What we say of ourselves we understand, whatever stands in the texts. */
static void
test_round_trip (void)
{
  static const char *const texts[] = {
    NULL,
    "Lunch",
    "<&>\"' ]]> </note><note>",
    "Gr\xc3\xbc\xc3\x9f"
    "e \xf0\x9f\x8c\xb4",
  };

  for (MusterPresence presence = 0; presence < MUSTER_PRESENCE_LAST; presence++) {
    for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
      g_autofree char *body = muster_sip_pidf_build ("sip:a&b@example.test", "0123abcd", presence,
                                                     texts[i], UTC_US (JAN_16_2014));
      g_autoptr (GError) error = NULL;
      MusterSipPidf pidf = { 0 };

      g_assert_true (muster_sip_pidf_read (body, strlen (body), &pidf, &error));
      g_assert_no_error (error);
      g_assert_cmpint (pidf.presence, ==,
                       presence == MUSTER_PRESENCE_INVISIBLE ? MUSTER_PRESENCE_OFFLINE : presence);
      g_assert_cmpstr (pidf.text, ==, texts[i]);
      g_assert_cmpint (pidf.changed_at_us, ==, UTC_US (JAN_16_2014));
      muster_sip_pidf_clear (&pidf);
    }
  }
}

/* Some clients look for these very letters. */
static void
test_built_for_others (void)
{
  static const struct {
    MusterPresence presence;
    const char *basic;
    const char *activity; /* nullable: no person either */
  } rows[] = {
    { MUSTER_PRESENCE_OFFLINE, "<basic>closed</basic>", NULL },
    { MUSTER_PRESENCE_INVISIBLE, "<basic>closed</basic>", NULL },
    { MUSTER_PRESENCE_AVAILABLE, "<basic>open</basic>", NULL },
    { MUSTER_PRESENCE_CHAT, "<basic>open</basic>", NULL },
    { MUSTER_PRESENCE_AWAY, "<basic>open</basic>", "<rpid:away/>" },
    { MUSTER_PRESENCE_XA, "<basic>open</basic>", "<rpid:away/>" },
    { MUSTER_PRESENCE_DND, "<basic>open</basic>", "<rpid:busy/>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *body = muster_sip_pidf_build ("sip:bob@example.test", "1", rows[i].presence,
                                                   NULL, 0);

    g_assert_nonnull (strstr (body, rows[i].basic));
    g_assert_nonnull (strstr (body, "entity=\"sip:bob@example.test\""));
    g_assert_nonnull (strstr (body, "<tuple id=\"t1\">"));
    g_assert_cmpint (strstr (body, "<dm:person id=\"p1\">") != NULL, ==, rows[i].activity != NULL);
    if (rows[i].activity != NULL)
      g_assert_nonnull (strstr (body, rows[i].activity));
    g_assert_null (strstr (body, "<note>"));
    g_assert_null (strstr (body, "timestamp"));
  }
}

/* Control characters would make the document ill-formed. */
static void
test_built_clean (void)
{
  g_autofree char *note = g_strnfill (5000, '&');
  g_autofree char *body = muster_sip_pidf_build ("sip:bob@example.test", "1", MUSTER_PRESENCE_AWAY,
                                                 "a\r\nb\x1b"
                                                 "c\x7f",
                                                 UTC_US (JAN_16_2014));
  g_autofree char *full = muster_sip_pidf_build ("sip:bob@example.test", "1", MUSTER_PRESENCE_AWAY,
                                                 note, G_MAXINT64);

  g_assert_nonnull (strstr (body, "<note>a b c</note>"));
  g_assert_nonnull (strstr (body, "<dm:note>a b c</dm:note>"));
  g_assert_nonnull (strstr (body, "<timestamp>2014-01-16T20:57:35Z</timestamp>"));
  g_assert_cmpuint (strlen (full), <, 12 * 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autofree char *path = g_strconcat ("/sip/pidf/sample/", samples[i].name, NULL);

    g_test_add_data_func (path, &samples[i], test_sample);
  }
  g_test_add_func ("/sip/pidf/activities", test_activities);
  g_test_add_func ("/sip/pidf/refused", test_refused);
  g_test_add_func ("/sip/pidf/truncated", test_truncated);
  g_test_add_func ("/sip/pidf/long-note", test_long_note);
  g_test_add_func ("/sip/pidf/round-trip", test_round_trip);
  g_test_add_func ("/sip/pidf/built-for-others", test_built_for_others);
  g_test_add_func ("/sip/pidf/built-clean", test_built_clean);

  return g_test_run ();
}
