/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-exchange.h"
#include "muster-sip-registration.h"

/*
 * MusterSipErrand:
 *
 * A request of a registered account other than REGISTER, from the password to its last answer. It goes the
 * way that the account was registered over, with the same credentials, and fails as unreachable when that
 * is left.
 */
typedef struct _MusterSipErrand MusterSipErrand;

/* As in MusterSipExchangeFuncs; @overcome is optional. */
typedef struct {
  MusterSipRequest *(*build) (gpointer owner);
  gboolean (*overcome) (gpointer owner, const MusterSipResponse *response);
} MusterSipErrandFuncs;

/* @owner must live until it is over, which a cancelling brings about soon. Several may be under way. */
void muster_sip_errand_send_async (MusterSipRegistration *self,
                                   const MusterSipErrandFuncs *funcs,
                                   gpointer owner,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);

/* Returns (transfer full): the 2xx; %NULL with %MUSTER_ERROR or %G_IO_ERROR_CANCELLED. */
MusterSipResponse *muster_sip_errand_send_finish (GAsyncResult *result, GError **error);

/* Their way is being left. */
void muster_sip_errands_fail (MusterSipRegistration *self);
