/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-registration.h>

G_BEGIN_DECLS

#define MUSTER_TYPE_CREATOR (muster_creator_get_type ())
MUSTER_API GType muster_creator_get_type (void);
G_DECLARE_INTERFACE (MusterCreator, muster_creator, MUSTER, CREATOR, MusterRegistration)

/**
 * MusterCreatorInterface:
 * @get_form_async: asks the service what it wants to know of a new user
 * @get_form_finish: returns (transfer full): an `aa{sv}`, a field each, at most 64: `name` s, `label`
 *   s, `help` s, `type` s (`string`, `uint`, `boolean`, `secret`, `image`), `required` b, `choices`
 *   as, `value` s, `data` ay (of an image). %NULL with %MUSTER_ERROR set
 * @create_async: signs up: @answers is an `a{sv}` of the fields that are no secrets, @secrets the
 *   others, name to #MusterSecret
 * @create_finish: %TRUE: the account is there, and open may be tried. %MUSTER_ERROR_NEEDS_USER asks
 *   for the form again: more is to be said. %MUSTER_ERROR_CONFLICT: the address is taken
 * @change_secret_async: gives the service a new secret @param, which the account does not have yet;
 *   the old one is what muster_registration_load_secret_async() loads
 * @change_secret_finish: %TRUE: the service has it, and the broker stores it. When %FALSE, the old one
 *   holds
 * @remove_async: deletes the account on the service
 * @remove_finish: %TRUE: it is gone there; the broker then removes it here
 *
 * A registration that can make its account, change its secret and delete it: XEP-0077 and its forms
 * (XEP-0004), XEP-0389, Tinode's `{acc}`, REST profiles.
 *
 * These calls come before the first open, too: they reach the service on their own. All of them share
 * one lane.
 */
struct _MusterCreatorInterface {
  GTypeInterface parent;

  void (*get_form_async) (MusterCreator *self,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data);
  GVariant *(*get_form_finish) (MusterCreator *self, GAsyncResult *result, GError **error);

  void (*create_async) (MusterCreator *self,
                        GVariant *answers,
                        GHashTable *secrets,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  gboolean (*create_finish) (MusterCreator *self, GAsyncResult *result, GError **error);

  void (*change_secret_async) (MusterCreator *self,
                               const char *param,
                               MusterSecret *secret,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
  gboolean (*change_secret_finish) (MusterCreator *self, GAsyncResult *result, GError **error);

  void (*remove_async) (MusterCreator *self,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  gboolean (*remove_finish) (MusterCreator *self, GAsyncResult *result, GError **error);

  /*< private >*/
  gpointer padding[8];
};

MUSTER_API void muster_creator_get_form_async (MusterCreator *self,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
MUSTER_API GVariant *
muster_creator_get_form_finish (MusterCreator *self, GAsyncResult *result, GError **error);
MUSTER_API void muster_creator_create_async (MusterCreator *self,
                                             GVariant *answers,
                                             GHashTable *secrets,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);
MUSTER_API gboolean muster_creator_create_finish (MusterCreator *self,
                                                  GAsyncResult *result,
                                                  GError **error);
MUSTER_API void muster_creator_change_secret_async (MusterCreator *self,
                                                    const char *param,
                                                    MusterSecret *secret,
                                                    GCancellable *cancellable,
                                                    GAsyncReadyCallback callback,
                                                    gpointer user_data);
MUSTER_API gboolean muster_creator_change_secret_finish (MusterCreator *self,
                                                         GAsyncResult *result,
                                                         GError **error);
MUSTER_API void muster_creator_remove_async (MusterCreator *self,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);
MUSTER_API gboolean muster_creator_remove_finish (MusterCreator *self,
                                                  GAsyncResult *result,
                                                  GError **error);

G_END_DECLS
