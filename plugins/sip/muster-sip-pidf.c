/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-pidf.h"

#include "muster-sip-message.h"
#include "muster-sip-xml.h"

#include <string.h>

/*
 * Presence as SIP says it: PIDF (RFC 3863) says for each device whether it is reached (open or closed), RPID
 * (RFC 4480) what the person does, and the element of RFC 8048 the word that XMPP has for both.
 *
 * Of several devices the best counts: an open one, then the one with the higher priority, the newer
 * timestamp, the more available. What its tuple says is joined with what is said of the person: of both
 * the one that leaves less room. Closed is offline, whatever else is said.
 */

#define NS_PIDF   "urn:ietf:params:xml:ns:pidf"
#define NS_MODEL  "urn:ietf:params:xml:ns:pidf:data-model"
#define NS_RPID   "urn:ietf:params:xml:ns:pidf:rpid"
#define NS_JABBER "jabber:client"

/* Before RFC 4479 and RFC 4480 */
#define NS_CPIM_PIDF  "urn:ietf:params:xml:ns:cpim-pidf:"
#define NS_OLD_PERSON "urn:ietf:params:xml:ns:pidf:person"

#define MAX_PRIORITY        1000 /* in thousandths */
#define MAX_TIMESTAMP_BYTES 64

/* The activities that say something of presence; with the others (working, other, unknown) one is here. */
static const struct {
  const char *name;
  MusterPresence presence;
} activities[] = {
  { "appointment", MUSTER_PRESENCE_DND }, { "away", MUSTER_PRESENCE_AWAY },
  { "breakfast", MUSTER_PRESENCE_AWAY },  { "busy", MUSTER_PRESENCE_DND },
  { "dinner", MUSTER_PRESENCE_AWAY },     { "dnd", MUSTER_PRESENCE_DND }, /* no RFC's: Cisco's */
  { "holiday", MUSTER_PRESENCE_XA },      { "in-transit", MUSTER_PRESENCE_AWAY },
  { "lunch", MUSTER_PRESENCE_AWAY },      { "meal", MUSTER_PRESENCE_AWAY },
  { "meeting", MUSTER_PRESENCE_DND },     { "on-the-phone", MUSTER_PRESENCE_DND },
  { "performance", MUSTER_PRESENCE_DND }, { "permanent-absence", MUSTER_PRESENCE_XA },
  { "playing", MUSTER_PRESENCE_AWAY },    { "presentation", MUSTER_PRESENCE_DND },
  { "shopping", MUSTER_PRESENCE_AWAY },   { "sleeping", MUSTER_PRESENCE_XA },
  { "spectator", MUSTER_PRESENCE_AWAY },  { "steering", MUSTER_PRESENCE_DND },
  { "travel", MUSTER_PRESENCE_AWAY },     { "tv", MUSTER_PRESENCE_AWAY },
  { "vacation", MUSTER_PRESENCE_XA },     { "worship", MUSTER_PRESENCE_DND },
};

/* How ours is said. Most clients know no more activities than these two, and some take several at once
 * for none; who knows RFC 8048 gets the finer word. */
static const struct {
  gboolean is_open;
  const char *activity; /* nullable */
  const char *show;     /* nullable */
} said[MUSTER_PRESENCE_LAST] = {
  [MUSTER_PRESENCE_OFFLINE] = { FALSE, NULL, NULL },
  [MUSTER_PRESENCE_INVISIBLE] = { FALSE, NULL, NULL },
  [MUSTER_PRESENCE_AVAILABLE] = { TRUE, NULL, NULL },
  [MUSTER_PRESENCE_CHAT] = { TRUE, NULL, "chat" },
  [MUSTER_PRESENCE_AWAY] = { TRUE, "away", "away" },
  [MUSTER_PRESENCE_XA] = { TRUE, "away", "xa" },
  [MUSTER_PRESENCE_DND] = { TRUE, "busy", "dnd" },
};

