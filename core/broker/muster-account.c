/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterAccount"

#include "config.h"

#include "muster-account.h"

#include "muster-account-problem.h"
#include "runtime/muster-address-set.h"

/* A parameter that the account sets, taken out of its map once. */
typedef struct {
  const char *name; /* interned; NULL ends the array */
  GVariant *value;
} SetParam;

struct _MusterAccount {
  MusterAccountRecord *record;
  const MusterAccountHost *host;
  gpointer host_data;

  const MusterKind *kind;
  MusterModule *module;
  MusterStanding *standing;
  GVariant *live_params; /* what the registration goes by: until it is made anew, its old place */
  guint params_version;  /* of live_params */
  char *problem;         /* why the configuration is not valid; NULL if it is */
  MusterAccountSecrets secrets;
  char *remote_host;   /* GRefString, shared by the accounts of one host; NULL: none, or unknown */
  guint retry_floor_s; /* known with it */
  gboolean knows_remote_host;
  MusterTicket ticket;
  GBytes *resume; /* between its loading and the registration's reading */
  GQueue changes;
  gboolean refused;    /* the secrets were rejected: not to be tried again as they are */
  gboolean has_resume; /* an earlier run left one */
  gboolean paused;
  gboolean disconnected;
  gboolean leaving;
};

/* Of one account at a time. Looking a name up in a GVariant costs more than all that a plugin does
 * with the value, and it asks for each of its parameters; but then for none until the next attempt,
 * and thousands of accounts would keep half a kilobyte each. */
static struct {
  MusterAccount *account; /* not a reference; NULL: of none */
  SetParam *params;       /* of its live_params, ended by one without a name */
} taken_out;

/* what the standing asks */

static MusterAccountConditions
on_get_conditions (gpointer host)
{
  MusterAccount *self = host;
  MusterAccountConditions conditions = 0;

  if (self->record->enabled && !self->disconnected && !self->paused && !self->leaving)
    conditions |= MUSTER_CONDITION_WANTED;
  if (self->kind != NULL)
    conditions |= MUSTER_CONDITION_PLUGIN;
  if (self->problem == NULL)
    conditions |= MUSTER_CONDITION_VALID;
  if (!self->refused && muster_account_get_missing_secret (self) == NULL &&
      !muster_account_lacks_key (self))
    conditions |= MUSTER_CONDITION_SECRET;
  if (self->host->get_offline_reason (self->host_data, self) == NULL)
    conditions |= MUSTER_CONDITION_NETWORK;

  return conditions;
}

static const char *
on_get_offline_reason (gpointer host)
{
  MusterAccount *self = host;

  return self->host->get_offline_reason (self->host_data, self);
}

/* Without a format string, which would be most of the cost. The name is lent by @params. */
static const char *
get_param (GVariant *params, gsize i, GVariant **value)
{
  g_autoptr (GVariant) entry = g_variant_get_child_value (params, i);
  g_autoptr (GVariant) name = g_variant_get_child_value (entry, 0);
  g_autoptr (GVariant) variant = g_variant_get_child_value (entry, 1);

  *value = g_variant_get_variant (variant);
  return g_variant_get_string (name, NULL);
}

static void
muster_account_clear_set_params (MusterAccount *self)
{
  if (taken_out.account != self)
    return;

  for (guint i = 0; taken_out.params[i].name != NULL; i++)
    g_variant_unref (taken_out.params[i].value);
  g_clear_pointer (&taken_out.params, g_free);
  taken_out.account = NULL;
}

void
muster_account_adopt_params (MusterAccount *self)
{
  if (self->live_params == self->record->params)
    return;

  muster_account_clear_set_params (self);
  g_variant_unref (self->live_params);
  self->live_params = g_variant_ref (self->record->params);
  self->params_version++;
}

static void
muster_account_take_out_params (MusterAccount *self)
{
  gsize n_params = g_variant_n_children (self->live_params);

  if (taken_out.account != NULL)
    muster_account_clear_set_params (taken_out.account);
  taken_out.account = self;
  taken_out.params = g_new0 (SetParam, n_params + 1);
  for (gsize i = 0; i < n_params; i++) {
    const char *name = get_param (self->live_params, i, &taken_out.params[i].value);

    taken_out.params[i].name = g_intern_string (name);
  }
}

