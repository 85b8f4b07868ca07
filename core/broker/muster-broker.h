/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "events/muster-event-bus.h"
#include "events/muster-gate.h"
#include "muster-account.h"
#include "muster-broker-error.h"
#include "muster-incoming-handler.h"
#include "muster-proofs.h"
#include "muster-request.h"
#include "muster-roster.h"
#include "plugins/muster-plugin-registry.h"
#include "secrets/muster-vault.h"

G_BEGIN_DECLS

/**
 * MusterBroker:
 *
 * Owns the identities and accounts, keeps them in the store, and tells the accounts what happens
 * around them. Knows no D-Bus and no protocol.
 */
typedef struct _MusterBroker MusterBroker;

typedef struct {
  MusterIdentityRecord *record;
  guint n_accounts;
  guint n_registered;
  guint n_adding;   /* accounts that are being stored for it */
  gboolean leaving; /* it is being removed */
} MusterIdentity;

/* What waits in an account's mailbox at its service. */
typedef struct {
  guint n_new;
  guint n_old;
  gint64 since_us; /* when the service said so; 0: it has not yet */
} MusterMailbox;

/* What the broker tells whoever shows it to others. */
typedef struct {
  void (*account_added) (gpointer observer, MusterAccount *account);
  void (*account_removed) (gpointer observer, MusterAccount *account);
  void (*account_changed) (gpointer observer, MusterAccount *account); /* configuration */
  void (*standing_changed) (gpointer observer, MusterAccount *account);
  void (*proof_changed) (gpointer observer, MusterAccount *account); /* may be left out */
  void (*identity_added) (gpointer observer, MusterIdentity *identity);
  void (*identity_removed) (gpointer observer, MusterIdentity *identity);
  void (*identity_changed) (gpointer observer, MusterIdentity *identity);
  void (*request_added) (gpointer observer, MusterRequest *request);
  void (*request_removed) (gpointer observer, MusterRequest *request);
  void (*presence_changed) (gpointer observer, MusterIdentity *identity);
  void (*publication_changed) (gpointer observer, MusterAccount *account);
  void (*capabilities_changed) (gpointer observer, MusterAccount *account); /* its plugin came */
  void (*offer_added) (gpointer observer, MusterIncomingOffer *offer);
  void (*offer_changed) (gpointer observer, MusterIncomingOffer *offer);
  void (*offer_removed) (gpointer observer, MusterIncomingOffer *offer);
  void (*handlers_changed) (gpointer observer);
  void (*mailbox_changed) (gpointer observer, MusterAccount *account);
  void (*offline_changed) (gpointer observer);
  void (*plugin_changed) (gpointer observer, MusterModule *module);
  void (*protocol_added) (gpointer observer, const MusterKind *kind);
  void (*contact_changed) (gpointer observer, MusterRosterPerson *person); /* or is gone */
} MusterBrokerObserver;

typedef struct {
  guint64 opened;    /* registrations made afresh */
  guint64 refreshed; /* leases extended */
  guint64 failed;    /* attempts that failed */
  guint64 lost;      /* registrations that ended without being asked to */
} MusterBrokerCounters;

/* All of them are lent until muster_broker_free(). @vault NULL: see muster_broker_set_key(). */
MusterBroker *muster_broker_new (MusterStore *store,
                                 MusterVault *vault,
                                 MusterPluginRegistry *registry,
                                 MusterEventBus *events);
void muster_broker_free (MusterBroker *self); /* after muster_broker_leave_async() */

void muster_broker_set_observer (MusterBroker *self,
                                 const MusterBrokerObserver *observer,
                                 gpointer data);

/* Who is asked before a fresh registration stands; lent, NULL for nobody. */
void muster_broker_set_gate (MusterBroker *self, MusterGate *gate);

/* There is a key now (@vault, for good), or there is none: @reason is a word for accounts that wait
 * for it, @problem a sentence for people. */
void muster_broker_set_key (MusterBroker *self,
                            MusterVault *vault,
                            const char *reason,
                            const char *problem);

/* Loads everything, and starts what is enabled. */
gboolean muster_broker_start (MusterBroker *self, GError **error);

/* Unregisters everything, for at most 3 s, at the end of the session. */
void muster_broker_leave_async (MusterBroker *self, GAsyncReadyCallback callback, gpointer data);
gboolean muster_broker_leave_finish (MusterBroker *self, GAsyncResult *result, GError **error);

/* What stands in the way of going on-line: a set of reasons, each on or off. Without a network the
 * accounts go on whose services are on this machine (MUSTER_OFFLINE_NO_NETWORK); every other reason
 * holds for all. */
