/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-presence.h"
#include "muster-change.h"

/* What single accounts say instead of what their identity does: changed on request, and kept. */

typedef struct {
  gboolean inherits;
  MusterPresence presence;
  char *override;
  char *text;
} Override;

static void
override_free (gpointer data)
{
  Override *wish = data;

  g_free (wish->override);
  g_free (wish->text);
  g_free (wish);
}

static gboolean
check_override (Override *wish, GError **error)
{
  g_autofree char *quoted = muster_broker_quote (wish->override);
  g_autoptr (GError) local = NULL;

  wish->inherits = g_str_equal (wish->override, "inherit");
  if (!wish->inherits && !muster_presence_from_string (wish->override, &wish->presence))
    return muster_change_invalid (error,
                                  "override: %s is not one of inherit, offline, invisible, "
                                  "available, chat, away, xa, dnd",
                                  quoted);
  if (!muster_presence_check_text (wish->text, &local))
    return muster_change_invalid (error, "%s", local->message);
  if (wish->inherits && *wish->text != '\0')
    return muster_change_invalid (error,
                                  "text: there is none without a presence of the account's own");

  return TRUE;
}

static gboolean
prepare_set_override (MusterChange *change, GError **error)
{
  Override *wish = change->data;
  const char *account = muster_account_get_id (change->account);
  const MusterOverrideRecord record = {
    .account = (char *) account,
    .presence = wish->override,
    .text = wish->text,
  };

  if (!check_override (wish, error))
    return FALSE;

  if (wish->inherits)
    muster_store_change_delete_override (change->rows, account);
  else
    muster_store_change_put_override (change->rows, &record);

  return TRUE;
}

static void
apply_set_override (MusterChange *change)
{
  const Override *wish = change->data;

  muster_broker_override_publication (change->broker, change->account, !wish->inherits,
                                      wish->presence, wish->text);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_set_override_async (MusterBroker *self,
                                  MusterAccount *account,
                                  const char *override,
                                  const char *text,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  MusterChange *change = muster_change_new (self, account, prepare_set_override, apply_set_override,
                                            callback, user_data);
  Override *wish = g_new0 (Override, 1);

  wish->override = g_strdup (override);
  wish->text = g_strdup (text);
  change->data = wish;
  change->free_data = override_free;
  muster_change_submit (change);
}

gboolean
muster_broker_load_overrides (MusterBroker *self, GError **error)
{
  g_autoptr (GPtrArray) records = muster_store_load_overrides (self->store, error);

  if (records == NULL)
    return FALSE;

  for (guint i = 0; i < records->len; i++) {
    const MusterOverrideRecord *record = records->pdata[i];
    MusterAccount *account = muster_broker_get_account (self, record->account);
    MusterPresence presence;

    if (account == NULL) /* it is in the quarantine */
      continue;
    if (!muster_presence_from_string (record->presence, &presence) ||
        !muster_presence_check_text (record->text, NULL)) {
      g_warning ("what account %s says instead of its identity cannot be understood, ignoring it",
                 record->account);
      continue;
    }
    muster_broker_override_publication (self, account, TRUE, presence, record->text);
  }

  return TRUE;
}
