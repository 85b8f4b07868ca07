/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterAccount"

#include "config.h"

#include "muster-account-state.h"

#include <string.h>

/*
 * Decides the next state of an account, and nothing else. muster-standing.c carries it out.
 *
 * Some targets are not states. ONWARD asks the conditions in their order and goes as far as they
 * allow: an account is never told where to wait, it waits at the first thing that is missing. EXTEND
 * does the same for one that is registered: if nothing is missing it stays so, and refreshes. LEAVE
 * unregisters where there is something to take back and a way to say so. REPLACE takes back what
 * the old parameters led to before it goes onward with the new ones.
 */

typedef enum {
  ONWARD = MUSTER_ACCOUNT_STATE_LAST,
  EXTEND,
  LEAVE,
  REPLACE,
  NOTHING,
} Pseudo;

typedef struct {
  guint8 from;
  guint8 fact;
  guint8 to; /* MusterAccountState or Pseudo */
} Transition;

/* clang-format off */
#define ROW(from, fact, to) { MUSTER_ACCOUNT_##from, MUSTER_FACT_##fact, to }
#define TO(state) MUSTER_ACCOUNT_##state

/* What an attempt may come to, or a registration may be lost to, where no lease is left to live on. */
#define FAILURES(from)                              \
  ROW (from, UNREACHABLE,  TO (WAITING_RETRY)),     \
  ROW (from, BUSY,         TO (WAITING_RETRY)),     \
  ROW (from, REFUSED,      TO (WAITING_SECRET)),    \
  ROW (from, FORBIDDEN,    TO (FAILED)),            \
  ROW (from, CONFLICT,     TO (WAITING_RETRY)),     \
  ROW (from, EXPIRED,      ONWARD),                 \
  ROW (from, UNTRUSTED,    TO (WAITING_USER)),      \
  ROW (from, NEEDS_USER,   TO (WAITING_USER)),      \
  ROW (from, INVALID,      TO (FAILED)),            \
  ROW (from, UNSUPPORTED,  TO (FAILED)),            \
  ROW (from, PROTOCOL,     TO (WAITING_RETRY))

/* What every state short of registered listens to. */
#define WAITING(from)                               \
  ROW (from, DISABLED,     LEAVE),                  \
  ROW (from, PLUGIN_GONE,  ONWARD),                 \
  ROW (from, SECRET_SET,   ONWARD),                 \
  ROW (from, SECRET_GONE,  ONWARD),                 \
  ROW (from, EDITED,       ONWARD),                 \
  ROW (from, REPOINTED,    REPLACE)

static const Transition transitions[] = {
  ROW (DISABLED,        ENABLED,         ONWARD),
  ROW (DISABLED,        DISABLED,        LEAVE), /* for another reason */
  ROW (DISABLED,        CONTINUED,       TO (REFRESHING)),

  WAITING (WAITING_PLUGIN),
  ROW (WAITING_PLUGIN,  PLUGIN_READY,    ONWARD),

  WAITING (WAITING_SECRET),
  ROW (WAITING_SECRET,  CONTINUED,       EXTEND), /* the key came late */

  WAITING (WAITING_USER),
  ROW (WAITING_USER,    USER_ANSWERED,   ONWARD),
  ROW (WAITING_USER,    RETRY_ASKED,     ONWARD),

  WAITING (WAITING_NETWORK),
  ROW (WAITING_NETWORK, NETWORK_UP,      ONWARD),
  ROW (WAITING_NETWORK, NETWORK_CHANGED, ONWARD),

  WAITING (WAITING_RETRY),
  ROW (WAITING_RETRY,   NETWORK_UP,      ONWARD),
  ROW (WAITING_RETRY,   NETWORK_DOWN,    ONWARD),
  ROW (WAITING_RETRY,   NETWORK_CHANGED, ONWARD),
  ROW (WAITING_RETRY,   RETRY_DUE,       ONWARD),
  ROW (WAITING_RETRY,   RETRY_ASKED,     ONWARD),

  WAITING (FAILED),
  ROW (FAILED,          RETRY_DUE,       ONWARD),
  ROW (FAILED,          RETRY_ASKED,     ONWARD),

  WAITING (REGISTERING),
  ROW (REGISTERING,     NETWORK_DOWN,    ONWARD),
  ROW (REGISTERING,     NETWORK_CHANGED, ONWARD),
  ROW (REGISTERING,     OPENED,          TO (REGISTERED)),
  FAILURES (REGISTERING),

  ROW (REGISTERED,      DISABLED,        LEAVE),
  ROW (REGISTERED,      PLUGIN_GONE,     EXTEND),
  ROW (REGISTERED,      SECRET_GONE,     EXTEND),
  ROW (REGISTERED,      REPOINTED,       REPLACE),
  ROW (REGISTERED,      NETWORK_DOWN,    EXTEND),
  ROW (REGISTERED,      NETWORK_CHANGED, EXTEND),
  ROW (REGISTERED,      EDITED,          EXTEND),
  ROW (REGISTERED,      REFRESH_DUE,     TO (REFRESHING)),
  ROW (REGISTERED,      REFRESH_ASKED,   TO (REFRESHING)),
  ROW (REGISTERED,      LEASE_ENDED,     ONWARD),
  FAILURES (REGISTERED),

  /* A refresh that fails in passing is tried again inside what is left of the lease. */
  ROW (REFRESHING,      DISABLED,        LEAVE),
  ROW (REFRESHING,      PLUGIN_GONE,     EXTEND),
  ROW (REFRESHING,      SECRET_SET,      EXTEND),
  ROW (REFRESHING,      SECRET_GONE,     EXTEND),
  ROW (REFRESHING,      REPOINTED,       REPLACE),
  ROW (REFRESHING,      NETWORK_DOWN,    EXTEND),
  ROW (REFRESHING,      NETWORK_CHANGED, EXTEND),
  ROW (REFRESHING,      EDITED,          EXTEND),
  ROW (REFRESHING,      REFRESH_DUE,     TO (REFRESHING)),
  ROW (REFRESHING,      REFRESH_ASKED,   TO (REFRESHING)),
  ROW (REFRESHING,      RETRY_ASKED,     TO (REFRESHING)),
  ROW (REFRESHING,      LEASE_ENDED,     TO (WAITING_RETRY)),
  ROW (REFRESHING,      OPENED,          TO (REGISTERED)),
  ROW (REFRESHING,      UNREACHABLE,     TO (REFRESHING)),
  ROW (REFRESHING,      BUSY,            TO (REFRESHING)),
  ROW (REFRESHING,      PROTOCOL,        TO (REFRESHING)),
  ROW (REFRESHING,      REFUSED,         TO (WAITING_SECRET)),
  ROW (REFRESHING,      FORBIDDEN,       TO (FAILED)),
  ROW (REFRESHING,      CONFLICT,        TO (WAITING_RETRY)),
  ROW (REFRESHING,      EXPIRED,         ONWARD),
  ROW (REFRESHING,      UNTRUSTED,       TO (WAITING_USER)),
  ROW (REFRESHING,      NEEDS_USER,      TO (WAITING_USER)),
  ROW (REFRESHING,      INVALID,         TO (FAILED)),
  ROW (REFRESHING,      UNSUPPORTED,     TO (FAILED)),

  /* Whoever wants it back meanwhile is served when it has left. */
  ROW (UNREGISTERING,   CLOSED,          ONWARD),
  ROW (UNREGISTERING,   NETWORK_DOWN,    ONWARD),
  ROW (UNREGISTERING,   PLUGIN_GONE,     ONWARD),
};
/* clang-format on */

