/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-roster.h"

#include <string.h>

/*
 * A person has an entry for each account that has it, and an account has its entries in the order in
 * which they were last put. So what a load has not met again is at the head when it is over, and
 * nothing has to be looked for.
 */

typedef struct {
  char *id;
  GQueue entries;  /* Entry, those put longest ago first */
  guint run;       /* counts how often it became current */
  guint load;      /* ... and was loaded */
  gint64 since_us; /* UTC: when it was no longer current */
  gboolean is_current;
  gboolean is_forgotten;
} Slot;

typedef struct {
  MusterRosterPerson *person;
  Slot *slot;
  MusterContact *contact;
  guint run;  /* when it was last put */
  guint load; /* ... */
  GList in_slot;
  GList in_person;
} Entry;

struct _MusterRosterPerson {
  char *key;     /* GRefString: its address without regard to case */
  char *address; /* GRefString: as it was first seen */
  GQueue entries;
  GSequenceIter *iter;
};

struct _MusterRoster {
  GHashTable *slots;   /* id -> Slot */
  GHashTable *persons; /* key -> MusterRosterPerson */
  GHashTable *entries; /* Entry, by slot and person */
  GSequence *order;    /* MusterRosterPerson by key; owns it */
  MusterRosterFunc changed;
  gpointer user_data;
};

/* Who is likely to answer first: those who say that they would like to; those who are here, then those
 * who are on their way back; who does not want to be disturbed is here, and does not answer; who
 * does not show may answer; who is off-line cannot. */
static const guint8 likelihoods[MUSTER_PRESENCE_LAST] = {
  [MUSTER_PRESENCE_CHAT] = 6,    [MUSTER_PRESENCE_AVAILABLE] = 5, [MUSTER_PRESENCE_AWAY] = 4,
  [MUSTER_PRESENCE_XA] = 3,      [MUSTER_PRESENCE_DND] = 2,       [MUSTER_PRESENCE_INVISIBLE] = 1,
  [MUSTER_PRESENCE_OFFLINE] = 0,
};

/* Which state says the most of a person that has several. */
static const guint8 says[] = {
  [MUSTER_CONTACT_WATCHED] = 3,
  [MUSTER_CONTACT_PENDING] = 2,
  [MUSTER_CONTACT_DENIED] = 1,
  [MUSTER_CONTACT_NONE] = 0,
};

/* holding */

static guint
entry_hash (gconstpointer key)
{
  const Entry *entry = key;

  return g_direct_hash (entry->slot) * 31 + g_direct_hash (entry->person);
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *left = a;
  const Entry *right = b;

  return left->slot == right->slot && left->person == right->person;
}

static int
compare_persons (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (((const MusterRosterPerson *) a)->key, ((const MusterRosterPerson *) b)->key);
}

static void
person_free (gpointer data)
{
  MusterRosterPerson *person = data;

  g_ref_string_release (person->key);
  g_ref_string_release (person->address);
  g_free (person);
}

static void
slot_free (gpointer data)
{
  Slot *slot = data;

  while (slot->entries.head != NULL) {
    Entry *entry = slot->entries.head->data;

    g_queue_unlink (&slot->entries, &entry->in_slot);
    muster_contact_free (entry->contact);
    g_free (entry);
  }
  g_free (slot->id);
  g_free (slot);
}

static char *
make_key (const char *address)
{
  g_autofree char *folded = g_utf8_casefold (address, -1);

  return g_ref_string_new (folded);
}

static MusterRosterPerson *
muster_roster_make_person (MusterRoster *self, const char *address)
{
  char *key = make_key (address);
  MusterRosterPerson *person = g_hash_table_lookup (self->persons, key);

  if (person != NULL) {
    g_ref_string_release (key);
    return person;
  }

  person = g_new0 (MusterRosterPerson, 1);
  person->key = key;
  person->address = g_ref_string_new (address);
  person->iter = g_sequence_insert_sorted (self->order, person, compare_persons, NULL);
  g_hash_table_insert (self->persons, person->key, person);

  return person;
}

static void
muster_roster_drop_person (MusterRoster *self, MusterRosterPerson *person)
{
  g_hash_table_remove (self->persons, person->key);
  g_sequence_remove (person->iter);
}

