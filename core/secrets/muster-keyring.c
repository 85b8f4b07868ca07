/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterKeyring"

#include "config.h"

#include "muster-keyring.h"

#include "muster-key-file.h"
#include "muster-vault.h"

#include <muster/muster-secret.h>

#include <libsecret/secret.h>

#include <string.h>

/*
 * Looks for the key, keeps one, and has the user asked to unlock. Each call goes
 *
 *    connect anew -> search (never prompts) -> read what is not locked, one after the other
 *
 * and a connection is never kept from one call to the next: libsecret's goes stale when the service
 * is restarted, and then every call fails until secret_service_disconnect(). "Nothing found" alone
 * says little: a locked keyring may answer so, too; so the collections are looked at before it is
 * believed.
 */

#define BUS_NAME  "org.freedesktop.secrets"
#define LABEL     "Muster: key of stored secrets"
#define ITEMS_MAX 16
#define QUICK_MS  2000

static const SecretSchema schema = {
  "org.muster.Muster1.Key",
  SECRET_SCHEMA_NONE,
  { { "use", SECRET_SCHEMA_ATTRIBUTE_STRING }, { NULL, 0 } },
};

struct _MusterKeyring {
  GDBusConnection *connection;
  MusterKeyringFunc func; /* NULL: what comes late is for nobody */
  gpointer user_data;
  guint name_id;
  guint signal_ids[3];
  char *owner; /* of the name; "" none; NULL not known yet */
  GCancellable *awaiting;
};

static void muster_keyring_release (MusterKeyring *self);

/* a call */

typedef enum {
  CALL_FIND,
  CALL_KEEP,
  CALL_UNLOCK,
} CallKind;

typedef struct {
  MusterKeyring *keyring; /* a reference */
  CallKind kind;
  gboolean again; /* the session was gone once already */
  SecretValue *value;
  SecretService *service;
  GList *items; /* SecretItem */
  GList *next;
  GPtrArray *keys; /* MusterSecret */
  gboolean has_locked_item;
  MusterKeyringFinding finding;
} Call;

static void call_connect (GTask *task);

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->value, secret_value_unref);
  g_clear_object (&call->service);
  g_list_free_full (call->items, g_object_unref);
  g_ptr_array_unref (call->keys);
  muster_keyring_release (call->keyring);
  g_free (call);
}

static GHashTable *
attributes_new (void)
{
  return secret_attributes_build (&schema, "use", "vault", NULL);
}

static gboolean
session_is_gone (const GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);

  return g_strcmp0 (name, "org.freedesktop.Secret.Error.NoSession") == 0 ||
         g_error_matches (error, SECRET_ERROR, SECRET_ERROR_NO_SUCH_OBJECT) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
         strstr (error->message, "session does not exist") != NULL;
}

/* Takes @task and @error. */
static void
call_fail (GTask *task, GError *error)
{
  Call *call = g_task_get_task_data (task);

  if (session_is_gone (error) && !call->again &&
      !g_cancellable_is_cancelled (g_task_get_cancellable (task))) {
    g_debug ("the keyring was restarted, once again: %s", error->message);
    g_error_free (error);
    call->again = TRUE;
    call_connect (task);
    return;
  }

  g_dbus_error_strip_remote_error (error);
  if (g_error_matches (error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED)) {
    error->domain = G_IO_ERROR;
    error->code = G_IO_ERROR_PERMISSION_DENIED;
  }
  g_task_return_error (task, error);
  g_object_unref (task);
}

