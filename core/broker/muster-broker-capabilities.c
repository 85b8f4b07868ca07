/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-contacts.h"
#include "muster-broker-private.h"

/*
 * Who is told when an account's registration begins to serve, and when it ends: each of them uses one
 * capability, and keeps what it must know of an account by itself.
 */

static const MusterCapabilityUser *const users[] = {
  &muster_broker_proof_user,
  &muster_broker_publication_user,
  &muster_broker_contacts_user,
  &muster_broker_incoming,
  NULL,
};

void
muster_broker_serving_changed (gpointer host, MusterAccount *account)
{
  MusterBroker *self = host;
  MusterRegistration *registration = muster_account_get_serving (account);

  for (guint i = 0; users[i] != NULL; i++) {
    if (muster_account_can (account, users[i]->get_capability ()))
      users[i]->serving_changed (self, account, registration);
  }
}

void
muster_broker_forget_capabilities (MusterBroker *self, MusterAccount *account)
{
  for (guint i = 0; users[i] != NULL; i++)
    users[i]->forget (self, account);
}
