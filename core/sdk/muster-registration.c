/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "Muster"

#include "config.h"

#include "muster-execution.h"
#include "muster-registration-private.h"
#include "muster-text.h"

#include <string.h>

/**
 * MusterRegistration:
 *
 * The base class that a protocol plugin subclasses; see #MusterRegistrationClass for the contract.
 * It keeps both sides to it: an open while one is under way and an answer given twice are bugs that
 * are named in the log, and the broker's callback never runs before the call returned.
 *
 * It also stands at the border for the crash record: what goes to the plugin is marked with the
 * plugin's function, what comes back to the daemon from inside of it is marked as nobody's.
 */

typedef struct {
  const MusterProtocol *protocol;
  MusterPluginContext *context; /* borrowed: it outlives its registrations */
  const char *id;
  const char *address;
  const MusterRegistrationHost *host; /* NULL once detached */
  gpointer host_data;

  GTask *operation; /* the broker's task, from open or close to its answer */
  guint n_operations;
  char *kept_id;      /* of one that outlives its account; else NULL */
  char *kept_address; /* the same */

  MusterLanes *lanes;        /* NULL until the first is used */
  gulong close_cancelled_id; /* while a close waits for the lanes: on its cancellable */
  gboolean close_waits;
  GHashTable *leases; /* name -> what muster-registration-lease.c keeps; NULL until there is one */
} MusterRegistrationPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (MusterRegistration, muster_registration, G_TYPE_OBJECT)

static void on_lanes_empty (MusterRegistration *self);

#define PRIV(self) ((MusterRegistrationPrivate *) muster_registration_get_instance_private (self))

static void
muster_registration_finalize (GObject *object)
{
  MusterRegistration *self = MUSTER_REGISTRATION (object);

  if (PRIV (self)->operation != NULL)
    g_critical ("%s: a registration went while an operation was under way",
                G_OBJECT_TYPE_NAME (self));
  muster_lanes_free (PRIV (self)->lanes);
  g_clear_pointer (&PRIV (self)->leases, g_hash_table_unref);
  g_free (PRIV (self)->kept_id);
  g_free (PRIV (self)->kept_address);

  G_OBJECT_CLASS (muster_registration_parent_class)->finalize (object);
}

/* What most plugins want: what they returned from a GTask is the answer. */
static MusterLease *
muster_registration_real_open_finish (MusterRegistration *self,
                                      GAsyncResult *result,
                                      GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
muster_registration_real_close_finish (MusterRegistration *self,
                                       GAsyncResult *result,
                                       GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* An address without a host is its own: better one service too many than none. */
static char *
muster_registration_real_dup_remote_host (MusterRegistration *self)
{
  const char *address = PRIV (self)->address;
  const char *at = strrchr (address, '@');
  const char *host = at != NULL ? at + 1 : address;

  if (*host == '[')
    return g_strndup (host + 1, strcspn (host + 1, "]"));

  return g_strndup (host, strcspn (host, at != NULL ? ":/;?" : ""));
}

static guint
muster_registration_real_get_retry_floor_s (MusterRegistration *self)
{
  return PRIV (self)->protocol->retry_floor_s;
}

static void
muster_registration_class_init (MusterRegistrationClass *klass)
{
  klass->dup_remote_host = muster_registration_real_dup_remote_host;
  klass->get_retry_floor_s = muster_registration_real_get_retry_floor_s;
  G_OBJECT_CLASS (klass)->finalize = muster_registration_finalize;
  klass->open_finish = muster_registration_real_open_finish;
  klass->close_finish = muster_registration_real_close_finish;
}

static void
muster_registration_init (MusterRegistration *self)
{
}

MusterRegistration *
muster_registration_new (GType type,
                         const MusterProtocol *protocol,
                         MusterPluginContext *context,
                         const char *id,
                         const char *address,
                         const MusterRegistrationHost *host,
                         gpointer host_data)
{
  MusterRegistrationClass *klass;
  MusterRegistration *self;
  MusterRegistrationPrivate *priv;
  guint64 outer;

  g_return_val_if_fail (g_type_is_a (type, MUSTER_TYPE_REGISTRATION), NULL);
  g_return_val_if_fail (protocol != NULL && id != NULL && address != NULL && host != NULL, NULL);

  klass = g_type_class_ref (type);
  outer = muster_execution_mark ((gconstpointer) klass->open_async);
  self = g_object_new (type, NULL);
  muster_execution_unmark (outer);
  g_type_class_unref (klass);
  priv = PRIV (self);
  priv->protocol = protocol;
  priv->context = context;
  priv->id = id;
  priv->address = address;
  priv->host = host;
  priv->host_data = host_data;

  return self;
}

void
muster_registration_detach_host (MusterRegistration *self)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));

  priv->host = NULL;
  priv->host_data = NULL;
  if (priv->kept_id == NULL) { /* what its plugin still waits for outlives who lent it these */
    priv->id = priv->kept_id = g_strdup (priv->id);
    priv->address = priv->kept_address = g_strdup (priv->address);
  }
}