static void
call_done (GTask *task)
{
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* finding */

static void
call_found (GTask *task, MusterKeyringFinding finding)
{
  Call *call = g_task_get_task_data (task);

  call->finding = finding;
  call_done (task);
}

static gboolean
has_locked_collection (SecretService *service)
{
  GList *collections = secret_service_get_collections (service);
  gboolean locked = FALSE;

  for (GList *each = collections; each != NULL; each = each->next)
    locked |= secret_collection_get_locked (each->data);
  g_list_free_full (collections, g_object_unref);

  return locked;
}

static void
on_default_looked_at (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autoptr (SecretCollection) collection = NULL;
  GError *error = NULL;

  collection = secret_collection_for_alias_finish (result, &error);
  if (error != NULL)
    call_fail (task, error);
  else if (collection != NULL && secret_collection_get_locked (collection))
    call_found (task, MUSTER_KEYRING_LOCKED);
  else if (has_locked_collection (call->service))
    call_found (task, collection != NULL ? MUSTER_KEYRING_PARTLY : MUSTER_KEYRING_LOCKED);
  else
    call_found (task, collection != NULL ? MUSTER_KEYRING_EMPTY : MUSTER_KEYRING_BARE);
}

static void
take_value (Call *call, SecretItem *item)
{
  SecretValue *value = secret_item_get_secret (item);
  guint8 key[MUSTER_VAULT_KEY_BYTES];
  gsize length;
  const char *text;

  if (value == NULL)
    return;

  text = secret_value_get (value, &length);
  if (muster_key_decode (text, length, key))
    g_ptr_array_add (call->keys, muster_secret_new (key, sizeof key));
  else
    g_warning ("an item of the keyring says it is our key, and does not hold one, ignoring");
  muster_wipe (key, sizeof key);
  secret_value_unref (value);
}

static void call_read_next (GTask *task);

static void
on_item_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  GError *error = NULL;

  if (secret_item_load_secret_finish (SECRET_ITEM (source), result, &error)) {
    take_value (call, SECRET_ITEM (source));
  } else if (g_error_matches (error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED)) {
    g_error_free (error);
    call->has_locked_item = TRUE;
  } else {
    call_fail (task, error);
    return;
  }

  call_read_next (task);
}

static void
call_read_next (GTask *task)
{
  Call *call = g_task_get_task_data (task);

  while (call->next != NULL) {
    SecretItem *item = call->next->data;

    call->next = call->next->next;
    if (!secret_item_get_locked (item)) {
      secret_item_load_secret (item, g_task_get_cancellable (task), on_item_read, task);
      return;
    }
    call->has_locked_item = TRUE;
  }

  if (call->keys->len > 0)
    call_found (task, MUSTER_KEYRING_HELD);
  else if (call->has_locked_item)
    call_found (task, MUSTER_KEYRING_LOCKED);
  else
    secret_collection_for_alias (call->service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE,
                                 g_task_get_cancellable (task), on_default_looked_at, task);
}

/* keeping */

static void
on_item_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SecretItem) item = NULL;
  GError *error = NULL;

  item = secret_item_create_finish (result, &error);
  if (item == NULL)
    call_fail (user_data, error);
  else
    call_done (user_data);
}

static void
on_default_for_keeping (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autoptr (SecretCollection) collection = NULL;
  g_autoptr (GHashTable) attributes = attributes_new ();
  GError *error = NULL;

  collection = secret_collection_for_alias_finish (result, &error);
  if (error == NULL && (collection == NULL || secret_collection_get_locked (collection)))
    error = g_error_new (SECRET_ERROR, SECRET_ERROR_IS_LOCKED, "the keyring is locked");
  if (error != NULL) {
    call_fail (task, error);
    return;
  }

  /* Never in place of an item that is there: a key that is lost takes every secret with it. */
  secret_item_create (collection, &schema, attributes, LABEL, call->value, SECRET_ITEM_CREATE_NONE,
                      g_task_get_cancellable (task), on_item_made, task);
}

/* unlocking: a person is asked */

static void
on_collection_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SecretCollection) collection = NULL;
  GError *error = NULL;

  collection = secret_collection_create_finish (result, &error);
  if (collection == NULL)
    call_fail (user_data, error);
  else
    call_done (user_data);
}