static MusterAccountState
onward (MusterAccountConditions conditions)
{
  if ((conditions & MUSTER_CONDITION_WANTED) == 0)
    return MUSTER_ACCOUNT_DISABLED;
  if ((conditions & MUSTER_CONDITION_PLUGIN) == 0)
    return MUSTER_ACCOUNT_WAITING_PLUGIN;
  if ((conditions & MUSTER_CONDITION_VALID) == 0)
    return MUSTER_ACCOUNT_FAILED;
  if ((conditions & MUSTER_CONDITION_SECRET) == 0)
    return MUSTER_ACCOUNT_WAITING_SECRET;
  if ((conditions & MUSTER_CONDITION_NETWORK) == 0)
    return MUSTER_ACCOUNT_WAITING_NETWORK;

  return MUSTER_ACCOUNT_REGISTERING;
}

/* Whether there is something to take back, and a way to say so. */
static gboolean
can_take_back (MusterAccountConditions conditions)
{
  const MusterAccountConditions needed = MUSTER_CONDITION_HELD | MUSTER_CONDITION_PLUGIN |
                                         MUSTER_CONDITION_NETWORK;

  return (conditions & needed) == needed;
}

static MusterAccountState
leave (MusterAccountConditions conditions)
{
  return can_take_back (conditions) ? MUSTER_ACCOUNT_UNREGISTERING : MUSTER_ACCOUNT_DISABLED;
}

static MusterAccountState
extend (MusterAccountConditions conditions)
{
  MusterAccountState to = onward (conditions);

  if (to == MUSTER_ACCOUNT_DISABLED)
    return leave (conditions);

  return to == MUSTER_ACCOUNT_REGISTERING ? MUSTER_ACCOUNT_REFRESHING : to;
}

static MusterAccountState
replace (MusterAccountConditions conditions)
{
  return can_take_back (conditions) ? MUSTER_ACCOUNT_UNREGISTERING : onward (conditions);
}

/* The table, turned once into a square that is read in one step. */
static const guint8 *
square (void)
{
  static guint8 cells[MUSTER_ACCOUNT_STATE_LAST * MUSTER_FACT_LAST];
  static gsize ready;

  if (g_once_init_enter (&ready)) {
    memset (cells, NOTHING, sizeof cells);
    for (gsize i = 0; i < G_N_ELEMENTS (transitions); i++)
      cells[transitions[i].from * MUSTER_FACT_LAST + transitions[i].fact] = transitions[i].to;
    g_once_init_leave (&ready, 1);
  }

  return cells;
}

