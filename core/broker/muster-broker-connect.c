/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"

/* A wish for this session: off for now, without disabling. Nothing of it is stored. */

static gboolean
check_enabled (MusterAccount *account, const char *what, GError **error)
{
  if (muster_account_get_record (account)->enabled)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
               "it is disabled, so there is nothing to %s", what);
  return FALSE;
}

static void
muster_broker_wish (MusterBroker *self, MusterAccount *account, gboolean disconnected)
{
  if (muster_account_is_disconnected (account) == disconnected)
    return;

  muster_account_set_disconnected (account, disconnected);
  muster_standing_post (muster_account_get_standing (account),
                        disconnected ? MUSTER_FACT_DISABLED : MUSTER_FACT_ENABLED);
}

gboolean
muster_broker_connect (MusterBroker *self, MusterAccount *account, GError **error)
{
  if (!check_enabled (account, "connect; enable it", error))
    return FALSE;

  muster_broker_wish (self, account, FALSE);
  return TRUE;
}

gboolean
muster_broker_disconnect (MusterBroker *self, MusterAccount *account, GError **error)
{
  if (!check_enabled (account, "disconnect", error))
    return FALSE;

  muster_broker_wish (self, account, TRUE);
  return TRUE;
}