static void
on_unlocked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;
  int n_unlocked;

  n_unlocked = secret_service_unlock_finish (SECRET_SERVICE (source), result, NULL, &error);
  if (error == NULL && n_unlocked <= 0)
    error = g_error_new (SECRET_ERROR, SECRET_ERROR_IS_LOCKED,
                         "nobody unlocked the keyring: the question was dismissed, or nothing on"
                         " this session could ask it");
  if (error != NULL)
    call_fail (task, error);
  else
    call_done (task);
}

static void
on_default_for_unlocking (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autoptr (SecretCollection) collection = NULL;
  g_autolist (GObject) objects = NULL;
  GError *error = NULL;

  collection = secret_collection_for_alias_finish (result, &error);
  if (error != NULL) {
    call_fail (task, error);
    return;
  }

  for (GList *each = call->items; each != NULL; each = each->next) {
    if (secret_item_get_locked (each->data))
      objects = g_list_prepend (objects, g_object_ref (each->data));
  }
  if (objects == NULL && collection != NULL && secret_collection_get_locked (collection))
    objects = g_list_prepend (objects, g_object_ref (collection));
  if (objects == NULL) {
    GList *collections = secret_service_get_collections (call->service);

    for (GList *each = collections; each != NULL; each = each->next) {
      if (secret_collection_get_locked (each->data))
        objects = g_list_prepend (objects, g_object_ref (each->data));
    }
    g_list_free_full (collections, g_object_unref);
  }

  if (objects != NULL)
    secret_service_unlock (call->service, objects, g_task_get_cancellable (task), on_unlocked,
                           task);
  else if (collection == NULL)
    secret_collection_create (call->service, "Default keyring", SECRET_COLLECTION_DEFAULT,
                              SECRET_COLLECTION_CREATE_NONE, g_task_get_cancellable (task),
                              on_collection_made, task);
  else
    call_done (task); /* it is open */
}

/* what every call begins with */

static void
on_searched (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  GError *error = NULL;

  call->items = secret_service_search_finish (SECRET_SERVICE (source), result, &error);
  if (error != NULL) {
    call_fail (task, error);
    return;
  }

  while (g_list_length (call->items) > ITEMS_MAX) {
    GList *last = g_list_last (call->items);

    g_object_unref (last->data);
    call->items = g_list_delete_link (call->items, last);
  }
  call->next = call->items;
  if (call->kind == CALL_FIND)
    call_read_next (task);
  else
    secret_collection_for_alias (call->service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE,
                                 g_task_get_cancellable (task), on_default_for_unlocking, task);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  g_autoptr (GHashTable) attributes = attributes_new ();
  GError *error = NULL;

  call->service = secret_service_get_finish (result, &error);
  if (call->service == NULL) {
    call_fail (task, error);
    return;
  }

  /* Neither SECRET_SEARCH_UNLOCK, which asks the user, nor SECRET_SEARCH_LOAD_SECRETS, which keeps
   * its errors to itself. */
  if (call->kind != CALL_KEEP)
    secret_service_search (call->service, &schema, attributes, SECRET_SEARCH_ALL,
                           g_task_get_cancellable (task), on_searched, task);
  else
    secret_collection_for_alias (call->service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE,
                                 g_task_get_cancellable (task), on_default_for_keeping, task);
}

/* Takes @task. */
static void
call_connect (GTask *task)
{
  Call *call = g_task_get_task_data (task);

  g_clear_object (&call->service);
  g_list_free_full (g_steal_pointer (&call->items), g_object_unref);
  g_ptr_array_set_size (call->keys, 0);
  call->has_locked_item = FALSE;
  secret_service_disconnect ();
  secret_service_get (SECRET_SERVICE_OPEN_SESSION | SECRET_SERVICE_LOAD_COLLECTIONS,
                      g_task_get_cancellable (task), on_connected, task);
}

