/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-config.h"
#include "muster-sip-inbound.h"
#include "muster-sip-message.h"

/*
 * MusterSipSubscription:
 *
 * One subscription to one event of one address (RFC 6665), through as many dialogs as it takes: what its
 * requests are made of, and what their answers and its notifications mean. It sends nothing, and when to
 * renew it is the broker's business.
 */
typedef struct _MusterSipSubscription MusterSipSubscription;

/* All strings are static. */
typedef struct {
  const char *event;
  const char *accept; /* the content types that we read */
  guint expires_s;    /* asked for */
} MusterSipPackage;

/* @target: a URI. @package is lent for life. */
MusterSipSubscription *
muster_sip_subscription_new (const MusterSipPackage *package, const char *target);
void muster_sip_subscription_free (MusterSipSubscription *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipSubscription, muster_sip_subscription_free)

const char *muster_sip_subscription_get_target (MusterSipSubscription *self);

/* Whether the server has it, as far as we know, and for how long; 0: it has not. */
gboolean muster_sip_subscription_is_there (MusterSipSubscription *self);
guint muster_sip_subscription_get_left_s (MusterSipSubscription *self);

/* requests */

/* Who asks, lent for the call. */
typedef struct {
  const MusterSipConfig *config;
  const char *contact;              /* where notifications are to come to: a URI */
  const char *const *service_route; /* nullable: the first request goes along it */
} MusterSipSubscriber;

/* The next request: it asks for the subscription, or extends it in its dialog. */
MusterSipRequest *
muster_sip_subscription_build (MusterSipSubscription *self, const MusterSipSubscriber *who);

/* The request that ends it, of one that is there. What is notified from now on is not news. */
MusterSipRequest *
muster_sip_subscription_build_end (MusterSipSubscription *self, const MusterSipSubscriber *who);

/* Whether the contact of the last request was another one. */
gboolean muster_sip_subscription_has_moved (MusterSipSubscription *self, const char *contact);

/* answers */

/* An answer that is neither 2xx nor a challenge: whether the next request may fare better. */
gboolean
muster_sip_subscription_overcome (MusterSipSubscription *self, const MusterSipResponse *response);

/* A 2xx: what was granted; %NULL with %MUSTER_ERROR_UNSUPPORTED. */
MusterLease *muster_sip_subscription_take_response (MusterSipSubscription *self,
                                                    const MusterSipResponse *response,
                                                    GError **error);

/* (transfer full): what @error (taken), which a request ended with, means for it. %MUSTER_ERROR_EXPIRED: the server has
 * forgotten it, and the next request makes it anew. */
GError *muster_sip_subscription_take_failure (MusterSipSubscription *self, GError *error);

/* notifications */

typedef enum {
  MUSTER_SIP_SUBSCRIPTION_ACTIVE,
  MUSTER_SIP_SUBSCRIPTION_PENDING, /* somebody has yet to allow it */
  MUSTER_SIP_SUBSCRIPTION_TERMINATED,
} MusterSipSubscriptionState;

/* What to do after it was ended by the other side. */
typedef enum {
  MUSTER_SIP_AGAIN_NOW,
  MUSTER_SIP_AGAIN_LATER,
  MUSTER_SIP_AGAIN_NEVER,
} MusterSipAgain;

typedef struct {
  gboolean is_news;  /* else we are leaving it */
  gboolean is_first; /* of its dialog: what follows builds on it */
  MusterSipSubscriptionState state;
  guint left_s; /* it was shortened to so much; 0: it was not */
  /* of one that was terminated */
  MusterSipAgain again;
  guint after_s;     /* LATER */
  gboolean rejected; /* by whom it was to tell of */
} MusterSipNotice;

/* A NOTIFY (RFC 6665 section 4.1.3). Returns the status to answer it with: 200, and only then there is a @notice;
 * 481 if it is of another one. */
guint muster_sip_subscription_notify (MusterSipSubscription *self,
                                      const MusterSipInbound *inbound,
                                      MusterSipNotice *notice);