typedef struct {
  const MusterSipElement *element; /* nullable: there is none */
  gboolean is_open;
  int priority; /* in thousandths; -1: not said */
  gint64 at_us;
  MusterPresence presence; /* as what it does says it, if it is open */
} Facet;

void
muster_sip_pidf_clear (MusterSipPidf *self)
{
  g_free (self->text);
  memset (self, 0, sizeof (*self));
}

static gboolean
is_pidf (const MusterSipElement *element, const char *name)
{
  return muster_sip_element_is (element, NS_PIDF, name) ||
         muster_sip_element_is (element, NS_CPIM_PIDF, name);
}

/* Drafts and vendors made many, all of one pattern: urn:...:xml:ns:pidf:...rpid... */
static gboolean
is_rpid (const MusterSipElement *element)
{
  return g_str_has_prefix (element->ns, "urn:") && strstr (element->ns, ":xml:ns:pidf:") != NULL &&
         strstr (element->ns, "rpid") != NULL;
}

static gboolean
is_person (const MusterSipElement *element)
{
  return muster_sip_element_is (element, NS_MODEL, "person") ||
         muster_sip_element_is (element, NS_OLD_PERSON, "person");
}

/* The first child of that name in any version of PIDF; nullable. */
static const MusterSipElement *
pidf_child (const MusterSipElement *parent, const char *name)
{
  const MusterSipElement *child = muster_sip_element_child (parent, NS_PIDF, name);

  return child != NULL ? child : muster_sip_element_child (parent, NS_CPIM_PIDF, name);
}

/* Whether the text is the word, blanks around it aside. */
static gboolean
says (const MusterSipElement *element, const char *word)
{
  g_autofree char *text = g_strstrip (g_strdup (element->text));

  return g_ascii_strcasecmp (text, word) == 0;
}

static MusterPresence
activity_to_presence (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (activities); i++) {
    if (g_ascii_strcasecmp (name, activities[i].name) == 0)
      return activities[i].presence;
  }
  return MUSTER_PRESENCE_AVAILABLE;
}

/* Each activity is an element of its own; in old drafts the text of an element. */
static MusterPresence
read_activities (const MusterSipElement *element)
{
  MusterPresence presence = MUSTER_PRESENCE_AVAILABLE;

  for (const MusterSipElement *each = element->first_child; each != NULL; each = each->next) {
    g_autofree char *text = NULL;

    if (!is_rpid (each))
      continue;
    if (!g_str_equal (each->name, "activity")) {
      presence = MAX (presence, activity_to_presence (each->name));
      continue;
    }
    text = g_strstrip (g_strdup (each->text));
    presence = MAX (presence, activity_to_presence (text));
  }
  return presence;
}

/* What RPID says among the children of @parent (nullable). */
static MusterPresence
read_rpid (const MusterSipElement *parent)
{
  MusterPresence presence = MUSTER_PRESENCE_AVAILABLE;
  const MusterSipElement *each = parent != NULL ? parent->first_child : NULL;

  for (; each != NULL; each = each->next) {
    if (!is_rpid (each))
      continue;
    if (g_str_equal (each->name, "activities"))
      presence = MAX (presence, read_activities (each));
    else if (g_str_equal (each->name, "user-input") && says (each, "idle"))
      presence = MAX (presence, MUSTER_PRESENCE_AWAY);
  }
  return presence;
}

/* FALSE if there is none, or it says no word of ours. */
static gboolean
read_show (const MusterSipElement *status, MusterPresence *presence)
{
  const MusterSipElement *show = muster_sip_element_child (status, NS_JABBER, "show");

  if (show == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (said); i++) {
    if (said[i].show != NULL && says (show, said[i].show)) {
      *presence = (MusterPresence) i;
      return TRUE;
    }
  }
  return FALSE;
}