static GVariant *
on_dup_param (gpointer host, const char *name)
{
  MusterAccount *self = host;

  if (taken_out.account != self)
    muster_account_take_out_params (self);
  for (guint i = 0; taken_out.params[i].name != NULL; i++) {
    if (g_str_equal (taken_out.params[i].name, name))
      return g_variant_ref (taken_out.params[i].value);
  }

  return NULL;
}

static guint
on_get_params_version (gpointer host)
{
  return ((MusterAccount *) host)->params_version;
}

static void
on_load_secret (gpointer host, const char *name, GTask *task)
{
  MusterAccount *self = host;

  /* A registration for the old parameters must not carry a new secret to the old server. */
  if (muster_standing_is_repointed (self->standing)) {
    g_task_return_error (task, muster_error_new (MUSTER_ERROR_REFUSED, MUSTER_STEP_SECRET,
                                                 "the account was pointed elsewhere"));
    g_object_unref (task);
    return;
  }

  self->host->load_secret (self->host_data, self, name, task);
}

static guint
on_get_secret_version (gpointer host, const char *name)
{
  return muster_account_secrets_get_version (&((MusterAccount *) host)->secrets, name);
}

static GBytes *
on_dup_resume (gpointer host)
{
  MusterAccount *self = host;

  return g_steal_pointer (&self->resume);
}

static void
on_set_resume (gpointer host, GBytes *blob)
{
  MusterAccount *self = host;

  /* What an old place left behind is of no use in the new one, and must not be sent there. */
  if (!self->leaving && self->live_params == self->record->params)
    self->host->save_resume (self->host_data, self, blob);
}

static void
on_lost (gpointer host, const GError *error)
{
  MusterAccount *self = host;

  muster_standing_lost (self->standing, error);
}

static void
on_report_bindings (gpointer host, const char *const *bindings)
{
  MusterAccount *self = host;

  muster_standing_set_bindings (self->standing, bindings);
}

static void
on_add_lease (gpointer host, const char *name, const MusterLease *lease)
{
  MusterAccount *self = host;

  muster_standing_add_lease (self->standing, name, lease);
}

static void
on_remove_lease (gpointer host, const char *name)
{
  MusterAccount *self = host;

  muster_standing_remove_lease (self->standing, name);
}

static void
on_contact_changed (gpointer host, const MusterContact *contact)
{
  MusterAccount *self = host;

  if (!self->leaving && self->host->contact_changed != NULL)
    self->host->contact_changed (self->host_data, self, contact);
}

static void
on_contact_gone (gpointer host, const char *address)
{
  MusterAccount *self = host;

  if (!self->leaving && self->host->contact_gone != NULL)
    self->host->contact_gone (self->host_data, self, address);
}

static void
on_offer_changed (gpointer host, const MusterOffer *offer)
{
  MusterAccount *self = host;

  if (!self->leaving && self->host->offer_changed != NULL)
    self->host->offer_changed (self->host_data, self, offer);
}

static void
on_messages_waiting (gpointer host, guint n_new, guint n_old)
{
  MusterAccount *self = host;

  if (!self->leaving && self->host->messages_waiting != NULL)
    self->host->messages_waiting (self->host_data, self, n_new, n_old);
}

static gint64
on_get_lease_end_us (gpointer host)
{
  MusterAccount *self = host;

  return muster_standing_get_lease_end_us (self->standing);
}

static const MusterRegistrationHost registration_host = {
  .dup_param = on_dup_param,
  .load_secret = on_load_secret,
  .dup_resume = on_dup_resume,
  .set_resume = on_set_resume,
  .lost = on_lost,
  .report_bindings = on_report_bindings,
  .add_lease = on_add_lease,
  .remove_lease = on_remove_lease,
  .get_params_version = on_get_params_version,
  .get_lease_end_us = on_get_lease_end_us,
  .contact_changed = on_contact_changed,
  .contact_gone = on_contact_gone,
  .offer_changed = on_offer_changed,
  .messages_waiting = on_messages_waiting,
  .get_secret_version = on_get_secret_version,
};

