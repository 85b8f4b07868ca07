/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-error.h>
#include <muster/muster-lease.h>
#include <muster/muster-param.h>
#include <muster/muster-secret.h>

G_BEGIN_DECLS

#define MUSTER_TYPE_REGISTRATION (muster_registration_get_type ())
MUSTER_API GType muster_registration_get_type (void);
G_DECLARE_DERIVABLE_TYPE (MusterRegistration, muster_registration, MUSTER, REGISTRATION, GObject)

/**
 * MusterRegistrationClass:
 * @open_async: asks the service to reach us here, or extends the lease it granted
 * @open_finish: returns (transfer full): the granted lease, or %NULL with an error set. The default
 *   takes what was returned to a #GTask of the registration
 * @close_async: tells the service that we are leaving
 * @close_finish: returns %TRUE, or %FALSE with an error set. The default takes what was returned to
 *   a #GTask of the registration
 * @dup_remote_host: optional; returns (transfer full) (nullable): the host that requests go to first,
 *   a name or an IP address, without port or brackets; %NULL if there is none. Accounts of one host
 *   share its rate of attempts, and without a network only those go on-line that have none or one on
 *   loopback. By default the part of the address behind the last `@`. May be called at any time, also
 *   while the parameters do not make sense together; it must not block and looks nothing up
 * @get_retry_floor_s: optional; returns how many seconds must pass at least between a failure and the
 *   next attempt, where that depends on the account; 0: the broker's rule. By default
 *   #MusterProtocol.retry_floor_s. Called when @dup_remote_host is, and like it
 *
 * One account's standing with one service: the whole surface that a protocol plugin must implement.
 *
 * The base class promises: at most one open or close at a time; every call on the main context; the
 * last reference dropped only when nothing is in flight; each capability and each side lease in a lane
 * of its own, where one call waits for the one before it; all lanes cancelled, and ended, before a
 * close. The plugin promises: never to block, never
 * to run a main loop, to complete every call exactly once and never before the call returned, and to
 * complete promptly with %G_IO_ERROR_CANCELLED once the cancellable fires. When to refresh and when
 * to retry is the broker's business: a plugin times only its transactions and keep-alives.
 *
 * For a protocol that holds a connection, opening again is a proof that it lives.
 */
struct _MusterRegistrationClass {
  GObjectClass parent_class;

  void (*open_async) (MusterRegistration *self,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data);
  MusterLease *(*open_finish) (MusterRegistration *self, GAsyncResult *result, GError **error);

  void (*close_async) (MusterRegistration *self,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data);
  gboolean (*close_finish) (MusterRegistration *self, GAsyncResult *result, GError **error);

  char *(*dup_remote_host) (MusterRegistration *self);
  guint (*get_retry_floor_s) (MusterRegistration *self);

  /*< private >*/
  gpointer padding[14];
};

/* What the account is. Strings are lent until the registration goes; parameters are copies, with
 * the protocol's default where the account sets none. */
MUSTER_API const char *muster_registration_get_id (MusterRegistration *self);
MUSTER_API const char *muster_registration_get_address (MusterRegistration *self);
MUSTER_API char *muster_registration_dup_string (MusterRegistration *self, const char *param);
MUSTER_API guint muster_registration_get_uint (MusterRegistration *self, const char *param);
MUSTER_API gboolean muster_registration_get_boolean (MusterRegistration *self, const char *param);
MUSTER_API gboolean muster_registration_has_param (MusterRegistration *self, const char *param);
MUSTER_API guint muster_registration_get_params_version (MusterRegistration *self);
MUSTER_API MusterPluginContext *muster_registration_get_context (MusterRegistration *self);

/* Secrets and what must survive a restart. */
MUSTER_API void muster_registration_load_secret_async (MusterRegistration *self,
                                                       const char *param,
                                                       GCancellable *cancellable,
                                                       GAsyncReadyCallback callback,
                                                       gpointer user_data);
MUSTER_API MusterSecret *muster_registration_load_secret_finish (MusterRegistration *self,
                                                                 GAsyncResult *result,
                                                                 GError **error);
MUSTER_API guint muster_registration_get_secret_version (MusterRegistration *self,
                                                         const char *param);
MUSTER_API GBytes *muster_registration_get_resume (MusterRegistration *self);
MUSTER_API gint64 muster_registration_get_lease_end_us (MusterRegistration *self);
MUSTER_API void muster_registration_set_resume (MusterRegistration *self, GBytes *blob);

/**
 * MusterLeaseRenewFunc:
 * @self: the registration
 * @name: which of its side leases
 * @cancellable: fires when the answer is no longer wanted
 * @callback: (scope async): to be called with the answer, as for #MusterRegistrationClass.open_async
 * @user_data: for @callback
 *
 * Asks the service to extend a side lease, or to grant it where nothing is granted yet.
 */
typedef void (*MusterLeaseRenewFunc) (MusterRegistration *self,
                                      const char *name,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);

/**
 * MusterLeaseRenewFinishFunc:
 * @self: the registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full): what the service now grants; %NULL with an error set
 */
typedef MusterLease *(*MusterLeaseRenewFinishFunc) (MusterRegistration *self,
                                                    GAsyncResult *result,
                                                    GError **error);

/**
 * MusterLeaseLapsedFunc:
 * @self: the registration
 * @name: which of its side leases
 * @error: why
 *
 * Tells a plugin that a side lease ended without being removed. It is no longer there; it may be
 * added again.
 */
typedef void (*MusterLeaseLapsedFunc) (MusterRegistration *self,
                                       const char *name,
                                       const GError *error);

/* What hangs on the registration and runs out by itself: publications, subscriptions, tokens. */
MUSTER_API void muster_registration_add_lease (MusterRegistration *self,
                                               const char *name,
                                               const MusterLease *lease,
                                               MusterLeaseRenewFunc renew_async,
                                               MusterLeaseRenewFinishFunc renew_finish,
                                               MusterLeaseLapsedFunc lapsed);
MUSTER_API void muster_registration_remove_lease (MusterRegistration *self, const char *name);

/* What happened without being asked. */
MUSTER_API void muster_registration_lost (MusterRegistration *self, const GError *error);
MUSTER_API void
muster_registration_report_bindings (MusterRegistration *self, const char *const *bindings);

G_END_DECLS
