/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-broker.h"

G_BEGIN_DECLS

/* The chain of conditions under which an account is registered, as a(sbs): see
 * org.muster.Muster1.Registration.Explain. Returns (transfer floating). */
GVariant *muster_explain_account (MusterBroker *broker, MusterAccount *account);

/* Returns (transfer full): what is known of its being reached, a sentence. @is_serving: it is
 * registered. */
char *muster_explain_proof (const MusterProofView *proof, gboolean is_serving, const char *id);

G_END_DECLS