/* One that is only asked where it would go: by what the account says now, not by what goes on. */

static GVariant *
on_dup_param_of_record (gpointer host, const char *name)
{
  MusterAccount *self = host;

  return g_variant_lookup_value (self->record->params, name, NULL);
}

static GBytes *
on_dup_no_resume (gpointer host)
{
  return NULL;
}

static void
on_set_no_resume (gpointer host, GBytes *blob)
{
}

static const MusterRegistrationHost question_host = {
  .dup_param = on_dup_param_of_record,
  .load_secret = on_load_secret,
  .dup_resume = on_dup_no_resume,
  .set_resume = on_set_no_resume,
  .lost = on_lost,
  .report_bindings = on_report_bindings,
};

static MusterRegistration *
muster_account_make_registration (MusterAccount *self, const MusterRegistrationHost *host)
{
  return muster_registration_new (self->kind->get_type (), self->kind->protocol,
                                  muster_module_get_context (self->module), self->record->id,
                                  self->record->address, host, self);
}

static void
muster_account_forget_remote_host (MusterAccount *self)
{
  g_clear_pointer (&self->remote_host, g_ref_string_release);
  self->knows_remote_host = FALSE;
}

static void
muster_account_learn_remote_host (MusterAccount *self, MusterRegistration *registration)
{
  g_autofree char *host = NULL;
  g_autofree char *key = NULL;

  muster_account_forget_remote_host (self);
  self->knows_remote_host = TRUE;
  self->retry_floor_s = registration != NULL ? muster_registration_get_retry_floor_s (registration)
                                             : self->kind->protocol->retry_floor_s;
  if (self->kind->protocol->local)
    return;

  host = muster_registration_dup_remote_host (registration);
  if (host == NULL)
    return;
  key = g_ascii_strdown (host, -1);
  self->remote_host = g_ref_string_new_intern (key);
}

static MusterRegistration *
on_make_registration (gpointer host)
{
  MusterAccount *self = host;
  MusterRegistration *registration;

  muster_account_adopt_params (self);
  registration = muster_account_make_registration (self, &registration_host);
  muster_account_learn_remote_host (self, registration);

  return registration;
}

static const char *
on_get_unwanted_reason (gpointer host)
{
  MusterAccount *self = host;

  return self->disconnected && self->record->enabled ? "disconnected" : "";
}

static const char *
on_get_plugin_reason (gpointer host)
{
  return muster_account_get_suspended_plugin (host) != NULL ? "plugin-suspended" : "no-plugin";
}

static guint
on_get_retry_floor_s (gpointer host)
{
  MusterAccount *self = host;

  muster_account_get_remote_host (self); /* asks for both */
  return self->kind != NULL ? self->retry_floor_s : 0;
}

static void
on_load_resume (gpointer host)
{
  MusterAccount *self = host;

  self->host->load_resume (self->host_data, self);
}

static void
on_admit (gpointer host)
{
  MusterAccount *self = host;

  self->host->admit (self->host_data, self);
}

static void
on_release (gpointer host, const GError *outcome)
{
  MusterAccount *self = host;

  self->host->release (self->host_data, self, outcome);
}

static void
on_secret_refused (gpointer host)
{
  MusterAccount *self = host;

  self->refused = TRUE;
  if (!self->leaving)
    self->host->secret_refused (self->host_data, self);
}

static gboolean
on_is_secret_refused (gpointer host)
{
  return muster_account_is_refused (host);
}

static const char *
on_get_secret_reason (gpointer host)
{
  MusterAccount *self = host;

  return muster_account_lacks_key (self) ? self->host->why_no_key (self->host_data) : "no-secret";
}

static void
on_changed (gpointer host)
{
  MusterAccount *self = host;

  self->host->changed (self->host_data, self);
}

static void
on_serving_changed (gpointer host)
{
  MusterAccount *self = host;

  if (self->host->serving_changed != NULL)
    self->host->serving_changed (self->host_data, self);
}

