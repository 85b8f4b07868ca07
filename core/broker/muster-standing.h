/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-account-state.h"
#include "muster-registration-host.h"

G_BEGIN_DECLS

/**
 * MusterStanding:
 *
 * An account's live standing with its service: the state, and the one operation that is under way.
 * Facts go in through muster_standing_post(); muster-account-state.c decides what follows,
 * muster-schedule.c decides when, and this object carries it out through the registration.
 */
typedef struct _MusterStanding MusterStanding;

/**
 * MusterStandingView:
 *
 * What others may know of it. Times are microseconds UTC, 0 for "not"; strings and the error are
 * lent until the next fact.
 */
typedef struct {
  MusterAccountState state;
  guint bindings_serial; /* another one when they are others */
  const char *reason;    /* one word, static; "" for none */
  gint64 since_us;
  guint attempt; /* failures in a row */
  gint64 next_attempt_at_us;
  gint64 registered_at_us;
  gint64 expires_at_us;
  gint64 refresh_at_us;
  guint64 n_refreshes;
  GStrv bindings; /* never NULL */
  GError *error;  /* the last failure; NULL once overcome */
  gint64 error_at_us;
} MusterStandingView;

/**
 * MusterStandingHost:
 *
 * What the standing asks of its account. `make_registration` returns (transfer full) a registration
 * for the parameters as they now are. `get_offline_reason` says (static) why it is not on-line, %NULL
 * if it is. `admit` calls muster_standing_admitted() when the attempt may
 * go out, now or later; `release` gives the place back, with the outcome (NULL: success). `changed`
 * follows every change of the view, and comes after the event that tells of it. `gate` asks whether a
 * fresh registration may stand, and answers by muster_standing_gated(); %FALSE: there is nobody to ask.
 * It may be left out. `serving_changed`: see muster_standing_get_serving(); may be left out. `has_gate` says at little cost whether there is; left out: ask.
 */
typedef struct {
  MusterAccountConditions (*get_conditions) (gpointer host);
  const char *(*get_offline_reason) (gpointer host);
  const char *(*get_unwanted_reason) (gpointer host); /* one word, static; may be left out */
  const char *(*get_plugin_reason) (gpointer host);   /* one word, static: why there is no plugin */
  MusterRegistration *(*make_registration) (gpointer host);
  guint (*get_retry_floor_s) (gpointer host);
  void (*load_resume) (gpointer host); /* answers by muster_standing_resume_loaded() */
  void (*admit) (gpointer host);
  void (*release) (gpointer host, const GError *outcome);
  void (*secret_refused) (gpointer host);
  gboolean (*is_secret_refused) (gpointer host);
  const char *(*get_secret_reason) (gpointer host); /* one word, static; NULL: always "no-secret" */
  void (*changed) (gpointer host);
  void (*serving_changed) (gpointer host);
  void (*event) (gpointer host, const char *type, GVariant *payload, gboolean keep);
  gboolean (*has_gate) (gpointer host);
  gboolean (*gate) (gpointer host, GVariant *payload, GCancellable *cancellable);
} MusterStandingHost;

MusterStanding *
muster_standing_new (const char *id, const MusterStandingHost *host, gpointer host_data);
void muster_standing_free (MusterStanding *self);

void muster_standing_post (MusterStanding *self, MusterAccountFact fact);
void muster_standing_lost (MusterStanding *self, const GError *error);
void muster_standing_forgotten (MusterStanding *self); /* by the service, as it was asked to */
void muster_standing_set_bindings (MusterStanding *self, const char *const *bindings);
void muster_standing_admitted (MusterStanding *self);
void muster_standing_resume_loaded (MusterStanding *self);
void muster_standing_gated (MusterStanding *self, const GError *denial); /* NULL: it may stand */

/* Side leases of the registration; @lease NULL: nothing is granted yet. */
void muster_standing_add_lease (MusterStanding *self, const char *name, const MusterLease *lease);
void muster_standing_remove_lease (MusterStanding *self, const char *name);

/* At start: a lease of the last run that still counts. Then post %MUSTER_FACT_CONTINUED. */
void muster_standing_restore (MusterStanding *self,
                              gint64 registered_at_us,
                              gint64 expires_at_us,
                              gint64 refresh_at_us);

/* On the clock of muster_clock_now_us(); 0: no lease; %G_MAXINT64: it has no end. */
gint64 muster_standing_get_lease_end_us (MusterStanding *self);
const MusterStandingView *muster_standing_get_view (MusterStanding *self);
/* Returns (transfer none) (nullable): the registration while its capabilities can be used: from the
 * first success after it was made or lost, until it is lost or left. */
MusterRegistration *muster_standing_get_serving (MusterStanding *self);
gboolean muster_standing_is_held (MusterStanding *self);
gboolean muster_standing_is_idle (MusterStanding *self); /* nothing under way */
/* Its registration is still the one for parameters that are no longer those of the account. */
gboolean muster_standing_is_repointed (MusterStanding *self);

G_END_DECLS
