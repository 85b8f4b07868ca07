/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-method.h"
#include "muster-registration-private.h"
#include "muster-text.h"

#include <muster/muster-watcher.h>

#include <string.h>

#define LANE              "watcher"
#define ADDRESS_MAX_BYTES 512
#define NAME_MAX_BYTES    255
#define TEXT_MAX_BYTES    1024

G_DEFINE_INTERFACE (MusterWatcher, muster_watcher, MUSTER_TYPE_REGISTRATION)

G_DEFINE_BOXED_TYPE (MusterContact, muster_contact, muster_contact_copy, muster_contact_free)

static void
muster_watcher_default_init (MusterWatcherInterface *iface)
{
}

/**
 * muster_contact_new:
 * @address: its address
 *
 * Returns: (transfer full): a contact that is not watched; set the other fields by hand
 */
MusterContact *
muster_contact_new (const char *address)
{
  MusterContact *self;

  g_return_val_if_fail (address != NULL, NULL);

  self = g_new0 (MusterContact, 1);
  self->address = g_strdup (address);

  return self;
}

/**
 * muster_contact_copy:
 * @self: a contact
 *
 * Returns: (transfer full): a copy
 */
MusterContact *
muster_contact_copy (const MusterContact *self)
{
  MusterContact *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  copy->address = g_strdup (self->address);
  copy->name = g_strdup (self->name);
  copy->text = g_strdup (self->text);

  return copy;
}

/**
 * muster_contact_free:
 * @self: (transfer full) (nullable): a contact
 */
void
muster_contact_free (MusterContact *self)
{
  if (self == NULL)
    return;

  g_free (self->address);
  g_free (self->name);
  g_free (self->text);
  g_free (self);
}

/* what plugins say */

/* Another address would be somebody else's: one that cannot be shown is left out. */
static gboolean
is_address (const char *address)
{
  gsize n_bytes = address != NULL ? strlen (address) : 0;

  if (n_bytes == 0 || n_bytes > ADDRESS_MAX_BYTES || !g_utf8_validate (address, -1, NULL))
    return FALSE;
  for (const char *p = address; *p != '\0'; p = g_utf8_next_char (p)) {
    if (!g_unichar_isprint (g_utf8_get_char (p)))
      return FALSE;
  }

  return TRUE;
}

/* Empty is none. */
static void
tame (char **text, gsize max_bytes)
{
  g_autofree char *said = g_steal_pointer (text);

  if (said != NULL && *said != '\0')
    *text = muster_text_tame (said, max_bytes);
}

static void
tame_contact (MusterContact *contact)
{
  tame (&contact->name, NAME_MAX_BYTES);
  tame (&contact->text, TEXT_MAX_BYTES);
  if ((guint) contact->state > MUSTER_CONTACT_DENIED)
    contact->state = MUSTER_CONTACT_NONE;
  if ((guint) contact->presence >= MUSTER_PRESENCE_LAST)
    contact->presence = MUSTER_PRESENCE_OFFLINE;
}

static gpointer
tame_contacts (gpointer answer)
{
  GPtrArray *contacts = answer;

  for (guint i = contacts->len; i > 0; i--) {
    MusterContact *contact = contacts->pdata[i - 1];

    if (contact != NULL && is_address (contact->address))
      tame_contact (contact);
    else
      g_ptr_array_remove_index_fast (contacts, i - 1);
  }

  return contacts;
}

static const MusterMethod load_method = {
  .lane = LANE,
  .get_interface = muster_watcher_get_type,
  .start = G_STRUCT_OFFSET (MusterWatcherInterface, load_async),
  .finish = G_STRUCT_OFFSET (MusterWatcherInterface, load_finish),
  .free_answer = (GDestroyNotify) g_ptr_array_unref,
  .tame = tame_contacts,
};

/**
 * muster_watcher_follows:
 * @self: a watcher
 *
 * Returns: whether it follows contacts at all, as its parameters say now; %FALSE: there are none to load
 */
