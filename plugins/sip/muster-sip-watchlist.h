/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

#define MUSTER_SIP_WATCHLIST_MAX         500
#define MUSTER_SIP_WATCHLIST_MAX_ASKERS  500
#define MUSTER_SIP_WATCHLIST_ADDRESS_MAX 255
#define MUSTER_SIP_WATCHLIST_NAME_MAX    128

/*
 * MusterSipWatchlist:
 *
 * The contacts of one account as data: whom it watches, which is kept, and who asks to watch it, which the
 * server says anew each time.
 */
typedef struct _MusterSipWatchlist MusterSipWatchlist;

MusterSipWatchlist *muster_sip_watchlist_new (void);
void muster_sip_watchlist_free (MusterSipWatchlist *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipWatchlist, muster_sip_watchlist_free)

/* (transfer full) (nullable): `user@host` of an address as people or servers write it; %NULL: it is none. */
char *muster_sip_watchlist_dup_address (const char *text);

/* (nullable): lent until the next change; may be changed but for its address. */
MusterContact *muster_sip_watchlist_find (MusterSipWatchlist *self, const char *address);

/* Watches somebody from now on, or calls them another name. %NULL with %MUSTER_ERROR_INVALID: there are too many. */
MusterContact *muster_sip_watchlist_watch (MusterSipWatchlist *self,
                                           const char *address,
                                           const char *name,
                                           GError **error);

/* %FALSE: they were not watched. Who still asks stays. */
gboolean muster_sip_watchlist_unwatch (MusterSipWatchlist *self, const char *address);

/* Somebody asks, or asks no more. Returns (nullable): who is not as before, lent until the next change. Somebody who
 * is neither watched nor asks is gone with that. */
const MusterContact *muster_sip_watchlist_set_asks (MusterSipWatchlist *self,
                                                    const char *address,
                                                    const char *name,
                                                    gboolean asks);

/* (element-type MusterContact) (transfer full): copies of all, by address. */
GPtrArray *muster_sip_watchlist_dup_all (MusterSipWatchlist *self);
guint muster_sip_watchlist_count_watched (MusterSipWatchlist *self);

/* What is kept: names, addresses and who has let us. (nullable): nobody is watched. */
GBytes *muster_sip_watchlist_pack (MusterSipWatchlist *self);

/* Adds what was kept. %FALSE, and nothing added, if it was not packed by us. */
gboolean muster_sip_watchlist_unpack (MusterSipWatchlist *self, GBytes *blob);
