/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-watcher.h>

G_BEGIN_DECLS

#define MUSTER_ROSTER_ACCOUNT_MAX 10000 /* contacts of one account */
#define MUSTER_ROSTER_MAX         50000 /* of all accounts together */

/**
 * MusterRoster:
 *
 * Who is watched, by address: what each account's service says of them, and what comes of it. Plain
 * data: it asks nobody and knows no time but what it is told.
 *
 * An account is current while its service can be asked; what was said before that, and not again
 * since, does not count.
 */
typedef struct _MusterRoster MusterRoster;

/* One address, in all accounts that have it. Lent, until it has changed. */
typedef struct _MusterRosterPerson MusterRosterPerson;

/* @person looks otherwise, or (@is_gone) no account has it any more. */
typedef void (*MusterRosterFunc) (MusterRosterPerson *person, gboolean is_gone, gpointer user_data);

/* What became of a contact. */
typedef enum {
  MUSTER_ROSTER_SAME = 0,
  MUSTER_ROSTER_FULL = 1 << 0,     /* there are too many: it was left out */
  MUSTER_ROSTER_CHANGED = 1 << 1,  /* it is new, or looks otherwise */
  MUSTER_ROSTER_ASKS = 1 << 2,     /* now it asks to see ours */
  MUSTER_ROSTER_ACCEPTED = 1 << 3, /* it was asked, and lets us see its presence */
  MUSTER_ROSTER_REFUSED = 1 << 4,  /* it does not, or no longer */
} MusterRosterNews;

/* What one account's service says; lent. */
typedef struct {
  const char *account; /* its id */
  const MusterContact *contact;
  gboolean is_current;
} MusterRosterEntry;

/* What comes of all entries; lent. */
typedef struct {
  const char *address;
  const char *name;    /* "": none */
  const char *account; /* whose entry says the presence */
  MusterContactState state;
  gboolean is_known; /* somebody sees its presence now */
  MusterPresence presence;
  const char *text; /* "": none */
  gint64 since_us;  /* UTC: of the presence, or of not knowing it; 0: not known */
  gboolean asks;    /* in at least one account */
  guint n_entries;
} MusterRosterView;

MusterRoster *muster_roster_new (MusterRosterFunc changed, gpointer user_data);
void muster_roster_free (MusterRoster *self);

/* @address is what @contact's is to people: without a scheme. Not longer than anybody wants to read,
 * and printable. @now_us: UTC, for changes whose time the service does not say. */
MusterRosterNews muster_roster_put (MusterRoster *self,
                                    const char *account,
                                    const char *address,
                                    const MusterContact *contact,
                                    gint64 now_us);
gboolean muster_roster_remove (MusterRoster *self, const char *account, const char *address);

/* All contacts of an account come: begin, load each (unless it was put since), trim until there is
 * nothing to trim. In pieces, since there may be many. */
void muster_roster_begin_load (MusterRoster *self, const char *account);
MusterRosterNews muster_roster_load (MusterRoster *self,
                                     const char *account,
                                     const char *address,
                                     const MusterContact *contact,
                                     gint64 now_us);
/* Returns whether something is left. */
gboolean muster_roster_trim (MusterRoster *self, const char *account, guint max);

void muster_roster_set_current (MusterRoster *self,
                                const char *account,
                                gboolean current,
                                gint64 now_us);
/* It is gone: its entries are seen no more; muster_roster_trim() tells so, and frees them. */
void muster_roster_forget (MusterRoster *self, const char *account);

/* Looking up. Without regard to case, and in the order of what is left then. */
MusterRosterPerson *muster_roster_find (MusterRoster *self, const char *address);
/* (nullable): what @account's service says of it */
const MusterContact *
muster_roster_find_entry (MusterRoster *self, const char *account, const char *address);
/* The first behind @after_key ("" for the first of all); %NULL at the end */
MusterRosterPerson *muster_roster_next (MusterRoster *self, const char *after_key);
guint muster_roster_count (MusterRoster *self); /* persons */

const char *muster_roster_person_get_key (MusterRosterPerson *person); /* a GRefString */
/* Returns %FALSE: no account that is still there has it. */
gboolean muster_roster_person_view (MusterRosterPerson *person, MusterRosterView *view);
/* Returns how many of the at most @max there are in @entries. */
guint muster_roster_person_get_entries (MusterRosterPerson *person,
                                        MusterRosterEntry *entries,
                                        guint max);
const char *muster_roster_person_get_address (MusterRosterPerson *person); /* a GRefString */

G_END_DECLS
