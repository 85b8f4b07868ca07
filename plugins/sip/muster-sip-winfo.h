/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-series.h"

#define MUSTER_SIP_WINFO_TYPE         "application/watcherinfo+xml"
#define MUSTER_SIP_WINFO_MAX_WATCHERS 1000

/* Somebody who watches us or wants to, with all devices together. Neither: no more. */
typedef struct {
  char *uri;
  char *name;        /* nullable; printable */
  gboolean asks;     /* a subscription of theirs waits for our word */
  gboolean watches;  /* one is served */
  const char *event; /* why, of one of them; nullable, static: a word of RFC 3857 section 4.7.1 */
} MusterSipWatcher;

/* The list of those who watch us, as one subscription tells it. */
typedef struct _MusterSipWinfo MusterSipWinfo;

MusterSipWinfo *muster_sip_winfo_new (void);
void muster_sip_winfo_free (MusterSipWinfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipWinfo, muster_sip_winfo_free)

/* The documents that follow come on a new subscription. What is known stays until the first whole one. */
void muster_sip_winfo_begin (MusterSipWinfo *self);

/* Takes a body of %MUSTER_SIP_WINFO_TYPE in. Returns (element-type MusterSipWatcher) (transfer full): who is not as
 * before, at most twice %MUSTER_SIP_WINFO_MAX_WATCHERS. %NULL, %MUSTER_ERROR_PROTOCOL, with nothing changed: it is
 * none. */
GPtrArray *muster_sip_winfo_take (MusterSipWinfo *self,
                                  const char *bytes,
                                  gsize n_bytes,
                                  MusterSipEdition *edition,
                                  GError **error);

/* (nullable): who has that address */
const MusterSipWatcher *muster_sip_winfo_find (MusterSipWinfo *self, const char *uri);
guint muster_sip_winfo_get_n_watchers (MusterSipWinfo *self);
/* How many of the last whole document and since found no room. */
guint muster_sip_winfo_get_n_left_out (MusterSipWinfo *self);
