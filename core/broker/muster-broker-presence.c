/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-broker-presence.h"

#include "muster-change.h"

/*
 * What each identity shows: its layers, as they are set, expire and go with who set them. What the
 * services make of it is in muster-broker-publication.c.
 *
 * The end of a layer is a time of the wall clock, the timer's another: so it looks at the wall clock
 * again at least once a minute for as long as a layer has an end, and finds a clock that was set.
 */

#define LOOK_AGAIN_MS 60000
#define EXPIRE_BATCH  100 /* identities in one turn of the loop: many may end at one time */

/* One identity's; there is none until it has a first layer. */
typedef struct {
  MusterPresenceLayers *layers;
  MusterPresence presence; /* what shows */
  char *text;              /* GRefString, shared by the accounts that say it */
  gint64 until_us;
} Shown;

struct _MusterBrokerPresence {
  GHashTable *shown; /* id of the identity -> Shown */
  guint64 last_number;
  MusterTimer expiry;
  gint64 awaited_us; /* the end that it is armed for */
};

static void
shown_free (gpointer data)
{
  Shown *shown = data;

  muster_presence_layers_free (shown->layers);
  g_ref_string_release (shown->text);
  g_free (shown);
}

static Shown *
muster_broker_ensure_shown (MusterBroker *self, const char *identity)
{
  Shown *shown = g_hash_table_lookup (self->presence->shown, identity);

  if (shown == NULL) {
    shown = g_new0 (Shown, 1);
    shown->layers = muster_presence_layers_new ();
    shown->presence = MUSTER_PRESENCE_AVAILABLE;
    shown->text = g_ref_string_new_intern ("");
    g_hash_table_insert (self->presence->shown, g_strdup (identity), shown);
  }

  return shown;
}

void
muster_broker_get_presence (MusterBroker *self, const char *identity, MusterPresenceView *view)
{
  const Shown *shown = g_hash_table_lookup (self->presence->shown, identity);

  view->presence = shown != NULL ? shown->presence : MUSTER_PRESENCE_AVAILABLE;
  view->text = shown != NULL ? shown->text : "";
  view->until_us = shown != NULL ? shown->until_us : 0;
}

char *
muster_broker_ref_presence_text (MusterBroker *self, const char *identity)
{
  const Shown *shown = g_hash_table_lookup (self->presence->shown, identity);

  return shown != NULL ? g_ref_string_acquire (shown->text) : g_ref_string_new_intern ("");
}

MusterPresenceLayers *
muster_broker_get_layers (MusterBroker *self, const char *identity)
{
  const Shown *shown = g_hash_table_lookup (self->presence->shown, identity);

  return shown != NULL ? shown->layers : NULL;
}

/* what shows */

/* A layer ends then. Who waits for an earlier one, or for one that went, looks for the next. */
static void
muster_broker_await_end (MusterBroker *self, gint64 until_us)
{
  MusterBrokerPresence *presence = self->presence;
  gint64 left_ms = (until_us - muster_clock_wall_us ()) / 1000 + 1;

  if (until_us == 0 ||
      (muster_timer_is_armed (&presence->expiry) && until_us >= presence->awaited_us))
    return;

  presence->awaited_us = until_us;
  muster_timer_arm_in_ms (&presence->expiry, CLAMP (left_ms, 0, LOOK_AGAIN_MS));
}

static void
muster_broker_arm_expiry (MusterBroker *self)
{
  GHashTableIter iter;
  gpointer shown;

  muster_timer_cancel (&self->presence->expiry);
  g_hash_table_iter_init (&iter, self->presence->shown);
  while (g_hash_table_iter_next (&iter, NULL, &shown))
    muster_broker_await_end (self, muster_presence_layers_get_next_us (((Shown *) shown)->layers));
}