static Slot *
muster_roster_make_slot (MusterRoster *self, const char *account)
{
  Slot *slot = g_hash_table_lookup (self->slots, account);

  if (slot == NULL) {
    slot = g_new0 (Slot, 1);
    slot->id = g_strdup (account);
    g_hash_table_insert (self->slots, slot->id, slot);
  }

  return slot;
}

static Entry *
muster_roster_find_in (MusterRoster *self, Slot *slot, MusterRosterPerson *person)
{
  Entry key = { .slot = slot, .person = person };

  return g_hash_table_lookup (self->entries, &key);
}

static Entry *
muster_roster_make_entry (MusterRoster *self, Slot *slot, MusterRosterPerson *person)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->person = person;
  entry->slot = slot;
  entry->in_slot.data = entry->in_person.data = entry;
  g_queue_push_tail_link (&slot->entries, &entry->in_slot);
  g_queue_push_tail_link (&person->entries, &entry->in_person);
  g_hash_table_add (self->entries, entry);

  return entry;
}

/* A person may be in the roster of every account: what it looks like is made when it is sent. */
static gboolean
person_is_gone (MusterRosterPerson *person)
{
  for (const GList *link = person->entries.head; link != NULL; link = link->next) {
    if (!((const Entry *) link->data)->slot->is_forgotten)
      return FALSE;
  }

  return TRUE;
}

static void
muster_roster_tell (MusterRoster *self, MusterRosterPerson *person)
{
  self->changed (person, person_is_gone (person), self->user_data);
}

static void
muster_roster_drop_entry (MusterRoster *self, Entry *entry)
{
  MusterRosterPerson *person = entry->person;

  g_hash_table_remove (self->entries, entry);
  g_queue_unlink (&entry->slot->entries, &entry->in_slot);
  g_queue_unlink (&person->entries, &entry->in_person);
  muster_roster_tell (self, person);
  muster_contact_free (entry->contact);
  g_free (entry);
  if (person->entries.length == 0)
    muster_roster_drop_person (self, person);
}

/* what changes */

static gboolean
is_same (const MusterContact *a, const MusterContact *b)
{
  return a->state == b->state && a->presence == b->presence && !a->asks == !b->asks &&
         a->changed_at_us == b->changed_at_us && g_strcmp0 (a->name, b->name) == 0 &&
         g_strcmp0 (a->text, b->text) == 0 && g_str_equal (a->address, b->address);
}

/* When its presence changed, where the service does not say: by what it was before. */
static gint64
guess_when (const MusterContact *now, const MusterContact *before, gint64 now_us)
{
  if (before == NULL)
    return now->state == MUSTER_CONTACT_WATCHED ? 0 : now_us;

  return now->presence == before->presence && g_strcmp0 (now->text, before->text) == 0
           ? before->changed_at_us
           : now_us;
}

static MusterRosterNews
compare (const MusterContact *now, const MusterContact *before)
{
  MusterRosterNews news = MUSTER_ROSTER_SAME;

  if (now->asks && (before == NULL || !before->asks))
    news |= MUSTER_ROSTER_ASKS;
  if (before != NULL && before->state == MUSTER_CONTACT_PENDING &&
      now->state == MUSTER_CONTACT_WATCHED)
    news |= MUSTER_ROSTER_ACCEPTED;
  if (before != NULL && before->state != MUSTER_CONTACT_DENIED &&
      now->state == MUSTER_CONTACT_DENIED)
    news |= MUSTER_ROSTER_REFUSED;

  return news;
}

static MusterRosterNews
entry_set (Entry *entry, const MusterContact *contact, gint64 now_us)
{
  g_autoptr (MusterContact) now = muster_contact_copy (contact);
  MusterRosterNews news;

  if (now->changed_at_us == 0)
    now->changed_at_us = guess_when (now, entry->contact, now_us);
  if (entry->contact != NULL && entry->run == entry->slot->run && is_same (now, entry->contact))
    return MUSTER_ROSTER_SAME;

  news = MUSTER_ROSTER_CHANGED | compare (now, entry->contact);
  muster_contact_free (entry->contact);
  entry->contact = g_steal_pointer (&now);

  return news;
}

