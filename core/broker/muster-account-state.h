/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-error.h>

G_BEGIN_DECLS

/**
 * MusterAccountState:
 * @MUSTER_ACCOUNT_DISABLED: nobody wants it registered
 * @MUSTER_ACCOUNT_WAITING_PLUGIN: no plugin speaks its protocol now
 * @MUSTER_ACCOUNT_WAITING_SECRET: a secret is missing, was refused, or cannot be opened now
 * @MUSTER_ACCOUNT_WAITING_USER: a question is open that only a person can answer
 * @MUSTER_ACCOUNT_WAITING_NETWORK: there is no network to try
 * @MUSTER_ACCOUNT_WAITING_RETRY: an attempt failed; a time for the next one is set
 * @MUSTER_ACCOUNT_REGISTERING: an attempt is under way, or waits for admission
 * @MUSTER_ACCOUNT_REGISTERED: the service reaches us; the lease is running
 * @MUSTER_ACCOUNT_REFRESHING: still registered; the lease is being extended
 * @MUSTER_ACCOUNT_UNREGISTERING: the service is being told that we leave
 * @MUSTER_ACCOUNT_FAILED: it cannot work as it is
 *
 * Where an account is in its life.
 */
typedef enum {
  MUSTER_ACCOUNT_DISABLED,
  MUSTER_ACCOUNT_WAITING_PLUGIN,
  MUSTER_ACCOUNT_WAITING_SECRET,
  MUSTER_ACCOUNT_WAITING_USER,
  MUSTER_ACCOUNT_WAITING_NETWORK,
  MUSTER_ACCOUNT_WAITING_RETRY,
  MUSTER_ACCOUNT_REGISTERING,
  MUSTER_ACCOUNT_REGISTERED,
  MUSTER_ACCOUNT_REFRESHING,
  MUSTER_ACCOUNT_UNREGISTERING,
  MUSTER_ACCOUNT_FAILED,
  /*< private >*/
  MUSTER_ACCOUNT_STATE_LAST
} MusterAccountState;

/**
 * MusterAccountFact:
 *
 * What can happen to an account: named for the fact, never for the reaction. The errors come in the
 * order of #MusterError, so that a failed attempt is the fact of its code.
 */
typedef enum {
  MUSTER_FACT_ENABLED,
  MUSTER_FACT_DISABLED,
  MUSTER_FACT_CONTINUED, /* a lease of the last run still counts */
  MUSTER_FACT_PLUGIN_READY,
  MUSTER_FACT_PLUGIN_GONE,
  MUSTER_FACT_SECRET_SET,
  MUSTER_FACT_SECRET_GONE,
  MUSTER_FACT_USER_ANSWERED,
  MUSTER_FACT_NETWORK_UP,
  MUSTER_FACT_NETWORK_DOWN,
  MUSTER_FACT_NETWORK_CHANGED, /* another local address, or back from suspend: the lease is suspect */
  MUSTER_FACT_EDITED,          /* parameters that take effect by registering again */
  MUSTER_FACT_REPOINTED,       /* parameters that make it another registration */
  MUSTER_FACT_RETRY_DUE,
  MUSTER_FACT_RETRY_ASKED,
  MUSTER_FACT_REFRESH_DUE,
  MUSTER_FACT_REFRESH_ASKED,
  MUSTER_FACT_LEASE_ENDED,
  MUSTER_FACT_OPENED,
  MUSTER_FACT_CLOSED, /* or given up: the account is free again */
  MUSTER_FACT_UNREACHABLE,
  MUSTER_FACT_BUSY,
  MUSTER_FACT_REFUSED,
  MUSTER_FACT_FORBIDDEN,
  MUSTER_FACT_CONFLICT,
  MUSTER_FACT_EXPIRED,
  MUSTER_FACT_UNTRUSTED,
  MUSTER_FACT_NEEDS_USER,
  MUSTER_FACT_INVALID,
  MUSTER_FACT_UNSUPPORTED,
  MUSTER_FACT_PROTOCOL,
  /*< private >*/
  MUSTER_FACT_LAST
} MusterAccountFact;

/**
 * MusterAccountConditions:
 * @MUSTER_CONDITION_WANTED: somebody wants the account registered
 * @MUSTER_CONDITION_PLUGIN: a plugin speaks its protocol
 * @MUSTER_CONDITION_VALID: its parameters are complete and allowed
 * @MUSTER_CONDITION_SECRET: its required secrets are there, can be opened, and were not refused
 * @MUSTER_CONDITION_NETWORK: there is a network to try
 * @MUSTER_CONDITION_HELD: the service may hold a registration of ours
 *
 * What the world is like when a fact arrives; in the order in which they are asked for.
 */
typedef enum {
  MUSTER_CONDITION_WANTED = 1 << 0,
  MUSTER_CONDITION_PLUGIN = 1 << 1,
  MUSTER_CONDITION_VALID = 1 << 2,
  MUSTER_CONDITION_SECRET = 1 << 3,
  MUSTER_CONDITION_NETWORK = 1 << 4,
  MUSTER_CONDITION_HELD = 1 << 5,
} MusterAccountConditions;

#define MUSTER_CONDITIONS_ALL 0x3f

/* Pure: no clock, no I/O. %FALSE if @fact means nothing in @from; @to may equal @from, and then the
 * state is entered again. */
gboolean muster_account_state_next (MusterAccountState from,
                                    MusterAccountFact fact,
                                    MusterAccountConditions conditions,
                                    MusterAccountState *to);

MusterAccountFact muster_account_fact_for_error (MusterError code);

/* Whether others can reach the account in this state. */
gboolean muster_account_state_is_registered (MusterAccountState state);

/* Stable, lower-case, kebab-case: D-Bus API and log vocabulary. */
const char *muster_account_state_to_string (MusterAccountState state);
gboolean muster_account_state_from_string (const char *text, MusterAccountState *state);
const char *muster_account_fact_to_string (MusterAccountFact fact);

G_END_DECLS