/* From 0 to 1 with three digits at most; anything else is as if it were not said. */
static int
read_priority (const MusterSipElement *contact)
{
  const char *text = contact != NULL ? muster_sip_element_attribute (contact, "priority") : NULL;
  char *end = NULL;
  double value;

  if (text == NULL || !(g_ascii_isdigit (*text) || *text == '.'))
    return -1;
  value = g_ascii_strtod (text, &end);
  if (*end != '\0' || !(value >= 0 && value <= 1))
    return -1;
  return (int) (value * MAX_PRIORITY);
}

static gint64
read_timestamp (const MusterSipElement *timestamp)
{
  g_autofree char *text = NULL;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) at = NULL;

  if (timestamp == NULL || strlen (timestamp->text) > MAX_TIMESTAMP_BYTES)
    return 0;
  text = g_strstrip (g_strdup (timestamp->text));
  at = g_date_time_new_from_iso8601 (text, utc);
  if (at == NULL || g_date_time_to_unix (at) <= 0)
    return 0;
  return g_date_time_to_unix (at) * G_USEC_PER_SEC + g_date_time_get_microsecond (at);
}

static Facet
read_tuple (const MusterSipElement *tuple)
{
  const MusterSipElement *status = pidf_child (tuple, "status");
  const MusterSipElement *basic = pidf_child (status, "basic");
  Facet facet = { tuple, basic != NULL && says (basic, "open"), -1, 0, 0 };

  facet.priority = read_priority (pidf_child (tuple, "contact"));
  facet.at_us = read_timestamp (pidf_child (tuple, "timestamp"));
  if (!read_show (status, &facet.presence))
    facet.presence = MAX (read_rpid (status), read_rpid (tuple));
  return facet;
}

static Facet
read_person (const MusterSipElement *person)
{
  const MusterSipElement *status = pidf_child (person, "status"); /* so in old drafts */
  Facet facet = { person, TRUE, -1, 0, 0 };

  facet.at_us = read_timestamp (muster_sip_element_child (person, person->ns, "timestamp"));
  facet.presence = MAX (read_rpid (person), read_rpid (status));
  return facet;
}

static gboolean
is_better (const Facet *one, const Facet *other)
{
  if (other->element == NULL)
    return TRUE;
  if (one->is_open != other->is_open)
    return one->is_open;
  if (one->priority != other->priority)
    return one->priority > other->priority;
  if (one->at_us != other->at_us)
    return one->at_us > other->at_us;
  return one->presence < other->presence;
}

/* (nullable): the first note among the children of @parent (nullable) that says anything */
static char *
dup_note (const MusterSipElement *parent)
{
  const MusterSipElement *each = parent != NULL ? parent->first_child : NULL;

  for (; each != NULL; each = each->next) {
    gboolean is_note = is_pidf (each, "note") || muster_sip_element_is (each, NS_MODEL, "note") ||
                       (is_rpid (each) && g_str_equal (each->name, "note"));
    char *text = is_note ? muster_sip_xml_dup_printable (each->text, MUSTER_SIP_PIDF_MAX_TEXT_BYTES)
                         : NULL;

    if (text != NULL)
      return text;
  }
  return NULL;
}

/* (nullable): what is written to the device, to the person, or to all of it */
static char *
dup_text (const MusterSipElement *tuple,
          const MusterSipElement *person,
          const MusterSipElement *root)
{
  char *text = dup_note (tuple);

  if (text == NULL)
    text = dup_note (person);
  return text != NULL ? text : dup_note (root);
}

