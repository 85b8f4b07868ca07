/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-grant.h"
#include "muster-sip-series.h"

#define MUSTER_SIP_REGINFO_TYPE         "application/reginfo+xml"
#define MUSTER_SIP_REGINFO_MAX_CONTACTS 500

/* What happened last to a binding (RFC 3680 section 4.7). */
typedef enum {
  MUSTER_SIP_REG_EVENT_NONE, /* not said */
  MUSTER_SIP_REG_EVENT_REGISTERED,
  MUSTER_SIP_REG_EVENT_CREATED, /* by somebody else than its user agent */
  MUSTER_SIP_REG_EVENT_REFRESHED,
  MUSTER_SIP_REG_EVENT_SHORTENED, /* to be refreshed earlier */
  MUSTER_SIP_REG_EVENT_EXPIRED,
  MUSTER_SIP_REG_EVENT_DEACTIVATED,  /* to be registered again at once */
  MUSTER_SIP_REG_EVENT_PROBATION,    /* to be registered again after a while */
  MUSTER_SIP_REG_EVENT_UNREGISTERED, /* by its user agent, or one that acts for it */
  MUSTER_SIP_REG_EVENT_REJECTED,     /* not allowed any more */
} MusterSipRegEvent;

typedef enum {
  MUSTER_SIP_BINDING_UNKNOWN, /* what came so far does not tell */
  MUSTER_SIP_BINDING_THERE,
  MUSTER_SIP_BINDING_GONE,
} MusterSipBindingState;

typedef struct {
  MusterSipBindingState state;
  MusterSipRegEvent event; /* of one that is gone: NONE if the server just does not list it */
  gint64 expires_s;        /* from when the document was made; -1: not said */
  gint64 retry_after_s;    /* on probation; -1: not said */
} MusterSipBindingNews;

/* The bindings of our address of record, as one subscription tells them. */
typedef struct _MusterSipReginfo MusterSipReginfo;

MusterSipReginfo *muster_sip_reginfo_new (void);
void muster_sip_reginfo_free (MusterSipReginfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipReginfo, muster_sip_reginfo_free)

/* The documents that follow come on a new subscription. Until its first whole one nothing is known. */
void muster_sip_reginfo_begin (MusterSipReginfo *self);

/* Takes a body of %MUSTER_SIP_REGINFO_TYPE in. %FALSE, %MUSTER_ERROR_PROTOCOL, with nothing changed: it is none. */
gboolean muster_sip_reginfo_take (MusterSipReginfo *self,
                                  const char *bytes,
                                  gsize n_bytes,
                                  MusterSipEdition *edition,
                                  GError **error);

/* What is known of our binding now. Why one has gone is known until the next document. */
MusterSipBindingNews
muster_sip_reginfo_find (MusterSipReginfo *self, const MusterSipOwnBinding *own);

guint muster_sip_reginfo_get_n_contacts (MusterSipReginfo *self);
