/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "muster-broker.h"
#include "muster-presence-layers.h"

G_BEGIN_DECLS

/* What an identity shows; lent until the next change. */
typedef struct {
  MusterPresence presence;
  const char *text; /* "" for none */
  gint64 until_us;  /* when that ends by itself, UTC; 0: it does not */
} MusterPresenceView;

/* What an account's service is told, and what it was; lent until the next change. */
typedef struct {
  gboolean is_overridden; /* else it says what its identity does */
  MusterPresence override;
  const char *override_text; /* "" for none */
  gboolean is_published;     /* in this registration */
  MusterPresence published;
  const char *published_text;
  guint supported;     /* as MusterPublisher.get_supported() said at last; 0: not known */
  const GError *error; /* why it was not told; NULL: nothing is wrong */
  gint64 retry_at_us;  /* UTC; 0: not by itself */
} MusterPublicationView;

void
muster_broker_get_presence (MusterBroker *self, const char *identity, MusterPresenceView *view);
/* Returns (transfer none) (nullable): %NULL if there was never one */
MusterPresenceLayers *muster_broker_get_layers (MusterBroker *self, const char *identity);

/* @layer: its number is given by the broker. One that is kept is durable when the callback comes. */
void muster_broker_set_layer_async (MusterBroker *self,
                                    MusterIdentity *identity,
                                    const MusterPresenceLayer *layer,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
/* @number: for muster_broker_drop_layer(), when who set it goes */
gboolean muster_broker_set_layer_finish (MusterBroker *self,
                                         GAsyncResult *result,
                                         guint64 *number,
                                         GError **error);
/* Finish with muster_broker_change_finish(). */
void muster_broker_remove_layer_async (MusterBroker *self,
                                       MusterIdentity *identity,
                                       const char *name,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
/* One that is not kept and was set so; does nothing if it is there no more. */
void muster_broker_drop_layer (MusterBroker *self,
                               const char *identity,
                               const char *name,
                               guint64 number);

void muster_broker_get_publication (MusterBroker *self,
                                    MusterAccount *account,
                                    MusterPublicationView *view);
/* Returns (transfer full): why its service does not show what is wanted, a sentence; "" if it does */
char *muster_broker_dup_publication_note (MusterBroker *self, MusterAccount *account);
/* @override: a presence, or "inherit". Finish with muster_broker_change_finish(). */
void muster_broker_set_override_async (MusterBroker *self,
                                       MusterAccount *account,
                                       const char *override,
                                       const char *text,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);

G_END_DECLS