gboolean
muster_watcher_follows (MusterWatcher *self)
{
  MusterWatcherInterface *iface;
  gboolean follows = TRUE;

  g_return_val_if_fail (MUSTER_IS_WATCHER (self), FALSE);

  iface = MUSTER_WATCHER_GET_IFACE (self);
  if (iface->follows != NULL) {
    guint64 outer = muster_execution_mark ((gconstpointer) iface->follows);

    follows = iface->follows (self);
    muster_execution_unmark (outer);
  }

  return follows;
}

/**
 * muster_watcher_load_async:
 * @self: a registration
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Asks the service for all contacts.
 */
void
muster_watcher_load_async (MusterWatcher *self,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (MUSTER_IS_WATCHER (self));

  muster_method_run (&load_method, self, NULL, NULL, cancellable, callback, user_data);
}

/**
 * muster_watcher_load_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: (transfer full) (element-type MusterContact): all contacts
 */
GPtrArray *
muster_watcher_load_finish (MusterWatcher *self, GAsyncResult *result, GError **error)
{
  return muster_method_end_pointer (&load_method, self, result, error);
}

/* What is asked of one contact. */
typedef struct {
  char *address;
  char *name;     /* to add; or NULL */
  gboolean allow; /* to authorise */
} ContactCall;

static ContactCall *
contact_call_new (const char *address)
{
  ContactCall *call = g_new0 (ContactCall, 1);

  call->address = g_strdup (address);

  return call;
}

static void
contact_call_free (gpointer data)
{
  ContactCall *call = data;

  g_free (call->address);
  g_free (call->name);
  g_free (call);
}

static void
start_add (MusterRegistration *self,
           GTask *task,
           GCancellable *cancellable,
           GAsyncReadyCallback callback,
           gpointer user_data)
{
  const ContactCall *call = g_task_get_task_data (task);

  MUSTER_WATCHER_GET_IFACE (self)->add_async (MUSTER_WATCHER (self), call->address, call->name,
                                              cancellable, callback, user_data);
}

static const MusterMethod add_method = {
  .lane = LANE,
  .get_interface = muster_watcher_get_type,
  .start_with = start_add,
  .finish = G_STRUCT_OFFSET (MusterWatcherInterface, add_finish),
};

/**
 * muster_watcher_add_async:
 * @self: a registration
 * @address: whose, as the protocol writes it
 * @name: (nullable): what the user calls it
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Asks to see the presence of an address.
 */
void
muster_watcher_add_async (MusterWatcher *self,
                          const char *address,
                          const char *name,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  ContactCall *call;

  g_return_if_fail (MUSTER_IS_WATCHER (self));
  g_return_if_fail (address != NULL);

  call = contact_call_new (address);
  call->name = g_strdup (name);
  muster_method_run (&add_method, self, call, contact_call_free, cancellable, callback, user_data);
}

/**
 * muster_watcher_add_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: it was asked
 */
gboolean
muster_watcher_add_finish (MusterWatcher *self, GAsyncResult *result, GError **error)
{
  return muster_method_end (&add_method, self, result, error);
}

static void
start_remove (MusterRegistration *self,
              GTask *task,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  const ContactCall *call = g_task_get_task_data (task);

  MUSTER_WATCHER_GET_IFACE (self)->remove_async (MUSTER_WATCHER (self), call->address, cancellable,
                                                 callback, user_data);
}

static const MusterMethod remove_method = {
  .lane = LANE,
  .get_interface = muster_watcher_get_type,
  .start_with = start_remove,
  .finish = G_STRUCT_OFFSET (MusterWatcherInterface, remove_finish),
};

/**
 * muster_watcher_remove_async:
 * @self: a registration
 * @address: whose, as the protocol writes it
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * No longer watches an address.
 */
