/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-broker*.c alone. */

#pragma once

#include "muster-broker.h"

#include <muster/muster-hub.h>
#include <muster/muster-presence.h>

G_BEGIN_DECLS

/* Names of sealed rows. */
#define MUSTER_SEALED_SECRET  "secret/" /* and the name of the parameter */
#define MUSTER_SEALED_RESUME  "resume"
#define MUSTER_SEALED_REFUSED "refused" /* empty: what is stored was refused, and stays so */

typedef struct _MusterBrokerPresence MusterBrokerPresence;
typedef struct _MusterBrokerPublications MusterBrokerPublications;

typedef struct _MusterBrokerContacts MusterBrokerContacts;

struct _MusterBroker {
  MusterStore *store;
  MusterVault *vault;     /* NULL: there is no key now */
  const char *key_reason; /* then: why, in a word, static */
  char *key_problem;      /* and in a sentence */
  GHashTable
    *key_runtime; /* id -> MusterRuntimeRecord of the last run, for accounts that wait for it */
  GHashTable *unsealed;   /* id -> GBytes: resume blobs, not yet sealed */
  MusterTimer seal_timer; /* armed while there are some, and a key */
  MusterPluginRegistry *registry;
  MusterEventBus *events;
  MusterGate *gate; /* or NULL */
  MusterAdmission *admission;

  GSequence *accounts;    /* MusterAccount by id; owns a reference */
  GHashTable *by_id;      /* id -> GSequenceIter of accounts */
  GHashTable *by_address; /* "protocol address" -> MusterAccount, NULL while one is being added */
  GSequence *requests;    /* MusterRequest by id; owns it */
  GHashTable *requests_by_account;
  GSequence *identities; /* MusterIdentity by id */

  GSequence *offers;             /* MusterIncomingOffer by id; owns it */
  GHashTable *offers_by_account; /* MusterAccount -> GHashTable of the plugin's id -> offer */
  guint64 last_offer;            /* its number */
  guint n_refusing;              /* offers that found no room */
  GPtrArray *handlers;           /* MusterIncomingHandler, oldest first */
  GHashTable *mailboxes;         /* MusterAccount -> MusterMailbox */

  const MusterBrokerObserver *observer;
  gpointer observer_data;

  GPtrArray *offline;  /* reasons, NULL-terminated */
  MusterTimer sweep;   /* the accounts are told in batches; this leads to the next one */
  char *swept;         /* the id of the last one that was told; NULL: none yet */
  gboolean is_changed; /* ... and are told that the network is another */
  MusterBrokerCounters counters;
  guint n_registered;
  GHashTable *registered; /* MusterAccount, to count its changes */
  guint settle_id;
  GPtrArray *retired; /* MusterAccount: removed, but still unregistering */
  GQueue identity_changes;
  MusterProofs *proofs; /* of reachability */
  GQueue service_calls; /* MusterServiceCall: under way */

  char *notice;       /* what the user should know about the store */
  GCancellable *life; /* fires when the broker goes: whoever still waits must not look for it */
  gint64 started_us;  /* boot clock */
  GPtrArray *trials;  /* MusterTrial: under way */
  gboolean importing; /* one at a time */
  MusterBrokerPresence *presence;
  MusterBrokerPublications *publications;
  GTask *leaving; /* the end of the session */
  MusterTimer leave_timer;
  gboolean is_leaving; /* it has begun, and does not end */
  MusterBrokerContacts *contacts;
};

/* What a new account would be; all lent. */
typedef struct {
  const MusterKind *kind;
  MusterModule *module; /* started */
  const char *address;  /* the part of the given one that counts */
} MusterNewAccount;

/* muster-broker-resume.c: host is the broker */
void muster_broker_init_resume (MusterBroker *self);
void muster_broker_clear_resume (MusterBroker *self);
void muster_broker_load_resume (gpointer host, MusterAccount *account);
void muster_broker_save_resume (gpointer host, MusterAccount *account, GBytes *blob);
void muster_broker_seal_resume (MusterBroker *self, MusterAccount *account); /* at once */
void muster_broker_seal_resumes (MusterBroker *self);

/* muster-broker-accounts.c */
/* Whether it could be added, by what is given alone; %MUSTER_BROKER_ERROR_INVALID_ARGUMENT names
 * what is wrong. */
gboolean muster_broker_check_new_account (MusterBroker *self,
                                          const char *protocol,
                                          const char *address,
                                          GVariant *params,
                                          GHashTable *secrets,
                                          MusterNewAccount *found,
                                          GError **error);
char *muster_broker_new_id (MusterBroker *self, char prefix);
char *muster_broker_address_key (const char *protocol, const char *address);

/* muster-broker-leave.c */
void muster_broker_init_leave (MusterBroker *self);
void
muster_broker_settle (MusterBroker *self); /* buries who has left, and looks whether all have */

