/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster-presence.h>
#include <muster/muster-registration.h>

G_BEGIN_DECLS

/**
 * MusterContactState:
 * @MUSTER_CONTACT_NONE: its presence is not watched
 * @MUSTER_CONTACT_PENDING: it was asked, and has not answered
 * @MUSTER_CONTACT_WATCHED: it lets us see its presence
 * @MUSTER_CONTACT_DENIED: it does not
 *
 * Whether a contact lets us see its presence.
 */
typedef enum {
  MUSTER_CONTACT_NONE,
  MUSTER_CONTACT_PENDING,
  MUSTER_CONTACT_WATCHED,
  MUSTER_CONTACT_DENIED,
} MusterContactState;

/**
 * MusterContact:
 * @address: its address on the service
 * @name: (nullable): what the user, or the service, calls it
 * @state: whether it lets us see its presence
 * @presence: the best presence among its devices; %MUSTER_PRESENCE_OFFLINE if it is not known
 * @text: (nullable): what it says with that, at most 1 kB, made printable
 * @changed_at_us: when its presence changed, in microseconds UTC; 0: not known
 * @asks: it asks to see ours: muster_watcher_authorise_async() answers
 *
 * Somebody whose presence is watched, or who asks to watch ours.
 */
typedef struct {
  char *address;
  char *name;
  MusterContactState state;
  MusterPresence presence;
  char *text;
  gint64 changed_at_us;
  gboolean asks;
  /*< private >*/
  gpointer padding[4];
} MusterContact;

#define MUSTER_TYPE_CONTACT (muster_contact_get_type ())
MUSTER_API GType muster_contact_get_type (void);
MUSTER_API MusterContact *muster_contact_new (const char *address);
MUSTER_API MusterContact *muster_contact_copy (const MusterContact *self);
MUSTER_API void muster_contact_free (MusterContact *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterContact, muster_contact_free)

#define MUSTER_TYPE_WATCHER (muster_watcher_get_type ())
MUSTER_API GType muster_watcher_get_type (void);
G_DECLARE_INTERFACE (MusterWatcher, muster_watcher, MUSTER, WATCHER, MusterRegistration)

/**
 * MusterWatcherInterface:
 * @load_async: asks for all contacts, at once after each fresh open
 * @load_finish: returns (transfer full) (element-type MusterContact): all of them, at most 10,000;
 *   %NULL with %MUSTER_ERROR set
 * @add_async: asks to see the presence of an address; @name is %NULL or what the user calls it
 * @add_finish: %TRUE: it was asked; its answer comes as a change of the contact
 * @remove_async: no longer watches an address
 * @remove_finish: %TRUE: it is gone
 * @authorise_async: lets an address see our presence, or not
 * @authorise_finish: %TRUE: the service has it
 * @follows: whether the account follows contacts at all, as its parameters say now: asked after each
 *   fresh open, and if not, nothing is loaded; left out: it does
 *
 * A registration that watches contacts: SIP SUBSCRIBE to presence (RFC 6665, RFC 3856) and its list of
 * watchers (RFC 3857), XMPP roster and subscriptions (RFC 6121, sections 2 and 3).
 *
 * What changes by itself is told with muster_watcher_report(). Subscriptions that run out by
 * themselves are side leases. All four calls share one lane: the next begins when the one before
 * has ended.
 */
struct _MusterWatcherInterface {
  GTypeInterface parent;

  void (*load_async) (MusterWatcher *self,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data);
  GPtrArray *(*load_finish) (MusterWatcher *self, GAsyncResult *result, GError **error);

  void (*add_async) (MusterWatcher *self,
                     const char *address,
                     const char *name,
                     GCancellable *cancellable,
                     GAsyncReadyCallback callback,
                     gpointer user_data);
  gboolean (*add_finish) (MusterWatcher *self, GAsyncResult *result, GError **error);

  void (*remove_async) (MusterWatcher *self,
                        const char *address,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  gboolean (*remove_finish) (MusterWatcher *self, GAsyncResult *result, GError **error);

  void (*authorise_async) (MusterWatcher *self,
                           const char *address,
                           gboolean allow,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
  gboolean (*authorise_finish) (MusterWatcher *self, GAsyncResult *result, GError **error);

  gboolean (*follows) (MusterWatcher *self);

  /*< private >*/
  gpointer padding[7];
};

MUSTER_API gboolean muster_watcher_follows (MusterWatcher *self);
MUSTER_API void muster_watcher_load_async (MusterWatcher *self,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);
MUSTER_API GPtrArray *
muster_watcher_load_finish (MusterWatcher *self, GAsyncResult *result, GError **error);
MUSTER_API void muster_watcher_add_async (MusterWatcher *self,
                                          const char *address,
                                          const char *name,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);
MUSTER_API gboolean muster_watcher_add_finish (MusterWatcher *self,
                                               GAsyncResult *result,
                                               GError **error);
MUSTER_API void muster_watcher_remove_async (MusterWatcher *self,
                                             const char *address,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);
MUSTER_API gboolean muster_watcher_remove_finish (MusterWatcher *self,
                                                  GAsyncResult *result,
                                                  GError **error);
MUSTER_API void muster_watcher_authorise_async (MusterWatcher *self,
                                                const char *address,
                                                gboolean allow,
                                                GCancellable *cancellable,
                                                GAsyncReadyCallback callback,
                                                gpointer user_data);
MUSTER_API gboolean muster_watcher_authorise_finish (MusterWatcher *self,
                                                     GAsyncResult *result,
                                                     GError **error);

MUSTER_API void muster_watcher_report (MusterWatcher *self, const MusterContact *contact);
MUSTER_API void muster_watcher_report_gone (MusterWatcher *self, const char *address);

G_END_DECLS
