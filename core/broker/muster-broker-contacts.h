/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-broker*.c alone. */

#pragma once

#include "muster-broker-private.h"
#include "muster-roster.h"

G_BEGIN_DECLS

struct _MusterBrokerContacts {
  MusterBroker *broker;
  MusterRoster *roster;
  GHashTable *watches; /* MusterAccount -> what is known of it and being done */
  GQueue work;         /* of them: those with loaded contacts to take in */
  GQueue gone;         /* ids of accounts whose entries are to be freed */
  guint work_id;
};

extern const MusterCapabilityUser muster_broker_contacts_user;

/* It is not watched, does not ask, has no name: there is nothing to say of it. */
gboolean muster_broker_is_no_contact (const MusterContact *contact);

gboolean muster_broker_knows_contacts (MusterBroker *self, MusterAccount *account);

/* An event about a contact; @contact may be NULL. */
void muster_broker_tell_contact (MusterBroker *self,
                                 MusterAccount *account,
                                 const char *type,
                                 const char *address,
                                 const MusterContact *contact,
                                 gboolean keep);

/* host: the broker */
void
muster_broker_contact_changed (gpointer host, MusterAccount *account, const MusterContact *contact);
void muster_broker_contact_gone (gpointer host, MusterAccount *account, const char *address);

G_END_DECLS