void muster_broker_set_offline (MusterBroker *self, const char *reason, gboolean offline);
const char *const *muster_broker_get_offline (MusterBroker *self);
/* Returns (nullable) (static): the first reason that holds for @account. */
const char *muster_broker_get_offline_reason (MusterBroker *self, MusterAccount *account);
/* Another local address, or back from suspend. */
void muster_broker_network_changed (MusterBroker *self);

/* Looking up. Ids are unique; accounts and identities come in the order of their ids. */
MusterAccount *muster_broker_get_account (MusterBroker *self, const char *id);
MusterIdentity *muster_broker_get_identity (MusterBroker *self, const char *id);
MusterAccount *
muster_broker_find_account (MusterBroker *self, const char *selector, GError **error);
MusterIdentity *
muster_broker_find_identity (MusterBroker *self, const char *selector, GError **error);
GSequence *muster_broker_get_accounts (MusterBroker *self);   /* of MusterAccount */
GSequence *muster_broker_get_identities (MusterBroker *self); /* of MusterIdentity */
GSequenceIter *muster_broker_seek_account (MusterBroker *self, const char *after_id);
GSequenceIter *muster_broker_seek_identity (MusterBroker *self, const char *after_id);
MusterPluginRegistry *muster_broker_get_registry (MusterBroker *self);
MusterStore *muster_broker_get_store (MusterBroker *self);
/* What the user should know about the store, "" if nothing */
const char *muster_broker_get_notice (MusterBroker *self);
const MusterBrokerCounters *muster_broker_get_counters (MusterBroker *self);
guint muster_broker_count_registered (MusterBroker *self);
const char *muster_broker_get_key_problem (MusterBroker *self); /* "" if there is a key */

/* (transfer full): the protocols that @address could be one of, the likeliest first; %NULL with an
 * error where it can be nobody's. */
GStrv muster_broker_discover (MusterBroker *self, const char *address, GError **error);

/* Changes: durable when the callback comes. Errors are of MUSTER_BROKER_ERROR. */

