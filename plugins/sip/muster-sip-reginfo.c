/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-reginfo.h"

#include <string.h>

/*
 * What the registrar tells of the bindings of an address of record (RFC 3680), so that one that it has
 * dropped is missed at once and not at the next refresh.
 *
 * A registrar, or what stands before it, may rewrite the host of our contact. So ours is looked for as in
 * the answer to a REGISTER: by the token that is its user part, which nobody else has, or the instance. The
 * very URI counts for more, because an old contact of ours has the token as well.
 */

#define NS           "urn:ietf:params:xml:ns:reginfo"
#define MAX_ID_BYTES 128

static const char *const event_words[] = {
  [MUSTER_SIP_REG_EVENT_NONE] = "",
  [MUSTER_SIP_REG_EVENT_REGISTERED] = "registered",
  [MUSTER_SIP_REG_EVENT_CREATED] = "created",
  [MUSTER_SIP_REG_EVENT_REFRESHED] = "refreshed",
  [MUSTER_SIP_REG_EVENT_SHORTENED] = "shortened",
  [MUSTER_SIP_REG_EVENT_EXPIRED] = "expired",
  [MUSTER_SIP_REG_EVENT_DEACTIVATED] = "deactivated",
  [MUSTER_SIP_REG_EVENT_PROBATION] = "probation",
  [MUSTER_SIP_REG_EVENT_UNREGISTERED] = "unregistered",
  [MUSTER_SIP_REG_EVENT_REJECTED] = "rejected",
};

typedef struct {
  char *registration_id;
  char *id;
  char *uri;
  char *instance; /* nullable; `urn:uuid:...`, without brackets */
  gboolean is_active;
  MusterSipRegEvent event;
  gint64 expires_s;
  gint64 retry_after_s;
} Contact;

struct _MusterSipReginfo {
  MusterSipSeries series;
  GPtrArray *contacts; /* (element-type Contact): those that ended since the last document, too */
  gboolean is_cut;     /* not all found room */
};

static void
contact_free (Contact *self)
{
  g_free (self->registration_id);
  g_free (self->id);
  g_free (self->uri);
  g_free (self->instance);
  g_free (self);
}

MusterSipReginfo *
muster_sip_reginfo_new (void)
{
  MusterSipReginfo *self = g_new0 (MusterSipReginfo, 1);

  self->contacts = g_ptr_array_new_with_free_func ((GDestroyNotify) contact_free);
  return self;
}

void
muster_sip_reginfo_free (MusterSipReginfo *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->contacts);
  g_free (self);
}

static void
forget_all (MusterSipReginfo *self)
{
  g_ptr_array_set_size (self->contacts, 0);
  self->is_cut = FALSE;
}

void
muster_sip_reginfo_begin (MusterSipReginfo *self)
{
  memset (&self->series, 0, sizeof (self->series));
  forget_all (self);
}

static MusterSipRegEvent
parse_event (const char *text)
{
  for (gsize i = 1; text != NULL && i < G_N_ELEMENTS (event_words); i++) {
    if (g_ascii_strcasecmp (text, event_words[i]) == 0)
      return (MusterSipRegEvent) i;
  }
  return MUSTER_SIP_REG_EVENT_NONE;
}

static gboolean
is_word (const char *text, const char *word)
{
  return text != NULL && g_ascii_strcasecmp (text, word) == 0;
}

/* (nullable): the +sip.instance among the parameters that the registrar passes on, which may stand in
 * quotes and brackets */
static char *
dup_instance (const MusterSipElement *element)
{
  const MusterSipElement *param = muster_sip_element_child (element, NS, "unknown-param");

  for (; param != NULL; param = muster_sip_element_again (param)) {
    g_autofree char *text = NULL;

    if (!is_word (muster_sip_element_attribute (param, "name"), "+sip.instance"))
      continue;
    text = g_strdup (param->text);
    g_strdelimit (text, "\"<>", ' ');
    return muster_sip_xml_dup_address (text);
  }
  return NULL;
}

/* (nullable): what the element says, if it can be understood */
static Contact *
read_contact (const MusterSipElement *element, const char *registration_id)
{
  const MusterSipElement *uri = muster_sip_element_child (element, NS, "uri");
  const char *id = muster_sip_element_attribute (element, "id");
  const char *state = muster_sip_element_attribute (element, "state");
  g_autofree char *address = uri != NULL ? muster_sip_xml_dup_address (uri->text) : NULL;
  Contact *contact;

  if (address == NULL || (!is_word (state, "active") && !is_word (state, "terminated")))
    return NULL;
  if (id != NULL && strlen (id) > MAX_ID_BYTES)
    return NULL;

  contact = g_new0 (Contact, 1);
  contact->registration_id = g_strdup (registration_id);
  contact->id = g_strdup (id != NULL ? id : address);
  contact->uri = g_steal_pointer (&address);
  contact->instance = dup_instance (element);
  contact->is_active = is_word (state, "active");
  contact->event = parse_event (muster_sip_element_attribute (element, "event"));
  contact->expires_s = muster_sip_parse_seconds (muster_sip_element_attribute (element, "expires"));
  contact->retry_after_s = muster_sip_parse_seconds (
    muster_sip_element_attribute (element, "retry-after"));
  return contact;
}

static gboolean
have_same_id (gconstpointer one, gconstpointer other)
{
  const Contact *a = one;
  const Contact *b = other;

  return g_str_equal (a->id, b->id) && g_str_equal (a->registration_id, b->registration_id);
}

