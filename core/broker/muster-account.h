/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-account-secrets.h"
#include "muster-standing.h"
#include "plugins/muster-module.h"
#include "runtime/muster-admission.h"
#include "store/muster-store.h"

G_BEGIN_DECLS

/**
 * MusterAccount:
 *
 * One login on one service: its configuration, which of its secrets are stored, and its standing.
 * It decides nothing about time and stores nothing: the standing does the one, the broker the other.
 */
typedef struct _MusterAccount MusterAccount;

/**
 * MusterAccountHost:
 *
 * What an account asks of the broker; all on the main context. `load_secret` takes and completes the
 * task as in #MusterRegistrationHost; `load_resume` answers by muster_account_resume_loaded();
 * `secret_refused` keeps it across restarts that what is stored was refused.
 */
typedef struct {
  const char *(*get_offline_reason) (gpointer host, MusterAccount *account); /* NULL: on-line */
  /* a reason, static; NULL (or not set): there is a key */
  const char *(*why_no_key) (gpointer host);
  void (*load_secret) (gpointer host, MusterAccount *account, const char *name, GTask *task);
  void (*load_resume) (gpointer host, MusterAccount *account);
  void (*save_resume) (gpointer host, MusterAccount *account, GBytes *blob);
  void (*secret_refused) (gpointer host, MusterAccount *account);
  void (*admit) (gpointer host, MusterAccount *account);
  void (*release) (gpointer host, MusterAccount *account, const GError *outcome);
  void (*changed) (gpointer host, MusterAccount *account); /* its standing */
  /* What its capabilities are for; may be left out. See muster_account_get_serving(). */
  void (*serving_changed) (gpointer host, MusterAccount *account);
  void (*contact_changed) (gpointer host, MusterAccount *account, const MusterContact *contact);
  void (*contact_gone) (gpointer host, MusterAccount *account, const char *address);
  void (*offer_changed) (gpointer host, MusterAccount *account, const MusterOffer *offer);
  void (*messages_waiting) (gpointer host, MusterAccount *account, guint n_new, guint n_old);
  void (*event) (gpointer host,
                 MusterAccount *account,
                 const char *type,
                 GVariant *payload,
                 gboolean keep);
  /* as in #MusterStandingHost */
  gboolean (*has_gate) (gpointer host);
  gboolean (*gate) (gpointer host,
                    MusterAccount *account,
                    GVariant *payload,
                    GCancellable *cancellable);
} MusterAccountHost;

MusterAccount *muster_account_new (MusterAccountRecord *record, /* taken */
                                   const MusterAccountHost *host,
                                   gpointer host_data);
MusterAccount *muster_account_ref (MusterAccount *self);
void muster_account_unref (MusterAccount *self); /* the last: its standing must be idle */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterAccount, muster_account_unref)

const char *muster_account_get_id (MusterAccount *self);
const MusterAccountRecord *muster_account_get_record (MusterAccount *self);
MusterStanding *muster_account_get_standing (MusterAccount *self);
/* Returns (transfer none) (nullable): its registration while its capabilities can be used. */
MusterRegistration *muster_account_get_serving (MusterAccount *self);
/* Whether its registration has a capability, such as MUSTER_TYPE_PUBLISHER. */
gboolean muster_account_can (MusterAccount *self, GType capability);
const MusterProtocol *muster_account_get_protocol (MusterAccount *self); /* NULL: no plugin */
const char *muster_account_get_problem (MusterAccount *self);            /* "" if it is valid */

/* Which host admission counts it against, in lower case; NULL: it has none. */
const char *muster_account_get_remote_host (MusterAccount *self);
/* Nothing that it talks to is on another machine. */
gboolean muster_account_is_local (MusterAccount *self);
MusterTicket *muster_account_get_ticket (MusterAccount *self); /* of its present attempt */

/* Which plugin speaks its protocol; @kind NULL: none does, though @module, if given, would. Says
 * nothing to the standing. */
void muster_account_set_kind (MusterAccount *self, const MusterKind *kind, MusterModule *module);

/* The plugin that would speak its protocol, were it not suspended; NULL: none */
MusterModule *muster_account_get_suspended_plugin (MusterAccount *self);

/* Replaces the configuration (taken) and checks it. Says nothing to the standing, and the registration
 * goes by the old parameters until they are adopted or it is made anew: an account that is re-pointed
 * takes its leave where it was. */
void muster_account_take_record (MusterAccount *self, MusterAccountRecord *record);
void muster_account_adopt_params (MusterAccount *self);

/* Secrets: which are stored, whether they were refused. */
const char *const *muster_account_get_secrets (MusterAccount *self);
gboolean muster_account_has_secret (MusterAccount *self, const char *name);
MusterAccountSecrets *muster_account_get_secret_list (MusterAccount *self);
void muster_account_set_refused (MusterAccount *self, gboolean refused);
gboolean muster_account_is_refused (MusterAccount *self);
const char *muster_account_get_missing_secret (MusterAccount *self); /* NULL: none is missing */
/* Waits for the key that its secrets are sealed under, and for nothing else of its own. */
gboolean muster_account_lacks_key (MusterAccount *self);

/* Whether there is something of an earlier run to load. */
void muster_account_set_has_resume (MusterAccount *self);
gboolean muster_account_has_resume (MusterAccount *self);
void muster_account_resume_loaded (MusterAccount *self, GBytes *blob); /* NULL: there is none */
void muster_account_forget_resume (MusterAccount *self);

/* The session ends: nobody wants it now, but the wish that is stored stays. */
void muster_account_pause (MusterAccount *self);

/* Somebody wants it off for this session: a wish that is not stored. Says nothing to the standing. */
void muster_account_set_disconnected (MusterAccount *self, gboolean disconnected);
gboolean muster_account_is_disconnected (MusterAccount *self);

/* It is being removed: nobody wants it any more, and what it says is not stored. */
void muster_account_set_leaving (MusterAccount *self);
gboolean muster_account_is_leaving (MusterAccount *self);

/* For whoever serialises changes to it: one waits for the other. */
GQueue *muster_account_get_changes (MusterAccount *self);

G_END_DECLS