static void
on_event (gpointer host, const char *type, GVariant *payload, gboolean keep)
{
  MusterAccount *self = host;

  self->host->event (self->host_data, self, type, payload, keep);
}

static gboolean
on_has_gate (gpointer host)
{
  MusterAccount *self = host;

  return self->host->gate != NULL &&
         (self->host->has_gate == NULL || self->host->has_gate (self->host_data));
}

static gboolean
on_gate (gpointer host, GVariant *payload, GCancellable *cancellable)
{
  MusterAccount *self = host;

  return self->host->gate != NULL && self->host->gate (self->host_data, self, payload, cancellable);
}

static const MusterStandingHost standing_host = {
  .get_conditions = on_get_conditions,
  .get_offline_reason = on_get_offline_reason,
  .get_unwanted_reason = on_get_unwanted_reason,
  .get_plugin_reason = on_get_plugin_reason,
  .make_registration = on_make_registration,
  .get_retry_floor_s = on_get_retry_floor_s,
  .load_resume = on_load_resume,
  .admit = on_admit,
  .release = on_release,
  .secret_refused = on_secret_refused,
  .is_secret_refused = on_is_secret_refused,
  .get_secret_reason = on_get_secret_reason,
  .changed = on_changed,
  .serving_changed = on_serving_changed,
  .event = on_event,
  .has_gate = on_has_gate,
  .gate = on_gate,
};

/* configuration */

static void
muster_account_check (MusterAccount *self)
{
  muster_account_forget_remote_host (self);
  g_clear_pointer (&self->problem, g_free);
  if (self->kind != NULL)
    self->problem = muster_account_find_problem (self->kind->protocol, self->record);
}

void
muster_account_set_kind (MusterAccount *self, const MusterKind *kind, MusterModule *module)
{
  self->kind = kind;
  self->module = module;
  muster_account_check (self);
}

MusterModule *
muster_account_get_suspended_plugin (MusterAccount *self)
{
  return self->module != NULL && muster_module_is_suspended (self->module) ? self->module : NULL;
}

void
muster_account_take_record (MusterAccount *self, MusterAccountRecord *record)
{
  g_return_if_fail (g_str_equal (record->id, self->record->id));

  /* The id, the protocol and the address are lent to the registration and never change. */
  g_free (self->record->identity);
  self->record->identity = g_steal_pointer (&record->identity);
  g_free (self->record->name);
  self->record->name = g_steal_pointer (&record->name);
  self->record->enabled = record->enabled;
  self->record->modified_us = record->modified_us;
  g_variant_unref (self->record->params);
  self->record->params = g_variant_ref (record->params);
  muster_account_record_free (record);
  muster_account_check (self);
}

/* secrets */

const char *const *
muster_account_get_secrets (MusterAccount *self)
{
  return (const char *const *) self->secrets.names;
}

MusterAccountSecrets *
muster_account_get_secret_list (MusterAccount *self)
{
  return &self->secrets;
}

gboolean
muster_account_has_secret (MusterAccount *self, const char *name)
{
  return g_strv_contains (muster_account_get_secrets (self), name);
}

const char *
muster_account_get_missing_secret (MusterAccount *self)
{
  const MusterProtocol *protocol = muster_account_get_protocol (self);

  for (guint i = 0; protocol != NULL && i < protocol->n_params; i++) {
    const MusterParam *param = &protocol->params[i];

    if ((param->flags & MUSTER_PARAM_SECRET) != 0 && (param->flags & MUSTER_PARAM_REQUIRED) != 0 &&
        !muster_account_has_secret (self, param->name))
      return param->name;
  }

  return NULL;
}

gboolean
muster_account_lacks_key (MusterAccount *self)
{
  return self->secrets.names[0] != NULL && !self->refused &&
         muster_account_get_missing_secret (self) == NULL && self->host->why_no_key != NULL &&
         self->host->why_no_key (self->host_data) != NULL;
}

void
muster_account_set_refused (MusterAccount *self, gboolean refused)
{
  self->refused = refused;
}

gboolean
muster_account_is_refused (MusterAccount *self)
{
  return self->refused;
}

