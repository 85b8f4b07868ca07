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
 * A request of a registered account besides its registering, from the password to its last answer. It goes the
 * way that the account was registered over, with the same credentials, and fails as unreachable when that
 * is left.
 */
typedef struct _MusterSipErrand MusterSipErrand;

/* As in MusterSipExchangeFuncs; @overcome is optional. @is_register: it is a REGISTER, of which there is
 * one at a time: it waits for that of an open or a close, which wait for it. @settle is optional: what came
 * of it, before anybody else hears of it or sends anything; @response %NULL: no answer. */
typedef struct {
  gboolean is_register;
  void (*settle) (gpointer owner, const MusterSipResponse *response, const GError *error);
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

/* An open or close has ended: whoever waited for that begins. */
void muster_sip_errands_go_on (MusterSipRegistration *self);
/* Whether one of them has a REGISTER under way. */
gboolean muster_sip_errands_are_registering (MusterSipRegistration *self);

/* Their way is being left. */
void muster_sip_errands_fail (MusterSipRegistration *self);
