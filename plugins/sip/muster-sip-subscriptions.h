/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-registration.h"
#include "muster-sip-server.h"
#include "muster-sip-subscription.h"

/*
 * MusterSipSubscriptions:
 *
 * All subscriptions of one registration. Each is a side lease: the broker says when it is made and extended.
 */
typedef struct _MusterSipSubscriptions MusterSipSubscriptions;

/*
 * MusterSipTopic:
 * @notified: a notification that is news. It is not answered any more, so anything may be done. %TRUE: what
 *   it says misses something; all of it is asked for
 * @ended: the server will not tell, %MUSTER_ERROR says why; nobody asks again. @rejected: because of whom it
 *   was to tell of
 * @lapsed: it ran out; it will be asked for again. Nullable
 *
 * What is subscribed to, and who hears of it. @address is as it was given to muster_sip_subscriptions_add().
 */
typedef struct _MusterSipTopic MusterSipTopic;
struct _MusterSipTopic {
  MusterSipPackage package;
  gboolean (*notified) (MusterSipRegistration *registration,
                        const char *address,
                        const MusterSipNotice *notice,
                        const MusterSipInbound *inbound);
  void (*ended) (MusterSipRegistration *registration,
                 const MusterSipTopic *topic,
                 const char *address,
                 const GError *error,
                 gboolean rejected);
  void (*lapsed) (MusterSipRegistration *registration, const char *address);
};

MusterSipSubscriptions *muster_sip_subscriptions_new (MusterSipRegistration *registration);
void muster_sip_subscriptions_free (MusterSipSubscriptions *self);

/* Subscribes to @topic of @address, `user@host`, in @delay_s (0: at once). One that there is goes on. */
void muster_sip_subscriptions_add (MusterSipSubscriptions *self,
                                   const MusterSipTopic *topic,
                                   const char *address,
                                   guint delay_s);

/* Ends it. One that there is not is ignored. */
void muster_sip_subscriptions_remove (MusterSipSubscriptions *self,
                                      const MusterSipTopic *topic,
                                      const char *address);

gboolean muster_sip_subscriptions_has (MusterSipSubscriptions *self,
                                       const MusterSipTopic *topic,
                                       const char *address);
/* Whether the server has it, as far as we know. */
gboolean muster_sip_subscriptions_is_there (MusterSipSubscriptions *self,
                                            const MusterSipTopic *topic,
                                            const char *address);
guint muster_sip_subscriptions_count (MusterSipSubscriptions *self);

/* A NOTIFY came: answers it. %FALSE: it is of no subscription. */
gboolean muster_sip_subscriptions_take_notify (MusterSipSubscriptions *self,
                                               const MusterSipInbound *inbound,
                                               MusterSipServerTransaction *transaction);

/* Our contact may be another one: what would be notified to the old one is extended soon. */
void muster_sip_subscriptions_follow (MusterSipSubscriptions *self);

/* The account leaves, and its side leases are gone: the server is told, without waiting for an answer. */
void muster_sip_subscriptions_leave (MusterSipSubscriptions *self);

/* Into how many seconds the first requests of @n_requests in all, by @n_accounts accounts that sign in together, are
 * to be spread. */
guint muster_sip_subscriptions_spread_s (guint n_accounts, guint n_requests);
