/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-config.h"
#include "muster-sip-grant.h"
#include "muster-sip-resume.h"
#include "muster-sip-transport.h"

/*
 * MusterSipRefresher:
 *
 * The state machine that makes, extends and takes back one registration over any transport. It has no
 * clock of its own: when to do what is the broker's business.
 */
typedef struct _MusterSipRefresher MusterSipRefresher;

/* One of @lease (transfer full) and @error is set after a register; after an unregister @lease is
 * %NULL either way. Called from the main loop, never from within the call that began it. */
typedef void (*MusterSipRefresherFunc) (MusterSipRefresher *self,
                                        MusterLease *lease,
                                        const GError *error,
                                        gpointer user_data);

/* @resume (nullable): what muster_sip_refresher_dup_resume() gave, perhaps in an earlier life. One
 * that cannot be read counts as none. */
MusterSipRefresher *muster_sip_refresher_new (GBytes *resume);
void muster_sip_refresher_free (MusterSipRefresher *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipRefresher, muster_sip_refresher_free)

/* What is needed to go on after a restart. Holds HA1 and nonce: to be sealed. */
GBytes *muster_sip_refresher_dup_resume (MusterSipRefresher *self);
/* (nullable): the same; %NULL if the one that it gave last would still do. */
GBytes *muster_sip_refresher_dup_news (MusterSipRefresher *self);
/* When the lease of an earlier life ends: that is known better than from @resume. */
void muster_sip_refresher_extend (MusterSipRefresher *self, gint64 end_us);

/* The user part of our contacts, by which requests that come in find us. */
const char *muster_sip_refresher_get_token (MusterSipRefresher *self);

/* Where we last received, so that a new socket can be made the same: %NULL and 0 if never. */
const char *muster_sip_refresher_get_local_address (MusterSipRefresher *self);
guint16 muster_sip_refresher_get_local_port (MusterSipRefresher *self);
void muster_sip_refresher_set_local (MusterSipRefresher *self, const char *address, guint16 port);

/* Where a 3xx that ended the last operation sends us; %NULL if none did. */
const char *muster_sip_refresher_get_redirect (MusterSipRefresher *self);

/* Whether a server that we asked over UDP sees us elsewhere than where we receive. */
gboolean muster_sip_refresher_is_behind_nat (MusterSipRefresher *self);

/* What the account's challenges were answered with last, for its other requests; lent for its life. */
void muster_sip_refresher_get_credentials (MusterSipRefresher *self,
                                           MusterSipCredentials **registrar,
                                           MusterSipCredentials **proxy);

/* Whether what is kept of the password is good, or nothing is: by the version of the one that there is now. */
gboolean muster_sip_refresher_knows_password (MusterSipRefresher *self, guint version);
/* What is kept of another one than @password (%NULL: there is none) goes. */
void muster_sip_refresher_check_password (MusterSipRefresher *self,
                                          const char *auth_user,
                                          const MusterSecret *password,
                                          guint version);

/* Who is asked for the password, as in MusterSipExchangeFuncs, when an operation that was begun without one
 * needs it. Without @func, no password means that there is none. */
typedef void (*MusterSipPasswordFunc) (gpointer user_data);
void muster_sip_refresher_set_password_func (MusterSipRefresher *self,
                                             MusterSipPasswordFunc func,
                                             gpointer user_data);
void muster_sip_refresher_take_password (MusterSipRefresher *self,
                                         MusterSecret *password,
                                         const GError *error);
/* What is kept is now of this one: an exchange with these credentials took it. */
void muster_sip_refresher_set_password_version (MusterSipRefresher *self, guint version);

/* What was published for the account; lent for its life, to be changed. */
MusterSipEntity *muster_sip_refresher_get_presence (MusterSipRefresher *self);

/* Names this device among the account's others, for everybody to see, and stays the same: hexadecimal. */
char *muster_sip_refresher_dup_device (MusterSipRefresher *self);

/* Whether the server may still have a binding of ours. */
gboolean muster_sip_refresher_is_bound (MusterSipRefresher *self);

/* The binding that the server confirmed last, lent until the next operation. %FALSE: there is none. */
gboolean muster_sip_refresher_get_binding (MusterSipRefresher *self, MusterSipOwnBinding *binding);

/* A REGISTER that names no contact, and no time: it asks for what there is (RFC 3261 section 10.2.3). It is
 * the next one of our Call-ID, so none may be under way. Returns (transfer full). */
MusterSipRequest *
muster_sip_refresher_build_bare (MusterSipRefresher *self, const MusterSipConfig *config);

/* `urn:uuid:...`: by which, and by the token, the server's list shows what is ours. */
const char *muster_sip_refresher_get_instance (MusterSipRefresher *self);

/* Our bindings are gone, or the server says so, or they may be: the next register is a fresh one. */
void muster_sip_refresher_forget_bindings (MusterSipRefresher *self);
void muster_sip_refresher_doubt_bindings (MusterSipRefresher *self);

/* What the last 2xx to a register said, %NULL if nothing; valid until the next one. The first are the values
 * of the Route of a request that goes through the service (RFC 3608), in their order; the second are
 * the addresses that the server knows us by, the default one first (RFC 7315). */
const char *const *muster_sip_refresher_get_service_route (MusterSipRefresher *self);
const char *const *muster_sip_refresher_get_associated_uris (MusterSipRefresher *self);

/* @config, @transport and @route are lent until @func was called or the operation cancelled; @password
 * (nullable) is referenced as long, and what is kept of another goes. One operation at a time. */
void muster_sip_refresher_register (MusterSipRefresher *self,
                                    const MusterSipConfig *config,
                                    MusterSipTransport *transport,
                                    const char *route,
                                    MusterSecret *password,
                                    MusterSipRefresherFunc func,
                                    gpointer user_data);
void muster_sip_refresher_unregister (MusterSipRefresher *self,
                                      const MusterSipConfig *config,
                                      MusterSipTransport *transport,
                                      const char *route,
                                      MusterSecret *password,
                                      MusterSipRefresherFunc func,
                                      gpointer user_data);

/* Drops what is under way without calling back. */
void muster_sip_refresher_cancel (MusterSipRefresher *self);