void
muster_account_set_has_resume (MusterAccount *self)
{
  self->has_resume = TRUE;
}

gboolean
muster_account_has_resume (MusterAccount *self)
{
  return self->has_resume;
}

void
muster_account_resume_loaded (MusterAccount *self, GBytes *blob)
{
  g_clear_pointer (&self->resume, g_bytes_unref);
  if (blob != NULL && !muster_standing_is_repointed (self->standing))
    self->resume = g_bytes_ref (blob);
  muster_standing_resume_loaded (self->standing);
}

void
muster_account_forget_resume (MusterAccount *self)
{
  g_clear_pointer (&self->resume, g_bytes_unref);
}

/* where it goes */

const char *
muster_account_get_remote_host (MusterAccount *self)
{
  if (!self->knows_remote_host && self->kind != NULL) {
    g_autoptr (MusterRegistration) registration = NULL;

    if (!self->kind->protocol->local)
      registration = muster_account_make_registration (self, &question_host);
    muster_account_learn_remote_host (self, registration);
    if (registration != NULL)
      muster_registration_detach_host (registration);
  }

  return self->remote_host;
}

gboolean
muster_account_is_local (MusterAccount *self)
{
  const char *host = muster_account_get_remote_host (self);

  return host == NULL || muster_address_is_loopback_host (host);
}

MusterTicket *
muster_account_get_ticket (MusterAccount *self)
{
  return &self->ticket;
}

/* the rest */

void
muster_account_pause (MusterAccount *self)
{
  self->paused = TRUE;
}

void
muster_account_set_disconnected (MusterAccount *self, gboolean disconnected)
{
  self->disconnected = disconnected;
}

gboolean
muster_account_is_disconnected (MusterAccount *self)
{
  return self->disconnected;
}

void
muster_account_set_leaving (MusterAccount *self)
{
  self->leaving = TRUE;
}

gboolean
muster_account_is_leaving (MusterAccount *self)
{
  return self->leaving;
}

const char *
muster_account_get_id (MusterAccount *self)
{
  return self->record->id;
}

const MusterAccountRecord *
muster_account_get_record (MusterAccount *self)
{
  return self->record;
}

MusterStanding *
muster_account_get_standing (MusterAccount *self)
{
  return self->standing;
}

MusterRegistration *
muster_account_get_serving (MusterAccount *self)
{
  return muster_standing_get_serving (self->standing);
}

gboolean
muster_account_can (MusterAccount *self, GType capability)
{
  return self->kind != NULL && g_type_is_a (self->kind->get_type (), capability);
}

const MusterProtocol *
muster_account_get_protocol (MusterAccount *self)
{
  return self->kind != NULL ? self->kind->protocol : NULL;
}

const char *
muster_account_get_problem (MusterAccount *self)
{
  return self->problem != NULL ? self->problem : "";
}

GQueue *
muster_account_get_changes (MusterAccount *self)
{
  return &self->changes;
}

MusterAccount *
muster_account_new (MusterAccountRecord *record, const MusterAccountHost *host, gpointer host_data)
{
  MusterAccount *self = g_rc_box_new0 (MusterAccount);

  self->record = record;
  self->host = host;
  self->host_data = host_data;
  self->live_params = g_variant_ref (record->params);
  self->params_version = 1;
  muster_account_secrets_init (&self->secrets);
  g_queue_init (&self->changes);
  self->standing = muster_standing_new (record->id, &standing_host, self);

  return self;
}

MusterAccount *
muster_account_ref (MusterAccount *self)
{
  return g_rc_box_acquire (self);
}

static void
muster_account_clear (gpointer data)
{
  MusterAccount *self = data;

  muster_standing_free (self->standing);
  g_queue_clear (&self->changes);
  muster_account_secrets_clear (&self->secrets);
  g_free (self->problem);
  muster_account_clear_set_params (self);
  g_variant_unref (self->live_params);
  g_clear_pointer (&self->resume, g_bytes_unref);
  muster_account_forget_remote_host (self);
  muster_account_record_free (self->record);
}

void
muster_account_unref (MusterAccount *self)
{
  g_rc_box_release_full (self, muster_account_clear);
}