/* @person may be new, and then goes again if there is no room. */
static MusterRosterNews
muster_roster_set (MusterRoster *self,
                   Slot *slot,
                   MusterRosterPerson *person,
                   const MusterContact *contact,
                   gint64 now_us)
{
  Entry *entry = muster_roster_find_in (self, slot, person);
  MusterRosterNews news;

  if (entry == NULL && (slot->entries.length >= MUSTER_ROSTER_ACCOUNT_MAX ||
                        g_hash_table_size (self->entries) >= MUSTER_ROSTER_MAX)) {
    if (person->entries.length == 0)
      muster_roster_drop_person (self, person);
    return MUSTER_ROSTER_FULL;
  }

  if (entry == NULL)
    entry = muster_roster_make_entry (self, slot, person);
  news = entry_set (entry, contact, now_us);
  entry->run = slot->run;
  if (entry->load != slot->load) {
    entry->load = slot->load;
    g_queue_unlink (&slot->entries, &entry->in_slot);
    g_queue_push_tail_link (&slot->entries, &entry->in_slot);
  }
  if (news != MUSTER_ROSTER_SAME)
    muster_roster_tell (self, person);

  return news;
}

MusterRosterNews
muster_roster_put (MusterRoster *self,
                   const char *account,
                   const char *address,
                   const MusterContact *contact,
                   gint64 now_us)
{
  return muster_roster_set (self, muster_roster_make_slot (self, account),
                            muster_roster_make_person (self, address), contact, now_us);
}

gboolean
muster_roster_remove (MusterRoster *self, const char *account, const char *address)
{
  Slot *slot = g_hash_table_lookup (self->slots, account);
  MusterRosterPerson *person = muster_roster_find (self, address);
  Entry *entry = slot != NULL && person != NULL ? muster_roster_find_in (self, slot, person) : NULL;

  if (entry == NULL)
    return FALSE;

  muster_roster_drop_entry (self, entry);
  return TRUE;
}

void
muster_roster_begin_load (MusterRoster *self, const char *account)
{
  muster_roster_make_slot (self, account)->load++;
}

MusterRosterNews
muster_roster_load (MusterRoster *self,
                    const char *account,
                    const char *address,
                    const MusterContact *contact,
                    gint64 now_us)
{
  Slot *slot = muster_roster_make_slot (self, account);
  MusterRosterPerson *person = muster_roster_make_person (self, address);
  Entry *entry = muster_roster_find_in (self, slot, person);

  if (entry != NULL && entry->load == slot->load) /* it was told of since: that is newer */
    return MUSTER_ROSTER_SAME;

  return muster_roster_set (self, slot, person, contact, now_us);
}

gboolean
muster_roster_trim (MusterRoster *self, const char *account, guint max)
{
  Slot *slot = g_hash_table_lookup (self->slots, account);

  if (slot == NULL)
    return FALSE;

  for (; max > 0 && slot->entries.head != NULL; max--) {
    Entry *entry = slot->entries.head->data;

    if (entry->load == slot->load)
      break;
    muster_roster_drop_entry (self, entry);
  }

  if (slot->entries.head == NULL && slot->is_forgotten) {
    g_hash_table_remove (self->slots, account);
    return FALSE;
  }
  return slot->entries.head != NULL && ((Entry *) slot->entries.head->data)->load != slot->load;
}

void
muster_roster_set_current (MusterRoster *self, const char *account, gboolean current, gint64 now_us)
{
  Slot *slot = muster_roster_make_slot (self, account);

  if (slot->is_current == current)
    return;

  slot->is_current = current;
  if (current) {
    slot->run++; /* what was said in an earlier one does not count until it is said again */
    return;
  }

  slot->since_us = now_us;
  for (GList *link = slot->entries.head; link != NULL; link = link->next) {
    Entry *entry = link->data;

    if (entry->run == slot->run)
      muster_roster_tell (self, entry->person);
  }
}

void
muster_roster_forget (MusterRoster *self, const char *account)
{
  Slot *slot = g_hash_table_lookup (self->slots, account);

  if (slot == NULL || slot->is_forgotten)
    return;

  slot->is_forgotten = TRUE;
  slot->load++; /* so all of them are to be trimmed */
}

/* looking up */

MusterRosterPerson *
muster_roster_find (MusterRoster *self, const char *address)
{
  char *key = make_key (address);
  MusterRosterPerson *person = g_hash_table_lookup (self->persons, key);

  g_ref_string_release (key);
  return person;
}

const MusterContact *
muster_roster_find_entry (MusterRoster *self, const char *account, const char *address)
{
  Slot *slot = g_hash_table_lookup (self->slots, account);
  MusterRosterPerson *person = muster_roster_find (self, address);
  Entry *entry = slot != NULL && person != NULL ? muster_roster_find_in (self, slot, person) : NULL;

  return entry != NULL ? entry->contact : NULL;
}

