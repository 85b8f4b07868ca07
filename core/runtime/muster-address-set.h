/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MusterAddressSet:
 *
 * The addresses of this machine that others could answer to. Two sets that are equal mean that
 * nothing happened that a service would notice.
 */
typedef struct _MusterAddressSet MusterAddressSet;

MusterAddressSet *muster_address_set_new (void);
void muster_address_set_free (MusterAddressSet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterAddressSet, muster_address_set_free)

/* Takes one datagram of the kernel's answer to RTM_GETLINK, later to RTM_GETADDR. Returns %FALSE
 * with an error if it makes no sense; @done: this was the last one. */
gboolean muster_address_set_read (MusterAddressSet *self,
                                  gconstpointer data,
                                  gsize length,
                                  gboolean *done,
                                  GError **error);

guint muster_address_set_get_size (const MusterAddressSet *self);
gboolean muster_address_set_equal (const MusterAddressSet *a, const MusterAddressSet *b);

/* Whether a host, a name or an IP address without brackets, can only be this machine. */
gboolean muster_address_is_loopback_host (const char *host);

G_END_DECLS