static void
call_begin (MusterKeyring *self,
            CallKind kind,
            SecretValue *value,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Call *call = g_new0 (Call, 1);

  call->keyring = g_rc_box_acquire (self);
  call->kind = kind;
  call->value = value;
  call->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) muster_secret_unref);
  g_task_set_task_data (task, call, call_free);
  call_connect (task);
}

static void
muster_keyring_find (gpointer keyring,
                     GCancellable *cancellable,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  call_begin (keyring, CALL_FIND, NULL, cancellable, callback, user_data);
}

static gboolean
muster_keyring_find_finish (gpointer keyring,
                            GAsyncResult *result,
                            MusterKeyringFinding *finding,
                            GPtrArray *keys,
                            GError **error)
{
  Call *call = g_task_get_task_data (G_TASK (result));

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;

  *finding = call->finding;
  for (guint i = 0; i < call->keys->len; i++)
    g_ptr_array_add (keys, muster_secret_ref (call->keys->pdata[i]));

  return TRUE;
}

static void
muster_keyring_keep (gpointer keyring,
                     const guint8 *key,
                     GCancellable *cancellable,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  char text[MUSTER_KEY_TEXT_BYTES];
  SecretValue *value;

  muster_key_encode (key, text);
  value = secret_value_new (text, sizeof text, "text/plain"); /* copies into locked memory */
  muster_wipe (text, sizeof text);
  call_begin (keyring, CALL_KEEP, value, cancellable, callback, user_data);
}

static void
muster_keyring_unlock (gpointer keyring,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  call_begin (keyring, CALL_UNLOCK, NULL, cancellable, callback, user_data);
}

static gboolean
muster_keyring_finish (gpointer keyring, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* whether there is one */

static gboolean
name_has_owner (GDBusConnection *connection)
{
  g_autoptr (GVariant) reply = NULL;
  gboolean has = FALSE;

  reply = g_dbus_connection_call_sync (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "NameHasOwner",
                                       g_variant_new ("(s)", BUS_NAME), G_VARIANT_TYPE ("(b)"),
                                       G_DBUS_CALL_FLAGS_NONE, QUICK_MS, NULL, NULL);
  if (reply != NULL)
    g_variant_get (reply, "(b)", &has);

  return has;
}

static gboolean
name_is_activatable (GDBusConnection *connection)
{
  g_autoptr (GVariant) reply = NULL;
  g_autofree const char **names = NULL;

  reply = g_dbus_connection_call_sync (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "ListActivatableNames", NULL,
                                       G_VARIANT_TYPE ("(as)"), G_DBUS_CALL_FLAGS_NONE, QUICK_MS,
                                       NULL, NULL);
  if (reply == NULL)
    return FALSE;

  g_variant_get (reply, "(^a&s)", &names);
  return g_strv_contains (names, BUS_NAME);
}

static gboolean
muster_keyring_is_offered (gpointer keyring)
{
  MusterKeyring *self = keyring;

  return name_has_owner (self->connection) || name_is_activatable (self->connection);
}

/* watching */

static void
muster_keyring_tell (MusterKeyring *self, MusterKeyringNews news)
{
  if (self->func != NULL)
    self->func (news, self->user_data);
}

static void
muster_keyring_set_owner (MusterKeyring *self, const char *owner)
{
  gboolean first = self->owner == NULL;

  if (g_strcmp0 (self->owner, owner) == 0)
    return;

  g_free (self->owner);
  self->owner = g_strdup (owner);
  if (first)
    return; /* this is how it was, no news */

  secret_service_disconnect ();
  muster_keyring_tell (self, *owner != '\0' ? MUSTER_KEYRING_APPEARED : MUSTER_KEYRING_VANISHED);
}

static void
on_name_appeared (GDBusConnection *connection,
                  const char *name,
                  const char *owner,
                  gpointer user_data)
{
  muster_keyring_set_owner (user_data, owner);
}

static void
on_name_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  muster_keyring_set_owner (user_data, "");
}