MusterRosterPerson *
muster_roster_next (MusterRoster *self, const char *after_key)
{
  MusterRosterPerson after = { .key = (char *) after_key };
  GSequenceIter *iter = g_sequence_search (self->order, &after, compare_persons, NULL);

  return !g_sequence_iter_is_end (iter) ? g_sequence_get (iter) : NULL;
}

guint
muster_roster_count (MusterRoster *self)
{
  return g_hash_table_size (self->persons);
}

const char *
muster_roster_person_get_key (MusterRosterPerson *person)
{
  return person->key;
}

const char *
muster_roster_person_get_address (MusterRosterPerson *person)
{
  return person->address;
}

static gboolean
entry_is_current (const Entry *entry)
{
  return entry->slot->is_current && entry->run == entry->slot->run;
}

/* Who does not let us see its presence, but is said to be there, is there. */
static gboolean
entry_is_known (const Entry *entry)
{
  return entry_is_current (entry) && (entry->contact->state == MUSTER_CONTACT_WATCHED ||
                                      entry->contact->presence != MUSTER_PRESENCE_OFFLINE);
}

static gint64
entry_since_us (const Entry *entry)
{
  return entry_is_known (entry) || entry_is_current (entry) ? entry->contact->changed_at_us
                                                            : entry->slot->since_us;
}

static gboolean
is_better (const Entry *entry, const Entry *best)
{
  gint64 since_us, best_us;

  if (best == NULL)
    return TRUE;
  if (entry_is_known (entry) != entry_is_known (best))
    return entry_is_known (entry);
  if (entry_is_known (entry) && entry->contact->presence != best->contact->presence)
    return likelihoods[entry->contact->presence] > likelihoods[best->contact->presence];

  since_us = entry_since_us (entry);
  best_us = entry_since_us (best);
  if (since_us != best_us)
    return since_us > best_us;

  return strcmp (entry->slot->id, best->slot->id) < 0;
}

gboolean
muster_roster_person_view (MusterRosterPerson *person, MusterRosterView *view)
{
  const Entry *best = NULL;

  *view = (MusterRosterView){ .address = person->address, .name = "", .account = "", .text = "" };
  for (const GList *link = person->entries.head; link != NULL; link = link->next) {
    const Entry *entry = link->data;

    if (entry->slot->is_forgotten)
      continue;
    if (view->n_entries++ == 0 || says[entry->contact->state] > says[view->state])
      view->state = entry->contact->state;
    view->asks = view->asks || entry->contact->asks;
    if (entry->contact->name != NULL && *view->name == '\0')
      view->name = entry->contact->name;
    if (is_better (entry, best))
      best = entry;
  }
  if (best == NULL)
    return FALSE;

  if (best->contact->name != NULL)
    view->name = best->contact->name;
  view->account = best->slot->id;
  view->is_known = entry_is_known (best);
  view->since_us = entry_since_us (best);
  if (view->is_known) {
    view->presence = best->contact->presence;
    view->text = best->contact->text != NULL ? best->contact->text : "";
  }

  return TRUE;
}

guint
muster_roster_person_get_entries (MusterRosterPerson *person, MusterRosterEntry *entries, guint max)
{
  guint n = 0;

  for (const GList *link = person->entries.head; link != NULL && n < max; link = link->next) {
    const Entry *entry = link->data;

    if (!entry->slot->is_forgotten)
      entries[n++] = (MusterRosterEntry){ entry->slot->id, entry->contact,
                                          entry_is_current (entry) };
  }

  return n;
}

/* life */

MusterRoster *
muster_roster_new (MusterRosterFunc changed, gpointer user_data)
{
  MusterRoster *self = g_new0 (MusterRoster, 1);

  self->slots = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, slot_free);
  self->persons = g_hash_table_new (g_str_hash, g_str_equal);
  self->entries = g_hash_table_new (entry_hash, entry_equal);
  self->order = g_sequence_new (person_free);
  self->changed = changed;
  self->user_data = user_data;

  return self;
}

void
muster_roster_free (MusterRoster *self)
{
  if (self == NULL)
    return;

  g_hash_table_unref (self->entries);
  g_hash_table_unref (self->persons);
  g_hash_table_unref (self->slots);
  g_sequence_free (self->order);
  g_free (self);
}