static void
muster_broker_tell_presence (MusterBroker *self,
                             const char *identity,
                             const Shown *shown,
                             const MusterPresenceLayer *layer)
{
  GVariantDict payload;

  g_variant_dict_init (&payload, NULL);
  g_variant_dict_insert (&payload, "identity", "s", identity);
  g_variant_dict_insert (&payload, "presence", "s", muster_presence_to_string (shown->presence));
  if (*shown->text != '\0')
    g_variant_dict_insert (&payload, "text", "s", shown->text);
  if (layer != NULL)
    g_variant_dict_insert (&payload, "layer", "s", layer->name);
  if (shown->until_us > 0)
    g_variant_dict_insert (&payload, "until", "t", (guint64) shown->until_us);
  muster_event_bus_emit (self->events, "presence.changed", "", g_variant_dict_end (&payload),
                         FALSE);
}

/* Returns whether it shows something else now. */
static gboolean
shown_update (Shown *shown, const MusterPresenceLayer *layer)
{
  MusterPresence presence = layer != NULL ? layer->presence : MUSTER_PRESENCE_AVAILABLE;
  const char *text = layer != NULL ? layer->text : "";

  shown->until_us = layer != NULL ? layer->until_us : 0;
  if (presence == shown->presence && g_str_equal (text, shown->text))
    return FALSE;

  shown->presence = presence;
  g_ref_string_release (shown->text);
  shown->text = *text != '\0' ? g_ref_string_new (text) : g_ref_string_new_intern ("");

  return TRUE;
}

/* After its layers changed: the only place where what shows is written, but for the start. */
static void
muster_broker_update_presence (MusterBroker *self, const char *identity)
{
  Shown *shown = muster_broker_ensure_shown (self, identity);
  MusterIdentity *object = muster_broker_get_identity (self, identity);
  const MusterPresenceLayer *layer;

  layer = muster_presence_layers_get_effective (shown->layers, muster_clock_wall_us ());
  if (shown_update (shown, layer)) {
    g_info ("identity %s is %s now", identity, muster_presence_to_string (shown->presence));
    muster_broker_tell_presence (self, identity, shown, layer);
    muster_broker_sweep_publications (self);
  }
  if (self->observer != NULL && object != NULL)
    self->observer->presence_changed (self->observer_data, object);
}

/* expiring */

/* A row that is left over is found at the next start. */
static void
muster_broker_delete_layer (MusterBroker *self,
                            const char *identity,
                            const MusterPresenceLayer *layer)
{
  MusterStoreChange *change;

  if (!layer->kept)
    return;

  change = muster_store_change_new ();
  muster_store_change_delete_layer (change, identity, layer->name, (gint64) layer->number);
  muster_store_commit_async (self->store, change, NULL, NULL, NULL);
}

static gboolean
muster_broker_expire_layers (MusterBroker *self, const char *identity, Shown *shown)
{
  gint64 now_us = muster_clock_wall_us ();
  MusterPresenceLayer *layer;
  gboolean any = FALSE;

  while ((layer = muster_presence_layers_expire (shown->layers, now_us)) != NULL) {
    muster_broker_delete_layer (self, identity, layer);
    muster_presence_layer_free (layer);
    any = TRUE;
  }

  return any;
}

static void
on_expiry (MusterTimer *timer, gpointer user_data)
{
  MusterBroker *self = user_data;
  GHashTableIter iter;
  gpointer identity, shown;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->presence->shown);
  while (n < EXPIRE_BATCH && g_hash_table_iter_next (&iter, &identity, &shown)) {
    if (!muster_broker_expire_layers (self, identity, shown))
      continue;
    muster_broker_update_presence (self, identity);
    n++;
  }
  muster_broker_arm_expiry (self); /* at once, for those that are left */
}

/* setting */

static gboolean
check_layer (MusterBroker *self, const MusterPresenceLayer *layer, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (!muster_presence_check_name (layer->name, &local) ||
      !muster_presence_check_text (layer->text, &local) ||
      !muster_presence_check_priority (layer->priority, &local))
    return muster_change_invalid (error, "%s", local->message);
  if (layer->until_us < 0 || (layer->until_us > 0 && layer->until_us <= muster_clock_wall_us ()))
    return muster_change_invalid (error, "until is not in the future");

  return TRUE;
}