/* Changes tell only what they change: an instance that was known still is. */
static void
apply_contact (MusterSipReginfo *self, Contact *contact)
{
  guint i;

  if (g_ptr_array_find_with_equal_func (self->contacts, contact, have_same_id, &i)) {
    Contact *before = g_ptr_array_index (self->contacts, i);

    if (contact->instance == NULL && g_str_equal (contact->uri, before->uri))
      contact->instance = g_steal_pointer (&before->instance);
    contact_free (before);
    self->contacts->pdata[i] = contact;
  } else if (self->contacts->len < MUSTER_SIP_REGINFO_MAX_CONTACTS) {
    g_ptr_array_add (self->contacts, contact);
  } else {
    self->is_cut = TRUE;
    contact_free (contact);
  }
}

/* A registration that has ended has no bindings, whatever its contacts say. */
static void
apply_registration (MusterSipReginfo *self, const MusterSipElement *registration)
{
  const char *id = muster_sip_element_attribute (registration, "id");
  const char *state = muster_sip_element_attribute (registration, "state");
  const MusterSipElement *element = muster_sip_element_child (registration, NS, "contact");

  if (id == NULL || strlen (id) > MAX_ID_BYTES)
    id = "";
  for (; element != NULL; element = muster_sip_element_again (element)) {
    Contact *contact = read_contact (element, id);

    if (contact != NULL)
      apply_contact (self, contact);
  }

  if (!is_word (state, "terminated") && !is_word (state, "init"))
    return;
  for (guint i = 0; i < self->contacts->len; i++) {
    Contact *contact = g_ptr_array_index (self->contacts, i);

    if (g_str_equal (contact->registration_id, id) && contact->is_active) {
      contact->is_active = FALSE;
      contact->event = MUSTER_SIP_REG_EVENT_NONE;
    }
  }
}

static void
forget_ended (MusterSipReginfo *self)
{
  for (guint i = self->contacts->len; i > 0; i--) {
    const Contact *contact = g_ptr_array_index (self->contacts, i - 1);

    if (!contact->is_active)
      g_ptr_array_remove_index (self->contacts, i - 1);
  }
}

gboolean
muster_sip_reginfo_take (MusterSipReginfo *self,
                         const char *bytes,
                         gsize n_bytes,
                         MusterSipEdition *edition,
                         GError **error)
{
  g_autoptr (MusterSipXml) xml = muster_sip_xml_parse (bytes, n_bytes, error);
  const MusterSipElement *root, *registration;

  if (xml == NULL)
    return FALSE;
  root = muster_sip_xml_get_root (xml);
  if (!muster_sip_element_is (root, NS, "reginfo")) {
    g_set_error_literal (error, MUSTER_ERROR, MUSTER_ERROR_PROTOCOL,
                         "the document is no list of bindings");
    return FALSE;
  }
  if (!muster_sip_series_read (&self->series, root, edition, error))
    return FALSE;

  switch (*edition) {
  case MUSTER_SIP_EDITION_OLD:
    return TRUE;
  case MUSTER_SIP_EDITION_WHOLE:
    forget_all (self);
    break;
  case MUSTER_SIP_EDITION_CHANGES:
  case MUSTER_SIP_EDITION_GAP:
    forget_ended (self);
    break;
  }
  registration = muster_sip_element_child (root, NS, "registration");
  for (; registration != NULL; registration = muster_sip_element_again (registration))
    apply_registration (self, registration);
  return TRUE;
}

/* Whether the user part is our token. */
static gboolean
has_token (const Contact *contact, const MusterSipOwnBinding *own)
{
  const char *user = strchr (contact->uri, ':');
  gsize n = strlen (own->token);

  return user != NULL && strncmp (user + 1, own->token, n) == 0 && user[1 + n] == '@';
}

/* How sure it is that the contact is ours; 0: it is not. */
static guint
likeness (const Contact *contact, const MusterSipOwnBinding *own)
{
  if (g_ascii_strcasecmp (contact->uri, own->uri) == 0)
    return 2;
  if (has_token (contact, own))
    return 1;
  return contact->instance != NULL && g_ascii_strcasecmp (contact->instance, own->instance) == 0;
}

MusterSipBindingNews
muster_sip_reginfo_find (MusterSipReginfo *self, const MusterSipOwnBinding *own)
{
  MusterSipBindingNews news = { MUSTER_SIP_BINDING_UNKNOWN, MUSTER_SIP_REG_EVENT_NONE, -1, -1 };
  const Contact *ours = NULL;
  guint best = 0;

  for (guint i = 0; i < self->contacts->len; i++) {
    const Contact *contact = g_ptr_array_index (self->contacts, i);
    guint like = likeness (contact, own);

    if (like > best || (like > 0 && like == best && contact->is_active && !ours->is_active)) {
      best = like;
      ours = contact;
    }
  }

  if (ours != NULL) {
    news.state = ours->is_active ? MUSTER_SIP_BINDING_THERE : MUSTER_SIP_BINDING_GONE;
    news.event = ours->event;
    news.expires_s = ours->expires_s;
    news.retry_after_s = ours->retry_after_s;
  } else if (self->series.is_whole && !self->is_cut) {
    news.state = MUSTER_SIP_BINDING_GONE;
  }
  return news;
}

guint
muster_sip_reginfo_get_n_contacts (MusterSipReginfo *self)
{
  return self->contacts->len;
}
