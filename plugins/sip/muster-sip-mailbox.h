/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-inbound.h"

/*
 * MusterSipMailbox:
 *
 * How many messages wait for an account, as its server says in a subscription (RFC 3842) or unasked. What is said
 * in a subscription counts for as long as that is there.
 */
typedef struct _MusterSipMailbox MusterSipMailbox;

typedef void (*MusterSipMailboxFunc) (guint n_new, guint n_old, gpointer user_data);

MusterSipMailbox *muster_sip_mailbox_new (MusterSipMailboxFunc func, gpointer user_data);
void muster_sip_mailbox_free (MusterSipMailbox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipMailbox, muster_sip_mailbox_free)

/* What a subscription has notified. %MUSTER_ERROR_PROTOCOL if it cannot be read. */
gboolean muster_sip_mailbox_take_notified (MusterSipMailbox *self,
                                           const char *bytes,
                                           gsize n_bytes,
                                           GError **error);

/* Whether @inbound is a NOTIFY that says something of messages in no dialog, which none of our requests has led to. */
gboolean muster_sip_mailbox_is_unsolicited (const MusterSipInbound *inbound);

/* One of these; @is_subscribed: a subscription is there. Returns the status to answer it with. Of those that come in
 * one second the first is told, and then the last. */
guint muster_sip_mailbox_take_unsolicited (MusterSipMailbox *self,
                                           const MusterSipInbound *inbound,
                                           gboolean is_subscribed);

/* The registration stands. An exchange may tell as soon as it has the contact, before we have its 200. */
void muster_sip_mailbox_open (MusterSipMailbox *self);

/* The account leaves: what was to be told is not. */
void muster_sip_mailbox_close (MusterSipMailbox *self);
