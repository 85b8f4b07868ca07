/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-private.h"
#include "runtime/muster-crash-record.h"

/* What plugins are to accounts: which one speaks for an account, what is told of those that crashed,
 * and how one that is suspended comes back. */

void
muster_broker_find_plugin (MusterBroker *self, MusterAccount *account)
{
  const char *protocol = muster_account_get_record (account)->protocol;
  MusterModule *module = NULL;
  const MusterKind *kind;

  kind = muster_plugin_registry_find_protocol (self->registry, protocol, &module);
  if (kind != NULL && !muster_module_start (module, NULL))
    kind = NULL;
  muster_account_set_kind (account, kind, module);
}

/* events */

static void
emit (MusterBroker *self, const char *type, const char *plugin, GVariantDict *payload)
{
  g_variant_dict_insert (payload, "plugin", "s", plugin);
  muster_event_bus_emit (self->events, type, "", g_variant_dict_end (payload), TRUE);
}

void
muster_broker_tell_crash (MusterBroker *self)
{
  const MusterCrash *crash = muster_crash_record_get_last ();
  GVariantDict payload;

  if (crash == NULL || crash->plugin == NULL)
    return;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "signal", "s", crash->signal);
  g_variant_dict_insert (&payload, "hung", "b", crash->hung);
  g_variant_dict_insert (&payload, "at", "t", (guint64) MAX (crash->time_us, 0));
  emit (self, "plugin.crashed", crash->plugin, &payload);

  if (crash->suspended) {
    gboolean unloadable;
    g_autofree char *reason = muster_crash_record_dup_reason (crash->plugin, &unloadable);

    g_variant_dict_init (&payload, NULL);
    g_variant_dict_insert (&payload, "reason", "s", reason != NULL ? reason : "");
    emit (self, "plugin.suspended", crash->plugin, &payload);
  }
}

/* resuming */

gboolean
muster_broker_resume_plugin (MusterBroker *self, MusterModule *module, GError **error)
{
  const char *name = muster_module_get_name (module);
  gboolean was_read = muster_module_get_info (module) != NULL;
  const MusterPluginInfo *info;
  GVariantDict payload;

  if (!muster_module_is_suspended (module)) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_WRONG_STATE,
                 "plugin %s is not suspended, so there is nothing to resume", name);
    return FALSE;
  }

  muster_plugin_registry_resume (self->registry, module);
  name = muster_module_get_name (module);
  g_message ("plugin %s is resumed", name);
  g_variant_dict_init (&payload, NULL);
  emit (self, "plugin.resumed", name, &payload);

  info = muster_module_get_info (module);
  for (guint i = 0; !was_read && self->observer != NULL && info != NULL && info->kinds[i] != NULL;
       i++)
    self->observer->protocol_added (self->observer_data, info->kinds[i]);

  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->accounts);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter)) {
    MusterAccount *account = g_sequence_get (iter);

    if (muster_account_get_protocol (account) != NULL)
      continue;
    muster_broker_find_plugin (self, account);
    if (muster_account_get_protocol (account) == NULL)
      continue;
    if (self->observer != NULL)
      self->observer->capabilities_changed (self->observer_data, account);
    muster_standing_post (muster_account_get_standing (account), MUSTER_FACT_PLUGIN_READY);
  }
  if (self->observer != NULL)
    self->observer->plugin_changed (self->observer_data, module);

  if (muster_module_get_info (module) == NULL) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_FAILED, "plugin %s: %s", name,
                 muster_module_get_reason (module));
    return FALSE;
  }

  return TRUE;
}
