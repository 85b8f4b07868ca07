/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-credentials.h"
#include "muster-sip-transport.h"

/*
 * MusterSipExchange:
 *
 * What it takes to get a final answer to one request of an account: challenges are answered, and what
 * its owner can overcome is asked again. REGISTER, PUBLISH, SUBSCRIBE and all others go through one.
 * It is part of its owner, and lives as long.
 */
typedef struct _MusterSipExchange MusterSipExchange;

/*
 * @build: the next request to send, without its answers to challenges, which are added (transfer full).
 * @heard: optional; an answer came in, of whatever kind.
 * @overcome: optional; whether to ask once more, after an answer that is neither 2xx nor a challenge. It
 *   must come to an end by itself.
 * @done: a 2xx (@error %NULL), or why there is none (@response is %NULL if none came). Both are lent. The
 *   exchange may begin again, or be freed, from within; it comes from the main loop.
 * @need_password: what is kept of the password does not do for a challenge: to be answered once, and
 *   not from within, by muster_sip_exchange_take_password().
 */
typedef struct {
  MusterSipRequest *(*build) (gpointer owner);
  void (*heard) (gpointer owner, const MusterSipResponse *response);
  gboolean (*overcome) (gpointer owner, const MusterSipResponse *response);
  void (*done) (gpointer owner, const MusterSipResponse *response, const GError *error);
  void (*need_password) (gpointer owner);
} MusterSipExchangeFuncs;

/* Who asks, and how they prove it; of these, @transport, @registrar and @proxy are lent until the exchange is
 * over. */
typedef struct {
  MusterSipTransport *transport;
  const char *route; /* as for MusterSipTransportVtable.send */
  MusterSipCredentials *registrar;
  MusterSipCredentials *proxy;
  const char *auth_user;
  MusterSecret *password; /* nullable: what is kept of it does, or it is asked for */
  gboolean may_ask;       /* else there is no other */
  MusterStep step;        /* for errors */
  gboolean registers;     /* it is a REGISTER */
} MusterSipAsker;

struct _MusterSipExchange {
  const MusterSipExchangeFuncs *funcs;
  gpointer owner;

  /* While it is under way */
  MusterSipAsker asker;
  char *route;
  char *auth_user;
  MusterSipTransaction *transaction; /* NULL: it is not, or waits for the password */
  MusterSipResponse *unmet;          /* the challenge that the password is waited for; nullable */
  GError *no_password;               /* why there is none; nullable */
  guint n_rounds;                    /* challenges answered */
  gboolean registrar_answered;       /* and not heard to be accepted since */
  gboolean proxy_answered;
  gboolean asked_for_password;
  gboolean registrar_sent; /* the last request carried an answer, perhaps ahead of the challenge */
  gboolean proxy_sent;
};

void muster_sip_exchange_init (MusterSipExchange *self,
                               const MusterSipExchangeFuncs *funcs,
                               gpointer owner);
void muster_sip_exchange_begin (MusterSipExchange *self, const MusterSipAsker *asker);

/* The password (nullable) that it needed. @error says why there is none: after %MUSTER_ERROR_REFUSED what is
 * kept must do, after any other it is over. */
void muster_sip_exchange_take_password (MusterSipExchange *self,
                                        MusterSecret *password,
                                        const GError *error);

/* Drops what is under way without a word. */
void muster_sip_exchange_cancel (MusterSipExchange *self);
gboolean muster_sip_exchange_is_under_way (const MusterSipExchange *self);