char *
muster_registration_dup_remote_host (MusterRegistration *self)
{
  MusterRegistrationClass *klass;
  guint64 outer;
  char *host;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), NULL);

  klass = MUSTER_REGISTRATION_GET_CLASS (self);
  outer = muster_execution_mark ((gconstpointer) klass->dup_remote_host);
  host = klass->dup_remote_host (self);
  muster_execution_unmark (outer);

  return host;
}

guint
muster_registration_get_retry_floor_s (MusterRegistration *self)
{
  MusterRegistrationClass *klass;
  guint64 outer;
  guint floor_s;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), 0);

  klass = MUSTER_REGISTRATION_GET_CLASS (self);
  outer = muster_execution_mark ((gconstpointer) klass->get_retry_floor_s);
  floor_s = klass->get_retry_floor_s (self);
  muster_execution_unmark (outer);

  return floor_s;
}

gboolean
muster_registration_is_busy (MusterRegistration *self)
{
  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), FALSE);

  return PRIV (self)->operation != NULL;
}

MusterLanes *
muster_registration_get_lanes (MusterRegistration *self)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  if (priv->lanes == NULL)
    priv->lanes = muster_lanes_new (self, on_lanes_empty);

  return priv->lanes;
}

const MusterRegistrationHost *
muster_registration_get_host (MusterRegistration *self, gpointer *host_data)
{
  *host_data = PRIV (self)->host_data;

  return PRIV (self)->host;
}

GHashTable **
muster_registration_get_leases (MusterRegistration *self)
{
  return &PRIV (self)->leases;
}

/* operations: the plugin's answer is taken, checked, and handed to the broker's own task */

static gboolean
begin (MusterRegistration *self,
       gpointer tag,
       GCancellable *cancellable,
       GAsyncReadyCallback callback,
       gpointer user_data)
{
  MusterRegistrationPrivate *priv = PRIV (self);
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  /* The plugin decides between its answer and "cancelled"; a lease granted in the same moment must
   * not be thrown away here. */
  g_task_set_check_cancellable (task, FALSE);

  if (priv->operation != NULL) {
    g_critical ("%s: asked for a second operation while one is under way",
                G_OBJECT_TYPE_NAME (self));
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_PENDING,
                             "an operation is already under way");
    g_object_unref (task);
    return FALSE;
  }

  priv->operation = task;
  priv->n_operations++;
  return TRUE;
}

/* Returns (transfer full): the broker's task; %NULL if the plugin has answered this call before, when
 * another may already be under way. */
static GTask *
end (MusterRegistration *self, gpointer number)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  if (priv->operation == NULL || GPOINTER_TO_UINT (number) != priv->n_operations) {
    g_critical ("%s: answered an operation twice", G_OBJECT_TYPE_NAME (self));
    return NULL;
  }

  return g_steal_pointer (&priv->operation);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterRegistration *self = MUSTER_REGISTRATION (source);
  MusterRegistrationClass *klass = MUSTER_REGISTRATION_GET_CLASS (self);
  g_autoptr (GTask) task = end (self, user_data);
  g_autoptr (MusterLease) lease = NULL;
  GError *error = NULL;
  guint64 outer;

  if (task == NULL)
    return;

  outer = muster_execution_mark ((gconstpointer) klass->open_finish);
  lease = klass->open_finish (self, result, &error);
  muster_execution_mark (NULL); /* the broker's callback may run from here */
  if (lease != NULL) {
    GStrv bindings = muster_text_tame_bindings ((const char *const *) lease->bindings);

    g_strfreev (lease->bindings);
    lease->bindings = bindings;
  }
  if (lease == NULL)
    g_task_return_error (task, muster_sane_error (self, error));
  else
    g_task_return_pointer (task, g_steal_pointer (&lease), (GDestroyNotify) muster_lease_free);
  muster_execution_unmark (outer);
}