void
muster_watcher_remove_async (MusterWatcher *self,
                             const char *address,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (MUSTER_IS_WATCHER (self));
  g_return_if_fail (address != NULL);

  muster_method_run (&remove_method, self, contact_call_new (address), contact_call_free,
                     cancellable, callback, user_data);
}

/**
 * muster_watcher_remove_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: it is gone
 */
gboolean
muster_watcher_remove_finish (MusterWatcher *self, GAsyncResult *result, GError **error)
{
  return muster_method_end (&remove_method, self, result, error);
}

static void
start_authorise (MusterRegistration *self,
                 GTask *task,
                 GCancellable *cancellable,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  const ContactCall *call = g_task_get_task_data (task);

  MUSTER_WATCHER_GET_IFACE (self)->authorise_async (MUSTER_WATCHER (self), call->address,
                                                    call->allow, cancellable, callback, user_data);
}

static const MusterMethod authorise_method = {
  .lane = LANE,
  .get_interface = muster_watcher_get_type,
  .start_with = start_authorise,
  .finish = G_STRUCT_OFFSET (MusterWatcherInterface, authorise_finish),
};

/**
 * muster_watcher_authorise_async:
 * @self: a registration
 * @address: whose, as the protocol writes it
 * @allow: whether it may see our presence
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called with the answer
 * @user_data: for @callback
 *
 * Answers whether an address may see our presence.
 */
void
muster_watcher_authorise_async (MusterWatcher *self,
                                const char *address,
                                gboolean allow,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  ContactCall *call;

  g_return_if_fail (MUSTER_IS_WATCHER (self));
  g_return_if_fail (address != NULL);

  call = contact_call_new (address);
  call->allow = allow;
  muster_method_run (&authorise_method, self, call, contact_call_free, cancellable, callback,
                     user_data);
}

/**
 * muster_watcher_authorise_finish:
 * @self: a registration
 * @result: what the callback got
 * @error: return location: %MUSTER_ERROR, or %G_IO_ERROR_CANCELLED when it was cancelled, or when
 *   the registration was closed meanwhile
 *
 * Returns: %TRUE: the service has it
 */
gboolean
muster_watcher_authorise_finish (MusterWatcher *self, GAsyncResult *result, GError **error)
{
  return muster_method_end (&authorise_method, self, result, error);
}

/**
 * muster_watcher_report:
 * @self: a registration
 * @contact: the contact as it is now; copied where it is kept
 *
 * For plugins: tells the broker that a contact is new, or changed. One that is not watched, does not
 * ask, and has no name is gone. One whose address is not printable, or longer than 512 bytes, is left
 * out.
 */
void
muster_watcher_report (MusterWatcher *self, const MusterContact *contact)
{
  g_autoptr (MusterContact) tamed = NULL;
  const MusterRegistrationHost *host;
  gpointer host_data;

  g_return_if_fail (MUSTER_IS_WATCHER (self));
  g_return_if_fail (contact != NULL && contact->address != NULL);

  host = muster_registration_get_host (MUSTER_REGISTRATION (self), &host_data);
  if (host == NULL || host->contact_changed == NULL || !is_address (contact->address))
    return;

  tamed = muster_contact_copy (contact);
  tame_contact (tamed);
  host->contact_changed (host_data, tamed);
}

/**
 * muster_watcher_report_gone:
 * @self: a registration
 * @address: whose, as the protocol writes it
 *
 * For plugins: tells the broker that an address is no contact any more, such as one that another of
 * the user's devices removed.
 */
void
muster_watcher_report_gone (MusterWatcher *self, const char *address)
{
  const MusterRegistrationHost *host;
  gpointer host_data;

  g_return_if_fail (MUSTER_IS_WATCHER (self));
  g_return_if_fail (address != NULL);

  host = muster_registration_get_host (MUSTER_REGISTRATION (self), &host_data);
  if (host != NULL && host->contact_gone != NULL && is_address (address))
    host->contact_gone (host_data, address);
}
