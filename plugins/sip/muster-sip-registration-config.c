/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-registration-private.h"

/* What an account's parameters come to, for as long as they stay, and whether its password has. */

/* Makes it anew only when a parameter changed; with TLS each time: files of certificates change, too. What
 * cannot be made leaves the one before in place, for the requests that are under way. */
MusterSipConfig *
muster_sip_registration_configure (MusterSipRegistration *self, GError **error)
{
  guint version = muster_registration_get_params_version (MUSTER_REGISTRATION (self));
  MusterSipConfig *config;

  if (self->config != NULL && self->config_version == version && self->config->trust == NULL)
    return muster_sip_config_ref (self->config);

  if (self->config_version != version) /* somebody may have named another server */
    g_clear_pointer (&self->redirected, muster_sip_config_unref);
  config = muster_sip_config_read (MUSTER_REGISTRATION (self), error);
  if (config == NULL)
    return NULL;

  g_clear_pointer (&self->config, muster_sip_config_unref);
  self->config = config;
  self->config_version = version;
  muster_sip_inbox_set_takes_documents (self->inbox, config->takes_documents);
  return muster_sip_config_ref (config);
}

gboolean
muster_sip_registration_wishes (MusterSipRegistration *self, MusterSipWishes wish)
{
  return self->config != NULL && (self->config->wishes & wish) != 0;
}

/* The first hop, which may be another machine than the domain. */
char *
muster_sip_registration_dup_remote_host (MusterRegistration *registration)
{
  MusterRegistrationClass *parent = g_type_class_peek (MUSTER_TYPE_REGISTRATION);
  g_autoptr (MusterSipConfig)
    config = muster_sip_registration_configure (MUSTER_SIP_REGISTRATION (registration), NULL);

  return config != NULL ? g_strdup (config->hop_host) : parent->dup_remote_host (registration);
}

guint
muster_sip_registration_get_retry_floor_s (MusterRegistration *registration)
{
  g_autoptr (MusterSipConfig)
    config = muster_sip_registration_configure (MUSTER_SIP_REGISTRATION (registration), NULL);

  return config != NULL ? config->retry_floor_s : 0;
}

gboolean
muster_sip_registration_knows_password (MusterSipRegistration *self)
{
  guint version = muster_registration_get_secret_version (MUSTER_REGISTRATION (self), "password");

  return muster_sip_refresher_knows_password (self->refresher, version);
}

const MusterSipConfig *
muster_sip_registration_get_config (MusterSipRegistration *self)
{
  return self->redirected != NULL ? self->redirected : self->config;
}
