/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Not installed: the broker's side of MusterRegistration. */

#pragma once

#include <muster/muster-incoming.h>
#include <muster/muster-plugin.h>
#include <muster/muster-watcher.h>

G_BEGIN_DECLS

/**
 * MusterRegistrationHost:
 *
 * What a registration asks of whoever runs it: the account in the daemon, a bench in tests. All
 * calls come on the main context. `load_secret` completes @task, which it takes, with a
 * #MusterSecret (NULL-free, transfer full, destroyed by muster_secret_unref()) or an error.
 */
typedef struct {
  GVariant *(*dup_param) (gpointer host, const char *name);
  void (*load_secret) (gpointer host, const char *name, GTask *task);
  GBytes *(*dup_resume) (gpointer host);
  void (*set_resume) (gpointer host, GBytes *blob);
  void (*lost) (gpointer host, const GError *error);
  void (*report_bindings) (gpointer host, const char *const *bindings);
  /* may be left out: then there are no side leases */
  void (*add_lease) (gpointer host, const char *name, const MusterLease *lease); /* or NULL */
  void (*remove_lease) (gpointer host, const char *name);
  guint (*get_params_version) (gpointer host); /* or NULL: they change all the time */
  gint64 (*get_lease_end_us) (gpointer host);  /* or NULL: there is none */
  /* may be left out: then nobody hears of it */
  void (*contact_changed) (gpointer host, const MusterContact *contact);
  void (*contact_gone) (gpointer host, const char *address);
  void (*offer_changed) (gpointer host, const MusterOffer *offer);
  void (*messages_waiting) (gpointer host, guint n_new, guint n_old);
  guint (*get_secret_version) (gpointer host, const char *name); /* or NULL: nobody can say */
} MusterRegistrationHost;

/* @protocol, @context and the strings are lent for the registration's life. */
MUSTER_API MusterRegistration *muster_registration_new (GType type,
                                                        const MusterProtocol *protocol,
                                                        MusterPluginContext *context,
                                                        const char *id,
                                                        const char *address,
                                                        const MusterRegistrationHost *host,
                                                        gpointer host_data);

/* After this the registration's calls to its host do nothing. */
MUSTER_API void muster_registration_detach_host (MusterRegistration *self);

/* Returns (transfer full) (nullable): which host it goes to; %NULL: none. */
MUSTER_API char *muster_registration_dup_remote_host (MusterRegistration *self);

/* 0: the broker's rule. */
MUSTER_API guint muster_registration_get_retry_floor_s (MusterRegistration *self);

MUSTER_API gboolean muster_registration_is_busy (MusterRegistration *self);

MUSTER_API void muster_registration_open_async (MusterRegistration *self,
                                                GCancellable *cancellable,
                                                GAsyncReadyCallback callback,
                                                gpointer user_data);
MUSTER_API MusterLease *
muster_registration_open_finish (MusterRegistration *self, GAsyncResult *result, GError **error);
MUSTER_API void muster_registration_close_async (MusterRegistration *self,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback,
                                                 gpointer user_data);
MUSTER_API gboolean muster_registration_close_finish (MusterRegistration *self,
                                                      GAsyncResult *result,
                                                      GError **error);

/* Side leases, each in a lane of its own. An answer of %NULL has %MUSTER_ERROR or
 * %G_IO_ERROR_CANCELLED, as that of open. */
MUSTER_API void muster_registration_renew_lease_async (MusterRegistration *self,
                                                       const char *name,
                                                       GCancellable *cancellable,
                                                       GAsyncReadyCallback callback,
                                                       gpointer user_data);
MUSTER_API MusterLease *muster_registration_renew_lease_finish (MusterRegistration *self,
                                                                GAsyncResult *result,
                                                                GError **error);
/* It is gone: tells the plugin why. */
MUSTER_API void
muster_registration_lapse_lease (MusterRegistration *self, const char *name, const GError *error);
/* They all go with the registration; the plugin knows. */
MUSTER_API void muster_registration_forget_leases (MusterRegistration *self);

MUSTER_API gboolean muster_plugin_context_start (MusterPluginContext *self, GError **error);
MUSTER_API void muster_plugin_context_stop (MusterPluginContext *self);

G_END_DECLS
