/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-sip-reginfo.h"

#include <string.h>

/* Whether our binding is still there, and if not why, by what the registrar tells of itself. */

#define REGINFO(version, state, registrations)                                                     \
  "<?xml version='1.0'?><reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='" version         \
  "' state='" state "'>" registrations "</reginfo>"
#define REGISTRATION(state, contacts)                                                              \
  "<registration aor='sip:alice@example.test' id='a7' state='" state "'>" contacts "</"            \
  "registration>"
#define CONTACT(id, state, event, uri)                                                             \
  "<contact id='" id "' state='" state "' event='" event "' expires='3600'><uri>" uri              \
  "</uri></contact>"

#define TOKEN    "0123456789abcdef"
#define INSTANCE "urn:uuid:6b5d1c9e-0c5f-4f0e-8d5b-1a7a3f1f2b11"
#define OURS     "sip:" TOKEN "@192.0.2.1:5060"
#define OTHER    "sip:bob@192.0.2.2"

static const MusterSipOwnBinding own = { OURS, TOKEN, INSTANCE, 600 };

static const char *const state_words[] = {
  [MUSTER_SIP_BINDING_UNKNOWN] = "unknown",
  [MUSTER_SIP_BINDING_THERE] = "there",
  [MUSTER_SIP_BINDING_GONE] = "gone",
};

static MusterSipEdition
take (MusterSipReginfo *reginfo, const char *body)
{
  g_autoptr (GError) error = NULL;
  MusterSipEdition edition;

  g_assert_true (muster_sip_reginfo_take (reginfo, body, strlen (body), &edition, &error));
  g_assert_no_error (error);
  return edition;
}

static void
assert_news (MusterSipReginfo *reginfo, MusterSipBindingState state, MusterSipRegEvent event)
{
  MusterSipBindingNews news = muster_sip_reginfo_find (reginfo, &own);

  g_assert_cmpstr (state_words[news.state], ==, state_words[state]);
  g_assert_cmpint (news.event, ==, event);
}

typedef struct {
  const char *name;
  const char *body;
  MusterSipBindingState state;
  MusterSipRegEvent event;
} Sample;