gboolean
muster_account_state_next (MusterAccountState from,
                           MusterAccountFact fact,
                           MusterAccountConditions conditions,
                           MusterAccountState *to)
{
  guint8 target;

  g_return_val_if_fail (from < MUSTER_ACCOUNT_STATE_LAST && fact < MUSTER_FACT_LAST, FALSE);

  target = square ()[from * MUSTER_FACT_LAST + fact];
  if (target == NOTHING)
    return FALSE;

  if (target == ONWARD)
    *to = onward (conditions);
  else if (target == EXTEND)
    *to = extend (conditions);
  else if (target == LEAVE)
    *to = leave (conditions);
  else if (target == REPLACE)
    *to = replace (conditions);
  else
    *to = (MusterAccountState) target;

  return TRUE;
}

MusterAccountFact
muster_account_fact_for_error (MusterError code)
{
  g_return_val_if_fail (code < MUSTER_ERROR_LAST, MUSTER_FACT_PROTOCOL);

  return MUSTER_FACT_UNREACHABLE + code;
}

gboolean
muster_account_state_is_registered (MusterAccountState state)
{
  return state == MUSTER_ACCOUNT_REGISTERED || state == MUSTER_ACCOUNT_REFRESHING;
}

const char *
muster_account_state_to_string (MusterAccountState state)
{
  switch (state) { /* no default: -Wswitch-enum tells whoever adds a state */
  case MUSTER_ACCOUNT_DISABLED:
    return "disabled";
  case MUSTER_ACCOUNT_WAITING_PLUGIN:
    return "waiting-plugin";
  case MUSTER_ACCOUNT_WAITING_SECRET:
    return "waiting-secret";
  case MUSTER_ACCOUNT_WAITING_USER:
    return "waiting-user";
  case MUSTER_ACCOUNT_WAITING_NETWORK:
    return "waiting-network";
  case MUSTER_ACCOUNT_WAITING_RETRY:
    return "waiting-retry";
  case MUSTER_ACCOUNT_REGISTERING:
    return "registering";
  case MUSTER_ACCOUNT_REGISTERED:
    return "registered";
  case MUSTER_ACCOUNT_REFRESHING:
    return "refreshing";
  case MUSTER_ACCOUNT_UNREGISTERING:
    return "unregistering";
  case MUSTER_ACCOUNT_FAILED:
    return "failed";
  case MUSTER_ACCOUNT_STATE_LAST:
    break;
  }

  g_return_val_if_reached ("invalid");
}

gboolean
muster_account_state_from_string (const char *text, MusterAccountState *state)
{
  for (MusterAccountState s = 0; s < MUSTER_ACCOUNT_STATE_LAST; s++) {
    if (g_str_equal (text, muster_account_state_to_string (s))) {
      *state = s;
      return TRUE;
    }
  }

  return FALSE;
}

const char *
muster_account_fact_to_string (MusterAccountFact fact)
{
  switch (fact) {
  case MUSTER_FACT_ENABLED:
    return "enabled";
  case MUSTER_FACT_DISABLED:
    return "disabled";
  case MUSTER_FACT_CONTINUED:
    return "continued";
  case MUSTER_FACT_PLUGIN_READY:
    return "plugin-ready";
  case MUSTER_FACT_PLUGIN_GONE:
    return "plugin-gone";
  case MUSTER_FACT_SECRET_SET:
    return "secret-set";
  case MUSTER_FACT_SECRET_GONE:
    return "secret-gone";
  case MUSTER_FACT_USER_ANSWERED:
    return "user-answered";
  case MUSTER_FACT_NETWORK_UP:
    return "network-up";
  case MUSTER_FACT_NETWORK_DOWN:
    return "network-down";
  case MUSTER_FACT_NETWORK_CHANGED:
    return "network-changed";
  case MUSTER_FACT_EDITED:
    return "edited";
  case MUSTER_FACT_REPOINTED:
    return "repointed";
  case MUSTER_FACT_RETRY_DUE:
    return "retry-due";
  case MUSTER_FACT_RETRY_ASKED:
    return "retry-asked";
  case MUSTER_FACT_REFRESH_DUE:
    return "refresh-due";
  case MUSTER_FACT_REFRESH_ASKED:
    return "refresh-asked";
  case MUSTER_FACT_LEASE_ENDED:
    return "lease-ended";
  case MUSTER_FACT_OPENED:
    return "opened";
  case MUSTER_FACT_CLOSED:
    return "closed";
  case MUSTER_FACT_UNREACHABLE:
  case MUSTER_FACT_BUSY:
  case MUSTER_FACT_REFUSED:
  case MUSTER_FACT_FORBIDDEN:
  case MUSTER_FACT_CONFLICT:
  case MUSTER_FACT_EXPIRED:
  case MUSTER_FACT_UNTRUSTED:
  case MUSTER_FACT_NEEDS_USER:
  case MUSTER_FACT_INVALID:
  case MUSTER_FACT_UNSUPPORTED:
  case MUSTER_FACT_PROTOCOL:
    return muster_error_code_to_string ((MusterError) (fact - MUSTER_FACT_UNREACHABLE));
  case MUSTER_FACT_LAST:
    break;
  }

  g_return_val_if_reached ("invalid");
}