/* @params: a{sv}; @secrets: name -> MusterSecret; @identity, @name NULL: by default */
void muster_broker_add_account_async (MusterBroker *self,
                                      const char *protocol,
                                      const char *address,
                                      GVariant *params,
                                      GHashTable *secrets,
                                      const char *identity,
                                      const char *name,
                                      gboolean enabled,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
/* Returns (transfer none): the new account */
MusterAccount *
muster_broker_add_account_finish (MusterBroker *self, GAsyncResult *result, GError **error);

/* @set: a{sv}; @name NULL: keep */
void muster_broker_update_account_async (MusterBroker *self,
                                         MusterAccount *account,
                                         GVariant *set,
                                         const char *const *unset,
                                         const char *name,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
/* @effect (static) and @detached (transfer full) as in org.muster.Muster1.Account.Update */
gboolean muster_broker_update_account_finish (MusterBroker *self,
                                              GAsyncResult *result,
                                              const char **effect,
                                              GStrv *detached,
                                              GError **error);

void muster_broker_set_enabled_async (MusterBroker *self,
                                      MusterAccount *account,
                                      gboolean enabled,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);

/* @secret NULL: clears it */
void muster_broker_set_secret_async (MusterBroker *self,
                                     MusterAccount *account,
                                     const char *name,
                                     MusterSecret *secret,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);

void muster_broker_remove_account_async (MusterBroker *self,
                                         MusterAccount *account,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);

void muster_broker_add_identity_async (MusterBroker *self,
                                       const char *name,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
MusterIdentity *
muster_broker_add_identity_finish (MusterBroker *self, GAsyncResult *result, GError **error);

void muster_broker_rename_identity_async (MusterBroker *self,
                                          MusterIdentity *identity,
                                          const char *name,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);

void muster_broker_remove_identity_async (MusterBroker *self,
                                          MusterIdentity *identity,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);

/* For the changes that return nothing. */
gboolean muster_broker_change_finish (MusterBroker *self, GAsyncResult *result, GError **error);

/* All accounts (@accounts NULL) or those, as a document: see muster-document.h. */
void muster_broker_export_async (MusterBroker *self,
                                 GPtrArray *accounts,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
/* Returns (transfer full) */
char *muster_broker_export_finish (MusterBroker *self, GAsyncResult *result, GError **error);

/* Adds what is not there yet, or (@dry_run) says what it would do. */
void muster_broker_import_async (MusterBroker *self,
                                 const char *document,
                                 gboolean dry_run,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
/* Returns (transfer full): the a(sbs) of org.muster.Muster1.Manager.Import */
GVariant *muster_broker_import_finish (MusterBroker *self, GAsyncResult *result, GError **error);

/* Requests: what only a person can answer. @accept is for certificates; @secrets: name ->
 * MusterSecret. */
MusterRequest *muster_broker_get_request (MusterBroker *self, const char *id);
GSequence *muster_broker_get_requests (MusterBroker *self); /* of MusterRequest, by id */
GSequenceIter *muster_broker_seek_request (MusterBroker *self, const char *after_id);
void muster_broker_answer_request_async (MusterBroker *self,
                                         MusterRequest *request,
                                         gboolean accept,
                                         GHashTable *secrets,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);

/* Contacts: whom the accounts watch. @account NULL: the one that can only be meant. Errors are of
 * MUSTER_BROKER_ERROR, or what the service said (MUSTER_ERROR). */
MusterRoster *muster_broker_get_roster (MusterBroker *self);
/* (nullable): with or without a scheme */
MusterRosterPerson *muster_broker_find_contact (MusterBroker *self, const char *address);
/* @name NULL: none, or as it is */
void muster_broker_watch_async (MusterBroker *self,
                                MusterAccount *account,
                                const char *address,
                                const char *name,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
void muster_broker_unwatch_async (MusterBroker *self,
                                  MusterAccount *account,
                                  const char *address,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
/* Whether it may see our presence. */
void muster_broker_authorise_async (MusterBroker *self,
                                    MusterAccount *account,
                                    const char *address,
                                    gboolean allow,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
gboolean muster_broker_contact_finish (GAsyncResult *result, GError **error);

/* Calls and messages that came in: those that wait, and for a while those that are over. */
MusterIncomingOffer *muster_broker_get_offer (MusterBroker *self, const char *id);
GSequence *muster_broker_get_offers (MusterBroker *self); /* of MusterIncomingOffer, by id */
GSequenceIter *muster_broker_seek_offer (MusterBroker *self, const char *after_id);
/* One answer at a time. @target: for a redirection; for an acceptance, where NULL means the handler that
 * came last and takes such; otherwise NULL. Errors are also those of the service, of MUSTER_ERROR. */
void muster_broker_answer_offer_async (MusterBroker *self,
                                       MusterIncomingOffer *offer,
                                       MusterAnswer answer,
                                       const char *target,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
gboolean
muster_broker_answer_offer_finish (MusterBroker *self, GAsyncResult *result, GError **error);

/* Who takes them. @handler is taken if it is added. */
gboolean
muster_broker_add_handler (MusterBroker *self, MusterIncomingHandler *handler, GError **error);
/* @address NULL: all of @owner's. Returns: whether there was one */
gboolean muster_broker_remove_handlers (MusterBroker *self, const char *owner, const char *address);
GPtrArray *
muster_broker_get_handlers (MusterBroker *self); /* MusterIncomingHandler, oldest first */

/* Never NULL. */
const MusterMailbox *muster_broker_get_mailbox (MusterBroker *self, MusterAccount *account);

/* Bindings: where the service reaches the account's devices. It must be registered. */
void muster_broker_list_bindings_async (MusterBroker *self,
                                        MusterAccount *account,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
/* Returns (transfer full) (element-type MusterBinding) */
GPtrArray *
muster_broker_list_bindings_finish (MusterBroker *self, GAsyncResult *result, GError **error);
/* @uri NULL: all, the own one included */
void muster_broker_remove_binding_async (MusterBroker *self,
                                         MusterAccount *account,
                                         const char *uri,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
/* @ours (optional): the own one is gone, and the account registers again */
gboolean muster_broker_remove_binding_finish (MusterBroker *self,
                                              GAsyncResult *result,
                                              gboolean *ours,
                                              GError **error);

/* Actions of people. */
gboolean muster_broker_refresh (MusterBroker *self, MusterAccount *account, GError **error);
gboolean muster_broker_retry (MusterBroker *self, MusterAccount *account, GError **error);
/* For this session only: off although it is enabled, and on again. */
gboolean muster_broker_connect (MusterBroker *self, MusterAccount *account, GError **error);
gboolean muster_broker_disconnect (MusterBroker *self, MusterAccount *account, GError **error);
/* Has its registration prove that others reach it, now. Fails with %MUSTER_BROKER_ERROR, or with what
 * the plugin said why nothing could be sent. */
void muster_broker_verify_async (MusterBroker *self,
                                 MusterAccount *account,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
/* @evidence: (transfer full) */
gboolean muster_broker_verify_finish (MusterBroker *self,
                                      GAsyncResult *result,
                                      MusterProofOutcome *outcome,
                                      char **evidence,
                                      GError **error);
/* Returns (transfer none): what was proven of it, and when; never %NULL */
const MusterProofView *muster_broker_get_proof (MusterBroker *self, MusterAccount *account);
/* How many accounts claim that; not for %MUSTER_PROOF_CLAIMS_NOTHING. */
guint muster_broker_count_proofs (MusterBroker *self, MusterProofClaim claim);

/* Has a suspended plugin work again, and its accounts with it. */
gboolean muster_broker_resume_plugin (MusterBroker *self, MusterModule *module, GError **error);

G_END_DECLS
