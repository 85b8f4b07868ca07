/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-broker*.c alone. */

#pragma once

#include "muster-broker.h"

#include <muster/muster-hub.h>

G_BEGIN_DECLS

struct _MusterBroker {
  MusterStore *store;
  MusterVault *vault;
  MusterPluginRegistry *registry;
  MusterEventBus *events;
  MusterGate *gate; /* or NULL */

  GSequence *accounts;    /* MusterAccount by id; owns a reference */
  GHashTable *by_id;      /* id -> GSequenceIter of accounts */
  GHashTable *by_address; /* "protocol address" -> MusterAccount, NULL while one is being added */
  GSequence *identities;  /* MusterIdentity by id */

  const MusterBrokerObserver *observer;
  gpointer observer_data;

  GPtrArray *offline; /* reasons, NULL-terminated */
  MusterBrokerCounters counters;
  guint n_registered;
  GHashTable *registered; /* MusterAccount, to count its changes */
  guint bury_id;
  GPtrArray *retired; /* MusterAccount: removed, but still unregistering */
  GQueue identity_changes;

  GTask *leaving; /* the end of the session */
  MusterTimer leave_timer;
};

/* muster-broker-change.c */
char *muster_broker_new_id (MusterBroker *self, char prefix);
char *muster_broker_address_key (const char *protocol, const char *address);

/* muster-broker.c */
MusterIdentity *muster_broker_insert_identity (MusterBroker *self, MusterIdentityRecord *record);
void muster_broker_drop_identity (MusterBroker *self, MusterIdentity *identity);
MusterAccount *muster_broker_insert_account (MusterBroker *self, MusterAccountRecord *record);
void muster_broker_retire_account (MusterBroker *self, MusterAccount *account);
void muster_broker_start_account (MusterBroker *self, MusterAccount *account);
void muster_broker_tell_account_changed (MusterBroker *self, MusterAccount *account);

G_END_DECLS
