/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-address-set.h"

G_BEGIN_DECLS

/**
 * MusterNetlink:
 *
 * The kernel's word on links and addresses (rtnetlink): what they are, and that something changed.
 */
typedef struct _MusterNetlink MusterNetlink;

typedef void (*MusterNetlinkFunc) (gpointer user_data);

MusterNetlink *muster_netlink_new (MusterNetlinkFunc changed, gpointer user_data, GError **error);
void muster_netlink_free (MusterNetlink *self);

/* Asks the kernel, which answers inside its system calls: nothing is waited for. */
MusterAddressSet *muster_netlink_look (GError **error);

G_END_DECLS