void
muster_registration_open_async (MusterRegistration *self,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  MusterRegistrationClass *klass;
  guint64 outer;

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));

  if (!begin (self, muster_registration_open_async, cancellable, callback, user_data))
    return;

  klass = MUSTER_REGISTRATION_GET_CLASS (self);
  outer = muster_execution_mark ((gconstpointer) klass->open_async);
  klass->open_async (self, cancellable, on_opened, GUINT_TO_POINTER (PRIV (self)->n_operations));
  muster_execution_unmark (outer);
}

/* Returns (transfer full): what was granted; %NULL with %MUSTER_ERROR or %G_IO_ERROR_CANCELLED. */
MusterLease *
muster_registration_open_finish (MusterRegistration *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MusterRegistration *self = MUSTER_REGISTRATION (source);
  MusterRegistrationClass *klass = MUSTER_REGISTRATION_GET_CLASS (self);
  g_autoptr (GTask) task = end (self, user_data);
  GError *error = NULL;
  gboolean closed;
  guint64 outer;

  if (task == NULL)
    return;

  outer = muster_execution_mark ((gconstpointer) klass->close_finish);
  closed = klass->close_finish (self, result, &error);
  muster_execution_mark (NULL);
  if (PRIV (self)->lanes != NULL)
    muster_lanes_open (PRIV (self)->lanes);
  if (!closed)
    g_task_return_error (task, muster_sane_error (self, error));
  else
    g_task_return_boolean (task, TRUE);
  muster_execution_unmark (outer);
}

/* Returns whether a close waited. */
static gboolean
stop_waiting_to_close (MusterRegistration *self)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  if (!priv->close_waits)
    return FALSE;

  priv->close_waits = FALSE;
  if (priv->close_cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (priv->operation),
                                 priv->close_cancelled_id);
  priv->close_cancelled_id = 0;

  return TRUE;
}

static void
on_lanes_empty (MusterRegistration *self)
{
  MusterRegistrationPrivate *priv = PRIV (self);
  MusterRegistrationClass *klass = MUSTER_REGISTRATION_GET_CLASS (self);
  guint64 outer;

  if (!stop_waiting_to_close (self))
    return;

  outer = muster_execution_mark ((gconstpointer) klass->close_async);
  klass->close_async (self, g_task_get_cancellable (priv->operation), on_closed,
                      GUINT_TO_POINTER (priv->n_operations));
  muster_execution_unmark (outer);
}

/* The lanes did not end in time: the service is not told. */
static void
on_close_cancelled (GCancellable *cancellable, gpointer user_data)
{
  MusterRegistration *self = user_data;
  g_autoptr (GTask) task = NULL;

  if (!stop_waiting_to_close (self))
    return;

  g_warning ("%s: calls that were cancelled have not ended", G_OBJECT_TYPE_NAME (self));
  task = end (self, GUINT_TO_POINTER (PRIV (self)->n_operations));
  muster_lanes_open (PRIV (self)->lanes);
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "it was cancelled");
}

void
muster_registration_close_async (MusterRegistration *self,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));

  if (!begin (self, muster_registration_close_async, cancellable, callback, user_data))
    return;

  priv->close_waits = TRUE;
  if (priv->lanes == NULL || muster_lanes_close (priv->lanes))
    on_lanes_empty (self);
  else if (priv->close_waits && cancellable != NULL)
    priv->close_cancelled_id = g_signal_connect (cancellable, "cancelled",
                                                 G_CALLBACK (on_close_cancelled), self);
}

gboolean
muster_registration_close_finish (MusterRegistration *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* what plugins ask */

/**
 * muster_registration_get_id:
 * @self: a registration
 *
 * Returns: (transfer none): the account's id, for logs; unique and never used again
 */
const char *
muster_registration_get_id (MusterRegistration *self)
{
  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), NULL);

  return PRIV (self)->id;
}