/* Its identity, which may have been removed while the change waited. */
static gboolean
find_identity (MusterChange *change, GError **error)
{
  change->identity = muster_broker_get_identity (change->broker, change->identity_record->id);
  if (change->identity != NULL)
    return TRUE;

  g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND,
               "the identity was removed");
  return FALSE;
}

static gboolean
prepare_set_layer (MusterChange *change, GError **error)
{
  MusterBroker *self = change->broker;
  MusterPresenceLayer *layer = change->data;
  const char *identity = change->identity_record->id;
  MusterPresenceLayers *layers;

  if (!find_identity (change, error) || !check_layer (self, layer, error))
    return FALSE;

  layers = muster_broker_get_layers (self, identity);
  if (layers != NULL && !muster_presence_layers_has_room (layers, layer->name)) {
    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_TOO_MANY,
                 "there are %d layers already", MUSTER_PRESENCE_LAYERS_MAX);
    return FALSE;
  }

  layer->number = ++self->presence->last_number;
  if (layer->kept) {
    const MusterLayerRecord record = {
      .identity = (char *) identity,
      .name = layer->name,
      .presence = (char *) muster_presence_to_string (layer->presence),
      .text = layer->text,
      .priority = layer->priority,
      .until_us = layer->until_us,
      .number = (gint64) layer->number,
    };

    muster_store_change_put_layer (change->rows, &record);
  } else {
    muster_store_change_delete_layer (change->rows, identity, layer->name, (gint64) layer->number);
  }

  return TRUE;
}

static void
apply_set_layer (MusterChange *change)
{
  const MusterPresenceLayer *layer = change->data;
  const char *identity = change->identity_record->id;
  Shown *shown = muster_broker_ensure_shown (change->broker, identity);

  muster_presence_layers_set (shown->layers, layer);
  muster_broker_update_presence (change->broker, identity);
  muster_broker_await_end (change->broker, layer->until_us);
  g_task_return_int (change->task, (gssize) layer->number);
}

static MusterChange *
new_layer_change (MusterBroker *self,
                  MusterIdentity *identity,
                  gboolean (*prepare) (MusterChange *, GError **),
                  void (*apply) (MusterChange *),
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  MusterChange *change = muster_change_new (self, NULL, prepare, apply, callback, user_data);

  change->queue = &self->identity_changes;
  change->is_bounded = TRUE;
  change->identity_record = g_new0 (MusterIdentityRecord, 1);
  change->identity_record->id = g_strdup (identity->record->id);

  return change;
}

void
muster_broker_set_layer_async (MusterBroker *self,
                               MusterIdentity *identity,
                               const MusterPresenceLayer *layer,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  MusterChange *change = new_layer_change (self, identity, prepare_set_layer, apply_set_layer,
                                           callback, user_data);

  change->data = muster_presence_layer_copy (layer);
  change->free_data = (GDestroyNotify) muster_presence_layer_free;
  muster_change_submit (change);
}

gboolean
muster_broker_set_layer_finish (MusterBroker *self,
                                GAsyncResult *result,
                                guint64 *number,
                                GError **error)
{
  gssize given = g_task_propagate_int (G_TASK (result), error);

  *number = given > 0 ? (guint64) given : 0;
  return given > 0;
}

/* removing */

static gboolean
prepare_remove_layer (MusterChange *change, GError **error)
{
  const char *identity = change->identity_record->id;
  const char *name = change->name;
  MusterPresenceLayers *layers = muster_broker_get_layers (change->broker, identity);
  const MusterPresenceLayer *layer;

  if (!find_identity (change, error))
    return FALSE;

  layer = layers != NULL ? muster_presence_layers_find (layers, name) : NULL;
  if (layer == NULL) {
    g_autofree char *quoted = muster_broker_quote (name);

    g_set_error (error, MUSTER_BROKER_ERROR, MUSTER_BROKER_ERROR_NOT_FOUND, "there is no layer %s",
                 quoted);
    return FALSE;
  }

  muster_store_change_delete_layer (change->rows, identity, name, (gint64) layer->number);
  return TRUE;
}

