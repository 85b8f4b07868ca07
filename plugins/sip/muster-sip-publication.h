/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-config.h"
#include "muster-sip-message.h"
#include "muster-sip-resume.h"

/*
 * MusterSipPublication:
 *
 * What is published of a person at their presence server (RFC 3903), and the requests that make, change,
 * extend and take it back. It knows what the server has by its entity-tag, which outlives us.
 */
typedef struct _MusterSipPublication MusterSipPublication;

/* @entity: lent for its life. @device: as of muster_sip_refresher_dup_device(). */
MusterSipPublication *muster_sip_publication_new (MusterSipEntity *entity, const char *device);
void muster_sip_publication_free (MusterSipPublication *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipPublication, muster_sip_publication_free)

/* What the next request is to say; %MUSTER_PRESENCE_OFFLINE: that there is nothing. @text is nullable. */
void
muster_sip_publication_set (MusterSipPublication *self, MusterPresence presence, const char *text);

/* Whether the server may have something of ours. */
gboolean muster_sip_publication_is_there (MusterSipPublication *self);

/* The request for it (transfer full). @service_route is nullable. */
MusterSipRequest *muster_sip_publication_build (MusterSipPublication *self,
                                                const MusterSipConfig *config,
                                                const char *const *service_route);

/* Whether the next request may do better after this answer to the last one. */
gboolean
muster_sip_publication_overcome (MusterSipPublication *self, const MusterSipResponse *response);

/* The last request was answered by this 2xx. Returns (transfer full): for how long it is kept; %NULL
 * after an offline, and with @error set if the server keeps nothing. */
MusterLease *muster_sip_publication_take (MusterSipPublication *self,
                                          const MusterSipResponse *response,
                                          GError **error);