gboolean
muster_sip_pidf_read (const char *bytes, gsize n_bytes, MusterSipPidf *pidf, GError **error)
{
  g_autoptr (MusterSipXml) xml = muster_sip_xml_parse (bytes, n_bytes, error);
  const MusterSipElement *root;
  Facet tuple = { NULL, FALSE, -1, 0, 0 };
  Facet person = { NULL, FALSE, -1, 0, 0 };

  if (xml == NULL)
    return FALSE;
  root = muster_sip_xml_get_root (xml);
  if (!is_pidf (root, "presence")) {
    g_set_error_literal (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL, "the document is not PIDF");
    return FALSE;
  }

  for (const MusterSipElement *each = root->first_child; each != NULL; each = each->next) {
    Facet facet;

    if (is_pidf (each, "tuple")) {
      facet = read_tuple (each);
      tuple = is_better (&facet, &tuple) ? facet : tuple;
    } else if (is_person (each)) {
      facet = read_person (each);
      person = is_better (&facet, &person) ? facet : person;
    }
  }

  pidf->presence = tuple.is_open ? MAX (tuple.presence, person.presence) : MUSTER_PRESENCE_OFFLINE;
  pidf->text = dup_text (tuple.element, person.element, root);
  pidf->changed_at_us = MAX (tuple.at_us, person.at_us);
  return TRUE;
}

/* An element with the text, escaped; nothing if there is no text. */
static void
append_text (GString *body, const char *name, const char *text)
{
  g_autofree char *escaped = text != NULL ? g_markup_escape_text (text, -1) : NULL;

  if (escaped != NULL)
    g_string_append_printf (body, "<%s>%s</%s>\r\n", name, escaped, name);
}

static void
append_timestamp (GString *body, const char *name, gint64 at_us)
{
  g_autoptr (GDateTime) at = g_date_time_new_from_unix_utc (at_us / G_USEC_PER_SEC);
  g_autofree char *text = at != NULL && at_us > 0 ? g_date_time_format (at, "%Y-%m-%dT%H:%M:%SZ")
                                                  : NULL;

  append_text (body, name, text);
}

static void
append_tuple (GString *body,
              const char *entity,
              const char *device,
              MusterPresence presence,
              const char *text,
              gint64 at_us)
{
  g_string_append_printf (body, "<tuple id=\"t%s\">\r\n<status>\r\n<basic>%s</basic>\r\n", device,
                          said[presence].is_open ? "open" : "closed");
  if (said[presence].show != NULL)
    g_string_append_printf (body, "<show xmlns=\"" NS_JABBER "\">%s</show>\r\n",
                            said[presence].show);
  g_string_append (body, "</status>\r\n");
  append_text (body, "contact", entity);
  append_text (body, "note", text);
  append_timestamp (body, "timestamp", at_us);
  g_string_append (body, "</tuple>\r\n");
}

static void
append_person (GString *body,
               const char *device,
               const char *activity,
               const char *text,
               gint64 at_us)
{
  g_string_append_printf (body, "<dm:person id=\"p%s\">\r\n", device);
  g_string_append_printf (body, "<rpid:activities><rpid:%s/></rpid:activities>\r\n", activity);
  append_text (body, "dm:note", text);
  append_timestamp (body, "dm:timestamp", at_us);
  g_string_append (body, "</dm:person>\r\n");
}

char *
muster_sip_pidf_build (const char *entity,
                       const char *device,
                       MusterPresence presence,
                       const char *text,
                       gint64 at_us)
{
  g_autofree char *whose = g_markup_escape_text (entity, -1);
  g_autofree char *note = text != NULL
                            ? muster_sip_xml_dup_printable (text, MUSTER_SIP_PIDF_MAX_TEXT_BYTES)
                            : NULL;
  GString *body = g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n");

  /* With these very prefixes: there are clients that look for them instead of for namespaces. */
  g_string_append_printf (body,
                          "<presence xmlns=\"" NS_PIDF "\" xmlns:dm=\"" NS_MODEL
                          "\" xmlns:rpid=\"" NS_RPID "\" entity=\"%s\">\r\n",
                          whose);
  append_tuple (body, entity, device, presence, note, at_us);
  if (said[presence].activity != NULL)
    append_person (body, device, said[presence].activity, note, at_us);
  g_string_append (body, "</presence>\r\n");
  return g_string_free (body, FALSE);
}
