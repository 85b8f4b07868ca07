/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-registration.h>

G_BEGIN_DECLS

/**
 * MusterBinding:
 * @uri: what the service calls it, and by what it is removed
 * @expires_s: in how many seconds the service forgets it; 0: not known, or not while it lasts
 * @device: (nullable): what is known of who made it, made printable: a user agent, or the id of an
 *   instance
 * @ours: this registration made it
 *
 * Where a service reaches one of the devices of an account: a contact of SIP, a resource of XMPP, a
 * session of Tinode, a token of a cloud service.
 */
typedef struct {
  char *uri;
  guint expires_s;
  char *device;
  gboolean ours;
  /*< private >*/
  gpointer padding[4];
} MusterBinding;

#define MUSTER_TYPE_BINDING (muster_binding_get_type ())
MUSTER_API GType muster_binding_get_type (void);
MUSTER_API MusterBinding *muster_binding_new (const char *uri);
MUSTER_API MusterBinding *muster_binding_copy (const MusterBinding *self);
MUSTER_API void muster_binding_free (MusterBinding *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterBinding, muster_binding_free)

/**
 * MUSTER_BINDINGS_MAX:
 *
 * How many bindings of one account are listed at most.
 */
#define MUSTER_BINDINGS_MAX 256

#define MUSTER_TYPE_BINDER (muster_binder_get_type ())
MUSTER_API GType muster_binder_get_type (void);
G_DECLARE_INTERFACE (MusterBinder, muster_binder, MUSTER, BINDER, MusterRegistration)

/**
 * MusterBinderInterface:
 * @list_async: asks the service for all bindings of the account
 * @list_finish: returns (transfer full) (element-type MusterBinding): them, the own one included;
 *   %NULL with %MUSTER_ERROR set
 * @remove_async: removes the binding of a @uri that was listed, or (@uri is %NULL) all of them, the own
 *   one included
 * @remove_finish: %TRUE: the service has removed what was asked for; %FALSE with %MUSTER_ERROR set
 *
 * A registration whose service lists where it reaches the account, and forgets a device that is gone:
 * SIP REGISTER without a Contact, and with one that expires (RFC 3261, sections 10.2.2 and 10.2.3), the
 * resources of an XMPP account, the sessions of a Tinode user.
 *
 * Both calls share one lane. After its own binding was removed the broker opens the registration again
 * by itself; the plugin does not report it lost, and answers that open with a lease that is not
 * refreshed.
 */
struct _MusterBinderInterface {
  GTypeInterface parent;

  void (*list_async) (MusterBinder *self,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data);
  GPtrArray *(*list_finish) (MusterBinder *self, GAsyncResult *result, GError **error);

  void (*remove_async) (MusterBinder *self,
                        const char *uri,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  gboolean (*remove_finish) (MusterBinder *self, GAsyncResult *result, GError **error);

  /*< private >*/
  gpointer padding[8];
};

MUSTER_API void muster_binder_list_async (MusterBinder *self,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);
MUSTER_API GPtrArray *
muster_binder_list_finish (MusterBinder *self, GAsyncResult *result, GError **error);
MUSTER_API void muster_binder_remove_async (MusterBinder *self,
                                            const char *uri,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data);
MUSTER_API gboolean muster_binder_remove_finish (MusterBinder *self,
                                                 GAsyncResult *result,
                                                 GError **error);

G_END_DECLS
