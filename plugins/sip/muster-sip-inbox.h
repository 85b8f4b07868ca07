/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-inbound.h"

/*
 * MusterSipInbox:
 *
 * What reaches one account: its calls that wait for an answer, its messages, and what else is for others
 * of the account to hear.
 */
typedef struct _MusterSipInbox MusterSipInbox;

/* A call or message came in, or a call has ended. @offer is lent. Whoever is told may answer it at once. */
typedef void (*MusterSipOfferFunc) (const MusterOffer *offer, gpointer user_data);

MusterSipInbox *muster_sip_inbox_new (MusterSipOfferFunc func, gpointer user_data);
void muster_sip_inbox_free (MusterSipInbox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipInbox, muster_sip_inbox_free)

/* What is to stand behind the account's token. */
const MusterSipReceiver *muster_sip_inbox_get_receiver (MusterSipInbox *self);

/* Whether messages may be what platforms by GB/T 28181 send, besides text. Not at first. */
void muster_sip_inbox_set_takes_documents (MusterSipInbox *self, gboolean takes_documents);

/* The account leaves: who waits hears that nobody is there. */
void muster_sip_inbox_close (MusterSipInbox *self);

/* What is to be done with the offer of an id. %FALSE with %MUSTER_ERROR_EXPIRED if it is over, and with
 * %MUSTER_ERROR_INVALID if @target, where the call is to go, is no address that it could go to. */
gboolean muster_sip_inbox_answer (MusterSipInbox *self,
                                  const char *id,
                                  MusterAnswer answer,
                                  const char *target,
                                  GError **error);

/* Whoever subscribed or stands it unasked takes a NOTIFY, or else (%FALSE) it is answered with 481. Who takes one answers it, as
 * MusterSipReceiverFuncs.request does. */
typedef gboolean (*MusterSipNotifyFunc) (gpointer user_data,
                                         const MusterSipInbound *inbound,
                                         MusterSipServerTransaction *transaction);
void muster_sip_inbox_set_notify_func (MusterSipInbox *self,
                                       MusterSipNotifyFunc func,
                                       gpointer user_data);

/* An OPTIONS came, and is answered after this. */
typedef void (*MusterSipOptionsFunc) (gpointer user_data, const MusterSipInbound *inbound);
void muster_sip_inbox_set_options_func (MusterSipInbox *self,
                                        MusterSipOptionsFunc func,
                                        gpointer user_data);
