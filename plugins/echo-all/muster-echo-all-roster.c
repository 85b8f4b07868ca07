/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "muster-echo-all-roster.h"

#include "muster-echo-all-script.h"

/* Somebody on the service, by the address of its contact. */
typedef struct {
  gboolean is_ours;        /* it is in our list */
  gboolean is_known;       /* the service knows how it is */
  MusterPresence presence; /* how it is, shown in the contact while that is watched */
  char *text;
  gint64 changed_at_us;
  MusterContact *contact;
} Person;

struct _MusterEchoAllRoster {
  GHashTable *people;
};

static void
person_free (gpointer data)
{
  Person *person = data;

  muster_contact_free (person->contact);
  g_free (person->text);
  g_free (person);
}

/* Makes one where there is none. NULL: there are too many. */
static Person *
ensure_person (MusterEchoAllRoster *self, const char *address)
{
  Person *person = g_hash_table_lookup (self->people, address);

  if (person != NULL)
    return person;
  if (g_hash_table_size (self->people) >= MUSTER_ECHO_ALL_ROSTER_MAX)
    return NULL;

  person = g_new0 (Person, 1);
  person->contact = muster_contact_new (address);
  g_hash_table_insert (self->people, person->contact->address, person);

  return person;
}

/* NULL unless it is in our list, or asks to be. */
static Person *
find_contact (MusterEchoAllRoster *self, const char *address)
{
  Person *person = g_hash_table_lookup (self->people, address);

  return person != NULL && (person->is_ours || person->contact->asks) ? person : NULL;
}

/* (transfer full): what we see of a person. */
static MusterContact *
person_see (Person *person)
{
  MusterContact *contact = muster_contact_copy (person->contact);

  if (contact->state == MUSTER_CONTACT_WATCHED) {
    contact->presence = person->presence;
    contact->text = g_strdup (person->text);
    contact->changed_at_us = person->changed_at_us;
  }

  return contact;
}

/* Forgets whom neither we nor the service has anything about. */
static void
forget_stranger (MusterEchoAllRoster *self, Person *person)
{
  if (!person->is_ours && !person->is_known && !person->contact->asks)
    g_hash_table_remove (self->people, person->contact->address);
}

static void
leave_list (Person *person)
{
  person->is_ours = FALSE;
  person->contact->state = MUSTER_CONTACT_NONE;
  g_clear_pointer (&person->contact->name, g_free);
}

MusterEchoAllRoster *
muster_echo_all_roster_new (const char *list)
{
  MusterEchoAllRoster *self = g_new0 (MusterEchoAllRoster, 1);
  g_auto (GStrv) items = g_strsplit (list != NULL ? list : "", ",", -1);

  self->people = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, person_free);
  for (char **item = items; *item != NULL; item++) {
    g_auto (GStrv) words = g_strsplit (*item, "=", 2);
    MusterPresence presence;

    if (g_strv_length (words) == 2 && muster_echo_all_presence_from_string (words[1], &presence))
      muster_contact_free (muster_echo_all_roster_set_presence (self, words[0], presence, NULL, 0));
  }

  return self;
}

void
muster_echo_all_roster_free (MusterEchoAllRoster *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->people);
  g_free (self);
}

GPtrArray *
muster_echo_all_roster_dup_contacts (MusterEchoAllRoster *self)
{
  GPtrArray *contacts = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_contact_free);
  GHashTableIter iter;
  gpointer person;

  g_hash_table_iter_init (&iter, self->people);
  while (g_hash_table_iter_next (&iter, NULL, &person)) {
    if (((Person *) person)->is_ours || ((Person *) person)->contact->asks)
      g_ptr_array_add (contacts, person_see (person));
  }

  return contacts;
}

MusterContact *
muster_echo_all_roster_add (MusterEchoAllRoster *self, const char *address, const char *name)
{
  Person *person = ensure_person (self, address);

  if (person == NULL)
    return NULL;

  person->is_ours = TRUE;
  g_free (person->contact->name);
  person->contact->name = g_strdup (name);
  if (person->contact->state != MUSTER_CONTACT_WATCHED)
    person->contact->state = MUSTER_CONTACT_PENDING;

  return person_see (person);
}

MusterContact *
muster_echo_all_roster_admit (MusterEchoAllRoster *self, const char *address)
{
  Person *person = find_contact (self, address);

  if (person == NULL || !person->is_known || person->contact->state != MUSTER_CONTACT_PENDING)
    return NULL;

  person->contact->state = MUSTER_CONTACT_WATCHED;

  return person_see (person);
}

void
muster_echo_all_roster_remove (MusterEchoAllRoster *self, const char *address)
{
  Person *person = find_contact (self, address);

  if (person == NULL)
    return;

  leave_list (person);
  forget_stranger (self, person);
}

MusterContact *
muster_echo_all_roster_authorise (MusterEchoAllRoster *self, const char *address)
{
  Person *person = find_contact (self, address);
  MusterContact *seen;

  if (person == NULL || !person->contact->asks)
    return NULL;

  person->contact->asks = FALSE;
  seen = person_see (person);
  forget_stranger (self, person);

  return seen;
}

MusterContact *
muster_echo_all_roster_set_presence (MusterEchoAllRoster *self,
                                     const char *address,
                                     MusterPresence presence,
                                     const char *text,
                                     gint64 changed_at_us)
{
  Person *person = ensure_person (self, address);

  if (person == NULL)
    return NULL;

  person->is_ours = TRUE;
  person->is_known = TRUE;
  person->presence = presence;
  g_free (person->text);
  person->text = g_strdup (text);
  person->changed_at_us = changed_at_us;
  person->contact->state = MUSTER_CONTACT_WATCHED;

  return person_see (person);
}

MusterContact *
muster_echo_all_roster_ask (MusterEchoAllRoster *self, const char *address)
{
  Person *person = ensure_person (self, address);

  if (person == NULL)
    return NULL;

  person->contact->asks = TRUE;

  return person_see (person);
}

MusterContact *
muster_echo_all_roster_deny (MusterEchoAllRoster *self, const char *address)
{
  Person *person = find_contact (self, address);

  if (person == NULL || !person->is_ours)
    return NULL;

  person->is_known = FALSE;
  person->contact->state = MUSTER_CONTACT_DENIED;

  return person_see (person);
}

MusterContact *
muster_echo_all_roster_drop (MusterEchoAllRoster *self, const char *address)
{
  Person *person = find_contact (self, address);
  MusterContact *seen;

  if (person == NULL)
    return NULL;

  leave_list (person);
  person->contact->asks = FALSE;
  seen = person_see (person);
  forget_stranger (self, person);

  return seen;
}
