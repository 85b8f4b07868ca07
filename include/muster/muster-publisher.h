/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-presence.h>
#include <muster/muster-registration.h>

G_BEGIN_DECLS

#define MUSTER_TYPE_PUBLISHER (muster_publisher_get_type ())
MUSTER_API GType muster_publisher_get_type (void);
G_DECLARE_INTERFACE (MusterPublisher, muster_publisher, MUSTER, PUBLISHER, MusterRegistration)

/**
 * MUSTER_PUBLISHER_LEASE:
 *
 * The name of the side lease that what was published hangs on.
 */
#define MUSTER_PUBLISHER_LEASE "publication"

/**
 * MusterPublisherInterface:
 * @get_supported: which presences the service can say: bit n is the #MusterPresence n. It may depend
 *   on what the service offered when the registration was opened
 * @publish_async: tells the service a presence; @text is %NULL or at most 1 kB of UTF-8
 * @publish_finish: %TRUE: the service has it; %FALSE with %MUSTER_ERROR set
 *
 * A registration that can tell others how its owner is: SIP PUBLISH (RFC 3903) with PIDF (RFC 3863,
 * RPID: RFC 4480), XMPP presence (RFC 6121, section 4).
 *
 * The broker only asks for a presence that is supported: it degrades others on a table of its own
 * and says so. A publication that runs out by itself is a side lease: add it with
 * muster_registration_add_lease() as %MUSTER_PUBLISHER_LEASE when @publish_async has succeeded. It ends
 * with the registration, and is published again by the broker after the next open, or when the lease
 * ends by itself.
 */
struct _MusterPublisherInterface {
  GTypeInterface parent;

  guint (*get_supported) (MusterPublisher *self);
  void (*publish_async) (MusterPublisher *self,
                         MusterPresence presence,
                         const char *text,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data);
  gboolean (*publish_finish) (MusterPublisher *self, GAsyncResult *result, GError **error);

  /*< private >*/
  gpointer padding[8];
};

MUSTER_API guint muster_publisher_get_supported (MusterPublisher *self);
MUSTER_API void muster_publisher_publish_async (MusterPublisher *self,
                                                MusterPresence presence,
                                                const char *text,
                                                GCancellable *cancellable,
                                                GAsyncReadyCallback callback,
                                                gpointer user_data);
MUSTER_API gboolean muster_publisher_publish_finish (MusterPublisher *self,
                                                     GAsyncResult *result,
                                                     GError **error);

G_END_DECLS
