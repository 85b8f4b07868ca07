/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define G_LOG_DOMAIN "MusterBroker"

#include "config.h"

#include "muster-presence-layers.h"

#include <string.h>

/* Which of several layers shows, and until when. Who sets them, and who keeps them, is in
 * muster-broker-presence.c. */

struct _MusterPresenceLayers {
  GPtrArray *layers; /* MusterPresenceLayer, by name */
};

MusterPresenceLayer *
muster_presence_layer_copy (const MusterPresenceLayer *self)
{
  MusterPresenceLayer *copy = g_new0 (MusterPresenceLayer, 1);

  *copy = *self;
  copy->name = g_strdup (self->name);
  copy->text = g_strdup (self->text);

  return copy;
}

void
muster_presence_layer_free (MusterPresenceLayer *self)
{
  g_free (self->name);
  g_free (self->text);
  g_free (self);
}

static void
layer_clear (gpointer layer)
{
  if (layer != NULL)
    muster_presence_layer_free (layer);
}

MusterPresenceLayers *
muster_presence_layers_new (void)
{
  MusterPresenceLayers *self = g_new0 (MusterPresenceLayers, 1);

  self->layers = g_ptr_array_new_with_free_func (layer_clear);

  return self;
}

void
muster_presence_layers_free (MusterPresenceLayers *self)
{
  g_ptr_array_unref (self->layers);
  g_free (self);
}

guint
muster_presence_layers_count (MusterPresenceLayers *self)
{
  return self->layers->len;
}

const MusterPresenceLayer *
muster_presence_layers_get (MusterPresenceLayers *self, guint n)
{
  return g_ptr_array_index (self->layers, n);
}

/* Its place, or where it would be. */
static gboolean
find_place (MusterPresenceLayers *self, const char *name, guint *place)
{
  for (*place = 0; *place < self->layers->len; (*place)++) {
    int order = strcmp (muster_presence_layers_get (self, *place)->name, name);

    if (order >= 0)
      return order == 0;
  }

  return FALSE;
}

const MusterPresenceLayer *
muster_presence_layers_find (MusterPresenceLayers *self, const char *name)
{
  guint place;

  return find_place (self, name, &place) ? muster_presence_layers_get (self, place) : NULL;
}

gboolean
muster_presence_layers_has_room (MusterPresenceLayers *self, const char *name)
{
  return self->layers->len < MUSTER_PRESENCE_LAYERS_MAX ||
         muster_presence_layers_find (self, name) != NULL;
}

void
muster_presence_layers_set (MusterPresenceLayers *self, const MusterPresenceLayer *layer)
{
  MusterPresenceLayer *copy = muster_presence_layer_copy (layer);
  guint place;

  if (find_place (self, layer->name, &place))
    g_ptr_array_remove_index (self->layers, place);
  g_ptr_array_insert (self->layers, (int) place, copy);
}

gboolean
muster_presence_layers_remove (MusterPresenceLayers *self, const char *name, guint64 number)
{
  guint place;

  if (!find_place (self, name, &place) ||
      (number != 0 && muster_presence_layers_get (self, place)->number != number))
    return FALSE;

  g_ptr_array_remove_index (self->layers, place);
  return TRUE;
}

static gboolean
has_expired (const MusterPresenceLayer *layer, gint64 now_us)
{
  return layer->until_us > 0 && layer->until_us <= now_us;
}

MusterPresenceLayer *
muster_presence_layers_expire (MusterPresenceLayers *self, gint64 now_us)
{
  for (guint i = 0; i < self->layers->len; i++) {
    MusterPresenceLayer *layer = g_ptr_array_index (self->layers, i);

    if (has_expired (layer, now_us)) {
      g_ptr_array_index (self->layers, i) = NULL;
      g_ptr_array_remove_index (self->layers, i);
      return layer;
    }
  }

  return NULL;
}

const MusterPresenceLayer *
muster_presence_layers_get_effective (MusterPresenceLayers *self, gint64 now_us)
{
  const MusterPresenceLayer *best = NULL;

  for (guint i = 0; i < self->layers->len; i++) {
    const MusterPresenceLayer *layer = muster_presence_layers_get (self, i);

    if (has_expired (layer, now_us))
      continue;
    if (best == NULL || layer->priority > best->priority ||
        (layer->priority == best->priority && layer->number > best->number))
      best = layer;
  }

  return best;
}

gint64
muster_presence_layers_get_next_us (MusterPresenceLayers *self)
{
  gint64 next_us = 0;

  for (guint i = 0; i < self->layers->len; i++) {
    gint64 until_us = muster_presence_layers_get (self, i)->until_us;

    if (until_us > 0 && (next_us == 0 || until_us < next_us))
      next_us = until_us;
  }

  return next_us;
}

/* words */

gboolean
muster_presence_from_string (const char *text, MusterPresence *presence)
{
  for (guint i = 0; i < MUSTER_PRESENCE_LAST; i++) {
    if (g_str_equal (text, muster_presence_to_string ((MusterPresence) i))) {
      *presence = (MusterPresence) i;
      return TRUE;
    }
  }

  return FALSE;
}

gboolean
muster_presence_check_name (const char *name, GError **error)
{
  gsize n_bytes = strlen (name);

  if (n_bytes >= 1 && n_bytes <= MUSTER_PRESENCE_NAME_MAX_BYTES &&
      strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n_bytes)
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "the name of a layer is 1 to %d of a-z, 0-9 and \"-\"",
               MUSTER_PRESENCE_NAME_MAX_BYTES);
  return FALSE;
}

gboolean
muster_presence_check_text (const char *text, GError **error)
{
  if (strlen (text) > MUSTER_PRESENCE_TEXT_MAX_BYTES) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "text is longer than %d bytes",
                 MUSTER_PRESENCE_TEXT_MAX_BYTES);
    return FALSE;
  }
  if (!g_utf8_validate (text, -1, NULL)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "text is not UTF-8");
    return FALSE;
  }

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p))) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "text holds control characters; it is one line");
      return FALSE;
    }
  }

  return TRUE;
}

gboolean
muster_presence_check_priority (guint priority, GError **error)
{
  if (priority <= MUSTER_PRESENCE_PRIORITY_MAX)
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "priority: %u is not from 0 to %d",
               priority, MUSTER_PRESENCE_PRIORITY_MAX);
  return FALSE;
}