/**
 * muster_registration_get_address:
 * @self: a registration
 *
 * Returns: (transfer none): the account's address on its service, as the user gave it; it has
 *   matched the protocol's pattern
 */
const char *
muster_registration_get_address (MusterRegistration *self)
{
  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), NULL);

  return PRIV (self)->address;
}

/**
 * muster_registration_get_context:
 * @self: a registration
 *
 * Returns: (nullable) (transfer none): the plugin's context, if its plugin has one
 */
MusterPluginContext *
muster_registration_get_context (MusterRegistration *self)
{
  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), NULL);

  return PRIV (self)->context;
}

/* Returns (transfer full) (nullable): what the account sets. */
static GVariant *
dup_set_param (MusterRegistration *self, const MusterParam *param, const char *name)
{
  MusterRegistrationPrivate *priv = PRIV (self);
  GVariant *value = NULL;

  if (param == NULL || (param->flags & MUSTER_PARAM_SECRET) != 0) {
    g_critical ("%s: \"%s\" is not a parameter that can be read", G_OBJECT_TYPE_NAME (self), name);
    return NULL;
  }

  if (priv->host != NULL) {
    guint64 outer = muster_execution_mark (NULL);

    value = priv->host->dup_param (priv->host_data, name);
    muster_execution_unmark (outer);
  }
  return value;
}

/* Returns (transfer full) (nullable): what the account sets, else the default. */
static GVariant *
dup_param (MusterRegistration *self, const char *name, const GVariantType *type)
{
  const MusterParam *param = muster_protocol_find_param (PRIV (self)->protocol, name);
  GVariant *value = dup_set_param (self, param, name);

  if (value == NULL && param != NULL)
    value = muster_param_dup_default (param);
  if (value != NULL && !g_variant_is_of_type (value, type)) {
    g_critical ("%s: \"%s\" has another type", G_OBJECT_TYPE_NAME (self), name);
    g_clear_pointer (&value, g_variant_unref);
  }

  return value;
}

/**
 * muster_registration_dup_string:
 * @self: a registration
 * @param: the name of a parameter that holds text
 *
 * Returns: (nullable) (transfer full): its value or default; %NULL if it has neither
 */
char *
muster_registration_dup_string (MusterRegistration *self, const char *param)
{
  g_autoptr (GVariant) value = NULL;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), NULL);

  value = dup_param (self, param, G_VARIANT_TYPE_STRING);
  return value != NULL ? g_variant_dup_string (value, NULL) : NULL;
}

/**
 * muster_registration_get_uint:
 * @self: a registration
 * @param: the name of a parameter that holds a number
 *
 * Returns: its value or default; 0 if it has neither
 */
guint
muster_registration_get_uint (MusterRegistration *self, const char *param)
{
  g_autoptr (GVariant) value = NULL;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), 0);

  value = dup_param (self, param, G_VARIANT_TYPE_UINT32);
  return value != NULL ? g_variant_get_uint32 (value) : 0;
}

/**
 * muster_registration_get_boolean:
 * @self: a registration
 * @param: the name of a parameter that holds yes or no
 *
 * Returns: its value or default; %FALSE if it has neither
 */
gboolean
muster_registration_get_boolean (MusterRegistration *self, const char *param)
{
  g_autoptr (GVariant) value = NULL;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), FALSE);

  value = dup_param (self, param, G_VARIANT_TYPE_BOOLEAN);
  return value != NULL && g_variant_get_boolean (value);
}

/**
 * muster_registration_has_param:
 * @self: a registration
 * @param: the name of a parameter that is no secret
 *
 * For parameters whose default hangs on others, and so is not in their description.
 *
 * Returns: whether the account sets it
 */
gboolean
muster_registration_has_param (MusterRegistration *self, const char *param)
{
  g_autoptr (GVariant) value = NULL;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), FALSE);

  value = dup_set_param (self, muster_protocol_find_param (PRIV (self)->protocol, param), param);
  return value != NULL;
}

/**
 * muster_registration_get_params_version:
 * @self: a registration
 *
 * Whatever was made of the parameters is good as long as this stays the same. It says nothing of the
 * secrets.
 *
 * Returns: a number, never 0, that is another one once any parameter has changed
 */
