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

/* The account is registered, or still is: a parameter may say something else than before. */
void muster_sip_watcher_opened (MusterSipRegistration *registration);

/* Somebody, by URI, waits for our word whether they may watch us, or does no more. @name is nullable. */
void muster_sip_watcher_set_asks (MusterSipRegistration *registration,
                                  const char *uri,
                                  const char *name,
                                  gboolean asks);
