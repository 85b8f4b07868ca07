/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For muster-sip-registration.c, and for what a registered account does besides. */

#pragma once

#include "muster-sip-config.h"
#include "muster-sip-context.h"
#include "muster-sip-heartbeat.h"
#include "muster-sip-inbox.h"
#include "muster-sip-own-events.h"
#include "muster-sip-publication.h"
#include "muster-sip-refresher.h"
#include "muster-sip-registration.h"
#include "muster-sip-subscriptions.h"
#include "muster-sip-watcher.h"

struct _MusterSipRegistration {
  MusterRegistration parent_instance;

  MusterSipRefresher *refresher; /* NULL before the first operation */
  MusterSipAgent *agent;         /* held as long as requests may come in; nullable */
  MusterSipFlowUse *flow;       /* likewise, on a stream; nullable; between operations it is open */
  char *flow_purpose;           /* what it is for */
  MusterSipFlowUse *flow_aside; /* the one before, until another has taken its place; nullable */
  char *aside_purpose;          /* what that is for */
  MusterSipAgent *agent_aside;  /* likewise; nullable */
  char *kept_route;             /* on the agent, through a NAT; nullable */
  char *route;                  /* where it was registered last, as for the transport; nullable */
  GQueue errands;               /* of MusterSipErrand: those under way, on the agent or the flow */
  MusterSipHeartbeat *heartbeat; /* NULL before the first beat was due */
  MusterSipInbox *inbox;
  gboolean has_token;  /* it is in the context's table, and leads to the inbox */
  gboolean saved;      /* a blob of ours is kept */
  gboolean is_leaving; /* from a close to the next open */
  guint n_farewells;   /* requests under way that take back what hangs on the registration */
  struct _MusterSipOperation *operation; /* nullable */
  MusterSipConfig *config;               /* as of config_version; NULL: to be made */
  guint config_version;
  MusterSipConfig *redirected; /* the same, where a redirection led; nullable */

  MusterSipPublication *publication; /* NULL before the first */
  struct _MusterSipProof *proof;     /* NULL: none is under way */
  gboolean was_proven;               /* that others reach it */
  MusterSipSubscriptions *subscriptions;
  MusterSipOwnEvents *own_events; /* of these, those of our own address */
  MusterSipContacts *contacts;    /* NULL before the first */

  GSocketAddress *good_target; /* that answered last; on a stream: to who was sent on; nullable */
  char *good_hop;              /* for which host it stands */
  MusterTransport good_transport;
};

/* What it holds of the network, and how it lets go of it. */
void muster_sip_registration_leave_flow (MusterSipRegistration *self);
void muster_sip_registration_leave_agent (MusterSipRegistration *self);
void muster_sip_registration_leave (MusterSipRegistration *self); /* all of it, and its token */
/* A connection that is not there, or not yet. */
gboolean muster_sip_registration_has_dead_flow (MusterSipRegistration *self);

/* Whether its connection is the one that is meant, and stands. */
gboolean
muster_sip_registration_is_on_flow (MusterSipRegistration *self, const MusterSipConfig *config);
/* Its connection is now one that is meant: the one it has, if @targets (nullable) is not set, else one to them.
 * %NULL: it does not stand yet, and @funcs tell. */
MusterSipTransport *muster_sip_registration_join_flow (MusterSipRegistration *self,
                                                       const MusterSipConfig *config,
                                                       GPtrArray *targets,
                                                       const MusterSipFlowUseFuncs *funcs);
/* Its connection stays open while others are tried, until it is said whether to go back. */
void muster_sip_registration_set_flow_aside (MusterSipRegistration *self);
/* The same of its agent, whose requests under way fail. */
void muster_sip_registration_set_agent_aside (MusterSipRegistration *self);
void muster_sip_registration_end_aside (MusterSipRegistration *self,
                                        gboolean go_back,
                                        const MusterSipFlowUseFuncs *funcs);

/* Who took the registration, and over which transport, to be asked first the next time; %NULL: nobody is known. */
GSocketAddress *muster_sip_registration_get_target (MusterSipRegistration *self,
                                                    const MusterSipConfig *config,
                                                    MusterTransport *transport);
void muster_sip_registration_set_target (MusterSipRegistration *self,
                                         const MusterSipConfig *config,
                                         GSocketAddress *target);
/* Its agent is now the one on the address from which packets to @target leave. */
gboolean muster_sip_registration_find_agent (MusterSipRegistration *self,
                                             GSocketAddress *target,
                                             GError **error);
/* @route NULL: there is none to keep open. */
void muster_sip_registration_keep_open (MusterSipRegistration *self, const char *route);

/* A server answered well: at @target, or on a stream (%NULL), where it was @chosen among several, or not. @route:
 * as for the transport. */
void muster_sip_registration_settle (MusterSipRegistration *self,
                                     const MusterSipConfig *config,
                                     GSocketAddress *target,
                                     const char *route,
                                     gboolean chosen);

/* The way that the account was registered over, lent until it is left. %FALSE: there is none. */
gboolean muster_sip_registration_get_way (MusterSipRegistration *self,
                                          MusterSipTransport **transport,
                                          const char **route);

/* A REGISTER that an open or close waited for is over. */
void muster_sip_registration_go_on (MusterSipRegistration *self);

/* One of its farewells has its answer: a close waits for them a while. */
void muster_sip_registration_end_farewell (MusterSipRegistration *self);

/* Whether what is kept of the password is good as far as one can know, or nothing is kept. */
gboolean muster_sip_registration_knows_password (MusterSipRegistration *self);

/* It has a refresher now, with what was kept for it. */
void muster_sip_registration_ensure_refresher (MusterSipRegistration *self);

/* Keeps what it goes on with after a restart. */
void muster_sip_registration_save (MusterSipRegistration *self);

/* Returns (transfer full) (nullable): what its parameters now come to. */
MusterSipConfig *muster_sip_registration_configure (MusterSipRegistration *self, GError **error);
gboolean muster_sip_registration_wishes (MusterSipRegistration *self, MusterSipWishes wish);

/* Of #MusterRegistrationClass. */
char *muster_sip_registration_dup_remote_host (MusterRegistration *registration);
guint muster_sip_registration_get_retry_floor_s (MusterRegistration *registration);

/* What its requests are made of: %NULL if it never made any. */
const MusterSipConfig *muster_sip_registration_get_config (MusterSipRegistration *self);