guint
muster_registration_get_params_version (MusterRegistration *self)
{
  static guint always_another;
  MusterRegistrationPrivate *priv = PRIV (self);
  guint version = 0;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), 0);

  if (priv->host != NULL && priv->host->get_params_version != NULL) {
    guint64 outer = muster_execution_mark (NULL);

    version = priv->host->get_params_version (priv->host_data);
    muster_execution_unmark (outer);
  }
  while (version == 0)
    version = ++always_another;

  return version;
}

/**
 * muster_registration_get_resume:
 * @self: a registration
 *
 * What muster_registration_set_resume() was last given, perhaps by an earlier run of the daemon.
 * It may be a little older than the last one given if the daemon was killed.
 *
 * Returns: (nullable) (transfer full): the blob; %NULL if there is none
 */
GBytes *
muster_registration_get_resume (MusterRegistration *self)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  GBytes *blob = NULL;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), NULL);

  if (priv->host != NULL) {
    guint64 outer = muster_execution_mark (NULL);

    blob = priv->host->dup_resume (priv->host_data);
    muster_execution_unmark (outer);
  }

  return blob;
}

/**
 * muster_registration_get_lease_end_us:
 * @self: a registration
 *
 * When what was last granted ends, also if that was in an earlier run of the daemon. It is kept with each
 * lease, so a blob for muster_registration_set_resume() need not hold it.
 *
 * Returns: on the clock of muster_clock_now_us(); 0: there is no lease; %G_MAXINT64: it has no end
 */
gint64
muster_registration_get_lease_end_us (MusterRegistration *self)
{
  MusterRegistrationPrivate *priv = PRIV (self);
  gint64 end_us = 0;

  g_return_val_if_fail (MUSTER_IS_REGISTRATION (self), 0);

  if (priv->host != NULL && priv->host->get_lease_end_us != NULL) {
    guint64 outer = muster_execution_mark (NULL);

    end_us = priv->host->get_lease_end_us (priv->host_data);
    muster_execution_unmark (outer);
  }

  return end_us;
}

/**
 * muster_registration_set_resume:
 * @self: a registration
 * @blob: (nullable): what is needed to go on after a restart, at most 64 kB; %NULL: nothing
 *
 * Keeps @blob, sealed, until the account's address, server or identity changes. Version it: a later
 * version of the plugin reads it.
 */
void
muster_registration_set_resume (MusterRegistration *self, GBytes *blob)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));
  g_return_if_fail (blob == NULL || g_bytes_get_size (blob) <= 64 * 1024);

  if (priv->host != NULL) {
    guint64 outer = muster_execution_mark (NULL);

    priv->host->set_resume (priv->host_data, blob);
    muster_execution_unmark (outer);
  }
}

/**
 * muster_registration_lost:
 * @self: a registration
 * @error: why, in the %MUSTER_ERROR domain
 *
 * Tells the broker that the registration is gone though nobody asked for it: the connection broke,
 * the server ended it. The broker opens it again as the code says. Ignored while an open or close is
 * under way: their answer tells.
 */
void
muster_registration_lost (MusterRegistration *self, const GError *error)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));
  g_return_if_fail (error != NULL && muster_error_is_known (error));

  if (priv->host != NULL && priv->operation == NULL) {
    g_autoptr (GError) tame = g_error_copy (error);
    guint64 outer = muster_execution_mark (NULL);

    muster_text_tame_error (tame);
    priv->host->lost (priv->host_data, tame);
    muster_execution_unmark (outer);
  }
}

/**
 * muster_registration_report_bindings:
 * @self: a registration
 * @bindings: (array zero-terminated=1): where the service now reaches us
 *
 * Tells the broker that the bindings changed without an open. As with those of a lease, at most 16 are
 * kept, of 1 kB each, and what of them cannot be printed becomes blanks.
 */
void
muster_registration_report_bindings (MusterRegistration *self, const char *const *bindings)
{
  MusterRegistrationPrivate *priv = PRIV (self);

  g_return_if_fail (MUSTER_IS_REGISTRATION (self));
  g_return_if_fail (bindings != NULL);

  if (priv->host != NULL) {
    g_auto (GStrv) tame = muster_text_tame_bindings (bindings);
    guint64 outer = muster_execution_mark (NULL);

    priv->host->report_bindings (priv->host_data, (const char *const *) tame);
    muster_execution_unmark (outer);
  }
}