static const Sample samples[] = {
  { "registered",
    REGINFO ("0", "full", REGISTRATION ("active", CONTACT ("1", "active", "registered", OURS))),
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REGISTERED },
  { "kamailio",
    "<?xml version=\"1.0\"?>\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" "
    "state=\"full\">\n  <registration aor=\"sip:alice@example.test\" id=\"0x7f0c5a\" "
    "state=\"active\">\n    <contact id=\"0x7f0c60\" state=\"active\" event=\"registered\" "
    "expires=\"57\" q=\"0.500\">\n      <uri>" OURS "</uri>\n    </contact>\n  </registration>\n"
    "</reginfo>\n",
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REGISTERED },
  { "ims",
    REGINFO (
      "0",
      "full",
      REGISTRATION ("active",
                    CONTACT ("1",
                             "active",
                             "registered",
                             OURS)) "<registration "
                                    "aor='tel:+15551234' id='a8' state='active'>" CONTACT (
                                      "1",
                                      "active",
                                      "created",
                                      "sip:ue@[2001:db8::1]:5060;transport=udp") "</registration>"),
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REGISTERED },
  { "host-rewritten",
    REGINFO ("0",
             "full",
             REGISTRATION (
               "active",
               CONTACT ("1", "active", "refreshed", "sip:" TOKEN "@203.0.113.9:1025;alias=1"))),
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REFRESHED },
  { "by-instance",
    REGINFO ("0",
             "full",
             REGISTRATION ("active",
                           "<contact id='1' state='active' event='created'><uri>sip:x@y</uri>"
                           "<unknown-param name='reg-id'>1</unknown-param><unknown-param "
                           "name='+sip.instance'>\"&lt;" INSTANCE "&gt;\"</unknown-param>"
                           "</contact>")),
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_CREATED },
  { "token-of-another-scheme",
    REGINFO ("0",
             "full",
             REGISTRATION ("active", CONTACT ("1", "active", "registered", "sips:" TOKEN "@h"))),
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REGISTERED },
  { "longer-token",
    REGINFO ("0",
             "full",
             REGISTRATION ("active", CONTACT ("1", "active", "registered", "sip:" TOKEN "0@h"))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE },
  { "deactivated",
    REGINFO ("0",
             "full",
             REGISTRATION ("terminated", CONTACT ("1", "terminated", "deactivated", OURS))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_DEACTIVATED },
  { "rejected",
    REGINFO ("0", "full", REGISTRATION ("active", CONTACT ("1", "terminated", "rejected", OURS))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_REJECTED },
  { "expired",
    REGINFO ("0", "full", REGISTRATION ("active", CONTACT ("1", "terminated", "Expired", OURS))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_EXPIRED },
  { "unknown-event",
    REGINFO ("0", "full", REGISTRATION ("active", CONTACT ("1", "terminated", "evicted", OURS))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE },
  { "registration-ended",
    REGINFO ("0", "full", REGISTRATION ("init", CONTACT ("1", "active", "registered", OURS))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE },
  { "not-listed",
    REGINFO ("0", "full", REGISTRATION ("active", CONTACT ("1", "active", "registered", OTHER))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE },
  { "nothing-listed", REGINFO ("0", "full", REGISTRATION ("init", "")), MUSTER_SIP_BINDING_GONE,
    MUSTER_SIP_REG_EVENT_NONE },
  { "not-among-changes",
    REGINFO ("1", "partial", REGISTRATION ("active", CONTACT ("1", "active", "created", OTHER))),
    MUSTER_SIP_BINDING_UNKNOWN, MUSTER_SIP_REG_EVENT_NONE },
  { "among-changes",
    REGINFO ("1",
             "partial",
             REGISTRATION ("active", CONTACT ("1", "terminated", "probation", OURS))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_PROBATION },
  { "old-contact-of-ours-ended",
    REGINFO (
      "0",
      "full",
      REGISTRATION ("active",
                    CONTACT ("1", "terminated", "unregistered", "sip:" TOKEN "@192.0.2.7:5060")
                      CONTACT ("2", "active", "registered", OURS))),
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REGISTERED },
  { "old-contact-of-ours-stays",
    REGINFO ("0",
             "full",
             REGISTRATION ("active",
                           CONTACT ("1", "active", "registered", "sip:" TOKEN "@192.0.2.7:5060")
                             CONTACT ("2", "terminated", "shortened", OURS))),
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_SHORTENED },
  { "living-one-last",
    REGINFO ("0",
             "full",
             REGISTRATION ("active",
                           CONTACT ("1", "terminated", "expired", "sip:" TOKEN "@192.0.2.7")
                             CONTACT ("2", "active", "created", "sip:" TOKEN "@192.0.2.8"))),
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_CREATED },
  { "living-one-first",
    REGINFO ("0",
             "full",
             REGISTRATION ("active",
                           CONTACT ("1", "active", "created", "sip:" TOKEN "@192.0.2.8")
                             CONTACT ("2", "terminated", "expired", "sip:" TOKEN "@192.0.2.7"))),
    MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_CREATED },
  { "others-namespace",
    "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='0' state='full'><registration "
    "xmlns='urn:example:other' id='a7' state='active'><contact id='1' state='active' "
    "event='registered'><uri>" OURS "</uri></contact></registration></reginfo>",
    MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE },
};

static void
test_sample (gconstpointer data)
{
  const Sample *sample = data;
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();

  assert_news (reginfo, MUSTER_SIP_BINDING_UNKNOWN, MUSTER_SIP_REG_EVENT_NONE);
  take (reginfo, sample->body);
  assert_news (reginfo, sample->state, sample->event);
}

/* A contact that cannot be understood is passed by, and does not stand for ours. */
static void
test_odd_contacts (void)
{
  static const char *const contacts[] = {
    "<contact id='1' state='active' event='registered'/>",
    "<contact id='1' state='active' event='registered'><uri/></contact>",
    "<contact id='1' state='active' event='registered'><uri>" OURS " x</uri></contact>",
    "<contact id='1' event='registered'><uri>" OURS "</uri></contact>",
    "<contact id='1' state='dormant' event='registered'><uri>" OURS "</uri></contact>",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (contacts); i++) {
    g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();
    g_autofree char *body = g_strdup_printf (REGINFO ("0", "full", REGISTRATION ("active", "%s")),
                                             contacts[i]);

    take (reginfo, body);
    g_assert_cmpuint (muster_sip_reginfo_get_n_contacts (reginfo), ==, 0);
  }
}

/* Ours comes and goes by changes; why it went is known until the next document. */
static void
test_changes (void)
{
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();

  take (reginfo, REGINFO ("0", "full",
                          REGISTRATION ("active", CONTACT ("1", "active", "registered", OTHER))));
  assert_news (reginfo, MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE);
  take (reginfo, REGINFO ("1", "partial",
                          REGISTRATION ("active", CONTACT ("2", "active", "registered", OURS))));
  assert_news (reginfo, MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REGISTERED);
  take (reginfo, REGINFO ("2", "partial",
                          REGISTRATION ("active", CONTACT ("2", "terminated", "expired", OURS))));
  assert_news (reginfo, MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_EXPIRED);
  g_assert_cmpuint (muster_sip_reginfo_get_n_contacts (reginfo), ==, 2);
  take (reginfo, REGINFO ("3", "partial",
                          REGISTRATION ("active", CONTACT ("1", "active", "refreshed", OTHER))));
  assert_news (reginfo, MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE);
  g_assert_cmpuint (muster_sip_reginfo_get_n_contacts (reginfo), ==, 1);
}

/* What is not among changes after some were missed may still be there. */
static void
test_gap (void)
{
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();

  g_assert_cmpint (take (reginfo, REGINFO ("0", "full", "")), ==, MUSTER_SIP_EDITION_WHOLE);
  assert_news (reginfo, MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE);
  g_assert_cmpint (take (reginfo, REGINFO ("2", "partial", "")), ==, MUSTER_SIP_EDITION_GAP);
  assert_news (reginfo, MUSTER_SIP_BINDING_UNKNOWN, MUSTER_SIP_REG_EVENT_NONE);
  g_assert_cmpint (take (reginfo, REGINFO ("2", "full", "")), ==, MUSTER_SIP_EDITION_OLD);
  g_assert_cmpint (take (reginfo, REGINFO ("3", "full", "")), ==, MUSTER_SIP_EDITION_WHOLE);
  assert_news (reginfo, MUSTER_SIP_BINDING_GONE, MUSTER_SIP_REG_EVENT_NONE);
  muster_sip_reginfo_begin (reginfo);
  assert_news (reginfo, MUSTER_SIP_BINDING_UNKNOWN, MUSTER_SIP_REG_EVENT_NONE);
}

/* Changes need not repeat the parameters; two registrations may use the same ids. */
static void
test_identity (void)
{
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();

  take (reginfo,
        REGINFO ("0", "full",
                 REGISTRATION ("active",
                               "<contact id='1' state='active' event='registered'>"
                               "<uri>sip:x@y</uri><unknown-param name='+SIP.instance'>&lt;" INSTANCE
                               "&gt;</unknown-param></contact>")));
  assert_news (reginfo, MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REGISTERED);
  take (reginfo,
        REGINFO ("1", "partial",
                 REGISTRATION ("active", CONTACT ("1", "active", "shortened", "sip:x@y"))));
  assert_news (reginfo, MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_SHORTENED);
  take (reginfo,
        REGINFO ("2", "partial",
                 "<registration id='b' state='terminated'>" CONTACT ("1", "terminated", "expired",
                                                                     OTHER) "</registration>"));
  assert_news (reginfo, MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_SHORTENED);
}

static void
test_times (void)
{
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();
  MusterSipBindingNews news;

  take (reginfo, REGINFO ("0", "full",
                          REGISTRATION ("active", "<contact id='1' state='terminated' "
                                                  "event='probation' retry-after='30'><uri>" OURS
                                                  "</uri></contact>")));
  news = muster_sip_reginfo_find (reginfo, &own);
  g_assert_cmpint (news.retry_after_s, ==, 30);
  g_assert_cmpint (news.expires_s, ==, -1);
  take (reginfo, REGINFO ("1", "partial",
                          REGISTRATION ("active", CONTACT ("1", "active", "shortened", OURS))));
  news = muster_sip_reginfo_find (reginfo, &own);
  g_assert_cmpint (news.retry_after_s, ==, -1);
  g_assert_cmpint (news.expires_s, ==, 3600);
}

static void
test_refused (void)
{
  static const char *const bodies[] = {
    "",
    "<reginfo version='1' state='full'/>",
    "<a xmlns='urn:ietf:params:xml:ns:reginfo' version='1' state='full'/>",
    "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' state='full'/>",
    "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='1' state='most'/>",
    "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='1' state='full'>",
  };
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();

  take (reginfo, samples[0].body);
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autoptr (GError) error = NULL;
    MusterSipEdition edition;

    g_assert_false (
      muster_sip_reginfo_take (reginfo, bodies[i], strlen (bodies[i]), &edition, &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  }
  assert_news (reginfo, MUSTER_SIP_BINDING_THERE, MUSTER_SIP_REG_EVENT_REGISTERED);
}

static void
test_truncated (void)
{
  const char *body = samples[0].body;
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();

  for (gsize n = 0; n < strlen (body); n++) {
    g_autofree char *bytes = g_memdup2 (body, n);
    g_autoptr (GError) error = NULL;
    MusterSipEdition edition;

    g_assert_false (muster_sip_reginfo_take (reginfo, bytes, n, &edition, &error));
    g_assert_error (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL);
  }
  assert_news (reginfo, MUSTER_SIP_BINDING_UNKNOWN, MUSTER_SIP_REG_EVENT_NONE);
}

/* With more contacts than are kept ours may be among those that are not. */
static void
test_crowd (void)
{
  g_autoptr (MusterSipReginfo) reginfo = muster_sip_reginfo_new ();

  for (guint version = 0; version < 2; version++) {
    g_autoptr (GString) contacts = g_string_new (NULL);
    g_autofree char *body = NULL;

    for (guint i = 0; i < 300; i++)
      g_string_append_printf (contacts,
                              "<contact id='%u' state='active'><uri>sip:%u@x</uri></contact>",
                              version * 300 + i, i);
    body = g_strdup_printf (REGINFO ("%u", "%s", REGISTRATION ("active", "%s")), version,
                            version == 0 ? "full" : "partial", contacts->str);
    take (reginfo, body);
    assert_news (reginfo, version == 0 ? MUSTER_SIP_BINDING_GONE : MUSTER_SIP_BINDING_UNKNOWN,
                 MUSTER_SIP_REG_EVENT_NONE);
  }
  g_assert_cmpuint (muster_sip_reginfo_get_n_contacts (reginfo), ==,
                    MUSTER_SIP_REGINFO_MAX_CONTACTS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autofree char *path = g_strconcat ("/sip/reginfo/sample/", samples[i].name, NULL);

    g_test_add_data_func (path, &samples[i], test_sample);
  }
  g_test_add_func ("/sip/reginfo/odd-contacts", test_odd_contacts);
  g_test_add_func ("/sip/reginfo/changes", test_changes);
  g_test_add_func ("/sip/reginfo/gap", test_gap);
  g_test_add_func ("/sip/reginfo/identity", test_identity);
  g_test_add_func ("/sip/reginfo/times", test_times);
  g_test_add_func ("/sip/reginfo/refused", test_refused);
  g_test_add_func ("/sip/reginfo/truncated", test_truncated);
  g_test_add_func ("/sip/reginfo/crowd", test_crowd);

  return g_test_run ();
}
