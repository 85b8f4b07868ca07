/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterSip"

#include "muster-sip-publication.h"

#include "muster-sip-pidf.h"

#include <string.h>

/*
 * Which request it is hangs on two things (RFC 3903 section 4.1):
 *
 *   | server has   | we say       | SIP-If-Match | Expires | body |
 *   | nothing      | something    |              | more    | yes  |
 *   | the same     | the same     | etag         | more    |      |
 *   | another, old | something    | etag         | more    | yes  |
 *   | something    | offline      | etag         | 0       |      |
 *
 * A server that has forgotten the entity-tag (412) gets what it has nothing of. An entity-tag of an earlier
 * run is one that we do not know the content of.
 */

#define EXPIRES_S     3600 /* RFC 3903 section 14: the package's own is an hour (RFC 3856) */
#define MIN_EXPIRES_S 5    /* a server that keeps it for less keeps nothing */
#define MAX_EXPIRES_S (7 * 24 * 3600)

struct _MusterSipPublication {
  MusterSipEntity *entity;
  char *device;
  char *call_id;
  char *from_tag;
  guint32 cseq;
  guint min_expires_s; /* the server's, once it said so */

  MusterPresence presence;
  char *text;
  gint64 since_us;  /* UTC: when it became that */
  gboolean is_told; /* the server has this, by its entity-tag */
};

MusterSipPublication *
muster_sip_publication_new (MusterSipEntity *entity, const char *device)
{
  MusterSipPublication *self = g_new0 (MusterSipPublication, 1);

  self->entity = entity;
  self->device = g_strdup (device);
  self->call_id = muster_sip_random_hex (32);
  self->from_tag = muster_sip_random_hex (16);
  self->presence = MUSTER_PRESENCE_OFFLINE;
  return self;
}

void
muster_sip_publication_free (MusterSipPublication *self)
{
  if (self == NULL)
    return;
  g_free (self->device);
  g_free (self->call_id);
  g_free (self->from_tag);
  g_free (self->text);
  g_free (self);
}

void
muster_sip_publication_set (MusterSipPublication *self, MusterPresence presence, const char *text)
{
  if (self->presence == presence && g_strcmp0 (self->text, text) == 0)
    return;

  g_free (self->text);
  self->text = g_strdup (text);
  self->presence = presence;
  self->since_us = muster_clock_wall_us ();
  self->is_told = FALSE;
}

gboolean
muster_sip_publication_is_there (MusterSipPublication *self)
{
  if (self->entity->etag != NULL && self->entity->until_us <= muster_clock_now_us ())
    muster_sip_entity_clear (self->entity);

  return self->entity->etag != NULL;
}

MusterSipRequest *
muster_sip_publication_build (MusterSipPublication *self,
                              const MusterSipConfig *config,
                              const char *const *service_route)
{
  MusterSipRequest *request = muster_sip_request_new ("PUBLISH", config->aor);
  gboolean is_there = muster_sip_publication_is_there (self);
  gboolean offline = self->presence == MUSTER_PRESENCE_OFFLINE;

  request->route = g_strdupv ((GStrv) service_route);
  request->from = g_strdup_printf ("<%s>;tag=%s", config->aor, self->from_tag);
  request->to = g_strdup_printf ("<%s>", config->aor);
  request->call_id = g_strdup (self->call_id);
  request->cseq = ++self->cseq;
  request->event = "presence";
  request->if_match = is_there ? g_strdup (self->entity->etag) : NULL;
  request->expires_s = offline ? 0 : MAX (EXPIRES_S, self->min_expires_s);
  if (!offline && !(is_there && self->is_told)) {
    request->content_type = MUSTER_SIP_PIDF_TYPE;
    request->body = muster_sip_pidf_build (config->aor, self->device, self->presence, self->text,
                                           self->since_us);
  }
  return request;
}

gboolean
muster_sip_publication_overcome (MusterSipPublication *self, const MusterSipResponse *response)
{
  switch (response->status) {
  case 412: /* comes to an end: the next request names none */
    if (self->entity->etag == NULL)
      return FALSE;
    muster_sip_entity_clear (self->entity);
    self->is_told = FALSE;
    return self->presence != MUSTER_PRESENCE_OFFLINE;
  case 423:
    if (response->min_expires_s <= MAX (EXPIRES_S, self->min_expires_s) ||
        response->min_expires_s > MAX_EXPIRES_S)
      return FALSE;
    self->min_expires_s = (guint) response->min_expires_s;
    return TRUE;
  default:
    return FALSE;
  }
}

MusterLease *
muster_sip_publication_take (MusterSipPublication *self,
                             const MusterSipResponse *response,
                             GError **error)
{
  gint64 lease_s = response->expires_s >= 0 ? response->expires_s : EXPIRES_S;

  muster_sip_entity_clear (self->entity);
  self->is_told = FALSE;
  if (self->presence == MUSTER_PRESENCE_OFFLINE)
    return NULL;

  if (response->etag == NULL || lease_s < MIN_EXPIRES_S) {
    g_propagate_error (error, muster_error_new (MUSTER_ERROR_PROTOCOL, MUSTER_STEP_REGISTER,
                                                "the server took what was published and does not "
                                                "say how long it keeps it"));
    return NULL;
  }

  lease_s = MIN (lease_s, MAX_EXPIRES_S);
  self->entity->etag = g_strdup (response->etag);
  self->entity->until_us = muster_clock_now_us () + lease_s * G_USEC_PER_SEC;
  self->is_told = TRUE;
  return muster_lease_new ((guint) lease_s, (const char *const[]){ NULL });
}
