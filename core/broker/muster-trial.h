/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-broker.h"

G_BEGIN_DECLS

/**
 * MusterTrialReport:
 * @steps: a(sbs): each step up to the last, or to the one that failed: name, whether it worked, a
 *   sentence
 * @lease_s: for how long the service granted a registration, 0: until it is lost, or not at all
 * @bindings: where the service would have reached us; never %NULL
 * @error: why it does not work, of %MUSTER_ERROR; %NULL if it does
 *
 * What came of registering once with what an account would be made of.
 */
typedef struct {
  GVariant *steps;
  guint lease_s;
  GStrv bindings;
  GError *error;
} MusterTrialReport;

void muster_trial_report_free (MusterTrialReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterTrialReport, muster_trial_report_free)

/* At most so many at once. */
#define MUSTER_TRIALS_MAX 8

/* How long one may take, its wait for admission and its leaving included. */
#define MUSTER_TRIAL_MS (40 * 1000)

/* Registers and unregisters once, without an account: nothing is stored, and nobody is told. Arguments
 * are as for muster_broker_add_account_async(), and fail as there. Once @cancellable fires, what was
 * begun is taken back unseen. */
void muster_broker_test_async (MusterBroker *self,
                               const char *protocol,
                               const char *address,
                               GVariant *params,
                               GHashTable *secrets,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
MusterTrialReport *
muster_broker_test_finish (MusterBroker *self, GAsyncResult *result, GError **error);

G_END_DECLS