/* muster-broker-discover.c */
/* Returns what is left of @address without a URI scheme of @protocol, where it can do without. */
const char *muster_broker_trim_address (const MusterProtocol *protocol, const char *address);

/* muster-broker-capabilities.c */

/* Who uses one capability of all accounts. @registration NULL: it can be used no longer, and what was
 * under way is being cancelled; no fact may be posted from within. @forget: the account goes. */
typedef struct {
  GType (*get_capability) (void);
  void (*serving_changed) (MusterBroker *self,
                           MusterAccount *account,
                           MusterRegistration *registration);
  void (*forget) (MusterBroker *self, MusterAccount *account);
} MusterCapabilityUser;

void muster_broker_serving_changed (gpointer host, MusterAccount *account); /* host: the broker */
void muster_broker_forget_capabilities (MusterBroker *self, MusterAccount *account);

/* muster-service-call.c */
void muster_broker_cancel_service_calls (MusterBroker *self); /* the broker goes */

/* muster-broker-proof.c */
extern const MusterCapabilityUser muster_broker_proof_user;
void muster_broker_init_proofs (MusterBroker *self);

/* muster-broker-presence.c */
void muster_broker_init_presence (MusterBroker *self);
void muster_broker_clear_presence (MusterBroker *self);
gboolean muster_broker_load_presence (MusterBroker *self, GError **error);
void muster_broker_forget_presence (MusterBroker *self, const char *identity);
/* Returns (transfer full): a GRefString */
char *muster_broker_ref_presence_text (MusterBroker *self, const char *identity);

/* muster-broker-publication.c */
extern const MusterCapabilityUser muster_broker_publication_user;
void muster_broker_init_publications (MusterBroker *self);
void muster_broker_clear_publications (MusterBroker *self);
void muster_broker_tell_publications (MusterBroker *self, guint n_accounts);
void muster_broker_sweep_publications (MusterBroker *self);
void muster_broker_publication_lost (MusterBroker *self, MusterAccount *account);
void muster_broker_override_publication (MusterBroker *self,
                                         MusterAccount *account,
                                         gboolean is_overridden,
                                         MusterPresence presence,
                                         const char *text);

/* muster-broker-override.c */
gboolean muster_broker_load_overrides (MusterBroker *self, GError **error);

/* muster-broker-contacts.c */
void muster_broker_init_contacts (MusterBroker *self);
void muster_broker_clear_contacts (MusterBroker *self);

/* muster-broker-incoming.c: host is the broker */
extern const MusterCapabilityUser muster_broker_incoming;
void muster_broker_init_incoming (MusterBroker *self);
void muster_broker_clear_incoming (MusterBroker *self);
void
muster_broker_offer_changed (gpointer host, MusterAccount *account, const MusterOffer *reported);
/* The only writer of its state */
void
muster_broker_post_offer (MusterBroker *self, MusterIncomingOffer *offer, MusterIncomingFact fact);

/* muster-broker-answer.c */
/* Says for us that there is no room for it. */
void muster_broker_refuse_offer (MusterBroker *self, MusterAccount *account, const char *plugin_id);

/* muster-broker-mailbox.c: host is the broker */
void
muster_broker_messages_waiting (gpointer host, MusterAccount *account, guint n_new, guint n_old);

/* muster-broker-offline.c */
void muster_broker_init_offline (MusterBroker *self);
void muster_broker_clear_offline (MusterBroker *self);

/* muster-broker-plugin.c */
void muster_broker_find_plugin (MusterBroker *self, MusterAccount *account); /* and starts it */
void muster_broker_tell_crash (MusterBroker *self); /* how the last run ended, if it crashed */

/* muster-trial.c */
void muster_broker_cancel_trials (MusterBroker *self);
void muster_broker_forget_trials (MusterBroker *self); /* the broker goes */

/* muster-broker.c */
void muster_broker_settle (MusterBroker *self); /* looks soon whether all have left */
MusterIdentity *muster_broker_insert_identity (MusterBroker *self, MusterIdentityRecord *record);
void muster_broker_drop_identity (MusterBroker *self, MusterIdentity *identity);
MusterAccount *muster_broker_insert_account (MusterBroker *self, MusterAccountRecord *record);
void muster_broker_retire_account (MusterBroker *self, MusterAccount *account);
void muster_broker_start_account (MusterBroker *self, MusterAccount *account);
void muster_broker_update_request (MusterBroker *self, MusterAccount *account);
void muster_broker_drop_request (MusterBroker *self, MusterAccount *account);
gboolean muster_broker_continue_lease (MusterBroker *self,
                                       MusterAccount *account,
                                       const MusterRuntimeRecord *runtime);
/* What the next run goes on with is written. */
void muster_broker_keep_runtime (MusterBroker *self, MusterAccount *account);
void muster_broker_tell_account_changed (MusterBroker *self, MusterAccount *account);

G_END_DECLS
