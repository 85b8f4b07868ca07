/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-sip-registration.h"

/* The registration as a #MusterWatcher, by its watch list and its subscriptions to presence. */
typedef struct _MusterSipContacts MusterSipContacts;

void muster_sip_watcher_init (MusterWatcherInterface *iface);
void muster_sip_contacts_free (MusterSipContacts *self);

/* Somebody, by URI, waits for our word whether they may watch us, or does no more. @name is nullable. */
void muster_sip_watcher_set_asks (MusterSipRegistration *registration,
                                  const char *uri,
                                  const char *name,
                                  gboolean asks);
