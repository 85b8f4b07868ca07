/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-grant.h"

#include <string.h>

/*
 * Reads the granted lease out of a 2xx (RFC 3261 section 10.2.4). A registrar lists everybody's
 * bindings, may rewrite the host of ours (NAT), may leave our parameters out, or may list nothing at
 * all; so the own one is looked for by what survives most first: the token that is its user part,
 * then the instance, then the URI, then that there is only one.
 */

static gboolean
has_token (const MusterSipContact *contact, const MusterSipOwnBinding *own)
{
  return g_strcmp0 (contact->user, own->token) == 0;
}

static gboolean
has_instance (const MusterSipContact *contact, const MusterSipOwnBinding *own)
{
  const char *instance = contact->instance;
  gsize length = strlen (own->instance);

  if (instance == NULL)
    return FALSE;
  if (*instance == '<')
    instance++;
  return g_ascii_strncasecmp (instance, own->instance, length) == 0 &&
         (instance[length] == '\0' || strcmp (instance + length, ">") == 0);
}

static gboolean
has_uri (const MusterSipContact *contact, const MusterSipOwnBinding *own)
{
  return g_ascii_strcasecmp (contact->uri, own->uri) == 0;
}

/* Among those that @matches: the one with our very URI, else one that lives, else any. An old
 * contact of ours, which the same request took away, may be listed with nothing left. */
static const MusterSipContact *
find (const MusterSipResponse *response,
      const MusterSipOwnBinding *own,
      gboolean (*matches) (const MusterSipContact *, const MusterSipOwnBinding *))
{
  const MusterSipContact *best = NULL;

  for (guint i = 0; i < response->contacts->len; i++) {
    const MusterSipContact *contact = g_ptr_array_index (response->contacts, i);

    if (!matches (contact, own))
      continue;
    if (has_uri (contact, own))
      return contact;
    if (best == NULL || (best->expires_s == 0 && contact->expires_s != 0))
      best = contact;
  }
  return best;
}

static const MusterSipContact *
find_single (const MusterSipResponse *response)
{
  const MusterSipContact *single = NULL;

  for (guint i = 0; i < response->contacts->len; i++) {
    const MusterSipContact *contact = g_ptr_array_index (response->contacts, i);

    if (contact->expires_s == 0)
      continue;
    if (single != NULL)
      return NULL;
    single = contact;
  }
  return single;
}

MusterSipGrant
muster_sip_grant_read (const MusterSipResponse *response, const MusterSipOwnBinding *own)
{
  const MusterSipContact *contact = find (response, own, has_token);
  MusterSipGrant grant = { 0, own->uri };
  gint64 lease_s = -1;

  if (contact == NULL)
    contact = find (response, own, has_instance);
  if (contact == NULL)
    contact = find (response, own, has_uri);
  if (contact == NULL)
    contact = find_single (response);

  if (contact != NULL) {
    lease_s = contact->expires_s;
    grant.uri = contact->uri;
  }
  if (lease_s < 0)
    lease_s = response->expires_s;
  if (lease_s < 0)
    lease_s = own->requested_s;

  grant.lease_s = (guint) MIN (lease_s, MUSTER_SIP_MAX_LEASE_S);
  return grant;
}