static void
on_changed (GDBusConnection *connection,
            const char *sender,
            const char *path,
            const char *interface,
            const char *signal,
            GVariant *parameters,
            gpointer user_data)
{
  muster_keyring_tell (user_data, MUSTER_KEYRING_CHANGED);
}

static void
muster_keyring_unwatch (MusterKeyring *self)
{
  self->func = NULL;
  g_clear_handle_id (&self->name_id, g_bus_unwatch_name);
  g_clear_pointer (&self->owner, g_free);
  for (guint i = 0; i < G_N_ELEMENTS (self->signal_ids); i++) {
    if (self->signal_ids[i] != 0)
      g_dbus_connection_signal_unsubscribe (self->connection, self->signal_ids[i]);
    self->signal_ids[i] = 0;
  }
  g_cancellable_cancel (self->awaiting);
  g_clear_object (&self->awaiting);
  secret_service_disconnect ();
}

static void
muster_keyring_watch (gpointer keyring, MusterKeyringFunc func, gpointer user_data)
{
  MusterKeyring *self = keyring;

  muster_keyring_unwatch (self);
  if (func == NULL)
    return;

  self->func = func;
  self->user_data = user_data;
  self->name_id = g_bus_watch_name_on_connection (self->connection, BUS_NAME,
                                                  G_BUS_NAME_WATCHER_FLAGS_NONE, on_name_appeared,
                                                  on_name_vanished, self, NULL);
  self->signal_ids[0] = g_dbus_connection_signal_subscribe (
    self->connection, BUS_NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", NULL,
    "org.freedesktop.Secret.Collection", G_DBUS_SIGNAL_FLAGS_NONE, on_changed, self, NULL);
  self->signal_ids[2] = g_dbus_connection_signal_subscribe (self->connection, BUS_NAME,
                                                            "org.freedesktop.Secret.Collection",
                                                            NULL, NULL, NULL,
                                                            G_DBUS_SIGNAL_FLAGS_NONE, on_changed,
                                                            self, NULL);
  self->signal_ids[1] = g_dbus_connection_signal_subscribe (self->connection, BUS_NAME,
                                                            "org.freedesktop.Secret.Service", NULL,
                                                            NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                            on_changed, self, NULL);
}

static void
on_pong (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterKeyring *self = user_data;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_clear_object (&self->awaiting);
    if (reply != NULL)
      muster_keyring_tell (self, MUSTER_KEYRING_APPEARED);
  }
  muster_keyring_release (self);
}

static void
muster_keyring_await (gpointer keyring)
{
  MusterKeyring *self = keyring;

  if (self->awaiting != NULL)
    return;

  self->awaiting = g_cancellable_new ();
  g_dbus_connection_call (self->connection, BUS_NAME, "/org/freedesktop/secrets",
                          "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, self->awaiting, on_pong,
                          g_rc_box_acquire (self));
}

/* life */

const MusterKeyringOps muster_keyring_ops = {
  .is_offered = muster_keyring_is_offered,
  .watch = muster_keyring_watch,
  .await = muster_keyring_await,
  .find = muster_keyring_find,
  .find_finish = muster_keyring_find_finish,
  .keep = muster_keyring_keep,
  .keep_finish = muster_keyring_finish,
  .unlock = muster_keyring_unlock,
  .unlock_finish = muster_keyring_finish,
};

MusterKeyring *
muster_keyring_new (GDBusConnection *connection)
{
  MusterKeyring *self = g_rc_box_new0 (MusterKeyring);

  self->connection = g_object_ref (connection);

  return self;
}

static void
muster_keyring_clear (gpointer data)
{
  MusterKeyring *self = data;

  g_clear_object (&self->connection);
}

static void
muster_keyring_release (MusterKeyring *self)
{
  g_rc_box_release_full (self, muster_keyring_clear);
}

void
muster_keyring_free (MusterKeyring *self)
{
  if (self == NULL)
    return;

  muster_keyring_unwatch (self);
  muster_keyring_release (self);
}