static void
apply_remove_layer (MusterChange *change)
{
  const char *identity = change->identity_record->id;
  MusterPresenceLayers *layers = muster_broker_get_layers (change->broker, identity);

  if (muster_presence_layers_remove (layers, change->name, 0))
    muster_broker_update_presence (change->broker, identity);
  g_task_return_boolean (change->task, TRUE);
}

void
muster_broker_remove_layer_async (MusterBroker *self,
                                  MusterIdentity *identity,
                                  const char *name,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  MusterChange *change = new_layer_change (self, identity, prepare_remove_layer, apply_remove_layer,
                                           callback, user_data);

  change->name = g_strdup (name);
  muster_change_submit (change);
}

void
muster_broker_drop_layer (MusterBroker *self,
                          const char *identity,
                          const char *name,
                          guint64 number)
{
  MusterPresenceLayers *layers = muster_broker_get_layers (self, identity);

  if (layers != NULL && muster_presence_layers_remove (layers, name, number))
    muster_broker_update_presence (self, identity);
}

/* life */

/* %NULL, with a warning, for one that makes no sense here: a later version may have written it. */
static MusterPresenceLayer *
layer_from_record (const MusterLayerRecord *record)
{
  g_autoptr (GError) error = NULL;
  MusterPresenceLayer layer = {
    .name = record->name,
    .text = record->text,
    .priority = record->priority,
    .until_us = record->until_us,
    .kept = TRUE,
    .number = (guint64) record->number,
  };

  if (!muster_presence_from_string (record->presence, &layer.presence) ||
      !muster_presence_check_name (layer.name, NULL) ||
      !muster_presence_check_text (layer.text, NULL) ||
      !muster_presence_check_priority (layer.priority, NULL)) {
    g_warning ("a layer of identity %s that was stored cannot be understood, ignoring it",
               record->identity);
    return NULL;
  }

  return muster_presence_layer_copy (&layer);
}

gboolean
muster_broker_load_presence (MusterBroker *self, GError **error)
{
  g_autoptr (GPtrArray) records = muster_store_load_layers (self->store, error);
  GHashTableIter iter;
  gpointer identity, value;

  if (records == NULL)
    return FALSE;

  for (guint i = 0; i < records->len; i++) {
    const MusterLayerRecord *record = records->pdata[i];
    g_autoptr (MusterPresenceLayer) layer = layer_from_record (record);
    Shown *shown;

    self->presence->last_number = MAX (self->presence->last_number, (guint64) record->number);
    if (layer == NULL || muster_broker_get_identity (self, record->identity) == NULL)
      continue;
    shown = muster_broker_ensure_shown (self, record->identity);
    if (muster_presence_layers_has_room (shown->layers, layer->name))
      muster_presence_layers_set (shown->layers, layer);
  }

  g_hash_table_iter_init (&iter, self->presence->shown);
  while (g_hash_table_iter_next (&iter, &identity, &value)) {
    Shown *shown = value;

    muster_broker_expire_layers (self, identity, shown);
    shown_update (shown,
                  muster_presence_layers_get_effective (shown->layers, muster_clock_wall_us ()));
  }
  muster_broker_arm_expiry (self);

  return TRUE;
}

void
muster_broker_forget_presence (MusterBroker *self, const char *identity)
{
  g_hash_table_remove (self->presence->shown, identity);
}

void
muster_broker_init_presence (MusterBroker *self)
{
  self->presence = g_new0 (MusterBrokerPresence, 1);
  self->presence->shown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, shown_free);
  muster_timer_init (&self->presence->expiry, on_expiry, self);
}

void
muster_broker_clear_presence (MusterBroker *self)
{
  muster_timer_cancel (&self->presence->expiry);
  g_hash_table_unref (self->presence->shown);
  g_clear_pointer (&self->presence, g_free);
}
